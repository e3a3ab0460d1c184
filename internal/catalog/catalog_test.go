package catalog_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"
	"pgregory.net/rapid"

	"github.com/tendhq/tend/internal/app"
	"github.com/tendhq/tend/internal/catalog"
	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/document"
	"github.com/tendhq/tend/internal/event"
	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/guard"
	"github.com/tendhq/tend/internal/spelling"
	"github.com/tendhq/tend/internal/testenv"
	"github.com/tendhq/tend/internal/trigger"
)

func files(archive string) []document.File {
	var out []document.File
	for _, f := range txtar.Parse([]byte(archive)).Files {
		out = append(out, document.File{Name: f.Name, Content: f.Data})
	}
	return out
}

func build(t testing.TB, archive string, b catalog.Binding) (*catalog.Catalog, []document.Finding) {
	t.Helper()
	actions, err := app.Actions()
	if err != nil {
		t.Fatal(err)
	}
	return catalog.Build(files(archive), b, actions)
}

func good(t testing.TB, archive string, b catalog.Binding) *catalog.Catalog {
	t.Helper()
	c, fs := build(t, archive, b)
	if c == nil {
		t.Fatalf("%v", fs)
	}
	return c
}

const shop = `
-- disk/playbook.yaml --
apiVersion: tend/v1
kind: Playbook
metadata: {name: reclaim-disk, description: Frees space., labels: {team: storage}}
parameters:
  - {name: host, type: string, description: Which.}
  - {name: limit, type: number, default: 800, description: MiB.}
steps:
  - id: clean
    uses: ssh
    effect: idempotent
    with: {host: '{{ $.params.host }}', script: 'find /var/log -name "*.gz" -delete'}
    target: 'host:{{ $.params.host }}'
    when: params.limit > 1
-- disk/trigger.yaml --
apiVersion: tend/v1
kind: Trigger
metadata: {name: disk-full}
on: {kind: [alert]}
parameters: {host: '{{ $.event.alert.labels.instance }}'}
---
apiVersion: tend/v1
kind: Trigger
metadata: {name: any-alert}
incident: {title: Something is up.}
-- a/look.yaml --
apiVersion: tend/v1
kind: Playbook
metadata: {name: look, description: Looks., owner: sre}
steps:
  - {uses: log, with: {message: hello}}
-- guards.yaml --
apiVersion: tend/v1
kind: Guard
metadata: {name: holidays}
freeze: {calendar: cal/holidays.ics}
-- cal/holidays.ics --
BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//t//EN
BEGIN:VEVENT
UID:1
DTSTAMP:20260101T000000Z
DTSTART:20261224T000000Z
DTEND:20261227T000000Z
SUMMARY:Christmas
END:VEVENT
END:VCALENDAR
-- slack.yaml --
apiVersion: tend/v1
kind: Integration
metadata: {name: slack}
type: slack
`

