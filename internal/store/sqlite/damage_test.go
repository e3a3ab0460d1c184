package sqlite_test

import (
	"bytes"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/store"
	"github.com/tendhq/tend/internal/store/sqlite"
	"github.com/tendhq/tend/internal/store/storetest"
)

func open(t *testing.T, dir string) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), sqlite.Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// want commits and fails the test on an error.
func want(t *testing.T, s store.Store, batches ...store.Batch) {
	t.Helper()
	for _, a := range s.Commit(t.Context(), batches) {
		if a.Err != nil {
			t.Fatal(a.Err)
		}
	}
}

func free(entries ...entry.Entry) store.Batch {
	b := storetest.Append(0, entries...)
	b.Shards = nil
	return b
}

// whole makes a database of ten streams of thirty entries and ten rows, and gives what is in it.
func whole(t *testing.T, dir string) (chains map[string][]entry.Entry, rows map[string]store.Row) {
	t.Helper()
	s := open(t, dir)
	chains, rows = map[string][]entry.Entry{}, map[string]store.Row{}
	for i := range 10 {
		name := fmt.Sprintf("run/run_%d", i)
		chains[name] = storetest.Chain(name, nil, 30, 200)
		row := store.Row{Key: store.Key{Kind: "run", ID: name}, Status: "running", Name: "n", At: storetest.Time(int64(i)), Body: []byte(`{"a":1}`)}
		rows[name] = row
		b := free(chains[name]...)
		b.Rows = []store.Row{row}
		want(t, s, b)
	}
	want(t, s, store.Batch{Erase: []store.Erasure{{Stream: "run/run_3", Seq: 4, Payload: []byte(`{}`)}}})
	chains["run/run_3"][3].Erase([]byte(`{}`))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return chains, rows
}

// edit runs SQL on a database that is closed.
// script changes the database behind the store's back, whatever it changes.
func script(t *testing.T, dir, text string) {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(dir, sqlite.File))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(text); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

func edit(t *testing.T, dir, text string, args ...any) {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(dir, sqlite.File))
	if err != nil {
		t.Fatal(err)
	}
	res, err := db.Exec(text, args...)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := res.RowsAffected(); n == 0 || err != nil {
		t.Fatalf("%s changed %d rows, %v", text, n, err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

const ofStream = "stream = (SELECT id FROM stream WHERE name = 'run/run_5')"

// TestTampering: whatever is altered, deleted, moved or cut off is named, and not served; other streams are.
func TestTampering(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		text  string
		names string // what the error says
	}{
		"an altered payload":  {"UPDATE entry SET data = CAST(replace(CAST(data AS TEXT), 'steps', 'stops') AS BLOB) WHERE seq = 7 AND " + ofStream, "run/run_5 entry 7"},
		"an altered envelope": {"UPDATE entry SET data = CAST(substr(data, 1, 6) || x'0c74' || substr(data, 9) AS BLOB) WHERE seq = 7 AND " + ofStream, "run/run_5 entry 7"},
		"a cut record":        {"UPDATE entry SET data = substr(data, 1, 90) WHERE seq = 7 AND " + ofStream, "run/run_5 entry 7"},
		"an empty record":     {"UPDATE entry SET data = x'' WHERE seq = 7 AND " + ofStream, "run/run_5 entry 7"},
		"a missing entry":     {"DELETE FROM entry WHERE seq = 7 AND " + ofStream, "run/run_5 entry 8"},
		"a missing first":     {"DELETE FROM entry WHERE seq = 1 AND " + ofStream, "run/run_5 entry 2"},
		"another's record":    {"UPDATE entry SET data = (SELECT data FROM entry WHERE seq = 7 AND stream = (SELECT id FROM stream WHERE name = 'run/run_4')) WHERE seq = 7 AND " + ofStream, "run/run_5 entry 7"},
		"an older record":     {"UPDATE entry SET data = (SELECT data FROM entry WHERE seq = 6 AND " + ofStream + ") WHERE seq = 7 AND " + ofStream, "run/run_5 entry 7"},
		"another's name":      {"UPDATE stream SET name = 'run/run_x' WHERE name = 'run/run_5'", "run/run_x entry 1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			chains, _ := whole(t, dir)
			edit(t, dir, c.text)
			s := open(t, dir)
			stream, _, _ := strings.Cut(c.names, " ")
			got, err := s.Read(t.Context(), stream, 1, 0)
			if !fault.Is(err, fault.Damaged) || !strings.Contains(err.Error(), c.names) || got != nil {
				t.Errorf("read: %d entries, %v", len(got), err)
			}
			_, _, damaged, err := s.Verify(t.Context())
			if len(damaged) == 0 || err != nil || !strings.Contains(errors.Join(damaged...).Error(), c.names) {
				t.Errorf("verify: %v, %v", damaged, err)
			}
			for other, chain := range chains {
				if other == "run/run_5" {
					continue
				}
				if got, err := s.Read(t.Context(), other, 1, 0); err != nil || !reflect.DeepEqual(got, chain) {
					t.Errorf("%s: %d entries, %v", other, len(got), err)
				}
			}
			// Reading goes on up to the damage, and no further.
			if name != "a missing first" && name != "another's name" {
				if got, err := s.Read(t.Context(), stream, 1, 6); err != nil || len(got) != 6 {
					t.Errorf("before the damage: %d entries, %v", len(got), err)
				}
				if got, err := s.Read(t.Context(), stream, 7, 3); !fault.Is(err, fault.Damaged) {
					t.Errorf("at the damage: %d entries, %v", len(got), err)
				}
			}
		})
	}
}

