package httpapi

import (
	"cmp"
	"context"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/tendhq/tend/internal/access"
	"github.com/tendhq/tend/internal/cell"
	"github.com/tendhq/tend/internal/document"
	"github.com/tendhq/tend/internal/store"
	"github.com/tendhq/tend/internal/wire"
)

// What a search looks at of what is stored: the newest of each kind. What is older is found by its id or its exact name,
// which the store keeps in order. So it takes as long with a million runs as with some thousand.
const (
	searched = 1000
	mostHits = 50
	named    = 8 // playbooks whose runs are looked up by name
)

func (s *server) search(a *api) {
	add(a, access.Need{Verb: access.View, Kind: "server"}, http.MethodGet, "/v1/search", about{
		id: "search", tag: "server", summary: "Find everything by name, id, label or status",
		text: "Runs, tasks, incidents, events, playbooks, triggers, guards, actions, modules and revisions. Each word must occur. " +
			"Of what is stored it looks at the newest thousand of each kind, at all ids that begin with what is written, and at all that are called so. " +
			"It finds what the asker may look at, and nothing else.",
	}, s.find)
}

type findInput struct {
	Q     string `query:"q" required:"true" minLength:"1" maxLength:"200" doc:"Words."`
	Limit int    `query:"limit" minimum:"0" maximum:"50" doc:"How many at most. 0: 20."`
}

type foundOutput struct{ Body wire.Found }

func (s *server) find(ctx context.Context, in *findInput) (*foundOutput, error) {
	words := strings.Fields(strings.ToLower(in.Q))
	out := &foundOutput{wire.Found{Hits: []wire.Hit{}}}
	if len(words) == 0 {
		return out, nil
	}
	q := &searching{s: s, words: words, text: strings.TrimSpace(in.Q), sight: s.sight(ctx), seen: map[string]bool{}}
	q.written(ctx)
	for _, kind := range []string{"incident", "task", "run", "event", "revision"} {
		if err := q.rows(ctx, kind); err != nil {
			return nil, err
		}
	}
	limit := cmp.Or(in.Limit, 20)
	slices.SortStableFunc(q.found, func(a, b scored) int { return cmp.Or(b.score-a.score, b.At.Compare(a.At)) })
	for i, h := range q.found {
		if i == limit {
			break
		}
		out.Body.Hits = append(out.Body.Hits, h.Hit)
	}
	out.Body.More = q.more || len(q.found) > limit
	return out, nil
}

type scored struct {
	wire.Hit

	score int
}

type searching struct {
	s     *server
	words []string // in small letters
	text  string   // as it was written
	sight *access.Sight
	seen  map[string]bool // by kind and id
	names []string        // of playbooks that were found
	found []scored
	more  bool
}

// written looks at what is live of the repositories, and at the actions: all of it is in memory.
func (q *searching) written(ctx context.Context) {
	for _, p := range q.s.visible(ctx) {
		labels := make([]string, 0, 2*len(p.Labels))
		for k, v := range p.Labels {
			labels = append(labels, k+"="+v)
		}
		if q.offer(wire.Hit{ID: p.Name, Kind: "playbook", Project: p.Project, Title: p.Name, Text: p.Description}, p.Owner, p.File, strings.Join(labels, " ")) {
			q.names = append(q.names, p.Name)
		}
	}
	if q.s.Actions != nil {
		for _, name := range q.s.Actions.Names() {
			if a, ok := q.s.Actions.Spec(name); ok {
				q.offer(wire.Hit{ID: name, Kind: "action", Title: name, Text: a.Summary})
			}
		}
	}
	if q.s.Repositories == nil {
		return
	}
	sees := q.s.sees(ctx, "playbook")
	for _, c := range q.s.Repositories.Set().Catalogs() {
		b := c.Binding()
		if !sees(b.Project) {
			continue
		}
		modules := c.Modules()
		for i := range modules {
			m := &modules[i]
			q.offer(wire.Hit{ID: m.Name, Kind: "action", Of: b.Repository, Project: m.Project, Title: m.Name, Text: m.Summary}, m.File)
		}
		for _, t := range c.Triggers() {
			at, _ := c.Place(document.KindTrigger, t.Name)
			of := t.Playbook
			if p, err := c.Playbook(b.Project, t.Name, t.Playbook); err == nil {
				of = p.Name
			}
			q.offer(wire.Hit{ID: t.Name, Kind: "trigger", Of: of, Project: b.Project, Title: t.Name, Text: at.String()}, of)
		}
		guards := c.Guards()
		for i := range guards {
			at, _ := c.Place(document.KindGuard, guards[i].Name)
			q.offer(wire.Hit{ID: guards[i].Name, Kind: "guard", Of: b.Repository, Project: b.Project, Title: guards[i].Name, Text: guards[i].Rule()}, at.String())
		}
	}
}

