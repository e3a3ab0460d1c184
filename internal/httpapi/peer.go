package httpapi

import (
	"context"
	"net"
	"net/http"
	"syscall"

	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/wire"
)

// peer is the process at the other end of a connection, as the kernel tells it.
type peer struct {
	uid int
	err error
}

type peerKey struct{}

// withPeer asks the kernel once per connection.
func withPeer(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, peerKey{}, askPeer(c))
}

func askPeer(c net.Conn) peer {
	sc, ok := c.(syscall.Conn)
	if !ok {
		return peer{err: fault.New(fault.Refused, "a connection of type %T has no peer credentials", c)}
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return peer{err: err}
	}
	var p peer
	if err := raw.Control(func(fd uintptr) { p.uid, p.err = peerUID(int(fd)) }); err != nil {
		return peer{err: err}
	}
	return p
}

func peerOf(ctx context.Context) (peer, bool) {
	p, ok := ctx.Value(peerKey{}).(peer)
	return p, ok
}

// who is the person behind a request: the user of the peer process, and the surface that it says it is.
func (s *server) who(r *http.Request) entry.Who {
	p, _ := peerOf(r.Context())
	via := r.Header.Get(wire.Via)
	if via != "terminal" && via != "inbox" {
		via = "api"
	}
	return entry.Who{Name: s.User(p.uid), Via: via}
}
