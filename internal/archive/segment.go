package archive

import (
	"context"
	"strconv"
	"strings"

	"github.com/tendhq/tend/internal/entry"
)

// Segment names the stream that follows the segment `last` of a stream when that is damaged: audit/017, audit/017.2, ….
func Segment(stream, last string) string {
	n := 1
	if digits, ok := strings.CutPrefix(last, stream+"."); ok {
		n, _ = strconv.Atoi(digits)
	}
	return stream + "." + strconv.Itoa(n+1)
}

// Readable gives do the entries of a stream up to its end or to the first one that cannot be read, which is the error
// then. It tells how many there are and the hash of the last one.
func (a *Archive) Readable(ctx context.Context, stream string, do func(entry.Entry) error) (n uint64, last entry.Hash, err error) {
	limit := 1000
	for {
		page, err := a.store.Read(ctx, stream, n+1, limit)
		if err != nil && limit > 1 {
			limit = 1 // what stands before it in the page can be read
			continue
		}
		if err != nil || len(page) == 0 {
			return n, last, err
		}
		for i := range page {
			if err := do(page[i]); err != nil {
				return n, last, err
			}
			n, last = page[i].Seq, page[i].Hash
		}
	}
}
