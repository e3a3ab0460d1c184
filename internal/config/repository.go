package config

import (
	"fmt"
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/tendhq/tend/internal/git"
)

// Repository is where playbooks come from, whose they are, and what they may touch. What is wrong with a commit keeps all of
// it from being live: the last good one stays.
type Repository struct {
	// Name is how people call it. Default: the last part of its address.
	Name string `yaml:"name"`
	// URL is a repository: https://…, ssh://git@… or file:///….
	URL string `yaml:"url"`
	// Dir is a directory, in place of a repository.
	Dir string `yaml:"dir" path:"true"`
	// Branch that is live. Default: what the repository calls its head.
	Branch string `yaml:"branch"`
	// Path is the folder that is read. Default: all.
	Path string `yaml:"path"`
	// Project owns its playbooks. Default: default.
	Project string `yaml:"project"`
	// Environment that its playbooks are live in, as a document of kind Environment declares it.
	Environment string `yaml:"environment"`
	// Owner is the team of playbooks that name none.
	Owner string `yaml:"owner"`
	// Poll is how often it is looked at. Default: 1m, of a directory 2s. A push that an event tells of is looked at at once.
	Poll Duration `yaml:"poll"`
	// Token is the name of the secret that it is read with over https.
	Token string `yaml:"token"`
	// SSH is what it is read with over ssh.
	SSH RepositorySSH `yaml:"ssh"`
	// Push lets people save what they write as new branches, to be reviewed there. Without it they get patches. What is live is
	// never written.
	Push *RepositoryPush `yaml:"push"`
	// Signatures are wanted of the commits that are live.
	Signatures *Signatures `yaml:"signatures"`
	// ObserveNew lets playbooks that change something, and are new or changed, begin in the mode observe, until somebody sets
	// another one (tend mode).
	ObserveNew bool `yaml:"observeNew"`
	// Ceiling is what its playbooks may touch. What exceeds it is not live.
	Ceiling Ceiling `yaml:"ceiling"`
	// Issues is where action items of incidents that its playbooks ran for become issues. Without it they stay in tend.
	Issues *Issues `yaml:"issues"`
}

// Issues are kept on GitHub or GitLab.
type Issues struct {
	// Token is the name of the secret with a token that may write issues, and needs nothing else.
	Token string `yaml:"token"`
	// Kind is github or gitlab. Default: as the host of the repository is called.
	Kind string `yaml:"kind"`
	// Project is the repository there: shop/runbooks. Default: as the repository's address says.
	Project string `yaml:"project"`
	// URL is the address of the API. Default: that of the repository's host.
	URL string `yaml:"url"`
	// Labels of the issues.
	Labels []string `yaml:"labels"`
}

// Tracker gives where action items become issues, with what the repository's address says filled in; false when they do not.
func (r *Repository) Tracker() (Issues, bool) {
	if r.Issues == nil {
		return Issues{}, false
	}
	t := *r.Issues
	u, err := url.Parse(r.URL)
	if err != nil || r.URL == "" {
		return t, true
	}
	host := u.Hostname()
	if t.Kind == "" {
		for _, k := range []string{"github", "gitlab"} {
			if strings.Contains(host, k) {
				t.Kind = k
			}
		}
	}
	if t.Project == "" {
		t.Project = strings.TrimSuffix(strings.Trim(u.Path, "/"), ".git")
	}
	if t.URL == "" && host != "" {
		switch {
		case host == "github.com":
			t.URL = "https://api.github.com"
		case t.Kind == "github":
			t.URL = "https://" + host + "/api/v3"
		case t.Kind == "gitlab":
			t.URL = "https://" + host + "/api/v4"
		}
	}
	return t, true
}

func checkIssues(bad Bad, at string, r *Repository) {
	t, ok := r.Tracker()
	if !ok {
		return
	}
	if t.Token == "" {
		bad(at+".token", "name the secret with a token that may write issues", "%s: it has no token", at)
	}
	if t.Kind != "github" && t.Kind != "gitlab" {
		bad(at+".kind", "write `kind: github` or `kind: gitlab`", "%s: nobody knows whether issues are kept on github or gitlab", at)
	}
	if !strings.Contains(strings.Trim(t.Project, "/"), "/") {
		bad(at+".project", "write `project: owner/name`", "%s: %q is no repository there", at, t.Project)
	}
	u, err := url.Parse(t.URL)
	switch {
	case err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil:
		bad(at+".url", "write the address of its API: https://api.github.com", "%s: %q is no web address", at, t.URL)
	case u.Scheme == "http" && !Loopback(u.Hostname()):
		bad(at+".url", "use https", "%s: %s speaks no TLS: the token could be read on the way", at, t.URL)
	}
}

// RepositorySSH is what a repository is reached with over ssh.
type RepositorySSH struct {
	// Identity is a private key file. Default: what ssh finds.
	Identity string `yaml:"identity" path:"true"`
	// KnownHosts is the file with the keys of hosts. Default: that of ssh. A host that is not in it is refused.
	KnownHosts string `yaml:"knownHosts" path:"true"`
}

// RepositoryPush is what a repository is written to with. It is apart from what it is read with, so that reading needs no more.
type RepositoryPush struct {
	// Token is the name of the secret for https. It needs the right to push branches, and no more.
	Token string `yaml:"token"`
	// Identity is a private key file for ssh. Default: that of ssh.
	Identity string `yaml:"identity" path:"true"`
	// Prefix is how the names of the branches begin. Default: tend/.
	Prefix string `yaml:"prefix"`
	// Forge is what kind of place it is, where its address does not tell: github, gitlab or azuredevops.
	Forge string `yaml:"forge"`
}

