package audit_test

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tendhq/tend/internal/audit"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/id"
	"github.com/tendhq/tend/internal/ledger"
	"github.com/tendhq/tend/internal/store"
	"github.com/tendhq/tend/internal/store/sqlite"
	"github.com/tendhq/tend/internal/testenv"
)

// reader is a store as an engine gives it.
type reader struct{ store.Store }

func (r reader) Entries(ctx context.Context, stream string, from uint64, limit int) ([]entry.Entry, error) {
	return r.Read(ctx, stream, from, limit)
}

func open(t *testing.T, dir string) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), sqlite.Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func noError(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

var alice = entry.Who{ID: "user:alice@example.org", Name: "Alice", Via: "api", From: "192.0.2.7:4711"}

// runs of the trail, all of them in one shard.
const runA = "run_01kbcdefgh0123456789"

// seal writes entries as the engine does.
func seal(t *testing.T, s store.Store, lease store.Lease, stream string, row *store.Row, facts ...entry.Payload) store.Head {
	t.Helper()
	h, err := s.Head(t.Context(), stream)
	noError(t, err)
	b := store.Batch{Epoch: lease.Epoch, Shards: []int{id.Shard(stream)}, Expect: []store.Expect{{Stream: stream, Length: h.Length}}}
	for _, f := range facts {
		e, err := entry.New(time.Date(2026, 11, 28, 3, 0, int(h.Length), 0, time.UTC), f)
		noError(t, err)
		e.Stream, e.Seq, e.Prev, e.Epoch = stream, h.Length+1, h.Hash, lease.Epoch
		e.Seal()
		h = store.Head{Length: e.Seq, Hash: e.Hash}
		b.Entries = append(b.Entries, e)
	}
	if row != nil {
		b.Rows = []store.Row{*row}
	}
	for _, a := range s.Commit(t.Context(), []store.Batch{b}) {
		noError(t, a.Err)
	}
	return h
}

// made is a data directory in which something happened: six changes, four decisions and the ends of two runs.
func made(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	s := open(t, dir)
	lease, err := s.Claim(t.Context(), "test")
	noError(t, err)
	l := ledger.Open(s, lease, nil)
	for i := range 6 {
		noError(t, l.Append(t.Context(), ledger.Batch{
			At:    time.Date(2026, 11, 28, 3, i, 0, 0, time.UTC),
			Facts: []ledger.Fact{ledger.Audit(alice, "overridden", "guard-"+string(rune('a'+i)), "the reason", nil)},
		}))
	}
	for i := range 4 {
		noError(t, l.Append(t.Context(), ledger.Batch{
			At: time.Date(2026, 11, 28, 4, i, 0, 0, time.UTC),
			Facts: []ledger.Fact{{Stream: ledger.AuditAccess, Payload: &entry.AccessDecided{
				By: entry.Who{ID: "token:ci", Name: "ci"}, Verb: "approve", Of: "task", Project: "shop", Allowed: i%2 == 0, Why: "<no> role",
			}}},
		}))
	}
	noError(t, l.Close(t.Context()))
	for _, name := range []string{runA, id.Child(runA, "x")} {
		row := store.Row{Key: store.Key{Kind: "run", ID: name}, Status: "succeeded", At: time.Now(), Body: []byte(`{"cause":{"root":"` + runA + `"}}`)}
		h := seal(t, s, lease, "run/"+name, &row, &entry.RunStarted{}, &entry.RunEnded{Status: "succeeded"})
		seal(t, s, lease, id.AuditStream(id.Shard(runA)), nil, &entry.RunSealed{Run: name, Head: h.Hash, Length: h.Length, Status: "succeeded"})
	}
	noError(t, s.Close())
	return dir
}

// edit runs SQL on a database that is closed.
func edit(t *testing.T, dir string, texts ...string) {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(dir, sqlite.File))
	noError(t, err)
	for _, text := range texts {
		res, err := db.ExecContext(t.Context(), text)
		noError(t, err)
		if n, err := res.RowsAffected(); n == 0 || err != nil {
			t.Fatalf("%s changed %d rows, %v", text, n, err)
		}
	}
	noError(t, db.Close())
}

func of(stream string) string {
	return "stream = (SELECT id FROM stream WHERE name = '" + stream + "')"
}

func export(t *testing.T, s store.Store) []byte {
	t.Helper()
	var b bytes.Buffer
	noError(t, audit.Export(t.Context(), reader{s}, audit.Query{}, func(r audit.Record) error { return audit.Write(&b, r) }))
	return b.Bytes()
}

