package git

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/diff"

	"github.com/tendhq/tend/internal/document"
	"github.com/tendhq/tend/internal/fault"
)

// Author is who a commit is by.
type Author struct{ Name, Email string }

func (a Author) String() string { return a.name() + " <" + a.email() + ">" }

// name and email leave out what git takes for more than a name.
func (a Author) name() string {
	s := printable(strings.NewReplacer("<", "", ">", "").Replace(a.Name))
	if strings.Trim(s, " .,:;\"'") == "" {
		return "tend"
	}
	return s
}

func (a Author) email() string {
	return strings.Map(func(r rune) rune {
		if r <= ' ' || r == 0x7f || r == '<' || r == '>' {
			return -1
		}
		return r
	}, a.Email)
}

// Change is a commit that is to be made: one file of it.
type Change struct {
	Base   string // the commit that it follows
	File   string // from the folder that is read
	Text   []byte
	Author Author
	Title  string
	Body   string
	At     time.Time
	Branch string // a new one
}

// message is the message of the commit.
func (c *Change) message() string {
	s := printable(c.Title)
	if body := strings.TrimSpace(strings.ReplaceAll(c.Body, "\x00", "")); body != "" {
		s += "\n\n" + body
	}
	return s + "\n"
}

// Write says with what a repository is written to. It is apart from what it is read with, so that reading needs no more.
type Write struct {
	Token    string // the name of a secret; for https
	Identity string // a private key; for ssh
}

// Push makes a commit of a change and pushes it as a new branch: a branch of that name that is there already is refused,
// and no other one is touched. It gives the commit.
func (m *Mirror) Push(ctx context.Context, c Change, with Write) (string, error) {
	if strings.HasPrefix(c.Branch, "-") || strings.ContainsAny(c.Branch, " ~^:?*[\\") || strings.Contains(c.Branch, "..") || c.Branch == "" || c.Branch == m.src.Branch {
		return "", fault.New(fault.Invalid, "%q cannot be the name of a new branch", c.Branch)
	}
	commit, err := m.commit(ctx, c)
	if err != nil {
		return "", err
	}
	as := *m
	as.src.Token = with.Token
	if with.Identity != "" {
		as.src.SSH.Identity = with.Identity
	}
	env, err := as.credentials(ctx)
	if err != nil {
		return "", err
	}
	ref := "refs/heads/" + c.Branch
	_, err = m.run(ctx, fetchTime, maxMessage, nil, env, "push", "--quiet", "--no-verify", "--no-follow-tags", "--recurse-submodules=no",
		"--force-with-lease="+ref+":", "--end-of-options", m.src.URL, commit+":"+ref)
	if err != nil {
		return "", fault.Wrap(fault.KindOf(err), err, "push the branch %s", c.Branch)
	}
	return commit, nil
}

// commit writes the objects of a change into the mirror. Nothing of it is checked out.
func (m *Mirror) commit(ctx context.Context, c Change) (string, error) {
	dir, err := os.MkdirTemp(filepath.Dir(m.dir), "index-")
	if err != nil {
		return "", fault.Wrap(fault.Unavailable, err, "make a commit")
	}
	defer func() { _ = os.RemoveAll(dir) }()
	env := []string{"GIT_INDEX_FILE=" + filepath.Join(dir, "index")}
	one := func(stdin string, args ...string) (string, error) {
		out, err := m.run(ctx, localTime, maxMessage, strings.NewReader(stdin), env, args...)
		return strings.TrimSpace(string(out)), err
	}
	if _, err := one("", "read-tree", c.Base); err != nil {
		return "", err
	}
	blob, err := one(string(c.Text), "hash-object", "-w", "--stdin", "--no-filters")
	if err != nil {
		return "", err
	}
	name := m.FileName(c.File)
	if _, err := one("", "update-index", "--add", "--cacheinfo", "100644,"+blob+","+name); err != nil {
		return "", err
	}
	tree, err := one("", "write-tree")
	if err != nil {
		return "", err
	}
	at := fmt.Sprintf("%d +0000", c.At.Unix())
	env = append(env, "GIT_AUTHOR_NAME="+c.Author.name(), "GIT_AUTHOR_EMAIL="+c.Author.email(), "GIT_AUTHOR_DATE="+at,
		"GIT_COMMITTER_NAME=tend", "GIT_COMMITTER_EMAIL=tend@localhost", "GIT_COMMITTER_DATE="+at)
	commit, err := one(c.message(), "commit-tree", tree, "-p", c.Base, "-F", "-")
	if err == nil && !hash(commit) {
		err = fault.New(fault.Damaged, "git gives %.80q as a commit", commit)
	}
	return commit, err
}

// FileName is the name of a file from the root of the repository.
func (m *Mirror) FileName(file string) string { return path.Join(m.src.Path, file) }

// Files reads the files of a commit. What is wrong with them as a whole is an error.
func (m *Mirror) Files(ctx context.Context, commit string) ([]document.File, error) {
	t := &Commit{ID: commit}
	err := m.content(ctx, t)
	if err == nil && t.Problem != nil {
		err = fault.New(fault.Conflict, "%s", t.Problem.Message)
	}
	return t.Files, err
}

