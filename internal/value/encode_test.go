package value_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"math"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tendhq/tend/internal/value"
)

// reference is what Canonical must give: encoding/json without HTML escapes.
func reference(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

func compare(t interface {
	Helper()
	Errorf(format string, a ...any)
}, v any,
) {
	t.Helper()
	want, werr := reference(v)
	got, err := value.Canonical(v)
	if (err != nil) != (werr != nil) {
		t.Errorf("Canonical(%#v) fails with %v, encoding/json with %v", v, err, werr)
	}
	if err == nil && !bytes.Equal(got, want) {
		t.Errorf("Canonical(%#v)\n got %s\nwant %s", v, got, want)
	}
}

type digest [4]byte

func (d digest) MarshalText() ([]byte, error)        { return d.AppendText(nil) }
func (d digest) AppendText(b []byte) ([]byte, error) { return hex.AppendEncode(b, d[:]), nil }
func (n named) MarshalText() ([]byte, error)         { return []byte(`a "name"` + string(n)), nil }
func (r raw) MarshalJSON() ([]byte, error)           { return []byte(`{ "a": "<&>" }`), nil }
func (d loud) MarshalText() ([]byte, error)          { return d.AppendText(nil) }
func (d loud) AppendText(b []byte) ([]byte, error)   { return append(b, d[0], '"', '<', 0xff), nil }
func (p *byPointer) MarshalJSON() ([]byte, error)    { return []byte("17"), nil }
func (z zeroish) IsZero() bool                       { return z == 7 }

type (
	named     string
	raw       struct{ X int }
	loud      [1]byte
	byPointer struct{ X int }
	zeroish   int
	embedded  struct{ E string }
	kind      string
)

type everything struct {
	Bool    bool              `json:"bool,omitempty"`
	Int     int64             `json:"int"`
	Small   int8              `json:"small,omitempty"`
	Uint    uint64            `json:"uint,omitempty"`
	Float   float64           `json:"float"`
	Float32 float32           `json:"float32"`
	Text    string            `json:"text,omitempty"`
	Kind    kind              `json:"kind"`
	Bytes   []byte            `json:"bytes,omitempty"`
	Nil     []byte            `json:"nil"`
	Names   []string          `json:"names"`
	More    []everything      `json:"more,omitempty"`
	Next    *everything       `json:"next,omitempty"`
	None    *everything       `json:"none"`
	Any     any               `json:"any"`
	Map     map[string]any    `json:"map,omitempty"`
	Object  value.Object      `json:"object"`
	Other   map[string]string `json:"other,omitempty"`
	At      time.Time         `json:"at,omitzero"`
	When    time.Time         `json:"when"`
	Digest  digest            `json:"digest"`
	Zero    digest            `json:"zero,omitzero"`
	Loud    loud              `json:"loud"`
	Named   named             `json:"named"`
	Raw     raw               `json:"raw"`
	Message json.RawMessage   `json:"message,omitempty"`
	Number  json.Number       `json:"number,omitempty"`
	Pointed byPointer         `json:"pointed"`
	Hidden  string            `json:"-"`
	Plain   int
	own     int
}

type (
	rare struct {
		Text int     `json:"text,string"`
		Zero zeroish `json:"zero,omitzero"`
	}
	outer struct {
		embedded
		X int
	}
	owned struct {
		Zero zeroish `json:"zero,omitzero"`
	}
)

func TestCanonicalIsJSON(t *testing.T) {
	t.Parallel()
	full := everything{
		Bool: true, Int: -5, Small: 3, Uint: math.MaxUint64, Float: 1e-9, Float32: 0.1, Text: "a<b>&\u2028\u2029\x00\x1f\x7f\"\\\n\r\t\b\f\xff é 🙂",
		Kind: "k\n", Bytes: []byte{0, 1, 255}, Names: []string{"", "x"}, Any: []any{nil, 1, int64(2), 2.5, "s", map[string]any{}},
		Map: map[string]any{"z": 1, "a": nil, "<": true}, Object: value.Object{"b": value.Object{"c": []any{}}}, Other: map[string]string{"q": "<"},
		At: time.Unix(1, 5000).UTC(), When: time.Unix(0, 0).In(time.FixedZone("x", 3600)), Digest: digest{1, 2}, Loud: loud{'x'}, Named: "n",
		Message: json.RawMessage(`{ "x" : [1, 2] }`), Number: "12e3", Hidden: "no", own: 1,
	}
	full.Next = &everything{Text: "next"}
	field := reflect.StructField{Name: "A", Type: reflect.TypeFor[int](), Tag: `json:"a"`}
	other := field
	other.Name = "B"
	twice := reflect.StructOf([]reflect.StructField{field, other}) // neither of the two has the name
	full.More = []everything{{}, {Text: "more"}}
	for _, v := range []any{
		nil, true, 1, int64(math.MinInt64), 0.0, math.Copysign(0, -1), 1e20, 1e21, 1e-6, 9.9e-7, 1e-7, 1.5e-10, 1e300, 5e-324, float32(1e-7),
		math.NaN(), math.Inf(1),
		map[string]any{"x": math.NaN()},
		"", "\xf0\x28", []any(nil), map[string]any(nil), value.Object(nil), []string(nil),
		[]string{"a"},
		full, &full,
		[]everything{full},
		(*everything)(nil),
		map[string]everything{"x": full},
		map[int]string{2: "a", 10: "b"},
		rare{Text: 5},
		reflect.New(twice).Elem().Interface(),
		outer{embedded{"e"}, 1},
		owned{7},
		&owned{7},
		owned{1},
		raw{},
		&raw{}, named("x"),
		byPointer{},
		&byPointer{},
		time.Unix(0, 0).UTC(), time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC),
		time.Time{},
		digest{},
		&digest{9},
		loud{'"'},
		make(chan int), func() {},
		struct{ C chan int }{},
		struct{ F func() }{},
		[2]int{1, 2},
		[0]int{},
		[]byte("x"),
		[]int8{1},
		struct {
			P *int `json:"p,omitempty"`
			Q *int `json:"q"`
		}{},
		json.RawMessage("nonsense"), json.Number("nonsense"),
		[]any{json.Number("1.50"), []byte("b"), time.Unix(1, 1).UTC(), uint8(3)},
	} {
		compare(t, v)
	}
	circle := map[string]any{}
	circle["x"] = []any{circle}
	compare(t, circle)
	loop := &everything{}
	loop.Next = loop
	compare(t, loop)
	deep := any("x")
	for range 2000 {
		deep = []any{deep}
	}
	compare(t, deep)
}

