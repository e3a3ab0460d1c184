package template_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tendhq/tend/internal/expr/function"
	"github.com/tendhq/tend/internal/expr/ref"
	"github.com/tendhq/tend/internal/expr/template"
)

// show writes uses as `path@text`, with ? for guarded and ~ for dynamic.
func show(src string, u ref.Uses) []string {
	var out []string
	for _, p := range u.Paths {
		mark := ""
		if p.Guarded {
			mark += "?"
		}
		if p.Dynamic {
			mark += "~"
		}
		out = append(out, fmt.Sprintf("%s%s@%s", strings.Join(p.Path, "."), mark, src[p.Offset:p.Offset+p.Length]))
	}
	for _, s := range u.Secrets {
		out = append(out, fmt.Sprintf("secret %s%s@%s", s.Name, strings.Join(s.Path, "."), src[s.Offset:s.Offset+s.Length]))
	}
	return out
}

func TestUses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		src  string
		want []string
	}{
		{"no action", nil},
		{"{{ $.a.b }}", []string{"a.b@$.a.b"}},
		{"{{ .a[0].'b-c'[:].d }}", []string{"a.[0].b-c.[*].d@.a[0].'b-c'[:].d"}},
		{"{{ . }}", []string{"@."}},
		{"{{ default 1 .a }}", []string{"a?@.a"}},
		{"{{ .a | default .b }}", []string{"b?@.b", "a?@.a"}},
		{"{{ default 1 (upper .a) }}", []string{"a@.a"}},
		{"{{ coalesce .a (.b) }}", []string{"a?@.a", "b?@.b"}},
		{"{{ required \"x\" .a }}", []string{"a?@.a"}},
		{"{{ range .items }}{{ .name }}{{ end }}", []string{"items@.items", "items.[*].name@.name"}},
		{"{{ range $k, $v := $.m }}{{ $k }}{{ $v.x }}{{ end }}", []string{"m@$.m", "m.[*].x@$v.x"}},
		{"{{ range list 1 2 }}{{ .x }}{{ end }}", nil},
		{"{{ with .a.b }}{{ .c }}{{ $.d }}{{ else }}{{ .e }}{{ end }}", []string{"a.b@.a.b", "a.b.c@.c", "d@$.d", "e@.e"}},
		{"{{ $x := .a }}{{ $x.b }}", []string{"a@.a", "a.b@$x.b"}},
		{"{{ $x := .a }}{{ $x = .b }}{{ $x.c }}", []string{"a@.a", "b@.b"}},
		{"{{ if $x := .a }}{{ $x.b }}{{ end }}", []string{"a@.a", "a.b@$x.b"}},
		{"{{ index .a \"b\" 0 }}", []string{"a.b.[0]@.a"}},
		{"{{ index .a .k \"c\" }}", []string{"k@.k", "a~@.a"}},
		{"{{ (index .a 0).b }}", []string{"a.[0]@.a", "a.[0].b@(index .a 0).b"}},
		{"{{ get .a \"b\" }}", []string{"a.b?@.a"}},
		{"{{ get .a .k }}", []string{"k@.k", "a?~@.a"}},
		{"{{ hasKey .a \"b\" }}", []string{"a.b?@.a"}},
		{"{{ (first .a).b }}", []string{"a@.a", "a.[*].b@(first .a).b"}},
		{"{{ secret \"db\" }}", []string{"secret db@secret \"db\""}},
		{"{{ secret .params.p }}", []string{"params.p@.params.p", "secret params.p@secret .params.p"}},
		{"{{ secret (printf \"%s\" .a) }}", []string{"a@.a", "secret @secret (printf \"%s\" .a)"}},
		{"{{ `.no` }}{{/* .no */}}{{ \"$.no\" }}", nil},
	} {
		t.Run(c.src, func(t *testing.T) {
			t.Parallel()
			tmpl, err := template.Parse(c.src, function.Standard())
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, show(c.src, tmpl.Uses())); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestUsesOfFunctions(t *testing.T) {
	t.Parallel()
	src := "{{ upper .a | mustToJson }}{{ if and true .b }}{{ end }}"
	tmpl, err := template.Parse(src, function.Standard())
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range tmpl.Uses().Functions {
		got = append(got, f.Name+"@"+src[f.Offset:f.Offset+f.Length])
	}
	if diff := cmp.Diff([]string{"toJson@mustToJson", "upper@upper", "and@and"}, got); diff != "" {
		t.Error(diff)
	}
}
