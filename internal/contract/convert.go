package contract

import (
	"bytes"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/secret"
	"github.com/tendhq/tend/internal/spelling"
	"github.com/tendhq/tend/internal/value"
)

// Convert turns v into the type of f, reading texts as people write them on a command line and the older dialect does
// in its environment: JSON, comma lists, "True", "20". A secret passes where the type is text or anything, and nowhere
// else. The messages of its errors never hold a sensitive value.
func Convert(v any, f Field) (any, error) { return convert(v, &f, true) }

// ConvertLiteral is Convert for what is written in a document: in tend/v1 only texts that can be meant in one way are read
// as another type.
func ConvertLiteral(v any, f Field, d expr.Dialect) (any, error) {
	return convert(v, &f, d == expr.Lenient)
}

// convert is Convert; with loose unset, only texts that can be meant in one way are read as another type. What is veiled
// stays so; what is sealed already was converted before.
func convert(v any, f *Field, loose bool) (any, error) {
	if veiled, ok := v.(expr.Veiled); ok {
		g := *f
		g.Sensitive = true
		out, err := convert(veiled.Reveal(), &g, loose)
		return expr.Veil(out), err
	}
	if Opaque(v) {
		if d, ok := expr.AsDeferred(v); ok && d.Open {
			return v, nil
		}
		switch f.Type {
		case String, Var, Any, "":
			return v, nil
		default:
			return nil, fmt.Errorf("a secret cannot be %s", article(f.Type))
		}
	}
	out, err := convertType(v, f, loose)
	if err != nil {
		return nil, err
	}
	if len(f.Enum) > 0 && !slices.ContainsFunc(f.Enum, func(e any) bool { return same(e, out) }) {
		return nil, fmt.Errorf("must be one of %s, not %s", listed(f.Enum), f.show(v))
	}
	return out, f.matches(out)
}

// Nearest is the word of the enum that v was probably meant to be, or "".
func (f *Field) Nearest(v any) string {
	text, ok := v.(string)
	if !ok || f.Sensitive {
		return ""
	}
	words := make([]string, len(f.Enum))
	for i := range f.Enum {
		words[i] = value.Text(f.Enum[i])
	}
	return spelling.Nearest(text, words)
}

// matches checks the pattern.
func (f *Field) matches(v any) error {
	if f.Pattern == "" {
		return nil
	}
	re, err := regexp.Compile(`^(?:` + f.Pattern + `)$`)
	if err != nil {
		return fmt.Errorf("has a pattern that cannot be used: %w", err)
	}
	if !re.MatchString(value.Text(v)) {
		return fmt.Errorf("must match %s, and %s does not", f.Pattern, f.show(v))
	}
	return nil
}

func convertType(v any, f *Field, loose bool) (any, error) {
	switch f.Type {
	case Any, "":
		return v, nil
	case String, Var, SPD, Secret, Integration:
		return toText(v, f, loose)
	case Number:
		return toNumber(v, f)
	case Boolean:
		return toBoolean(v, f, loose)
	case List:
		return toList(v, f, loose)
	case Map:
		return toMap(v, f, loose)
	case Duration:
		return toDuration(v, f, loose)
	default:
		return nil, fmt.Errorf("there is no type %q", string(f.Type))
	}
}

// Opaque tells values that cannot be looked into: a secret, or a template that is finished at dispatch.
func Opaque(v any) bool {
	switch x := v.(type) {
	case secret.Value, *secret.Value, expr.Deferred:
		return true
	case expr.Veiled:
		return Opaque(x.Reveal())
	case map[string]any:
		_, ok := x[expr.DeferredKey]
		return ok && len(x) == 1
	default:
		return false
	}
}

func toText(v any, f *Field, loose bool) (any, error) {
	switch x := v.(type) {
	case string:
		return x, nil
	case bool, int64, int, float64:
		return value.Text(x), nil
	case nil:
		return nil, f.wrong(v, "")
	default:
		if loose {
			return value.Text(v), nil
		}
		return nil, f.wrong(v, "; toJson makes a text of it")
	}
}

func toNumber(v any, f *Field) (any, error) {
	switch x := v.(type) {
	case int64:
		return x, nil
	case int:
		return int64(x), nil
	case float64:
		n, err := value.Normalize(x)
		if err != nil {
			return nil, f.wrong(v, "")
		}
		return n, nil
	case string:
		text := strings.TrimSpace(x)
		if i, err := strconv.ParseInt(text, 10, 64); err == nil {
			return i, nil
		}
		n, err := strconv.ParseFloat(text, 64)
		if err != nil || math.IsNaN(n) || math.IsInf(n, 0) || strings.ContainsAny(text, "xX_pP") {
			return nil, f.wrong(v, "")
		}
		return value.Normalize(n)
	default:
		return nil, f.wrong(v, "")
	}
}