func TestCanonicalIsJSONForAnyData(t *testing.T) {
	t.Parallel()
	var data func(depth int) *rapid.Generator[any]
	data = func(depth int) *rapid.Generator[any] {
		gens := []*rapid.Generator[any]{
			rapid.Just[any](nil), rapid.Bool().AsAny(), rapid.Int64().AsAny(), rapid.Float64().AsAny(), rapid.String().AsAny(),
			rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) any { return string(b) }),
		}
		if depth > 0 {
			gens = append(gens,
				rapid.Map(rapid.SliceOfN(data(depth-1), 0, 5), func(l []any) any { return l }),
				rapid.Map(rapid.MapOfN(rapid.String(), data(depth-1), 0, 20), func(m map[string]any) any { return m }))
		}
		return rapid.OneOf(gens...)
	}
	rapid.Check(t, func(rt *rapid.T) { compare(rt, data(4).Draw(rt, "data")) })
}

func BenchmarkCanonical(b *testing.B) {
	v := &struct {
		Action string       `json:"action"`
		Hash   digest       `json:"hash"`
		Inputs value.Object `json:"inputs"`
		Path   string       `json:"path"`
	}{"shell", digest{1, 2, 3, 4}, value.Object{"with": map[string]any{"script": "true", "parse": "text"}, "env": map[string]any{"A": "b"}}, "steps[1].steps[2]"}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := value.Canonical(v); err != nil {
			b.Fatal(err)
		}
	}
}
