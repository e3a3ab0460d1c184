package playbook

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/tendhq/tend/internal/document"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/program"
	"github.com/tendhq/tend/internal/spelling"
	"github.com/tendhq/tend/internal/value"
)

// What stands around an action: checks, undo, retry, doubt, approval; and the one action of a module.

func (r *reader) stopWhen(k document.Key) *CheckDecl {
	if k.Value.Kind == yaml.ScalarNode {
		c := &CheckDecl{Until: r.Logic(k)}
		if c.Until == nil {
			return nil
		}
		return c
	}
	return r.check(k, stopKeys, "if")
}

// check reads an action with a condition over its result, or a condition alone.
func (r *reader) check(k document.Key, table document.Table, condition string) *CheckDecl {
	what := "`" + k.Name + "`"
	o, ok := r.Object(k.Value, what)
	if !ok {
		return nil
	}
	c := &CheckDecl{}
	s := &Step{Object: o, Dialect: r.Dialect(), Kind: program.KindAction}
	r.Each(&o, table, what, func(k document.Key) {
		switch k.Name {
		case condition:
			c.Until = r.Logic(k)
		case "within":
			c.Within = r.Duration(k)
		case "every":
			c.Every = r.Duration(k)
		default:
			r.innerKey(s, k)
		}
	})
	c.Object, s.Object = o, o
	r.Must(&o, condition, what)
	if o.Has("uses") {
		c.Step = s
		r.innerVerb(s, what)
		return c
	}
	for _, k := range o.Keys {
		switch k.Name {
		case condition, "within", "every", "name":
		default:
			r.Fail(document.RuleMissing, k.Node, "write `uses:` with the action", "`%s` without `uses` means nothing", k.Name)
		}
	}
	return c
}

// innerVerb refuses the language's own commands where only an action can stand.
func (r *reader) innerVerb(s *Step, what string) {
	if IsVerb(s.Uses) && !s.Legacy {
		r.Fail(document.RuleValue, s.UsesNode, "use an action or a module of one action", "%s cannot use `%s`", what, s.Uses)
	}
}

func (r *reader) undo(k document.Key) *UndoDecl {
	o, ok := r.Object(k.Value, "`undo`")
	if !ok {
		return nil
	}
	u := &UndoDecl{}
	s := &Step{Object: o, Dialect: r.Dialect(), Kind: program.KindAction}
	r.Each(&o, undoKeys, "`undo`", func(k document.Key) {
		if k.Name == "none" {
			if u.None = r.Fixed(k); strings.TrimSpace(u.None) == "" {
				r.Fail(document.RuleValue, k.Value, "write the reason", "`none` says why there is nothing to restore")
			}
			return
		}
		r.innerKey(s, k)
	})
	u.Object, s.Object = o, o
	uses, hasUses := o.Key("uses")
	switch none := o.Has("none"); {
	case none && hasUses:
		r.Fail(document.RuleConflict, uses.Node, "keep one of them", "`undo` has an action or `none` with a reason, not both")
	case hasUses:
		u.Step = s
		r.innerVerb(s, "`undo`")
	case !none:
		r.Fail(document.RuleMissing, o.Node, "write `uses:` with the action, or `none:` with the reason", "`undo` does not say how")
	}
	return u
}

