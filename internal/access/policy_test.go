package access_test

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/tendhq/tend/internal/access"
)

func verbs() []access.Verb {
	return []access.Verb{
		access.View, access.Start, access.Control, access.Answer, access.Approve, access.Break, access.Write, access.Publish, access.Halt, access.Unhalt,
		access.Override, access.Audit, access.Manage, access.Request, access.Take, access.Own,
	}
}

// TestRoles is the table of who may what, written out: a change of it is seen.
func TestRoles(t *testing.T) {
	t.Parallel()
	for role, want := range map[access.Role]string{
		access.Viewer:   "view",
		access.Breaker:  "view break",
		access.Operator: "view start control answer write halt request",
		access.Author:   "view start control answer write publish halt request",
		access.Approver: "view start control answer approve write halt request",
		access.Admin:    "view start control answer approve break write publish halt unhalt override audit manage request",
		"owner":         "",
	} {
		var got []string
		for _, v := range verbs() {
			if role.May(v) {
				got = append(got, string(v))
			}
		}
		if s := strings.Join(got, " "); s != want {
			t.Errorf("%s may %s, not %s", role, s, want)
		}
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	alice := access.Principal{ID: "user:alice@example.org", Groups: []string{"sre"}}
	policy := access.Policy{Bindings: []access.Binding{
		{Name: "everybody looks", Subjects: []string{"*"}, Role: access.Viewer},
		{Name: "sre operates shop", Subjects: []string{"group:sre"}, Role: access.Operator, Projects: []string{"shop"}},
		{Name: "approvers of tier 1", Subjects: []string{"user:*@example.org"}, Role: access.Approver, Projects: []string{"shop"}, Labels: map[string]string{"tier": "1"}},
		{Name: "robots build", Subjects: []string{"token:ci-*"}, Role: access.Author, Projects: []string{"shop"}},
		{Name: "root", Subjects: []string{"user:root@example.org"}, Role: access.Admin},
		{Name: "not bob", Subjects: []string{"user:bob@example.org"}, Role: access.Admin, Deny: true},
	}}
	for _, c := range []struct {
		name string
		who  access.Principal
		need access.Need
		want bool
		why  string
	}{
		{"nobody", access.Principal{}, access.Need{Verb: access.View, Project: "shop"}, false, "nobody"},
		{"nobody, health", access.Principal{}, access.Need{Verb: access.Nothing}, true, "everybody"},
		{"a group", alice, access.Need{Verb: access.Start, Kind: "run", Project: "shop"}, true, "sre operates shop"},
		{"another project", alice, access.Need{Verb: access.Start, Kind: "run", Project: "bank"}, false, `start runs of the project "bank"`},
		{"no project", alice, access.Need{Verb: access.Start, Kind: "run"}, false, "no role"},
		{"looking anywhere", alice, access.Need{Verb: access.View, Project: "bank"}, true, "everybody looks"},
		{"a label", alice, access.Need{Verb: access.Approve, Project: "shop", Labels: map[string]string{"tier": "1", "team": "x"}}, true, "approvers"},
		{"another label", alice, access.Need{Verb: access.Approve, Project: "shop", Labels: map[string]string{"tier": "2"}}, false, "no role"},
		{"no label", alice, access.Need{Verb: access.Approve, Project: "shop"}, false, "no role"},
		{"a pattern", access.Principal{ID: "token:ci-deploy"}, access.Need{Verb: access.Publish, Project: "shop"}, true, "robots"},
		{"beside the pattern", access.Principal{ID: "token:cd"}, access.Need{Verb: access.Publish, Project: "shop"}, false, "no role"},
		{"a name that looks like a group", access.Principal{ID: "group:sre"}, access.Need{Verb: access.Start, Project: "shop"}, false, "no role"},
		{"a domain that only ends like ours", access.Principal{ID: "user:eve@evil-example.org"}, access.Need{Verb: access.Approve, Project: "shop", Labels: map[string]string{"tier": "1"}}, false, "no role"},
		{"deny wins", access.Principal{ID: "user:bob@example.org", Groups: []string{"sre"}}, access.Need{Verb: access.View, Project: "shop"}, false, "not bob"},
		{"an admin", access.Principal{ID: "user:root@example.org"}, access.Need{Verb: access.Unhalt}, true, "root"},
		{"the owner", access.Principal{ID: "os:ann", Local: true}, access.Need{Verb: access.Manage}, true, "data directory"},
		{"a token that may less", access.Principal{ID: "user:root@example.org", Scope: &access.Scope{Roles: []access.Role{access.Viewer}}}, access.Need{Verb: access.Start, Project: "shop"}, false, "token may not start"},
		{"a token of another project", access.Principal{ID: "user:root@example.org", Scope: &access.Scope{Projects: []string{"bank"}}}, access.Need{Verb: access.View, Project: "shop"}, false, `"shop"`},
		{"a token does not add", access.Principal{ID: "user:carl@example.org", Scope: &access.Scope{Roles: []access.Role{access.Admin}}}, access.Need{Verb: access.Manage, Project: "shop"}, false, "no role"},
		{"a list, with a role in one project", access.Principal{ID: "token:ci-x"}, access.Need{Verb: access.View, Kind: "run"}, true, ""},
		{"what is offered to a group", alice, access.Need{Verb: access.Request, Kind: "playbook", Project: "bank", To: []string{"user:x", "group:sre"}}, true, "offered to them"},
		{"what is offered to others", alice, access.Need{Verb: access.Request, Kind: "playbook", Project: "bank", To: []string{"group:dev"}}, false, "not offered to them"},
		{"what may be started anyway", alice, access.Need{Verb: access.Request, Kind: "playbook", Project: "shop", To: []string{"group:dev"}}, true, "sre operates shop"},
		{"an offer to everybody", access.Principal{ID: "user:eve@elsewhere.example"}, access.Need{Verb: access.Request, Project: "bank", To: []string{"*"}}, true, "offered"},
		{"an offer to everybody, and nobody", access.Principal{}, access.Need{Verb: access.Request, Project: "bank", To: []string{"*"}}, false, "nobody"},
		{"deny wins over an offer", access.Principal{ID: "user:bob@example.org"}, access.Need{Verb: access.Request, Project: "shop", To: []string{"user:bob@example.org"}}, false, "not bob"},
		{"an offer, with a token that only looks", access.Principal{ID: "user:eve", Scope: &access.Scope{Roles: []access.Role{access.Viewer}}}, access.Need{Verb: access.Request, Project: "bank", To: []string{"*"}}, false, "token may not"},
		{"handed over", alice, access.Need{Verb: access.Take, To: []string{"user:alice@example.org"}}, true, "for them"},
		{"handed over to somebody else", access.Principal{ID: "user:root@example.org"}, access.Need{Verb: access.Take, To: []string{"user:alice@example.org"}}, false, "somebody else"},
		{"handed over, and the owner", access.Principal{ID: "os:ann", Local: true}, access.Need{Verb: access.Take, To: []string{"user:alice@example.org"}}, false, "somebody else"},
		{"handed over, with a bounded token", access.Principal{ID: "user:alice@example.org", Scope: &access.Scope{Roles: []access.Role{access.Admin}}}, access.Need{Verb: access.Take, To: []string{"user:alice@example.org"}}, false, "bounds"},
		{"one's own, with a bounded token", access.Principal{ID: "user:eve", Scope: &access.Scope{Projects: []string{"bank"}}}, access.Need{Verb: access.Own}, true, "their own"},
		{"one's own, and nobody", access.Principal{}, access.Need{Verb: access.Own}, false, "nobody"},
		{"an unknown verb", access.Principal{ID: "user:root@example.org"}, access.Need{Verb: "destroy"}, false, "no role"},
	} {
		v := access.Check(policy, c.who, c.need)
		if v.Allowed != c.want || !strings.Contains(v.Why, c.why) {
			t.Errorf("%s: %v, %q", c.name, v.Allowed, v.Why)
		}
	}
}

// TestMonotone: a binding that allows never takes away, one that denies never gives, a scope never gives; the order of
// bindings does not matter; without bindings nobody but the owner may do anything.
func TestMonotone(t *testing.T) {
	t.Parallel()
	subjects := []string{"*", "user:a", "user:b", "group:g", "group:h", "token:*"}
	binding := rapid.Custom(func(t *rapid.T) access.Binding {
		b := access.Binding{Name: "x", Subjects: []string{rapid.SampledFrom(subjects).Draw(t, "subject")}, Role: rapid.SampledFrom(append(access.Roles(), "owner")).Draw(t, "role"), Deny: rapid.Bool().Draw(t, "deny")}
		if rapid.Bool().Draw(t, "bounded") {
			b.Projects = []string{rapid.SampledFrom([]string{"p", "q"}).Draw(t, "project")}
		}
		if rapid.Bool().Draw(t, "labelled") {
			b.Labels = map[string]string{"k": rapid.SampledFrom([]string{"1", "2"}).Draw(t, "label")}
		}
		return b
	})
	rapid.Check(t, func(t *rapid.T) {
		bindings := rapid.SliceOfN(binding, 0, 6).Draw(t, "bindings")
		more := binding.Draw(t, "more")
		who := access.Principal{ID: rapid.SampledFrom([]string{"user:a", "user:c", "token:t"}).Draw(t, "who"), Groups: rapid.SliceOfN(rapid.SampledFrom([]string{"g", "i"}), 0, 2).Draw(t, "groups")}
		need := access.Need{Verb: rapid.SampledFrom(slices.DeleteFunc(verbs(), func(v access.Verb) bool { return v == access.Own })).Draw(t, "verb"), Project: rapid.SampledFrom([]string{"", "p", "q"}).Draw(t, "project"), Labels: map[string]string{"k": rapid.SampledFrom([]string{"1", "2", "3"}).Draw(t, "label")}}
		may := func(bs []access.Binding, p access.Principal) bool {
			return access.Check(access.Policy{Bindings: bs}, p, need).Allowed
		}
		before, after := may(bindings, who), may(append(slices.Clone(bindings), more), who)
		if more.Deny && !before && after || !more.Deny && before && !after {
			t.Fatalf("with %+v it is %v, and was %v", more, after, before)
		}
		turned := slices.Clone(bindings)
		slices.Reverse(turned)
		if may(turned, who) != before {
			t.Fatal("the order matters")
		}
		scoped := who
		scoped.Scope = &access.Scope{Roles: rapid.SliceOfN(rapid.SampledFrom(access.Roles()), 0, 2).Draw(t, "scope")}
		if may(bindings, scoped) && !before {
			t.Fatal("a scope gives")
		}
		if may(nil, who) {
			t.Fatal("somebody may without a binding")
		}
	})
}

func TestProblems(t *testing.T) {
	t.Parallel()
	got := access.Policy{Bindings: []access.Binding{
		{Name: "good", Subjects: []string{"*", "user:*@example.org", "group:sre"}, Role: access.Viewer},
		{Subjects: []string{"alice"}, Role: "root"},
		{Name: "none", Role: access.Admin},
		{Name: "stars", Subjects: []string{"user:*a*"}, Role: access.Admin},
	}}.Problems()
	all := strings.Join(got, "\n")
	for _, want := range []string{"binding 2 has no name", `no role "root"`, `"alice" names nobody`, "none names nobody", "more than one *"} {
		if !strings.Contains(all, want) {
			t.Errorf("%q is not told: %s", want, all)
		}
	}
	if strings.Contains(all, "good") {
		t.Errorf("a good binding is blamed: %s", all)
	}
}

// TestLookIsCheck: what somebody sees of a list is what they may look at one by one.
func TestLookIsCheck(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		word := func(of ...string) *rapid.Generator[string] { return rapid.SampledFrom(of) }
		labels := rapid.MapOf(word("team", "tier"), word("db", "1", ""))
		projects := rapid.SliceOfN(word("shop", "pay", "default"), 0, 2)
		var p access.Policy
		for range rapid.IntRange(0, 5).Draw(t, "bindings") {
			p.Bindings = append(p.Bindings, access.Binding{
				Name: "b", Subjects: []string{word("user:a", "group:g", "*", "user:b").Draw(t, "subject")},
				Role: access.Role(word("viewer", "admin", "nobody").Draw(t, "role")), Projects: projects.Draw(t, "projects"),
				Labels: labels.Draw(t, "labels"), Deny: rapid.IntRange(0, 3).Draw(t, "deny") == 0,
			})
		}
		who := access.Principal{ID: word("user:a", "").Draw(t, "id"), Groups: []string{"g"}, Local: rapid.IntRange(0, 9).Draw(t, "local") == 0}
		if rapid.Bool().Draw(t, "bounded") {
			who.Scope = &access.Scope{Projects: projects.Draw(t, "only")}
			if rapid.Bool().Draw(t, "roles") {
				who.Scope.Roles = []access.Role{access.Role(word("viewer", "nobody").Draw(t, "least"))}
			}
		}
		sight := access.Look(p, who)
		project, of := word("shop", "pay", "default", "other").Draw(t, "project"), labels.Draw(t, "of")
		want := access.Check(p, who, access.Need{Verb: access.View, Kind: "run", Project: project, Labels: of})
		if got := sight.Sees(project, of); got != want.Allowed {
			t.Fatalf("it sees %t, and Check says %+v; %+v", got, want, sight)
		}
		if list := access.Check(p, who, access.Need{Verb: access.View, Kind: "run"}); want.Allowed && !list.Allowed {
			t.Fatalf("it may be looked at, and not listed: %s", list.Why)
		}
	})
}

