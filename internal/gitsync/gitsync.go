// Package gitsync keeps playbooks live as they are in Git, or in a directory.
//
// A source is polled, and looked at when it is poked. What it holds is checked as a whole (package catalog) and becomes live
// as a whole; when anything is wrong with it, the last good revision stays live, and status, log and audit trail say why. It
// guarantees:
//
//   - What is live was durable before: a restart without Git goes on with it.
//   - Playbooks that change something, and are new or do something else than before, are told to Prepare before they are
//     live.
//   - A revision that is pinned stays live until somebody says otherwise.
//   - Runs are not touched: each is pinned to what it began with.
//
// Repositories are read by package git.
package gitsync

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tendhq/tend/internal/blob"
	"github.com/tendhq/tend/internal/catalog"
	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/dispatch"
	"github.com/tendhq/tend/internal/document"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/git"
	"github.com/tendhq/tend/internal/ledger"
	"github.com/tendhq/tend/internal/store"
)

// Source is one place that playbooks come from: a directory, or a branch of a repository.
type Source struct {
	git.Remote // or

	Dir        string // a directory
	Name       string // of the repository, as people write it; unique
	Poll       time.Duration
	ObserveNew bool  // new or changed mutations are told to Prepare
	Push       *Push // nil: proposals are patches
	Binding    catalog.Binding
}

// Check tells what is wrong with a source.
func (s *Source) Check() error {
	switch {
	case (s.Dir == "") == (s.URL == ""):
		return fault.New(fault.Invalid, "a repository is either a directory or a URL")
	case s.URL == "":
		return nil
	}
	return s.Remote.Check()
}

// Change is what becomes live.
type Change struct {
	Repository  string
	Project     string
	Environment string
	Revision    string
	Author      string
	Observe     []string // playbooks that change something, and are new or do something else than before; with ObserveNew
}

// Config of a Sync.
type Config struct {
	Sources []Source
	Actions contract.Catalog
	Ledger  *ledger.Ledger
	Blobs   blob.Store
	Dir     string // where mirrors are kept
	Git     string // the program; "" looks for it in PATH
	Log     *slog.Logger
	Secret  git.Secret // for tokens; nil: there are none
	// Prepare is called before something is live. When it fails, it is not, and is tried again.
	Prepare func(ctx context.Context, c Change) error
	// Changed is called when something else is live, one call at a time. It must not call back.
	Changed func(s *catalog.Set)
}

// Sync keeps its sources live. All methods are safe for concurrent use.
type Sync struct {
	cfg  Config
	all  []*state
	live atomic.Pointer[catalog.Set]
	stop context.CancelFunc
	busy sync.WaitGroup

	mu sync.Mutex // one revision becomes live at a time
}

// state is what is known of one source.
type state struct {
	Source

	mirror *git.Mirror
	poke   chan struct{}
	turn   sync.Mutex // one look at a time

	mu      sync.Mutex // for what follows; Sync.mu comes before it
	record  record
	catalog *catalog.Catalog
	last    *Revision // the newest one that was checked
	current *Revision // the live one
	lost    error     // why what was live before the last start is not
	why     error     // why it could not be looked at
	since   time.Time // of why
	looked  time.Time // when it could be last
	checked checked
	seen    string          // the revision whose content was asked for last
	files   []document.File // its files

	failures, refusals int64 // since the start: see Report
}

// checked says for what the last check holds.
type checked struct {
	revision string
	set      *catalog.Set // clashes depend on the others
	done     bool         // it is live, or refused for reasons that do not pass
}

// Poll is how often a source is looked at that does not say.
const (
	PollGit = time.Minute
	PollDir = 2 * time.Second
)