func TestBuild(t *testing.T) {
	t.Parallel()
	c := good(t, shop, catalog.Binding{Repository: "shop", Owner: "ops", Commit: "0123abcd", Author: "Ada <ada@example.org>"})
	var got []string
	for _, p := range c.Playbooks() {
		got = append(got, fmt.Sprintf("%s owner=%s source=%s changes=%t labels=%v", p.Name, p.Owner, p.Source, p.Mutates, p.Labels))
	}
	want := []string{
		"look owner=sre source=0123abcd:a/look.yaml changes=false labels=map[]",
		"reclaim-disk owner=ops source=0123abcd:disk/playbook.yaml changes=true labels=map[team:storage]",
	}
	if !slices.Equal(got, want) {
		t.Errorf("playbooks:\n%s", strings.Join(got, "\n"))
	}
	if ts := c.Triggers(); len(ts) != 2 || ts[0].Name != "disk-full" || ts[0].Playbook != "reclaim-disk" || ts[1].Name != "any-alert" || ts[1].Playbook != "" {
		t.Errorf("triggers: %+v", ts)
	}
	p, err := c.Playbook("", "disk-full", "reclaim-disk")
	if err != nil || p.Program == nil || p.Metadata["commit"] != "0123abcd" || p.Metadata["author"] != "Ada <ada@example.org>" || p.Metadata["file"] != "disk/playbook.yaml" {
		t.Errorf("%+v, %v", p, err)
	}
	g := p.Guards
	if len(g) != 1 || g[0].Name != "holidays" || guard.Check(g, &guard.Counted{}, guard.Request{Effect: contract.Mutate}, time.Date(2026, 12, 25, 0, 0, 0, 0, time.UTC)).Kind != guard.Hold {
		t.Errorf("guards: %+v", g)
	}
	if c.Labels("Reclaim_Disk")["team"] != "storage" || c.Labels("nothing") != nil || len(c.Integrations()) != 1 {
		t.Error("labels or integrations")
	}
	for _, x := range [][3]string{{"other", "disk-full", "reclaim-disk"}, {"", "gone", "reclaim-disc"}} {
		if _, err := c.Playbook(x[0], x[1], x[2]); !fault.Is(err, fault.NotFound) {
			t.Errorf("%v: %v", x, err)
		}
	}
	if p, err := c.Playbook("default", "was-renamed", "reclaim-disk"); err != nil || p.Name != "reclaim-disk" {
		t.Errorf("%v, %v", p, err)
	}
}

// TestDigest: comments, places and descriptions do not change what a playbook does; a word in a script does.
func TestDigest(t *testing.T) {
	t.Parallel()
	digest := func(archive string) string {
		p, err := good(t, archive, catalog.Binding{}).Playbook("", "", "reclaim-disk")
		if err != nil {
			t.Fatal(err)
		}
		return p.Digest
	}
	first := digest(shop)
	same := strings.Replace(strings.Replace(shop, "Frees space.", "Frees some space.", 1), "steps:\n  - id: clean", "# why\nsteps:\n\n  - id: clean", 1)
	if digest(same) != first || same == shop {
		t.Error("another digest for the same steps")
	}
	if digest(strings.Replace(shop, "-delete", "-print -delete", 1)) == first {
		t.Error("the same digest for another script")
	}
}

// TestRefused: everything that is wrong is told at once, with its place.
func TestRefused(t *testing.T) {
	t.Parallel()
	_, fs := build(t, `
-- a.yaml --
apiVersion: tend/v1
kind: Playbook
metadata: {name: one, description: One.}
parameters:
  - {name: count, type: number, description: How many.}
steps:
  - {uses: log, with: {message: '{{ $.params.count }}'}}
---
apiVersion: tend/v1
kind: Playbook
metadata: {name: One, description: The same.}
steps:
  - {uses: lgo, with: {message: a}}
-- t.yaml --
apiVersion: tend/v1
kind: Trigger
metadata: {name: t1}
playbook: oen
---
apiVersion: tend/v1
kind: Trigger
metadata: {name: t2}
playbook: one
parameters: {cuont: 1}
---
apiVersion: tend/v1
kind: Trigger
metadata: {name: t3}
playbook: one
parameters: {count: many}
---
apiVersion: tend/v1
kind: Trigger
metadata: {name: t3}
-- g/g.yaml --
apiVersion: tend/v1
kind: Guard
metadata: {name: g}
freeze: {calendar: none.ics}
---
apiVersion: tend/v1
kind: Guard
metadata: {name: h}
freeze: {calendar: bad.ics}
---
apiVersion: tend/v1
kind: Trigger
metadata: {name: t4}
-- g/bad.ics --
nothing
`, catalog.Binding{})
	var got []string
	for _, f := range fs {
		if f.Severity == document.Error {
			got = append(got, f.String())
		}
	}
	want := []string{
		"a.yaml:11:18: error: there is a playbook called `One` already, at a.yaml:3:18 [declared-twice] (rename one of them)",
		"a.yaml:13:12: error: there is no action, verb or module called `lgo` [unknown-action] (did you mean `log`?)",
		"g/g.yaml:4:20: error: there is no calendar g/none.ics [unreadable-calendar] (put the file beside the guard)",
		"g/g.yaml:9:20: error: the calendar g/bad.ics cannot be read: ",
		"g/g.yaml:11:1: error: the trigger starts the playbook in its folder, and there is none [unknown-playbook] (name it: `playbook:`)",
		"t.yaml:4:11: error: there is no playbook called `oen` [unknown-playbook] (did you mean `One`?)",
		"t.yaml:10:1: error: the playbook `one` needs the parameter `count` [wrong-parameter] (give it below `parameters:`)",
		"t.yaml:10:14: error: the playbook `one` has no parameter `cuont` [wrong-parameter] (did you mean `count`?)",
		"t.yaml:16:21: error: parameter `count` of `one` ",
		"t.yaml:18:1: error: the trigger starts the playbook in its folder, and there are 2 [unknown-playbook] (name it: `playbook:`)",
		"t.yaml:20:18: error: there is a trigger called `t3` already, at t.yaml:14:18 [declared-twice] (rename one of them)",
	}
	if !slices.EqualFunc(got, want, strings.HasPrefix) {
		t.Errorf("got\n%s", strings.Join(got, "\n"))
	}
}

