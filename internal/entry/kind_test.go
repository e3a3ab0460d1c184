package entry_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/value"
)

// TestKinds: every constant of type Kind is in the list, under its own name, and no two are the same.
func TestKinds(t *testing.T) {
	t.Parallel()
	declared := map[string]bool{}
	file, err := parser.ParseFile(token.NewFileSet(), "kind.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || len(spec.Values) != 1 {
			return true
		}
		if typ, ok := spec.Type.(*ast.Ident); !ok || typ.Name != "Kind" {
			return true
		}
		name := strings.Trim(spec.Values[0].(*ast.BasicLit).Value, `"`)
		if declared[name] {
			t.Errorf("%s is declared twice", name)
		}
		declared[name] = true
		if _, ok := entry.Kinds()[entry.Kind(name)]; !ok {
			t.Errorf("%s is not in the list of kinds: Decode would refuse it", name)
		}
		return true
	})
	for k, mk := range entry.Kinds() {
		if !declared[string(k)] {
			t.Errorf("%s is no constant", k)
		}
		if got := mk().Kind(); got != k {
			t.Errorf("%s makes a %s", k, got)
		}
	}
	if len(declared) < 40 {
		t.Errorf("only %d kinds were found", len(declared))
	}
}

// TestCanonicalFields: a struct encodes in the order of its fields, so the order must be that of the names. What has no
// one encoding must not be in a payload at all.
func TestCanonicalFields(t *testing.T) {
	t.Parallel()
	seen := map[reflect.Type]bool{}
	for _, mk := range entry.Kinds() {
		canonical(t, reflect.TypeOf(mk()).Elem(), seen)
	}
}

var camel = regexp.MustCompile(`^[a-z][a-zA-Z]*$`)

func canonical(t *testing.T, typ reflect.Type, seen map[reflect.Type]bool) {
	t.Helper()
	switch typ {
	case reflect.TypeFor[time.Time](), reflect.TypeFor[value.Object](), reflect.TypeFor[entry.Hash](), reflect.TypeFor[entry.Salt]():
		return
	}
	switch typ.Kind() {
	case reflect.Pointer, reflect.Slice:
		canonical(t, typ.Elem(), seen)
	case reflect.Bool, reflect.String, reflect.Int, reflect.Int64, reflect.Uint64, reflect.Uint8:
	case reflect.Struct:
		if seen[typ] {
			return
		}
		seen[typ] = true
		last := ""
		for i := range typ.NumField() {
			f := typ.Field(i)
			name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
			switch {
			case !f.IsExported() || f.Anonymous:
				t.Errorf("%s.%s is not exported, or embedded: it has no place in an encoding", typ, f.Name)
			case !camel.MatchString(name):
				t.Errorf("%s.%s has the JSON name %q", typ, f.Name, name)
			case name <= last:
				t.Errorf("%s: %q comes after %q: fields stand in the order of their JSON names", typ, name, last)
			case options != "" && options != "omitempty" && options != "omitzero":
				t.Errorf("%s.%s has the option %q", typ, f.Name, options)
			case options == "omitempty" && f.Type.Kind() == reflect.Struct:
				t.Errorf("%s.%s: omitempty does nothing for a struct; omitzero does", typ, f.Name)
			}
			last = name
			canonical(t, f.Type, seen)
		}
	default:
		t.Errorf("%s has no canonical encoding", typ)
	}
}
