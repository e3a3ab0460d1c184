package audit

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/tendhq/tend/internal/app"
	"github.com/tendhq/tend/internal/audit"
	"github.com/tendhq/tend/internal/cli/frame"
	"github.com/tendhq/tend/internal/client"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/repository"
	"github.com/tendhq/tend/internal/terminal"
	"github.com/tendhq/tend/internal/wire"
)

func (p commands) auditCommand() *cobra.Command {
	c := &cobra.Command{
		Use:     "audit",
		Short:   "Find out who did what, and prove that the record of it is whole",
		GroupID: frame.GroupKeep,
		Args:    frame.NoArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(p.auditVerifyCommand(), p.auditExportCommand(), p.auditSearchCommand())
	return c
}

func (p commands) auditVerifyCommand() *cobra.Command {
	var against, output string
	c := &cobra.Command{
		Use:   "verify [FILE]",
		Short: "Check that nothing was altered, removed, moved or cut off",
		Long: "Reads the whole audit trail. Every entry is compared with its hashes and the entry before it, the ends of runs with what\n" +
			"the trail says of them, and the trail with what was seen of it before. The first bad entry of each stream is named.\n\n" +
			"With FILE (- for standard input) it checks what was exported or shipped, by itself and without a data directory.\n\n" +
			"Whoever can write the whole database can also make a trail anew that is sound in itself. --against compares the trail\n" +
			"with an earlier export, or with what was shipped elsewhere: that shows it.",
		Args: frame.SomeArgs(0, 1, "at most one file"),
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) == 1 {
				if against != "" {
					return fault.New(fault.Invalid, "--against compares the trail of a data directory or server with a file").WithNext("leave %s or --against out", args[0])
				}
				return p.checkFile(args[0], output)
			}
			return p.Look(c.Context(), func(s *app.Session) error {
				r, err := verifyTrail(c.Context(), s)
				if err == nil && against != "" {
					var more audit.Report
					if more, err = p.compare(c.Context(), s, against); err == nil {
						r.Damaged = append(r.Damaged, more.Damaged...)
					}
				}
				if err != nil {
					return err
				}
				return p.verified(r, output)
			})
		},
	}
	c.Flags().StringVar(&against, "against", "", "an earlier export, or a file that was shipped to")
	frame.OutputFlag(c, &output, "text", frame.AsJSON)
	return c
}

// verifyTrail lets the one who owns the trail verify it.
func verifyTrail(ctx context.Context, s *app.Session) (audit.Report, error) {
	api := s.API()
	if api == nil {
		return audit.Verify(ctx, s.Engine)
	}
	v, err := api.VerifyAudit(ctx)
	r := audit.Report{Streams: v.Streams, Entries: v.Entries, Runs: v.Runs}
	for _, d := range v.Damaged {
		r.Damaged = append(r.Damaged, d.Err())
	}
	return r, err
}

func (p commands) verified(r audit.Report, output string) error {
	if output == frame.AsJSON {
		out := wire.AuditVerified{Damaged: []wire.Problem{}, Entries: r.Entries, Runs: r.Runs, Streams: r.Streams}
		for _, d := range r.Damaged {
			out.Damaged = append(out.Damaged, wire.NewProblem(d))
		}
		if err := p.Data(frame.AsJSON, out); err != nil {
			return err
		}
	}
	if len(r.Damaged) > 0 {
		return errors.Join(r.Damaged...)
	}
	if output == frame.AsJSON {
		return nil
	}
	_, err := fmt.Fprintf(p.Out, "%s with %s verify, and so do the ends of %s\n", frame.Count(r.Streams, "stream"), frame.Entries(r.Entries), frame.Count(r.Runs, "run"))
	return err
}

// file opens what can be given as - too.
func (p commands) file(name string) (io.ReadCloser, error) {
	if name == "-" {
		return io.NopCloser(p.In), nil
	}
	f, err := os.Open(name)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil, repository.Absent(name)
	case err != nil:
		return nil, fault.Wrap(fault.Unavailable, err, "read the file")
	}
	return f, nil
}

