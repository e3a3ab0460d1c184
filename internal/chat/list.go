package chat

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tendhq/tend/internal/news"

	"github.com/tendhq/tend/internal/access"
	"github.com/tendhq/tend/internal/catalog"
	"github.com/tendhq/tend/internal/engine"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/incident"
	"github.com/tendhq/tend/internal/slack"
	"github.com/tendhq/tend/internal/store"
)

// open are the statuses of what is not over.
func open(kind string) []string {
	switch kind {
	case "run":
		return []string{"pending", "running", "waiting", "paused", "cancelling", "undoing", "interrupted", "in-doubt"}
	case "task":
		return []string{"open"}
	default:
		return []string{"open", "acknowledged", "mitigated"}
	}
}

// visible lists what is not over and somebody may look at, the newest first.
func (d *Door) visible(ctx context.Context, p access.Principal, kind string) ([]store.Row, error) {
	err := d.Authorize(ctx, p, access.Need{Verb: access.View, Kind: kind})
	switch {
	case fault.Is(err, fault.Refused):
		return nil, nil
	case err != nil:
		return nil, err
	}
	page, err := d.Engine.Rows(ctx, store.Filter{Kind: kind, Status: open(kind), Limit: 500, Sight: d.Look(p)})
	return page.Rows, err
}

// one finds a run or an incident that somebody may look at, by its id or `last`, the newest that is not over.
func (d *Door) one(ctx context.Context, p access.Principal, kind, name string) (store.Row, error) {
	none := fault.New(fault.NotFound, "there is no %s %q", kind, name).WithNext("/tend list %ss", kind)
	switch name {
	case "":
		return store.Row{}, fault.New(fault.Invalid, "which %s?", kind).WithNext("/tend list %ss", kind)
	case "last":
		rows, err := d.visible(ctx, p, kind)
		if err != nil {
			return store.Row{}, err
		}
		if len(rows) == 0 {
			return store.Row{}, fault.New(fault.NotFound, "there is no open %s", kind)
		}
		return rows[0], nil
	}
	page, err := d.Engine.Rows(ctx, store.Filter{Kind: kind, ID: name, Limit: 1})
	if err != nil {
		return store.Row{}, err
	}
	if len(page.Rows) == 0 {
		return store.Row{}, none
	}
	return page.Rows[0], d.may(ctx, p, access.View, kind, &page.Rows[0], none)
}

func (d *Door) status(ctx context.Context, c call, rest string) (said, error) {
	switch {
	case strings.HasPrefix(rest, "run_"):
		return d.runStatus(ctx, c, rest)
	case strings.HasPrefix(rest, "inc_"):
		return d.incidentStatus(ctx, c, rest)
	case rest != "":
		return said{}, fault.New(fault.Invalid, "%.40q is neither a run nor an incident", rest).WithNext("/tend list runs")
	}
	if err := d.Authorize(ctx, c.by, access.Need{Verb: access.View, Kind: "run", Project: home}); err != nil {
		return said{}, err
	}
	st, err := d.Engine.Status(ctx)
	if err != nil {
		return said{}, err
	}
	var lines []string
	if st.Halted != "" {
		lines = append(lines, ":octagonal_sign: halted: "+slack.Escape(st.Halted))
	}
	for _, h := range d.Governor.Rules().Halts {
		what := "everything"
		if s := scopeOf(h); s != "" {
			what = s
		}
		lines = append(lines, fmt.Sprintf(":octagonal_sign: `%s` %s is halted by %s: %s", h.ID, slack.Escape(what), slack.Escape(h.By), slack.Escape(h.Why)))
	}
	for _, k := range []string{"incident", "run", "task"} {
		rows, err := d.visible(ctx, c.by, k)
		if err != nil {
			return said{}, err
		}
		lines = append(lines, fmt.Sprintf("%d open %s", len(rows), plural(k, len(rows))))
	}
	return said{text: strings.Join(lines, "\n")}, nil
}

func plural(kind string, n int) string {
	if n == 1 {
		return kind
	}
	return kind + "s"
}

