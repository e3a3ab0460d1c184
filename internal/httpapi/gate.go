package httpapi

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/tendhq/tend/internal/access"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/store"
	"github.com/tendhq/tend/internal/wire"
)

// Gate knows who asks over the network, and what anybody may do.
type Gate interface {
	// Identify tells who is behind a request that came over the network: by a bearer token, a session, a certificate. An
	// error of kind fault.Auth is answered with 401. It is not asked about requests over the socket, whose peer the kernel
	// knows, nor about routes that need nothing.
	Identify(r *http.Request) (access.Principal, error)
	// Authorize tells whether p may do what a route needs: nil, or an error of kind fault.Refused that says why not. It is
	// asked with Need.Project empty when the request is about no object of a project, or about a list, which holds what Look
	// lets p see. It records what it decides.
	Authorize(ctx context.Context, p access.Principal, n access.Need) error
	// Look gives what p may look at: what Authorize would say to a View of each object.
	Look(p access.Principal) *access.Sight
	// May is Authorize for what is only shown or left out: nothing is recorded.
	May(p access.Principal, n access.Need) bool
}

// open lets the owner's own processes do everything, and nobody else anything: the rule where no Gate is configured.
type open struct{}

func (open) Identify(*http.Request) (access.Principal, error) {
	return access.Principal{}, fault.New(fault.Auth, "nobody can sign on here").WithNext("use the socket in the data directory, with `tend`")
}

func (open) Authorize(_ context.Context, p access.Principal, _ access.Need) error {
	if p.Local {
		return nil
	}
	return fault.New(fault.Refused, "only the owner of the data directory may ask")
}

func (open) Look(p access.Principal) *access.Sight { return access.Look(access.Policy{}, p) }

func (open) May(p access.Principal, _ access.Need) bool { return p.Local }

// home is the project of what has no other: what is made new belongs to it.
const home = "default"

type askerKey struct{}

// Asker gives the principal behind a request, in its context. It is nobody on routes that need nothing.
func Asker(ctx context.Context) access.Principal {
	p, _ := ctx.Value(askerKey{}).(access.Principal)
	return p
}

// who is the principal behind a request, as entries name people.
func who(ctx context.Context) entry.Who {
	p := Asker(ctx)
	return entry.Who{From: p.From, ID: p.ID, Name: p.Name, Via: p.Via}
}

type fromKey struct{}

// from is the address that a request came from, also where nobody was asked who they are.
func from(ctx context.Context) string {
	a, _ := ctx.Value(fromKey{}).(string)
	if host, _, err := net.SplitHostPort(a); err == nil {
		return host
	}
	return a
}

// admit finds out who asks, and whether they may. The context that it gives knows the asker.
func (s *server) admit(ctx context.Context, r *http.Request, need access.Need) (context.Context, error) {
	ctx = context.WithValue(ctx, fromKey{}, r.RemoteAddr)
	if need.Verb == access.Nothing {
		return ctx, nil
	}
	p, err := s.identify(r)
	if err != nil {
		return ctx, err
	}
	ctx = context.WithValue(ctx, askerKey{}, p)
	id := r.PathValue(need.Kind)
	if need.Kind == "" || id == "" {
		return ctx, s.authorize(ctx, p, need)
	}
	return ctx, s.admitTo(ctx, p, need, id)
}

// authorize asks the policy.
func (s *server) authorize(ctx context.Context, p access.Principal, need access.Need) error {
	return s.Gate.Authorize(ctx, s.onDuty(p), need)
}

// onDuty is somebody as the policy knows them: also by the duties that they have now. What a principal is remembered by, as in a
// token, has no duties in it: those end.
func (s *server) onDuty(p access.Principal) access.Principal {
	if s.Duties != nil {
		if duties := s.Duties(p); len(duties) > 0 {
			p.Groups = append(slices.Clone(p.Groups), duties...)
		}
	}
	return p
}

// admitTo asks about one object. Where somebody may not even look at it, it is not there.
func (s *server) admitTo(ctx context.Context, p access.Principal, need access.Need, id string) error {
	missing := fault.New(fault.NotFound, "there is no %s %q", need.Kind, id)
	page, err := s.Engine.Rows(ctx, store.Filter{Kind: need.Kind, ID: id, Limit: 1})
	if err != nil {
		return err
	}
	if len(page.Rows) == 0 {
		// Whoever may do nothing of the kind learns that, and not what there is.
		if err := s.authorize(ctx, p, need); err != nil {
			return err
		}
		return missing
	}
	need.Project, need.Labels = page.Rows[0].Project, page.Rows[0].Labels
	err = s.authorize(ctx, p, need)
	if err == nil || need.Verb == access.View {
		if fault.Is(err, fault.Refused) {
			return missing
		}
		return err
	}
	look := need
	look.Verb = access.View
	if fault.Is(s.authorize(ctx, p, look), fault.Refused) {
		return missing
	}
	return err
}

