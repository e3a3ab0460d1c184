// Package issuetest is a stand-in of the issues of GitHub and GitLab for tests. It follows their published documentation: paths,
// tokens, statuses, pages, limits. It is neither: what it does not know, it refuses.
package issuetest

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/tendhq/tend/internal/message/messagetest"
)

// Token and Project are what the stand-in knows.
const (
	Token   = "planted-issue-token"
	Project = "shop/runbooks"
)

// Issue is one that is there.
type Issue struct {
	Number int
	Title  string
	Text   string
	Labels []string
	Closed bool
	At     time.Time
}

// Server is the stand-in.
type Server struct {
	kind string
	web  *httptest.Server

	mu     sync.Mutex
	mode   messagetest.Mode
	issues []*Issue
	asked  int
}

// Start starts one of a kind, github or gitlab; Close ends it.
func Start(kind string) *Server {
	s := &Server{kind: kind, mode: messagetest.Good}
	s.web = httptest.NewServer(http.HandlerFunc(s.serve))
	return s
}

// Close ends it.
func (s *Server) Close() { s.web.Close() }

// URL is the address of its API.
func (s *Server) URL() string {
	if s.kind == "gitlab" {
		return s.web.URL + "/api/v4"
	}
	return s.web.URL
}

// Behave implements messagetest.Stand.
func (s *Server) Behave(m messagetest.Mode) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mode = m
}

var mark = regexp.MustCompile(`<!-- tend: (\S+) -->`)

// Arrived implements messagetest.Stand.
func (s *Server) Arrived() []string {
	var out []string
	for _, i := range s.Issues() {
		if m := mark.FindStringSubmatch(i.Text); m != nil {
			out = append(out, m[1])
		}
	}
	return out
}

// Issues gives what is there, in order.
func (s *Server) Issues() []Issue {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]Issue, len(s.issues))
	for i, x := range s.issues {
		out[i] = *x
	}
	return out
}

// Asked counts requests.
func (s *Server) Asked() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked
}

func (s *Server) known(r *http.Request) bool {
	if s.kind == "gitlab" {
		return r.Header.Get("Private-Token") == Token
	}
	return r.Header.Get("Authorization") == "Bearer "+Token && r.Header.Get("X-Github-Api-Version") == "2022-11-28" && r.Header.Get("User-Agent") != ""
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	s.mu.Lock()
	s.asked++
	mode := s.mode
	s.mu.Unlock()
	switch {
	case mode == messagetest.Locked || !s.known(r):
		say(w, http.StatusUnauthorized, map[string]any{"message": "Bad credentials"})
		return
	case mode == messagetest.Limited && s.kind == "github": // as for its secondary limits
		w.Header().Set("Retry-After", "7")
		say(w, http.StatusForbidden, map[string]any{"message": "You have exceeded a secondary rate limit."})
		return
	case mode == messagetest.Limited:
		w.Header().Set("Retry-After", "7")
		w.WriteHeader(http.StatusTooManyRequests)
		return
	case mode == messagetest.Broken:
		w.WriteHeader(http.StatusBadGateway)
		return
	case mode == messagetest.Wrong && r.Method != http.MethodGet:
		say(w, map[string]int{"github": http.StatusUnprocessableEntity, "gitlab": http.StatusBadRequest}[s.kind], map[string]any{"message": "Validation Failed"})
		return
	}
	status, out := s.do(r, body)
	if r.Method != http.MethodGet && mode == messagetest.Deaf {
		<-r.Context().Done()
		return
	}
	if r.Method != http.MethodGet && mode == messagetest.Cut {
		if c, _, err := http.NewResponseController(w).Hijack(); err == nil {
			_ = c.Close()
		}
		return
	}
	say(w, status, out)
}