// TestVerifyNamesTheFirstBadEntry: what is altered, deleted, moved or cut off is named, in a real file.
func TestVerifyNamesTheFirstBadEntry(t *testing.T) {
	t.Parallel()
	shard := id.AuditStream(id.Shard(runA))
	for name, c := range map[string]struct {
		edit []string
		says string // "": nothing is wrong
	}{
		"nothing": {nil, ""},
		"an altered payload": {
			[]string{"UPDATE entry SET data = CAST(replace(CAST(data AS TEXT), 'guard-c', 'guard-z') AS BLOB) WHERE seq = 3 AND " + of(ledger.AuditServer)},
			"audit/server entry 3",
		},
		"an altered verdict": {
			[]string{"UPDATE entry SET data = CAST(replace(CAST(data AS TEXT), 'false', 'true ') AS BLOB) WHERE seq = 2 AND " + of(ledger.AuditAccess)},
			"audit/access entry 2",
		},
		"a deleted entry":   {[]string{"DELETE FROM entry WHERE seq = 4 AND " + of(ledger.AuditServer)}, "audit/server entry 5: expected entry 4"},
		"the first entry":   {[]string{"DELETE FROM entry WHERE seq = 1 AND " + of(ledger.AuditServer)}, "audit/server entry 2: expected entry 1"},
		"a deleted stretch": {[]string{"DELETE FROM entry WHERE seq IN (2, 3) AND " + of(ledger.AuditServer)}, "audit/server entry 4: expected entry 2"},
		"two entries in another order": {
			[]string{
				"UPDATE entry SET seq = 99 WHERE seq = 2 AND " + of(ledger.AuditServer), "UPDATE entry SET seq = 2 WHERE seq = 3 AND " + of(ledger.AuditServer),
				"UPDATE entry SET seq = 3 WHERE seq = 99 AND " + of(ledger.AuditServer),
			}, "audit/server entry 2",
		},
		"the end is cut off":         {[]string{"DELETE FROM entry WHERE seq > 4 AND " + of(ledger.AuditServer)}, "audit/server entry 5 is missing"},
		"a stream is cut to nothing": {[]string{"DELETE FROM entry WHERE " + of(ledger.AuditAccess)}, "audit/access entry 1 is missing"},
		"the end of a run is cut off": {
			[]string{"DELETE FROM entry WHERE seq = 2 AND " + of(shard), "DELETE FROM row WHERE kind = 'audit-mark'"},
			shard + ": it does not tell how " + id.Child(runA, "x") + " ended",
		},
		"a run is cut": {[]string{"DELETE FROM entry WHERE seq = 2 AND " + of("run/"+runA)}, "run/" + runA + " entry 2 is missing: " + shard + " entry 1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := made(t)
			s := open(t, dir)
			watched(t, s)
			before := export(t, s)
			noError(t, s.Close())
			edit(t, dir, c.edit...)
			s = open(t, dir)
			r, err := audit.Verify(t.Context(), reader{s})
			noError(t, err)
			said := ""
			if err := errors.Join(r.Damaged...); err != nil {
				said = err.Error()
			}
			if c.says == "" && (said != "" || r.Entries != 12 || r.Streams != 3 || r.Runs != 2) || !strings.Contains(said, c.says) {
				t.Errorf("%d entries of %d streams, %d runs: %s", r.Entries, r.Streams, r.Runs, said)
			}
			if len(r.Damaged) > 2 {
				t.Errorf("one change, and %d things are wrong: %s", len(r.Damaged), said)
			}
			// What was given to somebody before shows it too.
			r, err = audit.Against(t.Context(), reader{s}, audit.Lines(bytes.NewReader(before)))
			noError(t, err)
			if found := len(r.Damaged) > 0; found != (c.says != "" && !strings.HasPrefix(c.says, "run/")) {
				t.Errorf("against an earlier export: %v", r.Damaged)
			}
		})
	}
}

// watched lets a follower see everything.
func watched(t *testing.T, s *sqlite.Store) {
	t.Helper()
	lease, err := s.Claim(t.Context(), "test")
	noError(t, err)
	l := ledger.Open(s, lease, nil)
	f := audit.Follower{Store: s, Ledger: l, Name: "seen"}
	noError(t, f.Once(t.Context()))
	noError(t, l.Close(t.Context()))
}

