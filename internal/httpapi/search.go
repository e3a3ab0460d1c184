package httpapi

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/tendhq/tend/internal/access"
	"github.com/tendhq/tend/internal/cell"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/store"
	"github.com/tendhq/tend/internal/wire"
)

// What a search looks at: the newest of each kind. What is older is found by its id.
const (
	searched = 2000
	mostHits = 50
)

func (s *server) search(a *api) {
	add(a, access.Need{Verb: access.View, Kind: "server"}, http.MethodGet, "/v1/search", about{
		id: "search", tag: "server", summary: "Find runs, tasks, incidents, events and playbooks by name, id or status",
		text: "Each word must occur. It looks at the newest two thousand of each kind, and at all ids that begin with what is written; at what the asker may look at, and nothing else.",
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
	q := &searching{s: s, words: words, sees: map[string]bool{}}
	for _, p := range s.visible(ctx) {
		q.offer(wire.Hit{ID: p.Name, Kind: "playbook", Project: p.Project, Title: p.Name, Text: p.Description}, p.Owner)
	}
	for _, kind := range []string{"incident", "task", "run", "event"} {
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
	words []string
	sees  map[string]bool // by kind and project
	found []scored
	more  bool
}

// rows looks at the newest rows of a kind, and at those whose id begins with the only word.
func (q *searching) rows(ctx context.Context, kind string) error {
	seen := map[string]bool{}
	look := func(f store.Filter) error {
		n := 0
		for r, err := range store.All(ctx, q.s.Engine, f) {
			if err != nil {
				return err
			}
			if n++; n > searched {
				q.more = true
				break
			}
			if seen[r.ID] {
				continue
			}
			seen[r.ID] = true
			may, err := q.may(ctx, kind, r.Project)
			if err != nil {
				return err
			}
			if may {
				q.offer(wire.Hit{At: r.At, ID: r.ID, Kind: kind, Project: r.Project, Status: r.Status, Title: cell.Cut(cell.Line(cmp.Or(r.Name, r.ID)), 200)}, r.Tag)
			}
		}
		return nil
	}
	if len(q.words) == 1 && strings.Contains(q.words[0], "_") {
		if err := look(store.Filter{Kind: kind, Prefix: q.words[0], Limit: mostHits}); err != nil {
			return err
		}
	}
	return look(store.Filter{Kind: kind, Limit: 500})
}

func (q *searching) may(ctx context.Context, kind, project string) (bool, error) {
	key := kind + "\x00" + project
	ok, asked := q.sees[key]
	if !asked {
		err := q.s.allow(ctx, access.Need{Verb: access.View, Kind: kind, Project: project})
		if err != nil && !fault.Is(err, fault.Refused) {
			return false, err
		}
		ok = err == nil
		q.sees[key] = ok
	}
	return ok, nil
}

// offer keeps what all words occur in. A title that begins with the first word is better than one that holds it.
func (q *searching) offer(h wire.Hit, more string) {
	title, id := strings.ToLower(h.Title), strings.ToLower(h.ID)
	all := strings.Join([]string{title, id, h.Kind, h.Status, strings.ToLower(h.Text), strings.ToLower(more)}, "\n")
	for _, w := range q.words {
		if !strings.Contains(all, w) {
			return
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
	if h.Kind == "playbook" || h.Status == "open" {
		score += 4 // what lives before what was
	}
	h.Text = cell.Cut(cell.Line(h.Text), 200)
	q.found = append(q.found, scored{h, score})
}
