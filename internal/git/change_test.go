package git_test

import (
	"strings"
	"testing"
	"time"

	"github.com/tendhq/tend/internal/git"
)

func TestCompare(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ address, forge, base, want string }{
		{"https://github.com/acme/books.git", "", "main", "https://github.com/acme/books/compare/main...tend/x?expand=1"},
		{"ssh://git@github.com/acme/books.git", "", "", "https://github.com/acme/books/compare/tend/x?expand=1"},
		{"https://github.example.org/acme/books", "", "main", "https://github.example.org/acme/books/compare/main...tend/x?expand=1"},
		{"https://gitlab.com/acme/sub/books.git", "", "main", "https://gitlab.com/acme/sub/books/-/merge_requests/new?merge_request%5Bsource_branch%5D=tend%2Fx&merge_request%5Btarget_branch%5D=main"},
		{"ssh://git@code.example.org:2222/acme/books.git", "gitlab", "", "https://code.example.org/acme/books/-/merge_requests/new?merge_request%5Bsource_branch%5D=tend%2Fx"},
		{"https://dev.azure.com/acme/ops/_git/books", "", "main", "https://dev.azure.com/acme/ops/_git/books/pullrequestcreate?sourceRef=tend%2Fx&targetRef=main"},
		{"ssh://git@ssh.dev.azure.com/v3/acme/ops/books", "", "", "https://dev.azure.com/acme/ops/_git/books/pullrequestcreate?sourceRef=tend%2Fx"},
		{"https://mygithub.example.org/acme/books", "", "main", ""},
		{"file:///srv/books.git", "", "main", ""},
	} {
		if got := git.Compare(c.address, c.forge, c.base, "tend/x"); got != c.want {
			t.Errorf("%s: %s, not %s", c.address, got, c.want)
		}
	}
}

// TestPatchIsOnePatch: whatever people write, it stays in the message, and the name in its header.
func TestPatchIsOnePatch(t *testing.T) {
	t.Parallel()
	p := string(git.Patch(git.Change{
		Text: []byte("b\n"), Title: "Mend\nFrom: eve <eve@example.org>", Body: "---\ndiff --git a/x b/x\n+++ b/y", At: time.Unix(0, 0),
		Author: git.Author{Name: "Ada\nTo: all <x>", Email: "ada@example.org>\nCc: b"},
	}, "a.yaml", []byte("a\n")))
	head, rest, _ := strings.Cut(p, "\n\n")
	if strings.Count(head, "\nFrom: ") != 1 || strings.Contains(head, "\nTo:") || strings.Contains(head, "\nCc:") || !strings.Contains(head, "Subject: [PATCH] Mend From: eve <eve@example.org>\n") {
		t.Errorf("the head:\n%s", head)
	}
	if strings.Count(rest, "\n---\n") != 1 || strings.Count("\n"+rest, "\ndiff --git ") != 1 || !strings.Contains(rest, "--- a/a.yaml\n+++ b/a.yaml\n@@ -1,1 +1,1 @@\n-a\n+b\n") {
		t.Errorf("the rest:\n%s", rest)
	}
}
