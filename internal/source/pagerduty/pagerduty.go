// Package pagerduty decodes PagerDuty's webhooks, version 3: one event for each message, its data the member `event` of the
// body. An incident fires from its triggering on and ends when it is resolved.
package pagerduty

import (
	"github.com/tendhq/tend/internal/event"
	"github.com/tendhq/tend/internal/signature"
	"github.com/tendhq/tend/internal/source"
)

// Decoder implements source.Decoder.
type Decoder struct{}

var _ source.Decoder = Decoder{}

// Spec implements source.Decoder.
func (Decoder) Spec() source.Spec {
	return source.Spec{
		Name: "pagerduty", Alerts: true, Schemes: []signature.Scheme{signature.PagerDuty},
		Doc: "Incidents and their changes from PagerDuty, version 3 of its webhooks.",
	}
}

// Decode implements source.Decoder.
func (Decoder) Decode(r source.Request) ([]event.Event, error) {
	n, err := r.Object()
	if err != nil {
		return nil, err
	}
	n = n.At("event")
	id, err := n.At("id").Must()
	if err != nil {
		return nil, err
	}
	typ, err := n.At("event_type").Must()
	if err != nil {
		return nil, err
	}
	if typ == "pagey.ping" {
		return nil, nil
	}
	d := n.At("data")
	about := d // an incident; of its notes and field values the incident is a reference
	if ref := d.At("incident"); ref.Map() != nil {
		about = ref
	}
	e := event.Event{
		Kind: "incident", At: n.At("occurred_at").Time(), Data: n.Map(), Key: id, Group: about.At("id").Text(),
		Name: d.At("title").Text(),
		Labels: source.Set("event", typ, "service", d.At("service", "summary").Text(), "urgency", d.At("urgency").Text(),
			"priority", d.At("priority", "summary").Text(), "status", d.At("status").Text()),
	}
	if e.Name == "" {
		e.Name = typ
	}
	switch typ {
	case "incident.triggered", "incident.reopened":
		e.Status = event.Firing
	case "incident.resolved":
		e.Status, e.Until = event.Resolved, e.At
	}
	return []event.Event{r.Event(e)}, nil
}
