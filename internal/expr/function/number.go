package function

import (
	"math"
	"math/bits"
	"strconv"
	"strings"

	"github.com/tendhq/tend/internal/value"
)

func numberFunctions() []Function {
	return group(groupNumber,
		Function{Usage: "add NUMBER...", Doc: "The sum.", Min: 0, Max: -1, body: func(a *Args) any { return a.fold(int64(0), 0, addInt, func(x, y float64) float64 { return x + y }) }},
		Function{Usage: "add1 NUMBER", Doc: "One more.", Min: 1, Max: 1, body: func(a *Args) any { return a.fold(int64(1), 0, addInt, func(x, y float64) float64 { return x + y }) }},
		Function{Usage: "sub A B", Doc: "A less B.", Min: 2, Max: 2, body: func(a *Args) any { return a.fold(a.number(0), 1, subInt, func(x, y float64) float64 { return x - y }) }},
		Function{Usage: "mul NUMBER...", Doc: "The product.", Min: 1, Max: -1, body: func(a *Args) any { return a.fold(int64(1), 0, mulInt, func(x, y float64) float64 { return x * y }) }},
		Function{Usage: "div A B", Doc: "A by B: the whole part if both are integers.", Min: 2, Max: 2, body: div},
		Function{Usage: "mod A B", Doc: "What remains of A by B.", Min: 2, Max: 2, body: mod},
		Function{Usage: "max NUMBER...", Doc: "The largest.", Min: 1, Max: -1, body: func(a *Args) any { return a.extreme(1) }},
		Function{Usage: "min NUMBER...", Doc: "The smallest.", Min: 1, Max: -1, body: func(a *Args) any { return a.extreme(-1) }},
		Function{Usage: "ceil NUMBER", Doc: "Rounded up.", Min: 1, Max: 1, body: func(a *Args) any { return a.rounded(math.Ceil) }},
		Function{Usage: "floor NUMBER", Doc: "Rounded down.", Min: 1, Max: 1, body: func(a *Args) any { return a.rounded(math.Floor) }},
		Function{Usage: "round NUMBER PLACES", Doc: "Rounded to PLACES behind the point.", Min: 1, Max: 2, body: round},
		Function{Usage: "int VALUE", Doc: "As an integer; a fraction is cut off.", Min: 1, Max: 1, body: func(a *Args) any { return a.int(0) }},
		Function{Usage: "int64 VALUE", Doc: "The same as int.", Min: 1, Max: 1, body: func(a *Args) any { return a.int(0) }},
		Function{Usage: "float64 VALUE", Doc: "As a number.", Min: 1, Max: 1, body: func(a *Args) any { return a.number(0) }},
		Function{Usage: "atoi TEXT", Doc: "The integer that TEXT spells.", Min: 1, Max: 1, body: atoi},
		Function{Usage: "until COUNT", Doc: "A list of the integers from 0 up to COUNT, without it.", Min: 1, Max: 1, body: until},
		Function{Usage: "untilStep START STOP STEP", Doc: "A list of the integers from START up to STOP, without it.", Min: 3, Max: 3, body: func(a *Args) any { return a.steps(a.int(0), a.int(1), a.int(2)) }},
		Function{Usage: "seq START STEP END", Doc: "The integers from START to END with spaces between; START and STEP are 1 if left out.", Min: 1, Max: 3, body: seq},
	)
}

func addInt(x, y int64) (int64, bool) { return x + y, (x+y > x) == (y > 0) }

func subInt(x, y int64) (int64, bool) { return x - y, (x-y < x) == (y > 0) }

func mulInt(x, y int64) (int64, bool) {
	hi, lo := bits.Mul64(magnitude(x), magnitude(y))
	if (x < 0) != (y < 0) {
		return -int64(lo), hi == 0 && lo <= 1<<63
	}
	return int64(lo), hi == 0 && lo < 1<<63
}

func magnitude(x int64) uint64 {
	if x < 0 {
		return -uint64(x)
	}
	return uint64(x)
}

