package insight_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/tendhq/tend/internal/access"
	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/insight"
	"github.com/tendhq/tend/internal/program"
	"github.com/tendhq/tend/internal/store"
	"github.com/tendhq/tend/internal/store/memory"
)

// reader is a store with playbooks, by the first byte of their closure.
type reader struct {
	store.Store

	programs map[byte]contract.Metadata
	asked    int
}

func (r *reader) Entries(ctx context.Context, stream string, from uint64, limit int) ([]entry.Entry, error) {
	return r.Read(ctx, stream, from, limit)
}

func (r *reader) Program(ctx context.Context, run string) (*program.Program, error) {
	r.asked++
	list, err := r.Read(ctx, "run/"+run, 1, 1)
	if err != nil {
		return nil, err
	}
	p, err := entry.Decode(list[0])
	if err != nil {
		return nil, err
	}
	return &program.Program{Metadata: r.programs[p.(*entry.RunCreated).Closure[0]]}, nil
}

var day = time.Date(2026, 11, 28, 3, 0, 0, 0, time.UTC)

// write makes a stream and its row; each fact comes a minute after the one before.
func (r *reader) write(t *testing.T, kind, name, project, status, parent string, at time.Time, facts ...entry.Payload) {
	t.Helper()
	stream := kind + "/" + name
	b := store.Batch{Expect: []store.Expect{{Stream: stream}}, Rows: []store.Row{{
		Key: store.Key{Kind: kind, ID: name}, Project: project, Status: status, Parent: parent, At: at, Body: []byte("{}"),
	}}}
	var prev entry.Hash
	for i, f := range facts {
		e, err := entry.New(at.Add(time.Duration(i)*time.Minute), f)
		if err != nil {
			t.Fatal(err)
		}
		e.Stream, e.Seq, e.Prev = stream, uint64(i+1), prev
		e.Seal()
		prev, b.Entries = e.Hash, append(b.Entries, e)
	}
	if err := r.Commit(t.Context(), []store.Batch{b})[0].Err; err != nil {
		t.Fatal(err)
	}
}

func created(closure byte, name string, c entry.Cause) *entry.RunCreated {
	return &entry.RunCreated{Name: name, Closure: entry.Hash{closure}, Cause: c}
}

