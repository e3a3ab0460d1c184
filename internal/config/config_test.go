package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tendhq/tend/internal/config"
	"github.com/tendhq/tend/internal/fault"
)

func env(pairs ...string) func(string) string {
	m := map[string]string{}
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i]] = pairs[i+1]
	}
	return func(k string) string { return m[k] }
}

func write(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestDefaultsFollowTheXDGDirectories(t *testing.T) {
	t.Parallel()
	c, err := config.Load(config.Flags{}, env("HOME", "/home/ann"))
	if err != nil || c.DataDir != "/home/ann/.local/state/tend" || time.Duration(c.OwnerWait) != 5*time.Second || c.LogCap != 10<<20 {
		t.Errorf("%+v, %v", c, err)
	}
	c, err = config.Load(config.Flags{}, env("HOME", "/home/ann", "XDG_STATE_HOME", "/var/lib/ann"))
	if err != nil || c.DataDir != "/var/lib/ann/tend" {
		t.Errorf("%+v, %v", c, err)
	}
	// A relative XDG directory is ignored, as its specification wants.
	c, err = config.Load(config.Flags{}, env("HOME", "/home/ann", "XDG_STATE_HOME", "here"))
	if err != nil || c.DataDir != "/home/ann/.local/state/tend" {
		t.Errorf("%+v, %v", c, err)
	}
}

func TestFlagsWinOverVariablesOverTheFile(t *testing.T) {
	t.Parallel()
	file := write(t, "dataDir: state\nownerWait: 1s\nlogCap: 1KiB\nsecrets: {dir: pw}\negress: {allow: [a]}\nrunners: {db: {ssh: {host: h, identity: id}}}\n")
	base := filepath.Dir(file)
	c, err := config.Load(config.Flags{Config: file}, env("TEND_OWNER_WAIT", "2s", "TEND_EGRESS_ALLOW", "b,c", "TEND_EGRESS_ONLY", "true"))
	if err != nil {
		t.Fatal(err)
	}
	if c.DataDir != filepath.Join(base, "state") || c.Secrets.Dir != filepath.Join(base, "pw") || c.Runners["db"].SSH.Identity != filepath.Join(base, "id") {
		t.Errorf("paths of the file: %+v", c)
	}
	if time.Duration(c.OwnerWait) != 2*time.Second || c.LogCap != 1<<10 || len(c.Egress.Allow) != 2 || !c.Egress.Only {
		t.Errorf("variables over the file: %+v", c)
	}
	c, err = config.Load(config.Flags{Config: file, DataDir: "/flag"}, env("TEND_DATA_DIR", "/env"))
	if err != nil || c.DataDir != "/flag" {
		t.Errorf("a flag over a variable: %+v, %v", c, err)
	}
}

func TestAllMistakesAreToldAtOnce(t *testing.T) {
	t.Parallel()
	file := write(t, "secrets: {age: x}\nrunners: {local: {ssh: {host: h}}, a: {}, b: {ssh: {}}, c: {ssh: {host: h, port: 99999}}}\n")
	_, err := config.Load(config.Flags{Config: file}, env("HOME", "/h", "TEND_LOG_CAP", "lots", "TEND_OWNER_WAIT", "-1s", "TEND_EGRESS_ONLY", "maybe"))
	for _, want := range []string{"belong together", "runners.local", "runners.a", "runners.b.ssh: host is missing", "port 99999", "TEND_LOG_CAP", "TEND_OWNER_WAIT", "TEND_EGRESS_ONLY"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("no %q in %v", want, err)
		}
	}
	for _, text := range []string{"nope: 1\n", "dataDir: [1]\n", "a: b: c\n", "dataDir: x\ndataDir: y\n"} {
		if _, err := config.Load(config.Flags{Config: write(t, text)}, env("HOME", "/h")); !fault.Is(err, fault.Invalid) && err == nil {
			t.Errorf("%q: %v", text, err)
		}
	}
	if _, err := config.Load(config.Flags{Config: write(t, "")}, env("HOME", "/h")); err != nil {
		t.Errorf("an empty file: %v", err)
	}
}

