package httpapi

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/tendhq/tend/internal/access"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/graph"
	"github.com/tendhq/tend/internal/history"
	"github.com/tendhq/tend/internal/panel"
	"github.com/tendhq/tend/internal/program"
	"github.com/tendhq/tend/internal/report"
	"github.com/tendhq/tend/internal/store"
	"github.com/tendhq/tend/internal/story"
	"github.com/tendhq/tend/internal/wire"
)

// looks are the ways to look at a run as people do: folded, masked, in words.
func (s *server) looks(a *api) {
	look := access.Need{Verb: access.View, Kind: "run"}
	add(a, look, http.MethodGet, "/v1/runs/{run}/glance", about{
		id: "glanceRun", tag: "runs", summary: "A run at a glance: how it stands and why, and each of its steps in a few words",
		text: "Of long loops the last iterations and the first failures. `/live` tells what changes in it.",
	}, s.glance)
	add(a, look, http.MethodGet, "/v1/runs/{run}/step", about{
		id: "runStep", tag: "runs", summary: "One step of a run: what it was given and gave, its attempts, what was asked about it",
	}, s.step)
	add(a, look, http.MethodGet, "/v1/runs/{run}/graph", about{
		id: "runGraph", tag: "runs", summary: "The playbook of a run, laid out: boxes on a grid and the lines between them",
		text: "The same layout as that of `tend graph`, with room in the boxes for the state of the steps. `place` of a step in the glance is `path` of its box.",
	}, s.graph)
	add(a, look, http.MethodGet, "/v1/runs/{run}/log", about{
		id: "runLog", tag: "runs", summary: "What an attempt of a step printed", media: "application/jsonl",
		text: "A line of JSON for each line of the log: at, stream, text, more. While the attempt acts `/live` tells what it prints.",
	}, s.log)
	add(a, look, http.MethodGet, "/v1/runs/{run}/report", about{
		id: "reportRun", tag: "runs", summary: "The story of a run as one HTML file that needs nothing else", media: "text/html",
		text: "Secrets and sensitive parameters are out.",
	}, s.reportRun)
}

type glanceOutput struct{ Body wire.Glance }

func (s *server) glance(ctx context.Context, in *RunPath) (*glanceOutput, error) {
	r, err := s.glanceAt(ctx, in.Run)
	if err != nil {
		return nil, err
	}
	return &glanceOutput{*r}, nil
}

func (s *server) glanceAt(ctx context.Context, id string) (*panel.Run, error) {
	var out panel.Run
	err := s.shelf.Tell(ctx, s.Engine, id, func(t *story.Story, row store.Row) error {
		v := t.Fold.View()
		outputs, err := t.Outputs(ctx, s.Engine)
		out = panel.Of(v, panel.About{Project: row.Project, Metadata: t.Metadata, Outputs: outputs, Seq: t.Seq()})
		if err != nil {
			out.Head.Remarks = append(out.Head.Remarks, err.Error())
		}
		return nil
	})
	return &out, err
}

// StepPath names a step of a run.
type StepPath struct {
	RunPath

	Path string `query:"path" required:"true" maxLength:"4000" doc:"Path of the step, as the glance has it."`
}

type stepOutput struct{ Body wire.StepDetail }

// mostLarge bounds an output that is shown.
const mostLarge = 1 << 20

func (s *server) step(ctx context.Context, in *StepPath) (*stepOutput, error) {
	out := &stepOutput{}
	err := s.shelf.Tell(ctx, s.Engine, in.Run, func(t *story.Story, _ store.Row) error {
		st, err := find(t, in.Run, in.Path)
		if err != nil {
			return err
		}
		out.Body.Step = panel.Detail(st)
		switch {
		case st.Ref == nil:
		case st.Ref.Size > mostLarge:
			out.Body.Cut = "it is larger than a page shows: `tend runs show --inputs " + in.Run + "` prints it"
		default:
			if out.Body.Large, err = t.Large(ctx, s.Engine, *st.Ref); err != nil {
				out.Body.Cut = err.Error()
			}
		}
		return nil
	})
	return out, err
}

func find(t *story.Story, id, path string) (*history.Step, error) {
	var found *history.Step
	t.Fold.View().Walk(func(st *history.Step, _ int) {
		if st.Path == path {
			found = st
		}
	})
	if found == nil {
		return nil, fault.New(fault.NotFound, "run %s has no step at %q, or does not keep it", id, path)
	}
	return found, nil
}

type graphOutput struct{ Body graph.Layout }

func (s *server) graph(ctx context.Context, in *RunPath) (*graphOutput, error) {
	p, err := s.Engine.Program(ctx, in.Run)
	if err != nil {
		return nil, err
	}
	return &graphOutput{roomy(p)}, nil
}

// roomy lays a playbook out with room in its boxes for what a page says of each step as the run goes on.
func roomy(p *program.Program) graph.Layout {
	l := graph.New(p, func(path string) graph.Mark {
		if path == string(graph.Start) || path == string(graph.End) {
			return graph.Mark{} // they have no state
		}
		return graph.Mark{Status: "succeeded", Note: "00 min 00 s"}
	})
	for i := range l.Boxes {
		l.Boxes[i].Status = ""
	}
	return l
}

type logInput struct {
	StepPath

	Attempt int `query:"attempt" minimum:"0" doc:"Number of the attempt. 0: the last one that printed something."`
}

// mostLog bounds the text of a log that is shown: it is what is kept of one, unless the configuration says otherwise.
const mostLog = 16 << 20

func (s *server) log(ctx context.Context, in *logInput) (*bytesOutput, error) {
	var b bytes.Buffer
	err := s.shelf.Tell(ctx, s.Engine, in.Run, func(t *story.Story, _ store.Row) error {
		st, err := find(t, in.Run, in.Path)
		if err != nil {
			return err
		}
		var of *history.Attempt
		for i := range st.Attempts {
			if x := &st.Attempts[i]; x.Log != nil && (in.Attempt == 0 || in.Attempt == x.Number) {
				of = x
			}
		}
		if of == nil {
			return nil // it printed nothing
		}
		lines, err := t.Log(ctx, s.Engine, *of.Log, mostLog, "[… the rest is left out here: tend runs logs "+in.Run+"]")
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(false)
		for _, l := range lines {
			if err := e.Encode(wire.LogLine{At: l.At, More: l.More, Stream: l.Stream, Text: l.Text}); err != nil {
				return err
			}
		}
		return err
	})
	return &bytesOutput{"application/jsonl", b.Bytes()}, err
}

type reportOutput struct {
	Type   string `header:"Content-Type"`
	As     string `header:"Content-Disposition"`
	Policy string `header:"Content-Security-Policy"`
	Body   []byte
}

func (s *server) reportRun(ctx context.Context, in *RunPath) (*reportOutput, error) {
	var b bytes.Buffer
	err := s.shelf.Tell(ctx, s.Engine, in.Run, func(t *story.Story, _ store.Row) error {
		r, err := t.Report(ctx, s.Engine)
		if err != nil {
			return err
		}
		r.At, r.By = time.Now(), "tend"
		return report.HTML(&b, r)
	})
	return &reportOutput{
		"text/html; charset=utf-8", `attachment; filename="` + in.Run + `.html"`,
		"sandbox; default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'", b.Bytes(),
	}, err
}
