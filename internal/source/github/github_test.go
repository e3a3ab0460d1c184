package github_test

import (
	"testing"
	"time"

	"github.com/tendhq/tend/internal/event"
	"github.com/tendhq/tend/internal/source/github"
	"github.com/tendhq/tend/internal/source/sourcetest"
)

func at(s string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		panic(err)
	}
	return t
}

// messages are abridged from the documentation of the service.
func messages() []sourcetest.Message {
	return []sourcetest.Message{
		{Name: "push", Header: map[string]string{"X-Github-Event": "push", "X-Github-Delivery": "72d3162e-cc78-11e3-81ab-4c9367dc0958", "Content-Type": "application/json"}, Body: `{"ref":"refs/heads/main","before":"6113728f27ae82c7b1a177c8d03f9e96e0adf246","after":"59b20b8d5c6ff8d09518454d4dd8b7b30f095ab5","repository":{"id":1,"full_name":"acme/shop","default_branch":"main"},"sender":{"login":"alice"},"head_commit":{"id":"59b2","timestamp":"2026-03-01T11:15:55Z","message":"cart: count"},"commits":[]}`, Want: []event.Event{{
			Kind: "push", Key: "72d3162e-cc78-11e3-81ab-4c9367dc0958", Group: "acme/shop/refs/heads/main", Name: "acme/shop", At: at("2026-03-01T11:15:55Z"),
			Labels: map[string]string{"event": "push", "repository": "acme/shop", "branch": "main", "sender": "alice"},
		}}},
		{Name: "workflow", Header: map[string]string{"X-Github-Event": "workflow_run", "X-Github-Delivery": "d2"}, Body: `{"action":"completed","workflow_run":{"id":9,"name":"Deploy","head_branch":"main","conclusion":"failure","updated_at":"2026-03-01T11:20:00Z"},"repository":{"full_name":"acme/shop"},"sender":{"login":"alice"}}`, Want: []event.Event{{
			Kind: "pipeline", Key: "d2", Group: "acme/shop/workflow/Deploy/main", Name: "acme/shop",
			Labels: map[string]string{"event": "workflow_run", "action": "completed", "repository": "acme/shop", "branch": "main", "sender": "alice", "conclusion": "failure"},
		}}},
		{Name: "deployment status", Header: map[string]string{"X-Github-Event": "deployment_status", "X-Github-Delivery": "d3"}, Body: `{"action":"created","deployment_status":{"state":"success"},"deployment":{"environment":"production","ref":"main","updated_at":"2026-03-01T11:20:00Z"},"repository":{"full_name":"acme/shop"}}`, Want: []event.Event{{
			Kind: "deployment", Key: "d3", Group: "acme/shop/deployment/production", Name: "acme/shop",
			Labels: map[string]string{"event": "deployment_status", "action": "created", "repository": "acme/shop", "branch": "main", "conclusion": "success", "environment": "production"},
		}}},
		{Name: "an event without a kind", Header: map[string]string{"X-Github-Event": "star", "X-Github-Delivery": "d4"}, Body: `{"action":"created","repository":{"full_name":"acme/shop"}}`, Want: []event.Event{{
			Kind: "star", Key: "d4", Group: "acme/shop/", Name: "acme/shop", Labels: map[string]string{"event": "star", "action": "created", "repository": "acme/shop"},
		}}},
		{Name: "ping", Header: map[string]string{"X-Github-Event": "ping"}, Body: `{"zen":"Keep it logically awesome.","hook_id":1}`, Want: []event.Event{}},
	}
}

func TestDecoder(t *testing.T) {
	t.Parallel()
	sourcetest.Run(t, github.Decoder{}, messages())
}

func TestRefused(t *testing.T) {
	t.Parallel()
	for _, m := range []sourcetest.Message{
		{Name: "no event", Body: "{}"},
		{Name: "a form", Header: map[string]string{"X-Github-Event": "push", "Content-Type": "application/x-www-form-urlencoded"}, Body: "payload=%7B%7D"},
	} {
		if _, err := (github.Decoder{}).Decode(m.Request()); err == nil {
			t.Errorf("%s is taken", m.Name)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, m := range messages() {
		f.Add([]byte(m.Body))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, m := range messages() {
			m.Body = string(b)
			es, _ := github.Decoder{}.Decode(m.Request())
			sourcetest.Sane(t, es)
		}
	})
}
