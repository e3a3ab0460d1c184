package storetest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/tendhq/tend/internal/access"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/store"
)

// pages reads a list to its end.
func (b *bench) pages(f store.Filter) []store.Row {
	b.t.Helper()
	var all []store.Row
	for {
		page, err := b.s.Rows(b.t.Context(), f)
		if err != nil {
			b.t.Fatalf("rows %+v: %v", f, err)
		}
		if len(page.Damaged) != 0 {
			b.t.Fatalf("rows %+v: damaged %v", f, page.Damaged)
		}
		all = append(all, page.Rows...)
		if page.Next == "" {
			return all
		}
		if len(page.Rows) != f.Rows() {
			b.t.Fatalf("a page of %d rows, not %d, says that there is more", len(page.Rows), f.Rows())
		}
		f.Cursor = page.Next
	}
}

func testRowsFilter(t *testing.T, b *bench) {
	row := func(kind, id, project, status, name, parent, tag string) store.Row {
		return store.Row{
			Key: store.Key{Kind: kind, ID: id}, Project: project, Status: status, Name: name, Parent: parent, Tag: tag,
			At: Time(int64(len(id))), Body: []byte(`{}`),
		}
	}
	b.want(store.Batch{Rows: []store.Row{
		row("run", "run_a", "default", "running", "disk", "", ""),
		row("run", "run_ab", "default", "failed", "disk", "run_a", "web-1"),
		row("run", "run_abc", "other", "failed", "memory", "run_a", ""),
		row("run", "rum_abcd", "default", "waiting", "memory", "", "web-1"),
		row("task", "run_a", "default", "open", "disk", "run_a", ""),
	}})
	for _, c := range []struct {
		f    store.Filter
		want []string
	}{
		{store.Filter{}, []string{"run_a", "run_ab", "run_abc", "rum_abcd"}},
		{store.Filter{ID: "run_ab"}, []string{"run_ab"}},
		{store.Filter{ID: "run_"}, nil},
		{store.Filter{Prefix: "run_a"}, []string{"run_a", "run_ab", "run_abc"}},
		{store.Filter{Prefix: "run_ab"}, []string{"run_ab", "run_abc"}},
		{store.Filter{Prefix: "run%"}, nil},
		{store.Filter{Prefix: "ru*"}, nil},
		{store.Filter{Project: "other"}, []string{"run_abc"}},
		{store.Filter{Status: []string{"failed"}}, []string{"run_ab", "run_abc"}},
		{store.Filter{Status: []string{"failed", "waiting", "nothing"}}, []string{"run_ab", "run_abc", "rum_abcd"}},
		{store.Filter{Name: "memory"}, []string{"run_abc", "rum_abcd"}},
		{store.Filter{Parent: "run_a"}, []string{"run_ab", "run_abc"}},
		{store.Filter{Tag: "web-1"}, []string{"run_ab", "rum_abcd"}},
		{store.Filter{Tag: "web-1", Parent: "run_a", Name: "disk", Status: []string{"failed"}, Project: "default"}, []string{"run_ab"}},
		{store.Filter{Tag: "web-1", Project: "other"}, nil},
	} {
		c.f.Kind, c.f.Oldest = "run", true
		got := ids(b.pages(c.f))
		if !slices.Equal(got, c.want) {
			t.Errorf("%+v: %v, not %v", c.f, got, c.want)
		}
	}
}

// testRowsSource: a busy source does not push those of another one off the page, and what is not an event has none.
func testRowsSource(t *testing.T, b *bench) {
	var rows []store.Row
	var quiet []string
	for i := range 300 {
		r := store.Row{Key: store.Key{Kind: "event", ID: fmt.Sprintf("evt_%03d", i)}, Status: "unmatched", At: Time(int64(i)), Body: []byte(`{"source":"busy"}`)}
		if i%60 == 0 {
			r.Status, r.Body = "held", []byte(`{"decision":{"source":"busy"},"source":"quiet"}`)
			quiet = append(quiet, r.ID)
		}
		rows = append(rows, r)
	}
	rows = append(rows, store.Row{Key: store.Key{Kind: "run", ID: "run_1"}, Body: []byte(`{"source":"quiet"}`)})
	b.want(store.Batch{Rows: rows})
	f := store.Filter{Kind: "event", Source: "quiet", Limit: 2, Oldest: true}
	same(t, "of a quiet source", ids(b.pages(f)), quiet)
	f.Status = []string{"held", "started"}
	same(t, "by what was decided", ids(b.pages(f)), quiet)
	f.Since, f.Until = Time(60), Time(240)
	same(t, "of a time", ids(b.pages(f)), quiet[1:4])
	f.Status = []string{"unmatched"}
	same(t, "decided otherwise", len(b.pages(f)), 0)
	same(t, "a run", len(b.pages(store.Filter{Kind: "run", Source: "quiet"})), 0)
	// What an event says can change.
	rows[60].Body = []byte(`{"source":"busy"}`)
	b.want(store.Batch{Rows: rows[60:61]})
	same(t, "after a change", ids(b.pages(store.Filter{Kind: "event", Source: "quiet", Oldest: true})), append([]string{quiet[0]}, quiet[2:]...))
}

