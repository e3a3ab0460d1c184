package chat

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/tendhq/tend/internal/access"
	"github.com/tendhq/tend/internal/engine"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/guard"
	"github.com/tendhq/tend/internal/slack"
	"github.com/tendhq/tend/internal/store"
)

// shown is how many things a list shows.
const shown = 10

const help = "`/tend status` — how things stand\n`/tend list runs|tasks|incidents` — what goes on\n" +
	"`/tend approve TASK [why]`, `/tend reject TASK why` — answer an approval\n`/tend halt why` — stop everything: no new effect begins"

// do carries a command out.
func (d *Door) do(ctx context.Context, p access.Principal, text string) (string, error) {
	verb, rest, _ := strings.Cut(strings.TrimSpace(text), " ")
	rest = strings.TrimSpace(rest)
	switch strings.ToLower(verb) {
	case "", "help":
		return help, nil
	case "status":
		return d.status(ctx, p)
	case "list":
		return d.list(ctx, p, rest)
	case "approve", "reject":
		name, why, _ := strings.Cut(rest, " ")
		if name == "" {
			return "", fault.New(fault.Invalid, "which task?").WithNext("/tend list tasks")
		}
		return d.answer(ctx, p, name, strings.ToLower(verb), strings.TrimSpace(why))
	case "halt":
		if rest == "" {
			return "", fault.New(fault.Invalid, "a halt needs a reason").WithNext("/tend halt the database is being moved")
		}
		if err := d.Authorize(ctx, p, access.Need{Verb: access.Halt, Kind: "halt", Project: "default"}); err != nil {
			return "", err
		}
		h, err := d.Governor.Halt(ctx, guard.Halted{}, by(p), rest)
		if err != nil {
			return "", err
		}
		return fmt.Sprintf(":octagonal_sign: Everything is halted (%s): no new effect begins. `tend unhalt` lets it go on.", h.ID), nil
	default:
		return "", fault.New(fault.Invalid, "%.40q is no command", verb).WithNext("/tend help")
	}
}

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
	page, err := d.Engine.Rows(ctx, store.Filter{Kind: kind, Status: open(kind), Limit: 500})
	if err != nil {
		return nil, err
	}
	may := map[string]bool{}
	var out []store.Row
	for _, r := range page.Rows {
		ok, known := may[r.Project]
		if !known {
			err := d.Authorize(ctx, p, access.Need{Verb: access.View, Kind: kind, Project: r.Project})
			if err != nil && !fault.Is(err, fault.Refused) {
				return nil, err
			}
			ok = err == nil
			may[r.Project] = ok
		}
		if ok {
			out = append(out, r)
		}
	}
	return out, nil
}

func (d *Door) status(ctx context.Context, p access.Principal) (string, error) {
	if err := d.Authorize(ctx, p, access.Need{Verb: access.View, Kind: "run", Project: "default"}); err != nil {
		return "", err
	}
	st, err := d.Engine.Status(ctx)
	if err != nil {
		return "", err
	}
	var lines []string
	if st.Halted != "" {
		lines = append(lines, ":octagonal_sign: halted: "+slack.Escape(st.Halted))
	}
	for _, h := range d.Governor.Rules().Halts {
		lines = append(lines, ":octagonal_sign: halted by "+slack.Escape(h.By)+": "+slack.Escape(h.Why))
	}
	for _, k := range []string{"incident", "run", "task"} {
		rows, err := d.visible(ctx, p, k)
		if err != nil {
			return "", err
		}
		lines = append(lines, fmt.Sprintf("%d open %s", len(rows), plural(k, len(rows))))
	}
	return strings.Join(lines, "\n"), nil
}

func plural(kind string, n int) string {
	if n == 1 {
		return kind
	}
	return kind + "s"
}

func (d *Door) list(ctx context.Context, p access.Principal, what string) (string, error) {
	kind := strings.TrimSuffix(strings.ToLower(what), "s")
	if kind == "" {
		kind = "incident"
	}
	if !slices.Contains([]string{"run", "task", "incident"}, kind) {
		return "", fault.New(fault.Invalid, "%.40q cannot be listed", what).WithNext("/tend list runs, tasks or incidents")
	}
	rows, err := d.visible(ctx, p, kind)
	if err != nil {
		return "", err
	}
	if len(rows) == 0 {
		return "There is no open " + kind + ".", nil
	}
	var lines []string
	for i, r := range rows {
		if i == shown {
			lines = append(lines, fmt.Sprintf("… and %d more", len(rows)-shown))
			break
		}
		name := r.Name
		if kind == "task" {
			var t engine.TaskRow
			if json.Unmarshal(r.Body, &t) == nil && t.Title != "" {
				name = t.Title
			}
		}
		lines = append(lines, fmt.Sprintf("`%s` %s — %s", r.ID, slack.Escape(name), r.Status))
	}
	return strings.Join(lines, "\n"), nil
}
