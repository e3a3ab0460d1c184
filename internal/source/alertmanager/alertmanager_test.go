package alertmanager_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tendhq/tend/internal/event"
	"github.com/tendhq/tend/internal/source"
	"github.com/tendhq/tend/internal/source/alertmanager"
	"github.com/tendhq/tend/internal/source/sourcetest"
)

// message is what Alertmanager 0.25 posts for a group in which one alert fires and one is over.
const message = `{"receiver":"tend","status":"firing","alerts":[
{"status":"firing","labels":{"alertname":"DiskFilling","instance":"web-3:9100","severity":"page"},"annotations":{"summary":"Disk of web-3 is 93% full"},"startsAt":"2026-03-01T11:58:33.372Z","endsAt":"0001-01-01T00:00:00Z","generatorURL":"http://prometheus:9090/graph?g0.expr=x","fingerprint":"c6c2b2e1a4f0d1aa"},
{"status":"resolved","labels":{"alertname":"DiskFilling","instance":"web-4:9100","severity":"page"},"annotations":{},"startsAt":"2026-03-01T11:00:33.372Z","endsAt":"2026-03-01T11:30:33.372Z","generatorURL":"http://prometheus:9090/graph?g0.expr=x","fingerprint":"0102030405060708"}],
"groupLabels":{"alertname":"DiskFilling"},"commonLabels":{"alertname":"DiskFilling","severity":"page"},"commonAnnotations":{},"externalURL":"http://alertmanager:9093","version":"4","groupKey":"{}:{alertname=\"DiskFilling\"}","truncatedAlerts":0}`

func at(s string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		panic(err)
	}
	return t
}

func TestDecoder(t *testing.T) {
	t.Parallel()
	sourcetest.Run(t, alertmanager.Decoder{}, []sourcetest.Message{
		{Name: "a group", Body: message, Want: []event.Event{
			{
				Kind: "alert", Key: "c6c2b2e1a4f0d1aa/2026-03-01T11:58:33.372Z/firing", Group: "c6c2b2e1a4f0d1aa", Name: "DiskFilling", Status: event.Firing,
				Labels: map[string]string{"alertname": "DiskFilling", "instance": "web-3:9100", "severity": "page"}, At: at("2026-03-01T11:58:33.372Z"),
			},
			{
				Kind: "alert", Key: "0102030405060708/2026-03-01T11:00:33.372Z/resolved", Group: "0102030405060708", Name: "DiskFilling", Status: event.Resolved,
				Labels: map[string]string{"alertname": "DiskFilling", "instance": "web-4:9100", "severity": "page"}, At: at("2026-03-01T11:00:33.372Z"), Until: at("2026-03-01T11:30:33.372Z"),
			},
		}},
		{Name: "without fingerprints", Body: strings.ReplaceAll(message, `"fingerprint"`, `"other"`)},
		{Name: "empty", Body: `{"version":"4","alerts":[]}`, Want: []event.Event{}},
	})
}

// TestData: a playbook finds the alert's own fields, and those of its notification.
func TestData(t *testing.T) {
	t.Parallel()
	es, err := alertmanager.Decoder{}.Decode(sourcetest.Message{Body: message}.Request())
	if err != nil {
		t.Fatal(err)
	}
	d := es[1].Data
	for k, want := range map[string]any{"status": "resolved", "fingerprint": "0102030405060708", "receiver": "tend", "externalURL": "http://alertmanager:9093", "endsAt": "2026-03-01T11:30:33.372Z"} {
		if d[k] != want {
			t.Errorf("%s is %v, not %v", k, d[k], want)
		}
	}
	if l, _ := d["commonLabels"].(map[string]any); l["severity"] != "page" {
		t.Errorf("commonLabels: %v", d["commonLabels"])
	}
}

// TestProblems: what can be read is, and every mistake is named with its place.
func TestProblems(t *testing.T) {
	t.Parallel()
	body := strings.Replace(message, `"status":"resolved"`, `"status":"over"`, 1)
	es, err := alertmanager.Decoder{}.Decode(sourcetest.Message{Body: body}.Request())
	if len(es) != 1 || err == nil || !strings.Contains(err.Error(), "alerts[1].status") || !strings.Contains(err.Error(), `"over"`) {
		t.Errorf("%d events, %v", len(es), err)
	}
	if _, err := (alertmanager.Decoder{}).Decode(sourcetest.Message{Body: `{"version":"5","alerts":[]}`}.Request()); err == nil {
		t.Error("an unknown version is taken")
	}
	many := `{"version":"4","alerts":[` + strings.Repeat("0,", source.MaxEvents) + "0]}"
	if _, err := (alertmanager.Decoder{}).Decode(sourcetest.Message{Body: many}.Request()); err == nil || !strings.Contains(err.Error(), "smaller batches") && !strings.Contains(err.Error(), "more than") {
		t.Errorf("too many: %v", err)
	}
}

