package playbook

import (
	"path"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/tendhq/tend/internal/document"
	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/program"
	"github.com/tendhq/tend/internal/spelling"
)

var verbKinds = []program.Kind{program.KindWait, program.KindApprove, program.KindAsk, program.KindManual, program.KindCall, program.KindAssert, program.KindFail}

// IsVerb tells whether a name is one of the language's own.
func IsVerb(name string) bool { return slices.Contains(verbKinds, program.Kind(name)) }

var idPattern = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)

func (r *reader) steps(k document.Key) []*Step {
	items, _ := r.List(k.Value, "`"+k.Name+"`")
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
	o, ok := r.Object(n, "a step")
	if !ok {
		return nil
	}
	s := &Step{Object: o, Dialect: r.Dialect(), Kind: program.KindAction}
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
	var found []document.Key
	for _, k := range s.Keys {
		if slices.Contains(stepHeads, k.Name) {
			found = append(found, k)
		}
	}
	name, named := s.Key("name")
	if len(found) == 0 && r.Lenient() && named {
		s.Legacy = true
		found = append(found, name)
	}
	if len(found) == 0 {
		r.headless(s)
		return ""
	}
	if len(found) > 1 {
		r.Fail(document.RuleConflict, found[1].Node, "make two steps of it", "a step has one of `uses`, `steps`, `foreach`, `parallel` and `lock`, not both `%s` and `%s`", found[0].Name, found[1].Name)
	}
	h := found[0]
	if h.Name != "uses" && !s.Legacy {
		s.Kind = program.Kind(h.Name)
		return h.Name
	}
	s.Uses, s.UsesNode = r.Fixed(h), h.Value
	if s.Uses == "" {
		if h.Value.Kind == yaml.ScalarNode && h.Value.Value == "" {
			r.Fail(document.RuleMissing, h.Value, "", "`%s` is empty", h.Name)
		}
		return ""
	}
	if !s.Legacy && IsVerb(s.Uses) {
		s.Kind = program.Kind(s.Uses)
	}
	return h.Name
}

// headless reports a step that has none of the heads, and the keys of it that mean nothing. One that is probably meant to
// be the head is named once, in the remedy.
func (r *reader) headless(s *Step) {
	table := stepKeys
	if r.Lenient() {
		table = legacyNodeKeys
	}
	remedy := "write `uses:` with the action, or one of steps, foreach, parallel and lock"
	rest := document.Object{Node: s.Node}
	for _, k := range s.Keys {
		near := spelling.Nearest(k.Name, stepHeads)
		switch {
		case table.Has(k.Name):
		case near != "":
			remedy = "did you mean `" + near + "` where `" + k.Name + "` stands?"
		case IsVerb(k.Name):
			remedy = "write `uses: " + k.Name + "`, and what it takes below `with:`"
		case legacyKeys.Has(k.Name):
			r.Fail(document.RuleKey, k.Node, legacyRemedy(k.Name), "`%s` is the older dialect's", k.Name)
		default:
			rest.Keys = append(rest.Keys, k)
		}
	}
	if name, named := s.Key("name"); named && !r.Lenient() {
		remedy = "write `uses: " + r.Str(name) + "`: in tend/v1 `name` is a title"
	}
	r.Fail(document.RuleMissing, s.Node, remedy, "the step does not say what it does")
	r.Known(&rest, table, "a step")
}

