package app_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tendhq/tend/internal/access"
	"github.com/tendhq/tend/internal/app"
	"github.com/tendhq/tend/internal/client"
	"github.com/tendhq/tend/internal/config"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/graph"
	"github.com/tendhq/tend/internal/value"
	"github.com/tendhq/tend/internal/wire"
)

// The repository of the test: what is repaired can be verified, or not, by a parameter.
var books = map[string]string{
	"disk/playbook.yaml": `# Why it is here.
apiVersion: tend/v1
kind: Playbook
metadata: {name: free-disk, description: Frees a disk., owner: storage}
parameters: [{name: host, type: string, description: Where., default: web-1}, {name: full, type: boolean, default: false}]
steps:
  - id: look
    name: Look
    uses: transform
    with: {data: '{{ $.params.full }}', query: 'not'}
  - name: Free it
    uses: replace-later
    with: {what: '{{ $.params.host }}'}
    verify: {uses: log, with: {message: looks}, until: '!params.full', within: 10ms}
  - {uses: playbook, with: {name: tell}}
---
apiVersion: tend/v1
kind: Step
metadata: {name: replace-later, description: Says what would be replaced.}
inputs: [{name: what, type: string, description: What.}]
run: {uses: log, with: {message: 'replaces {{ $.params.what }}'}}
`,
	"disk/playbook.txtar": "tend run playbook.yaml\n",
	"tell/playbook.yaml":  "apiVersion: tend/v1\nkind: Playbook\nmetadata: {name: tell, description: Tells., labels: {team: comms}}\nsteps: [{uses: log, with: {message: told}}]\n",
	"rules.yaml": `apiVersion: tend/v1
kind: Trigger
metadata: {name: disk-full, description: Takes what is full., owner: storage}
on: {kind: alert, labels: {alertname: DiskFull}}
when: event.labels.host != "web-9"
playbook: free-disk
key: '{{ $.event.labels.host }}'
parameters: {host: '{{ $.event.labels.host }}'}
---
apiVersion: tend/v1
kind: Guard
metadata: {name: calm, description: Not everything at once.}
select: {effects: [mutate, idempotent, read]}
spread: {limit: 100, within: 1h, per: playbook}
then: deny
`,
}

