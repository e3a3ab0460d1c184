package value

import (
	"bytes"
	"encoding"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

// Canonical encodes v as JSON with keys in order, no insignificant space and no HTML escapes: the only form that is
// hashed or stored. Structs encode in the order of their fields, so stored structs declare them in the order of their
// JSON names.
func Canonical(v any) ([]byte, error) {
	buf := buffers.Get().(*[]byte) //nolint:errcheck // the pool holds nothing else
	b, err := AppendCanonical((*buf)[:0], v)
	if cap(b) <= 1<<20 {
		*buf = b
	}
	b = bytes.Clone(b)
	buffers.Put(buf)
	if err != nil {
		return nil, err
	}
	return b, nil
}

// AppendCanonical appends the canonical form of v to b.
//
// The bytes are those of encoding/json without HTML escapes; tests compare the two. It is here because every entry of
// every run is encoded: what encoding/json does with maps and interfaces costs several times as much.
func AppendCanonical(b []byte, v any) ([]byte, error) { return appendAny(b, v, 0) }

//nolint:gochecknoglobals // a pool holds no state
var buffers = sync.Pool{New: func() any { return new([]byte) }}

// tooDeep is where encoding/json takes over: it knows data that contains itself from data that is only nested.
const tooDeep = 500

func appendAny(b []byte, v any, depth int) ([]byte, error) {
	switch x := v.(type) {
	case nil:
		return append(b, "null"...), nil
	case bool:
		return strconv.AppendBool(b, x), nil
	case int64:
		return strconv.AppendInt(b, x, 10), nil
	case int:
		return strconv.AppendInt(b, int64(x), 10), nil
	case float64:
		return appendFloat(b, x, 64)
	case string:
		return appendString(b, x), nil
	case map[string]any:
		return appendMap(b, x, depth)
	case Object:
		return appendMap(b, x, depth)
	case []any:
		return appendList(b, x, depth)
	}
	r := reflect.ValueOf(v)
	return encoderOf(r.Type())(b, r, depth)
}

func appendMap(b []byte, m map[string]any, depth int) ([]byte, error) {
	if m == nil {
		return append(b, "null"...), nil
	}
	if depth > tooDeep {
		return appendOther(b, m)
	}
	var few [16]string
	keys := few[:0]
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	b = append(b, '{')
	for i, k := range keys {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(appendString(b, k), ':')
		var err error
		if b, err = appendAny(b, m[k], depth+1); err != nil {
			return b, err
		}
	}
	return append(b, '}'), nil
}

func appendList(b []byte, list []any, depth int) ([]byte, error) {
	if list == nil {
		return append(b, "null"...), nil
	}
	if depth > tooDeep {
		return appendOther(b, list)
	}
	b = append(b, '[')
	for i, e := range list {
		if i > 0 {
			b = append(b, ',')
		}
		var err error
		if b, err = appendAny(b, e, depth+1); err != nil {
			return b, err
		}
	}
	return append(b, ']'), nil
}

// appendOther leaves a value to encoding/json.
func appendOther(b []byte, v any) ([]byte, error) {
	buf := bytes.NewBuffer(b)
	e := json.NewEncoder(buf)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return b, err
	}
	return bytes.TrimSuffix(buf.Bytes(), []byte("\n")), nil
}

func appendFloat(b []byte, f float64, bits int) ([]byte, error) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return b, fmt.Errorf("%v is not a number that JSON can hold", f)
	}
	format := byte('f')
	if abs := math.Abs(f); abs != 0 && (abs < 1e-6 || abs >= 1e21) {
		format = 'e'
	}
	start := len(b)
	b = strconv.AppendFloat(b, f, format, -1, bits)
	if n := len(b); format == 'e' && n-start >= 4 && b[n-4] == 'e' && b[n-3] == '-' && b[n-2] == '0' {
		b[n-2] = b[n-1] // e-09 is e-9
		b = b[:n-1]
	}
	return b, nil
}

const hexDigits = "0123456789abcdef"

func appendString(b []byte, s string) []byte {
	b = append(b, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= utf8.RuneSelf {
			r, n := utf8.DecodeRuneInString(s[i:])
			switch {
			case r == utf8.RuneError && n == 1:
				b = append(append(b, s[start:i]...), `\ufffd`...)
				start = i + n
			case r == '\u2028' || r == '\u2029':
				b = append(append(b, s[start:i]...), `\u202`...)
				b = append(b, hexDigits[r&0xf])
				start = i + n
			}
			i += n
			continue
		}
		if c >= ' ' && c != '"' && c != '\\' {
			i++
			continue
		}
		b = append(b, s[start:i]...)
		switch c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\b':
			b = append(b, '\\', 'b')
		case '\f':
			b = append(b, '\\', 'f')
		case '\n':
			b = append(b, '\\', 'n')
		case '\r':
			b = append(b, '\\', 'r')
		case '\t':
			b = append(b, '\\', 't')
		default:
			b = append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&0xf])
		}
		i++
		start = i
	}
	return append(append(b, s[start:]...), '"')
}

