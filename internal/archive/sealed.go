package archive

import (
	"context"

	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/id"
	"github.com/tendhq/tend/internal/store"
)

// Sealed compares the runs with what the audit streams say of their ends: a stream that is missing, was cut or was
// lengthened after its end is one error each, and so is a run with a row and no stream. The chains themselves are for
// the store to verify.
func (a *Archive) Sealed(ctx context.Context) (damaged []error, err error) {
	for i := range id.Shards {
		d, err := a.sealedShard(ctx, id.AuditStream(i))
		if err != nil && !fault.Is(err, fault.Damaged) {
			return damaged, err
		}
		damaged = append(damaged, d...) // a damaged audit stream is named by the store
	}
	err = store.EachRow(ctx, a.store, store.Filter{Kind: "run"}, func(r store.Row) {
		if h, herr := a.store.Head(ctx, "run/"+r.ID); herr == nil && h.Length == 0 {
			damaged = append(damaged, fault.New(fault.Damaged, "run/%s: the stream is missing; a row says that the run was %s", r.ID, r.Status))
		}
	})
	return damaged, err
}

func (a *Archive) sealedShard(ctx context.Context, stream string) (damaged []error, err error) {
	for from := uint64(1); ; {
		page, err := a.store.Read(ctx, stream, from, 1000)
		if err != nil || len(page) == 0 {
			return damaged, err
		}
		for i := range page {
			p, err := entry.Decode(page[i])
			if err != nil {
				return damaged, err
			}
			if s, ok := p.(*entry.RunSealed); ok {
				if err := a.compare(ctx, s); err != nil {
					damaged = append(damaged, err)
				}
			}
		}
		from = page[len(page)-1].Seq + 1
	}
}

func (a *Archive) compare(ctx context.Context, s *entry.RunSealed) error {
	h, err := a.store.Head(ctx, "run/"+s.Run)
	switch {
	case err != nil:
		return err
	case h.Length == 0:
		return fault.New(fault.Damaged, "run/%s: the stream is missing: it ended %s with entry %d", s.Run, s.Status, s.Length)
	case h.Length != s.Length || h.Hash != s.Head:
		return fault.New(fault.Damaged, "run/%s entry %d: it ended %s with entry %d, and is not what was sealed then", s.Run, min(h.Length, s.Length), s.Status, s.Length)
	}
	return nil
}
