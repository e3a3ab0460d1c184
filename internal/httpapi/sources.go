package httpapi

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"path"
	"slices"
	"strings"

	"github.com/tendhq/tend/internal/access"
	"github.com/tendhq/tend/internal/catalog"
	"github.com/tendhq/tend/internal/document"
	"github.com/tendhq/tend/internal/draft"
	"github.com/tendhq/tend/internal/edit"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/gitsync"
	"github.com/tendhq/tend/internal/guard"
	"github.com/tendhq/tend/internal/insight"
	"github.com/tendhq/tend/internal/repository"
	"github.com/tendhq/tend/internal/wire"
)

// sources are the texts that live playbooks stand in, and what belongs to them.
func (s *server) sources(a *api) {
	look := access.Need{Verb: access.View, Kind: "playbook"}
	const tag = "playbooks"
	add(a, look, http.MethodGet, "/v1/records", about{
		id: "playbookRecords", tag: tag, summary: "How the playbooks fared in their last runs", text: "Of the runs that the asker may look at. Verified is what succeeded, and a verification held.",
	}, s.records)
	add(a, look, http.MethodGet, "/v1/playbooks/{name}/source", about{
		id: "playbookSource", tag: tag, summary: "The text of a playbook, with its file and revision",
	}, s.source)
	add(a, look, http.MethodGet, "/v1/playbooks/{name}/drawing", about{
		id: "drawPlaybook", tag: tag, summary: "A playbook, checked and drawn, with the places of its steps in the text", text: "The answer is that of `lookAtDraft` for its source.",
	}, s.drawing)
	add(a, look, http.MethodGet, "/v1/playbooks/{name}/around", about{
		id: "playbookAround", tag: tag, summary: "The triggers that start a playbook, the guards that can stop it, and its tests",
	}, s.around)
	add(a, look, http.MethodGet, "/v1/playbooks/{name}/versions", about{
		id: "playbookVersions", tag: tag, summary: "The revisions in which a playbook changed, each with its text",
		text: "Its file, or what it does: also when only something that it uses changed. Before the revisions that are kept, the commits of the repository that changed its file.",
	}, s.versions)
	files := access.Need{Verb: access.View, Kind: kindRepository}
	add(a, files, http.MethodGet, "/v1/repositories/{repository}/files", about{
		id: "repositoryFiles", tag: "repositories", summary: "The files that are read of a repository", text: "With `file` only that one, with its text.",
	}, s.sourceFiles)
}

type recordsInput struct {
	Runs int    `query:"runs" minimum:"0" maximum:"100" doc:"How many of each are looked at. 0: 20."`
	Name string `query:"name" maxLength:"200" doc:"Only of this playbook."`
}

type recordsOutput struct{ Body wire.PlaybookRecords }

func (s *server) records(ctx context.Context, in *recordsInput) (*recordsOutput, error) {
	out := &recordsOutput{wire.PlaybookRecords{Records: []wire.PlaybookRecord{}}}
	for _, p := range s.visible(ctx) {
		if in.Name != "" && in.Name != p.Name {
			continue
		}
		r, err := s.memory.Recent(ctx, s.Engine, p.Project, p.Name, insight.Verifies(p.Program), cmp.Or(in.Runs, 20), s.sight(ctx))
		if err != nil {
			return nil, err
		}
		x := wire.PlaybookRecord{
			Failed: r.Failed, Last: []wire.RecordRun{}, Name: p.Name, Project: p.Project, Runs: r.Runs, Succeeded: r.Succeeded,
			Team: cmp.Or(p.Owner, p.Labels["team"]), Verifiable: r.Verifiable, Verified: r.Verified,
			Verifies: insight.Verifies(p.Program), Triggers: s.starts(p),
		}
		for _, l := range r.Last {
			x.Last = append(x.Last, wire.RecordRun{Began: l.Began, By: l.By, Ended: l.Ended, Run: l.ID, Status: l.Status, Verified: l.Verified})
		}
		out.Body.Records = append(out.Body.Records, x)
	}
	return out, nil
}

