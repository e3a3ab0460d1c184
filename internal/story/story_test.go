package story_test

import (
	"bytes"
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tendhq/tend/internal/action"
	"github.com/tendhq/tend/internal/action/verb"
	"github.com/tendhq/tend/internal/blob"
	blobs "github.com/tendhq/tend/internal/blob/memory"
	"github.com/tendhq/tend/internal/compiler"
	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/document"
	"github.com/tendhq/tend/internal/engine"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/history"
	"github.com/tendhq/tend/internal/playbook"
	"github.com/tendhq/tend/internal/program"
	"github.com/tendhq/tend/internal/run"
	"github.com/tendhq/tend/internal/secret"
	"github.com/tendhq/tend/internal/store"
	"github.com/tendhq/tend/internal/store/memory"
	"github.com/tendhq/tend/internal/story"
	"github.com/tendhq/tend/internal/transcript"
	"github.com/tendhq/tend/internal/value"
)

// give is an action whose output is sensitive.
type give struct{}

func (give) Spec() contract.Spec {
	return contract.Spec{
		Name: "give", Summary: "Gives a key.", Effect: contract.Idempotent,
		Outputs: []contract.Field{{Name: "key", Type: contract.String, Sensitive: true}},
	}
}

func (give) Run(context.Context, action.Request, action.Log) action.Result { return action.OK(nil) }

// speak is an action that says a text. It prints it too, on ten lines; what it says is kept as a blob.
type speak struct{}

func (speak) Spec() contract.Spec {
	return contract.Spec{
		Name: "speak", Summary: "Says something.", Effect: contract.Idempotent,
		Inputs:  []contract.Field{{Name: "text", Type: contract.String}},
		Outputs: []contract.Field{{Name: "value", Type: contract.String}},
	}
}

func (speak) Run(context.Context, action.Request, action.Log) action.Result { return action.OK(nil) }

type hands struct{ blobs blob.Store }

func (h hands) Act(ctx context.Context, a engine.Attempt) entry.StepResult {
	if a.Def.Uses == "give" {
		return entry.StepResult{Outcome: entry.Succeeded, Output: value.Object{"key": key}}
	}
	with, _ := a.Intent.Inputs["with"].(map[string]any)
	text, _ := with["text"].(string)
	said, err := value.Canonical(value.Object{"value": text})
	if err != nil {
		return failed(err)
	}
	out, err := h.blobs.Put(ctx, a.Root, bytes.NewReader(said))
	if err != nil {
		return failed(err)
	}
	log := transcript.New(transcript.Config{})
	defer log.Discard()
	for range 10 {
		log.Write("stdout", []byte(text+"\n"))
	}
	log.Close()
	printed, err := h.blobs.Put(ctx, a.Root, log.Reader())
	if err != nil {
		return failed(err)
	}
	return entry.StepResult{Outcome: entry.Succeeded, Ref: &out, Log: &printed}
}

func failed(err error) entry.StepResult {
	return entry.StepResult{Outcome: entry.Failed, Fault: &entry.Fault{Kind: string(fault.Internal), Message: err.Error()}}
}

// house is a real engine over a disk in memory, and counts what is read of it.
type house struct {
	*engine.Engine

	disk  *memory.Disk
	close func()
	reads atomic.Int64 // entries that were given
}

func (h *house) Entries(ctx context.Context, stream string, from uint64, limit int) ([]entry.Entry, error) {
	list, err := h.Engine.Entries(ctx, stream, from, limit)
	h.reads.Add(int64(len(list)))
	return list, err
}

