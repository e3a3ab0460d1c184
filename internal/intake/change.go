package intake

import (
	"context"
	"log/slog"
	"strings"
	"time"

	"github.com/tendhq/tend/internal/dispatch"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/event"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/guard"
)

// Changes takes from events of kind change what is approved, for guards that want an approved change. Only sources that the
// server's configuration trusts with it are believed.
//
// The event's group names the change; its labels say the rest: from and to (RFC 3339; without from it is open since the
// event), targets and playbooks (globs, with spaces or commas between). A resolved event withdraws it. It counts before the event
// is acknowledged.
type Changes struct {
	Sources  map[string]bool
	Inner    Acceptor
	Approve  func(ctx context.Context, c guard.Planned, by entry.Who) (guard.Planned, error)
	Withdraw func(ctx context.Context, project, changeID string, by entry.Who, why string) error
	Log      *slog.Logger
}

// KindChange is the kind of events that tell of approved changes.
const KindChange = "change"

// Accept implements Acceptor. A change that makes no sense is not approved, and does not cost its event, whose labels show
// why.
func (c *Changes) Accept(ctx context.Context, events []event.Event) ([]dispatch.Receipt, error) {
	for i := range events {
		e := &events[i]
		if e.Kind != KindChange || !c.Sources[e.Source] {
			continue
		}
		err := c.take(ctx, e)
		switch {
		case err == nil:
		case fault.Is(err, fault.Invalid), fault.Is(err, fault.Limit), fault.Is(err, fault.NotFound):
			c.Log.Warn("a change is not taken to be approved", "source", e.Source, "change", e.Group, "why", err)
		default:
			return nil, err // the sender keeps it, and sends it again
		}
	}
	return c.Inner.Accept(ctx, events)
}

func (c *Changes) take(ctx context.Context, e *event.Event) error {
	by := entry.Who{ID: "source:" + e.Source, Name: "source " + e.Source, Via: "api"}
	if e.Status.Over() {
		return c.Withdraw(ctx, e.Project, e.Group, by, "its source says that it is over")
	}
	p := guard.Planned{ID: e.Group, From: e.At, Playbooks: words(e.Labels["playbooks"]), Project: e.Project, Targets: words(e.Labels["targets"]), Why: e.Name}
	for _, t := range []struct {
		label string
		to    *time.Time
	}{{"from", &p.From}, {"to", &p.To}} {
		text := e.Labels[t.label]
		if text == "" {
			continue
		}
		at, err := time.Parse(time.RFC3339, text)
		if err != nil {
			return fault.New(fault.Invalid, "the label %s of the change %s is %.60q: it is no time like 2026-03-01T22:00:00Z", t.label, e.Group, text)
		}
		*t.to = at
	}
	_, err := c.Approve(ctx, p, by)
	return err
}

func words(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return r == ',' || r == ' ' || r == '\n' || r == '\t' })
}
