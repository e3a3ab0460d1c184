package sqlite_test

import (
	"flag"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tendhq/tend/internal/store"
	"github.com/tendhq/tend/internal/store/sqlite"
	"github.com/tendhq/tend/internal/store/sqlite/disk"
	"github.com/tendhq/tend/internal/store/storetest"
)

var update = flag.Bool("update", os.Getenv("TEND_UPDATE") != "", "write the golden files anew")

// TestOperations shows the order of writes and syncs of everything that must be durable. A change of this file is a
// change of what survives a power cut: read it as such.
func TestOperations(t *testing.T) {
	t.Parallel()
	d := recorder(t, nil)
	d.Mark("open a new store")
	s, err := sqlite.Open(t.Context(), sqlite.Config{Dir: t.TempDir(), VFS: d.Name})
	if err != nil {
		t.Fatal(err)
	}
	commit := func(what string, batches ...store.Batch) {
		d.Mark("%s", what)
		for _, a := range s.Commit(t.Context(), batches) {
			if a.Err != nil {
				t.Fatal(a.Err)
			}
		}
		d.Mark("answer")
	}
	d.Mark("claim")
	l, err := s.Claim(t.Context(), "test")
	if err != nil {
		t.Fatal(err)
	}
	d.Mark("answer")
	all := storetest.Chain("run/a", nil, 6, 400)
	first := storetest.Append(l.Epoch, all[:2]...)
	first.Rows = []store.Row{{Key: store.Key{Kind: "run", ID: "a"}}}
	commit("commit: two entries of a new stream and a row", first)
	commit("commit: two entries", storetest.Append(l.Epoch, all[2:4]...))
	commit("commit: a group of three batches", storetest.Append(l.Epoch, all[4:]...),
		storetest.Append(l.Epoch, storetest.Chain("run/b", nil, 2, 400)...),
		storetest.Append(l.Epoch, storetest.Chain("run/c", nil, 2, 400)...))
	d.Mark("commit that conflicts")
	if a := s.Commit(t.Context(), []store.Batch{first}); a[0].Err == nil {
		t.Fatal("no conflict")
	}
	d.Mark("answer")
	commit("commit: an erasure, after which the log is cut", store.Batch{Erase: []store.Erasure{{Stream: "run/a", Seq: 1, Payload: []byte("{}")}}})
	commit("commit: a batch of nothing", store.Batch{})
	d.Mark("close")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	golden(t, "testdata/operations.golden", disk.Text(d.Ops()))
}

func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), got); d != "" {
		t.Errorf("%s (-want +got; -update writes it anew):\n%s", file, d)
	}
}
