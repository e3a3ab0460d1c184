package chat

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/tendhq/tend/internal/news"

	"github.com/tendhq/tend/internal/access"
	"github.com/tendhq/tend/internal/engine"
	"github.com/tendhq/tend/internal/event"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/guard"
	"github.com/tendhq/tend/internal/slack"
	"github.com/tendhq/tend/internal/spelling"
)

// shownRows is how many things a list shows.
const shownRows = 10

// home is the project of what names none.
const home = "default"

// command is one word of /tend.
type command struct {
	name string
	use  string // what follows it
	does string
	do   func(d *Door, ctx context.Context, c call, rest string) (said, error)
}

// commands are the words of /tend, in the order in which help tells of them.
func commands() []command {
	return []command{
		{"status", "[RUN|INCIDENT]", "how things stand, or one of them", (*Door).status},
		{"inbox", "", "what waits for an answer, with buttons", (*Door).inbox},
		{"list", "runs|tasks|incidents|playbooks", "what goes on, and what can be run", (*Door).list},
		{"run", "PLAYBOOK [name=value …]", "run a playbook; what it needs is asked for", (*Door).run},
		{"cancel", "RUN why", "cancel a run", (*Door).cancel},
		{"approve", "TASK [why]", "say yes", vote("approve")},
		{"reject", "TASK why", "say no", vote("reject")},
		{"answer", "TASK", "answer a form, or say what became of a step", (*Door).form},
		{"open", "[critical|major|minor|info] TITLE", "open an incident", (*Door).openIncident},
		{"ack", "[INCIDENT]", "acknowledge an incident, and be one of its responders", (*Door).ack},
		{"comment", "INCIDENT text", "say something about an incident", (*Door).comment},
		{"resolve", "INCIDENT [why]", "end an incident", (*Door).resolve},
		{"event", "KEY [kind=…] [name=value …]", "tell of something that triggers can want", (*Door).event},
		{"halt", "[playbook=…|project=…|environment=…|target=…] why", "stop everything, or that: no new effect begins", (*Door).halt},
		{"unhalt", "[HALT] why", "let what was halted go on", (*Door).unhalt},
	}
}

func help() string {
	lines := make([]string, 0, len(commands()))
	for _, c := range commands() {
		lines = append(lines, fmt.Sprintf("`%s` — %s", slack.Escape(strings.TrimSpace("/tend "+c.name+" "+c.use)), c.does))
	}
	return strings.Join(lines, "\n")
}

// do carries a command out.
func (d *Door) do(ctx context.Context, c call) (said, error) {
	verb, rest, _ := strings.Cut(strings.TrimSpace(c.Text), " ")
	verb = strings.ToLower(verb)
	if verb == "" || verb == "help" {
		return said{text: help()}, nil
	}
	names := make([]string, 0, len(commands()))
	for _, x := range commands() {
		if x.name == verb {
			return x.do(d, ctx, c, strings.TrimSpace(rest))
		}
		names = append(names, x.name)
	}
	next := "/tend help"
	if near := spelling.Nearest(verb, names); near != "" {
		next = "did you mean /tend " + near + "?"
	}
	return said{}, fault.New(fault.Invalid, "%.40q is no command", verb).WithNext("%s", next)
}

// vote is a yes or a no to a task.
func vote(choice string) func(d *Door, ctx context.Context, c call, rest string) (said, error) {
	return func(d *Door, ctx context.Context, c call, rest string) (said, error) {
		name, why, _ := strings.Cut(rest, " ")
		if name == "" {
			return said{}, fault.New(fault.Invalid, "which task?").WithNext("/tend inbox")
		}
		text, err := d.answer(ctx, c.by, engine.Answer{Task: name, Choice: choice, Why: strings.TrimSpace(why)}, "")
		return said{text: text}, err
	}
}

// form opens the form of a task.
func (d *Door) form(ctx context.Context, c call, rest string) (said, error) {
	if rest == "" {
		return said{}, fault.New(fault.Invalid, "which task?").WithNext("/tend inbox")
	}
	return said{}, d.ask(ctx, c.by, c.team, rest, &slack.Interaction{Trigger: c.Trigger, Answer: c.Answer, Channel: c.Channel})
}

