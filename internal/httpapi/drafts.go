package httpapi

import (
	"context"
	"net/http"
	"path"
	"regexp"
	"strings"
	"time"

	"github.com/tendhq/tend/internal/access"
	"github.com/tendhq/tend/internal/document"
	"github.com/tendhq/tend/internal/draft"
	"github.com/tendhq/tend/internal/edit"
	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/git"
	"github.com/tendhq/tend/internal/gitsync"
	"github.com/tendhq/tend/internal/guard"
	"github.com/tendhq/tend/internal/playbook"
	"github.com/tendhq/tend/internal/sketch"
	"github.com/tendhq/tend/internal/spelling"
	"github.com/tendhq/tend/internal/wire"
)

// maxDraft is the largest request with a document in it: one of the largest size, as JSON.
const maxDraft = 2*document.MaxSize + 1<<20

// drafts are what people write: nothing of it is stored here, and nothing live changes.
func (s *server) drafts(a *api) {
	look := access.Need{Verb: access.View, Kind: "playbook"}
	const tag = "drafts"
	add(a, look, http.MethodGet, "/v1/actions", about{
		id: "listActions", tag: tag, summary: "What a step can use: actions, verbs and modules, with all that a form needs",
		text: "`name` narrows it to one; its modules are those of the repositories that the asker may look at.",
	}, s.listActions)
	add(a, look, http.MethodPost, "/v1/drafts/look", about{
		id: "lookAtDraft", tag: tag, summary: "Check a text and draw it", body: maxDraft,
		text: "As `tend lint` and `tend graph` do. What is broken is drawn as far as it goes. Nothing is stored.",
	}, s.lookAtDraft)
	add(a, look, http.MethodPost, "/v1/drafts/format", about{
		id: "formatDraft", tag: tag, summary: "Write a text in its canonical form", body: maxDraft, text: "As `tend fmt` does.",
	}, s.formatDraft)
	add(a, look, http.MethodPost, "/v1/drafts/plan", about{
		id: "planDraft", tag: tag, summary: "Say what a run of a text would do", body: maxDraft,
		text: "With the parameters that are given, and the guards of the repository. No step acts, no secret is looked up, nothing is stored.",
	}, s.planDraft)
	add(a, look, http.MethodPost, "/v1/drafts/edit", about{
		id: "editDraft", tag: tag, summary: "Change a text as a person would", body: maxDraft,
		text: "Comments, the order of keys and the way in which everything else is written stay. What cannot be changed so is refused, and says why. The answer has the new text, checked and drawn.",
	}, s.editDraft)
	add(a, access.Need{Verb: access.View, Kind: kindRepository}, http.MethodPost, "/v1/repositories/{repository}/proposals", about{
		id: "proposeChange", tag: tag, summary: "Ask for a change to be reviewed: a new branch, or a patch", body: maxDraft, time: 10 * time.Minute,
		text: "What is live does not change. A branch is pushed where the server's configuration has something to push with, and the asker may publish; else it is a patch. " +
			"409 says that the file changed since `base`, and how. It is in the audit trail.",
	}, s.proposeChange)
	add(a, access.Need{Verb: access.View, Kind: "event"}, http.MethodGet, "/v1/events/{event}/sketch", about{
		id: "sketchPlaybook", tag: tag, summary: "The first draft of a playbook for an event, with its trigger", text: "As `tend new --from-event`. Nothing is stored.",
	}, s.sketchPlaybook)
}

type actionsInput struct {
	Name string `query:"name" maxLength:"200" doc:"Only the one of this name."`
}

type actionsOutput struct{ Body wire.Actions }

