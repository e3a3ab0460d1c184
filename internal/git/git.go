// Package git reads repositories that others write, by the program git, hardened: nothing of a repository is run, written to
// disk as a file, or followed, nobody is asked anything, no settings of the machine or its users count, and everything is
// bounded in time and size.
package git

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"io"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tendhq/tend/internal/document"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/repository"
)

// Remote is a branch of a repository, and what it is reached with.
type Remote struct {
	URL        string // https, ssh or file
	Branch     string // "" is what the repository calls its head
	Path       string // the folder that is read; "" is all
	Token      string // the name of a secret; for https
	SSH        SSH
	Signatures *Signatures // nil: none is wanted
}

// SSH says with what a repository is reached.
type SSH struct {
	Identity   string // a private key; "" is for ssh to find
	KnownHosts string // "" is the usual file
}

// Signatures says who may sign commits.
type Signatures struct {
	AllowedSigners string // a file for ssh, see ssh-keygen
	Keyring        string // a directory of GnuPG
}

// Check tells what is wrong with a remote.
func (r *Remote) Check() error {
	switch {
	case r.Path != "" && (path.IsAbs(r.Path) || slices.Contains(strings.Split(r.Path, "/"), "..")):
		return fault.New(fault.Invalid, "path %q leads out of the repository", r.Path)
	case strings.HasPrefix(r.Branch, "-") || strings.ContainsAny(r.Branch, " ~^:?*[\\") || strings.Contains(r.Branch, ".."):
		return fault.New(fault.Invalid, "%q is no name of a branch", r.Branch)
	}
	u, err := url.Parse(r.URL)
	if err != nil || !slices.Contains([]string{"https", "ssh", "file"}, u.Scheme) || u.Path == "" || u.Host == "" && u.Scheme != "file" {
		return fault.New(fault.Invalid, "%q is no address of a repository", redacted(r.URL)).WithNext("write it as https://…, ssh://git@… or file:///…")
	}
	if _, password := u.User.Password(); password {
		return fault.New(fault.Invalid, "the address of %s has a password in it", u.Redacted()).WithNext("keep it as a secret, and name that as `token`")
	}
	if r.Token != "" && u.Scheme != "https" {
		return fault.New(fault.Invalid, "a token is for https alone, and this is %s", u.Redacted())
	}
	return nil
}

func redacted(s string) string {
	if i := strings.LastIndex(s, "@"); i >= 0 {
		return "…" + s[i:]
	}
	return s
}

// Same tells whether two addresses are of one repository, however they are written.
func Same(a, b string) bool { return plain(a) == plain(b) }

// plain brings addresses of one repository into one form: host and path.
func plain(address string) string {
	if u, err := url.Parse(address); err == nil && u.Host != "" {
		address = u.Hostname() + u.Path
	} else if _, rest, ok := strings.Cut(address, "@"); ok {
		address = strings.Replace(rest, ":", "/", 1)
	}
	return strings.ToLower(strings.TrimSuffix(strings.Trim(address, "/"), ".git"))
}

// Commit is what is read of one.
type Commit struct {
	ID     string
	Author string
	Title  string
	At     time.Time
	Gone   string // the commit that was seen before, and is no ancestor of this one: history was rewritten
	Files  []document.File
	// Problem is why its files are not read: it is not signed, or there is too much of it.
	Problem *document.Finding
}

// head is where the branch is kept in the mirror.
const head = "refs/tend/head"

// Mirror is the local copy of a repository. It is not safe for concurrent use.
type Mirror struct {
	program

	src    Remote
	secret Secret
}

// Secret gives the text of a secret.
type Secret func(ctx context.Context, name string) (string, error)

// New makes the mirror of a remote in a directory, which is made when it is needed. git is the program; "" looks for it in
// PATH. secret is for tokens; nil: there are none.
func New(dir, git string, r Remote, secret Secret) *Mirror {
	return &Mirror{program: program{path: git, dir: filepath.Join(dir, "mirror.git")}, src: r, secret: secret}
}

