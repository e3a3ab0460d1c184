package catalog

import (
	"cmp"
	"slices"
	"strings"

	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/document"
	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/guard"
	"github.com/tendhq/tend/internal/playbook"
	"github.com/tendhq/tend/internal/program"
	"github.com/tendhq/tend/internal/value"
)

// Ceiling is what a repository may touch. Texts are globs with * and ?; an empty list allows everything of its kind. What is
// known only when a playbook runs must be within it whatever it will be: the target `host:{{ $.params.host }}` is within
// `host:*` and not within `host:web-*`. Targets are looked at again, as guards are, before each effect: see Fence.
type Ceiling struct {
	Actions      []string
	Effects      []contract.Effect
	Targets      []string // of what changes something; it must say then what it touches
	Integrations []string
	Secrets      []string
}

// fence is the guard that holds runs of the repository within their targets.
func (b *Binding) fence() (guard.Spec, bool) {
	return guard.Spec{
		Name: "ceiling-" + cmp.Or(b.Repository, b.Project), Then: string(guard.Deny), Fence: b.Ceiling.Targets,
		Select: guard.Selection{Effects: []contract.Effect{contract.Idempotent, contract.Mutate}},
	}, len(b.Ceiling.Targets) > 0
}

// anything stands in a pattern for a text that is not known: only a star is known to cover it.
const anything = '\x00'

// allows tells whether globs cover everything that a pattern can become.
func allows(globs []string, pattern string) bool {
	return len(globs) == 0 || slices.ContainsFunc(globs, func(g string) bool { return covers(g, pattern) })
}

// covers matches a glob against a text in which anything stands for texts that are not known. It goes back only to the last
// star, so that no glob takes long.
func covers(glob, s string) bool {
	p, t := []rune(glob), []rune(s)
	i, j, star, mark := 0, 0, -1, 0
	for j < len(t) {
		switch {
		case i < len(p) && p[i] == '*':
			star, mark = i, j
			i++
		case i < len(p) && t[j] != anything && (p[i] == '?' || p[i] == t[j]):
			i, j = i+1, j+1
		case star >= 0:
			mark++
			i, j = star+1, mark
		default:
			return false
		}
	}
	for i < len(p) && p[i] == '*' {
		i++
	}
	return i == len(p)
}

// shown is how messages write a pattern.
func shown(pattern string) string { return strings.ReplaceAll(pattern, string(anything), "…") }

// within checks a playbook, with all that it calls, against the ceiling.
func (x *builder) within(d *document.Document, doc *playbook.Document, prog *program.Program) {
	c := x.binding.Ceiling
	for i := range doc.Parameters {
		p := &doc.Parameters[i]
		var globs []string
		var what string
		switch p.Type {
		case contract.Secret:
			globs, what = c.Secrets, "secret"
		case contract.Integration:
			globs, what = c.Integrations, "integration"
		default:
			continue
		}
		x.choices(d, p, what, globs)
	}
	x.program(prog, map[*program.Program]bool{})
}

// choices checks a parameter that names a secret or an integration: who starts the playbook chooses among what it lists.
func (x *builder) choices(d *document.Document, p *playbook.ParameterDecl, what string, globs []string) {
	if len(globs) == 0 || allows(globs, string(anything)) {
		return
	}
	k, _ := p.Key("name")
	if len(p.Enum) == 0 {
		x.find(d, RuleCeiling, k, "list those that may be named: `enum:`", "the parameter `%s` can name any %s, and the repository may use %s", p.Name, what, list(globs))
	}
	for _, v := range p.Enum {
		if s, ok := v.(string); ok && !allows(globs, s) {
			e, _ := p.Key("enum")
			x.find(d, RuleCeiling, e, "", "the repository may not use the %s `%s`: it may use %s", what, s, list(globs))
		}
	}
}

func list(globs []string) string { return strings.Join(globs, ", ") }