// checkFile verifies records that left the house, with nothing but themselves.
func (p commands) checkFile(name, output string) error {
	f, err := p.file(name)
	if err != nil {
		return err
	}
	defer f.Close()
	var check audit.Check
	next := audit.Lines(f)
	for {
		r, err := next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			err = check.Add(&r)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	if check.Late > 0 {
		p.Talk("%s not begin with the first entry: what came before is not in this file", frame.Count(check.Late, "stream")+do(check.Late))
	}
	if check.Twice > 0 {
		p.Talk("%s came twice, the same both times", frame.Entries(check.Twice))
	}
	if output == frame.AsJSON {
		return p.Data(frame.AsJSON, map[string]any{"entries": check.Records - check.Twice, "late": check.Late, "streams": check.Streams(), "twice": check.Twice})
	}
	_, err = fmt.Fprintf(p.Out, "%s: %s with %s verify\n", terminal.Line(name), frame.Count(check.Streams(), "stream"), frame.Entries(check.Records-check.Twice))
	return err
}

// compare tells whether the trail still has what is in a file.
func (p commands) compare(ctx context.Context, s *app.Session, name string) (audit.Report, error) {
	f, err := p.file(name)
	if err != nil {
		return audit.Report{}, err
	}
	defer f.Close()
	return audit.Against(ctx, s.Engine, audit.Lines(f))
}

// asked are the flags that narrow the trail.
type asked struct {
	audit.Query
	since, until string
}

func (a *asked) flags(c *cobra.Command) {
	f := c.Flags()
	f.StringVar(&a.Who, "who", "", "by this id, name or address, or a part of one")
	f.StringVar(&a.What, "what", "", "of this kind: halted, approve, redacted, …")
	f.StringVar(&a.Object, "object", "", "about this run, task, token, …: its id, or the beginning of it")
	f.StringVar(&a.Project, "project", "", "in this project")
	f.BoolVar(&a.Denied, "denied", false, "only what was not allowed")
	f.StringVar(&a.since, "since", "", "not before: a time (2026-01-31, 2026-01-31T15:04:05Z), or so long ago (36h)")
	f.StringVar(&a.until, "until", "", "before, likewise")
}

func (a *asked) query(now time.Time) (audit.Query, error) {
	var err1, err2 error
	a.Since, err1 = frame.Moment("--since", a.since, now)
	a.Until, err2 = frame.Moment("--until", a.until, now)
	return a.Query, errors.Join(err1, err2)
}

func (p commands) auditExportCommand() *cobra.Command {
	var ask asked
	var file string
	c := &cobra.Command{
		Use:   "export",
		Short: "Write the audit trail as lines of JSON that others can verify",
		Long: "Writes every entry of the trail, with all that its hashes are made of. Whoever gets the whole of a stream can verify it\n" +
			"without tend (docs/audit.md says how), or with `tend audit verify FILE`. What is narrowed to some of the entries says what\n" +
			"they say, but not that none is missing.",
		Args: frame.NoArgs,
		RunE: func(c *cobra.Command, _ []string) (err error) {
			q, err := ask.query(p.Began)
			if err != nil {
				return err
			}
			if file == "" {
				return p.Look(c.Context(), func(s *app.Session) error { return exportTrail(c.Context(), s, q, p.Out) })
			}
			f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
			switch {
			case errors.Is(err, os.ErrExist):
				return fault.New(fault.Conflict, "%s exists already", file).WithNext("choose another name: nothing is written over")
			case err != nil:
				return fault.Wrap(fault.Unavailable, err, "make the file")
			}
			defer func() { err = errors.Join(err, f.Close()) }()
			s, err := p.Open(c.Context(), app.Options{Brief: true, Via: "terminal"})
			return frame.With(s, err, func() error {
				if err := exportTrail(c.Context(), s, q, f); err != nil {
					return err
				}
				return f.Sync()
			})
		},
	}
	ask.flags(c)
	c.Flags().StringVarP(&file, "file", "f", "", "write to this new file instead of standard output")
	return c
}

func exportTrail(ctx context.Context, s *app.Session, q audit.Query, out io.Writer) error {
	api := s.API()
	if api == nil {
		w := bufio.NewWriterSize(out, 1<<16)
		err := audit.Export(ctx, s.Engine, q, func(r audit.Record) error { return audit.Write(w, r) })
		if err != nil {
			err = errors.Join(err, audit.WriteProblem(w, err))
		}
		return errors.Join(err, w.Flush())
	}
	in, err := api.ExportAudit(ctx, client.ExportAuditQuery(q))
	if err != nil {
		return err
	}
	defer in.Close()
	lines := bufio.NewReaderSize(in, 1<<16)
	for {
		line, err := lines.ReadBytes('\n')
		if _, werr := out.Write(line); werr != nil {
			return fault.Wrap(fault.Unavailable, werr, "write the audit trail")
		}
		if problem := audit.Problem(line); problem != nil {
			return problem
		}
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fault.Wrap(fault.Unavailable, err, "read the audit trail: it is not whole")
		}
	}
}