// starts names the triggers that start a playbook.
func (s *server) starts(p *catalog.Playbook) []string {
	out := []string{}
	if s.Repositories == nil {
		return out
	}
	if c := s.Repositories.Set().Of(repositoryOf(p)); c != nil {
		for _, t := range c.Starts(p) {
			if t.Enabled {
				out = append(out, t.Name)
			}
		}
	}
	return out
}

// RevisionOf names a playbook in a revision of its repository.
type RevisionOf struct {
	PlaybookPath

	Revision string `query:"revision" maxLength:"64" doc:"Of those that are kept. Nothing: the live one."`
}

type sourceOutput struct{ Body wire.PlaybookSource }

// textOf finds the text of a live playbook, now or in another revision.
func (s *server) textOf(ctx context.Context, in *RevisionOf) (*wire.PlaybookSource, []document.File, error) {
	p, err := s.live(ctx, in.PlaybookPath)
	if err != nil {
		return nil, nil, err
	}
	x, err := s.repositories()
	if err != nil {
		return nil, nil, err
	}
	r, err := s.repository(ctx, repositoryOf(p))
	if err != nil {
		return nil, nil, err
	}
	rev, files, err := x.Content(ctx, r.Name, in.Revision)
	if err != nil {
		return nil, nil, err
	}
	f, err := document.NewLibrary(slices.DeleteFunc(slices.Clone(files), func(f document.File) bool { return !catalog.Document(f.Name) })).
		Find(document.KindPlaybook, p.Name, p.File)
	if err != nil {
		return nil, nil, fault.New(fault.NotFound, "revision %s has no playbook %q", rev.Short(), p.Name)
	}
	out := &wire.PlaybookSource{
		Document: max(edit.Index(f.Name, f.Content, document.KindPlaybook, p.Name), 0), File: f.Name, Live: r.Live != nil && r.Live.ID == rev.ID,
		Place: r.Place, Project: p.Project, Repository: r.Name, Revision: *wire.NewRevision(rev), Saves: "patch", Text: string(f.Content),
	}
	if s.publishes(ctx, r) {
		out.Saves = "branch"
	}
	return out, files, nil
}

func repositoryOf(p *catalog.Playbook) string {
	name, _ := p.Metadata["repository"].(string)
	return name
}

func (s *server) source(ctx context.Context, in *RevisionOf) (*sourceOutput, error) {
	out, _, err := s.textOf(ctx, in)
	if err != nil {
		return nil, err
	}
	return &sourceOutput{*out}, nil
}

func (s *server) drawing(ctx context.Context, in *RevisionOf) (*lookedOutput, error) {
	src, files, err := s.textOf(ctx, in)
	if err != nil {
		return nil, err
	}
	if s.Actions == nil {
		return nil, elsewhere()
	}
	return &lookedOutput{wire.FromLook(draft.New(s.Actions, files, src.File, []byte(src.Text)).Look())}, nil
}

type aroundOutput struct{ Body wire.Around }

