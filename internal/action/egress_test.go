package action_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/tendhq/tend/internal/action"
	"github.com/tendhq/tend/internal/fault"
)

// spellings gives the ways in which an IPv4 address has been written to get around filters.
func spellings(a netip.Addr) []string {
	b := a.As4()
	n := binary.BigEndian.Uint32(b[:])
	out := []string{a.String(), a.String() + ".", "[" + a.String() + "]"}
	add := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	add("%d", n)
	add("%#x", n)
	add("0X%X", n)
	add("%#o", n)
	add("00%o", n)
	add("%d.", n)
	add("0x%08x", n)
	add("0x00000000%08x", n)
	for _, f := range []string{"%#x", "%#o", "00%o", "0x%02X"} {
		parts := make([]string, 4)
		for i, o := range b {
			parts[i] = fmt.Sprintf(f, o)
		}
		add("%s", strings.Join(parts, "."))
		for i := range parts { // one part in that form, the others as usual
			mixed := strings.Split(a.String(), ".")
			mixed[i] = parts[i]
			add("%s", strings.Join(mixed, "."))
		}
	}
	add("%d.%d", b[0], n&0xffffff)
	add("%#x.%d", b[0], n&0xffffff)
	add("%d.%#o", b[0], n&0xffffff)
	add("%d.%d.%d", b[0], b[1], n&0xffff)
	add("%d.%#x.%#x", b[0], b[1], n&0xffff)
	hi, lo := n>>16, n&0xffff
	add("::ffff:%s", a)
	add("::FFFF:%x:%x", hi, lo)
	add("[::ffff:%s]", a)
	add("0:0:0:0:0:ffff:%x:%x", hi, lo)
	add("0000:0000:0000:0000:0000:ffff:%04x:%04x", hi, lo)
	add("::ffff:%s%%eth0", a)
	add("::%s", a)
	add("::ffff:0:%s", a)
	add("64:ff9b::%s", a)
	add("0064:FF9B::%x:%x", hi, lo)
	add("64:ff9b:1::%s", a)
	add("2002:%x:%x::", hi, lo)
	add("2002:%x:%x::1", hi, lo)
	add("2001:0:102:304::%x:%x", ^hi&0xffff, ^lo&0xffff)
	add("2001:0:%x:%x::1", hi, lo)
	add("2a00::5efe:%s", a)
	add("2a00::200:5efe:%s", a)
	add("%s", strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r - '0' + '０'
		}
		return r
	}, a.String()))
	add("%s", strings.ReplaceAll(a.String(), ".", "。"))
	add("%s\x00.example.com", a)
	add("%s/", a)
	add("user@%s", a)
	add("%%31%s", a.String()[1:])
	return out
}

// names is a resolver that gives the address of every name, as often as it is asked.
type names struct {
	answers []netip.Addr // one for each question; the last one stays
	asked   atomic.Int32
}

func (n *names) resolver() *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		client, server := net.Pipe()
		go n.serve(server)
		return client, nil
	}}
}

// serve answers one question over a stream, as DNS over TCP does.
func (n *names) serve(c net.Conn) {
	defer func() { _ = c.Close() }()
	buf := make([]byte, 2048)
	m, err := c.Read(buf)
	if err != nil || m < 14 {
		return
	}
	q := buf[2:m]
	end := 12
	for q[end] != 0 {
		end += int(q[end]) + 1
	}
	kind := binary.BigEndian.Uint16(q[end+1:])
	answer := append([]byte{q[0], q[1], 0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0}, q[12:end+5]...)
	a := n.answers[min(int(n.asked.Load()), len(n.answers)-1)]
	var data []byte
	switch {
	case kind == 1 && a.Is4():
		data = a.AsSlice()
	case kind == 28 && !a.Is4():
		data = a.AsSlice()
	}
	if data != nil {
		n.asked.Add(1)
		answer[7] = 1
		answer = append(answer, 0xc0, 12, 0, byte(kind), 0, 1, 0, 0, 0, 0, 0, byte(len(data)))
		answer = append(answer, data...)
	}
	_, _ = c.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(answer))), answer...))
}