func (x *builder) program(p *program.Program, seen map[*program.Program]bool) {
	if seen[p] {
		return
	}
	seen[p] = true
	v := &visitor{builder: x, prog: p, eval: expr.New(expr.Limits{})}
	each(p, v.node)
	for _, t := range p.Outputs {
		v.tree(p.Dialect, &t, nil)
	}
	for _, called := range p.Calls {
		x.program(called, seen)
	}
}

// visitor checks the nodes of one program.
type visitor struct {
	*builder

	prog *program.Program
	eval *expr.Evaluator
	at   *program.Node
}

func (v *visitor) beyond(remedy, format string, a ...any) {
	place := document.Place{File: v.prog.Source}
	if v.at != nil {
		place.Line = v.at.Line
	}
	f := document.Finding{Rule: RuleCeiling, Severity: document.Error, Place: place, Message: sprintf(format, a...), Remedy: remedy}
	if r, ok := v.results[place.File]; ok && len(r.Documents) > 0 {
		f.SourceLine = r.Documents[0].Line(place.Line)
	}
	v.findings = append(v.findings, f)
}

func (v *visitor) node(n *program.Node) {
	v.at = n
	c := &v.binding.Ceiling
	if n.Kind == program.KindAction && n.Uses != "" {
		if !allows(c.Actions, n.Uses) {
			v.beyond("", "the repository may not use the action `%s`: it may use %s", n.Uses, list(c.Actions))
		}
		if len(c.Effects) > 0 && !slices.Contains(c.Effects, n.Effect) {
			v.beyond("", "the repository may not do what is %s", n.Effect)
		}
		v.targets(n)
	}
	dialect := v.prog.Dialect
	if n.Module != nil {
		dialect = n.Module.Dialect
	}
	if e := n.Integration; e != nil && !v.takes(n) {
		v.integration(dialect, e, n.Module)
	}
	if n.Module != nil && n.Module.Integration != nil {
		v.integration(v.prog.Dialect, n.Module.Integration, nil)
	}
	v.secrets(n, dialect)
	v.inputs(n, dialect)
}

// targets checks what an effect is on. Reading is not touching, unless the step says on what.
func (v *visitor) targets(n *program.Node) {
	globs := v.binding.Ceiling.Targets
	if len(globs) == 0 || allows(globs, string(anything)) {
		return
	}
	var patterns []string
	switch {
	case n.Module != nil && len(n.Module.Target) > 0:
		for i := range n.Module.Target {
			patterns = append(patterns, pattern(&n.Module.Target[i]))
		}
	case len(n.Target) > 0:
		for i := range n.Target {
			patterns = append(patterns, pattern(&n.Target[i]))
		}
	default:
		patterns = v.usual(n)
	}
	if len(patterns) == 0 && n.Effect != contract.Read {
		v.beyond("write `target:`", "the step does not say what it touches, and the repository may touch %s", list(globs))
	}
	for _, p := range patterns {
		if !allows(globs, p) {
			v.beyond("", "the repository may not touch `%s`: it may touch %s", shown(p), list(globs))
		}
	}
}

// usual gives the targets that the action of a node takes from its inputs.
func (v *visitor) usual(n *program.Node) []string {
	spec, ok := v.actions.Spec(n.Uses)
	if !ok {
		return nil
	}
	with := make(map[string]any, len(n.With))
	for k, t := range n.With {
		with[k] = patterns(&t)
	}
	var out []string
	for _, t := range spec.Targets {
		x, err := v.eval.Value(expr.Expr{Kind: expr.Template, Source: t}, expr.Scope{Root: with, Dialect: expr.Lenient})
		if err != nil {
			x = string(anything)
		}
		list, ok := x.([]any)
		if !ok {
			list = []any{x}
		}
		for _, e := range list {
			if s := strings.TrimSpace(value.Text(e)); s != "" && !strings.HasSuffix(s, ":") {
				out = append(out, s)
			}
		}
	}
	return out
}