// Open makes live what was live before, looks at directories at once and at repositories as soon as it can.
func Open(ctx context.Context, cfg Config) (*Sync, error) {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	s := &Sync{cfg: cfg}
	var problems []error
	names := map[string]bool{}
	for i := range cfg.Sources {
		src := cfg.Sources[i]
		src.Binding.Repository = src.Name
		src.Binding.Project = cmp.Or(src.Binding.Project, catalog.DefaultProject)
		if err := src.Check(); err != nil {
			problems = append(problems, fault.Wrap(fault.KindOf(err), err, "repository %s", src.Name))
		}
		if src.Name == "" || names[src.Name] {
			problems = append(problems, fault.New(fault.Invalid, "two repositories are called %q", src.Name))
		}
		names[src.Name] = true
		st := &state{Source: src, poke: make(chan struct{}, 1)} // one poke is enough
		st.mirror = git.New(filepath.Join(cfg.Dir, directory(src.Name, src.URL)), cfg.Git, src.Remote, cfg.Secret)
		s.all = append(s.all, st)
	}
	if len(problems) > 0 {
		return nil, errors.Join(problems...)
	}
	s.live.Store(catalog.NewSet())
	for _, st := range s.all {
		if err := s.recall(ctx, st); err != nil {
			return nil, err
		}
		s.live.Store(s.together()) // what clashes with an earlier one is not recalled
	}
	s.publish()
	for _, st := range s.all {
		if st.URL == "" {
			_ = s.look(ctx, st) // status says why it could not
		}
	}
	ctx, s.stop = context.WithCancel(context.WithoutCancel(ctx))
	for _, st := range s.all {
		s.busy.Go(func() { s.follow(ctx, st) })
	}
	return s, nil
}

// Close ends the polling. What is live can still be asked.
func (s *Sync) Close() {
	s.stop()
	s.busy.Wait()
}

func (s *Sync) follow(ctx context.Context, st *state) {
	every := st.Poll
	if every <= 0 {
		every = PollGit
		if st.URL == "" {
			every = PollDir
		}
	}
	first := time.Duration(0)
	if st.URL == "" {
		first = every // Open looked already
	}
	t := time.NewTimer(first)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-st.poke:
		case <-t.C:
		}
		_ = s.look(ctx, st) // status says why it could not
		t.Reset(every)
	}
}

// Poke looks at a source soon; "" is all of them. It tells whether there is one of that name.
func (s *Sync) Poke(name string) bool {
	found := false
	for _, st := range s.all {
		if name != "" && st.Name != name {
			continue
		}
		found = true
		select {
		case st.poke <- struct{}{}:
		default:
		}
	}
	return found
}

// Pushed looks soon at the sources that come from a repository, by any of its addresses: what a webhook says was pushed to.
func (s *Sync) Pushed(addresses ...string) {
	for _, st := range s.all {
		if st.URL != "" && slices.ContainsFunc(addresses, func(a string) bool { return a != "" && git.Same(a, st.URL) }) {
			s.Poke(st.Name)
		}
	}
}

// Look looks at a source now and answers when what it holds is live or refused.
func (s *Sync) Look(ctx context.Context, name string) error {
	st, err := s.source(name)
	if err != nil {
		return err
	}
	return s.look(ctx, st)
}

func (s *Sync) source(name string) (*state, error) {
	var names []string
	for _, st := range s.all {
		if st.Name == name {
			return st, nil
		}
		names = append(names, st.Name)
	}
	e := fault.New(fault.NotFound, "no repository is called %q", name)
	if len(names) == 0 {
		return nil, e.WithNext("name some as `repositories` in the server's configuration")
	}
	return nil, e.WithNext("there are: %s", strings.Join(names, ", "))
}

// Set is what is live.
func (s *Sync) Set() *catalog.Set { return s.live.Load() }

// Playbook implements dispatch.Catalog.
func (s *Sync) Playbook(_ context.Context, project, trigger, name string) (dispatch.Playbook, error) {
	p, err := s.Set().Playbook(project, trigger, name)
	if err != nil {
		return dispatch.Playbook{}, err
	}
	return dispatch.Playbook{Program: p.Program, Environment: p.Environment, Source: p.Source, Guards: p.Guards, Metadata: p.Metadata}, nil
}

