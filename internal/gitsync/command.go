package gitsync

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tendhq/tend/internal/document"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/ledger"
	"github.com/tendhq/tend/internal/store"
)

// Report is how a source stands.
type Report struct {
	Name        string    `json:"name"`
	Place       string    `json:"place"` // the address or directory, without what is secret
	Branch      string    `json:"branch,omitempty"`
	Path        string    `json:"path,omitempty"`
	Project     string    `json:"project"`
	Environment string    `json:"environment,omitempty"`
	Owner       string    `json:"owner,omitempty"`
	Live        *Revision `json:"live,omitempty"`
	// Refused is the newest revision when that has errors, and Waiting when it is good and another one is pinned.
	Refused *Revision `json:"refused,omitempty"`
	Waiting *Revision `json:"waiting,omitempty"`
	Pin     *Pin      `json:"pin,omitempty"`
	// Problem says why the source cannot be looked at since then; it could be last at Looked.
	Problem string    `json:"problem,omitempty"`
	Since   time.Time `json:"since,omitzero"`
	Looked  time.Time `json:"looked,omitzero"`
	// Failures counts the times that it could not be looked at, and Refusals the revisions that were refused, since the start.
	Failures int64 `json:"-"`
	Refusals int64 `json:"-"`
}

// Healthy tells whether what is live is what the source holds, as far as nobody wanted it otherwise.
func (r *Report) Healthy() bool { return r.Live != nil && r.Refused == nil && r.Problem == "" }

// Status tells how all sources stand, in order.
func (s *Sync) Status() []Report {
	out := make([]Report, len(s.all))
	for i, st := range s.all {
		out[i] = st.report()
	}
	return out
}

func (st *state) report() Report {
	st.mu.Lock()
	defer st.mu.Unlock()
	r := Report{
		Name: st.Name, Place: st.Dir, Branch: st.Branch, Path: st.Path, Project: st.Binding.Project, Environment: st.Binding.Environment, Owner: st.Binding.Owner,
		Live: st.current, Pin: st.record.Pin, Since: st.since, Looked: st.looked,
		Failures: st.failures, Refusals: st.refusals,
	}
	if st.URL != "" {
		r.Place = st.URL
	}
	switch {
	case st.why != nil:
		r.Problem = st.why.Error()
	case st.lost != nil:
		r.Problem = st.lost.Error()
	}
	if l := st.last; l != nil && (st.current == nil || l.ID != st.current.ID) {
		switch l.Status {
		case Refused:
			r.Refused = l
		case Good:
			r.Waiting = l
		case Live:
		}
	}
	return r
}

