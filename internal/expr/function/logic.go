package function

import (
	"strings"

	"github.com/tendhq/tend/internal/expr/ref"
	"github.com/tendhq/tend/internal/value"
)

func logicFunctions() []Function {
	return group(groupLogic,
		Function{Usage: "and VALUE...", Doc: "The first argument that is empty, else the last. Later arguments are not evaluated.", Min: 1, Max: -1, Special: true},
		Function{Usage: "or VALUE...", Doc: "The first argument that is not empty, else the last. Later arguments are not evaluated.", Min: 1, Max: -1, Special: true},
		Function{Usage: "not VALUE", Doc: "True for an empty value.", Min: 1, Max: 1, body: func(a *Args) any { return !Truth(a.any(0)) }},
		Function{Usage: "eq A B...", Doc: "True if A equals B, or any further one. 20 equals \"20\", and true equals \"true\".", Min: 2, Max: -1, body: eq},
		Function{Usage: "ne A B", Doc: "True if A does not equal B.", Min: 2, Max: 2, body: func(a *Args) any { return !a.equal(a.any(0), a.any(1)) }},
		Function{Usage: "lt A B", Doc: "True if A is less than B. Null is neither less nor greater than anything.", Min: 2, Max: 2, body: func(a *Args) any { c, ok := a.compare(); return ok && c < 0 }},
		Function{Usage: "le A B", Doc: "True if A is less than or equal to B.", Min: 2, Max: 2, body: func(a *Args) any { c, ok := a.compare(); return ok && c <= 0 }},
		Function{Usage: "gt A B", Doc: "True if A is greater than B.", Min: 2, Max: 2, body: func(a *Args) any { c, ok := a.compare(); return ok && c > 0 }},
		Function{Usage: "ge A B", Doc: "True if A is greater than or equal to B.", Min: 2, Max: 2, body: func(a *Args) any { c, ok := a.compare(); return ok && c >= 0 }},
		Function{Usage: "ieq A B...", Doc: "eq that does not tell upper from lower case.", Min: 2, Max: -1, body: ieq},
		Function{Usage: "ine A B", Doc: "ne that does not tell upper from lower case.", Min: 2, Max: 2, body: func(a *Args) any { return ieq(a) == false }},
		Function{Usage: "default DEFAULT VALUE", Doc: "VALUE, or DEFAULT if VALUE is missing or empty (zero and false are empty).", Min: 1, Max: 2, Guards: true, Secret: true, body: deflt},
		Function{Usage: "coalesce VALUE...", Doc: "The first argument that is not empty, else null.", Min: 0, Max: -1, Guards: true, Secret: true, body: coalesce},
		Function{Usage: "empty VALUE", Doc: "True for null, false, zero, and empty text, lists and maps.", Min: 1, Max: 1, body: func(a *Args) any { return !Truth(a.any(0)) }},
		Function{Usage: "all VALUE...", Doc: "True if no argument is empty.", Min: 0, Max: -1, body: all},
		Function{Usage: "any VALUE...", Doc: "True if an argument is not empty.", Min: 0, Max: -1, body: anyOf},
		Function{Usage: "ternary IF_TRUE IF_FALSE CONDITION", Doc: "One of two values.", Min: 3, Max: 3, body: ternary},
		Function{Usage: "required MESSAGE VALUE", Doc: "VALUE, or an error with MESSAGE if VALUE is missing, null or empty text.", Min: 2, Max: 2, Guards: true, body: required},
		Function{Usage: "fail MESSAGE", Doc: "An error with MESSAGE.", Min: 1, Max: 1, body: func(a *Args) any { return a.fail("%s", a.text(0)) }},
		Function{Usage: "secret NAME", Doc: "The secret of that name. It is put in when the step is dispatched, and never stored.", Min: 1, Max: 1, Special: true},
		Function{Usage: "callback EVENT", Doc: "The address at which a service sends that event to this run, once. It is a secret, and put in when the step is dispatched.", Min: 1, Max: 1, Special: true},
	)
}

func group(name string, fs ...Function) []Function {
	for i := range fs {
		fs[i].Group = name
	}
	return fs
}

func eq(a *Args) any {
	for i := 1; i < a.len(); i++ {
		if a.equal(a.any(0), a.any(i)) {
			return true
		}
	}
	return false
}

// equal compares across types. Lenient reads null as empty text.
func (a *Args) equal(x, y any) bool {
	if a.NoData && (x == nil) != (y == nil) {
		a.fail("there is no data: one side is null")
		return false
	}
	if a.Lenient {
		if x == nil && y == "" || x == "" && y == nil {
			return true
		}
	}
	if !a.try(a.Budget.Weigh(x)) {
		return false
	}
	return value.Equal(x, y)
}

func ieq(a *Args) any {
	for i := 1; i < a.len(); i++ {
		if a.equal(a.any(0), a.any(i)) {
			return true
		}
		x, xText := a.any(0).(string)
		y, yText := a.any(i).(string)
		if xText && yText && strings.EqualFold(x, y) {
			return true
		}
	}
	return false
}

func (a *Args) compare() (int, bool) {
	x, y := a.any(0), a.any(1)
	c, ok := value.Compare(x, y)
	if !ok && (!a.Lenient || a.NoData) {
		a.fail("%s and %s have no order", ref.Describe(x), ref.Describe(y))
	}
	return c, ok
}

func deflt(a *Args) any {
	if a.len() == 2 && Truth(a.any(1)) {
		return a.any(1)
	}
	return a.any(0)
}

func coalesce(a *Args) any {
	for _, v := range a.values {
		if Truth(v) {
			return v
		}
	}
	return nil
}

func all(a *Args) any {
	for _, v := range a.values {
		if !Truth(v) {
			return false
		}
	}
	return true
}

func anyOf(a *Args) any {
	for _, v := range a.values {
		if Truth(v) {
			return true
		}
	}
	return false
}

func ternary(a *Args) any {
	if a.bool(2) {
		return a.any(0)
	}
	return a.any(1)
}

func required(a *Args) any {
	if v := a.any(1); v != nil && v != "" {
		return v
	}
	return a.fail("%s", a.text(0))
}
