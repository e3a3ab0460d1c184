package logic

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"

	"github.com/tendhq/tend/internal/expr/ref"
)

// tracer finds what an expression uses, and calls of functions that do not exist.
type tracer struct {
	env     *environment
	info    *ast.SourceInfo
	offsets offsets
	uses    ref.Uses
	errs    []error
	there   [][]string // paths that a has() before has found
}

// origin is the place in the data that a value comes from, if that is known.
type origin struct {
	known   bool
	path    []string
	dynamic bool // the path goes on, computed
	from    int  // offset in the source
	to      int
}

// scope holds the variables of macros.
type scope map[string]origin

func (s scope) with(name string, o origin) scope {
	out := make(scope, len(s)+1)
	for k, v := range s {
		out[k] = v
	}
	out[name] = o
	return out
}

func (t *tracer) span(e ast.Expr) (from, to int) {
	r, ok := t.info.GetOffsetRange(e.ID())
	if !ok {
		return -1, -1
	}
	return t.offsets.of(int(r.Start)), t.offsets.of(int(r.Stop))
}

func (t *tracer) refuse(e ast.Expr, format string, v ...any) {
	if len(t.errs) < maxErrors {
		from, _ := t.span(e)
		t.errs = append(t.errs, &ref.Error{Offset: from, Reason: fmt.Sprintf(format, v...)})
	}
}

// trace goes through e and answers where its value comes from.
func (t *tracer) trace(e ast.Expr, s scope) origin {
	o := t.place(e, s)
	t.note(o, false)
	return o
}

func (t *tracer) note(o origin, guarded bool) {
	if o.known {
		guarded = guarded || slices.ContainsFunc(t.there, func(p []string) bool {
			return len(p) <= len(o.path) && slices.Equal(p, o.path[:len(p)])
		})
		t.uses.Paths = append(t.uses.Paths, ref.PathUse{
			Path: o.path, Dynamic: o.dynamic, Guarded: guarded, Offset: o.from, Length: max(o.to-o.from, 0),
		})
	}
}

// place is trace without noting the path itself, which may go on.
func (t *tracer) place(e ast.Expr, s scope) origin {
	switch e.Kind() {
	case ast.IdentKind:
		return t.ident(e, s)
	case ast.SelectKind:
		sel := e.AsSelect()
		o := t.place(sel.Operand(), s)
		if _, dot := t.span(e); dot >= 0 {
			o.to = max(o.to, t.behind(dot, sel.FieldName()))
		}
		return o.down(sel.FieldName())
	case ast.ListKind:
		for _, x := range e.AsList().Elements() {
			t.trace(x, s)
		}
	case ast.MapKind:
		for _, x := range e.AsMap().Entries() {
			t.trace(x.AsMapEntry().Key(), s)
			t.trace(x.AsMapEntry().Value(), s)
		}
	case ast.StructKind:
		t.refuse(e, "expressions cannot make messages: %s{}", e.AsStruct().TypeName())
	case ast.ComprehensionKind:
		t.comprehension(e.AsComprehension(), s)
	case ast.CallKind:
		return t.call(e, s)
	default: // literals
	}
	return origin{}
}

func (o origin) down(segment string) origin {
	if o.known && !o.dynamic {
		o.path = append(slices.Clip(o.path), segment)
	}
	return o
}

func (t *tracer) ident(e ast.Expr, s scope) origin {
	name := strings.TrimPrefix(e.AsIdent(), ".")
	if strings.HasPrefix(name, "@") {
		return origin{}
	}
	from, to := t.span(e)
	if o, ok := s[name]; ok {
		o.from, o.to = from, to
		return o
	}
	return origin{known: true, path: []string{name}, from: from, to: to}
}

// behind answers where word ends, if it follows pos after spaces.
func (t *tracer) behind(pos int, word string) int {
	rest := strings.TrimLeft(t.offsets.src[pos:], " \t\r\n")
	if strings.HasPrefix(rest, word) {
		return len(t.offsets.src) - len(rest) + len(word)
	}
	return pos
}

// isType tells whether e names a type, as in type(x) == int.
func isType(e ast.Expr) bool {
	if e.Kind() != ast.IdentKind {
		return false
	}
	switch e.AsIdent() {
	case "int", "uint", "double", "bool", "string", "bytes", "list", "map", "null_type", "type":
		return true
	}
	return false
}

func (t *tracer) comprehension(c ast.ComprehensionExpr, s scope) {
	over := t.trace(c.IterRange(), s)
	element := over.down(ref.Element)
	inner := s.with(c.IterVar(), element)
	if c.HasIterVar2() {
		inner = s.with(c.IterVar(), origin{}).with(c.IterVar2(), element)
	}
	t.trace(c.AccuInit(), s)
	t.trace(c.LoopCondition(), inner)
	t.trace(c.LoopStep(), inner)
	t.trace(c.Result(), s)
}

