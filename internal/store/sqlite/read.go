package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/store"
)

const readEntries = `SELECT seq, data FROM entry
WHERE stream = (SELECT id FROM stream WHERE name = ?) AND seq >= ? ORDER BY seq LIMIT ?`

// Read implements store.Store.
func (s *Store) Read(ctx context.Context, stream string, from uint64, limit int) ([]entry.Entry, error) {
	done, err := s.read(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	return readStream(ctx, s.entry, stream, max(from, 1), store.ReadLimit(limit))
}

// readStream reads from the entry before `from` on: the first that is given must follow it.
func readStream(ctx context.Context, st *sql.Stmt, stream string, from uint64, limit int) (out []entry.Entry, err error) {
	first := from
	if from > 1 {
		first, limit = from-1, limit+1
	}
	rows, err := st.QueryContext(ctx, stream, int64(first), limit)
	if err != nil {
		return nil, classify(err, "read %s", stream)
	}
	defer rows.Close()
	var prev *entry.Entry
	for rows.Next() {
		var data []byte
		e := entry.Entry{Stream: stream}
		if err := rows.Scan(&e.Seq, &data); err != nil {
			return nil, classify(err, "read %s", stream)
		}
		if err := parseRecord(data, &e); err != nil {
			return nil, damagedEntry(stream, e.Seq, err)
		}
		if prev == nil && e.Seq == first && from > 1 {
			prev = &e // known by its hash; whoever wants it as data asks for it
			continue
		}
		if prev == nil && from > 1 {
			return nil, fault.New(fault.Damaged, "%s entry %d is missing", stream, first)
		}
		if err := e.Verify(prev); err != nil {
			return nil, err
		}
		out = append(out, e)
		prev = &out[len(out)-1]
	}
	if err := rows.Err(); err != nil {
		last := first
		if prev != nil {
			last = prev.Seq + 1
		}
		return nil, classify(err, "read %s entry %d", stream, last)
	}
	return out, nil
}

const readHead = `SELECT seq, data FROM entry
WHERE stream = (SELECT id FROM stream WHERE name = ?) ORDER BY seq DESC LIMIT 1`

// Head implements store.Store. The last entry is verified by itself; whether it follows the others, Read tells.
func (s *Store) Head(ctx context.Context, stream string) (store.Head, error) {
	done, err := s.read(ctx)
	if err != nil {
		return store.Head{}, err
	}
	defer done()
	e := entry.Entry{Stream: stream}
	var data []byte
	switch err := s.head.QueryRowContext(ctx, stream).Scan(&e.Seq, &data); {
	case errors.Is(err, sql.ErrNoRows):
		return store.Head{}, nil
	case err != nil:
		return store.Head{}, classify(err, "read the head of %s", stream)
	}
	if err := parseRecord(data, &e); err != nil {
		return store.Head{}, damagedEntry(stream, e.Seq, err)
	}
	if err := e.Verify(&entry.Entry{Seq: e.Seq - 1, Hash: e.Prev}); err != nil {
		return store.Head{}, err
	}
	return store.Head{Length: e.Seq, Hash: e.Hash}, nil
}

// statements keeps the prepared texts of lists. There are as many as there are shapes of a filter.
type statements struct {
	mu   sync.Mutex
	text map[string]*sql.Stmt
}

func (s *statements) get(ctx context.Context, db *sql.DB, text string) (*sql.Stmt, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if st, ok := s.text[text]; ok {
		return st, nil
	}
	st, err := db.PrepareContext(ctx, text) //nolint:sqlclosecheck // kept until close
	if err != nil {
		return nil, err
	}
	if s.text == nil {
		s.text = map[string]*sql.Stmt{}
	}
	s.text[text] = st
	return st, nil
}

func (s *statements) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var errs []error
	for _, st := range s.text {
		errs = append(errs, st.Close())
	}
	s.text = nil
	return errors.Join(errs...)
}

// Rows implements store.Store.
func (s *Store) Rows(ctx context.Context, f store.Filter) (store.Page, error) {
	text, args, err := list(&f)
	if err != nil {
		return store.Page{}, err
	}
	done, err := s.read(ctx)
	if err != nil {
		return store.Page{}, err
	}
	defer done()
	st, err := s.rows.get(ctx, s.reads, text) //nolint:sqlclosecheck // kept until close
	if err != nil {
		return store.Page{}, classify(err, "list %s", f.Kind)
	}
	rows, err := st.QueryContext(ctx, args...)
	if err != nil {
		return store.Page{}, classify(err, "list %s", f.Kind)
	}
	defer rows.Close()
	var page store.Page
	var last store.Position
	for n := 0; rows.Next(); n++ {
		if n == f.Rows() {
			page.Next = last.Cursor()
			break
		}
		r, crc, err := scanRow(rows)
		if err != nil {
			return store.Page{}, classify(err, "list %s", f.Kind)
		}
		last = f.Position(&r)
		if crc != rowSum(&r) {
			page.Damaged = append(page.Damaged, r.Key)
			continue
		}
		page.Rows = append(page.Rows, r)
	}
	return page, classify(rows.Err(), "list %s", f.Kind)
}

