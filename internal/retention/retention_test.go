package retention_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/tendhq/tend/internal/app"
	"github.com/tendhq/tend/internal/audit"
	"github.com/tendhq/tend/internal/blob"
	"github.com/tendhq/tend/internal/blob/dir"
	blobmemory "github.com/tendhq/tend/internal/blob/memory"
	"github.com/tendhq/tend/internal/compiler"
	"github.com/tendhq/tend/internal/config"
	"github.com/tendhq/tend/internal/courier"
	"github.com/tendhq/tend/internal/dispatch"
	"github.com/tendhq/tend/internal/document"
	"github.com/tendhq/tend/internal/engine"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/ledger"
	"github.com/tendhq/tend/internal/playbook"
	"github.com/tendhq/tend/internal/retention"
	"github.com/tendhq/tend/internal/run"
	"github.com/tendhq/tend/internal/store"
	"github.com/tendhq/tend/internal/store/memory"
	"github.com/tendhq/tend/internal/store/sqlite"
)

const day = 24 * time.Hour

func keeper(t *testing.T, s store.Store, b blob.Store, p retention.Policy) *retention.Keeper {
	t.Helper()
	lease, err := s.Claim(t.Context(), "test")
	if err != nil {
		t.Fatal(err)
	}
	l := ledger.Open(s, lease, nil)
	t.Cleanup(func() { _ = l.Close(context.Background()) })
	return &retention.Keeper{Policy: p, Ledger: l, Blobs: b, Log: slog.New(slog.DiscardHandler)}
}