// together is the set of all catalogs.
func (s *Sync) together() *catalog.Set {
	list := make([]*catalog.Catalog, len(s.all))
	for i, st := range s.all {
		st.mu.Lock()
		list[i] = st.catalog
		st.mu.Unlock()
	}
	return catalog.NewSet(list...)
}

// publish makes all catalogs live.
func (s *Sync) publish() {
	set := s.together()
	s.live.Store(set)
	if s.cfg.Changed != nil {
		s.cfg.Changed(set)
	}
}

// recall makes live what was live before the last end.
func (s *Sync) recall(ctx context.Context, st *state) error {
	p, err := s.cfg.Ledger.Rows(ctx, store.Filter{Kind: kindRepository, ID: st.Name, Limit: 1})
	if err != nil {
		return err
	}
	if len(p.Rows) > 0 {
		if err := json.Unmarshal(p.Rows[0].Body, &st.record); err != nil {
			s.cfg.Log.Error("read what was live of a repository", "repository", st.Name, "error", err)
		}
	}
	if len(p.Rows) == 0 || p.Rows[0].Project != st.Binding.Project {
		// Whoever asks about it is asked first whether they may: by its project.
		if err := s.cfg.Ledger.Append(ctx, ledger.Batch{Rows: []store.Row{st.record.row(&st.Source, time.Now())}}); err != nil {
			return err
		}
	}
	if st.record.Head != "" && st.record.Head != st.record.Live {
		st.last, _ = s.revision(ctx, st, st.record.Head) // one that is not there any more says nothing
	}
	if st.record.Live == "" {
		return nil
	}
	rev, cat, err := s.load(ctx, st, st.record.Live)
	if err == nil {
		err = document.Fault(s.Set().Clashes(cat))
	}
	if err != nil {
		// What the repository may touch was narrowed, or this version checks more: what was live is so no more.
		st.lost = fault.Wrap(fault.KindOf(err), err, "revision %s was live, and cannot be", short(st.record.Live))
		s.cfg.Log.Error("a revision that was live is not live any more", "repository", st.Name, "revision", st.record.Live, "error", err)
		st.record.Live = ""
		return nil
	}
	st.catalog, st.current = cat, rev
	if st.last == nil {
		st.last = rev
	}
	return nil
}

// load reads a revision that was kept, and checks it anew.
func (s *Sync) load(ctx context.Context, st *state, id string) (*Revision, *catalog.Catalog, error) {
	rev, err := s.revision(ctx, st, id)
	if err != nil {
		return nil, nil, err
	}
	if rev.Content == nil {
		return nil, nil, fault.New(fault.Conflict, "revision %s of %s was refused, or is not kept any more", rev.Short(), st.Name)
	}
	b, err := s.cfg.Blobs.Get(ctx, rev.group(), *rev.Content)
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = b.Close() }()
	files, err := unpack(b)
	if err != nil {
		return nil, nil, err
	}
	cat, findings := catalog.Build(files, st.binding(rev), s.cfg.Actions)
	if cat == nil {
		return nil, nil, document.Fault(findings)
	}
	return rev, cat, nil
}

// binding is that of a revision.
func (st *state) binding(rev *Revision) catalog.Binding {
	b := st.Source.Binding
	b.Author = rev.Author
	if rev.Commit {
		b.Commit = rev.ID
	}
	return b
}

// keepContent stores the files of a revision. It is durable before a row names it.
func (s *Sync) keepContent(ctx context.Context, rev *Revision, files []document.File) error {
	b, err := pack(files)
	if err != nil {
		return err
	}
	ref, err := s.cfg.Blobs.Put(ctx, rev.group(), bytes.NewReader(b))
	if err != nil {
		return err
	}
	rev.Content = &ref
	return nil
}

// self is who acts when a repository changed.
func self() entry.Who { return entry.Who{ID: "tend", Name: "tend", Via: "engine"} }
