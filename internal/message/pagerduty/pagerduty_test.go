package pagerduty_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"

	"github.com/tendhq/tend/internal/exchange"
	"github.com/tendhq/tend/internal/message"
	"github.com/tendhq/tend/internal/message/messagetest"
	"github.com/tendhq/tend/internal/message/pagerduty"
	"github.com/tendhq/tend/internal/secret"
)

const key = "planted0123456789012345678901234"

// stand follows the documentation of the Events API v2: 202, 400 with errors, 429; an alert for each dedup_key.
type stand struct {
	mu    sync.Mutex
	mode  messagetest.Mode
	got   []string // the messages that began an alert
	state map[string]string
	last  map[string]any
}

func (s *stand) Behave(m messagetest.Mode) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mode = m
}

func (s *stand) Arrived() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.got)
}

func (s *stand) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	var e struct {
		Routing string         `json:"routing_key"`
		Action  string         `json:"event_action"`
		Dedup   string         `json:"dedup_key"`
		Payload map[string]any `json:"payload"`
	}
	s.mu.Lock()
	mode := s.mode
	s.mu.Unlock()
	invalid := func(why string) {
		w.WriteHeader(http.StatusBadRequest)
		_ = json.NewEncoder(w).Encode(map[string]any{"status": "invalid event", "message": "Event object is invalid", "errors": []string{why}})
	}
	severities := []any{"critical", "error", "warning", "info"}
	switch {
	case r.URL.Path != "/v2/enqueue" || r.Method != http.MethodPost:
		w.WriteHeader(http.StatusNotFound)
		return
	case mode == messagetest.Limited:
		w.Header().Set("Retry-After", "7")
		w.WriteHeader(http.StatusTooManyRequests)
		return
	case mode == messagetest.Broken:
		w.WriteHeader(http.StatusInternalServerError)
		return
	case json.Unmarshal(body, &e) != nil:
		invalid("JSON")
		return
	case e.Routing != key || mode == messagetest.Locked:
		invalid("Invalid routing key")
		return
	case mode == messagetest.Wrong:
		invalid("'payload.summary' is too long")
		return
	case e.Action == "trigger" && (e.Payload["summary"] == "" || e.Payload["source"] == "" || !slices.Contains(severities, e.Payload["severity"])):
		invalid("'payload' is missing something")
		return
	}
	s.mu.Lock()
	if s.state == nil {
		s.state = map[string]string{}
	}
	switch e.Action {
	case "trigger":
		if open := s.state[e.Dedup]; open == "" || open == "resolve" {
			details, _ := e.Payload["custom_details"].(map[string]any)
			id, _ := details["message"].(string)
			s.got = append(s.got, id)
			s.state[e.Dedup] = e.Action
		}
		s.last = e.Payload
	default:
		if s.state[e.Dedup] != "" {
			s.state[e.Dedup] = e.Action
		}
	}
	s.mu.Unlock()
	switch mode {
	case messagetest.Deaf:
		<-r.Context().Done()
		return
	case messagetest.Cut:
		if c, _, err := http.NewResponseController(w).Hijack(); err == nil {
			_ = c.Close()
		}
		return
	default:
	}
	w.WriteHeader(http.StatusAccepted)
	_ = json.NewEncoder(w).Encode(map[string]any{"status": "success", "message": "Event processed", "dedup_key": e.Dedup})
}

func open(t *testing.T) (*pagerduty.Sender, *stand) {
	t.Helper()
	s := &stand{}
	web := httptest.NewServer(s)
	t.Cleanup(web.Close)
	return pagerduty.New(web.URL, secret.New(key), exchange.Caller{}), s
}

// unkeyed lets every message of the suite be a story of its own: those of one story are one alert.
type unkeyed struct{ message.Sender }

func TestConformance(t *testing.T) {
	t.Parallel()
	messagetest.Run(t, messagetest.Suite{
		Open: func(t *testing.T) (message.Sender, messagetest.Stand) {
			t.Helper()
			s, stand := open(t)
			return unkeyed{s}, stand
		},
		Away: func(t *testing.T) message.Sender {
			t.Helper()
			return pagerduty.New("http://127.0.0.1:1", secret.New(key), exchange.Caller{})
		},
		Modes: []messagetest.Mode{
			messagetest.Limited, messagetest.Broken, messagetest.Deaf, messagetest.Cut, messagetest.Locked, messagetest.Wrong,
		},
		Once: true, Secrets: []string{key},
	})
}

// TestStory: one alert from begin to end, however often somebody tells it.
func TestStory(t *testing.T) {
	t.Parallel()
	s, stand := open(t)
	for _, step := range []message.Step{message.Opens, message.Opens, message.Updates, message.Takes, message.Ends, message.Ends, message.Updates} {
		m := messagetest.Sample("msg_" + string(step))
		m.Step = step
		if r := s.Send(t.Context(), m); !r.OK() {
			t.Fatal(r.Why)
		}
	}
	if len(stand.got) != 1 || stand.state["inc_1"] != "resolve" || stand.last["severity"] != "critical" || stand.last["source"] != "db-1" {
		t.Errorf("%v %v %v", stand.got, stand.state, stand.last)
	}
}

func (u unkeyed) Send(ctx context.Context, m message.Message) message.Result {
	m.Key = ""
	return u.Sender.Send(ctx, m)
}