// Revisions lists the revisions of a source that are remembered, newest first; "" is for all sources.
func (s *Sync) Revisions(ctx context.Context, name string, limit int) ([]*Revision, error) {
	if name != "" {
		if _, err := s.source(name); err != nil {
			return nil, err
		}
	}
	var out []*Revision
	for _, st := range s.all {
		if name != "" && st.Name != name {
			continue
		}
		n := 0
		err := s.cfg.Ledger.Each(ctx, store.Filter{Kind: kindRevision, Parent: st.Name}, func(row store.Row) error {
			if n++; limit > 0 && n > limit {
				return nil
			}
			rev, err := readRevision(&row)
			if err == nil {
				out = append(out, rev)
			}
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// revision finds a revision of a source by its id or the beginning of it.
func (s *Sync) revision(ctx context.Context, st *state, id string) (*Revision, error) {
	p, err := s.cfg.Ledger.Rows(ctx, store.Filter{Kind: kindRevision, Prefix: rowID(st.Name, id), Limit: 2})
	if err != nil {
		return nil, err
	}
	rows := slices.DeleteFunc(p.Rows, func(r store.Row) bool { return r.Parent != st.Name })
	switch {
	case id == "" || len(rows) == 0:
		return nil, fault.New(fault.NotFound, "%s has no revision %q, or it is not kept any more", st.Name, id).WithNext("tend revisions list %s", st.Name)
	case len(rows) > 1:
		return nil, fault.New(fault.Invalid, "%q is the beginning of more than one revision of %s", id, st.Name).WithNext("write more of it")
	}
	return readRevision(&rows[0])
}

// Pin makes a revision that is kept live, whatever comes, until Unpin. It needs no Git.
func (s *Sync) Pin(ctx context.Context, name, revision string, by entry.Who, why string) (*Revision, error) {
	st, err := s.source(name)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	rev, err := s.revision(ctx, st, revision)
	if err != nil {
		return nil, err
	}
	if rev.Status == Refused {
		return nil, fault.New(fault.Conflict, "revision %s of %s was refused: %s", rev.Short(), name, rev.why()).WithNext("pin one that is good: tend revisions list %s", name)
	}
	return s.pin(ctx, st, &Pin{Revision: rev.ID, By: by, Why: why, At: time.Now().UTC().Truncate(time.Second)}, "revision-pinned", rev.ID, by, why)
}

// Unpin lets a source follow its newest good revision again.
func (s *Sync) Unpin(ctx context.Context, name string, by entry.Who, why string) (*Revision, error) {
	st, err := s.source(name)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	st.mu.Lock()
	pin, newest := st.record.Pin, st.record.Newest
	st.mu.Unlock()
	if pin == nil {
		return nil, fault.New(fault.Conflict, "no revision of %s is pinned", name)
	}
	return s.pin(ctx, st, nil, "revision-unpinned", newest, by, why)
}

// before finds the revision that was live before the one that is: of those that were, the newest that is older.
func (s *Sync) before(ctx context.Context, st *state) (string, error) {
	current := st.now()
	found := ""
	err := s.cfg.Ledger.Each(ctx, store.Filter{Kind: kindRevision, Parent: st.Name}, func(row store.Row) error {
		rev, err := readRevision(&row)
		older := err == nil && (current == nil || rev.Seen.Before(current.Seen))
		if found == "" && older && rev.Status != Refused && !rev.LiveSince.IsZero() {
			found = rev.ID
		}
		return nil // a row that cannot be read leads nowhere
	})
	if err == nil && found == "" {
		err = fault.New(fault.Conflict, "nothing of %s was live before, or it is not kept any more", st.Name).WithNext("tend revisions list %s", st.Name)
	}
	return found, err
}

// Rollback pins what was live before. A second one goes a step further back.
func (s *Sync) Rollback(ctx context.Context, name string, by entry.Who, why string) (*Revision, error) {
	st, err := s.source(name)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	before, err := s.before(ctx, st)
	if err != nil {
		return nil, err
	}
	return s.pin(ctx, st, &Pin{Revision: before, By: by, Why: why, At: time.Now().UTC().Truncate(time.Second)}, "revision-rolled-back", before, by, why)
}

// pin carries a decision out. The caller holds s.mu.
func (s *Sync) pin(ctx context.Context, st *state, p *Pin, what, revision string, by entry.Who, why string) (*Revision, error) {
	st.mu.Lock()
	next, live := st.record.pinned(p)
	current := st.current
	st.mu.Unlock()
	fact := ledger.Audit(by, what, rowID(st.Name, revision), why, nil)
	if live == "" {
		if err := s.cfg.Ledger.Append(ctx, ledger.Batch{Facts: []ledger.Fact{fact}, Rows: []store.Row{next.row(&st.Source, time.Now())}}); err != nil {
			return nil, err
		}
		st.mu.Lock()
		st.record = next
		st.mu.Unlock()
		return current, nil
	}
	rev, cat, err := s.load(ctx, st, live)
	if err != nil {
		return nil, err
	}
	if clashes := s.Set().Clashes(cat); len(clashes) > 0 {
		return nil, document.Fault(clashes)
	}
	// What a person chose is not new; what follows then by itself is.
	if err := s.enliven(ctx, st, next, rev, cat, fact, p == nil && st.ObserveNew); err != nil {
		return nil, err
	}
	s.cfg.Log.Warn("somebody chose what is live", "repository", st.Name, "revision", rev.ID, "by", by.Name, "why", why, "pinned", p != nil)
	return rev, nil
}

func plural(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}

// String says in one line how a source stands.
func (r *Report) String() string {
	var parts []string
	switch {
	case r.Live != nil:
		parts = append(parts, "live: "+r.Live.Short())
	default:
		parts = append(parts, "nothing is live")
	}
	if r.Pin != nil {
		parts = append(parts, "pinned by "+r.Pin.By.Name)
	}
	if r.Refused != nil {
		parts = append(parts, "refused: "+r.Refused.Short()+": "+r.Refused.why())
	}
	if r.Problem != "" {
		parts = append(parts, r.Problem)
	}
	return strings.Join(parts, "; ")
}
