package httpapi

import (
	"net/http"

	"github.com/tendhq/tend/internal/access"
)

// probes are what a machine asks before it knows anybody: whether the server lives, whether it can work, and the contract.
func (s *server) probes(a *api) {
	free := access.Need{Verb: access.Nothing}
	a.mount(free, http.MethodGet, "/livez", 0, plain(func(*http.Request) error { return nil }))
	a.mount(free, http.MethodGet, "/readyz", 0, plain(func(r *http.Request) error {
		if s.Ready == nil {
			return nil
		}
		return s.Ready(r.Context())
	}))
	a.mount(free, http.MethodGet, "/openapi.json", 0, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/vnd.oai.openapi+json;version=3.1")
		_, _ = w.Write(a.document())
	}))
}

// plain answers ok, or with the problem.
func plain(check func(*http.Request) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := check(r); err != nil {
			fail(w, err)
			return
		}
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = w.Write([]byte("ok\n"))
	})
}
