package dispatch_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tendhq/tend/internal/dispatch"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/event"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/incident"
	"github.com/tendhq/tend/internal/store"
	"github.com/tendhq/tend/internal/store/faulty"
	"github.com/tendhq/tend/internal/store/memory"
	"github.com/tendhq/tend/internal/trace"
)

const sayHost = "playbook: say\nparameters: {what: '{{ $.event.labels.host }}'}\n"

var alice = entry.Who{ID: "user:alice", Name: "alice", Via: "page"}

// TestStory: an alert opens an incident and starts a run; its repeat is a duplicate; its end resolves the incident.
func TestStory(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := serve(t, options{store: disk()}, rules(t, sayHost+"incident: {title: 'Disk on {{ $.event.labels.host }}', resolve: true}"))
		defer s.close()
		e := firing("web-1", time.Now())
		r := s.accept(e)[0]
		if r.Outcome != event.Started || r.Run == "" || r.Incident == "" || r.Trigger != "t0" {
			t.Fatalf("%+v", r)
		}
		settle()
		if got := s.did(); !slices.Equal(got, []string{"web-1"}) {
			t.Errorf("effects: %q", got)
		}
		again := s.accept(e)[0]
		if again.Outcome != event.Duplicate || again.Was != event.Started || again.Run != r.Run {
			t.Errorf("%+v", again)
		}
		end := s.accept(ended(e))[0]
		if end.Outcome != event.Resolves || end.Incident != r.Incident {
			t.Errorf("%+v", end)
		}
		st, lines, err := s.Incident(t.Context(), r.Incident)
		if err != nil || st.Status != incident.Resolved || st.Title != "Disk on web-1" || st.Severity != incident.Critical || len(st.Runs) != 1 || st.Runs[0].Status != "succeeded" {
			t.Errorf("%+v, %v", st, err)
		}
		var what []string
		for _, l := range lines {
			what = append(what, l.What)
		}
		if got := strings.Join(what, " "); got != "opened joined ran ran run run joined resolved" {
			t.Error(got)
		}
		back, row, err := s.Event(t.Context(), r.Event)
		if err != nil || back.Data["status"] != "firing" || back.Labels["severity"] != "critical" || row.Decision.Run != r.Run {
			t.Errorf("%+v, %+v, %v", back, row, err)
		}
		p, err := s.store.Rows(t.Context(), store.Filter{Kind: "run", ID: r.Run})
		if err != nil || len(p.Rows) != 1 || p.Rows[0].Status != "succeeded" {
			t.Errorf("%v, %v", p.Rows, err)
		}
	})
}

// TestOldNews: after two hours of outage, 300 alerts that were resolved meanwhile, and some that fired then: no effects.
func TestOldNews(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := serve(t, options{store: disk()}, rules(t, sayHost+"incident: {resolve: true}"))
		defer s.close()
		began := time.Now()
		time.Sleep(2 * time.Hour)
		var list []event.Event
		for i := range 300 {
			e := firing(fmt.Sprint(i), began.Add(time.Duration(i)*time.Second))
			list = append(list, ended(e))
			if i%10 == 0 {
				list = append(list, e)
			}
		}
		for _, r := range s.accept(list...) {
			if r.Outcome != event.Unmatched && r.Outcome != event.Stale || r.Why == "" {
				t.Errorf("%+v", r)
			}
		}
		settle()
		if got := s.did(); len(got) > 0 || s.count("run") > 0 {
			t.Errorf("%d effects", len(got))
		}
	})
}