// patterns is data with a pattern for each text.
func patterns(t *expr.Tree) any {
	switch {
	case t.Scalar != nil && (t.Scalar.Kind == expr.Literal || t.Scalar.Kind == ""):
		return t.Scalar.Lit
	case t.Scalar != nil:
		return pattern(t.Scalar)
	case t.List != nil:
		out := make([]any, len(t.List))
		for i := range t.List {
			out[i] = patterns(&t.List[i])
		}
		return out
	default:
		out := make(map[string]any, len(t.Map))
		for k, e := range t.Map {
			out[k] = patterns(&e)
		}
		return out
	}
}

// pattern makes of an expression the texts that it can become.
func pattern(e *expr.Expr) string {
	switch {
	case e.Kind == expr.Literal || e.Kind == "":
		s, ok := e.Lit.(string)
		if !ok {
			return string(anything)
		}
		return s
	case e.Kind != expr.Template:
		return string(anything)
	}
	var b strings.Builder
	for rest := e.Source; ; {
		before, after, ok := strings.Cut(rest, "{{")
		b.WriteString(before)
		if !ok {
			return b.String()
		}
		action, next, closed := strings.Cut(after, "}}")
		if !closed {
			b.WriteRune(anything)
			return b.String()
		}
		b.WriteRune(anything)
		if strings.ContainsAny(action, "`\"") || strings.Contains(action, "{") || controls(action) {
			return string(anything) // what is text and what is not cannot be told without reading it as a template
		}
		rest = next
	}
}

// controls tells the actions of templates that decide which texts around them there are.
func controls(action string) bool {
	word, _, _ := strings.Cut(strings.TrimSpace(strings.Trim(action, "-")), " ")
	return slices.Contains([]string{"if", "else", "end", "range", "with", "define", "block", "template", "break", "continue"}, word) || strings.HasPrefix(action, "-") || strings.HasSuffix(action, "-")
}

func (v *visitor) integration(d expr.Dialect, e *expr.Expr, m *program.Module) {
	globs := v.binding.Ceiling.Integrations
	if len(globs) == 0 {
		return
	}
	p := pattern(e)
	if strings.ContainsRune(p, anything) && v.parameter(d, e, m, contract.Integration) {
		return // it was checked where the parameter is declared
	}
	if !allows(globs, p) {
		v.beyond("name it, or take it from a parameter of type integration", "the repository may not use the integration `%s`: it may use %s", shown(p), list(globs))
	}
}

// parameter tells whether an expression is nothing but a parameter of a type, whose values are checked elsewhere: where it is
// declared and, of a module, where it is called.
func (v *visitor) parameter(d expr.Dialect, e *expr.Expr, m *program.Module, t contract.Type) bool {
	u, err := v.eval.Uses(*e, d)
	if err != nil || len(u.Paths) != 1 || len(u.Functions) > 0 || u.Paths[0].Dynamic {
		return false
	}
	if p := strings.Trim(pattern(e), " "); p != string(anything) {
		return false
	}
	return v.declared(u.Paths[0].Path, m, t)
}

// declared tells whether a path leads to a parameter of a type.
func (v *visitor) declared(path []string, m *program.Module, t contract.Type) bool {
	if len(path) != 2 || path[0] != "params" {
		return false
	}
	if m != nil {
		return slices.ContainsFunc(m.Fields, func(f contract.Field) bool { return f.Name == path[1] && f.Type == t })
	}
	return slices.ContainsFunc(v.prog.Parameters, func(p contract.Parameter) bool { return p.Name == path[1] && p.Type == t })
}

// secrets checks the secrets that a node uses: by the function, and by inputs that take the name of one.
func (v *visitor) secrets(n *program.Node, d expr.Dialect) {
	if len(v.binding.Ceiling.Secrets) == 0 {
		return
	}
	parts(n, func(own bool, t *expr.Tree) {
		if own {
			v.tree(d, t, n.Module)
		} else {
			v.tree(v.prog.Dialect, t, nil)
		}
	})
}

