// Package report writes the story of a run as one HTML file that needs nothing else: no script, no font, no network. It
// shows how the run stands and why, its graph, its steps with what they were given and gave, the time line, and the logs.
//
// Secrets are out before they come here: the view masks what was recorded unrendered and sensitive parameters, and logs
// were masked when they were written. Whatever a text holds, it cannot become markup: everything is escaped by
// html/template, and the page forbids scripts by its content security policy.
package report

import (
	"fmt"
	"html/template"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/tendhq/tend/internal/program"

	_ "embed"

	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/graph"
	"github.com/tendhq/tend/internal/history"
	"github.com/tendhq/tend/internal/value"
)

// Run is what a report is made of.
type Run struct {
	View    *history.View
	Program *program.Program // nil: without a graph
	Outputs map[string]any
	// Log gives the lines that an attempt printed; nil leaves logs out. An error is shown in the place of the log.
	Log func(entry.Ref) ([]Line, error)
	At  time.Time
	By  string // version of tend
}

// Line is one line of a log.
type Line struct {
	At     time.Time
	Stream string
	Text   string
}

//go:embed page.html
var page string

// HTML writes the report.
func HTML(w io.Writer, r Run) error {
	t, err := template.New("page").Funcs(template.FuncMap{
		"time": clock, "took": took, "data": data, "join": strings.Join, "explain": history.Explain, "log": r.log, "over": func(s history.Status) bool { return s.Over() },
	}).Parse(page)
	if err != nil {
		return fmt.Errorf("parse the page: %w", err)
	}
	p := struct {
		Run
		Graph template.HTML
		Rows  []row
	}{Run: r}
	if r.Program != nil {
		var b strings.Builder
		if err := graph.SVG(&b, r.Program, State(r.View)); err != nil {
			return fmt.Errorf("draw the playbook: %w", err)
		}
		p.Graph = template.HTML(b.String()) //nolint:gosec // package graph escapes every text for XML and writes no script
	}
	r.View.Walk(func(s *history.Step, depth int) { p.Rows = append(p.Rows, row{s, depth}) })
	return t.Execute(w, p)
}

// Took is how long the run took, or 0 while it goes on.
func (r Run) Took() time.Duration {
	if r.View.Ended.IsZero() {
		return 0
	}
	return r.View.Ended.Sub(r.View.Created)
}

type row struct {
	*history.Step
	Depth int
}

// Part is the part of its block that the step stands in, unless its label says so already: "verify of restart".
func (r row) Part() string {
	if strings.HasPrefix(r.Label(), r.Section+" of ") {
		return ""
	}
	return r.Section
}

// State lays the progress of a run over the drawing of its playbook. Of the iterations of a loop the worst status shows.
func State(v *history.View) graph.State {
	marks := map[string]graph.Mark{}
	v.Walk(func(s *history.Step, _ int) {
		path := graph.Static(s.Path)
		m := graph.Mark{Status: string(s.Status), Targets: s.Targets}
		switch {
		case s.Status == history.Pending, s.Status == history.Unreached:
			m.Status = ""
		case s.Undo != nil && s.Undo.Done:
			m.Status = "undone"
		}
		if d := s.Duration(); d > 0 {
			m.Note = took(d)
		}
		if s.Loop != nil {
			m.Note = fmt.Sprintf("%d of %d", s.Loop.Succeeded+s.Loop.Failed+s.Loop.Skipped, s.Loop.Count)
		}
		if old, ok := marks[path]; !ok || weight(m.Status) >= weight(old.Status) {
			marks[path] = m
		}
	})
	return func(path string) graph.Mark { return marks[path] }
}

// weight orders statuses by how much a person must see them.
func weight(status string) int {
	return slices.Index([]string{"", "skipped", "carried", "succeeded", "ignored", "undone", "retrying", "verifying", "running", "waiting", "failed", "in-doubt"}, status)
}

func (r Run) log(ref *entry.Ref) template.HTML {
	if ref == nil || r.Log == nil {
		return ""
	}
	lines, err := r.Log(*ref)
	var b strings.Builder
	if err != nil {
		return template.HTML("<em>" + template.HTMLEscapeString(err.Error()) + "</em>") //nolint:gosec // escaped here
	}
	for _, l := range lines {
		fmt.Fprintf(&b, `<span class="%s"><time>%s</time> %s</span>`+"\n", template.HTMLEscapeString(l.Stream), l.At.UTC().Format("15:04:05.000"), template.HTMLEscapeString(l.Text))
	}
	return template.HTML(b.String()) //nolint:gosec // every text is escaped above
}

func clock(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04:05.000Z")
}

func took(d time.Duration) string {
	switch {
	case d <= 0:
		return ""
	case d < time.Second:
		return d.Round(time.Millisecond).String()
	default:
		return d.Round(100 * time.Millisecond).String()
	}
}

// pair is a line of a table of data.
type pair struct{ Name, Text string }

func data(v any) []pair {
	var out []pair
	flatten("", v, &out)
	return out
}

func flatten(name string, v any, out *[]pair) {
	switch x := v.(type) {
	case value.Object:
		flatten(name, map[string]any(x), out)
	case map[string]any:
		for _, k := range slices.Sorted(maps.Keys(x)) {
			at := k
			if name != "" {
				at = name + "." + k
			}
			flatten(at, x[k], out)
		}
	case nil:
	default:
		*out = append(*out, pair{name, value.Text(x)})
	}
}