// TestOutage: 300 alerts fire, three runs act, and the server is away for two hours. What waited starts nothing when it is back, and
// neither do the ends of the alerts, told again and late.
func TestOutage(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d, r := disk(), rules(t, sayHost+"incident: {resolve: true, key: all}")
		began := time.Now()
		s := serve(t, options{store: d, limits: dispatch.Limits{Runs: 3}, hold: make(chan struct{})}, r)
		var fire, over []event.Event
		for i := range 300 {
			e := firing(fmt.Sprint(i), began)
			fire, over = append(fire, e), append(over, ended(e))
		}
		s.accept(fire...)
		settle()
		if n := len(s.did()); n != 3 {
			t.Fatalf("%d effects before it went away", n)
		}
		s.close()
		time.Sleep(2 * time.Hour)
		s = serve(t, options{store: d}, r)
		defer s.close()
		settle()
		waits, queued := s.count("event", "stale"), s.count("event", "queued", "held")
		if waits != 297 || queued != 0 {
			t.Errorf("%d are stale, %d wait", waits, queued)
		}
		s.accept(fire...)
		for _, x := range s.accept(over...) {
			if x.Run != "" || x.Outcome == event.Started {
				t.Errorf("%+v", x)
			}
		}
		settle()
		if got := s.did(); len(got) > 0 || s.count("run") != 3 {
			t.Errorf("%d effects, %d runs", len(got), s.count("run"))
		}
	})
}

// TestVanished: what is not measured any more is no repair: its incident stays open, what waits starts nothing, and a trigger can
// be about it.
func TestVanished(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := serve(t, options{store: disk(), limits: dispatch.Limits{Runs: 1}, hold: make(chan struct{})}, rules(t,
			"on: {status: vanished, labels: {severity: lost}}\nincident: {key: lost}", sayHost+"incident: {key: disks, resolve: true}"))
		defer s.close()
		gone := func(e event.Event, status event.Status) event.Event {
			e.Status, e.Key, e.Until = status, e.Key+"/"+string(status), time.Now()
			return e
		}
		a, b := firing("a", time.Now()), firing("b", time.Now())
		first := s.accept(a, b)
		settle()
		if first[0].Outcome != event.Started || first[1].Outcome != event.Queued {
			t.Fatalf("%+v", first)
		}
		got := s.accept(gone(a, event.Vanished), gone(b, event.Vanished))
		if got[0].Outcome != event.Joined || !strings.Contains(got[0].Why, "no repair") || got[0].Incident != first[0].Incident {
			t.Errorf("%+v", got[0])
		}
		if row := s.row(first[1].Event); row.Decision.Outcome != string(event.Stale) || !strings.Contains(row.Decision.Why, "vanished") {
			t.Errorf("%+v", row.Decision)
		}
		st, _, err := s.Incident(t.Context(), first[0].Incident)
		if err != nil || st.Status.Over() || st.Firing() != 2 {
			t.Fatalf("%+v, %v", st, err)
		}
		again := a
		again.Key += "/again"
		s.accept(again) // it is measured again, and fires
		s.accept(gone(again, event.Resolved), gone(b, event.Resolved))
		if st, _, err = s.Incident(t.Context(), first[0].Incident); err != nil || st.Status != incident.Resolved {
			t.Errorf("%s, %v", st.Status, err)
		}
		c := gone(firing("c", time.Now()), event.Vanished)
		c.Labels = map[string]string{"severity": "lost"}
		if x := s.accept(c)[0]; x.Outcome != event.Joined || !strings.Contains(x.Why, "opened") {
			t.Errorf("a trigger that is about it: %+v", x)
		}
	})
}

// TestRestart: what was decided before the end of a process begins in the next one, once; what was too old by then does not.
func TestRestart(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := disk()
		halted := "the disk was restored"
		if a := d.Commit(t.Context(), []store.Batch{{Halt: &halted}}); a[0].Err != nil {
			t.Fatal(a[0].Err)
		}
		r := rules(t, sayHost)
		first := serve(t, options{store: d}, r)
		got := first.accept(firing("a", time.Now()), firing("b", time.Now().Add(-9*time.Minute)))
		time.Sleep(time.Second)
		synctest.Wait()
		if row := first.row(got[0].Event); row.Decision.Outcome != string(event.Queued) || !strings.Contains(row.Decision.Why, "halted") {
			t.Errorf("while it is halted: %+v", row.Decision)
		}
		first.close()
		if len(first.did()) > 0 {
			t.Fatal("it acted while it was halted")
		}
		time.Sleep(5 * time.Minute)
		none := ""
		if a := d.Commit(t.Context(), []store.Batch{{Halt: &none}}); a[0].Err != nil {
			t.Fatal(a[0].Err)
		}
		for range 3 { // and once more, and again
			s := serve(t, options{store: d}, r)
			settle()
			if row := s.row(got[0].Event); row.Decision.Outcome != string(event.Started) || row.Decision.Run != got[0].Run {
				t.Errorf("%+v", row.Decision)
			}
			if row := s.row(got[1].Event); row.Decision.Outcome != string(event.Stale) {
				t.Errorf("%+v", row.Decision)
			}
			if dup := s.accept(firing("a", time.Now())); dup[0].Outcome == event.Duplicate {
				t.Error("another alert is no duplicate")
			}
			settle()
			s.close()
		}
		if n := first.count("run"); n != 4 { // a, and the three alerts since
			t.Errorf("%d runs", n)
		}
	})
}