// TestATrailMadeAnew: who writes the whole database, marks and all, is caught only by what left the house.
func TestATrailMadeAnew(t *testing.T) {
	t.Parallel()
	s := open(t, made(t))
	before := export(t, s)
	other := open(t, t.TempDir())
	lease, err := other.Claim(t.Context(), "test")
	noError(t, err)
	l := ledger.Open(other, lease, nil)
	noError(t, l.Append(t.Context(), ledger.Batch{Facts: []ledger.Fact{ledger.Audit(alice, "overridden", "guard-a", "another reason", nil)}}))
	noError(t, l.Close(t.Context()))
	r, err := audit.Verify(t.Context(), reader{other})
	noError(t, err)
	if len(r.Damaged) > 0 {
		t.Fatal(r.Damaged)
	}
	r, err = audit.Against(t.Context(), reader{other}, audit.Lines(bytes.NewReader(before)))
	noError(t, err)
	if said := errors.Join(r.Damaged...); said == nil || !strings.Contains(said.Error(), "audit/server entry 1: it is another one than was given before") {
		t.Error(said)
	}
}

// TestCheckOfLines: an outsider needs nothing but the lines.
func TestCheckOfLines(t *testing.T) {
	t.Parallel()
	all := export(t, open(t, made(t)))
	lines := strings.SplitAfter(strings.TrimSpace(string(all))+"\n", "\n")
	lines = lines[:len(lines)-1]
	if len(lines) != 12 {
		t.Fatalf("%d lines", len(lines))
	}
	cut := func(i int) []string { return append(append([]string{}, lines[:i]...), lines[i+1:]...) }
	replace := func(i int, from, to string) []string {
		out := append([]string{}, lines...)
		if !strings.Contains(out[i], from) {
			t.Fatalf("no %q in %s", from, out[i])
		}
		out[i] = strings.Replace(out[i], from, to, 1)
		return out
	}
	swapped := append([]string{}, lines...)
	swapped[5], swapped[6] = swapped[6], swapped[5]
	for name, c := range map[string]struct {
		lines []string
		says  string
	}{
		"whole":                {lines, ""},
		"again":                {append(append([]string{}, lines...), lines[8:]...), ""},
		"from the middle":      {lines[2:], ""},
		"without an entry":     {cut(5), "audit/server entry 3: expected entry 2"},
		"in another order":     {swapped, "audit/server entry 3: expected entry 2"},
		"another payload":      {replace(6, `"payload":{"by":{"from":"192.0.2.7`, `"payload":{"by":{"from":"192.0.2.8`), "audit/server entry 3: its payload was altered"},
		"another time":         {replace(6, `"at":"2026-11-28T03:02`, `"at":"2026-11-28T03:03`), "audit/server entry 3: its envelope was altered"},
		"another plain field":  {replace(6, `"by":{"from":"192.0.2.7`, `"by":{"from":"192.0.2.8`), "audit/server entry 3: its plain fields"},
		"another verdict":      {replace(1, `{"allowed":false`, `{"allowed":true`), "audit/access entry 2: its plain fields"},
		"no record":            {[]string{"{}\n"}, "line 1 is no record"},
		"no JSON":              {[]string{lines[0], "\n", "nonsense\n"}, "line 3 is no record"},
		"a stream of no trail": {[]string{strings.ReplaceAll(lines[0], "audit/access", "run/run_1")}, "line 1 is no record"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := check(strings.NewReader(strings.Join(c.lines, "")))
			switch {
			case c.says == "" && err == nil:
			case c.says == "" || err == nil || !fault.Is(err, fault.Damaged) || !strings.Contains(err.Error(), c.says):
				t.Errorf("%v, want %q", err, c.says)
			}
		})
	}
}

func check(in io.Reader) error {
	var c audit.Check
	for next := audit.Lines(in); ; {
		r, err := next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = c.Add(&r)
		}
		if err != nil {
			return err
		}
	}
}