// TestPlaybooksAsTheyStand asks a real server over the network what the page of a playbook shows: how it fared, how it is
// drawn, what is around it, and how one begins from an event; then again as somebody of another project.
func TestPlaybooksAsTheyStand(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, text := range books {
		p := filepath.Join(dir, "books", name)
		if err := os.MkdirAll(filepath.Dir(p), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	file := filepath.Join(dir, "server.yaml")
	if err := os.WriteFile(file, []byte("listen: 127.0.0.1:0\nrepositories: [{name: books, dir: books, project: shop}]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := config.LoadServer(config.ServerFlags{Flags: config.Flags{DataDir: scratch(t), Config: file}}, env("HOME", dir))
	if err != nil {
		t.Fatal(err)
	}
	log, _ := serve(t, c, env("HOME", dir))
	at := log.find(t, `"address":"(http://[^"]+)"`)
	owner := open(t, app.Options{Config: &c.Config, Getenv: env("HOME", dir), Via: "api"}).API()
	as := func(scope *access.Scope) *client.API {
		t.Helper()
		made, err := owner.MakeToken(t.Context(), wire.MakeToken{Kind: "personal", Name: "of the test", For: "1h", Scope: scope})
		if err != nil {
			t.Fatal(err)
		}
		// Over the network the owner of the directory has no right but what is bound.
		if err := owner.Bind(t.Context(), "test", client.BindQuery{Why: "the test"}, wire.Bind{Role: "admin", Subjects: []string{made.Token.Owner}}); err != nil {
			t.Fatal(err)
		}
		d, err := client.Dial(at, made.Text, "api")
		if err != nil {
			t.Fatal(err)
		}
		return d.API()
	}
	api := as(nil)
	until(t, "the repository is live", func() bool {
		l, err := api.ListPlaybooks(t.Context())
		return err == nil && len(l.Playbooks) == 2
	})

	t.Run("records", func(t *testing.T) { recorded(t, api) })
	t.Run("drawing", func(t *testing.T) { drawn(t, api) })
	t.Run("around", func(t *testing.T) { surrounded(t, api) })
	id := reported(t, api)
	t.Run("sketch", func(t *testing.T) { sketched(t, api, id) })

	other := as(&access.Scope{Roles: []access.Role{access.Viewer}, Projects: []string{"bank"}})
	if r, err := other.PlaybookRecords(t.Context(), client.PlaybookRecordsQuery{}); err != nil || len(r.Records) != 0 {
		t.Errorf("somebody of another project: %v %+v", err, r)
	}
	if _, err := other.DrawPlaybook(t.Context(), "free-disk", client.DrawPlaybookQuery{}); !fault.Is(err, fault.NotFound) {
		t.Errorf("somebody of another project: %v", err)
	}
	if _, err := other.PlaybookAround(t.Context(), "free-disk", client.PlaybookAroundQuery{}); !fault.Is(err, fault.NotFound) {
		t.Errorf("somebody of another project: %v", err)
	}
	if _, err := other.SketchPlaybook(t.Context(), id, client.SketchPlaybookQuery{}); !fault.Is(err, fault.NotFound) {
		t.Errorf("somebody of another project: %v", err)
	}
}

// recorded: one run that was verified, one that failed, and one of the other playbook in which nothing was to be verified.
func recorded(t *testing.T, api *client.API) {
	t.Helper()
	run := func(name string, params map[string]any, want string) string {
		t.Helper()
		s, err := api.StartPlaybook(t.Context(), name, client.StartPlaybookQuery{}, wire.StartPlaybook{Params: params})
		if err != nil {
			t.Fatal(err)
		}
		until(t, s.Run+" is "+want, func() bool {
			r, err := api.ShowRun(t.Context(), s.Run, client.ShowRunQuery{})
			return err == nil && r.Status == want
		})
		return s.Run
	}
	good := run("free-disk", nil, "succeeded")
	bad := run("free-disk", map[string]any{"full": true}, "failed")
	r, err := api.PlaybookRecords(t.Context(), client.PlaybookRecordsQuery{})
	if err != nil || len(r.Records) != 2 {
		t.Fatalf("%v %+v", err, r)
	}
	disk, tell := r.Records[0], r.Records[1]
	if disk.Name != "free-disk" || disk.Project != "shop" || disk.Team != "storage" || disk.Runs != 2 || disk.Succeeded != 1 || disk.Verified != 1 || disk.Failed != 1 {
		t.Errorf("%+v", disk)
	}
	last := disk.Last
	if len(last) != 2 || last[0].Run != bad || last[0].Status != "failed" || last[0].Verified || last[1].Run != good || !last[1].Verified ||
		last[1].Ended.Before(last[1].Began) || time.Since(last[1].Began) > time.Minute || last[1].By == "" {
		t.Errorf("%+v", last)
	}
	// Its one run was made by the other playbook. Nothing was there to verify.
	if tell.Name != "tell" || tell.Team != "comms" || tell.Runs != 1 || tell.Succeeded != 1 || tell.Verified != 0 {
		t.Errorf("%+v", tell)
	}
	if r, err := api.PlaybookRecords(t.Context(), client.PlaybookRecordsQuery{Name: "free-disk", Runs: 1}); err != nil || len(r.Records) != 1 || r.Records[0].Runs != 1 || r.Records[0].Last[0].Run != bad {
		t.Errorf("%v %+v", err, r)
	}
	if r, err := api.PlaybookRecords(t.Context(), client.PlaybookRecordsQuery{Name: "nope"}); err != nil || len(r.Records) != 0 {
		t.Errorf("%v %+v", err, r)
	}
	if _, err := api.PlaybookRecords(t.Context(), client.PlaybookRecordsQuery{Runs: 101}); !fault.Is(err, fault.Invalid) {
		t.Errorf("%v", err)
	}
}

// drawn: every box of the drawing has its place in the text, and that text is the playbook's.
func drawn(t *testing.T, api *client.API) {
	t.Helper()
	src, err := api.PlaybookSource(t.Context(), "free-disk", client.PlaybookSourceQuery{})
	if err != nil || src.Text != books["disk/playbook.yaml"] || src.File != "disk/playbook.yaml" || !src.Live || src.Saves != "patch" {
		t.Fatalf("%v %+v", err, src)
	}
	d, err := api.DrawPlaybook(t.Context(), "free-disk", client.DrawPlaybookQuery{})
	if err != nil || len(d.Documents) != 2 || d.Documents[1].Kind != "Step" {
		t.Fatalf("%v %+v", err, d)
	}
	doc := d.Documents[src.Document]
	if doc.Name != "free-disk" || !doc.Whole || doc.Layout == nil || len(doc.Parameters) != 2 {
		t.Fatalf("%+v", doc)
	}
	lines := strings.Split(src.Text, "\n")
	for path, want := range map[string]string{"steps[0]": "id: look", "steps[1]": "name: Free it", "steps[2]": "uses: playbook"} {
		i := slices.IndexFunc(doc.Parts, func(p wire.LookedPart) bool { return p.Path == path })
		if i < 0 || !strings.Contains(lines[doc.Parts[i].Line-1], want) {
			t.Errorf("%s is not at %q: %+v", path, want, doc.Parts)
		}
		if !slices.ContainsFunc(doc.Layout.Boxes, func(b graph.Box) bool { return b.Path == path }) {
			t.Errorf("%s is not drawn", path)
		}
	}
	if _, err := api.DrawPlaybook(t.Context(), "free-disk", client.DrawPlaybookQuery{Revision: "ffffffffffff"}); !fault.Is(err, fault.NotFound) {
		t.Errorf("a revision that nobody has: %v", err)
	}
	if _, err := api.DrawPlaybook(t.Context(), "nope", client.DrawPlaybookQuery{}); !fault.Is(err, fault.NotFound) {
		t.Errorf("a playbook that nobody has: %v", err)
	}
}

// surrounded: what starts it, what can stop it, what it uses and calls, and the tests beside it; none of the other's.
func surrounded(t *testing.T, api *client.API) {
	t.Helper()
	a, err := api.PlaybookAround(t.Context(), "free-disk", client.PlaybookAroundQuery{})
	if err != nil {
		t.Fatal(err)
	}
	if len(a.Triggers) != 1 || a.Triggers[0].Name != "disk-full" || a.Triggers[0].File != "rules.yaml" || a.Triggers[0].Line != 3 || !a.Triggers[0].Enabled ||
		a.Triggers[0].When != `event.labels.host != "web-9"` || a.Triggers[0].On["labels"] == nil {
		t.Errorf("%+v", a.Triggers)
	}
	if len(a.Guards) != 1 || a.Guards[0].Name != "calm" || a.Guards[0].Line != 12 || a.Guards[0].Then != "deny" || a.Guards[0].What != "spread" || len(a.Guards[0].Steps) == 0 {
		t.Errorf("%+v", a.Guards)
	}
	if len(a.Tests) != 1 || a.Tests[0].File != "disk/playbook.txtar" || a.Tests[0].Text != books["disk/playbook.txtar"] {
		t.Errorf("%+v", a.Tests)
	}
	if !slices.Contains(a.Uses, "replace-later") || !slices.Contains(a.Uses, "transform") || strings.Join(a.Calls, " ") != "tell" {
		t.Errorf("%v %v", a.Uses, a.Calls)
	}
	b, err := api.PlaybookAround(t.Context(), "tell", client.PlaybookAroundQuery{})
	if err != nil || len(b.Triggers) != 0 || b.Triggers == nil || len(b.Tests) != 0 || len(b.Calls) != 0 || strings.Join(b.Uses, " ") != "log" {
		t.Errorf("%v %+v", err, b)
	}
}

// reported is an event that no trigger takes, with text that is up to no good.
func reported(t *testing.T, api *client.API) string {
	t.Helper()
	labels := map[string]string{"alertname": "QueueStuck", "queue": "orders", "evil": "'}}\n- {uses: shell}"}
	got, err := api.ReportEvents(t.Context(), wire.Reports{Events: []wire.Report{{
		Key: "q/1", Kind: "alert", Status: "firing", Name: "Queue <orders> is stuck!", Labels: labels,
		Data: value.Object{"labels": map[string]any{"alertname": "QueueStuck", "queue": "orders", "evil": labels["evil"]}},
	}}})
	if err != nil || len(got.Receipts) != 1 {
		t.Fatalf("%v %+v", err, got)
	}
	return got.Receipts[0].Event
}

// sketched: the draft is one that the server itself has nothing to say against.
func sketched(t *testing.T, api *client.API, event string) {
	t.Helper()
	s, err := api.SketchPlaybook(t.Context(), event, client.SketchPlaybookQuery{})
	if err != nil {
		t.Fatal(err)
	}
	if s.Name != "queue-orders-is-stuck" || s.File != "playbooks/queue-orders-is-stuck/playbook.yaml" || !strings.Contains(s.Text, "name: queue-orders-is-stuck\n") {
		t.Errorf("%+v", s)
	}
	d, err := api.LookAtDraft(t.Context(), wire.Draft{File: s.File, Repository: "books", Text: s.Text})
	if err != nil || len(d.Findings) != 0 || len(d.Documents) != 2 || d.Documents[0].Kind != "Playbook" || d.Documents[1].Kind != "Trigger" || !d.Documents[0].Whole {
		t.Errorf("%v %+v\n%s", err, d, s.Text)
	}
	if named, err := api.SketchPlaybook(t.Context(), event, client.SketchPlaybookQuery{Name: "Unstick The/Queue "}); err != nil || named.Name != "unstick-the-queue" {
		t.Errorf("%v %s", err, named.Name)
	}
	if _, err := api.SketchPlaybook(t.Context(), "ev_nope", client.SketchPlaybookQuery{}); !fault.Is(err, fault.NotFound) {
		t.Errorf("an event that nobody has: %v", err)
	}
}
