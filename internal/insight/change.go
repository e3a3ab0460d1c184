package insight

import (
	"cmp"
	"context"
	"time"

	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/ledger"
)

// changes adds up what commits changed, from what the audit trail says of revisions that became live.
func (x *reader) changes(ctx context.Context) error {
	from, err := x.since(ctx, ledger.AuditServer)
	for err == nil {
		var page []entry.Entry
		if page, err = x.Entries(ctx, ledger.AuditServer, from, 1000); err != nil || len(page) == 0 {
			break
		}
		for i := range page {
			if e := &page[i]; !e.At.Before(x.Until) {
				return nil
			} else if !e.At.Before(x.from()) && e.Kind == entry.KindAudited && !e.Erased {
				x.change(e)
			}
		}
		from = page[len(page)-1].Seq + 1
	}
	return err
}

func (x *reader) change(e *entry.Entry) {
	p, err := entry.Decode(*e)
	a, ok := p.(*entry.Audited)
	if err != nil || !ok || a.What != "revision-live" {
		return
	}
	project, _ := a.Detail["project"].(string)
	text, _ := a.Detail["committed"].(string)
	owners, _ := a.Detail["owners"].(map[string]any)
	committed, err := time.Parse(time.RFC3339, text)
	if err != nil || !x.Sight.Sees(project, nil) {
		return // a directory has no commits
	}
	for _, owner := range owners {
		name, _ := owner.(string)
		for _, s := range x.all(e.At, cmp.Or(name, Nobody)) {
			s.Live++
			s.lead += max(e.At.Sub(committed), 0)
		}
	}
}

// since finds the first entry of a stream that is not older than the time that is asked for. A stream is in order of time, as
// far as the clock was.
func (x *reader) since(ctx context.Context, stream string) (uint64, error) {
	older := func(seq uint64) (bool, error) {
		page, err := x.Entries(ctx, stream, seq, 1)
		return err == nil && len(page) > 0 && page[0].At.Before(x.from()), err
	}
	low, high := uint64(1), uint64(1) // what is before low is older
	for {
		is, err := older(high)
		if err != nil {
			return 0, err
		}
		if !is {
			break
		}
		low, high = high+1, high*2
	}
	for low < high {
		mid := low + (high-low)/2
		is, err := older(mid)
		if err != nil {
			return 0, err
		}
		if is {
			low = mid + 1
		} else {
			high = mid
		}
	}
	return low, nil
}
