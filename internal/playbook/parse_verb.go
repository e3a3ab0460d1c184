package playbook

import (
	"slices"

	"go.yaml.in/yaml/v4"

	"github.com/tendhq/tend/internal/expr"
)

// verb reads `with` of a step that uses one of the language's own commands.
func (r *reader) verb(s *Step) {
	if s.Legacy || !IsVerb(s.Uses) {
		return
	}
	what := "`with` of " + s.Uses
	with, ok := s.Key("with")
	o := Object{Node: s.Node}
	if ok && !isNull(with.Value) {
		if o, ok = r.object(with.Value, "`with`"); !ok {
			return
		}
	}
	switch s.Kind {
	case KindWait:
		r.wait(s, &o, what)
	case KindApprove:
		s.Task = &TaskDecl{ApprovalDecl: r.approvalOf(&o, approvalKeys, what)}
		r.must(&o, "message", what)
	case KindAsk:
		r.ask(s, &o, what)
	case KindManual:
		r.manual(s, &o, what)
	case KindCall:
		r.call(s, &o, what)
	case KindAssert:
		r.each(&o, assertKeys, what, func(k Key) {
			switch k.Name {
			case "that":
				s.That = r.logic(k)
			case "message":
				s.Message = r.text(k)
			}
		})
		r.must(&o, "that", what)
	case KindFail:
		r.each(&o, failKeys, what, func(k Key) { s.Message = r.text(k) })
		r.must(&o, "message", what)
	default: // not a verb
	}
	r.verbOnly(s)
}

// verbOnly refuses keys of actions on the verbs, where they would silently mean nothing.
func (r *reader) verbOnly(s *Step) {
	for _, k := range s.Keys {
		switch k.Name {
		case "env", "args", "runner", "integration", "target", "effect", "irreversible", "retry", "onDoubt", "verify", "undo", "artifacts":
			if s.Kind == KindCall && slices.Contains([]string{"retry", "verify", "undo"}, k.Name) {
				continue
			}
			r.doubt(RuleKey, k.Node, "remove it", "`%s` means nothing for `%s`, which is a command of the run", k.Name, s.Uses)
		}
	}
}

func (r *reader) wait(s *Step, o *Object, what string) {
	w := &WaitDecl{}
	var every Duration
	var modes []Key
	r.each(o, waitKeys, what, func(k Key) {
		switch k.Name {
		case "duration":
			w.Duration = r.waitDuration(k)
		case "at":
			w.At = r.text(k)
		case "until":
			w.Until = r.waitUntil(k)
		case "for":
			w.Event = r.text(k)
		case "key":
			w.Key = r.text(k)
		case "within":
			w.Within = r.duration(k)
		case "every":
			every = r.duration(k)
		}
		if slices.Contains([]string{"duration", "at", "until", "for"}, k.Name) {
			modes = append(modes, k)
		}
	})
	switch {
	case len(modes) == 0:
		r.fail(RuleMissing, o.Node, "write one of duration, at, until and for", "`wait` does not say for what")
	case len(modes) > 1:
		r.fail(RuleConflict, modes[1].Node, "make two steps of it", "`wait` has one of duration, at, until and for, not both `%s` and `%s`", modes[0].Name, modes[1].Name)
	}
	for _, k := range o.Keys {
		switch {
		case k.Name == "key" && !o.Has("for"),
			k.Name == "within" && !o.Has("for") && !o.Has("until"),
			k.Name == "every" && !o.Has("until"):
			r.fail(RuleConflict, k.Node, "remove it", "`%s` means nothing here", k.Name)
		}
	}
	if w.Until != nil && every != 0 {
		w.Until.Every = every
	}
	s.Wait = w
}

// waitDuration reads a duration that may be rendered. One that is written is checked now.
func (r *reader) waitDuration(k Key) *Scalar {
	s := r.text(k)
	if s == nil || s.Kind != expr.Literal {
		return s
	}
	text, ok := s.Lit.(string)
	if !ok {
		text = s.Node.Value
	}
	if _, err := ParseDuration(text); err != nil {
		r.fail(RuleValue, s.Node, "", "`duration`: %v", err)
	}
	return s
}

func (r *reader) waitUntil(k Key) *CheckDecl {
	if k.Value.Kind != yaml.ScalarNode {
		return r.check(k, checkKeys, "until")
	}
	l := r.logic(k)
	if l == nil {
		return nil
	}
	return &CheckDecl{Until: l}
}

