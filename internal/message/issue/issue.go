// Package issue makes issues of action items, on GitHub and GitLab, and keeps them as the items are: changed, done, not done
// after all.
//
// The first message of a thread makes the issue, later ones change it. A message carries its id in a comment in the text of the
// issue, so that one of which nobody knows whether it arrived is looked for before it is sent again. Texts stay texts: in them
// nobody is called and nothing is done (GitLab reads lines that begin with a slash as commands).
//
// It follows docs.github.com/rest/issues/issues (version 2022-11-28) and docs.gitlab.com/api/issues (version 4).
package issue

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/exchange"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/incident"
	"github.com/tendhq/tend/internal/message"
	"github.com/tendhq/tend/internal/secret"
)

// Where issues are kept.
const (
	GitHub = "github"
	GitLab = "gitlab"
)

// Bounds of an issue, and of a search.
const (
	maxTitle = 250
	pages    = 10
	perPage  = 100
)

// Config of a Sender.
type Config struct {
	Kind    string // GitHub or GitLab
	URL     string // of the API: https://api.github.com, https://gitlab.com/api/v4
	Project string // owner/name
	Labels  []string
	Token   secret.Value
	Call    exchange.Caller
}

// Sender keeps issues in one repository.
type Sender struct {
	c    Config
	side side
}

// side is what differs between the services.
type side interface {
	list(marker string, since time.Time, page int) string // the path of a list in which an issue with a marker is
	place() string                                        // where issues are made
	one(number int64) (method, path string)
	body(title, text string, labels []string) map[string]any
	state(done bool) map[string]any
	sign(h http.Header, token string)
}

var _ message.Sender = (*Sender)(nil)

// New makes a sender. A kind that there is not is fault.Invalid.
func New(c Config) (*Sender, error) {
	c.URL = strings.TrimRight(c.URL, "/")
	switch c.Kind {
	case GitHub:
		return &Sender{c, github{c.Project}}, nil
	case GitLab:
		return &Sender{c, gitlab{url.PathEscape(c.Project)}}, nil
	default:
		return nil, fault.New(fault.Invalid, "issues are kept on github or gitlab, not on %q", c.Kind)
	}
}

// Issue is one that is there.
type Issue struct {
	Number int64
	URL    string
}

// Map gives it as data, and From reads that.
func (i Issue) Map() map[string]any { return map[string]any{"number": i.Number, "url": i.URL} }

// From reads what Map gave, also after it was JSON.
func From(m map[string]any) Issue {
	i := Issue{}
	i.URL, _ = m["url"].(string)
	switch n := m["number"].(type) {
	case int64:
		i.Number = n
	case float64:
		i.Number = int64(n)
	}
	return i
}

// Send implements message.Sender. Remote has number and url. A message with `url` in its data is about an issue that somebody
// else made: nothing is done with it.
func (s *Sender) Send(ctx context.Context, m message.Message) message.Result {
	m = m.Bound()
	first := From(m.First)
	elsewhere, _ := m.Data["url"].(string)
	switch {
	case ctx.Err() != nil:
		return message.Not(exchange.Broken(ctx, context.Cause(ctx), s.name(), false))
	case strings.TrimSpace(m.Title) == "":
		return message.Not(exchange.Never(fault.Invalid, "%s: an issue without a title", s.name()))
	case first.Number == 0 && (elsewhere != "" || m.Step == message.Ends):
		return message.Sent(nil)
	case first.Number != 0:
		return s.change(ctx, first, m)
	}
	if m.Again {
		i, found, end := s.find(ctx, m)
		if found {
			return message.Sent(i.Map())
		}
		if !end.OK() {
			return message.Not(end)
		}
	}
	i, end := s.write(ctx, http.MethodPost, s.side.place(), s.side.body(clip(m.Title, maxTitle), text(m), s.c.Labels))
	if !end.OK() {
		return message.Not(end)
	}
	return message.Sent(i.Map())
}

// change makes the issue say what the item is now. Done twice it says the same, so that nothing about it is in doubt.
func (s *Sender) change(ctx context.Context, i Issue, m message.Message) message.Result {
	method, path := s.side.one(i.Number)
	body := s.side.state(m.Step == message.Ends)
	body["title"] = clip(m.Title, maxTitle)
	_, end := s.write(ctx, method, path, body)
	if end.Outcome == entry.InDoubt {
		end.Outcome = entry.Failed
	}
	if !end.OK() {
		return message.Not(end)
	}
	return message.Sent(i.Map())
}

