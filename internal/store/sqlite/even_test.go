package sqlite

import (
	"fmt"
	"testing"
	"time"

	driver "modernc.org/sqlite"

	"github.com/tendhq/tend/internal/store"
	"github.com/tendhq/tend/internal/store/storetest"
)

// TestScanLeavesTheWriterItsPages: a reader that looks through more than its cache holds takes pages from the writer's.
// A second later the writer has its own again, and reads nothing anew for a commit.
//
// Not parallel: the connections of other tests share the pool.
func TestScanLeavesTheWriterItsPages(t *testing.T) {
	s, err := Open(t.Context(), Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	lease, err := s.Claim(t.Context(), "test")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	commit := func() {
		var batches []store.Batch
		for range 40 {
			batches = append(batches, storetest.Append(lease.Epoch, storetest.Chain(fmt.Sprintf("run/%06d", n), nil, 3, 400)...))
			n++
		}
		for _, a := range s.Commit(t.Context(), batches) {
			if a.Err != nil {
				t.Fatal(a.Err)
			}
		}
	}
	missed := func() (n int) {
		err := s.write.c.Raw(func(c any) (err error) {
			n, _, err = c.(driver.DBStatus).Status(driver.DBStatusCacheMiss, true)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	for range 200 { // 10 MiB, more than a reader's cache
		commit()
	}
	for range 2 {
		if _, _, damaged, err := s.Verify(t.Context()); err != nil || len(damaged) > 0 {
			t.Fatal(damaged, err)
		}
	}
	s.write.mu.Lock()
	s.write.marked = time.Now().Add(-2 * every) // a second passes
	s.write.mu.Unlock()
	for range 10 {
		commit()
	}
	missed()
	start := time.Now()
	for range 50 {
		commit()
	}
	// Each second that passes meanwhile the pool is emptied once more.
	if m, most := missed(), 50*(1+int(time.Since(start)/every)); m > most {
		t.Errorf("the writer read %d pages for 50 transactions that it had before, at most %d are of that", m, most)
	}
}
