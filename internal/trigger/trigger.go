// Package trigger is the kind Trigger: which events start runs of which playbook, with which parameters, and which
// incident they belong to.
//
// It reads the documents, and decides, without I/O and without a clock, what a trigger makes of an event (Match). Selecting
// by source, kind, status and labels evaluates nothing; conditions and templates see the event's data and cannot do more
// than expressions can. What cannot be evaluated does not match, and the error says why.
package trigger

import (
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/tendhq/tend/internal/document"
	"github.com/tendhq/tend/internal/expr"
)

// Definition is the kind Trigger, with a *Spec as its content.
func Definition() document.Definition {
	return document.Definition{Kind: document.KindTrigger, Keys: keys, Forms: forms, Read: read}
}

// The forms of the maps of a trigger.
const (
	FormScenario    document.Form = "scenario"
	FormScenarios   document.Form = "scenario[]"
	FormOn          document.Form = "on"
	FormConcurrency document.Form = "concurrency"
	FormIncident    document.Form = "incident"
	FormWake        document.Form = "wake"
)

func forms(f document.Form, _ expr.Dialect) document.Table {
	switch f {
	case FormScenario:
		return scenarioKeys
	case FormOn:
		return onKeys
	case FormConcurrency:
		return concurrencyKeys
	case FormIncident:
		return incidentKeys
	case FormWake:
		return wakeKeys
	default:
		return nil
	}
}

var (
	keys = document.Head.With(document.Table{
		document.Def("enabled", document.FormBool, "false: the trigger does nothing."),
		document.Def("on", FormOn, "Which events it is about."),
		document.Def("when", document.FormLogic, "Which of them fire it, over `event`."),
		document.Def("playbook", document.FormText, "The playbook to run; empty is the one in the same folder."),
		document.Def("parameters", document.FormMap, "The parameters of the run, with templates over `event`."),
		document.Def("key", document.FormTemplate, "What belongs together; without it the group of the event: one alert, one branch."),
		document.Def("priority", document.FormCount, "Who goes first when there is too much: a greater number; 0 is usual."),
		document.Def("startWithin", document.FormDuration, "An older event starts nothing. Alerts: 10m. Others: no limit. 0: no limit."),
		document.Def("concurrency", FormConcurrency, "How many of its runs go on at a time; without it one for each key, others are skipped."),
		document.Def("incident", FormIncident, "The incident that its events belong to."),
		document.Def("wake", FormWake, "Hand the event to the runs that wait for it, in place of a playbook."),
		document.Def("scenarios", FormScenarios, "Several ways how it fires; the first one that does counts."),
	})
	onKeys = document.Table{
		document.Def("source", document.FormTexts, "Globs of the names of sources."),
		document.Def("kind", document.FormTexts, "Globs of kinds: alert, push, pipeline, tick, absence, webhook, incident, run, …"),
		document.Def("status", document.FormText, "firing (default), resolved, vanished (nothing is measured any more) or any, of events that begin and end."),
		document.Def("labels", document.FormLabels, "Labels that the event must have; globs."),
	}
	concurrencyKeys = document.Table{
		document.Def("key", document.FormTemplate, "What is counted; without it the key of the trigger."),
		document.Def("limit", document.FormCount, "How many runs may go on; default 1."),
		document.Def("then", document.FormText, "skip (default), queue, or replace: cancel the run that goes on."),
	}
	incidentKeys = document.Table{
		document.Def("key", document.FormTemplate, "Events with the same key belong to one incident; without it the key of the trigger."),
		document.Def("severity", document.FormTemplate, "critical, major, minor or info; without it the label `severity` of the event."),
		document.Def("title", document.FormTemplate, "Its title; without it the name of the event."),
		document.Def("summary", document.FormTemplate, "What is known."),
		document.Def("labels", document.FormMap, "Labels of the incident."),
		document.Def("resolve", document.FormBool, "true: it is resolved when all of its alerts are."),
		document.Def("reopenWithin", document.FormDuration, "An alert that comes back this soon reopens it; default 15m."),
		document.Def("update", document.FormDuration, "How often people want to hear of it; without it by severity."),
	}
	wakeKeys = document.Table{
		document.Def("event", document.FormText, "The name that runs wait for."),
		document.Def("key", document.FormTemplate, "The correlation key; without it the key of the trigger."),
	}
	scenarioKeys = document.Table{
		document.Def("name", document.FormText, "The name of the scenario."),
		document.Def("enabled", document.FormBool, "false: the scenario does nothing."),
		document.Def("integration", document.FormText, "Where the events come from: the name of a source."),
		document.Def("when", document.FormLogic, "Which events fire, over `event`; in the older dialect over the fields of the event."),
		document.Def("parameters", document.FormMap, "The parameters of the run, besides those of the trigger."),
	}
)

