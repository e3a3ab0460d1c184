package engine

import (
	"slices"
	"testing"
)

// TestOfferedCommitsKeepTheirPlace: what was refused goes before all that is younger, and behind what is older.
func TestOfferedCommitsKeepTheirPlace(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ waiting, offered, want []uint64 }{
		{nil, []uint64{3}, []uint64{3}},
		{[]uint64{4, 5}, []uint64{3}, []uint64{3, 4, 5}},
		{[]uint64{4, 5}, []uint64{1, 2, 3}, []uint64{1, 2, 3, 4, 5}},
		{[]uint64{6}, []uint64{5, 3, 4}, []uint64{3, 4, 5, 6}},
		{[]uint64{2, 4}, []uint64{3}, []uint64{2, 3, 4}},
	} {
		var q commitQueue
		q.init()
		for _, n := range c.waiting {
			q.put(Commit{ID: n})
		}
		for _, n := range c.offered {
			q.front(Commit{ID: n})
		}
		var got []uint64
		for _, x := range q.take() {
			got = append(got, x.ID)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%v offered to %v: %v", c.offered, c.waiting, got)
		}
		if q.close(); q.take() != nil {
			t.Error("a closed queue gives more")
		}
	}
}
