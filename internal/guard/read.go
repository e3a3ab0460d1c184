package guard

import (
	"go.yaml.in/yaml/v4"

	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/document"
	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/value"
)

// Definition is the kind Guard, with a *Spec as its content.
func Definition() document.Definition {
	return document.Definition{Kind: document.KindGuard, Keys: keys, Forms: forms, Read: read}
}

// The forms of the maps of a guard.
const (
	FormSelect   document.Form = "select"
	FormCooldown document.Form = "cooldown"
)

func forms(f document.Form, _ expr.Dialect) document.Table {
	switch f {
	case FormSelect:
		return selectKeys
	case FormCooldown:
		return cooldownKeys
	default:
		return nil
	}
}

var (
	keys = document.Head.With(document.Table{
		document.Def("select", FormSelect, "Which effects the guard is about."),
		document.Def("cooldown", FormCooldown, "Leave a target alone for a time after an effect on it."),
		document.Def("then", document.FormText, "hold: wait until it may (default). deny: fail the step."),
		document.Def("spec", document.FormPlain, "The same keys one level deeper."),
	})
	specKeys = document.Table{
		document.Def("select", FormSelect, "Which effects the guard is about."),
		document.Def("cooldown", FormCooldown, "Leave a target alone for a time after an effect on it."),
		document.Def("then", document.FormText, "hold: wait until it may (default). deny: fail the step."),
	}
	selectKeys = document.Table{
		document.Def("playbooks", document.FormTexts, "Globs of the names of playbooks."),
		document.Def("labels", document.FormLabels, "Labels that the playbook must have."),
		document.Def("actions", document.FormTexts, "Globs of the names of actions."),
		document.Def("effects", document.FormTexts, "Effects; without it mutate."),
		document.Def("targets", document.FormTexts, "Globs of targets."),
	}
	cooldownKeys = document.Table{
		document.Def("every", document.FormDuration, "How long a target is left alone."),
		document.Def("per", document.FormText, "target"),
	}
)

func read(r *document.Reader, d *document.Document) any {
	g := &Spec{Then: "hold"}
	read := func(k document.Key) {
		switch k.Name {
		case "select":
			g.Select = selection(r, k)
		case "cooldown":
			g.Cooldown = cooldown(r, k)
		case "then":
			switch g.Then = r.Fixed(k); g.Then {
			case "hold", "deny":
			default:
				r.Fail(document.RuleValue, k.Value, "write hold (wait until it may) or deny (fail the step)", "`then` cannot be %q", g.Then)
			}
		}
	}
	rules := d.Object
	r.Body(d, keys, "a guard", func(k document.Key) {
		switch k.Name {
		case "spec":
			o, ok := r.Object(k.Value, "`spec`")
			if !ok {
				return
			}
			r.Each(&o, specKeys, "`spec` of a guard", read)
			rules = o
		default:
			read(k)
		}
	})
	r.Must(&rules, "cooldown", "a guard")
	g.Name = d.Metadata.Name
	return g
}

func selection(r *document.Reader, k document.Key) Selection {
	var s Selection
	o, ok := r.Object(k.Value, "`select`")
	if !ok {
		return s
	}
	r.Each(&o, selectKeys, "`select`", func(k document.Key) {
		switch k.Name {
		case "playbooks":
			s.Playbooks = r.Texts(k)
		case "labels":
			s.Labels = r.Labels(k)
		case "actions":
			s.Actions = r.Texts(k)
		case "effects":
			r.Texts(k, func(n *yaml.Node, e string) {
				switch contract.Effect(e) {
				case contract.Read, contract.Idempotent, contract.Mutate:
					s.Effects = append(s.Effects, contract.Effect(e))
				default:
					r.Fail(document.RuleValue, n, "write read, idempotent or mutate", "there is no effect `%s`", e)
				}
			})
		case "targets":
			s.Targets = r.Texts(k)
		}
	})
	return s
}

func cooldown(r *document.Reader, k document.Key) *Cooldown {
	o, ok := r.Object(k.Value, "`cooldown`")
	if !ok {
		return nil
	}
	c := &Cooldown{}
	r.Each(&o, cooldownKeys, "`cooldown`", func(k document.Key) {
		switch k.Name {
		case "every":
			if c.Every = r.Duration(k); c.Every <= 0 && k.Value.Kind == yaml.ScalarNode && isZero(k.Value.Value) {
				r.Fail(document.RuleValue, k.Value, "", "a cooldown of nothing holds nothing")
			}
		case "per":
			if s := r.Fixed(k); s != "target" {
				r.Fail(document.RuleValue, k.Value, "write target", "a cooldown is per target, not per %q", s)
			}
		}
	})
	if !r.Must(&o, "every", "`cooldown`") {
		return nil
	}
	return c
}

func isZero(s string) bool {
	d, err := value.ParseDuration(s)
	return err == nil && d == 0
}
