package grafana_test

import (
	"testing"
	"time"

	"github.com/tendhq/tend/internal/event"
	"github.com/tendhq/tend/internal/source/grafana"
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
		{Name: "a group", Body: `{"receiver":"tend","status":"firing","orgId":1,"alerts":[{"status":"firing","labels":{"alertname":"High memory usage","team":"blue","zone":"us-1"},"annotations":{"summary":"The system has high memory usage"},"startsAt":"2026-03-01T09:51:03.157076+02:00","endsAt":"0001-01-01T00:00:00Z","values":{"B":44.23943737541908,"C":1},"generatorURL":"https://play.grafana.org/alerting/1afz29v7z/edit","fingerprint":"c6eadffa33fcdf37","silenceURL":"https://play.grafana.org/alerting/silence/new","dashboardURL":"","panelURL":""}],"groupLabels":{},"commonLabels":{"team":"blue"},"commonAnnotations":{},"externalURL":"https://play.grafana.org/","version":"1","groupKey":"{}:{}","truncatedAlerts":0,"title":"[FIRING:1]","state":"alerting","message":"**Firing**"}`, Want: []event.Event{{
			Kind: "alert", Group: "c6eadffa33fcdf37", Name: "High memory usage", Status: event.Firing, At: at("2026-03-01T07:51:03.157076Z"),
			Labels: map[string]string{"alertname": "High memory usage", "team": "blue", "zone": "us-1"},
		}}},
	}
}

func TestDecoder(t *testing.T) {
	t.Parallel()
	sourcetest.Run(t, grafana.Decoder{}, messages())
}

func TestData(t *testing.T) {
	t.Parallel()
	es, err := grafana.Decoder{}.Decode(messages()[0].Request())
	if err != nil {
		t.Fatal(err)
	}
	if d := es[0].Data; d["title"] != "[FIRING:1]" || d["orgId"] != int64(1) || d["values"] == nil || d["status"] != "firing" {
		t.Errorf("%v", d)
	}
}

func FuzzDecode(f *testing.F) {
	for _, m := range messages() {
		f.Add([]byte(m.Body))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, m := range messages() {
			m.Body = string(b)
			es, _ := grafana.Decoder{}.Decode(m.Request())
			sourcetest.Sane(t, es)
		}
	})
}