// TestPowersAreWhatCheckSays: nobody is offered what would be refused, nor kept from what would be allowed.
func TestPowersAreWhatCheckSays(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		word := func(of ...string) *rapid.Generator[string] { return rapid.SampledFrom(of) }
		projects := rapid.SliceOfN(word("shop", "pay", "default"), 0, 2)
		var p access.Policy
		for range rapid.IntRange(0, 5).Draw(t, "bindings") {
			p.Bindings = append(p.Bindings, access.Binding{
				Name: "b", Subjects: []string{word("user:a", "group:g", "*", "user:b").Draw(t, "subject")},
				Role: access.Role(word("viewer", "operator", "approver", "admin").Draw(t, "role")), Projects: projects.Draw(t, "projects"),
				Deny: rapid.IntRange(0, 3).Draw(t, "deny") == 0,
			})
		}
		who := access.Principal{ID: "user:a", Groups: []string{"g"}}
		if rapid.Bool().Draw(t, "bounded") {
			who.Scope = &access.Scope{Projects: projects.Draw(t, "only"), Roles: []access.Role{access.Viewer}}
		}
		powers := map[access.Verb]access.Power{}
		for _, w := range access.Powers(p, who) {
			powers[w.Verb] = w
		}
		verb := access.Verb(word("view", "start", "approve", "manage").Draw(t, "verb"))
		project := word("shop", "pay", "default", "other", "").Draw(t, "project")
		w := powers[verb]
		got := w.Server
		if project != "" {
			got = w.All && !slices.Contains(w.Except, project) || slices.Contains(w.Projects, project)
		}
		if want := access.Check(p, who, access.Need{Verb: verb, Project: project}); got != want.Allowed {
			t.Fatalf("%s in %q: %+v, and Check says %+v", verb, project, w, want)
		}
	})
}
