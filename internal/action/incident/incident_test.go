package incident_test

import (
	"context"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/tendhq/tend/internal/action"
	"github.com/tendhq/tend/internal/action/actiontest"
	"github.com/tendhq/tend/internal/action/incident"
	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/fault"
	noun "github.com/tendhq/tend/internal/incident"
	"github.com/tendhq/tend/internal/secret"
)

// desk keeps incidents by their own transitions, in memory.
type desk struct {
	mu   sync.Mutex
	all  map[string]*noun.State
	of   map[string]string // run → incident
	fail error
}

func (d *desk) IncidentOf(_ context.Context, run string) (name, project string, err error) {
	return d.of[run], "default", nil
}

func (d *desk) Reach(_ context.Context, targets []string) error {
	if targets[0] == "nobody" {
		return fault.New(fault.Unavailable, "nobody would be called")
	}
	return nil
}

func (d *desk) OpenIncident(_ context.Context, x noun.Start) (*noun.State, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.fail != nil {
		return nil, d.fail
	}
	if s := d.all[x.ID]; s != nil {
		return s, nil
	}
	list, err := noun.OpenNew(x)
	if err != nil {
		return nil, err
	}
	return d.write(x.ID, new(noun.State), list)
}

func (d *desk) write(id string, s *noun.State, list []entry.Payload) (*noun.State, error) {
	for _, p := range list {
		if err := s.Evolve(time.Unix(1_800_000_000, 0), p); err != nil {
			return nil, err
		}
	}
	d.all[id] = s
	return s.Clone(), nil
}

func (d *desk) ChangeIncident(_ context.Context, id string, _ *uint64, _ entry.Who, _, _ string,
	apply func(*noun.State, time.Time) ([]entry.Payload, error),
) (*noun.State, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.fail != nil {
		return nil, d.fail
	}
	s := d.all[id]
	if s == nil {
		return nil, fault.New(fault.NotFound, "there is no incident %s", id)
	}
	list, err := apply(s, time.Unix(1_800_000_000, 0))
	if err != nil {
		return nil, err
	}
	return d.write(id, s, list)
}

