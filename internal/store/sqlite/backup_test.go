package sqlite_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/store"
	"github.com/tendhq/tend/internal/store/sqlite"
	"github.com/tendhq/tend/internal/store/storetest"
)

// TestBackupWhileBusy backs up while commits go on. The copy is one moment: whole batches, and what was acknowledged
// before it began.
func TestBackupWhileBusy(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	all := storetest.Chain("run/a", nil, 4000, 200)
	var mu sync.Mutex
	acked := 0
	begun := make(chan struct{})
	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() {
		for n := 0; n+2 <= len(all) && ctx.Err() == nil; n += 2 {
			b := free(all[n : n+2]...)
			b.Rows = []store.Row{{Key: store.Key{Kind: "run", ID: "a"}, Body: fmt.Append(nil, n+2)}}
			if a := s.Commit(context.Background(), []store.Batch{b})[0]; a.Err != nil {
				t.Error(a.Err)
				return
			}
			mu.Lock()
			acked = n + 2
			mu.Unlock()
			if n == 20 {
				begun <- struct{}{}
			}
		}
	})
	<-begun
	mu.Lock()
	before := acked
	mu.Unlock()
	dir := t.TempDir()
	path := filepath.Join(dir, "copy")
	if err := s.Backup(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	stop()
	wg.Wait()
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 1 {
		t.Errorf("a backup is %v, %v", files, err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the backup: %v, %v", info.Mode(), err)
	}
	if err := s.Backup(t.Context(), path); !fault.Is(err, fault.Conflict) {
		t.Errorf("a second backup of that name: %v", err)
	}

	target := filepath.Join(t.TempDir(), "restored")
	if err := sqlite.Restore(t.Context(), path, target); err != nil {
		t.Fatal(err)
	}
	r := open(t, target)
	got := read(t, r, "run/a")
	if len(got) < before || len(got)%2 != 0 || !reflect.DeepEqual(got, all[:len(got)]) {
		t.Errorf("the copy has %d entries; %d were acknowledged before it", len(got), before)
	}
	page, err := r.Rows(t.Context(), store.Filter{Kind: "run"})
	if err != nil || len(page.Rows) != 1 || string(page.Rows[0].Body) != fmt.Sprint(len(got)) {
		t.Errorf("the row: %+v, %v", page, err)
	}
	was, is := identity(t, s), identity(t, r)
	if is.Instance == was.Instance || !strings.Contains(is.Halted, sqlite.Restored) || !strings.Contains(is.Halted, was.Instance) {
		t.Errorf("restored: %+v from %+v", is, was)
	}
	none := ""
	want(t, r, store.Batch{Halt: &none})
	want(t, r, free(storetest.Chain("run/b", nil, 1, 50)...))
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if i := identity(t, open(t, target)); i.Halted != "" {
		t.Errorf("halted again: %s", i.Halted)
	}
	if err := sqlite.Restore(t.Context(), path, target); !fault.Is(err, fault.Conflict) {
		t.Errorf("restore over a store: %v", err)
	}
}

func read(t *testing.T, s store.Store, stream string) (all []entry.Entry) {
	t.Helper()
	for {
		part, err := s.Read(t.Context(), stream, uint64(len(all))+1, 0)
		if err != nil {
			t.Fatal(err)
		}
		if all = append(all, part...); len(part) == 0 {
			return all
		}
	}
}

// TestBackupOfDamage: a backup that would hold damage is not made, and one that has become damaged is not restored.
func TestBackupOfDamage(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	whole(t, dir)
	s := open(t, dir)
	good := filepath.Join(t.TempDir(), "good")
	if err := s.Backup(t.Context(), good); err != nil {
		t.Fatal(err)
	}
	shut(t, s)
	edit(t, dir, "DELETE FROM entry WHERE seq = 7 AND "+ofStream)
	bad := filepath.Join(t.TempDir(), "bad")
	if err := open(t, dir).Backup(t.Context(), bad); !fault.Is(err, fault.Damaged) || !strings.Contains(err.Error(), "run/run_5") {
		t.Errorf("backup of a damaged store: %v", err)
	}
	if l, err := os.ReadDir(filepath.Dir(bad)); len(l) != 0 || err != nil {
		t.Errorf("it left %v, %v", l, err)
	}

	b, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	target := t.TempDir()
	for name, change := range map[string]func() []byte{
		"altered":   func() []byte { return []byte(strings.Replace(string(b), "steps[20]", "steps[21]", 1)) },
		"truncated": func() []byte { return b[:len(b)/2] },
		"text":      func() []byte { return []byte(strings.Repeat("text ", 100)) },
	} {
		if err := os.WriteFile(bad, change(), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := sqlite.Restore(t.Context(), bad, target); !fault.Is(err, fault.Damaged) {
			t.Errorf("restore of one that is %s: %v", name, err)
		}
	}
	if err := sqlite.Restore(t.Context(), filepath.Join(target, "nothing"), target); !fault.Is(err, fault.NotFound) {
		t.Errorf("restore of nothing: %v", err)
	}
	if err := sqlite.Restore(t.Context(), filepath.Join(dir, sqlite.File), target); !fault.Is(err, fault.Conflict) && !fault.Is(err, fault.Damaged) {
		t.Errorf("restore of a live store: %v", err)
	}
	if l, err := os.ReadDir(target); len(l) != 0 || err != nil {
		t.Errorf("refused restores left %v, %v", l, err)
	}
}

func TestBackupCancelled(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	want(t, s, free(storetest.Chain("run/a", nil, 100, 100)...))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	dir := t.TempDir()
	if err := s.Backup(ctx, filepath.Join(dir, "copy")); !fault.Is(err, fault.Cancelled) {
		t.Error(err)
	}
	if l, err := os.ReadDir(dir); len(l) != 0 || err != nil {
		t.Errorf("it left %v, %v", l, err)
	}
	if err := s.Backup(t.Context(), filepath.Join(dir, "not", "there")); !fault.Is(err, fault.Unavailable) {
		t.Error(err)
	}
}

// TestLogIsBounded: readers that always overlap do not make the log grow without end.
func TestLogIsBounded(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, err := sqlite.Open(t.Context(), sqlite.Config{Dir: dir, Log: 20})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close() //nolint:errcheck // a scratch store
	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	want(t, s, free(storetest.Chain("run/read", nil, 300, 1000)...))
	for range 3 {
		wg.Go(func() {
			for ctx.Err() == nil {
				if _, err := s.Read(t.Context(), "run/read", 1, 0); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	var prev *entry.Entry
	largest := int64(0)
	for range 400 {
		pair := storetest.Chain("run/a", prev, 2, 4000)
		prev = &pair[1]
		want(t, s, free(pair...))
		if info, err := os.Stat(filepath.Join(dir, sqlite.File+"-wal")); err == nil {
			largest = max(largest, info.Size())
		}
	}
	stop()
	wg.Wait()
	if most := int64(20 * 4096 * 10); largest > most {
		t.Errorf("the log grew to %d bytes, more than %d", largest, most)
	}
}
