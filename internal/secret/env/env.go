// Package env finds secrets in the environment of the process: the secret database_password in the variable
// TEND_SECRET_DATABASE_PASSWORD.
//
// The text is exactly that of the variable; nothing is trimmed. Names that differ only in case or punctuation share a
// variable. Environments do not change while a process lives, so the version is the time at which it started.
package env

import (
	"context"
	"time"

	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/secret"
)

// Prefix is that of the variables.
const Prefix = "TEND_SECRET_"

// Provider implements secret.Provider.
type Provider struct {
	lookup  func(string) (string, bool)
	started time.Time
}

// New finds secrets by lookup, which is os.LookupEnv outside of tests. Started is when the process did.
func New(lookup func(string) (string, bool), started time.Time) *Provider {
	return &Provider{lookup: lookup, started: started.UTC()}
}

// Name implements secret.Provider.
func (*Provider) Name() string { return "env" }

// Find implements secret.Provider.
func (p *Provider) Find(_ context.Context, name string) (secret.Found, error) {
	if err := secret.CheckName(name); err != nil {
		return secret.Found{}, err
	}
	key := Prefix + secret.EnvName(name)
	text, ok := p.lookup(key)
	if !ok {
		return secret.Found{}, fault.New(fault.Missing, "the environment has no %s", key)
	}
	return secret.Found{Value: secret.New(text), Version: "process of " + p.started.Format(time.RFC3339)}, nil
}
