package doctor

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/tendhq/tend/internal/app"
	"github.com/tendhq/tend/internal/catalog"
	"github.com/tendhq/tend/internal/cli/frame"
	"github.com/tendhq/tend/internal/cli/serve"
	"github.com/tendhq/tend/internal/client"
	"github.com/tendhq/tend/internal/config"
	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/document"
	"github.com/tendhq/tend/internal/event"
	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/git"
	"github.com/tendhq/tend/internal/gitsync"
	"github.com/tendhq/tend/internal/guard"
	"github.com/tendhq/tend/internal/lint"
	"github.com/tendhq/tend/internal/plan"
	"github.com/tendhq/tend/internal/program"
	"github.com/tendhq/tend/internal/repository"
	"github.com/tendhq/tend/internal/spelling"
	"github.com/tendhq/tend/internal/store"
	"github.com/tendhq/tend/internal/terminal"
	"github.com/tendhq/tend/internal/trigger"
	"github.com/tendhq/tend/internal/value"
	"github.com/tendhq/tend/internal/wire"
)

// serverSetup gives the configuration of a server that is meant: that of --config, when it is one, or the one that
// `tend serve` would find. nil: this machine serves nobody.
func (p commands) serverSetup(client error) (*config.Server, error) {
	if p.Flags.Config != "" && client == nil {
		return nil, nil //nolint:nilnil // a configuration of commands says nothing of a server
	}
	s, err := config.LoadServer(serve.ServerFlags(p.Process, serve.ServeFlags{}), p.Getenv)
	if s == nil || s.File == "" {
		return nil, err
	}
	return s, err
}

// surgery looks at what a server is made of.
type surgery struct {
	*frame.Process

	conf  *config.Server
	books []*catalog.Playbook
	trigs []*trigger.Spec
}

func (p commands) examineServer(ctx context.Context, conf *config.Server) []check {
	s := &surgery{Process: p.Process, conf: conf}
	out := s.sources(ctx)
	out = append(out, s.playbooks(ctx)...)
	out = append(out, s.triggers()...)
	out = append(out, s.needs(ctx)...)
	out = append(out, s.egress())
	out = append(out, s.watched()...)
	return append(out, s.live(ctx)...)
}

func (s *surgery) sources(ctx context.Context) []check {
	if len(s.conf.Sources) == 0 {
		return []check{{"sources", checkWarn, "none: no event can come in", "tend connect alertmanager"}}
	}
	var out []check
	chain, err := app.Providers(&s.conf.Config)
	for i := range s.conf.Sources {
		x := &s.conf.Sources[i]
		c := check{Name: "source", Status: checkOK, Text: x.Name + " (" + x.Kind + ")"}
		keys := x.Keys
		if x.Token != "" {
			keys = append(slices.Clone(keys), x.Token)
		}
		var missing []string
		for _, k := range keys {
			if err != nil {
				break // said below, of secrets
			}
			if _, ferr := chain.Find(ctx, k); ferr != nil {
				missing = append(missing, k)
			}
		}
		if len(missing) > 0 {
			text, next := app.WithoutKeys(x, missing)
			c.Status, c.Text, c.Next = checkFail, c.Text+": "+text, next
		}
		out = append(out, c)
	}
	return out
}

// readTime bounds the reading of one repository from Git.
const readTime = time.Minute

// playbooks reads all repositories as the server does: directories where they are, others from Git, into a place of their own.
func (s *surgery) playbooks(ctx context.Context) []check {
	all := app.Repositories(s.conf)
	if len(all) == 0 {
		return []check{{"playbooks", checkWarn, "none are configured: events start nothing", "`playbooks: [.]` or `repositories:` in " + s.conf.File + ", or tend init"}}
	}
	set, err := app.Actions()
	if err != nil {
		return []check{failed("playbooks", err)}
	}
	var out []check
	var good []*catalog.Catalog
	for i := range all {
		c, x := s.repository(ctx, &all[i], set, catalog.NewSet(good...))
		if c != nil {
			good = append(good, c)
			s.books, s.trigs = append(s.books, c.Playbooks()...), append(s.trigs, c.Triggers()...)
		}
		out = append(out, x)
	}
	return out
}

