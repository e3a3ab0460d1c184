package httpapi_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/tendhq/tend/internal/access"
	"github.com/tendhq/tend/internal/app"
	"github.com/tendhq/tend/internal/catalog"
	"github.com/tendhq/tend/internal/document"
	"github.com/tendhq/tend/internal/gitsync"
	"github.com/tendhq/tend/internal/httpapi"
	"github.com/tendhq/tend/internal/wire"
)

// shelf is a repository with one module.
type shelf struct {
	httpapi.Repositories

	files []document.File
	set   *catalog.Set
}

func (s *shelf) Status() []gitsync.Report {
	return []gitsync.Report{{Name: "books", Project: "shop", Live: &gitsync.Revision{ID: "0123456789ab"}}}
}

func (s *shelf) Set() *catalog.Set { return s.set }

func (s *shelf) Content(context.Context, string, string) (*gitsync.Revision, []document.File, error) {
	return &gitsync.Revision{ID: "0123456789ab"}, s.files, nil
}

func newShelf(t *testing.T) (*shelf, httpapi.Config) {
	t.Helper()
	actions, err := app.Actions()
	if err != nil {
		t.Fatal(err)
	}
	files := []document.File{{Name: "polite.yaml", Content: []byte("apiVersion: tend/v1\nkind: Step\nmetadata: {name: polite, description: Says it.}\ninputs: [{name: what, type: string, description: What.}]\nrun: {uses: log, with: {message: '{{ $.params.what }}'}}\n")}}
	c, findings := catalog.Build(files, catalog.Binding{Repository: "books", Project: "shop"}, actions)
	if c == nil {
		t.Fatal(findings)
	}
	s := &shelf{files: files, set: catalog.NewSet(c)}
	return s, httpapi.Config{Engine: newEngine(t), Repositories: s, Actions: actions}
}

// TestDrafts: texts are edited and looked at with the repository around them, by whoever may look at it.
func TestDrafts(t *testing.T) {
	t.Parallel()
	_, c := newShelf(t)
	c.Gate = &doorman{may: func(p access.Principal, n access.Need) bool {
		return n.Verb == access.View && (p.Name == "ann" || n.Project == "")
	}}
	ask := network(t, c)
	body := func(v any) string {
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	draft := wire.Draft{File: "a.yaml", Repository: "books", Text: "# Why.\napiVersion: tend/v1\nkind: Playbook\nmetadata: {name: a, description: A.}\nsteps:\n  - {uses: log, with: {message: a}} # first\n"}
	edit := wire.DraftEdit{Draft: draft, Edits: []wire.Edit{
		{Do: "add", Into: "steps", Value: map[string]any{"uses": "polite", "with": map[string]any{"what": "b"}}},
		{Do: "set", Path: "steps[0]", Field: "with.message", Value: "{{ $.run.name }}"},
	}}
	status, text, _ := ask("POST", "/v1/drafts/edit", body(edit), "Authorization", "Bearer ann", "Content-Type", "application/json")
	var got wire.Edited
	if err := json.Unmarshal([]byte(text), &got); err != nil || status != 200 {
		t.Fatalf("%d %s", status, text)
	}
	want := strings.Replace(draft.Text, "message: a}", "message: '{{ $.run.name }}'}", 1) + "  - uses: polite\n    with:\n      what: b\n"
	if got.Text != want || len(got.Findings) != 0 || len(got.Documents) != 1 || !got.Documents[0].Whole || strings.Join(got.Paths, " ") != "steps[1] steps[0]" {
		t.Errorf("%+v\n%s", got, got.Text)
	}
	for _, x := range []struct {
		who, method, path, body string
		status                  int
		want                    string
	}{
		{"bob", "POST", "/v1/drafts/look", body(draft), 404, "no repository"},
		{"bob", "GET", "/v1/repositories/books/files", "", 404, "no repository"},
		{"ann", "GET", "/v1/repositories/books/files?file=polite.yaml", "", 404, "no repository"}, // no row knows it: see TestOutsideOfTheProjectsThereIsNothing
		{"ann", "GET", "/v1/actions?name=polite", "", 200, `"project":"shop"`},
		{"bob", "GET", "/v1/actions?name=polite", "", 404, "no action or module"},
		{"bob", "GET", "/v1/actions?name=lgo", "", 404, `did you mean \"log\"`},
		{"bob", "GET", "/v1/actions?name=ssh", "", 200, `"outcome":"in-doubt"`},
		{"ann", "POST", "/v1/drafts/plan", body(wire.DraftPlan{Draft: draft}), 200, `"uses":"log"`},
		{"ann", "POST", "/v1/drafts/format", body(draft), 200, `"changed":false`},
		{"ann", "POST", "/v1/drafts/edit", body(wire.DraftEdit{Draft: draft, Edits: []wire.Edit{{Do: "remove", Path: "steps[7]"}}}), 404, "no step"},
		{"ann", "GET", "/v1/search?q=polite", "", 200, `"kind":"action"`},
		{"bob", "GET", "/v1/search?q=polite", "", 200, `"hits":[]`},
	} {
		status, text, _ := ask(x.method, x.path, x.body, "Authorization", "Bearer "+x.who, "Content-Type", "application/json")
		if status != x.status || !strings.Contains(text, x.want) {
			t.Errorf("%s %s %s: %d %.300s", x.who, x.method, x.path, status, text)
		}
	}
}
