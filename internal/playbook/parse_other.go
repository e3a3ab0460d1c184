package playbook

import (
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/tendhq/tend/internal/expr"
)

// guard reads a rule that can stop effects.
func (r *reader) guard(d *Document) {
	g := &GuardSpec{Then: "hold"}
	read := func(k Key) {
		switch k.Name {
		case "select":
			g.Select = r.selection(k)
		case "cooldown":
			g.Cooldown = r.cooldown(k)
		case "then":
			switch g.Then = r.fixed(k); g.Then {
			case "hold", "deny":
			default:
				r.fail(RuleValue, k.Value, "write hold (wait until it may) or deny (fail the step)", "`then` cannot be %q", g.Then)
			}
		}
	}
	rules := d.Object
	r.each(&d.Object, guardKeys, "a guard", func(k Key) {
		switch k.Name {
		case "metadata":
			r.metadata(d, k)
		case "spec":
			o, ok := r.object(k.Value, "`spec`")
			if !ok {
				return
			}
			r.each(&o, guardSpecKeys, "`spec` of a guard", read)
			rules = o
		default:
			read(k)
		}
	})
	r.named(d)
	r.must(&rules, "cooldown", "a guard")
	g.Name = d.Metadata.Name
	d.Guard = g
}

func (r *reader) selection(k Key) Selection {
	var s Selection
	o, ok := r.object(k.Value, "`select`")
	if !ok {
		return s
	}
	r.each(&o, selectKeys, "`select`", func(k Key) {
		switch k.Name {
		case "playbooks":
			s.Playbooks = r.texts(k)
		case "labels":
			s.Labels = r.labels(k)
		case "actions":
			s.Actions = r.texts(k)
		case "effects":
			r.texts(k, func(n *yaml.Node, e string) {
				switch Effect(e) {
				case Read, Idempotent, Mutate:
					s.Effects = append(s.Effects, Effect(e))
				default:
					r.fail(RuleValue, n, "write read, idempotent or mutate", "there is no effect `%s`", e)
				}
			})
		case "targets":
			s.Targets = r.texts(k)
		}
	})
	return s
}

func (r *reader) cooldown(k Key) *Cooldown {
	o, ok := r.object(k.Value, "`cooldown`")
	if !ok {
		return nil
	}
	c := &Cooldown{}
	r.each(&o, cooldownKeys, "`cooldown`", func(k Key) {
		switch k.Name {
		case "every":
			if c.Every = r.duration(k); c.Every <= 0 && k.Value.Kind == yaml.ScalarNode && isZero(k.Value.Value) {
				r.fail(RuleValue, k.Value, "", "a cooldown of nothing holds nothing")
			}
		case "per":
			if s := r.fixed(k); s != "target" {
				r.fail(RuleValue, k.Value, "write target", "a cooldown is per target, not per %q", s)
			}
		}
	})
	if !r.must(&o, "every", "`cooldown`") {
		return nil
	}
	return c
}

func isZero(s string) bool {
	d, err := ParseDuration(s)
	return err == nil && d == 0
}

func (r *reader) trigger(d *Document) {
	t := &TriggerSpec{Enabled: true}
	r.each(&d.Object, triggerKeys, "a trigger", func(k Key) {
		switch k.Name {
		case "metadata":
			r.metadata(d, k)
		case "enabled":
			t.Enabled = r.boolean(k)
		case "playbook":
			t.Playbook = r.fixed(k)
		case "scenarios":
			t.Scenarios = r.scenarios(k)
		}
	})
	r.named(d)
	t.Name = d.Metadata.Name
	d.Trigger = t
}

func (r *reader) scenarios(k Key) []Scenario {
	items, _ := r.list(k.Value, "`scenarios`")
	out := make([]Scenario, 0, len(items))
	for _, n := range items {
		o, ok := r.object(n, "a scenario")
		if !ok {
			continue
		}
		s := Scenario{Enabled: true}
		r.each(&o, scenarioKeys, "a scenario", func(k Key) {
			switch k.Name {
			case "name":
				s.Name = r.fixed(k)
			case "enabled":
				s.Enabled = r.boolean(k)
			case "integration":
				s.Integration = r.fixed(k)
			case "when":
				if l := r.scalarOrNothing(k); l != nil {
					s.When = &l.Expr
				}
			case "parameters":
				d := r.dataMap(k)
				s.Parameters = make(map[string]Tree, len(d.Map))
				for _, e := range d.Map {
					s.Parameters[e.Name] = e.Data.Tree()
				}
			}
		})
		out = append(out, s)
	}
	return out
}

// scalarOrNothing reads a condition that may be left empty.
func (r *reader) scalarOrNothing(k Key) *Scalar {
	if isNull(k.Value) || k.Value.Kind == yaml.ScalarNode && strings.TrimSpace(k.Value.Value) == "" {
		return nil
	}
	return r.scalar(k.Value, expr.Logic, "`"+k.Name+"`")
}

func (r *reader) integration(d *Document) {
	i := &IntegrationSpec{}
	r.each(&d.Object, integrationKeys, "an integration", func(k Key) {
		switch k.Name {
		case "metadata":
			r.metadata(d, k)
		case "type":
			i.Type = r.fixed(k)
		case "config":
			i.Config, _ = r.plain(k.Value).(map[string]any)
		}
	})
	r.named(d)
	r.must(&d.Object, "type", "an integration")
	i.Name = d.Metadata.Name
	d.Integration = i
}