// TestTheRecipe runs the verifier of docs/audit.md, which knows nothing of our code.
func TestTheRecipe(t *testing.T) {
	t.Parallel()
	python := testenv.Program(t, "python", "python3")
	doc, err := os.ReadFile(filepath.Join(testenv.Root(t), "docs", "audit.md"))
	noError(t, err)
	_, rest, ok := strings.Cut(string(doc), "```python\n")
	text, _, ok2 := strings.Cut(rest, "```")
	if !ok || !ok2 {
		t.Fatal("docs/audit.md has no recipe")
	}
	all := export(t, open(t, made(t)))
	for name, c := range map[string]struct {
		in   string
		says string
	}{
		"whole":   {string(all), "12 entries verify"},
		"altered": {strings.Replace(string(all), `"object":"guard-b"`, `"object":"guard-x"`, 2), "audit/server entry 2"},
		"cut":     {string(all[bytes.IndexByte(all, '\n')+1:]), "audit/access entry 2"},
	} {
		cmd := exec.CommandContext(t.Context(), python, "-c", text)
		cmd.Stdin = strings.NewReader(c.in)
		out, err := cmd.CombinedOutput()
		if (err == nil) != (name == "whole") || !strings.Contains(string(out), c.says) {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
}

func TestSearch(t *testing.T) {
	t.Parallel()
	s := open(t, made(t))
	no := false
	day := time.Date(2026, 11, 28, 0, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		q    audit.Query
		want int
	}{
		"everything":    {audit.Query{}, 12},
		"who, by id":    {audit.Query{Who: "alice@EXAMPLE"}, 6},
		"who, by place": {audit.Query{Who: "192.0.2.7"}, 6},
		"nobody":        {audit.Query{Who: "bob"}, 0},
		"what":          {audit.Query{What: "approve"}, 4},
		"denied":        {audit.Query{Denied: true}, 2},
		"object":        {audit.Query{Object: "guard-c"}, 1},
		"a run":         {audit.Query{Object: runA}, 1},
		"project":       {audit.Query{Project: "shop"}, 4},
		"since":         {audit.Query{What: "overridden", Since: day.Add(3*time.Hour + 2*time.Minute)}, 4},
		"until":         {audit.Query{What: "overridden", Until: day.Add(3*time.Hour + 2*time.Minute)}, 2},
	} {
		got, more, damaged, err := audit.Search(t.Context(), reader{s}, c.q, nil, 0)
		if err != nil || len(damaged) > 0 || more || len(got) != c.want {
			t.Errorf("%s: %d, want %d (%v, %v)", name, len(got), c.want, err, damaged)
		}
		for i := range got {
			if i > 0 && got[i].At.After(got[i-1].At) {
				t.Errorf("%s: not the newest first", name)
			}
			if c.q.Denied && (got[i].Allowed == nil || *got[i].Allowed != no) {
				t.Errorf("%s: %+v", name, got[i])
			}
		}
		// In pages it is the same.
		var paged []audit.Record
		var at *audit.Place
		for {
			part, more, _, err := audit.Search(t.Context(), reader{s}, c.q, at, 3)
			noError(t, err)
			paged = append(paged, part...)
			if !more {
				break
			}
			last := part[len(part)-1]
			at = &audit.Place{At: last.At, Stream: last.Stream, Seq: last.Seq}
		}
		a, _ := json.Marshal(got)
		b, _ := json.Marshal(paged)
		if len(got) > 0 && string(a) != string(b) {
			t.Errorf("%s: %d in pages, %d at once", name, len(paged), len(got))
		}
	}
}

// TestSinceSkipsWhatIsOlder: a long stream is not read from its beginning.
func TestSinceSkipsWhatIsOlder(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	lease, err := s.Claim(t.Context(), "test")
	noError(t, err)
	l := ledger.Open(s, lease, nil)
	begin := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	const n = 20_000
	for i := 0; i < n; i += 1000 {
		var b ledger.Batch
		b.At = begin.Add(time.Duration(i) * time.Hour)
		for range 1000 {
			b.Facts = append(b.Facts, ledger.Audit(alice, "overridden", "g", "", nil))
		}
		noError(t, l.Append(t.Context(), b))
	}
	noError(t, l.Close(t.Context()))
	c := &counting{reader: reader{s}}
	got, _, _, err := audit.Search(t.Context(), c, audit.Query{Since: begin.Add((n - 1000) * time.Hour)}, nil, 5000)
	noError(t, err)
	if len(got) != 1000 {
		t.Errorf("%d found", len(got))
	}
	if c.entries > 4000 {
		t.Errorf("%d entries were read to find the last thousand", c.entries)
	}
}

type counting struct {
	reader

	entries int
}

func (c *counting) Entries(ctx context.Context, stream string, from uint64, limit int) ([]entry.Entry, error) {
	list, err := c.reader.Entries(ctx, stream, from, limit)
	c.entries += len(list)
	return list, err
}

func FuzzLines(f *testing.F) {
	f.Add([]byte(`{"stream":"audit/server","seq":1,"payload":{}}`))
	f.Add([]byte("\n{\"stream\":\"audit/000\",\"seq\":18446744073709551615}\n{\"stream\":\"audit/000\",\"seq\":1}"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if err := check(bytes.NewReader(b)); err != nil && !fault.Is(err, fault.Damaged) {
			t.Errorf("%v", err)
		}
	})
}