func TestCeiling(t *testing.T) {
	t.Parallel()
	const head = "-- p.yaml --\napiVersion: tend/v1\nkind: Playbook\nmetadata: {name: p, description: P.}\n"
	for name, c := range map[string]struct {
		ceiling catalog.Ceiling
		archive string
		want    []string // findings; none: within
	}{
		"action": {
			catalog.Ceiling{Actions: []string{"log", "sql/*"}},
			head + "steps:\n  - {uses: log, with: {message: a}}\n  - {uses: ssh, target: 'host:a', with: {host: a, script: b}}\n",
			[]string{"p.yaml:6: error: the repository may not use the action `ssh`: it may use log, sql/*"},
		},
		"action in a module": {
			catalog.Ceiling{Actions: []string{"log"}},
			head + "steps:\n  - {uses: m}\n-- m.yaml --\napiVersion: tend/v1\nkind: Step\nmetadata: {name: m, description: M.}\nsteps:\n  - {uses: ssh, with: {host: a, script: b}, target: 'host:a'}\n",
			[]string{"m.yaml:5: error: the repository may not use the action `ssh`"},
		},
		"action that undoes": {
			catalog.Ceiling{Actions: []string{"log"}},
			head + "steps:\n  - {uses: log, with: {message: a}, undo: {uses: ssh, with: {host: a, script: b}}}\n",
			[]string{"p.yaml:5: error: the repository may not use the action `ssh`"},
		},
		"effect": {
			catalog.Ceiling{Effects: []contract.Effect{contract.Read}},
			head + "steps:\n  - {uses: ssh, with: {host: a, script: b}, target: 'host:a'}\n  - {uses: ssh, effect: read, with: {host: a, script: b}}\n",
			[]string{"p.yaml:5: error: the repository may not do what is mutate"},
		},
		"target": {
			catalog.Ceiling{Targets: []string{"host:web-*"}},
			head + `parameters: [{name: h, type: string, description: H.}]
steps:
  - {uses: ssh, with: {host: web-3, script: b}}
  - {uses: ssh, with: {host: db-3, script: b}}
  - {uses: ssh, with: {host: '{{ $.params.h }}', script: b}}
  - {uses: ssh, with: {host: 'x', script: b}, target: 'host:web-{{ $.params.h }}'}
  - {uses: ssh, with: {host: 'x', script: b}, target: '{{ "host:web-" }}{{ if true }}x{{ end }}'}
  - {uses: shell, with: {script: b}}
  - {uses: shell, effect: read, with: {script: b}}
`,
			[]string{
				"p.yaml:7: error: the repository may not touch `host:db-3`: it may touch host:web-*",
				"p.yaml:8: error: the repository may not touch `host:…`",
				"p.yaml:10: error: the repository may not touch `…`",
				"p.yaml:11: error: the step does not say what it touches",
			},
		},
		"secret": {
			catalog.Ceiling{Secrets: []string{"shop/*"}},
			head + `parameters: [{name: h, type: secret, description: H.}, {name: s, type: secret, enum: [shop/a, bank/b], description: S.}, {name: x, type: string, description: X.}]
steps:
  - {uses: http, with: {url: 'https://a', auth: {bearer: '{{ secret "shop/token" }}'}}}
  - {uses: http, with: {url: 'https://a', auth: {bearer: '{{ secret "bank/token" }}'}}}
  - {uses: http, with: {url: 'https://a', auth: {bearer: '{{ secret $.params.h }}{{ secret $.params.s }}'}}}
  - {uses: http, with: {url: 'https://a', auth: {bearer: '{{ secret $.params.x }}'}}}
  - {uses: login, with: {access: shop/c}}
  - {uses: login, with: {access: bank/c}}
-- login.yaml --
apiVersion: tend/v1
kind: Step
metadata: {name: login, description: L.}
inputs: [{name: access, type: secret, description: A.}]
effect: read
run: {uses: http, with: {url: 'https://a', auth: {bearer: '{{ secret $.params.access }}'}}}
`,
			[]string{
				"p.yaml:4:21: error: the parameter `h` can name any secret, and the repository may use shop/*",
				"p.yaml:4:86: error: the repository may not use the secret `bank/b`",
				"p.yaml:7: error: the repository may not use the secret `bank/token`",
				"p.yaml:9: error: the repository may not use the secret `…`",
				"p.yaml:11: error: the repository may not use the secret `bank/c`",
			},
		},
		"integration": {
			catalog.Ceiling{Integrations: []string{"slack-*"}},
			head + `parameters: [{name: i, type: integration, enum: [slack-a], description: I.}]
steps:
  - {uses: http, integration: slack-shop, with: {url: 'https://a'}}
  - {uses: http, integration: '{{ $.params.i }}', with: {url: 'https://a'}}
  - {uses: http, integration: pager, with: {url: 'https://a'}}
`,
			[]string{"p.yaml:8: error: the repository may not use the integration `pager`: it may use slack-*"},
		},
		"integration as an input": {
			catalog.Ceiling{Integrations: []string{"hook-*"}},
			head + `parameters: [{name: i, type: integration, enum: [hook-a], description: I.}, {name: x, type: string, description: X.}]
steps:
  - {uses: webhook/send, integration: hook-shop, with: {type: a}}
  - {uses: webhook/send, with: {type: a, integration: '{{ $.params.i }}'}}
  - {uses: webhook/send, integration: bank, with: {type: a}}
  - {uses: webhook/send, with: {type: a, integration: bank}}
  - {uses: webhook/send, with: {type: a, integration: '{{ $.params.x }}'}}
  - {uses: webhook/send, with: {type: a}}
  - {uses: tell, with: {to: hook-a}}
  - {uses: tell, with: {to: bank}}
  - {uses: tell}
-- tell.yaml --
apiVersion: tend/v1
kind: Step
metadata: {name: tell, description: T.}
inputs: [{name: to, type: integration, required: false, description: T.}]
effect: mutate
run: {uses: webhook/send, with: {type: a, integration: '{{ $.params.to }}'}}
`,
			[]string{
				"p.yaml:8: error: the repository may not use the integration `bank`: it may use hook-*",
				"p.yaml:9: error: the repository may not use the integration `bank`: it may use hook-*",
				"p.yaml:10: error: the repository may not use the integration `…`: it may use hook-*",
				"p.yaml:11: error: the repository may not use the integration `…`: it may use hook-*",
				"p.yaml:13: error: the repository may not use the integration `bank`: it may use hook-*",
				"p.yaml:14: error: the repository may not use the integration `…`: it may use hook-*",
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if free, fs := build(t, c.archive, catalog.Binding{}); free == nil {
				t.Fatalf("it is refused without a ceiling: %v", fs)
			}
			got, fs := build(t, c.archive, catalog.Binding{Ceiling: c.ceiling})
			var lines []string
			for _, f := range fs {
				if f.Severity == document.Error {
					if f.Rule != catalog.RuleCeiling || f.SourceLine == "" {
						t.Errorf("%+v", f)
					}
					lines = append(lines, f.String())
				}
			}
			if !slices.EqualFunc(lines, c.want, strings.HasPrefix) || (got == nil) != (len(c.want) > 0) {
				t.Errorf("got\n%s", strings.Join(lines, "\n"))
			}
		})
	}
}

