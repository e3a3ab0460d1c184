package age_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	filippo "filippo.io/age"
	"filippo.io/age/armor"

	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/secret"
	"github.com/tendhq/tend/internal/secret/age"
	"github.com/tendhq/tend/internal/secret/secrettest"
)

// vault is an encrypted file and the identity that opens it.
type vault struct{ file, identity string }

func seal(t *testing.T, name, plain string, armored bool) vault {
	t.Helper()
	id, err := filippo.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	var dst io.Writer = &b
	finish := func() error { return nil }
	if armored {
		a := armor.NewWriter(&b)
		dst, finish = a, a.Close
	}
	w, err := filippo.Encrypt(dst, id.Recipient())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(w, plain); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := finish(); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	v := vault{file: filepath.Join(dir, name), identity: filepath.Join(dir, "identity.txt")}
	put(t, v.file, b.Bytes(), 0o644)
	put(t, v.identity, []byte("# made for a test\n"+id.String()+"\n"), 0o600)
	return v
}

func put(t *testing.T, path string, b []byte, mode os.FileMode) {
	t.Helper()
	if err := os.WriteFile(path, b, mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

func (v vault) open(t *testing.T) *age.Provider {
	t.Helper()
	p, err := age.Open(v.file, v.identity)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestConformance(t *testing.T) {
	t.Parallel()
	quoted := func(t *testing.T, secrets map[string]string) string {
		t.Helper()
		if secrets == nil {
			secrets = map[string]string{}
		}
		b, err := json.Marshal(secrets)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	for name, c := range map[string]struct {
		file    string
		encode  func(*testing.T, map[string]string) string
		armored bool
	}{
		"json":       {"secrets.json.age", quoted, false},
		"yaml flow":  {"secrets.yaml.age", quoted, false},
		"yaml block": {"secrets.yml.age", blocks, true},
		"env":        {"secrets.env.age", lines, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			secrettest.Run(t, secrettest.Harness{
				With: func(t *testing.T, secrets map[string]string) secret.Provider {
					return seal(t, c.file, c.encode(t, secrets), c.armored).open(t)
				},
				Broken: func(t *testing.T, planted string) secret.Provider {
					v := seal(t, c.file, c.encode(t, map[string]string{"database_password": planted}), c.armored)
					p := v.open(t)
					put(t, v.file, []byte(planted), 0o644)
					return p
				},
			})
		})
	}
}

func blocks(_ *testing.T, secrets map[string]string) string {
	b := strings.Builder{}
	for k, v := range secrets {
		q, _ := json.Marshal(v)
		fmt.Fprintf(&b, "%s: %s # a comment\n", k, q)
	}
	return b.String()
}

func lines(_ *testing.T, secrets map[string]string) string {
	b := strings.Builder{}
	b.WriteString("# made for a test\n\n")
	for k, v := range secrets {
		v = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "$", `\$`).Replace(v)
		fmt.Fprintf(&b, "export %s=\"%s\"\n", k, v)
	}
	return b.String()
}

func TestFormats(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		file, plain string
		want        map[string]string
	}{
		"yaml": {"s.yaml.age", "token: 0123456789\nflag: yes\nnothing:\ndb:\n  password: correct horse\n  pem: |\n    one\n    two\n", map[string]string{
			"token": "0123456789", "flag": "yes", "db/password": "correct horse", "db.password": "correct horse", "db/pem": "one\ntwo\n",
		}},
		"yaml dotted":  {"s.yaml.age", "db.password: correct horse\n", map[string]string{"db.password": "correct horse"}},
		"yaml empty":   {"s.yaml.age", "", nil},
		"yaml comment": {"s.yaml.age", "# nothing yet\n", nil},
		"json": {"s.json.age", `{"token": 12345678901234567890, "flag": true, "nothing": null, "db": {"password": "correct horse"}}`, map[string]string{
			"token": "12345678901234567890", "flag": "true", "db/password": "correct horse",
		}},
		"env": {"s.env.age", "A=plain text # and more\n export B = 'single $x'\nC=\"a\\tb\\q\"\nD=\n\n#E=1\n", map[string]string{
			"A": "plain text # and more", "B": "single $x", "C": "a\tb\\q", "D": "",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := seal(t, c.file, c.plain, false).open(t)
			for k, want := range c.want {
				f, err := p.Find(context.Background(), k)
				if err != nil || f.Value.Reveal() != want {
					t.Errorf("%s: %q, %v", k, f.Value.Reveal(), err)
				}
			}
			for _, k := range []string{"nothing", "db", "E"} {
				if _, err := p.Find(context.Background(), k); !fault.Is(err, fault.Missing) {
					t.Errorf("%s: %v", k, err)
				}
			}
		})
	}
}

func TestUnreadable(t *testing.T) {
	t.Parallel()
	const hidden = "hidden-text"
	deep := strings.Repeat("{a: ", 30) + hidden + strings.Repeat("}", 30)
	for name, c := range map[string]struct{ file, plain, says string }{
		"yaml list":      {"s.yaml.age", "- " + hidden, "line 1: it is not a map"},
		"yaml text":      {"s.yaml.age", hidden, "line 1: it is not a map"},
		"yaml list in":   {"s.yaml.age", "a: b\nc:\n - " + hidden, "line 3: a secret is a text"},
		"yaml alias":     {"s.yaml.age", "a: &x " + hidden + "\nb: *x", "line 2: a secret is a text"},
		"yaml broken":    {"s.yaml.age", "a: [" + hidden, "not YAML"},
		"yaml broken 2":  {"s.yaml.age", "a: !!int " + hidden + "\n\t" + hidden, "not YAML"},
		"yaml two":       {"s.yaml.age", "a: b\n---\nc: " + hidden, "more than one"},
		"yaml deep":      {"s.yaml.age", deep, "nested deeper"},
		"yaml twice":     {"s.yaml.age", "a/b: " + hidden + "\na: {b: " + hidden + "}", "line 2: the name is there twice"},
		"json broken":    {"s.json.age", "{\"a\":\n" + hidden, "line 2: it is not"},
		"json list":      {"s.json.age", `{"a": ["` + hidden + `"]}`, "a secret is a text"},
		"json not a map": {"s.json.age", `["` + hidden + `"]`, "not a JSON object"},
		"json two":       {"s.json.age", `{} {"a": "` + hidden + `"}`, "something follows"},
		"env no name":    {"s.env.age", "A=1\n=" + hidden, "line 2: it is not NAME=value"},
		"env no value":   {"s.env.age", hidden, "line 1: it is not NAME=value"},
		"env quotes":     {"s.env.age", "A=\"" + hidden, "line 1: the quotes"},
		"env quotes 2":   {"s.env.age", "A='" + hidden + "' '", "line 1: the quotes"},
		"env backslash":  {"s.env.age", "A=\"" + hidden + "\\\"", "line 1: the quotes"},
		"env twice":      {"s.env.age", "A=1\nA=" + hidden, "line 2: the name is there twice"},
		"latin-1":        {"s.env.age", "A=" + hidden + "\xe9", "not UTF-8"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := seal(t, c.file, c.plain, false)
			_, err := age.Open(v.file, v.identity)
			if !fault.Is(err, fault.Parse) || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), v.file) {
				t.Errorf("got %v", err)
			}
			if err != nil && strings.Contains(err.Error(), "hidden") {
				t.Errorf("it quotes: %v", err)
			}
		})
	}
}

