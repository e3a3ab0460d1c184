package playbook

import (
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/document"
	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/program"
	"github.com/tendhq/tend/internal/value"
)

// verb reads `with` of a step that uses one of the language's own commands.
func (r *reader) verb(s *Step) {
	if s.Legacy || !IsVerb(s.Uses) {
		return
	}
	what := "`with` of " + s.Uses
	with, ok := s.Key("with")
	o := document.Object{Node: s.Node}
	if ok && !document.IsNull(with.Value) {
		if o, ok = r.Object(with.Value, "`with`"); !ok {
			return
		}
	}
	switch s.Kind {
	case program.KindWait:
		r.wait(s, &o, what)
	case program.KindApprove:
		s.Task = &TaskDecl{ApprovalDecl: r.approvalOf(&o, approvalKeys, what)}
		r.Must(&o, "message", what)
	case program.KindAsk:
		r.ask(s, &o, what)
	case program.KindManual:
		r.manual(s, &o, what)
	case program.KindCall:
		r.call(s, &o, what)
	case program.KindAssert:
		r.Each(&o, assertKeys, what, func(k document.Key) {
			switch k.Name {
			case "that":
				s.That = r.Logic(k)
			case "message":
				s.Message = r.Text(k)
			}
		})
		r.Must(&o, "that", what)
	case program.KindFail:
		r.Each(&o, failKeys, what, func(k document.Key) { s.Message = r.Text(k) })
		r.Must(&o, "message", what)
	default: // not a verb
	}
	r.verbOnly(s)
}

// verbOnly refuses keys of actions on the verbs, where they would silently mean nothing.
func (r *reader) verbOnly(s *Step) {
	for _, k := range s.Keys {
		switch k.Name {
		case "env", "args", "runner", "integration", "target", "effect", "irreversible", "retry", "onDoubt", "verify", "undo", "artifacts":
			if s.Kind == program.KindCall && slices.Contains([]string{"retry", "verify", "undo"}, k.Name) {
				continue
			}
			r.Doubt(document.RuleKey, k.Node, "remove it", "`%s` means nothing for `%s`, which is a command of the run", k.Name, s.Uses)
		}
	}
}

func (r *reader) wait(s *Step, o *document.Object, what string) {
	w := &WaitDecl{}
	var every value.Duration
	var modes []document.Key
	r.Each(o, waitKeys, what, func(k document.Key) {
		switch k.Name {
		case "duration":
			w.Duration = r.waitDuration(k)
		case "at":
			w.At = r.waitAt(k)
		case "until":
			w.Until = r.waitUntil(k)
		case "for":
			w.Event = r.Text(k)
		case "key":
			w.Key = r.Text(k)
		case "within":
			w.Within = r.Duration(k)
		case "every":
			every = r.Duration(k)
		}
		if slices.Contains([]string{"duration", "at", "until", "for"}, k.Name) {
			modes = append(modes, k)
		}
	})
	switch {
	case len(modes) == 0:
		r.Fail(document.RuleMissing, o.Node, "write one of duration, at, until and for", "`wait` does not say for what")
	case len(modes) > 1:
		r.Fail(document.RuleConflict, modes[1].Node, "make two steps of it", "`wait` has one of duration, at, until and for, not both `%s` and `%s`", modes[0].Name, modes[1].Name)
	}
	for _, k := range o.Keys {
		switch {
		case k.Name == "key" && !o.Has("for"),
			k.Name == "within" && !o.Has("for") && !o.Has("until"),
			k.Name == "every" && !o.Has("until"):
			r.Fail(document.RuleConflict, k.Node, "remove it", "`%s` means nothing here", k.Name)
		}
	}
	if w.Until != nil && every != 0 {
		w.Until.Every = every
	}
	s.Wait = w
}

// waitDuration reads a duration that may be rendered. One that is written is checked now.
func (r *reader) waitDuration(k document.Key) *document.Scalar {
	s := r.Text(k)
	if s == nil || s.Kind != expr.Literal {
		return s
	}
	text, ok := s.Lit.(string)
	if !ok {
		text = s.Node.Value
	}
	if _, err := value.ParseDuration(text); err != nil {
		r.Fail(document.RuleValue, s.Node, "", "`duration`: %v", err)
	}
	return s
}

// waitAt reads a point in time that may be rendered. One that is written is checked now.
func (r *reader) waitAt(k document.Key) *document.Scalar {
	s := r.Text(k)
	if s == nil || s.Kind != expr.Literal {
		return s
	}
	if _, err := time.Parse(time.RFC3339, strings.TrimSpace(s.Node.Value)); err != nil {
		r.Fail(document.RuleValue, s.Node, "write it like 2026-01-31T09:00:00Z, or give a `duration`", "`at`: %q is not a point in time", s.Node.Value)
	}
	return s
}

func (r *reader) waitUntil(k document.Key) *CheckDecl {
	if k.Value.Kind != yaml.ScalarNode {
		return r.check(k, checkKeys, "until")
	}
	l := r.Logic(k)
	if l == nil {
		return nil
	}
	return &CheckDecl{Until: l}
}