// TestDuplicatesOverRestarts: by source and key, whatever time has passed.
func TestDuplicatesOverRestarts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d, r := disk(), rules(t, sayHost)
		e := firing("a", time.Now())
		timeless := event.Event{Source: "hook", Project: "default", Kind: "webhook", Key: "delivery-1"}
		s := serve(t, options{store: d}, r)
		first := s.accept(e, timeless)
		s.close()
		time.Sleep(time.Hour)
		s = serve(t, options{store: d}, r)
		defer s.close()
		for i, x := range s.accept(e, timeless) {
			if x.Outcome != event.Duplicate || x.Event != first[i].Event {
				t.Errorf("%+v", x)
			}
		}
		other := timeless
		other.Source = "other"
		if x := s.accept(other)[0]; x.Outcome == event.Duplicate {
			t.Error("the same key of another source")
		}
	})
}

// TestStorm: thousands of different alerts within a moment, three runs at a time: by priority, and none is lost.
func TestStorm(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		hold := make(chan struct{})
		s := serve(t, options{store: disk(), limits: dispatch.Limits{Runs: 3}, hold: hold}, rules(t, sayHost+"startWithin: 0"))
		defer s.close()
		n := 3_000
		if testing.Short() {
			n = 1000
		}
		for i := 0; i < n; i += 100 {
			var list []event.Event
			for j := range 100 {
				e := firing(fmt.Sprint(i+j), time.Now())
				if (i+j)%100 == 99 {
					e.Priority, e.Data = 5, map[string]any{"labels": map[string]any{"host": "urgent"}}
				}
				list = append(list, e)
			}
			s.accept(list...)
		}
		settle()
		if started, queued := s.count("event", "started"), s.count("event", "queued"); started != 3 || queued != n-3 {
			t.Errorf("%d started, %d queued", started, queued)
		}
		close(hold)
		for s.count("event", "queued") > 0 {
			settle()
		}
		settle()
		did := s.did()
		if len(did) != n {
			t.Errorf("%d of %d effects", len(did), n)
		}
		urgent := 0
		for _, x := range did[3 : 3+n/100] {
			if x == "urgent" {
				urgent++
			}
		}
		if urgent < n/100-3 {
			t.Errorf("only %d of %d urgent ones went first", urgent, n/100)
		}
	})
}

// TestQueueAndStaleness: what waits its turn for too long starts nothing, and what is resolved waits no more.
func TestQueueAndStaleness(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		hold := make(chan struct{})
		s := serve(t, options{store: disk(), hold: hold}, rules(t, sayHost+"concurrency: {key: one, then: queue}"))
		defer s.close()
		b := firing("b", time.Now())
		r := s.accept(firing("a", time.Now()), b, firing("c", time.Now()))
		if r[1].Outcome != event.Queued || r[2].Outcome != event.Queued || !strings.Contains(r[1].Why, r[0].Run) {
			t.Fatalf("%+v", r)
		}
		if end := s.accept(ended(b))[0]; end.Outcome != event.Resolves {
			t.Errorf("%+v", end)
		}
		if d := s.row(r[1].Event).Decision; d.Outcome != string(event.Stale) || !strings.Contains(d.Why, "resolved") {
			t.Errorf("%+v", d)
		}
		time.Sleep(11 * time.Minute)
		settle()
		if d := s.row(r[2].Event).Decision; d.Outcome != string(event.Stale) {
			t.Errorf("%+v", d)
		}
		close(hold)
		settle()
		if got := s.did(); !slices.Equal(got, []string{"a"}) {
			t.Errorf("%q", got)
		}
	})
}

