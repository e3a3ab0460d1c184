package storetest

import (
	"errors"
	"fmt"
	"testing"

	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/store"
	"github.com/tendhq/tend/internal/store/faulty"
)

// runFaults breaks every commit of a short scenario in every way. After reopening, a commit is there when its answer
// said so, is not there when its answer said so, and is there whole or not at all when nobody knew.
func runFaults(t *testing.T, place func(t *testing.T) Open) {
	const commits = 5
	for name, mode := range map[string]faulty.Mode{"refuse": faulty.Refuse, "full": faulty.Full, "lost": faulty.Lost, "kept": faulty.Kept} {
		for at := range commits {
			t.Run(fmt.Sprintf("%s/%d", name, at), func(t *testing.T) {
				t.Parallel()
				open := place(t)
				inner := must(t, open)
				lease, err := inner.Claim(t.Context(), "test")
				if err != nil {
					t.Fatal(err)
				}
				s := faulty.New(inner, func(op faulty.Op) faulty.Fault {
					if op.Name == "commit" && op.N == at {
						return faulty.Fault{Mode: mode}
					}
					return faulty.Fault{}
				})
				answers := map[string]error{}
				for i := range commits {
					var batches []store.Batch
					for _, side := range []string{"a", "b"} {
						stream := fmt.Sprintf("run/%d%s", i, side)
						batch := Append(lease.Epoch, Chain(stream, nil, 2, 80)...)
						batch.Rows = []store.Row{{Key: store.Key{Kind: "run", ID: stream}}}
						batches = append(batches, batch)
					}
					for j, a := range s.Commit(t.Context(), batches) {
						answers[batches[j].Entries[0].Stream] = a.Err
					}
				}
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
				check(t, must(t, open), answers, at, mode)
			})
		}
	}
}

func check(t *testing.T, s store.Store, answers map[string]error, at int, mode faulty.Mode) {
	t.Helper()
	for stream, err := range answers {
		entries := len(readAll(t, s, stream))
		page, rerr := s.Rows(t.Context(), store.Filter{Kind: "run", ID: stream})
		if rerr != nil {
			t.Fatal(rerr)
		}
		if entries != 2*len(page.Rows) {
			t.Errorf("%s: %d entries and %d rows: half of a batch", stream, entries, len(page.Rows))
		}
		here := stream == fmt.Sprintf("run/%da", at) || stream == fmt.Sprintf("run/%db", at)
		switch {
		case err == nil && entries != 2:
			t.Errorf("%s was acknowledged and is not there", stream)
		case err == nil:
		case errors.Is(err, store.ErrIndeterminate):
			if !here {
				t.Errorf("%s: indeterminate, but the fault was at %d", stream, at)
			}
			if (entries == 2) != (mode == faulty.Kept) {
				t.Errorf("%s: %d entries after %v", stream, entries, err)
			}
		case errors.Is(err, store.ErrBroken), fault.Is(err, fault.Unavailable):
			if entries != 0 {
				t.Errorf("%s was refused (%v) and is there", stream, err)
			}
		default:
			t.Errorf("%s: an answer of no known kind: %v", stream, err)
		}
		if broke := mode == faulty.Lost || mode == faulty.Kept; !broke && !here && err != nil {
			t.Errorf("%s: %v: the store did not go on", stream, err)
		}
	}
}
