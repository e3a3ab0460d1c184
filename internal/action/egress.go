package action

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/tendhq/tend/internal/fault"
)

// Egress says where network actions may connect to.
//
// Metadata services, link-local, unspecified, multicast and broadcast addresses are never reached, whatever the fields
// say. Everything else is judged twice: the host as it is written, before it is resolved, and each resolved address at
// the moment of connecting, so that a name that resolves to something else the second time gains nothing.
type Egress struct {
	Loopback bool     // `tend run`: true
	Private  bool     // `tend run`: true; a server: only what Allow names
	Allow    []string // hosts, *.domains, addresses, CIDRs, each also with :port
	All      bool     // `tend run`: true: every public address, still without metadata addresses
	Deny     []string // as Allow, and stronger: the server's own API
}

// Local is the egress of `tend run`: everything but what is never reached.
func Local() Egress { return Egress{Loopback: true, Private: true, All: true} }

// Validate reports every entry of Allow and Deny that cannot be read, all at once.
func (e Egress) Validate() error {
	var problems []error
	for _, l := range []struct {
		name    string
		entries []string
	}{{"egress.allow", e.Allow}, {"egress.deny", e.Deny}} {
		for _, s := range l.entries {
			if _, err := parseRule(s); err != nil {
				problems = append(problems, fault.New(fault.Invalid, "%s: %q: %s", l.name, s, err).
					WithNext("write a host, *.domain, an address or a CIDR, each with :port if only one is meant"))
			}
		}
	}
	return errors.Join(problems...)
}

// Host judges host and port as they are written, before anything is resolved: it refuses metadata names, unusual
// spellings of addresses, hosts that are no hosts, and addresses that Addr refuses.
func (e Egress) Host(host, port string) error {
	clean, err := cleanHost(host)
	if err != nil {
		return err
	}
	n, err := portNumber(port)
	if err != nil {
		return err
	}
	if metadataHosts[clean] {
		return refused("%s is a metadata service", clean)
	}
	if a, ok, usual := spelled(clean); ok && !usual {
		if !a.IsValid() {
			return refused("%q is a number, but no address", host)
		}
		return refused("%q is an unusual spelling of %s", host, a).WithNext("write the address in the usual form")
	}
	if a, err := netip.ParseAddr(clean); err == nil {
		return e.Addr(clean, netip.AddrPortFrom(a, n))
	}
	if e.named(e.Deny, clean, n) {
		return refused("%s is denied by the configuration", net.JoinHostPort(clean, port))
	}
	return nil
}

// Addr judges a resolved address. host is the name that resolved to it, or the address itself.
func (e Egress) Addr(host string, at netip.AddrPort) error {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	c := classify(at.Addr())
	shown := at.String()
	if host != "" && host != at.Addr().String() {
		shown = host + " (" + shown + ")"
	}
	byAddr := e.covers(e.Allow, at)
	byName := e.named(e.Allow, host, at.Port())
	switch {
	case c == never:
		return refused("%s is a %s address, which is never reached", shown, c)
	case e.covers(e.Deny, at) || e.named(e.Deny, host, at.Port()):
		return refused("%s is denied by the configuration", shown)
	case c == loopback && (e.Loopback || byAddr || byName && host == "localhost"):
		return nil
	case c == private && (e.Private || byAddr || byName):
		return nil
	case c == public && (e.All || byAddr || byName):
		return nil
	default:
		return refused("%s is a %s address that the configuration does not allow", shown, c).
			WithNext("name it in egress.allow of the configuration, if playbooks should reach it")
	}
}

func refused(format string, a ...any) *fault.Error {
	return fault.New(fault.Refused, "egress: "+format, a...)
}

// rule is an entry of Allow or Deny.
type rule struct {
	host   string       // "" for an address
	suffix string       // ".example.com" for *.example.com
	prefix netip.Prefix // of an address or a CIDR
	port   uint16       // 0: any
}