// TestReplace: the run that goes on is cancelled, and the newest event follows.
func TestReplace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := serve(t, options{store: disk()}, rules(t, "playbook: wait\nconcurrency: {key: one, then: replace}"))
		defer s.close()
		first := s.accept(firing("a", time.Now()))[0]
		settle()
		r := s.accept(firing("b", time.Now()), firing("c", time.Now()))
		settle()
		if d := s.row(r[0].Event).Decision; d.Outcome != string(event.Refused) {
			t.Errorf("%+v", d)
		}
		if d := s.row(r[1].Event).Decision; d.Outcome != string(event.Started) {
			t.Errorf("%+v", d)
		}
		p, err := s.store.Rows(t.Context(), store.Filter{Kind: "run", ID: first.Run})
		if err != nil || p.Rows[0].Status != "cancelled" {
			t.Errorf("%v, %v", p.Rows, err)
		}
	})
}

// TestWake: an event hands itself to the run that waits for it.
func TestWake(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := serve(t, options{store: disk()}, rules(t, "on: {kind: webhook}\nwake: {event: go, key: k}", "playbook: wait"))
		defer s.close()
		hook := event.Event{Source: "ci", Project: "default", Kind: "webhook", Key: "1"}
		early := s.accept(hook)[0]
		settle()
		if d := s.row(early.Event).Decision; d.Outcome != string(event.Unmatched) {
			t.Errorf("nobody waits: %+v", d)
		}
		r := s.accept(firing("a", time.Now()))[0]
		settle()
		hook.Key = "2"
		late := s.accept(hook)[0]
		settle()
		if d := s.row(late.Event).Decision; d.Outcome != string(event.Woke) || d.Run != r.Run {
			t.Errorf("%+v", d)
		}
		if got := s.did(); !slices.Equal(got, []string{"went"}) {
			t.Errorf("%q", got)
		}
	})
}

// heldUntil lets nothing begin before a time.
type heldUntil struct {
	at    time.Time
	asked atomic.Int32
}

func (h *heldUntil) Seen(dispatch.Candidate, time.Time) dispatch.Verdict { return dispatch.Verdict{} }

func (h *heldUntil) Start(_ dispatch.Candidate, now time.Time) dispatch.Verdict {
	h.asked.Add(1)
	if now.Before(h.at) {
		return dispatch.Verdict{Outcome: event.Held, Guard: "freeze", Why: "guard freeze holds it", Until: h.at}
	}
	return dispatch.Verdict{Outcome: event.Started}
}

func (h *heldUntil) Ended(dispatch.Candidate, string, time.Time) dispatch.Verdict {
	return dispatch.Verdict{}
}

// TestHeld: a guard holds a run until its time, over a restart; an alert that is too old by then starts nothing.
func TestHeld(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d, r := disk(), rules(t, sayHost+"startWithin: 1h", sayHost)
		r.Triggers["default"][0].On.Source = []string{"long"}
		g := &heldUntil{at: time.Now().Add(30 * time.Minute).UTC()}
		s := serve(t, options{store: d, gate: g}, r)
		long := firing("a", time.Now())
		long.Source = "long"
		got := s.accept(long, firing("b", time.Now()))
		for _, x := range got {
			if x.Outcome != event.Held || !x.Until.Equal(g.at) {
				t.Errorf("%+v", x)
			}
		}
		time.Sleep(10 * time.Minute)
		s.close()
		s = serve(t, options{store: d, gate: g}, r)
		defer s.close()
		time.Sleep(25 * time.Minute)
		settle()
		if d := s.row(got[0].Event).Decision; d.Outcome != string(event.Started) {
			t.Errorf("%+v", d)
		}
		if d := s.row(got[1].Event).Decision; d.Outcome != string(event.Stale) {
			t.Errorf("%+v", d)
		}
		if got := s.did(); !slices.Equal(got, []string{"a"}) {
			t.Errorf("%q", got)
		}
	})
}