// words takes name=value from the beginning of a text; what follows is the rest.
func words(text string) (given map[string]string, rest string) {
	given = map[string]string{}
	for text = strings.TrimSpace(text); text != ""; {
		word, after, _ := strings.Cut(text, " ")
		name, v, ok := strings.Cut(word, "=")
		if !ok || name == "" || strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.") != "" {
			break
		}
		if q, tail, ok := quoted(strings.TrimPrefix(text, name+"=")); ok {
			v, after = q, tail
		}
		given[name], text = v, strings.TrimSpace(after)
	}
	return given, text
}

// quoted takes a text in quotes from the beginning of another; Slack makes them round.
func quoted(s string) (text, after string, ok bool) {
	for _, q := range [][2]string{{`"`, `"`}, {"“", "”"}, {"“", `"`}, {"'", "'"}, {"‘", "’"}} {
		if rest, begins := strings.CutPrefix(s, q[0]); begins {
			if text, after, ok = strings.Cut(rest, q[1]); ok {
				return text, after, true
			}
		}
	}
	return "", "", false
}

// halt stops effects.
func (d *Door) halt(ctx context.Context, c call, rest string) (said, error) {
	scope, why := words(rest)
	h := guard.Halted{}
	for k, v := range scope {
		switch k {
		case "playbook":
			h.Playbook = v
		case "project":
			h.Project = v
		case "environment":
			h.Environment = v
		case "target":
			h.Target = v
		default:
			return said{}, fault.New(fault.Invalid, "nothing is halted by %q", k).WithNext("playbook=, project=, environment= or target=, then the reason")
		}
	}
	if why == "" {
		return said{}, fault.New(fault.Invalid, "a halt needs a reason").WithNext("/tend halt the database is being moved")
	}
	if err := d.Authorize(ctx, c.by, access.Need{Verb: access.Halt, Kind: "halt", Project: home}); err != nil {
		return said{}, err
	}
	h, err := d.Governor.Halt(ctx, h, by(c.by), why)
	if err != nil {
		return said{}, err
	}
	what := "Everything is halted"
	if scope := scopeOf(h); scope != "" {
		what = slack.Escape(scope) + " is halted"
	}
	return said{text: fmt.Sprintf(":octagonal_sign: %s (%s): no new effect begins. `/tend unhalt %s why` lets it go on.", what, h.ID, h.ID)}, nil
}

func scopeOf(h guard.Halted) string {
	var parts []string
	for _, x := range [][2]string{{"project", h.Project}, {"environment", h.Environment}, {"playbook", h.Playbook}, {"target", h.Target}} {
		if x[1] != "" {
			parts = append(parts, x[0]+" "+x[1])
		}
	}
	return strings.Join(parts, ", ")
}

// unhalt lets one halt end, or all of them.
func (d *Door) unhalt(ctx context.Context, c call, rest string) (said, error) {
	name, why := "", rest
	if first, after, _ := strings.Cut(rest, " "); slices.ContainsFunc(d.Governor.Rules().Halts, func(h guard.Halted) bool { return h.ID == first }) {
		name, why = first, strings.TrimSpace(after)
	}
	if err := d.Authorize(ctx, c.by, access.Need{Verb: access.Unhalt, Kind: "halt", Project: home}); err != nil {
		return said{}, err
	}
	if why == "" {
		return said{}, fault.New(fault.Invalid, "letting it go on needs a reason").WithNext("/tend unhalt the database is back")
	}
	gone, err := d.Governor.Unhalt(ctx, name, by(c.by), why)
	if err != nil {
		return said{}, err
	}
	if len(gone) == 0 {
		return said{text: "Nothing was halted."}, nil
	}
	lines := make([]string, 0, len(gone))
	for _, h := range gone {
		lines = append(lines, fmt.Sprintf(":arrow_forward: %s is over (%s)", h.ID, slack.Escape(h.Why)))
	}
	return said{text: strings.Join(lines, "\n")}, nil
}

