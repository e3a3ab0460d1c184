// Package cloudevents decodes CloudEvents 1.0 over HTTP in all three modes: binary (ce-… headers), structured
// (application/cloudevents+json) and batched (application/cloudevents-batch+json). An event's data are its attributes with
// `data` beside them; source and id together are its key, as the specification says.
package cloudevents

import (
	"encoding/base64"
	"errors"
	"strings"

	"github.com/tendhq/tend/internal/event"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/signature"
	"github.com/tendhq/tend/internal/source"
	"github.com/tendhq/tend/internal/trace"
	"github.com/tendhq/tend/internal/value"
)

// Decoder implements source.Decoder.
type Decoder struct{}

var _ source.Decoder = Decoder{}

// Spec implements source.Decoder.
func (Decoder) Spec() source.Spec {
	return source.Spec{
		Name: "cloudevents", Schemes: []signature.Scheme{signature.Bearer, signature.Basic, signature.Standard},
		Doc: "CloudEvents 1.0 over HTTP: binary, structured and batched.",
	}
}

// Decode implements source.Decoder.
func (Decoder) Decode(r source.Request) ([]event.Event, error) {
	switch r.Media() {
	case "application/cloudevents+json":
		n, err := r.Object()
		if err != nil {
			return nil, err
		}
		return one(decode(r, n))
	case "application/cloudevents-batch+json":
		v, err := r.JSON()
		if err != nil {
			return nil, err
		}
		items, err := source.Root(map[string]any{"batch": v}).At("batch").Items()
		if err != nil {
			return nil, err
		}
		var out []event.Event
		var problems []error
		for _, n := range items {
			e, err := decode(r, n)
			if err != nil {
				problems = append(problems, err)
				continue
			}
			out = append(out, e)
		}
		return out, errors.Join(problems...)
	default:
		return one(binary(r))
	}
}

func one(e event.Event, err error) ([]event.Event, error) {
	if err != nil {
		return nil, err
	}
	return []event.Event{e}, nil
}

// attributes are those that the specification defines, by the names of their headers, and that of its extension for
// distributed tracing.
var attributes = []string{"specversion", "id", "source", "type", "subject", "time", "datacontenttype", "dataschema", "traceparent"}

// binary reads attributes from headers and the data from the body.
func binary(r source.Request) (event.Event, error) {
	m := map[string]any{}
	for _, a := range attributes {
		if v := r.Header("Ce-" + strings.ToUpper(a[:1]) + a[1:]); v != "" {
			m[a] = v
		}
	}
	if len(m) == 0 {
		return event.Event{}, fault.New(fault.Invalid, "this is no CloudEvent: there is no ce-specversion header, and the content type is %q", source.Clip(r.Media(), 60)).
			WithNext("send ce-… headers, or application/cloudevents+json")
	}
	if t := r.Header("Content-Type"); t != "" {
		m["datacontenttype"] = t
	}
	media := r.Media()
	switch {
	case len(r.Body) == 0:
	case media == "" || media == "application/json" || strings.HasSuffix(media, "+json"):
		v, err := r.JSON()
		if err != nil {
			return event.Event{}, err
		}
		m["data"] = v
	default:
		m["data"] = strings.ToValidUTF8(string(r.Body), "�")
	}
	return decode(r, source.Root(m))
}

func decode(r source.Request, n source.Node) (event.Event, error) {
	if n.Map() == nil {
		return event.Event{}, fault.New(fault.Invalid, "`%s` must be an object", n.Path())
	}
	var problems []error
	must := func(key string) string {
		s, err := n.At(key).Must()
		if err != nil {
			problems = append(problems, err)
		}
		return s
	}
	spec, id, src, typ := must("specversion"), must("id"), must("source"), must("type")
	if spec != "" && spec != "1.0" {
		problems = append(problems, fault.New(fault.Invalid, "`%s` is %q, and 1.0 is understood", n.At("specversion").Path(), source.Clip(spec, 20)))
	}
	if len(problems) > 0 {
		return event.Event{}, errors.Join(problems...)
	}
	data := n.Map()
	if b64 := n.At("data_base64").Text(); b64 != "" {
		b, err := base64.StdEncoding.DecodeString(b64)
		if err != nil {
			return event.Event{}, fault.New(fault.Invalid, "`%s` is not base64", n.At("data_base64").Path())
		}
		data["data"] = strings.ToValidUTF8(string(b), "�")
		if v, err := value.Parse(b); err == nil {
			data["data"] = v
		}
	}
	subject := n.At("subject").Text()
	stands := ""
	if at, ok := trace.Parse(n.At("traceparent").Text()); ok {
		stands = at.String()
	}
	return r.Event(event.Event{
		Kind: "cloudevent", At: n.At("time").Time(), Data: data, Key: src + "\x00" + id, Group: src + "/" + subject, Name: typ,
		Labels: source.Set("type", typ, "source", src, "subject", subject),
		Trace:  stands,
	}), nil
}