func pass(t *testing.T, k *retention.Keeper, now time.Time) retention.Report {
	t.Helper()
	r, err := k.Pass(t.Context(), now)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestRunsOfADataDirectory: what real runs left is gone for good, and what still goes on is not touched; the record of all of
// it verifies as before.
func TestRunsOfADataDirectory(t *testing.T) {
	t.Parallel()
	home, err := os.MkdirTemp("", "tend")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(home) })
	where := filepath.Join(home, "d")
	conf, err := config.Load(config.Flags{DataDir: where}, func(k string) string { return map[string]string{"HOME": home}[k] })
	if err != nil {
		t.Fatal(err)
	}
	open := func() *app.Session {
		s, err := app.Open(t.Context(), app.Options{Config: conf, Getenv: func(string) string { return "" }, Command: "test", Via: "terminal", MayMake: true})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	s := open()
	start := func(text string) string {
		t.Helper()
		set, err := app.Actions()
		if err != nil {
			t.Fatal(err)
		}
		docs, findings := playbook.Parse("p.yaml", []byte("apiVersion: tend/v1\nkind: Playbook\nmetadata: {name: p}\n"+text))
		if err := document.Fault(findings); err != nil {
			t.Fatal(err)
		}
		p, findings := compiler.Compile(docs[0], set, nil)
		if err := document.Fault(findings); err != nil {
			t.Fatal(err)
		}
		id, err := s.Engine.Start(t.Context(), engine.Start{Program: p, By: s.Me, Request: fmt.Sprintf("request-%x", sha256.Sum256([]byte(text)))})
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	stands := func(id, status string) {
		t.Helper()
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for deadline := time.Now().Add(20 * time.Second); ; <-tick.C {
			p, err := s.Engine.Rows(t.Context(), store.Filter{Kind: "run", ID: id})
			if err == nil && len(p.Rows) == 1 && p.Rows[0].Status == status {
				return
			}
			if time.Now().After(deadline) {
				t.Fatalf("%s is not %s: %+v, %v", id, status, p.Rows, err)
			}
		}
	}
	over := start("steps: [{uses: shell, effect: read, with: {script: 'echo the-old-$(echo secret)-thing; seq 30000'}}]\n")
	stands(over, "succeeded")
	waits := start("steps: [{uses: shell, effect: read, with: {script: echo hello}}, {uses: approve, with: {message: sure?, within: 900h}}]\n")
	stands(waits, "waiting")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}

	kept, err := sqlite.Open(t.Context(), sqlite.Config{Dir: where})
	if err != nil {
		t.Fatal(err)
	}
	blobs, err := dir.Open(filepath.Join(where, "blobs"))
	if err != nil {
		t.Fatal(err)
	}
	if list, err := blobs.List(t.Context(), over); err != nil || len(list) == 0 {
		t.Fatalf("the run left no blobs: %v", err)
	}
	k := keeper(t, kept, blobs, retention.Policy{Runs: day})
	if r := pass(t, k, time.Now()); r != (retention.Report{}) {
		t.Errorf("what is young is forgotten: %+v", r)
	}
	if r := pass(t, k, time.Now().Add(2*day)); r.Runs != 1 || r.Entries < 4 {
		t.Errorf("%+v", r)
	}
	if r := pass(t, k, time.Now().Add(2*day)); r != (retention.Report{}) {
		t.Errorf("again: %+v", r)
	}
	if list, err := blobs.List(t.Context(), over); len(list) > 0 {
		t.Errorf("blobs are left: %v, %v", list, err)
	}
	all, err := kept.Read(t.Context(), "run/"+over, 1, 1000)
	if err != nil || len(all) < 4 {
		t.Fatalf("%d entries, %v", len(all), err)
	}
	for _, e := range all {
		if !e.Erased || string(e.Payload) != "{}" {
			t.Errorf("%s %d says %s", e.Stream, e.Seq, e.Payload)
		}
	}
	if err := k.Ledger.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := kept.Close(); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"tend.db", "tend.db-wal"} {
		if b, err := os.ReadFile(filepath.Join(where, name)); err == nil && bytes.Contains(b, []byte("the-old-secret-thing")) {
			t.Errorf("%s has what was forgotten", name)
		}
	}

	s = open()
	t.Cleanup(func() { _ = s.Close() })
	p, err := s.Engine.Rows(t.Context(), store.Filter{Kind: "run"})
	if err != nil || len(p.Rows) != 1 || p.Rows[0].ID != waits {
		t.Errorf("%+v, %v", p.Rows, err)
	}
	report, err := audit.Verify(t.Context(), s.Engine)
	if err != nil || len(report.Damaged) > 0 || report.Runs == 0 {
		t.Errorf("%+v, %v", report, err)
	}
	found := false
	for from := uint64(1); !found; from++ {
		list, err := s.Engine.Entries(t.Context(), ledger.AuditServer, from, 1)
		if err != nil || len(list) == 0 {
			t.Fatalf("the audit trail does not tell of it: %v", err)
		}
		p, err := entry.Decode(list[0])
		a, ok := p.(*entry.Audited)
		found = err == nil && ok && a.What == "forgotten" && a.Object == "run/"+over && a.Detail["length"] == int64(len(all))
	}
	// What waited goes on.
	if _, err := s.Engine.Do(t.Context(), engine.Command{Verb: engine.Resume, Run: waits, By: s.Me}); err != nil && !fault.Is(err, fault.Conflict) {
		t.Fatal(err)
	}
	task, err := s.Engine.Rows(t.Context(), store.Filter{Kind: "task", Parent: waits})
	if err != nil || len(task.Rows) != 1 {
		t.Fatalf("%+v, %v", task.Rows, err)
	}
	if _, err := s.Engine.Answer(t.Context(), engine.Answer{Task: task.Rows[0].ID, By: s.Me, Choice: "approve"}); err != nil {
		t.Fatal(err)
	}
	stands(waits, "succeeded")
}

// world is a store with what a test puts there.
type world struct {
	t   *testing.T
	s   *memory.Store
	k   *retention.Keeper
	now time.Time
}

func (w *world) append(b ledger.Batch) {
	w.t.Helper()
	if err := w.k.Ledger.Append(w.t.Context(), b); err != nil {
		w.t.Fatal(err)
	}
}

func encode(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}