func (s *server) around(ctx context.Context, in *PlaybookPath) (*aroundOutput, error) {
	p, err := s.live(ctx, *in)
	if err != nil {
		return nil, err
	}
	x, err := s.repositories()
	if err != nil {
		return nil, err
	}
	out := wire.Around{Calls: []string{}, Guards: []wire.AroundGuard{}, Tests: []wire.SourceFile{}, Triggers: []wire.AroundTrigger{}, Uses: []string{}}
	c := x.Set().Of(repositoryOf(p))
	if c == nil {
		return &aroundOutput{out}, nil
	}
	var live []guard.Spec
	if g, err := s.governor(); err == nil {
		live = g.Rules().Guards[p.Project]
	}
	a := c.Around(p, live)
	out.Calls, out.Uses = append(out.Calls, a.Calls...), append(out.Uses, a.Uses...)
	for _, t := range a.Triggers {
		at, _ := c.Place(document.KindTrigger, t.Name)
		w := wire.AroundTrigger{Enabled: t.Enabled, File: at.File, Line: at.Line, Name: t.Name}
		if b, err := json.Marshal(t.On); err == nil {
			_ = json.Unmarshal(b, &w.On) // it was written a line ago
		}
		if t.When != nil {
			w.When = t.When.Source
		}
		out.Triggers = append(out.Triggers, w)
	}
	for i := range a.Guards {
		g := &a.Guards[i]
		at, _ := c.Place(document.KindGuard, g.Guard.Name)
		out.Guards = append(out.Guards, wire.AroundGuard{
			File: at.File, Line: at.Line, Name: g.Guard.Name, Steps: g.Paths, Then: cmp.Or(g.Guard.Then, string(guard.Hold)), What: g.Guard.Rule(), Says: g.Guard.Sentence(),
		})
	}
	_, files, err := x.Content(ctx, repositoryOf(p), "")
	if err != nil {
		return nil, err
	}
	beside := path.Dir(p.File) + "/"
	for _, f := range files {
		if path.Ext(f.Name) == repository.TestExt && (beside == "./" || strings.HasPrefix(f.Name, beside)) {
			out.Tests = append(out.Tests, wire.SourceFile{File: f.Name, Size: len(f.Content), Text: string(f.Content)})
		}
	}
	return &aroundOutput{out}, nil
}

type versionsOutput struct{ Body wire.PlaybookVersions }

func (s *server) versions(ctx context.Context, in *PlaybookPath) (*versionsOutput, error) {
	p, err := s.live(ctx, *in)
	if err != nil {
		return nil, err
	}
	r, err := s.repository(ctx, repositoryOf(p))
	if err != nil {
		return nil, err
	}
	all, err := s.Repositories.Versions(ctx, r.Name, p.Name, p.File)
	if err != nil {
		return nil, err
	}
	out := wire.PlaybookVersions{Versions: []wire.PlaybookVersion{}, Whole: all.Whole}
	for _, v := range all.Versions {
		rev := v.Revision
		out.Versions = append(out.Versions, wire.PlaybookVersion{
			Author: rev.Author, Committed: rev.Committed, Does: v.Does, File: v.File, Live: rev.Status == gitsync.Live, LiveSince: rev.LiveSince,
			Past: v.Past, Revision: rev.ID, Text: string(v.Text), Title: rev.Title,
		})
	}
	return &versionsOutput{out}, nil
}

type filesInput struct {
	RepositoryPath

	Revision string `query:"revision" maxLength:"64" doc:"Of those that are kept. Nothing: the live one."`
	File     string `query:"file" maxLength:"1000" doc:"Only this one, with its text."`
}

type filesOutput struct{ Body wire.SourceFiles }

func (s *server) sourceFiles(ctx context.Context, in *filesInput) (*filesOutput, error) {
	if _, err := s.repository(ctx, in.Repository); err != nil {
		return nil, err
	}
	rev, files, err := s.Repositories.Content(ctx, in.Repository, in.Revision)
	if err != nil {
		return nil, err
	}
	out := wire.SourceFiles{Files: []wire.SourceFile{}, Revision: rev.ID}
	for _, f := range files {
		if in.File != "" && in.File != f.Name {
			continue
		}
		sum := sha256.Sum256(f.Content)
		x := wire.SourceFile{File: f.Name, Size: len(f.Content), Sum: hex.EncodeToString(sum[:])}
		if in.File != "" {
			x.Text = string(f.Content)
		}
		out.Files = append(out.Files, x)
	}
	if in.File != "" && len(out.Files) == 0 {
		return nil, fault.New(fault.NotFound, "revision %s has no file %q", rev.Short(), in.File)
	}
	return &filesOutput{out}, nil
}
