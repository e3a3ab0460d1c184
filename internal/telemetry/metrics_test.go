package telemetry_test

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/tendhq/tend/internal/dispatch"
	"github.com/tendhq/tend/internal/engine"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/event"
	"github.com/tendhq/tend/internal/gitsync"
	"github.com/tendhq/tend/internal/id"
	"github.com/tendhq/tend/internal/store"
	"github.com/tendhq/tend/internal/store/memory"
	"github.com/tendhq/tend/internal/telemetry"
)

const (
	runID   = "run_01kbcdefgh0123456789"
	childID = "run_01kbcdefgh9876543210"
)

var begin = time.Date(2026, 11, 28, 3, 0, 0, 0, time.UTC)

// fact is an entry some seconds after the beginning.
type fact struct {
	after int
	entry.Payload
}

// write makes the stream of a run.
func write(t *testing.T, s store.Store, run string, facts ...fact) {
	t.Helper()
	b := store.Batch{Shards: []int{id.Shard(run)}, Expect: []store.Expect{{Stream: "run/" + run}}}
	lease, err := s.Claim(t.Context(), "test")
	if err != nil {
		t.Fatal(err)
	}
	b.Epoch = lease.Epoch
	var prev entry.Hash
	for i, f := range facts {
		e, err := entry.New(begin.Add(time.Duration(f.after)*time.Second), f.Payload)
		if err != nil {
			t.Fatal(err)
		}
		e.Stream, e.Seq, e.Prev, e.Epoch = "run/"+run, uint64(i+1), prev, lease.Epoch
		e.Seal()
		prev = e.Hash
		b.Entries = append(b.Entries, e)
	}
	for _, a := range s.Commit(t.Context(), []store.Batch{b}) {
		if a.Err != nil {
			t.Fatal(a.Err)
		}
	}
}

// repaired is a run with everything that is told.
func repaired() []fact {
	who := entry.Who{ID: "user:alice@example.org", Name: "Alice"}
	return []fact{
		{0, &entry.RunCreated{By: who, Name: "repair", Project: "shop", Cause: entry.Cause{Root: runID, Incident: "inc_1"}}},
		{0, &entry.RunStarted{}},
		{1, &entry.StepIntent{Path: "steps[0]", Action: "http", Effect: "read", Attempt: 1}},
		{3, &entry.StepResult{Path: "steps[0]", Attempt: 1, Outcome: entry.Failed, Fault: &entry.Fault{Kind: "timeout", Message: "no answer"}}},
		{4, &entry.StepIntent{Path: "steps[0]", Action: "http", Effect: "read", Attempt: 2}},
		{5, &entry.StepResult{Path: "steps[0]", Attempt: 2, Outcome: entry.Succeeded}},
		{5, &entry.StepHeld{Path: "steps[1]", Guard: "slowly", Why: "wait"}},
		{5, &entry.StepHeld{Path: "steps[1]", Guard: "", For: "runner", Why: "no runner"}},
		{60, &entry.StepIntent{Path: "steps[1]", Action: "ssh", Effect: "mutate", Runner: "web-1", Attempt: 1}},
		{70, &entry.StepResult{Path: "steps[1]", Attempt: 1, Outcome: entry.InDoubt, Fault: &entry.Fault{Kind: "lost", Message: "it is not known"}}},
		{80, &entry.StepVerified{Path: "steps[1]", OK: true}},
		{81, &entry.StepSkipped{Path: "steps[2]", Why: "observed", Would: &entry.Would{Action: "sql", Effect: "mutate"}}},
		{82, &entry.StepRefused{Path: "steps[3]", Fault: entry.Fault{Kind: "guarded", Message: "no"}}},
		{90, &entry.RunEnded{Status: "failed", Fault: &entry.Fault{Kind: "guarded", Message: "no", Path: "steps[3]"}}},
	}
}

func scrape(t *testing.T, m *telemetry.Metrics) string {
	t.Helper()
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	if w.Code != 200 {
		t.Fatal(w.Code, w.Body)
	}
	return w.Body.String()
}

func wantLines(t *testing.T, text string, lines ...string) {
	t.Helper()
	for _, l := range lines {
		if !strings.Contains("\n"+text, "\n"+l+"\n") {
			name, _, _ := strings.Cut(l, "{")
			name, _, _ = strings.Cut(name, " ")
			t.Errorf("no %q; there is\n%s", l, strings.Join(regexp.MustCompile(`(?m)^`+name+`[{ ].*$`).FindAllString(text, 20), "\n"))
		}
	}
}

