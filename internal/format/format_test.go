package format_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
	"go.yaml.in/yaml/v4"
	"pgregory.net/rapid"

	"github.com/tendhq/tend/internal/document"
	"github.com/tendhq/tend/internal/format"
	"github.com/tendhq/tend/internal/playbook"
	"github.com/tendhq/tend/internal/testenv"
)

var update = flag.Bool("update", os.Getenv("TEND_UPDATE") != "", "write the golden files anew")

func TestSource(t *testing.T) {
	t.Parallel()
	paths, _ := filepath.Glob("testdata/*.txtar")
	if len(paths) == 0 {
		t.Fatal("no fixtures")
	}
	for _, path := range paths {
		t.Run(filepath.Base(path), func(t *testing.T) {
			t.Parallel()
			a, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			in := a.Files[0].Data
			got := canonical(t, in)
			if *update {
				a.Files = append(a.Files[:1], txtar.File{Name: "want.yaml", Data: got})
				if err := os.WriteFile(path, txtar.Format(a), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if len(a.Files) < 2 {
				t.Fatal("no want.yaml: go test -update writes it")
			}
			if diff := cmp.Diff(string(a.Files[1].Data), string(got)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", path, diff)
			}
		})
	}
}

// canonical formats, and checks what must hold for every file.
func canonical(t testing.TB, src []byte) []byte {
	t.Helper()
	out, findings := format.Source("in.yaml", src)
	if len(findings) > 0 {
		t.Fatalf("%v\n%s", findings, src)
	}
	again, findings := format.Source("in.yaml", out)
	if len(findings) > 0 || !bytes.Equal(out, again) {
		t.Fatalf("formatting twice differs: %v\n%s\nfrom\n%s", findings, cmp.Diff(string(out), string(again)), src)
	}
	return out
}

// TestMeaning formats every document of the language's fixtures: the compiled program must not change.
func TestMeaning(t *testing.T) {
	t.Parallel()
	paths, _ := filepath.Glob("../compiler/testdata/*/*.txtar")
	if len(paths) == 0 {
		t.Fatal("no fixtures")
	}
	for _, path := range paths {
		a, err := txtar.ParseFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range a.Files {
			if !strings.HasSuffix(f.Name, ".yaml") {
				continue
			}
			t.Run(filepath.Base(path)+"/"+f.Name, func(t *testing.T) {
				t.Parallel()
				if _, findings := document.Nodes(f.Name, f.Data); len(findings) > 0 {
					t.Skip("no YAML")
				}
				out, findings := format.Source(f.Name, f.Data)
				if len(findings) > 0 {
					if strings.Contains(findings[0].Message, "it is not a map") || strings.Contains(findings[0].Message, "would differ") {
						t.Skip(findings[0].Message) // documents that are none, and double keys
					}
					t.Fatal(findings)
				}
				was, is := messages(f.Data), messages(out)
				if diff := cmp.Diff(was, is); diff != "" {
					t.Errorf("other findings (-before +after):\n%s", diff)
				}
			})
		}
	}
}

// messages are the findings of a file without their places.
func messages(src []byte) map[string]int {
	_, findings := playbook.Parse("x.yaml", src)
	out := map[string]int{}
	for _, f := range findings {
		m, _, _ := strings.Cut(f.Message, " in line ")
		out[f.Rule+" "+m]++
	}
	return out
}

// TestCorpus formats real documents of the older dialect.
func TestCorpus(t *testing.T) {
	t.Parallel()
	root := testenv.Corpus(t)
	paths, _ := filepath.Glob(filepath.Join(root, "*", "*", "*.yaml"))
	if len(paths) == 0 {
		t.Fatalf("no document below %s", root)
	}
	for _, path := range paths {
		src, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		canonical(t, src)
	}
}

// TestProperty formats generated documents with comments and blank lines in any place: the data stays, the comments
// stay, and twice is as once.
func TestProperty(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		g := &generator{t: rt}
		g.line(0, "apiVersion: tend/v1")
		g.line(0, "kind: "+rapid.SampledFrom([]string{"Playbook", "Step", "Guard"}).Draw(rt, "kind"))
		g.mapping(0, 0)
		src := []byte(g.b.String())
		if _, findings := document.Nodes("g.yaml", src); len(findings) > 0 {
			rt.Skip(findings)
		}
		out, findings := format.Source("g.yaml", src)
		if len(findings) > 0 {
			rt.Fatalf("%v\n%s", findings, src)
		}
		again, _ := format.Source("g.yaml", out)
		if !bytes.Equal(out, again) {
			rt.Fatalf("twice differs:\n%s\nfrom\n%s", cmp.Diff(string(out), string(again)), src)
		}
		var was, is any
		if err := yaml.Load(src, &was); err != nil {
			rt.Fatal(err)
		}
		if err := yaml.Load(out, &is); err != nil {
			rt.Fatal(err)
		}
		if diff := cmp.Diff(was, is); diff != "" {
			rt.Fatalf("the data differs:\n%s\n%s\nfrom\n%s", diff, out, src)
		}
		if n := bytes.Count(out, []byte("# note")); n != g.notes {
			rt.Fatalf("%d of %d comments:\n%s\nfrom\n%s", n, g.notes, out, src)
		}
	})
}

