// Package logic is the expression language of conditions: CEL, over data whose shape nobody declares.
//
// Every name at the root of an expression is a key of the data. Expressions are parsed and planned without type checks;
// what does not fit is an error when it is evaluated. Beside the standard functions and macros there are CEL's extensions
// for strings, lists, sets and math. Numbers of different kinds compare by value. `has` is false wherever on the way the
// data is missing, not only at the last step.
//
// Evaluation ends: it has a cost limit, lists and texts have a largest size, and everything that goes through a value
// measures it first, so that values that are small in memory but endless when written out are refused.
//
// CEL's parts are changed on the syntax tree, see rewrite: operators whose meaning or bounds differ here become calls of
// functions of this package. Their names begin with @, which no expression can write.
package logic

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/interpreter"
	"cel.dev/cel-go/parser"

	"github.com/tendhq/tend/internal/expr/ref"
)

const (
	maxSource = 64 << 10 // bytes of an expression
	maxNodes  = 10_000
	maxDepth  = 100
	maxErrors = 10
)

// Language compiles expressions. It is safe for concurrent use; what is expensive is made by the first Compile.
type Language struct {
	cost  uint64
	setUp func() (*environment, error)
}

type environment struct {
	cel    *cel.Env
	parser *parser.Parser
	arity  map[string][]shape
}

// New makes a Language whose evaluations may cost so much.
func New(cost int) *Language {
	return &Language{cost: uint64(max(cost, 1)), setUp: sync.OnceValues(newEnvironment)}
}

// Condition is a compiled expression. It is safe for concurrent use.
type Condition struct {
	uses  ref.Uses
	plain func() (cel.Program, error)
	holds func() (cel.Program, error)
}

// Uses tells what the expression needs. The caller must not change it.
func (c *Condition) Uses() ref.Uses { return c.uses }

// Compile parses src. With lenient, missing data is null, null is false, and texts that spell numbers compare with
// numbers. Errors are *ref.Error, several of them joined.
func (l *Language) Compile(src string, lenient bool) (_ *Condition, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = unreadable(p)
		}
	}()
	env, err := l.setUp()
	if err != nil {
		return nil, err
	}
	tree, err := env.parse(src)
	if err != nil {
		return nil, err
	}
	t := tracer{env: env, info: tree.SourceInfo(), offsets: newOffsets(src)}
	t.trace(tree.Expr(), scope{})
	if len(t.errs) > 0 {
		return nil, errors.Join(t.errs...)
	}
	c := &Condition{uses: t.uses}
	c.plain = sync.OnceValues(func() (cel.Program, error) { return l.plan(env, tree, rewriting{lenient: lenient}) })
	c.holds = sync.OnceValues(func() (cel.Program, error) {
		return l.plan(env, tree, rewriting{lenient: lenient, data: true})
	})
	return c, nil
}

// unreadable makes an error of a panic: CEL's parser and planner are large, and what they read comes from anybody. (Its
// evaluation does the same itself.)
func unreadable(panicked any) error {
	return &ref.Error{Offset: -1, Reason: fmt.Sprintf("the expression cannot be read: %v", panicked)}
}

func (l *Language) plan(env *environment, tree *ast.AST, r rewriting) (_ cel.Program, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = unreadable(p)
		}
	}()
	changed := ast.Copy(tree)
	r.ids = ast.MaxID(changed)
	r.rewrite(changed.Expr(), true)
	return env.cel.PlanProgram(changed, cel.CostLimit(l.cost), cel.CostTracking(prices{}))
}

func (e *environment) parse(src string) (*ast.AST, error) {
	switch {
	case strings.TrimSpace(src) == "":
		return nil, &ref.Error{Offset: 0, Reason: "an empty expression"}
	case len(src) > maxSource:
		return nil, &ref.Error{Offset: -1, Reason: fmt.Sprintf("an expression of more than %d bytes", maxSource)}
	case !utf8.ValidString(src):
		return nil, &ref.Error{Offset: -1, Reason: "an expression that is not UTF-8"}
	}
	tree, issues := e.parser.Parse(common.NewTextSource(src))
	if issues == nil || len(issues.GetErrors()) == 0 {
		return tree, nil
	}
	var errs []error
	lines := newOffsets(src)
	for _, i := range issues.GetErrors() {
		offset := -1
		if i.Location != nil {
			offset = lines.at(i.Location)
		}
		if len(errs) < maxErrors {
			errs = append(errs, &ref.Error{Offset: offset, Reason: tidy(i.Message)})
		}
	}
	return nil, errors.Join(errs...)
}

// tidy makes a parser's message one line without its prefix.
func tidy(message string) string {
	message = strings.TrimPrefix(message, "Syntax error: ")
	return strings.Join(strings.Fields(message), " ")
}

// Eval evaluates over the keys of root. With data, comparing null with anything but the word null is an error.
func (c *Condition) Eval(root map[string]any, data bool) (any, error) {
	get := c.plain
	if data {
		get = c.holds
	}
	program, err := get()
	if err != nil {
		return nil, &ref.Error{Offset: -1, Reason: tidy(err.Error())}
	}
	if root == nil {
		root = map[string]any{}
	}
	v, _, err := program.Eval(root)
	if err != nil {
		return nil, c.explain(err, root)
	}
	out, err := native(v)
	if err != nil {
		return nil, &ref.Error{Offset: -1, Reason: err.Error()}
	}
	return out, nil
}

// explain says what an error of the evaluation means, and for missing data what is there instead.
func (c *Condition) explain(err error, root map[string]any) error {
	reason := err.Error()
	var cancelled interpreter.EvalCancelledError
	switch {
	case errors.As(err, &cancelled):
		return &ref.Error{Offset: -1, Reason: "the expression takes too much work"}
	case !missing(reason):
		return &ref.Error{Offset: -1, Reason: describe(reason)}
	}
	for _, use := range c.uses.Paths {
		if use.Guarded {
			continue
		}
		_, err := ref.Resolve(any(root), pathOf(use.Path), false, nil)
		if m := (*ref.Missing)(nil); errors.As(err, &m) {
			return &ref.Error{Offset: use.Offset, Reason: m.Reason}
		}
	}
	return &ref.Error{Offset: -1, Reason: reason}
}

// pathOf makes a path of segments.
func pathOf(segments []string) ref.Path {
	p := make(ref.Path, len(segments))
	for i, s := range segments {
		p[i] = ref.Step{Key: s}
		if s == ref.Element {
			p[i] = ref.Step{Kind: ref.Each}
		} else if inner, ok := strings.CutPrefix(s, "["); ok {
			if n, err := strconv.Atoi(strings.TrimSuffix(inner, "]")); err == nil {
				p[i] = ref.Step{Kind: ref.Index, From: n}
			}
		}
	}
	return p
}

// missing tells whether an error of CEL is about data that is not there.
func missing(reason string) bool {
	for _, prefix := range []string{"no such key", "no such attribute", "index out of bounds", "index '"} {
		if strings.HasPrefix(reason, prefix) {
			return true
		}
	}
	return false
}

func describe(reason string) string {
	if rest, ok := strings.CutPrefix(reason, "no such overload"); ok {
		if rest == "" {
			return "the operands do not fit the operator"
		}
		return "the operands do not fit" + rest
	}
	return reason
}
