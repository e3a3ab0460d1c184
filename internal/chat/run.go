package chat

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/tendhq/tend/internal/access"
	"github.com/tendhq/tend/internal/catalog"
	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/dialog"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/slack"
	"github.com/tendhq/tend/internal/spelling"
)

// live finds a playbook that somebody may run.
func (d *Door) live(ctx context.Context, p access.Principal, project, name string) (*catalog.Playbook, error) {
	all, err := d.playbooks(ctx, p)
	if err != nil {
		return nil, err
	}
	names := make([]string, 0, len(all))
	for _, b := range all {
		if b.Name == name && (project == "" || b.Project == project) {
			return b, d.Authorize(ctx, p, access.Need{Verb: access.Start, Kind: "run", Project: b.Project, Labels: b.Labels})
		}
		names = append(names, b.Name)
	}
	e := fault.New(fault.NotFound, "no playbook %q is live here", name)
	if near := spelling.Nearest(name, names); near != "" {
		return nil, e.WithNext("did you mean %s?", near)
	}
	return nil, e.WithNext("/tend list playbooks")
}

// run starts a playbook. What it needs and was not given is asked for by a form.
func (d *Door) run(ctx context.Context, c call, rest string) (said, error) {
	name, rest, _ := strings.Cut(rest, " ")
	if name == "" {
		return said{}, fault.New(fault.Invalid, "which playbook?").WithNext("/tend list playbooks")
	}
	given, reason := words(rest)
	project := given["project"]
	b, err := d.live(ctx, c.by, project, name)
	if err != nil {
		return said{}, err
	}
	list := b.Program.Parameters
	if project != "" && !slices.ContainsFunc(list, func(q contract.Parameter) bool { return q.Name == "project" }) {
		delete(given, "project") // it said whose playbook; where the playbook has such a parameter it is that, too
	}
	params := dialog.Given(list, given)
	for i := range list {
		if list[i].Required && params[list[i].Name] == nil {
			view, err := dialog.Playbook(b.Name, list, params, dialog.Purpose{Playbook: b.Name, Project: b.Project, Channel: c.Channel, Answer: c.Answer})
			if err != nil {
				return said{}, err
			}
			return said{}, d.open(ctx, c.team, c.Trigger, view)
		}
	}
	text, err := d.begin(ctx, c, b, params, reason, "slack/"+c.Trigger)
	return said{text: text}, err
}

// begin starts a run and lets a thread follow it. A repeat with the same request gives the same run.
func (d *Door) begin(ctx context.Context, c call, b *catalog.Playbook, params map[string]any, why, request string) (string, error) {
	run, err := d.Library.StartPlaybook(ctx, b, params, by(c.by), why, request, "")
	if err != nil {
		return "", err
	}
	text := fmt.Sprintf(":arrow_forward: `%s` runs as `%s`", slack.Escape(b.Name), run)
	if d.follow(ctx, c, run) {
		text += "; a thread here follows it"
	}
	return text, nil
}

// runForm starts a playbook by a form.
func (d *Door) runForm(ctx context.Context, who access.Principal, t Team, p *dialog.Purpose, v *slack.View) (string, map[string]string, error) {
	b, err := d.live(ctx, who, p.Project, p.Playbook)
	if err != nil {
		return "", nil, err
	}
	params, problems := dialog.Params(b.Program.Parameters, v)
	if len(problems) > 0 {
		return "", problems, nil
	}
	c := call{team: t, by: who}
	c.Channel = p.Channel
	text, err := d.begin(ctx, c, b, params, dialog.Why(v), "slack/"+v.ID)
	return text, nil, err
}