func TestEveryVariableIsDocumented(t *testing.T) {
	t.Parallel()
	docs, err := os.ReadFile("../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile("config.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, word := range strings.FieldsFunc(string(source), func(r rune) bool { return r != '_' && (r < 'A' || r > 'Z') }) {
		if strings.HasPrefix(word, "TEND_") && len(word) > len("TEND_") && word != "TEND_SECRET_NAME" && !strings.Contains(string(docs), word) {
			t.Errorf("docs/operations.md says nothing of %s", word)
		}
	}
}

// TestIntegrations: every problem is told, and no secret is taken for a name.
func TestIntegrations(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "server.yaml")
	if err := os.WriteFile(name, []byte(`
integrations:
  acme: {slack: {token: xoxb-1}}
  both: {slack: {token: a}, pagerduty: {key: b}}
  post: {email: {host: mail.example.org, from: nobody, tls: none, user: u}}
  hook: {webhook: {url: 'http://example.org/x'}}
  duty: {pagerduty: {}}
channels:
  Ops: {integration: acme, to: ['#a', '#b'], severity: bad}
  none: {integration: other}
  team: {integration: post}
`), 0o600); err != nil {
		t.Fatal(err)
	}
	_, findings, err := config.CheckServer(config.ServerFlags{Flags: config.Flags{Config: name, DataDir: t.TempDir()}}, func(string) string { return "" })
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, f := range findings {
		all.WriteString(f.String() + "\n")
	}
	for _, want := range []string{
		"a token stands in the configuration", `"both" must say what it connects to, once`, `come from "nobody"`, "mail to mail.example.org could be read",
		"user and password belong together", "could be read on the way", `"hook" does not say which secret its key is`, `"duty" does not say which secret`,
		`a channel cannot be named "Ops"`, "goes to several places", `severity "bad"`, `goes through "other"`, `"team" does not say where it goes to`,
	} {
		if !strings.Contains(all.String(), want) {
			t.Errorf("%q is not told:\n%s", want, all.String())
		}
	}
}

// TestNothingIsIgnored: what would not be looked at is refused, and what is looked at is not.
func TestNothingIsIgnored(t *testing.T) {
	t.Parallel()
	check := func(text string) string {
		_, findings, err := config.CheckServer(config.ServerFlags{Flags: config.Flags{Config: write(t, text), DataDir: t.TempDir()}}, env())
		if err != nil {
			t.Fatal(err)
		}
		var all strings.Builder
		for _, f := range findings {
			all.WriteString(f.String() + "\n")
		}
		return all.String()
	}
	if told := check(`
sources:
  - {name: a, kind: webhook, keys: [k], scheme: bearer, mapping: {key: $.id}}
  - {name: b, kind: alertmanager-pull, url: 'http://127.0.0.1:9093', every: 10s, token: t}
  - {name: c, kind: schedule, cron: '0 7 * * *', zone: Europe/Berlin, missed: last}
  - {name: d, kind: silence, for: 5m, watch: {source: a}, monitors: true}
repositories:
  - {dir: /srv/a, poll: 10s, project: p, environment: e, owner: o, observeNew: true}
  - {name: b, url: 'https://git.example.org/b', branch: main, path: books, token: t}
  - {name: c, url: 'ssh://git@git.example.org/c', ssh: {identity: /id, knownHosts: /known}}
onCall:
  a: {calendar: /srv/a.ics, zone: Europe/Berlin}
  b: {people: [ann@example.org, bob@example.org], start: 2026-01-05 09:00, days: 7}
`); told != "" {
		t.Errorf("what is looked at is refused:\n%s", told)
	}
	for at, text := range map[string]string{
		"`mapping`":      "sources: [{name: a, kind: alertmanager, keys: [k], mapping: {key: $.id}}]",
		"`url`":          "sources: [{name: a, kind: alertmanager, keys: [k], url: 'http://127.0.0.1:9093'}]",
		"`every`":        "sources: [{name: a, kind: schedule, cron: '0 7 * * *', every: 5m}]",
		"`token`":        "sources: [{name: a, kind: webhook, keys: [k], token: t}]",
		"`cron`":         "sources: [{name: a, kind: silence, for: 5m, watch: {source: a}, cron: '0 7 * * *'}]",
		"`zone`":         "sources: [{name: a, kind: silence, for: 5m, watch: {source: a}, zone: Europe/Berlin}]",
		"`missed`":       "sources: [{name: a, kind: grafana, keys: [k], missed: all}]",
		"`for`":          "sources: [{name: a, kind: schedule, cron: '0 7 * * *', for: 5m}]",
		"`watch`":        "sources: [{name: a, kind: alertmanager, keys: [k], watch: {source: b}}]",
		"`monitors`":     "sources: [{name: a, kind: alertmanager, keys: [k], monitors: true}]",
		"`scheme`":       "sources: [{name: a, kind: schedule, cron: '0 7 * * *', scheme: bearer}]",
		"`keys`":         "sources: [{name: a, kind: alertmanager-pull, url: 'http://127.0.0.1:9093', keys: [k]}]",
		"`branch` is of": "repositories: [{dir: /srv/a, branch: main}]",
		"`path` is of":   "repositories: [{dir: /srv/a, path: books}]",
		"`token` is of":  "repositories: [{dir: /srv/a, token: t}]",
		"`ssh` is of":    "repositories: [{dir: /srv/a, ssh: {identity: /id}}]",
		"is in a calend": "onCall: {a: {calendar: /srv/a.ics, days: 7}}",
	} {
		if told := check(text + "\n"); strings.Count(told, "\n") < 1 || !strings.Contains(told, at) {
			t.Errorf("%s: %q is not told:\n%s", text, at, told)
		}
	}
}

