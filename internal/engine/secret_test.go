package engine_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tendhq/tend/internal/engine"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/run"
	"github.com/tendhq/tend/internal/secret"
	"github.com/tendhq/tend/internal/store/memory"
)

// opening opens what the input of an attempt has sealed, as a runner does, and lets X fail.
type opening struct {
	mu   sync.Mutex
	said []string
	hide []secret.Value
	bad  []error
}

func (o *opening) reply(a engine.Attempt) entry.StepResult {
	o.mu.Lock()
	defer o.mu.Unlock()
	with, _ := a.Intent.Inputs["with"].(map[string]any)
	say := with["say"]
	if d, ok := expr.AsDeferred(say); ok {
		_, open := key().For(a.Root)
		x, err := d.Disclose(open)
		o.bad = append(o.bad, err)
		say = x
	}
	text, _ := say.(string)
	o.said, o.hide = append(o.said, text), a.Hide
	if strings.HasPrefix(text, "X") && len(o.said) < 5 {
		return entry.StepResult{Outcome: entry.Failed, Fault: &entry.Fault{Kind: "exit", Message: "broken"}}
	}
	return entry.StepResult{Outcome: entry.Succeeded, Output: map[string]any{"value": with["say"]}}
}

func (o *opening) take(t *testing.T) string {
	t.Helper()
	o.mu.Lock()
	defer o.mu.Unlock()
	if err := errors.Join(o.bad...); err != nil {
		t.Error(err)
	}
	return strings.Join(o.said, " ")
}

// clear looks for a text in everything that is recorded of runs.
func (b *bench) clear(t *testing.T, text string, ids ...string) {
	t.Helper()
	for _, id := range ids {
		all, err := b.Entries(t.Context(), "run/"+id, 1, 1000)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range all {
			if bytes.Contains(e.Payload, []byte(text)) {
				t.Errorf("%s entry %d (%s) has %q: %s", e.Stream, e.Seq, e.Kind, text, e.Payload)
			}
		}
	}
}

// approve waits for a question and says yes.
func (b *bench) approve(t *testing.T, id string) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for late := time.After(20 * time.Second); len(b.tasks(t, id)) == 0; {
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("%s asks nobody, and is %s", id, b.status(t, id))
		}
	}
	b.answer(t, id, "approve")
}

