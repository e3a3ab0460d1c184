package output_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tendhq/tend/internal/action/output"
	"github.com/tendhq/tend/internal/fault"
)

func TestParse(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		how, printed string
		want         any
		kind         fault.Kind
	}{
		{"text", "one\ntwo\r\n\n", "one\ntwo", ""},
		{"", "x\n", "x", ""},
		{"text", "", "", ""},
		{"text", "\xff\x00", "\uFFFD\x00", ""},
		{"lines", "one\r\n\n  \n two\n", []any{"one", " two"}, ""},
		{"lines", "", []any{}, ""},
		{"number", " 42\n", int64(42), ""},
		{"number", "4.50", 4.5, ""},
		{"number", "", nil, fault.Parse},
		{"number", "42 MiB", nil, fault.Parse},
		{"number", "0x10", nil, fault.Parse},
		{"number", "NaN", nil, fault.Parse},
		{"json", `{"a": [1, 2.0]}`, map[string]any{"a": []any{int64(1), int64(2)}}, ""},
		{"json", "null", nil, ""},
		{"json", "", nil, fault.Parse},
		{"json", "{} {}", nil, fault.Parse},
		{"auto", "[1]\n", []any{int64(1)}, ""},
		{"auto", "[1", "[1", ""},
	} {
		var o output.Capture
		o.Write("stdout", []byte(c.printed))
		got, err := o.Parse(c.how)
		if d := cmp.Diff(c.want, got); d != "" || (err == nil) != (c.kind == "") || err != nil && fault.KindOf(err) != c.kind {
			t.Errorf("%s of %q: %v, %v", c.how, c.printed, got, err)
		}
	}
}

func TestBounds(t *testing.T) {
	t.Parallel()
	o := output.Capture{MaxValue: 10, MaxShown: 8}
	for _, p := range []string{"0123", "45", "6789abc", "defghij"} {
		o.Write("stdout", []byte(p))
		o.Write("stderr", []byte(strings.ToUpper(p)))
	}
	want := map[string]any{
		"stdout": "0123\n[… 12 bytes left out …]\nghij", "stderr": "0123\n[… 12 bytes left out …]\nGHIJ", "truncated": true,
	}
	if d := cmp.Diff(want, o.Output()); d != "" {
		t.Error(d)
	}
	if got, err := o.Parse("text"); err != nil || got != "0123456789" {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := o.Parse("json"); !fault.Is(err, fault.Limit) {
		t.Errorf("half a document was read: %v", err)
	}
}

func TestTail(t *testing.T) {
	t.Parallel()
	var o output.Capture
	if o.Tail() != "" {
		t.Error("something of nothing")
	}
	o.Write("stderr", []byte(strings.Repeat("line\n", 1000)+"the \x1b[31mlast\n"))
	got := o.Tail()
	if len(got) > 2100 || !strings.HasPrefix(got, ": line\n") || !strings.HasSuffix(got, "last") || strings.Contains(got, "\x1b") {
		t.Errorf("%q", got)
	}
}
