package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/tendhq/tend/internal/access"
	"github.com/tendhq/tend/internal/store"
)

// found is a row of a list, and whether it is as it was written.
type found struct {
	store.Row

	whole bool
}

// Rows implements store.Store.
func (s *Store) Rows(ctx context.Context, f store.Filter) (store.Page, error) {
	start, more, err := f.Start()
	if err != nil {
		return store.Page{}, err
	}
	done, err := s.read(ctx)
	if err != nil {
		return store.Page{}, err
	}
	defer done()
	parts := arms(&f)
	var all []found
	for _, a := range parts {
		q := query{f: &f}
		q.write(a)
		if more {
			q.after(start)
		}
		if all, err = s.list(ctx, &q, all); err != nil {
			return store.Page{}, classify(err, "list %s", f.Kind)
		}
	}
	if len(parts) > 1 { // each is in order, and some have rows in common
		slices.SortFunc(all, func(a, b found) int { return f.Compare(f.Position(&a.Row), f.Position(&b.Row)) })
		all = slices.CompactFunc(all, func(a, b found) bool { return a.ID == b.ID })
	}
	var page store.Page
	if n := f.Rows(); len(all) > n {
		all = all[:n]
		page.Next = f.Position(&all[n-1].Row).Cursor()
	}
	for i := range all {
		if !all[i].whole {
			page.Damaged = append(page.Damaged, all[i].Key)
			continue
		}
		page.Rows = append(page.Rows, all[i].Row)
	}
	return page, nil
}

// list adds what a query selects.
func (s *Store) list(ctx context.Context, q *query, to []found) ([]found, error) {
	st, err := s.rows.get(ctx, s.reads, q.text()) //nolint:sqlclosecheck // kept until close
	if err != nil {
		return nil, err
	}
	rows, err := st.QueryContext(ctx, q.args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		r, whole, err := scanRow(rows)
		if err != nil {
			return nil, err
		}
		to = append(to, found{r, whole})
	}
	return to, rows.Err()
}

const rowColumns = "row.kind, row.id, row.project, row.status, row.name, row.parent, row.tag, row.at, row.due, row.labels, row.body, row.crc"

// scanRow reads a row, and tells whether it is as it was written.
func scanRow(rows *sql.Rows) (r store.Row, whole bool, err error) {
	var at, crc int64
	var due sql.NullInt64
	var labels string
	err = rows.Scan(&r.Kind, &r.ID, &r.Project, &r.Status, &r.Name, &r.Parent, &r.Tag, &at, &due, &labels, &r.Body, &crc)
	r.At = moment(at)
	if due.Valid {
		r.Due = moment(due.Int64)
	}
	whole = crc == int64(rowSum(&r, labels))
	if labels != "" && json.Unmarshal([]byte(labels), &r.Labels) != nil {
		whole = false
	}
	return r, whole, err
}

// moment reads a stored time. The zero time is stored like any other.
func moment(micro int64) time.Time { return time.UnixMicro(micro).UTC() }

// arm is a part of a list that an index has in order: the rows of one project, those with one label, each by status. A list of
// few among many would otherwise be looked for among all.
type arm struct {
	bound   bool
	project string // when bound
	labels  map[string]string
	status  []string // one, or any of several where that is not what the rows are found by
}

// arms are what a list is put together from. None: nothing of it may be seen.
func arms(f *store.Filter) []arm {
	statuses := slices.Compact(slices.Sorted(slices.Values(f.Status)))
	parts := spans(f)
	if len(statuses) < 2 || f.ByDue() {
		for i := range parts {
			parts[i].status = statuses
		}
		return parts
	}
	out := make([]arm, 0, len(parts)*len(statuses))
	for _, a := range parts {
		for i := range statuses {
			a.status = statuses[i : i+1]
			out = append(out, a)
		}
	}
	return out
}

// spans are the parts that somebody may look at.
func spans(f *store.Filter) []arm {
	if f.Sight == nil {
		return []arm{{}}
	}
	var out []arm
	add := func(a arm) {
		same := func(x arm) bool {
			return x.bound == a.bound && x.project == a.project && maps.Equal(x.labels, a.labels)
		}
		if !slices.ContainsFunc(out, same) {
			out = append(out, a)
		}
	}
	for _, x := range f.Sight.Within {
		switch {
		case len(x.Projects) == 0 && len(x.Labels) == 0:
			return []arm{{}}
		case len(x.Projects) == 0:
			add(arm{labels: x.Labels})
		}
		for _, p := range x.Projects {
			if f.Project == "" || f.Project == p {
				add(arm{bound: true, project: p, labels: x.Labels})
			}
		}
	}
	return out
}

// query is one statement while it is written.
type query struct {
	f    *store.Filter
	from string
	by   string // the columns that it is ordered by: a time, then the id
	id   string
	cond strings.Builder
	args []any
}

func (q *query) and(cond string, a ...any) {
	if q.cond.Len() > 0 {
		q.cond.WriteString(" AND ")
	}
	q.cond.WriteString(cond)
	q.args = append(q.args, a...)
}

// owned repeats what the indexes by project are limited to: SQLite uses them only then.
const owned = "row.project <> 'default' AND row.kind IN ('run', 'task', 'incident', 'event')"

// listed tells whether the rows of a kind are found by their project.
func listed(kind string) bool {
	return kind == "run" || kind == "task" || kind == "incident" || kind == "event"
}