// TestReplay: what no trigger took is decided again by others; what started something is not.
func TestReplay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := serve(t, options{store: disk()}, rules(t, "on: {kind: push}\nplaybook: say"))
		defer s.close()
		r := s.accept(firing("a", time.Now()))[0]
		if r.Outcome != event.Unmatched {
			t.Fatalf("%+v", r)
		}
		s.Govern(rules(t, sayHost))
		time.Sleep(20 * time.Minute)
		if got, err := s.Replay(t.Context(), r.Event, alice, false); err != nil || got.Outcome != event.Stale {
			t.Errorf("%+v, %v", got, err)
		}
		got, err := s.Replay(t.Context(), r.Event, alice, true)
		if err != nil || got.Outcome != event.Started {
			t.Errorf("%+v, %v", got, err)
		}
		settle()
		if _, err := s.Replay(t.Context(), r.Event, alice, true); !fault.Is(err, fault.Conflict) {
			t.Errorf("it starts twice: %v", err)
		}
		if _, err := s.Replay(t.Context(), "evt_00000000000000000000", alice, true); !fault.Is(err, fault.NotFound) {
			t.Errorf("%v", err)
		}
		if row := s.row(r.Event); row.Decision.By == nil || row.Decision.By.ID != "user:alice" || len(s.did()) != 1 {
			t.Errorf("%+v %q", row.Decision, s.did())
		}
	})
}

// TestWhatCannotBegin: a playbook that is gone, or parameters that do not fit: refused, with the reason, and told to the
// incident.
func TestWhatCannotBegin(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := serve(t, options{store: disk()}, rules(t, "on: {labels: {x: y}}\nplaybook: gone\nincident: {}", "playbook: say\nparameters: {whatever: 1}"))
		defer s.close()
		a, b := firing("a", time.Now()), firing("b", time.Now())
		a.Labels = map[string]string{"x": "y"}
		r := s.accept(a, b)
		settle()
		for i, want := range []string{"no playbook gone", "whatever"} {
			if d := s.row(r[i].Event).Decision; d.Outcome != string(event.Refused) || !strings.Contains(d.Why, want) || d.Run != "" {
				t.Errorf("%+v", d)
			}
		}
		st, _, err := s.Incident(t.Context(), r[0].Incident)
		if err != nil || len(st.Runs) != 1 || st.Runs[0].Status != "not-started" {
			t.Errorf("%+v, %v", st, err)
		}
	})
}

// TestEchoes: what a run brought about does not start the same trigger again, nor a chain without end.
func TestEchoes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var texts []string
		for i := range 8 {
			texts = append(texts, fmt.Sprintf("on: {labels: {n: '%d'}}\nplaybook: say", i))
		}
		s := serve(t, options{store: disk()}, rules(t, texts...))
		defer s.close()
		cause := ""
		for i := range 6 {
			e := event.Event{Source: "hook", Project: "default", Kind: "webhook", Key: fmt.Sprint(i), Labels: map[string]string{"n": fmt.Sprint(i)}, Cause: cause}
			r := s.accept(e)[0]
			settle()
			if i == 5 {
				if r.Outcome != event.Refused || !strings.Contains(r.Why, "loop") {
					t.Errorf("the sixth: %+v", r)
				}
				break
			}
			if r.Outcome != event.Started {
				t.Fatalf("%d: %+v", i, r)
			}
			echo := e
			echo.Key, echo.Cause = fmt.Sprint("echo", i), r.Run
			if x := s.accept(echo)[0]; x.Outcome != event.Refused || !strings.Contains(x.Why, "echo") {
				t.Errorf("%d: %+v", i, x)
			}
			cause = r.Run
		}
		// Who does not say it is known by the trace that the run's steps send along.
		by := event.Event{Source: "hook", Project: "default", Kind: "webhook", Key: "t0", Labels: map[string]string{"n": "0"}}
		run := s.accept(by)[0].Run
		settle() // its steps are what sends it
		by.Trace = trace.Of(run, "").At(trace.Step(run, "steps[0]")).String()
		by.Key = "t0 again"
		if x := s.accept(by)[0]; x.Outcome != event.Refused || !strings.Contains(x.Why, run) {
			t.Errorf("by its trace: %+v", x)
		}
		by.Key, by.Labels = "t1", map[string]string{"n": "1"}
		next := s.accept(by)[0] // the same trace
		settle()
		by.Key = "t1 again"
		if x := s.accept(by)[0]; next.Outcome != event.Started || x.Outcome != event.Refused || !strings.Contains(x.Why, next.Run) {
			t.Errorf("further on: %+v, %+v", next, x)
		}
		by.Trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
		for _, key := range []string{"foreign", "foreign again"} { // one pipeline can do two things
			if by.Key = key; s.accept(by)[0].Outcome == event.Refused {
				t.Errorf("%s is refused", key)
			}
			settle()
		}
		forged := event.Event{Source: "hook", Project: "default", Kind: "webhook", Key: "f", Labels: map[string]string{"n": "1"}, Cause: "run_' OR 1=1"}
		if r := s.accept(forged)[0]; r.Outcome != event.Started {
			t.Errorf("%+v", r)
		}
	})
}

