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

	"github.com/tendhq/tend/internal/compiler"
	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/dispatch"
	"github.com/tendhq/tend/internal/document"
	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/language"
	"github.com/tendhq/tend/internal/playbook"
	"github.com/tendhq/tend/internal/repository"
	"github.com/tendhq/tend/internal/trigger"
)

// home is the project of everything that names none.
const home = "default"

// books are the playbooks and triggers of the directories that a server was given. A change is taken as a whole, within
// seconds; one that has a mistake is not taken, and the last good one stays.
type books struct {
	dirs    []string
	actions contract.Catalog
	log     *slog.Logger
	live    atomic.Pointer[shelf]
	said    string // what was last said about a change that was not taken
}

// shelf is what was read of the directories at one time. It is never changed.
type shelf struct {
	files     string // names and contents, to notice a change
	rules     *dispatch.Rules
	playbooks map[string]dispatch.Playbook // by name
	folders   map[string]string            // of triggers
}

// openBooks reads the directories. Mistakes are errors here: a server that starts with them would do less than its
// people think.
func openBooks(dirs []string, actions contract.Catalog, log *slog.Logger) (*books, error) {
	b := &books{dirs: dirs, actions: actions, log: log}
	s, err := b.read()
	if err != nil {
		return nil, err
	}
	b.live.Store(s)
	return b, nil
}

// read reads all directories.
func (b *books) read() (*shelf, error) {
	s := &shelf{
		rules:     &dispatch.Rules{Triggers: map[string][]*trigger.Spec{}, Evaluator: expr.New(expr.Limits{})},
		playbooks: map[string]dispatch.Playbook{}, folders: map[string]string{},
	}
	var problems []error
	var files strings.Builder
	for _, dir := range b.dirs {
		repo, err := repository.Open(dir)
		if err != nil {
			return nil, err
		}
		list, err := repo.Under(dir)
		if err != nil {
			return nil, err
		}
		resolver := compiler.NewResolver(b.actions, repo)
		for _, f := range list {
			fmt.Fprintf(&files, "%s\x00%s\x00", f.Name, f.Content)
			if err := b.file(s, repo, resolver, dir, f); err != nil {
				problems = append(problems, err)
			}
		}
	}
	for _, t := range s.rules.Triggers[home] {
		if t.Playbook == "" && t.Incident == nil && t.Wake == nil {
			t.Playbook = s.beside(s.folders[t.Name])
			if t.Playbook == "" {
				problems = append(problems, fault.New(fault.Invalid, "trigger %s names no playbook, and there is not one playbook beside it", t.Name))
			}
		}
		if _, ok := s.playbooks[t.Playbook]; t.Playbook != "" && !ok {
			problems = append(problems, fault.New(fault.Invalid, "trigger %s names the playbook %q, which is not there", t.Name, t.Playbook))
		}
	}
	s.files = files.String()
	return s, errors.Join(problems...)
}

// beside gives the only playbook in a folder, or "".
func (s *shelf) beside(folder string) string {
	found := ""
	for name, p := range s.playbooks {
		if filepath.Dir(p.Source) == folder {
			if found != "" {
				return ""
			}
			found = name
		}
	}
	return found
}

// file takes the documents of a file.
func (b *books) file(s *shelf, repo *repository.Repo, resolver *compiler.Resolver, dir string, f document.File) error {
	docs, findings := language.Parse(f.Name, f.Content)
	if err := document.Fault(findings); err != nil {
		return err
	}
	var problems []error
	for _, d := range docs {
		switch x := d.Content.(type) {
		case *trigger.Spec:
			s.rules.Triggers[home] = append(s.rules.Triggers[home], x)
			s.folders[x.Name] = filepath.Dir(f.Name)
		case *playbook.Document:
			if d.Kind != document.KindPlaybook {
				continue
			}
			p, findings := resolver.Compile(x)
			if err := document.Fault(findings); err != nil {
				problems = append(problems, err)
				continue
			}
			p.Source = f.Name
			guards, err := repo.Guards(f.Name)
			if err != nil {
				problems = append(problems, err)
				continue
			}
			name := p.Metadata.Name
			if old, ok := s.playbooks[name]; ok {
				problems = append(problems, fault.New(fault.Invalid, "%s and %s both have a playbook called %s", old.Source, f.Name, name))
				continue
			}
			s.playbooks[name] = dispatch.Playbook{Program: p, Source: f.Name, Dir: dir, Guards: guards}
		}
	}
	return errors.Join(problems...)
}

// Playbook implements dispatch.Catalog.
func (b *books) Playbook(_ context.Context, _, _, name string) (dispatch.Playbook, error) {
	p, ok := b.live.Load().playbooks[name]
	if !ok {
		return p, fault.New(fault.NotFound, "there is no playbook %q any more", name)
	}
	return p, nil
}

// watch looks for changes until ctx ends, and gives what is live to govern.
func (b *books) watch(ctx context.Context, govern func(*dispatch.Rules)) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(2 * time.Second):
		}
		s, err := b.read()
		switch {
		case err != nil:
			if said := err.Error(); said != b.said {
				b.said = said
				b.log.Error("playbooks changed and have mistakes; the last good ones stay", "error", err)
			}
		case s.files != b.live.Load().files:
			b.said = ""
			b.live.Store(s)
			govern(s.rules)
			b.log.Info("playbooks changed", "playbooks", len(s.playbooks), "triggers", len(s.rules.Triggers[home]))
		}
	}
}
