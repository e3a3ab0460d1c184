package gitsync_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tendhq/tend/internal/catalog"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/git"
	"github.com/tendhq/tend/internal/gitsync"
	"github.com/tendhq/tend/internal/testenv"
)

// TestLastGoodStays: a commit is live as a whole; one with an error is refused with its reason, and what was live stays, also
// over a restart without git.
func TestLastGoodStays(t *testing.T) {
	t.Parallel()
	o, s := newOrigin(t), newServer(t)
	src := gitsync.Source{Name: "shop", Remote: git.Remote{URL: o.url(), Branch: "main"}}
	first := o.commit("Begin", map[string]string{"playbooks/a.yaml": playbook("repair", "true"), "look.yaml": looking})
	x := s.open("", src)
	look(t, x, "shop")
	if got := names(x.Set()); got != "look repair" {
		t.Fatalf("live: %s", got)
	}
	p, err := x.Playbook(t.Context(), "", "", "repair")
	if err != nil || p.Source != first+":playbooks/a.yaml" || p.Metadata["commit"] != first || p.Metadata["author"] != "Ada <ada@example.org>" || p.Metadata["file"] != "playbooks/a.yaml" {
		t.Fatalf("%+v, %v", p, err)
	}
	// One broken file of a thousand.
	files := map[string]string{"playbooks/a.yaml": playbook("repair", "false")}
	for i := range 999 {
		files[fmt.Sprintf("playbooks/many/%d.yaml", i)] = playbook(fmt.Sprintf("p%d", i), "true")
	}
	files["playbooks/many/500.yaml"] = strings.Replace(playbook("p500", "true"), "uses: ssh", "uses: shs", 1)
	bad := o.commit("Break", files)
	look(t, x, "shop")
	r := x.Status()[0]
	if r.Live == nil || r.Live.ID != first || r.Refused == nil || r.Refused.ID != bad || r.Refused.Errors != 1 || r.Healthy() || names(x.Set()) != "look repair" {
		t.Fatalf("%+v", r)
	}
	if line := r.String(); !strings.Contains(line, "playbooks/many/500.yaml:5:12: there is no action, verb or module called `shs`") || !strings.Contains(line, "live: "+first[:12]) {
		t.Error(line)
	}
	look(t, x, "shop") // nothing more is said of the same commit
	if got := s.audited(); !slices.Equal(got, []string{"revision-live", "revision-refused"}) {
		t.Errorf("audit: %v", got)
	}
	x.Close()

	// A restart: git is not there, and neither is the mirror.
	if err := os.RemoveAll(s.dir); err != nil {
		t.Fatal(err)
	}
	x = s.open("/nonexistent/git", src)
	if names(x.Set()) != "look repair" {
		t.Fatalf("after a restart: %s", names(x.Set()))
	}
	if err := x.Look(t.Context(), "shop"); err == nil {
		t.Error("it was looked at without git")
	}
	if r := x.Status()[0]; r.Problem == "" || r.Since.IsZero() || r.Live == nil || r.Live.ID != first {
		t.Errorf("%+v", r)
	}
	x.Close()

	// And the repair.
	x = s.open("", src)
	good := o.commit("Mend", map[string]string{"playbooks/many/500.yaml": playbook("p500", "true")})
	look(t, x, "shop")
	if r := x.Status()[0]; !r.Healthy() || r.Live.ID != good || r.Live.Playbooks != 1001 {
		t.Errorf("%+v", r)
	}
	revs, err := x.Revisions(t.Context(), "shop", 0)
	if err != nil || len(revs) != 3 || revs[0].ID != good || revs[0].Status != gitsync.Live || revs[1].Status != gitsync.Refused || revs[2].Status != gitsync.Good {
		t.Errorf("%v, %+v", err, revs)
	}
}

