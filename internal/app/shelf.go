package app

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/tendhq/tend/internal/catalog"
	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/dispatch"
	"github.com/tendhq/tend/internal/document"
	"github.com/tendhq/tend/internal/engine"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/guard"
	"github.com/tendhq/tend/internal/repository"
	"github.com/tendhq/tend/internal/trigger"
)

// shelf holds the playbooks that are live, of all repositories. It implements dispatch.Catalog.
type shelf struct {
	log  *slog.Logger
	eval *expr.Evaluator
	dirs []*directory

	mu   sync.RWMutex
	live map[string]*catalog.Catalog // by repository
	all  []string                    // their names, in the configured order
}

var _ dispatch.Catalog = (*shelf)(nil)

// openShelf reads the directories. Mistakes are errors here: a server that starts with them would do less than its people
// think.
func openShelf(dirs []string, set contract.Catalog, eval *expr.Evaluator, log *slog.Logger) (*shelf, error) {
	s := &shelf{log: log, eval: eval}
	var problems []error
	for _, name := range dirs {
		d := &directory{dir: name, set: set}
		c, _, err := d.read()
		if err != nil {
			problems = append(problems, err)
			continue
		}
		s.dirs = append(s.dirs, d)
		s.put(name, c)
		s.tell(name, c)
	}
	return s, errors.Join(problems...)
}

func (s *shelf) tell(name string, c *catalog.Catalog) {
	s.log.Info("playbooks are live", "directory", name, "playbooks", len(c.Playbooks()), "triggers", len(c.Triggers()), "guards", len(c.Guards()))
}

// rules gives what dispatch goes by.
func (s *shelf) rules() *dispatch.Rules {
	return &dispatch.Rules{Triggers: s.triggers(), Evaluator: s.eval}
}

// put makes a catalog live, in place of the one before.
func (s *shelf) put(name string, c *catalog.Catalog) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.live == nil {
		s.live = map[string]*catalog.Catalog{}
	}
	if _, ok := s.live[name]; !ok {
		s.all = append(s.all, name)
	}
	s.live[name] = c
}

func (s *shelf) catalogs() []*catalog.Catalog {
	s.mu.RLock()
	defer s.mu.RUnlock()
	out := make([]*catalog.Catalog, 0, len(s.all))
	for _, n := range s.all {
		out = append(out, s.live[n])
	}
	return out
}

// Playbook implements dispatch.Catalog: the first repository of the project that has it.
func (s *shelf) Playbook(_ context.Context, project, trigger, name string) (dispatch.Playbook, error) {
	err := error(fault.New(fault.Unavailable, "no playbooks are live yet"))
	for _, c := range s.catalogs() {
		p, e := c.Playbook(project, trigger, name)
		if e == nil {
			return dispatch.Playbook{Program: p.Program, Source: p.Source, Guards: p.Guards, Metadata: p.Metadata}, nil
		}
		err = e
	}
	return dispatch.Playbook{}, err
}

// library starts the playbooks that are live. It implements httpapi.Library.
type library struct {
	*shelf

	engine *engine.Engine
}

// Playbooks implements httpapi.Library.
func (l library) Playbooks() []*catalog.Playbook {
	var out []*catalog.Playbook
	for _, c := range l.catalogs() {
		out = append(out, c.Playbooks()...)
	}
	return out
}

// StartPlaybook implements httpapi.Library.
func (l library) StartPlaybook(ctx context.Context, p *catalog.Playbook, params map[string]any, by entry.Who, why, request string) (string, error) {
	bound, err := p.Program.Bind(params, nil, p.Metadata, l.eval)
	if err != nil {
		return "", err
	}
	return l.engine.Start(ctx, engine.Start{
		Project: p.Project, Environment: p.Environment, Program: p.Program, Params: bound, Metadata: p.Metadata, Source: p.Source, Guards: p.Guards,
		By: by, Request: request, Cause: entry.Cause{Why: why},
	})
}

// labels gives the labels of a live playbook.
func (s *shelf) labels(project, name string) map[string]string {
	for _, c := range s.catalogs() {
		if l := c.Labels(name); l != nil && (project == "" || c.Project() == project) {
			return l
		}
	}
	return nil
}

// triggers gives the triggers of each project, in order.
func (s *shelf) triggers() map[string][]*trigger.Spec {
	out := map[string][]*trigger.Spec{}
	for _, c := range s.catalogs() {
		out[c.Project()] = append(out[c.Project()], c.Triggers()...)
	}
	return out
}

// guards gives the declared guards of each project.
func (s *shelf) guards() map[string][]guard.Spec {
	out := map[string][]guard.Spec{}
	for _, c := range s.catalogs() {
		out[c.Project()] = append(out[c.Project()], c.Guards()...)
	}
	return out
}

// directory is a configured directory with playbooks, looked at again and again.
type directory struct {
	dir  string
	set  contract.Catalog
	last string // what was read before, by its sum
}

// every is how often directories are looked at.
const every = 2 * time.Second

// read gives the catalog of the directory when it changed: as a whole, or not at all.
func (d *directory) read() (*catalog.Catalog, bool, error) {
	repo, err := repository.Open(d.dir)
	if err != nil {
		return nil, false, err
	}
	files, err := repo.Files()
	if err != nil {
		return nil, false, err
	}
	sum := sumOf(files)
	if sum == d.last {
		return nil, false, nil
	}
	d.last = sum
	c, findings := catalog.Build(files, catalog.Binding{Repository: d.dir, Project: home}, d.set)
	if err := document.Fault(findings); err != nil {
		return nil, true, err
	}
	return c, true, nil
}

// watch keeps the shelf as the directories are, and calls changed when something is live that was not.
func (s *shelf) watch(ctx context.Context, changed func()) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		if s.look() {
			changed()
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// look reads the directories once. What cannot be read stays as it was, and is told once.
func (s *shelf) look() bool {
	moving := false
	for _, d := range s.dirs {
		c, moved, err := d.read()
		switch {
		case err != nil && moved:
			s.log.Error("playbooks are not live: the last good ones stay", "directory", d.dir, "problems", err)
		case err != nil && !errors.Is(err, context.Canceled):
			if d.last != err.Error() {
				d.last = err.Error()
				s.log.Error("playbooks cannot be read: the last good ones stay", "directory", d.dir, "error", err)
			}
		case moved:
			s.put(d.dir, c)
			moving = true
			s.tell(d.dir, c)
		}
	}
	return moving
}

func sumOf(files []document.File) string {
	h := sha256.New()
	for _, f := range files {
		fmt.Fprintf(h, "%d %s %d ", len(f.Name), f.Name, len(f.Content))
		h.Write(f.Content)
	}
	return hex.EncodeToString(h.Sum(nil))
}