func (s *server) listActions(ctx context.Context, in *actionsInput) (*actionsOutput, error) {
	step, block := playbook.StepTables()
	out := &actionsOutput{wire.Actions{Actions: []wire.Action{}, Step: wire.FromKeys(step), Block: wire.FromKeys(block), Maps: map[string][]wire.Key{}}}
	for _, t := range []document.Table{step, block} {
		for _, k := range t {
			if keys := playbook.Forms(k.Form, expr.Strict); len(keys) > 0 && k.Form != playbook.FormStep {
				out.Body.Maps[string(k.Form)] = wire.FromKeys(keys)
			}
		}
	}
	var names []string
	wanted := func(name string) bool {
		names = append(names, name)
		return in.Name == "" || in.Name == name
	}
	if s.Actions != nil {
		for _, name := range s.Actions.Names() {
			if spec, ok := s.Actions.Spec(name); ok && wanted(name) {
				out.Body.Actions = append(out.Body.Actions, wire.FromSpec(&spec))
			}
		}
	}
	if s.Repositories != nil {
		may := s.sees(ctx, "playbook")
		modules := s.Repositories.Set().Modules()
		for i := range modules {
			if m := &modules[i]; may(m.Project) && wanted(m.Name) {
				out.Body.Actions = append(out.Body.Actions, wire.FromModule(m))
			}
		}
	}
	if in.Name != "" && len(out.Body.Actions) == 0 {
		f := fault.New(fault.NotFound, "no action or module is called %q", in.Name)
		if near := spelling.Nearest(in.Name, names); near != "" {
			return nil, f.WithNext("did you mean %q?", near)
		}
		return nil, f
	}
	return out, nil
}

// sees gives a function that tells whether the asker may look at what belongs to a project. Each is asked about once.
func (s *server) sees(ctx context.Context, kind string) func(project string) bool {
	known := map[string]bool{}
	return func(project string) bool {
		ok, asked := known[project]
		if !asked {
			ok = s.allow(ctx, access.Need{Verb: access.View, Kind: kind, Project: project}) == nil
			known[project] = ok
		}
		return ok
	}
}

// surroundings gives the live files of a repository that the asker may look at.
func (s *server) surroundings(ctx context.Context, name string) ([]document.File, *gitsync.Report, error) {
	if name == "" {
		return nil, nil, nil
	}
	r, err := s.repository(ctx, name)
	if err != nil || r.Live == nil {
		return nil, r, err
	}
	_, files, err := s.Repositories.Content(ctx, name, "")
	return files, r, err
}

// repository finds one that the asker may look at.
func (s *server) repository(ctx context.Context, name string) (*gitsync.Report, error) {
	x, err := s.repositories()
	if err != nil {
		return nil, err
	}
	for _, r := range x.Status() {
		if r.Name == name && s.allow(ctx, access.Need{Verb: access.View, Kind: kindRepository, Project: r.Project}) == nil {
			return &r, nil
		}
	}
	return nil, fault.New(fault.NotFound, "there is no repository %q", name)
}

// draftOf puts a text into its place.
func (s *server) draftOf(ctx context.Context, d *wire.Draft) (*draft.Draft, *gitsync.Report, error) {
	if s.Actions == nil {
		return nil, nil, elsewhere()
	}
	files, r, err := s.surroundings(ctx, d.Repository)
	if err != nil {
		return nil, nil, err
	}
	return draft.New(s.Actions, files, path.Clean(d.File), []byte(d.Text)), r, nil
}

type draftInput struct{ Body wire.Draft }

type lookedOutput struct{ Body wire.Looked }

func (s *server) lookAtDraft(ctx context.Context, in *draftInput) (*lookedOutput, error) {
	d, _, err := s.draftOf(ctx, &in.Body)
	if err != nil {
		return nil, err
	}
	return &lookedOutput{wire.FromLook(d.Look())}, nil
}

type formattedOutput struct{ Body wire.Formatted }

func (s *server) formatDraft(ctx context.Context, in *draftInput) (*formattedOutput, error) {
	d, _, err := s.draftOf(ctx, &in.Body)
	if err != nil {
		return nil, err
	}
	text, findings := d.Format()
	if text == nil {
		return nil, document.Fault(findings)
	}
	return &formattedOutput{wire.Formatted{Changed: string(text) != in.Body.Text, Findings: wire.FromFindings(findings), Text: string(text)}}, nil
}

type draftPlanInput struct{ Body wire.DraftPlan }

type planOutput struct{ Body *wire.Plan }

func (s *server) planDraft(ctx context.Context, in *draftPlanInput) (*planOutput, error) {
	d, r, err := s.draftOf(ctx, &in.Body.Draft)
	if err != nil {
		return nil, err
	}
	q := draft.Request{Name: in.Body.Playbook, Params: in.Body.Params, Event: in.Body.Event, By: Asker(ctx).Name, Now: time.Now(), Metadata: map[string]any{"file": d.File}}
	if r != nil {
		q.Guards, q.Metadata["project"], q.Metadata["repository"] = s.guardsOf(r.Name), r.Project, r.Name
	}
	p, err := d.Plan(q)
	return &planOutput{p}, err
}