func TestRead(t *testing.T) {
	t.Parallel()
	r := &reader{Store: memory.New(), programs: map[byte]contract.Metadata{
		1: {Owner: "shop", Labels: map[string]string{"saves": "15m"}}, 2: {Owner: "shop", Labels: map[string]string{"saves": "15m"}}, 3: {Labels: map[string]string{"saves": "soon"}},
	}}
	held := &entry.StepVerified{Path: "s", OK: true}
	good := &entry.RunEnded{Status: "succeeded"}
	n := 0
	add := func(project, status, parent string, at time.Time, facts ...entry.Payload) {
		n++
		r.write(t, "run", fmt.Sprintf("run_%02d", n), project, status, parent, at, facts...)
	}
	event := entry.Cause{Event: "evt_1", Incident: "inc_1"}
	// A page avoided; one that paged all the same; one in which somebody was asked.
	add("default", "succeeded", "", day, created(1, "repair", event), held, good)
	add("default", "succeeded", "", day, created(2, "repair", entry.Cause{Event: "evt_2", Incident: "inc_2"}), held, good)
	add("default", "succeeded", "", day, created(1, "repair", event), &entry.ApprovalAsked{Path: "s"}, held, good)
	// Not verified; verified and then not; failed after a guard held it; only observed; nobody's.
	add("default", "succeeded", "", day, created(1, "repair", event), good)
	add("default", "succeeded", "", day, created(1, "repair", event), held, &entry.StepVerified{Path: "s"}, good)
	add("default", "failed", "", day, created(1, "repair", entry.Cause{}), &entry.StepHeld{Guard: "slowly"}, &entry.StepHeld{For: "runner"}, &entry.StepHeld{Guard: "slowly"}, &entry.RunEnded{Status: "failed"})
	add("default", "succeeded", "", day, created(3, "look", entry.Cause{}), &entry.StepSkipped{Path: "s", Would: &entry.Would{}}, good)
	add("default", "succeeded", "", day, created(3, "look", entry.Cause{}), held, good)
	// None of these counts: a called run, one that goes on, one before and one after the time, one of another project.
	add("default", "succeeded", "run_01", day, created(1, "repair", event), held, good)
	add("default", "running", "", day, created(1, "repair", event))
	add("default", "succeeded", "", day.Add(-time.Hour), created(1, "repair", event), held, good)
	add("default", "succeeded", "", day.Add(24*time.Hour), created(1, "repair", event), held, good)
	add("secret", "succeeded", "", day, created(1, "repair", event), held, good)
	by := entry.Who{ID: "user:alice", Name: "Alice"}
	taken, opened := "acknowledged", func(id string) entry.Payload {
		return &entry.IncidentOpened{By: entry.Who{ID: "trigger:x", Name: "trigger x", Via: "engine"}, ID: id, Title: "x", Severity: "major", Project: "default"}
	}
	r.write(t, "incident", "inc_1", "default", "resolved", "", day, opened("inc_1"), &entry.IncidentUpdated{By: by, Status: &taken}, &entry.IncidentResolved{By: by})
	r.write(t, "incident", "inc_2", "default", "open", "", day, opened("inc_2"), &entry.IncidentPaged{By: by, Targets: []string{"a"}})

	live := func(project, owner string, lead time.Duration) *entry.Audited {
		d := map[string]any{"project": project, "owners": map[string]any{"repair": owner}}
		if lead > 0 {
			d["committed"] = day.Add(-lead).Format(time.RFC3339)
		}
		return &entry.Audited{What: "revision-live", Object: "books@1", Detail: d}
	}
	// One before the time, and then a minute apart each; what has no commit, is of another project, or was only pinned does not count.
	trail := []entry.Payload{live("default", "shop", time.Hour)}
	for i, p := range []*entry.Audited{
		live("default", "shop", 10*time.Minute), live("default", "shop", 30*time.Minute), live("default", "", time.Minute), live("default", "shop", 0),
		live("secret", "shop", time.Hour),
		{What: "revision-pinned", Detail: live("default", "shop", time.Hour).Detail},
		{What: "halted"},
	} {
		if at, ok := p.Detail["committed"].(string); ok { // each becomes live i minutes later
			c, err := time.Parse(time.RFC3339, at)
			if err != nil {
				t.Fatal(err)
			}
			p.Detail["committed"] = c.Add(time.Duration(i) * time.Minute).Format(time.RFC3339)
		}
		trail = append(trail, p)
	}
	r.write(t, "audit", "server", "", "", "", day.Add(-time.Minute), trail...)

	// A start that was held twice by one guard, and then by another one; one of another project, which is not even in a row here.
	held2 := func(g string) entry.EventDecided {
		return entry.EventDecided{Outcome: "held", Guard: g, Playbook: "repair", Event: "evt_1"}
	}
	again, other := held2("many"), held2("calm")
	r.write(t, "event", "am", "", "", "", day.Add(-time.Minute),
		&entry.EventReceived{ID: "evt_0", Decision: held2("many")}, &entry.EventReceived{ID: "evt_1", Decision: held2("many")}, &again, &other,
		&entry.EventDecided{Event: "evt_1", Outcome: "started"}, &entry.EventReceived{ID: "evt_2", Decision: held2("many")})
	for id, project := range map[string]string{"evt_1": "default", "evt_2": "secret"} {
		b := store.Batch{Rows: []store.Row{{Key: store.Key{Kind: "event", ID: id}, Project: project, At: day, Body: []byte(`{"source":"am"}`)}}}
		if err := r.Commit(t.Context(), []store.Batch{b})[0].Err; err != nil {
			t.Fatal(err)
		}
	}

	got, err := insight.Read(t.Context(), r, insight.Query{Since: day, Until: day.Add(time.Hour), Sight: &access.Sight{Within: []access.Span{{Projects: []string{"default"}}}}})
	if err != nil {
		t.Fatal(err)
	}
	shop := insight.Team{
		Team: "shop", Runs: 6, Succeeded: 5, Failed: 1, Verified: 3, Verifiable: 4, Saved: 45, Avoided: 1, Incidents: 2, Taken: 1, Resolved: 1, MTTA: 60, MTTR: 120,
		Versions: 2, Changes: 1, Live: 2, Lead: 20 * 60, Held: 4, Guards: map[string]int{"slowly": 2, "many": 1, "calm": 1},
	}
	nobody := insight.Team{Team: insight.Nobody, Runs: 2, Succeeded: 2, Verified: 1, Verifiable: 1, Observed: 1, Undeclared: 1, Versions: 1, Live: 1, Lead: 60, Guards: map[string]int{}}
	total := insight.Team{
		Team: "total", Runs: 8, Succeeded: 7, Failed: 1, Verified: 4, Verifiable: 5, Observed: 1, Saved: 45, Undeclared: 1, Avoided: 1, Incidents: 2, Taken: 1, Resolved: 1, MTTA: 60, MTTR: 120,
		Versions: 3, Changes: 1, Live: 3, Lead: 41 * 60 / 3, Held: 4, Guards: map[string]int{"slowly": 2, "many": 1, "calm": 1},
	}
	want := insight.Report{Since: day, Until: day.Add(time.Hour), Teams: []insight.Team{nobody, shop}, Total: total, Playbooks: []insight.Fared{
		{Name: "look", Project: "default", Team: insight.Nobody, Runs: 2, Succeeded: 2, Verified: 1, Verifiable: 1},
		{Name: "repair", Project: "default", Team: "shop", Runs: 6, Succeeded: 5, Failed: 1, Verified: 3, Verifiable: 4, Saved: 45},
	}, Alerts: []insight.Noise{{Source: "am", Events: 1}}}
	if d := cmp.Diff(want, got, cmpopts.EquateEmpty()); d != "" {
		t.Error(d)
	}
	if r.asked != 3 {
		t.Errorf("%d playbooks were read for 3", r.asked)
	}
	if _, err := insight.Read(t.Context(), r, insight.Query{Since: day, Until: day}); !fault.Is(err, fault.Invalid) {
		t.Error(err)
	}
	// What cannot be read is said to be missing.
	r.write(t, "run", "run_99", "default", "succeeded", "", day)
	got, err = insight.Read(t.Context(), r, insight.Query{Since: day, Until: day.Add(time.Hour)})
	if err != nil || got.Unread != 1 || got.Total.Runs != 9 {
		t.Errorf("%+v, %v", got, err)
	}
}
