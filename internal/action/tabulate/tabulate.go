// Package tabulate draws data as a table of text: columns stand where the eye expects them, whatever the alphabet.
//
// Cells come from outside, so control characters in them are shown, not obeyed: data cannot move a terminal's cursor or
// begin a row of its own.
package tabulate

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/tendhq/tend/internal/action"
	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/value"
)

const (
	maxRows    = 100_000
	maxColumns = 1_000
	maxCells   = 2_000_000
	maxTable   = 16 << 20
)

// Action is the action.
type Action struct{}

// New gives the action.
func New() Action { return Action{} }

// Spec implements action.Action.
func (Action) Spec() contract.Spec {
	older := map[string]string{
		"INPUT": "rows", "HEADERS": "headers", "INCLUDE_FILTER": "include", "COLUMN_WIDTH": "width", "MAX_COLUMN_LENGTH": "max",
		"GROUP_HEADER_NAME": "groupHeader", "MAP_GROUP": "groups",
	}
	return contract.Spec{
		Name:    "tabulate",
		Summary: "Draws a list of maps as a table of text.",
		Doc: "Each map is a row. `headers` says which columns there are and what stands above them: `keys` (all keys of all rows, in " +
			"order), a list of keys (also as text with commas), or a map from key to title. `include` leaves only the named keys, in " +
			"its order. A row without a key has an empty cell there; numbers stand at the right.\n\n" +
			"With `groups`, `rows` is a map of lists: the rows of the named groups stand below one another, with the name of the " +
			"group in a column of its own, titled `groupHeader`. `rows` may also be JSON text.",
		Effect: contract.Read,
		Proven: true,
		Inputs: []contract.Field{
			{Name: "rows", Type: contract.Any, Required: true, Description: "The rows."},
			{Name: "headers", Type: contract.Any, Default: "keys", Description: "The columns."},
			{Name: "include", Type: contract.Any, Description: "The only keys to show: a list, or text with commas."},
			{Name: "width", Type: contract.Number, Description: "Break cells that are wider than this into several lines."},
			{Name: "max", Type: contract.Number, Description: "Cut cells that are wider than this."},
			{Name: "groups", Type: contract.Any, Description: "Names of groups of rows: a list, or text with commas."},
			{Name: "groupHeader", Type: contract.String, Default: "group", Description: "Title of the column with the group's name."},
		},
		Outputs: []contract.Field{
			{Name: "value", Type: contract.String, Description: "The table."},
			{Name: "count", Type: contract.Number, Description: "How many rows it has."},
		},
		Ends: []contract.End{
			{When: "the table was drawn, also one without rows", Outcome: "succeeded"},
			{When: "there are more than 100,000 rows, 1,000 columns, 2,000,000 cells or 16 MiB", Outcome: "failed", Kind: fault.Limit},
			{When: "an input is wrong: rows that are no maps, a group that is not there", Outcome: "not-started", Kind: fault.Invalid},
			{When: "the step was cancelled before it began", Outcome: "not-started", Kind: fault.Cancelled},
			{When: "the time limit passed before it began", Outcome: "not-started", Kind: fault.Timeout},
		},
		Examples: []contract.Example{{
			Title: "Sessions, the interesting columns only",
			YAML:  "- id: table\n  uses: tabulate\n  with:\n    rows: '{{ $.steps.sessions.rows }}'\n    headers: {pid: PID, age: Age, query: Query}\n    max: 60\n",
		}},
		Aliases: []contract.Alias{
			{Name: "utils/tabulate", Inputs: older, Outputs: map[string]string{"tabulate_output": ".value"}},
			{Name: "parsers/tabulate", Inputs: older, Outputs: map[string]string{"tabulate_output": ".value"}},
		},
	}
}

type inputs struct {
	Rows        any    `in:"rows"`
	Headers     any    `in:"headers"`
	Include     any    `in:"include"`
	Width       int    `in:"width"`
	Max         int    `in:"max"`
	Groups      any    `in:"groups"`
	GroupHeader string `in:"groupHeader"`
}

// Run implements action.Action.
func (Action) Run(ctx context.Context, req action.Request, _ action.Log) action.Result {
	if ctx.Err() != nil {
		k, why := action.Stopped(ctx)
		return action.Never(k, why+" before the table was drawn")
	}
	in := inputs{Headers: "keys", GroupHeader: "group"}
	if err := action.Decode(req.Inputs, &in); err != nil {
		return action.Never(fault.Invalid, err.Error())
	}
	t, err := in.table()
	if err == nil {
		var text string
		if text, err = t.draw(in.Width, in.Max); err == nil {
			return action.OK(map[string]any{"value": text, "count": int64(len(t.rows))})
		}
	}
	if fault.Is(err, fault.Limit) {
		return action.Fail(fault.Limit, err.Error())
	}
	return action.Never(fault.Invalid, err.Error())
}

func invalid(format string, a ...any) error { return fault.New(fault.Invalid, format, a...) }

// column is a key with its title.
type column struct{ key, title string }

// row is a map, and the group that it belongs to.
type row struct {
	group string
	cells map[string]any
}

type table struct {
	columns []column
	rows    []row
	group   string // title of the groups' column; "" is none
}