// guardsOf are the guards that hold for the playbooks of a repository.
func (s *server) guardsOf(repository string) []guard.Spec {
	c := s.Repositories.Set().Of(repository)
	if c == nil {
		return nil
	}
	if all := c.Playbooks(); len(all) > 0 {
		return all[0].Guards
	}
	return c.Guards()
}

type draftEditInput struct{ Body wire.DraftEdit }

type editedOutput struct{ Body wire.Edited }

func (s *server) editDraft(ctx context.Context, in *draftEditInput) (*editedOutput, error) {
	text := []byte(in.Body.Text)
	out := &editedOutput{wire.Edited{Paths: []string{}}}
	for i := range in.Body.Edits {
		r, err := edit.Apply(in.Body.File, text, in.Body.Edits[i].Operation())
		if err != nil {
			if len(in.Body.Edits) > 1 {
				err = fault.Wrap(fault.KindOf(err), err, "edit %d", i)
			}
			return nil, err
		}
		text = r.Text
		out.Body.Paths = append(out.Body.Paths, r.Path)
	}
	in.Body.Text = string(text)
	d, _, err := s.draftOf(ctx, &in.Body.Draft)
	if err != nil {
		return nil, err
	}
	out.Body.Looked, out.Body.Text = wire.FromLook(d.Look()), in.Body.Text
	return out, nil
}

type proposeInput struct {
	RepositoryPath

	Body wire.Propose
}

type proposedOutput struct{ Body wire.Proposed }

func (s *server) proposeChange(ctx context.Context, in *proposeInput) (*proposedOutput, error) {
	r, err := s.repository(ctx, in.Repository)
	if err != nil {
		return nil, err
	}
	b := &in.Body
	p, err := s.Repositories.Propose(ctx, in.Repository, gitsync.Proposal{
		File: b.File, Text: []byte(b.Text), Base: b.Base, Title: b.Title, Body: b.Why, Branch: b.Branch, By: who(ctx), Author: author(Asker(ctx)),
		Patch: b.Patch || !s.publishes(ctx, r), Anyway: b.Anyway,
	})
	if err != nil {
		return nil, err
	}
	out := wire.Proposed{
		Address: p.Address, Base: p.Base, Branch: p.Branch, Commit: p.Commit, File: p.Name, Findings: wire.FromFindings(p.Findings), How: "branch", Patch: string(p.Patch),
	}
	if p.Branch == "" {
		out.How = "patch"
	}
	return &proposedOutput{out}, nil
}

// publishes tells whether what the asker proposes becomes a branch.
func (s *server) publishes(ctx context.Context, r *gitsync.Report) bool {
	return s.Repositories.Pushes(r.Name) && s.allow(ctx, access.Need{Verb: access.Publish, Kind: kindRepository, Project: r.Project}) == nil
}

// author is who a commit is by. Nobody's address is invented: one that leads nowhere says who it is.
func author(p access.Principal) git.Author {
	_, id, _ := strings.Cut(p.ID, ":")
	if !strings.Contains(id, "@") {
		id = strings.ReplaceAll(p.ID, ":", ".") + "@tend.invalid"
	}
	name := p.Name
	if name == "" {
		name = p.ID
	}
	return git.Author{Name: name, Email: id}
}

type sketchInput struct {
	EventPath

	Name string `query:"name" maxLength:"200" doc:"Of the playbook. Without it the name of the event makes one."`
}

type sketchOutput struct{ Body wire.Sketch }

var unnamed = regexp.MustCompile(`[^a-z0-9]+`)

func (s *server) sketchPlaybook(ctx context.Context, in *sketchInput) (*sketchOutput, error) {
	e, _, err := s.Desk.Event(ctx, in.Event)
	if err != nil {
		return nil, err
	}
	name := in.Name
	if name == "" {
		name = e.Name
	}
	name = strings.Trim(unnamed.ReplaceAllString(strings.ToLower(name), "-"), "-")
	if name == "" {
		name = "playbook"
	}
	name = strings.Trim(name[:min(len(name), 60)], "-")
	return &sketchOutput{wire.Sketch{File: "playbooks/" + name + "/playbook.yaml", Name: name, Text: sketch.Playbook(name, e)}}, nil
}
