package gitsync

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tendhq/tend/internal/catalog"
	"github.com/tendhq/tend/internal/document"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/git"
	"github.com/tendhq/tend/internal/ledger"
	"github.com/tendhq/tend/internal/repository"
	"github.com/tendhq/tend/internal/store"
)

// directory names the folder of a mirror: another address is another mirror.
func directory(name, address string) string {
	sum := sha256.Sum256([]byte(name + "\x00" + address))
	return hex.EncodeToString(sum[:10])
}

// readDir reads a directory. A sum of its content stands for a commit.
func readDir(dir string) (*git.Commit, error) {
	files, err := repository.Tree(dir)
	if err != nil {
		return nil, err
	}
	sum := sha256.New()
	for _, f := range files {
		_, _ = fmt.Fprintf(sum, "%q %d\n", f.Name, len(f.Content)) // a hash takes everything
		_, _ = sum.Write(f.Content)
	}
	return &git.Commit{ID: hex.EncodeToString(sum.Sum(nil))[:40], At: time.Now(), Files: files}, nil
}

// look reads a source and settles what it holds.
func (s *Sync) look(ctx context.Context, st *state) error {
	st.turn.Lock()
	defer st.turn.Unlock()
	err := s.lookOnce(ctx, st)
	if ctx.Err() != nil {
		return err // it is over, not in trouble
	}
	st.mu.Lock()
	defer st.mu.Unlock()
	now := time.Now()
	if err != nil {
		st.failures++
	}
	switch {
	case err == nil:
		if st.why != nil {
			s.cfg.Log.Info("a repository can be read again", "repository", st.Name)
		}
		st.why, st.since, st.looked = nil, time.Time{}, now
	case st.why == nil || st.why.Error() != err.Error():
		s.cfg.Log.Error("playbooks cannot be read: the last good ones stay", "repository", st.Name, "error", err)
		if st.why == nil {
			st.since = now
		}
		st.why = err
	}
	return err
}

func (s *Sync) lookOnce(ctx context.Context, st *state) error {
	if st.URL == "" {
		t, err := readDir(st.Dir)
		if err != nil {
			return err
		}
		return s.settle(ctx, st, t)
	}
	commit, err := st.mirror.Fetch(ctx)
	if err != nil {
		return err
	}
	if s.known(st, commit) {
		return nil
	}
	st.mu.Lock()
	before := st.record.Head
	st.mu.Unlock()
	t, err := st.mirror.Read(ctx, commit, before)
	if err != nil {
		if ctx.Err() == nil && (fault.Is(err, fault.Damaged) || git.ExitCode(err) > 0) {
			_ = st.mirror.Forget() // the next fetch makes it anew
		}
		return err
	}
	return s.settle(ctx, st, t)
}

// known tells whether a revision need not be checked again.
func (s *Sync) known(st *state, id string) bool {
	st.mu.Lock()
	defer st.mu.Unlock()
	return st.checked.done && st.checked.revision == id && (st.checked.set == nil || st.checked.set == s.Set())
}

