package httpapi

import (
	"context"
	"net/http"
	"time"

	"github.com/tendhq/tend/internal/access"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/guard"
	"github.com/tendhq/tend/internal/wire"
)

// Governor holds the rules that are live: *governor.Governor is one.
type Governor interface {
	Rules() *guard.Rules
	Halt(ctx context.Context, scope guard.Halted, by entry.Who, why string) (guard.Halted, error)
	Unhalt(ctx context.Context, haltID string, by entry.Who, why string) ([]guard.Halted, error)
	SetMode(ctx context.Context, s guard.Setting, by entry.Who, why string) error
	Override(ctx context.Context, o guard.Override, by entry.Who) (guard.Override, error)
	EndOverride(ctx context.Context, overrideID string, by entry.Who, why string) error
	Approve(ctx context.Context, c guard.Planned, by entry.Who) (guard.Planned, error)
	Withdraw(ctx context.Context, project, changeID string, by entry.Who, why string) error
}

func (s *server) govern(a *api) {
	need := func(v access.Verb, kind string) access.Need { return access.Need{Verb: v, Kind: kind, Project: home} }
	add(a, need(access.View, "guard"), http.MethodGet, "/v1/rules", about{
		id: "rules", tag: "guards", summary: "What may stop an effect now: guards, modes, halts, overrides",
	}, s.rules)
	add(a, need(access.Halt, "halt"), http.MethodPost, "/v1/halts", about{
		id: "halt", tag: "guards", summary: "Stop everything within a scope",
		text: "No new effect begins from the answer on, also none that undoes. What acts already ends as it ends. Without a scope everything is halted.",
	}, s.halt)
	add(a, need(access.Unhalt, "halt"), http.MethodPost, "/v1/halts/end", about{
		id: "endHalts", tag: "guards", summary: "Let what was halted go on: one halt, or all of them",
	}, s.endHalts)
	add(a, need(access.Override, "guard"), http.MethodPut, "/v1/modes", about{
		id: "setMode", tag: "guards", summary: "Set what becomes of mutations: observe, ask or auto", text: "Of the server, a project, an environment or a playbook.",
	}, s.setMode)
	add(a, need(access.Override, "guard"), http.MethodPost, "/v1/overrides", about{
		id: "override", tag: "guards", summary: "Loosen a guard for a while", text: "It needs a reason, ends by itself, and is recorded.",
	}, s.override)
	add(a, need(access.Override, "guard"), http.MethodPost, "/v1/overrides/end", about{
		id: "endOverride", tag: "guards", summary: "End an override before its time",
	}, s.endOverride)
	add(a, need(access.Approve, "guard"), http.MethodPost, "/v1/changes", about{
		id: "approveChange", tag: "guards", summary: "Approve a change, for guards that want one", text: "The same id again is the same change, with what is new about it.",
	}, s.approveChange)
	add(a, need(access.Approve, "guard"), http.MethodPost, "/v1/changes/end", about{
		id: "endChange", tag: "guards", summary: "End an approved change before its time",
	}, s.endChange)
}

func (s *server) governor() (Governor, error) {
	if s.Governor == nil {
		return nil, fault.New(fault.Unavailable, "no server drives this data directory: halts, modes and overrides are a server's").WithNext("tend serve")
	}
	return s.Governor, nil
}

type rulesOutput struct{ Body wire.Rules }

func (s *server) rules(_ context.Context, _ *struct{}) (*rulesOutput, error) {
	g, err := s.governor()
	if err != nil {
		return nil, err
	}
	r := g.Rules()
	out := wire.Rules{Version: r.Version, Guards: []wire.Guard{}, Modes: []wire.Mode{}, Halts: []wire.Halt{}, Overrides: []wire.Override{}, Blind: r.World.Silent()}
	for project, specs := range r.Guards {
		for i := range specs {
			out.Guards = append(out.Guards, wire.Guard{Name: specs[i].Name, Project: project, Rule: specs[i].Rule(), Says: specs[i].Sentence(), Then: specs[i].Then})
		}
	}
	wire.SortGuards(out.Guards)
	for _, m := range r.Modes {
		out.Modes = append(out.Modes, wire.Mode{Mode: string(m.Mode), Project: m.Project, Environment: m.Environment, Playbook: m.Playbook})
	}
	for _, h := range r.Halts {
		out.Halts = append(out.Halts, halted(h))
	}
	for _, c := range r.World.Changes {
		out.Changes = append(out.Changes, planned(c))
	}
	for _, o := range r.Overrides {
		out.Overrides = append(out.Overrides, overridden(o))
	}
	return &rulesOutput{out}, nil
}