// About tells author, title and time of a commit.
func (m *Mirror) About(ctx context.Context, commit string) (*Commit, error) {
	t := &Commit{ID: commit}
	return t, m.describe(ctx, t)
}

// Patch writes a change as `git format-patch` does: `git am` and `git apply` take it. before is nil when there is no such
// file yet. name is from the root of the repository.
func Patch(c Change, name string, before []byte) []byte {
	var b strings.Builder
	base := c.Base
	if !hash(base) {
		base = strings.Repeat("0", 40)
	}
	fmt.Fprintf(&b, "From %s Mon Sep 17 00:00:00 2001\nFrom: %s\nDate: %s\nSubject: [PATCH] %s\n", base, header(c.Author.name())+" <"+c.Author.email()+">",
		c.At.UTC().Format("Mon, 2 Jan 2006 15:04:05 -0700"), header(printable(c.Title)))
	b.WriteString("MIME-Version: 1.0\nContent-Type: text/plain; charset=UTF-8\nContent-Transfer-Encoding: 8bit\n\n")
	if _, body, ok := strings.Cut(c.message(), "\n\n"); ok {
		// A line that begins a patch would end the message.
		for l := range strings.Lines(body) {
			if strings.HasPrefix(l, "---") || strings.HasPrefix(l, "diff ") || strings.HasPrefix(l, "Index: ") {
				l = " " + l
			}
			b.WriteString(l)
		}
	}
	b.WriteString("---\n\n")
	b.WriteString(Difference(name, before, c.Text))
	b.WriteString("-- \ntend\n")
	return []byte(b.String())
}

// header keeps a text on one line of a header.
func header(s string) string { return strings.Join(strings.Fields(s), " ") }

// Difference shows how a file changes, as git does. before is nil when there was none.
func Difference(name string, before, after []byte) string {
	from, to := "a/"+name, "b/"+name
	body := string(diff.Diff(from, before, to, after))
	if body == "" {
		return ""
	}
	head := "diff --git " + quotedPath(from) + " " + quotedPath(to) + "\n"
	if before == nil {
		head += "new file mode 100644\n"
		from = "/dev/null"
	} else {
		from = quotedPath(from)
	}
	// The first three lines of the library name the files in its own way.
	for range 3 {
		_, body, _ = strings.Cut(body, "\n")
	}
	return head + "--- " + from + "\n+++ " + quotedPath(to) + "\n" + body
}

// quotedPath writes a path as git does in a patch.
func quotedPath(s string) string {
	if strings.IndexFunc(s, func(r rune) bool { return r < ' ' || r == '"' || r == '\\' || r == 0x7f }) < 0 {
		return s
	}
	return fmt.Sprintf("%q", s)
}

// Forges are the kinds of places that Compare knows.
func Forges() []string { return []string{"github", "gitlab", "azuredevops"} }

// Compare gives the address at which people look at a branch and ask for it to be merged; "" where it is not known. forge
// says what kind of place it is where its name does not. base may be empty.
//
//   - GitHub: https://docs.github.com/en/pull-requests/collaborating-with-pull-requests/proposing-changes-to-your-work-with-pull-requests/using-query-parameters-to-create-a-pull-request
//   - GitLab: https://docs.gitlab.com/user/project/merge_requests/creating_merge_requests/#use-url-parameters
//   - Azure DevOps: https://dev.azure.com/ORG/PROJECT/_git/REPOSITORY/pullrequestcreate?sourceRef=…&targetRef=…
func Compare(address, forge, base, branch string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return ""
	}
	host, p := u.Hostname(), strings.Trim(strings.TrimSuffix(strings.TrimSuffix(u.Path, "/"), ".git"), "/")
	if forge == "" {
		forge = forgeOf(host)
	}
	at := "https://" + host + "/" + escaped(p)
	switch forge {
	case "github":
		if base != "" {
			return at + "/compare/" + escaped(base) + "..." + escaped(branch) + "?expand=1"
		}
		return at + "/compare/" + escaped(branch) + "?expand=1"
	case "gitlab":
		q := url.Values{"merge_request[source_branch]": {branch}}
		if base != "" {
			q.Set("merge_request[target_branch]", base)
		}
		return at + "/-/merge_requests/new?" + q.Encode()
	case "azuredevops":
		if parts := strings.Split(p, "/"); host == "ssh.dev.azure.com" && len(parts) == 4 && parts[0] == "v3" {
			at = "https://dev.azure.com/" + escaped(parts[1]+"/"+parts[2]+"/_git/"+parts[3])
		}
		q := url.Values{"sourceRef": {branch}}
		if base != "" {
			q.Set("targetRef", base)
		}
		return at + "/pullrequestcreate?" + q.Encode()
	}
	return ""
}

func forgeOf(host string) string {
	labels := strings.Split(strings.ToLower(host), ".")
	switch {
	case slices.Contains(labels, "github"):
		return "github"
	case slices.Contains(labels, "gitlab"):
		return "gitlab"
	case strings.HasSuffix(host, "dev.azure.com") || strings.HasSuffix(host, ".visualstudio.com"):
		return "azuredevops"
	}
	return ""
}

func escaped(p string) string { return (&url.URL{Path: p}).EscapedPath() }