func say(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

func (s *Server) do(r *http.Request, body []byte) (int, any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	base := "/repos/" + Project + "/issues"
	if s.kind == "gitlab" {
		base = "/api/v4/projects/" + url.PathEscape(Project) + "/issues"
	}
	rest, ok := strings.CutPrefix(r.URL.EscapedPath(), base)
	if !ok {
		return http.StatusNotFound, map[string]any{"message": "Not Found"}
	}
	in := map[string]any{}
	if len(body) > 0 {
		if err := json.Unmarshal(body, &in); err != nil {
			return http.StatusBadRequest, map[string]any{"message": "Problems parsing JSON"}
		}
	}
	number, _ := strconv.Atoi(strings.TrimPrefix(rest, "/"))
	at := slices.IndexFunc(s.issues, func(i *Issue) bool { return i.Number == number })
	change := map[string]string{"github": http.MethodPatch, "gitlab": http.MethodPut}[s.kind]
	switch {
	case rest == "" && r.Method == http.MethodGet:
		return http.StatusOK, s.list(r.URL.Query())
	case rest == "" && r.Method == http.MethodPost:
		return s.create(in)
	case at < 0:
		return http.StatusNotFound, map[string]any{"message": "Not Found"}
	case r.Method == change:
		return s.update(s.issues[at], in)
	default:
		return http.StatusMethodNotAllowed, nil
	}
}

func text(in map[string]any, name string) string {
	v, _ := in[name].(string)
	return v
}

func (s *Server) create(in map[string]any) (int, any) {
	i := &Issue{Number: len(s.issues) + 1, Title: text(in, "title"), Text: text(in, "body"), At: time.Now()}
	if s.kind == "gitlab" {
		i.Text = text(in, "description")
		if l := text(in, "labels"); l != "" {
			i.Labels = strings.Split(l, ",")
		}
	}
	if list, ok := in["labels"].([]any); ok {
		for _, l := range list {
			i.Labels = append(i.Labels, fmt.Sprint(l))
		}
	}
	if i.Title == "" || len([]rune(i.Title)) > 255 {
		return map[string]int{"github": http.StatusUnprocessableEntity, "gitlab": http.StatusBadRequest}[s.kind], map[string]any{"message": map[string]any{"title": []any{"is invalid"}}}
	}
	s.issues = append(s.issues, i)
	return http.StatusCreated, s.show(i)
}

func (s *Server) update(i *Issue, in map[string]any) (int, any) {
	if t := text(in, "title"); t != "" {
		i.Title = t
	}
	switch text(in, "state") + text(in, "state_event") {
	case "closed", "close":
		i.Closed = true
	case "open", "reopen":
		i.Closed = false
	}
	return http.StatusOK, s.show(i)
}

func (s *Server) show(i *Issue) map[string]any {
	address := fmt.Sprintf("https://%s.example/%s/issues/%d", s.kind, Project, i.Number)
	if s.kind == "gitlab" {
		return map[string]any{
			"id": 9000 + i.Number, "iid": i.Number, "title": i.Title, "description": i.Text, "web_url": address,
			"state": map[bool]string{false: "opened", true: "closed"}[i.Closed],
		}
	}
	return map[string]any{
		"id": 9000 + i.Number, "number": i.Number, "title": i.Title, "body": i.Text, "html_url": address,
		"state": map[bool]string{false: "open", true: "closed"}[i.Closed],
	}
}

// list shows a page, the newest first.
func (s *Server) list(q url.Values) []any {
	out := []any{}
	since, _ := time.Parse(time.RFC3339, q.Get("since")+q.Get("created_after"))
	for _, i := range slices.Backward(s.issues) {
		if i.At.Before(since) || s.kind == "gitlab" && !strings.Contains(i.Text, q.Get("search")) ||
			s.kind == "github" && i.Closed && q.Get("state") != "all" {
			continue
		}
		out = append(out, s.show(i))
	}
	size, _ := strconv.Atoi(q.Get("per_page"))
	page, _ := strconv.Atoi(q.Get("page"))
	from := min(max(page-1, 0)*size, len(out))
	return out[from:min(from+size, len(out))]
}
