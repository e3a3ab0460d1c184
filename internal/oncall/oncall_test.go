package oncall_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/oncall"
	"github.com/tendhq/tend/internal/secret"
)

// The stand-ins follow the documents of the services, as of 2026:
// developer.pagerduty.com (GET /oncalls, REST API v2), grafana.com/docs/grafana-cloud (OnCall API, schedules and users),
// developer.atlassian.com (Jira Service Management ops, schedule on-calls; Jira platform v3, user).

func serve(t *testing.T, routes map[string]http.HandlerFunc) string {
	t.Helper()
	mux := http.NewServeMux()
	for p, h := range routes {
		mux.HandleFunc("GET "+p, h)
	}
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s.URL
}

func service(url string) oncall.Service {
	return oncall.Service{URL: url, Token: func(context.Context) (secret.Value, error) { return secret.New("t0ken"), nil }}
}

func answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v)
}

func TestPagerDuty(t *testing.T) {
	t.Parallel()
	person := func(schedule, mail string) map[string]any {
		o := map[string]any{"user": map[string]any{"id": "PU", "type": "user", "email": mail}, "escalation_level": 1, "start": nil, "end": nil, "schedule": nil}
		if schedule != "" {
			o["schedule"] = map[string]any{"id": schedule, "type": "schedule_reference"}
		}
		return o
	}
	url := serve(t, map[string]http.HandlerFunc{"/oncalls": func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		switch {
		case r.Header.Get("Authorization") != "Token token=t0ken":
			w.WriteHeader(http.StatusUnauthorized)
		case r.Header.Get("Accept") != "application/vnd.pagerduty+json;version=2" || q.Get("schedule_ids[]") != "PSCHED" || q.Get("include[]") != "users":
			w.WriteHeader(http.StatusBadRequest)
		case q.Get("offset") == "0":
			answer(w, map[string]any{"oncalls": []any{person("PSCHED", "Ann@example.org"), person("", "boss@example.org"), person("POTHER", "kim@example.org")}, "limit": 3, "offset": 0, "more": true})
		default:
			answer(w, map[string]any{"oncalls": []any{person("PSCHED", "ann@example.org"), person("PSCHED", "bob@example.org")}, "limit": 3, "offset": 3, "more": false})
		}
	}})
	got, err := oncall.PagerDuty{Service: service(url), Schedule: "PSCHED"}.Now(t.Context())
	if err != nil || !slices.Equal(got, []string{"ann@example.org", "bob@example.org"}) {
		t.Error(got, err)
	}
	if _, err := (oncall.PagerDuty{Service: service(url), Schedule: "PNONE"}).Now(t.Context()); err == nil {
		t.Error("a schedule that is not there")
	}
}

func TestGrafana(t *testing.T) {
	t.Parallel()
	known := func(h http.HandlerFunc) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Authorization") != "t0ken" || r.Header.Get("X-Grafana-URL") != "https://acme.grafana.net" {
				w.WriteHeader(http.StatusForbidden)
				return
			}
			h(w, r)
		}
	}
	url := serve(t, map[string]http.HandlerFunc{
		"/oncall/api/v1/schedules/SBM7/": known(func(w http.ResponseWriter, _ *http.Request) {
			answer(w, map[string]any{"id": "SBM7", "name": "web", "type": "web", "on_call_now": []any{"U1", "U2"}})
		}),
		"/oncall/api/v1/users/{id}/": known(func(w http.ResponseWriter, r *http.Request) {
			answer(w, map[string]any{"id": r.PathValue("id"), "email": strings.ToLower(r.PathValue("id")) + "@example.org", "username": "x"})
		}),
	})
	g := oncall.Grafana{Service: service(url + "/oncall/"), Schedule: "SBM7", Stack: "https://acme.grafana.net"}
	if got, err := g.Now(t.Context()); err != nil || !slices.Equal(got, []string{"u1@example.org", "u2@example.org"}) {
		t.Error(got, err)
	}
	g.Stack = ""
	if _, err := g.Now(t.Context()); err == nil || strings.Contains(err.Error(), "t0ken") {
		t.Error(err)
	}
}

