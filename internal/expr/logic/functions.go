package logic

import (
	"math"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	celref "cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"

	"github.com/tendhq/tend/internal/value"
)

// ownFunctions declares the functions that rewrite puts in.
func ownFunctions() []cel.EnvOption {
	unary := func(name string, f func(celref.Val) celref.Val, options ...cel.OverloadOpt) cel.EnvOption {
		return cel.Function(name, cel.Overload(name, []*cel.Type{cel.DynType}, cel.DynType,
			append(options, cel.UnaryBinding(f))...))
	}
	binary := func(name string, f func(x, y celref.Val) celref.Val) cel.EnvOption {
		return cel.Function(name, cel.Overload(name, []*cel.Type{cel.DynType, cel.DynType}, cel.DynType, cel.BinaryBinding(f)))
	}
	out := []cel.EnvOption{
		unary(functionHas, has, cel.OverloadIsNonStrict()),
		unary(functionMaybe, maybe, cel.OverloadIsNonStrict()),
		unary(functionTruth, truth),
		unary(functionSize, sizeOf),
		unary(functionWeighed, weighed),
		unary(functionFew, few),
		binary(functionAdd, add),
		binary(functionIn, func(x, y celref.Val) celref.Val { return in(x, y, false) }),
		binary(functionIn+"_lenient", func(x, y celref.Val) celref.Val { return in(x, y, true) }),
		binary(functionMatches, new(regexps).matches),
		cel.Function(functionReplace,
			cel.Overload(functionReplace+"3", []*cel.Type{cel.DynType, cel.DynType, cel.DynType}, cel.DynType, cel.FunctionBinding(replace)),
			cel.Overload(functionReplace+"4", []*cel.Type{cel.DynType, cel.DynType, cel.DynType, cel.DynType}, cel.DynType, cel.FunctionBinding(replace))),
	}
	for _, r := range []rewriting{{}, {lenient: true}, {data: true}, {lenient: true, data: true}} {
		c := comparison{lenient: r.lenient, data: r.data}
		suffix := r.suffix(r.data)
		out = append(out,
			binary("@eq"+suffix, func(x, y celref.Val) celref.Val { return c.equal(x, y, true) }),
			binary("@ne"+suffix, func(x, y celref.Val) celref.Val { return c.equal(x, y, false) }),
			binary("@lt"+suffix, func(x, y celref.Val) celref.Val { return c.order(x, y, func(i int) bool { return i < 0 }) }),
			binary("@le"+suffix, func(x, y celref.Val) celref.Val { return c.order(x, y, func(i int) bool { return i <= 0 }) }),
			binary("@gt"+suffix, func(x, y celref.Val) celref.Val { return c.order(x, y, func(i int) bool { return i > 0 }) }),
			binary("@ge"+suffix, func(x, y celref.Val) celref.Val { return c.order(x, y, func(i int) bool { return i >= 0 }) }),
		)
	}
	return out
}

func failure(format string, v ...any) celref.Val { return types.NewErr(format, v...) }

func isMissing(v celref.Val) bool {
	err, ok := v.(*types.Err)
	return ok && missing(err.String())
}

func has(v celref.Val) celref.Val {
	switch {
	case isMissing(v):
		return types.False
	case types.IsUnknownOrError(v):
		return v
	}
	return types.True
}

func maybe(v celref.Val) celref.Val {
	if isMissing(v) {
		return types.NullValue
	}
	return v
}

// truth reads null as false and the texts of booleans as these, for a Lenient logical operator.
func truth(v celref.Val) celref.Val {
	switch x := v.(type) {
	case types.Null:
		return types.False
	case types.String:
		switch s := strings.TrimSpace(string(x)); {
		case strings.EqualFold(s, "true"):
			return types.True
		case s == "" || strings.EqualFold(s, "false"):
			return types.False
		}
	}
	return v
}

func sizeOf(v celref.Val) celref.Val {
	switch x := v.(type) {
	case types.Null:
		return types.IntZero
	case traits.Sizer:
		return x.Size()
	}
	return types.MaybeNoSuchOverloadErr(v)
}

// weigh counts the values in v, all the way down, up to limit.
func weigh(v celref.Val, limit, depth int) int {
	if depth > value.MaxDepth {
		return limit + 1
	}
	n := 1
	switch x := v.(type) {
	case types.String:
		n += len(x) / 16
	case traits.Mapper:
		for it := x.Iterator(); it.HasNext() == types.True && n <= limit; {
			k := it.Next()
			n += 1 + weigh(x.Get(k), limit-n, depth+1)
		}
	case traits.Lister:
		for it := x.Iterator(); it.HasNext() == types.True && n <= limit; {
			n += weigh(it.Next(), limit-n, depth+1)
		}
	}
	return n
}

