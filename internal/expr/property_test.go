package expr_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/expr/ref"
	"github.com/tendhq/tend/internal/secret"
)

// values are small trees of data with few keys, so that generated paths often lead somewhere.
func values(depth int) *rapid.Generator[any] {
	scalars := rapid.OneOf(
		rapid.Just[any](nil),
		rapid.Map(rapid.Bool(), func(b bool) any { return b }),
		rapid.Map(rapid.Int64Range(-5, 5), func(i int64) any { return i }),
		rapid.Map(rapid.SampledFrom([]string{"", "x", "5", "a b", "true"}), func(s string) any { return s }),
	)
	if depth == 0 {
		return scalars
	}
	return rapid.OneOf(
		scalars,
		rapid.Map(rapid.SliceOfN(values(depth-1), 0, 3), func(l []any) any { return append([]any{}, l...) }),
		rapid.Map(maps(depth-1), func(m map[string]any) any { return m }),
	)
}

func maps(depth int) *rapid.Generator[map[string]any] {
	return rapid.MapOfN(rapid.SampledFrom([]string{"a", "b", "b-c", "0", "with 'quote'"}), values(depth), 0, 4)
}

func paths() *rapid.Generator[string] {
	step := rapid.SampledFrom([]string{".a", ".b", ".'b-c'", `."0"`, ".'with \\'quote\\''", "[0]", "[-1]", "[:]", "[1:]", ".*", "['a']", ".[:].b"})
	return rapid.Map(rapid.SliceOfN(step, 0, 4), func(steps []string) string { return "$" + strings.Join(steps, "") })
}

// What a Deferred keeps of the data is enough: finished later, it reads as it would have read at once.
func TestPrunedDataIsEnough(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		root := maps(3).Draw(t, "root")
		p := func() string { return paths().Draw(t, "path") }
		src := rapid.SampledFrom([]string{
			"{{ toJson P }}",
			"{{ range P }}{{ toJson . }}{{ toJson $.a }};{{ else }}{{ toJson P }}{{ end }}",
			"{{ with P }}{{ toJson . }}{{ else }}{{ toJson P }}{{ end }}",
			"{{ $x := P }}{{ if $x }}{{ toJson $x }}{{ $x = P }}{{ end }}{{ toJson $x }}",
			"{{ range $k, $v := P }}{{ $k }}{{ toJson $v }}{{ end }}",
			"{{ default P P | toJson }}{{ hasKey $ \"b\" }}{{ get $ \"a\" | toJson }}",
			"{{ index $ \"b\" | toJson }}{{ (get $ \"b-c\" 1) | toJson }}",
			"{{ len $ }}",
		}).Draw(t, "template")
		for strings.Contains(src, "P") {
			src = strings.Replace(src, "P", p(), 1)
		}
		v := expr.New(expr.Limits{})
		s := expr.Scope{Dialect: expr.Lenient, Root: root}
		want, err := v.Text(tmpl(src+"!"), s)
		if err != nil {
			t.Skip("does not render")
		}
		x, err := v.Value(tmpl(src+`{{ secret "s" }}`), s)
		if err != nil {
			t.Fatal(err)
		}
		d, ok := expr.AsDeferred(x)
		if !ok {
			t.Fatalf("%v is no Deferred", x)
		}
		got, err := finish(v, d, expr.Lenient, func(string) (secret.Value, error) { return secret.New("!"), nil })
		if err != nil {
			t.Fatal(err)
		}
		if got.Reveal() != want {
			t.Fatalf("%s over %v, kept %v: %q, want %q", src, root, d.Data, got.Reveal(), want)
		}
	})
}

// A path reads the same in a template, alone, and written anew.
func TestPathsReadTheSame(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		root := maps(3).Draw(t, "root")
		src := paths().Draw(t, "path")
		parsed, err := ref.Parse(src)
		if err != nil {
			t.Fatal(err)
		}
		again, err := ref.Parse("$" + parsed.String())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(parsed, again); diff != "" {
			t.Fatalf("%s is written %s: %s", src, parsed, diff)
		}
		v := expr.New(expr.Limits{})
		for _, d := range []expr.Dialect{expr.Strict, expr.Lenient} {
			s := expr.Scope{Dialect: d, Root: root}
			one, errOne := v.Value(path(src), s)
			two, errTwo := v.Value(tmpl("{{ "+src+" }}"), s)
			if diff := cmp.Diff(one, two); diff != "" || (errOne == nil) != (errTwo == nil) {
				t.Fatalf("%s over %v: %v, %v; %s", src, root, errOne, errTwo, diff)
			}
		}
	})
}

// What Strict accepts, Lenient reads the same.
func TestLenientExtendsStrict(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		root := maps(3).Draw(t, "root")
		src := paths().Draw(t, "path")
		v := expr.New(expr.Limits{})
		for _, e := range []expr.Expr{tmpl("{{ " + src + " }}"), tmpl("<{{ " + src + " | toJson }}>"), path(src)} {
			want, err := v.Value(e, expr.Scope{Dialect: expr.Strict, Root: root})
			if err != nil {
				continue
			}
			got, err := v.Value(e, expr.Scope{Dialect: expr.Lenient, Root: root})
			if diff := cmp.Diff(want, got); err != nil || diff != "" {
				t.Fatalf("%s over %v: %v %s", e.Source, root, err, diff)
			}
		}
	})
}
