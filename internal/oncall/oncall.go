// Package oncall asks the services that keep on-call schedules who has a duty now: PagerDuty, Grafana OnCall (also as Grafana
// IRM) and Jira Service Management.
//
// A Source asks once. A Watch asks again and again, and holds the last answer for a while when the service does not give one:
// longer than that it knows nobody, because a shift may have ended, and nobody may answer by a duty that they do not have any
// more. People are named by their mail addresses, in small letters; whoever has none that the service tells is left out.
package oncall

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/tendhq/tend/internal/exchange"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/secret"
)

// Source tells who has a duty now: their mail addresses.
type Source interface {
	Now(ctx context.Context) ([]string, error)
}

// Service is what every source needs to ask.
type Service struct {
	Call exchange.Caller
	URL  string // of the API; "" is the vendor's
	// Token gives the secret that it is asked with, at each use.
	Token func(ctx context.Context) (secret.Value, error)
}

// Bounds of what is read.
const (
	maxPages  = 20
	maxPeople = 100
	patience  = 15 * time.Second // for one request
)

// ask gets a document. sign puts what identifies the asker into the request.
func (s Service) ask(ctx context.Context, to, address string, into any, sign func(*http.Request, string)) error {
	token, err := s.Token(ctx)
	if err != nil {
		return fault.Wrap(fault.Missing, err, "ask %s who is on call", to)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return fault.New(fault.Invalid, "the address of %s cannot be read", to)
	}
	r.Header.Set("User-Agent", "tend")
	r.Header.Set("Accept", "application/json")
	sign(r, token.Reveal())
	call := s.Call
	call.Timeout = patience
	reply, end := call.Do(r, to)
	if !end.OK() {
		return end.Err()
	}
	return reply.JSON(into)
}

// base is the address of an API without a slash at its end.
func (s Service) base(usual string) string {
	if s.URL != "" {
		return strings.TrimRight(s.URL, "/")
	}
	return usual
}

// add keeps an address once.
func add(people []string, mail string) []string {
	mail = strings.ToLower(strings.TrimSpace(mail))
	if mail == "" || slices.Contains(people, mail) || len(people) >= maxPeople {
		return people
	}
	return append(people, mail)
}

// PagerDuty asks for a schedule by the REST API v2 (GET /oncalls). The token is a REST API key; reading suffices.
type PagerDuty struct {
	Service

	Schedule string // P…
}

// Now implements Source.
func (p PagerDuty) Now(ctx context.Context) ([]string, error) {
	var people []string
	for page, offset := 0, 0; page < maxPages; page++ {
		var got struct {
			OnCalls []struct {
				Schedule *struct {
					ID string `json:"id"`
				} `json:"schedule"`
				User struct {
					Email string `json:"email"`
				} `json:"user"`
			} `json:"oncalls"`
			More bool `json:"more"`
		}
		q := url.Values{"schedule_ids[]": {p.Schedule}, "include[]": {"users"}, "limit": {"100"}, "offset": {strconv.Itoa(offset)}}
		err := p.ask(ctx, "PagerDuty", p.base("https://api.pagerduty.com")+"/oncalls?"+q.Encode(), &got, func(r *http.Request, token string) {
			r.Header.Set("Accept", "application/vnd.pagerduty+json;version=2")
			r.Header.Set("Authorization", "Token token="+token)
		})
		if err != nil {
			return nil, err
		}
		for _, o := range got.OnCalls {
			if o.Schedule != nil && o.Schedule.ID == p.Schedule {
				people = add(people, o.User.Email)
			}
		}
		if !got.More || len(got.OnCalls) == 0 {
			break
		}
		offset += len(got.OnCalls)
	}
	return people, nil
}

// Grafana asks Grafana OnCall, or Grafana IRM, for a schedule (GET /api/v1/schedules/ID/), and for those who are on call by it.
type Grafana struct {
	Service // its URL is that of the OnCall API, as the settings of the plugin show it

	Schedule string // S…
	Stack    string // https://acme.grafana.net: for tokens of a service account
}

