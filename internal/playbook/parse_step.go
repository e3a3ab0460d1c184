package playbook

import (
	"path"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/tendhq/tend/internal/expr"
)

var verbKinds = []NodeKind{KindWait, KindApprove, KindAsk, KindManual, KindCall, KindAssert, KindFail}

// IsVerb tells whether a name is one of the language's own.
func IsVerb(name string) bool { return slices.Contains(verbKinds, NodeKind(name)) }

var idPattern = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)

func (r *reader) steps(k Key) []*Step {
	items, _ := r.list(k.Value, "`"+k.Name+"`")
	out := make([]*Step, 0, len(items))
	for _, n := range items {
		if s := r.step(n); s != nil {
			out = append(out, s)
		}
	}
	return out
}

// step reads a step or block.
func (r *reader) step(n *yaml.Node) *Step {
	o, ok := r.object(n, "a step")
	if !ok {
		return nil
	}
	s := &Step{Object: o, Dialect: r.dialect, Kind: KindAction}
	head := r.kindOf(s)
	if head == "" {
		return nil
	}
	for _, k := range r.stepKeysOf(s, head) {
		r.stepKey(s, k)
	}
	r.verb(s)
	return s
}

// stepHeads are the keys of which a step has exactly one.
var stepHeads = []string{"uses", "steps", "foreach", "parallel", "lock"}

// kindOf finds which one of the heads the step has, and gives the key: `name` for a step of the older dialect.
func (r *reader) kindOf(s *Step) string {
	var found []Key
	for _, k := range s.Keys {
		if slices.Contains(stepHeads, k.Name) {
			found = append(found, k)
		}
	}
	name, named := s.Key("name")
	if len(found) == 0 && r.lenient() && named {
		s.Legacy = true
		found = append(found, name)
	}
	if len(found) == 0 {
		remedy := "write `uses:` with the action, or one of steps, foreach, parallel and lock"
		for _, k := range s.Keys {
			if near := Nearest(k.Name, stepHeads); near != "" && near != k.Name {
				remedy = "did you mean `" + near + "` where `" + k.Name + "` stands?"
			}
		}
		if named && !r.lenient() {
			remedy = "write `uses: " + r.str(name) + "`: in tend/v1 `name` is a title"
		}
		r.fail(RuleMissing, s.Node, remedy, "the step does not say what it does")
		return ""
	}
	if len(found) > 1 {
		r.fail(RuleConflict, found[1].Node, "make two steps of it", "a step has one of `uses`, `steps`, `foreach`, `parallel` and `lock`, not both `%s` and `%s`", found[0].Name, found[1].Name)
	}
	h := found[0]
	if h.Name != "uses" && !s.Legacy {
		s.Kind = NodeKind(h.Name)
		return h.Name
	}
	s.Uses, s.UsesNode = r.fixed(h), h.Value
	if s.Uses == "" {
		if h.Value.Kind == yaml.ScalarNode && h.Value.Value == "" {
			r.fail(RuleMissing, h.Value, "", "`%s` is empty", h.Name)
		}
		return ""
	}
	if !s.Legacy && IsVerb(s.Uses) {
		s.Kind = NodeKind(s.Uses)
	}
	return h.Name
}

// stepKeysOf gives the keys that a step with the head can have, after the others were reported: those of the other sort
// of step with a better explanation.
func (r *reader) stepKeysOf(s *Step, head string) []Key {
	table, what := blockKeys, "a `"+head+"` block"
	if s.Uses != "" {
		table, what = actionKeys, "a step"
		if r.lenient() {
			table = legacyStepKeys
		}
	}
	kept := make([]Key, 0, len(s.Keys))
	var rest []Key
	for _, k := range s.Keys {
		switch {
		case slices.Contains(stepHeads, k.Name) && k.Name != head:
			// Reported as a conflict.
		case table.has(k.Name):
			kept = append(kept, k)
		case blockKeys.has(k.Name):
			r.doubt(RuleKey, k.Node, "put the step into a block: `steps: [ … ]` with `"+k.Name+"` beside it", "`%s` belongs to blocks", k.Name)
		case actionKeys.has(k.Name):
			r.doubt(RuleKey, k.Node, "put it on the steps inside", "`%s` belongs to steps with `uses`, not to %s", k.Name, what)
		case legacyKeys.has(k.Name) && !r.lenient():
			r.fail(RuleKey, k.Node, legacyRemedy(k.Name), "`%s` is the older dialect's", k.Name)
		default:
			rest = append(rest, k)
		}
	}
	if len(rest) > 0 {
		other := Object{Node: s.Node, Keys: rest}
		r.known(&other, table, what)
		kept = append(kept, other.Keys...)
	}
	s.Keys = kept
	return kept
}

