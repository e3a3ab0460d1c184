package follow

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/tendhq/tend/internal/app"
	"github.com/tendhq/tend/internal/cli/frame"
	"github.com/tendhq/tend/internal/engine"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/history"
	"github.com/tendhq/tend/internal/run"
	"github.com/tendhq/tend/internal/terminal"
	"github.com/tendhq/tend/internal/value"
)

// Unmoved says how a run goes on that got what it waited for while no process moves it.
func Unmoved(p *frame.Process, c *cobra.Command, s *app.Session, id string) error {
	if s.Remote != nil {
		return nil
	}
	root, err := RootOf(c, s, id)
	if err == nil {
		p.Talk("no process moves run %s now: `tend runs resume %s` goes on", root, root)
	}
	return err
}

// RootOf finds the run that called a run, and so on: that one must be resumed.
func RootOf(c *cobra.Command, s *app.Session, id string) (string, error) {
	for range 100 {
		row, err := frame.FindRun(c.Context(), s.Engine, id)
		if err != nil {
			return "", err
		}
		if row.Parent == "" || run.Status(row.Status).Ended() {
			return row.ID, nil
		}
		id = row.Parent
	}
	return id, nil
}

// Drive follows a run that this process is responsible for, closes the session, and gives the run's exit code.
func Drive(ctx context.Context, p *frame.Process, s *app.Session, id string, asData bool) error {
	w, err := New(ctx, p, s, id, true, asData)
	if err != nil {
		return errors.Join(err, s.Close())
	}
	w.Title(w.Fold.View().Name)
	werr := w.Watch(ctx)
	var serr error
	if werr == nil {
		serr = w.Conclude(ctx, asData)
	}
	if err := Leave(ctx, p, s, w.left); err != nil && werr == nil && serr == nil {
		return err
	}
	return CmpErr(werr, serr)
}

// CmpErr gives the first error that is none.
func CmpErr(errs ...error) error {
	for _, e := range errs {
		if e != nil {
			return e
		}
	}
	return nil
}

// Leave closes a session after what this process drives for others has ended.
func Leave(ctx context.Context, p *frame.Process, s *app.Session, now bool) error {
	if now {
		return s.Abandon()
	}
	ctx, stop := frame.Interruptible(ctx)
	err := s.Settle(ctx, func(text string) { p.Talk("%s", text) })
	stop()
	if errors.Is(err, context.Canceled) {
		return s.Abandon()
	}
	return errors.Join(err, s.Close())
}

// Conclude says how the run stands, where to look, and what to type next.
func (w *Watcher) Conclude(ctx context.Context, asData bool) error {
	p, v := w.p, w.Fold.View()
	if !w.ended {
		v.SetWaits(w.status, w.waits)
	}
	switch {
	case w.left:
		v.Status = string(run.Interrupted)
	case v.Status == string(run.Running) && slices.ContainsFunc(v.Waits, func(x history.Wait) bool { return x.For == "permit" }):
		v.Status = string(run.Waiting)
	}
	outputs, err := OutputsOf(ctx, w.session.Engine, v)
	if lost(w.session, err) {
		err = p.Look(ctx, func(s *app.Session) (err error) {
			outputs, err = OutputsOf(ctx, s.Engine, v)
			return err
		})
	}
	if err != nil {
		return err
	}
	if asData {
		err = p.Data(frame.AsJSON, resultOf(v, outputs))
	} else {
		err = writeSummary(p.Out, p.OutStyle, v, outputs)
	}
	if err != nil && !errors.Is(err, syscall.EPIPE) {
		return err
	}
	return frame.Exit(runExit(v))
}

// runExit maps how a run stands to an exit code.
func runExit(v *history.View) int {
	switch run.Status(v.Status) {
	case run.Succeeded:
		return frame.ExitOK
	case run.Failed:
		if v.TimedOut {
			return frame.ExitTimeout
		}
		return frame.ExitFailed
	case run.Cancelled, run.Interrupted:
		return frame.ExitInterrupted
	case run.InDoubt:
		return frame.ExitDoubt
	case run.Quarantined:
		return frame.ExitFailed
	case run.Pending, run.Running, run.Waiting, run.Paused, run.Cancelling, run.Undoing:
	}
	if slices.ContainsFunc(v.Waits, func(w history.Wait) bool { return w.For == "doubt" }) {
		return frame.ExitDoubt // of a sub-playbook
	}
	return frame.ExitParked
}

