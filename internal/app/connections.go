package app

import (
	"context"
	"crypto/x509"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/tendhq/tend/internal/action"
	"github.com/tendhq/tend/internal/action/tell"
	writing "github.com/tendhq/tend/internal/action/vault"
	"github.com/tendhq/tend/internal/config"
	"github.com/tendhq/tend/internal/exchange"
	"github.com/tendhq/tend/internal/fault"
	news "github.com/tendhq/tend/internal/message"
	"github.com/tendhq/tend/internal/message/email"
	"github.com/tendhq/tend/internal/message/pagerduty"
	tellslack "github.com/tendhq/tend/internal/message/slack"
	"github.com/tendhq/tend/internal/message/webhook"
	"github.com/tendhq/tend/internal/secret"
	"github.com/tendhq/tend/internal/secret/vault"
	"github.com/tendhq/tend/internal/slack"
)

// connections are the configured integrations. Their secrets are looked up at each use.
type connections struct {
	list    map[string]config.Integration
	secrets secret.Provider
	scopes  secret.Scopes // which runs may use which secrets

	mu    sync.Mutex
	slack map[string]*workspace // what was learnt of names and people, by integration
}

type workspace struct {
	version string
	client  *slack.Client
}

var _ tell.Connections = (*connections)(nil)

func connect(c *config.Config, secrets secret.Provider) *connections {
	return &connections{list: c.Integrations, secrets: secrets, scopes: c.Secrets.Scoped(), slack: map[string]*workspace{}}
}

// vault is the action that writes to the configured Vault.
func (c *connections) vault() action.Action {
	if c == nil {
		return writing.New(nil, nil)
	}
	return writing.New(func() writing.Engine {
		chain, _ := c.secrets.(secret.Chain)
		for _, p := range chain {
			if v, ok := p.(*vault.Provider); ok {
				return v
			}
		}
		return nil
	}, c.scopes)
}

// find gives an integration of a kind: the one of that name, or the only one.
func (c *connections) find(kind, name string) (string, config.Integration, error) {
	var names []string
	for _, n := range slices.Sorted(maps.Keys(c.list)) {
		if kind == "" || c.list[n].Kind() == kind {
			names = append(names, n)
		}
	}
	i, ok := c.list[name]
	switch {
	case name == "" && len(names) == 1:
		return names[0], c.list[names[0]], nil
	case name == "" && len(names) == 0:
		return "", i, fault.New(fault.Missing, "no integration of kind %s is configured", kind).WithNext("add it to `integrations` of the configuration")
	case name == "":
		return "", i, fault.New(fault.Missing, "there are several integrations of kind %s", kind).WithNext("name one: %s", strings.Join(names, ", "))
	case !ok:
		return "", i, fault.New(fault.Missing, "there is no integration %q", name).WithNext("add it to `integrations` of the configuration")
	case kind != "" && i.Kind() != kind:
		return "", i, fault.New(fault.Invalid, "the integration %q is of kind %s, not %s", name, i.Kind(), kind)
	}
	return name, i, nil
}

// key gives a secret of an integration.
func (c *connections) key(ctx context.Context, integration, name string) (secret.Found, error) {
	f, err := c.secrets.Find(ctx, name)
	if err != nil {
		return f, fault.Wrap(fault.Missing, err, "use the integration %s", integration)
	}
	return f, nil
}

// Slack implements tell.Connections.
func (c *connections) Slack(ctx context.Context, name string, dial tell.Dial) (*slack.Client, string, error) {
	name, i, err := c.find("slack", name)
	if err != nil {
		return nil, "", err
	}
	token, err := c.key(ctx, name, i.Slack.Token)
	if err != nil {
		return nil, "", err
	}
	return slack.New(i.Slack.URL, token.Value, exchange.Caller{Dial: dial}), i.Slack.Channel, nil
}

// team gives the client that the server itself uses, which remembers names and people while its token is the same.
func (c *connections) team(ctx context.Context, name string, dial tell.Dial) (*slack.Client, error) {
	i := c.list[name]
	token, err := c.key(ctx, name, i.Slack.Token)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	w := c.slack[name]
	if w == nil || w.version != token.Version {
		w = &workspace{token.Version, slack.New(i.Slack.URL, token.Value, exchange.Caller{Dial: dial})}
		c.slack[name] = w
	}
	return w.client, nil
}

// Sender implements tell.Connections. With kind "" it takes every integration.
func (c *connections) Sender(ctx context.Context, kind, name string, dial tell.Dial) (news.Sender, error) {
	name, i, err := c.find(kind, name)
	if err != nil {
		return nil, err
	}
	call := exchange.Caller{Dial: dial}
	switch {
	case i.Slack != nil:
		client, err := c.team(ctx, name, dial)
		if err != nil {
			return nil, err
		}
		return tellslack.New(client, i.Slack.Channel), nil
	case i.PagerDuty != nil:
		key, err := c.key(ctx, name, i.PagerDuty.Key)
		if err != nil {
			return nil, err
		}
		return pagerduty.New(i.PagerDuty.URL, key.Value, call), nil
	case i.Webhook != nil:
		key, err := c.key(ctx, name, i.Webhook.Key)
		if err != nil {
			return nil, err
		}
		return webhook.New(i.Webhook.URL, key.Value, call), nil
	case i.Email != nil:
		return c.mail(ctx, name, i.Email, dial)
	default:
		return nil, fault.New(fault.Invalid, "the integration %q connects to nothing", name)
	}
}

func (c *connections) mail(ctx context.Context, name string, e *config.Email, dial tell.Dial) (news.Sender, error) {
	m := email.Config{Host: e.Host, Port: e.Port, TLS: email.TLS(e.TLS), User: e.User, From: e.From, To: e.To, Dial: dial}
	if e.Password != "" {
		f, err := c.key(ctx, name, e.Password)
		if err != nil {
			return nil, err
		}
		m.Password = f.Value
	}
	if e.CA != "" {
		pem, err := os.ReadFile(e.CA)
		if err != nil {
			return nil, fault.Wrap(fault.Missing, err, "read the certificates of the integration %s", name)
		}
		m.Roots = x509.NewCertPool()
		if !m.Roots.AppendCertsFromPEM(pem) {
			return nil, fault.New(fault.Invalid, "%s holds no certificate", fmt.Sprintf("%.200s", e.CA))
		}
	}
	return email.New(m), nil
}