// TestHostile: texts arrive as they were sent, wherever they stand.
func TestHostile(t *testing.T) {
	t.Parallel()
	for _, text := range sourcetest.Hostile() {
		q, err := json.Marshal(text)
		if err != nil {
			t.Fatal(err)
		}
		body := fmt.Sprintf(`{"version":"4","alerts":[{"status":"firing","labels":{"alertname":%s,"x":%s},"annotations":{"a":%s},"startsAt":"2026-03-01T11:58:33Z","fingerprint":%s}]}`, q, q, q, q)
		es, err := alertmanager.Decoder{}.Decode(sourcetest.Message{Body: body}.Request())
		if err != nil {
			t.Errorf("%.40q: %v", text, err)
			continue
		}
		sourcetest.Sane(t, es)
		n := 0
		for _, s := range sourcetest.Texts(es[0].Data) {
			if s == text {
				n++
			}
		}
		if n != 4 {
			t.Errorf("%.40q arrived %d times", text, n)
		}
	}
}

func TestListed(t *testing.T) {
	t.Parallel()
	list := `[{"annotations":{},"endsAt":"2026-03-01T12:04:00.000Z","fingerprint":"aa","receivers":[{"name":"tend"}],"startsAt":"2026-03-01T11:00:00.000Z","status":{"inhibitedBy":[],"silencedBy":[],"state":"active"},"updatedAt":"2026-03-01T12:00:00.000Z","labels":{"alertname":"A"}},
{"fingerprint":"bb","startsAt":"2026-03-01T11:00:00.000Z","status":{"inhibitedBy":[],"silencedBy":["x"],"state":"suppressed"},"labels":{"alertname":"B"}}]`
	r := sourcetest.Message{Body: list}.Request()
	es, quiet, err := alertmanager.Listed(r)
	if err != nil || len(es) != 1 || !slices.Equal(quiet, []string{"bb"}) || es[0].Group != "aa" || es[0].Status != event.Firing {
		t.Fatalf("%+v, %v", es, err)
	}
	sourcetest.Sane(t, es)
	// The same alert over the webhook is the same event.
	hook := `{"version":"4","alerts":[{"status":"firing","labels":{"alertname":"A"},"startsAt":"2026-03-01T11:00:00Z","fingerprint":"aa"}]}`
	ws, err := alertmanager.Decoder{}.Decode(sourcetest.Message{Body: hook}.Request())
	if err != nil || ws[0].ID != es[0].ID {
		t.Errorf("pulled %s, posted %s: %v", es[0].ID, ws[0].ID, err)
	}
	gone := alertmanager.Gone(r, es[0], at("2026-03-01T12:03:59Z"))
	if gone.Status != event.Resolved || gone.ID == es[0].ID || gone.Group != "aa" || gone.Data["gone"] != true || es[0].Data["gone"] != nil {
		t.Errorf("%+v", gone)
	}
	if !slices.Contains([]any{"resolved"}, gone.Data["status"]) {
		t.Errorf("its data say %v", gone.Data["status"])
	}
	// Nobody ended it, and its time is over: nothing measures it any more.
	lost := alertmanager.Gone(r, es[0], at("2026-03-01T12:04:00Z"))
	if lost.Status != event.Vanished || lost.ID == gone.ID || lost.Data["status"] != "vanished" {
		t.Errorf("%+v", lost)
	}
	if _, _, err := alertmanager.Listed(sourcetest.Message{Body: `{"a":1}`}.Request()); err == nil {
		t.Error("an object is no list")
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(message))
	f.Add([]byte(`{"alerts":[{"status":"firing","startsAt":-1}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		es, _ := alertmanager.Decoder{}.Decode(sourcetest.Message{Body: string(b)}.Request())
		sourcetest.Sane(t, es)
		es, _, _ = alertmanager.Listed(sourcetest.Message{Body: string(b)}.Request())
		sourcetest.Sane(t, es)
	})
}