func (s *Sender) name() string {
	return map[string]string{GitHub: "GitHub", GitLab: "GitLab"}[s.c.Kind]
}

// found is an issue as both services show it, by their own names.
type found struct {
	Number      int64           `json:"number"` // GitHub
	HTML        string          `json:"html_url"`
	Body        string          `json:"body"`
	Pull        json.RawMessage `json:"pull_request"`
	IID         int64           `json:"iid"` // GitLab
	Web         string          `json:"web_url"`
	Description string          `json:"description"`
}

func (f found) issue() Issue { return Issue{cmp.Or(f.Number, f.IID), cmp.Or(f.HTML, f.Web)} }

func marker(id string) string { return "<!-- tend: " + id + " -->" }

// find looks for the issue that a message made.
func (s *Sender) find(ctx context.Context, m message.Message) (Issue, bool, exchange.End) {
	for page := 1; page <= pages; page++ {
		r, end := s.do(ctx, http.MethodGet, s.side.list(m.ID, m.At.Add(-time.Minute), page), nil) // clocks differ
		if end.Outcome == entry.InDoubt {
			end.Outcome = entry.Failed // it only looked
		}
		if !end.OK() {
			return Issue{}, false, end
		}
		var list []found
		if err := r.JSON(&list); err != nil {
			return Issue{}, false, exchange.Failed(fault.Parse, "%s: %s", s.name(), err)
		}
		for _, f := range list {
			if len(f.Pull) == 0 && strings.Contains(f.Body+f.Description, marker(m.ID)) {
				return f.issue(), true, exchange.Done()
			}
		}
		if len(list) < perPage {
			return Issue{}, false, exchange.Done()
		}
	}
	return Issue{}, false, exchange.Failed(fault.Unavailable, "%s: there are too many issues to look through", s.name())
}

func (s *Sender) write(ctx context.Context, method, path string, body map[string]any) (Issue, exchange.End) {
	b, err := json.Marshal(body)
	if err != nil {
		return Issue{}, exchange.Never(fault.Invalid, "%s: what is to be sent is no JSON", s.name())
	}
	r, end := s.do(ctx, method, path, b)
	if !end.OK() {
		return Issue{}, end
	}
	var f found
	if err := r.JSON(&f); err != nil || f.issue().Number == 0 {
		return Issue{}, exchange.Doubt(fault.Parse, "%s: the answer does not say which issue it is about", s.name())
	}
	return f.issue(), end
}

func (s *Sender) do(ctx context.Context, method, path string, body []byte) (exchange.Reply, exchange.End) {
	req, err := http.NewRequestWithContext(ctx, method, s.c.URL+path, bytes.NewReader(body))
	if err != nil {
		return exchange.Reply{}, exchange.Never(fault.Invalid, "%s: the address of its API cannot be read", s.name())
	}
	req.GetBody = nil // a body that can be had again would be sent again
	req.Header.Set("User-Agent", "tend")
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	s.side.sign(req.Header, s.c.Token.Reveal())
	r, end := s.c.Call.Do(req, s.name())
	return r, s.explain(r, end)
}

// explain tells a limit from a refusal: GitHub answers 403 for both. What is missing is said with the next step.
func (s *Sender) explain(r exchange.Reply, end exchange.End) exchange.End {
	if end.OK() {
		return end
	}
	if r.Status == http.StatusForbidden && (r.Header.Get("Retry-After") != "" || r.Header.Get("X-RateLimit-Remaining") == "0") {
		end = exchange.Failed(fault.RateLimited, "%s asks to wait", s.name())
		end.After = exchange.After(r.Header, time.Now())
		if n, err := strconv.ParseInt(r.Header.Get("X-RateLimit-Reset"), 10, 64); err == nil && end.After == 0 {
			end.After = min(max(time.Until(time.Unix(n, 0)), 0), exchange.MaxAfter)
		}
		return end
	}
	switch r.Status {
	case http.StatusNotFound:
		return exchange.Failed(fault.NotFound, "%s has no repository %s that the token may write issues in", s.name(), s.c.Project)
	case http.StatusGone:
		return exchange.Failed(fault.NotFound, "%s: issues are off in %s", s.name(), s.c.Project)
	case http.StatusForbidden:
		return exchange.Failed(fault.Auth, "%s: the token may not write issues in %s", s.name(), s.c.Project)
	case http.StatusBadRequest, http.StatusUnprocessableEntity:
		return exchange.Failed(fault.Invalid, "%s does not take the issue: %s", s.name(), said(r))
	}
	return end
}