type generator struct {
	t     *rapid.T
	b     strings.Builder
	keys  int
	notes int
}

func (g *generator) draw(n int, what string) int { return rapid.IntRange(0, n-1).Draw(g.t, what) }

// line writes a line with noise around it.
func (g *generator) line(indent int, text string) {
	switch g.draw(8, "noise") {
	case 0:
		g.b.WriteString("\n")
	case 1:
		g.note(indent)
	case 2:
		g.note(indent + g.draw(5, "more"))
	case 3:
		g.b.WriteString("\n\n")
		g.note(indent)
		g.b.WriteString("\n")
	}
	g.b.WriteString(strings.Repeat(" ", indent) + text)
	if g.draw(5, "eol") == 0 && !strings.HasSuffix(text, "|") && !strings.HasSuffix(text, ">-") {
		g.b.WriteString("   # note")
		g.notes++
	}
	g.b.WriteString("\n")
}

func (g *generator) note(indent int) {
	g.b.WriteString(strings.Repeat(" ", indent) + "# note\n")
	g.notes++
}

func (g *generator) key() string {
	g.keys++
	names := []string{"with", "uses", "id", "env", "steps", "when", "verify", "other", "foreach", "parameters"}
	return names[g.draw(len(names), "name")] + strings.Repeat("x", g.keys)
}

var scalars = []string{
	"a", "'b'", `"c d"`, `'{{ $.x }}'`, `"{{ $.'a-b' }}"`, "5", "true", "~", "", "'yes'", "a: b"[:1], `"a # b"`, `'it''s'`,
	`"tab\t"`, "{a: 1, b: [x, 'y z']}", "[]", "{}", "[1, 'two', {three: 3}]", "http://x.y/z", "-x", `"- x"`,
}

func (g *generator) mapping(indent, depth int) {
	for range 1 + g.draw(4, "entries") {
		k := g.key()
		switch n := g.draw(6, "value"); {
		case n == 0 && depth < 4:
			g.line(indent, k+":")
			g.mapping(indent+1+g.draw(4, "indent"), depth+1)
		case n == 1 && depth < 4:
			g.line(indent, k+":")
			g.sequence(indent+g.draw(3, "indent"), depth+1)
		case n == 2:
			g.block(indent, k+": ")
		default:
			g.line(indent, k+": "+rapid.SampledFrom(scalars).Draw(g.t, "scalar"))
		}
	}
}

func (g *generator) sequence(indent, depth int) {
	for range 1 + g.draw(3, "items") {
		if g.draw(2, "map") == 0 && depth < 4 {
			g.line(indent, "- "+g.key()+": "+rapid.SampledFrom(scalars).Draw(g.t, "scalar"))
			if g.draw(2, "more") == 0 {
				g.mapping(indent+2, depth+1)
			}
			continue
		}
		g.line(indent, "- "+rapid.SampledFrom(scalars).Draw(g.t, "scalar"))
	}
}

func (g *generator) block(indent int, head string) {
	g.line(indent, head+rapid.SampledFrom([]string{"|", ">-"}).Draw(g.t, "style"))
	for range 1 + g.draw(3, "lines") {
		g.b.WriteString(strings.Repeat(" ", indent+3) + rapid.SampledFrom([]string{"text", "# text", "  more"}).Draw(g.t, "text") + "\n")
		if g.draw(4, "blank") == 0 {
			g.b.WriteString("\n")
		}
	}
}

func FuzzSource(f *testing.F) {
	paths, _ := filepath.Glob("testdata/*.txtar")
	for _, p := range paths {
		if a, err := txtar.ParseFile(p); err == nil {
			f.Add(a.Files[0].Data)
		}
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		out, findings := format.Source("f.yaml", src)
		if len(findings) > 0 {
			return
		}
		again, findings := format.Source("f.yaml", out)
		if len(findings) > 0 || !bytes.Equal(out, again) {
			t.Fatalf("formatting twice differs: %v\n%q\n%q", findings, out, again)
		}
	})
}