// takes tells whether an action has its integration among its inputs, where it is checked.
func (v *visitor) takes(n *program.Node) bool {
	spec, _ := v.actions.Spec(n.Uses)
	return n.Kind == program.KindAction && slices.ContainsFunc(spec.Inputs, func(f contract.Field) bool { return f.Type == contract.Integration })
}

// inputs checks the inputs that take the name of a secret or an integration.
func (v *visitor) inputs(n *program.Node, d expr.Dialect) {
	if spec, ok := v.actions.Spec(n.Uses); ok && n.Kind == program.KindAction {
		v.fields(spec.Inputs, n.With, d, n.Module)
	}
	if n.Module != nil {
		v.fields(n.Module.Fields, n.Module.Inputs, v.prog.Dialect, nil)
	}
	if n.Call != nil {
		if called := v.prog.Calls[n.Call.Program]; called != nil {
			fields := make([]contract.Field, len(called.Parameters))
			for i, p := range called.Parameters {
				fields[i] = contract.Field{Name: p.Name, Type: p.Type}
				if p.Type == contract.Integration {
					fields[i].Default = "" // the playbook's own declaration says which ones can be named
				}
				if p.Default != nil && p.Default.Scalar != nil && p.Type == contract.Secret {
					v.named(called.Dialect, p.Default.Scalar, nil)
				}
			}
			v.fields(fields, n.Call.Params, v.prog.Dialect, nil)
		}
	}
}

func (v *visitor) fields(fields []contract.Field, given map[string]expr.Tree, d expr.Dialect, m *program.Module) {
	for i := range fields {
		f := &fields[i]
		t, ok := given[f.Name]
		standard, text := f.Default.(string)
		switch f.Type {
		case contract.Secret:
			if !ok && text {
				v.secret(standard)
			}
			if t.Scalar != nil {
				v.named(d, t.Scalar, m)
			}
		case contract.Integration:
			switch {
			case t.Scalar != nil:
				v.integration(d, t.Scalar, m)
			case ok:
			case !text: // it takes the only one that the server has
				v.integration(d, &expr.Expr{Kind: expr.Literal, Lit: string(anything)}, m)
			case standard != "":
				v.integration(d, &expr.Expr{Kind: expr.Literal, Lit: standard}, m)
			}
		default:
		}
	}
}

// named checks an expression that is the name of a secret.
func (v *visitor) named(d expr.Dialect, e *expr.Expr, m *program.Module) {
	p := pattern(e)
	if p == "" || strings.ContainsRune(p, anything) && v.parameter(d, e, m, contract.Secret) {
		return
	}
	v.secret(p)
}

func (v *visitor) secret(p string) {
	if globs := v.binding.Ceiling.Secrets; !allows(globs, p) {
		v.beyond("name it, or take the name from a parameter of type secret", "the repository may not use the secret `%s`: it may use %s", shown(p), list(globs))
	}
}

// tree checks the uses of the function secret in data.
func (v *visitor) tree(d expr.Dialect, t *expr.Tree, m *program.Module) {
	if len(v.binding.Ceiling.Secrets) == 0 {
		return
	}
	if t.Scalar != nil {
		u, err := v.eval.Uses(*t.Scalar, d)
		if err != nil {
			return // the linter says so
		}
		for _, s := range u.Secrets {
			switch {
			case s.Callback: // a way into its own run, which no provider has
			case s.Name != "":
				v.secret(s.Name)
			case !v.declared(s.Path, m, contract.Secret):
				v.secret(string(anything))
			}
		}
	}
	for i := range t.List {
		v.tree(d, &t.List[i], m)
	}
	for _, e := range t.Map {
		v.tree(d, &e, m)
	}
}
