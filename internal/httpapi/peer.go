package httpapi

import (
	"context"
	"net"
	"syscall"

	"github.com/tendhq/tend/internal/fault"
)

// peer is the process at the other end of a connection, as the kernel tells it.
type peer struct {
	uid int
	err error
}

type peerKey struct{}

// withPeer asks the kernel once per connection over a socket. Connections over a network have no peer.
func withPeer(ctx context.Context, c net.Conn) context.Context {
	if c.LocalAddr().Network() != "unix" {
		return ctx
	}
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
