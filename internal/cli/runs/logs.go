package runs

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tendhq/tend/internal/app"
	"github.com/tendhq/tend/internal/cli/frame"
	"github.com/tendhq/tend/internal/engine"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/history"
	"github.com/tendhq/tend/internal/terminal"
	"github.com/tendhq/tend/internal/transcript"
)

func (p commands) runsLogsCommand() *cobra.Command {
	var step, stream, output string
	var attempt int
	var times bool
	c := &cobra.Command{
		Use:   "logs RUN",
		Short: "Show what the steps of a run printed",
		Args:  frame.SomeArgs(1, 1, aRun),
		RunE: func(c *cobra.Command, args []string) error {
			if stream != "" && stream != "stdout" && stream != "stderr" && stream != "tend" {
				return fault.New(fault.Invalid, "--stream: there is no stream %q", stream).WithNext("one of: stdout, stderr, tend")
			}
			return p.Look(c.Context(), func(s *app.Session) error {
				row, err := frame.FindRun(c.Context(), s.Engine, args[0])
				if err != nil {
					return err
				}
				fold, _, err := frame.Read(c.Context(), s.Engine, row)
				if err != nil {
					return err
				}
				found, any := false, false
				var failed error
				fold.View().Walk(func(st *history.Step, _ int) {
					if failed != nil || (step != "" && st.ID != step && st.Path != step) {
						return
					}
					found = true
					for _, a := range st.Attempts {
						if a.Log == nil || (attempt > 0 && a.Number != attempt) {
							continue
						}
						any = true
						failed = p.printLog(c.Context(), s.Engine, row.ID, st, a, logForm{stream, output, times, step == ""})
					}
				})
				switch {
				case failed != nil:
					return failed
				case step != "" && !found:
					return fault.New(fault.NotFound, "run %s has no step %q", row.ID, step).WithNext("`tend runs show %s` names them", row.ID)
				case !any:
					p.Talk("nothing was printed")
				}
				return nil
			})
		},
	}
	f := c.Flags()
	f.StringVar(&step, "step", "", "only this step: its id or path")
	f.IntVar(&attempt, "attempt", 0, "only this attempt")
	f.StringVar(&stream, "stream", "", "only stdout, stderr, or tend (what tend says about the step)")
	f.BoolVarP(&times, "time", "t", false, "with the time of each line")
	frame.OutputFlag(c, &output, "text", frame.AsJSON)
	return c
}

type logForm struct {
	stream, output string
	times, heads   bool
}

// logLine is a line of -o json.
type logLine struct {
	Path    string `json:"path"`
	Attempt int    `json:"attempt"`
	transcript.Line
}

func (p commands) printLog(ctx context.Context, s engine.Service, id string, st *history.Step, a history.Attempt, f logForm) error {
	b, err := s.Blob(ctx, id, *a.Log)
	if err != nil {
		return fmt.Errorf("read the log of %s: %w", st.Label(), err)
	}
	if f.heads && f.output == "text" {
		head := terminal.Line(st.Label())
		if st.Count > 1 {
			head += fmt.Sprintf(", attempt %d", a.Number)
		}
		if _, err := fmt.Fprintln(p.Out, p.OutStyle.Bold("== "+head)); err != nil {
			return err
		}
	}
	enc := json.NewEncoder(p.Out)
	enc.SetEscapeHTML(false)
	for line, err := range transcript.Read(bytes.NewReader(b)) {
		if err != nil {
			return fmt.Errorf("read the log of %s: %w", st.Label(), err)
		}
		if f.stream != "" && line.Stream != f.stream {
			continue
		}
		if f.output == frame.AsJSON {
			err = enc.Encode(logLine{st.Path, a.Number, line})
		} else {
			err = p.printLine(line, f.times)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (p commands) printLine(l transcript.Line, times bool) error {
	text := l.Text
	if p.OutStyle.TTY {
		text = terminal.Clean(strings.TrimRight(text, "\n"))
	}
	if times {
		text = p.OutStyle.Dim(l.At.Local().Format("15:04:05.000")+" "+l.Stream+" ") + text
	}
	end := "\n"
	if l.More {
		end = ""
	}
	_, err := fmt.Fprint(p.Out, text+end)
	return err
}