func (r *reader) ask(s *Step, o *Object, what string) {
	t := &TaskDecl{}
	t.Count = 1
	var title *Scalar
	r.each(o, askKeys, what, func(k Key) {
		switch k.Name {
		case "title":
			title = r.text(k)
		case "form":
			t.Form = r.form(k)
		case "choices":
			t.Choices = r.data(k.Value)
		case "selector":
			if t.Selector = r.fixed(k); t.Selector != "single" && t.Selector != "multi" {
				r.fail(RuleValue, k.Value, "write single or multi", "`selector` cannot be %q", t.Selector)
			}
		case "default":
			t.Default = r.text(k)
		default:
			r.approvalKey(&t.ApprovalDecl, k)
		}
	})
	if title != nil && t.Message != nil {
		t.Message = &Scalar{Node: t.Message.Node, Expr: *joined(&title.Expr, &t.Message.Expr)}
	}
	t.Object = *o
	r.must(o, "message", what)
	form, hasForm := o.Key("form")
	switch hasChoices := o.Has("choices"); {
	case hasForm && hasChoices:
		r.fail(RuleConflict, form.Node, "keep one of them", "`ask` has a `form` or `choices`, not both")
	case !hasForm && !hasChoices:
		r.must(o, "form", what)
	}
	if t.Choices.Given() && t.Selector == "" {
		t.Selector = "single"
	}
	s.Task = t
}

func (r *reader) manual(s *Step, o *Object, what string) {
	t := &TaskDecl{}
	t.Count = 1
	r.each(o, manualKeys, what, func(k Key) {
		switch k.Name {
		case "title":
			t.Message = r.text(k)
		case "instructions":
			t.Instructions = r.text(k)
		default:
			r.approvalKey(&t.ApprovalDecl, k)
		}
	})
	t.Object = *o
	if !o.Has("instructions") {
		r.must(o, "title", what)
	}
	s.Task = t
}

// form reads the fields of an answer.
func (r *reader) form(k Key) []Field {
	items, _ := r.list(k.Value, "`form`")
	out := make([]Field, 0, len(items))
	seen := map[string]bool{}
	for _, n := range items {
		o, ok := r.object(n, "a field")
		if !ok {
			continue
		}
		f := Field{Type: String}
		r.each(&o, fieldKeys, "a field", func(k Key) {
			switch k.Name {
			case "name":
				if f.Name = r.fixed(k); f.Name != "" && !parameterName.MatchString(f.Name) {
					r.fail(RuleName, k.Value, "use letters, digits and _", "%q cannot be the name of a field", f.Name)
				}
			case "type":
				f.Type = r.fieldType(k)
			case "description":
				f.Description = r.str(k)
			case "required":
				f.Required = r.boolean(k)
			case "enum":
				f.Enum = r.values(k)
			case "default":
				f.Default = r.plain(k.Value)
			case "sensitive":
				f.Sensitive = r.boolean(k)
			}
		})
		if !r.must(&o, "name", "a field") {
			continue
		}
		if seen[f.Name] {
			r.fail(RuleTwice, o.Node, "rename one of them", "a field called `%s` is declared already", f.Name)
			continue
		}
		seen[f.Name] = true
		if d, ok := o.Key("default"); ok && f.Default != nil {
			v, err := Convert(f.Default, f)
			if err != nil {
				r.fail(RuleValue, d.Value, "", "the default of field `%s` %v", f.Name, err)
			}
			f.Default = v
		}
		out = append(out, f)
	}
	return out
}

func (r *reader) fieldType(k Key) Type {
	t := r.typ(k, true)
	if t == Any || t == "" {
		return String
	}
	return t
}

func (r *reader) call(s *Step, o *Object, what string) {
	c := &CallDecl{}
	r.each(o, callKeys, what, func(k Key) {
		switch k.Name {
		case "name", "path":
			if c.Playbook != "" {
				r.fail(RuleConflict, k.Node, "keep one of them", "a sub-playbook is found by `name` or by `path`, not both")
				return
			}
			c.Playbook, c.Node = r.fixed(k), k.Value
			if k.Name == "path" && c.Playbook != "" && !isPath(c.Playbook) {
				c.Playbook = "./" + c.Playbook
			}
		case "params":
			c.Params = r.dataMap(k)
		}
	})
	if c.Playbook == "" && !o.Has("path") {
		r.must(o, "name", what)
	}
	s.Call = c
}
