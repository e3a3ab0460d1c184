package logic

import (
	"math"
	"strings"

	"cel.dev/cel-go/common/types"
	celref "cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"

	"github.com/tendhq/tend/internal/value"
)

// comparison is == != < <= > >= with the rules of a dialect. Strict ones are CEL's, with numbers of all kinds compared by
// value. Lenient ones cross types, like the functions of templates.
type comparison struct{ lenient, data bool }

// lacksData tells whether a comparison would decide about null, or about what is not a number.
func lacksData(x, y celref.Val) bool {
	if (x == types.NullValue) != (y == types.NullValue) {
		return true
	}
	return isNaN(x) || isNaN(y)
}

func isNaN(v celref.Val) bool {
	f, ok := v.(types.Double)
	return ok && math.IsNaN(float64(f))
}

func noData(x, y celref.Val) celref.Val {
	if isNaN(x) || isNaN(y) {
		return failure("there is no data: one side is not a number (NaN)")
	}
	return failure("there is no data: one side is null")
}

func (c comparison) equal(x, y celref.Val, want bool) celref.Val {
	if c.data && lacksData(x, y) {
		return noData(x, y)
	}
	if err := tooLarge(x); err != nil {
		return err
	}
	return types.Bool(same(x, y, c.lenient) == want)
}

// same is equality. Lenient crosses types and reads null as empty text.
func same(x, y celref.Val, lenient bool) bool {
	if !lenient {
		return types.Equal(x, y) == types.True
	}
	if x == types.NullValue || y == types.NullValue {
		return x == y || x == types.String("") || y == types.String("")
	}
	if v, ok := scalar(x); ok {
		if w, ok := scalar(y); ok {
			return value.Equal(v, w)
		}
		return false
	}
	return types.Equal(x, y) == types.True
}

func (c comparison) order(x, y celref.Val, holds func(int) bool) celref.Val {
	if x == types.NullValue || y == types.NullValue || isNaN(x) || isNaN(y) {
		if c.data {
			return noData(x, y)
		}
		if c.lenient || isNaN(x) || isNaN(y) {
			return types.False
		}
		return noData(x, y)
	}
	v, vScalar := scalar(x)
	w, wScalar := scalar(y)
	if vScalar && wScalar {
		_, vText := v.(string)
		_, wText := w.(string)
		if c.lenient || vText == wText {
			if i, ok := value.Compare(v, w); ok {
				return types.Bool(holds(i))
			}
		}
		if c.lenient && !c.data {
			return types.False
		}
		return failure("%s and %s have no order%s", describeValue(x), describeValue(y), hint(v, w))
	}
	if comparer, ok := x.(traits.Comparer); ok {
		if i, ok := comparer.Compare(y).(types.Int); ok {
			return types.Bool(holds(int(i)))
		}
	}
	return failure("%s and %s have no order", describeValue(x), describeValue(y))
}

// hint helps where a text spells a number.
func hint(v, w any) string {
	for _, x := range []any{v, w} {
		if s, ok := x.(string); ok {
			if _, ok := value.Number(strings.TrimSpace(s)); ok {
				return "; double() makes a number of a text"
			}
		}
	}
	return ""
}

// scalar gives a boolean, number or text as a value.
func scalar(v celref.Val) (any, bool) {
	switch x := v.(type) {
	case types.Bool:
		return bool(x), true
	case types.Int:
		return int64(x), true
	case types.Uint:
		if x > math.MaxInt64 {
			return float64(x), true
		}
		return int64(x), true
	case types.Double:
		return float64(x), true
	case types.String:
		return string(x), true
	}
	return nil, false
}
