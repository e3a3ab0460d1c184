package playbook

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/tendhq/tend/internal/fault"
)

// What stands around an action: checks, undo, retry, doubt, approval; and the one action of a module.

func (r *reader) stopWhen(k Key) *CheckDecl {
	if k.Value.Kind == yaml.ScalarNode {
		c := &CheckDecl{Until: r.logic(k)}
		if c.Until == nil {
			return nil
		}
		return c
	}
	return r.check(k, stopKeys, "if")
}

// check reads an action with a condition over its result, or a condition alone.
func (r *reader) check(k Key, table Table, condition string) *CheckDecl {
	what := "`" + k.Name + "`"
	o, ok := r.object(k.Value, what)
	if !ok {
		return nil
	}
	c := &CheckDecl{}
	s := &Step{Object: o, Dialect: r.dialect, Kind: KindAction}
	r.each(&o, table, what, func(k Key) {
		switch k.Name {
		case condition:
			c.Until = r.logic(k)
		case "within":
			c.Within = r.duration(k)
		case "every":
			c.Every = r.duration(k)
		default:
			r.innerKey(s, k)
		}
	})
	c.Object, s.Object = o, o
	r.must(&o, condition, what)
	if o.Has("uses") {
		c.Step = s
		r.innerVerb(s, what)
		return c
	}
	for _, k := range o.Keys {
		switch k.Name {
		case condition, "within", "every", "name":
		default:
			r.fail(RuleMissing, k.Node, "write `uses:` with the action", "`%s` without `uses` means nothing", k.Name)
		}
	}
	return c
}

// innerVerb refuses the language's own commands where only an action can stand.
func (r *reader) innerVerb(s *Step, what string) {
	if IsVerb(s.Uses) && !s.Legacy {
		r.fail(RuleValue, s.UsesNode, "use an action or a module of one action", "%s cannot use `%s`", what, s.Uses)
	}
}

func (r *reader) undo(k Key) *UndoDecl {
	o, ok := r.object(k.Value, "`undo`")
	if !ok {
		return nil
	}
	u := &UndoDecl{}
	s := &Step{Object: o, Dialect: r.dialect, Kind: KindAction}
	r.each(&o, undoKeys, "`undo`", func(k Key) {
		if k.Name == "none" {
			if u.None = r.fixed(k); strings.TrimSpace(u.None) == "" {
				r.fail(RuleValue, k.Value, "write the reason", "`none` says why there is nothing to restore")
			}
			return
		}
		r.innerKey(s, k)
	})
	u.Object, s.Object = o, o
	uses, hasUses := o.Key("uses")
	switch none := o.Has("none"); {
	case none && hasUses:
		r.fail(RuleConflict, uses.Node, "keep one of them", "`undo` has an action or `none` with a reason, not both")
	case hasUses:
		u.Step = s
		r.innerVerb(s, "`undo`")
	case !none:
		r.fail(RuleMissing, o.Node, "write `uses:` with the action, or `none:` with the reason", "`undo` does not say how")
	}
	return u
}

func (r *reader) retry(k Key) *Retry {
	t := &Retry{}
	if k.Value.Kind == yaml.ScalarNode && k.Value.Tag == "!!int" {
		t.Attempts = r.count(k, 1, 1000)
		return t
	}
	o, ok := r.object(k.Value, "`retry`")
	if !ok {
		return nil
	}
	r.each(&o, retryKeys, "`retry`", func(k Key) {
		switch k.Name {
		case "attempts":
			t.Attempts = r.count(k, 1, 1000)
		case "backoff":
			t.Backoff = r.duration(k)
		case "factor":
			if t.Factor = r.number(k); t.Factor != 0 && (t.Factor < 1 || t.Factor > 100) {
				r.fail(RuleValue, k.Value, "", "`factor` must be from 1 to 100")
			}
		case "exponential":
			if r.boolean(k) && t.Factor == 0 {
				t.Factor = 2
			}
		case "cap":
			t.Cap = r.duration(k)
		case "jitter":
			if t.Jitter = r.number(k); t.Jitter < 0 || t.Jitter > 1 {
				r.fail(RuleValue, k.Value, "0.2 spreads each pause by a fifth", "`jitter` must be from 0 to 1")
			}
		case "on":
			t.On = r.kinds(k)
		}
	})
	if f, ok := o.Key("factor"); ok && o.Has("exponential") {
		r.fail(RuleConflict, f.Node, "keep one of them", "`exponential` is a factor of 2: `factor` beside it means nothing")
	}
	r.must(&o, "attempts", "`retry`")
	return t
}

