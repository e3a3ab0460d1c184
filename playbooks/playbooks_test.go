// Package playbooks_test holds the starter pack to what it promises: every playbook has its trigger and a recorded event that
// starts it, looks before it changes anything, and changes nothing without approval, verification and guard.
package playbooks_test

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/tendhq/tend/internal/action"
	"github.com/tendhq/tend/internal/app"
	"github.com/tendhq/tend/internal/catalog"
	"github.com/tendhq/tend/internal/cli"
	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/event"
	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/plan"
	"github.com/tendhq/tend/internal/program"
	"github.com/tendhq/tend/internal/repository"
	"github.com/tendhq/tend/internal/testenv"
	"github.com/tendhq/tend/internal/testenv/postgres"
	"github.com/tendhq/tend/internal/testenv/sshd"
	"github.com/tendhq/tend/internal/trigger"
	"github.com/tendhq/tend/internal/value"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"tend": func() { os.Exit(cli.Main()) },
	})
}

// pack is the whole pack as a server takes it.
func pack(t *testing.T) (*catalog.Catalog, *action.Set) {
	t.Helper()
	set, err := app.Actions()
	if err != nil {
		t.Fatal(err)
	}
	repo, err := repository.Open(".")
	if err != nil {
		t.Fatal(err)
	}
	files, err := repo.Files()
	if err != nil {
		t.Fatal(err)
	}
	c, findings := catalog.Build(files, catalog.Binding{Repository: "playbooks"}, set)
	for _, f := range findings {
		t.Errorf("%v", f)
	}
	if c == nil {
		t.Fatal("nothing is live")
	}
	return c, set
}

func recorded(t *testing.T, name string) *event.Event {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(name, "event.json"))
	if err != nil {
		t.Fatal(err)
	}
	var e event.Event
	if err := json.Unmarshal(b, &e); err != nil {
		t.Fatal(err)
	}
	v, err := value.Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	e.Data = v.(map[string]any)["data"].(map[string]any)
	return &e
}

// TestPack lets the triggers decide about each recorded event, binds what they give and plans the run.
func TestPack(t *testing.T) {
	t.Parallel()
	c, set := pack(t)
	eval := expr.New(expr.Limits{})
	if len(c.Playbooks()) < 14 || len(c.Triggers()) != len(c.Playbooks()) {
		t.Errorf("%d playbooks, %d triggers", len(c.Playbooks()), len(c.Triggers()))
	}
	for _, p := range c.Playbooks() {
		t.Run(p.Name, func(t *testing.T) {
			t.Parallel()
			if filepath.Base(filepath.Dir(p.File)) != p.Name || p.Labels["pack"] != "starter" {
				t.Errorf("it stands in %s with the labels %v", p.File, p.Labels)
			}
			e := recorded(t, p.Name)
			var o *trigger.Outcome
			for _, x := range c.Triggers() {
				got, fires, err := trigger.Match(x, e, eval)
				if err != nil {
					t.Error(err)
				}
				if fires && o != nil {
					t.Errorf("two triggers fire: %s and %s", o.Trigger, got.Trigger)
				}
				if fires {
					o = got
				}
			}
			if o == nil || o.Playbook != p.Name {
				t.Fatalf("no trigger of it fires: %+v", o)
			}
			if o.Incident == nil || !o.Incident.Resolve || strings.Contains(o.Incident.Title, "no value") || o.Incident.Severity == "" {
				t.Errorf("its incident is %+v", o.Incident)
			}
			params, err := p.Program.Bind(o.Parameters, e.Data, p.Metadata, eval)
			if err != nil {
				t.Fatal(err)
			}
			pl := plan.New(plan.Request{
				Program: p.Program, Params: params, Event: e.Data, Metadata: p.Metadata, By: "trigger " + o.Trigger, Guards: p.Guards, Spec: set.Spec, Eval: eval, Now: time.Now(),
			})
			check(t, pl.Problems, pl.Steps)
			if len(pl.Steps) < 2 || pl.Steps[0].Effect != string(contract.Read) {
				t.Errorf("it does not look first: %+v", pl.Steps[0])
			}
			changes(t, p.Program.Steps)
		})
	}
	for name, want := range map[string]string{
		"target-down": "web-3.example.org:9100", "certificate-expiring": "shop.example.org",
	} {
		for _, x := range c.Triggers() {
			if o, fires, _ := trigger.Match(x, recorded(t, name), eval); fires && !slices.Contains(slices.Collect(maps.Values(o.Parameters)), any(want)) {
				t.Errorf("%s: the parameters are %v", name, o.Parameters)
			}
		}
	}
}

