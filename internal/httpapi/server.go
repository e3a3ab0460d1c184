// Package httpapi is the HTTP interface of an engine: it decodes, calls one method, and encodes.
//
// It is served on the socket in a data directory. Who asks is known from the socket itself (the credentials of the peer
// process), never from the request: a process of another user is refused on every route. Bodies and times are bounded.
// Errors are problem documents (RFC 9457); live streams are server-sent events that a reader resumes with Last-Event-ID.
package httpapi

import (
	"context"
	"errors"
	"net"
	"net/http"
	"time"

	"github.com/tendhq/tend/internal/engine"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/wire"
)

// Bounds of a request.
const (
	maxBody    = 1 << 20  // of most requests
	maxStart   = 64 << 20 // of a request that carries a closure and an event
	readTime   = 30 * time.Second
	answerTime = 2 * time.Minute // backups and verifications take longer and say so themselves
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

// Config is what a server is made of.
type Config struct {
	Engine engine.Service
	House  House // nil: backup and verify are not offered
	// User gives the name of a user id. Peers of another user than Owner are refused.
	User  func(uid int) string
	Owner int
}

// Handler serves the interface. Its connections must come from Serve, which knows the peers.
func Handler(c Config) http.Handler {
	s := &server{Config: c}
	mux := http.NewServeMux()
	for _, r := range s.routes() {
		mux.Handle(r.method+" "+r.pattern, s.bound(r))
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		fail(w, fault.New(fault.NotFound, "there is no %s %s", r.Method, r.URL.Path))
	})
	return s.guard(mux)
}

// Serve answers on l until ctx ends, then lets requests in flight finish for a moment and closes.
func Serve(ctx context.Context, l net.Listener, h http.Handler) error {
	base := context.WithValue(context.WithoutCancel(ctx), closingKey{}, ctx.Done())
	s := &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ConnContext:       withPeer,
		BaseContext:       func(net.Listener) context.Context { return base },
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

type server struct{ Config }

// route is one line of the route table.
type route struct {
	method  string
	pattern string
	body    int64         // largest body
	time    time.Duration // longest answer; 0: a stream, bounded by its writes
	serve   func(w http.ResponseWriter, r *http.Request) error
}

// routes is the route table: there is no other way in.
func (s *server) routes() []route {
	return []route{
		{"POST", "/v1/runs", maxStart, answerTime, s.startRun},
		{"GET", "/v1/runs", 0, answerTime, s.listRows("run")},
		{"GET", "/v1/runs/{run}", 0, answerTime, s.showRow("run")},
		{"GET", "/v1/runs/{run}/program", 0, answerTime, s.program},
		{"GET", "/v1/runs/{run}/entries", 0, answerTime, s.entries("run/")},
		{"GET", "/v1/runs/{run}/follow", 0, 0, s.follow},
		{"GET", "/v1/runs/{run}/blobs/{blob}", 0, answerTime, s.blob},
		{"POST", "/v1/runs/{run}/commands", maxBody, answerTime, s.command},
		{"GET", "/v1/tasks", 0, answerTime, s.listRows("task")},
		{"GET", "/v1/tasks/{run}", 0, answerTime, s.showRow("task")},
		{"GET", "/v1/tasks/{run}/entries", 0, answerTime, s.entries("task/")},
		{"POST", "/v1/tasks/{run}/answers", maxBody, answerTime, s.answer},
		{"GET", "/v1/rows/{kind}", 0, answerTime, s.listKind},
		{"GET", "/v1/streams/{stream...}", 0, answerTime, s.stream},
		{"POST", "/v1/events", maxStart, answerTime, s.send},
		{"GET", "/v1/status", 0, answerTime, s.status},
		{"POST", "/v1/unhalt", maxBody, answerTime, s.unhalt},
		{"POST", "/v1/backup", maxBody, time.Hour, s.backup},
		{"POST", "/v1/verify", maxBody, time.Hour, s.verify},
		{"POST", "/v1/secrets/check", maxBody, answerTime, s.secrets},
	}
}

// Routes lists method and pattern of every route.
func Routes() [][2]string {
	var all [][2]string
	for _, r := range new(server).routes() {
		all = append(all, [2]string{r.method, r.pattern})
	}
	return all
}

// bound puts the limits of a route around its handler.
func (s *server) bound(r route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		limit := http.NewResponseController(w)
		now := time.Now()
		_ = limit.SetReadDeadline(now.Add(readTime))
		if r.time > 0 {
			_ = limit.SetWriteDeadline(now.Add(r.time + readTime))
			ctx, cancel := context.WithTimeoutCause(req.Context(), r.time, fault.New(fault.Timeout, "%s %s took longer than %s", r.method, req.URL.Path, r.time))
			defer cancel()
			req = req.WithContext(ctx)
		}
		req.Body = http.MaxBytesReader(w, req.Body, r.body)
		if err := r.serve(w, req); err != nil {
			if cause := context.Cause(req.Context()); fault.Is(cause, fault.Timeout) {
				err = cause
			}
			fail(w, err)
		}
	})
}

// guard lets the owner's processes in and nobody else.
func (s *server) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		p, ok := peerOf(r.Context())
		switch {
		case !ok || p.err != nil:
			fail(w, fault.New(fault.Refused, "the other side of this connection is not known").
				WithNext("connect to the socket in the data directory, with `tend`"))
		case p.uid != s.Owner:
			fail(w, fault.New(fault.Refused, "this data directory belongs to another user (uid %d, not %d)", s.Owner, p.uid).
				WithNext("use a data directory of your own: --data-dir or TEND_DATA_DIR"))
		case r.Header.Get("Origin") != "" || r.Header.Get("Sec-Fetch-Site") != "":
			fail(w, fault.New(fault.Refused, "requests of web pages are refused here"))
		default:
			next.ServeHTTP(w, r)
		}
	})
}