func toBoolean(v any, f *Field, loose bool) (any, error) {
	switch x := v.(type) {
	case bool:
		return x, nil
	case string:
		switch text := strings.TrimSpace(x); {
		case text == "true", loose && strings.EqualFold(text, "true"):
			return true, nil
		case text == "false", loose && strings.EqualFold(text, "false"):
			return false, nil
		case loose && (strings.EqualFold(text, "yes") || strings.EqualFold(text, "on") || text == "1"):
			return true, nil
		case loose && (strings.EqualFold(text, "no") || strings.EqualFold(text, "off") || text == "0"):
			return false, nil
		}
	case int64:
		if loose && (x == 0 || x == 1) {
			return x == 1, nil
		}
	}
	return nil, f.wrong(v, ": write true or false")
}

func toList(v any, f *Field, loose bool) (any, error) {
	items, ok := v.([]any)
	if text, isText := v.(string); isText {
		switch trimmed := strings.TrimSpace(text); {
		case strings.HasPrefix(trimmed, "["):
			parsed, err := value.Parse([]byte(trimmed))
			if items, ok = parsed.([]any); err != nil || !ok || expr.Holds(parsed) {
				return nil, f.wrong(v, ": it begins like JSON and is none")
			}
		case !loose:
			return nil, f.wrong(v, ": write [a, b], or JSON")
		default:
			items, ok = commaList(trimmed), true
		}
	}
	if !ok {
		if !loose || v == nil {
			return nil, f.wrong(v, "")
		}
		items = []any{v}
	}
	if f.Items == nil {
		return items, nil
	}
	out := make([]any, len(items))
	for i, item := range items {
		n, err := convert(item, f.inherit(f.Items), loose)
		if err != nil {
			return nil, fmt.Errorf("[%d]: %w", i, err)
		}
		out[i] = n
	}
	return out, nil
}

// commaList cuts at commas and line ends, or is one item when there are none.
func commaList(text string) []any {
	out := []any{}
	for _, part := range strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == '\n' || r == '\r' }) {
		if part = strings.TrimSpace(part); part != "" {
			out = append(out, part)
		}
	}
	return out
}

func toMap(v any, f *Field, loose bool) (any, error) {
	m, ok := v.(map[string]any)
	if text, isText := v.(string); isText {
		parsed, err := value.Parse([]byte(strings.TrimSpace(text)))
		if m, ok = parsed.(map[string]any); err != nil || !ok || expr.Holds(parsed) {
			return nil, f.wrong(v, `: write it as JSON, {"key": "value"}`)
		}
	}
	if !ok {
		return nil, f.wrong(v, "")
	}
	if len(f.Fields) == 0 {
		return m, nil
	}
	out, problems := fill("input", f.Fields, m, loose)
	if len(problems) > 0 {
		return nil, fmt.Errorf("%s", strings.Join(problems, "; "))
	}
	return out, nil
}

// toDuration gives the text that time.ParseDuration reads. A bare number is seconds in the older dialect.
func toDuration(v any, f *Field, loose bool) (any, error) {
	text, ok := v.(string)
	if !ok {
		if !loose {
			return nil, f.wrong(v, ": write 30s, 5m or 1h30m")
		}
		text = value.Text(v)
	}
	dialect := expr.Strict
	if loose {
		dialect = expr.Lenient
	}
	d, err := DurationIn(dialect, text)
	if err != nil {
		if f.Sensitive {
			return nil, f.wrong(v, "")
		}
		return nil, err
	}
	return d.String(), nil
}

// inherit makes an item as sensitive as what it is in.
func (f *Field) inherit(item *Field) *Field {
	if !f.Sensitive || item.Sensitive {
		return item
	}
	i := *item
	i.Sensitive = true
	return &i
}

func (f *Field) wrong(v any, hint string) error {
	return fmt.Errorf("must be %s, not %s%s", article(f.Type), f.show(v), hint)
}

// show words a value for a message.
func (f *Field) show(v any) string {
	kind := "something else"
	switch x := v.(type) {
	case nil:
		return "nothing"
	case bool:
		kind = strconv.FormatBool(x)
	case int64, int, float64:
		kind = "the number " + value.Text(x)
	case string:
		if f.Sensitive {
			return "that text"
		}
		if len(x) > 60 {
			x = strings.ToValidUTF8(x[:60], "") + "…"
		}
		kind = fmt.Sprintf("the text %q", x)
	case []any:
		return "a list"
	case map[string]any:
		return "a map"
	}
	if f.Sensitive {
		return "that"
	}
	return kind
}