// write writes the conditions of a filter and an arm.
func (q *query) write(a arm) {
	f := q.f
	q.from, q.by, q.id = "row", "row.at", "row.id"
	names := slices.Sorted(maps.Keys(a.labels))
	switch {
	case f.ByDue():
		q.from, q.by = "row INDEXED BY row_due", "row.due"
	case f.Source != "" && f.ID == "" && f.Prefix == "" && f.Parent == "" && f.Tag == "":
		q.from = "row INDEXED BY row_source"
	case f.Name != "" && f.ID == "" && f.Prefix == "" && f.Parent == "" && f.Tag == "":
		q.from = "row INDEXED BY row_name" // without statistics SQLite takes the status for rarer than the name
	case len(names) > 0 && listed(f.Kind) && f.Kind != "event" && f.ID == "" && f.Parent == "" && f.Tag == "":
		// The first label leads; SQLite keeps the order of a cross join.
		q.from, q.by, q.id = "label CROSS JOIN row ON row.kind = label.kind AND row.id = label.id", "label.at", "label.id"
		q.and("label.kind = ? AND label.name = ? AND label.value = ?", f.Kind, names[0], a.labels[names[0]])
		q.oneOf("label.status", a.status)
		names = names[1:]
	}
	q.and("row.kind = ?", f.Kind)
	for _, n := range names {
		q.and(hasLabel, n, a.labels[n])
	}
	if f.ID != "" {
		q.and("row.id = ?", f.ID)
	}
	if f.Prefix != "" {
		q.and("row.id >= ?", f.Prefix)
		if end := after(f.Prefix); end != "" {
			q.and("row.id < ?", end)
		}
	}
	if project := f.Project; project != "" || a.bound {
		if a.bound {
			project = a.project
		}
		q.and("row.project = ?", project)
		if project != "default" && listed(f.Kind) {
			q.and(owned)
		}
	}
	q.oneOf("row.status", a.status)
	if f.Source != "" {
		q.and(sourceOf+" = ? AND row.kind = 'event'", f.Source) // the index is of events, and SQLite uses it only when that is said
	}
	q.born(f.Since, f.Until)
	if f.Name != "" {
		q.and("row.name = ?", f.Name)
	}
	// The second half tells SQLite that it may use the partial index.
	if f.Parent != "" {
		q.and("row.parent = ? AND row.parent <> ''", f.Parent)
	}
	if f.Tag != "" {
		q.and("row.tag = ? AND row.tag <> ''", f.Tag)
	}
	if f.ByDue() {
		q.and("row.due IS NOT NULL AND row.due <= ?", f.DueBy.UTC().UnixMicro())
	}
	if f.Sight != nil {
		for i := range f.Sight.Without {
			q.not(&f.Sight.Without[i])
		}
	}
}

// sourceOf is where an event came from: the expression of the index row_source.
const sourceOf = "CASE WHEN json_valid(CAST(row.body AS TEXT)) THEN json_extract(CAST(row.body AS TEXT), '$.source') END"

// born limits the time of birth. Times are stored in whole microseconds: what is born within the one of a limit is not before it.
func (q *query) born(since, until time.Time) {
	column := "row.at"
	if q.by == "label.at" {
		column = q.by
	}
	if !since.IsZero() {
		q.and(column+" >= ?", ceil(since))
	}
	if !until.IsZero() {
		q.and(column+" < ?", ceil(until))
	}
}

// ceil gives the first microsecond that is not before t.
func ceil(t time.Time) int64 {
	micro := t.UnixMicro()
	if time.UnixMicro(micro).Before(t) {
		micro++
	}
	return micro
}

// hasLabel looks at the labels of one row.
const hasLabel = "EXISTS (SELECT 1 FROM json_each(iif(row.labels = '', '{}', row.labels)) AS l WHERE l.key = ? AND l.value = ?)"

// oneOf compares with one of several texts; with none of them it says nothing.
func (q *query) oneOf(column string, texts []string) {
	switch len(texts) {
	case 0:
	case 1:
		q.and(column+" = ?", texts[0])
	default:
		args := make([]any, len(texts))
		for i, t := range texts {
			args[i] = t
		}
		q.and(column+" IN (?"+strings.Repeat(", ?", len(texts)-1)+")", args...)
	}
}

// not leaves out a part.
func (q *query) not(x *access.Span) {
	conds, args := []string{"1"}, []any{}
	if n := len(x.Projects); n > 0 {
		conds = append(conds, "row.project IN (?"+strings.Repeat(", ?", n-1)+")")
		for _, p := range x.Projects {
			args = append(args, p)
		}
	}
	for _, n := range slices.Sorted(maps.Keys(x.Labels)) {
		conds = append(conds, hasLabel)
		args = append(args, n, x.Labels[n])
	}
	q.and("NOT ("+strings.Join(conds, " AND ")+")", args...)
}

// after begins behind a position.
func (q *query) after(p store.Position) {
	than := " < "
	if q.f.Ascending() {
		than = " > "
	}
	q.and("("+q.by+", "+q.id+")"+than+"(?, ?)", p.Micro, p.ID)
}

// text gives the statement; it asks for one row more than a page has.
func (q *query) text() string {
	dir := " DESC"
	if q.f.Ascending() {
		dir = ""
	}
	q.args = append(q.args, q.f.Rows()+1)
	return "SELECT " + rowColumns + " FROM " + q.from + " WHERE " + q.cond.String() + " ORDER BY " + q.by + dir + ", " + q.id + dir + " LIMIT ?"
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
