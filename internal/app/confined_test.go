package app

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tendhq/tend/internal/action"
	"github.com/tendhq/tend/internal/secret"
)

// TestServersBelongingsAreNotForPlaybooks: what a step names is in the playbook's directory, or refused before anything
// begins. It is in the package because the door is not visible from outside.
func TestServersBelongingsAreNotForPlaybooks(t *testing.T) {
	t.Parallel()
	dir, outside := t.TempDir(), t.TempDir()
	for name, text := range map[string]string{filepath.Join(dir, "mine"): "x", filepath.Join(outside, "key"): "the server's key"} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(filepath.Join(outside, "key"), filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	set, err := serverActions(nil, false, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	const refusal = "lie in the playbook's directory"
	for _, c := range []struct {
		action string
		inputs map[string]any
		dir    string
		says   string // "" is: not refused by this door
	}{
		{"http", map[string]any{"url": "http://127.0.0.1:1", "method": "POST", "file": "mine"}, dir, ""},
		{"http", map[string]any{"url": "http://127.0.0.1:1", "method": "POST", "file": filepath.Join(dir, "mine")}, dir, ""},
		{"http", map[string]any{"url": "http://127.0.0.1:1", "method": "POST", "file": filepath.Join(outside, "key")}, dir, refusal},
		{"http", map[string]any{"url": "http://127.0.0.1:1", "method": "POST", "file": "../" + filepath.Base(outside) + "/key"}, dir, refusal},
		{"http", map[string]any{"url": "http://127.0.0.1:1", "method": "POST", "file": "link"}, dir, refusal},
		{"http", map[string]any{"url": "http://127.0.0.1:1", "method": "POST", "file": "/etc/passwd"}, "", refusal},
		{"http", map[string]any{"url": "http://127.0.0.1:1", "method": "POST", "file": "/proc/self/environ"}, "/", ""}, // whoever has / as the playbook's directory was let there by the owner
		{"ssh", map[string]any{"host": "h", "command": "id", "keyFile": filepath.Join(outside, "key")}, dir, refusal},
		{"ssh", map[string]any{"host": "h", "command": "id", "privateKey": secret.New("k"), "knownHosts": "/etc/shadow"}, dir, refusal},
		{"ssh", map[string]any{"host": "h", "command": "id"}, dir, "server's own keys"},
		{"ssh", map[string]any{"host": "h", "command": "id", "privateKey": secret.New("k"), "agent": true}, dir, "server's own keys"},
		{"ssh", map[string]any{"host": "h", "command": "id", "awsSecret": "prod/key"}, dir, "awsSecret"},
		{"sql", map[string]any{"host": "db", "query": "select 1", "ca": filepath.Join(outside, "key")}, dir, refusal},
		{"sql", map[string]any{"host": "db", "query": "select 1", "key": secret.New(filepath.Join(outside, "key"))}, dir, refusal},
		{"sql", map[string]any{"host": "/var/run/postgresql", "query": "select 1"}, dir, "own sockets"},
		{"sql", map[string]any{"url": secret.New("postgres://u:p@db/x?host=/var/run/postgresql"), "query": "select 1"}, dir, "name the host in its place"},
		{"postgres/terminate", map[string]any{"host": "/tmp", "pid": int64(1)}, dir, "own sockets"},
		{"shell", map[string]any{"script": "id"}, dir, "steps on the server itself are off"},
		{"container", map[string]any{"image": "x"}, dir, "steps on the server itself are off"},
	} {
		a, ok := set.Find(c.action)
		if !ok {
			t.Fatalf("no action %s", c.action)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel() // nothing that is let through begins
		r := a.Run(ctx, action.Request{Inputs: c.inputs, Dir: c.dir}, func(string, []byte) {})
		refused := strings.Contains(r.Message, refusal) || strings.Contains(r.Message, "server's own") || strings.Contains(r.Message, "in a server") || strings.Contains(r.Message, "are off")
		if c.says == "" && refused || c.says != "" && (r.Outcome != action.NotStarted || !strings.Contains(r.Message, c.says)) {
			t.Errorf("%s %v in %q: %s %s", c.action, c.inputs, c.dir, r.Outcome, r.Message)
		}
		if strings.Contains(r.Message, "the server's key") {
			t.Errorf("%s shows the file: %s", c.action, r.Message)
		}
	}
}
