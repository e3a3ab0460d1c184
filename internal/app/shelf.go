package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/tendhq/tend/internal/catalog"
	"github.com/tendhq/tend/internal/config"
	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/dispatch"
	"github.com/tendhq/tend/internal/document"
	"github.com/tendhq/tend/internal/engine"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/event"
	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/git"
	"github.com/tendhq/tend/internal/gitsync"
	"github.com/tendhq/tend/internal/guard"
)

// shelf holds the playbooks that are live, of all repositories. It implements dispatch.Catalog.
type shelf struct {
	log  *slog.Logger
	eval *expr.Evaluator
	sync atomic.Pointer[gitsync.Sync] // nil while it is opened
	now  atomic.Pointer[catalog.Set]

	// changed is called when something else is live.
	changed func()
}

var _ dispatch.Catalog = (*shelf)(nil)

func newShelf(log *slog.Logger) *shelf {
	s := &shelf{log: log, eval: expr.New(expr.Limits{}), changed: func() {}}
	s.now.Store(catalog.NewSet())
	return s
}

// Repositories are the configured repositories.
func Repositories(c *config.Server) []gitsync.Source {
	var out []gitsync.Source
	all := c.All()
	for i := range all {
		r := &all[i]
		src := gitsync.Source{
			Name: r.Name, Dir: r.Dir, Remote: r.Remote(), Poll: time.Duration(r.Poll), ObserveNew: r.ObserveNew,
			Binding: catalog.Binding{Project: r.Project, Environment: r.Environment, Owner: r.Owner, Ceiling: catalog.Ceiling{
				Actions: r.Ceiling.Actions, Targets: r.Ceiling.Targets, Integrations: r.Ceiling.Integrations, Secrets: r.Ceiling.Secrets,
			}},
		}
		if p := r.Push; p != nil {
			src.Push = &gitsync.Push{Write: git.Write{Token: p.Token, Identity: p.Identity}, Prefix: p.Prefix, Forge: p.Forge}
		}
		for _, e := range r.Ceiling.Effects {
			src.Binding.Ceiling.Effects = append(src.Binding.Ceiling.Effects, contract.Effect(e))
		}
		out = append(out, src)
	}
	return out
}

// open makes live what was live before, and looks at the directories. Mistakes in one of which nothing was live before are
// errors: a server that starts with them would do less than its people think.
func (s *shelf) open(ctx context.Context, c *config.Server, w *owned, d *desk, set contract.Catalog) error {
	x, err := gitsync.Open(ctx, gitsync.Config{
		Sources: Repositories(c), Actions: set, Ledger: d.ledger, Blobs: w.blobs, Dir: filepath.Join(w.dir, "git"), Log: s.log,
		Secret: func(ctx context.Context, name string) (string, error) {
			f, err := w.secrets.Find(ctx, name)
			if err != nil {
				return "", err
			}
			return f.Value.Reveal(), nil
		},
		Prepare: func(ctx context.Context, ch gitsync.Change) error { return d.observe(ctx, ch) },
		Changed: func(set *catalog.Set) {
			s.now.Store(set)
			s.changed()
		},
	})
	if err != nil {
		return err
	}
	s.sync.Store(x)
	var problems []error
	for _, r := range x.Status() {
		if r.Live != nil || r.Branch != "" || !filepath.IsAbs(r.Place) {
			continue
		}
		switch {
		case r.Refused != nil:
			problems = append(problems, fault.Wrap(fault.Invalid, document.Fault(r.Refused.Findings), "playbooks in %s", r.Place))
		case r.Problem != "":
			problems = append(problems, fault.New(fault.Unavailable, "%s", r.Problem))
		}
	}
	if len(problems) > 0 {
		x.Close()
	}
	return errors.Join(problems...)
}

// observe lets what is new begin in the mode observe.
func (d *desk) observe(ctx context.Context, ch gitsync.Change) error {
	project := ch.Project
	if project == home {
		project = "" // `tend mode auto --playbook NAME` is enough to end it
	}
	for _, name := range ch.Observe {
		err := d.governor.SetMode(ctx, guard.Setting{Mode: guard.ModeObserve, Project: project, Environment: ch.Environment, Playbook: name},
			entry.Who{ID: "tend", Name: "tend", Via: "engine"}, fmt.Sprintf("it is new or changed in revision %.12s of %s", ch.Revision, ch.Repository))
		if err != nil {
			return err
		}
	}
	return nil
}

// pushed looks at the repositories that an event tells of a push to.
func (s *shelf) pushed(e *event.Event) {
	x := s.sync.Load()
	if x == nil || e.Kind != "push" {
		return
	}
	var addresses []string
	for _, at := range []string{
		"repository.clone_url", "repository.ssh_url", "repository.html_url", "repository.git_http_url", "repository.git_ssh_url", "repository.homepage",
		"project.git_http_url", "project.git_ssh_url", "project.web_url", "resource.repository.remoteUrl",
	} {
		if a, ok := within(e.Data, strings.Split(at, ".")).(string); ok {
			addresses = append(addresses, a)
		}
	}
	x.Pushed(addresses...)
}

func within(v any, path []string) any {
	for _, p := range path {
		m, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = m[p]
	}
	return v
}

// rules gives what dispatch goes by.
func (s *shelf) rules() *dispatch.Rules {
	return &dispatch.Rules{Triggers: s.now.Load().Triggers(), Evaluator: s.eval}
}

// guards gives the declared guards of each project.
func (s *shelf) guards() map[string][]guard.Spec { return s.now.Load().Guards() }

// labels gives the labels of a live playbook.
func (s *shelf) labels(project, name string) map[string]string {
	return s.now.Load().Labels(project, name)
}

// Playbook implements dispatch.Catalog.
func (s *shelf) Playbook(ctx context.Context, project, trigger, name string) (dispatch.Playbook, error) {
	x := s.sync.Load()
	if x == nil {
		return dispatch.Playbook{}, fault.New(fault.Unavailable, "no playbooks are live yet")
	}
	return x.Playbook(ctx, project, trigger, name)
}

// library starts the playbooks that are live. It implements httpapi.Library.
type library struct {
	*shelf

	engine *engine.Engine
}

// Playbooks implements httpapi.Library.
func (l library) Playbooks() []*catalog.Playbook { return l.now.Load().Playbooks() }

// StartPlaybook implements httpapi.Library.
func (l library) StartPlaybook(ctx context.Context, p *catalog.Playbook, params map[string]any, by entry.Who, why, request, trace string) (string, error) {
	return l.start(ctx, p, params, engine.Start{By: by, Request: request, Cause: entry.Cause{Why: why}, Trace: trace})
}

// RequestPlaybook implements httpapi.Library.
func (l library) RequestPlaybook(ctx context.Context, p *catalog.Playbook, params map[string]any, by entry.Who, why, request, trace string) (string, error) {
	cause := entry.Cause{For: by.ID, Offer: p.Name, Why: why}
	return l.start(ctx, p, params, engine.Start{By: by, Request: request, Cause: cause, Trace: trace})
}

func (l library) start(ctx context.Context, p *catalog.Playbook, params map[string]any, s engine.Start) (string, error) {
	bound, err := p.Program.Bind(params, nil, p.Metadata, l.eval)
	if err != nil {
		return "", err
	}
	s.Project, s.Environment, s.Program, s.Params = p.Project, p.Environment, p.Program, bound
	s.Metadata, s.Source, s.Guards = p.Metadata, p.Source, p.Guards
	return l.engine.Start(ctx, s)
}
