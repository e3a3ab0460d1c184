package catalog

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/tendhq/tend/internal/calendar"
	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/document"
	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/spelling"
	"github.com/tendhq/tend/internal/trigger"
)

// The rules of a catalog, besides those of reading, compiling and linting.
const (
	RuleCalendar  = "unreadable-calendar" // of a guard
	RuleCeiling   = "beyond-ceiling"      // what the repository may not touch
	RuleGroup     = "unknown-group"       // of a guard: the environment does not say who is in it
	RuleParameter = "wrong-parameter"     // a trigger gives a playbook what it does not take
	RulePlaybook  = "unknown-playbook"    // a trigger starts what is not there
)

func sprintf(format string, a ...any) string { return fmt.Sprintf(format, a...) }

// trigger takes a trigger, with the playbook that it starts.
func (x *builder) trigger(d *document.Document, t *trigger.Spec) {
	own := *t
	if e := x.where; e != nil {
		// Another environment of the project may have the same trigger: runs, queues and incidents tell them apart by name.
		own.Name, own.Environment, own.Within = t.Name+"@"+e.Name, e.Name, e.Events
	}
	x.triggers = append(x.triggers, &own)
	if own.Playbook == "" && (own.Incident != nil || own.Wake != nil) {
		return
	}
	p := x.target(d, &own)
	if p == nil {
		return
	}
	own.Playbook = p.Name
	x.started[own.Name] = p
	if p.Program == nil {
		return
	}
	if len(own.Scenarios) == 0 {
		x.parameters(d, d.Object, p, own.Parameters)
		return
	}
	k, _ := d.Key("scenarios")
	for i := range own.Scenarios {
		at := d.Object
		if k.Value != nil && i < len(k.Value.Content) {
			at = object(k.Value.Content[i])
		}
		given := map[string]expr.Tree{}
		for name, v := range own.Parameters {
			given[name] = v
		}
		for name, v := range own.Scenarios[i].Parameters {
			given[name] = v
		}
		x.parameters(d, at, p, given)
	}
}

// target finds the playbook that a trigger starts; nil when there is none, which is told.
func (x *builder) target(d *document.Document, t *trigger.Spec) *Playbook {
	k, _ := d.Key("playbook")
	if t.Playbook == "" {
		return x.beside(d, k)
	}
	f, err := x.library.Find(document.KindPlaybook, t.Playbook, d.File)
	if err == nil {
		for _, e := range x.results[f.Name].Documents {
			if e.Kind == document.KindPlaybook && (document.IsPath(t.Playbook) || spelling.Same(e.Metadata.Name, t.Playbook)) {
				return x.byDoc[e]
			}
		}
	}
	if err != nil && !fault.Is(err, fault.NotFound) {
		x.find(d, RulePlaybook, k, "", "the playbook `%s` cannot be read: %v", t.Playbook, err)
		return nil
	}
	remedy := "correct the name"
	if near := spelling.Nearest(t.Playbook, x.names()); near != "" {
		remedy = "did you mean `" + near + "`?"
	}
	x.find(d, RulePlaybook, k, remedy, "there is no playbook called `%s`", t.Playbook)
	return nil
}

// beside finds the one playbook in the folder of a trigger: in its file, else the file playbook.yaml, else the only one.
func (x *builder) beside(d *document.Document, k document.Key) *Playbook {
	var all []*Playbook
	for _, p := range x.playbooks {
		if path.Dir(p.File) == path.Dir(d.File) {
			all = append(all, p)
		}
	}
	for _, better := range []func(*Playbook) bool{
		func(p *Playbook) bool { return p.File == d.File },
		func(p *Playbook) bool { return strings.TrimSuffix(path.Base(p.File), path.Ext(p.File)) == "playbook" },
		func(*Playbook) bool { return true },
	} {
		some := slices.DeleteFunc(slices.Clone(all), func(p *Playbook) bool { return !better(p) })
		if len(some) == 1 {
			return some[0]
		}
		if len(some) > 1 {
			x.find(d, RulePlaybook, k, "name it: `playbook:`", "the trigger starts the playbook in its folder, and there are %d", len(some))
			return nil
		}
	}
	x.find(d, RulePlaybook, k, "name it: `playbook:`", "the trigger starts the playbook in its folder, and there is none")
	return nil
}

// parameters checks what a trigger gives to its playbook: with what the playbook does not take, no event would start it.
func (x *builder) parameters(d *document.Document, at document.Object, p *Playbook, given map[string]expr.Tree) {
	k, _ := at.Key("parameters")
	if k.Node == nil {
		k, _ = d.Key("parameters")
	}
	where := object(k.Value)
	names := make([]string, len(p.Program.Parameters))
	severity := document.Error
	if d.Dialect == expr.Lenient {
		severity = document.Warning
	}
	find := func(n *yaml.Node, remedy, format string, a ...any) {
		if n == nil {
			n = d.Node
		}
		x.findings = append(x.findings, d.Find(RuleParameter, severity, n, sprintf(format, a...), remedy))
	}
	for i := range p.Program.Parameters {
		q := &p.Program.Parameters[i]
		names[i] = q.Name
		v, ok := given[q.Name]
		switch {
		case !ok && q.Required && p.Program.Dialect == expr.Strict:
			n := k.Node
			if n == nil {
				pk, _ := d.Key("playbook")
				n = pk.Node
			}
			find(n, "give it below `parameters:`", "the playbook `%s` needs the parameter `%s`", p.Name, q.Name)
		case ok && v.Scalar != nil && (v.Scalar.Kind == expr.Literal || v.Scalar.Kind == ""):
			if _, err := contract.ConvertParameter(v.Scalar.Lit, *q); err != nil && v.Scalar.Lit != nil {
				e, _ := where.Key(q.Name)
				find(e.Value, "", "parameter `%s` of `%s` %v", q.Name, p.Name, err)
			}
		}
	}
	for _, e := range where.Keys {
		if _, ok := given[e.Name]; ok && !slices.Contains(names, e.Name) {
			find(e.Node, spelling.Suggest(e.Name, names), "the playbook `%s` has no parameter `%s`", p.Name, e.Name)
		}
	}
}

// object is a mapping of a document that was read already.
func object(n *yaml.Node) document.Object {
	if n == nil {
		return document.Object{}
	}
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	o := document.Object{Node: n}
	if n.Kind != yaml.MappingNode {
		return o
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		v := n.Content[i+1]
		if v.Kind == yaml.AliasNode {
			v = v.Alias
		}
		o.Keys = append(o.Keys, document.Key{Name: n.Content[i].Value, Node: n.Content[i], Value: v})
	}
	return o
}

// inside finds a key below keys of a document, also below `spec`.
func inside(d *document.Document, names ...string) document.Key {
	at, found := d.Object, document.Key{}
	for i, name := range names {
		k, ok := at.Key(name)
		if s, deeper := at.Key("spec"); !ok && deeper && i == 0 {
			o := object(s.Value)
			k, ok = o.Key(name)
		}
		if !ok {
			return found
		}
		found, at = k, object(k.Value)
	}
	return found
}

func checkCalendar(b []byte, zone string) error {
	loc, err := time.LoadLocation(zone)
	if err != nil {
		return err
	}
	_, err = calendar.ParseICS(b, loc)
	return err
}