// Forget removes the mirror: the next Fetch makes it anew.
func (m *Mirror) Forget() error { return os.RemoveAll(m.dir) }

// Fetch brings the branch up to date and gives its commit.
func (m *Mirror) Fetch(ctx context.Context) (string, error) {
	if _, err := os.Stat(filepath.Join(m.dir, "HEAD")); err != nil {
		if err := m.create(ctx); err != nil {
			return "", err
		}
	}
	env, err := m.credentials(ctx)
	if err != nil {
		return "", err
	}
	branch := m.src.Branch
	if branch == "" {
		branch = "HEAD"
	} else {
		branch = "refs/heads/" + branch
	}
	_, err = m.run(ctx, fetchTime, maxMessage, nil, env, "fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules", "--end-of-options",
		m.src.URL, "+"+branch+":"+head)
	if err != nil {
		return "", err
	}
	return m.resolve(ctx, head)
}

func (m *Mirror) create(ctx context.Context) error {
	if err := os.RemoveAll(m.dir); err != nil {
		return fault.Wrap(fault.Unavailable, err, "make a mirror")
	}
	if err := os.MkdirAll(m.dir, 0o700); err != nil {
		return fault.Wrap(fault.Unavailable, err, "make a mirror")
	}
	_, err := m.run(ctx, localTime, maxMessage, nil, []string{"GIT_TEMPLATE_DIR="}, "init", "--quiet", "--bare", "--template=")
	return err
}

func (m *Mirror) resolve(ctx context.Context, ref string) (string, error) {
	out, err := m.run(ctx, localTime, 1<<10, nil, nil, "rev-parse", "--verify", "--quiet", "--end-of-options", ref+"^{commit}")
	if err != nil {
		return "", err
	}
	commit := strings.TrimSpace(string(out))
	if !hash(commit) {
		return "", fault.New(fault.Damaged, "git gives %.80q as a commit", commit)
	}
	return commit, nil
}

// hash tells whether a text can be the name of a commit.
func hash(s string) bool {
	return (len(s) == 40 || len(s) == 64) && strings.Trim(s, "0123456789abcdef") == ""
}

// credentials gives what this repository is reached with. A token comes by the environment of git, which other users do not
// see, and only for the host of the repository.
func (m *Mirror) credentials(ctx context.Context) ([]string, error) {
	var env []string
	if s := m.src.SSH; s != (SSH{}) {
		cmd := "ssh -oBatchMode=yes -oStrictHostKeyChecking=yes"
		if s.Identity != "" {
			cmd += " -oIdentitiesOnly=yes -i " + quoted(s.Identity)
		}
		if s.KnownHosts != "" {
			cmd += " -oUserKnownHostsFile=" + quoted(s.KnownHosts)
		}
		env = append(env, "GIT_SSH_COMMAND="+cmd)
	} else {
		env = append(env, "GIT_SSH_COMMAND=ssh -oBatchMode=yes -oStrictHostKeyChecking=yes")
	}
	if m.src.Token == "" {
		return env, nil
	}
	u, err := url.Parse(m.src.URL)
	if err != nil || u.Scheme != "https" {
		return nil, fault.New(fault.Invalid, "a token is for https alone")
	}
	if m.secret == nil {
		return nil, fault.New(fault.Missing, "there are no secrets here, and the token %s is one", m.src.Token)
	}
	token, err := m.secret(ctx, m.src.Token)
	if err != nil {
		return nil, err
	}
	return append(env, "GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=http."+u.Scheme+"://"+u.Host+"/.extraHeader",
		"GIT_CONFIG_VALUE_0=Authorization: Basic "+base64.StdEncoding.EncodeToString([]byte("x-access-token:"+token))), nil
}

