package ssh

import (
	"context"
	"errors"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/tendhq/tend/internal/action"
	"github.com/tendhq/tend/internal/fault"
)

const (
	// aliveEvery is how often a connection is asked whether it is still there, and aliveLimit how long it may take to say
	// so. Nothing else would notice a host that was cut off.
	aliveEvery = 15 * time.Second
	aliveLimit = 30 * time.Second
)

// parseHop reads [user@]host[:port].
func parseHop(name, user string, port int) (hop, error) {
	h := hop{name: name, user: user, host: name, port: strconv.Itoa(port)}
	if port == 0 {
		h.port = "22"
	}
	if u, rest, ok := cutLast(h.host, "@"); ok {
		h.user, h.host = u, rest
	}
	switch host, p, err := net.SplitHostPort(h.host); {
	case err == nil:
		h.host, h.port = host, p
	case strings.HasPrefix(h.host, "[") && strings.HasSuffix(h.host, "]"):
		h.host = h.host[1 : len(h.host)-1]
	}
	n, err := strconv.ParseUint(h.port, 10, 16)
	switch {
	case h.host == "" || strings.ContainsAny(h.host, " \t\r\n\x00/@,*?!"):
		return hop{}, fault.New(fault.Invalid, "%.80q is not a host", name)
	case err != nil || n == 0:
		return hop{}, fault.New(fault.Invalid, "%.80q has no port between 1 and 65535", name)
	case h.user == "":
		return hop{}, fault.New(fault.Invalid, "as which user on %.80q? Give user", name)
	case strings.ContainsAny(h.user, " \t\r\n\x00"):
		return hop{}, fault.New(fault.Invalid, "%.80q is not a user", h.user)
	}
	return h, nil
}

func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return "", s, false
}

func joinHostPort(host, port string) string { return net.JoinHostPort(host, port) }

// connection is a way to a host. The clients are those of the jump hosts, the nearest first, and then its own.
type connection struct {
	clients []*ssh.Client
	stop    context.CancelFunc
	done    chan struct{} // closed when nobody asks any more whether it is alive
}

func (c *connection) client() *ssh.Client { return c.clients[len(c.clients)-1] }

func (c *connection) close() {
	for _, client := range slices.Backward(c.clients) {
		_ = client.Close()
	}
	if c.stop != nil {
		c.stop()
		<-c.done
	}
}

// dial goes to h. An error means that nothing was sent to it but a login.
func (p *plan) dial(ctx context.Context, h hop) (*connection, error) {
	c := &connection{}
	var via *ssh.Client
	for _, next := range append(p.jump[:len(p.jump):len(p.jump)], h) {
		client, err := p.hop(ctx, via, next)
		if err != nil {
			c.close()
			return nil, err
		}
		c.clients = append(c.clients, client)
		via = client
	}
	alive, cancel := context.WithCancel(context.WithoutCancel(ctx))
	c.stop, c.done = cancel, make(chan struct{})
	go func() {
		defer close(c.done)
		keepAlive(alive, via)
	}()
	return c, nil
}

// hop connects to one host, directly or through another one.
func (p *plan) hop(ctx context.Context, via *ssh.Client, h hop) (*ssh.Client, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, p.connect, fault.New(fault.Timeout, "no answer within %s", p.connect))
	defer cancel()
	conn, err := p.wire(ctx, via, h)
	if err != nil {
		return nil, p.unreached(ctx, h, err)
	}
	// The handshake knows no context: closing the connection ends it.
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	client, err := p.handshake(conn, h)
	if !stop() && err == nil {
		_ = client.Close()
		err = ctx.Err()
	}
	if err != nil {
		_ = conn.Close()
		return nil, p.unreached(ctx, h, err)
	}
	return client, nil
}

func (p *plan) wire(ctx context.Context, via *ssh.Client, h hop) (net.Conn, error) {
	if via == nil {
		return action.Dialer{Egress: p.egress, Timeout: p.connect}.DialContext(ctx, "tcp", h.address())
	}
	// The jump host resolves the name; what can be judged here is the name itself.
	if err := p.egress.Host(h.host, h.port); err != nil {
		return nil, err
	}
	return via.DialContext(ctx, "tcp", h.address())
}

func (p *plan) handshake(conn net.Conn, h hop) (*ssh.Client, error) {
	cfg := &ssh.ClientConfig{
		User: h.user, Auth: p.login.methods, ClientVersion: "SSH-2.0-tend",
		HostKeyCallback: p.keys.check(h), HostKeyAlgorithms: p.keys.algorithms(h),
		BannerCallback: func(string) error { return nil },
	}
	cc, chans, reqs, err := ssh.NewClientConn(conn, h.address(), cfg)
	if err != nil {
		return nil, err
	}
	return ssh.NewClient(cc, chans, reqs), nil
}

// unreached says why there is no connection.
func (p *plan) unreached(ctx context.Context, h hop, err error) error {
	where := "connect to " + h.user + "@" + h.address()
	var f *fault.Error
	var open *ssh.OpenChannelError
	switch {
	case errors.As(err, &f):
		return fault.Wrap(f.Kind, f, "%s", where)
	case ctx.Err() != nil:
		k, why := action.Stopped(ctx)
		return fault.New(k, "%s: %s", where, why)
	case errors.As(err, &open):
		return fault.New(fault.Unreachable, "%s: the jump host cannot reach it: %s", where, p.say.Of(open.Message))
	case strings.Contains(err.Error(), "unable to authenticate"):
		e := fault.New(fault.Auth, "%s: the server accepts none of the keys (%s)", where, p.login.shown)
		return e.WithNext("add the public key to the authorized_keys of %s there", h.user)
	case strings.Contains(err.Error(), "no common algorithm"):
		return fault.New(fault.Auth, "%s: %s", where, p.say.Of(err.Error()))
	}
	return fault.New(action.NetKind(ctx, err), "%s: %s", where, p.say.Of(err.Error()))
}

// keepAlive closes the connection when the other side does not answer any more.
func keepAlive(ctx context.Context, c *ssh.Client) {
	ticks := time.NewTicker(aliveEvery)
	defer ticks.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticks.C:
		}
		answered := make(chan error, 1)
		go func() {
			_, _, err := c.SendRequest("keepalive@openssh.com", true, nil)
			answered <- err
		}()
		limit := time.NewTimer(aliveLimit)
		select {
		case <-ctx.Done():
			limit.Stop()
			return
		case err := <-answered:
			limit.Stop()
			if err == nil {
				continue
			}
		case <-limit.C:
		}
		_ = c.Close()
		return
	}
}
