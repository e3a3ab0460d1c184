package sqlite_test

import (
	"testing"

	"github.com/tendhq/tend/internal/access"
	"github.com/tendhq/tend/internal/store"
	"github.com/tendhq/tend/internal/store/storetest"
)

// TestFromTheFirstSchema: a database of the first schema is brought to this one, its rows are what they were, and have
// labels from their next write on.
func TestFromTheFirstSchema(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir)
	l, err := s.Claim(t.Context(), "test")
	if err != nil {
		t.Fatal(err)
	}
	batch := storetest.Append(l.Epoch, storetest.Chain("run/a", nil, 2, 40)...)
	row := store.Row{Key: store.Key{Kind: "run", ID: "a"}, Project: "shop", Status: "running", At: storetest.Time(1), Body: []byte("{}")}
	batch.Rows = []store.Row{row}
	if a := s.Commit(t.Context(), []store.Batch{batch}); a[0].Err != nil {
		t.Fatal(a[0].Err)
	}
	shut(t, s)
	for _, text := range []string{
		"DROP TRIGGER label_born", "DROP TRIGGER label_changed", "DROP TRIGGER label_gone", "DROP TABLE label", "DROP INDEX row_project",
		"DROP INDEX row_owned", "ALTER TABLE row DROP COLUMN labels", "DROP INDEX row_name", "DROP INDEX row_source", "PRAGMA user_version = 1",
	} {
		script(t, dir, text)
	}
	s = open(t, dir)
	t.Cleanup(func() { shut(t, s) })
	sight := &access.Sight{Within: []access.Span{{Projects: []string{"shop"}, Labels: map[string]string{"team": "db"}}}}
	for i, want := range []int{0, 1} {
		page, err := s.Rows(t.Context(), store.Filter{Kind: "run", Sight: sight})
		if err != nil || len(page.Rows) != want || len(page.Damaged) != 0 {
			t.Fatalf("%d: %+v, %v", i, page, err)
		}
		all, err := s.Rows(t.Context(), store.Filter{Kind: "run", Project: "shop"})
		if err != nil || len(all.Rows) != 1 || all.Rows[0].Status != "running" {
			t.Fatalf("%d: %+v, %v", i, all, err)
		}
		row.Labels = map[string]string{"team": "db"}
		if l, err = s.Claim(t.Context(), "test"); err != nil {
			t.Fatal(err)
		}
		if a := s.Commit(t.Context(), []store.Batch{{Epoch: l.Epoch, Rows: []store.Row{row}}}); a[0].Err != nil {
			t.Fatal(a[0].Err)
		}
	}
	if _, _, damaged, err := s.Verify(t.Context()); err != nil || len(damaged) != 0 {
		t.Errorf("%v, %v", damaged, err)
	}
}
