// Package httpapi is the HTTP interface of tend: it decodes, asks whether the asker may, calls one method, and encodes.
//
// There is one interface for two ways in. Over the socket in a data directory the kernel says who asks (the peer process);
// a process of another user is refused on every route. Over the network a Gate says it. Nothing that a request says of
// itself is believed. Every route names what it needs (access.Need) where it is registered, and there is no way to register
// one without.
//
// The contract is OpenAPI 3.1, generated from the same registrations (Document). Bodies and times are bounded. Errors are
// problem documents (RFC 9457); live streams are server-sent events that a reader resumes with Last-Event-ID.
package httpapi

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"time"

	"github.com/tendhq/tend/internal/access"
	specs "github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/engine"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/incident"
	"github.com/tendhq/tend/internal/insight"
	"github.com/tendhq/tend/internal/repeat"
	"github.com/tendhq/tend/internal/story"
	"github.com/tendhq/tend/internal/wire"
)

// Bounds of a request.
const (
	maxBody    = 1 << 20  // of most requests
	maxStart   = 64 << 20 // of a request that carries a closure and an event
	readTime   = 30 * time.Second
	answerTime = 2 * time.Minute // backups and verifications take longer and say so themselves
	stream     = -1              // a stream has no end, but each of its writes has
	keepAlive  = 15 * time.Second
)

// House is what can be asked of the data directory itself, besides its engine.
type House interface {
	// Backup writes a verified copy to path, which must not exist.
	Backup(ctx context.Context, path string) (wire.BackedUp, error)
	// Verify reads every stream.
	Verify(ctx context.Context) (wire.Verified, error)
	// MissingSecrets tells which of the named secrets cannot be found. It never gives one away.
	MissingSecrets(ctx context.Context, names []string) ([]wire.Problem, error)
}

// Mount is a handler beside the contract: metrics, a page, a hook that verifies signatures by itself.
type Mount struct {
	Method  string // "" for all
	Pattern string // of http.ServeMux, without the method
	Need    access.Need
	Body    int64 // largest body; 0: 1 MiB
	Handler http.Handler
}

// Config is what a server is made of.
type Config struct {
	Engine engine.Service
	House  House // nil: backup and verify are not offered
	Desk   Desk  // nil: there are no events and incidents here
	// Duties are what somebody is responsible for now, as groups (oncall/database), for approvals. nil: nothing.
	Duties func(p access.Principal) []string
	// Tracker says why an action item of an incident stays here and becomes no issue; "" when it becomes one. nil: nothing is said.
	Tracker func(ctx context.Context, s *incident.State) string
	// Reach tells whether somebody is called when these are, with an error that says what is missing. nil: nobody can be called.
	Reach   func(ctx context.Context, targets []string) error
	Library Library // nil: no playbooks are live here
	// Handovers are what runs hand over to people; nil: a server has it, and this is none.
	Handovers Handovers
	Governor  Governor // nil: there are no rules here but those that runs bring
	// Repositories are where playbooks come from; nil: none are live here.
	Repositories Repositories
	// Connected tells what the server is connected to, without its repositories, as a list of its own for each call; nil: no server
	// is here.
	Connected func(ctx context.Context) (*wire.Connections, error)
	// Actions are what steps can use; nil: nothing can be written here.
	Actions specs.Catalog
	// User gives the name of a user id. Peers on the socket of another user than Owner are refused.
	User  func(uid int) string
	Owner int
	// Gate decides about everybody else. nil: nobody else comes in.
	Gate Gate
	// Roll is who can sign on and what they may do; nil: a server has it, and this is none.
	Roll Roll
	// Backups is where backups go that are asked for over the network; "": they are refused.
	Backups string
	// Hosts are the names that requests over the network may be sent to, with or without a port. Empty: any.
	Hosts []string
	// Proxies are addresses of which X-Forwarded-For is believed.
	Proxies []netip.Prefix
	// Mounts are further ways in. Each names what it needs.
	Mounts []Mount
	// Answers keeps what was answered to requests with an Idempotency-Key over a restart; nil: it is remembered while this process
	// lives.
	Answers repeat.Answers
	// Ready tells why the server cannot work now: nil when it can. nil: it always can.
	Ready func(context.Context) error
	Log   *slog.Logger // nil: silent
}

type server struct {
	Config

	answers repeat.Memory
	shelf   story.Shelf
	memory  insight.Memory
	stands  standings
}

func build(c Config) *api {
	if c.Gate == nil {
		c.Gate = open{}
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Desk == nil {
		c.Desk = noDesk{}
	}
	s := &server{Config: c, answers: repeat.Memory{Kept: c.Answers, Warn: c.Log.Warn}}
	a := newAPI(s)
	s.runs(a)
	s.looks(a)
	s.lives(a)
	s.search(a)
	s.govern(a)
	s.playbooks(a)
	s.requests(a)
	s.sources(a)
	s.handovers(a)
	s.revisions(a)
	s.connections(a)
	s.drafts(a)
	s.tasks(a)
	s.events(a)
	s.inbound(a)
	s.incidents(a)
	s.messages(a)
	s.house(a)
	s.people(a)
	s.audit(a)
	s.insights(a)
	s.probes(a)
	s.pages(a)
	for _, m := range c.Mounts {
		if m.Body == 0 {
			m.Body = maxBody
		}
		a.mount(m.Need, m.Method, m.Pattern, m.Body, m.Handler)
	}
	a.finish()
	return a
}

// Handler serves the interface. Connections over the socket must come from Serve, which knows the peers.
func Handler(c Config) http.Handler {
	a := build(c)
	s := a.server
	a.mount(access.Need{Verb: access.Nothing}, "", "/", maxBody, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// Only whoever is somebody learns what there is not.
		fail(w, fault.New(fault.NotFound, "there is no %s %s", r.Method, r.URL.Path))
	}))
	return s.traced(s.outside(a.mux))
}

// Routes lists every route of a server that is made of c, but the one for everything else.
func Routes(c Config) []Route { return build(c).routes }

// Serve answers on l until ctx ends, then lets requests in flight finish for a moment and closes. Peers of a socket are
// known by their credentials; those of a network have none.
func Serve(ctx context.Context, l net.Listener, h http.Handler) error {
	base := context.WithValue(context.WithoutCancel(ctx), closingKey{}, ctx.Done())
	s := &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ConnContext:       withPeer,
		BaseContext:       func(net.Listener) context.Context { return base },
		ErrorLog:          slog.NewLogLogger(slog.DiscardHandler, slog.LevelWarn),
	}
	served := make(chan error, 1) // one value: Serve returns once
	go func() { served <- s.Serve(l) }()
	select {
	case err := <-served:
		_ = s.Close()
		return err
	case <-ctx.Done():
	}
	grace, done := context.WithTimeout(base, 2*time.Second)
	defer done()
	if err := s.Shutdown(grace); err != nil {
		_ = s.Close()
	}
	if err := <-served; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// closingKey finds the channel that closes when the server is about to: streams end then, other requests finish.
type closingKey struct{}

func closing(ctx context.Context) <-chan struct{} {
	c, _ := ctx.Value(closingKey{}).(<-chan struct{})
	return c
}
