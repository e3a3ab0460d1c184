package httpapi

import (
	"cmp"
	"context"
	"crypto/sha256"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tendhq/tend/internal/access"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/wire"
)

func (s *server) connections(a *api) {
	add(a, access.Need{Verb: access.View, Kind: "integration"}, http.MethodGet, "/v1/integrations", about{
		id: "listIntegrations", tag: "server", summary: "What the server is connected to, how it stands, and what to do about it",
		text: "Sources of events, channels, integrations, runners, duties and repositories, as far as the asker may look at their projects. " +
			"It is what the server knows: nobody is asked for it but whoever keeps secrets, whether they are there. None is given away.",
	}, s.listIntegrations)
}

// standings tells live streams when a connection stands otherwise than before: most of that is committed nowhere.
type standings struct {
	mu  sync.Mutex
	at  time.Time
	sum [sha256.Size]byte
	n   uint64

	known bool // sum is of something
}

// watchEvery is how often connections are looked at while somebody has a page open.
const watchEvery = 5 * time.Second

// standing gives a number that is another one when a connection stands otherwise. Whoever comes first looks, for all; the others
// do not wait.
func (s *server) standing(ctx context.Context, before uint64) uint64 {
	w := &s.stands
	if s.Connected == nil || !w.mu.TryLock() {
		return before
	}
	defer w.mu.Unlock()
	if time.Since(w.at) < watchEvery {
		return w.n
	}
	w.at = time.Now()
	c, err := s.Connected(ctx)
	if err != nil {
		return w.n // the page that asks is told
	}
	if sum := sha256.Sum256([]byte(s.stand(c))); sum != w.sum {
		if w.known {
			w.n++
		}
		w.sum, w.known = sum, true
	}
	return w.n
}

// now gives the number as it was found last.
func (w *standings) now() uint64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.n
}

// stand says how everything that is connected stands.
func (s *server) stand(c *wire.Connections) string {
	var b strings.Builder
	add := func(kind, name string, t *wire.Trouble, more ...any) {
		if t == nil {
			t = new(wire.Trouble)
		}
		fmt.Fprintf(&b, "%q %q %q %q %v\n", kind, name, t.Grade, t.Text, more)
	}
	for i := range c.Sources {
		add("source", c.Sources[i].Name, c.Sources[i].Trouble)
	}
	for i := range c.Integrations {
		x := &c.Integrations[i]
		add("integration", x.Repository+"/"+x.Environment+"/"+x.Name, x.Trouble, x.Secrets)
	}
	for i := range c.Channels {
		add("channel", c.Channels[i].Name, c.Channels[i].Trouble, c.Channels[i].Waiting)
	}
	for i := range c.Duties {
		add("duty", c.Duties[i].Name, c.Duties[i].Trouble, c.Duties[i].People)
	}
	for i := range c.Runners {
		add("runner", c.Runners[i].Name, c.Runners[i].Trouble)
	}
	if s.Repositories != nil {
		for _, r := range s.Repositories.Status() {
			x := wire.NewRepository(&r)
			add("repository", x.Name, x.Trouble())
		}
	}
	return b.String()
}

type connectionsOutput struct{ Body wire.Connections }

func (s *server) listIntegrations(ctx context.Context, _ *struct{}) (*connectionsOutput, error) {
	if s.Connected == nil {
		return nil, fault.New(fault.Unavailable, "no server drives this data directory: what it is connected to is a server's").WithNext("tend serve")
	}
	out, err := s.Connected(ctx)
	if err != nil {
		return nil, err
	}
	sight := s.sight(ctx)
	sees := func(project string) bool { return sight.Sees(cmp.Or(project, home), nil) }
	out.Sources = slices.DeleteFunc(out.Sources, func(x wire.Source) bool { return !sees(x.Project) })
	out.Integrations = slices.DeleteFunc(out.Integrations, func(x wire.Integration) bool { return x.Repository != "" && !sees(x.Project) })
	out.Channels = slices.DeleteFunc(out.Channels, func(x wire.Channel) bool { return len(x.Projects) > 0 && !slices.ContainsFunc(x.Projects, sees) })
	out.Repositories = []wire.ConnectedRepository{}
	if s.Repositories != nil {
		for _, r := range s.Repositories.Status() {
			if x := wire.NewRepository(&r); sees(x.Project) {
				out.Repositories = append(out.Repositories, x.Connected())
			}
		}
	}
	return &connectionsOutput{*out}, nil
}