// repository reads one; what clashes with the others is not live either.
func (s *surgery) repository(ctx context.Context, src *gitsync.Source, set contract.Catalog, others *catalog.Set) (*catalog.Catalog, check) {
	b := src.Binding
	b.Repository, b.Project = src.Name, cmp.Or(b.Project, catalog.DefaultProject)
	place, next := src.Dir, "tend lint "+src.Dir
	var files []document.File
	if src.URL == "" {
		if info, err := os.Stat(src.Dir); err != nil || !info.IsDir() {
			return nil, check{"playbooks", checkFail, "there is no directory " + src.Dir, "tend init " + src.Dir}
		}
		repo, err := repository.Open(src.Dir)
		if err != nil {
			return nil, failed("playbooks", err)
		}
		if files, err = repo.Files(); err != nil {
			return nil, failed("playbooks", err)
		}
	} else {
		commit, err := s.fetch(ctx, src)
		if err != nil {
			return nil, check{"playbooks", checkFail, fmt.Sprintf("%s cannot be read from %s: %s", src.Name, src.URL, err.Error()), cmp.Or(fault.NextOf(err), "address, branch and access stand below `repositories` in "+s.conf.File)}
		}
		place, next = fmt.Sprintf("%s at %.12s", src.Name, commit.ID), "tend lint, in a working copy of it"
		if commit.Problem != nil {
			return nil, check{"playbooks", checkFail, fmt.Sprintf("%s: it is not live: %s", place, commit.Problem.Message), commit.Problem.Remedy}
		}
		files, b.Commit, b.Author = commit.Files, commit.ID, commit.Author
	}
	c, findings := catalog.Build(files, b, set)
	if c != nil {
		if clashes := others.Clashes(c); len(clashes) > 0 {
			c, findings = nil, append(findings, clashes...)
		}
	}
	if c == nil {
		first := slices.IndexFunc(findings, func(f document.Finding) bool { return f.Severity == document.Error })
		errs, _, _ := lint.Count(findings)
		if r := findings[first].Remedy; r != "" && findings[first].Rule == catalog.RuleCeiling {
			next = r
		}
		return nil, check{"playbooks", checkFail, fmt.Sprintf("%s: %s, and none of it goes live; the first: %s: %s", place, frame.Count(errs, "error"), findings[first].Place, findings[first].Message), next}
	}
	x := check{Name: "playbooks", Status: checkOK, Text: fmt.Sprintf("%s: %s, %s, %s", place, frame.Count(len(c.Playbooks()), "playbook"), frame.Count(len(c.Triggers()), "trigger"), frame.Count(len(c.Guards()), "guard"))}
	if b.Environment != "" {
		x.Text += ", in " + b.Environment
	}
	if len(c.Playbooks()) == 0 {
		x.Status, x.Next = checkWarn, "tend init "+src.Dir
		if src.URL != "" {
			x.Next = "look at `path` and `branch` of it"
		}
	}
	return c, x
}

