package webhook_test

import (
	"strings"
	"testing"

	"github.com/tendhq/tend/internal/event"
	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/source/sourcetest"
	"github.com/tendhq/tend/internal/source/webhook"
)

func decoder(t testing.TB, m webhook.Mapping) *webhook.Decoder {
	t.Helper()
	d, err := webhook.New(m, expr.New(expr.Limits{}))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

var json = map[string]string{"Content-Type": "application/json"}

func TestDecoder(t *testing.T) {
	t.Parallel()
	t.Run("mapped", func(t *testing.T) {
		t.Parallel()
		sourcetest.Run(t, decoder(t, webhook.Mapping{
			Key: "$.check.id", Group: "$.check.host", Name: "{{ $.check.title }} on {{ $.check.host }}", Kind: "alert", At: "$.at", Status: "$.state",
			Firing: []string{"DOWN"}, Resolved: []string{"UP"}, Labels: map[string]string{"severity": "$.check.severity"},
		}), []sourcetest.Message{
			{Name: "down", Header: json, Body: `{"check":{"id":17,"host":"web-3","title":"Ping","severity":"page"},"state":"DOWN","at":1772366400}`, Want: []event.Event{{
				Kind: "alert", Key: "17/firing", Group: "web-3", Name: "Ping on web-3", Status: event.Firing, Labels: map[string]string{"severity": "page", "status": "DOWN"}, At: sourcetest.Noon,
			}}},
			{Name: "up", Body: `{"check":{"id":17,"host":"web-3","title":"Ping"},"state":"UP"}`},
			{Name: "neither", Body: `{"check":{"id":17,"host":"web-3"},"state":"?"}`, Want: []event.Event{{Kind: "alert", Key: "17", Group: "web-3", Name: "on web-3", Labels: map[string]string{"status": "?"}}}},
		})
	})
	t.Run("plain", func(t *testing.T) {
		t.Parallel()
		sourcetest.Run(t, decoder(t, webhook.Mapping{}), []sourcetest.Message{
			{Name: "json", Header: json, Body: `{"a":1}`},
			{Name: "a list", Body: `[1,2]`},
			{Name: "a form", Header: map[string]string{"Content-Type": "application/x-www-form-urlencoded"}, Body: "a=1&b=x+y&b=z"},
			{Name: "text", Header: map[string]string{"Content-Type": "text/plain; charset=utf-8"}, Body: "disk full on \xff web-3"},
		})
	})
	t.Run("each", func(t *testing.T) {
		t.Parallel()
		sourcetest.Run(t, decoder(t, webhook.Mapping{Each: "$.events", Key: "$.id", Name: "$.name"}), []sourcetest.Message{
			{Name: "two", Body: `{"events":[{"id":"a","name":"A"},{"id":"b","name":"B"}]}`, Want: []event.Event{
				{Kind: "webhook", Key: "a", Group: "a", Name: "A", Labels: map[string]string{}},
				{Kind: "webhook", Key: "b", Group: "b", Name: "B", Labels: map[string]string{}},
			}},
			{Name: "none", Body: `{}`, Want: []event.Event{}},
		})
	})
}

// TestForm: values of a form are texts, and several of one name a list.
func TestForm(t *testing.T) {
	t.Parallel()
	m := sourcetest.Message{Header: map[string]string{"Content-Type": "application/x-www-form-urlencoded"}, Body: "a=1&b=x+y&b=z"}
	es, err := decoder(t, webhook.Mapping{}).Decode(m.Request())
	if err != nil {
		t.Fatal(err)
	}
	if l, _ := es[0].Data["b"].([]any); es[0].Data["a"] != "1" || len(l) != 2 || l[0] != "x y" {
		t.Errorf("%v", es[0].Data)
	}
}

// TestSameBody: without a key an identical message is a repeat, and another one is not.
func TestSameBody(t *testing.T) {
	t.Parallel()
	d := decoder(t, webhook.Mapping{})
	id := func(body string) string {
		es, err := d.Decode(sourcetest.Message{Body: body}.Request())
		if err != nil || len(es) != 1 {
			t.Fatalf("%d events, %v", len(es), err)
		}
		return es[0].ID
	}
	first, again, other := id(`{"a":1}`), id(`{"a":1}`), id(`{"a":2}`)
	if first != again || first == other {
		t.Error("the body does not tell messages apart")
	}
}

// TestHostile: what is mapped stays text, and a template in data is not evaluated.
func TestHostile(t *testing.T) {
	t.Parallel()
	d := decoder(t, webhook.Mapping{Name: "$.a", Key: "$.a", Labels: map[string]string{"a": "$.a"}})
	for _, text := range sourcetest.Hostile() {
		m := sourcetest.Message{Header: map[string]string{"Content-Type": "text/plain"}, Body: text}
		es, err := decoder(t, webhook.Mapping{}).Decode(m.Request())
		if err != nil || es[0].Data["text"] != text {
			t.Errorf("%.40q did not arrive: %v", text, err)
		}
		sourcetest.Sane(t, es)
		m = sourcetest.Message{Header: map[string]string{"Content-Type": "application/x-www-form-urlencoded"}, Body: "a=" + strings.NewReplacer("%", "%25", "&", "%26", "+", "%2B", "=", "%3D", ";", "%3B").Replace(text)}
		if es, err = d.Decode(m.Request()); err != nil || es[0].Data["a"] != text {
			t.Errorf("%.40q did not arrive in the form: %v", text, err)
		}
		sourcetest.Sane(t, es)
	}
}

func TestMapping(t *testing.T) {
	t.Parallel()
	_, err := webhook.New(webhook.Mapping{Key: "check.id", Name: "{{ $.a", Firing: []string{"x"}}, expr.New(expr.Limits{}))
	if err == nil || !strings.Contains(err.Error(), "`key`") || !strings.Contains(err.Error(), "`name`") || !strings.Contains(err.Error(), "`status`") {
		t.Errorf("not all problems at once: %v", err)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"check":{"id":17},"events":[{"a":1}]}`), "application/json")
	f.Add([]byte("a=1&b=%ff"), "application/x-www-form-urlencoded")
	f.Add([]byte("\xff"), "text/plain")
	one := decoder(f, webhook.Mapping{Key: "$.check.id", Group: "$.check", Name: "{{ $.check.title }}", At: "$.at", Status: "$.state", Resolved: []string{"UP"}})
	many := decoder(f, webhook.Mapping{Each: "$.events", Key: "$.a"})
	f.Fuzz(func(t *testing.T, b []byte, media string) {
		m := sourcetest.Message{Header: map[string]string{"Content-Type": media}, Body: string(b)}
		for _, d := range []*webhook.Decoder{one, many} {
			es, _ := d.Decode(m.Request())
			sourcetest.Sane(t, es)
		}
	})
}
