package cli

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/tendhq/tend/internal/app"
	"github.com/tendhq/tend/internal/engine"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/history"
	"github.com/tendhq/tend/internal/plan"
	"github.com/tendhq/tend/internal/run"
	"github.com/tendhq/tend/internal/terminal"
	"github.com/tendhq/tend/internal/trace"
	"github.com/tendhq/tend/internal/value"
)

type runFlags struct {
	pairs    []string
	params   string
	event    string
	plan     bool
	step     bool
	detach   bool
	output   string
	request  string
	metadata []string
}

func (p *process) runCommand() *cobra.Command {
	var f runFlags
	c := &cobra.Command{
		Use:   "run FILE|NAME",
		Short: "Run a playbook",
		Long: "Runs a playbook and shows it live. Every step is recorded before it acts, so that nothing is lost or silently repeated\n" +
			"when this process dies: `tend runs resume` goes on.\n\n" +
			"Ctrl-C cancels in order (`finally` still runs); a second one leaves the run interrupted. Where a person must answer,\n" +
			"it asks here, or, without a terminal, parks the run and exits with 6 (7 when an outcome is in doubt).",
		Example: "  tend run reclaim-disk -p path=/var/log --plan\n  tend run playbooks/restart.yaml -p host=web-3 --event alert.json",
		GroupID: groupRun,
		Args:    someArgs(1, 1, "the file or name of a playbook"),
		RunE:    func(c *cobra.Command, args []string) error { return p.runPlaybook(c.Context(), args[0], f) },
	}
	fs := c.Flags()
	fs.StringArrayVarP(&f.pairs, "param", "p", nil, "parameter, key=value; key=@file takes the text of a file")
	fs.StringVar(&f.params, "params", "", "file with parameters, JSON or YAML (- is standard input)")
	fs.StringVar(&f.event, "event", "", "file with the event, JSON or YAML (- is standard input)")
	fs.StringArrayVar(&f.metadata, "metadata", nil, "what the playbook sees as metadata, key=value")
	fs.BoolVar(&f.plan, "plan", false, "show what would run and touch nothing")
	fs.BoolVar(&f.step, "step", false, "ask before every step")
	fs.BoolVar(&f.detach, "detach", false, "run in the background and print the id of the run")
	fs.StringVar(&f.request, "request", "", "idempotency key: a repeat with the same one gives the same run")
	outputFlag(c, &f.output, "text", asJSON)
	return c
}

// request is a run that was prepared: compiled, and its parameters bound.
type request struct {
	*compiled
	start engine.Start
}

func (p *process) prepare(arg string, f runFlags) (*request, error) {
	c, err := p.compile(arg)
	if err != nil {
		return nil, err
	}
	if err := c.refuse(); err != nil {
		return nil, err
	}
	event, err := p.readObject(f.event, "event")
	if err != nil {
		return nil, err
	}
	given, err := p.params(f.params, f.pairs)
	if err != nil {
		return nil, err
	}
	metadata, err := p.keyValues("--metadata", f.metadata)
	if err != nil {
		return nil, err
	}
	params, err := c.program.Bind(given, event, metadata, expr.New(expr.Limits{}))
	if err != nil {
		return nil, err
	}
	guards, err := c.repo.Guards(c.file.Name)
	if err != nil {
		return nil, err
	}
	dir, err := os.Getwd()
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "find the working directory")
	}
	req := f.request
	if req == "" {
		req = rand.Text()
	}
	return &request{compiled: c, start: engine.Start{
		Program: c.program, Params: params, Event: event, Metadata: metadata, Source: c.file.Name, Dir: dir,
		Stepping: f.step, Guards: guards, Request: req,
		Trace: p.trace(),
	}}, nil
}

func (p *process) runPlaybook(ctx context.Context, arg string, f runFlags) error {
	r, err := p.prepare(arg, f)
	if err != nil {
		return err
	}
	if f.plan {
		return p.showPlan(r, f.output)
	}
	if f.detach {
		return p.detach(ctx, r, f)
	}
	s, id, err := p.start(ctx, r, func(ctx context.Context) (*app.Session, error) {
		return p.act(ctx, "tend run "+arg)
	})
	if err != nil {
		return err
	}
	return p.drive(ctx, s, id, f.output == asJSON)
}

// start opens the data directory and starts the run there. An owner that ended between the two is left for another try;
// the request's key keeps it from being started twice.
func (p *process) start(ctx context.Context, r *request, open func(context.Context) (*app.Session, error)) (*app.Session, string, error) {
	for try := 1; ; try++ {
		s, err := open(ctx)
		if err != nil {
			return nil, "", err
		}
		r.start.By = s.Me
		if s.Server != "" {
			r.start.Dir = "" // a directory here is none there
		}
		id, err := startIn(ctx, s, r)
		if err == nil {
			return s, id, nil
		}
		gone := s.Remote != nil && fault.Is(err, fault.Unavailable)
		if cerr := s.Close(); !gone || try == 5 {
			return nil, "", errors.Join(err, cerr)
		}
	}
}