// TestOwnEvents: the opening of an incident and the end of a run are events too, where a trigger asks for them.
func TestOwnEvents(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := serve(t, options{store: disk()}, rules(t,
			"on: {source: tend, kind: incident, labels: {type: created}}\nplaybook: say\nparameters: {what: '{{ $.event.title }}'}",
			"on: {source: tend, kind: run}\nplaybook: say\nparameters: {what: 'ended {{ $.event.status }}'}",
			"on: {kind: alert}\nincident: {title: Fire}"))
		defer s.close()
		s.accept(firing("a", time.Now()))
		settle()
		got := s.did()
		slices.Sort(got)
		if !slices.Equal(got, []string{"Fire", "ended succeeded"}) { // and no run because a run because a run ended
			t.Errorf("%q", got)
		}
	})
}

// TestFullDisk: nothing is acknowledged that is not there; when there is room, everything goes on.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var full atomic.Bool
		s := serve(t, options{store: faulty.New(memory.New(), func(op faulty.Op) faulty.Fault {
			if op.Name == "commit" && full.Load() {
				return faulty.Fault{Mode: faulty.Full}
			}
			return faulty.Fault{}
		})}, rules(t, sayHost+"incident: {}"))
		defer s.close()
		s.accept(firing("a", time.Now()))
		settle()
		full.Store(true)
		for i := range 5 {
			if _, err := s.Accept(t.Context(), []event.Event{firing(fmt.Sprint("full", i), time.Now())}); !fault.Is(err, fault.Unavailable) {
				t.Errorf("a full disk: %v", err)
			}
			time.Sleep(300 * time.Millisecond)
		}
		full.Store(false)
		time.Sleep(time.Minute)
		if r := s.accept(firing("full0", time.Now()))[0]; r.Outcome != event.Started {
			t.Errorf("%+v", r)
		}
		settle()
		if n := s.count("event"); n != 2 {
			t.Errorf("%d events", n)
		}
		if s.Err() != nil {
			t.Error(s.Err())
		}
	})
}

// TestBrokenStore: when nobody knows what was written, everybody hears it, and nothing is decided any more.
func TestBrokenStore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var lost atomic.Bool
		s := serve(t, options{store: faulty.New(memory.New(), func(op faulty.Op) faulty.Fault {
			if op.Name == "commit" && lost.Load() {
				return faulty.Fault{Mode: faulty.Lost}
			}
			return faulty.Fault{}
		})}, rules(t, sayHost))
		lost.Store(true)
		if _, err := s.Accept(t.Context(), []event.Event{firing("a", time.Now())}); !fault.Is(err, fault.Unavailable) {
			t.Errorf("%v", err)
		}
		settle()
		<-s.ledger.Broken()
		if _, err := s.Accept(t.Context(), []event.Event{firing("b", time.Now())}); !fault.Is(err, fault.Unavailable) {
			t.Errorf("%v", err)
		}
		if s.Err() == nil {
			t.Error("it is not broken")
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = s.Close(ctx)
		_ = s.ledger.Close(ctx)
		_ = s.engine.Close(ctx)
	})
}

