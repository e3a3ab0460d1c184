package app

import (
	"context"
	"maps"
	"slices"

	"github.com/tendhq/tend/internal/action"
	"github.com/tendhq/tend/internal/action/tell"
	"github.com/tendhq/tend/internal/config"
	"github.com/tendhq/tend/internal/courier"
	"github.com/tendhq/tend/internal/engine"
	"github.com/tendhq/tend/internal/incident"
	news "github.com/tendhq/tend/internal/message"
)

// usualBudget is how many messages a channel gets within a minute where the configuration says nothing.
const usualBudget = 30

// openCourier opens the outbox of messages, as a part of the server. Where nothing is to be told there is none.
func (w *owned) openCourier(ctx context.Context, s *server, d *desk) error {
	dial := action.Dialer{Egress: egress(s.Config.Egress)}.DialContext
	c := courier.Config{Ledger: d.ledger, Tasks: w.engine, URL: s.Config.URL, Log: s.log, People: d.duties.people}
	for _, name := range slices.Sorted(maps.Keys(s.Config.Channels)) {
		ch := s.Config.Channels[name]
		n := courier.Channel{
			Name: name, To: ch.To, Wants: wants(ch), Tasks: ch.Tasks, Escalations: ch.Escalations, Glass: ch.Glass, Runs: ch.Runs, Pages: ch.Pages, Persons: persons(s.Config.Integrations[ch.Integration]),
			Budget: ch.Budget,
			Sender: func(ctx context.Context) (news.Sender, error) {
				return w.connections.Sender(ctx, "", ch.Integration, dial)
			},
		}
		if n.Budget == 0 {
			n.Budget = usualBudget
		}
		if app := s.Config.Integrations[ch.Integration].Slack; app != nil {
			n.Buttons = app.Signing != ""
		}
		c.Channels = append(c.Channels, n)
	}
	c.Channels = append(append(c.Channels, w.trackers(s, d, dial)...), w.threads(s, dial)...)
	if len(c.Channels) == 0 {
		return nil
	}
	x, err := courier.Open(ctx, c)
	if err != nil {
		return err
	}
	d.courier.Store(x)
	s.parts = append(s.parts, part{name: "messages", run: x.Run})
	return nil
}

// persons tells how people are addressed through an integration.
func persons(i config.Integration) courier.Persons {
	switch {
	case i.Slack != nil:
		return courier.Each
	case i.Email != nil:
		return courier.Together
	default:
		return courier.Nobody
	}
}

// reach tells whether somebody is called when these are.
func (d *desk) reach(_ context.Context, targets []string) error {
	if c := d.courier.Load(); c != nil {
		return c.Reach(targets)
	}
	return courier.NobodyCalled(targets)
}

// threadsPrefix begins the names of the channels through which threads follow runs that somebody started in a workspace.
const threadsPrefix = "threads/"

// threads are those channels, one for each workspace that is listened to. Nothing is told there but what was asked for.
func (w *owned) threads(s *server, dial tell.Dial) []courier.Channel {
	var out []courier.Channel
	for _, name := range slices.Sorted(maps.Keys(s.Config.Integrations)) {
		if x := s.Config.Integrations[name].Slack; x == nil || x.Signing == "" {
			continue
		}
		out = append(out, courier.Channel{
			Name: threadsPrefix + name, Buttons: true, Quiet: true, Budget: usualBudget,
			Sender: func(ctx context.Context) (news.Sender, error) { return w.connections.Sender(ctx, "slack", name, dial) },
		})
	}
	return out
}

// wants tells which news are for a channel.
func wants(c config.Channel) func(project, severity string, labels map[string]string) bool {
	least := incident.Info
	if c.Severity != "" {
		least, _ = incident.ParseSeverity(c.Severity)
	}
	return func(project, severity string, labels map[string]string) bool {
		if len(c.Projects) > 0 && !slices.Contains(c.Projects, project) {
			return false
		}
		if severity == "" {
			return true // a question
		}
		if incident.Severity(severity).Rank() < least.Rank() {
			return false
		}
		for k, v := range c.Labels {
			if labels[k] != v {
				return false
			}
		}
		return true
	}
}

// waiting tells whether a run waits for a person.
func waiting(i engine.Idle) bool {
	return slices.ContainsFunc(i.Waits, func(w engine.Wait) bool { return w.For == "task" || w.For == "doubt" })
}
