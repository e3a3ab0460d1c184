package logic

import (
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
)

// Names of the functions that stand in for CEL's. Comparisons have a variant for each pair of lenient and data.
const (
	functionHas     = "@has"
	functionMaybe   = "@maybe"   // null for missing data
	functionTruth   = "@truth"   // false for null
	functionAdd     = "@add"     // + with bounds
	functionIn      = "@in_"     // in with bounds
	functionSize    = "@size"    // size of null is 0
	functionMatches = "@matches" // with bounds
	functionReplace = "@replace" // with bounds
	functionWeighed = "@weighed" // its argument, if it is not too large to go through
	functionFew     = "@few"     // its argument, if it is short enough to compare each with each
)

// compareFunction is the stand-in of a comparison, or "".
func compareFunction(operator string) string {
	switch operator {
	case operators.Equals:
		return "@eq"
	case operators.NotEquals:
		return "@ne"
	case operators.Less:
		return "@lt"
	case operators.LessEquals:
		return "@le"
	case operators.Greater:
		return "@gt"
	case operators.GreaterEquals:
		return "@ge"
	}
	return ""
}

// rewriting changes a syntax tree so that it runs with the rules of this package.
type rewriting struct {
	lenient bool // missing is null, null is false, text that spells a number compares as one
	data    bool // null compares with null only
	ids     int64
}

func (r *rewriting) suffix(data bool) string {
	s := ""
	if r.lenient {
		s += "_lenient"
	}
	if data {
		s += "_data"
	}
	return s
}

// wrap makes of e a call of function with e as its argument.
func (r *rewriting) wrap(e ast.Expr, function string) {
	fac := ast.NewExprFactory()
	r.ids++
	inner := fac.NewUnspecifiedExpr(r.ids)
	inner.SetKindCase(e)
	e.SetKindCase(fac.NewCall(e.ID(), function, inner))
}

// rewrite goes down from e. whole tells that e is not the operand of a further step of a path.
func (r *rewriting) rewrite(e ast.Expr, whole bool) {
	switch e.Kind() {
	case ast.IdentKind:
		r.missing(e, whole)
	case ast.SelectKind:
		r.rewrite(e.AsSelect().Operand(), false)
		r.missing(e, whole)
	case ast.ListKind:
		for _, x := range e.AsList().Elements() {
			r.rewrite(x, true)
		}
	case ast.MapKind:
		for _, x := range e.AsMap().Entries() {
			r.rewrite(x.AsMapEntry().Key(), true)
			r.rewrite(x.AsMapEntry().Value(), true)
		}
	case ast.ComprehensionKind:
		c := e.AsComprehension()
		r.rewrite(c.IterRange(), true)
		r.rewrite(c.AccuInit(), true)
		r.rewrite(c.LoopCondition(), true)
		r.rewrite(c.LoopStep(), true)
		r.rewrite(c.Result(), true)
	case ast.CallKind:
		r.call(e, whole)
	default: // literals
	}
}

// missing makes null of what is missing at the end of a path.
func (r *rewriting) missing(e ast.Expr, whole bool) {
	if r.lenient && whole && !isAccumulator(e) {
		r.wrap(e, functionMaybe)
	}
}

func isAccumulator(e ast.Expr) bool {
	return e.Kind() == ast.IdentKind && len(e.AsIdent()) > 0 && e.AsIdent()[0] == '@'
}

func isNull(e ast.Expr) bool {
	return e.Kind() == ast.LiteralKind && e.AsLiteral() == types.NullValue
}

func (r *rewriting) call(e ast.Expr, whole bool) {
	call := e.AsCall()
	name := call.FunctionName()
	if name == operators.Index {
		r.rewrite(call.Args()[0], false)
		r.rewrite(call.Args()[1], true)
		r.missing(e, whole)
		return
	}
	if name == functionHas {
		r.rewrite(call.Args()[0], false)
		return
	}
	// Decided before the arguments change.
	accumulates, withNull := false, false
	for _, a := range call.Args() {
		accumulates = accumulates || isAccumulator(a)
		withNull = withNull || isNull(a)
	}
	if call.IsMemberFunction() && !namespace(call.Target()) {
		r.rewrite(call.Target(), true)
	}
	for _, a := range call.Args() {
		r.rewrite(a, true)
	}
	if compare := compareFunction(name); compare != "" {
		r.rename(e, compare+r.suffix(r.data && !withNull))
		return
	}
	switch name {
	case operators.Add:
		if !accumulates {
			r.rename(e, functionAdd)
		}
	case operators.In, operators.OldIn:
		r.rename(e, functionIn+r.suffix(false))
	case operators.LogicalAnd, operators.LogicalOr, operators.LogicalNot, operators.Conditional:
		r.booleans(call, name)
	case "size":
		if r.lenient {
			r.rename(e, functionSize)
		}
	case "matches":
		r.rename(e, functionMatches)
	case "replace":
		r.rename(e, functionReplace)
	case "flatten":
		r.wrap(call.Target(), functionWeighed)
	case "distinct":
		r.wrap(call.Target(), functionFew)
	case "join":
		r.wrap(call.Target(), functionWeighed)
	case "format":
		for _, a := range call.Args() {
			r.wrap(a, functionWeighed)
		}
	case "sets.contains", "sets.equivalent", "sets.intersects", "contains", "equivalent", "intersects":
		if name[:min(5, len(name))] == "sets." || call.IsMemberFunction() && namespace(call.Target()) {
			for _, a := range call.Args() {
				r.wrap(a, functionFew)
			}
		}
	}
}

// namespace tells whether the receiver of a call is the first half of the function's name.
func namespace(target ast.Expr) bool {
	if target.Kind() != ast.IdentKind {
		return false
	}
	switch target.AsIdent() {
	case "sets", "lists", "math", "strings":
		return true
	}
	return false
}

// booleans makes false of null where a boolean is expected.
func (r *rewriting) booleans(call ast.CallExpr, name string) {
	if !r.lenient {
		return
	}
	for i, a := range call.Args() {
		if name == operators.Conditional && i > 0 || isAccumulator(a) {
			continue
		}
		r.wrap(a, functionTruth)
	}
}

// rename calls another function with the same arguments; a receiver becomes the first of them.
func (r *rewriting) rename(e ast.Expr, name string) {
	call := e.AsCall()
	args := call.Args()
	if call.IsMemberFunction() {
		args = append([]ast.Expr{call.Target()}, args...)
	}
	e.SetKindCase(ast.NewExprFactory().NewCall(e.ID(), name, args...))
}
