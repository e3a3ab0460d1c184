// Package ref is what expressions refer to: paths into the data, and the list of everything an expression uses.
//
// A path is `$.a[0].b`, `$.list[1:3]`, `$.list[:].name`, `$.tags.[:].name`, `$.map.*`, `$.'id-with-dash'.x` or
// `$.map["any key"]`. Resolving one reads values only: no methods, no I/O, and work in proportion to what is visited.
package ref

import (
	"strconv"
	"strings"
)

// Kind says how a Step goes down.
type Kind uint8

// The kinds of steps.
const (
	Key   Kind = iota // .name
	Index             // [2], [-1] from the end
	Slice             // [1:3], [:]; what follows applies to every element
	Each              // .* and [*]: all elements, or the values of a map in key order
)

// Step is one step of a Path.
type Step struct {
	Kind     Kind
	Key      string
	From, To int  // Index uses From
	Open     bool // a Slice without To
}

// Path leads from a value to values inside it.
type Path []Step

// Segments gives the path as lint reads it: keys as they are, `[0]` for an index, `[*]` for slices and wildcards.
func (p Path) Segments() []string {
	out := make([]string, len(p))
	for i, s := range p {
		switch s.Kind {
		case Key:
			out[i] = s.Key
		case Index:
			out[i] = "[" + strconv.Itoa(s.From) + "]"
		default:
			out[i] = Element
		}
	}
	return out
}

// Element is the segment that stands for any element of a list or map.
const Element = "[*]"

// String writes the path as a person would, without the root: `.a[0].'b-c'`.
func (p Path) String() string {
	var b strings.Builder
	for _, s := range p {
		switch s.Kind {
		case Key:
			b.WriteByte('.')
			b.WriteString(Quote(s.Key))
		case Index:
			b.WriteString("[" + strconv.Itoa(s.From) + "]")
		case Slice:
			b.WriteByte('[')
			if s.From != 0 {
				b.WriteString(strconv.Itoa(s.From))
			}
			b.WriteByte(':')
			if !s.Open {
				b.WriteString(strconv.Itoa(s.To))
			}
			b.WriteByte(']')
		case Each:
			b.WriteString(".*")
		}
	}
	return b.String()
}

// Quote writes a key as it stands in a path: in quotes unless it is a plain name.
func Quote(key string) string {
	if Plain(key) {
		return key
	}
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`, "\n", `\n`, "\t", `\t`, "\r", `\r`).Replace(key) + "'"
}

// Plain tells whether a key needs no quotes in a path.
func Plain(key string) bool {
	for _, r := range key {
		if !nameRune(r) {
			return false
		}
	}
	return key != ""
}

// Uses is what an expression needs, found without evaluating it.
type Uses struct {
	Paths     []PathUse
	Secrets   []SecretUse
	Functions []FunctionUse
}

// PathUse is one path into the data. Paths are from the root: inside `range` and `with`, behind variables and in CEL's
// macros the path of the surrounding data is put in front.
type PathUse struct {
	// Path holds keys as they are, `[0]` for an index and `[*]` for slices and wildcards. An empty Path is the whole root.
	Path []string
	// Dynamic tells that Path is only the part that is known: the rest is computed (`index $.a $i`).
	Dynamic bool
	// Guarded tells that the data may be missing here: directly inside default, coalesce, get, required or has.
	Guarded bool
	// Offset and Length say where it stands in the source, in bytes.
	Offset, Length int
}

// SecretUse is one use of the function secret: with a literal name, with a name that stands in the data, or with one that
// is computed (Name and Path empty). Callback tells that it is one of the function callback instead, which needs no secret
// of a provider and gives one.
type SecretUse struct {
	Name     string
	Path     []string
	Offset   int
	Length   int
	Callback bool
}

// callback begins the name of what the function callback gives, as names of secrets are recorded. No provider can have it.
const callback = "callback:"

// RunID is where the data say which run it is.
func RunID() []string { return []string{"run", "id"} }

// CallbackName is how the address is recorded at which event is sent to the run of the data. Data of no run give a name
// without one.
func CallbackName(data map[string]any, event string) string {
	about, _ := data["run"].(map[string]any)
	run, _ := about["id"].(string)
	return callback + run + "/" + event
}

// AsCallback reads what CallbackName made; ok is false for a secret.
func AsCallback(name string) (run, event string, ok bool) {
	rest, ok := strings.CutPrefix(name, callback)
	if !ok {
		return "", "", false
	}
	return strings.Cut(rest, "/")
}

// FunctionUse is one call of a function.
type FunctionUse struct {
	Name   string
	Offset int
	Length int
}

// Error is a problem at a place of the source. Offset is a byte, or -1.
type Error struct {
	Offset int
	Reason string
}

func (e *Error) Error() string { return e.Reason }
