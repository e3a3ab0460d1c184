package draft_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tendhq/tend/internal/app"
	"github.com/tendhq/tend/internal/document"
	"github.com/tendhq/tend/internal/draft"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/guard"
)

const text = `apiVersion: tend/v1
kind: Playbook
metadata: {name: look, description: Looks.}
parameters:
  - {name: host, type: string, description: Which.}
steps:
  # Politely.
  - uses: polite
    with: {what: '{{ $.params.host }}'}
  - parallel:
      - {uses: log, with: {message: a}}
      - foreach: {in: [1, 2], value: n, steps: [{uses: log, with: {message: b}}]}
  - lock:
      key: all
      steps:
        - uses: ssh
          with: {host: web-1, script: 'true'}
          target: 'host:web-1'
          verify: {uses: log, with: {message: c}, until: 'true'}
          undo: {none: Nothing to restore.}
`

func around() []document.File {
	return []document.File{
		{Name: "polite.yaml", Content: []byte("apiVersion: tend/v1\nkind: Step\nmetadata: {name: polite, description: Says it politely.}\ninputs:\n  - {name: what, type: string, description: What.}\nrun: {uses: log, with: {message: 'please: {{ $.params.what }}'}}\n")},
		{Name: "look.yaml", Content: []byte("what was there before")},
		{Name: "test.txtar", Content: []byte("exec tend")},
	}
}

func of(t *testing.T, files []document.File, text string) *draft.Draft {
	t.Helper()
	actions, err := app.Actions()
	if err != nil {
		t.Fatal(err)
	}
	return draft.New(actions, files, "look.yaml", []byte(text))
}

// TestLook: every box of the drawing has its place in the text.
func TestLook(t *testing.T) {
	t.Parallel()
	docs, findings := of(t, around(), text).Look()
	if document.HasErrors(findings) || len(docs) != 1 || docs[0].Drawing == nil || !docs[0].Drawing.Whole || docs[0].Name != "look" || len(docs[0].Parameters) != 1 {
		t.Fatalf("%+v, %v", docs, findings)
	}
	lines := strings.Split(text, "\n")
	places := map[string]int{}
	for _, p := range docs[0].Drawing.Parts {
		places[p.Path] = p.Line
		if p.Line < 1 || p.End < p.Line || p.End > len(lines) {
			t.Errorf("%+v", p)
		}
	}
	for _, b := range docs[0].Drawing.Layout.Boxes {
		if _, ok := places[b.Path]; !ok && b.Kind != "start" && b.Kind != "end" {
			t.Errorf("%s (%s) has no place", b.Path, b.Kind)
		}
	}
	for path, want := range map[string]string{
		"steps[0]": "  - uses: polite", "steps[2].steps[0]": "        - uses: ssh", "steps[2].steps[0].verify": "          verify: {uses", "steps": "steps:",
		"steps[1].parallel[1]": "      - foreach",
	} {
		if n := places[path]; n == 0 || !strings.HasPrefix(lines[n-1], want) {
			t.Errorf("%s is at line %d", path, n)
		}
	}
}

// TestBroken: what does not compile is drawn as far as it goes, and says what is wrong.
func TestBroken(t *testing.T) {
	t.Parallel()
	docs, findings := of(t, nil, text).Look() // there is no module polite
	if len(docs) != 1 || docs[0].Drawing == nil || docs[0].Drawing.Whole || len(docs[0].Drawing.Layout.Boxes) < 8 {
		t.Errorf("%+v", docs)
	}
	if !slices.ContainsFunc(findings, func(f document.Finding) bool { return f.Rule == document.RuleAction && f.Place.Line == 8 }) {
		t.Errorf("%v", findings)
	}
	docs, findings = of(t, nil, "apiVersion: tend/v1\nkind: Playbook\nsteps: [").Look()
	if len(docs) != 0 || !document.HasErrors(findings) {
		t.Errorf("%+v, %v", docs, findings)
	}
}

func TestPlan(t *testing.T) {
	t.Parallel()
	p, err := of(t, around(), text).Plan(draft.Request{
		Params: map[string]any{"host": "web-7"}, Now: time.Now(),
		Guards: []guard.Spec{{Name: "gentle", Cooldown: &guard.Cooldown{}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Steps) != 3 || p.Params["host"] != "web-7" {
		t.Errorf("%+v", p)
	}
	inner := p.Steps[2].Steps[0]
	if inner.Uses != "ssh" || !slices.Equal(inner.Guards, []string{"gentle"}) {
		t.Errorf("%+v", inner)
	}
	for name, c := range map[string]struct {
		text string
		q    draft.Request
		kind fault.Kind
	}{
		"a missing parameter": {text, draft.Request{}, fault.Missing},
		"another playbook":    {text, draft.Request{Name: "other"}, fault.NotFound},
		"an error":            {strings.Replace(text, "uses: ssh", "uses: shs", 1), draft.Request{}, fault.Invalid},
		"no playbook":         {"apiVersion: tend/v1\nkind: Guard\nmetadata: {name: g}\ncooldown: {every: 1m}\n", draft.Request{}, fault.Invalid},
	} {
		if _, err := of(t, around(), c.text).Plan(c.q); err == nil || c.kind != fault.Missing && !fault.Is(err, c.kind) {
			t.Errorf("%s: %v (%s)", name, err, fault.KindOf(err))
		}
	}
}

func TestFormat(t *testing.T) {
	t.Parallel()
	d := of(t, around(), strings.Replace(text, "  # Politely.\n  - uses: polite\n", "  # Politely.\n  - uses: \"polite\"\n", 1))
	out, findings := d.Format()
	if len(findings) > 0 || !strings.Contains(string(out), "  # Politely.\n  - uses: polite\n") {
		t.Errorf("%s %v", out, findings)
	}
}