func TestJira(t *testing.T) {
	t.Parallel()
	known := func(h http.HandlerFunc) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if user, token, ok := r.BasicAuth(); !ok || user != "bot@example.org" || token != "t0ken" {
				w.WriteHeader(http.StatusUnauthorized)
				return
			}
			h(w, r)
		}
	}
	url := serve(t, map[string]http.HandlerFunc{
		"/jsm/ops/api/c1/v1/schedules/s1/on-calls": known(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Query().Get("flat") != "true" {
				answer(w, map[string]any{"onCallParticipants": []any{map[string]any{"id": "1", "type": "team"}}})
				return
			}
			answer(w, map[string]any{"onCallUsers": []any{"a1", "a2", "a3", "a4"}})
		}),
		"/rest/api/3/user": known(func(w http.ResponseWriter, r *http.Request) {
			id := r.URL.Query().Get("accountId")
			answer(w, map[string]any{"accountId": id, "active": id != "a3", "emailAddress": map[string]string{"a1": "Ann@example.org", "a3": "gone@example.org"}[id]})
		}),
	})
	j := oncall.Jira{Service: service(url), User: "bot@example.org", Cloud: "c1", Site: url, Schedule: "s1", Accounts: map[string]string{"a4": "dora@example.org"}}
	if got, err := j.Now(t.Context()); err != nil || !slices.Equal(got, []string{"ann@example.org", "dora@example.org"}) {
		t.Error(got, err)
	}
	j.User = "eve@example.org"
	if _, err := j.Now(t.Context()); err == nil {
		t.Error("somebody else's token")
	}
}

// TestFailures: what is no answer is an error, and never an empty one.
func TestFailures(t *testing.T) {
	t.Parallel()
	var mode atomic.Int64
	url := serve(t, map[string]http.HandlerFunc{"/": func(w http.ResponseWriter, _ *http.Request) {
		switch m := int(mode.Load()); m {
		case 0:
			_, _ = fmt.Fprint(w, "<html>not JSON</html>")
		case http.StatusFound:
			w.Header().Set("Location", "https://elsewhere.example.org/")
			w.WriteHeader(m)
		default:
			w.WriteHeader(m)
		}
	}})
	for _, m := range []int{0, http.StatusFound, http.StatusForbidden, http.StatusNotFound, http.StatusTooManyRequests, http.StatusServiceUnavailable} {
		mode.Store(int64(m))
		for _, s := range []oncall.Source{
			oncall.PagerDuty{Service: service(url), Schedule: "P"}, oncall.Grafana{Service: service(url), Schedule: "S"}, oncall.Jira{Service: service(url), Site: url},
		} {
			if got, err := s.Now(t.Context()); err == nil {
				t.Errorf("%d of %T: %v", m, s, got)
			}
		}
	}
	gone := service(url)
	gone.Token = func(context.Context) (secret.Value, error) { return secret.Value{}, errors.New("no such secret") }
	if _, err := (oncall.PagerDuty{Service: gone}).Now(t.Context()); !fault.Is(err, fault.Missing) {
		t.Error(err)
	}
}

type said struct {
	people []string
	err    error
}

func (s *said) Now(context.Context) ([]string, error) { return s.people, s.err }

// TestWatch: the last answer holds for a while, and then nobody has the duty.
func TestWatch(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &said{people: []string{"ann@example.org"}}
		w := oncall.NewWatch(s)
		if got := w.Who(time.Now()); got != nil {
			t.Error("before it asked:", got)
		}
		if err := w.Ask(t.Context()); err != nil {
			t.Fatal(err)
		}
		s.err = errors.New("down")
		time.Sleep(oncall.Holds)
		if err := w.Ask(t.Context()); err == nil || len(w.Who(time.Now())) != 1 {
			t.Error(err, w.Who(time.Now()))
		}
		if at, err := w.Last(); err == nil || time.Since(at) != oncall.Holds {
			t.Error("the failure is not told:", at, err)
		}
		time.Sleep(time.Second)
		if got := w.Who(time.Now()); got != nil {
			t.Error("too long ago:", got)
		}
		s.err, s.people = nil, nil
		if err := w.Ask(t.Context()); err != nil || w.Who(time.Now()) != nil {
			t.Error("nobody is on call:", err, w.Who(time.Now()))
		}
		if at, err := w.Last(); err != nil || time.Since(at) != 0 {
			t.Error("it answered:", at, err)
		}
	})
}