// settle checks what was read, and makes it live or remembers why not.
func (s *Sync) settle(ctx context.Context, st *state, t *git.Commit) error {
	if s.known(st, t.ID) {
		return nil
	}
	now := time.Now().UTC().Truncate(time.Microsecond)
	rev := &Revision{
		ID: t.ID, Repository: st.Name, Project: st.Binding.Project, Environment: st.Binding.Environment, Commit: st.URL != "", Author: t.Author, Title: t.Title,
		Committed: t.At.UTC().Truncate(time.Second), Seen: now, Rewritten: t.Gone,
	}
	var cat *catalog.Catalog
	var findings []document.Finding
	if t.Problem != nil {
		findings = append(findings, *t.Problem)
	} else {
		cat, findings = catalog.Build(t.Files, st.binding(rev), s.cfg.Actions)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	set := s.Set()
	if cat != nil {
		if f := st.emptied(cat); f != nil {
			findings, cat = append(findings, *f), nil
		} else if clashes := set.Clashes(cat); len(clashes) > 0 {
			findings, cat = append(findings, clashes...), nil
		}
	}
	rev.found(findings)
	if before, err := s.revision(ctx, st, rev.ID); err == nil {
		rev.Seen = before.Seen
	}
	if cat == nil {
		return s.refuse(ctx, st, rev, set)
	}
	rev.Playbooks, rev.Triggers, rev.Guards = len(cat.Playbooks()), len(cat.Triggers()), len(cat.Guards())
	if current := st.now(); current != nil && current.ID == rev.ID {
		rev.Content = current.Content
	} else if err := s.keepContent(ctx, rev, t.Files); err != nil {
		return err
	}
	return s.accept(ctx, st, rev, cat)
}

// emptied finds that nothing is there any more: a volume that is not mounted, or a folder that was moved, is no decision to
// do nothing.
func (st *state) emptied(c *catalog.Catalog) *document.Finding {
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.catalog == nil || len(st.catalog.Playbooks())+len(st.catalog.Triggers()) == 0 || len(c.Playbooks())+len(c.Triggers())+len(c.Guards())+len(c.Integrations()) > 0 {
		return nil
	}
	return &document.Finding{
		Rule: git.RuleTree, Severity: document.Error, Place: document.Place{File: "."}, Message: "there are no documents any more",
		Remedy: "correct the path; to end it, remove the repository from the server's configuration",
	}
}

// now is the revision that is live.
func (st *state) now() *Revision {
	st.mu.Lock()
	defer st.mu.Unlock()
	return st.current
}

// refuse remembers a revision with errors.
func (s *Sync) refuse(ctx context.Context, st *state, rev *Revision, set *catalog.Set) error {
	rev.Status = Refused
	st.mu.Lock()
	next, _ := st.record.checked(rev.ID, false)
	stays := st.record.Live
	st.mu.Unlock()
	b := ledger.Batch{Rows: []store.Row{rev.row(), next.row(&st.Source, rev.Seen)}}
	if before, err := s.revision(ctx, st, rev.ID); err != nil || before.Status != Refused || !slices.Equal(before.Findings, rev.Findings) {
		detail := rev.detail()
		detail["stays"] = stays
		b.Facts = append(b.Facts, ledger.Audit(self(), "revision-refused", rowID(st.Name, rev.ID), rev.why(), detail))
		s.cfg.Log.Error("playbooks are not live: the last good ones stay", "repository", st.Name, "revision", rev.ID, "author", rev.Author, "errors", rev.Errors, "why", rev.why(), "live", stays)
	}
	if err := s.cfg.Ledger.Append(ctx, b); err != nil {
		return err
	}
	st.mu.Lock()
	if st.last == nil || st.last.ID != rev.ID || st.last.Status != Refused {
		st.refusals++
	}
	st.record, st.last = next, rev
	st.checked = checked{revision: rev.ID, set: set, done: true}
	st.mu.Unlock()
	s.prune(ctx, st)
	return nil
}

// why says in one line why a revision is refused.
func (r *Revision) why() string {
	for _, f := range r.Findings {
		if f.Severity == document.Error {
			s := f.Place.String() + ": " + f.Message
			if n := r.Errors - 1; n > 0 {
				s += " (and " + plural(n, "more error") + ")"
			}
			return s
		}
	}
	return ""
}

// detail is what the audit trail says of a revision.
func (r *Revision) detail() map[string]any {
	d := map[string]any{"repository": r.Repository, "revision": r.ID, "project": r.Project}
	for k, v := range map[string]string{"author": r.Author, "environment": r.Environment, "rewritten": r.Rewritten, "title": r.Title} {
		if v != "" {
			d[k] = v
		}
	}
	if r.Commit {
		d["committed"] = r.Committed.UTC().Format(time.RFC3339)
	}
	if r.Errors > 0 {
		d["errors"] = r.Errors
	}
	if len(r.Changed) > 0 {
		d["changed"] = strings.Join(r.Changed, " ")
	}
	return d
}

// accept makes a good revision live, unless another one is pinned.
func (s *Sync) accept(ctx context.Context, st *state, rev *Revision, cat *catalog.Catalog) error {
	st.mu.Lock()
	next, live := st.record.checked(rev.ID, true)
	again := st.current != nil && st.current.ID == rev.ID
	pin := st.record.Pin
	st.mu.Unlock()
	if again {
		// It is live already; a restart checked it anew.
		rev.Status, rev.LiveSince, rev.Changed = Live, st.current.LiveSince, st.current.Changed
		if err := s.cfg.Ledger.Append(ctx, ledger.Batch{Rows: []store.Row{rev.row(), next.row(&st.Source, rev.Seen)}}); err != nil {
			return err
		}
		st.mu.Lock()
		st.record, st.last, st.current = next, rev, rev
		st.checked = checked{revision: rev.ID, done: true}
		st.mu.Unlock()
		return nil
	}
	if !live && next.Live != rev.ID {
		rev.Status = Good
		b := ledger.Batch{Rows: []store.Row{rev.row(), next.row(&st.Source, rev.Seen)}}
		if err := s.cfg.Ledger.Append(ctx, b); err != nil {
			return err
		}
		s.cfg.Log.Info("a revision is good, and another one is pinned", "repository", st.Name, "revision", rev.ID, "pinned", pin.Revision, "by", pin.By.Name)
		st.mu.Lock()
		st.record, st.last = next, rev
		st.checked = checked{revision: rev.ID, done: true}
		st.mu.Unlock()
		s.prune(ctx, st)
		return nil
	}
	if err := s.enliven(ctx, st, next, rev, cat, ledger.Audit(self(), "revision-live", rowID(st.Name, rev.ID), "", nil), st.ObserveNew); err != nil {
		return err
	}
	st.mu.Lock()
	st.last = rev
	st.checked = checked{revision: rev.ID, done: true}
	st.mu.Unlock()
	s.prune(ctx, st)
	return nil
}

// enliven makes a revision live: what must be true before is done first, then it is durable, then it is so.
func (s *Sync) enliven(ctx context.Context, st *state, next record, rev *Revision, cat *catalog.Catalog, fact ledger.Fact, observe bool) error {
	st.mu.Lock()
	old, was := st.catalog, st.current
	st.mu.Unlock()
	changed, mutating := differs(old, cat)
	rev.Changed = changed
	c := Change{Repository: st.Name, Project: rev.Project, Environment: rev.Environment, Revision: rev.ID, Author: rev.Author}
	if observe {
		c.Observe = mutating
	}
	if s.cfg.Prepare != nil {
		if err := s.cfg.Prepare(ctx, c); err != nil {
			return fault.Wrap(fault.KindOf(err), err, "prepare revision %s of %s", rev.Short(), st.Name)
		}
	}
	rev.Status, rev.LiveSince = Live, time.Now().UTC().Truncate(time.Microsecond)
	b := ledger.Batch{Rows: []store.Row{rev.row(), next.row(&st.Source, rev.Seen)}}
	if a, ok := fact.Payload.(*entry.Audited); ok && a.Detail == nil {
		a.Detail = rev.detail()
		if old != nil { // what comes with the first revision is no change
			a.Detail["owners"] = owners(cat, changed)
		}
	}
	b.Facts = append(b.Facts, fact)
	if was != nil && was.ID != rev.ID {
		before := *was
		before.Status = Good
		b.Rows = append(b.Rows, before.row())
	}
	if err := s.cfg.Ledger.Append(ctx, b); err != nil {
		return err
	}
	if rev.Rewritten != "" {
		s.cfg.Log.Warn("the history of a repository was rewritten", "repository", st.Name, "before", rev.Rewritten, "now", rev.ID, "author", rev.Author)
	}
	s.cfg.Log.Info("playbooks are live", "repository", st.Name, "revision", rev.ID, "author", rev.Author, "playbooks", len(cat.Playbooks()), "triggers", len(cat.Triggers()), "changed", len(changed))
	st.mu.Lock()
	st.record, st.catalog, st.current, st.lost = next, cat, rev, nil
	st.mu.Unlock()
	s.publish()
	return nil
}

// owners tells whose the playbooks are that changed: package insight counts changes by team.
func owners(cat *catalog.Catalog, changed []string) map[string]any {
	out := map[string]any{}
	for _, p := range cat.Playbooks() {
		if slices.Contains(changed, p.Name) {
			out[p.Name] = p.Owner
		}
	}
	return out
}

// differs names the playbooks that are new or do something else, and those of them that can change something.
func differs(old, now *catalog.Catalog) (changed, mutating []string) {
	before := map[string]string{}
	if old != nil {
		for _, p := range old.Playbooks() {
			before[p.Name] = p.Digest
		}
	}
	for _, p := range now.Playbooks() {
		if d, ok := before[p.Name]; ok && d == p.Digest && d != "" {
			continue
		}
		changed = append(changed, p.Name)
		if p.Mutates {
			mutating = append(mutating, p.Name)
		}
	}
	return changed, mutating
}

// prune forgets old revisions. What fails is tried again with the next one.
func (s *Sync) prune(ctx context.Context, st *state) {
	st.mu.Lock()
	r := st.record
	st.mu.Unlock()
	held := []string{r.Live, r.Newest, r.Head}
	if r.Pin != nil {
		held = append(held, r.Pin.Revision)
	}
	var good, refused int
	var drop []*Revision
	err := s.cfg.Ledger.Each(ctx, store.Filter{Kind: kindRevision, Parent: st.Name}, func(row store.Row) error {
		rev, err := readRevision(&row)
		if err != nil {
			return nil //nolint:nilerr // a row that cannot be read is not forgotten
		}
		n := &good
		if rev.Status == Refused {
			n = &refused
		}
		*n++
		if *n > keep && !slices.Contains(held, rev.ID) {
			drop = append(drop, rev)
		}
		return nil
	})
	for _, rev := range drop {
		if err == nil {
			err = s.cfg.Blobs.Delete(ctx, rev.group())
		}
		if fault.Is(err, fault.NotFound) {
			err = nil
		}
		if err == nil {
			err = s.cfg.Ledger.Append(ctx, ledger.Batch{Delete: []store.Key{{Kind: kindRevision, ID: rowID(st.Name, rev.ID)}}})
		}
	}
	if err != nil && ctx.Err() == nil {
		s.cfg.Log.Warn("forget old revisions", "repository", st.Name, "error", err)
	}
}