func TestDamagedRow(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	_, rows := whole(t, dir)
	edit(t, dir, "UPDATE row SET status = 'done' WHERE id = 'run/run_5'")
	s := open(t, dir)
	page, err := s.Rows(t.Context(), store.Filter{Kind: "run"})
	if err != nil || len(page.Rows) != len(rows)-1 || !reflect.DeepEqual(page.Damaged, []store.Key{{Kind: "run", ID: "run/run_5"}}) {
		t.Errorf("%d rows, damaged %v, %v", len(page.Rows), page.Damaged, err)
	}
	if _, _, damaged, _ := s.Verify(t.Context()); len(damaged) != 1 || !strings.Contains(damaged[0].Error(), "run/run_5") {
		t.Errorf("verify: %v", damaged)
	}
	row := rows["run/run_5"]
	want(t, s, store.Batch{Rows: []store.Row{row}}) // rebuilt from its stream
	if page, err := s.Rows(t.Context(), store.Filter{Kind: "run"}); err != nil || len(page.Rows) != len(rows) {
		t.Errorf("after it was written again: %d rows, %v", len(page.Rows), err)
	}
}

// TestDamagedHead: nothing is appended after an entry that cannot be read, and the neighbours do not suffer.
func TestDamagedHead(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	chains, _ := whole(t, dir)
	edit(t, dir, "UPDATE entry SET data = substr(data, 1, 200) WHERE seq = 30 AND "+ofStream)
	s := open(t, dir)
	var batches []store.Batch
	for _, name := range []string{"run/run_4", "run/run_5", "run/run_6"} {
		chain := chains[name]
		batches = append(batches, free(storetest.Chain(name, &chain[29], 1, 50)...))
	}
	for i, a := range s.Commit(t.Context(), batches) {
		if i == 1 {
			if !fault.Is(a.Err, fault.Damaged) || !strings.Contains(a.Err.Error(), "run/run_5 entry 30") {
				t.Errorf("the damaged one: %v", a.Err)
			}
		} else if a.Err != nil {
			t.Errorf("its neighbour: %v", a.Err)
		}
	}
	if _, err := s.Head(t.Context(), "run/run_5"); !fault.Is(err, fault.Damaged) {
		t.Errorf("head: %v", err)
	}
	erase := store.Batch{Erase: []store.Erasure{{Stream: "run/run_5", Seq: 30, Payload: []byte("{}")}}}
	if a := s.Commit(t.Context(), []store.Batch{erase})[0]; !fault.Is(a.Err, fault.Damaged) {
		t.Errorf("erase: %v", a.Err)
	}
}

var seed = flag.Uint64("seed", 5, "of what chance damages")