// result is what `tend run -o json` prints.
type result struct {
	Run      string         `json:"run"`
	Playbook string         `json:"playbook"`
	Status   string         `json:"status"`
	Outputs  map[string]any `json:"outputs,omitempty"`
	Changed  []string       `json:"changed,omitempty"`
	Fault    *entry.Fault   `json:"fault,omitempty"`
	Doubts   []string       `json:"doubts,omitempty"`
	Undone   string         `json:"undone,omitempty"`
	Waits    []history.Wait `json:"waits,omitempty"`
	Explain  string         `json:"explain"`
}

func resultOf(v *history.View, outputs map[string]any) result {
	return result{
		Run: v.ID, Playbook: v.Name, Status: v.Status, Outputs: outputs, Changed: v.Changed(), Fault: v.Fault, Doubts: v.Doubts,
		Undone: v.Undone, Waits: v.Waits, Explain: Explained(v),
	}
}

// OutputsOf gives the outputs of a run, also those that were too large for an entry.
func OutputsOf(ctx context.Context, s engine.Service, v *history.View) (map[string]any, error) {
	if v.Ref == nil {
		return v.Outputs, nil
	}
	b, err := s.Blob(ctx, v.ID, *v.Ref)
	if err != nil {
		return nil, err
	}
	out, err := value.Parse(b)
	if err != nil {
		return nil, fault.Wrap(fault.Damaged, err, "read the outputs of %s", v.ID)
	}
	return frame.MapOf(out), nil
}

func writeSummary(out io.Writer, s terminal.Style, v *history.View, outputs map[string]any) error {
	var b strings.Builder
	status := v.Status
	switch run.Status(v.Status) {
	case run.Succeeded:
		status = s.Green(status)
	case run.Failed, run.Quarantined:
		status = s.Red(status)
	default:
		status = s.Yellow(status)
	}
	b.WriteString("\n" + s.Bold(status))
	if !v.Ended.IsZero() && !v.Started.IsZero() {
		b.WriteString(s.Dim("  in " + frame.Span(v.Ended.Sub(v.Started))))
	}
	b.WriteString("\n")
	if run.Status(v.Status) != run.Succeeded || len(v.Doubts) > 0 {
		fmt.Fprintf(&b, "%s\n", terminal.Clean(Explained(v)))
	}
	if c := v.Changed(); len(c) > 0 {
		more := ""
		if len(c) > 20 {
			more = fmt.Sprintf(" and %d more", len(c)-20)
		}
		fmt.Fprintf(&b, "changed: %s%s\n", terminal.Line(strings.Join(c[:min(len(c), 20)], ", ")), more)
	}
	if len(outputs) > 0 {
		b.WriteString("outputs:\n")
		for _, k := range slices.Sorted(maps.Keys(outputs)) {
			fmt.Fprintf(&b, "  %s: %s\n", terminal.Line(k), frame.Indent(terminal.Clean(value.Text(outputs[k])), "    "))
		}
	}
	fmt.Fprintf(&b, "%s\n", s.Dim("look: tend runs show "+v.ID))
	_, err := io.WriteString(out, b.String())
	return err
}

// overdue is how long what is due may take to be seen to before people are told that nobody does.
const overdue = 2 * time.Second

// Explained tells why a run is where it is. What was to happen at a time that has passed happens when somebody drives it.
func Explained(v *history.View) string {
	text := history.Explain(v)
	if slices.ContainsFunc(v.Waits, func(w history.Wait) bool { return !w.Until.IsZero() && time.Since(w.Until) > overdue }) {
		text += " That time has passed, and no process drives the run: `tend runs resume " + v.ID + "` goes on."
	}
	return text
}