func (w *world) run(id string, status run.Status, parent string, age time.Duration, c entry.Cause) {
	w.t.Helper()
	at := w.now.Add(-age)
	e, err := entry.New(at, &entry.RunCreated{Name: id, Cause: c})
	if err != nil {
		w.t.Fatal(err)
	}
	e.Stream, e.Seq = "run/"+id, 1
	e.Seal()
	b := store.Batch{Expect: []store.Expect{{Stream: e.Stream}}, Entries: []entry.Entry{e}, Rows: []store.Row{{
		Key: store.Key{Kind: "run", ID: id}, Project: "default", Status: string(status), Name: "p", Parent: parent, At: at,
		Body: encode(engine.RunRow{Cause: c, Ended: at.Add(time.Minute), Status: string(status)}),
	}}}
	if err := w.s.Commit(w.t.Context(), []store.Batch{b})[0].Err; err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) incident(id, status, into string) {
	w.append(ledger.Batch{Rows: []store.Row{{
		Key: store.Key{Kind: "incident", ID: id}, Status: status, At: w.now.Add(-100 * day), Body: encode(map[string]string{"into": into}),
	}}})
}

func (w *world) event(id, source, status string, age time.Duration, d entry.EventDecided) {
	at := w.now.Add(-age)
	d.Outcome = status
	w.append(ledger.Batch{
		At: at, Facts: []ledger.Fact{{
			Stream: "event/" + source, Payload: &entry.EventReceived{ID: id, Source: source, Key: id, Data: map[string]any{"text": "said by " + id}, Decision: d},
			Row: func(seq uint64) store.Row {
				return store.Row{Key: store.Key{Kind: "event", ID: id}, Project: "default", Status: status, At: at, Body: encode(dispatch.Row{Source: source, Decision: d, Seq: seq})}
			},
		}},
	})
}

func (w *world) message(id, status string, age time.Duration, inc string) {
	at := w.now.Add(-age)
	q := &entry.MessageQueued{ID: id, Channel: "ops", Incident: inc, Body: map[string]any{"text": "told in " + id}}
	w.append(ledger.Batch{
		At: at, Facts: []ledger.Fact{{Stream: "message/ops", Payload: q}, {Stream: "message/ops", Payload: &entry.MessageSent{ID: id, Attempt: 1}}},
		Rows: []store.Row{{Key: store.Key{Kind: "message", ID: id}, Project: "default", Status: status, Name: "ops", At: at, Body: encode(courier.Row{Queued: *q})}},
	})
}

func (w *world) left(kind string) []string {
	w.t.Helper()
	var out []string
	for r, err := range store.All(w.t.Context(), w.s, store.Filter{Kind: kind}) {
		if err != nil {
			w.t.Fatal(err)
		}
		out = append(out, r.ID)
	}
	slices.Sort(out)
	return out
}

func (w *world) wantLeft(kind string, want ...string) {
	w.t.Helper()
	if got := w.left(kind); !slices.Equal(got, want) {
		w.t.Errorf("of kind %s there are %v, not %v", kind, got, want)
	}
}

func (w *world) erased(stream string) string {
	w.t.Helper()
	list, err := w.s.Read(w.t.Context(), stream, 1, 1000)
	if err != nil {
		w.t.Fatal(err)
	}
	out := ""
	for _, e := range list {
		out += map[bool]string{true: "x", false: "."}[e.Erased]
	}
	return out
}

func newWorld(t *testing.T, p retention.Policy) *world {
	t.Helper()
	s := memory.New()
	return &world{t: t, s: s, k: keeper(t, s, blobmemory.New(), p), now: time.Date(2026, 11, 28, 3, 0, 0, 0, time.UTC)}
}

