// Package function is the library of functions that templates may call.
//
// Names and meaning are those of Go's text/template and of the sprig library where they have such a function, with these
// rules on top. Functions are pure: what changes its argument elsewhere (set, unset, merge) answers a changed copy here.
// They see no environment, network, clock or randomness. They are bounded: every list they go through, every text they
// build and every regular expression they run is paid from a Budget before the work is done. They cut text at characters,
// never inside one. Integers stay integers, and what does not fit into one is an error. Nothing panics.
//
// Null and missing arguments depend on the dialect. A Strict call takes null only where any value is taken; a Lenient
// call reads it as empty text, list or map, or zero.
package function

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Function is one function of the library.
type Function struct {
	Name  string
	Usage string // `trunc LENGTH TEXT`
	Group string
	Doc   string // one line

	// Min and Max bound the number of arguments; Max -1 is any number.
	Min, Max int
	// Guards tells that an argument may be a path that is missing.
	Guards bool
	// Secret tells that an argument may be a secret. The result is then as secret as the argument.
	Secret bool
	// Special functions are evaluated by the template engine itself: and, or, secret, callback. They have no body.
	Special bool

	body func(*Args) any
}

// Names of the special functions, and of those that the engine looks into.
const (
	And      = "and"
	Or       = "or"
	Secret   = "secret"
	Callback = "callback"
	Index    = "index"
	Get      = "get"
	HasKey   = "hasKey"
)

// Groups of functions, in the order of the reference.
const (
	groupLogic   = "logic"
	groupText    = "text"
	groupRegex   = "regular expressions"
	groupNumber  = "numbers"
	groupList    = "lists"
	groupMap     = "maps"
	groupConvert = "conversion and encoding"
	groupTime    = "time"
	groupVersion = "versions"
)

var errUnknown = errors.New("unknown function")

// Set is the library.
type Set struct {
	byName map[string]*Function
	groups []string
}

// Standard makes the library.
func Standard() *Set {
	s := &Set{byName: make(map[string]*Function, 192)}
	for _, group := range [][]Function{
		logicFunctions(), textFunctions(), casingFunctions(), regexFunctions(), numberFunctions(), listFunctions(),
		mapFunctions(), convertFunctions(), encodingFunctions(), timeFunctions(), versionFunctions(),
	} {
		for i := range group {
			f := &group[i]
			f.Name, _, _ = strings.Cut(f.Usage, " ")
			s.byName[f.Name] = f
			if !slices.Contains(s.groups, f.Group) {
				s.groups = append(s.groups, f.Group)
			}
		}
	}
	return s
}

// Find answers the function of that name. sprig's mustX is X: all functions here answer errors.
func (s *Set) Find(name string) (*Function, bool) {
	f, ok := s.byName[name]
	if ok {
		return f, true
	}
	rest, isMust := strings.CutPrefix(name, "must")
	r, n := utf8.DecodeRuneInString(rest)
	if !isMust || !unicode.IsUpper(r) {
		return nil, false
	}
	f, ok = s.byName[string(unicode.ToLower(r))+rest[n:]]
	return f, ok
}

// Names lists the functions in order.
func (s *Set) Names() []string {
	out := make([]string, 0, len(s.byName))
	for name := range s.byName {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

// List gives the functions by group and name, for the reference.
func (s *Set) List() []Function {
	out := make([]Function, 0, len(s.byName))
	for _, f := range s.byName {
		out = append(out, *f)
	}
	slices.SortFunc(out, func(a, b Function) int {
		return cmp.Or(cmp.Compare(slices.Index(s.groups, a.Group), slices.Index(s.groups, b.Group)), cmp.Compare(a.Name, b.Name))
	})
	return out
}

// Arity says what is wrong with a number of arguments, or "".
func (f *Function) Arity(n int) string {
	switch {
	case n >= f.Min && (f.Max < 0 || n <= f.Max):
		return ""
	case f.Min == f.Max:
		return fmt.Sprintf("%s takes %s, not %d: %s", f.Name, arguments(f.Min), n, f.Usage)
	case n < f.Min:
		return fmt.Sprintf("%s takes at least %s, not %d: %s", f.Name, arguments(f.Min), n, f.Usage)
	default:
		return fmt.Sprintf("%s takes at most %s, not %d: %s", f.Name, arguments(f.Max), n, f.Usage)
	}
}

func arguments(n int) string {
	if n == 1 {
		return "1 argument"
	}
	return fmt.Sprintf("%d arguments", n)
}

// Call calls f. The number of arguments has been checked with Arity.
func (f *Function) Call(e *Env, args []any) (any, error) {
	if f.body == nil {
		return nil, errUnknown
	}
	if err := e.Budget.Spend(workCall); err != nil {
		return nil, err
	}
	a := Args{Env: e, values: args}
	v := f.body(&a)
	if a.err != nil {
		return nil, a.err
	}
	return v, nil
}
