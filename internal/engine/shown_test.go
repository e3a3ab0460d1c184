package engine_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/tendhq/tend/internal/engine"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/run"
	"github.com/tendhq/tend/internal/store"
	"github.com/tendhq/tend/internal/store/memory"
	"github.com/tendhq/tend/internal/task"
)

var bob = entry.Who{Name: "bob"}

// everywhere lists the open tasks of all runs.
func (b *bench) everywhere(t *testing.T) []store.Row {
	t.Helper()
	p, err := b.Rows(t.Context(), store.Filter{Kind: "task", Status: []string{task.Open}, Oldest: true})
	if err != nil {
		t.Fatal(err)
	}
	return p.Rows
}

// asked waits until a run has ended, or somebody is asked about it or what it called.
func (b *bench) asked(t *testing.T, id string) (status string, open []store.Row) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; {
		p, err := b.Rows(t.Context(), store.Filter{Kind: "run", ID: id, Limit: 1})
		if err != nil {
			t.Fatal(err)
		}
		open = b.everywhere(t)
		if len(p.Rows) == 1 && (len(open) > 0 || run.Status(p.Rows[0].Status).Ended()) {
			return p.Rows[0].Status, open
		}
		if time.Now().After(deadline) {
			t.Fatal("the run did not get anywhere")
		}
		runtime.Gosched()
	}
}