// fold combines the arguments from i on: as integers while all are, else as floats.
func (a *Args) fold(acc any, i int, ints func(x, y int64) (int64, bool), floats func(x, y float64) float64) any {
	for ; i < a.len(); i++ {
		n := a.number(i)
		x, xInt := acc.(int64)
		y, yInt := n.(int64)
		if !xInt || !yInt {
			acc = floats(asFloat(acc), asFloat(n))
			continue
		}
		r, ok := ints(x, y)
		if !ok {
			return a.fail("the result does not fit into 64 bits")
		}
		acc = r
	}
	if f, ok := acc.(float64); ok {
		return a.real(f)
	}
	return acc
}

func div(a *Args) any {
	n, by := a.number(0), a.number(1)
	x, xInt := n.(int64)
	y, yInt := by.(int64)
	switch {
	case a.failed():
		return nil
	case asFloat(by) == 0:
		return a.fail("cannot divide by zero")
	case xInt && yInt:
		if x == math.MinInt64 && y == -1 {
			return a.fail("the result does not fit into 64 bits")
		}
		return x / y
	}
	return a.real(asFloat(n) / asFloat(by))
}

func mod(a *Args) any {
	x, y := a.int(0), a.int(1)
	switch {
	case a.failed():
		return nil
	case y == 0:
		return a.fail("cannot divide by zero")
	case y == -1:
		return int64(0)
	}
	return x % y
}

func (a *Args) extreme(sign int) any {
	best := a.number(0)
	for i := 1; i < a.len(); i++ {
		n := a.number(i)
		if c, ok := value.Compare(n, best); ok && c*sign > 0 {
			best = n
		}
	}
	return best
}

func (a *Args) rounded(f func(float64) float64) any {
	n := a.number(0)
	if _, ok := n.(int64); ok {
		return n
	}
	return a.real(f(asFloat(n)))
}

func round(a *Args) any {
	n, places := a.number(0), int64(0)
	if a.len() > 1 {
		places = a.int(1)
	}
	if i, ok := n.(int64); ok && places >= 0 {
		return i
	}
	if places > 300 || places < -300 {
		return a.fail("cannot round to %d places", places)
	}
	pow := math.Pow(10, float64(places))
	digits := asFloat(n) * pow
	if math.IsInf(digits, 0) {
		return n
	}
	return a.real(math.Floor(digits+0.5) / pow)
}

func atoi(a *Args) any {
	s := a.text(0)
	if a.Lenient && s == "" {
		return int64(0)
	}
	n, err := strconv.ParseInt(strings.TrimSpace(s), 10, 64)
	if err != nil {
		a.wrong(0, "an integer")
	}
	return n
}

func until(a *Args) any {
	n := a.int(0)
	if n < 0 {
		return a.steps(0, n, -1)
	}
	return a.steps(0, n, 1)
}

func (a *Args) steps(start, stop, step int64) any {
	n := a.countSteps(start, stop, step)
	if !a.visit(n) {
		return nil
	}
	out := make([]any, n)
	for i := range out {
		out[i] = start + int64(i)*step
	}
	return out
}

// countSteps answers how many integers there are from start up to stop, or more than any budget allows.
func (a *Args) countSteps(start, stop, step int64) int {
	if a.failed() || step == 0 || (stop > start) != (step > 0) || stop == start {
		return 0
	}
	distance := uint64(stop) - uint64(start)
	if step < 0 {
		distance = -distance
	}
	by := magnitude(step)
	n := distance / by
	if distance%by != 0 {
		n++
	}
	return int(min(n, math.MaxInt32))
}

func seq(a *Args) any {
	start, step, end := int64(1), int64(1), a.int(a.len()-1)
	if a.len() > 1 {
		start = a.int(0)
	}
	if end < start {
		step = -1
	}
	if a.len() == 3 {
		step = a.int(1)
	}
	if end == math.MaxInt64 || end == math.MinInt64 {
		return a.fail("the sequence is too long")
	}
	stop := end + 1
	if end < start {
		stop = end - 1
	}
	list, _ := a.steps(start, stop, step).([]any)
	return a.join(" ", list)
}