func TestWhatARunSays(t *testing.T) {
	t.Parallel()
	s := memory.New()
	write(t, s, runID, repaired()...)
	story, err := telemetry.Tell(t.Context(), s, runID)
	if err != nil {
		t.Fatal(err)
	}
	m := telemetry.NewMetrics("1.2.3")
	m.Ended(story)
	m.Told(&event.Event{Source: "alertmanager"}, dispatch.Receipt{Outcome: event.Started})
	m.Told(&event.Event{Source: "alertmanager\xff"}, dispatch.Receipt{Outcome: event.Duplicate})
	text := scrape(t, m)
	wantLines(t, text,
		`tend_runs_total{playbook="repair",status="failed"} 1`,
		`tend_run_duration_seconds_sum{playbook="repair"} 90`,
		`tend_steps_total{action="http",outcome="succeeded"} 1`,
		`tend_steps_total{action="ssh",outcome="in-doubt"} 1`,
		`tend_steps_total{action="sql",outcome="observed"} 1`,
		`tend_steps_total{action="none",outcome="refused"} 1`,
		`tend_attempt_duration_seconds_count{action="http"} 2`,
		`tend_attempt_duration_seconds_sum{action="http"} 3`,
		`tend_guard_holds_total{guard="slowly"} 1`,
		`tend_doubts_total 1`,
		`tend_verifications_total{result="held"} 1`,
		`tend_verifications_total{result="refuted"} 0`,
		`tend_events_total{outcome="started",source="alertmanager"} 1`,
		`tend_events_total{outcome="duplicate",source="alertmanager?"} 1`,
		`tend_build_info{version="1.2.3"} 1`,
	)
	for _, wanted := range []string{"go_goroutines ", "process_cpu_seconds_total "} {
		if !strings.Contains(text, "\n"+wanted) {
			t.Errorf("no %s", wanted)
		}
	}
	for _, forbidden := range []string{runID, "alice", "inc_1", "web-1"} {
		if strings.Contains(text, forbidden) {
			t.Errorf("%s is in it", forbidden)
		}
	}
}

// TestLabelsAreBounded: whoever can choose names cannot fill Prometheus.
func TestLabelsAreBounded(t *testing.T) {
	t.Parallel()
	m := telemetry.NewMetrics("")
	for i := range 1000 {
		m.Ended(&telemetry.Story{Created: &entry.RunCreated{Name: fmt.Sprintf("p%d", i)}, Status: "succeeded"})
		m.Told(&event.Event{Source: fmt.Sprintf("s%d", i)}, dispatch.Receipt{Outcome: event.Unmatched})
		m.Held(fmt.Sprint("g", i) + strings.Repeat("x", 500))
	}
	text := scrape(t, m)
	wantLines(t, text, `tend_runs_total{playbook="other",status="succeeded"} 900`, `tend_events_total{outcome="unmatched",source="other"} 900`, `tend_guard_holds_total{guard="other"} 900`)
	if n := strings.Count(text, "\n"); n > 3000 {
		t.Errorf("%d lines", n)
	}
	for l := range strings.Lines(text) {
		if len(l) > 400 {
			t.Errorf("a line of %d bytes: %.100s", len(l), l)
		}
	}
}

