package gitsync

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"time"

	"github.com/tendhq/tend/internal/catalog"
	"github.com/tendhq/tend/internal/document"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/git"
	"github.com/tendhq/tend/internal/ledger"
	"github.com/tendhq/tend/internal/repository"
)

// Push says how proposals are written to a repository. Nothing else is ever written to one.
type Push struct {
	git.Write

	Prefix string // of the names of branches; "" is tend/
	Forge  string // github, gitlab or azuredevops, where the address does not tell
}

// Proposal is a change of one file that somebody wants to be reviewed.
type Proposal struct {
	File   string // slash path from the folder that is read
	Text   []byte
	Base   string // the revision that it was made from
	Title  string
	Body   string
	Branch string // its last part; "" is made of the title
	By     entry.Who
	Author git.Author
	// Patch asks for a patch also where a branch could be pushed: whoever may not publish gets one.
	Patch bool
	// Anyway makes one of what is not right yet, too: nothing of it becomes live as long as it has errors.
	Anyway bool
}

// Proposed is what became of a proposal: a branch, or a patch.
type Proposed struct {
	Branch   string
	Commit   string
	Address  string // where people look at the branch
	Patch    []byte
	Name     string             // of the file, from the root of the repository
	Base     string             // what it is made for
	Findings []document.Finding // of the repository with the change
}

// Pushes tells whether proposals to a source become branches.
func (s *Sync) Pushes(name string) bool {
	st, err := s.source(name)
	return err == nil && st.Push != nil && st.URL != ""
}

// Prefix is what the names of the branches of proposals to a source begin with.
func (s *Sync) Prefix(name string) string {
	st, err := s.source(name)
	if err != nil {
		return ""
	}
	return st.prefix()
}

func (st *state) prefix() string {
	if st.Push != nil && st.Push.Prefix != "" {
		return st.Push.Prefix
	}
	return "tend/"
}

// Propose makes a branch with a change, or a patch where nothing can be pushed. What is live does not change. When the file
// changed since the base, it is fault.Conflict, and says how.
func (s *Sync) Propose(ctx context.Context, name string, p Proposal) (*Proposed, error) {
	st, err := s.source(name)
	if err != nil {
		return nil, err
	}
	switch {
	case !fs.ValidPath(p.File) || !catalogDocument(p.File) || !(repository.Layout{}).Wants(p.File):
		return nil, fault.New(fault.Invalid, "%q cannot be the name of a file with documents", p.File).WithNext("write it like playbooks/disk/playbook.yaml")
	case len(p.Text) > document.MaxSize:
		return nil, fault.New(fault.Limit, "the text has %d bytes, and a document may have %d", len(p.Text), document.MaxSize)
	case strings.TrimSpace(p.Title) == "":
		return nil, fault.New(fault.Invalid, "the change has no title").WithNext("say in a line what it does and why")
	}
	st.turn.Lock()
	defer st.turn.Unlock()
	head, files, err := s.newest(ctx, st)
	if err != nil {
		return nil, err
	}
	now := textOf(files, p.File)
	if err := s.unchanged(ctx, st, p, now, head); err != nil {
		return nil, err
	}
	if now != nil && bytes.Equal(now, p.Text) {
		return nil, fault.New(fault.Conflict, "%s says that already", p.File)
	}
	out := &Proposed{Base: head, Name: st.mirror.FileName(p.File)}
	if out.Findings, err = s.tried(st, p, files, head); err != nil {
		return nil, err
	}
	c := git.Change{
		Base: head, File: p.File, Text: p.Text, Author: p.Author, Title: p.Title, Body: p.Body, At: time.Now().UTC(),
		Branch: st.branch(p),
	}
	if st.Push == nil || st.URL == "" || p.Patch {
		out.Patch = git.Patch(c, out.Name, now)
	} else {
		if out.Commit, err = st.mirror.Push(ctx, c, st.Push.Write); err != nil {
			return nil, err
		}
		out.Branch, out.Address = c.Branch, git.Compare(st.URL, st.Push.Forge, st.Branch, c.Branch)
	}
	return out, s.noted(ctx, st, p, out)
}