func (r *reader) retry(k document.Key) *program.Retry {
	t := &program.Retry{}
	if k.Value.Kind == yaml.ScalarNode && k.Value.Tag == "!!int" {
		t.Attempts = r.Count(k, 1, 1000)
		return t
	}
	o, ok := r.Fields(k, retryKeys, func(k document.Key) {
		switch k.Name {
		case "attempts":
			t.Attempts = r.Count(k, 1, 1000)
		case "backoff":
			t.Backoff = r.Duration(k)
		case "factor":
			if t.Factor = r.Number(k); t.Factor != 0 && (t.Factor < 1 || t.Factor > 100) {
				r.Fail(document.RuleValue, k.Value, "", "`factor` must be from 1 to 100")
			}
		case "exponential":
			if r.Bool(k) && t.Factor == 0 {
				t.Factor = 2
			}
		case "cap":
			t.Cap = r.Duration(k)
		case "jitter":
			if t.Jitter = r.Number(k); t.Jitter < 0 || t.Jitter > 1 {
				r.Fail(document.RuleValue, k.Value, "0.2 spreads each pause by a fifth", "`jitter` must be from 0 to 1")
			}
		case "on":
			t.On = r.kinds(k)
		}
	})
	if !ok {
		return nil
	}
	if f, ok := o.Key("factor"); ok && o.Has("exponential") {
		r.Fail(document.RuleConflict, f.Node, "keep one of them", "`exponential` is a factor of 2: `factor` beside it means nothing")
	}
	r.Must(&o, "attempts", "`retry`")
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

func (r *reader) kinds(k document.Key) []string {
	return r.Texts(k, func(n *yaml.Node, s string) {
		if !slices.Contains(faultKinds, s) {
			r.Fail(document.RuleValue, n, spelling.Suggest(s, faultKinds), "there is no kind of fault called %q", s)
		}
	})
}

func (r *reader) onDoubt(s *Step, k document.Key) {
	if k.Value.Kind == yaml.ScalarNode {
		switch v := r.Fixed(k); v {
		case "retry", "ask", "fail":
			s.OnDoubt = v
		case "probe":
			r.Fail(document.RuleValue, k.Value, "write onDoubt: {probe: {uses: …, until: …}}", "`probe` needs the step that finds out")
		case "":
		default:
			r.Fail(document.RuleValue, k.Value, "write retry, ask, fail, or a probe", "`onDoubt` cannot be %q", v)
		}
		return
	}
	o, ok := r.Fields(k, doubtKeys, func(k document.Key) {
		s.OnDoubt = "probe"
		if s.Probe = r.check(k, checkKeys, "until"); s.Probe != nil && s.Probe.Step == nil {
			r.Fail(document.RuleMissing, k.Value, "write `uses:` with the action that finds out", "a probe needs a step")
		}
	})
	if !ok {
		return
	}
	if s.OnDoubt == "" {
		r.Must(&o, "probe", "`onDoubt`")
	}
}

func (r *reader) approval(k document.Key) *ApprovalDecl {
	n := k.Value
	if n.Kind == yaml.ScalarNode {
		if n.Tag == "!!bool" {
			if r.Bool(k) {
				return &ApprovalDecl{Count: 1}
			}
			return nil
		}
		return &ApprovalDecl{Message: r.Text(k), Count: 1}
	}
	o, ok := r.Object(n, "`approval`")
	if !ok {
		return nil
	}
	a := r.approvalOf(&o, approvalKeys, "`approval`")
	return &a
}

// approvalOf reads the keys that an approval and the verb approve share.
func (r *reader) approvalOf(o *document.Object, table document.Table, what string) ApprovalDecl {
	a := ApprovalDecl{Count: 1}
	r.Each(o, table, what, func(k document.Key) { r.approvalKey(&a, k) })
	a.Object = *o
	r.timely(&a)
	return a
}

// timely checks that an escalation comes before nobody is asked any more.
func (r *reader) timely(a *ApprovalDecl) {
	k, ok := a.Key("escalate")
	if !ok || len(a.Escalate) == 0 {
		return
	}
	within := a.Within
	if within <= 0 {
		within = value.Duration(program.UsualWithin)
	}
	last := value.Duration(0)
	for _, e := range a.Escalate {
		switch {
		case e.After <= last:
			r.Fail(document.RuleValue, k.Value, "write them in the order of time", "the escalation after %s does not come after the one before it", e.After)
		case e.After >= within:
			r.Fail(document.RuleValue, k.Value, "make it shorter, or `within` longer", "the escalation after %s comes when nobody is asked any more: after %s no answer is no", e.After, within)
		}
		last = e.After
	}
}

func (r *reader) escalations(k document.Key) []program.Escalation {
	var out []program.Escalation
	for o := range r.Items(k, "an escalation") {
		var e program.Escalation
		r.Each(o, escalationKeys, "an escalation", func(k document.Key) {
			switch k.Name {
			case "after":
				e.After = r.Duration(k)
			case "to":
				e.To = r.Texts(k)
			}
		})
		if k, ok := o.Key("to"); ok && len(e.To) == 0 {
			r.Fail(document.RuleValue, k.Value, "name a person, a group or a duty: [oncall/database]", "an escalation asks nobody")
		}
		if after, to := r.Must(o, "after", "an escalation"), r.Must(o, "to", "an escalation"); after && to && e.After > 0 && len(e.To) > 0 {
			out = append(out, e)
		}
	}
	return out
}

// taskLinks reads the links beside what a person is asked.
func (r *reader) taskLinks(k document.Key) []LinkDecl {
	var out []LinkDecl
	for o := range r.Items(k, "a link") {
		var l LinkDecl
		r.Each(o, taskLinkKeys, "a link", func(k document.Key) {
			switch k.Name {
			case "name":
				l.Name = r.Str(k)
			case "url":
				l.URL = r.Text(k)
			}
		})
		if r.Must(o, "url", "a link") && l.URL != nil {
			out = append(out, l)
		}
	}
	return out
}

func (r *reader) approvalKey(a *ApprovalDecl, k document.Key) {
	switch k.Name {
	case "message":
		a.Message = r.Text(k)
	case "from":
		a.From = r.Texts(k)
	case "count":
		a.Count = r.Count(k, 1, 100)
	case "notRequester":
		a.NotRequester = r.Bool(k)
	case "notAuthor":
		a.NotAuthor = r.Bool(k)
	case "within":
		a.Within = r.Duration(k)
	case "escalate":
		a.Escalate = r.escalations(k)
	}
}

// body reads a module's `run`: {uses, with, …}, or {shell: {…}} where the one key that is not a step's names the action.
func (r *reader) body(k document.Key) *Step {
	o, ok := r.Object(k.Value, "`run`")
	if !ok {
		return nil
	}
	s := &Step{Dialect: r.Dialect(), Kind: program.KindAction}
	if !o.Has("uses") {
		var named []document.Key
		rest := make([]document.Key, 0, len(o.Keys))
		for _, k := range o.Keys {
			if bodyKeys.Has(k.Name) && k.Name != "with" {
				rest = append(rest, k)
				continue
			}
			named = append(named, k)
		}
		if len(named) != 1 || named[0].Name == "with" {
			r.Fail(document.RuleMissing, o.Node, "write `run: {shell: {script: …}}`, or `run: {uses: …, with: …}`", "`run` does not say which one action it is")
			return nil
		}
		s.Uses, s.UsesNode = named[0].Name, r.Resolve(named[0].Node)
		s.With = r.Map(named[0])
		for _, k := range rest {
			r.innerKey(s, k)
		}
		s.Object = document.Object{Node: o.Node, Keys: append(rest, document.Key{Name: "with", Node: named[0].Node, Value: named[0].Value})}
	} else {
		r.Each(&o, bodyKeys, "`run`", func(k document.Key) { r.innerKey(s, k) })
		s.Object = o
	}
	if s.Uses == "" {
		return nil
	}
	r.innerVerb(s, "the body of a step module")
	return s
}
