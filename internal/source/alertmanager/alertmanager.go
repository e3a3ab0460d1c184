// Package alertmanager decodes what a Prometheus Alertmanager posts to a webhook receiver (version "4"), one event for each
// alert, and what its API v2 lists.
//
// An event's data are the alert's own fields (status, labels, annotations, startsAt, endsAt, generatorURL, fingerprint)
// with those of its notification beside them (receiver, groupKey, groupLabels, commonLabels, commonAnnotations,
// externalURL, truncatedAlerts). While an alert fires, Alertmanager repeats it: the same beginning is the same event.
package alertmanager

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/tendhq/tend/internal/event"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/signature"
	"github.com/tendhq/tend/internal/source"
)

// Decoder implements source.Decoder.
type Decoder struct{}

var _ source.Decoder = Decoder{}

// Spec implements source.Decoder.
func (Decoder) Spec() source.Spec {
	return source.Spec{
		Name: "alertmanager", Alerts: true, Schemes: []signature.Scheme{signature.Bearer, signature.Basic},
		Doc: "Alerts from the webhook receiver of a Prometheus Alertmanager, version 4 of its format.",
	}
}

// around are the fields of a notification that each of its alerts keeps.
var around = []string{"receiver", "groupKey", "groupLabels", "commonLabels", "commonAnnotations", "externalURL", "truncatedAlerts"}

// Decode implements source.Decoder.
func (Decoder) Decode(r source.Request) ([]event.Event, error) {
	n, err := r.Object()
	if err != nil {
		return nil, err
	}
	if v := n.At("version").Text(); v != "" && v != "4" {
		return nil, fault.New(fault.Invalid, "`version` is %q, and version 4 is understood", v)
	}
	return Alerts(r, n, around)
}

// Alerts gives an event for each item of `alerts`. Grafana's format shares it.
func Alerts(r source.Request, n source.Node, around []string) ([]event.Event, error) {
	items, err := n.At("alerts").Items()
	if err != nil {
		return nil, err
	}
	shared := map[string]any{}
	for _, k := range around {
		if v := n.At(k).Value(); v != nil {
			shared[k] = v
		}
	}
	out := make([]event.Event, 0, len(items))
	var problems []error
	for _, a := range items {
		e, err := alert(r, a, a.At("status").Text(), shared)
		if err != nil {
			problems = append(problems, err)
			continue
		}
		out = append(out, e)
	}
	return out, errors.Join(problems...)
}

// alert gives the event of one alert in the given status.
func alert(r source.Request, a source.Node, status string, shared map[string]any) (event.Event, error) {
	if a.Map() == nil {
		return event.Event{}, fault.New(fault.Invalid, "`%s` must be an object", a.Path())
	}
	s := event.Status(status)
	if s != event.Firing && s != event.Resolved {
		return event.Event{}, fault.New(fault.Invalid, "`%s` is %q: an alert is firing or resolved", a.At("status").Path(), source.Clip(status, 40))
	}
	labels := a.At("labels").Labels()
	print := a.At("fingerprint").Text()
	if print == "" {
		print = fingerprint(labels)
	}
	starts := a.At("startsAt").Time()
	data := make(map[string]any, len(a.Map())+len(shared))
	maps.Copy(data, shared)
	maps.Copy(data, a.Map()) // the alert's own fields win
	data["fingerprint"], data["status"] = print, status
	e := event.Event{
		Kind: source.Alert, At: starts, Data: data, Group: print, Labels: labels, Name: labels["alertname"], Status: s,
		Key: print + "/" + starts.UTC().Format(time.RFC3339Nano) + "/" + status,
	}
	if s == event.Resolved {
		e.Until = a.At("endsAt").Time()
	}
	return r.Event(e), nil
}

// fingerprint names an alert by its labels where its sender does not. It is not Alertmanager's own sum, and need not be:
// it only has to be the same for the same labels.
func fingerprint(labels map[string]string) string {
	var b strings.Builder
	for _, k := range slices.Sorted(maps.Keys(labels)) {
		b.WriteString(k + "\xff" + labels[k] + "\xff")
	}
	return source.Sum([]byte(b.String()))[:16]
}

// Listed gives the events of the answer to GET /api/v2/alerts: those that are active fire. Silenced and inhibited alerts are
// only named, by their groups: somebody decided that nobody is to be bothered by them, and yet they are not over.
func Listed(r source.Request) (firing []event.Event, quiet []string, err error) {
	v, err := r.JSON()
	if err != nil {
		return nil, nil, err
	}
	items, err := source.Root(map[string]any{"alerts": v}).At("alerts").Items()
	if err != nil {
		return nil, nil, err
	}
	var problems []error
	for _, a := range items {
		e, err := alert(r, a, string(event.Firing), nil)
		if err != nil {
			problems = append(problems, err)
			continue
		}
		if a.At("status", "state").Text() == "active" {
			firing = append(firing, e)
		} else {
			quiet = append(quiet, e.Group)
		}
	}
	return firing, quiet, errors.Join(problems...)
}

// Gone gives the event that ends an alert which the API lists no more, since a time.
//
// Whoever sends alerts to an Alertmanager repeats them, and says with each until when it counts (endsAt; Prometheus: four times
// its interval, others: resolve_timeout of the Alertmanager). One that leaves the list before that was ended by its sender: it
// is resolved. One that stays away only when its time was over was not: nobody repeated it, and whatever it measured, or
// whoever measured it, may be gone. It has vanished.
func Gone(r source.Request, began event.Event, since time.Time) event.Event {
	e := began
	e.Data = maps.Clone(began.Data)
	if e.Data == nil {
		e.Data = map[string]any{}
	}
	e.Labels = maps.Clone(began.Labels)
	e.Status, e.Until = event.Resolved, r.Now
	if ends := source.Root(began.Data).At("endsAt").Time(); !ends.IsZero() && !since.Before(ends) {
		e.Status = event.Vanished
	}
	e.Data["status"], e.Data["gone"], e.Data["endsAt"] = string(e.Status), true, r.Now.UTC().Format(time.RFC3339)
	e.Key = strings.TrimSuffix(began.Key, "/"+string(event.Firing)) + "/" + string(e.Status)
	return r.Event(e)
}
