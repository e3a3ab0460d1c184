package governor

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/guard"
	"github.com/tendhq/tend/internal/ledger"
	"github.com/tendhq/tend/internal/store"
)

// The bounds of an approved change.
const (
	LongestChange = 31 * 24 * time.Hour // from its begin to its end
	farthest      = 366 * 24 * time.Hour
	maxChanges    = 10_000
)

// Approve takes an approved change, or what is new about one: the same id in the same project is the same change. The same
// again changes nothing.
func (g *Governor) Approve(ctx context.Context, c guard.Planned, by entry.Who) (guard.Planned, error) {
	now := g.cfg.Now().UTC()
	if c.Project == "" {
		c.Project = home
	}
	c.From, c.To, c.By = c.From.UTC().Truncate(time.Microsecond), c.To.UTC().Truncate(time.Microsecond), by.Name
	g.mu.Lock()
	old, known := g.changes[c.Project+"/"+c.ID]
	n := len(g.changes)
	g.mu.Unlock()
	switch {
	case c.ID == "" || len(c.ID) > 200 || strings.ContainsAny(c.ID, "\n\x00"):
		return c, fault.New(fault.Invalid, "%.80q is not the name of a change", c.ID)
	case c.To.IsZero():
		return c, fault.New(fault.Invalid, "the change %s does not say until when", c.ID).WithNext("say when it ends: without that it would never")
	case !c.To.After(c.From):
		return c, fault.New(fault.Invalid, "the change %s ends at %s, before it begins at %s", c.ID, c.To.Format(time.RFC3339), c.From.Format(time.RFC3339))
	case c.To.Sub(c.From) > LongestChange:
		return c, fault.New(fault.Invalid, "the change %s would be open for more than %d days", c.ID, int(LongestChange.Hours()/24))
	case !c.To.After(now):
		return c, fault.New(fault.Invalid, "the change %s ended at %s already", c.ID, c.To.Format(time.RFC3339))
	case c.From.After(now.Add(farthest)):
		return c, fault.New(fault.Invalid, "the change %s begins at %s, which is more than a year away", c.ID, c.From.Format(time.RFC3339))
	case !known && n >= maxChanges:
		return c, fault.New(fault.Limit, "%d changes are known already", n)
	case known && equal(old, c):
		return old, nil
	}
	detail := map[string]any{
		"from": c.From.Format(time.RFC3339), "playbooks": strings.Join(c.Playbooks, " "), "project": c.Project, "targets": strings.Join(c.Targets, " "), "to": c.To.Format(time.RFC3339),
	}
	key := c.Project + "/" + c.ID
	body, err := json.Marshal(c)
	if err != nil {
		return c, fault.Wrap(fault.Internal, err, "keep the change %s", c.ID)
	}
	over := g.over(now)
	if err := g.cfg.Ledger.Append(ctx, ledger.Batch{
		Facts:  []ledger.Fact{ledger.Audit(by, "change-approved", c.ID, c.Why, detail)},
		Rows:   []store.Row{{Key: store.Key{Kind: rowChange, ID: key}, Project: c.Project, Status: "live", At: now, Due: c.To, Body: body}},
		Delete: over,
	}); err != nil {
		return c, err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, k := range over {
		delete(g.changes, k.ID)
	}
	g.changes[key] = c
	g.rebuild()
	return c, nil
}

func equal(a, b guard.Planned) bool {
	x, _ := json.Marshal(a) // texts and times can always be encoded
	y, _ := json.Marshal(b)
	return string(x) == string(y)
}

// Withdraw ends a change before its time.
func (g *Governor) Withdraw(ctx context.Context, project, changeID string, by entry.Who, why string) error {
	if project == "" {
		project = home
	}
	key := project + "/" + changeID
	g.mu.Lock()
	_, ok := g.changes[key]
	g.mu.Unlock()
	if !ok {
		return fault.New(fault.NotFound, "the project %s has no change %q", project, changeID)
	}
	if err := g.cfg.Ledger.Append(ctx, ledger.Batch{
		Facts:  []ledger.Fact{ledger.Audit(by, "change-ended", changeID, why, map[string]any{"project": project})},
		Delete: []store.Key{{Kind: rowChange, ID: key}},
	}); err != nil {
		return err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.changes, key)
	g.rebuild()
	return nil
}

// over gives the rows of changes that have ended.
func (g *Governor) over(now time.Time) []store.Key {
	g.mu.Lock()
	defer g.mu.Unlock()
	var out []store.Key
	for key, c := range g.changes {
		if now.After(c.To) {
			out = append(out, store.Key{Kind: rowChange, ID: key})
		}
	}
	return out
}