// noted tells the audit trail.
func (s *Sync) noted(ctx context.Context, st *state, p Proposal, out *Proposed) error {
	d := map[string]any{"repository": st.Name, "project": st.Binding.Project, "file": out.Name, "base": out.Base, "how": "patch"}
	object := rowID(st.Name, out.Base)
	if out.Branch != "" {
		d["how"], d["branch"], d["commit"] = "branch", out.Branch, out.Commit
		object = rowID(st.Name, out.Commit)
	}
	s.cfg.Log.Info("a change was proposed", "repository", st.Name, "file", out.Name, "by", p.By.Name, "branch", out.Branch)
	return s.cfg.Ledger.Append(ctx, ledger.Batch{Facts: []ledger.Fact{ledger.Audit(p.By, "change-proposed", object, p.Title, d)}})
}

// newest reads what the source holds now, live or not.
func (s *Sync) newest(ctx context.Context, st *state) (string, []document.File, error) {
	if st.URL == "" {
		t, err := readDir(st.Dir)
		if err != nil {
			return "", nil, err
		}
		return t.ID, t.Files, nil
	}
	head, err := st.mirror.Fetch(ctx)
	if err != nil {
		return "", nil, err
	}
	files, err := st.mirror.Files(ctx, head)
	return head, files, err
}

func textOf(files []document.File, name string) []byte {
	for _, f := range files {
		if f.Name == name {
			return append([]byte{}, f.Content...)
		}
	}
	return nil
}

// unchanged finds out whether the file is what it was in the base of a proposal.
func (s *Sync) unchanged(ctx context.Context, st *state, p Proposal, now []byte, head string) error {
	if p.Base == "" && now == nil || p.Base == head {
		return nil
	}
	if p.Base == "" {
		return fault.New(fault.Conflict, "there is a file %s already", p.File).WithNext("look at it, and make the change from it: name its revision as the base")
	}
	rev, err := s.revision(ctx, st, p.Base)
	if err != nil {
		return err
	}
	files, err := s.past(ctx, st, rev)
	if err != nil {
		return err
	}
	was := textOf(files, p.File)
	if bytes.Equal(was, now) && (was == nil) == (now == nil) {
		return nil
	}
	what := git.Difference(p.File, was, now)
	if lines := strings.SplitAfter(what, "\n"); len(lines) > maxShown {
		what = strings.Join(lines[:maxShown], "") + "…\n"
	}
	by := ""
	if st.URL != "" {
		if t, err := st.mirror.About(ctx, head); err == nil {
			by = fmt.Sprintf(" (the newest commit is %s by %s: %s)", short(head), t.Author, t.Title)
		}
	}
	return fault.New(fault.Conflict, "%s changed since revision %s%s:\n%s", p.File, rev.Short(), by, what).WithNext("look at the newest version, bring your change into it, and propose that")
}

// maxShown is how many lines of a difference an error shows.
const maxShown = 200

// tried checks the repository with the change in it.
func (s *Sync) tried(st *state, p Proposal, files []document.File, head string) ([]document.Finding, error) {
	all := make([]document.File, 0, len(files)+1)
	for _, f := range files {
		if f.Name != p.File {
			all = append(all, f)
		}
	}
	all = append(all, document.File{Name: p.File, Content: p.Text})
	b := st.Binding
	if st.URL != "" {
		b.Commit = head
	}
	cat, findings := catalog.Build(all, b, s.cfg.Actions)
	if cat != nil {
		findings = append(findings, s.Set().Clashes(cat)...)
	}
	var out []document.Finding
	for _, f := range document.Sort(findings) {
		if f.Severity == document.Error || f.Place.File == p.File {
			out = append(out, f)
		}
	}
	if !p.Anyway && document.HasErrors(out) {
		return nil, fault.Wrap(fault.Invalid, document.Fault(out), "with this change nothing of the repository would be live")
	}
	return out[:min(len(out), maxFindings)], nil
}

// branch names the branch of a proposal. A few random characters keep two proposals with the same title apart.
func (st *state) branch(p Proposal) string {
	prefix := st.prefix()
	if p.Branch != "" {
		return prefix + slug(p.Branch)
	}
	var b [4]byte
	_, _ = rand.Read(b[:]) // it never fails
	return prefix + slug(p.Title) + "-" + hex.EncodeToString(b[:])
}

// slug makes a part of a branch's name of a text.
func slug(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			return r
		case r >= 'A' && r <= 'Z':
			return r - 'A' + 'a'
		default:
			return '-'
		}
	}, s)
	s = strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r == '-' }), "-")
	if s = strings.Trim(s[:min(len(s), 40)], "-"); s == "" {
		return "change"
	}
	return s
}

func catalogDocument(name string) bool { return catalog.Document(path.Base(name)) }