func testRowsPages(t *testing.T, b *bench) {
	var rows []store.Row
	var want []string
	for i := range 257 {
		id := fmt.Sprintf("%04d", i)
		rows = append(rows, store.Row{Key: store.Key{Kind: "run", ID: id}, At: Time(int64(i / 5))}) // five of each age
		want = append(want, id)
	}
	rand.New(rand.NewPCG(1, 2)).Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
	b.want(store.Batch{Rows: rows})
	for _, limit := range []int{0, 1, 7, 100, 256, 257, 1000} {
		oldest := ids(b.pages(store.Filter{Kind: "run", Limit: limit, Oldest: true}))
		if !slices.Equal(oldest, want) {
			t.Errorf("oldest first, by %d: %v", limit, oldest)
		}
		newest := ids(b.pages(store.Filter{Kind: "run", Limit: limit}))
		slices.Reverse(newest)
		if !slices.Equal(newest, want) {
			t.Errorf("newest first, by %d: %v", limit, newest)
		}
	}
	page, err := b.s.Rows(t.Context(), store.Filter{Kind: "run"})
	if err != nil || len(page.Rows) != store.DefaultLimit {
		t.Errorf("%d rows by default, %v", len(page.Rows), err)
	}
}

func testRowsDue(t *testing.T, b *bench) {
	due := func(id string, n int64) store.Row {
		r := store.Row{Key: store.Key{Kind: "wake", ID: id}, At: Time(100 - n)}
		if n != 0 {
			r.Due = Time(n)
		}
		return r
	}
	b.want(store.Batch{Rows: []store.Row{due("e", 5), due("a", 1), due("never", 0), due("c2", 3), due("c1", 3), due("z", 9)}})
	for _, c := range []struct {
		by   time.Time
		want []string
	}{
		{Time(0), nil},
		{Time(1).Add(-time.Microsecond), nil},
		{Time(1), []string{"a"}},
		{Time(5), []string{"a", "c1", "c2", "e"}},
		{Time(1000), []string{"a", "c1", "c2", "e", "z"}},
	} {
		for _, limit := range []int{0, 1, 2} {
			got := ids(b.pages(store.Filter{Kind: "wake", DueBy: c.by, Limit: limit}))
			if !slices.Equal(got, c.want) {
				t.Errorf("due by %v: %v, not %v", c.by, got, c.want)
			}
		}
	}
	b.want(store.Batch{Rows: []store.Row{due("a", 0), due("e", 2)}})
	if got := ids(b.pages(store.Filter{Kind: "wake", DueBy: Time(5)})); !slices.Equal(got, []string{"e", "c1", "c2"}) {
		t.Errorf("after a change: %v", got)
	}
}

func testRowsUpsert(t *testing.T, b *bench) {
	a := store.Row{Key: store.Key{Kind: "run", ID: "a"}, Status: "running", Name: "x", Tag: "t", At: Time(1), Due: Time(2), Body: []byte(`1`)}
	b.want(store.Batch{Rows: []store.Row{a}})
	// Finer and foreign times come back as every store keeps them.
	a.Status, a.Tag, a.Due, a.Body = "failed", "", time.Time{}, []byte(`22`)
	fine := a
	fine.At = a.At.Add(999 * time.Nanosecond).In(time.FixedZone("x", 3600))
	b.want(store.Batch{Rows: []store.Row{fine}})
	same(t, "the row", b.pages(store.Filter{Kind: "run"}), []store.Row{a})
	if got := b.pages(store.Filter{Kind: "run", Tag: "t"}); len(got) != 0 {
		t.Errorf("found by a tag that it lost: %v", ids(got))
	}
	c := store.Row{Key: store.Key{Kind: "run", ID: "c"}, At: Time(5), Body: []byte{}}
	b.want(store.Batch{Rows: []store.Row{c}, Delete: []store.Key{{Kind: "run", ID: "a"}, {Kind: "run", ID: "nobody"}}})
	same(t, "after a deletion", ids(b.pages(store.Filter{Kind: "run"})), []string{"c"})
	// Labels are those of the last write.
	a.Labels = map[string]string{"team": "db", "tier": "1"}
	b.want(store.Batch{Rows: []store.Row{a}})
	sees := func(name, value string) *access.Sight {
		return &access.Sight{Within: []access.Span{{Labels: map[string]string{name: value}}}}
	}
	same(t, "by a label", b.pages(store.Filter{Kind: "run", Sight: sees("tier", "1")}), []store.Row{a})
	a.Labels = map[string]string{"team": "web"}
	b.want(store.Batch{Rows: []store.Row{a}})
	same(t, "by another one", b.pages(store.Filter{Kind: "run", Sight: sees("team", "web")}), []store.Row{a})
	for _, gone := range []*access.Sight{sees("tier", "1"), sees("team", "db"), {}} {
		if got := b.pages(store.Filter{Kind: "run", Sight: gone}); len(got) != 0 {
			t.Errorf("found by %+v: %v", gone, ids(got))
		}
	}
	b.want(store.Batch{Delete: []store.Key{a.Key}})
	if got := b.pages(store.Filter{Kind: "run", Sight: sees("team", "web")}); len(got) != 0 {
		t.Errorf("it is deleted, and found by its label: %v", ids(got))
	}
	// Deletions come before what is written.
	c.Name = "again"
	b.want(store.Batch{Rows: []store.Row{c}, Delete: []store.Key{c.Key}})
	if got := b.pages(store.Filter{Kind: "run", Name: "again"}); len(got) != 1 {
		t.Errorf("a row that a batch deletes and writes is not there: %v", got)
	}
}

