package action

import (
	"net/netip"
	"strconv"
	"strings"
)

// class says what kind of place an address is. A higher class is more dangerous; an address that hides another one
// (IPv4 inside IPv6) has the higher class of the two.
type class int

const (
	public   class = iota
	private        // other machines of the own network, and ranges that the Internet does not route
	loopback       // this machine
	never          // metadata services, link-local, unspecified, multicast, broadcast: no playbook has business there
)

func (c class) String() string {
	switch c {
	case public:
		return "public"
	case private:
		return "private"
	case loopback:
		return "loopback"
	default:
		return "metadata or link-local"
	}
}

//nolint:gochecknoglobals // tables; never written
var (
	// ranges lists what is not public. The first match decides, so that metadata addresses stand before the ranges that
	// contain them.
	ranges = []struct {
		prefix netip.Prefix
		class  class
	}{
		{netip.MustParsePrefix("100.100.100.200/32"), never}, // Alibaba metadata
		{netip.MustParsePrefix("168.63.129.16/32"), never},   // Azure wire server
		{netip.MustParsePrefix("192.0.0.192/32"), never},     // Oracle metadata
		{netip.MustParsePrefix("fd00:ec2::/32"), never},      // AWS metadata, DNS and time
		{netip.MustParsePrefix("fd20:ce::/32"), never},       // Google metadata
		{netip.MustParsePrefix("fd00:42::42/128"), never},    // Scaleway metadata
		{netip.MustParsePrefix("fd00:c1::/32"), never},       // Oracle metadata
		{netip.MustParsePrefix("169.254.0.0/16"), never},     // link-local: almost every cloud's metadata
		{netip.MustParsePrefix("fe80::/10"), never},
		{netip.MustParsePrefix("0.0.0.0/8"), never},
		{netip.MustParsePrefix("224.0.0.0/4"), never},
		{netip.MustParsePrefix("240.0.0.0/4"), never},
		{netip.MustParsePrefix("ff00::/8"), never},
		{netip.MustParsePrefix("::/128"), never},
		{netip.MustParsePrefix("127.0.0.0/8"), loopback},
		{netip.MustParsePrefix("::1/128"), loopback},
		{netip.MustParsePrefix("10.0.0.0/8"), private},
		{netip.MustParsePrefix("172.16.0.0/12"), private},
		{netip.MustParsePrefix("192.168.0.0/16"), private},
		{netip.MustParsePrefix("100.64.0.0/10"), private},
		{netip.MustParsePrefix("192.0.0.0/24"), private},
		{netip.MustParsePrefix("192.0.2.0/24"), private},
		{netip.MustParsePrefix("192.88.99.0/24"), private},
		{netip.MustParsePrefix("198.18.0.0/15"), private},
		{netip.MustParsePrefix("198.51.100.0/24"), private},
		{netip.MustParsePrefix("203.0.113.0/24"), private},
		{netip.MustParsePrefix("::/96"), private},
		{netip.MustParsePrefix("64:ff9b:1::/48"), private},
		{netip.MustParsePrefix("100::/64"), private},
		{netip.MustParsePrefix("2001::/23"), private},
		{netip.MustParsePrefix("2001:db8::/32"), private},
		{netip.MustParsePrefix("2002::/16"), private},
		{netip.MustParsePrefix("3fff::/20"), private},
		{netip.MustParsePrefix("fc00::/7"), private},
		{netip.MustParsePrefix("fec0::/10"), private},
	}

	// metadataHosts are names under which clouds serve credentials to their machines. They are refused before they are
	// resolved, whatever they resolve to.
	metadataHosts = map[string]bool{
		"metadata":                          true,
		"metadata.goog":                     true,
		"metadata.google.internal":          true,
		"metadata.internal":                 true,
		"metadata.azure.internal":           true,
		"metadata.azure.com":                true,
		"metadata.tencentyun.com":           true,
		"metadata.oraclecloud.com":          true,
		"metadata.packet.net":               true,
		"metadata.platformequinix.com":      true,
		"metadata.linode.com":               true,
		"api.metadata.cloud.ibm.com":        true,
		"instance-data":                     true,
		"instance-data.ec2.internal":        true,
		"rancher-metadata":                  true,
		"rancher-metadata.rancher.internal": true,
	}
)