// encode appends a value of one type.
type encode func(b []byte, v reflect.Value, depth int) ([]byte, error)

//nolint:gochecknoglobals // what follows from a type alone
var encoders sync.Map // reflect.Type → encode

func encoderOf(t reflect.Type) encode {
	if e, ok := encoders.Load(t); ok {
		return e.(encode) //nolint:errcheck // it holds nothing else
	}
	e := makeEncoder(t)
	encoders.Store(t, e)
	return e
}

// The types that have an encoding of their own.
//
//nolint:gochecknoglobals // constants
var (
	ownJSON   = reflect.TypeFor[json.Marshaler]()
	ownText   = reflect.TypeFor[encoding.TextMarshaler]()
	appending = reflect.TypeFor[encoding.TextAppender]()
	timeType  = reflect.TypeFor[time.Time]()
)

// other is the encoder of everything that is left to encoding/json.
func other(b []byte, v reflect.Value, _ int) ([]byte, error) {
	if v.CanAddr() {
		return appendOther(b, v.Addr().Interface())
	}
	return appendOther(b, v.Interface())
}

func makeEncoder(t reflect.Type) encode {
	p := reflect.PointerTo(t)
	switch {
	case t == timeType:
		return appendTime
	case t.Implements(appending) && t.Kind() == reflect.Array && !t.Implements(ownJSON):
		return appendText
	case p.Implements(ownJSON), p.Implements(ownText):
		return other
	}
	switch t.Kind() {
	case reflect.Bool:
		return func(b []byte, v reflect.Value, _ int) ([]byte, error) { return strconv.AppendBool(b, v.Bool()), nil }
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return func(b []byte, v reflect.Value, _ int) ([]byte, error) { return strconv.AppendInt(b, v.Int(), 10), nil }
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return func(b []byte, v reflect.Value, _ int) ([]byte, error) {
			return strconv.AppendUint(b, v.Uint(), 10), nil
		}
	case reflect.Float64:
		return func(b []byte, v reflect.Value, _ int) ([]byte, error) { return appendFloat(b, v.Float(), 64) }
	case reflect.String:
		if t == reflect.TypeFor[json.Number]() {
			return other
		}
		return func(b []byte, v reflect.Value, _ int) ([]byte, error) { return appendString(b, v.String()), nil }
	case reflect.Interface:
		return func(b []byte, v reflect.Value, depth int) ([]byte, error) { return appendAny(b, v.Interface(), depth) }
	case reflect.Map:
		return mapEncoder(t)
	case reflect.Pointer:
		return pointerEncoder(t)
	case reflect.Slice:
		return sliceEncoder(t)
	case reflect.Struct:
		return structEncoder(t)
	default:
		return other
	}
}

func appendTime(b []byte, v reflect.Value, _ int) ([]byte, error) {
	var t time.Time
	if v.CanAddr() {
		t = *v.Addr().Interface().(*time.Time) //nolint:errcheck // by its type
	} else {
		t = v.Interface().(time.Time) //nolint:errcheck // by its type
	}
	if y := t.Year(); y < 0 || y > 9999 || t.Location() != time.UTC {
		return other(b, v, 0)
	}
	b = t.AppendFormat(append(b, '"'), time.RFC3339Nano)
	return append(b, '"'), nil
}

// appendText serves types whose text needs no escapes but is checked for them all the same.
func appendText(b []byte, v reflect.Value, _ int) ([]byte, error) {
	var a encoding.TextAppender
	if v.CanAddr() {
		a = v.Addr().Interface().(encoding.TextAppender) //nolint:errcheck // by its type
	} else {
		a = v.Interface().(encoding.TextAppender) //nolint:errcheck // by its type
	}
	start := len(b)
	b, err := a.AppendText(append(b, '"'))
	if err != nil {
		return b[:start], err
	}
	for _, c := range b[start+1:] {
		if c < ' ' || c == '"' || c == '\\' || c >= utf8.RuneSelf {
			return appendString(b[:start], string(b[start+1:])), nil
		}
	}
	return append(b, '"'), nil
}

