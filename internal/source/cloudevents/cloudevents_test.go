package cloudevents_test

import (
	"strings"
	"testing"
	"time"

	"github.com/tendhq/tend/internal/event"
	"github.com/tendhq/tend/internal/source/cloudevents"
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
		{Name: "structured", Header: map[string]string{"Content-Type": "application/cloudevents+json; charset=UTF-8"}, Body: `{"specversion":"1.0","type":"com.example.someevent","source":"/mycontext","subject":"123","id":"C234-1234-1234","time":"2026-03-01T11:31:00Z","datacontenttype":"application/json","data":{"appinfoA":"abc","appinfoB":123}}`, Want: []event.Event{{
			Kind: "cloudevent", Key: "/mycontext\x00C234-1234-1234", Group: "/mycontext/123", Name: "com.example.someevent", At: at("2026-03-01T11:31:00Z"),
			Labels: map[string]string{"type": "com.example.someevent", "source": "/mycontext", "subject": "123"},
		}}},
		{Name: "binary", Header: map[string]string{"Ce-Specversion": "1.0", "Ce-Type": "t", "Ce-Source": "/s", "Ce-Id": "1", "Ce-Traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "Content-Type": "text/plain"}, Body: "hello", Want: []event.Event{{
			Kind: "cloudevent", Key: "/s\x001", Group: "/s/", Name: "t", Labels: map[string]string{"type": "t", "source": "/s"},
			Trace: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
		}}},
		{Name: "batch", Header: map[string]string{"Content-Type": "application/cloudevents-batch+json"}, Body: `[{"specversion":"1.0","type":"t","source":"/s","id":"1","data":1},{"specversion":"1.0","type":"t","source":"/s","id":"2","data_base64":"eyJhIjoxfQ=="}]`, Want: []event.Event{
			{Kind: "cloudevent", Key: "/s\x001", Group: "/s/", Name: "t", Labels: map[string]string{"type": "t", "source": "/s"}},
			{Kind: "cloudevent", Key: "/s\x002", Group: "/s/", Name: "t", Labels: map[string]string{"type": "t", "source": "/s"}},
		}},
	}
}

func TestDecoder(t *testing.T) {
	t.Parallel()
	sourcetest.Run(t, cloudevents.Decoder{}, messages())
}

func TestProblems(t *testing.T) {
	t.Parallel()
	m := sourcetest.Message{Header: map[string]string{"Content-Type": "application/cloudevents+json"}, Body: `{"specversion":"0.3","id":"1"}`}
	_, err := cloudevents.Decoder{}.Decode(m.Request())
	if err == nil || !strings.Contains(err.Error(), "`source`") || !strings.Contains(err.Error(), "`type`") || !strings.Contains(err.Error(), "0.3") {
		t.Errorf("not all problems at once: %v", err)
	}
}

func FuzzDecode(f *testing.F) {
	for _, m := range messages() {
		f.Add([]byte(m.Body))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, m := range messages() {
			m.Body = string(b)
			es, _ := cloudevents.Decoder{}.Decode(m.Request())
			sourcetest.Sane(t, es)
		}
	})
}