// TestPinAndRollback need no git, and hold over restarts.
func TestPinAndRollback(t *testing.T) {
	t.Parallel()
	o, s := newOrigin(t), newServer(t)
	src := gitsync.Source{Name: "shop", Remote: git.Remote{URL: o.url(), Branch: "main"}}
	x := s.open("", src)
	var all []string
	for i := range 3 {
		all = append(all, o.commit(fmt.Sprint("Change ", i), map[string]string{"a.yaml": playbook("repair", fmt.Sprint("echo ", i))}))
		look(t, x, "shop")
	}
	x.Close()
	x = s.open("/nonexistent/git", src)
	live := func() string { return x.Status()[0].Live.ID }
	if rev, err := x.Rollback(t.Context(), "shop", ada, "it made things worse"); err != nil || rev.ID != all[1] || live() != all[1] {
		t.Fatalf("%+v, %v", rev, err)
	}
	if rev, err := x.Rollback(t.Context(), "shop", ada, "still"); err != nil || rev.ID != all[0] || live() != all[0] {
		t.Fatalf("%+v, %v", rev, err)
	}
	if _, err := x.Rollback(t.Context(), "shop", ada, ""); !fault.Is(err, fault.Conflict) {
		t.Errorf("%v", err)
	}
	if _, err := x.Pin(t.Context(), "shop", all[1][:8], ada, "this one"); err != nil || live() != all[1] {
		t.Fatalf("%s, %v", live(), err)
	}
	x.Close()

	x = s.open("", src)
	if live() != all[1] || x.Status()[0].Pin == nil || x.Status()[0].Pin.By.Name != "ada" {
		t.Fatalf("the pin is lost: %+v", x.Status()[0])
	}
	newest := o.commit("Go on", map[string]string{"a.yaml": playbook("repair", "echo new")})
	look(t, x, "shop")
	if r := x.Status()[0]; r.Live.ID != all[1] || r.Waiting == nil || r.Waiting.ID != newest {
		t.Fatalf("%+v", r)
	}
	if rev, err := x.Unpin(t.Context(), "shop", ada, ""); err != nil || rev.ID != newest || live() != newest || x.Status()[0].Pin != nil {
		t.Fatalf("%+v, %v", rev, err)
	}
	if _, err := x.Unpin(t.Context(), "shop", ada, ""); !fault.Is(err, fault.Conflict) {
		t.Errorf("%v", err)
	}
	for _, bad := range []string{"0000000", "", "%"} {
		if _, err := x.Pin(t.Context(), "shop", bad, ada, ""); !fault.Is(err, fault.NotFound) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	if _, err := x.Pin(t.Context(), "shup", all[0], ada, ""); !fault.Is(err, fault.NotFound) {
		t.Errorf("%v", err)
	}
	want := []string{"revision-live", "revision-live", "revision-live", "revision-rolled-back", "revision-rolled-back", "revision-pinned", "revision-unpinned"}
	if got := s.audited(); !slices.Equal(got, want) {
		t.Errorf("audit: %v", got)
	}
}

// TestRewrittenHistory is said, and is live all the same.
func TestRewrittenHistory(t *testing.T) {
	t.Parallel()
	o, s := newOrigin(t), newServer(t)
	src := gitsync.Source{Name: "shop", Remote: git.Remote{URL: o.url(), Branch: "main"}}
	o.commit("Begin", map[string]string{"a.yaml": looking})
	second := o.commit("Second", map[string]string{"b.yaml": playbook("b", "true")})
	x := s.open("", src)
	look(t, x, "shop")
	forced := o.commit("Another second", map[string]string{"b.yaml": "", "c.yaml": playbook("c", "true")}, "--amend")
	look(t, x, "shop")
	if r := x.Status()[0]; r.Live.ID != forced || r.Live.Rewritten != second || names(x.Set()) != "c look" {
		t.Errorf("%+v", r.Live)
	}
	next := o.commit("Third", map[string]string{"d.yaml": playbook("d", "true")})
	look(t, x, "shop")
	if r := x.Status()[0]; r.Live.ID != next || r.Live.Rewritten != "" {
		t.Errorf("%+v", r.Live)
	}
}

// TestUnreachable: whatever is wrong with the repository, what is live stays, and status says why.
func TestUnreachable(t *testing.T) {
	t.Parallel()
	o, s := newOrigin(t), newServer(t)
	src := gitsync.Source{Name: "shop", Remote: git.Remote{URL: o.url(), Branch: "main", Path: "teams/shop"}}
	commit := o.commit("Begin", map[string]string{"teams/shop/a.yaml": looking, "teams/shop-2/b.yaml": playbook("not-ours", "true"), "c.yaml": "apiVersion: nonsense\n"})
	x := s.open("", src)
	look(t, x, "shop")
	if names(x.Set()) != "look" {
		t.Fatalf("%s: %+v", names(x.Set()), x.Status()[0])
	}
	if r := x.Status()[0]; r.Live.ID != commit {
		t.Fatalf("%+v", r)
	}
	still := func(why string) {
		t.Helper()
		r := x.Status()[0]
		if names(x.Set()) != "look" || r.Healthy() || !strings.Contains(r.String(), why) {
			t.Errorf("%s: %s", why, r.String())
		}
	}
	o.git("mv", "teams/shop", "teams/shops")
	o.commit("Move", nil)
	look(t, x, "shop")
	still("the commit has no folder teams/shop")
	o.git("branch", "-q", "-m", "main", "trunk")
	if err := x.Look(t.Context(), "shop"); err == nil {
		t.Error("a branch that is not there")
	}
	still("refs/heads/main")
	if err := os.WriteFile(filepath.Join(o.dir, ".git", "refs", "heads", "main"), []byte("0123456789012345678901234567890123456789\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := x.Look(t.Context(), "shop"); err == nil {
		t.Error("a broken ref")
	}
	still("git fetch")
	if err := os.RemoveAll(filepath.Join(o.dir, ".git")); err != nil {
		t.Fatal(err)
	}
	if err := x.Look(t.Context(), "shop"); err == nil {
		t.Error("a repository that is not there")
	}
	still("git fetch")
}

// TestNothingIsRun: hooks, filters, links and submodules of a repository do nothing.
func TestNothingIsRun(t *testing.T) {
	t.Parallel()
	o, s := newOrigin(t), newServer(t)
	witness := filepath.Join(t.TempDir(), "ran")
	if err := os.MkdirAll(filepath.Join(o.dir, "playbooks"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/etc/passwd", filepath.Join(o.dir, "playbooks", "link.yaml")); err != nil {
		t.Fatal(err)
	}
	o.commit("Begin", map[string]string{
		"a.yaml": looking, ".gitattributes": "* filter=evil diff=evil\n", ".gitmodules": "[submodule \"x\"]\n\tpath = x\n\turl = ext::sh -c 'touch " + witness + "'\n",
		"playbooks/--upload-pack=touch.yaml": playbook("odd", "true"), "evil\x01name.yaml": "apiVersion: broken\n", "big.yaml": strings.Repeat("# apiVersion\n", 400_000),
	})
	o.git("config", "filter.evil.smudge", "touch "+witness)
	look0 := s.open("", gitsync.Source{Name: "shop", Remote: git.Remote{URL: o.url(), Branch: "main"}})
	look(t, look0, "shop")
	r := look0.Status()[0]
	if r.Refused == nil || !strings.Contains(r.String(), "big.yaml") || r.Refused.Errors != 1 {
		t.Errorf("%s", r.String())
	}
	o.commit("Without the big one", map[string]string{"big.yaml": ""})
	look(t, look0, "shop")
	if got := names(look0.Set()); got != "look odd" {
		t.Errorf("live: %s: %s", got, look0.Status()[0].String())
	}
	if _, err := os.Stat(witness); err == nil {
		t.Error("something of the repository was run")
	}
	err := filepath.WalkDir(s.dir, func(p string, d os.DirEntry, err error) error {
		if strings.HasSuffix(p, ".yaml") {
			t.Errorf("a file of the repository was written: %s", p)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestObserveNew: what changes something and is new, or does something else, is told before it is live, and while that fails
// it is not.
func TestObserveNew(t *testing.T) {
	t.Parallel()
	o, s := newOrigin(t), newServer(t)
	x := s.open("", gitsync.Source{Name: "shop", Remote: git.Remote{URL: o.url(), Branch: "main"}, ObserveNew: true})
	o.commit("Begin", map[string]string{"a.yaml": playbook("a", "true"), "b.yaml": playbook("b", "true"), "look.yaml": looking})
	look(t, x, "shop")
	if c := s.last(); !slices.Equal(c.Observe, []string{"a", "b"}) || c.Project != "default" {
		t.Errorf("%+v", c)
	}
	next := o.commit("Change", map[string]string{"a.yaml": playbook("a", "false"), "b.yaml": "# why\n" + playbook("b", "true"), "look.yaml": looking + "  - {uses: log, with: {message: more}}\n"})
	s.mu.Lock()
	s.refuse = errors.New("the disk is full")
	s.mu.Unlock()
	if err := x.Look(t.Context(), "shop"); err == nil {
		t.Fatal("it was not prepared")
	}
	if r := x.Status()[0]; r.Live.ID == next || !strings.Contains(r.Problem, "the disk is full") {
		t.Errorf("%+v", r)
	}
	s.mu.Lock()
	s.refuse = nil
	s.mu.Unlock()
	look(t, x, "shop")
	if c := s.last(); !slices.Equal(c.Observe, []string{"a"}) || x.Status()[0].Live.ID != next || !slices.Equal(x.Status()[0].Live.Changed, []string{"a", "look"}) {
		t.Errorf("%+v", c)
	}
	if _, err := x.Rollback(t.Context(), "shop", ada, ""); err != nil || len(s.last().Observe) != 0 {
		t.Errorf("what a person chose is new: %+v, %v", s.last(), err)
	}
}

// TestDirectory is followed as it changes, and an empty one is no decision.
func TestDirectory(t *testing.T) {
	t.Parallel()
	s, dir := newServer(t), t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	x := s.open("/nonexistent/git", gitsync.Source{Name: "files", Dir: dir, Poll: 5 * time.Millisecond})
	if names(x.Set()) != "" || !x.Status()[0].Healthy() {
		t.Errorf("%+v", x.Status()[0])
	}
	write("a.yaml", looking)
	until(t, func() bool { return names(x.Set()) == "look" })
	if p, err := x.Playbook(t.Context(), "", "", "look"); err != nil || p.Source != "a.yaml" || p.Metadata["commit"] != nil {
		t.Errorf("%+v, %v", p, err)
	}
	write("a.yaml", "apiVersion: tend/v1\nkind: Plybook\n")
	until(t, func() bool { return x.Status()[0].Refused != nil })
	if err := os.Remove(filepath.Join(dir, "a.yaml")); err != nil {
		t.Fatal(err)
	}
	until(t, func() bool { return strings.Contains(x.Status()[0].String(), "there are no documents any more") })
	if names(x.Set()) != "look" {
		t.Error("nothing is live")
	}
	write("a.yaml", looking)
	until(t, func() bool { return x.Status()[0].Healthy() })
}

func until(t testing.TB, so func() bool) {
	t.Helper()
	late := time.After(20 * time.Second)
	for look := time.NewTicker(2 * time.Millisecond); !so(); {
		select {
		case <-look.C:
		case <-late:
			t.Fatal("it does not come")
		}
	}
}

// TestTogether: two repositories of one project must not declare the same name; whoever comes second is refused, until the
// first one gives it up.
func TestTogether(t *testing.T) {
	t.Parallel()
	a, b, s := newOrigin(t), newOrigin(t), newServer(t)
	x := s.open("", gitsync.Source{Name: "a", Remote: git.Remote{URL: a.url(), Branch: "main"}}, gitsync.Source{Name: "b", Remote: git.Remote{URL: b.url(), Branch: "main"}},
		gitsync.Source{Name: "c", Remote: git.Remote{URL: b.url(), Branch: "main"}, Binding: catalog.Binding{Project: "other"}})
	a.commit("Begin", map[string]string{"a.yaml": looking})
	look(t, x, "a")
	b.commit("Begin", map[string]string{"b.yaml": looking})
	look(t, x, "b")
	look(t, x, "c")
	st := x.Status()
	if st[1].Live != nil || !strings.Contains(st[1].String(), "there is a playbook `look` already, in the repository a at a.yaml:3:18") || st[2].Live == nil {
		t.Errorf("%s\n%s", st[1].String(), st[2].String())
	}
	a.commit("Rename", map[string]string{"a.yaml": strings.Replace(looking, "look,", "see,", 1)})
	look(t, x, "a")
	look(t, x, "b")
	if st := x.Status(); st[1].Live == nil {
		t.Error(st[1].String())
	}
}

// TestCeilingNarrowed: what the server's configuration does not allow any more is not live after a restart, and status says
// so.
func TestCeilingNarrowed(t *testing.T) {
	t.Parallel()
	o, s := newOrigin(t), newServer(t)
	src := gitsync.Source{Name: "shop", Remote: git.Remote{URL: o.url(), Branch: "main"}}
	o.commit("Begin", map[string]string{"a.yaml": playbook("a", "true")})
	x := s.open("", src)
	look(t, x, "shop")
	x.Close()
	src.Binding.Ceiling.Actions = []string{"log"}
	x = s.open("", src)
	look(t, x, "shop")
	if r := x.Status()[0]; r.Live != nil || names(x.Set()) != "" || !strings.Contains(r.String(), "may not use the action `ssh`") {
		t.Errorf("%+v", r)
	}
}

// TestSigned: where signatures are wanted, only commits of those who may are live.
func TestSigned(t *testing.T) {
	t.Parallel()
	testenv.Program(t, "ssh-keygen", "ssh-keygen")
	o, s, keys := newOrigin(t), newServer(t), t.TempDir()
	for _, k := range []string{"ada", "eve"} {
		if out, err := exec.Command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", k, "-f", filepath.Join(keys, k)).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	pub, err := os.ReadFile(filepath.Join(keys, "ada.pub"))
	if err != nil {
		t.Fatal(err)
	}
	allowed := filepath.Join(keys, "allowed")
	if err := os.WriteFile(allowed, append([]byte("ada@example.org "), pub...), 0o600); err != nil {
		t.Fatal(err)
	}
	o.git("config", "gpg.format", "ssh")
	x := s.open("", gitsync.Source{Name: "shop", Remote: git.Remote{URL: o.url(), Branch: "main", Signatures: &git.Signatures{AllowedSigners: allowed}}})
	o.git("config", "user.signingKey", filepath.Join(keys, "ada"))
	good := o.commit("Signed", map[string]string{"a.yaml": looking}, "-S")
	look(t, x, "shop")
	if r := x.Status()[0]; r.Live == nil || r.Live.ID != good {
		t.Fatal(r.String())
	}
	o.commit("Not signed", map[string]string{"b.yaml": playbook("b", "true")})
	look(t, x, "shop")
	if r := x.Status()[0]; r.Live.ID != good || !strings.Contains(r.String(), "not signed by somebody who may") {
		t.Error(r.String())
	}
	o.git("config", "user.signingKey", filepath.Join(keys, "eve"))
	o.commit("Signed by another", map[string]string{"c.yaml": playbook("c", "true")}, "-S")
	look(t, x, "shop")
	if r := x.Status()[0]; r.Live.ID != good || !strings.Contains(r.String(), "not signed by somebody who may") {
		t.Error(r.String())
	}
	o.git("config", "user.signingKey", filepath.Join(keys, "ada"))
	last := o.commit("Signed again", nil, "-S")
	look(t, x, "shop")
	if r := x.Status()[0]; !r.Healthy() || r.Live.ID != last {
		t.Error(r.String())
	}
}

// TestForgotten: old revisions go, with their content; what is live, pinned or could be rolled back to stays.
func TestForgotten(t *testing.T) {
	t.Parallel()
	s, dir := newServer(t), t.TempDir()
	x := s.open("", gitsync.Source{Name: "files", Dir: dir})
	var first string
	for i := range 45 {
		text := playbook("a", fmt.Sprint("echo ", i))
		if i%2 == 1 {
			text = strings.Replace(text, "ssh", "shs", 1)
		}
		if err := os.WriteFile(filepath.Join(dir, "a.yaml"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		look(t, x, "files")
		if i == 0 {
			first = x.Status()[0].Live.ID
			if _, err := x.Pin(t.Context(), "files", first, ada, ""); err != nil {
				t.Fatal(err)
			}
		}
	}
	revs, err := x.Revisions(t.Context(), "files", 0)
	if err != nil || len(revs) < 40 || len(revs) > 42 || revs[len(revs)-1].ID != first || x.Status()[0].Live.ID != first {
		t.Errorf("%d revisions, %v, live %s", len(revs), err, x.Status()[0].String())
	}
	if some, err := x.Revisions(t.Context(), "", 5); err != nil || len(some) != 5 {
		t.Errorf("%d, %v", len(some), err)
	}
}

// TestPushed finds the sources of a repository by whatever address a webhook names.
func TestPushed(t *testing.T) {
	t.Parallel()
	o, s := newOrigin(t), newServer(t)
	o.commit("Begin", map[string]string{"a.yaml": looking})
	x := s.open("", gitsync.Source{Name: "shop", Remote: git.Remote{URL: o.url(), Branch: "main"}})
	until(t, func() bool { return names(x.Set()) == "look" })
	o.commit("Next", map[string]string{"b.yaml": playbook("b", "true")})
	x.Pushed("https://example.org/none", "")
	x.Pushed(o.url() + "/")
	until(t, func() bool { return names(x.Set()) == "b look" })
	if x.Poke("nothing") || !x.Poke("") {
		t.Error("poke")
	}
}

// TestVersions: before what is kept, the commits of the repository tell what a playbook said.
func TestVersions(t *testing.T) {
	t.Parallel()
	o, s := newOrigin(t), newServer(t)
	src := gitsync.Source{Name: "shop", Remote: git.Remote{URL: o.url(), Branch: "main", Path: "books"}}
	const file = "a [1].yaml" // nothing of a name is a pattern
	say := func(script string) map[string]string {
		return map[string]string{"books/" + file: playbook("repair", script), "books/a1.yaml": playbook("other", script)}
	}
	o.commit("Begin <script>", say("true"))
	o.commit("Break it", map[string]string{"books/" + file: "kind: ["})
	o.commit("Better", say("exit 0"))
	o.commit("Beside", map[string]string{"books/a1.yaml": playbook("other", "exit 7")})
	x := s.open("", src)
	look(t, x, "shop") // the first that is kept
	o.commit("Last", say("false"))
	look(t, x, "shop")
	h, err := x.Versions(t.Context(), "shop", "repair", file)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, v := range h.Versions {
		_, script, _ := strings.Cut(string(v.Text), "script: ")
		got = append(got, fmt.Sprintf("%s %v %s", v.Revision.Title, v.Past, strings.TrimSpace(script)))
	}
	t.Log(string(h.Versions[0].Text))
	if want := []string{"Last false", "Beside false", "Begin <script> true"}; len(got) != 3 || !h.Whole ||
		!strings.HasPrefix(got[0], want[0]) || !strings.HasPrefix(got[1], want[1]) || !strings.HasPrefix(got[2], want[2]) {
		t.Errorf("%q, whole %v", got, h.Whole)
	}
	if a := h.Versions[2].Revision.Author; a != "Ada <ada@example.org>" {
		t.Error(a)
	}
	// Without the mirror what is kept is told, and that it is not all.
	x.Close()
	if err := os.RemoveAll(s.dir); err != nil {
		t.Fatal(err)
	}
	x = s.open("", src)
	defer x.Close()
	if h, err = x.Versions(t.Context(), "shop", "repair", file); err != nil || len(h.Versions) != 2 || h.Whole {
		t.Errorf("%+v, %v", h, err)
	}
}
