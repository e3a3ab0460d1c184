package write

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tendhq/tend/internal/action"
	"github.com/tendhq/tend/internal/app"
	"github.com/tendhq/tend/internal/catalog"
	"github.com/tendhq/tend/internal/cli/follow"
	"github.com/tendhq/tend/internal/cli/frame"
	"github.com/tendhq/tend/internal/cli/source"
	"github.com/tendhq/tend/internal/cli/start"
	"github.com/tendhq/tend/internal/document"
	"github.com/tendhq/tend/internal/engine"
	"github.com/tendhq/tend/internal/event"
	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/plan"
	"github.com/tendhq/tend/internal/repository"
	"github.com/tendhq/tend/internal/terminal"
	"github.com/tendhq/tend/internal/trigger"
)

// devEvery is how often files are looked at.
const devEvery = 300 * time.Millisecond

type devFlags struct {
	event          string
	run, act, once bool
}

func (p commands) devCommand() *cobra.Command {
	var f devFlags
	c := &cobra.Command{
		Use:   "dev [DIR]",
		Short: "Check and plan playbooks each time they are saved, and run them if you say so",
		Long: "Looks at the playbooks below DIR, and each time that a file is saved: shows what is wrong with it, lets the triggers decide\n" +
			"about the event that is kept beside it (event.json), and shows what the run would do. With --run it runs it, and steps that\n" +
			"only read are done; what would change something is told, and done only with --act. Such runs are kept apart, in\n" +
			".tend/dev of the repository.",
		GroupID: frame.GroupWrite,
		Args:    frame.SomeArgs(0, 1, "a directory"),
		RunE: func(c *cobra.Command, args []string) error {
			dir := "."
			if len(args) == 1 {
				dir = args[0]
			}
			if info, err := os.Stat(dir); err != nil || !info.IsDir() {
				return fault.New(fault.NotFound, "there is no directory %s", dir)
			}
			if f.act && !f.run {
				return fault.New(fault.Invalid, "--act says what --run may do").WithNext("give both")
			}
			return p.dev(c.Context(), dir, f)
		},
	}
	c.Flags().StringVar(&f.event, "event", "", "file with the event, in place of event.json")
	c.Flags().BoolVar(&f.run, "run", false, "run it: steps that only read")
	c.Flags().BoolVar(&f.act, "act", false, "with --run: also steps that change something")
	c.Flags().BoolVar(&f.once, "once", false, "look once, and exit with 3 when something is wrong")
	return c
}

