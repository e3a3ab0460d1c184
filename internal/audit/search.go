package audit

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"
)

// Query selects records. Zero fields do not restrict.
type Query struct {
	Who     string    // id, name or address of the one who did it, or a part of one, in any case
	What    string    // exact: halted, approve, redacted, …
	Object  string    // exact, or the beginning of an id
	Project string    //
	Denied  bool      // only what was not allowed
	Since   time.Time // not before
	Until   time.Time // before
}

// Match tells whether q selects r.
func (q *Query) Match(r *Record) bool {
	switch {
	case q.What != "" && r.What != q.What,
		q.Object != "" && !strings.HasPrefix(r.Object, q.Object),
		q.Project != "" && r.Project != q.Project,
		q.Denied && (r.Allowed == nil || *r.Allowed),
		!q.Since.IsZero() && r.At.Before(q.Since),
		!q.Until.IsZero() && !r.At.Before(q.Until):
		return false
	case q.Who == "":
		return true
	case r.By == nil:
		return false
	}
	who := strings.ToLower(q.Who)
	for _, s := range []string{r.By.ID, r.By.Name, r.By.From} {
		if strings.Contains(strings.ToLower(s), who) {
			return true
		}
	}
	return false
}

// slack is how far times of one stream may be out of order: a clock that was set.
const slack = time.Hour

// start finds where to begin to read a stream, without reading what is older.
func (q *Query) start(ctx context.Context, r Reader, stream string) (uint64, error) {
	if q.Since.IsZero() {
		return 1, nil
	}
	older := func(n uint64) (bool, error) { // entry n is there, and older
		list, err := read(ctx, r, stream, n, 1)
		return err == nil && len(list) > 0 && list[0].At.Before(q.Since.Add(-slack)), err
	}
	low, high := uint64(1), uint64(page)
	for {
		old, err := older(high)
		if err != nil {
			return 1, nil //nolint:nilerr // it is damaged somewhere; reading it from the beginning tells where
		}
		if !old {
			break
		}
		low, high = high, 2*high
	}
	for high-low > page {
		mid := low + (high-low)/2
		switch old, err := older(mid); {
		case err != nil:
			return 1, nil //nolint:nilerr // likewise
		case old:
			low = mid
		default:
			high = mid
		}
	}
	return low, nil
}

// Place is where a search goes on: behind this record.
type Place struct {
	At     time.Time
	Stream string
	Seq    uint64
}

// order sorts the newest first.
func order(a, b *Record) int {
	return cmp.Or(b.At.Compare(a.At), cmp.Compare(a.Stream, b.Stream), cmp.Compare(b.Seq, a.Seq))
}

// Search gives the newest records that q selects, at most limit, and whether there are more. after goes on where an earlier
// search ended. What cannot be read of damaged streams is told beside what can.
func Search(ctx context.Context, r Reader, q Query, after *Place, limit int) (found []Record, more bool, damaged []error, err error) {
	if limit <= 0 {
		limit = 100
	}
	if after != nil && (q.Until.IsZero() || after.At.Before(q.Until)) {
		q.Until = after.At.Add(time.Microsecond)
	}
	trim := func() {
		slices.SortFunc(found, func(a, b Record) int { return order(&a, &b) })
		if len(found) > limit {
			found, more = slices.Delete(found, limit, len(found)), true
		}
	}
	err = Export(ctx, r, q, func(x Record) error {
		if after != nil && order(&x, &Record{At: after.At, Stream: after.Stream, Seq: after.Seq}) <= 0 {
			return nil
		}
		found = append(found, x)
		if len(found) >= 4*limit {
			trim()
		}
		return nil
	})
	trim()
	var d damages
	for _, e := range parts(err) {
		if err := d.note(e); err != nil {
			return nil, false, nil, err
		}
	}
	return found, more, d, nil
}

// parts takes joined errors apart.
func parts(err error) []error {
	if err == nil {
		return nil
	}
	if j, ok := err.(interface{ Unwrap() []error }); ok {
		return j.Unwrap()
	}
	return []error{err}
}
