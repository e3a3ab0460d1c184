package start

import (
	"context"
	"crypto/rand"
	"errors"
	"os"

	"github.com/spf13/cobra"

	"github.com/tendhq/tend/internal/app"
	"github.com/tendhq/tend/internal/cli/follow"
	"github.com/tendhq/tend/internal/cli/frame"
	"github.com/tendhq/tend/internal/cli/source"
	"github.com/tendhq/tend/internal/engine"
	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/plan"
	"github.com/tendhq/tend/internal/trace"
)

// RunFlags are those of `tend run`.
type RunFlags struct {
	Pairs    []string
	params   string
	event    string
	plan     bool
	step     bool
	detach   bool
	Output   string
	request  string
	metadata []string
}

func (p commands) runCommand() *cobra.Command {
	var f RunFlags
	c := &cobra.Command{
		Use:   "run FILE|NAME",
		Short: "Run a playbook",
		Long: "Runs a playbook and shows it live. Every step is recorded before it acts, so that nothing is lost or silently repeated\n" +
			"when this process dies: `tend runs resume` goes on.\n\n" +
			"Ctrl-C cancels in order (`finally` still runs); a second one leaves the run interrupted. Where a person must answer,\n" +
			"it asks here, or, without a terminal, parks the run and exits with 6 (7 when an outcome is in doubt).",
		Example: "  tend run reclaim-disk -p path=/var/log --plan\n  tend run playbooks/restart.yaml -p host=web-3 --event alert.json",
		GroupID: frame.GroupRun,
		Args:    frame.SomeArgs(1, 1, "the file or name of a playbook"),
		RunE:    func(c *cobra.Command, args []string) error { return RunPlaybook(c.Context(), p.Process, args[0], f) },
	}
	fs := c.Flags()
	fs.StringArrayVarP(&f.Pairs, "param", "p", nil, "parameter, key=value; key=@file takes the text of a file")
	fs.StringVar(&f.params, "params", "", "file with parameters, JSON or YAML (- is standard input)")
	fs.StringVar(&f.event, "event", "", "file with the event, JSON or YAML (- is standard input)")
	fs.StringArrayVar(&f.metadata, "metadata", nil, "what the playbook sees as metadata, key=value")
	fs.BoolVar(&f.plan, "plan", false, "show what would run and touch nothing")
	fs.BoolVar(&f.step, "step", false, "ask before every step")
	fs.BoolVar(&f.detach, "detach", false, "run in the background and print the id of the run")
	fs.StringVar(&f.request, "request", "", "idempotency key: a repeat with the same one gives the same run")
	frame.OutputFlag(c, &f.Output, "text", frame.AsJSON)
	return c
}

// Request is a run that was prepared: compiled, and its parameters bound.
type Request struct {
	*source.Compiled
	Start engine.Start
}

// Prepare finds and compiles a playbook, and binds what was given to its parameters.
func Prepare(p *frame.Process, arg string, f RunFlags) (*Request, error) {
	c, err := source.Compile(p, arg)
	if err != nil {
		return nil, err
	}
	if err := c.Refuse(); err != nil {
		return nil, err
	}
	event, err := p.ReadObject(f.event, "event")
	if err != nil {
		return nil, err
	}
	given, err := p.Params(f.params, f.Pairs)
	if err != nil {
		return nil, err
	}
	metadata, err := p.KeyValues("--metadata", f.metadata)
	if err != nil {
		return nil, err
	}
	params, err := c.Program.Bind(given, event, metadata, expr.New(expr.Limits{}))
	if err != nil {
		return nil, err
	}
	guards, err := c.Repo.Guards(c.File.Name)
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
	return &Request{Compiled: c, Start: engine.Start{
		Program: c.Program, Params: params, Event: event, Metadata: metadata, Source: c.File.Name, Dir: dir,
		Stepping: f.step, Guards: guards, Request: req,
		Trace: caller(p),
	}}, nil
}

// RunPlaybook does what `tend run` does.
func RunPlaybook(ctx context.Context, p *frame.Process, arg string, f RunFlags) error {
	r, err := Prepare(p, arg, f)
	if err != nil {
		return err
	}
	if f.plan {
		return showPlan(p, r, f.Output)
	}
	if f.detach {
		return detach(ctx, p, r, f)
	}
	s, id, err := Start(ctx, r, func(ctx context.Context) (*app.Session, error) {
		return p.Act(ctx, "tend run "+arg)
	})
	if err != nil {
		return err
	}
	return follow.Drive(ctx, p, s, id, f.Output == frame.AsJSON)
}

// Start opens the data directory and starts the run there. An owner that ended between the two is left for another try;
// the request's key keeps it from being started twice.
func Start(ctx context.Context, r *Request, open func(context.Context) (*app.Session, error)) (*app.Session, string, error) {
	for try := 1; ; try++ {
		s, err := open(ctx)
		if err != nil {
			return nil, "", err
		}
		r.Start.By = s.Me
		if s.Server != "" {
			r.Start.Dir = "" // a directory here is none there
		}
		id, err := StartIn(ctx, s, r)
		if err == nil {
			return s, id, nil
		}
		gone := s.Remote != nil && fault.Is(err, fault.Unavailable)
		if cerr := s.Close(); !gone || try == 5 {
			return nil, "", errors.Join(err, cerr)
		}
	}
}

// StartIn starts the run in an open data directory, once all secrets are there that it surely needs.
func StartIn(ctx context.Context, s *app.Session, r *Request) (string, error) {
	if names := plan.Secrets(r.Program, r.Start.Params); len(names) > 0 {
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
	return s.Engine.Start(ctx, r.Start)
}

// caller is where the one who started this program stands in a trace, or "".
func caller(p *frame.Process) string {
	if c, ok := trace.Parse(p.Getenv("TRACEPARENT")); ok {
		return c.String()
	}
	return ""
}