// event tells of something, as `tend events report` does.
func (d *Door) event(ctx context.Context, c call, rest string) (said, error) {
	key, rest, _ := strings.Cut(rest, " ")
	given, left := words(rest)
	switch {
	case key == "" || strings.Contains(key, "="):
		return said{}, fault.New(fault.Invalid, "the event needs a key, which names it").WithNext("/tend event deploy-42 kind=deployment service=shop")
	case left != "":
		return said{}, fault.New(fault.Invalid, "%.40q is not name=value", left)
	}
	if err := d.Authorize(ctx, c.by, access.Need{Verb: access.Write, Kind: "event", Project: home}); err != nil {
		return said{}, err
	}
	kind := given["kind"]
	if kind == "" {
		kind = "person"
	}
	delete(given, "kind")
	data := map[string]any{"by": c.by.ID, "channel": c.Channel}
	for k, v := range given {
		data[k] = v
	}
	receipts, err := d.Desk.Accept(ctx, []event.Event{{
		Source: "slack", Project: home, Kind: kind, Key: key, Group: key, Name: key, Labels: given, Data: data,
	}})
	if err != nil {
		return said{}, err
	}
	lines := make([]string, 0, 1)
	for _, r := range receipts {
		what := string(r.Outcome)
		for _, x := range []string{r.Run, r.Incident, r.Trigger} {
			if x != "" {
				what += " `" + x + "`"
			}
		}
		lines = append(lines, strings.TrimSuffix(fmt.Sprintf("`%s` %s: %s", r.Event, what, slack.Escape(r.Why)), ": "))
		if r.Run != "" {
			d.follow(ctx, c, r.Run)
		}
	}
	return said{text: strings.Join(lines, "\n")}, nil
}

// follow lets a thread follow a run where somebody asked for it. That it cannot is no reason to say that the run did not begin.
func (d *Door) follow(ctx context.Context, c call, run string) bool {
	if d.Follow == nil || c.Channel == "" {
		return false
	}
	if err := d.Follow(ctx, c.team.Name, c.Channel, run); err != nil {
		d.Log.Warn("no thread follows a run", "run", run, "why", err)
		return false
	}
	return true
}

// cancel ends a run.
func (d *Door) cancel(ctx context.Context, c call, rest string) (said, error) {
	name, why, _ := strings.Cut(rest, " ")
	r, err := d.one(ctx, c.by, "run", name)
	if err != nil {
		return said{}, err
	}
	if err := d.Authorize(ctx, c.by, access.Need{Verb: access.Control, Kind: "run", Project: r.Project, Labels: r.Labels}); err != nil {
		return said{}, err
	}
	if strings.TrimSpace(why) == "" {
		return said{}, fault.New(fault.Invalid, "why is it cancelled?").WithNext("/tend cancel %s it is the wrong host", r.ID)
	}
	if _, err := d.Engine.Do(ctx, engine.Command{Verb: engine.Cancel, Run: r.ID, By: by(c.by), Why: strings.TrimSpace(why)}); err != nil {
		return said{}, err
	}
	return said{text: fmt.Sprintf("`%s` is being cancelled.", r.ID)}, nil
}

// inbox shows what waits for an answer of somebody who may give it, with the ways to give it.
func (d *Door) inbox(ctx context.Context, c call, _ string) (said, error) {
	rows, err := d.visible(ctx, c.by, "task")
	if err != nil {
		return said{}, err
	}
	out := said{}
	var lines []string
	hidden := 0
	for _, r := range rows {
		_, t, err := d.task(ctx, c.by, r.ID)
		switch {
		case fault.Is(err, fault.Refused), fault.Is(err, fault.NotFound), fault.Is(err, fault.Conflict):
			hidden++
			continue
		case err != nil:
			return said{}, err
		}
		if len(lines) == shownRows {
			lines = append(lines, "… and more: `/tend list tasks`")
			out.blocks = append(out.blocks, section(lines[shownRows]))
			break
		}
		line := fmt.Sprintf("`%s` *%s* — %s of `%s`", r.ID, slack.Escape(strings.ReplaceAll(news.Headline(t), "*", "∗")), t.Type, t.Run)
		lines = append(lines, line)
		b := section(line)
		if len(news.Answers(r.ID, t)) > 0 {
			b["accessory"] = map[string]any{"type": "button", "action_id": news.Fill, "value": r.ID, "text": map[string]any{"type": "plain_text", "text": "Answer…"}}
		}
		out.blocks = append(out.blocks, b)
	}
	if len(lines) == 0 {
		if hidden > 0 {
			return said{text: "Nothing waits for you."}, nil
		}
		return said{text: "Nothing waits for anybody."}, nil
	}
	out.text = strings.Join(lines, "\n")
	return out, nil
}

func section(s string) map[string]any {
	return map[string]any{"type": "section", "text": map[string]any{"type": "mrkdwn", "text": s}}
}