// faultKinds are the kinds that an attempt can end with.
var faultKinds = []string{
	string(fault.Timeout), string(fault.Unreachable), string(fault.TLS), string(fault.Auth), string(fault.Exit),
	string(fault.Killed), string(fault.Status), string(fault.RateLimited), string(fault.Parse), string(fault.Missing),
	string(fault.Verify), string(fault.Assert), string(fault.Fail), string(fault.Expr), string(fault.Guarded),
	string(fault.Lost), string(fault.Limit), string(fault.Query), string(fault.Unavailable), string(fault.Invalid),
	string(fault.NotFound), string(fault.Conflict), string(fault.Refused), string(fault.Internal),
}

func (r *reader) kinds(k Key) []string {
	return r.texts(k, func(n *yaml.Node, s string) {
		if !slices.Contains(faultKinds, s) {
			r.fail(RuleValue, n, didYouMean(s, faultKinds), "there is no kind of fault called %q", s)
		}
	})
}

func (r *reader) onDoubt(s *Step, k Key) {
	if k.Value.Kind == yaml.ScalarNode {
		switch v := r.fixed(k); v {
		case "retry", "ask", "fail":
			s.OnDoubt = v
		case "probe":
			r.fail(RuleValue, k.Value, "write onDoubt: {probe: {uses: …, until: …}}", "`probe` needs the step that finds out")
		case "":
		default:
			r.fail(RuleValue, k.Value, "write retry, ask, fail, or a probe", "`onDoubt` cannot be %q", v)
		}
		return
	}
	o, ok := r.object(k.Value, "`onDoubt`")
	if !ok {
		return
	}
	r.each(&o, doubtKeys, "`onDoubt`", func(k Key) {
		s.OnDoubt = "probe"
		if s.Probe = r.check(k, checkKeys, "until"); s.Probe != nil && s.Probe.Step == nil {
			r.fail(RuleMissing, k.Value, "write `uses:` with the action that finds out", "a probe needs a step")
		}
	})
	if s.OnDoubt == "" {
		r.must(&o, "probe", "`onDoubt`")
	}
}

func (r *reader) approval(k Key) *ApprovalDecl {
	n := k.Value
	if n.Kind == yaml.ScalarNode {
		if n.Tag == "!!bool" {
			if r.boolean(k) {
				return &ApprovalDecl{Count: 1}
			}
			return nil
		}
		return &ApprovalDecl{Message: r.text(k), Count: 1}
	}
	o, ok := r.object(n, "`approval`")
	if !ok {
		return nil
	}
	a := r.approvalOf(&o, approvalKeys, "`approval`")
	return &a
}

// approvalOf reads the keys that an approval and the verb approve share.
func (r *reader) approvalOf(o *Object, table Table, what string) ApprovalDecl {
	a := ApprovalDecl{Count: 1}
	r.each(o, table, what, func(k Key) { r.approvalKey(&a, k) })
	a.Object = *o
	return a
}

func (r *reader) approvalKey(a *ApprovalDecl, k Key) {
	switch k.Name {
	case "message":
		a.Message = r.text(k)
	case "from":
		a.From = r.texts(k)
	case "count":
		a.Count = r.count(k, 1, 100)
	case "notRequester":
		a.NotRequester = r.boolean(k)
	case "within":
		a.Within = r.duration(k)
	}
}

// body reads a module's `run`: {uses, with, …}, or {shell: {…}} where the one key that is not a step's names the action.
func (r *reader) body(k Key) *Step {
	o, ok := r.object(k.Value, "`run`")
	if !ok {
		return nil
	}
	s := &Step{Dialect: r.dialect, Kind: KindAction}
	if !o.Has("uses") {
		var named []Key
		rest := make([]Key, 0, len(o.Keys))
		for _, k := range o.Keys {
			if bodyKeys.has(k.Name) && k.Name != "with" {
				rest = append(rest, k)
				continue
			}
			named = append(named, k)
		}
		if len(named) != 1 || named[0].Name == "with" {
			r.fail(RuleMissing, o.Node, "write `run: {shell: {script: …}}`, or `run: {uses: …, with: …}`", "`run` does not say which one action it is")
			return nil
		}
		s.Uses, s.UsesNode = named[0].Name, r.resolve(named[0].Node)
		s.With = r.dataMap(named[0])
		for _, k := range rest {
			r.innerKey(s, k)
		}
		s.Object = Object{Node: o.Node, Keys: append(rest, Key{Name: "with", Node: named[0].Node, Value: named[0].Value})}
	} else {
		r.each(&o, bodyKeys, "`run`", func(k Key) { r.innerKey(s, k) })
		s.Object = o
	}
	if s.Uses == "" {
		return nil
	}
	r.innerVerb(s, "the body of a step module")
	return s
}
