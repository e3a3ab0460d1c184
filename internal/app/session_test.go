package app_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tendhq/tend/internal/directory"

	"github.com/tendhq/tend/internal/app"
	"github.com/tendhq/tend/internal/compiler"
	"github.com/tendhq/tend/internal/config"
	"github.com/tendhq/tend/internal/document"
	"github.com/tendhq/tend/internal/engine"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/playbook"
	"github.com/tendhq/tend/internal/program"
	"github.com/tendhq/tend/internal/store"
)

func settings(t *testing.T, dir string) *config.Config {
	t.Helper()
	c, err := config.Load(config.Flags{DataDir: dir}, env("HOME", t.TempDir()))
	if err != nil {
		t.Fatal(err)
	}
	c.OwnerWait = config.Duration(300 * time.Millisecond)
	return c
}

func env(pairs ...string) func(string) string {
	m := map[string]string{}
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i]] = pairs[i+1]
	}
	return func(k string) string { return m[k] }
}

// scratch is a directory with a short name, so that a socket fits in.
func scratch(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "tend")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return filepath.Join(dir, "d")
}

func programOf(t *testing.T, text string) *program.Program {
	t.Helper()
	set, err := app.Actions()
	if err != nil {
		t.Fatal(err)
	}
	docs, findings := playbook.Parse("p.yaml", []byte("apiVersion: tend/v1\nkind: Playbook\nmetadata: {name: p}\n"+text))
	if err := document.Fault(findings); err != nil {
		t.Fatal(err)
	}
	p, findings := compiler.Compile(docs[0], set, nil)
	if err := document.Fault(findings); err != nil {
		t.Fatal(err)
	}
	return p
}

func open(t *testing.T, o app.Options) *app.Session {
	t.Helper()
	s, err := app.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return s
}

// ended follows a run to its end and gives its status.
func ended(t *testing.T, s engine.Service, id string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	updates, err := s.Follow(ctx, id, 1)
	if err != nil {
		t.Fatal(err)
	}
	for u := range updates {
		if u.Entry == nil {
			continue
		}
		p, err := entry.Decode(*u.Entry)
		if err != nil {
			t.Fatal(err)
		}
		if e, ok := p.(*entry.RunEnded); ok {
			return e.Status
		}
	}
	t.Fatalf("the run %s did not end: %v", id, ctx.Err())
	return ""
}

func TestTheSecondBecomesAClientAndSeesTheSame(t *testing.T) {
	t.Parallel()
	c := settings(t, scratch(t))
	first := open(t, app.Options{Config: c, Getenv: env(), Command: "first", Via: "terminal", MayMake: true})
	second := open(t, app.Options{Config: c, Getenv: env(), Command: "second", Via: "inbox"})
	if first.Remote != nil || second.Remote == nil || second.Remote.PID != os.Getpid() || second.Remote.Command != "first" {
		t.Fatalf("first %+v, second %+v", first.Remote, second.Remote)
	}
	p := programOf(t, "steps: [{uses: log, with: {message: hello}}]\n")
	for _, s := range []*app.Session{first, second} {
		id, err := s.Engine.Start(t.Context(), engine.Start{Program: p, By: s.Me})
		if err != nil {
			t.Fatal(err)
		}
		if st := ended(t, s.Engine, id); st != "succeeded" {
			t.Errorf("%s: %s", id, st)
		}
		for _, other := range []*app.Session{first, second} {
			got, err := other.Engine.Program(t.Context(), id)
			if err != nil || got.Metadata.Name != "p" {
				t.Errorf("program: %+v, %v", got, err)
			}
			page, err := other.Engine.Rows(t.Context(), store.Filter{Kind: "run", ID: id})
			if err != nil || len(page.Rows) != 1 || page.Rows[0].Status != "succeeded" {
				t.Errorf("rows: %+v, %v", page, err)
			}
		}
	}
	if _, err := second.Engine.Do(t.Context(), engine.Command{Verb: engine.Cancel, Run: "run_nope"}); !fault.Is(err, fault.NotFound) {
		t.Errorf("an unknown run: %v", err)
	}
}