// TestCeilingHolds: what is let through without being known stays within, whatever it will be.
func TestCeilingHolds(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		part := rapid.StringOfN(rapid.SampledFrom([]rune("ab:?")), 0, 3, -1)
		glob := rapid.StringOfN(rapid.SampledFrom([]rune("ab:*?")), 0, 6, -1).Draw(t, "glob")
		before, value, after := part.Draw(t, "before"), part.Draw(t, "value"), part.Draw(t, "after")
		if catalog.Covers(glob, before+"\x00"+after) && !spelling.Glob(glob, before+value+after) {
			t.Fatalf("%q covers %q…%q, and does not match %q", glob, before, after, before+value+after)
		}
		if plain := before + value; catalog.Covers(glob, plain) != spelling.Glob(glob, plain) {
			t.Fatalf("%q and %q", glob, plain)
		}
	})
}

// TestOlderDialect: public playbooks of the older dialect are live as they stand.
func TestOlderDialect(t *testing.T) {
	t.Parallel()
	root := testenv.Corpus(t)
	var fs []document.File
	err := filepath.WalkDir(root, func(p string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || !catalog.Document(p) {
			return err
		}
		b, err := os.ReadFile(p)
		rel, _ := filepath.Rel(root, p)
		fs = append(fs, document.File{Name: filepath.ToSlash(rel), Content: b})
		return err
	})
	if err != nil || len(fs) == 0 {
		t.Fatal(len(fs), err)
	}
	actions, err := app.Actions()
	if err != nil {
		t.Fatal(err)
	}
	c, findings := catalog.Build(fs, catalog.Binding{}, actions)
	if c == nil {
		t.Fatal(document.Fault(findings))
	}
	if p, err := c.Playbook("", "trigger-create-incident-war-room", ""); err != nil || p.Name == "" {
		t.Errorf("%v, %v", p, err)
	}
}