func mapEncoder(t reflect.Type) encode {
	switch t {
	case reflect.TypeFor[map[string]any]():
		return func(b []byte, v reflect.Value, depth int) ([]byte, error) {
			return appendMap(b, v.Interface().(map[string]any), depth) //nolint:errcheck // by its type
		}
	case reflect.TypeFor[Object]():
		return func(b []byte, v reflect.Value, depth int) ([]byte, error) {
			return appendMap(b, v.Interface().(Object), depth) //nolint:errcheck // by its type
		}
	}
	return other
}

func pointerEncoder(t reflect.Type) encode {
	if t.Elem().Kind() != reflect.Struct {
		return other
	}
	var elem encode
	var once sync.Once
	return func(b []byte, v reflect.Value, depth int) ([]byte, error) {
		if v.IsNil() {
			return append(b, "null"...), nil
		}
		if depth > tooDeep {
			return other(b, v, depth)
		}
		once.Do(func() { elem = encoderOf(t.Elem()) }) // not before: types may be made of themselves
		return elem(b, v.Elem(), depth+1)
	}
}

func sliceEncoder(t reflect.Type) encode {
	if t.Elem().Kind() == reflect.Uint8 {
		if t.Elem() != reflect.TypeFor[byte]() {
			return other
		}
		return func(b []byte, v reflect.Value, _ int) ([]byte, error) {
			if v.IsNil() {
				return append(b, "null"...), nil
			}
			b = append(b, '"')
			return append(base64.StdEncoding.AppendEncode(b, v.Bytes()), '"'), nil
		}
	}
	var elem encode
	var once sync.Once
	return func(b []byte, v reflect.Value, depth int) ([]byte, error) {
		if v.IsNil() {
			return append(b, "null"...), nil
		}
		if depth > tooDeep {
			return other(b, v, depth)
		}
		once.Do(func() { elem = encoderOf(t.Elem()) })
		b = append(b, '[')
		for i := range v.Len() {
			if i > 0 {
				b = append(b, ',')
			}
			var err error
			if b, err = elem(b, v.Index(i), depth+1); err != nil {
				return b, err
			}
		}
		return append(b, ']'), nil
	}
}

// field of a struct, as its tag says.
type field struct {
	index int
	name  string // with its quotes and colon
	empty bool   // left out when it is empty
	zero  bool   // left out when it is zero
	once  *sync.Once
	enc   encode
	typ   reflect.Type
}

// structEncoder leaves structs to encoding/json that embed others or use rare options.
func structEncoder(t reflect.Type) encode {
	var fields []field
	for i := range t.NumField() {
		f := t.Field(i)
		tag, tagged := f.Tag.Lookup("json")
		name, options, _ := strings.Cut(tag, ",")
		switch {
		case f.Anonymous:
			return other
		case !f.IsExported(), tag == "-":
			continue
		case !tagged || name == "":
			name = f.Name
		}
		x := field{index: i, name: string(append(appendString(nil, name), ':')), typ: f.Type, once: new(sync.Once)}
		for o := range strings.SplitSeq(options, ",") {
			switch o {
			case "":
			case "omitempty":
				x.empty = true
			case "omitzero":
				x.zero = true
				if _, own := reflect.PointerTo(f.Type).MethodByName("IsZero"); own && f.Type != timeType {
					return other
				}
			default:
				return other
			}
		}
		if slices.ContainsFunc(fields, func(y field) bool { return y.name == x.name }) {
			return other
		}
		fields = append(fields, x)
	}
	return func(b []byte, v reflect.Value, depth int) ([]byte, error) {
		b = append(b, '{')
		first := true
		for i := range fields {
			f := &fields[i]
			e := v.Field(f.index)
			if f.empty && isEmpty(e) || f.zero && isZero(e) {
				continue
			}
			if !first {
				b = append(b, ',')
			}
			first = false
			b = append(b, f.name...)
			f.once.Do(func() { f.enc = encoderOf(f.typ) })
			var err error
			if b, err = f.enc(b, e, depth+1); err != nil {
				return b, err
			}
		}
		return append(b, '}'), nil
	}
}

func isEmpty(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Array, reflect.Map, reflect.Slice, reflect.String:
		return v.Len() == 0
	case reflect.Struct:
		return false
	default:
		return v.IsZero()
	}
}

// isZero is for time.Time what its method says: a zero time may carry a place.
func isZero(v reflect.Value) bool {
	if v.Type() != timeType {
		return v.IsZero()
	}
	if v.CanAddr() {
		return v.Addr().Interface().(*time.Time).IsZero() //nolint:errcheck // by its type
	}
	return v.Interface().(time.Time).IsZero() //nolint:errcheck // by its type
}
