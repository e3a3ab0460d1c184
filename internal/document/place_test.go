package document_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/tendhq/tend/internal/document"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/playbook"
)

// TestPlaceIn finds a word of an expression in the file, in every style of scalar.
func TestPlaceIn(t *testing.T) {
	t.Parallel()
	src := `apiVersion: tend/v1
kind: Playbook
metadata: {name: places}
steps:
  - uses: fail
    with: {message: plain ünd WORD}
  - uses: fail
    with: {message: 'it''s ünd WORD'}
  - uses: fail
    with: {message: "a \"ünd\" WORD"}
  - uses: fail
    with:
      message: |
        first
          WORD last
  - uses: fail
    with:
      message: >-
        folded
        text WORD
  - uses: fail
    with:
      message: plain
        over lines WORD
  - uses: fail
    with:
      message: "quoted
        over WORD"
`
	docs, findings := playbook.Parse("p.yaml", []byte(src))
	if len(findings) > 0 {
		t.Fatal(findings)
	}
	for _, s := range docs[0].Steps {
		m := s.Message
		text, _ := m.Lit.(string)
		p := docs[0].PlaceIn(m.Node, strings.Index(text, "WORD"))
		line := []rune(docs[0].Line(p.Line))
		if p.Column < 1 || p.Column > len(line) || !strings.HasPrefix(string(line[p.Column-1:]), "WORD") {
			t.Errorf("%q: %s points at %q", text, p, docs[0].Line(p.Line))
		}
		whole := docs[0].Place(m.Node)
		if whole.Line == 0 || whole.Column == 0 || whole.EndColumn <= whole.Column {
			t.Errorf("%q: %+v", text, whole)
		}
		if far := docs[0].PlaceIn(m.Node, len(text)+99); far != whole {
			t.Errorf("%q: beyond the end is %v", text, far)
		}
	}
}

func TestLibrary(t *testing.T) {
	t.Parallel()
	doc := func(kind, name string) []byte {
		return []byte("apiVersion: tend/v1\nkind: " + kind + "\nmetadata: {name: " + name + "}\n")
	}
	l := document.NewLibrary([]document.File{
		{Name: "b/steps.yaml", Content: append(doc("Step", "team/one"), append([]byte("---\n"), doc("Step", "team/two")...)...)},
		{Name: "a/one.yaml", Content: doc("Step", "team/one")},
		{Name: "a/play.yaml", Content: doc("Playbook", "team/one")},
		{Name: "broken.yaml", Content: []byte("kind: Step\nname: team/three: [")},
		{Name: "huge.yaml", Content: make([]byte, document.MaxSize+1)},
	})
	for _, c := range []struct {
		kind             document.Kind
		name, from, want string
	}{
		{document.KindModule, "team/one", "a/x.yaml", "a/one.yaml"},
		{document.KindModule, "Team/ONE", "b/x.yaml", "b/steps.yaml"},
		{document.KindModule, "team/two", "a/x.yaml", "b/steps.yaml"},
		{document.KindPlaybook, "team/one", "b/x.yaml", "a/play.yaml"},
		{document.KindPlaybook, "../a/play.yaml", "b/x.yaml", "a/play.yaml"},
		{document.KindModule, "./one.yaml", "a/x.yaml", "a/one.yaml"},
		{document.KindModule, "team/three", "a/x.yaml", ""},
		{document.KindModule, "team", "a/x.yaml", ""},
		{document.KindModule, "./none.yaml", "a/x.yaml", ""},
		{document.KindModule, "../../etc/passwd.yaml", "a/x.yaml", ""},
	} {
		f, err := l.Find(c.kind, c.name, c.from)
		if c.want == "" && !fault.Is(err, fault.NotFound) || c.want != "" && (err != nil || f.Name != c.want) {
			t.Errorf("Find(%s, %s, %s) = %s, %v; want %q", c.kind, c.name, c.from, f.Name, err, c.want)
		}
	}
	for name, next := range map[string]string{"./on.yaml": "did you mean a/one.yaml?", "./nothing-like-it.yaml": "paths count from the folder of the file that they stand in"} {
		if _, err := l.Find(document.KindModule, name, "a/x.yaml"); fault.NextOf(err) != next {
			t.Errorf("%s: %q", name, fault.NextOf(err))
		}
	}
	if names := l.Names(document.KindModule); !slices.Equal(names, []string{"team/one", "team/two"}) {
		t.Errorf("modules %v", names)
	}
}
