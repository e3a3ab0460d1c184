package function

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"

	"github.com/tendhq/tend/internal/expr/ref"
	"github.com/tendhq/tend/internal/value"
)

// Env is what a call sees beside its arguments. It belongs to one evaluation.
type Env struct {
	Lenient bool
	// NoData makes it an error to compare null with anything but null: what waits for a state of the world must not take
	// the lack of data for that state.
	NoData  bool
	Budget  *Budget
	regexps map[string]*compiled
}

// Text prints v as value.Text does, within the budget.
func (e *Env) Text(v any) (string, error) {
	if s, ok := v.(string); ok {
		return s, e.Budget.Spend(len(s))
	}
	if err := e.Budget.Weigh(v); err != nil {
		return "", err
	}
	return value.Text(v), nil
}

type compiled struct {
	re *regexp.Regexp
	// price is the work for one byte of text.
	price int
}

// Args are the arguments of one call. The first problem is kept: a function reads all its arguments, and what it makes of
// them does not count once there was a problem.
type Args struct {
	*Env
	values []any
	err    error
}

func (a *Args) len() int { return len(a.values) }

func (a *Args) failed() bool { return a.err != nil }

func (a *Args) fail(format string, v ...any) any {
	if a.err == nil {
		a.err = fmt.Errorf(format, v...)
	}
	return nil
}

func (a *Args) try(err error) bool {
	if a.err == nil {
		a.err = err
	}
	return a.err == nil
}

func (a *Args) wrong(i int, want string) {
	v := a.values[i]
	if s, ok := v.(string); ok {
		a.fail("argument %d is %s, not %s", i+1, excerpt(s), want)
		return
	}
	a.fail("argument %d is %s, not %s", i+1, ref.Describe(v), want)
}

func excerpt(s string) string {
	const most = 40
	if r := []rune(s[:min(len(s), 4*most)]); len(r) > most {
		s = string(r[:most]) + "…"
	}
	return strconv.Quote(s)
}

// null answers whether argument i is null; a Strict call refuses that.
func (a *Args) null(i int, want string) bool {
	if a.values[i] != nil {
		return false
	}
	if !a.Lenient {
		a.wrong(i, want)
	}
	return true
}

// any gives argument i as it is.
func (a *Args) any(i int) any { return a.values[i] }

// text gives argument i as text. Numbers, booleans, lists and maps are printed.
func (a *Args) text(i int) string {
	if a.null(i, "text") {
		return ""
	}
	return a.print(a.values[i])
}

// print gives v as value.Text does, within the budget.
func (a *Args) print(v any) string {
	s, err := a.Text(v)
	a.try(err)
	return s
}

// made passes on a text that the function has built, and pays for it.
func (a *Args) made(s string) any {
	if !a.try(a.Budget.Text(len(s))) {
		return nil
	}
	return s
}

// room answers whether a text of n bytes may be built.
func (a *Args) room(n int) bool { return a.err == nil && a.try(a.Budget.Text(n)) }

// grow answers whether a text of have bytes may become longer, and pays for what is added.
func (a *Args) grow(have, more int) bool {
	return a.err == nil && a.try(a.Budget.fits(have+more)) && a.try(a.Budget.Spend(more))
}

// visit answers whether n elements may be gone through.
func (a *Args) visit(n int) bool { return a.err == nil && a.try(a.Budget.Visit(n)) }

// number gives argument i as int64 or float64.
func (a *Args) number(i int) any {
	switch x := a.values[i].(type) {
	case bool:
		if x {
			return int64(1)
		}
		return int64(0)
	case string:
		if a.Lenient && strings.TrimSpace(x) == "" {
			return int64(0)
		}
	case nil:
		a.null(i, "a number")
		return int64(0)
	}
	n, ok := value.Number(a.values[i])
	if !ok {
		a.wrong(i, "a number")
		return int64(0)
	}
	return n
}

// int gives argument i as an integer; a fraction is cut off.
func (a *Args) int(i int) int64 {
	n, ok := whole(a.number(i))
	if !ok {
		a.fail("argument %d does not fit into 64 bits", i+1)
	}
	return n
}

func whole(n any) (int64, bool) {
	switch x := n.(type) {
	case int64:
		return x, true
	case float64:
		if x >= math.MinInt64 && x < math.MaxInt64 {
			return int64(x), true
		}
	}
	return 0, false
}

func (a *Args) float(i int) float64 { return asFloat(a.number(i)) }

func asFloat(n any) float64 {
	if i, ok := n.(int64); ok {
		return float64(i)
	}
	f, _ := n.(float64)
	return f
}

// real gives f as a number: int64 when it is integral.
func (a *Args) real(f float64) any {
	n, err := value.Normalize(f)
	if err != nil {
		return a.fail("the result is not a number")
	}
	return n
}

// list gives argument i as a list and pays for going through it.
func (a *Args) list(i int) []any {
	l := a.listUnread(i)
	a.visit(len(l))
	return l
}

// listUnread gives argument i as a list that is not gone through.
func (a *Args) listUnread(i int) []any {
	if a.null(i, "a list") {
		return []any{}
	}
	switch x := a.values[i].(type) {
	case []any:
		return x
	case string:
		if a.Lenient && x == "" {
			return []any{}
		}
	}
	a.wrong(i, "a list")
	return []any{}
}

// dict gives argument i as a map that is not gone through.
func (a *Args) dict(i int) map[string]any {
	if a.null(i, "a map") {
		return map[string]any{}
	}
	switch x := a.values[i].(type) {
	case map[string]any:
		return x
	case value.Object:
		return x
	case string:
		if a.Lenient && x == "" {
			return map[string]any{}
		}
	}
	a.wrong(i, "a map")
	return map[string]any{}
}

// bool gives argument i as a boolean.
func (a *Args) bool(i int) bool {
	switch x := a.values[i].(type) {
	case bool:
		return x
	case string:
		switch s := strings.TrimSpace(x); {
		case strings.EqualFold(s, "true"):
			return true
		case strings.EqualFold(s, "false"):
			return false
		}
	}
	if !a.Lenient {
		a.wrong(i, "true or false")
	}
	return Truth(a.values[i])
}

// Truth is the truth of Go's templates: false, zero, null, and empty text, lists and maps are false.
func Truth(v any) bool {
	switch x := v.(type) {
	case nil:
		return false
	case bool:
		return x
	case int64:
		return x != 0
	case int:
		return x != 0
	case float64:
		return x != 0 && !math.IsNaN(x)
	case string:
		return x != ""
	case []any:
		return len(x) > 0
	case map[string]any:
		return len(x) > 0
	case value.Object:
		return len(x) > 0
	}
	return true
}