func tooLarge(v celref.Val) celref.Val {
	if n := weigh(v, maxValues, 0); n > maxValues {
		return failure("a value with more than %d parts", maxValues)
	}
	return nil
}

func weighed(v celref.Val) celref.Val {
	if err := tooLarge(v); err != nil {
		return err
	}
	if l, ok := v.(traits.Lister); ok { // of texts that are joined or formatted
		total := 0
		for it := l.Iterator(); it.HasNext() == types.True; {
			if s, isText := it.Next().(types.String); isText {
				total += len(s)
			}
		}
		if total > maxText {
			return failure("a text of more than %d bytes", maxText)
		}
	}
	return v
}

func few(v celref.Val) celref.Val {
	if l, ok := v.(traits.Lister); ok {
		if n, isInt := l.Size().(types.Int); isInt && n*n > maxPairs {
			return failure("a list of %d elements is too long to compare each with each", n)
		}
		if n := weigh(v, maxValues/100, 0); n > maxValues/100 {
			return failure("a list with more than %d parts is too large to compare each with each", maxValues/100)
		}
	}
	return v
}

func add(x, y celref.Val) celref.Val {
	switch x := x.(type) {
	case types.String:
		if y, ok := y.(types.String); ok && len(x)+len(y) > maxText {
			return failure("a text of more than %d bytes", maxText)
		}
	case types.Bytes:
		if y, ok := y.(types.Bytes); ok && len(x)+len(y) > maxText {
			return failure("a text of more than %d bytes", maxText)
		}
	case traits.Lister:
		y, ok := y.(traits.Lister)
		if !ok {
			break
		}
		n, _ := x.Size().(types.Int)
		m, _ := y.Size().(types.Int)
		if n+m > maxElements {
			return failure("a list of more than %d elements", maxElements)
		}
		elements := make([]celref.Val, 0, n+m)
		for _, l := range []traits.Lister{x, y} {
			for it := l.Iterator(); it.HasNext() == types.True; {
				elements = append(elements, it.Next())
			}
		}
		return types.NewRefValList(types.DefaultTypeAdapter, elements)
	}
	if a, ok := x.(traits.Adder); ok {
		return a.Add(y)
	}
	return noOverload("+", x, y)
}

func noOverload(operator string, x, y celref.Val) celref.Val {
	return failure("%s does not go with %s and %s", operator, describeValue(x), describeValue(y))
}

func describeValue(v celref.Val) string {
	switch v.(type) {
	case types.Null:
		return "null"
	case types.Bool:
		return "a boolean"
	case types.Int, types.Uint, types.Double:
		return "a number"
	case types.String:
		return "text"
	case traits.Mapper:
		return "a map"
	case traits.Lister:
		return "a list"
	}
	return "a " + v.Type().TypeName()
}

func in(x, y celref.Val, lenient bool) celref.Val {
	if lenient && y == types.NullValue {
		return types.False
	}
	c, ok := y.(traits.Container)
	if !ok {
		return noOverload("in", x, y)
	}
	if m, isMap := y.(traits.Mapper); isMap {
		return m.Contains(x)
	}
	if err := tooLarge(x); err != nil {
		return err
	}
	if err := tooLarge(y); err != nil {
		return err
	}
	if !lenient {
		return c.Contains(x)
	}
	l, ok := y.(traits.Lister)
	if !ok {
		return c.Contains(x)
	}
	for it := l.Iterator(); it.HasNext() == types.True; {
		if same(x, it.Next(), true) {
			return types.True
		}
	}
	return types.False
}

func replace(args ...celref.Val) celref.Val {
	text, ok1 := args[0].(types.String)
	old, ok2 := args[1].(types.String)
	with, ok3 := args[2].(types.String)
	if !ok1 || !ok2 || !ok3 {
		return noOverload("replace", args[0], args[1])
	}
	n := -1
	if len(args) == 4 {
		count, ok := args[3].(types.Int)
		if !ok {
			return noOverload("replace", args[0], args[3])
		}
		n = int(min(max(count, -1), math.MaxInt32))
	}
	found := strings.Count(string(text), string(old))
	if n >= 0 {
		found = min(found, n)
	}
	if len(text)+found*len(with) > max(maxText, len(text)) && len(with) > len(old) {
		return failure("a text of more than %d bytes", maxText)
	}
	return types.String(strings.Replace(string(text), string(old), string(with), n))
}
