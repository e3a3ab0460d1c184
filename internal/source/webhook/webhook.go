// Package webhook decodes what any service posts, by a mapping that the configuration declares: JSON, a form, or text.
//
// An event's data are the body: an object as it is, a list as `items`, a form's fields (the first value of each; all of a
// field that came several times as a list), a text as `text`. The parts of an event are paths into it, or templates over it;
// what is missing is empty. Without a key the body itself is the key: an identical message is a repeat.
package webhook

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/tendhq/tend/internal/event"
	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/signature"
	"github.com/tendhq/tend/internal/source"
	"github.com/tendhq/tend/internal/value"
)

// Mapping says where the parts of an event are. Each is a path ($.alert.id) or a template over the body; "" is the default.
type Mapping struct {
	Each     string            // a list, of which each item is an event of its own; paths start at the item then
	Key      string            // default: the delivery's id, else the hash of the body
	Group    string            // default: the key
	Name     string            // default: the source's name
	Kind     string            // a word, not a path; default: webhook
	At       string            // default: when it was received
	Status   string            // what tells whether it begins or ends
	Firing   []string          // values of Status that say that it begins
	Resolved []string          // values of Status that say that it is over
	Labels   map[string]string // by name
}

// Decoder implements source.Decoder.
type Decoder struct {
	mapping Mapping
	eval    *expr.Evaluator
	exprs   map[string]expr.Expr
}

var _ source.Decoder = (*Decoder)(nil)

// New checks a mapping, all problems at once.
func New(m Mapping, eval *expr.Evaluator) (*Decoder, error) {
	d := &Decoder{mapping: m, eval: eval, exprs: map[string]expr.Expr{}}
	parts := map[string]string{"each": m.Each, "key": m.Key, "group": m.Group, "name": m.Name, "at": m.At, "status": m.Status}
	for k, v := range m.Labels {
		parts["labels."+k] = v
	}
	var problems []error
	for _, k := range slices.Sorted(maps.Keys(parts)) {
		v := parts[k]
		if v == "" {
			continue
		}
		e := expr.Expr{Kind: expr.Template, Source: v}
		switch {
		case strings.Contains(v, "{{"):
		case strings.HasPrefix(v, "$."):
			e.Source = "{{ " + v + " }}"
		default:
			problems = append(problems, fault.New(fault.Invalid, "`%s` is %q, neither a path nor a template", k, v).WithNext("write $.%s", strings.TrimPrefix(v, ".")))
			continue
		}
		if err := eval.Check(e, expr.Lenient); err != nil {
			problems = append(problems, fault.Wrap(fault.Invalid, err, "read `%s`", k))
			continue
		}
		d.exprs[k] = e
	}
	if m.Status == "" && len(m.Firing)+len(m.Resolved) > 0 {
		problems = append(problems, fault.New(fault.Invalid, "`firing` and `resolved` are values of `status`, which is not mapped"))
	}
	return d, errors.Join(problems...)
}

// Spec implements source.Decoder.
func (d *Decoder) Spec() source.Spec {
	return source.Spec{
		Name: "webhook", Alerts: d.mapping.Status != "", Schemes: []signature.Scheme{signature.Standard, signature.GitHub, signature.Bearer, signature.Basic},
		Doc: "Messages of any service, as JSON, form or text, by a declared mapping.",
	}
}

// Decode implements source.Decoder.
func (d *Decoder) Decode(r source.Request) ([]event.Event, error) {
	data, err := r.Data()
	if err != nil {
		return nil, err
	}
	if d.exprs["each"].Source == "" {
		e, err := d.event(r, data, "")
		if err != nil {
			return nil, err
		}
		return []event.Event{e}, nil
	}
	v, err := d.eval.Value(d.exprs["each"], scope(data))
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "find `each`")
	}
	if v == nil || v == "" {
		return nil, nil
	}
	items, err := source.Root(map[string]any{"each": v}).At("each").Items()
	if err != nil {
		return nil, err
	}
	var out []event.Event
	var problems []error
	for i, n := range items {
		item := n.Map()
		if item == nil {
			item = map[string]any{"value": n.Value()}
		}
		e, err := d.event(r, item, fmt.Sprintf("#%d", i))
		if err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", n.Path(), err))
			continue
		}
		out = append(out, e)
	}
	return out, errors.Join(problems...)
}

func scope(data map[string]any) expr.Scope { return expr.Scope{Root: data, Dialect: expr.Lenient} }

// event maps one event. part tells the items of one delivery apart.
func (d *Decoder) event(r source.Request, data map[string]any, part string) (event.Event, error) {
	var problems []error
	get := func(name string) string {
		e, ok := d.exprs[name]
		if !ok {
			return ""
		}
		s, err := d.eval.Text(e, scope(data))
		if err != nil {
			problems = append(problems, fault.Wrap(fault.Invalid, err, "find `%s`", name))
		}
		return strings.TrimSpace(s)
	}
	delivery := cmp.Or(r.Header("Webhook-Id"), r.Header("X-Github-Delivery"), r.Header("Idempotency-Key"))
	if delivery == "" {
		delivery = source.Sum(r.Body)
	}
	e := event.Event{
		Kind: cmp.Or(d.mapping.Kind, "webhook"), Data: data, Key: get("key"), Name: cmp.Or(get("name"), r.Source),
		At: source.Root(map[string]any{"at": when(get("at"))}).At("at").Time(), Labels: map[string]string{},
	}
	group := get("group")
	for k := range d.mapping.Labels {
		if v := get("labels." + k); v != "" {
			e.Labels[k] = v
		}
	}
	if d.mapping.Status != "" {
		s := get("status")
		switch {
		case slices.Contains(d.mapping.Resolved, s):
			e.Status, e.Until = event.Resolved, r.Now
		case slices.Contains(d.mapping.Firing, s), len(d.mapping.Firing) == 0 && s != "":
			e.Status = event.Firing
		}
		e.Labels["status"] = s
	}
	if e.Key == "" {
		e.Key = delivery + part
		e.Group = cmp.Or(group, e.Key)
	} else {
		e.Group = cmp.Or(group, e.Key)
		if e.Status != "" { // its end is another event than its beginning
			e.Key += "/" + string(e.Status)
		}
	}
	if len(problems) > 0 {
		return event.Event{}, errors.Join(problems...)
	}
	return r.Event(e), nil
}

// when lets seconds that came as text be a time.
func when(s string) any {
	if n, ok := value.Number(s); ok {
		return n
	}
	return s
}
