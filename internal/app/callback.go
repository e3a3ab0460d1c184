package app

import (
	"net/http"
	"net/url"

	"github.com/tendhq/tend/internal/access"
	"github.com/tendhq/tend/internal/httpapi"
	"github.com/tendhq/tend/internal/intake"
	"github.com/tendhq/tend/internal/seal"
)

// calledBack makes the addresses that playbooks hand to services, and answers at them. Without a configured `url` others find
// the server where it listens, unless that is every address.
func (s *server) calledBack(key seal.Key) *intake.Callbacks {
	at := s.Config.URL
	if at == "" {
		if u, err := url.Parse(s.address); err == nil && u.Hostname() != "::" && u.Hostname() != "0.0.0.0" {
			at = s.address
		}
	}
	return &intake.Callbacks{URL: at, Key: key, Log: s.log}
}

// callbackMounts are the ways in. GET has one of its own: what looks at a link must not be told that it is a page, and must
// not use it up.
func callbackMounts(w *owned) []httpapi.Mount {
	w.callbacks.Engine = w.engine
	var out []httpapi.Mount
	for _, method := range []string{http.MethodPost, http.MethodGet} {
		out = append(out, httpapi.Mount{
			Method: method, Pattern: intake.CallbackPattern, Need: access.Need{Verb: access.Nothing}, Handler: w.callbacks,
		})
	}
	return out
}