const placed = `
-- p.yaml --
apiVersion: tend/v1
kind: Playbook
metadata: {name: p, description: P.}
parameters:
  - {name: limit, type: number, default: 800, description: MiB.}
  - {name: host, type: string, description: Which.}
  - {name: key, type: secret, default: db, description: Of the database.}
steps:
  - {uses: http, integration: chat, runner: jump, with: {url: 'https://a', auth: {bearer: '{{ secret "api" }}-{{ secret "other" }}{{ secret "api" }}'}}}
  - {uses: login, integration: chat, runner: jump, with: {access: api}}
  - {uses: playbook, with: {name: q}}
  - {uses: webhook/send, integration: chat, with: {type: by-key}}
  - {uses: webhook/send, with: {type: by-input, integration: chat}}
---
apiVersion: tend/v1
kind: Playbook
metadata: {name: q, description: Q.}
parameters: [{name: limit, type: number, default: 1, description: MiB.}]
steps: [{uses: log, with: {message: '{{ $.params.limit }}'}}]
---
apiVersion: tend/v1
kind: Trigger
metadata: {name: t}
playbook: p
parameters: {host: a}
---
apiVersion: tend/v1
kind: Guard
metadata: {name: default-cooldown}
cooldown: {every: 1s}
-- login.yaml --
apiVersion: tend/v1
kind: Step
metadata: {name: login, description: L.}
inputs: [{name: access, type: secret, description: A.}]
effect: read
run: {uses: http, with: {url: 'https://a', auth: {bearer: '{{ secret $.params.access }}'}}}
-- e.yaml --
apiVersion: tend/v1
kind: Environment
metadata: {name: stage}
events: {labels: {env: stage}}
secrets: {api: stage/api, db: stage/db}
integrations: {chat: chat-stage}
runners: {jump: jump-stage}
parameters: {limit: 5, host: stage-1}
---
apiVersion: tend/v1
kind: Environment
metadata: {name: production}
`