// A run, the one that it calls, a change of parameters, a retry of both and a rollback: each can open what it is given, and
// nothing of it is recorded.
func TestSensitiveParametersAreSealedEverywhere(t *testing.T) {
	t.Parallel()
	o := &opening{}
	b := setup(t, new(memory.Disk), &hands{reply: o.reply})
	prog := b.calls(t, `
parameters: [{name: p, type: string, sensitive: true}]
steps: [{uses: playbook, with: {name: child, params: {p: '{{ $.params.p }}', q: 'q-{{ $.params.p }}'}}}]`, `
parameters: [{name: p, type: string, sensitive: true}, {name: q, type: string}, {name: r, type: string, sensitive: true, default: planted-r}]
steps:
  - {id: keep, uses: probe, effect: idempotent, with: {say: '{{ $.params.p }}'}}
  - {uses: approve, with: {message: so?}}
  - {uses: probe, effect: idempotent, with: {say: 'a-{{ $.params.q }}'}, undo: {uses: probe, effect: idempotent, with: {say: 'un-{{ $.params.q }}'}}}
  - {uses: approve, with: {message: so?}}
  - {uses: probe, effect: idempotent, with: {say: 'X-{{ $.params.p }}-{{ $.params.q }}-{{ $.params.r }}-{{ $.steps.keep.value }}'}}`)
	id, err := b.Start(t.Context(), engine.Start{Program: prog, By: ada, Params: map[string]any{"p": "planted-1"}})
	if err != nil {
		t.Fatal(err)
	}
	b.becomes(t, id, run.Waiting)
	kid := b.child(t, id)
	if got := b.until(t, kid); got != "waiting task" {
		t.Fatal(got)
	}
	b.order(t, engine.Command{Verb: engine.Params, Run: kid, Params: map[string]any{"r": "planted-2"}})
	b.approve(t, kid)
	b.approve(t, kid)
	if got := b.until(t, id); got != "failed: broken" {
		t.Fatal(got)
	}
	d := b.order(t, engine.Command{Verb: engine.Retry, Run: id, Params: map[string]any{"p": "planted-3"}})
	b.becomes(t, d.Run, run.Waiting)
	again := b.child(t, d.Run)
	b.approve(t, again)
	if got := b.until(t, d.Run); got != "succeeded" {
		t.Fatal(got)
	}
	if got, want := o.take(t), "planted-1 a-q-planted-1 X-planted-1-q-planted-1-planted-2-planted-1 un-q-planted-1 "+
		"a-q-planted-3 X-planted-3-q-planted-3-planted-2-planted-1"; got != want {
		t.Errorf("it did %q, not %q", got, want)
	}
	back := b.order(t, engine.Command{Verb: engine.Rollback, Run: again})
	if got := b.until(t, back.Run); got != "succeeded" {
		t.Fatal(got)
	}
	if got := o.take(t); !strings.HasSuffix(got, " un-q-planted-3") {
		t.Errorf("the rollback did %q", got)
	}
	b.clear(t, "planted-1", id, kid, d.Run, again, back.Run)
	b.clear(t, "planted-2", id, kid, d.Run, again, back.Run)
	b.clear(t, "planted-3", id, kid, d.Run, again, back.Run)
	var hidden []string
	for _, v := range o.hide {
		hidden = append(hidden, v.Reveal())
	}
	if got := strings.Join(hidden, " "); !strings.Contains(got, "planted-3") {
		t.Errorf("its logs do not hide %q", got)
	}
	p, err := b.Program(t.Context(), back.Run)
	if err != nil {
		t.Fatal(err)
	}
	if body, _, err := p.Closure(); err != nil || bytes.Contains(body, []byte("planted-3")) {
		t.Errorf("the rollback's playbook has it: %v", err)
	}
}

// Data from outside cannot look like what tend itself records.
func TestNothingFromOutsideAsksForSecrets(t *testing.T) {
	t.Parallel()
	b := setup(t, new(memory.Disk), &hands{reply: says})
	forged := map[string]any{"x": []any{map[string]any{expr.DeferredKey: map[string]any{"template": `{{ secret "k" }}`, "secrets": []any{"k"}}}}}
	prog := compile(t, b.set, `
parameters: [{name: x, type: list, required: false}]
steps: [{uses: ask, with: {message: What?, form: [{name: x, type: list}]}}]`)
	id, err := b.Start(t.Context(), engine.Start{Program: prog, By: ada})
	if err != nil {
		t.Fatal(err)
	}
	if got := b.until(t, id); got != "waiting task" {
		t.Fatal(got)
	}
	ctx := context.Background()
	for name, do := range map[string]func() error{
		"parameters": func() error {
			_, err := b.Start(ctx, engine.Start{Program: prog, By: ada, Params: forged})
			return err
		},
		"an event": func() error {
			_, err := b.Start(ctx, engine.Start{Program: prog, By: ada, Event: forged})
			return err
		},
		"metadata": func() error {
			_, err := b.Start(ctx, engine.Start{Program: prog, By: ada, Metadata: forged})
			return err
		},
		"changed parameters": func() error {
			_, err := b.Do(ctx, engine.Command{Verb: engine.Params, Run: id, By: ada, Params: forged})
			return err
		},
		"an answer": func() error {
			_, err := b.Answer(ctx, engine.Answer{Task: b.tasks(t, id)[0].ID, Choice: "answer", By: ada, Output: forged})
			return err
		},
		"what it waits for": func() error {
			_, err := b.Send(ctx, "e", "k", forged, ada)
			return err
		},
	} {
		if err := do(); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), expr.DeferredKey) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
