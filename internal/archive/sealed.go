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
		base := id.AuditStream(i)
		for name := base; ; name = Segment(base, name) {
			n, _, err := a.Readable(ctx, name, func(e entry.Entry) error {
				p, err := entry.Decode(e)
				if err != nil {
					return err
				}
				s, ok := p.(*entry.RunSealed)
				if !ok {
					return nil
				}
				err = a.compare(ctx, s)
				if fault.Is(err, fault.Damaged) {
					damaged = append(damaged, err)
					return nil
				}
				return err
			})
			if err != nil && !fault.Is(err, fault.Damaged) && !fault.Is(err, fault.Newer) {
				return damaged, err
			}
			if err == nil && n == 0 {
				break // a damaged one is named by the store, and what follows it is looked at
			}
		}
	}
	err = store.EachRow(ctx, a.store, store.Filter{Kind: "run"}, func(r store.Row) {
		if h, herr := a.store.Head(ctx, "run/"+r.ID); herr == nil && h.Length == 0 {
			damaged = append(damaged, fault.New(fault.Damaged, "run/%s: the stream is missing; a row says that the run was %s", r.ID, r.Status))
		}
	})
	return damaged, err
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
