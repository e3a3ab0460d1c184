package value_test

import (
	"math"
	"testing"

	"github.com/tendhq/tend/internal/value"
)

func TestEqual(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		a, b any
		want bool
	}{
		{int64(20), "20", true},
		{int64(20), " 20 ", true},
		{int64(20), "20.0", true},
		{int64(20), 20.0, true},
		{int64(20), 20.5, false},
		{"20", "20.0", false},
		{"a", int64(0), false},
		{"", int64(0), false},
		{"0x10", int64(16), false},
		{"nan", math.NaN(), false},
		{math.NaN(), math.NaN(), false},
		{true, "True", true},
		{"false", false, true},
		{true, "yes", false},
		{true, int64(1), false},
		{nil, nil, true},
		{nil, "", false},
		{nil, int64(0), false},
		{[]any{int64(1), "2"}, []any{1.0, int64(2)}, true},
		{[]any{int64(1)}, []any{int64(1), int64(2)}, false},
		{map[string]any{"a": nil}, map[string]any{"b": nil}, false},
		{map[string]any{"a": "1"}, map[string]any{"a": int64(1)}, true},
		{map[string]any{}, []any{}, false},
		{int64(1), []any{int64(1)}, false},
		{int64(math.MaxInt64), float64(math.MaxInt64), false},
		{int64(math.MaxInt64), "9223372036854775807", true},
	} {
		if got := value.Equal(c.a, c.b); got != c.want {
			t.Errorf("Equal(%#v, %#v) = %v", c.a, c.b, got)
		}
		if got := value.Equal(c.b, c.a); got != c.want {
			t.Errorf("Equal(%#v, %#v) = %v", c.b, c.a, got)
		}
	}
}

func TestCompare(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		a, b any
		want int
		ok   bool
	}{
		{int64(1), int64(2), -1, true},
		{int64(3), 2.5, 1, true},
		{int64(2), 2.5, -1, true},
		{int64(-2), -2.5, 1, true},
		{int64(math.MaxInt64), 1e19, -1, true},
		{int64(math.MinInt64), -1e19, 1, true},
		{int64(1<<53 + 1), float64(1 << 53), 1, true},
		{"9", int64(10), -1, true},
		{"9", "10", 1, true},
		{"x", int64(10), 0, false},
		{nil, int64(0), 0, false},
		{false, true, -1, true},
		{true, "true", 0, false},
		{[]any{}, []any{}, 0, false},
		{math.NaN(), int64(1), 0, false},
	} {
		got, ok := value.Compare(c.a, c.b)
		if got != c.want || ok != c.ok {
			t.Errorf("Compare(%#v, %#v) = %d, %v", c.a, c.b, got, ok)
		}
		if back, _ := value.Compare(c.b, c.a); back != -c.want {
			t.Errorf("Compare(%#v, %#v) = %d", c.b, c.a, back)
		}
	}
}

func TestWeighStops(t *testing.T) {
	t.Parallel()
	// Forty lists, each holding the one before twice: 2^40 values when written out.
	var bomb any = "x"
	for range 40 {
		bomb = []any{bomb, bomb}
	}
	if n, ok := value.Weigh(bomb, 1000); ok {
		t.Errorf("weighed %d", n)
	}
	var deep any
	for range value.MaxDepth + 2 {
		deep = []any{deep}
	}
	if _, ok := value.Weigh(deep, 1_000_000); ok {
		t.Error("did not refuse deep data")
	}
	if n, ok := value.Weigh(map[string]any{"ab": []any{"cde", nil}}, 100); !ok || n != 9 {
		t.Errorf("weighed %d, %v", n, ok)
	}
}
