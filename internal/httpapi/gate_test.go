package httpapi_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tendhq/tend/internal/access"
	"github.com/tendhq/tend/internal/engine"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/httpapi"
	"github.com/tendhq/tend/internal/store"
)

// doorman is a gate that knows people by their bearer token, lets in whom its rule lets in, and remembers what was asked.
type doorman struct {
	may func(p access.Principal, n access.Need) bool

	mu    sync.Mutex
	asked []access.Need
}

func (d *doorman) Identify(r *http.Request) (access.Principal, error) {
	name, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		return access.Principal{}, fault.New(fault.Auth, "no token was sent")
	}
	return access.Principal{ID: "user:" + name, Name: name, Via: "api"}, nil
}

func (d *doorman) Authorize(_ context.Context, p access.Principal, n access.Need) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.asked = append(d.asked, n)
	if p.Local || d.may(p, n) {
		return nil
	}
	return fault.New(fault.Refused, "%s may not %s", p.Name, n.Verb)
}

// Look gives the projects of these tests that may lets somebody look at.
func (d *doorman) Look(p access.Principal) *access.Sight {
	if p.Local {
		return nil
	}
	s := &access.Sight{}
	for _, project := range []string{"default", "elsewhere", "shop"} {
		if d.may(p, access.Need{Verb: access.View, Project: project}) {
			s.Within = append(s.Within, access.Span{Projects: []string{project}})
		}
	}
	return s
}

func (d *doorman) May(p access.Principal, n access.Need) bool { return p.Local || d.may(p, n) }

// network serves c on a loopback address and gives a function that asks.
func network(t *testing.T, c httpapi.Config) func(method, path, body string, header ...string) (int, string, http.Header) {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- httpapi.Serve(ctx, l, httpapi.Handler(c)) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return func(method, path, body string, header ...string) (int, string, http.Header) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), method, "http://"+l.Addr().String()+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i < len(header); i += 2 {
			req.Header.Set(header[i], header[i+1])
			if header[i] == "Host" {
				req.Host = header[i+1]
			}
		}
		resp, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		b, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, string(b), resp.Header
	}
}

func TestEveryRouteNamesWhatItNeeds(t *testing.T) {
	t.Parallel()
	verbs := []access.Verb{
		access.View, access.Start, access.Control, access.Answer, access.Approve, access.Break, access.Write, access.Publish, access.Halt,
		access.Unhalt, access.Override, access.Audit, access.Manage, access.Nothing, access.Request, access.Take, access.Own,
	}
	free := []string{
		"GET /livez", "GET /readyz", "GET /openapi.json", "GET /docs/api", "GET /docs/api/page.css",
		"POST /v1/sign-on", "POST /v1/sign-on/code", "GET /auth/begin/{issuer}", "GET /auth/callback", "POST /auth/on", "POST /auth/off", "GET /auth/issuers",
	}
	routes := httpapi.Routes(httpapi.Config{})
	if len(routes) < 20 {
		t.Fatalf("only %d routes", len(routes))
	}
	for _, r := range routes {
		if !slices.Contains(verbs, r.Need.Verb) {
			t.Errorf("%s %s needs %q", r.Method, r.Pattern, r.Need.Verb)
		}
		if r.Need.Verb == access.Nothing != slices.Contains(free, r.Method+" "+r.Pattern) {
			t.Errorf("%s %s needs %q: what everybody may ask is a short list", r.Method, r.Pattern, r.Need.Verb)
		}
	}
}

func TestOverTheNetworkNobodyComesInWithoutAGate(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	for _, c := range []httpapi.Config{{Engine: e}, {Engine: e, Gate: &doorman{}}} {
		ask := network(t, c)
		for _, r := range httpapi.Routes(c) {
			status, body, h := ask(r.Method, fill(r.Pattern), "{}")
			free := r.Need.Verb == access.Nothing
			if free && (status == 401 || status == 403) || !free && (status != 401 || h.Get("WWW-Authenticate") == "") {
				t.Errorf("%s %s answers %d %s", r.Method, r.Pattern, status, body)
			}
		}
	}
}

// TestTheGateIsAskedAsDeclared goes through all routes as somebody who may do nothing.
func TestTheGateIsAskedAsDeclared(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	d := &doorman{may: func(access.Principal, access.Need) bool { return false }}
	c := httpapi.Config{Engine: e, Gate: d}
	ask := network(t, c)
	for _, r := range httpapi.Routes(c) {
		if r.Need.Verb == access.Nothing {
			continue
		}
		d.asked = nil
		status, body, _ := ask(r.Method, fill(r.Pattern), "{}", "Authorization", "Bearer mallory")
		if status != 403 || !strings.Contains(body, "mallory may not "+string(r.Need.Verb)) {
			t.Errorf("%s %s answers %d %s", r.Method, r.Pattern, status, body)
		}
		if d := cmp.Diff([]access.Need{r.Need}, d.asked); d != "" {
			t.Errorf("%s %s (-declared +asked)\n%s", r.Method, r.Pattern, d)
		}
	}
	if page, err := e.Rows(t.Context(), store.Filter{Kind: "run"}); err != nil || len(page.Rows) != 0 {
		t.Errorf("something was started: %v, %v", page, err)
	}
}

