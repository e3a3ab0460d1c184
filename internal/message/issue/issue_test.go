package issue_test

import (
	"strings"
	"testing"
	"time"

	"github.com/tendhq/tend/internal/exchange"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/message"
	"github.com/tendhq/tend/internal/message/issue"
	"github.com/tendhq/tend/internal/message/issue/issuetest"
	"github.com/tendhq/tend/internal/message/messagetest"
	"github.com/tendhq/tend/internal/secret"
)

func sender(t *testing.T, kind, url, project string) *issue.Sender {
	t.Helper()
	s, err := issue.New(issue.Config{
		Kind: kind, URL: url, Project: project, Labels: []string{"incident", "tend"}, Token: secret.New(issuetest.Token), Call: exchange.Caller{Timeout: 20 * time.Second},
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func open(t *testing.T, kind string) (*issue.Sender, *issuetest.Server) {
	t.Helper()
	stand := issuetest.Start(kind)
	t.Cleanup(stand.Close)
	return sender(t, kind, stand.URL(), issuetest.Project), stand
}

func kinds(t *testing.T, f func(t *testing.T, kind string)) {
	t.Helper()
	for _, kind := range []string{issue.GitHub, issue.GitLab} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			f(t, kind)
		})
	}
}

func TestConformance(t *testing.T) {
	t.Parallel()
	kinds(t, func(t *testing.T, kind string) {
		t.Helper()
		messagetest.Run(t, messagetest.Suite{
			Open: func(t *testing.T) (message.Sender, messagetest.Stand) {
				t.Helper()
				return open(t, kind)
			},
			Away: func(t *testing.T) message.Sender {
				t.Helper()
				return sender(t, kind, "http://127.0.0.1:1", issuetest.Project)
			},
			Modes: []messagetest.Mode{
				messagetest.Limited, messagetest.Broken, messagetest.Deaf, messagetest.Cut, messagetest.Locked, messagetest.Wrong,
			},
			Once: true, Secrets: []string{issuetest.Token},
		})
	})
}

// TestLife: an item is made, changed, done, and not done after all.
func TestLife(t *testing.T) {
	t.Parallel()
	kinds(t, func(t *testing.T, kind string) {
		t.Helper()
		s, stand := open(t, kind)
		m := messagetest.Sample("msg_1")
		m.Title, m.Text = "Grow the disk", "/close\n@alice, see <img src=x onerror=1>\n# and [this](javascript:1)"
		r := s.Send(t.Context(), m)
		if !r.OK() || !strings.HasPrefix(issue.From(r.Remote).URL, "https://"+kind) {
			t.Fatalf("%+v", r)
		}
		got := stand.Issues()[0]
		if got.Title != "Grow the disk" || len(got.Labels) != 2 || got.Closed {
			t.Errorf("%+v", got)
		}
		for _, bad := range []string{"\n/close", "@alice", "see <img", "\n# "} {
			if strings.Contains("\n"+got.Text, bad) {
				t.Errorf("%q is in the text:\n%s", bad, got.Text)
			}
		}
		if !strings.Contains(got.Text, "[incident](<https://tend.example.org/incidents/inc_1>)") {
			t.Errorf("%s", got.Text)
		}
		step := func(st message.Step, title string, closed bool) {
			t.Helper()
			m := messagetest.Sample("msg_2")
			m.Step, m.Title, m.First = st, title, map[string]any{"number": float64(1), "url": "x"} // as it comes from JSON
			if r := s.Send(t.Context(), m); !r.OK() {
				t.Fatal(r.Why)
			}
			if got := stand.Issues(); len(got) != 1 || got[0].Title != title || got[0].Closed != closed {
				t.Errorf("%+v", got)
			}
		}
		step(message.Updates, "Grow the disk by half", false)
		step(message.Ends, "Grow the disk by half", true)
		step(message.Updates, "Grow it again", false)
	})
}

// TestNothingToDo: what was done before it was an issue, and what somebody else made an issue of.
func TestNothingToDo(t *testing.T) {
	t.Parallel()
	s, stand := open(t, issue.GitHub)
	m := messagetest.Sample("msg_1")
	m.Step = message.Ends
	if r := s.Send(t.Context(), m); !r.OK() || r.Remote != nil {
		t.Errorf("%+v", r)
	}
	m.Step, m.Data = message.Opens, map[string]any{"url": "https://github.example/x/1"}
	if r := s.Send(t.Context(), m); !r.OK() || r.Remote != nil {
		t.Errorf("%+v", r)
	}
	if stand.Asked() > 0 {
		t.Errorf("%d requests", stand.Asked())
	}
}

// TestFoundAmongMany: an issue whose making nobody saw is found behind a page of others.
func TestFoundAmongMany(t *testing.T) {
	t.Parallel()
	kinds(t, func(t *testing.T, kind string) {
		t.Helper()
		s, stand := open(t, kind)
		stand.Behave(messagetest.Cut)
		m := messagetest.Sample("msg_1")
		m.At = time.Now()
		if r := s.Send(t.Context(), m); r.Outcome != "in-doubt" {
			t.Fatal(r)
		}
		stand.Behave(messagetest.Good)
		for range 105 {
			other := messagetest.Sample("msg_other")
			if r := s.Send(t.Context(), other); !r.OK() {
				t.Fatal(r.Why)
			}
		}
		m.Again = true
		if r := s.Send(t.Context(), m); !r.OK() || issue.From(r.Remote).Number != 1 {
			t.Errorf("%+v", r)
		}
	})
}

// TestNotOurs: another repository is said by its name, and no kind but the two is taken.
func TestNotOurs(t *testing.T) {
	t.Parallel()
	_, stand := open(t, issue.GitHub)
	r := sender(t, issue.GitHub, stand.URL(), "shop/secret").Send(t.Context(), messagetest.Sample("msg_1"))
	if r.Kind != fault.NotFound || !r.Final() || !strings.Contains(r.Why, "shop/secret") {
		t.Errorf("%+v", r)
	}
	if _, err := issue.New(issue.Config{Kind: "jira"}); !fault.Is(err, fault.Invalid) {
		t.Error(err)
	}
}
