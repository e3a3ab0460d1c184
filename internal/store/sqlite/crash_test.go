package sqlite_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/store"
	"github.com/tendhq/tend/internal/store/sqlite"
	"github.com/tendhq/tend/internal/store/sqlite/disk"
	"github.com/tendhq/tend/internal/store/storetest"
)

// known is what a caller of the store knows at some moment. Stream i is appended to in batches of i%3+1 entries, each
// with the row "i" whose body is the length of the stream.
type known struct {
	mark   string
	acked  []int  // batches of each stream that were acknowledged
	tried  []int  // and that were given to Commit so far
	index  uint64 // the highest that was answered
	open   bool   // whether Open had answered
	erased int    // entries of stream 0 that were erased for certain
}

const streams = 7

func streamName(i int) string { return fmt.Sprintf("run/%d", i) }

// story commits groups of batches and writes down what it knows. It stops at the first answer that is indeterminate.
type story struct {
	t      *testing.T
	s      *sqlite.Store
	d      *disk.Disk
	now    known
	past   map[string]known
	errs   []error
	chains [streams][]store.Batch
}

func newStory(t *testing.T, d *disk.Disk, batches int) *story {
	y := &story{t: t, d: d, past: map[string]known{}}
	y.now = known{acked: make([]int, streams), tried: make([]int, streams)}
	for i := range y.chains {
		size := i%3 + 1
		all := storetest.Chain(streamName(i), nil, batches*size, 150+300*i)
		for n := range batches {
			b := storetest.Append(0, all[n*size:(n+1)*size]...)
			b.Shards = nil
			b.Rows = []store.Row{{Key: store.Key{Kind: "run", ID: fmt.Sprint(i)}, Body: fmt.Append(nil, (n+1)*size)}}
			y.chains[i] = append(y.chains[i], b)
		}
	}
	return y
}

// know writes down what is known now.
func (y *story) know() {
	y.now.mark = fmt.Sprint(len(y.past))
	k := y.now
	k.acked, k.tried = slices.Clone(k.acked), slices.Clone(k.tried)
	y.past[k.mark] = k
	y.d.Mark("%s", k.mark)
}

func (y *story) run(cfg sqlite.Config, groups int, r *rand.Rand) error {
	s, err := sqlite.Open(context.Background(), cfg)
	if err != nil {
		return err
	}
	defer s.Close() //nolint:errcheck // a broken one may say so
	y.s = s
	if i, err := s.Identity(context.Background()); err == nil {
		y.now.index, y.now.open = i.Index, true
	}
	y.know()
	for g := range groups {
		if g%8 == 5 && y.now.acked[0] > y.now.erased {
			e := store.Erasure{Stream: streamName(0), Seq: uint64(y.now.erased + 1), Payload: []byte(`{}`)}
			a := s.Commit(context.Background(), []store.Batch{{Erase: []store.Erasure{e}}})[0]
			if a.Err != nil {
				return a.Err
			}
			y.now.erased++
			y.now.index = a.Index
			y.know()
			continue
		}
		var group []store.Batch
		var whose []int
		for i := range streams {
			if n := y.now.acked[i]; n < len(y.chains[i]) && r.IntN(3) == 0 {
				group, whose = append(group, y.chains[i][n]), append(whose, i)
			}
		}
		for _, i := range whose {
			y.now.tried[i] = y.now.acked[i] + 1
		}
		y.know()
		for j, a := range s.Commit(context.Background(), group) {
			switch {
			case a.Err == nil:
				y.now.acked[whose[j]]++
				y.now.index = max(y.now.index, a.Index)
			case errors.Is(a.Err, store.ErrIndeterminate), errors.Is(a.Err, store.ErrBroken):
				y.errs = append(y.errs, a.Err)
			default:
				y.now.tried[whose[j]]-- // it said that nothing was written
				y.errs = append(y.errs, a.Err)
			}
		}
		y.know()
		if slices.ContainsFunc(y.errs, func(err error) bool { return errors.Is(err, store.ErrIndeterminate) }) {
			return nil
		}
	}
	return nil
}