func TestTheSameRequestGivesTheSameRun(t *testing.T) {
	t.Parallel()
	s := open(t, app.Options{Config: settings(t, scratch(t)), Getenv: env(), MayMake: true})
	p := programOf(t, "steps: [{uses: log, with: {message: hello}}]\n")
	var ids [2]string
	for i := range ids {
		id, err := s.Engine.Start(t.Context(), engine.Start{Program: p, By: s.Me, Request: "once"})
		if err != nil {
			t.Fatal(err)
		}
		ids[i] = id
	}
	if ids[0] != ids[1] {
		t.Errorf("two runs: %v", ids)
	}
}

func TestABriefOwnerIsWaitedFor(t *testing.T) {
	t.Parallel()
	c := settings(t, scratch(t))
	brief, err := app.Open(t.Context(), app.Options{Config: c, Getenv: env(), Brief: true, MayMake: true, Command: "looks"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := app.Open(t.Context(), app.Options{Config: c, Getenv: env()}); !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), "(looks)") {
		t.Errorf("while it looks: %v", err)
	}
	c.OwnerWait = config.Duration(20 * time.Second)
	got := make(chan error, 1)
	go func() {
		s, err := app.Open(context.WithoutCancel(t.Context()), app.Options{Config: c, Getenv: env()})
		if err == nil {
			err = s.Close()
		}
		got <- err
	}()
	if err := brief.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-got; err != nil {
		t.Errorf("after it looked: %v", err)
	}
}

func TestALookMakesNoDirectory(t *testing.T) {
	t.Parallel()
	dir := scratch(t)
	if _, err := app.Open(t.Context(), app.Options{Config: settings(t, dir), Getenv: env(), Brief: true}); !fault.Is(err, fault.NotFound) {
		t.Errorf("got %v", err)
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("the directory was made: %v", err)
	}
}

func TestALongPathHasItsSocketElsewhere(t *testing.T) {
	t.Parallel()
	base := scratch(t)
	dir := base + strings.Repeat("/a-rather-long-name", 8)
	runtime, err := os.MkdirTemp("", "rt")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(runtime) })
	getenv := env("XDG_RUNTIME_DIR", runtime)
	c := settings(t, dir)
	open(t, app.Options{Config: c, Getenv: getenv, MayMake: true})
	o, err := directory.ReadOwner(dir)
	if err != nil || !strings.HasPrefix(o.Socket, runtime) {
		t.Fatalf("owner %+v, %v", o, err)
	}
	if s := open(t, app.Options{Config: c, Getenv: getenv}); s.Remote == nil {
		t.Error("the second is no client")
	}
}

func TestAStaleSocketAndOwnerFileDoNoHarm(t *testing.T) {
	t.Parallel()
	dir := scratch(t)
	c := settings(t, dir)
	if err := directory.Ensure(dir); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"sock": "not a socket", "owner.json": `{"pid": 1, "socket": "` + dir + `/sock"}`} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if s := open(t, app.Options{Config: c, Getenv: env(), MayMake: true}); s.Remote != nil {
		t.Error("it became a client of nobody")
	}
}

func TestABackupIsComplete(t *testing.T) {
	t.Parallel()
	s := open(t, app.Options{Config: settings(t, scratch(t)), Getenv: env(), MayMake: true})
	id, err := s.Engine.Start(t.Context(), engine.Start{Program: programOf(t, "steps: [{uses: shell, effect: read, with: {script: echo hello}}]\n"), By: s.Me, Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	ended(t, s.Engine, id)
	path := filepath.Join(t.TempDir(), "saved")
	done, err := s.House.Backup(t.Context(), path)
	if err != nil || done.Blobs == 0 {
		t.Fatalf("%+v, %v", done, err)
	}
	m, err := app.VerifyBackup(path)
	if err != nil || m.Index != done.Index {
		t.Fatalf("%+v, %v", m, err)
	}
	// Every file that is missing or different is told.
	if err := os.Remove(filepath.Join(path, "key")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(path, "tend.db"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = app.VerifyBackup(path)
	for _, want := range []string{"key", "tend.db"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("no %q in %v", want, err)
		}
	}
	if _, err := app.Restore(t.Context(), path, scratch(t)); !fault.Is(err, fault.Damaged) && err == nil {
		t.Errorf("a damaged backup was restored: %v", err)
	}
}
