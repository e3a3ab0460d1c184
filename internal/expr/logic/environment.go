package logic

import (
	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
	celref "cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
	"cel.dev/cel-go/ext"
	"cel.dev/cel-go/parser"
)

// shape is one way to call a function: how many arguments, the receiver included, and whether there is one.
type shape struct {
	arguments int
	member    bool
}

func newEnvironment() (*environment, error) {
	options := []cel.EnvOption{
		cel.StdLib(),
		ext.Strings(ext.StringsVersion(4), ext.StringsMaxPrecision(100), ext.StringsValidateFormatCalls(false)),
		ext.Math(),
		ext.Sets(),
		ext.Lists(ext.ListsVersion(3), ext.ListsMaxRangeSize(maxElements)),
		cel.EagerlyValidateDeclarations(false),
	}
	env, err := cel.NewCustomEnv(append(options, ownFunctions()...)...)
	if err != nil {
		return nil, err
	}
	macros := []parser.Macro{parser.NewGlobalMacro("has", 1, expandHas)}
	for _, m := range env.Macros() {
		if m.Function() != "has" {
			macros = append(macros, m)
		}
	}
	p, err := parser.NewParser(
		parser.EnablePrattParser(true),
		parser.EnableHiddenAccumulatorName(true),
		parser.EnableVariadicOperatorASTs(true),
		parser.Macros(macros...),
		parser.MaxRecursionDepth(maxDepth),
		parser.ExpressionSizeCodePointLimit(maxSource),
		parser.MaxExpressionNodeCount(maxNodes),
	)
	if err != nil {
		return nil, err
	}
	e := &environment{cel: env, parser: p, arity: make(map[string][]shape)}
	for name, f := range env.Functions() {
		for _, o := range f.OverloadDecls() {
			e.arity[name] = append(e.arity[name], shape{len(o.ArgTypes()), o.IsMemberFunction()})
		}
	}
	return e, nil
}

// expandHas makes has(a.b) a call with the data it asks for as an argument, so that missing data anywhere on the way is
// an argument that is an error, and the answer false.
func expandHas(h parser.ExprHelper, _ ast.Expr, args []ast.Expr) (ast.Expr, *cel.Error) {
	arg := args[0]
	switch {
	case arg.Kind() == ast.SelectKind && !arg.AsSelect().IsTestOnly():
	case arg.Kind() == ast.IdentKind:
	case arg.Kind() == ast.CallKind && arg.AsCall().FunctionName() == "_[_]":
	default:
		return nil, h.NewError(arg.ID(), "has() takes a path: has(steps.check.value)")
	}
	return h.NewCall(functionHas, arg), nil
}

// Sizes of what expressions may make.
const (
	maxElements = 100_000
	maxText     = 1 << 20
	maxValues   = 1_000_000 // values that one operation may go through
	maxPairs    = 4_000_000 // comparisons of one operation
)

// prices tell what a call costs beside the standard cost: sizes count.
type prices struct{}

// CallCost implements CEL's estimator of actual costs. The planner does not know types here, so that CEL's own prices by
// type do not apply.
func (prices) CallCost(function, _ string, args []celref.Val, result celref.Val) *uint64 {
	if function == operators.Add { // of macros, to a list that grows in place; others are functionAdd
		one := uint64(1)
		return &one
	}
	cost := 1 + size(result)
	for _, a := range args {
		cost += size(a)
	}
	return &cost
}

// size is what a value adds to a cost.
func size(v celref.Val) uint64 {
	const textPerUnit, elementsPerUnit = 100, 10
	switch x := v.(type) {
	case types.String:
		return uint64(len(x)) / textPerUnit
	case types.Bytes:
		return uint64(len(x)) / textPerUnit
	case traits.Lister, traits.Mapper:
		if n, ok := x.(traits.Sizer).Size().(types.Int); ok && n > 0 {
			return uint64(n) / elementsPerUnit
		}
	}
	return 0
}