func (p commands) auditSearchCommand() *cobra.Command {
	var ask asked
	var limit int
	var output string
	c := &cobra.Command{
		Use:   "search",
		Short: "Find who did what, from where and why",
		Args:  frame.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			q, err := ask.query(p.Began)
			if err != nil {
				return err
			}
			if limit < 1 || limit > 1000 {
				return fault.New(fault.Invalid, "--limit %d is not between 1 and 1000", limit).WithNext("narrow the search, or use `tend audit export`")
			}
			if p.NothingYet() {
				p.Talk("nothing was done here yet")
				return nil
			}
			return p.Look(c.Context(), func(s *app.Session) error {
				found, more, damaged, err := searchTrail(c.Context(), s, q, limit)
				if err != nil {
					return err
				}
				t := frame.Table{Head: []string{"TIME", "WHO", "WHAT", "OBJECT", "WHY"}, Data: found, Empty: "nothing of that kind was done"}
				for _, r := range found {
					t.Rows = append(t.Rows, auditRow(&r))
					t.Names = append(t.Names, fmt.Sprintf("%s/%d", r.Stream, r.Seq))
				}
				if err := p.List(output, t); err != nil {
					return err
				}
				if more {
					p.Talk("there is more: narrow the search, or raise --limit")
				}
				return errors.Join(damaged...)
			})
		},
	}
	ask.flags(c)
	c.Flags().IntVarP(&limit, "limit", "n", 100, "how many at most")
	frame.OutputFlag(c, &output, frame.AsTable, frame.AsJSON, frame.AsYAML, frame.AsName)
	return c
}

func searchTrail(ctx context.Context, s *app.Session, q audit.Query, limit int) (found []audit.Record, more bool, damaged []error, err error) {
	api := s.API()
	if api == nil {
		found, more, damaged, err = audit.Search(ctx, s.Engine, q, nil, limit)
		return append([]audit.Record{}, found...), more, damaged, err
	}
	page, err := api.SearchAudit(ctx, client.SearchAuditQuery{
		Who: q.Who, What: q.What, Object: q.Object, Project: q.Project, Denied: q.Denied, Since: q.Since, Until: q.Until, Limit: limit,
	})
	found = make([]audit.Record, len(page.Records))
	for i, r := range page.Records {
		found[i] = audit.Record(r)
	}
	for _, d := range page.Damaged {
		damaged = append(damaged, d.Err())
	}
	return found, page.Next != "", damaged, err
}

func auditRow(r *audit.Record) []string {
	who := ""
	if r.By != nil {
		if who = r.By.ID; who == "" {
			who = r.By.Name
		}
		if r.By.From != "" {
			who += " (" + r.By.From + ")"
		}
	}
	what := r.What
	if r.Allowed != nil && !*r.Allowed {
		what = "denied: " + what
	}
	object := r.Object
	if object == "" {
		object = r.Of
	}
	return []string{r.At.UTC().Format("2006-01-02 15:04:05Z"), who, what, object, r.Why}
}

// do says "does" of one and "do" of several.
func do(n int) string {
	if n == 1 {
		return " does"
	}
	return " do"
}
