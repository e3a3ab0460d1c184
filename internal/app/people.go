package app

import (
	"context"
	"net"
	"time"

	"github.com/tendhq/tend/internal/config"
	"github.com/tendhq/tend/internal/identity"
	"github.com/tendhq/tend/internal/secret"
)

// openPeople opens who may ask a server. On a loopback address the first start makes a token that
// is good for one sign-on as admin.
func (s *server) openPeople(ctx context.Context, w *owned) error {
	c := s.Config
	var issuers []identity.Issuer
	for _, i := range c.SignOn.Issuers {
		x := identity.Issuer{
			Name: i.Name, URL: i.URL, ClientID: i.ClientID, Scopes: i.Scopes, Audiences: i.Audiences, Domains: i.Domains, Workload: i.Workload,
			Claims: identity.Claims{ID: i.Claims.ID, Name: i.Claims.Name, Groups: i.Claims.Groups},
		}
		if i.ClientSecret != "" {
			x.Secret = func() (secret.Value, error) {
				found, err := w.secrets.Find(context.WithoutCancel(ctx), i.ClientSecret)
				return found.Value, err
			}
		}
		issuers = append(issuers, x)
	}
	var err error
	s.people, err = identity.Open(ctx, identity.Config{
		Ledger: w.desk.ledger, Policy: c.Policy(), Issuers: issuers, URL: c.URL, Log: s.log,
		Session: time.Duration(c.SignOn.Session), Longest: time.Duration(c.SignOn.Longest),
	})
	if err != nil {
		return err
	}
	if host, _, err := net.SplitHostPort(c.Listen); err == nil && config.Loopback(host) {
		s.setup, err = s.people.Setup(ctx)
		return err
	}
	return nil
}