const rowColumns = "kind, id, project, status, name, parent, tag, at, due, body, crc"

func scanRow(rows *sql.Rows) (r store.Row, crc uint32, err error) {
	var at int64
	var due sql.NullInt64
	err = rows.Scan(&r.Kind, &r.ID, &r.Project, &r.Status, &r.Name, &r.Parent, &r.Tag, &at, &due, &r.Body, &crc)
	r.At = moment(at)
	if due.Valid {
		r.Due = moment(due.Int64)
	}
	return r, crc, err
}

// moment reads a stored time. The zero time is stored like any other.
func moment(micro int64) time.Time { return time.UnixMicro(micro).UTC() }

// list writes the query for a filter. One for several statuses asks for each of them and merges what it is given: a list
// of few among many would otherwise be looked for among all.
func list(f *store.Filter) (text string, args []any, err error) {
	start, more, err := f.Start()
	if err != nil {
		return "", nil, err
	}
	by, dir := "at", " DESC"
	if f.ByDue() {
		by = "due"
	}
	if f.Ascending() {
		dir = ""
	}
	order := " ORDER BY " + by + dir + ", id" + dir + " LIMIT ?"
	statuses := slices.Compact(slices.Sorted(slices.Values(f.Status)))
	if len(statuses) < 2 || f.ByDue() {
		q := selection{}
		q.rows(f, by, statuses)
		if more {
			q.after(by, dir, start)
		}
		return q.b.String() + order, append(q.args, f.Rows()+1), nil
	}
	q := selection{}
	q.b.WriteString("SELECT * FROM (")
	for i, status := range statuses {
		if i > 0 {
			q.b.WriteString(" UNION ALL ")
		}
		q.b.WriteString("SELECT * FROM (")
		q.rows(f, by, []string{status})
		if more {
			q.after(by, dir, start)
		}
		q.b.WriteString(order + ")")
		q.args = append(q.args, f.Rows()+1)
	}
	q.b.WriteString(")" + order)
	return q.b.String(), append(q.args, f.Rows()+1), nil
}

// selection is a query that is being written.
type selection struct {
	b    strings.Builder
	args []any
}

func (q *selection) and(cond string, a ...any) {
	q.b.WriteString(" AND ")
	q.b.WriteString(cond)
	q.args = append(q.args, a...)
}

// after selects what comes after a position in the order.
func (q *selection) after(by, dir string, p store.Position) {
	than := ">"
	if dir != "" {
		than = "<"
	}
	q.and("("+by+", id) "+than+" (?, ?)", p.Micro, p.ID)
}

// rows selects what a filter wants, with one of these statuses.
func (q *selection) rows(f *store.Filter, by string, statuses []string) {
	q.b.WriteString("SELECT " + rowColumns + " FROM row")
	switch {
	case by == "due":
		q.b.WriteString(" INDEXED BY row_due")
	case f.Name != "" && f.ID == "" && f.Prefix == "" && f.Parent == "" && f.Tag == "":
		q.b.WriteString(" INDEXED BY row_name") // without statistics SQLite takes the status for rarer than the name
	}
	q.b.WriteString(" WHERE kind = ?")
	q.args = append(q.args, f.Kind)
	if f.ID != "" {
		q.and("id = ?", f.ID)
	}
	if f.Prefix != "" {
		q.and("id >= ?", f.Prefix)
		if end := after(f.Prefix); end != "" {
			q.and("id < ?", end)
		}
	}
	if f.Project != "" {
		q.and("project = ?", f.Project)
	}
	if len(statuses) == 1 {
		q.and("status = ?", statuses[0])
	} else if len(statuses) > 1 {
		list := make([]any, len(statuses))
		for i, s := range statuses {
			list[i] = s
		}
		q.and("status IN (?"+strings.Repeat(", ?", len(statuses)-1)+")", list...)
	}
	if f.Name != "" {
		q.and("name = ?", f.Name)
	}
	// The second half tells SQLite that it may use the partial index.
	if f.Parent != "" {
		q.and("parent = ? AND parent <> ''", f.Parent)
	}
	if f.Tag != "" {
		q.and("tag = ? AND tag <> ''", f.Tag)
	}
	if by == "due" {
		q.and("due IS NOT NULL AND due <= ?", f.DueBy.UTC().UnixMicro())
	}
}

// after gives the smallest text that is greater than every text with this prefix, or "" when there is none.
func after(prefix string) string {
	b := []byte(prefix)
	for i := len(b) - 1; i >= 0; i-- {
		if b[i] < 0xff {
			b[i]++
			return string(b[:i+1])
		}
	}
	return ""
}
