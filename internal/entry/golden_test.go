package entry_test

import (
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/value"
)

var update = flag.Bool("update", os.Getenv("TEND_UPDATE") != "", "add the encodings of today to the golden files")

// goldens gives the encodings of a kind that were ever written: the lines of its file.
func goldens(t testing.TB, k entry.Kind) []string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", "kinds", string(k)+".jsonl"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return slices.DeleteFunc(strings.Split(string(b), "\n"), func(line string) bool { return line == "" })
}

// TestGoldenEncodings: what was ever written is read for ever, and encodes as it did. So a file in testdata/kinds only
// grows: -update adds a line for the encoding of today and never changes one. A line that fails is data of users that
// can no longer be read: make the new field optional, or make a new kind.
func TestGoldenEncodings(t *testing.T) {
	t.Parallel()
	for k, mk := range entry.Kinds() {
		lines := goldens(t, k)
		for i, line := range lines {
			e := entry.Entry{Stream: "run/x", Seq: 1, Kind: k, Version: entry.Version, Payload: []byte(line)}
			p, err := entry.Decode(e)
			if err != nil {
				t.Errorf("%s line %d cannot be read any more: %v", k, i+1, err)
				continue
			}
			again, err := value.Canonical(p)
			if err != nil || string(again) != line {
				t.Errorf("%s line %d encodes as something else now, %v:\n%s\n%s", k, i+1, err, line, again)
			}
		}
		for _, full := range []bool{false, true} {
			p := mk()
			if full {
				fill(t, reflect.ValueOf(p).Elem(), string(k))
			}
			e, err := entry.New(time.Unix(0, 0), p)
			if err != nil {
				t.Fatal(err)
			}
			if line := string(e.Payload); !slices.Contains(lines, line) {
				if !*update {
					t.Errorf("%s: the encoding of today is not in its golden file (-update adds it):\n%s", k, line)
					continue
				}
				lines = append(lines, line)
				if err := os.WriteFile(filepath.Join("testdata", "kinds", string(k)+".jsonl"), []byte(strings.Join(lines, "\n")+"\n"), 0o644); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}

// TestGoldenFiles: no file is left of a kind that was removed. Kinds are never removed.
func TestGoldenFiles(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/kinds/*.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		k := entry.Kind(strings.TrimSuffix(filepath.Base(f), ".jsonl"))
		if _, ok := entry.Kinds()[k]; !ok {
			t.Errorf("%s was written once, and cannot be read any more", k)
		}
	}
}

// fill gives every field a value that is not zero and depends on its name only.
func fill(t *testing.T, v reflect.Value, name string) {
	t.Helper()
	switch v.Interface().(type) {
	case time.Time:
		v.Set(reflect.ValueOf(time.Date(2026, 2, 3, 4, 5, 6, 789012000, time.UTC)))
		return
	case value.Object:
		v.Set(reflect.ValueOf(value.Object{
			"b": "<&>\u2028", "a": int64(1) << 60, "c": []any{true, nil, 1.5, int64(-7)}, "nested": map[string]any{"": "ü", "é": "\x00\""},
		}))
		return
	}
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(int64(len(name)) + 100)
	case reflect.Uint64, reflect.Uint8:
		v.SetUint(uint64(len(name)) + 100)
	case reflect.String:
		v.SetString(name + "<é>")
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(t, v.Elem(), name)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range 2 {
			fill(t, v.Index(i), fmt.Sprint(name, i))
		}
	case reflect.Array:
		for i := range v.Len() {
			v.Index(i).SetUint(uint64(i))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			fill(t, v.Field(i), v.Type().Field(i).Name)
		}
	default:
		t.Fatalf("%s: no value for a %s", name, v.Type())
	}
}