func legacyRemedy(key string) string {
	if key == "envFrom" {
		return "write `integration: NAME`"
	}
	return "use an input of the action, such as `parse: json`"
}

func (r *reader) stepKey(s *Step, k Key) {
	switch k.Name {
	case "id":
		s.ID = r.id(k)
	case "name":
		if !s.Legacy {
			s.Name = r.str(k)
		}
	case "description":
		s.Description = r.str(k)
	case "when":
		if !r.blank(k) {
			s.When = r.logic(k)
		}
	case "ignoreFailure":
		s.IgnoreFailure = r.boolean(k)
	case "timeout":
		s.Timeout = r.duration(k)
	case "approval":
		s.Approval = r.approval(k)
	case "steps":
		s.Steps = r.block(k)
	case "parallel":
		s.Steps = r.block(k)
	case "foreach":
		r.foreach(s, k)
	case "lock":
		r.lock(s, k)
	case "catch":
		s.Catch = r.steps(k)
	case "finally":
		s.Finally = r.steps(k)
	case "stopWhen":
		s.StopWhen = r.stopWhen(k)
	case "retry":
		s.Retry = r.retry(k)
	case "onDoubt":
		r.onDoubt(s, k)
	case "verify":
		s.Verify = r.check(k, checkKeys, "until")
	case "undo":
		s.Undo = r.undo(k)
	case "artifacts":
		s.Artifacts = r.artifacts(k)
	case "envFrom":
		r.envFrom(s, k)
	case "output_parser":
		r.outputParser(s, k)
	default:
		r.innerKey(s, k)
	}
}

// innerKey reads the keys that a step shares with the actions inside of verify, undo and the like.
func (r *reader) innerKey(s *Step, k Key) {
	switch k.Name {
	case "uses":
		s.Uses, s.UsesNode = r.fixed(k), k.Value
	case "name":
		s.Name = r.str(k)
	case "with":
		s.With = r.dataMap(k)
	case "env":
		s.Env = r.dataMap(k)
	case "args":
		s.Args = r.args(k)
	case "runner":
		s.Runner = r.optional(k)
	case "integration":
		s.Integration = r.optional(k)
	case "target":
		s.Target = r.templates(k)
	case "effect":
		s.Effect = r.effect(k)
	case "irreversible":
		s.Irreversible = r.boolean(k)
	case "timeout":
		s.Timeout = r.duration(k)
	case "retry":
		s.Retry = r.retry(k)
	case "onDoubt":
		r.onDoubt(s, k)
	case "artifacts":
		s.Artifacts = r.artifacts(k)
	}
}

// artifacts reads globs of files below the scratch directory of a step.
func (r *reader) artifacts(k Key) []string {
	return r.texts(k, func(n *yaml.Node, s string) {
		if path.IsAbs(s) || slices.Contains(strings.Split(s, "/"), "..") {
			r.fail(RuleValue, n, `copy the file to "$TEND_WORK" in the script, and write its name here`, "artifacts are files below $TEND_WORK, and %q is not", s)
		}
	})
}

// blank tells a key of the older dialect that is written without a value, which is as if it were not written.
func (r *reader) blank(k Key) bool {
	return r.lenient() && k.Value.Kind == yaml.ScalarNode && strings.TrimSpace(k.Value.Value) == ""
}

// optional reads a text that may be empty.
func (r *reader) optional(k Key) *Scalar {
	if isNull(k.Value) {
		return nil
	}
	return r.text(k)
}

func (r *reader) args(k Key) []Data {
	n := k.Value
	if r.lenient() && n.Kind == yaml.ScalarNode && !isNull(n) {
		return []Data{r.data(n)}
	}
	items, _ := r.list(n, "`args`")
	out := make([]Data, 0, len(items))
	for _, i := range items {
		if d := r.data(i); d.Given() {
			out = append(out, d)
		}
	}
	return out
}

func (r *reader) id(k Key) string {
	s := r.fixed(k)
	if s == "" || r.lenient() || idPattern.MatchString(s) {
		return s
	}
	fixed := strings.Trim(strings.Map(func(c rune) rune {
		switch {
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9':
			return c
		case c >= 'A' && c <= 'Z':
			return c - 'A' + 'a'
		default:
			return '_'
		}
	}, s), "_0123456789")
	remedy := "an id begins with a small letter and has small letters, digits and _"
	if fixed != "" {
		remedy += ": " + fixed
	}
	r.fail(RuleName, k.Value, remedy, "%q cannot be an id", s)
	return ""
}