func parseRule(s string) (rule, error) {
	s = strings.ToLower(strings.TrimSpace(s))
	if p, err := netip.ParsePrefix(s); err == nil {
		return rule{prefix: p.Masked()}, nil
	}
	var r rule
	host := strings.Trim(s, "[]")
	if a, err := netip.ParseAddr(host); err == nil {
		return rule{prefix: netip.PrefixFrom(a.Unmap(), a.Unmap().BitLen())}, nil
	}
	if h, p, err := net.SplitHostPort(s); err == nil {
		n, err := portNumber(p)
		if err != nil {
			return rule{}, err
		}
		host, r.port = h, n
	}
	if p, err := netip.ParsePrefix(host); err == nil {
		r.prefix = p.Masked()
		return r, nil
	}
	if a, err := netip.ParseAddr(host); err == nil {
		r.prefix = netip.PrefixFrom(a.Unmap(), a.Unmap().BitLen())
		return r, nil
	}
	wild := strings.HasPrefix(host, "*.")
	clean, err := cleanHost(strings.TrimPrefix(host, "*."))
	if err != nil {
		return rule{}, errors.New("not a host, address or CIDR")
	}
	if _, ok, _ := spelled(clean); ok {
		return rule{}, errors.New("an unusual spelling of an address")
	}
	if wild {
		r.suffix = "." + clean
		return r, nil
	}
	r.host = clean
	return r, nil
}

func (e Egress) named(entries []string, host string, port uint16) bool {
	for _, s := range entries {
		r, err := parseRule(s)
		if err != nil || r.port != 0 && r.port != port {
			continue
		}
		if r.host != "" && r.host == host || r.suffix != "" && strings.HasSuffix(host, r.suffix) {
			return true
		}
	}
	return false
}

func (e Egress) covers(entries []string, at netip.AddrPort) bool {
	a := at.Addr().Unmap().WithZone("")
	for _, s := range entries {
		r, err := parseRule(s)
		if err != nil || r.port != 0 && r.port != at.Port() || !r.prefix.IsValid() {
			continue
		}
		if r.prefix.Contains(a) {
			return true
		}
	}
	return false
}

// cleanHost gives the host in lower case without a trailing dot, or says why it is no host.
func cleanHost(host string) (string, error) {
	h := strings.ToLower(host)
	if strings.HasPrefix(h, "[") && strings.HasSuffix(h, "]") {
		h = h[1 : len(h)-1]
	}
	h = strings.TrimSuffix(h, ".")
	if h == "" || len(h) > 253 {
		return "", fault.New(fault.Invalid, "%.60q is not a host", host)
	}
	if a, err := netip.ParseAddr(h); err == nil {
		return a.WithZone("").String(), nil
	}
	for i := range len(h) {
		c := h[i]
		if c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-' || c == '_' || c == '.' {
			continue
		}
		err := fault.New(fault.Invalid, "%.60q is not a host", host)
		if c >= 0x80 {
			err = err.WithNext("write an international name in its ASCII form (xn--…)")
		}
		return "", err
	}
	if strings.HasPrefix(h, ".") || strings.Contains(h, "..") {
		return "", fault.New(fault.Invalid, "%.60q is not a host", host)
	}
	return h, nil
}

func portNumber(s string) (uint16, error) {
	n, err := strconv.ParseUint(s, 10, 16)
	if err != nil || n == 0 {
		return 0, fault.New(fault.Invalid, "%.20q is not a port", s)
	}
	return uint16(n), nil
}

// Dialer connects where its Egress allows. Every network action connects through one.
type Dialer struct {
	Egress   Egress
	Resolver *net.Resolver // nil: the system's
	Timeout  time.Duration // of one connect; zero: 30 seconds
}

// DialContext connects to "host:port" over tcp. The host must be given as the user wrote it, not resolved before, so that
// rules that name it apply. A refusal has kind fault.Refused (fault.KindOf sees through net.OpError).
func (d Dialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	switch network {
	case "tcp", "tcp4", "tcp6":
	default:
		return nil, refused("network %q is not allowed", network)
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fault.New(fault.Invalid, "%.80q is not host:port", address)
	}
	if err := d.Egress.Host(host, port); err != nil {
		return nil, err
	}
	clean, err := cleanHost(host)
	if err != nil {
		return nil, err
	}
	timeout := d.Timeout
	if timeout == 0 {
		timeout = 30 * time.Second
	}
	nd := net.Dialer{
		Timeout:  timeout,
		Resolver: d.Resolver,
		ControlContext: func(_ context.Context, _, resolved string, _ syscall.RawConn) error {
			at, err := netip.ParseAddrPort(resolved)
			if err != nil {
				return refused("%q is not an address", resolved)
			}
			return d.Egress.Addr(clean, at)
		},
	}
	return nd.DialContext(ctx, network, net.JoinHostPort(clean, port))
}
