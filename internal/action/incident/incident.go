// Package incident works on the incidents of the server that drives the run: it opens, changes, comments and resolves them,
// and calls people.
//
// Every change is a commit of the server itself, with the step's idempotency key: a repeat changes nothing. Where no server
// drives the run, nothing begins.
package incident

import (
	"context"
	"strings"
	"time"

	"github.com/tendhq/tend/internal/action"
	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/id"
	noun "github.com/tendhq/tend/internal/incident"
)

// Desk is the server's.
type Desk interface {
	// IncidentOf names the incident that a run is for, "" when it is for none, and the run's project.
	IncidentOf(ctx context.Context, run string) (name, project string, err error)
	OpenIncident(ctx context.Context, x noun.Start) (*noun.State, error)
	ChangeIncident(ctx context.Context, id string, version *uint64, by entry.Who, what, why string,
		apply func(*noun.State, time.Time) ([]entry.Payload, error)) (*noun.State, error)
	// Reach tells whether somebody is called when these are. The error, of kind fault.Unavailable, says what is missing.
	Reach(ctx context.Context, targets []string) error
}

// All gives the actions. desk gives the server's desk when a step runs; nil, or a nil answer: there is none.
func All(desk func() Desk) []action.Action {
	var out []action.Action
	for _, k := range kinds() {
		out = append(out, Action{k, desk})
	}
	return out
}

// kind is one of the actions.
type kind struct {
	spec contract.Spec
	run  func(ctx context.Context, d Desk, req action.Request, in *inputs, by entry.Who) (*noun.State, error)
}

// Action is one of the actions.
type Action struct {
	kind kind
	desk func() Desk
}

// Spec implements action.Action.
func (a Action) Spec() contract.Spec { return a.kind.spec }

// inputs are those of all of them.
type inputs struct {
	Incident     string            `in:"incident"`
	Title        string            `in:"title"`
	Severity     string            `in:"severity"`
	Summary      string            `in:"summary"`
	Key          string            `in:"key"`
	Labels       map[string]string `in:"labels"`
	Status       string            `in:"status"`
	Commander    string            `in:"commander"`
	Responders   []string          `in:"responders"`
	Stakeholders []string          `in:"stakeholders"`
	Next         string            `in:"next"`
	Within       string            `in:"within"`
	Message      string            `in:"message"`
	Who          []string          `in:"who"`
	Why          string            `in:"why"`
}

// Run implements action.Action.
func (a Action) Run(ctx context.Context, req action.Request, _ action.Log) action.Result {
	if ctx.Err() != nil {
		k, why := action.Stopped(ctx)
		return action.Never(k, why+" before anything was changed")
	}
	var in inputs
	if err := action.Decode(req.Inputs, &in); err != nil {
		return action.Never(fault.Invalid, err.Error())
	}
	var d Desk
	if a.desk != nil {
		d = a.desk()
	}
	if d == nil {
		return action.Never(fault.Unavailable, "no server drives this run: incidents are a server's (tend serve)")
	}
	by := entry.Who{ID: "run:" + req.Run, Name: req.Run, Via: "engine"}
	st, err := a.kind.run(ctx, d, req, &in, by)
	switch k := fault.KindOf(err); {
	case err == nil:
		return action.OK(map[string]any{
			"id": st.ID, "status": string(st.Status), "severity": string(st.Severity), "title": st.Title, "firing": int64(st.Firing()),
		})
	case ctx.Err() != nil, k == fault.Cancelled:
		k, why := action.Stopped(ctx)
		return action.Doubt(k, why+" while the change was being written")
	case k == fault.Unavailable:
		return action.Never(k, err.Error())
	case k == fault.Invalid, k == fault.NotFound, k == fault.Conflict, k == fault.Limit, k == fault.Refused:
		return action.Fail(k, err.Error())
	default:
		return action.Doubt(k, err.Error())
	}
}

// named gives the incident that a step is about: the one that it names, or the one that its run is for.
func named(ctx context.Context, d Desk, req action.Request, in *inputs) (string, error) {
	if in.Incident != "" {
		return in.Incident, nil
	}
	name, _, err := d.IncidentOf(ctx, req.Run)
	if err == nil && name == "" {
		err = fault.New(fault.Invalid, "the run is for no incident: name one in `incident`")
	}
	return name, err
}