// rows looks at the newest rows of a kind, and at those that are found by their id or name however old they are.
func (q *searching) rows(ctx context.Context, kind string) error {
	var filters []store.Filter
	for _, prefix := range beginnings(kind, strings.ToLower(q.text)) {
		filters = append(filters, store.Filter{Prefix: prefix})
	}
	filters = append(filters, store.Filter{Name: q.text}, store.Filter{Tag: q.text})
	if kind == "run" {
		for _, name := range q.names[:min(len(q.names), named)] {
			filters = append(filters, store.Filter{Name: name})
		}
	}
	for _, f := range filters {
		f.Kind, f.Limit, f.Sight = kind, mostHits, q.sight
		page, err := q.s.Engine.Rows(ctx, f)
		if err != nil {
			return err
		}
		for i := range page.Rows {
			q.row(kind, &page.Rows[i])
		}
		q.more = q.more || page.Next != ""
	}
	n := 0
	for r, err := range store.All(ctx, q.s.Engine, store.Filter{Kind: kind, Limit: 500, Sight: q.sight}) {
		if err != nil {
			return err
		}
		if n++; n > searched {
			q.more = true
			break
		}
		q.row(kind, &r)
	}
	return nil
}

// someID is how much of an id must be written to look it up: ids begin with the time of birth, and six characters of it are
// those of a quarter of an hour. With less of it the store would have to sort whatever is there.
var someID = regexp.MustCompile(`^(?:([a-z]+)_)?[0-9a-hjkmnp-tv-z]{6,20}$`)

// beginnings are the ids of a kind that a text can be the beginning of, if it is one at all.
func beginnings(kind, text string) []string {
	m := someID.FindStringSubmatch(text)
	prefix := prefixOf(kind)
	switch {
	case m == nil || prefix == "" || m[1] != "" && m[1] != prefix:
		return nil
	case m[1] == "":
		return []string{prefix + "_" + text}
	}
	return []string{text}
}

// prefixOf is what the ids of a kind begin with; "" of those that have names.
func prefixOf(kind string) string {
	switch kind {
	case "event":
		return "evt"
	case "incident":
		return "inc"
	case "run", "task":
		return kind
	default:
		return ""
	}
}

func (q *searching) row(kind string, r *store.Row) {
	key := kind + "\x00" + r.ID
	if q.seen[key] {
		return
	}
	q.seen[key] = true
	labels := make([]string, 0, len(r.Labels))
	for k, v := range r.Labels {
		labels = append(labels, k+"="+v)
	}
	q.offer(wire.Hit{
		At: r.At, ID: r.ID, Kind: kind, Of: r.Parent, Project: r.Project, Status: r.Status, Title: cell.Cut(cell.Line(cmp.Or(r.Name, r.ID)), 200),
	}, r.Tag, strings.Join(labels, " "))
}

// offer keeps what all words occur in, and tells whether it is that. A title that begins with the first word is better than
// one that holds it.
func (q *searching) offer(h wire.Hit, more ...string) bool {
	title, id := strings.ToLower(h.Title), strings.ToLower(h.ID)
	all := strings.Join([]string{title, id, h.Kind, h.Status, strings.ToLower(h.Text), strings.ToLower(strings.Join(more, "\n"))}, "\n")
	for _, w := range q.words {
		if !strings.Contains(all, w) {
			return false
		}
	}
	score := 0
	switch first := q.words[0]; {
	case id == first || title == first:
		score = 4
	case strings.HasPrefix(title, first) || strings.HasPrefix(id, first):
		score = 3
	case strings.Contains(title, first):
		score = 2
	case strings.Contains(id, first):
		score = 1
	}
	switch {
	case h.Kind == "playbook" || h.Status == "open":
		score += 4 // what lives before what was
	case h.Kind == "trigger" || h.Kind == "guard" || h.Kind == "action":
		score += 2
	}
	h.Text = cell.Cut(cell.Line(h.Text), 200)
	q.found = append(q.found, scored{h, score})
	return true
}