func TestOutsideOfTheProjectsThereIsNothing(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	id, err := e.Start(t.Context(), engine.Start{Program: compile(t, "  - {uses: approve, with: {message: sure}}\n"), By: entry.Who{Name: "x"}})
	if err != nil {
		t.Fatal(err)
	}
	ask := network(t, httpapi.Config{Engine: e, Gate: &doorman{may: func(p access.Principal, n access.Need) bool {
		switch p.Name {
		case "elsewhere": // everything, but not in this project
			return n.Project == "" || n.Project == "elsewhere"
		case "viewer":
			return n.Verb == access.View
		}
		return false
	}}})
	for _, c := range []struct {
		who, method, path, body string
		status                  int
		says                    string
	}{
		{"viewer", "GET", "/v1/runs/" + id, "", 200, id},
		{"viewer", "GET", "/v1/runs", "", 200, id},
		{"viewer", "POST", "/v1/runs/" + id + "/commands", `{"verb":"cancel"}`, 403, "viewer may not control"},
		{"elsewhere", "GET", "/v1/runs/" + id, "", 404, `there is no run \"` + id},
		{"elsewhere", "GET", "/v1/runs/run_0", "", 404, `there is no run \"run_0`},
		{"elsewhere", "POST", "/v1/runs/" + id + "/commands", `{"verb":"cancel"}`, 404, `there is no run \"` + id},
		{"elsewhere", "GET", "/v1/runs", "", 200, `{"rows":[]}`},
		{"elsewhere", "GET", "/v1/tasks", "", 200, `{"rows":[]}`},
	} {
		status, body, _ := ask(c.method, c.path, c.body, "Authorization", "Bearer "+c.who)
		if status != c.status || !strings.Contains(body, c.says) {
			t.Errorf("%s: %s %s: %d %s", c.who, c.method, c.path, status, body)
		}
	}
}

// TestSomeRequestsNeedMore: what is in a request can make it one that needs another right.
func TestSomeRequestsNeedMore(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	p := compile(t, "  - {uses: approve, with: {message: sure}}\n")
	id, err := e.Start(t.Context(), engine.Start{Program: p, By: entry.Who{Name: "x"}})
	if err != nil {
		t.Fatal(err)
	}
	updates, err := e.Follow(t.Context(), id, 1)
	if err != nil {
		t.Fatal(err)
	}
	task := next(t, updates, waitsFor("task")).Idle.Waits[0].On
	closure, _, err := p.Closure()
	if err != nil {
		t.Fatal(err)
	}
	ask := network(t, httpapi.Config{Engine: e, Gate: &doorman{may: func(p access.Principal, n access.Need) bool {
		switch n.Verb { //nolint:exhaustive // the others are for everybody here
		case access.Publish:
			return p.Name == "author"
		case access.Approve:
			return p.Name == "approver"
		case access.Manage:
			return p.Name == "admin"
		}
		return true
	}}})
	for _, c := range []struct {
		who, path, body string
		status          int
		says            string
	}{
		{"operator", "/v1/runs", `{"program":` + string(closure) + `}`, 403, "operator may not publish"},
		{"author", "/v1/runs", `{"dir":"/etc","program":` + string(closure) + `}`, 403, "the server's to say"},
		{"author", "/v1/runs", `{"cause":{"parent":"run_1"},"program":` + string(closure) + `}`, 403, "the server's to say"},
		{"author", "/v1/runs", `{"program":` + string(closure) + `}`, 201, "run_"},
		{"operator", "/v1/tasks/" + task + "/answers", `{"choice":"approve"}`, 403, "operator may not approve"},
		{"operator", "/v1/runs/" + id + "/commands", `{"verb":"redact","text":"sure"}`, 403, "operator may not manage"},
		{"approver", "/v1/tasks/" + task + "/answers", `{"choice":"approve"}`, 200, "approved"},
	} {
		status, body, _ := ask("POST", c.path, c.body, "Authorization", "Bearer "+c.who)
		if status != c.status || !strings.Contains(body, c.says) {
			t.Errorf("%s: %s: %d %s", c.who, c.path, status, body)
		}
	}
}

