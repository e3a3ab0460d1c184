package git

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/tendhq/tend/internal/document"
)

// FuzzGit reads what git prints of a repository that others wrote.
func FuzzGit(f *testing.F) {
	const oid = "0123456789abcdef0123456789abcdef01234567"
	f.Add("100644 blob "+oid+"       5\ta/b.yaml\x00120000 blob "+oid+" 3\ta/link\x00160000 commit "+oid+" -\ta/sub\x00", []byte(oid+" blob 5\nhello\n"))
	f.Fuzz(func(t *testing.T, list string, out []byte) {
		items := listing(list, "a/")
		var small []item
		for _, i := range items {
			if i.size <= 1<<10 {
				small = append(small, i)
			}
		}
		if len(items) > 8 {
			return
		}
		files, err := contents(out, items, small)
		if err != nil {
			return
		}
		for i, x := range files {
			if x.Name != items[i].name || items[i].size <= 1<<10 && len(x.Content) != items[i].size && len(x.Content) <= document.MaxSize {
				t.Fatalf("%q has %d bytes, not %d", x.Name, len(x.Content), items[i].size)
			}
		}
	})
}

func TestRemotesRefused(t *testing.T) {
	t.Parallel()
	for _, src := range []Remote{
		{URL: "ext::sh -c touch"},
		{URL: "--upload-pack=touch"},
		{URL: "http://example.org/a"},
		{URL: "git://example.org/a"},
		{URL: "https://ada:hunter2hunter2@example.org/a"},
		{URL: "git@example.org:a/b"},
		{URL: "https://example.org/a", Branch: "--output=x"},
		{URL: "https://example.org/a", Branch: "a:b"},
		{URL: "https://example.org/a", Path: "../b"},
		{URL: "https://example.org/a", Path: "/b"},
		{URL: "ssh://git@example.org/a", Token: "git"},
	} {
		err := src.Check()
		if err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%+v: %v", src, err)
		}
	}
}

func TestSame(t *testing.T) {
	t.Parallel()
	for a, b := range map[string]string{"git@example.org:team/a.git": "https://example.org/team/a", "ssh://git@Example.org/team/A": "https://example.org/team/a.git/"} {
		if !Same(a, b) || Same(a, b+"b") {
			t.Errorf("%s is not %s", a, b)
		}
	}
}

// TestCredentials: a token goes to the host of its repository alone, by the environment.
func TestCredentials(t *testing.T) {
	t.Parallel()
	secret := func(context.Context, string) (string, error) { return "s3cr3t-token", nil }
	m := New(t.TempDir(), "", Remote{URL: "https://git.example.org/team/a.git", Token: "git"}, secret)
	env, err := m.credentials(t.Context())
	if err != nil || !slices.Contains(env, "GIT_CONFIG_KEY_0=http.https://git.example.org/.extraHeader") {
		t.Errorf("%q, %v", env, err)
	}
	m = New(t.TempDir(), "", Remote{URL: "ssh://git@example.org/a", SSH: SSH{Identity: "/keys/it's mine", KnownHosts: "/keys/hosts"}}, nil)
	env, err = m.credentials(t.Context())
	if err != nil || !slices.Contains(env, `GIT_SSH_COMMAND=ssh -oBatchMode=yes -oStrictHostKeyChecking=yes -oIdentitiesOnly=yes -i '/keys/it'\''s mine' -oUserKnownHostsFile='/keys/hosts'`) {
		t.Errorf("%q, %v", env, err)
	}
	m = New(t.TempDir(), "", Remote{URL: "https://git.example.org/team/a.git", Token: "git"}, nil)
	if _, err := m.credentials(t.Context()); err == nil {
		t.Error("a token out of nothing")
	}
}