// check wants a plan without a problem, in which every change names what it changes and what holds it.
func check(t *testing.T, problems []string, steps []plan.Step) {
	t.Helper()
	for _, p := range problems {
		t.Errorf("the plan has a problem: %s", p)
	}
	for i := range steps {
		s := &steps[i]
		if s.Effect == string(contract.Mutate) || s.Effect == string(contract.Idempotent) {
			if len(s.Targets) == 0 || len(s.Guards) == 0 || s.Approval == "" || s.Verify == nil || s.Undo == nil && s.UndoNone == "" {
				t.Errorf("%s changes something: targets %v, guards %v, approval %q, verify %v", s.Path, s.Targets, s.Guards, s.Approval, s.Verify)
			}
		}
		check(t, s.Problems, s.Steps)
	}
}

// changes wants approval, verification and a way back of every step that changes something, also of those that the plan
// leaves out.
func changes(t *testing.T, nodes []program.Node) {
	t.Helper()
	for i := range nodes {
		n := &nodes[i]
		if n.Kind == program.KindAction && n.Effect != contract.Read {
			if n.Uses == "http" && n.Effect == "" {
				continue // its method says what it does: see the plan
			}
			if n.Approval == nil || n.Verify == nil || n.Undo == nil {
				t.Errorf("%s (%s) changes something: approval %v, verify %v, undo %v", n.Name, n.Uses, n.Approval, n.Verify, n.Undo)
			}
		}
		changes(t, n.Steps)
	}
}

// TestGuards: the guards of the pack are about all of its playbooks, and about what they change.
func TestGuards(t *testing.T) {
	t.Parallel()
	c, _ := pack(t)
	if len(c.Guards()) < 3 {
		t.Errorf("%d guards", len(c.Guards()))
	}
	for _, g := range c.Guards() {
		if g.Select.Labels["pack"] != "starter" || len(g.Select.Effects) != 2 {
			t.Errorf("guard %s selects %+v", g.Name, g.Select)
		}
	}
}

// TestEvents: every recorded event belongs to a playbook.
func TestEvents(t *testing.T) {
	t.Parallel()
	events, err := filepath.Glob("*/event.json")
	if err != nil || len(events) < 14 {
		t.Fatalf("%d events: %v", len(events), err)
	}
	for _, e := range events {
		if _, err := os.Stat(filepath.Join(filepath.Dir(e), "playbook.yaml")); err != nil {
			t.Error(err)
		}
	}
	list, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range events {
		if !strings.Contains(string(list), "("+filepath.Dir(e)+"/playbook.yaml)") {
			t.Errorf("README.md does not name %s", filepath.Dir(e))
		}
	}
}

// TestHosts runs those that look at hosts, in the scripts of testdata/host, on this machine over a real sshd.
func TestHosts(t *testing.T) {
	t.Parallel()
	s := sshd.Start(t)
	scripts(t, "testdata/host", reach(t, s))
}

