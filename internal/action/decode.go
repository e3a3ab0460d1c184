package action

import (
	"errors"
	"maps"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/secret"
	"github.com/tendhq/tend/internal/value"
)

// Decode reads inputs into the struct that into points to. A field takes the input named by its tag `in:"name"`; fields
// without the tag are left alone. All problems are reported at once, as one error of kind fault.Invalid.
//
// Field types: string, bool, int, int64, float64, time.Duration (text as "30s", or a number of seconds), Text, any,
// []string, []Text, []any, map[string]string, map[string]Text, map[string]any, and pointers to these: nil when the input
// was not given. An input that is nil counts as not given. A number or a truth value given for a text is printed as in
// JSON. A secret is taken by Text and any (and by lists and maps of them), and refused by every other type, so that it
// cannot end as plain text by mistake.
func Decode(inputs map[string]any, into any) error {
	p := reflect.ValueOf(into)
	if p.Kind() != reflect.Pointer || p.IsNil() || p.Elem().Kind() != reflect.Struct {
		return fault.New(fault.Internal, "decode inputs into a %T: not a pointer to a struct", into)
	}
	s := p.Elem()
	known := map[string]bool{}
	var problems []error
	for i := range s.NumField() {
		name, ok := s.Type().Field(i).Tag.Lookup("in")
		if !ok {
			continue
		}
		known[name] = true
		v, given := inputs[name]
		if !given || v == nil {
			continue
		}
		if reason := set(s.Field(i), v); reason != "" {
			problems = append(problems, fault.New(fault.Invalid, "input %s: %s", name, reason))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(inputs)) {
		if !known[name] {
			problems = append(problems, fault.New(fault.Invalid, "input %.60s: there is no such input", name))
		}
	}
	return fault.Wrap(fault.Invalid, errors.Join(problems...), "read the inputs")
}

// The types that Decode treats as a whole, whatever their kind.
func whole(t reflect.Type) string {
	switch t {
	case reflect.TypeFor[Text]():
		return "text"
	case reflect.TypeFor[time.Duration]():
		return "duration"
	default:
		return ""
	}
}

// set stores v in f and gives the reason why it could not, or "".
func set(f reflect.Value, v any) string {
	switch whole(f.Type()) {
	case "text":
		t, reason := text(v)
		f.Set(reflect.ValueOf(t))
		return reason
	case "duration":
		d, reason := duration(v)
		f.SetInt(int64(d))
		return reason
	}
	if f.Kind() == reflect.Interface {
		f.Set(reflect.ValueOf(v))
		return ""
	}
	if f.Kind() == reflect.Pointer {
		n := reflect.New(f.Type().Elem())
		if reason := set(n.Elem(), v); reason != "" {
			return reason
		}
		f.Set(n)
		return ""
	}
	if isSecret(v) {
		return "a secret cannot be given here"
	}
	switch f.Kind() {
	case reflect.String:
		t, reason := text(v)
		f.SetString(t.plain)
		return reason
	case reflect.Bool:
		b, ok := v.(bool)
		if !ok {
			return "expected true or false, not " + describe(v)
		}
		f.SetBool(b)
	case reflect.Int, reflect.Int64:
		n, reason := integer(v)
		f.SetInt(n)
		return reason
	case reflect.Float64:
		switch n := v.(type) {
		case float64:
			f.SetFloat(n)
		case int64:
			f.SetFloat(float64(n))
		case int:
			f.SetFloat(float64(n))
		default:
			return "expected a number, not " + describe(v)
		}
	case reflect.Slice:
		return list(f, v)
	case reflect.Map:
		return object(f, v)
	default:
		return "tend cannot read a " + f.Type().String() + " (a bug)"
	}
	return ""
}

func list(f reflect.Value, v any) string {
	l, ok := v.([]any)
	if !ok {
		return "expected a list, not " + describe(v)
	}
	out := reflect.MakeSlice(f.Type(), len(l), len(l))
	for i, e := range l {
		if e == nil {
			continue
		}
		if reason := set(out.Index(i), e); reason != "" {
			return "[" + strconv.Itoa(i) + "]: " + reason
		}
	}
	f.Set(out)
	return ""
}

func object(f reflect.Value, v any) string {
	m, ok := v.(map[string]any)
	if !ok {
		return "expected a map, not " + describe(v)
	}
	out := reflect.MakeMapWithSize(f.Type(), len(m))
	for _, k := range slices.Sorted(maps.Keys(m)) {
		e := reflect.New(f.Type().Elem()).Elem()
		if m[k] != nil {
			if reason := set(e, m[k]); reason != "" {
				return k + ": " + reason
			}
		}
		out.SetMapIndex(reflect.ValueOf(k), e)
	}
	f.Set(out)
	return ""
}

func text(v any) (Text, string) {
	switch x := v.(type) {
	case Text:
		return x, ""
	case secret.Value:
		return SecretText(x), ""
	case *secret.Value:
		if x == nil {
			return Text{}, ""
		}
		return SecretText(*x), ""
	case string:
		return PlainText(x), ""
	case bool, int64, int, float64:
		return PlainText(value.Text(x)), ""
	default:
		return Text{}, "expected text, not " + describe(v)
	}
}

func integer(v any) (int64, string) {
	switch n := v.(type) {
	case int64:
		return n, ""
	case int:
		return int64(n), ""
	case float64:
		if n == math.Trunc(n) && math.Abs(n) < 1<<53 {
			return int64(n), ""
		}
	}
	return 0, "expected a whole number, not " + describe(v)
}

func duration(v any) (time.Duration, string) {
	var d time.Duration
	switch x := v.(type) {
	case time.Duration:
		d = x
	case string:
		p, err := time.ParseDuration(strings.TrimSpace(x))
		if err != nil {
			return 0, "expected a duration such as 30s or 5m, not " + describe(v)
		}
		d = p
	case int64, int, float64:
		f := reflect.ValueOf(x)
		var seconds float64
		if f.CanInt() {
			seconds = float64(f.Int())
		} else {
			seconds = f.Float()
		}
		if math.IsNaN(seconds) || math.Abs(seconds) > math.MaxInt64/float64(time.Second)/2 {
			return 0, describe(v) + " seconds are too many"
		}
		d = time.Duration(seconds * float64(time.Second))
	default:
		return 0, "expected a duration such as 30s or 5m, not " + describe(v)
	}
	if d < 0 {
		return 0, "a duration cannot be negative"
	}
	return d, ""
}

func isSecret(v any) bool {
	switch x := v.(type) {
	case secret.Value, *secret.Value:
		return true
	case Text:
		return x.Secret()
	default:
		return false
	}
}

// describe says in a few words what v is, without the content of lists, maps and secrets.
func describe(v any) string {
	switch x := v.(type) {
	case nil:
		return "nothing"
	case string:
		if r := []rune(x); len(r) > 40 {
			return strconv.Quote(string(r[:40])) + "…"
		}
		return strconv.Quote(x)
	case bool, int64, int, float64:
		return value.Text(x)
	case []any:
		return "a list"
	case map[string]any:
		return "a map"
	case secret.Value, *secret.Value, Text:
		return "a secret"
	default:
		return "something else"
	}
}