func TestOtherPagesAndOtherNamesAreRefused(t *testing.T) {
	t.Parallel()
	c := httpapi.Config{Engine: newEngine(t), Hosts: []string{"127.0.0.1", "tend.example"}, Gate: &doorman{may: func(access.Principal, access.Need) bool { return true }}}
	ask := network(t, c)
	me := []string{"Authorization", "Bearer me"}
	for _, c := range []struct {
		header []string
		status int
	}{
		{nil, 409}, // there is nothing to unhalt
		{[]string{"Sec-Fetch-Site", "cross-site"}, 403},
		{[]string{"Origin", "http://evil.example"}, 403},
		{[]string{"Host", "evil.example"}, 403},
		{[]string{"Host", "evil.example:8420"}, 403},
		{[]string{"Host", "tend.example:8420"}, 409},
		{[]string{"Host", "TEND.example"}, 409},
	} {
		if status, body, _ := ask("POST", "/v1/unhalt", "{}", append(me, c.header...)...); status != c.status {
			t.Errorf("%v: %d %s", c.header, status, body)
		}
	}
}

func TestABugIsAProblemToo(t *testing.T) {
	t.Parallel()
	ask := network(t, httpapi.Config{Engine: newEngine(t), Mounts: []httpapi.Mount{{
		Method: "GET", Pattern: "/bug", Need: access.Need{Verb: access.Nothing},
		Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("the secret is x") }),
	}}})
	if status, body, _ := ask("GET", "/bug", ""); status != 500 || strings.Contains(body, "secret") || !strings.Contains(body, `"kind":"internal"`) {
		t.Errorf("%d %s", status, body)
	}
}

func TestReadinessSaysWhyNot(t *testing.T) {
	t.Parallel()
	ask := network(t, httpapi.Config{Engine: newEngine(t), Ready: func(context.Context) error {
		return fault.New(fault.Unavailable, "the disk is full")
	}})
	if status, body, _ := ask("GET", "/readyz", ""); status != 503 || !strings.Contains(body, "the disk is full") {
		t.Errorf("%d %s", status, body)
	}
	if status, _, _ := ask("GET", "/livez", ""); status != 200 {
		t.Errorf("%d", status)
	}
}

// TestThePageAsksNobody: the page of the interface has no script, and nothing in it leads elsewhere.
func TestThePageAsksNobody(t *testing.T) {
	t.Parallel()
	ask := network(t, httpapi.Config{Engine: newEngine(t)})
	status, page, h := ask("GET", "/docs/api", "")
	if status != 200 || !strings.Contains(page, "/v1/runs/{run}/commands") || !strings.Contains(page, "schema-Problem") {
		t.Fatalf("%d %.500s", status, page)
	}
	if strings.Contains(page, "<script") || strings.Contains(page, "http://") || strings.Contains(page, "https://") || strings.Contains(page, "style=") {
		t.Error("the page has a script, a style of its own or a way out")
	}
	if csp := h.Get("Content-Security-Policy"); !strings.HasPrefix(csp, "default-src 'none'; style-src 'self';") {
		t.Errorf("policy %q", csp)
	}
	if status, _, h := ask("GET", "/docs/api/page.css", ""); status != 200 || !strings.HasPrefix(h.Get("Content-Type"), "text/css") {
		t.Errorf("%d", status)
	}
}

// TestOnlyOurProxiesAreBelieved about who asks.
func TestOnlyOurProxiesAreBelieved(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ proxies, said, want string }{
		{"", "1.2.3.4", "127.0.0.1:"},
		{"10.0.0.0/8", "1.2.3.4", "127.0.0.1:"},
		{"127.0.0.0/8", "", "127.0.0.1"},
		{"127.0.0.0/8", "1.2.3.4", "1.2.3.4"},
		{"127.0.0.0/8", "6.6.6.6, 1.2.3.4", "1.2.3.4"},
		{"127.0.0.0/8", "1.2.3.4, 127.0.0.9", "1.2.3.4"},
		{"127.0.0.0/8", "1.2.3.4, nonsense", "127.0.0.1"},
	} {
		got := make(chan string, 1)
		conf := httpapi.Config{Engine: newEngine(t), Mounts: []httpapi.Mount{{
			Method: "GET", Pattern: "/from", Need: access.Need{Verb: access.Nothing},
			Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got <- r.RemoteAddr }),
		}}}
		if c.proxies != "" {
			conf.Proxies = []netip.Prefix{netip.MustParsePrefix(c.proxies)}
		}
		network(t, conf)("GET", "/from", "", "X-Forwarded-For", c.said)
		if from := <-got; !strings.HasPrefix(from, c.want) {
			t.Errorf("%+v: from %s", c, from)
		}
	}
}