func read(r *document.Reader, d *document.Document) any {
	t := &Spec{Enabled: true, Dialect: d.Dialect}
	r.Body(d, keys, "a trigger", func(k document.Key) {
		switch k.Name {
		case "enabled":
			t.Enabled = r.Bool(k)
		case "on":
			t.On = on(r, k)
		case "when":
			t.When = condition(r, k)
		case "playbook":
			t.Playbook = r.Fixed(k)
		case "parameters":
			t.Parameters = trees(r, k)
		case "key":
			t.Key = text(r, k)
		case "priority":
			n := r.Count(k, -1000, 1000)
			t.Priority = &n
		case "startWithin":
			w := r.Duration(k)
			t.StartWithin = &w
		case "concurrency":
			t.Concurrency = concurrency(r, k)
		case "incident":
			t.Incident = incident(r, k)
		case "wake":
			t.Wake = wake(r, k)
		case "scenarios":
			t.Scenarios = scenarios(r, k)
		}
	})
	if w, ok := d.Key("wake"); ok && t.Playbook != "" {
		r.Fail(document.RuleValue, w.Node, "make two triggers of it", "`wake` and `playbook` exclude each other")
	}
	t.Name, t.Labels, t.Owner = d.Metadata.Name, d.Metadata.Labels, d.Metadata.Owner
	return t
}

func on(r *document.Reader, k document.Key) On {
	var out On
	r.Fields(k, onKeys, func(k document.Key) {
		switch k.Name {
		case "source":
			out.Source = r.Texts(k)
		case "kind":
			out.Kind = r.Texts(k)
		case "status":
			out.Status = r.OneOf(k, "firing", "resolved", "vanished", "any")
		case "labels":
			out.Labels = r.Labels(k)
		}
	})
	return out
}

func concurrency(r *document.Reader, k document.Key) *Concurrency {
	c := &Concurrency{Limit: 1, Then: Skip}
	_, ok := r.Fields(k, concurrencyKeys, func(k document.Key) {
		switch k.Name {
		case "key":
			c.Key = text(r, k)
		case "limit":
			c.Limit = r.Count(k, 1, 10_000)
		case "then":
			c.Then = r.OneOf(k, Skip, Queue, Replace)
		}
	})
	if !ok {
		return nil
	}
	return c
}

func incident(r *document.Reader, k document.Key) *Incident {
	i := &Incident{}
	_, ok := r.Fields(k, incidentKeys, func(k document.Key) {
		switch k.Name {
		case "key":
			i.Key = text(r, k)
		case "severity":
			i.Severity = text(r, k)
		case "title":
			i.Title = text(r, k)
		case "summary":
			i.Summary = text(r, k)
		case "labels":
			i.Labels = trees(r, k)
		case "resolve":
			i.Resolve = r.Bool(k)
		case "reopenWithin":
			d := r.Duration(k)
			i.ReopenWithin = &d
		case "update":
			i.Update = r.Duration(k)
		}
	})
	if !ok {
		return nil
	}
	return i
}

func wake(r *document.Reader, k document.Key) *Wake {
	w := &Wake{}
	_, ok := r.Fields(k, wakeKeys, func(k document.Key) {
		switch k.Name {
		case "event":
			w.Event = r.Fixed(k)
		case "key":
			w.Key = text(r, k)
		}
	}, "event")
	if !ok {
		return nil
	}
	return w
}

func scenarios(r *document.Reader, k document.Key) []Scenario {
	out := []Scenario{}
	for o := range r.Items(k, "a scenario") {
		s := Scenario{Enabled: true}
		r.Each(o, scenarioKeys, "a scenario", func(k document.Key) {
			switch k.Name {
			case "name":
				s.Name = r.Fixed(k)
			case "enabled":
				s.Enabled = r.Bool(k)
			case "integration":
				s.Integration = r.Fixed(k)
			case "when":
				s.When = condition(r, k)
			case "parameters":
				s.Parameters = trees(r, k)
			}
		})
		out = append(out, s)
	}
	return out
}

func text(r *document.Reader, k document.Key) *expr.Expr {
	if s := r.Text(k); s != nil {
		return &s.Expr
	}
	return nil
}

func trees(r *document.Reader, k document.Key) map[string]expr.Tree {
	d := r.Map(k)
	out := make(map[string]expr.Tree, len(d.Map))
	for _, e := range d.Map {
		out[e.Name] = e.Data.Tree()
	}
	return out
}

// condition reads a condition that may be left empty.
func condition(r *document.Reader, k document.Key) *expr.Expr {
	if document.IsNull(k.Value) || k.Value.Kind == yaml.ScalarNode && strings.TrimSpace(k.Value.Value) == "" {
		return nil
	}
	s := r.Scalar(k.Value, expr.Logic, "`"+k.Name+"`")
	if s == nil {
		return nil
	}
	return &s.Expr
}