func article(t Type) string {
	switch t {
	case String, Var:
		return "a text"
	case SPD:
		return "the name of a runner"
	case Integration:
		return "the name of an integration"
	case Secret:
		return "the name of a secret"
	case Number, Boolean, List, Map, Duration:
		return "a " + string(t)
	default:
		return string(t)
	}
}

func listed(vs []any) string {
	out := make([]string, len(vs))
	for i, v := range vs {
		out[i] = value.Text(v)
	}
	return strings.Join(out, ", ")
}

// same compares data as JSON does.
func same(a, b any) bool {
	x, errX := value.Canonical(a)
	y, errY := value.Canonical(b)
	return errX == nil && errY == nil && bytes.Equal(x, y)
}

// Inputs brings what a step gives into the form that its action declares: defaults filled in, everything converted,
// required inputs there and not empty, nothing unknown. All problems come in one error. In the older dialect an empty
// text is not given, and what the action does not know is left out.
func Inputs(fields []Field, given map[string]any, d expr.Dialect) (map[string]any, error) {
	return bring("input", fields, given, d)
}

// Outputs brings what a playbook or module gives into the form that it declares, as Inputs does.
func Outputs(fields []Field, given map[string]any, d expr.Dialect) (map[string]any, error) {
	return bring("output", fields, given, d)
}

func bring(what string, fields []Field, given map[string]any, d expr.Dialect) (map[string]any, error) {
	if d == expr.Lenient {
		kept := make(map[string]any, len(given))
		for k, v := range given {
			if s, ok := expr.Revealed(v).(string); ok && strings.TrimSpace(s) == "" {
				continue
			}
			if slices.ContainsFunc(fields, func(f Field) bool { return f.Name == k }) {
				kept[k] = v
			}
		}
		given = kept
	}
	out, problems := fill(what, fields, given, d == expr.Lenient)
	if len(problems) > 0 {
		return nil, &fault.Error{Kind: fault.Invalid, Message: strings.Join(problems, "; ")}
	}
	return out, nil
}

// fill converts given to fields and lists what is wrong, in a fixed order.
func fill(what string, fields []Field, given map[string]any, loose bool) (map[string]any, []string) {
	out := make(map[string]any, len(fields))
	var problems []string
	for i := range fields {
		f := &fields[i]
		v, ok := given[f.Name]
		if !ok || expr.Revealed(v) == nil {
			switch {
			case f.Default != nil:
				v = f.Default
			case f.Required:
				problems = append(problems, fmt.Sprintf("%s `%s` is required and not given", what, f.Name))
				continue
			default:
				continue
			}
		}
		c, err := convert(v, f, loose)
		switch {
		case err != nil:
			problems = append(problems, fmt.Sprintf("%s `%s` %v", what, f.Name, err))
		case f.Required && !Opaque(c) && value.Empty(expr.Revealed(c)):
			problems = append(problems, fmt.Sprintf("%s `%s` is required and empty", what, f.Name))
		default:
			out[f.Name] = c
		}
	}
	return out, append(problems, unknown(what, fields, given)...)
}

func unknown(what string, fields []Field, given map[string]any) []string {
	var problems []string
	var names []string
	for k := range given {
		if slices.ContainsFunc(fields, func(f Field) bool { return f.Name == k }) {
			continue
		}
		if names == nil {
			for _, f := range fields {
				names = append(names, f.Name)
			}
		}
		p := fmt.Sprintf("there is no %s `%s`", what, k)
		if hint := spelling.Suggest(k, names); hint != "" {
			p += ": " + hint
		}
		problems = append(problems, p)
	}
	slices.Sort(problems)
	return problems
}

// ConvertParameter turns v into the type of a parameter and checks enum and pattern.
func ConvertParameter(v any, p Parameter) (any, error) {
	f := Field{Name: p.Name, Type: p.Type, Enum: p.Enum, Pattern: p.Pattern, Sensitive: p.Sensitive}
	return convert(v, &f, true)
}

// DurationIn reads a rendered duration: as ParseDuration, and in the older dialect also a bare number of seconds.
func DurationIn(d expr.Dialect, s string) (time.Duration, error) {
	if d == expr.Lenient {
		if n, err := strconv.ParseFloat(strings.TrimSpace(s), 64); err == nil && n >= 0 && n < 1e9 {
			return time.Duration(n * float64(time.Second)), nil
		}
	}
	return value.ParseDuration(s)
}
