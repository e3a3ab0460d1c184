package git_test

import (
	"context"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/git"
	"github.com/tendhq/tend/internal/testenv"
	"github.com/tendhq/tend/internal/testenv/sshd"
)

// bare makes a repository with one commit in it, to which can be pushed, and gives its directory.
func bare(t *testing.T) string {
	t.Helper()
	testenv.Program(t, "git", "git")
	dir := t.TempDir()
	work, repo := filepath.Join(dir, "work"), filepath.Join(dir, "shop.git")
	if err := os.MkdirAll(filepath.Join(work, "playbooks"), 0o755); err != nil { //nolint:gosec // a server reads it
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(work, "playbooks", "a.yaml"), []byte("a: 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	shell(t, work, "init", "-q", "-b", "main")
	shell(t, work, "add", "-A")
	shell(t, work, "commit", "-q", "-m", "Begin")
	shell(t, dir, "clone", "-q", "--bare", work, repo)
	shell(t, repo, "config", "http.receivepack", "true")
	return repo
}

func shell(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1", "GIT_AUTHOR_NAME=Ada", "GIT_AUTHOR_EMAIL=ada@example.org", "GIT_COMMITTER_NAME=Ada", "GIT_COMMITTER_EMAIL=ada@example.org")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

func change(base, branch string) git.Change {
	return git.Change{
		Base: base, File: "a.yaml", Text: []byte("a: 2\n"), Author: git.Author{Name: "Grace", Email: "grace@example.org"},
		Title: "Say two", Body: "One was wrong.", At: time.Unix(1_800_000_000, 0), Branch: branch,
	}
}

// pushed looks into the repository itself: the branch is there, with one commit on top of what was, and main is what it was.
func pushed(t *testing.T, repo, branch, base string) {
	t.Helper()
	if got := shell(t, repo, "log", "-1", "--format=%an|%ae|%cn|%s|%b|%P", branch); got != "Grace|grace@example.org|tend|Say two|One was wrong.\n|"+base {
		t.Errorf("the commit is %q", got)
	}
	if got := shell(t, repo, "show", branch+":playbooks/a.yaml"); got != "a: 2" {
		t.Errorf("the file is %q", got)
	}
	if got := shell(t, repo, "rev-parse", "main"); got != base {
		t.Errorf("main moved to %s", got)
	}
}

// TestPushHTTPS pushes over https to git's own http-backend, which wants a token: with the right one the branch is there, with
// another one it is refused, and no token is ever in what is said.
func TestPushHTTPS(t *testing.T) { // not parallel: git reads the certificate's place from the environment
	repo := bare(t)
	backend := filepath.Join(strings.TrimSpace(shell(t, repo, "--exec-path")), "git-http-backend")
	if _, err := os.Stat(backend); err != nil {
		testenv.Need(t, "git-http-backend", err)
	}
	const reads, writes = "token-that-reads", "token-that-writes"
	h := &cgi.Handler{Path: backend, Env: []string{"GIT_PROJECT_ROOT=" + filepath.Dir(repo), "GIT_HTTP_EXPORT_ALL=1", "REMOTE_USER=tend"}}
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, given, _ := r.BasicAuth()
		writing := strings.HasSuffix(r.URL.Path, "/git-receive-pack") || r.URL.Query().Get("service") == "git-receive-pack"
		if given != writes && (writing || given != reads) {
			w.Header().Set("WWW-Authenticate", `Basic realm="shop"`)
			http.Error(w, "no", http.StatusUnauthorized)
			return
		}
		h.ServeHTTP(w, r)
	}))
	defer server.Close()
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("GIT_SSL_CAINFO", ca)
	secrets := map[string]string{"read": reads, "write": writes, "wrong": "token-of-nobody"}
	m := git.New(t.TempDir(), "", git.Remote{URL: server.URL + "/shop.git", Branch: "main", Path: "playbooks", Token: "read"}, func(_ context.Context, name string) (string, error) {
		return secrets[name], nil
	})
	base, err := m.Fetch(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, token := range []string{"read", "wrong"} {
		_, err := m.Push(t.Context(), change(base, "tend/refused"), git.Write{Token: token})
		if err == nil {
			t.Fatalf("the token %s may push", token)
		}
		said := fmt.Sprint(err, fault.NextOf(err))
		if hidden := base64.StdEncoding.EncodeToString([]byte("x-access-token:" + secrets[token])); strings.Contains(said, secrets[token]) || strings.Contains(said, hidden) {
			t.Errorf("the token is told: %s", said)
		}
	}
	commit, err := m.Push(t.Context(), change(base, "tend/two"), git.Write{Token: "write"})
	if err != nil {
		t.Fatal(err)
	}
	pushed(t, repo, "tend/two", base)
	if got := shell(t, repo, "rev-parse", "tend/two"); got != commit {
		t.Errorf("pushed %s, and told %s", got, commit)
	}
	// A branch that is there is not overwritten.
	again := change(base, "tend/two")
	again.Text = []byte("a: 3\n")
	if _, err := m.Push(t.Context(), again, git.Write{Token: "write"}); err == nil {
		t.Error("a branch was overwritten")
	}
}

// TestPushSSH pushes over ssh to a real server: with a key that it knows, and not with another one.
func TestPushSSH(t *testing.T) {
	t.Parallel()
	repo := bare(t)
	server := sshd.Start(t)
	m := git.New(t.TempDir(), "", git.Remote{
		URL: fmt.Sprintf("ssh://%s@%s:%d%s", server.User, server.Host, server.Port, repo), Branch: "main", Path: "playbooks", SSH: git.SSH{Identity: server.KeyFile, KnownHosts: server.KnownHosts},
	}, nil)
	base, err := m.Fetch(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	other := filepath.Join(t.TempDir(), "other")
	if out, err := exec.Command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", other).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if _, err := m.Push(t.Context(), change(base, "tend/refused"), git.Write{Identity: other}); err == nil {
		t.Fatal("a key that nobody knows may push")
	}
	if _, err := m.Push(t.Context(), change(base, "tend/two"), git.Write{Identity: server.KeyFile}); err != nil {
		t.Fatal(err)
	}
	pushed(t, repo, "tend/two", base)
}