// TestWhatIsNeededStays: runs and events of what is open, and of what goes on, are kept however old they are.
func TestWhatIsNeededStays(t *testing.T) {
	t.Parallel()
	w := newWorld(t, retention.Policy{Runs: 10 * day, Events: 10 * day, Messages: 10 * day})
	w.incident("inc_open", "open", "")
	w.incident("inc_over", "resolved", "")
	w.incident("inc_away", "merged", "inc_open")
	w.incident("inc_gone", "merged", "inc_over")
	old := 90 * day
	w.run("run_a", run.Succeeded, "", old, entry.Cause{})                     // goes
	w.run("run_b", run.Failed, "", old, entry.Cause{Incident: "inc_over"})    // goes
	w.run("run_c", run.Failed, "", old, entry.Cause{Incident: "inc_open"})    // stays
	w.run("run_d", run.Failed, "", old, entry.Cause{Incident: "inc_away"})    // stays
	w.run("run_e", run.Cancelled, "", old, entry.Cause{Incident: "inc_gone"}) // goes
	w.run("run_f", run.Quarantined, "", old, entry.Cause{})                   // stays
	w.run("run_g", run.Waiting, "", old, entry.Cause{Carry: "run_h"})         // stays
	w.run("run_h", run.Failed, "", old, entry.Cause{Carry: "run_i"})          // stays: g carries it on
	w.run("run_i", run.Failed, "", old, entry.Cause{Event: "evt_needed"})     // stays: h did
	w.run("run_j", run.Succeeded, "", old, entry.Cause{})                     // stays: what it called goes on
	w.run("run_k", run.InDoubt, "run_j", old, entry.Cause{Parent: "run_j"})   // stays
	w.run("run_l", run.Succeeded, "", old, entry.Cause{})                     // goes, with what it called
	w.run("run_m", run.Succeeded, "run_l", old, entry.Cause{Parent: "run_l"}) // goes
	w.run("run_n", run.Succeeded, "", 9*day, entry.Cause{})                   // is young
	w.run("run_o", run.Succeeded, "", old, entry.Cause{})                     // stays: somebody has to review it
	w.append(ledger.Batch{Rows: []store.Row{{Key: store.Key{Kind: "task", ID: "task_o"}, Status: "open", Parent: "run_o", At: w.now.Add(-old), Body: encode(map[string]string{"type": "review"})}}})
	w.event("evt_a", "am", "unmatched", old, entry.EventDecided{})               // goes
	w.event("evt_b", "am", "started", old, entry.EventDecided{Run: "run_g"})     // stays
	w.event("evt_c", "am", "joined", old, entry.EventDecided{Incident: "inc_x"}) // goes
	w.event("evt_d", "am", "joined", old, entry.EventDecided{Incident: "inc_open"})
	w.event("evt_e", "am", "held", old, entry.EventDecided{})
	w.event("evt_needed", "am", "started", old, entry.EventDecided{Run: "run_i"})
	w.event("evt_f", "am", "stale", old, entry.EventDecided{}) // goes
	w.event("evt_g", "am", "stale", 9*day, entry.EventDecided{})
	w.message("msg_a", courier.Sent, old, "inc_over")   // goes
	w.message("msg_b", courier.Sent, old, "inc_open")   // stays
	w.message("msg_c", courier.Queued, old, "inc_over") // stays
	w.message("msg_d", courier.Failed, old, "")         // goes

	if r := pass(t, w.k, w.now); r.Runs != 4 || r.Events != 3 || r.Messages != 2 {
		t.Errorf("%+v", r)
	}
	w.wantLeft("run", "run_c", "run_d", "run_f", "run_g", "run_h", "run_i", "run_j", "run_k", "run_n", "run_o")
	w.wantLeft("event", "evt_b", "evt_d", "evt_e", "evt_g", "evt_needed")
	w.wantLeft("message", "msg_b", "msg_c")
	for stream, want := range map[string]string{
		"run/run_a": "x", "run/run_c": ".", "run/run_m": "x", "event/am": "x.x...x.", "message/ops": "xx....xx",
	} {
		if got := w.erased(stream); got != want {
			t.Errorf("%s: %s, not %s", stream, got, want)
		}
	}
	// What was needed goes when it is not any more, also what stands before entries that are erased.
	w.incident("inc_open", "resolved", "")
	if r := pass(t, w.k, w.now); r.Runs != 2 || r.Events != 1 || r.Messages != 1 {
		t.Errorf("%+v", r)
	}
	if got := w.erased("event/am"); got != "x.xx..x." {
		t.Error(got)
	}
}

