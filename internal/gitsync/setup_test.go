package gitsync_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tendhq/tend/internal/app"
	"github.com/tendhq/tend/internal/blob"
	blobmemory "github.com/tendhq/tend/internal/blob/memory"
	"github.com/tendhq/tend/internal/catalog"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/gitsync"
	"github.com/tendhq/tend/internal/ledger"
	"github.com/tendhq/tend/internal/store"
	"github.com/tendhq/tend/internal/store/memory"
	"github.com/tendhq/tend/internal/testenv"
)

// origin is a repository that people push to.
type origin struct {
	t   testing.TB
	dir string
	env []string
}

func newOrigin(t testing.TB) *origin {
	t.Helper()
	testenv.Program(t, "git", "git")
	o := &origin{t: t, dir: t.TempDir(), env: append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1",
		"GIT_AUTHOR_NAME=Ada", "GIT_AUTHOR_EMAIL=ada@example.org", "GIT_COMMITTER_NAME=Ada", "GIT_COMMITTER_EMAIL=ada@example.org")}
	o.git("init", "-q", "-b", "main")
	return o
}

func (o *origin) url() string { return "file://" + filepath.Join(o.dir, ".git") }

func (o *origin) git(args ...string) string {
	o.t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir, cmd.Env = o.dir, o.env
	out, err := cmd.CombinedOutput()
	if err != nil {
		o.t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

// commit writes files (an empty text removes one) and gives the commit.
func (o *origin) commit(message string, files map[string]string, more ...string) string {
	o.t.Helper()
	for name, text := range files {
		p := filepath.Join(o.dir, name)
		if text == "" {
			if err := os.Remove(p); err != nil {
				o.t.Fatal(err)
			}
			continue
		}
		if err := os.MkdirAll(filepath.Dir(p), 0o700); err != nil {
			o.t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(text), 0o600); err != nil {
			o.t.Fatal(err)
		}
	}
	o.git("add", "-A")
	o.git(append([]string{"commit", "-q", "--allow-empty", "-m", message}, more...)...)
	return o.git("rev-parse", "HEAD")
}

// playbook is a document that changes something by a script.
func playbook(name, script string) string {
	return "apiVersion: tend/v1\nkind: Playbook\nmetadata: {name: " + name + ", description: Does it.}\nsteps:\n" +
		"  - {uses: ssh, with: {host: web-1, script: '" + script + "'}, undo: {none: It is only a test.}}\n"
}

const looking = "apiVersion: tend/v1\nkind: Playbook\nmetadata: {name: look, description: Looks.}\nsteps:\n  - {uses: log, with: {message: hello}}\n"

// server is a store that outlives what is opened on it.
type server struct {
	t     testing.TB
	store store.Store
	blobs blob.Store
	dir   string

	mu      sync.Mutex
	changes []gitsync.Change
	refuse  error // of Prepare
}

func newServer(t testing.TB) *server {
	t.Helper()
	return &server{t: t, store: memory.New(), blobs: blobmemory.New(), dir: t.TempDir()}
}

// open starts a Sync; the test calls Look where it wants to be sure.
func (s *server) open(git string, sources ...gitsync.Source) *gitsync.Sync {
	s.t.Helper()
	lease, err := s.store.Claim(s.t.Context(), "test")
	if err != nil {
		s.t.Fatal(err)
	}
	actions, err := app.Actions()
	if err != nil {
		s.t.Fatal(err)
	}
	l := ledger.Open(s.store, lease, nil)
	for i := range sources {
		if sources[i].Poll == 0 {
			sources[i].Poll = time.Hour
		}
	}
	x, err := gitsync.Open(s.t.Context(), gitsync.Config{
		Sources: sources, Actions: actions, Ledger: l, Blobs: s.blobs, Dir: s.dir, Git: git,
		Prepare: func(_ context.Context, c gitsync.Change) error {
			s.mu.Lock()
			defer s.mu.Unlock()
			if s.refuse == nil {
				s.changes = append(s.changes, c)
			}
			return s.refuse
		},
	})
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		x.Close()
		_ = l.Close(context.Background())
	})
	return x
}

func (s *server) last() gitsync.Change {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.changes) == 0 {
		return gitsync.Change{}
	}
	return s.changes[len(s.changes)-1]
}

// audited lists what the audit trail says happened.
func (s *server) audited() []string {
	s.t.Helper()
	page, err := s.store.Read(context.Background(), ledger.AuditServer, 1, 1000)
	if err != nil && !fault.Is(err, fault.NotFound) {
		s.t.Fatal(err)
	}
	var out []string
	for _, e := range page {
		p, err := entry.Decode(e)
		if err != nil {
			s.t.Fatal(err)
		}
		if a, ok := p.(*entry.Audited); ok {
			out = append(out, a.What)
		}
	}
	return out
}

func look(t testing.TB, x *gitsync.Sync, name string) {
	t.Helper()
	if err := x.Look(t.Context(), name); err != nil {
		t.Fatal(err)
	}
}

func names(s *catalog.Set) string {
	var out []string
	for _, p := range s.Playbooks() {
		out = append(out, p.Name)
	}
	return strings.Join(out, " ")
}

var ada = entry.Who{ID: "user:ada", Name: "ada", Via: "terminal"}