// sight is what the asker may look at in lists.
func (s *server) sight(ctx context.Context) *access.Sight { return s.Gate.Look(s.onDuty(Asker(ctx))) }

// may tells whether the asker may do something, without recording the question.
func (s *server) may(ctx context.Context, n access.Need) bool {
	return s.Gate.May(s.onDuty(Asker(ctx)), n)
}

// allow asks for more than the route needs: what a request contains can make it one of another kind.
func (s *server) allow(ctx context.Context, need access.Need) error {
	return s.authorize(ctx, Asker(ctx), need)
}

// identify tells who asks: the user of the peer process over the socket, else whom the gate knows.
func (s *server) identify(r *http.Request) (access.Principal, error) {
	peer, ok := peerOf(r.Context())
	if !ok {
		p, err := s.Gate.Identify(r)
		if err == nil && p.ID == "" {
			err = fault.New(fault.Auth, "who asks is not known")
		}
		return p, err
	}
	switch {
	case peer.err != nil:
		return access.Principal{}, fault.New(fault.Refused, "the other side of this connection is not known").
			WithNext("connect to the socket in the data directory, with `tend`")
	case peer.uid != s.Owner:
		return access.Principal{}, fault.New(fault.Refused, "this data directory belongs to another user (uid %d, not %d)", s.Owner, peer.uid).
			WithNext("use a data directory of your own: --data-dir or TEND_DATA_DIR")
	}
	name := s.User(peer.uid)
	via := r.Header.Get(wire.Via)
	if via != "terminal" && via != "inbox" {
		via = "api"
	}
	return access.Principal{ID: "os:" + name, Name: name, Via: via, Local: true}, nil
}

// outside is the door of the house, before any route: it refuses what cannot be meant.
func (s *server) outside(next http.Handler) http.Handler {
	crossing := http.NewCrossOriginProtection()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Cache-Control", "no-store")
		h.Set("X-Content-Type-Options", "nosniff")
		defer func() {
			if x := recover(); x != nil {
				s.caught(w, r, x)
			}
		}()
		if _, local := peerOf(r.Context()); local {
			if _, err := s.identify(r); err != nil {
				fail(w, err)
				return
			}
			if r.Header.Get("Origin") != "" || r.Header.Get("Sec-Fetch-Site") != "" {
				fail(w, fault.New(fault.Refused, "requests of web pages are refused here"))
				return
			}
		} else {
			r.RemoteAddr = s.from(r)
			h.Set("Referrer-Policy", "no-referrer")
			h.Set("X-Frame-Options", "DENY")
			if !s.host(r.Host) {
				fail(w, fault.New(fault.Refused, "this server does not answer for the host %q", r.Host).WithNext("name it in `hosts` of the server's configuration"))
				return
			}
			if err := crossing.Check(r); err != nil {
				fail(w, fault.New(fault.Refused, "requests of other web pages are refused here"))
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}

// from is the address that a request came from. Proxies of ours are believed about who spoke to them; what others wrote
// into the header before them is not.
func (s *server) from(r *http.Request) string {
	if len(s.Proxies) == 0 {
		return r.RemoteAddr
	}
	ours := func(text string) bool {
		a, err := netip.ParseAddr(text)
		return err == nil && slices.ContainsFunc(s.Proxies, func(p netip.Prefix) bool { return p.Contains(a.Unmap()) })
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil || !ours(host) {
		return r.RemoteAddr
	}
	said := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for _, v := range slices.Backward(said) {
		v = strings.TrimSpace(v)
		if _, err := netip.ParseAddr(v); err != nil {
			break
		}
		host = v
		if !ours(v) {
			break
		}
	}
	return host
}

// host tells whether the name that a request was sent to is one of ours. Another one is a page that made a name of its
// own lead here.
func (s *server) host(host string) bool {
	if len(s.Hosts) == 0 {
		return true
	}
	name := host
	if i := strings.LastIndexByte(host, ':'); i >= 0 && !strings.HasSuffix(host, "]") {
		name = host[:i]
	}
	for _, h := range s.Hosts {
		if strings.EqualFold(h, name) || strings.EqualFold(h, host) {
			return true
		}
	}
	return false
}

// caught answers when a handler panicked: a bug of ours, which the log describes and the answer does not.
func (s *server) caught(w http.ResponseWriter, r *http.Request, x any) {
	if x == http.ErrAbortHandler { //nolint:errorlint // it is that very value
		panic(x)
	}
	s.Log.Error("a request met a bug", "method", r.Method, "path", toldPath(r), "panic", x, "trace", TraceOf(r.Context()).ID)
	fail(w, fault.New(fault.Internal, "this is a bug in tend; the server's log says more"))
}
