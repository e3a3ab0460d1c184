package insight

import (
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"slices"

	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/event"
	"github.com/tendhq/tend/internal/store"
)

// holds adds up the starts of runs that guards held: an event that a guard holds again and again counts once for it. It is
// read from the streams of events, since a row knows only what became of its event in the end.
func (x *reader) holds(ctx context.Context) error {
	seen, sources := map[string]bool{}, map[string]bool{}
	err := x.each(ctx, "event", func(row store.Row) error {
		var body struct{ Source string }
		if json.Unmarshal(row.Body, &body) == nil {
			seen[row.ID], sources[body.Source] = true, true
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(sources)) {
		counted := map[[2]string]bool{}
		if err := x.decisions(ctx, "event/"+name, func(id string, d *entry.EventDecided) {
			if d.Outcome != string(event.Held) || d.Guard == "" || !seen[id] || counted[[2]string{id, d.Guard}] {
				return
			}
			counted[[2]string{id, d.Guard}] = true
			for _, s := range []*sums{x.team(cmp.Or(x.owners[d.Playbook], Nobody)), x.total} {
				s.Held++
				s.Guards[d.Guard]++
			}
		}); err != nil {
			return err
		}
	}
	return nil
}

// decisions gives do what was decided of events from the time on.
func (x *reader) decisions(ctx context.Context, stream string, do func(id string, d *entry.EventDecided)) error {
	from, err := x.since(ctx, stream)
	for err == nil {
		var page []entry.Entry
		if page, err = x.Entries(ctx, stream, from, 1000); err != nil || len(page) == 0 {
			break
		}
		for i := range page {
			if page[i].Erased {
				continue
			}
			p, err := entry.Decode(page[i])
			if err != nil {
				continue // it is of a newer tend: what it says is not known
			}
			switch p := p.(type) {
			case *entry.EventReceived:
				do(p.ID, &p.Decision)
			case *entry.EventDecided:
				do(p.Event, p)
			}
		}
		from = page[len(page)-1].Seq + 1
	}
	return err
}
