package app

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/tendhq/tend/internal/access"
	"github.com/tendhq/tend/internal/config"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/event"
	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/httpapi"
	"github.com/tendhq/tend/internal/intake"
	"github.com/tendhq/tend/internal/schedule"
	"github.com/tendhq/tend/internal/secret"
	"github.com/tendhq/tend/internal/source"
	"github.com/tendhq/tend/internal/source/alertmanager"
	"github.com/tendhq/tend/internal/source/azuredevops"
	"github.com/tendhq/tend/internal/source/cloudevents"
	"github.com/tendhq/tend/internal/source/github"
	"github.com/tendhq/tend/internal/source/gitlab"
	"github.com/tendhq/tend/internal/source/grafana"
	"github.com/tendhq/tend/internal/source/jenkins"
	"github.com/tendhq/tend/internal/source/pagerduty"
	"github.com/tendhq/tend/internal/source/webhook"
	"github.com/tendhq/tend/internal/store"
)

// haltFile in the data directory halts everything while it is there.
const haltFile = "halt"

// maxHook bounds what a service may post at once.
const maxHook = 8 << 20

// stillSo tells whether the alert that a run reacts to still fires, by the last thing that was heard of it. Where nothing
// else was heard, it does.
func (d *desk) stillSo(ctx context.Context, c *entry.RunCreated) (bool, string) {
	x := d.dispatch.Load()
	if x == nil {
		return true, ""
	}
	e, row, err := x.Event(ctx, c.Cause.Event)
	if err != nil || row == nil || e.Status != event.Firing || row.Group == "" {
		return true, ""
	}
	page, err := d.ledger.Rows(ctx, store.Filter{Kind: "event", Project: e.Project, Tag: row.Group, Limit: 20})
	if err != nil {
		return true, ""
	}
	for _, r := range page.Rows { // the one that was heard of last comes first
		other, last, err := x.Event(ctx, r.ID)
		if err != nil || last.Source != row.Source {
			continue
		}
		if other.Status == event.Vanished && !other.At.Before(e.At) {
			return false, fmt.Sprintf("what %s measures is not measured any more since %s: nobody would see whether it helps", e.Name, other.Until.UTC().Format(time.RFC3339))
		}
		if other.Status == event.Resolved && !other.At.Before(e.At) {
			return false, fmt.Sprintf("%s is over since %s: nothing acts on old news", e.Name, other.Until.UTC().Format(time.RFC3339))
		}
		return true, ""
	}
	return true, ""
}

// decoders is the one list of what can be posted.
func decoder(c *config.Source, eval *expr.Evaluator) (source.Decoder, error) {
	switch c.Kind {
	case "alertmanager":
		return alertmanager.Decoder{}, nil
	case "grafana":
		return grafana.Decoder{}, nil
	case "pagerduty":
		return pagerduty.Decoder{}, nil
	case "github":
		return github.Decoder{}, nil
	case "gitlab":
		return gitlab.Decoder{}, nil
	case "jenkins":
		return jenkins.Decoder{}, nil
	case "azuredevops":
		return azuredevops.Decoder{}, nil
	case "cloudevents":
		return cloudevents.Decoder{}, nil
	case "webhook":
		var m webhook.Mapping
		if x := c.Mapping; x != nil {
			m = webhook.Mapping{
				Each: x.Each, Key: x.Key, Group: x.Group, Name: x.Name, Kind: x.Kind, At: x.At, Status: x.Status, Firing: x.Firing,
				Resolved: x.Resolved, Labels: x.Labels,
			}
		}
		return webhook.New(m, eval)
	default:
		return nil, fault.New(fault.Invalid, "there is no kind of source %q", c.Kind)
	}
}

// bearer finds a token when it is needed; nil when there is none.
func bearer(secrets secret.Provider, name string) func(ctx context.Context) (secret.Value, error) {
	if name == "" {
		return nil
	}
	return func(ctx context.Context) (secret.Value, error) {
		f, err := secrets.Find(ctx, name)
		return f.Value, err
	}
}

// sources opens the configured ways in, as parts of the server.
func (d *desk) sources(s *server, w *owned, accept intake.Acceptor) error {
	witness := &intake.Witness{Sources: map[string]*intake.Prometheus{}, Inner: accept, Log: s.log}
	changes := &intake.Changes{Sources: map[string]bool{}, Inner: witness, Approve: d.governor.Approve, Withdraw: d.governor.Withdraw, Log: s.log}
	accept = changes
	clock := &intake.Clock{Accept: accept, Ledger: d.ledger, Blind: d.governor.Blind, Log: s.log}
	door := &intake.Door{Secrets: w.secrets, Accept: accept, Heard: clock.Heard, Log: s.log}
	d.door, d.pullers = door, map[string]*intake.Puller{}
	var errs []error
	for i := range s.Config.Sources {
		c := &s.Config.Sources[i]
		project := c.Project
		if project == "" {
			project = home
		}
		changes.Sources[c.Name] = c.Changes
		if p := c.Prometheus; p != nil {
			witness.Sources[c.Name] = &intake.Prometheus{URL: p.URL, Token: bearer(w.secrets, p.Token), Client: &http.Client{}}
		}
		switch {
		case c.Posted():
			dec, err := decoder(c, d.shelf.eval)
			if err != nil {
				errs = append(errs, fmt.Errorf("source %s: %w", c.Name, err))
			}
			door.Sources = append(door.Sources, intake.Source{Name: c.Name, Project: project, Scheme: c.Signed(), Keys: c.Keys, Decoder: dec})
		case c.Kind == "alertmanager-pull":
			p := &intake.Puller{
				Name: c.Name, Project: project, URL: c.URL, Every: time.Duration(c.Every), Accept: accept, Heard: clock.Heard, Log: s.log,
				Client: &http.Client{Timeout: 20 * time.Second}, Listed: alertmanager.Listed, Gone: alertmanager.Gone, Ledger: d.ledger, Blind: d.governor.Blind,
			}
			if p.Every <= 0 {
				p.Every = 30 * time.Second
			}
			p.Token = bearer(w.secrets, c.Token)
			d.pullers[c.Name] = p
			s.parts = append(s.parts, part{name: "source " + p.Name, run: p.Run})
		case c.Kind == "schedule":
			when, err := schedule.Parse(c.Cron, c.Zone)
			errs = append(errs, err)
			missed := schedule.Missed(c.Missed)
			if missed == "" {
				missed = schedule.Skip
			}
			clock.Schedules = append(clock.Schedules, intake.Schedule{Name: c.Name, Project: project, When: when, Missed: missed})
		case c.Kind == "silence" && c.Watch != nil:
			clock.Watches = append(clock.Watches, intake.Watch{
				Name: c.Name, Project: project, For: time.Duration(c.For), Source: c.Watch.Source, Kind: c.Watch.Kind, Labels: c.Watch.Labels, Monitors: c.Monitors,
			})
		}
	}
	d.clock.Store(clock)
	s.parts = append(s.parts, part{name: "time", run: clock.Run}, part{name: "hooks", mounts: []httpapi.Mount{{
		Method: http.MethodPost, Pattern: "/hooks/{source}", Need: access.Need{Verb: access.Nothing}, Body: maxHook, Handler: door,
	}}}, part{name: "callbacks", mounts: callbackMounts(w)})
	return errors.Join(errs...)
}
