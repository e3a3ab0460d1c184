package value

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Number reads v as a number: int64 or float64 as they are, and text that spells a decimal number (spaces around it do
// not count). Everything else, NaN and infinities are not numbers.
func Number(v any) (any, bool) {
	switch x := v.(type) {
	case int64:
		return x, true
	case int:
		return int64(x), true
	case float64:
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return nil, false
		}
		return x, true
	case string:
		return parseNumber(strings.TrimSpace(x))
	}
	return nil, false
}

func parseNumber(s string) (any, bool) {
	if s == "" || len(s) > 400 {
		return nil, false
	}
	for i := range len(s) {
		switch c := s[i]; {
		case c >= '0' && c <= '9', c == '+', c == '-', c == '.', c == 'e', c == 'E':
		default:
			return nil, false // hexadecimal, underscores, "inf" and "nan" are text
		}
	}
	if i, err := strconv.ParseInt(s, 10, 64); err == nil {
		return i, true
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsInf(f, 0) {
		return nil, false
	}
	n, err := number(f)
	return n, err == nil
}

// Equal compares across types, deeply: an integer with a float by their value, a number with text that spells it ("20"
// is 20), a bool with "true" and "false" in any case. Two texts are equal only when they are the same text.
func Equal(a, b any) bool {
	switch x := a.(type) {
	case nil:
		return b == nil
	case bool:
		return equalBool(x, b)
	case string:
		switch y := b.(type) {
		case string:
			return x == y
		case bool:
			return equalBool(y, a)
		}
	case []any:
		y, ok := b.([]any)
		return ok && slices.EqualFunc(x, y, Equal)
	case map[string]any:
		y, ok := b.(map[string]any)
		return ok && maps.EqualFunc(x, y, Equal)
	}
	switch b.(type) {
	case int64, int, float64, string:
		c, ok := numbers(a, b)
		return ok && c == 0
	}
	return false
}

func equalBool(x bool, v any) bool {
	switch y := v.(type) {
	case bool:
		return x == y
	case string:
		return strings.EqualFold(strings.TrimSpace(y), strconv.FormatBool(x))
	}
	return false
}

// Compare orders two values: numbers and texts that spell numbers by value, two texts by their bytes, false before true.
// ok is false when they have no order, as with null, lists, maps, and a number beside a text that spells none.
func Compare(a, b any) (c int, ok bool) {
	if x, isText := a.(string); isText {
		if y, isText := b.(string); isText {
			return strings.Compare(x, y), true
		}
	}
	if x, isBool := a.(bool); isBool {
		y, isBool := b.(bool)
		if !isBool || x == y {
			return 0, isBool
		}
		if x {
			return 1, true
		}
		return -1, true
	}
	return numbers(a, b)
}

func numbers(a, b any) (int, bool) {
	x, ok := Number(a)
	if !ok {
		return 0, false
	}
	y, ok := Number(b)
	if !ok {
		return 0, false
	}
	switch x := x.(type) {
	case int64:
		switch y := y.(type) {
		case int64:
			return cmp.Compare(x, y), true
		case float64:
			return compareMixed(x, y), true
		}
	case float64:
		switch y := y.(type) {
		case int64:
			return -compareMixed(y, x), true
		case float64:
			return cmp.Compare(x, y), true
		}
	}
	return 0, false
}

// compareMixed orders i and f without losing the low digits of a large i.
func compareMixed(i int64, f float64) int {
	switch {
	case f >= math.MaxInt64:
		return -1
	case f < math.MinInt64:
		return 1
	}
	whole := math.Floor(f)
	if c := cmp.Compare(i, int64(whole)); c != 0 || whole == f {
		return c
	}
	return -1
}

// Weigh counts what v comes to when it is written out: one for every value and one for every byte of text and key. It
// stops at limit, and at MaxDepth, and answers ok false then. A value that holds another in many places (which only an
// expression can build) is counted once for each place.
func Weigh(v any, limit int) (n int, ok bool) {
	n = weigh(v, limit, 0)
	return n, n <= limit
}

func weigh(v any, limit, depth int) int {
	if depth > MaxDepth {
		return limit + 1
	}
	n := 1
	switch x := v.(type) {
	case string:
		n += len(x)
	case []any:
		for _, e := range x {
			if n += weigh(e, limit-n, depth+1); n > limit {
				break
			}
		}
	case map[string]any:
		for k, e := range x {
			if n += len(k) + weigh(e, limit-n, depth+1); n > limit {
				break
			}
		}
	}
	return n
}