func TestWhatIsLookedUp(t *testing.T) {
	t.Parallel()
	s := memory.New()
	now := time.Now()
	row := func(kind, name, status, body string) store.Row {
		return store.Row{Key: store.Key{Kind: kind, ID: name}, Status: status, At: now.Add(-time.Minute), Body: []byte(body)}
	}
	for _, a := range s.Commit(t.Context(), []store.Batch{{Rows: []store.Row{
		row("run", "run_1", "running", `{}`), row("run", "run_2", "succeeded", `{}`),
		row("run", "run_3", "waiting", `{"waits":[{"for":"guard","on":"slowly"},{"for":"time"}]}`), row("run", "run_4", "waiting", `nonsense`),
		row("task", "task_1", "open", `{"type":"doubt"}`), row("task", "task_2", "open", `{"type":"approve","expires":"2020-01-01T00:00:00Z"}`),
		row("task", "task_3", "approved", `{"type":"approve"}`),
		row("incident", "inc_1", "open", `{}`), row("incident", "inc_2", "resolved", `{}`),
		row("event", "evt_1", "held", `{}`), row("event", "evt_2", "held", `{}`), row("event", "evt_3", "started", `{}`),
		row("message", "msg_1", "queued", `{}`),
	}}}) {
		if a.Err != nil {
			t.Fatal(a.Err)
		}
	}
	m := telemetry.NewMetrics("")
	var failed error
	m.Look(telemetry.Sight{
		Rows: s,
		Status: func(context.Context) (engine.Status, error) {
			return engine.Status{Index: 42, Halted: "because", InFlight: 3}, failed
		},
		Dispatch: func() (int, int) { return 5, 6 },
		Repositories: func() []gitsync.Report {
			return []gitsync.Report{
				{Name: "shop", Live: &gitsync.Revision{ID: "0123456789abcdef", Commit: true, Committed: time.Unix(500, 0), LiveSince: time.Unix(1000, 0)}, Looked: time.Unix(2000, 0), Refused: &gitsync.Revision{}, Refusals: 2},
				{Name: "ops", Problem: "no route to host", Failures: 3, Pin: &gitsync.Pin{}},
				{Name: strings.Repeat("x", 200)},
				{Name: strings.Repeat("x", 200) + "y"},
			}
		},
		Modes: func() (map[string]int, int) { return map[string]int{"observe": 1, "auto": 0}, 2 },
		Blind: func() map[string]time.Time { return map[string]time.Time{"watchdog": now} },
		Shipped: func() map[string]telemetry.Shipped {
			return map[string]telemetry.Shipped{"file": {At: time.Unix(1000, 0)}, "otlp": {Failures: 7}}
		},
	})
	text := scrape(t, m)
	wantLines(t, text,
		`tend_runs{status="running"} 1`, `tend_runs{status="waiting"} 2`, `tend_runs{status="in-doubt"} 0`, `tend_runs_held{guard="slowly"} 1`,
		`tend_tasks_open{type="doubt"} 1`, `tend_tasks_open{type="approve"} 1`, `tend_tasks_open{type="manual"} 0`, `tend_tasks_overdue 1`,
		`tend_incidents{status="open"} 1`, `tend_events_waiting{why="held"} 2`, `tend_events_waiting{why="queued"} 0`, `tend_messages_waiting 1`,
		`tend_dispatch_pending 5`, `tend_store_commits_total 42`, `tend_halted 1`, `tend_halts 2`, `tend_modes{mode="observe"} 1`, `tend_engine_attempts 3`,
		`tend_audit_shipped_timestamp_seconds{target="file"} 1000`, `tend_audit_failures_total{target="otlp"} 7`, `tend_look_failed 0`, `tend_blind 1`,
		`tend_repository_info{repository="shop",revision="0123456789ab"} 1`, `tend_repository_live_timestamp_seconds{repository="shop"} 1000`,
		`tend_repository_committed_timestamp_seconds{repository="shop"} 500`, `tend_repository_looked_timestamp_seconds{repository="shop"} 2000`,
		`tend_repository_refused{repository="shop"} 1`, `tend_repository_failures_total{repository="shop",why="refused"} 2`,
		`tend_repository_live_timestamp_seconds{repository="ops"} 0`, `tend_repository_looked_timestamp_seconds{repository="ops"} 0`,
		`tend_repository_failures_total{repository="ops",why="unreachable"} 3`, `tend_repository_pinned{repository="ops"} 1`, `tend_repository_refused{repository="ops"} 0`,
	)
	if strings.Contains(text, `tend_runs{status="succeeded"}`) {
		t.Error("what is over is looked at")
	}

	// What cannot be looked up does not keep the rest from being told.
	m, failed = telemetry.NewMetrics(""), errors.New("the engine does not answer")
	m.Look(telemetry.Sight{Rows: s, Status: func(context.Context) (engine.Status, error) { return engine.Status{}, failed }})
	wantLines(t, scrape(t, m), `tend_look_failed 1`, `tend_runs{status="running"} 1`)
}

func TestCommitsAreTimed(t *testing.T) {
	t.Parallel()
	m := telemetry.NewMetrics("")
	s := m.Timed(memory.New())
	write(t, s, runID, repaired()...)
	bad := store.Batch{Expect: []store.Expect{{Stream: "run/" + runID, Length: 99}}}
	if err := s.Commit(t.Context(), []store.Batch{bad})[0].Err; !errors.Is(err, store.ErrConflict) {
		t.Fatal(err)
	}
	wantLines(t, scrape(t, m), `tend_commit_duration_seconds_count 2`, `tend_commits_failed_total{why="conflict"} 1`)
}

func BenchmarkTell(b *testing.B) {
	s := memory.New()
	lease, err := s.Claim(b.Context(), "bench")
	if err != nil {
		b.Fatal(err)
	}
	batch := store.Batch{Epoch: lease.Epoch, Shards: []int{id.Shard(runID)}, Expect: []store.Expect{{Stream: "run/" + runID}}}
	var prev entry.Hash
	for i, f := range repaired() {
		e, err := entry.New(begin, f.Payload)
		if err != nil {
			b.Fatal(err)
		}
		e.Stream, e.Seq, e.Prev, e.Epoch = "run/"+runID, uint64(i+1), prev, lease.Epoch
		e.Seal()
		prev, batch.Entries = e.Hash, append(batch.Entries, e)
	}
	if err := s.Commit(b.Context(), []store.Batch{batch})[0].Err; err != nil {
		b.Fatal(err)
	}
	m := telemetry.NewMetrics("")
	for b.Loop() {
		story, err := telemetry.Tell(b.Context(), s, runID)
		if err != nil {
			b.Fatal(err)
		}
		m.Ended(story)
	}
}
