package app

import (
	"github.com/tendhq/tend/internal/action"
	"github.com/tendhq/tend/internal/action/remote"
	"github.com/tendhq/tend/internal/config"
)

// runners gives the places that the configuration names, each with what can be done there.
func runners(c *config.Config) map[string]func(string) (action.Action, bool) {
	out := make(map[string]func(string) (action.Action, bool), len(c.Runners))
	for name, r := range c.Runners {
		out[name] = remote.New(name, inputs(r.SSH)).Find
	}
	return out
}

// inputs are those of the action ssh that say how the host is reached.
func inputs(s *config.SSH) map[string]any {
	in := map[string]any{"host": s.Host}
	for name, text := range map[string]string{"user": s.User, "keyFile": s.Identity, "knownHosts": s.KnownHosts} {
		if text != "" {
			in[name] = text
		}
	}
	if s.Port != 0 {
		in["port"] = int64(s.Port)
	}
	if s.Jump != "" {
		in["jump"] = []any{s.Jump}
	}
	return in
}
