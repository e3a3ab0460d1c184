package gitsync

import (
	"context"
	"slices"

	"github.com/tendhq/tend/internal/document"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/store"
)

// Content gives the files of a revision that is kept; "" is the live one. They must not be changed.
func (s *Sync) Content(ctx context.Context, name, revision string) (*Revision, []document.File, error) {
	st, err := s.source(name)
	if err != nil {
		return nil, nil, err
	}
	rev := st.now()
	if revision != "" && (rev == nil || rev.ID != revision) {
		rev, err = s.revision(ctx, st, revision)
	}
	switch {
	case err != nil:
		return nil, nil, err
	case rev == nil:
		return nil, nil, fault.New(fault.NotFound, "nothing of %s is live", name).WithNext("tend revisions list %s", name)
	}
	files, err := s.files(ctx, st, rev)
	return rev, files, err
}

// files reads what was kept of a revision. What was read last is remembered: people look at one revision for a while.
func (s *Sync) files(ctx context.Context, st *state, rev *Revision) ([]document.File, error) {
	if rev.Content == nil {
		return nil, fault.New(fault.Conflict, "revision %s of %s was refused, or is not kept any more", rev.Short(), st.Name)
	}
	st.mu.Lock()
	seen, files := st.seen, st.files
	st.mu.Unlock()
	if seen == rev.ID {
		return files, nil
	}
	b, err := s.cfg.Blobs.Get(ctx, rev.group(), *rev.Content)
	if err != nil {
		return nil, err
	}
	defer func() { _ = b.Close() }()
	if files, err = unpack(b); err != nil {
		return nil, err
	}
	st.mu.Lock()
	st.seen, st.files = rev.ID, files
	st.mu.Unlock()
	return files, nil
}

// Version is a playbook as it was in one revision.
type Version struct {
	Revision *Revision
	File     string
	Text     []byte
	// Does tells that it did something else than in the version before: the text of its file may be the same then, and that
	// of something that it uses another one.
	Does bool
	// Past tells that it is of the history of the repository, from before what is kept: whether it was ever live is not known,
	// and neither is what else it did then.
	Past bool
}

// History are the versions of a playbook.
type History struct {
	Versions []Version // newest first
	// Whole tells that there were none before: the repository's history was read to its beginning, or everything is kept.
	Whole bool
}

// pasts is how many versions are read of the history of a repository.
const pasts = 50

// Versions gives the revisions in which a playbook changed, newest first: of those that are kept its file, or what it does; and
// before them its file, in the commits of the repository.
func (s *Sync) Versions(ctx context.Context, name, playbook, file string) (*History, error) {
	st, err := s.source(name)
	if err != nil {
		return nil, err
	}
	var revs []*Revision
	err = s.cfg.Ledger.Each(ctx, store.Filter{Kind: kindRevision, Parent: st.Name}, func(row store.Row) error {
		rev, err := readRevision(&row)
		if err == nil && rev.Content != nil && rev.Status != Refused {
			revs = append(revs, rev)
		}
		return nil // a row that cannot be read has no version
	})
	if err != nil {
		return nil, err
	}
	var out []Version
	slices.Reverse(revs) // the oldest first
	for _, rev := range revs {
		files, err := s.past(ctx, st, rev)
		if err != nil {
			return nil, err
		}
		f, err := document.NewLibrary(documents(files)).Find(document.KindPlaybook, playbook, file)
		if err != nil {
			continue // there was none of that name
		}
		v := Version{Revision: rev, File: f.Name, Text: f.Content, Does: slices.Contains(rev.Changed, playbook)}
		if n := len(out); n > 0 && !v.Does && out[n-1].File == v.File && string(out[n-1].Text) == string(v.Text) {
			continue
		}
		out = append(out, v)
	}
	h := &History{Whole: len(revs) < keep}
	if st.URL != "" && len(revs) > 0 {
		out, h.Whole = s.earlier(ctx, st, revs[0], playbook, file, out)
	}
	slices.Reverse(out)
	h.Versions = out
	return h, nil
}

// earlier puts what the repository tells of the time before a revision in front of what is kept. What cannot be read is left
// out: a mirror that is made anew has not everything yet, and a history can be written again.
func (s *Sync) earlier(ctx context.Context, st *state, first *Revision, playbook, file string, kept []Version) (all []Version, whole bool) {
	past, err := st.mirror.History(ctx, first.ID, file, pasts)
	if err != nil {
		s.cfg.Log.Debug("the history of a playbook cannot be read", "repository", st.Name, "file", file, "error", err)
		return kept, false
	}
	slices.Reverse(past) // the oldest first
	for i := range past {
		p := &past[i]
		if _, err := document.NewLibrary([]document.File{{Name: file, Content: p.Text}}).Find(document.KindPlaybook, playbook, file); err != nil {
			continue
		}
		if len(kept) > 0 && i == len(past)-1 && string(kept[0].Text) == string(p.Text) {
			continue // it is the first one that is kept
		}
		all = append(all, Version{File: file, Text: p.Text, Past: true, Does: true, Revision: &Revision{
			ID: p.ID, Repository: st.Name, Project: st.Binding.Project, Commit: true, Author: p.Author, Title: p.Title, Committed: p.At.UTC(), Status: Good,
		}})
	}
	return append(all, kept...), len(past) < pasts
}

// past is files, and leaves what is remembered alone.
func (s *Sync) past(ctx context.Context, st *state, rev *Revision) ([]document.File, error) {
	st.mu.Lock()
	seen, files := st.seen, st.files
	st.mu.Unlock()
	if seen == rev.ID {
		return files, nil
	}
	b, err := s.cfg.Blobs.Get(ctx, rev.group(), *rev.Content)
	if err != nil {
		return nil, err
	}
	defer func() { _ = b.Close() }()
	return unpack(b)
}

// documents are the files that can hold documents.
func documents(files []document.File) []document.File {
	return slices.DeleteFunc(slices.Clone(files), func(f document.File) bool { return !catalogDocument(f.Name) })
}
