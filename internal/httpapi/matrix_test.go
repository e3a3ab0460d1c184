package httpapi_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tendhq/tend/internal/access"
	"github.com/tendhq/tend/internal/engine"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/httpapi"
)

// policed is a gate that asks package access, as a server's does.
type policed struct {
	doorman

	policy access.Policy
}

func (p *policed) Identify(r *http.Request) (access.Principal, error) {
	who, err := p.doorman.Identify(r)
	if name, ok := strings.CutSuffix(who.ID, ".bounded"); ok {
		who.ID, who.Scope = name, &access.Scope{Roles: []access.Role{access.Viewer}}
	}
	return who, err
}

func (p *policed) Authorize(_ context.Context, who access.Principal, n access.Need) error {
	if v := access.Check(p.policy, who, n); !v.Allowed {
		return fault.New(fault.Refused, "refused: %s", v.Why)
	}
	return nil
}

func (p *policed) Look(who access.Principal) *access.Sight { return access.Look(p.policy, who) }

func (p *policed) May(who access.Principal, n access.Need) bool {
	return access.Check(p.policy, who, n).Allowed
}

// TestTheMatrix asks every operation of the contract as everybody: each role in the project of the objects, each role in
// another one, over all, over what has a label of the objects and over what has another one; an admin with a token that may only look, somebody without a role, and nobody. What must come of it is written
// here by hand, from the roles and the verbs, and not by asking the policy.
func TestTheMatrix(t *testing.T) {
	t.Parallel()
	may := map[string]string{
		"viewer":   "view",
		"breaker":  "view break",
		"operator": "view start control answer write halt",
		"author":   "view start control answer write halt publish",
		"approver": "view start control answer write halt approve",
		"admin":    "view start control answer write halt publish approve break unhalt override audit manage",
	}
	gate := &policed{}
	for role := range may {
		for project, suffix := range map[string]string{"default": "", "elsewhere": ".elsewhere"} {
			gate.policy.Bindings = append(gate.policy.Bindings, access.Binding{
				Name: role + suffix, Subjects: []string{"user:" + role + suffix}, Role: access.Role(role), Projects: []string{project},
			})
		}
		for team, suffix := range map[string]string{"db": ".labelled", "web": ".unlike"} {
			gate.policy.Bindings = append(gate.policy.Bindings, access.Binding{
				Name: role + suffix, Subjects: []string{"user:" + role + suffix}, Role: access.Role(role), Labels: map[string]string{"team": team},
			})
		}
		gate.policy.Bindings = append(gate.policy.Bindings, access.Binding{Name: role + ".all", Subjects: []string{"user:" + role + ".all"}, Role: access.Role(role)})
	}
	e := newEngine(t)
	id, err := e.Start(t.Context(), engine.Start{
		Program: compile(t, "  - {uses: approve, with: {message: sure}}\n"), By: entry.Who{Name: "x"}, Labels: map[string]string{"team": "db", "tier": "1"},
	})
	if err != nil {
		t.Fatal(err)
	}
	updates, err := e.Follow(t.Context(), id, 1)
	if err != nil {
		t.Fatal(err)
	}
	task := next(t, updates, waitsFor("task")).Idle.Waits[0].On
	ask := network(t, httpapi.Config{Engine: e, Gate: gate})

	var doc struct {
		Paths map[string]map[string]struct {
			Need access.Need `json:"x-tend-need"`
		} `json:"paths"`
	}
	if err := json.Unmarshal(httpapi.Document(), &doc); err != nil {
		t.Fatal(err)
	}
	people := []string{"", "stranger", "admin.all.bounded"}
	for role := range may {
		people = append(people, role, role+".elsewhere", role+".all", role+".labelled", role+".unlike")
	}
	asked := 0
	for path, ops := range doc.Paths {
		for method, op := range ops {
			need := op.Need
			object := "" // of a project, where the path names one that is there
			switch {
			case need.Kind == "run" && strings.Contains(path, "{run}"):
				object = id
			case need.Kind == "task" && strings.Contains(path, "{task}"):
				object = task
			case strings.Contains(path, "{"+need.Kind+"}"):
				continue // of things that are not here; their own tests have them
			}
			p := strings.NewReplacer("{run}", id, "{task}", task).Replace(path)
			for _, who := range people {
				// A body that nothing is done with: it is refused after the question who asks.
				header := []string{"Last-Event-ID", "none"} // a stream that is refused ends
				if who != "" {
					header = append(header, "Authorization", "Bearer "+who)
				}
				status, body, _ := ask(strings.ToUpper(method), fill(p), `{"nothing":"known"}`, header...)
				asked++
				want := expected(may, who, need, object)
				got := "in"
				switch {
				case status == 401:
					got = "unknown"
				case status == 403 && strings.Contains(body, "refused: "):
					got = "refused"
				case status == 404 && object != "" && strings.Contains(body, `there is no `+need.Kind+` \"`+object):
					got = "hidden"
				}
				if got != want {
					t.Errorf("%s %s (%s %s) as %q: %s, want %s (%d %.200s)", method, path, need.Verb, need.Kind, who, got, want, status, body)
				}
			}
		}
	}
	if asked < 500 {
		t.Errorf("only %d questions", asked)
	}
	if s, err := e.Status(t.Context()); err != nil || s.Halted != "" {
		t.Errorf("something was done: %+v, %v", s, err)
	}
}

