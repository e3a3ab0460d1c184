package gitsync

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
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

// tree is the content of a revision, with what is known of it.
type tree struct {
	revision string // the commit, or a sum of the content of a directory
	commit   bool
	author   string
	title    string
	at       time.Time
	gone     string // the commit that was there before and is no ancestor: history was rewritten
	files    []document.File
	problem  *document.Finding // why its files are not read
}

// readDir reads a directory.
func readDir(dir string) (*tree, error) {
	files, err := repository.Tree(dir)
	if err != nil {
		return nil, err
	}
	sum := sha256.New()
	for _, f := range files {
		_, _ = fmt.Fprintf(sum, "%q %d\n", f.Name, len(f.Content)) // a hash takes everything
		_, _ = sum.Write(f.Content)
	}
	return &tree{revision: hex.EncodeToString(sum.Sum(nil))[:40], at: time.Now(), files: files}, nil
}

// head is where the branch is kept in the mirror.
const head = "refs/tend/head"

// mirror is the local copy of a repository.
type mirror struct {
	program
	src    *Source
	secret func(ctx context.Context, name string) (string, error)
}

// fetch brings the branch up to date and gives its commit.
func (m *mirror) fetch(ctx context.Context) (string, error) {
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

func (m *mirror) create(ctx context.Context) error {
	if err := os.RemoveAll(m.dir); err != nil {
		return fault.Wrap(fault.Unavailable, err, "make a mirror")
	}
	if err := os.MkdirAll(m.dir, 0o700); err != nil {
		return fault.Wrap(fault.Unavailable, err, "make a mirror")
	}
	_, err := m.run(ctx, localTime, maxMessage, nil, []string{"GIT_TEMPLATE_DIR="}, "init", "--quiet", "--bare", "--template=")
	return err
}

func (m *mirror) resolve(ctx context.Context, ref string) (string, error) {
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
func (m *mirror) credentials(ctx context.Context) ([]string, error) {
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
		return nil, fault.New(fault.Invalid, "repository %s: a token is for https alone", m.src.Name)
	}
	if m.secret == nil {
		return nil, fault.New(fault.Missing, "repository %s: there are no secrets here, and its token is one", m.src.Name)
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

// read reads the tree of a commit, without any files on disk. before is the commit that was seen last.
func (m *mirror) read(ctx context.Context, commit, before string) (*tree, error) {
	t := &tree{revision: commit, commit: true}
	if err := m.describe(ctx, t); err != nil {
		return nil, err
	}
	if before != "" && before != commit && hash(before) {
		_, err := m.run(ctx, localTime, maxMessage, nil, nil, "merge-base", "--is-ancestor", "--end-of-options", before, commit)
		if code := exitCode(err); code == 1 || code == 128 {
			t.gone = before // 128: it is not in the mirror, which holds the whole history
		} else if err != nil {
			return nil, err
		}
	}
	if err := m.signed(ctx, t); err != nil || t.problem != nil {
		return t, err
	}
	return t, m.content(ctx, t)
}

func (m *mirror) describe(ctx context.Context, t *tree) error {
	out, err := m.run(ctx, localTime, 64<<10, nil, nil, "show", "--no-patch", "--no-notes", "--format=%an <%ae>%x00%aI%x00%s", "--end-of-options", t.revision)
	if err != nil {
		return err
	}
	parts := strings.SplitN(string(out), "\x00", 3)
	if len(parts) != 3 {
		return fault.New(fault.Damaged, "git says nothing of commit %s", t.revision)
	}
	t.author, t.title = printable(parts[0]), printable(parts[2])
	t.at, _ = time.Parse(time.RFC3339, parts[1]) // who wrote the commit said when; it orders nothing
	return nil
}

// signed checks the signature of the commit, where one is wanted.
func (m *mirror) signed(ctx context.Context, t *tree) error {
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
	_, err := p.run(ctx, localTime, maxMessage, nil, env, append(args, "verify-commit", "--raw", "--end-of-options", t.revision)...)
	switch code := exitCode(err); {
	case err == nil:
		return nil
	case code < 0:
		return err
	}
	why := err.Error()
	if i := strings.Index(why, ": "); i >= 0 {
		why = why[i+2:]
	}
	t.problem = &document.Finding{
		Rule: RuleSignature, Severity: document.Error, Place: document.Place{File: "commit " + t.revision},
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

func (m *mirror) content(ctx context.Context, t *tree) error {
	items, err := m.list(ctx, t.revision)
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
			t.files = append(t.files, f)
			total += len(f.Content)
		}
	}
	if err := repository.Bound(len(t.files), total); err != nil {
		return t.refuse(err)
	}
	return nil
}

// refuse makes a finding of what is wrong with the tree itself; other errors are not about it.
func (t *tree) refuse(err error) error {
	var e *fault.Error
	if !errors.As(err, &e) || e.Kind != fault.Limit && e.Kind != fault.Invalid && e.Kind != fault.NotFound {
		return err
	}
	t.problem = &document.Finding{Rule: RuleTree, Severity: document.Error, Place: document.Place{File: "commit " + t.revision}, Message: err.Error(), Remedy: fault.NextOf(err)}
	t.files = nil
	return nil
}

// list gives the regular files of a commit below the folder that is read.
func (m *mirror) list(ctx context.Context, commit string) ([]item, error) {
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
func (m *mirror) blobs(ctx context.Context, items []item) ([]document.File, error) {
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