// TestEnvironment: the same playbooks, with the names and values of the environment in which they are live.
func TestEnvironment(t *testing.T) {
	t.Parallel()
	stage := good(t, placed, catalog.Binding{Environment: "stage", Ceiling: catalog.Ceiling{Integrations: []string{"chat-stage"}}})
	p, err := stage.Playbook("", "t@stage", "p")
	if err != nil || p.Environment != "stage" || p.Metadata["environment"] != "stage" {
		t.Fatalf("%+v, %v", p, err)
	}
	params, err := p.Program.Bind(nil, nil, nil, expr.New(expr.Limits{}))
	if err != nil || params["limit"] != int64(5) || params["host"] != "stage-1" || params["key"] != "stage/db" {
		t.Errorf("%v, %v", params, err)
	}
	closure, _, err := p.Program.Closure()
	if err != nil {
		t.Fatal(err)
	}
	text := string(closure)
	for _, want := range []string{`{{ secret \"stage/api\" }}-{{ secret \"other\" }}{{ secret \"stage/api\" }}`, `"chat-stage"`, `"jump-stage"`, `"inputs":{"access":{"scalar":{"kind":"literal","lit":"stage/api"}}}`} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s in %s", want, text)
		}
	}
	if strings.Contains(text, `"chat"`) {
		t.Errorf("an integration has the name of playbooks still: %s", text)
	}
	called := p.Program.Calls["q"]
	if called == nil || called.Parameters[0].Default.Scalar.Lit != int64(5) {
		t.Errorf("%+v", called)
	}
	trig := stage.Triggers()[0]
	firing := func(env string) *event.Event {
		return &event.Event{ID: "e", Source: "a", Kind: "alert", Status: event.Firing, Labels: map[string]string{"env": env}}
	}
	if o, ok, err := trigger.Match(trig, firing("stage"), expr.New(expr.Limits{})); !ok || err != nil || o.Environment != "stage" || o.Trigger != "t@stage" {
		t.Errorf("%+v, %v", o, err)
	}
	if _, ok, _ := trigger.Match(trig, firing("production"), expr.New(expr.Limits{})); ok {
		t.Error("an event of another environment fires")
	}
	// The looser guard of stage leaves the default of all others as it is.
	guards := guard.WithDefaults(stage.Guards())
	hold := func(env string) guard.Kind {
		counted, now := new(guard.Counted), time.Unix(1.8e9, 0)
		q := guard.Request{Project: "default", Environment: env, Playbook: "p", Action: "http", Effect: contract.Mutate, Targets: []string{"a"}, Root: "r1"}
		for _, r := range guard.Check(guards, counted, q, now).Reserve {
			counted.Add(r)
		}
		q.Root = "r2"
		return guard.Check(guards, counted, q, now.Add(time.Minute)).Kind
	}
	if hold("stage") != guard.Allow || hold("production") != guard.Hold || hold("") != guard.Hold {
		t.Errorf("stage: %s, production: %s", hold("stage"), hold("production"))
	}

	plain := good(t, placed, catalog.Binding{})
	if q, err := plain.Playbook("", "t", "p"); err != nil || q.Digest == p.Digest {
		t.Errorf("%+v, %v", q, err)
	}
	if fs := catalog.NewSet(stage).Clashes(good(t, placed, catalog.Binding{Environment: "production", Repository: "again"})); len(fs) != 0 {
		t.Errorf("two environments clash: %v", fs)
	}
	for env, want := range map[string]string{"prodution": "did you mean `production`?"} {
		if c, fs := build(t, placed, catalog.Binding{Environment: env}); c != nil || !strings.Contains(fmt.Sprint(fs), want) {
			t.Errorf("%v", fs)
		}
	}
	bad := strings.Replace(placed, "{limit: 5,", "{limit: much, lmit: 5,", 1)
	if c, fs := build(t, bad, catalog.Binding{Environment: "stage"}); c != nil || !strings.Contains(fmt.Sprint(fs), "parameter `limit` of `p` must be a number") || !strings.Contains(fmt.Sprint(fs), "no playbook has a parameter `lmit`") {
		t.Errorf("%v", fs)
	}
}