// TestServerRefuses: each setting that would leave a door open, or do nothing, is told.
func TestServerRefuses(t *testing.T) {
	t.Parallel()
	const people = "signOn: {issuers: [{name: okta, url: 'https://okta.example.org', clientID: tend}]}\nurl: https://tend.example.org\n"
	for _, c := range []struct{ text, want string }{
		{"listen: 127.0.0.1:8420", ""},
		{"listen: '[::1]:8420'", ""},
		{"listen: 0.0.0.0:8420\ntls: {cert: a, key: b}", "nobody can sign on"},
		{"listen: 0.0.0.0:8420\n" + people, "what is said can be overheard"},
		{"listen: 0.0.0.0:8420\n" + people + "tls: {cert: a, key: b}", ""},
		{"listen: 0.0.0.0:8420\n" + people + "behindProxy: true", ""},
		{"listen: here", "is not an address with a port"},
		{"tls: {cert: a}", "tls.cert and tls.key belong together"},
		{"tls: {key: a}", "tls.cert and tls.key belong together"},
		{"runs: 0", "is not a number of runs"},
		{"runs: 10001", "is not a number of runs"},
		{"mode: maybe", `there is no mode "maybe"`},
		{"url: tend.example.org", "is not the address of a server"},
		{"behindProxy: true\nproxies: [10.0.0.1]", "is not a range of addresses"},
		{"heartbeat: {url: 'ftp://example.org'}", "heartbeat.url is not an address"},
		{"heartbeat: {url: 'https://example.org/x', every: 1ms}", "less than a second"},
		{"audit: {syslog: 'logs.example.org'}", "no address of a syslog server"},
		{"audit: {otlp: {token: t}}", "has a token and no url"},
		{"audit: {otlp: {url: 'http://collector.example.org/v1/logs', token: t}}", "could be read on the way"},
		{"audit: {otlp: {url: 'http://127.0.0.1:4318/v1/logs', token: t}}", ""},
		{"signOn: {issuers: [{name: a, url: 'https://a.example.org'}]}", "nothing of the issuer"},
		{"signOn: {issuers: [{name: a, url: 'http://a.example.org', audiences: [x]}]}", "has no address that can be trusted"},
		{"signOn: {issuers: [{name: a, url: 'https://a.example.org', audiences: [x]}, {name: a, url: 'https://b.example.org', audiences: [x]}]}", "is there twice"},
		{"signOn: {issuers: [{name: a, url: 'https://a.example.org', clientID: x}]}", "does not know its own address"},
		{"access: [{name: a, subjects: ['*'], role: viewer}, {name: a, subjects: ['*'], role: viewer}]", `"a" is there twice`},
		{"access: [{name: a, subjects: ['*'], role: king}]", "king"},
		{"sources: [{name: a, kind: webhook}]", "anybody could post"},
		{"sources: [{name: a, kind: github, keys: [k], scheme: basic}]", "cannot be signed by"},
		{"sources: [{name: a, kind: webhook, keys: [k]}, {name: a, kind: webhook, keys: [k]}]", "two sources are named"},
		{"sources: [{name: A/B, kind: webhook, keys: [k]}]", "cannot be named"},
		{"sources: [{name: tend, kind: webhook, keys: [k]}]", "the server's own events"},
		{"sources: [{name: a, kind: smoke}]", "there is no kind of source"},
		{"sources: [{name: a, kind: alertmanager-pull}]", "where its Alertmanager is"},
		{"sources: [{name: a, kind: schedule, cron: often}]", "often"},
		{"sources: [{name: a, kind: schedule, cron: '0 7 * * *', missed: some}]", `treated by "some"`},
		{"sources: [{name: a, kind: silence, watch: {source: b}}]", "how long a silence is too long"},
		{"sources: [{name: a, kind: silence, for: 5m}]", "what it expects"},
		{"repositories: [{}]", "either a repository or a directory"},
		{"repositories: [{dir: /a, url: 'https://git.example.org/a'}]", "either a repository or a directory"},
		{"repositories: [{name: a, dir: /a}, {name: a, dir: /b}]", `the name "a" cannot be used`},
		{"repositories: [{dir: /a, signatures: {keyring: /k}}]", "signatures of commits"},
		{"repositories: [{url: 'https://git.example.org/a', signatures: {}}]", "signatures of commits"},
		{"repositories: [{dir: /a, ceiling: {effects: [write]}}]", `no effect "write"`},
		{"repositories: [{dir: /a, issues: {token: t}}]", "github or gitlab"},
		{"repositories: [{url: 'https://git.example.org/a/b', issues: {token: t}}]", "github or gitlab"},
		{"repositories: [{url: 'https://github.com/a/b', issues: {}}]", "has no token"},
		{"repositories: [{url: 'https://github.com/b', issues: {token: t}}]", `"b" is no repository there`},
		{"repositories: [{dir: /a, issues: {token: t, kind: gitlab, project: a/b}}]", `"" is no web address`},
		{"repositories: [{url: 'https://github.com/a/b', issues: {token: t, url: 'http://api.example.org'}}]", "could be read on the way"},
		{"repositories: [{url: 'https://github.com/a/b', issues: {token: t}}]", ""},
		{"repositories: [{dir: /a, issues: {token: t, kind: gitlab, project: a/b, url: 'http://127.0.0.1:8080/api/v4'}}]", ""},
		{"integrations: {duty: {pagerduty: {key: k}}}\nchannels: {pager: {integration: duty, runs: true}}", "would call somebody for every run"},
		{"onCall: {a: {}}", "must say who has it"},
		{"onCall: {a: {pagerduty: {token: t, schedule: P1}}}", ""},
		{"onCall: {a: {pagerduty: {token: t}}}", "does not say its pagerduty.schedule"},
		{"onCall: {a: {pagerduty: {token: t, schedule: P1}, people: [ann@example.org]}}", "must say who has it, once"},
		{"onCall: {a: {pagerduty: {token: t, schedule: P1, url: 'http://api.example.org'}}}", "could be read on the way"},
		{"onCall: {a: {grafana: {token: t, schedule: S1, url: 'https://oncall.example.org'}, days: 3}}", "is in a schedule"},
		{"onCall: {a: {jira: {token: t, user: b@example.org, cloud: c, schedule: s}}}", "is not an address"},
		{"onCall: {a: {people: [ann@example.org], start: soon}}", `the duty "a"`},
		{"onCall: {a: {calendar: /a.ics, zone: Mars/Olympus}}", "no time zone"},
	} {
		_, findings, err := config.CheckServer(config.ServerFlags{Flags: config.Flags{Config: write(t, c.text+"\n"), DataDir: t.TempDir()}}, env())
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
		}
		var told []string
		for _, f := range findings {
			told = append(told, f.String())
		}
		switch all := strings.Join(told, "\n"); {
		case c.want == "" && all != "":
			t.Errorf("%s: %s", c.text, all)
		case c.want != "" && !strings.Contains(all, c.want):
			t.Errorf("%s: %q is not told: %s", c.text, c.want, all)
		}
	}
}

