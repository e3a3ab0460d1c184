package jenkins_test

import (
	"testing"
	"time"

	"github.com/tendhq/tend/internal/event"
	"github.com/tendhq/tend/internal/source/jenkins"
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
		{Name: "completed", Body: `{"name":"shop","url":"job/shop/","build":{"full_url":"http://jenkins:8080/job/shop/18/","number":18,"phase":"COMPLETED","status":"FAILURE","timestamp":1772366400000,"url":"job/shop/18/","scm":{"url":"https://git.example.org/shop.git","branch":"origin/main","commit":"c6d86dc6"},"parameters":{"tier":"web"}}}`, Want: []event.Event{{
			Kind: "pipeline", Key: "shop#18#COMPLETED#1772366400000", Group: "job/shop/shop", Name: "shop", At: at("2026-03-01T12:00:00Z"),
			Labels: map[string]string{"event": "build", "job": "shop", "phase": "COMPLETED", "status": "FAILURE", "branch": "main"},
		}}},
	}
}

func TestDecoder(t *testing.T) {
	t.Parallel()
	sourcetest.Run(t, jenkins.Decoder{}, messages())
}

func FuzzDecode(f *testing.F) {
	for _, m := range messages() {
		f.Add([]byte(m.Body))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, m := range messages() {
			m.Body = string(b)
			es, _ := jenkins.Decoder{}.Decode(m.Request())
			sourcetest.Sane(t, es)
		}
	})
}
