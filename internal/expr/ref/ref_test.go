package ref_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tendhq/tend/internal/expr/ref"
)

func TestParse(t *testing.T) {
	t.Parallel()
	for src, want := range map[string]string{
		"":            "",
		".":           "",
		"$":           "",
		"a":           "a",
		"a.b":         "a b",
		".a.b":        "a b",
		"$.a.b":       "a b",
		" $.a ":       "a",
		"a[0].b":      "a [0] b",
		"a.[0]":       "a [0]",
		"a[-1]":       "a [-1]",
		"a[:].b":      "a [*] b",
		"a.[:].b":     "a [*] b",
		"a[1:3]":      "a [*]",
		"a[ 1 : ]":    "a [*]",
		"a.*":         "a [*]",
		"a[*].b":      "a [*] b",
		"[0]":         "[0]",
		"$.'b-c'.d":   "b-c d",
		`$."b-c"`:     "b-c",
		`a['b']["c"]`: "a b c",
		`a.'it\'s'`:   "a it's",
		`a.'x\n\t\\'`: "a x\n\t\\",
		"größe.ñ_1":   "größe ñ_1",
		"list.0":      "list 0",
	} {
		p, err := ref.Parse(src)
		if err != nil {
			t.Errorf("%q: %v", src, err)
			continue
		}
		if got := strings.Join(p.Segments(), " "); got != want {
			t.Errorf("%q is %q, want %q", src, got, want)
		}
	}
	for src, offset := range map[string]int{
		"a b": 1, "a.": 1, "a..b": 1, "a[": 1, "a[x]": 1, "a['x": 2, "a.'x": 2, "a-b": 1, "$a": 1, " a?": 2, "a[1:x]": 1, "a[99999999999]": 1,
		strings.Repeat("a.", 500) + "a": 799,
	} {
		_, err := ref.Parse(src)
		if at := (*ref.Error)(nil); !errors.As(err, &at) || at.Offset != offset {
			t.Errorf("%.40q: %#v, want offset %d", src, err, offset)
		}
	}
}

func TestResolveVisitsWithinBounds(t *testing.T) {
	t.Parallel()
	list := []any{[]any{int64(1), int64(2)}, []any{int64(3)}}
	p, err := ref.Parse("[:][:]")
	if err != nil {
		t.Fatal(err)
	}
	visited := 0
	got, err := ref.Resolve(list, p, false, func(n int) error { visited += n; return nil })
	if diff := cmp.Diff([]any{int64(1), int64(2), int64(3)}, got); err != nil || diff != "" || visited != 5 {
		t.Errorf("%v, visited %d: %s", err, visited, diff)
	}
	stop := errors.New("enough")
	if _, err := ref.Resolve(list, p, false, func(int) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("error is %v", err)
	}
}

func TestSuggest(t *testing.T) {
	t.Parallel()
	many := strings.Split("alpha beta gamma delta epsilon zeta eta theta", " ")
	for _, c := range []struct {
		name  string
		names []string
		want  string
	}{
		{"vale", []string{"value", "other"}, `; did you mean "value"?`},
		{"VALUE", []string{"value", "val"}, `; did you mean "value"?`},
		{"x", []string{"y", "z"}, "; it has y, z"},
		{"x", nil, "; it is empty"},
		{"nothing", many, ""},
		{"gama", many, `; did you mean "gamma"?`},
		{strings.Repeat("x", 1000), many, ""},
	} {
		if got := ref.Suggest(c.name, slices.Clone(c.names)); got != c.want {
			t.Errorf("%.20s: %q, want %q", c.name, got, c.want)
		}
	}
}