// TestEveryRepositoryHasAName of its own.
func TestEveryRepositoryHasAName(t *testing.T) {
	t.Parallel()
	s := config.Server{
		Repositories: []config.Repository{{URL: "https://git.example.org/ops/books.git"}, {Name: "books-2", Dir: "/srv/x"}, {URL: "ssh://git@git.example.org/a b"}},
		Playbooks:    []string{"/srv/books", "/"},
	}
	var names []string
	for _, r := range s.All() {
		names = append(names, r.Name)
	}
	if got := strings.Join(names, " "); got != "books books-2 a-b books-3 playbooks" {
		t.Error(got)
	}
}

// TestTrackers: where action items become issues follows from the address of the repository.
func TestTrackers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		url  string
		own  config.Issues
		want string
	}{
		{"https://github.com/shop/runbooks.git", config.Issues{}, "github shop/runbooks https://api.github.com"},
		{"ssh://git@github.com/shop/runbooks", config.Issues{}, "github shop/runbooks https://api.github.com"},
		{"https://github.corp.example/shop/runbooks", config.Issues{}, "github shop/runbooks https://github.corp.example/api/v3"},
		{"https://gitlab.com/shop/sub/runbooks", config.Issues{}, "gitlab shop/sub/runbooks https://gitlab.com/api/v4"},
		{"https://git.example.org/x/y", config.Issues{Kind: "gitlab"}, "gitlab x/y https://git.example.org/api/v4"},
		{"https://github.com/shop/runbooks", config.Issues{Project: "shop/todo", URL: "https://proxy.example/"}, "github shop/todo https://proxy.example/"},
	} {
		r := config.Repository{URL: c.url, Issues: &c.own}
		got, ok := r.Tracker()
		if s := got.Kind + " " + got.Project + " " + got.URL; !ok || s != c.want {
			t.Errorf("%s: %s", c.url, s)
		}
	}
	none := config.Repository{URL: "https://github.com/a/b", Token: "t"}
	if _, ok := none.Tracker(); ok {
		t.Error("the token that reads makes issues")
	}
}
