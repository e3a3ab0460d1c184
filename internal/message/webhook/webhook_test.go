package webhook_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/tendhq/tend/internal/exchange"
	"github.com/tendhq/tend/internal/message"
	"github.com/tendhq/tend/internal/message/messagetest"
	"github.com/tendhq/tend/internal/message/webhook"
	"github.com/tendhq/tend/internal/secret"
	"github.com/tendhq/tend/internal/signature"
)

const key = "whsec_cGxhbnRlZC13ZWJob29rLWtleS0wMDAx"

// receiver follows the standard: it verifies what it reads, and takes an id once.
type receiver struct {
	t    *testing.T
	mu   sync.Mutex
	mode messagetest.Mode
	got  []string
	last map[string]any
}

func (r *receiver) Behave(m messagetest.Mode) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.mode = m
}

func (r *receiver) Arrived() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.got)
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return
	}
	r.mu.Lock()
	mode := r.mode
	r.mu.Unlock()
	if mode == messagetest.Locked {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	d, err := signature.Verify(signature.Standard, req.Header.Get, body, []secret.Value{secret.New(key)}, time.Now())
	if err != nil {
		r.t.Errorf("the signature: %v", err)
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	switch mode {
	case messagetest.Limited:
		w.Header().Set("Retry-After", "7")
		w.WriteHeader(http.StatusTooManyRequests)
		return
	case messagetest.Broken:
		w.WriteHeader(http.StatusInternalServerError)
		return
	case messagetest.Wrong:
		w.WriteHeader(http.StatusBadRequest)
		return
	default:
	}
	r.mu.Lock()
	if !slices.Contains(r.got, d.ID) {
		r.got = append(r.got, d.ID)
	}
	r.last = nil
	_ = json.Unmarshal(body, &r.last)
	r.mu.Unlock()
	switch mode {
	case messagetest.Deaf:
		<-req.Context().Done()
	case messagetest.Cut:
		if c, _, err := http.NewResponseController(w).Hijack(); err == nil {
			_ = c.Close()
		}
	default:
	}
}

func open(t *testing.T) (*webhook.Sender, *receiver) {
	t.Helper()
	r := &receiver{t: t}
	web := httptest.NewServer(r)
	t.Cleanup(web.Close)
	return webhook.New(web.URL+"/planted-path", secret.New(key), exchange.Caller{}), r
}

func TestConformance(t *testing.T) {
	t.Parallel()
	messagetest.Run(t, messagetest.Suite{
		Open: func(t *testing.T) (message.Sender, messagetest.Stand) {
			t.Helper()
			return open(t)
		},
		Away: func(t *testing.T) message.Sender {
			t.Helper()
			return webhook.New("http://127.0.0.1:1/", secret.New(key), exchange.Caller{})
		},
		Modes: []messagetest.Mode{
			messagetest.Limited, messagetest.Broken, messagetest.Deaf, messagetest.Cut, messagetest.Locked, messagetest.Wrong,
		},
		Once: true, Secrets: []string{key, key[6:], "planted-path"},
	})
}

// TestForm: what other programs read.
func TestForm(t *testing.T) {
	t.Parallel()
	s, r := open(t)
	if got := s.Send(t.Context(), messagetest.Sample("msg_1")); !got.OK() {
		t.Fatal(got.Why)
	}
	data, _ := r.last["data"].(map[string]any)
	details, _ := data["details"].(map[string]any)
	if r.last["type"] != "incident.opens" || r.last["timestamp"] != "2026-03-01T03:00:00Z" || data["key"] != "inc_1" || details["incident"] != "inc_1" {
		t.Errorf("%v", r.last)
	}
}
