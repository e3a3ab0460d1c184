package httpapi_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/tendhq/tend/internal/access"
	"github.com/tendhq/tend/internal/httpapi"
)

// TestATraceGoesOn: a request takes part in the trace that it names; what is no trace begins one of its own.
func TestATraceGoesOn(t *testing.T) {
	t.Parallel()
	seen := make(chan httpapi.Trace, 1)
	ask := network(t, httpapi.Config{Engine: newEngine(t), Mounts: []httpapi.Mount{{
		Method: "GET", Pattern: "/trace", Need: access.Need{Verb: access.Nothing},
		Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { seen <- httpapi.TraceOf(r.Context()) }),
	}}})
	const id, span = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
	for _, c := range []struct {
		header string
		joins  bool
	}{
		{"00-" + id + "-" + span + "-01", true},
		{"01-" + id + "-" + span + "-01-more", true},
		{"", false},
		{"00-" + id + "-" + span + "-01-more", false},
		{"ff-" + id + "-" + span + "-01", false},
		{"00-" + strings.ToUpper(id) + "-" + span + "-01", false},
		{"00-" + strings.Repeat("0", 32) + "-" + span + "-01", false},
		{"00-" + id + "-" + strings.Repeat("0", 16) + "-01", false},
		{"00-" + id[1:] + "-" + span + "-01", false},
		{strings.Repeat("00-"+id+"-"+span+"-01", 50), false},
		{"00-4bf92f3577b34da6a3ce929d0e0e473g-" + span + "-01", false},
		{"00-" + id + "-" + span + "-1", false},
		{"traceparent: 00-" + id + "-" + span + "-01", false},
	} {
		header, joins := c.header, c.joins
		_, _, h := ask("GET", "/trace", "", "Traceparent", header)
		got := <-seen
		if joined := got.ID == id && got.Parent == span && got.Flags == "01"; joined != joins {
			t.Errorf("%q: %+v", header, got)
		}
		if len(got.ID) != 32 || len(got.Span) != 16 || got.Span == span || h.Get("Traceresponse") != got.String() {
			t.Errorf("%q: %+v, answered %q", header, got, h.Get("Traceresponse"))
		}
	}
}