func (p commands) dev(ctx context.Context, dir string, f devFlags) error {
	ctx, stop := frame.Interruptible(ctx)
	defer stop()
	set, err := app.Actions()
	if err != nil {
		return err
	}
	last := ""
	tick := time.NewTicker(devEvery)
	defer tick.Stop()
	for {
		d := developer{Process: p.Process, dir: dir, flags: f, set: set}
		err := d.read()
		switch {
		case f.once && err != nil:
			return err
		case err != nil && last != err.Error():
			last = err.Error()
			p.Complain(err)
		case err == nil && d.sum != last:
			if last = d.sum; !f.once {
				p.Talk("%s", p.ErrStyle.Dim("— "+time.Now().Format("15:04:05")+" —"))
			}
			good, err := d.look(ctx)
			if f.once {
				if err == nil && !good {
					err = frame.Exit(frame.ExitFindings)
				}
				return err
			}
			var ended *frame.ExitError
			if err != nil && !errors.As(err, &ended) { // how a run ended is shown already
				p.Complain(err)
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// developer makes one look at a directory.
type developer struct {
	*frame.Process

	dir    string
	flags  devFlags
	set    *action.Set
	repo   *repository.Repo
	files  []document.File // of the repository and the directory
	within map[string]bool // names of those of the directory
	events map[string]document.File
	sum    string
}

// read reads all files, and sums up what they are.
func (d *developer) read() error {
	var err error
	if d.repo, err = repository.Open(d.dir); err != nil {
		return err
	}
	all, err := d.repo.Files()
	if err != nil {
		return err
	}
	below, err := d.repo.Under(d.dir)
	if err != nil {
		return err
	}
	d.within, d.events = map[string]bool{}, map[string]document.File{}
	h := sha256.New()
	add := func(f document.File) { fmt.Fprintf(h, "%d %s %d %s ", len(f.Name), f.Name, len(f.Content), f.Content) }
	for _, f := range below {
		d.within[f.Name] = true
		d.files = append(d.files, f)
		add(f)
	}
	for _, f := range all {
		if !d.within[f.Name] {
			d.files = append(d.files, f)
			add(f)
		}
	}
	for _, f := range below {
		name := filepath.Join(filepath.Dir(filepath.FromSlash(f.Name)), recorded)
		if d.flags.event != "" {
			name = d.flags.event
		}
		b, err := d.ReadFile(name, frame.MaxData)
		switch {
		case fault.Is(err, fault.NotFound) && d.flags.event == "":
			continue
		case err != nil:
			return err
		}
		e := document.File{Name: name, Content: b}
		d.events[path.Dir(f.Name)] = e
		add(e)
	}
	d.sum = hex.EncodeToString(h.Sum(nil))
	return nil
}

// look shows what is wrong, and what would be done. good: nothing is wrong.
func (d *developer) look(ctx context.Context) (good bool, err error) {
	c, findings := catalog.Build(d.files, catalog.Binding{Repository: d.repo.Root}, d.set)
	var mine []document.Finding
	for _, f := range findings {
		if d.within[f.Place.File] {
			mine = append(mine, f)
		}
	}
	if err := source.ShowFindings(d.Process, "text", mine, len(d.within)); err != nil {
		return false, err
	}
	good = len(mine) == 0
	if c == nil {
		if !document.HasErrors(mine) {
			d.Talk("other files of the repository have mistakes: see `tend lint`")
		}
		return false, nil
	}
	var errs []error
	shown := false
	for _, b := range c.Playbooks() {
		if !d.within[b.File] {
			continue
		}
		shown = true
		ok, err := d.playbook(ctx, c, b)
		good = good && ok
		errs = append(errs, err)
	}
	if !shown {
		d.Talk("there is no playbook below %s", d.dir)
	}
	return good, errors.Join(errs...)
}

// playbook lets the triggers decide about the recorded event, and plans what comes of it.
func (d *developer) playbook(ctx context.Context, c *catalog.Catalog, b *catalog.Playbook) (good bool, err error) {
	eval := expr.New(expr.Limits{})
	var e event.Event
	given := map[string]any{}
	if f, ok := d.events[path.Dir(b.File)]; ok {
		read, err := readEvent(f.Name, f.Content)
		if err != nil {
			return false, err
		}
		e = *read
		o, fires, why := decide(c, &e, eval)
		for _, x := range why {
			d.Talk("%s", terminal.Clean(x.Error()))
		}
		if !fires {
			d.Talk("no trigger fires on %s: `%s` would not run", here(f.Name), b.Name)
			return false, nil
		}
		p, err := c.Playbook(b.Project, o.Trigger, o.Playbook)
		if err != nil || p != b {
			d.Talk("the trigger %s takes the event of %s first: `%s` would not run", o.Trigger, here(f.Name), b.Name)
			return err == nil, err
		}
		d.Talk("the trigger %s fires on %s", o.Trigger, here(f.Name))
		given = o.Parameters
	}
	params, err := b.Program.Bind(given, e.Data, b.Metadata, eval)
	if err != nil {
		if len(given) == 0 && e.Kind == "" {
			d.Talk("`%s` cannot be planned without parameters: keep an event beside it, in %s", b.Name, filepath.Join(filepath.Dir(b.File), recorded))
			return true, nil
		}
		return false, err
	}
	pl := plan.New(plan.Request{
		Program: b.Program, Params: params, Event: e.Data, Metadata: b.Metadata, By: app.UserName(-1), Guards: b.Guards, Spec: d.set.Spec, Eval: eval, Now: time.Now(),
	})
	text, problems := start.PlanText(d.OutStyle, pl)
	if _, err := fmt.Fprint(d.Out, text); err != nil {
		return false, err
	}
	if problems > 0 {
		d.Talk("%s would fail as it stands: see above", frame.Count(problems, "place"))
		return false, nil
	}
	if !d.flags.run {
		return true, nil
	}
	err = d.execute(ctx, b, params, &e)
	return err == nil, err
}

// decide asks the triggers in order, as a server does.
func decide(c *catalog.Catalog, e *event.Event, eval trigger.Evaluator) (*trigger.Outcome, bool, []error) {
	var why []error
	for _, t := range c.Triggers() {
		o, fires, err := trigger.Match(t, e, eval)
		if err != nil {
			why = append(why, err)
		}
		if fires {
			return o, true, why
		}
	}
	return nil, false, why
}

// execute runs it, in a data directory of its own.
func (d *developer) execute(ctx context.Context, b *catalog.Playbook, params map[string]any, e *event.Event) error {
	conf, err := d.Config()
	if err != nil {
		return err
	}
	own := *conf
	if d.Process.Flags.DataDir == "" {
		own.DataDir = filepath.Join(d.repo.Root, ".tend", "dev")
	}
	s, err := app.Open(ctx, app.Options{Config: &own, Getenv: d.Getenv, Command: "tend dev", Via: "terminal", MayMake: true, Observe: !d.flags.act})
	if err != nil {
		return err
	}
	if s.Remote != nil {
		return errors.Join(fault.New(fault.Conflict, "process %d (%s) owns %s", s.Remote.PID, s.Remote.Command, own.DataDir).WithNext("end it, or give another directory: --data-dir"), s.Close())
	}
	wd, err := os.Getwd()
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return errors.Join(err, s.Close())
	}
	r := &start.Request{Compiled: &source.Compiled{Program: b.Program, Repo: d.repo, Catalog: d.set}, Start: engine.Start{
		Program: b.Program, Params: params, Event: e.Data, Metadata: b.Metadata, Source: b.Source, Dir: wd, Guards: b.Guards, Request: rand.Text(), By: s.Me,
	}}
	id, err := start.StartIn(ctx, s, r)
	if err != nil {
		return errors.Join(err, s.Close())
	}
	err = follow.Drive(ctx, d.Process, s, id, false)
	d.Talk("%s", d.ErrStyle.Dim(strings.TrimSpace("it is kept in "+here(own.DataDir)+": tend --data-dir "+here(own.DataDir)+" runs list")))
	return err
}