// TestWhatWasNotShownAsksAgain: an approval around steps covers what people saw of them, rendered, and nothing else: what
// becomes known only later asks by itself, in every kind of block and in sub-playbooks. asks are the paths that are asked
// about, in the order of the questions.
func TestWhatWasNotShownAsksAgain(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, src, child, asks string }{
		{name: "all was shown", src: `
  - {approval: go?, steps: [{uses: probe, with: {say: a}}, {uses: probe, with: {say: '{{ $.params.who }}'}}]}
`, asks: "steps[0]"},
		{name: "a look", src: `
  - {approval: go?, steps: [{id: x, uses: probe, effect: read, with: {say: a}}, {uses: probe, effect: read, with: {say: '{{ $.steps.x.value }}'}}]}
`, asks: "steps[0]"},
		{name: "the same again, known only later", src: `
  - {approval: go?, steps: [{id: x, uses: probe, with: {say: a}}, {uses: probe, with: {say: '{{ $.steps.x.value }}'}}]}
`, asks: "steps[0] steps[0].steps[1]"},
		{name: "it came out otherwise", src: `
  - {id: x, uses: probe, with: {say: a}}
  - {approval: go?, steps: [{id: x2, uses: probe, with: {say: b}}, {uses: probe, with: {say: '{{ coalesce (get $.steps "x2") $.steps.x.value }}'}}]}
`, asks: "steps[1] steps[1].steps[1]"},
		{name: "a loop whose list is known", src: `
  - approval: go?
    foreach: {in: [a, b], value: v, steps: [{uses: probe, with: {say: '{{ $.v }}'}}]}
`, asks: "steps[0]"},
		{name: "a loop whose list is known only then", src: `
  - approval: go?
    steps:
      - {id: x, uses: probe, effect: read, with: {say: [a]}}
      - foreach: {in: steps.x.value, value: v, steps: [{uses: probe, with: {say: '{{ $.v }}'}}]}
`, asks: `steps[0] steps[0].steps[1].foreach["0"].steps[0]`},
		{name: "branches", src: `
  - approval: go?
    parallel:
      - {steps: [{uses: probe, with: {say: a}}]}
      - {steps: [{id: x, uses: probe, effect: read, with: {say: b}}, {uses: probe, with: {say: '{{ $.steps.x.value }}'}}]}
`, asks: "steps[0] steps[0].parallel[1].steps[1]"},
		{name: "a block within", src: `
  - approval: go?
    steps:
      - {id: x, uses: probe, with: {say: a}}
      - {approval: 'and now?', steps: [{uses: probe, with: {say: '{{ $.steps.x.value }}'}}]}
`, asks: "steps[0] steps[0].steps[1]"},
		{name: "a step within that asks itself", src: `
  - approval: go?
    steps:
      - {id: x, uses: probe, with: {say: a}}
      - {approval: 'and now?', uses: probe, with: {say: '{{ $.steps.x.value }}'}}
`, asks: "steps[0] steps[0].steps[1]"},
		{name: "what cleans up", src: `
  - approval: go?
    steps: [{uses: probe, with: {say: a}}]
    finally: [{uses: probe, with: {say: b}}]
`, asks: "steps[0]"},
		{name: "a sub-playbook that was shown", src: `
  - {approval: go?, uses: playbook, with: {name: child, params: {p: one}}}
`, child: `
parameters: [{name: p, type: string}]
steps: [{uses: probe, with: {say: '{{ $.params.p }}'}}]
`, asks: "steps[0]"},
		{name: "a sub-playbook of which not all was shown", src: `
  - {approval: go?, uses: playbook, with: {name: child, params: {p: one}}}
`, child: `
parameters: [{name: p, type: string}]
steps: [{id: x, uses: probe, effect: read, with: {say: '{{ $.params.p }}'}}, {uses: probe, with: {say: '{{ $.steps.x.value }}'}}]
`, asks: "steps[0] child:steps[1]"},
		{name: "a sub-playbook in a block", src: `
  - {approval: go?, steps: [{uses: playbook, with: {name: child, params: {p: '{{ $.params.who }}'}}}]}
`, child: `
parameters: [{name: p, type: string}]
steps: [{uses: probe, with: {say: '{{ $.params.p }}'}}]
`, asks: "steps[0]"},
		{name: "a sub-playbook whose parameters are known only then", src: `
  - approval: go?
    steps:
      - {id: x, uses: probe, effect: read, with: {say: one}}
      - {uses: playbook, with: {name: child, params: {p: '{{ $.steps.x.value }}'}}}
`, child: `
parameters: [{name: p, type: string}]
steps: [{uses: probe, with: {say: '{{ $.params.p }}'}}]
`, asks: "steps[0] child:steps[0]"},
		{name: "more than is shown", src: `
  - approval: go?
    foreach: {range: [0, 52], value: v, steps: [{uses: probe, with: {say: '{{ $.v }}'}}]}
`, asks: `steps[0] steps[0].foreach["50"].steps[0] steps[0].foreach["51"].steps[0]`},
		{name: "nobody was asked", src: `
  - {uses: probe, with: {say: a}}
`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, new(memory.Disk), &hands{reply: says})
			prog := b.calls(t, "parameters: [{name: who, type: string, default: web-1}]\nsteps:"+c.src, cmp.Or(c.child, "steps: [{uses: probe, with: {say: x}}]"))
			id, err := b.Start(t.Context(), engine.Start{Program: prog, Params: map[string]any{"who": "web-1"}, By: ada})
			if err != nil {
				t.Fatal(err)
			}
			var asks []string
			for {
				got, open := b.asked(t, id)
				if got == "succeeded" {
					break
				}
				if len(open) != 1 || len(asks) > 10 {
					t.Fatalf("%s: %d questions, after %q", got, len(open), asks)
				}
				var row engine.TaskRow
				if err := json.Unmarshal(open[0].Body, &row); err != nil {
					t.Fatal(err)
				}
				path := row.Path
				if open[0].Parent != id {
					path = "child:" + path
				}
				asks = append(asks, path)
				if _, err := b.Answer(t.Context(), engine.Answer{Task: open[0].ID, Choice: "approve", By: bob}); err != nil {
					t.Fatal(err)
				}
			}
			if s := strings.Join(asks, " "); s != c.asks {
				t.Errorf("asked about %q, not %q", s, c.asks)
			}
		})
	}
}

// TestNoAnswerToTheNextQuestionIsNo: what was not shown does not happen unless somebody says yes to it, too.
func TestNoAnswerToTheNextQuestionIsNo(t *testing.T) {
	t.Parallel()
	b := setup(t, new(memory.Disk), &hands{reply: says})
	id := b.start(t, "steps: [{approval: go?, steps: [{id: x, uses: probe, effect: read, with: {say: a}}, {uses: probe, with: {say: '{{ $.steps.x.value }}'}}]}]")
	if got := b.until(t, id); got != "waiting task" {
		t.Fatal(got)
	}
	b.answer(t, id, "approve")
	if got := b.until(t, id); got != "waiting task" {
		t.Fatal(got)
	}
	b.answer(t, id, "reject")
	if got := b.until(t, id); !strings.Contains(got, "rejected by bob") || strings.Contains(b.hands.did(), "steps[1]") {
		t.Fatal(got, b.hands.did())
	}
}