func change(ctx context.Context, d Desk, req action.Request, in *inputs, by entry.Who, what string,
	apply func(*noun.State, time.Time) ([]entry.Payload, error),
) (*noun.State, error) {
	name, err := named(ctx, d, req, in)
	if err != nil {
		return nil, err
	}
	return d.ChangeIncident(ctx, name, nil, by, what, in.Why, apply)
}

func severity(text string) (noun.Severity, error) {
	s, ok := noun.ParseSeverity(text)
	if !ok {
		return s, fault.New(fault.Invalid, "severity %.40q is none: say critical, major, minor or info", text)
	}
	return s, nil
}

func openIt(ctx context.Context, d Desk, req action.Request, in *inputs, by entry.Who) (*noun.State, error) {
	sev, err := severity(in.Severity)
	if err != nil {
		return nil, err
	}
	_, project, err := d.IncidentOf(ctx, req.Run)
	if err != nil {
		return nil, err
	}
	return d.OpenIncident(ctx, noun.Start{
		ID: id.Derive("inc", req.Key, "incident/open", id.Birth(req.Run)), Project: project, Key: in.Key, Title: in.Title, Severity: sev,
		Summary: in.Summary, Labels: in.Labels, By: by,
	})
}

func updateIt(ctx context.Context, d Desk, req action.Request, in *inputs, by entry.Who) (*noun.State, error) {
	u := entry.IncidentUpdated{By: by, Why: in.Why}
	for _, t := range []struct {
		from string
		to   **string
	}{{in.Title, &u.Title}, {in.Summary, &u.Summary}, {in.Status, &u.Status}, {in.Commander, &u.Commander}, {in.Next, &u.Next}} {
		if t.from != "" {
			*t.to = &t.from
		}
	}
	if in.Severity != "" {
		sev, err := severity(in.Severity)
		if err != nil {
			return nil, err
		}
		text := string(sev)
		u.Severity = &text
	}
	if len(in.Responders) > 0 {
		u.Responders = &in.Responders
	}
	if len(in.Stakeholders) > 0 {
		u.Stakeholders = &in.Stakeholders
	}
	for k, v := range in.Labels {
		if u.Labels == nil {
			u.Labels = map[string]any{}
		}
		u.Labels[k] = v
	}
	within := time.Duration(0)
	if in.Within != "" {
		var err error
		if within, err = time.ParseDuration(in.Within); err != nil || within <= 0 {
			return nil, fault.New(fault.Invalid, "within: %.40q is no duration such as 20m", in.Within)
		}
	}
	return change(ctx, d, req, in, by, "updated", func(st *noun.State, now time.Time) ([]entry.Payload, error) {
		if within > 0 {
			at := now.Add(within)
			u.NextBy = &at
		}
		return st.Update(u)
	})
}

func commentOn(ctx context.Context, d Desk, req action.Request, in *inputs, by entry.Who) (*noun.State, error) {
	return change(ctx, d, req, in, by, "commented", func(st *noun.State, _ time.Time) ([]entry.Payload, error) {
		return st.Comment(by, strings.TrimRight(in.Message, "\n"), req.Key)
	})
}

func pageFor(ctx context.Context, d Desk, req action.Request, in *inputs, by entry.Who) (*noun.State, error) {
	if len(in.Who) > 0 {
		if err := d.Reach(ctx, in.Who); err != nil {
			return nil, err
		}
	}
	return change(ctx, d, req, in, by, "paged", func(st *noun.State, _ time.Time) ([]entry.Payload, error) {
		return st.Page(by, in.Who, in.Message, req.Key)
	})
}

// resolveIt ends an incident. One that is over already is what was wanted.
func resolveIt(ctx context.Context, d Desk, req action.Request, in *inputs, by entry.Who) (*noun.State, error) {
	return change(ctx, d, req, in, by, "resolved", func(st *noun.State, _ time.Time) ([]entry.Payload, error) {
		if st.Length > 0 && st.Status.Over() {
			return nil, nil
		}
		return st.Resolve(by, "", in.Why)
	})
}