func open(t *testing.T, disk *memory.Disk) *house {
	t.Helper()
	kept, ev := blobs.New(), expr.New(expr.Limits{})
	e, err := engine.Open(t.Context(), engine.Config{
		Store: memory.Open(disk), Blobs: kept, Hands: hands{kept}, Env: run.Env{Eval: ev, Spec: actions(t).Spec}, Bind: ev, Holder: "test",
	})
	if err != nil {
		t.Fatal(err)
	}
	h := &house{Engine: e, disk: disk}
	h.close = sync.OnceFunc(func() {
		if err := e.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	t.Cleanup(h.close)
	return h
}

func actions(t *testing.T) *action.Set {
	t.Helper()
	set, err := action.NewSet([]action.Action{give{}, speak{}}, verb.All())
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func compile(t *testing.T, text string) *program.Program {
	t.Helper()
	docs, findings := playbook.Parse("p.yaml", []byte("apiVersion: tend/v1\nkind: Playbook\nmetadata: {name: spoken, description: Speaks.}\n"+text))
	if err := document.Fault(findings); err != nil {
		t.Fatal(err)
	}
	p, findings := compiler.Compile(docs[0], actions(t), nil)
	if err := document.Fault(findings); err != nil {
		t.Fatal(err)
	}
	return p
}

func (h *house) begin(t *testing.T, text string) string {
	t.Helper()
	id, err := h.Start(t.Context(), engine.Start{
		Program: compile(t, text), By: entry.Who{Name: "ann"}, Metadata: map[string]any{"commit": "4711"}, Source: "p.yaml",
	})
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func (h *house) row(t *testing.T, kind, id string) store.Row {
	t.Helper()
	p, err := h.Rows(t.Context(), store.Filter{Kind: kind, ID: id, Limit: 1})
	if err != nil || len(p.Rows) != 1 {
		t.Fatalf("%s %s: %v %v", kind, id, p.Rows, err)
	}
	return p.Rows[0]
}

// becomes waits until a run has a status, and gives its row.
func (h *house) becomes(t *testing.T, id string, want run.Status) store.Row {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for late := time.After(20 * time.Second); ; {
		r := h.row(t, "run", id)
		if r.Status == string(want) {
			return r
		}
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("%s is %s, and not %s", id, r.Status, want)
		}
	}
}

// approve answers the open task of a run.
func (h *house) approve(t *testing.T, id string) {
	t.Helper()
	p, err := h.Rows(t.Context(), store.Filter{Kind: "task", Parent: id, Status: []string{"open"}})
	if err != nil || len(p.Rows) != 1 {
		t.Fatalf("%v %v", p.Rows, err)
	}
	if _, err := h.Answer(t.Context(), engine.Answer{Task: p.Rows[0].ID, Choice: "approve", By: entry.Who{Name: "bob"}}); err != nil {
		t.Fatal(err)
	}
}

// What is given is said, which it should not be. The run waits for a person in the middle.
const (
	talk = `
steps:
  - {id: give, uses: give}
  - {name: Say, uses: speak, with: {text: 'it is {{ $.steps.give.key }}'}}
  - {uses: approve, with: {message: go on?}}
  - {name: Again, uses: speak, with: {text: 'still {{ $.steps.give.key }}'}}
`
	key = "hunter2-4711"
)

func read(t *testing.T, h *house, row store.Row) *story.Story {
	t.Helper()
	s, err := story.Read(t.Context(), h, row)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestAStoryIsTheSameInPieces: whoever follows a run sees what somebody sees who reads it at its end.
func TestAStoryIsTheSameInPieces(t *testing.T) {
	t.Parallel()
	h := open(t, new(memory.Disk))
	id := h.begin(t, talk)
	followed := read(t, h, h.becomes(t, id, run.Waiting))
	v := followed.Fold.View()
	if v.Status != "waiting" || len(v.Waits) != 1 || v.Waits[0].For != "task" || followed.Metadata["commit"] != "4711" || followed.Program == nil {
		t.Errorf("%+v %v", v, followed.Metadata)
	}
	before := followed.Seq()
	h.approve(t, id)
	end := h.becomes(t, id, run.Succeeded)
	h.reads.Store(0)
	if err := followed.Go(t.Context(), h, end); err != nil {
		t.Fatal(err)
	}
	if got, want := h.reads.Load(), int64(followed.Seq()-before); got != want || want == 0 {
		t.Errorf("%d entries were read to go on with %d", got, want)
	}
	whole := read(t, h, end)
	if got, want := followed.Fold.View(), whole.Fold.View(); !reflect.DeepEqual(got, want) {
		t.Errorf("followed:\n%+v\nread at the end:\n%+v", got, want)
	}
	if followed.Seq() != whole.Seq() {
		t.Errorf("%d and %d entries", followed.Seq(), whole.Seq())
	}
	// At the end there is nothing more, however often one asks.
	if err := whole.Go(t.Context(), h, end); err != nil {
		t.Error(err)
	}
}

func step(t *testing.T, s *story.Story, path string) *history.Step {
	t.Helper()
	st := s.Fold.Step(path)
	if st == nil {
		t.Fatalf("there is no %s", path)
	}
	return st
}

// TestWhatMustNotBeSeenIsMasked wherever a run is read: what is too large for an entry, logs and reports.
func TestWhatMustNotBeSeenIsMasked(t *testing.T) {
	t.Parallel()
	h := open(t, new(memory.Disk))
	id := h.begin(t, talk)
	h.becomes(t, id, run.Waiting)
	h.approve(t, id)
	s := read(t, h, h.becomes(t, id, run.Succeeded))
	said := step(t, s, "steps[1]")
	out, err := s.Large(t.Context(), h, *said.Ref)
	if err != nil || out["value"] != "it is "+secret.Mask {
		t.Errorf("%v %v", out, err)
	}
	ref := *said.Attempts[0].Log
	lines, err := s.Log(t.Context(), h, ref, 1<<20, "more")
	if err != nil || len(lines) != 10 || lines[9].Text != "it is "+secret.Mask {
		t.Errorf("%v %v", lines, err)
	}
	// A bound is one of text, as it is shown, and says that there is more.
	lines, err = s.Log(t.Context(), h, ref, 3*len("it is "+secret.Mask), "and more")
	if err != nil || len(lines) != 4 || lines[3].Text != "and more" || lines[3].Stream != transcript.Tend {
		t.Errorf("%v %v", lines, err)
	}
	r, err := s.Report(t.Context(), h)
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"steps[1]", "steps[3]"} {
		log, err := r.Log(*step(t, s, path).Attempts[0].Log)
		if err != nil || len(log) != 10 || !strings.Contains(log[0].Text, secret.Mask) {
			t.Errorf("%s: %v %v", path, log, err)
		}
	}
	if text := fmt.Sprintf("%+v", r); strings.Contains(text, key) {
		t.Errorf("it is in the report: %s", text)
	}
	// A blob that is not there, and one that is no outputs, are said so.
	gone := *said.Ref
	gone.ID += "0"
	if _, err := s.Large(t.Context(), h, gone); err == nil {
		t.Error("a blob that is not there was read")
	}
	if _, err := s.Large(t.Context(), h, ref); !fault.Is(err, fault.Damaged) {
		t.Errorf("a log was read as outputs: %v", err)
	}
}

// TestAQuarantinedRunIsToldAsFarAsItIsKnown: its entries cannot be read, its row can.
func TestAQuarantinedRunIsToldAsFarAsItIsKnown(t *testing.T) {
	t.Parallel()
	disk := new(memory.Disk)
	h := open(t, disk)
	id := h.begin(t, "steps:\n  - {lock: {key: shelf, steps: [{uses: approve, with: {message: go on?}}]}}\n")
	waits := h.becomes(t, id, run.Waiting)
	h.close()
	disk.Tamper("run/"+id, 2, func(e *entry.Entry) { e.Payload = []byte(`{"changed":true}`) })
	h = open(t, disk)
	if _, err := h.Do(t.Context(), engine.Command{Verb: engine.Pause, Run: id, By: entry.Who{Name: "bob"}}); err == nil { // it is seen when it is needed
		t.Fatal("a damaged run was paused")
	}
	row := h.becomes(t, id, run.Quarantined)
	s, err := story.Read(t.Context(), h, row)
	if err != nil {
		t.Fatal(err)
	}
	v := s.Fold.View()
	if v.Status != "quarantined" || v.Name != "spoken" || v.By.Name != "ann" || v.Fault == nil || v.Created != waits.At || v.Source != "p.yaml" || len(v.Remarks) != 1 {
		t.Errorf("%+v", v)
	}
	if !slices.ContainsFunc(v.Held, func(l string) bool { return strings.Contains(l, "shelf") }) {
		t.Errorf("it holds %v", v.Held)
	}
	if text := history.Explain(v); !strings.Contains(text, "quarantined") || !strings.Contains(text, "shelf") {
		t.Error(text)
	}
	// It is not read again and again, and is told once.
	if err := s.Go(t.Context(), h, row); err != nil || len(s.Fold.View().Remarks) != 1 {
		t.Errorf("%v %v", err, s.Fold.View().Remarks)
	}
	if _, err := h.Do(t.Context(), engine.Command{Verb: engine.Release, Run: id, By: entry.Who{Name: "bob"}, Why: "I looked"}); err != nil {
		t.Fatal(err)
	}
	v = read(t, h, h.row(t, "run", id)).Fold.View()
	if len(v.Held) != 0 || v.Released == nil || v.Released.By.Name != "bob" {
		t.Errorf("%v %+v", v.Held, v.Released)
	}
}

// TestWhoeverWaitsIsToldForWhom: the run that has the lock is named, and no other.
func TestWhoeverWaitsIsToldForWhom(t *testing.T) {
	t.Parallel()
	h := open(t, new(memory.Disk))
	const locked = "steps:\n  - {lock: {key: shelf, steps: [{uses: approve, with: {message: go on?}}]}}\n"
	first := h.begin(t, locked)
	h.becomes(t, first, run.Waiting)
	second := h.begin(t, locked)
	v := read(t, h, h.becomes(t, second, run.Waiting)).Fold.View()
	if len(v.Waits) != 1 || v.Waits[0].For != "lock" || v.Waits[0].Holder != first {
		t.Errorf("%+v", v.Waits)
	}
	nobody := []engine.Wait{{For: "lock", On: "nobody has it", Holder: first}, {For: "task", On: "x", Holder: "kept"}}
	if err := story.Holders(t.Context(), h, nobody); err != nil || nobody[0].Holder != "" || nobody[1].Holder != "kept" {
		t.Errorf("%+v %v", nobody, err)
	}
}

// TestAShelfReadsOnlyWhatIsNew, and what was forgotten all again.
func TestAShelfReadsOnlyWhatIsNew(t *testing.T) {
	t.Parallel()
	h := open(t, new(memory.Disk))
	var shelf story.Shelf
	tell := func(id string) (entries int64, status string) {
		t.Helper()
		h.reads.Store(0)
		err := shelf.Tell(t.Context(), h, id, func(s *story.Story, row store.Row) error {
			if row.ID != id || s.Fold.View().ID != id {
				t.Errorf("the story of %s was told for %s", s.Fold.View().ID, id)
			}
			status = s.Fold.View().Status
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return h.reads.Load(), status
	}
	id := h.begin(t, talk)
	h.becomes(t, id, run.Waiting)
	all, _ := tell(id)
	if all == 0 {
		t.Fatal("nothing was read")
	}
	if n, status := tell(id); n != 0 || status != "waiting" {
		t.Errorf("%d entries were read again: %s", n, status)
	}
	h.approve(t, id)
	h.becomes(t, id, run.Succeeded)
	more, status := tell(id)
	if more == 0 || status != "succeeded" {
		t.Errorf("%d more entries, %s", more, status)
	}
	shelf.Forget(id)
	if n, _ := tell(id); n != all+more {
		t.Errorf("%d entries were read, of %d", n, all+more)
	}
	// Many others were looked at since: it makes room for them.
	for range 30 {
		other := h.begin(t, "steps: [{uses: speak, with: {text: a}}]\n")
		h.becomes(t, other, run.Succeeded)
		tell(other)
	}
	if n, _ := tell(id); n != all+more {
		t.Errorf("%d entries were read, of %d: it was kept, with all others", n, all+more)
	}
	if err := shelf.Tell(t.Context(), h, "run_nope", func(*story.Story, store.Row) error { return nil }); !fault.Is(err, fault.NotFound) {
		t.Error(err)
	}
}

// torn is a house whose entries cannot be had once: a connection that breaks.
type torn struct {
	*house

	broken atomic.Bool
}

func (x *torn) Entries(ctx context.Context, stream string, from uint64, limit int) ([]entry.Entry, error) {
	if x.broken.Load() {
		return nil, fault.New(fault.Unreachable, "the store is away")
	}
	return x.house.Entries(ctx, stream, from, limit)
}

// TestAStoryThatBrokeIsReadAnew: half of it is never told, and the next one who asks has all of it.
func TestAStoryThatBrokeIsReadAnew(t *testing.T) {
	t.Parallel()
	x := &torn{house: open(t, new(memory.Disk))}
	id := x.begin(t, talk)
	x.becomes(t, id, run.Waiting)
	var shelf story.Shelf
	var seq uint64
	told := 0
	tell := func() error {
		return shelf.Tell(t.Context(), x, id, func(s *story.Story, _ store.Row) error {
			told++
			seq = s.Seq()
			return nil
		})
	}
	if err := tell(); err != nil {
		t.Fatal(err)
	}
	whole := seq
	x.broken.Store(true)
	for range 2 {
		if err := tell(); !fault.Is(err, fault.Unreachable) {
			t.Errorf("%v", err)
		}
	}
	x.broken.Store(false)
	if err := tell(); err != nil || told != 2 || seq != whole {
		t.Errorf("%v: told %d times, %d of %d entries", err, told, seq, whole)
	}
}

// TestOneStoryIsToldToManyAtATime: each sees it whole and still, while the run goes on.
func TestOneStoryIsToldToManyAtATime(t *testing.T) {
	t.Parallel()
	h := open(t, new(memory.Disk))
	id := h.begin(t, talk)
	h.becomes(t, id, run.Waiting)
	var shelf story.Shelf
	var inside, all sync.WaitGroup
	var at atomic.Int32
	inside.Add(8)
	for range 8 {
		all.Go(func() {
			inside.Done()
			for last := uint64(0); ; {
				var status string
				err := shelf.Tell(t.Context(), h, id, func(s *story.Story, _ store.Row) error {
					if at.Add(1) != 1 {
						t.Error("two read one story at a time")
					}
					if s.Seq() < last {
						t.Errorf("the story went back from %d to %d", last, s.Seq())
					}
					last, status = s.Seq(), s.Fold.View().Status
					at.Add(-1)
					return nil
				})
				if err != nil {
					t.Error(err)
					return
				}
				if status == "succeeded" {
					return
				}
			}
		})
	}
	inside.Wait()
	h.approve(t, id)
	all.Wait()
}