// TestBlockShowsWhatItWouldDo: rendered, with targets, and not what is only known later.
func TestBlockShowsWhatItWouldDo(t *testing.T) {
	t.Parallel()
	b := setup(t, new(memory.Disk), &hands{reply: says})
	prog := compile(t, b.set, `
parameters: [{name: who, type: string, default: web-1}]
steps:
  - approval: go?
    steps:
      - {id: x, name: Restart it, uses: probe, with: {say: 'unit of {{ $.params.who }}'}}
      - {uses: probe, with: {say: '{{ $.steps.x.value }}'}}
`)
	id, err := b.Start(t.Context(), engine.Start{Program: prog, Params: map[string]any{"who": "web-1"}, By: ada})
	if err != nil {
		t.Fatal(err)
	}
	if got := b.until(t, id); got != "waiting task" {
		t.Fatal(got)
	}
	var row engine.TaskRow
	if err := json.Unmarshal(b.everywhere(t)[0].Body, &row); err != nil {
		t.Fatal(err)
	}
	shown := fmt.Sprint(row.Show["steps"])
	for _, want := range []string{"Restart it", "unit of web-1", "thing:unit of web-1", "known only then, and asked about then"} {
		if !strings.Contains(shown, want) {
			t.Errorf("%q is not shown: %s", want, shown)
		}
	}
}

// TestGlassLeavesAReview: the run goes on at once, with exactly what was shown; the review outlives it, takes comments, and is
// done by somebody else, once, also when two of them do it at the same time.
func TestGlassLeavesAReview(t *testing.T) {
	t.Parallel()
	b := setup(t, new(memory.Disk), &hands{reply: says})
	id := b.start(t, "steps: [{approval: {message: go?, from: [dba], count: 2}, uses: probe, with: {say: a}}]")
	if got := b.until(t, id); got != "waiting task" {
		t.Fatal(got)
	}
	asked := b.everywhere(t)[0]
	if _, err := b.Answer(t.Context(), engine.Answer{Task: asked.ID, Choice: task.BreakGlass, By: bob}); !fault.Is(err, fault.Invalid) {
		t.Fatal("without a reason:", err)
	}
	if s, err := b.Answer(t.Context(), engine.Answer{Task: asked.ID, Choice: task.BreakGlass, By: bob, Why: "it burns"}); err != nil || s != "approved" {
		t.Fatal(s, err)
	}
	if got := b.until(t, id); got != "succeeded" {
		t.Fatal(got)
	}
	open := b.everywhere(t)
	if len(open) != 1 || open[0].Parent != id || open[0].Status != task.Open {
		t.Fatalf("%+v", open)
	}
	review := open[0].ID
	if err := b.Attend(t.Context(), review, task.Act{Verb: task.Say, Text: "I look", By: ada}); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Answer(t.Context(), engine.Answer{Task: review, Choice: "done", By: bob, Why: "fine"}); !fault.Is(err, fault.Refused) {
		t.Fatal("who broke it:", err)
	}
	ends := make(chan error)
	for range 4 {
		go func() {
			_, err := b.Answer(t.Context(), engine.Answer{Task: review, Choice: "done", By: ada, Why: "fine"})
			ends <- err
		}()
	}
	good := 0
	for range 4 {
		if err := <-ends; err == nil {
			good++
		} else if !fault.Is(err, fault.Conflict) {
			t.Error(err)
		}
	}
	if good != 1 || len(b.everywhere(t)) != 0 {
		t.Errorf("done %d times; %v", good, b.everywhere(t))
	}
	audit, err := b.Rows(t.Context(), store.Filter{Kind: "run", ID: id, Limit: 1})
	if err != nil || len(audit.Rows) != 1 || audit.Rows[0].Status != "succeeded" {
		t.Error(audit, err)
	}
	if _, err := b.Status(t.Context()); err != nil {
		t.Error("the engine goes on:", err)
	}
}