func (d *Door) runStatus(ctx context.Context, c call, name string) (said, error) {
	r, err := d.one(ctx, c.by, "run", name)
	if err != nil {
		return said{}, err
	}
	var b engine.RunRow
	if err := json.Unmarshal(r.Body, &b); err != nil {
		return said{}, fault.Wrap(fault.Damaged, err, "read run %s", name)
	}
	lines := []string{fmt.Sprintf("`%s` %s — *%s*, since %s", r.ID, slack.Escape(r.Name), r.Status, clock(r.At))}
	if b.Cause.Incident != "" {
		lines = append(lines, "for the incident `"+b.Cause.Incident+"`")
	}
	if b.Fault != nil {
		lines = append(lines, slack.Escape(b.Fault.Message))
	}
	for _, w := range b.Waits {
		line := "waits for " + w.For
		if w.On != "" {
			line += " `" + slack.Escape(w.On) + "`"
		}
		if w.Why != "" {
			line += ": " + slack.Escape(w.Why)
		}
		if !w.Until.IsZero() {
			line += ", until " + clock(w.Until)
		}
		lines = append(lines, line)
	}
	return said{text: strings.Join(lines, "\n")}, nil
}

// clock shows a time in the reader's zone.
func clock(t time.Time) string {
	return fmt.Sprintf("<!date^%d^{date_short_pretty} {time_secs}|%s>", t.Unix(), t.UTC().Format(time.RFC3339))
}

func (d *Door) incidentStatus(ctx context.Context, c call, name string) (said, error) {
	r, err := d.one(ctx, c.by, "incident", name)
	if err != nil {
		return said{}, err
	}
	var b incident.Document
	if err := json.Unmarshal(r.Body, &b); err != nil {
		return said{}, fault.Wrap(fault.Damaged, err, "read incident %s", name)
	}
	lines := []string{incidentLine(&b), fmt.Sprintf("since %s, %d firing", clock(b.Opened), b.Firing)}
	for _, x := range [][2]string{{"commander", b.Commander}, {"responders", strings.Join(b.Responders, ", ")}, {"summary", b.Summary}, {"next", b.Next}} {
		if x[1] != "" {
			lines = append(lines, x[0]+": "+slack.Escape(x[1]))
		}
	}
	return said{text: strings.Join(lines, "\n")}, nil
}

func incidentLine(b *incident.Document) string {
	return fmt.Sprintf("`%s` %s *%s* — %s", b.ID, b.Severity, slack.Escape(strings.ReplaceAll(b.Title, "*", "∗")), b.Status)
}

func (d *Door) list(ctx context.Context, c call, what string) (said, error) {
	kind := strings.TrimSuffix(strings.ToLower(what), "s")
	switch {
	case kind == "":
		kind = "incident"
	case kind == "playbook":
		return d.listPlaybooks(ctx, c)
	case !slices.Contains([]string{"run", "task", "incident"}, kind):
		return said{}, fault.New(fault.Invalid, "%.40q cannot be listed", what).WithNext("/tend list runs, tasks, incidents or playbooks")
	}
	rows, err := d.visible(ctx, c.by, kind)
	if err != nil {
		return said{}, err
	}
	if len(rows) == 0 {
		return said{text: "There is no open " + kind + "."}, nil
	}
	var lines []string
	for i, r := range rows {
		if i == shownRows {
			lines = append(lines, fmt.Sprintf("… and %d more", len(rows)-shownRows))
			break
		}
		name := r.Name
		if kind == "task" {
			var t engine.TaskRow
			if json.Unmarshal(r.Body, &t) == nil {
				name = news.Headline(&t)
			}
		}
		lines = append(lines, fmt.Sprintf("`%s` %s — %s", r.ID, slack.Escape(name), r.Status))
	}
	return said{text: strings.Join(lines, "\n")}, nil
}

// playbooks are those that somebody may look at.
func (d *Door) playbooks(ctx context.Context, p access.Principal) ([]*catalog.Playbook, error) {
	if d.Library == nil {
		return nil, nil
	}
	var out []*catalog.Playbook
	for _, b := range d.Library.Playbooks() {
		err := d.Authorize(ctx, p, access.Need{Verb: access.View, Kind: "playbook", Project: b.Project, Labels: b.Labels})
		if err != nil && !fault.Is(err, fault.Refused) {
			return nil, err
		}
		if err == nil {
			out = append(out, b)
		}
	}
	return out, nil
}

func (d *Door) listPlaybooks(ctx context.Context, c call) (said, error) {
	all, err := d.playbooks(ctx, c.by)
	if err != nil {
		return said{}, err
	}
	if len(all) == 0 {
		return said{text: "No playbook is live that you may look at."}, nil
	}
	var lines []string
	for i, b := range all {
		if i == 5*shownRows {
			lines = append(lines, fmt.Sprintf("… and %d more", len(all)-i))
			break
		}
		line := "`" + slack.Escape(b.Name) + "`"
		if b.Description != "" {
			line += " — " + slack.Escape(b.Description)
		}
		lines = append(lines, line)
	}
	return said{text: strings.Join(lines, "\n")}, nil
}