func fresh(t *testing.T) *desk {
	t.Helper()
	d := &desk{all: map[string]*noun.State{}, of: map[string]string{"run_1": "inc_1"}}
	for _, id := range []string{"inc_1", "inc_over"} {
		if _, err := d.OpenIncident(t.Context(), noun.Start{ID: id, Title: "Disk", Severity: noun.Critical, Event: "evt_1"}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := d.ChangeIncident(t.Context(), "inc_over", nil, entry.Who{}, "", "", func(s *noun.State, _ time.Time) ([]entry.Payload, error) {
		return s.Resolve(entry.Who{}, "", "")
	}); err != nil {
		t.Fatal(err)
	}
	return d
}

func find(t *testing.T, d incident.Desk, name string) action.Action {
	t.Helper()
	all := incident.All(func() incident.Desk { return d })
	if d == nil {
		all = incident.All(nil)
	}
	i := slices.IndexFunc(all, func(a action.Action) bool { return a.Spec().Name == name })
	if i < 0 {
		t.Fatalf("there is no action %s", name)
	}
	return all[i]
}

type m = map[string]any

// TestActions: every action, with a desk that keeps what it is told.
func TestActions(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, action string
		inputs       m
		run          string // "": run_1, which is for inc_1
		want         action.Outcome
		kind         fault.Kind
		check        func(d *desk) bool
	}{
		{"open", "incident/open", m{"title": "Payments fail", "severity": "P2", "key": "pay"}, "", action.Succeeded, "", func(d *desk) bool { return len(d.all) == 3 }},
		{"open without a title", "incident/open", m{"title": " ", "severity": "major"}, "", action.Failed, fault.Invalid, nil},
		{"open with a severity that is none", "incident/open", m{"title": "x", "severity": "dreadful"}, "", action.Failed, fault.Invalid, nil},
		{"update", "incident/update", m{"status": "mitigated", "next": "watch", "within": "20m", "labels": m{"team": "db"}, "severity": "warning", "responders": []any{"bob"}}, "", action.Succeeded, "", func(d *desk) bool {
			s := d.all["inc_1"]
			return s.Status == noun.Mitigated && s.Next == "watch" && s.NextBy.Equal(time.Unix(1_800_001_200, 0)) && s.Labels["team"] == "db" && s.Severity == noun.Minor && s.Responders[0] == "bob"
		}},
		{"update to an end", "incident/update", m{"status": "resolved"}, "", action.Failed, fault.Invalid, nil},
		{"within is no time", "incident/update", m{"within": "soon"}, "", action.Failed, fault.Invalid, nil},
		{"update of what is over", "incident/update", m{"incident": "inc_over", "status": "open"}, "", action.Failed, fault.Conflict, nil},
		{"comment", "incident/comment", m{"message": "done\n"}, "", action.Succeeded, "", func(d *desk) bool { return d.all["inc_1"].Length == 2 }},
		{"an empty comment", "incident/comment", m{"message": "\n"}, "", action.Failed, fault.Invalid, nil},
		{"a secret comment", "incident/comment", m{"message": secret.New("pl4nted-s3cret")}, "", action.NotStarted, fault.Invalid, nil},
		{"no such incident", "incident/comment", m{"message": "x", "incident": "inc_0"}, "", action.Failed, fault.NotFound, nil},
		{"for no incident", "incident/comment", m{"message": "x"}, "run_2", action.Failed, fault.Invalid, nil},
		{"page", "incident/page", m{"who": []any{"oncall"}, "message": "help"}, "", action.Succeeded, "", func(d *desk) bool { return d.all["inc_1"].Length == 2 }},
		{"page who cannot be called", "incident/page", m{"who": []any{"nobody"}}, "", action.NotStarted, fault.Unavailable, func(d *desk) bool { return d.all["inc_1"].Length == 1 }},
		{"page nobody", "incident/page", m{"who": []any{}}, "", action.Failed, fault.Invalid, nil},
		{"resolve", "incident/resolve", m{"why": "gone"}, "", action.Succeeded, "", func(d *desk) bool { return d.all["inc_1"].Status == noun.Resolved }},
		{"resolve what is over", "incident/resolve", m{"incident": "inc_over"}, "", action.Succeeded, "", func(d *desk) bool { return d.all["inc_over"].Length == 2 }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d := fresh(t)
			a := find(t, d, c.action)
			run := c.run
			if run == "" {
				run = "run_1"
			}
			req := action.Request{Run: run, Step: "steps[0]", Attempt: 1, Key: "key-1", Action: c.action, Inputs: c.inputs}
			r := a.Run(t.Context(), req, func(string, []byte) {})
			if r.Outcome != c.want || r.Kind != c.kind {
				t.Fatalf("%s %s: %s", r.Outcome, r.Kind, r.Message)
			}
			if err := actiontest.Legal(a.Spec(), r); err != nil {
				t.Error(err)
			}
			if c.check != nil && !c.check(d) {
				t.Errorf("%+v", d.all)
			}
			lengths := map[string]uint64{}
			for id, s := range d.all {
				lengths[id] = s.Length
			}
			if again := a.Run(t.Context(), req, func(string, []byte) {}); again.Outcome != r.Outcome || c.action != "incident/update" && !sameLengths(d, lengths) {
				t.Errorf("a repeat: %s, %+v", again.Outcome, d.all)
			}
		})
	}
}

func sameLengths(d *desk, want map[string]uint64) bool {
	got := map[string]uint64{}
	for id, s := range d.all {
		got[id] = s.Length
	}
	return maps.Equal(got, want)
}

// TestConformance: what every action owes the engine.
func TestConformance(t *testing.T) {
	t.Parallel()
	for _, a := range incident.All(nil) {
		name := a.Spec().Name
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			full := fresh(t)
			full.fail = fault.New(fault.Unavailable, "the disk is full")
			lost := fresh(t)
			lost.fail = context.Canceled
			inputs := m{"title": "t", "severity": "major", "message": "x", "who": []any{"a"}, "why": "w"}
			for k := range inputs {
				if !slices.ContainsFunc(a.Spec().Inputs, func(f contract.Field) bool { return f.Name == k }) {
					delete(inputs, k)
				}
			}
			for who, d := range map[string]incident.Desk{"nobody": nil, "a full disk": full, "nobody knows": lost} {
				r := find(t, d, name).Run(t.Context(), action.Request{Run: "run_1", Key: "k", Inputs: inputs}, func(string, []byte) {})
				want := action.NotStarted
				if who == "nobody knows" {
					want = action.InDoubt
				}
				if r.Outcome != want {
					t.Errorf("%s: %s %s", who, r.Outcome, r.Message)
				}
				if err := actiontest.Legal(a.Spec(), r); err != nil {
					t.Errorf("%s: %v", who, err)
				}
			}
			actiontest.Run(t, find(t, fresh(t), name), actiontest.Suite{Cases: []actiontest.Case{{
				Name: "works", Want: action.Succeeded,
				Request: func(*testing.T) action.Request { return action.Request{Run: "run_1", Key: "k", Inputs: inputs} },
			}}})
		})
	}
}