// Signatures says who may sign commits.
type Signatures struct {
	// AllowedSigners is a file in the format of ssh-keygen.
	AllowedSigners string `yaml:"allowedSigners" path:"true"`
	// Keyring is a directory of GnuPG with the keys that count.
	Keyring string `yaml:"keyring" path:"true"`
}

// Ceiling is what a repository may touch. Texts are globs; what is left out allows everything of its kind.
type Ceiling struct {
	// Actions that its steps may use.
	Actions []string `yaml:"actions"`
	// Effects that they may have: read, idempotent, mutate.
	Effects []string `yaml:"effects"`
	// Targets that they may change. What a target will be must be within whatever it is made of.
	Targets []string `yaml:"targets"`
	// Integrations that they may use.
	Integrations []string `yaml:"integrations"`
	// Secrets that they may use.
	Secrets []string `yaml:"secrets"`
}

// Remote is where a repository is read.
func (r *Repository) Remote() git.Remote {
	out := git.Remote{URL: r.URL, Branch: r.Branch, Path: r.Path, Token: r.Token, SSH: git.SSH(r.SSH)}
	if s := r.Signatures; s != nil {
		out.Signatures = &git.Signatures{AllowedSigners: s.AllowedSigners, Keyring: s.Keyring}
	}
	return out
}

// All are the repositories with the directories that are named alone, each with a name that no other one has.
func (s *Server) All() []Repository {
	out := slices.Clone(s.Repositories)
	for _, dir := range s.Playbooks {
		out = append(out, Repository{Dir: dir})
	}
	taken := map[string]bool{}
	for i := range out {
		taken[out[i].Name] = true
	}
	for i := range out {
		if out[i].Name != "" {
			continue
		}
		base := out[i].base()
		name := base
		for n := 2; taken[name]; n++ {
			name = fmt.Sprintf("%s-%d", base, n)
		}
		out[i].Name, taken[name] = name, true
	}
	return out
}

// base is the last part of the address.
func (r *Repository) base() string {
	p := r.Dir
	if u, err := url.Parse(r.URL); err == nil && r.URL != "" {
		p = u.Path
	}
	name := strings.TrimSuffix(path.Base(path.Clean(strings.ReplaceAll(strings.TrimSuffix(p, "/.git"), "\\", "/"))), ".git")
	name = strings.Map(func(c rune) rune {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '_', c == '.':
			return c
		default:
			return '-'
		}
	}, name)
	if strings.Trim(name, ".-") == "" {
		return "playbooks"
	}
	return name
}

func (s *Server) checkRepositories(bad Bad) {
	names := map[string]bool{}
	for i := range s.Repositories {
		r := &s.Repositories[i]
		at := fmt.Sprintf("repositories[%d]", i)
		if r.Name != "" && (names[r.Name] || strings.ContainsAny(r.Name, "/@ \t\n")) {
			bad(at+".name", "give it a name of its own, without / and @", "%s: the name %q cannot be used", at, r.Name)
		}
		names[r.Name] = true
		switch {
		case (r.URL == "") == (r.Dir == ""):
			bad(at, "write `url:` or `dir:`", "%s: it is either a repository or a directory", at)
		case r.URL != "":
			remote := r.Remote()
			if err := remote.Check(); err != nil {
				bad(at+".url", "", "%s: %v", at, err)
			}
		}
		checkIssues(bad, at+".issues", r)
		if r.Signatures != nil && (r.Dir != "" || r.Signatures.AllowedSigners == "" && r.Signatures.Keyring == "") {
			bad(at+".signatures", "name `allowedSigners` or `keyring`", "%s: signatures of commits are checked with the keys of a file or a keyring", at)
		}
		r.checkPush(bad, at)
		for _, f := range []struct {
			key   string
			given bool
		}{{"branch", r.Branch != ""}, {"path", r.Path != ""}, {"token", r.Token != ""}, {"ssh", r.SSH != RepositorySSH{}}, {"push", r.Push != nil}} {
			if r.Dir != "" && r.URL == "" && f.given {
				bad(at+"."+f.key, "remove it, or read the directory as a repository: url: file:///…", "%s: `%s` is of repositories, and this is a directory", at, f.key)
			}
		}
		for _, e := range r.Ceiling.Effects {
			if !slices.Contains([]string{"read", "idempotent", "mutate"}, e) {
				bad(at+".ceiling.effects", "read, idempotent or mutate", "%s: there is no effect %q", at, e)
			}
		}
	}
}

func (r *Repository) checkPush(bad Bad, at string) {
	p := r.Push
	if p == nil || r.URL == "" {
		return
	}
	at += ".push"
	u, err := url.Parse(r.URL)
	switch {
	case err != nil:
	case u.Scheme == "https" && p.Token == "":
		bad(at+".token", "name the secret with a token that may push branches", "%s: over https nothing is pushed without a token", at)
	case u.Scheme != "https" && p.Token != "":
		bad(at+".token", "remove it, or reach the repository over https", "%s: a token is for https alone", at)
	case u.Scheme != "ssh" && p.Identity != "":
		bad(at+".identity", "remove it, or reach the repository over ssh", "%s: a key is for ssh alone", at)
	}
	if p.Forge != "" && !slices.Contains(git.Forges(), p.Forge) {
		bad(at+".forge", strings.Join(git.Forges(), ", "), "%s: there is no forge %q", at, p.Forge)
	}
	if strings.ContainsAny(p.Prefix, " ~^:?*[\\") || strings.HasPrefix(p.Prefix, "-") || strings.HasPrefix(p.Prefix, "/") || strings.Contains(p.Prefix, "..") || strings.Contains(p.Prefix, "//") {
		bad(at+".prefix", "write it like tend/", "%s: no branch can begin with %q", at, p.Prefix)
	}
}