// stepKeysOf gives the keys that a step with the head can have, after the others were reported: those of the other sort
// of step with a better explanation.
func (r *reader) stepKeysOf(s *Step, head string) []document.Key {
	table, what := blockKeys, "a `"+head+"` block"
	if s.Uses != "" {
		table, what = actionKeys, "a step"
		if r.Lenient() {
			table = legacyStepKeys
		}
	}
	kept := make([]document.Key, 0, len(s.Keys))
	var rest []document.Key
	for _, k := range s.Keys {
		switch {
		case slices.Contains(stepHeads, k.Name) && k.Name != head:
			// Reported as a conflict.
		case table.Has(k.Name):
			kept = append(kept, k)
		case blockKeys.Has(k.Name):
			r.Doubt(document.RuleKey, k.Node, "put the step into a block: `steps: [ … ]` with `"+k.Name+"` beside it", "`%s` belongs to blocks", k.Name)
		case actionKeys.Has(k.Name):
			r.Doubt(document.RuleKey, k.Node, "put it on the steps inside", "`%s` belongs to steps with `uses`, not to %s", k.Name, what)
		case legacyKeys.Has(k.Name) && !r.Lenient():
			r.Fail(document.RuleKey, k.Node, legacyRemedy(k.Name), "`%s` is the older dialect's", k.Name)
		default:
			rest = append(rest, k)
		}
	}
	if len(rest) > 0 {
		other := document.Object{Node: s.Node, Keys: rest}
		r.Known(&other, table, what)
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

func (r *reader) stepKey(s *Step, k document.Key) {
	switch k.Name {
	case "id":
		s.ID = r.id(k)
	case "name":
		if !s.Legacy {
			s.Name = r.Str(k)
		}
	case "description":
		s.Description = r.Str(k)
	case "when":
		if !r.blank(k) {
			s.When = r.Logic(k)
		}
	case "ignoreFailure":
		s.IgnoreFailure = r.Bool(k)
	case "timeout":
		s.Timeout = r.Duration(k)
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
func (r *reader) innerKey(s *Step, k document.Key) {
	switch k.Name {
	case "uses":
		s.Uses, s.UsesNode = r.Fixed(k), k.Value
	case "name":
		s.Name = r.Str(k)
	case "with":
		s.With = r.Map(k)
	case "env":
		s.Env = r.Map(k)
	case "args":
		s.Args = r.args(k)
	case "runner":
		s.Runner = r.optional(k)
	case "integration":
		s.Integration = r.optional(k)
	case "target":
		s.Target = r.Templates(k)
	case "effect":
		s.Effect = r.Effect(k)
	case "irreversible":
		s.Irreversible = r.Bool(k)
	case "timeout":
		s.Timeout = r.Duration(k)
	case "retry":
		s.Retry = r.retry(k)
	case "onDoubt":
		r.onDoubt(s, k)
	case "artifacts":
		s.Artifacts = r.artifacts(k)
	}
}

// artifacts reads globs of files below the scratch directory of a step.
func (r *reader) artifacts(k document.Key) []string {
	return r.Texts(k, func(n *yaml.Node, s string) {
		if path.IsAbs(s) || slices.Contains(strings.Split(s, "/"), "..") {
			r.Fail(document.RuleValue, n, `copy the file to "$TEND_WORK" in the script, and write its name here`, "artifacts are files below $TEND_WORK, and %q is not", s)
		}
	})
}

// blank tells a key of the older dialect that is written without a value, which is as if it were not written.
func (r *reader) blank(k document.Key) bool {
	return r.Lenient() && k.Value.Kind == yaml.ScalarNode && strings.TrimSpace(k.Value.Value) == ""
}

// optional reads a text that may be empty.
func (r *reader) optional(k document.Key) *document.Scalar {
	if document.IsNull(k.Value) {
		return nil
	}
	return r.Text(k)
}

func (r *reader) args(k document.Key) []document.Data {
	n := k.Value
	if r.Lenient() && n.Kind == yaml.ScalarNode && !document.IsNull(n) {
		return []document.Data{r.Data(n)}
	}
	items, _ := r.List(n, "`args`")
	out := make([]document.Data, 0, len(items))
	for _, i := range items {
		if d := r.Data(i); d.Given() {
			out = append(out, d)
		}
	}
	return out
}

func (r *reader) id(k document.Key) string {
	s := r.Fixed(k)
	if s == "" || r.Lenient() || idPattern.MatchString(s) {
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
	r.Fail(document.RuleName, k.Value, remedy, "%q cannot be an id", s)
	return ""
}

// block reads the steps that a block is made of: there must be some.
func (r *reader) block(k document.Key) []*Step {
	steps := r.steps(k)
	if len(steps) == 0 && (k.Value.Kind == yaml.SequenceNode && len(k.Value.Content) == 0 || document.IsNull(k.Value)) {
		r.Doubt(document.RuleMissing, k.Node, "write a step in it, or remove it", "`%s` has no steps", k.Name)
	}
	return steps
}

func (r *reader) foreach(s *Step, k document.Key) {
	f := &ForeachDecl{}
	o, ok := r.Fields(k, foreachKeys, func(k document.Key) {
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
				f.When = r.Logic(k)
			}
		case "break":
			if !r.blank(k) {
				f.Break = r.Logic(k)
			}
		case "parallel":
			f.Parallel = r.Count(k, 1, 10_000)
		case "steps":
			s.Steps = r.block(k)
		}
	})
	if !ok {
		return
	}
	f.Object = o
	s.Foreach = f
	switch hasIn, hasRange := o.Has("in"), o.Has("range"); {
	case hasIn && hasRange:
		k, _ := o.Key("range")
		r.Fail(document.RuleConflict, k.Node, "keep one of them", "a loop has `in` or `range`, not both")
	case !hasIn && !hasRange:
		r.Fail(document.RuleMissing, o.Node, "write `in:` with a list or map, or `range: [from, to]`", "the loop does not say over what")
	}
	if f.Key != "" && f.Key == f.Value {
		k, _ := o.Key("value")
		r.Doubt(document.RuleName, k.Value, "rename one of them", "key and value of the loop have the same name `%s`", f.Key)
	}
	r.Must(&o, "steps", "a loop")
}

// loopIn reads `in`: a list, a map, {range: [a, b]}, a template, or a bare text: CEL, in the older dialect a path.
func (r *reader) loopIn(f *ForeachDecl, k document.Key) {
	n := k.Value
	if n.Kind == yaml.MappingNode && len(n.Content) == 2 && n.Content[0].Value == "range" && !r.Unquoted(n) {
		f.Range = r.rangeOf(document.Key{Name: "range", Node: n.Content[0], Value: r.Resolve(n.Content[1])})
		return
	}
	plain := expr.Logic
	if r.Lenient() {
		plain = expr.Path
	}
	if n.Kind == yaml.ScalarNode && n.Tag != "!!str" {
		r.Fail(document.RuleType, n, "write a list, a map or `range: [from, to]`", "`in` must be a list or map, not %s", document.Shape(n))
		return
	}
	f.In = r.Tree(n, plain)
}

func (r *reader) rangeOf(k document.Key) []*document.Scalar {
	items, ok := r.List(k.Value, "`range`")
	if !ok {
		return nil
	}
	if len(items) != 2 {
		r.Fail(document.RuleValue, k.Value, "write [from, to]; `to` is not part of it", "`range` has two ends, not %d", len(items))
		return nil
	}
	plain := expr.Logic
	if r.Lenient() {
		plain = expr.Literal
	}
	out := make([]*document.Scalar, 0, 2)
	for _, n := range items {
		s := r.Scalar(n, plain, "an end of `range`")
		if s == nil {
			return nil
		}
		if _, whole := s.Lit.(int64); s.Kind == expr.Literal && !whole && !r.Lenient() {
			r.Fail(document.RuleType, s.Node, "", "an end of `range` must be a whole number, not %s", document.Shape(s.Node))
		}
		out = append(out, s)
	}
	return out
}

// variable reads the name of a loop variable.
func (r *reader) variable(k document.Key) string {
	s := r.Fixed(k)
	if s == "" || r.Lenient() {
		return s
	}
	if !idPattern.MatchString(s) {
		r.Fail(document.RuleName, k.Value, "use small letters, digits and _", "%q cannot be the name of a loop variable", s)
		return ""
	}
	if slices.Contains(roots, s) {
		r.Fail(document.RuleName, k.Value, "choose another name", "`%s` is taken: it is the language's own", s)
		return ""
	}
	return s
}

// roots are the names at the root of the data of tend/v1, which loop variables cannot take.
var roots = []string{"params", "event", "metadata", "run", "steps", "error", "result", "inputs"}

func (r *reader) lock(s *Step, k document.Key) {
	o, ok := r.Fields(k, lockKeys, func(k document.Key) {
		switch k.Name {
		case "key":
			s.LockKey = r.Text(k)
		case "steps":
			s.Steps = r.block(k)
		}
	})
	if !ok {
		return
	}
	r.Must(&o, "key", "a lock")
	r.Must(&o, "steps", "a lock")
}