func (t *tracer) call(e ast.Expr, s scope) origin {
	call := e.AsCall()
	name := call.FunctionName()
	switch name {
	case operators.Index:
		return t.index(e, s)
	case functionHas:
		o := t.place(call.Args()[0], s)
		t.note(o, true)
		t.function(e, "has")
		return origin{}
	case operators.LogicalAnd, operators.Conditional:
		t.guarding(call.Args(), name == operators.Conditional, s)
		return origin{}
	}
	arguments := len(call.Args())
	member := call.IsMemberFunction()
	if member && namespace(call.Target()) {
		name, member = call.Target().AsIdent()+"."+name, false
	} else if member {
		t.trace(call.Target(), s)
		arguments++
	}
	for _, a := range call.Args() {
		if compare := name == operators.Equals || name == operators.NotEquals; !compare || !isType(a) {
			t.trace(a, s)
		}
	}
	if !internal(name) {
		t.function(e, name)
		t.check(e, name, arguments, member)
	}
	return origin{}
}

// internal tells whether name is an operator, or a function that macros and this package put in.
func internal(name string) bool {
	return strings.Contains(name, "@") || strings.ContainsAny(name[:1], "_!-")
}

// function notes a call by name. CEL's place of a call is its parenthesis; the name stands before it.
func (t *tracer) function(e ast.Expr, name string) {
	from, _ := t.span(e)
	short := name[strings.LastIndexByte(name, '.')+1:]
	if from >= 0 && from <= len(t.offsets.src) {
		if i := strings.LastIndex(t.offsets.src[:from], short); i >= 0 {
			from = i
		}
	}
	t.uses.Functions = append(t.uses.Functions, ref.FunctionUse{Name: name, Offset: from, Length: len(short)})
}

// macro tells how a macro is written, for messages about calls that fit none.
func macro(name string) string {
	switch name {
	case "all", "exists", "exists_one", "existsOne", "filter":
		return "list." + name + "(x, condition)"
	case "map":
		return "list.map(x, value) or list.map(x, condition, value)"
	case "has":
		return "has(path)"
	}
	return ""
}

// check refuses unknown functions and wrong numbers of arguments.
func (t *tracer) check(e ast.Expr, name string, arguments int, member bool) {
	shapes, ok := t.env.arity[name]
	if usage := macro(name); !ok && usage != "" {
		t.refuse(e, "%s is written %s", name, usage)
		return
	}
	if !ok {
		names := []string{"has", "all", "exists", "exists_one", "filter", "map"}
		for n := range t.env.arity {
			if !internal(n) {
				names = append(names, n)
			}
		}
		t.refuse(e, "unknown function %s%s", name, ref.Suggest(name, names))
		return
	}
	if slices.Contains(shapes, shape{arguments, member}) {
		t.zone(e, name)
		return
	}
	receivers, plain := false, false
	for _, s := range shapes {
		receivers = receivers || s.member
		plain = plain || !s.member
	}
	switch {
	case !member && !plain:
		t.refuse(e, "%s is called on a value: x.%s(…)", name, name)
	case member && !receivers:
		t.refuse(e, "%s takes its value in parentheses: %s(x)", name, name)
	default:
		if member {
			arguments--
		}
		t.refuse(e, "%s does not take %d arguments", name, arguments)
	}
}

var offset = regexp.MustCompile(`^(UTC|[+-]?\d{1,2}:\d{2})$`)

// zone refuses names of time zones, whose rules CEL would look up in files of the machine.
func (t *tracer) zone(e ast.Expr, name string) {
	args := e.AsCall().Args()
	switch name {
	case "getFullYear", "getMonth", "getDate", "getDayOfMonth", "getDayOfWeek", "getDayOfYear", "getHours", "getMinutes",
		"getSeconds", "getMilliseconds":
	default:
		return
	}
	for _, a := range args {
		if a.Kind() == ast.LiteralKind {
			if zone, ok := a.AsLiteral().(types.String); ok && offset.MatchString(string(zone)) {
				continue
			}
		}
		t.refuse(a, "the time zone is UTC or an offset such as \"+02:00\"")
	}
}

// guarding traces the arguments of && and ?:, where a path behind has() is there in what follows.
func (t *tracer) guarding(args []ast.Expr, conditional bool, s scope) {
	before := len(t.there)
	for i, a := range args {
		if conditional && i == 2 {
			t.there = t.there[:before]
		}
		t.trace(a, s)
		if !conditional || i == 0 {
			t.found(a, s)
		}
	}
	t.there = t.there[:before]
}

// found notes the paths that are there if e is true.
func (t *tracer) found(e ast.Expr, s scope) {
	if e.Kind() != ast.CallKind {
		return
	}
	switch call := e.AsCall(); call.FunctionName() {
	case functionHas:
		quiet := tracer{env: t.env, info: t.info, offsets: t.offsets}
		if o := quiet.place(call.Args()[0], s); o.known && !o.dynamic {
			t.there = append(t.there, o.path)
		}
	case operators.LogicalAnd:
		for _, a := range call.Args() {
			t.found(a, s)
		}
	}
}

func (t *tracer) index(e ast.Expr, s scope) origin {
	args := e.AsCall().Args()
	o := t.place(args[0], s)
	if _, inside := t.span(args[1]); inside >= 0 {
		o.to = max(o.to, t.behind(inside, "]"))
	}
	if args[1].Kind() == ast.LiteralKind {
		switch key := args[1].AsLiteral().(type) {
		case types.String:
			return o.down(string(key))
		case types.Int:
			return o.down(fmt.Sprintf("[%d]", int64(key)))
		}
	}
	t.trace(args[1], s)
	o.dynamic = o.known
	return o
}