// check opens what is left in dir and compares it with what was known. It answers what is wrong.
func (k known) check(dir string) (wrong []string) {
	say := func(format string, a ...any) { wrong = append(wrong, fmt.Sprintf(format, a...)) }
	ctx := context.Background()
	s, err := sqlite.Open(ctx, sqlite.Config{Dir: dir})
	if err != nil {
		return []string{fmt.Sprintf("open: %v", err)}
	}
	defer s.Close() //nolint:errcheck // only read
	id, err := s.Identity(ctx)
	if err != nil || id.Index < k.index || id.Halted != "" {
		say("it is at %+v, %v; %d was acknowledged", id, err, k.index)
	}
	if _, _, damaged, err := s.Verify(ctx); err != nil || len(damaged) > 0 {
		say("verify: %v, %v", damaged, err)
	}
	for i := range streams {
		size := i%3 + 1
		got, err := s.Read(ctx, streamName(i), 1, 10_000)
		if err != nil {
			say("read: %v", err)
			continue
		}
		if len(got) < k.acked[i]*size || len(got) > k.tried[i]*size || len(got)%size != 0 {
			say("%s has %d entries; %d batches of %d were acknowledged, %d tried", streamName(i), len(got), k.acked[i], size, k.tried[i])
		}
		page, err := s.Rows(ctx, store.Filter{Kind: "run", ID: fmt.Sprint(i)})
		row := "0"
		if len(page.Rows) == 1 {
			row = string(page.Rows[0].Body)
		}
		if err != nil || row != fmt.Sprint(len(got)) {
			say("%s has %d entries, and its row says %s, %v", streamName(i), len(got), row, err)
		}
		for n := range min(k.erased, len(got)) {
			if i == 0 && !got[n].Erased {
				say("entry %d was erased, and is back", n+1)
			}
		}
	}
	return wrong
}

// last gives what was known when the last of these operations happened.
func (y *story) last(ops []disk.Op) known {
	for i := len(ops) - 1; i >= 0; i-- {
		if ops[i].Kind == disk.Mark {
			return y.past[ops[i].Note]
		}
	}
	return known{acked: make([]int, streams), tried: make([]int, streams)}
}

func recorder(t *testing.T, hook func(disk.Op) disk.Failure) *disk.Disk {
	t.Helper()
	d, err := disk.New(hook)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	return d
}

// TestPowerCut cuts the power at every moment of a story that folds its log back all the time, and lets chance decide
// what became of what was not synced.
func TestPowerCut(t *testing.T) {
	t.Parallel()
	d := recorder(t, nil)
	y := newStory(t, d, 30)
	if err := y.run(sqlite.Config{Dir: t.TempDir(), VFS: d.Name, Log: 30}, 80, rand.New(rand.NewPCG(1, 1))); err != nil {
		t.Fatal(err)
	}
	ops := d.Ops()
	cuts := 300
	if testing.Short() {
		cuts = 60
	}
	t.Logf("%d operations, %d cuts", len(ops), cuts)
	var wg sync.WaitGroup
	for worker := range 2 {
		wg.Go(func() {
			for n := worker; n < cuts; n += 2 {
				r := rand.New(rand.NewPCG(uint64(n), 2))
				if n%5 == 0 {
					r = nil
				}
				at := 1 + n*(len(ops)-1)/cuts
				dir := t.TempDir()
				if err := disk.Cut(ops[:at], dir, r); err != nil {
					t.Error(err)
					return
				}
				if wrong := y.last(ops[:at]).check(dir); len(wrong) > 0 {
					t.Errorf("cut %d, after operation %d (%v):\n%s", n, at, ops[at-1], strings.Join(wrong, "\n"))
				}
			}
		})
	}
	wg.Wait()
}