// dial tries to connect and gives the error's kind; "" is a connection.
func dial(t *testing.T, d action.Dialer, host, port string) (fault.Kind, error) {
	t.Helper()
	address := host + ":" + port
	if strings.Contains(host, ":") && !strings.HasPrefix(host, "[") {
		address = "[" + host + "]:" + port
	}
	c, err := d.DialContext(t.Context(), "tcp", address)
	if err == nil {
		_ = c.Close()
		return "", nil
	}
	return action.NetKind(t.Context(), err), err
}

func TestSpellingsOfForbiddenAddresses(t *testing.T) {
	t.Parallel()
	everything := []string{"0.0.0.0/0", "::/0", "169.254.169.254", "metadata.google.internal", "localhost", "example.com"}
	never := action.Egress{Loopback: true, Private: true, All: true, Allow: everything}
	publicOnly := action.Egress{All: true, Allow: []string{"example.com"}}
	count := 0
	for address, e := range map[string]action.Egress{
		"169.254.169.254": never, "169.254.170.2": never, "169.254.42.42": never, "100.100.100.200": never, "168.63.129.16": never,
		"192.0.0.192": never, "0.0.0.0": never, "224.0.0.1": never, "255.255.255.255": never,
		"127.0.0.1": publicOnly, "127.255.0.3": publicOnly, "10.1.2.3": publicOnly, "172.31.0.1": publicOnly, "192.168.0.1": publicOnly,
		"100.64.0.1": publicOnly,
	} {
		a := netip.MustParseAddr(address)
		for _, host := range spellings(a) {
			count++
			// Even if the system's resolver should understand the spelling, or somebody answers for it.
			n := &names{answers: []netip.Addr{a}}
			if k, err := dial(t, action.Dialer{Egress: e, Resolver: n.resolver()}, host, "80"); k != fault.Refused && k != fault.Invalid {
				t.Errorf("%s as %q: kind %q: %v", address, host, k, err)
			}
		}
	}
	for address, e := range map[string]action.Egress{
		"fd00:ec2::254": never, "fe80::a9fe:a9fe": never, "fd20:ce::254": never, "fd00:42::42": never, "ff02::1": never, "::": never,
		"::1": publicOnly, "fd12::1": publicOnly, "2001:db8::1": publicOnly, "fec0::1": publicOnly,
	} {
		a := netip.MustParseAddr(address)
		for _, host := range []string{address, a.StringExpanded(), strings.ToUpper(a.StringExpanded()), "[" + address + "]", address + "%eth0"} {
			count++
			if k, err := dial(t, action.Dialer{Egress: e}, host, "80"); k != fault.Refused {
				t.Errorf("%q: kind %q: %v", host, k, err)
			}
		}
		n := &names{answers: []netip.Addr{a}}
		if k, err := dial(t, action.Dialer{Egress: e, Resolver: n.resolver()}, "innocent.test", "80"); k != fault.Refused {
			t.Errorf("innocent.test as %s: kind %q: %v", address, k, err)
		}
	}
	for _, host := range []string{
		"metadata.google.internal", "METADATA.google.internal.", "metadata", "metadata.goog", "instance-data", "instance-data.ec2.internal",
		"metadata.tencentyun.com", "api.metadata.cloud.ibm.com", "metadata.azure.internal",
	} {
		count++
		if k, err := dial(t, action.Dialer{Egress: never}, host, "80"); k != fault.Refused {
			t.Errorf("%q: kind %q: %v", host, k, err)
		}
	}
	if count < 300 {
		t.Errorf("only %d spellings", count)
	}
	t.Logf("%d spellings", count)
}

func TestARebindingResolverGainsNothing(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	home := netip.MustParseAddr("127.0.0.1")
	for name, e := range map[string]action.Egress{
		"all public":    {All: true},
		"named":         {Allow: []string{"rebind.test"}},
		"named domain":  {Allow: []string{"*.test"}},
		"named private": {Private: true, Allow: []string{"rebind.test"}},
	} {
		n := &names{answers: []netip.Addr{home}}
		if k, err := dial(t, action.Dialer{Egress: e, Resolver: n.resolver()}, "rebind.test", port); k != fault.Refused {
			t.Errorf("%s: kind %q: %v", name, k, err)
		}
	}
	n := &names{answers: []netip.Addr{home}}
	if k, err := dial(t, action.Dialer{Egress: action.Local(), Resolver: n.resolver()}, "rebind.test", port); k != "" {
		t.Errorf("the resolver of this test does not work: %v", err)
	}
}