// TestBadEvents: what has no name is refused as a whole.
func TestBadEvents(t *testing.T) {
	t.Parallel()
	s := serve(t, options{store: disk()}, rules(t))
	defer s.close()
	for _, e := range []event.Event{{}, {Source: "a", Project: "p", Kind: "k"}, {Source: "a", Key: "k", Kind: "k"}, {Project: "p", Key: "k", Kind: "k"}} {
		if _, err := s.Accept(t.Context(), []event.Event{firing("a", time.Now()), e}); !fault.Is(err, fault.Invalid) {
			t.Errorf("%+v: %v", e, err)
		}
	}
	if n := s.count("event"); n != 0 {
		t.Errorf("%d events", n)
	}
	big := firing("big", time.Now())
	big.Data = map[string]any{"text": strings.Repeat("x", 200_000)}
	r := s.accept(big)[0]
	back, _, err := s.Event(t.Context(), r.Event)
	if err != nil || back.Data["text"] != big.Data["text"] {
		t.Errorf("a large event comes back as something else: %v", err)
	}
}

// TestIncidentsByHand: people open, change, merge, split and end incidents; each change is in the audit, in the same
// commit; what somebody looked at must not have changed meanwhile.
func TestIncidentsByHand(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d, r := disk(), rules(t, "incident: {}")
		s := serve(t, options{store: d}, r)
		ctx := t.Context()
		a, err := s.OpenIncident(ctx, incident.Start{Project: "default", Title: "By hand", Severity: incident.Major, By: alice})
		if err != nil {
			t.Fatal(err)
		}
		comment := func(st *incident.State, _ time.Time) ([]entry.Payload, error) { return st.Comment(alice, "hm", "") }
		old := a.Length
		if _, err := s.ChangeIncident(ctx, a.ID, &old, alice, "commented", "", comment); err != nil {
			t.Fatal(err)
		}
		if _, err := s.ChangeIncident(ctx, a.ID, &old, alice, "commented", "", comment); !fault.Is(err, fault.Conflict) {
			t.Errorf("it changed meanwhile: %v", err)
		}
		if _, err := s.ChangeIncident(ctx, "inc_none", nil, alice, "commented", "", comment); !fault.Is(err, fault.NotFound) {
			t.Errorf("%v", err)
		}
		got := s.accept(firing("x", time.Now()), firing("y", time.Now()))
		if _, err := s.MergeIncidents(ctx, got[0].Incident, a.ID, alice, "the same"); err != nil {
			t.Fatal(err)
		}
		if _, err := s.MergeIncidents(ctx, got[1].Incident, a.ID, alice, "the same"); err != nil {
			t.Fatal(err)
		}
		s.close()
		s = serve(t, options{store: d}, r) // all of it is stored
		defer s.close()
		b, err := s.SplitIncident(ctx, a.ID, incident.Start{Title: "Another", By: alice}, []string{incident.MemberKey("am", "y")}, "")
		if err != nil {
			t.Fatal(err)
		}
		y := firing("y", time.Now().Add(time.Second))
		if r := s.accept(y)[0]; r.Incident != b.ID {
			t.Errorf("a split alert joins %s, not %s", r.Incident, b.ID)
		}
		if st, err := s.ChangeIncident(ctx, b.ID, nil, alice, "resolved", "done", func(st *incident.State, _ time.Time) ([]entry.Payload, error) {
			return st.Resolve(alice, "", "done")
		}); err != nil || st.Status != incident.Resolved {
			t.Errorf("%v, %v", st, err)
		}
		h, err := d.Head(ctx, "audit/server")
		if err != nil || h.Length != 6 {
			t.Errorf("%d audit facts, %v", h.Length, err)
		}
	})
}

// TestRestore: what was decided before a backup, and did not begin by then, may have begun since. It waits for a person.
func TestRestore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		back := new(memory.Disk)
		hold := make(chan struct{})
		r := rules(t, "playbook: say\nstartWithin: 0\nconcurrency: {key: one, then: queue}")
		s := serve(t, options{store: memory.Open(back), hold: hold}, r)
		got := s.accept(firing("a", time.Now()), firing("b", time.Now()))
		settle()
		copied := back.Clone()
		close(hold)
		settle()
		s.close()
		copied.Restored("it was restored")
		s = serve(t, options{store: memory.Open(copied)}, r)
		defer s.close()
		settle()
		if d := s.row(got[1].Event).Decision; d.Outcome != string(event.Refused) || !strings.Contains(d.Why, "not known (it was restored)") {
			t.Errorf("%+v", d)
		}
		if len(s.did()) > 0 {
			t.Errorf("it acts after a restore: %q", s.did())
		}
	})
}