// TestOff: what no policy is for stays.
func TestOff(t *testing.T) {
	t.Parallel()
	w := newWorld(t, retention.Policy{Messages: day})
	w.run("run_a", run.Succeeded, "", 900*day, entry.Cause{})
	w.event("evt_a", "am", "unmatched", 900*day, entry.EventDecided{})
	if r := pass(t, w.k, w.now); r != (retention.Report{}) {
		t.Errorf("%+v", r)
	}
	w.wantLeft("run", "run_a")
}

// TestLargeEvents: what an event said beside its stream goes with it.
func TestLargeEvents(t *testing.T) {
	t.Parallel()
	w := newWorld(t, retention.Policy{Events: day})
	ref, err := w.k.Blobs.Put(t.Context(), "evt_a", bytes.NewReader(make([]byte, 1<<17)))
	if err != nil {
		t.Fatal(err)
	}
	w.append(ledger.Batch{
		At: w.now.Add(-2 * day), Facts: []ledger.Fact{{Stream: "event/am", Payload: &entry.EventReceived{ID: "evt_a", Source: "am", Ref: &ref}}},
		Rows: []store.Row{{Key: store.Key{Kind: "event", ID: "evt_a"}, Status: "unmatched", At: w.now.Add(-2 * day), Body: encode(dispatch.Row{Source: "am"})}},
	})
	pass(t, w.k, w.now)
	if list, err := w.k.Blobs.List(t.Context(), "evt_a"); len(list) > 0 {
		t.Errorf("%v, %v", list, err)
	}
}

// TestEndsAfterARestart: an erasure that was cut short is finished by the next pass; a stream that is damaged is left alone,
// named, and does not keep the others from going.
func TestEndsAfterARestart(t *testing.T) {
	t.Parallel()
	disk := new(memory.Disk)
	w := &world{t: t, s: memory.Open(disk), now: time.Date(2026, 11, 28, 3, 0, 0, 0, time.UTC)}
	w.k = keeper(t, w.s, blobmemory.New(), retention.Policy{Events: day})
	for i := range 450 {
		w.event(fmt.Sprintf("evt_%03d", i), "am", "unmatched", 2*day, entry.EventDecided{})
	}
	w.event("evt_z", "other", "unmatched", 2*day, entry.EventDecided{})
	ctx, stop := context.WithCancel(t.Context())
	w.k.Blobs = stopping{w.k.Blobs, stop}
	ref, err := w.k.Blobs.Put(t.Context(), "evt_mid", bytes.NewReader(nil))
	if err != nil {
		t.Fatal(err)
	}
	w.append(ledger.Batch{
		At: w.now.Add(-2 * day), Facts: []ledger.Fact{{Stream: "event/am", Payload: &entry.EventReceived{ID: "evt_mid", Source: "am", Ref: &ref}}},
		Rows: []store.Row{{Key: store.Key{Kind: "event", ID: "evt_mid"}, Status: "unmatched", At: w.now.Add(-2 * day), Body: encode(dispatch.Row{Source: "am"})}},
	})
	if _, err := w.k.Pass(ctx, w.now); err == nil {
		t.Fatal("it was not cut short")
	}
	if len(w.left("event")) != 0 || len(w.left("removal")) == 0 {
		t.Fatalf("%v are left, %v are begun", w.left("event"), w.left("removal"))
	}
	disk.Tamper("event/other", 1, func(e *entry.Entry) { e.Payload = []byte(`{"id":"evt_y"}`) })
	again := keeper(t, memory.Open(disk), blobmemory.New(), w.k.Policy)
	if _, err := again.Pass(t.Context(), w.now); !fault.Is(err, fault.Damaged) {
		t.Errorf("damage is not named: %v", err)
	}
	for i, c := range w.erased("event/am") {
		if c != 'x' {
			t.Fatalf("entry %d is left", i+1)
		}
	}
}

// stopping ends a context when something is deleted.
type stopping struct {
	blob.Store

	stop func()
}

func (s stopping) Delete(ctx context.Context, group string) error {
	s.stop()
	return s.Store.Delete(ctx, group)
}