// TestPowerCutHasTeeth: a store that acknowledges before it syncs is found out by the same test.
func TestPowerCutHasTeeth(t *testing.T) {
	t.Parallel()
	d := recorder(t, nil)
	y := newStory(t, d, 30)
	if err := y.run(sqlite.Config{Dir: t.TempDir(), VFS: d.Name}, 30, rand.New(rand.NewPCG(1, 1))); err != nil {
		t.Fatal(err)
	}
	ops, commits := []disk.Op{}, false
	for _, o := range d.Ops() {
		commits = commits || o.Kind == disk.Mark
		if commits && o.Kind == disk.Sync && strings.HasSuffix(o.File, "-wal") {
			continue // the disk lied
		}
		ops = append(ops, o)
	}
	found := 0
	for n := range 20 {
		dir := t.TempDir()
		at := len(ops)/2 + n*len(ops)/50
		if err := disk.Cut(ops[:at], dir, rand.New(rand.NewPCG(uint64(n), 2))); err != nil {
			t.Fatal(err)
		}
		if len(y.last(ops[:at]).check(dir)) > 0 {
			found++
		}
	}
	if found < 15 {
		t.Errorf("only %d of 20 cuts were noticed", found)
	}
}

// TestFaults makes operations on the files of a short story fail in every way. What was answered must be true
// after reopening, also when the power is cut then.
func TestFaults(t *testing.T) {
	t.Parallel()
	run := func(t *testing.T, hook func(disk.Op) disk.Failure) (*story, string, error) {
		d := recorder(t, hook)
		dir := t.TempDir()
		y := newStory(t, d, 10)
		err := y.run(sqlite.Config{Dir: dir, VFS: d.Name, Log: 8}, 10, rand.New(rand.NewPCG(3, 3)))
		return y, dir, err
	}
	n := 0
	if _, _, err := run(t, func(op disk.Op) disk.Failure { n = op.N + 1; return disk.OK }); err != nil {
		t.Fatal(err)
	}
	stride := 11
	if testing.Short() {
		stride = 37
	}
	t.Logf("%d operations, of which every %d. fails", n, stride)
	for name, failure := range map[string]disk.Failure{"EIO": disk.EIO, "full": disk.Full, "late": disk.Late} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for at := int(failure); at < n; at += stride {
				var hit disk.Op
				y, dir, err := run(t, func(op disk.Op) disk.Failure {
					if op.N == at {
						hit = op
						if failure == disk.Full && op.Kind == disk.Sync {
							return disk.OK // SQLite knows no such thing: a sync for which there is no room is EIO
						}
						return failure
					}
					return disk.OK
				})
				if err != nil && !y.now.open && fault.KindOf(err) != fault.Unavailable {
					t.Errorf("%s at %d (%v): open: %v (%s)", name, at, hit, err, fault.KindOf(err))
				}
				for _, err := range y.errs {
					known := errors.Is(err, store.ErrIndeterminate) || errors.Is(err, store.ErrBroken) || fault.Is(err, fault.Unavailable)
					if !known {
						t.Errorf("%s at %d (%v): %v", name, at, hit, err)
					}
					if failure == disk.Full && !fault.Is(err, fault.Unavailable) {
						t.Errorf("a full disk at %d (%v): %v", at, hit, err)
					}
				}
				if wrong := y.now.check(dir); len(wrong) > 0 {
					t.Errorf("%s at %d (%v), then reopened:\n%s\n%v", name, at, hit, strings.Join(wrong, "\n"), y.errs)
				}
				if ops := y.d.Ops(); y.now.open {
					cut := t.TempDir()
					if err := disk.Cut(ops, cut, rand.New(rand.NewPCG(uint64(at), 5))); err != nil {
						t.Fatal(err)
					}
					if wrong := y.now.check(cut); len(wrong) > 0 {
						t.Errorf("%s at %d (%v), then the power was cut:\n%s\n%v", name, at, hit, strings.Join(wrong, "\n"), y.errs)
					}
				}
			}
		})
	}
}
