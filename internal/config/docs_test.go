package config_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"

	"github.com/tendhq/tend/internal/config"
	"github.com/tendhq/tend/internal/testenv"
)

const (
	begin = "<!-- settings: generated from the comments of internal/config; `make update` -->\n"
	end   = "<!-- /settings -->\n"
)

// TestTheReferenceIsCurrent compares the table in docs/server.md with the settings and their comments; TEND_UPDATE=1 writes
// it anew.
func TestTheReferenceIsCurrent(t *testing.T) {
	t.Parallel()
	name := filepath.Join(testenv.Root(t), "docs", "server.md")
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(b), begin)
	_, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatal("docs/server.md has no place for the settings")
	}
	d := &reference{t: t, root: testenv.Root(t), comments: map[string]map[string]string{}}
	want := before + begin + "| setting | variable | default | what |\n|---|---|---|---|\n" + d.rows(reflect.ValueOf(config.DefaultServer()).Elem(), "") + end + after
	if os.Getenv("TEND_UPDATE") != "" {
		if err := os.WriteFile(name, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if want != string(b) {
		t.Error("docs/server.md is not what the settings say: run `make update`")
	}
}

// reference reads the comments of the structs that settings are.
type reference struct {
	t        *testing.T
	root     string
	comments map[string]map[string]string // package path → "Type.Field" → comment
}

// rows gives a line for each setting of a section, and of those below.
func (d *reference) rows(v reflect.Value, path string) string {
	var out strings.Builder
	for i := range v.NumField() {
		f := v.Type().Field(i)
		key, opts, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		if opts == "inline" {
			out.WriteString(d.rows(v.Field(i), path))
			continue
		}
		if key == "" || key == "-" {
			continue
		}
		text := d.comment(v.Type(), f.Name)
		if text == "" {
			d.t.Errorf("%s.%s has no comment: it is the documentation of %s%s", v.Type(), f.Name, path, key)
		}
		env := ""
		if e := f.Tag.Get("env"); e != "" {
			env = "`" + e + "`"
		}
		below, inner := section(v.Field(i))
		def := ""
		if !below.IsValid() {
			def = value(d.t, v.Field(i))
		}
		fmt.Fprintf(&out, "| `%s%s` | %s | %s | %s |\n", path, key, env, def, text)
		if below.IsValid() {
			out.WriteString(d.rows(below, path+key+inner+"."))
		}
	}
	return out.String()
}

// section gives the settings below a field, if there are any, and what stands between its key and theirs.
func section(v reflect.Value) (reflect.Value, string) {
	t, between := v.Type(), ""
	for {
		switch {
		case t.Kind() == reflect.Pointer:
			t = t.Elem()
		case t.Kind() == reflect.Slice:
			t, between = t.Elem(), between+"[]"
		case t.Kind() == reflect.Map:
			t, between = t.Elem(), between+".NAME"
		case t.Kind() == reflect.Struct && t.NumField() > 0:
			if v.Type() == t {
				return v, ""
			}
			return reflect.New(t).Elem(), between
		default:
			return reflect.Value{}, ""
		}
	}
}

func value(t *testing.T, v reflect.Value) string {
	t.Helper()
	if v.IsZero() {
		return ""
	}
	b, err := yaml.Dump(v.Interface(), yaml.WithV4Defaults())
	if err != nil {
		t.Fatal(err)
	}
	return "`" + strings.TrimSpace(string(b)) + "`"
}

// comment gives what the source says of a field, in one line.
func (d *reference) comment(typ reflect.Type, field string) string {
	d.t.Helper()
	p := typ.PkgPath()
	if d.comments[p] == nil {
		d.comments[p] = map[string]string{}
		dir := filepath.Join(d.root, filepath.FromSlash(strings.TrimPrefix(p, "github.com/tendhq/tend/")))
		files, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if err != nil {
			d.t.Fatal(err)
		}
		for _, name := range files {
			f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
			if err != nil {
				d.t.Fatal(err)
			}
			ast.Inspect(f, func(n ast.Node) bool {
				s, ok := n.(*ast.TypeSpec)
				if !ok {
					return true
				}
				st, ok := s.Type.(*ast.StructType)
				if !ok {
					return true
				}
				for _, fl := range st.Fields.List {
					for _, id := range fl.Names {
						d.comments[p][s.Name.Name+"."+id.Name] = strings.Join(strings.Fields(fl.Doc.Text()), " ")
					}
				}
				return true
			})
		}
	}
	text := d.comments[p][typ.Name()+"."+field]
	// A comment begins with the name of the field; the table says that already.
	rest, ok := strings.CutPrefix(text, field+" ")
	if !ok {
		return text
	}
	for _, verb := range []string{"is ", "are ", "says ", "say ", "holds ", "bounds ", "lists ", "names ", "turns ", "lets "} {
		if r, ok := strings.CutPrefix(rest, verb); ok && (verb == "is " || verb == "are ") {
			rest = r
		}
	}
	return strings.ToUpper(rest[:1]) + rest[1:]
}