// quoted is a word for the shell that git starts ssh with.
func quoted(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// Read reads a commit, without any files on disk. before is the commit that was seen last.
func (m *Mirror) Read(ctx context.Context, commit, before string) (*Commit, error) {
	t := &Commit{ID: commit}
	if err := m.describe(ctx, t); err != nil {
		return nil, err
	}
	if before != "" && before != commit && hash(before) {
		_, err := m.run(ctx, localTime, maxMessage, nil, nil, "merge-base", "--is-ancestor", "--end-of-options", before, commit)
		if code := ExitCode(err); code == 1 || code == 128 {
			t.Gone = before // 128: it is not in the mirror, which holds the whole history
		} else if err != nil {
			return nil, err
		}
	}
	if err := m.signed(ctx, t); err != nil || t.Problem != nil {
		return t, err
	}
	return t, m.content(ctx, t)
}

func (m *Mirror) describe(ctx context.Context, t *Commit) error {
	out, err := m.run(ctx, localTime, 64<<10, nil, nil, "show", "--no-patch", "--no-notes", "--format=%an <%ae>%x00%aI%x00%s", "--end-of-options", t.ID)
	if err != nil {
		return err
	}
	parts := strings.SplitN(string(out), "\x00", 3)
	if len(parts) != 3 {
		return fault.New(fault.Damaged, "git says nothing of commit %s", t.ID)
	}
	t.Author, t.Title = printable(parts[0]), printable(parts[2])
	t.At, _ = time.Parse(time.RFC3339, parts[1]) // who wrote the commit said when; it orders nothing
	return nil
}

// signed checks the signature of the commit, where one is wanted.
func (m *Mirror) signed(ctx context.Context, t *Commit) error {
	s := m.src.Signatures
	if s == nil {
		return nil
	}
	args := []string{}
	var env []string
	if s.AllowedSigners != "" {
		args = append(args, "-c", "gpg.ssh.allowedSignersFile="+s.AllowedSigners)
	}
	if s.Keyring != "" {
		env = append(env, "GNUPGHOME="+s.Keyring)
	} else {
		env = append(env, "GNUPGHOME=/dev/null") // not that of whoever runs the server
	}
	p := m.program
	_, err := p.run(ctx, localTime, maxMessage, nil, env, append(args, "verify-commit", "--raw", "--end-of-options", t.ID)...)
	switch code := ExitCode(err); {
	case err == nil:
		return nil
	case code < 0:
		return err
	}
	why := err.Error()
	if i := strings.Index(why, ": "); i >= 0 {
		why = why[i+2:]
	}
	t.Problem = &document.Finding{
		Rule: RuleSignature, Severity: document.Error, Place: document.Place{File: "commit " + t.ID},
		Message: "the commit is not signed by somebody who may: " + printable(why), Remedy: "sign it, or add the signer to the repository's `signatures` in the server's configuration",
	}
	return nil
}

// RuleSignature names the finding of a commit without a signature that counts.
const RuleSignature = "unsigned-commit"

// RuleTree names the finding of a revision whose files are not read.
const RuleTree = "unreadable-tree"

// item is a file of a tree.
type item struct {
	oid  string
	size int
	name string // from the root of what is read
}

func (m *Mirror) content(ctx context.Context, t *Commit) error {
	items, err := m.list(ctx, t.ID)
	if err != nil {
		return t.refuse(err)
	}
	var marker []byte
	for _, f := range items {
		if f.name == repository.Marker {
			got, err := m.blobs(ctx, []item{f})
			if err != nil {
				return err
			}
			marker = append([]byte{}, got[0].Content...)
		}
	}
	layout, err := repository.NewLayout(marker)
	if err != nil {
		return t.refuse(err)
	}
	items = slices.DeleteFunc(items, func(f item) bool { return !layout.Wants(f.name) })
	total := 0
	for i := range items {
		total += min(items[i].size, document.MaxSize+1)
	}
	// Of many files only some are documents.
	if err := repository.Bound(len(items)/4, total); err != nil {
		return t.refuse(err)
	}
	files, err := m.blobs(ctx, items)
	if err != nil {
		return err
	}
	total = 0
	for _, f := range files {
		if repository.Keep(f) {
			t.Files = append(t.Files, f)
			total += len(f.Content)
		}
	}
	if err := repository.Bound(len(t.Files), total); err != nil {
		return t.refuse(err)
	}
	return nil
}

// refuse makes a finding of what is wrong with the tree itself; other errors are not about it.
func (t *Commit) refuse(err error) error {
	var e *fault.Error
	if !errors.As(err, &e) || e.Kind != fault.Limit && e.Kind != fault.Invalid && e.Kind != fault.NotFound {
		return err
	}
	t.Problem = &document.Finding{Rule: RuleTree, Severity: document.Error, Place: document.Place{File: "commit " + t.ID}, Message: err.Error(), Remedy: fault.NextOf(err)}
	t.Files = nil
	return nil
}

// list gives the regular files of a commit below the folder that is read.
func (m *Mirror) list(ctx context.Context, commit string) ([]item, error) {
	args := []string{"ls-tree", "-r", "-z", "--long", "--full-tree", "--end-of-options", commit}
	prefix := ""
	if m.src.Path != "" {
		prefix = path.Clean(m.src.Path) + "/"
		args = append(args, "--", prefix) // a path, not a pattern
	}
	out, err := m.run(ctx, localTime, maxListing, nil, nil, args...)
	if err != nil {
		return nil, err
	}
	items := listing(string(out), prefix)
	if len(items) == 0 && prefix != "" {
		return nil, fault.New(fault.NotFound, "the commit has no folder %s", strings.TrimSuffix(prefix, "/"))
	}
	return items, nil
}

// listing reads what ls-tree prints, without links and submodules.
func listing(out, prefix string) []item {
	var items []item
	for line := range strings.SplitSeq(out, "\x00") {
		meta, name, ok := strings.Cut(line, "\t")
		f := strings.Fields(meta)
		if !ok || len(f) != 4 || f[1] != "blob" || !strings.HasPrefix(f[0], "100") || !hash(f[2]) {
			continue
		}
		n, err := strconv.Atoi(f[3])
		rest, below := strings.CutPrefix(name, prefix)
		if err != nil || n < 0 || !below {
			continue
		}
		items = append(items, item{oid: f[2], size: n, name: rest})
	}
	return items
}

// blobs reads files, none of them longer than a document may be and a byte.
func (m *Mirror) blobs(ctx context.Context, items []item) ([]document.File, error) {
	if len(items) == 0 {
		return nil, nil
	}
	// What is too large is not asked for: whoever checks it says so by its length alone.
	small := slices.DeleteFunc(slices.Clone(items), func(f item) bool { return f.size > document.MaxSize })
	var ask strings.Builder
	limit := 0
	for i := range small {
		ask.WriteString(small[i].oid + "\n")
		limit += small[i].size + 128
	}
	out, err := m.run(ctx, localTime, limit+1, strings.NewReader(ask.String()), nil, "cat-file", "--batch")
	if err != nil {
		return nil, err
	}
	return contents(out, items, small)
}

// contents reads what cat-file prints for the small ones of items. A large one is as long as one that is too large.
func contents(out []byte, items, small []item) ([]document.File, error) {
	content := map[string][]byte{}
	r := bufio.NewReader(bytes.NewReader(out))
	for i := range small {
		line, err := r.ReadString('\n')
		f := strings.Fields(line)
		if err != nil || len(f) != 3 || f[0] != small[i].oid || f[1] != "blob" || f[2] != strconv.Itoa(small[i].size) {
			return nil, fault.New(fault.Damaged, "git gives %.80q for %s", line, small[i].name)
		}
		b := make([]byte, small[i].size)
		if _, err := io.ReadFull(r, b); err != nil {
			return nil, fault.Wrap(fault.Damaged, err, "read %s", small[i].name)
		}
		_, _ = r.ReadByte() // the end of the line
		content[small[i].name] = b
	}
	files := make([]document.File, 0, len(items))
	for i := range items {
		b, ok := content[items[i].name]
		if !ok {
			b = bytes.Repeat([]byte{' '}, document.MaxSize+1)
		}
		files = append(files, document.File{Name: items[i].name, Content: b})
	}
	return files, nil
}