func testRowsCursor(t *testing.T, b *bench) {
	for _, bad := range []string{"x", ".", "zzzzzzzzzzzzzzzzzzzzzzzz.a", "!.a", "\x00.\x00"} {
		if _, err := b.s.Rows(t.Context(), store.Filter{Kind: "run", Cursor: bad}); !fault.Is(err, fault.Invalid) {
			t.Errorf("cursor %q: %v, not invalid", bad, err)
		}
	}
}

// testRowsModel compares lists with a model, for random rows and filters.
func testRowsModel(t *testing.T, b *bench) {
	r := rand.New(rand.NewPCG(7, 11))
	pick := func(of ...string) string { return of[r.IntN(len(of))] }
	model := map[store.Key]store.Row{}
	label := func() map[string]string {
		out := map[string]string{}
		for range r.IntN(3) {
			out[pick("team", "tier", `odd"name`)] = pick("db", "1", `<o'dd> value`)
		}
		return out
	}
	for range 60 {
		var batch store.Batch
		for range 20 {
			k := store.Key{Kind: pick("run", "task", "event", "lock"), ID: fmt.Sprintf("%s_%02d", pick("a", "b"), r.IntN(60))}
			if _, ok := model[k]; ok && r.IntN(4) == 0 && !written(batch.Rows, k) {
				batch.Delete = append(batch.Delete, k)
				delete(model, k)
				continue
			}
			row := store.Row{
				Key: k, Project: pick("default", "other"), Status: pick("", "open", "done"), Name: pick("", "n", "m"),
				Parent: pick("", "p"), Tag: pick("", "t", "u"), At: Time(r.Int64N(9)), Body: []byte(pick("1", `{"source":"am"}`, `{"source":"hook","by":{"source":"am"}}`, `{"source`)),
			}
			if r.IntN(2) == 0 {
				row.Due = Time(r.Int64N(9))
			}
			row.Labels = label()
			if written(batch.Rows, k) || slices.Contains(batch.Delete, k) {
				continue
			}
			batch.Rows = append(batch.Rows, row)
			model[k] = row.Tidy()
		}
		b.want(batch)
	}
	span := func() access.Span {
		x := access.Span{Labels: label()}
		for range r.IntN(3) {
			x.Projects = append(x.Projects, pick("default", "other", "nowhere"))
		}
		return x
	}
	for range 900 {
		f := store.Filter{
			Kind: pick("run", "task", "event", "lock"), Prefix: pick("", "", "a_", "b_1"), Project: pick("", "default"), Name: pick("", "", "n"),
			Parent: pick("", "", "p"), Tag: pick("", "", "t"), Limit: 1 + r.IntN(40), Oldest: r.IntN(2) == 0,
		}
		if r.IntN(3) == 0 {
			f.Source = pick("am", "hook", "none")
		}
		if r.IntN(3) == 0 {
			f.Since = Time(r.Int64N(9)).Add(time.Duration(r.IntN(3)-1) * time.Nanosecond)
		}
		if r.IntN(3) == 0 {
			f.Until = Time(r.Int64N(10)).Add(time.Duration(r.IntN(3)-1) * time.Nanosecond)
		}
		for range r.IntN(3) {
			f.Status = append(f.Status, pick("", "open", "done"))
		}
		if r.IntN(3) == 0 {
			f.DueBy = Time(r.Int64N(10))
		}
		if r.IntN(2) == 0 {
			f.Sight = new(access.Sight)
			for range r.IntN(4) {
				f.Sight.Within = append(f.Sight.Within, span())
			}
			for range r.IntN(2) {
				f.Sight.Without = append(f.Sight.Without, span())
			}
		}
		var want []store.Row
		for _, row := range model {
			if f.Match(&row) {
				want = append(want, row)
			}
		}
		slices.SortFunc(want, func(a, b store.Row) int { return f.Compare(f.Position(&a), f.Position(&b)) })
		same(t, fmt.Sprintf("%+v", f), b.pages(f), want)
	}
}

func written(rows []store.Row, k store.Key) bool {
	return slices.ContainsFunc(rows, func(r store.Row) bool { return r.Key == k })
}