func TestOpen(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		spoil func(t *testing.T, v *vault)
		kind  fault.Kind
		says  string
		next  string
	}{
		"no file":          {func(_ *testing.T, v *vault) { v.file = "/nowhere/s.yaml.age" }, fault.Unavailable, "no file /nowhere/s.yaml.age", ""},
		"no identity":      {func(_ *testing.T, v *vault) { v.identity = "/nowhere/id" }, fault.Unavailable, "no file /nowhere/id", ""},
		"unknown format":   {func(_ *testing.T, v *vault) { v.file = "/nowhere/secrets.age" }, fault.Invalid, "does not say what it holds", "secrets.yaml.age"},
		"public identity":  {func(t *testing.T, v *vault) { chmod(t, v.identity, 0o644) }, fault.Refused, "mode 0644", "chmod 600 '"},
		"writable by all":  {func(t *testing.T, v *vault) { chmod(t, v.file, 0o666) }, fault.Refused, "mode 0666", "chmod 664 '"},
		"not encrypted":    {func(t *testing.T, v *vault) { put(t, v.file, []byte("password: hidden-text\n"), 0o600) }, fault.Parse, "not encrypted", "change the secrets"},
		"not an identity":  {func(t *testing.T, v *vault) { put(t, v.identity, []byte("AGE-SECRET-KEY-1HIDDEN-TEXT\n"), 0o600) }, fault.Parse, "no age identity", "age-keygen"},
		"another identity": {func(t *testing.T, v *vault) { v.identity = seal(t, "x.env.age", "", false).identity }, fault.Auth, "no identity in", "age-keygen -y"},
		"cut off":          {func(t *testing.T, v *vault) { truncate(t, v.file) }, fault.Damaged, "cut off", "restore"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := seal(t, "secrets.yaml.age", "password: hidden-text\n", false)
			c.spoil(t, &v)
			_, err := age.Open(v.file, v.identity)
			if !fault.Is(err, c.kind) || !strings.Contains(err.Error(), c.says) || !strings.Contains(fault.NextOf(err), c.next) {
				t.Errorf("got %v of kind %s, next %q", err, fault.KindOf(err), fault.NextOf(err))
			}
			if err != nil && strings.Contains(strings.ToLower(err.Error()), "hidden") {
				t.Errorf("it quotes: %v", err)
			}
		})
	}
}

func chmod(t *testing.T, path string, mode os.FileMode) {
	t.Helper()
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

func truncate(t *testing.T, path string) {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, info.Size()-5); err != nil {
		t.Fatal(err)
	}
}

func TestNothingIsLeftOnDisk(t *testing.T) {
	t.Parallel()
	v := seal(t, "secrets.yaml.age", "password: hidden-text\n", false)
	p := v.open(t)
	if _, err := p.Find(context.Background(), "password"); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(filepath.Dir(v.file))
	if err != nil || len(entries) != 2 {
		t.Errorf("%v %v", entries, err)
	}
}