// classify judges an address that was resolved.
func classify(a netip.Addr) class {
	worst := public
	for _, e := range append(embedded(a), a.Unmap().WithZone("")) {
		for _, r := range ranges {
			if r.prefix.Contains(e) {
				worst = max(worst, r.class)
				break
			}
		}
	}
	return worst
}

// embedded gives the IPv4 addresses that an IPv6 address may lead to through the translations and tunnels that an
// operator's network may offer: IPv4-compatible, NAT64 (RFC 6052, 8215), 6to4, Teredo, ISATAP.
func embedded(a netip.Addr) []netip.Addr {
	a = a.Unmap()
	if a.Is4() {
		return nil
	}
	b := a.As16()
	v4 := func(i, j, k, l int) netip.Addr { return netip.AddrFrom4([4]byte{b[i], b[j], b[k], b[l]}) }
	hex := func(i int) uint32 {
		return uint32(b[i])<<24 | uint32(b[i+1])<<16 | uint32(b[i+2])<<8 | uint32(b[i+3])
	}
	var out []netip.Addr
	switch {
	case hex(0) == 0 && hex(4) == 0 && hex(8) == 0 && hex(12) > 1: // ::a.b.c.d
		out = append(out, v4(12, 13, 14, 15))
	case hex(0) == 0 && hex(4) == 0 && hex(8) == 0xffff0000: // ::ffff:0:a.b.c.d
		out = append(out, v4(12, 13, 14, 15))
	case hex(0) == 0x0064ff9b:
		out = append(out, v4(12, 13, 14, 15), v4(6, 7, 9, 10))
	case b[0] == 0x20 && b[1] == 0x02: // 6to4
		out = append(out, v4(2, 3, 4, 5))
	case hex(0) == 0x20010000: // Teredo: the server, and the client inverted
		out = append(out, v4(4, 5, 6, 7), netip.AddrFrom4([4]byte{^b[12], ^b[13], ^b[14], ^b[15]}))
	}
	if h := hex(8); h == 0x00005efe || h == 0x02005efe { // ISATAP
		out = append(out, v4(12, 13, 14, 15))
	}
	return out
}

// spelled reads the numeric spellings of an IPv4 address that inet_aton and browsers accept and that people use to get
// around a filter: decimal, octal and hexadecimal, with one to four parts (2130706433, 0x7f.1, 0177.0.0.1, 127.1). ok
// tells that s is such a number at all; usual tells that it is written as everybody does.
func spelled(s string) (a netip.Addr, ok, usual bool) {
	if p, err := netip.ParseAddr(s); err == nil && p.Is4() {
		return p, true, true
	}
	parts := strings.Split(s, ".")
	if len(parts) > 4 {
		return netip.Addr{}, false, false
	}
	var n uint64
	for i, p := range parts {
		v, err := number(p)
		if err != nil {
			return netip.Addr{}, false, false
		}
		if i < len(parts)-1 {
			if v > 255 {
				return netip.Addr{}, true, false // a number, but of no address: nobody should resolve it
			}
			n |= v << (8 * (3 - i))
			continue
		}
		if v >= 1<<(8*(5-len(parts))) {
			return netip.Addr{}, true, false
		}
		n |= v
	}
	return netip.AddrFrom4([4]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}), true, false
}

func number(s string) (uint64, error) {
	l := strings.ToLower(s)
	switch {
	case strings.HasPrefix(l, "0x"):
		if l == "0x" {
			return 0, nil
		}
		return strconv.ParseUint(l[2:], 16, 64)
	case len(l) > 1 && l[0] == '0':
		if v, err := strconv.ParseUint(l, 8, 64); err == nil {
			return v, nil
		}
	}
	return strconv.ParseUint(l, 10, 64)
}