func (in inputs) table() (t table, err error) {
	var problems []error
	if action.HasSecret(in.Rows) || action.HasSecret(in.Headers) {
		return t, invalid("rows: a secret was given as data: the table would show it")
	}
	if in.Width < 0 || in.Max < 0 {
		problems = append(problems, invalid("width and max cannot be negative"))
	}
	groups, err := names("groups", in.Groups)
	problems = append(problems, err)
	rows, err := data("rows", in.Rows)
	problems = append(problems, err)
	if err := errors.Join(problems...); err != nil {
		return t, err
	}
	if len(groups) == 0 {
		t.rows, err = list("rows", "", rows)
	} else {
		t.group = in.GroupHeader
		t.rows, err = grouped(rows, groups)
	}
	if err != nil {
		return t, err
	}
	if len(t.rows) > maxRows {
		return t, fault.New(fault.Limit, "there are more than %d rows", maxRows)
	}
	include, err := names("include", in.Include)
	if err != nil {
		return t, err
	}
	if t.columns, err = columns(in.Headers, include, t.rows); err != nil {
		return t, err
	}
	if len(t.columns) > maxColumns || len(t.columns)*len(t.rows) > maxCells {
		return t, fault.New(fault.Limit, "there are more than %d columns or %d cells", maxColumns, maxCells)
	}
	return t, nil
}

// data reads a value that may be JSON text.
func data(what string, v any) (any, error) {
	s, ok := v.(string)
	if !ok {
		n, err := value.Normalize(v)
		if err != nil {
			return nil, invalid("%s: %s", what, err)
		}
		return n, nil
	}
	if strings.TrimSpace(s) == "" {
		return nil, nil
	}
	n, err := value.Parse([]byte(s))
	if err != nil {
		return nil, invalid("%s: the text is not JSON: %s", what, err)
	}
	return n, nil
}

func list(what, group string, v any) ([]row, error) {
	if v == nil {
		return nil, nil
	}
	l, ok := v.([]any)
	if m, one := v.(map[string]any); one {
		l, ok = []any{m}, true // a single row
	}
	if !ok {
		return nil, invalid("%s: expected a list of maps", what)
	}
	out := make([]row, 0, len(l))
	for i, e := range l {
		m, ok := e.(map[string]any)
		if !ok {
			return nil, invalid("%s[%d]: expected a map", what, i)
		}
		out = append(out, row{group: group, cells: m})
	}
	return out, nil
}

func grouped(v any, groups []string) ([]row, error) {
	m, ok := v.(map[string]any)
	if !ok && v != nil {
		return nil, invalid("rows: with groups, expected a map of lists")
	}
	var out []row
	for _, g := range groups {
		of, ok := m[g]
		if !ok {
			return nil, invalid("rows: there is no group %.60q", g)
		}
		rows, err := list("rows."+g, g, of)
		if err != nil {
			return nil, err
		}
		out = append(out, rows...)
	}
	return out, nil
}

// names reads a list of names: a list, JSON text, or text with commas.
func names(what string, v any) ([]string, error) {
	if s, ok := v.(string); ok {
		if t := strings.TrimSpace(s); strings.HasPrefix(t, "[") {
			n, err := value.Parse([]byte(t))
			if err != nil {
				return nil, invalid("%s: the text is not JSON: %s", what, err)
			}
			v = n
		} else {
			var out []string
			for p := range strings.SplitSeq(s, ",") {
				if p = strings.TrimSpace(p); p != "" {
					out = append(out, p)
				}
			}
			return out, nil
		}
	}
	if v == nil {
		return nil, nil
	}
	l, ok := v.([]any)
	if !ok {
		return nil, invalid("%s: expected a list of names", what)
	}
	out := make([]string, 0, len(l))
	for i, e := range l {
		switch e.(type) {
		case string, int64, int, float64, bool:
			out = append(out, value.Text(e))
		default:
			return nil, invalid("%s[%d]: expected a name", what, i)
		}
	}
	return out, nil
}

// columns decides which columns there are.
func columns(headers any, include []string, rows []row) ([]column, error) {
	titles := map[string]any{}
	var keys []string
	switch h := headers.(type) {
	case map[string]any:
		titles = h
	case string:
		if strings.HasPrefix(strings.TrimSpace(h), "{") {
			v, err := value.Parse([]byte(h))
			m, ok := v.(map[string]any)
			if err != nil || !ok {
				return nil, invalid("headers: the text is not a JSON map from key to title")
			}
			titles = m
			keys = order(h, m)
		} else if h = strings.TrimSpace(h); h != "keys" && h != "" {
			var err error
			if keys, err = names("headers", h); err != nil {
				return nil, err
			}
		}
	case nil:
	default:
		var err error
		if keys, err = names("headers", headers); err != nil {
			return nil, err
		}
	}
	if len(titles) > 0 && len(keys) == 0 {
		keys = slices.Sorted(maps.Keys(titles))
	}
	if len(keys) == 0 {
		keys = all(rows)
	}
	if len(include) > 0 {
		keys = slices.DeleteFunc(slices.Clone(include), func(k string) bool { return len(titles) == 0 && !slices.Contains(keys, k) })
	}
	out := make([]column, len(keys))
	for i, k := range keys {
		out[i] = column{key: k, title: k}
		if t, ok := titles[k]; ok {
			out[i].title = value.Text(t)
		}
	}
	return out, nil
}

// order gives the keys of a JSON map in the order in which they are written.
func order(text string, m map[string]any) []string {
	keys := slices.Collect(maps.Keys(m))
	at := make(map[string]int, len(keys))
	for _, k := range keys {
		b, _ := value.Canonical(k) // of a text; it cannot go wrong
		at[k] = strings.Index(text, string(b))
	}
	slices.SortFunc(keys, func(a, b string) int {
		if at[a] != at[b] {
			return at[a] - at[b]
		}
		return strings.Compare(a, b)
	})
	return keys
}

// all gives the keys of all rows in order.
func all(rows []row) []string {
	seen := map[string]bool{}
	for _, r := range rows {
		for k := range r.cells {
			seen[k] = true
		}
	}
	return slices.Sorted(maps.Keys(seen))
}