func (r *reader) ask(s *Step, o *document.Object, what string) {
	t := &TaskDecl{}
	t.Count = 1
	var title *document.Scalar
	r.Each(o, askKeys, what, func(k document.Key) {
		switch k.Name {
		case "title":
			title = r.Text(k)
		case "form":
			t.Form = r.form(k)
		case "choices":
			t.Choices = r.Data(k.Value)
		case "selector":
			if t.Selector = r.Fixed(k); t.Selector != "single" && t.Selector != "multi" {
				r.Fail(document.RuleValue, k.Value, "write single or multi", "`selector` cannot be %q", t.Selector)
			}
		case "default":
			t.Default = r.Text(k)
		case "assignee":
			t.Assignee = r.Text(k)
		case "links":
			t.Links = r.taskLinks(k)
		default:
			r.approvalKey(&t.ApprovalDecl, k)
		}
	})
	t.Object = *o
	r.timely(&t.ApprovalDecl)
	if title != nil && t.Message != nil {
		t.Message = &document.Scalar{Node: t.Message.Node, Expr: *expr.Joined(&title.Expr, &t.Message.Expr)}
	}
	r.Must(o, "message", what)
	form, hasForm := o.Key("form")
	switch hasChoices := o.Has("choices"); {
	case hasForm && hasChoices:
		r.Fail(document.RuleConflict, form.Node, "keep one of them", "`ask` has a `form` or `choices`, not both")
	case !hasForm && !hasChoices:
		r.Must(o, "form", what)
	}
	if t.Choices.Given() && t.Selector == "" {
		t.Selector = "single"
	}
	s.Task = t
}

func (r *reader) manual(s *Step, o *document.Object, what string) {
	t := &TaskDecl{}
	t.Count = 1
	r.Each(o, manualKeys, what, func(k document.Key) {
		switch k.Name {
		case "title":
			t.Message = r.Text(k)
		case "instructions":
			t.Instructions = r.Text(k)
		case "assignee":
			t.Assignee = r.Text(k)
		case "links":
			t.Links = r.taskLinks(k)
		default:
			r.approvalKey(&t.ApprovalDecl, k)
		}
	})
	t.Object = *o
	r.timely(&t.ApprovalDecl)
	if !o.Has("instructions") {
		r.Must(o, "title", what)
	}
	s.Task = t
}

// form reads the fields of an answer.
func (r *reader) form(k document.Key) []contract.Field {
	out := []contract.Field{}
	seen := map[string]bool{}
	for o := range r.Items(k, "a field") {
		f := contract.Field{Type: contract.String}
		r.Each(o, fieldKeys, "a field", func(k document.Key) {
			switch k.Name {
			case "name":
				if f.Name = r.Fixed(k); f.Name != "" && !parameterName.MatchString(f.Name) {
					r.Fail(document.RuleName, k.Value, "use letters, digits and _", "%q cannot be the name of a field", f.Name)
				}
			case "type":
				f.Type = r.fieldType(k)
			case "description":
				f.Description = r.Str(k)
			case "required":
				f.Required = r.Bool(k)
			case "enum":
				f.Enum = r.Values(k)
			case "default":
				f.Default = r.Plain(k.Value)
			case "sensitive":
				f.Sensitive = r.Bool(k)
			}
		})
		if !r.Must(o, "name", "a field") {
			continue
		}
		if seen[f.Name] {
			r.Fail(document.RuleTwice, o.Node, "rename one of them", "a field called `%s` is declared already", f.Name)
			continue
		}
		seen[f.Name] = true
		if d, ok := o.Key("default"); ok && f.Default != nil {
			v, err := contract.Convert(f.Default, f)
			if err != nil {
				r.Fail(document.RuleValue, d.Value, "", "the default of field `%s` %v", f.Name, err)
			}
			f.Default = v
		}
		out = append(out, f)
	}
	return out
}

func (r *reader) fieldType(k document.Key) contract.Type {
	t := r.typ(k, true)
	if t == contract.Any || t == "" {
		return contract.String
	}
	return t
}

func (r *reader) call(s *Step, o *document.Object, what string) {
	c := &CallDecl{}
	r.Each(o, callKeys, what, func(k document.Key) {
		switch k.Name {
		case "name", "path":
			if c.Playbook != "" {
				r.Fail(document.RuleConflict, k.Node, "keep one of them", "a sub-playbook is found by `name` or by `path`, not both")
				return
			}
			c.Playbook, c.Node = r.Fixed(k), k.Value
			if k.Name == "path" && c.Playbook != "" && !document.IsPath(c.Playbook) {
				c.Playbook = "./" + c.Playbook
			}
		case "params":
			c.Params = r.Map(k)
		}
	})
	if c.Playbook == "" && !o.Has("path") {
		r.Must(o, "name", what)
	}
	s.Call = c
}