// said gives what a service says about what it does not take.
func said(r exchange.Reply) string {
	var out struct {
		Message json.RawMessage `json:"message"`
	}
	if r.JSON(&out) != nil {
		return "it does not say why"
	}
	return clip(string(out.Message), 200)
}

// text writes the text of an issue.
func text(m message.Message) string {
	var b strings.Builder
	for line := range strings.Lines(m.Text) {
		b.WriteString("> " + calm(line) + "\n")
	}
	for _, f := range m.Facts {
		b.WriteString("\n- **" + calm(f.Name) + ":** " + calm(f.Value))
	}
	for _, l := range m.Links {
		if strings.HasPrefix(l.URL, "https://") || strings.HasPrefix(l.URL, "http://") {
			b.WriteString("\n- [" + calm(cmp.Or(l.Name, l.URL)) + "](<" + strings.NewReplacer("<", "%3C", ">", "%3E", "\n", "").Replace(l.URL) + ">)")
		}
	}
	return strings.TrimSpace(b.String()) + "\n\n" + marker(m.ID) + "\n"
}

// calm escapes a line. Nobody is called by a name behind an @ that something invisible stands between.
func calm(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(incident.Escape(s), `\@`, "@"), "@", "@\u200b")
}

func clip(s string, n int) string {
	r := []rune(s)
	if len(r) <= n {
		return s
	}
	return string(r[:n-1]) + "…"
}

type github struct{ project string }

func (g github) place() string { return "/repos/" + g.project + "/issues" }

func (g github) list(_ string, since time.Time, page int) string {
	return g.place() + "?" + url.Values{
		"state": {"all"}, "sort": {"created"}, "direction": {"desc"}, "since": {since.UTC().Format(time.RFC3339)},
		"per_page": {strconv.Itoa(perPage)}, "page": {strconv.Itoa(page)},
	}.Encode()
}

func (g github) one(n int64) (method, path string) {
	return http.MethodPatch, g.place() + "/" + strconv.FormatInt(n, 10)
}

func (github) body(title, text string, labels []string) map[string]any {
	b := map[string]any{"title": title, "body": text}
	if len(labels) > 0 {
		b["labels"] = labels
	}
	return b
}

func (github) state(done bool) map[string]any {
	if done {
		return map[string]any{"state": "closed", "state_reason": "completed"}
	}
	return map[string]any{"state": "open"}
}

func (github) sign(h http.Header, token string) {
	h.Set("Authorization", "Bearer "+token)
	h.Set("Accept", "application/vnd.github+json")
	h.Set("X-GitHub-Api-Version", "2022-11-28")
}

type gitlab struct{ project string }

func (g gitlab) place() string { return "/projects/" + g.project + "/issues" }

func (g gitlab) list(id string, since time.Time, page int) string {
	return g.place() + "?" + url.Values{
		"search": {id}, "in": {"description"}, "scope": {"all"}, "created_after": {since.UTC().Format(time.RFC3339)},
		"per_page": {strconv.Itoa(perPage)}, "page": {strconv.Itoa(page)},
	}.Encode()
}

func (g gitlab) one(n int64) (method, path string) {
	return http.MethodPut, g.place() + "/" + strconv.FormatInt(n, 10)
}

func (gitlab) body(title, text string, labels []string) map[string]any {
	b := map[string]any{"title": title, "description": text}
	if len(labels) > 0 {
		b["labels"] = strings.Join(labels, ",")
	}
	return b
}

func (gitlab) state(done bool) map[string]any {
	if done {
		return map[string]any{"state_event": "close"}
	}
	return map[string]any{"state_event": "reopen"}
}

func (gitlab) sign(h http.Header, token string) { h.Set("Private-Token", token) }