// block reads the steps that a block is made of: there must be some.
func (r *reader) block(k Key) []*Step {
	steps := r.steps(k)
	if len(steps) == 0 && (k.Value.Kind == yaml.SequenceNode && len(k.Value.Content) == 0 || isNull(k.Value)) {
		r.doubt(RuleMissing, k.Node, "write a step in it, or remove it", "`%s` has no steps", k.Name)
	}
	return steps
}

func (r *reader) foreach(s *Step, k Key) {
	o, ok := r.object(k.Value, "`foreach`")
	if !ok {
		return
	}
	f := &ForeachDecl{}
	r.each(&o, foreachKeys, "`foreach`", func(k Key) {
		switch k.Name {
		case "in":
			r.loopIn(f, k)
		case "range":
			f.Range = r.rangeOf(k)
		case "key":
			f.Key = r.variable(k)
		case "value":
			f.Value = r.variable(k)
		case "when":
			if !r.blank(k) {
				f.When = r.logic(k)
			}
		case "break":
			if !r.blank(k) {
				f.Break = r.logic(k)
			}
		case "parallel":
			f.Parallel = r.count(k, 1, 10_000)
		case "steps":
			s.Steps = r.block(k)
		}
	})
	f.Object = o
	s.Foreach = f
	switch hasIn, hasRange := o.Has("in"), o.Has("range"); {
	case hasIn && hasRange:
		k, _ := o.Key("range")
		r.fail(RuleConflict, k.Node, "keep one of them", "a loop has `in` or `range`, not both")
	case !hasIn && !hasRange:
		r.fail(RuleMissing, o.Node, "write `in:` with a list or map, or `range: [from, to]`", "the loop does not say over what")
	}
	if f.Key != "" && f.Key == f.Value {
		k, _ := o.Key("value")
		r.doubt(RuleName, k.Value, "rename one of them", "key and value of the loop have the same name `%s`", f.Key)
	}
	r.must(&o, "steps", "a loop")
}

// loopIn reads `in`: a list, a map, {range: [a, b]}, a template, or a bare text: CEL, in the older dialect a path.
func (r *reader) loopIn(f *ForeachDecl, k Key) {
	n := k.Value
	if n.Kind == yaml.MappingNode && len(n.Content) == 2 && n.Content[0].Value == "range" && !r.quoteThis(n) {
		f.Range = r.rangeOf(Key{Name: "range", Node: n.Content[0], Value: r.resolve(n.Content[1])})
		return
	}
	plain := expr.Logic
	if r.lenient() {
		plain = expr.Path
	}
	if n.Kind == yaml.ScalarNode && n.Tag != "!!str" {
		r.fail(RuleType, n, "write a list, a map or `range: [from, to]`", "`in` must be a list or map, not %s", shape(n))
		return
	}
	f.In = r.tree(n, plain)
}

func (r *reader) rangeOf(k Key) []*Scalar {
	items, ok := r.list(k.Value, "`range`")
	if !ok {
		return nil
	}
	if len(items) != 2 {
		r.fail(RuleValue, k.Value, "write [from, to]; `to` is not part of it", "`range` has two ends, not %d", len(items))
		return nil
	}
	plain := expr.Logic
	if r.lenient() {
		plain = expr.Literal
	}
	out := make([]*Scalar, 0, 2)
	for _, n := range items {
		s := r.scalar(n, plain, "an end of `range`")
		if s == nil {
			return nil
		}
		if _, whole := s.Lit.(int64); s.Kind == expr.Literal && !whole && !r.lenient() {
			r.fail(RuleType, s.Node, "", "an end of `range` must be a whole number, not %s", shape(s.Node))
		}
		out = append(out, s)
	}
	return out
}

// variable reads the name of a loop variable.
func (r *reader) variable(k Key) string {
	s := r.fixed(k)
	if s == "" || r.lenient() {
		return s
	}
	if !idPattern.MatchString(s) {
		r.fail(RuleName, k.Value, "use small letters, digits and _", "%q cannot be the name of a loop variable", s)
		return ""
	}
	if slices.Contains(roots, s) {
		r.fail(RuleName, k.Value, "choose another name", "`%s` is taken: it is the language's own", s)
		return ""
	}
	return s
}

// roots are the names at the root of the data of tend/v1, which loop variables cannot take.
var roots = []string{"params", "event", "metadata", "run", "steps", "error", "result", "inputs"}

func (r *reader) lock(s *Step, k Key) {
	o, ok := r.object(k.Value, "`lock`")
	if !ok {
		return
	}
	r.each(&o, lockKeys, "`lock`", func(k Key) {
		switch k.Name {
		case "key":
			s.LockKey = r.text(k)
		case "steps":
			s.Steps = r.block(k)
		}
	})
	r.must(&o, "key", "a lock")
	r.must(&o, "steps", "a lock")
}