func halted(h guard.Halted) wire.Halt {
	return wire.Halt{ID: h.ID, At: h.At, By: h.By, Why: h.Why, Project: h.Project, Environment: h.Environment, Playbook: h.Playbook, Target: h.Target}
}

func overridden(o guard.Override) wire.Override {
	return wire.Override{ID: o.ID, By: o.By, Guard: o.Guard, Playbook: o.Playbook, Project: o.Project, Targets: o.Targets, Until: o.Until, Why: o.Why}
}

type haltInput struct{ Body wire.HaltRequest }

type haltOutput struct{ Body wire.Halt }

func (s *server) halt(ctx context.Context, in *haltInput) (*haltOutput, error) {
	g, err := s.governor()
	if err != nil {
		return nil, err
	}
	b := in.Body
	h, err := g.Halt(ctx, guard.Halted{Project: b.Project, Environment: b.Environment, Playbook: b.Playbook, Target: b.Target}, who(ctx), b.Why)
	return &haltOutput{halted(h)}, err
}

type endInput struct{ Body wire.End }

type haltsOutput struct{ Body wire.Halts }

func (s *server) endHalts(ctx context.Context, in *endInput) (*haltsOutput, error) {
	g, err := s.governor()
	if err != nil {
		return nil, err
	}
	gone, err := g.Unhalt(ctx, in.Body.ID, who(ctx), in.Body.Why)
	out := wire.Halts{Halts: []wire.Halt{}}
	for _, h := range gone {
		out.Halts = append(out.Halts, halted(h))
	}
	return &haltsOutput{out}, err
}

type modeInput struct{ Body wire.ModeRequest }

type modeOutput struct{ Body wire.Mode }

func (s *server) setMode(ctx context.Context, in *modeInput) (*modeOutput, error) {
	g, err := s.governor()
	if err != nil {
		return nil, err
	}
	b := in.Body
	err = g.SetMode(ctx, guard.Setting{Mode: guard.Mode(b.Mode), Project: b.Project, Environment: b.Environment, Playbook: b.Playbook}, who(ctx), b.Why)
	return &modeOutput{wire.Mode{Mode: b.Mode, Project: b.Project, Environment: b.Environment, Playbook: b.Playbook}}, err
}

type overrideInput struct{ Body wire.OverrideRequest }

type overrideOutput struct{ Body wire.Override }

func (s *server) override(ctx context.Context, in *overrideInput) (*overrideOutput, error) {
	g, err := s.governor()
	if err != nil {
		return nil, err
	}
	b := in.Body
	o, err := g.Override(ctx, guard.Override{
		Guard: b.Guard, Playbook: b.Playbook, Project: b.Project, Targets: b.Targets, Until: time.Now().Add(time.Duration(b.Minutes) * time.Minute), Why: b.Why,
	}, who(ctx))
	return &overrideOutput{overridden(o)}, err
}

func planned(c guard.Planned) wire.ApprovedChange {
	return wire.ApprovedChange{By: c.By, From: c.From, ID: c.ID, Playbooks: c.Playbooks, Project: c.Project, Targets: c.Targets, To: c.To, Why: c.Why}
}

type changeInput struct{ Body wire.ChangeRequest }

type changeOutput struct{ Body wire.ApprovedChange }

func (s *server) approveChange(ctx context.Context, in *changeInput) (*changeOutput, error) {
	g, err := s.governor()
	if err != nil {
		return nil, err
	}
	b := in.Body
	if b.From.IsZero() {
		b.From = time.Now()
	}
	c, err := g.Approve(ctx, guard.Planned{
		ID: b.ID, From: b.From, To: b.From.Add(time.Duration(b.Minutes) * time.Minute), Playbooks: b.Playbooks, Project: b.Project, Targets: b.Targets, Why: b.Why,
	}, who(ctx))
	return &changeOutput{planned(c)}, err
}

type changeEndInput struct{ Body wire.ChangeEnd }

type changeEndOutput struct{ Body wire.ChangeEnd }

func (s *server) endChange(ctx context.Context, in *changeEndInput) (*changeEndOutput, error) {
	g, err := s.governor()
	if err != nil {
		return nil, err
	}
	return &changeEndOutput{in.Body}, g.Withdraw(ctx, in.Body.Project, in.Body.ID, who(ctx), in.Body.Why)
}

type endedOutput struct{ Body wire.End }

func (s *server) endOverride(ctx context.Context, in *endInput) (*endedOutput, error) {
	g, err := s.governor()
	if err != nil {
		return nil, err
	}
	return &endedOutput{in.Body}, g.EndOverride(ctx, in.Body.ID, who(ctx), in.Body.Why)
}