// TestServices runs those that look at services over ssh, in the scripts of testdata/services. What is called there is in the
// folder bin of the script.
func TestServices(t *testing.T) {
	t.Parallel()
	openssl := testenv.Program(t, "openssl", "openssl")
	work := filepath.Join(t.TempDir(), "work")
	s := sshd.Start(t, fmt.Sprintf("SetEnv=PATH=%s:/usr/bin:/bin STATE=%s", filepath.Join(work, "bin"), filepath.Join(work, "state")))
	target := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(target.Close)
	shop := httptest.NewUnstartedServer(http.NotFoundHandler())
	shop.TLS = &tls.Config{Certificates: []tls.Certificate{certificate(t, openssl)}, MinVersion: tls.VersionTLS12}
	shop.StartTLS()
	t.Cleanup(shop.Close)
	login := reach(t, s)
	scripts(t, "testdata/services", func(e *testscript.Env) error {
		e.Setenv("TARGET", target.Listener.Addr().String())
		e.Setenv("TLS", shop.Listener.Addr().String())
		return errors.Join(login(e), os.Symlink(e.WorkDir, work))
	})
}

// certificate makes one that is good for a month.
func certificate(t *testing.T, openssl string) tls.Certificate {
	t.Helper()
	cert, key := filepath.Join(t.TempDir(), "cert.pem"), filepath.Join(t.TempDir(), "key.pem")
	out, err := exec.CommandContext(t.Context(), openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
		"-subj", "/CN=shop", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", cert).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	return pair
}

// TestPostgres runs the one about PostgreSQL against a real server, on which somebody forgot a transaction.
func TestPostgres(t *testing.T) {
	t.Parallel()
	s := postgres.Start(t)
	c, err := pgx.Connect(t.Context(), s.URL("postgres")+"&application_name=forgetful")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { // the scripts are over then
		if err := c.Ping(context.Background()); err == nil {
			t.Error("the forgotten session goes on")
		}
		_ = c.Close(context.Background())
	})
	if _, err := c.Exec(t.Context(), "begin"); err != nil {
		t.Fatal(err)
	}
	scripts(t, "testdata/postgres", func(e *testscript.Env) error {
		e.Setenv("SERVER", s.Host)
		e.Setenv("PORT", strconv.Itoa(s.Port))
		e.Setenv("LOGIN", s.User)
		e.Setenv("PASSWORD", s.Password)
		return nil
	})
}

// reach gives scripts what they need to reach a host: SSHD, LOGIN, KEY and an address for an agent.
func reach(t *testing.T, s *sshd.Server) func(*testscript.Env) error {
	t.Helper()
	for _, name := range []string{"ssh-agent", "ssh-add"} {
		testenv.Program(t, "ssh-agent", name)
	}
	// Names of sockets are short, and directories of tests are not.
	short, err := os.MkdirTemp("", "agent")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(short) })
	known, err := os.ReadFile(s.KnownHosts)
	if err != nil {
		t.Fatal(err)
	}
	return func(e *testscript.Env) error {
		e.Setenv("SSH_AUTH_SOCK", filepath.Join(short, "agent.sock"))
		e.Setenv("LOGIN", s.User)
		e.Setenv("KEY", s.KeyFile)
		e.Setenv("SSHD", fmt.Sprintf("%s:%d", s.Host, s.Port))
		dir := filepath.Join(e.Getenv("HOME"), ".ssh")
		if err := os.Mkdir(dir, 0o700); err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(dir, "known_hosts"), known, 0o600)
	}
}

// TestRuns runs them, in the scripts of testdata, against a kubectl that records what it is asked.
func TestRuns(t *testing.T) {
	t.Parallel()
	scripts(t, "testdata", func(*testscript.Env) error { return nil })
}

func scripts(t *testing.T, dir string, more func(*testscript.Env) error) {
	t.Helper()
	here, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir: dir, RequireExplicitExec: true, RequireUniqueNames: true,
		Setup: func(e *testscript.Env) error {
			home := filepath.Join(e.WorkDir, "home")
			e.Setenv("HOME", home)
			e.Setenv("XDG_STATE_HOME", filepath.Join(home, "state"))
			e.Setenv("XDG_CONFIG_HOME", filepath.Join(home, "config"))
			e.Setenv("PACK", here)
			e.Setenv("PATH", filepath.Join(e.WorkDir, "bin")+string(filepath.ListSeparator)+e.Getenv("PATH"))
			if err := os.Mkdir(home, 0o700); err != nil {
				return err
			}
			return more(e)
		},
	})
}