// fetch reads a repository from Git without touching what the server keeps of it.
func (s *surgery) fetch(ctx context.Context, src *gitsync.Source) (*git.Commit, error) {
	dir, err := os.MkdirTemp("", "tend-doctor-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	ctx, cancel := context.WithTimeoutCause(ctx, readTime, fault.New(fault.Timeout, "it took longer than %s", readTime))
	defer cancel()
	m := git.New(dir, "", src.Remote, func(ctx context.Context, name string) (string, error) {
		chain, err := app.Providers(&s.conf.Config)
		if err != nil {
			return "", err
		}
		f, err := chain.Find(ctx, name)
		if err != nil {
			return "", err
		}
		return f.Value.Reveal(), nil
	})
	id, err := m.Fetch(ctx)
	if err != nil {
		return nil, err
	}
	return m.Read(ctx, id, "")
}

// triggers finds those that no source can fire, and that there are none.
func (s *surgery) triggers() []check {
	if len(s.trigs) == 0 {
		if len(s.books) == 0 {
			return nil
		}
		return []check{{"triggers", checkWarn, "none: no event starts a playbook", "tend new playbook --from-event last shows what one looks like"}}
	}
	names := []string{"api", trigger.Own} // what people report, and tend's own
	for i := range s.conf.Sources {
		names = append(names, s.conf.Sources[i].Name)
	}
	var out []check
	for _, t := range s.trigs {
		heard := len(t.On.Source) == 0
		for _, pattern := range t.On.Source {
			heard = heard || slices.ContainsFunc(names, func(n string) bool { return spelling.Glob(pattern, n) })
		}
		if !heard {
			out = append(out, check{"trigger", checkWarn, fmt.Sprintf("%s never fires: no source is called %s", t.Name, strings.Join(t.On.Source, " or ")), "add the source to " + s.conf.File + ", or correct `on.source`"})
		}
	}
	return out
}

var parameterOnly = regexp.MustCompile(`^\{\{\s*\$?\.params\.([A-Za-z_][A-Za-z0-9_-]*)\s*\}\}$`)

// needs finds secrets and runners that playbooks name and the server does not have, and steps that it refuses.
func (s *surgery) needs(ctx context.Context) []check {
	runners, secrets, refused := map[string]string{}, map[string]string{}, map[string]bool{}
	for _, b := range s.books {
		if b.Program == nil {
			continue
		}
		given := map[string]any{}
		for _, p := range b.Program.Parameters {
			if p.Default != nil && p.Default.Scalar != nil && p.Default.Scalar.Kind == expr.Literal {
				given[p.Name] = p.Default.Scalar.Lit
			}
		}
		for _, n := range plan.Secrets(b.Program, given) {
			secrets[n] = b.Name
		}
		s.walk(b.Program.Steps, given, func(n *program.Node, runner string) {
			switch {
			case runner != "" && runner != "local":
				runners[runner] = b.Name
			case runner == "local" && (n.Uses == "shell" || n.Uses == "container"):
				refused[b.Name] = true
			}
		})
	}
	var out []check
	for _, r := range slices.Sorted(maps.Keys(runners)) {
		if _, ok := s.conf.Runners[r]; !ok {
			out = append(out, check{"runner", checkWarn, fmt.Sprintf("%s wants the runner %s, which the configuration does not have", runners[r], r), "runners: {" + r + ": {ssh: {host: …}}} in " + s.conf.File})
		}
	}
	if len(refused) > 0 && s.conf.LocalSteps == nil {
		out = append(out, check{
			"local steps", checkNote, "steps on the server itself are refused; they are in " + strings.Join(slices.Sorted(maps.Keys(refused)), ", "),
			"name a `runner` there, or allow them: docs/server.md, steps on the server itself",
		})
	}
	chain, err := app.Providers(&s.conf.Config)
	if err != nil {
		return out // said of secrets
	}
	for _, n := range slices.Sorted(maps.Keys(secrets)) {
		if _, err := chain.Find(ctx, n); err != nil {
			out = append(out, check{"secret", checkWarn, fmt.Sprintf("%s wants the secret %s, which is not there", secrets[n], n), app.PutSecret(n)})
		}
	}
	return out
}

// walk visits the actions of a program with the runner that they name; "" when that cannot be known from here.
func (s *surgery) walk(nodes []program.Node, given map[string]any, visit func(n *program.Node, runner string)) {
	for i := range nodes {
		n := &nodes[i]
		if n.Kind == program.KindAction {
			e := n.Runner
			if n.Module != nil && n.Module.Runner != nil {
				e = n.Module.Runner
			}
			runner := "local"
			if e != nil {
				runner = ""
				if e.Kind == expr.Literal {
					runner, _ = e.Lit.(string)
				} else if m := parameterOnly.FindStringSubmatch(strings.TrimSpace(e.Source)); m != nil {
					runner, _ = given[m[1]].(string)
				}
			}
			visit(n, runner)
		}
		s.walk(n.Steps, given, visit)
	}
}

func (s *surgery) egress() check {
	e := s.conf.Egress
	switch {
	case e.Only && len(e.Allow) == 0:
		return check{"egress", checkWarn, "nothing can be reached: egress.only is set, and egress.allow is empty", "name hosts in egress.allow"}
	case e.Only:
		return check{Name: "egress", Status: checkOK, Text: "only " + strings.Join(e.Allow, ", ")}
	default:
		return check{Name: "egress", Status: checkOK, Text: "everything but the metadata addresses of clouds"}
	}
}

// watched tells whether anybody would notice that the server, or what it hears of alerts by, is silent.
func (s *surgery) watched() []check {
	var out []check
	if s.conf.Heartbeat.URL == "" {
		out = append(out, check{"heartbeat", checkNote, "none is sent: nobody hears when this server is silent", "heartbeat: {url: …} in " + s.conf.File + ", to something that is neither tend nor its Prometheus"})
	} else {
		out = append(out, check{Name: "heartbeat", Status: checkOK, Text: "every " + value.Duration(s.conf.Heartbeat.Every).String()})
	}
	if !slices.ContainsFunc(s.conf.Sources, func(x config.Source) bool { return x.Monitors }) {
		out = append(out, check{"watchdog", checkNote, "no alert is expected to arrive always: it is not noticed when monitoring is silent", "a source of kind silence with `monitors: true`: docs/monitoring.md"})
	}
	return out
}

// live asks the server that runs.
func (s *surgery) live(ctx context.Context) []check {
	var out []check
	err := s.Served(ctx, func(x *app.Session, api *client.API) error {
		out = append(out, check{Name: "server", Status: checkOK, Text: "it answers"})
		r, err := api.Rules(ctx)
		if err != nil {
			return err
		}
		for _, h := range r.Halts {
			out = append(out, check{"halted", checkFail, fmt.Sprintf("%s, since %s: %s", terminal.Line(h.Scope()), frame.Local(h.At), terminal.Line(h.Why)), "tend unhalt --why … when it is safe"})
		}
		for what, since := range r.Blind {
			out = append(out, check{"silent", checkWarn, fmt.Sprintf("%s, since %s: guards stand down", terminal.Line(what), frame.Local(since)), "look at monitoring"})
		}
		repos, err := api.ListRepositories(ctx)
		if err != nil {
			return err
		}
		out = append(out, stale(repos.Repositories)...)
		out = append(out, modeCheck(r.Modes[0].Mode, len(r.Modes)-1))
		out = append(out, arrivals(ctx, x))
		return nil
	})
	if err != nil && len(out) == 0 {
		return []check{{"server", checkNote, "none runs on this data directory", "tend serve --config " + s.conf.File}, modeCheck(s.conf.Mode, 0)}
	}
	if err != nil {
		out = append(out, failed("server", err))
	}
	return out
}

// stale tells of repositories whose newest revision is not the one that is live.
func stale(all []wire.Repository) []check {
	var out []check
	for i := range all {
		r := &all[i]
		c := check{Name: "live playbooks", Status: checkWarn}
		switch t := r.Trouble(); {
		case t != nil:
			c.Text, c.Next = t.Text, t.Next
			if !t.Since.IsZero() {
				c.Text += ", since " + frame.Local(t.Since)
			}
		case r.Pin != nil:
			c.Status, c.Text, c.Next = checkNote, fmt.Sprintf("%s is pinned to %.12s by %s: %s", r.Name, r.Pin.Revision, terminal.Line(r.Pin.By), terminal.Line(r.Pin.Why)), "tend revisions unpin "+r.Name
		default:
			continue
		}
		out = append(out, c)
	}
	return out
}

func modeCheck(mode string, others int) check {
	c := check{Name: "mode", Status: checkOK, Text: mode}
	if others > 0 {
		c.Text += fmt.Sprintf(", and %s of its own (tend mode)", frame.Count(others, "setting"))
	}
	if mode == string(guard.ModeObserve) {
		c.Status = checkNote
		c.Text += ": nothing is changed, and what would be is recorded"
		c.Next = "when you have seen enough: tend mode ask --why …"
	}
	return c
}

// arrivals tells what became of the latest events.
func arrivals(ctx context.Context, x *app.Session) check {
	page, err := x.Engine.Rows(ctx, store.Filter{Kind: "event", Limit: 200})
	c := check{Name: "events", Status: checkOK}
	if err != nil {
		return failed("events", err)
	}
	if len(page.Rows) == 0 {
		c.Status, c.Text, c.Next = checkNote, "none came in yet", "tend connect alertmanager sends a test"
		return c
	}
	outcomes := map[string]int{}
	for _, r := range page.Rows {
		outcomes[r.Status]++
	}
	var parts []string
	for _, o := range slices.Sorted(maps.Keys(outcomes)) {
		parts = append(parts, fmt.Sprintf("%d %s", outcomes[o], o))
	}
	c.Text = fmt.Sprintf("the latest %d: %s; the last %s", len(page.Rows), strings.Join(parts, ", "), page.Rows[0].At.Local().Format(time.DateTime))
	acted := outcomes[string(event.Started)] + outcomes[string(event.Joined)] + outcomes[string(event.Resolves)] + outcomes[string(event.Woke)]
	if acted == 0 && outcomes[string(event.Unmatched)] > 0 {
		c.Status, c.Text, c.Next = checkWarn, c.Text+": no trigger matched any of them", "tend events show last says why; tend new playbook --from-event last begins one"
	}
	return c
}