// TestFlippedBits flips one bit anywhere in the file. Nothing wrong is served: what differs is refused with the kind
// Damaged, and what is missing is found by Verify.
func TestFlippedBits(t *testing.T) {
	t.Parallel()
	origin := t.TempDir()
	chains, rows := whole(t, origin)
	file, err := os.ReadFile(filepath.Join(origin, sqlite.File))
	if err != nil {
		t.Fatal(err)
	}
	flips := 250
	if testing.Short() {
		flips = 40
	}
	r := rand.New(rand.NewPCG(*seed, 5))
	outcomes := map[string]int{}
	for n := range flips {
		at, bit := r.IntN(len(file)), r.IntN(8)
		if n < 40 {
			at = n * 3 % 100 // the header
		}
		dir := t.TempDir()
		b := bytes.Clone(file)
		b[at] ^= 1 << bit
		if err := os.WriteFile(filepath.Join(dir, sqlite.File), b, 0o600); err != nil {
			t.Fatal(err)
		}
		outcomes[served(t, fmt.Sprintf("bit %d of byte %d (page %d)", bit, at, at/4096+1), dir, chains, rows)]++
	}
	t.Logf("%v", outcomes)
}

func TestTruncatedFile(t *testing.T) {
	t.Parallel()
	origin := t.TempDir()
	chains, rows := whole(t, origin)
	file, err := os.ReadFile(filepath.Join(origin, sqlite.File))
	if err != nil {
		t.Fatal(err)
	}
	outcomes := map[string]int{}
	for _, size := range []int{1, 50, 99, 100, 1000, 4096, 4097, 8192, len(file) / 2, len(file)/2 + 100, len(file) - 4096, len(file) - 1} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, sqlite.File), file[:size], 0o600); err != nil {
			t.Fatal(err)
		}
		what := served(t, fmt.Sprintf("%d bytes", size), dir, chains, rows)
		outcomes[what]++
		if what == "nothing to see" {
			t.Errorf("a file of %d bytes of %d went unnoticed", size, len(file))
		}
	}
	t.Logf("%v", outcomes)
}

// served looks at everything in a database that was damaged, and says how the damage showed.
func served(t *testing.T, what, dir string, chains map[string][]entry.Entry, rows map[string]store.Row) string {
	t.Helper()
	s, err := sqlite.Open(t.Context(), sqlite.Config{Dir: dir})
	if err != nil {
		switch fault.KindOf(err) {
		case fault.Damaged, fault.Newer, fault.Invalid:
		default:
			t.Errorf("%s: open: %v (%s)", what, err, fault.KindOf(err))
		}
		return "not opened"
	}
	defer s.Close() //nolint:errcheck // may find damage, too
	refused, missing := 0, []string{}
	for name, chain := range chains {
		got, err := s.Read(t.Context(), name, 1, 0)
		switch {
		case fault.Is(err, fault.Damaged), fault.Is(err, fault.Newer):
			refused++
			if got != nil {
				t.Errorf("%s: %s: %d entries with an error", what, name, len(got))
			}
		case err != nil:
			t.Errorf("%s: read %s: %v (%s)", what, name, err, fault.KindOf(err))
		case len(got) > len(chain) || !reflect.DeepEqual(got, chain[:len(got)]) && len(got) > 0:
			t.Errorf("%s: %s: something else is served", what, name)
		case len(got) < len(chain):
			missing = append(missing, fmt.Sprintf("%s has %d entries", name, len(got)))
		}
	}
	page, err := s.Rows(t.Context(), store.Filter{Kind: "run"})
	if err != nil && !fault.Is(err, fault.Damaged) {
		t.Errorf("%s: rows: %v (%s)", what, err, fault.KindOf(err))
	}
	for _, r := range page.Rows {
		if !reflect.DeepEqual(r, rows[r.ID]) {
			t.Errorf("%s: row %s: something else is served: %+v", what, r.ID, r)
		}
	}
	if err != nil || len(page.Damaged) > 0 {
		refused++
	} else if len(page.Rows) < len(rows) {
		missing = append(missing, fmt.Sprintf("%d rows", len(page.Rows)))
	}
	_, _, damaged, err := s.Verify(t.Context())
	if err != nil {
		t.Errorf("%s: verify: %v (%s)", what, err, fault.KindOf(err))
	}
	if len(damaged) == 0 && (len(missing) > 0 || refused > 0) {
		t.Errorf("%s: %d refused, missing %v, and Verify finds nothing", what, refused, missing)
	}
	switch {
	case refused > 0:
		return "refused"
	case len(missing) > 0:
		return "missing, found by Verify"
	case len(damaged) > 0:
		return "served right, found by Verify"
	}
	return "nothing to see"
}
