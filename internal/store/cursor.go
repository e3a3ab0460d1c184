package store

import (
	"cmp"
	"context"
	"iter"
	"strconv"
	"strings"
	"time"

	"github.com/tendhq/tend/internal/fault"
)

// DefaultLimit is how many rows a Page has when its Filter does not say.
const DefaultLimit = 100

// Position is where a row stands in a list: its time (Due in a list by DueBy, else At) in microseconds, then its ID.
type Position struct {
	Micro int64
	ID    string
}

// Position gives the place of r in the lists of f.
func (f *Filter) Position(r *Row) Position {
	if f.ByDue() {
		return Position{r.Due.UnixMicro(), r.ID}
	}
	return Position{r.At.UnixMicro(), r.ID}
}

// ByDue tells whether the list is in the order of Due.
func (f *Filter) ByDue() bool { return !f.DueBy.IsZero() }

// Ascending tells whether earlier rows come first.
func (f *Filter) Ascending() bool { return f.Oldest || f.ByDue() }

// Compare orders two positions of a list of f.
func (f *Filter) Compare(a, b Position) int {
	c := cmp.Or(cmp.Compare(a.Micro, b.Micro), cmp.Compare(a.ID, b.ID))
	if f.Ascending() {
		return c
	}
	return -c
}

// Rows gives how many rows a page has.
func (f *Filter) Rows() int {
	if f.Limit <= 0 {
		return DefaultLimit
	}
	return f.Limit
}

// Cursor writes p down for Page.Next.
func (p Position) Cursor() string { return strconv.FormatInt(p.Micro, 36) + "." + p.ID }

// Start reads the Cursor of f: the list goes on after that position. It answers false when f has none.
func (f *Filter) Start() (Position, bool, error) {
	if f.Cursor == "" {
		return Position{}, false, nil
	}
	micro, id, ok := strings.Cut(f.Cursor, ".")
	n, err := strconv.ParseInt(micro, 36, 64)
	if !ok || err != nil {
		return Position{}, false, fault.New(fault.Invalid, "the cursor %.80q is not one that a list gave", f.Cursor).
			WithNext("start again without a cursor")
	}
	return Position{n, id}, true, nil
}

// Tidy gives r as every store keeps it: times in UTC, to the microsecond, and no labels rather than none of them.
func (r Row) Tidy() Row {
	r.At, r.Due = tidy(r.At), tidy(r.Due)
	if len(r.Labels) == 0 {
		r.Labels = nil
	}
	return r
}

func tidy(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return t.UTC().Truncate(time.Microsecond)
}

// Rower lists rows: a Store, or what stands in front of one.
type Rower interface {
	Rows(ctx context.Context, f Filter) (Page, error)
}

// All walks every row that f selects, page by page. An error is the last that it gives.
func All(ctx context.Context, s Rower, f Filter) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		if f.Limit == 0 {
			f.Limit = 1000
		}
		for {
			p, err := s.Rows(ctx, f)
			if err != nil {
				yield(Row{}, err)
				return
			}
			for _, r := range p.Rows {
				if !yield(r, nil) {
					return
				}
			}
			if f.Cursor = p.Next; f.Cursor == "" {
				return
			}
		}
	}
}

// EachRow gives do every row that f selects.
func EachRow(ctx context.Context, s Rower, f Filter, do func(Row)) error {
	for r, err := range All(ctx, s, f) {
		if err != nil {
			return err
		}
		do(r)
	}
	return nil
}