func TestEgressRules(t *testing.T) {
	t.Parallel()
	at := func(s string) netip.AddrPort { return netip.MustParseAddrPort(s) }
	server := func(allow ...string) action.Egress { return action.Egress{Allow: allow} }
	for _, c := range []struct {
		e    action.Egress
		host string
		at   string
		ok   bool
	}{
		{action.Local(), "localhost", "127.0.0.1:80", true},
		{action.Local(), "", "93.184.216.34:443", true},
		{action.Local(), "db", "10.0.0.1:5432", true},
		{server(), "example.com", "93.184.216.34:443", false},
		{server("example.com"), "example.com", "93.184.216.34:443", true},
		{server("example.com"), "EXAMPLE.com.", "93.184.216.34:443", true},
		{server("example.com"), "evil-example.com", "93.184.216.34:443", false},
		{server("example.com:443"), "example.com", "93.184.216.34:443", true},
		{server("example.com:443"), "example.com", "93.184.216.34:80", false},
		{server("*.example.com"), "api.example.com", "93.184.216.34:443", true},
		{server("*.example.com"), "example.com", "93.184.216.34:443", false},
		{server("db.corp"), "db.corp", "10.0.0.1:5432", true},
		{server("10.0.0.0/8"), "db.corp", "10.0.0.1:5432", true},
		{server("10.0.0.0/8:5432"), "db.corp", "10.0.0.1:22", false},
		{server("10.0.0.1:5432"), "", "10.0.0.1:5432", true},
		{server("[fd12::1]:5432"), "", "[fd12::1]:5432", true},
		{server("fd12::/16"), "", "[fd12::1]:5432", true},
		{server("fd12::/16"), "", "[fd13::1]:5432", false},
		{server("127.0.0.1"), "localhost", "127.0.0.1:80", true},
		{server("localhost"), "localhost", "127.0.0.1:80", true},
		{server("localhost"), "other", "127.0.0.1:80", false},
		{action.Egress{All: true}, "db", "10.0.0.1:80", false},
		{action.Egress{All: true, Loopback: true, Private: true, Deny: []string{"127.0.0.1:8080"}}, "localhost", "127.0.0.1:8080", false},
		{action.Egress{All: true, Loopback: true, Private: true, Deny: []string{"127.0.0.1:8080"}}, "localhost", "127.0.0.1:8081", true},
		{action.Egress{All: true, Deny: []string{"tend.corp"}, Allow: []string{"tend.corp"}}, "tend.corp", "93.184.216.34:443", false},
	} {
		err := c.e.Addr(c.host, at(c.at))
		if (err == nil) != c.ok {
			t.Errorf("%+v: %s at %s: %v", c.e, c.host, c.at, err)
		}
		if err != nil && !fault.Is(err, fault.Refused) {
			t.Errorf("kind %s", fault.KindOf(err))
		}
	}
	if err := action.Local().Validate(); err != nil {
		t.Error(err)
	}
	err := action.Egress{Allow: []string{"a b", "http://x", "0x7f.1", "*.example.com:443", "host:99999", ""}}.Validate()
	for _, bad := range []string{`"a b"`, `"http://x"`, `"0x7f.1"`, `"host:99999"`, `""`} {
		if err == nil || !strings.Contains(err.Error(), bad) {
			t.Errorf("%s was not refused: %v", bad, err)
		}
	}
	if k, err := dial(t, action.Dialer{Egress: action.Local()}, "127.0.0.1", "0"); k != fault.Invalid {
		t.Errorf("port 0: %v", err)
	}
	if _, err := (action.Dialer{Egress: action.Local()}).DialContext(t.Context(), "unix", "/tmp/x"); !fault.Is(err, fault.Refused) {
		t.Errorf("a unix socket: %v", err)
	}
}
