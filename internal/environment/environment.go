// Package environment is the kind Environment: what the playbooks of a repository are bound to in one environment, such as
// stage or production. Names in playbooks stand for other names there, parameters have other values, and other events count.
package environment

import (
	"github.com/tendhq/tend/internal/document"
	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/guard"
	"github.com/tendhq/tend/internal/trigger"
)

// Spec is what a `kind: Environment` declares. Maps lead from names as playbooks write them to names as they are here.
type Spec struct {
	Name         string            `json:"name"`
	Events       *trigger.On       `json:"events,omitempty"` // which events its triggers are about; nil: all
	Integrations map[string]string `json:"integrations,omitempty"`
	Secrets      map[string]string `json:"secrets,omitempty"`
	Runners      map[string]string `json:"runners,omitempty"`
	Parameters   map[string]any    `json:"parameters,omitempty"` // values in place of the defaults of playbooks

	Groups map[string][]string `json:"groups,omitempty"` // targets, for guards that count a share of them
}

// FormEvents is the form of the map `events`.
const FormEvents document.Form = "environment-events"

// Definition is the kind Environment, with a *Spec as its content.
func Definition() document.Definition {
	return document.Definition{Kind: document.KindEnvironment, Keys: keys, Forms: forms, Read: read}
}

func forms(f document.Form, _ expr.Dialect) document.Table {
	if f == FormEvents {
		return eventKeys
	}
	return nil
}

var (
	keys = document.Head.With(document.Table{
		document.Def("events", FormEvents, "Which events its triggers are about; without it all."),
		document.Def("integrations", document.FormLabels, "Names of integrations as playbooks write them, and which ones they are here."),
		document.Def("secrets", document.FormLabels, "The same for secrets."),
		document.Def("runners", document.FormLabels, "The same for runners."),
		document.Def("parameters", document.FormPlain, "Values of parameters, in place of the defaults of playbooks."),
		document.Def("groups", document.FormPlain, "Targets by the name of a group, for guards that count a share of one."),
	})
	eventKeys = document.Table{
		document.Def("source", document.FormTexts, "Globs of the names of sources."),
		document.Def("labels", document.FormLabels, "Labels that the event must have; globs."),
	}
)

func read(r *document.Reader, d *document.Document) any {
	e := &Spec{}
	r.Body(d, keys, "an environment", func(k document.Key) {
		switch k.Name {
		case "events":
			e.Events = events(r, k)
		case "integrations":
			e.Integrations = r.Labels(k)
		case "secrets":
			e.Secrets = r.Labels(k)
		case "runners":
			e.Runners = r.Labels(k)
		case "groups":
			e.Groups = groups(r, k)
		case "parameters":
			if _, ok := r.Object(k.Value, "`parameters`"); ok {
				e.Parameters, _ = r.Plain(k.Value).(map[string]any)
			}
		}
	})
	e.Name = d.Metadata.Name
	return e
}

func events(r *document.Reader, k document.Key) *trigger.On {
	on := &trigger.On{Status: "any"}
	_, ok := r.Fields(k, eventKeys, func(k document.Key) {
		switch k.Name {
		case "source":
			on.Source = r.Texts(k)
		case "labels":
			on.Labels = r.Labels(k)
		}
	})
	if !ok {
		return nil
	}
	return on
}

// groups reads who is in which group.
func groups(r *document.Reader, k document.Key) map[string][]string {
	o, ok := r.Object(k.Value, "`groups`")
	if !ok {
		return nil
	}
	out := map[string][]string{}
	for _, g := range o.Keys {
		list := guard.Members(r, g)
		if len(list) == 0 {
			r.Fail(document.RuleValue, g.Node, "name its members, or remove it", "nobody is in the group `%s`", g.Name)
		}
		out[g.Name] = list
	}
	return out
}
