package httpapi_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/tendhq/tend/internal/engine"
	"github.com/tendhq/tend/internal/httpapi"
)

// BenchmarkListRuns measures what the interface adds to a page of a hundred runs: who asks, the filter, the encoding.
func BenchmarkListRuns(b *testing.B) {
	e := newEngine(b)
	p := compile(b, "  - {uses: approve, with: {message: sure}}\n")
	for range 200 {
		if _, err := e.Start(b.Context(), engine.Start{Program: p}); err != nil {
			b.Fatal(err)
		}
	}
	h := httpapi.Handler(httpapi.Config{Engine: e, Gate: &doorman{may: everybody}})
	for b.Loop() {
		r := httptest.NewRequest(http.MethodGet, "/v1/runs?limit=100&status=waiting", nil)
		r.Header.Set("Authorization", "Bearer ann")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != http.StatusOK {
			b.Fatal(w.Body)
		}
	}
}