func startIn(ctx context.Context, s *app.Session, r *request) (string, error) {
	if names := plan.Secrets(r.program, r.start.Params); len(names) > 0 {
		missing, err := s.House.MissingSecrets(ctx, names)
		if err != nil {
			return "", err
		}
		var all []error
		for _, m := range missing {
			all = append(all, m.Err())
		}
		if len(all) > 0 {
			return "", errors.Join(all...)
		}
	}
	return s.Engine.Start(ctx, r.start)
}

// drive follows a run that this process is responsible for, closes the session, and gives the run's exit code.
func (p *process) drive(ctx context.Context, s *app.Session, id string, asData bool) error {
	w, err := p.newWatcher(ctx, s, id, true, asData)
	if err != nil {
		return errors.Join(err, s.Close())
	}
	w.title(w.fold.View().Name)
	werr := w.watch(ctx)
	var serr error
	if werr == nil {
		serr = w.conclude(ctx, asData)
	}
	if err := p.leave(ctx, s, w.left); err != nil && werr == nil && serr == nil {
		return err
	}
	return cmpErr(werr, serr)
}

func cmpErr(errs ...error) error {
	for _, e := range errs {
		if e != nil {
			return e
		}
	}
	return nil
}

// leave closes a session after what this process drives for others has ended.
func (p *process) leave(ctx context.Context, s *app.Session, now bool) error {
	if now {
		return s.Abandon()
	}
	ctx, stop := interruptible(ctx)
	err := s.Settle(ctx, func(text string) { p.talk("%s", text) })
	stop()
	if errors.Is(err, context.Canceled) {
		return s.Abandon()
	}
	return errors.Join(err, s.Close())
}

// conclude says how the run stands, where to look, and what to type next.
func (w *watcher) conclude(ctx context.Context, asData bool) error {
	p, v := w.p, w.fold.View()
	if !w.ended {
		v.SetWaits(w.status, w.waits)
	}
	switch {
	case w.left:
		v.Status = string(run.Interrupted)
	case v.Status == string(run.Running) && slices.ContainsFunc(v.Waits, func(x history.Wait) bool { return x.For == "permit" }):
		v.Status = string(run.Waiting)
	}
	outputs, err := outputsOf(ctx, w.session.Engine, v)
	if lost(w.session, err) {
		err = p.look(ctx, func(s *app.Session) (err error) {
			outputs, err = outputsOf(ctx, s.Engine, v)
			return err
		})
	}
	if err != nil {
		return err
	}
	if asData {
		err = p.data(asJSON, resultOf(v, outputs))
	} else {
		err = writeSummary(p.Out, p.out, v, outputs)
	}
	if err != nil && !errors.Is(err, syscall.EPIPE) {
		return err
	}
	return exit(runExit(v))
}

// runExit maps how a run stands to an exit code.
func runExit(v *history.View) int {
	switch run.Status(v.Status) {
	case run.Succeeded:
		return ExitOK
	case run.Failed:
		if v.TimedOut {
			return ExitTimeout
		}
		return ExitFailed
	case run.Cancelled, run.Interrupted:
		return ExitInterrupted
	case run.InDoubt:
		return ExitDoubt
	case run.Quarantined:
		return ExitFailed
	case run.Pending, run.Running, run.Waiting, run.Paused, run.Cancelling, run.Undoing:
	}
	if slices.ContainsFunc(v.Waits, func(w history.Wait) bool { return w.For == "doubt" }) {
		return ExitDoubt // of a sub-playbook
	}
	return ExitParked
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
		Undone: v.Undone, Waits: v.Waits, Explain: explained(v),
	}
}

// outputsOf gives the outputs of a run, also those that were too large for an entry.
func outputsOf(ctx context.Context, s engine.Service, v *history.View) (map[string]any, error) {
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
	return mapOf(out), nil
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
		b.WriteString(s.Dim("  in " + span(v.Ended.Sub(v.Started))))
	}
	b.WriteString("\n")
	if run.Status(v.Status) != run.Succeeded || len(v.Doubts) > 0 {
		fmt.Fprintf(&b, "%s\n", terminal.Clean(explained(v)))
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
			fmt.Fprintf(&b, "  %s: %s\n", terminal.Line(k), indent(terminal.Clean(value.Text(outputs[k])), "    "))
		}
	}
	fmt.Fprintf(&b, "%s\n", s.Dim("look: tend runs show "+v.ID))
	_, err := io.WriteString(out, b.String())
	return err
}

// trace is where the one who started this program stands in a trace, or "".
func (p *process) trace() string {
	if c, ok := trace.Parse(p.Getenv("TRACEPARENT")); ok {
		return c.String()
	}
	return ""
}