// expected says what must come of a request: in, refused, hidden (the object is not there for them), or unknown.
func expected(may map[string]string, who string, need access.Need, object string) string {
	if need.Verb == access.Nothing {
		return "in"
	}
	if who == "" {
		return "unknown"
	}
	if need.Verb == access.Own {
		return "in"
	}
	role, where, _ := strings.Cut(who, ".")
	where, bounded := strings.CutSuffix(where, ".bounded")
	has := func(v access.Verb) bool {
		if bounded && v != access.View {
			return false
		}
		return strings.Contains(" "+may[role]+" ", fmt.Sprintf(" %s ", v))
	}
	project := need.Project
	if object != "" {
		project = "default"
	}
	reaches := func(v access.Verb) bool {
		switch where {
		case "all":
			return true
		case "labelled":
			return object != "" || project == "" && v == access.View
		case "unlike":
			return project == "" && v == access.View
		case "elsewhere":
			return project == "elsewhere" || project == "" && v == access.View
		}
		return project == "default" || project == "" && v == access.View
	}
	switch {
	case has(need.Verb) && reaches(need.Verb):
		return "in"
	case object != "" && !(has(access.View) && reaches(access.View)):
		return "hidden"
	}
	return "refused"
}

// TestLargeBodiesAreRefused by what they say of themselves, before they are sent, and by what comes.
func TestLargeBodiesAreRefused(t *testing.T) {
	t.Parallel()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		done <- httpapi.Serve(ctx, l, httpapi.Handler(httpapi.Config{Engine: newEngine(t), Gate: &doorman{may: everybody}}))
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	ask := func(head string, body []byte) string {
		c, err := new(net.Dialer).DialContext(t.Context(), "tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if err := c.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(c, "POST /v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ann\r\nContent-Type: application/json\r\n"+head+"\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		go func() { _, _ = c.Write(body) }() // the server stops reading: that is the point
		b := make([]byte, 4096)
		n, err := c.Read(b)
		if err != nil {
			t.Fatal(err)
		}
		return string(b[:n])
	}
	const want = "HTTP/1.1 413 "
	if got := ask("Expect: 100-continue\r\nContent-Length: 52428800", nil); !strings.HasPrefix(got, want) || !strings.Contains(got, "larger than 1048576 bytes") {
		t.Errorf("50 MB, asked before: %s", got)
	}
	large := []byte(`{"name":"` + strings.Repeat("x", 2<<20))
	if got := ask("Content-Length: 52428800", large); !strings.HasPrefix(got, want) {
		t.Errorf("50 MB: %s", got)
	}
	chunked := append([]byte(fmt.Sprintf("%x\r\n", len(large))), large...)
	if got := ask("Transfer-Encoding: chunked", chunked); !strings.HasPrefix(got, want) {
		t.Errorf("without a length: %s", got)
	}
}