// Now implements Source.
func (g Grafana) Now(ctx context.Context) ([]string, error) {
	sign := func(r *http.Request, token string) {
		r.Header.Set("Authorization", token)
		if g.Stack != "" {
			r.Header.Set("X-Grafana-URL", g.Stack)
		}
	}
	var schedule struct {
		Now []string `json:"on_call_now"`
	}
	if err := g.ask(ctx, "Grafana OnCall", g.base("")+"/api/v1/schedules/"+url.PathEscape(g.Schedule)+"/", &schedule, sign); err != nil {
		return nil, err
	}
	var people []string
	for i, id := range schedule.Now {
		if i == maxPeople {
			break
		}
		var user struct {
			Email string `json:"email"`
		}
		if err := g.ask(ctx, "Grafana OnCall", g.base("")+"/api/v1/users/"+url.PathEscape(id)+"/", &user, sign); err != nil {
			return nil, err
		}
		people = add(people, user.Email)
	}
	return people, nil
}

// Jira asks the operations API of Jira Service Management for a schedule (GET /v1/schedules/ID/on-calls?flat=true), and Jira for
// the mail addresses of the accounts. People may hide theirs: Accounts names those.
type Jira struct {
	Service

	User     string            // the mail address that the API token belongs to
	Cloud    string            // the id of the site
	Site     string            // https://acme.atlassian.net
	Schedule string            // its id
	Accounts map[string]string // account id → mail address
}

// Now implements Source.
func (j Jira) Now(ctx context.Context) ([]string, error) {
	sign := func(r *http.Request, token string) { r.SetBasicAuth(j.User, token) }
	var got struct {
		Users []string `json:"onCallUsers"`
	}
	at := j.base("https://api.atlassian.com") + "/jsm/ops/api/" + url.PathEscape(j.Cloud) + "/v1/schedules/" + url.PathEscape(j.Schedule) + "/on-calls?flat=true"
	if err := j.ask(ctx, "Jira Service Management", at, &got, sign); err != nil {
		return nil, err
	}
	var people []string
	for i, id := range got.Users {
		if i == maxPeople {
			break
		}
		if mail, ok := j.Accounts[id]; ok {
			people = add(people, mail)
			continue
		}
		var user struct {
			Active bool   `json:"active"`
			Email  string `json:"emailAddress"`
		}
		at := strings.TrimRight(j.Site, "/") + "/rest/api/3/user?" + url.Values{"accountId": {id}}.Encode()
		if err := j.ask(ctx, "Jira", at, &user, sign); err != nil {
			return nil, err
		}
		if user.Active {
			people = add(people, user.Email)
		}
	}
	return people, nil
}

// How often a Watch asks, and how long an answer holds while no other one comes.
const (
	Every = time.Minute
	Holds = 15 * time.Minute
)

// Watch holds what a source said last. It is safe for concurrent use.
type Watch struct {
	source Source

	mu     sync.Mutex
	people []string
	at     time.Time
	err    error // of the last question; nil when it was answered
}

// NewWatch makes a watch that knows nobody until it asked.
func NewWatch(s Source) *Watch { return &Watch{source: s} }

// Ask asks. When that fails, what was known stays.
func (w *Watch) Ask(ctx context.Context) error {
	began := time.Now()
	people, err := w.source.Now(ctx)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.err = err
	if err != nil {
		return err
	}
	w.people, w.at = people, began
	return nil
}

// Last tells when the service answered last (zero: never), and why it did not answer the question after that.
func (w *Watch) Last() (time.Time, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.at, w.err
}

// Who gives who has the duty, as far as is known at a time.
func (w *Watch) Who(now time.Time) []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.at.IsZero() || now.Sub(w.at) > Holds {
		return nil
	}
	return slices.Clone(w.people)
}
