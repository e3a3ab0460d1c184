package pagerduty_test

import (
	"testing"
	"time"

	"github.com/tendhq/tend/internal/event"
	"github.com/tendhq/tend/internal/source/pagerduty"
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
		{Name: "triggered", Header: map[string]string{"X-Webhook-Id": "w-1"}, Body: `{"event":{"id":"01BHCPDXBQQ7GHJ","event_type":"incident.triggered","resource_type":"incident","occurred_at":"2026-03-01T11:55:15.000Z","agent":{"id":"PLH1HKV","type":"user_reference","summary":"Tenex Engineer"},"client":null,"data":{"id":"PGR0VU2","type":"incident","html_url":"https://acme.pagerduty.com/incidents/PGR0VU2","number":2,"status":"triggered","incident_key":"d3640fbd41094207a1c11e58e46b1662","title":"A little bump in the road","service":{"id":"PF9KMXH","summary":"API Service"},"urgency":"high","priority":{"id":"PSO75BM","summary":"P1"}}}}`, Want: []event.Event{{
			Kind: "incident", Key: "01BHCPDXBQQ7GHJ", Group: "PGR0VU2", Name: "A little bump in the road", Status: event.Firing, At: at("2026-03-01T11:55:15Z"),
			Labels: map[string]string{"event": "incident.triggered", "service": "API Service", "urgency": "high", "priority": "P1", "status": "triggered"},
		}}},
		{Name: "resolved", Body: `{"event":{"id":"01X","event_type":"incident.resolved","resource_type":"incident","occurred_at":"2026-03-01T11:58:15.000Z","data":{"id":"PGR0VU2","type":"incident","status":"resolved","title":"A little bump in the road"}}}`, Want: []event.Event{{
			Kind: "incident", Key: "01X", Group: "PGR0VU2", Name: "A little bump in the road", Status: event.Resolved, At: at("2026-03-01T11:58:15Z"), Until: at("2026-03-01T11:58:15Z"),
			Labels: map[string]string{"event": "incident.resolved", "status": "resolved"},
		}}},
		{Name: "a note", Body: `{"event":{"id":"01Y","event_type":"incident.annotated","resource_type":"incident","occurred_at":"2026-03-01T11:56:15.000Z","data":{"id":"PNOTE","type":"incident_note","content":"looking","incident":{"id":"PGR0VU2","type":"incident_reference"}}}}`, Want: []event.Event{{
			Kind: "incident", Key: "01Y", Group: "PGR0VU2", Name: "incident.annotated", Labels: map[string]string{"event": "incident.annotated"},
		}}},
		{Name: "ping", Body: `{"event":{"id":"01Z","event_type":"pagey.ping","resource_type":"pagey","occurred_at":"2026-03-01T11:56:15.000Z","data":{"message":"Hello from your friend Pagey!","type":"ping"}}}`, Want: []event.Event{}},
	}
}

func TestDecoder(t *testing.T) {
	t.Parallel()
	sourcetest.Run(t, pagerduty.Decoder{}, messages())
}

func FuzzDecode(f *testing.F) {
	for _, m := range messages() {
		f.Add([]byte(m.Body))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, m := range messages() {
			m.Body = string(b)
			es, _ := pagerduty.Decoder{}.Decode(m.Request())
			sourcetest.Sane(t, es)
		}
	})
}