// TestGroups: a guard's group is what its environment says, and nothing is live when nobody says it.
func TestGroups(t *testing.T) {
	t.Parallel()
	const files = `
-- g.yaml --
apiVersion: tend/v1
kind: Guard
metadata: {name: part, description: A part of the web.}
share: {percent: 50, group: web, within: 1h}
---
apiVersion: tend/v1
kind: Environment
metadata: {name: stage, description: Small.}
groups: {web: [host:web-1, host:web-2]}
---
apiVersion: tend/v1
kind: Environment
metadata: {name: production, description: Nobody said.}
groups: {wbe: [host:web-1]}
`
	c := good(t, files, catalog.Binding{Environment: "stage"})
	g := c.Guards()[0]
	if g.Share.Of() != 2 || !slices.Equal(g.Select.Targets, []string{"host:web-1", "host:web-2"}) {
		t.Errorf("%+v", g)
	}
	for env, want := range map[string]string{
		"production": "g.yaml:4:29: error: the environment `production` does not say who is in the group `web` [unknown-group] (did you mean `wbe`?)",
		"":           "g.yaml:4:29: error: nobody says who is in the group `web`: its repository is live in no environment [unknown-group]",
	} {
		if c, fs := build(t, files, catalog.Binding{Environment: env}); c != nil || !strings.Contains(fmt.Sprint(fs), want) {
			t.Errorf("%v", fs)
		}
	}
}

func TestSet(t *testing.T) {
	t.Parallel()
	one := func(repository, project, name string) *catalog.Catalog {
		return good(t, "-- p.yaml --\napiVersion: tend/v1\nkind: Playbook\nmetadata: {name: "+name+", description: P.}\nsteps: [{uses: log, with: {message: a}}]\n---\n"+
			"apiVersion: tend/v1\nkind: Trigger\nmetadata: {name: t-"+name+"}\n", catalog.Binding{Repository: repository, Project: project})
	}
	shop, bank, more := one("shop", "", "look"), one("bank", "bank", "look"), one("more", "", "see")
	s := catalog.NewSet(shop, nil, bank, more)
	if p, err := s.Playbook("bank", "t-look", "look"); err != nil || p.Metadata["repository"] != "bank" {
		t.Errorf("%+v, %v", p, err)
	}
	if p, err := s.Playbook("", "", "see"); err != nil || p.Metadata["repository"] != "more" {
		t.Errorf("%+v, %v", p, err)
	}
	for _, x := range [][2]string{{"bank", "see"}, {"none", "look"}} {
		if _, err := s.Playbook(x[0], "", x[1]); !fault.Is(err, fault.NotFound) {
			t.Errorf("%v: %v", x, err)
		}
	}
	if ts := s.Triggers(); len(ts["default"]) != 2 || ts["default"][0].Name != "t-look" || len(ts["bank"]) != 1 {
		t.Errorf("%v", ts)
	}
	if fs := s.Clashes(one("another", "", "Look")); len(fs) != 2 || !strings.Contains(fs[0].String(), "p.yaml:3:18: error: there is a playbook `look` already, in the repository shop at p.yaml:3:18") {
		t.Errorf("%v", fs)
	}
	if fs := s.Clashes(one("shop", "", "look")); len(fs) != 0 {
		t.Errorf("it clashes with the one that it follows: %v", fs)
	}
}

func TestNothing(t *testing.T) {
	t.Parallel()
	if c := good(t, "", catalog.Binding{}); len(c.Playbooks()) != 0 {
		t.Error("something out of nothing")
	}
}
