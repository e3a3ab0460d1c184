package insight

import (
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"slices"
	"time"

	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/event"
	"github.com/tendhq/tend/internal/store"
)

// holds adds up the starts of runs that guards held: an event that a guard holds again and again counts once for it. It is
// read from the streams of events, since a row knows only what became of its event in the end.
func (x *reader) holds(ctx context.Context) error {
	seen, sources, alerts := map[string]time.Time{}, map[string]bool{}, map[[2]string]*Noise{}
	err := x.each(ctx, "event", func(row store.Row) error {
		var body struct {
			Source string
			Status event.Status
		}
		_ = json.Unmarshal(row.Body, &body) // what cannot be read came from nowhere
		seen[row.ID], sources[body.Source] = row.At, body.Source != ""
		if body.Status.Over() || row.At.Before(x.Since) {
			return nil // only what begins is noise
		}
		key := [2]string{row.Name, body.Source}
		if alerts[key] == nil {
			alerts[key] = &Noise{Name: row.Name, Source: body.Source}
		}
		alerts[key].add(row.Status)
		return nil
	})
	x.out.Alerts = noisiest(alerts, 50)
	if err != nil {
		return err
	}
	delete(sources, "")
	for _, name := range slices.Sorted(maps.Keys(sources)) {
		counted := map[[2]string]bool{}
		if err := x.decisions(ctx, "event/"+name, func(id string, d *entry.EventDecided) {
			at, ok := seen[id]
			if d.Outcome != string(event.Held) || d.Guard == "" || !ok || counted[[2]string{id, d.Guard}] {
				return
			}
			counted[[2]string{id, d.Guard}] = true
			for _, s := range x.all(at, cmp.Or(x.owners[d.Playbook], Nobody)) {
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
