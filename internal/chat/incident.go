package chat

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/tendhq/tend/internal/access"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/incident"
	"github.com/tendhq/tend/internal/slack"
)

// openIncident opens one. A severity in front of the title is taken for one.
func (d *Door) openIncident(ctx context.Context, c call, rest string) (said, error) {
	severity := incident.Minor
	if first, after, _ := strings.Cut(rest, " "); incident.Severity(first).Rank() > 0 {
		severity, rest = incident.Severity(first), strings.TrimSpace(after)
	}
	if rest == "" {
		return said{}, fault.New(fault.Invalid, "an incident needs a title").WithNext("/tend open major checkout is slow")
	}
	if err := d.Authorize(ctx, c.by, access.Need{Verb: access.Write, Kind: "incident", Project: home}); err != nil {
		return said{}, err
	}
	st, err := d.Desk.OpenIncident(ctx, incident.Start{Project: home, Title: rest, Severity: severity, By: by(c.by)})
	return stands(st, err)
}

// stands says how an incident stands.
func stands(st *incident.State, err error) (said, error) {
	if err != nil {
		return said{}, err
	}
	b := st.Brief()
	return said{text: incidentLine(&b)}, nil
}

// onIncident changes an incident that somebody may write to.
func (d *Door) onIncident(ctx context.Context, c call, name, what, why string, apply func(*incident.State, entry.Who) ([]entry.Payload, error)) (said, error) {
	r, err := d.one(ctx, c.by, "incident", name)
	if err != nil {
		return said{}, err
	}
	if err := d.Authorize(ctx, c.by, access.Need{Verb: access.Write, Kind: "incident", Project: r.Project, Labels: r.Labels}); err != nil {
		return said{}, err
	}
	me := by(c.by)
	return stands(d.Desk.ChangeIncident(ctx, r.ID, nil, me, what, why, func(st *incident.State, _ time.Time) ([]entry.Payload, error) {
		return apply(st, me)
	}))
}

// ack takes an incident: the one that is named, or the only one that is open.
func (d *Door) ack(ctx context.Context, c call, rest string) (said, error) {
	if rest == "" {
		rows, err := d.visible(ctx, c.by, "incident")
		if err != nil {
			return said{}, err
		}
		switch len(rows) {
		case 0:
			return said{text: "There is no open incident."}, nil
		case 1:
			rest = rows[0].ID
		default:
			lines := []string{"Which one? `/tend ack INCIDENT`"}
			for i, r := range rows {
				if i == shownRows {
					break
				}
				var b incident.Document
				if json.Unmarshal(r.Body, &b) == nil && b.ID != "" {
					lines = append(lines, incidentLine(&b))
				} else {
					lines = append(lines, fmt.Sprintf("`%s` %s — %s", r.ID, slack.Escape(r.Name), r.Status))
				}
			}
			return said{text: strings.Join(lines, "\n")}, nil
		}
	}
	return d.onIncident(ctx, c, rest, "taken", "", func(st *incident.State, me entry.Who) ([]entry.Payload, error) { return st.Take(me) })
}

func (d *Door) comment(ctx context.Context, c call, rest string) (said, error) {
	name, text, _ := strings.Cut(rest, " ")
	return d.onIncident(ctx, c, name, "commented", "", func(st *incident.State, me entry.Who) ([]entry.Payload, error) {
		return st.Comment(me, strings.TrimSpace(text), "")
	})
}

func (d *Door) resolve(ctx context.Context, c call, rest string) (said, error) {
	name, why, _ := strings.Cut(rest, " ")
	why = strings.TrimSpace(why)
	return d.onIncident(ctx, c, name, "resolved", why, func(st *incident.State, me entry.Who) ([]entry.Payload, error) {
		return st.Resolve(me, "", why)
	})
}
