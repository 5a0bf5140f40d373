package fetch

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// hostForm is a name of the public internet, as it is sent: lower case, no dot at the end, two labels at least, and a last one that begins
// with a letter. That leaves out numbers in every writing, and names such as "localhost" or "redis" that only a local network knows.
var hostForm = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?$`)

// localNames end the names that no public server has.
var localNames = []string{"localhost", "local", "internal", "intranet", "lan", "home", "corp", "localdomain", "arpa", "onion", "invalid", "test"}

// check reads an address and refuses it by its form.
func (c *Client) check(address string) (*url.URL, error) {
	bad := func(why string) (*url.URL, error) { return nil, fmt.Errorf("%w: %s", ErrAddress, why) }
	if len(address) > maxURL {
		return bad("too long")
	}
	for _, b := range []byte(address) {
		if b <= ' ' || b >= 0x7f || b == '\\' {
			return bad("a character that no address has")
		}
	}
	u, err := url.Parse(address)
	if err != nil {
		return bad("not an address")
	}
	switch {
	case u.Opaque != "" || u.Host == "":
		return bad("no host")
	case u.User != nil:
		return bad("a user in it")
	case u.Fragment != "" || strings.HasSuffix(address, "#"):
		return bad("a fragment")
	}
	if slices.Contains(c.cfg.Allow, u.Scheme+"://"+u.Host) {
		return u, nil
	}
	if u.Scheme != "https" {
		return bad("not https")
	}
	host := u.Hostname()
	if len(host) > 253 || !hostForm.MatchString(host) || strings.HasPrefix(u.Host, "[") {
		return bad("not a name of the public internet")
	}
	last := host[strings.LastIndexByte(host, '.')+1:]
	if slices.Contains(localNames, last) {
		return bad("a name of a local network")
	}
	if port, err := c.port(u); err != nil || !slices.Contains(c.cfg.Ports, port) {
		return bad("port " + u.Port())
	}
	return u, nil
}

func (c *Client) port(u *url.URL) (int, error) {
	text := u.Port()
	if text == "" {
		if strings.HasSuffix(u.Host, ":") {
			return 0, errors.New("an empty port")
		}
		return 443, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || strconv.Itoa(n) != text || n < 1 || n > 65535 {
		return 0, fmt.Errorf("port %q", text)
	}
	return n, nil
}

// Origin gives scheme and host under which a host is asked: https, but for those that the operator lets be reached by http.
func (c *Client) Origin(host string) string {
	if c != nil && slices.Contains(c.cfg.Allow, "http://"+host) {
		return "http://" + host
	}
	return "https://" + host
}

// allowed tells whether the operator let an address through, as dialers get it: the port of the scheme stands in it too.
func (c *Client) allowed(hostPort string) bool {
	return slices.ContainsFunc(c.cfg.Allow, func(origin string) bool {
		u, err := url.Parse(origin)
		return err == nil && dialed(u) == hostPort
	})
}

// dial resolves a name once, checks every address that it has, and connects to one of those: what the name says a moment later does
// not matter. One bad address among good ones is refused too, for only an attacker mixes them.
func (c *Client) dial(ctx context.Context, network, hostPort string) (net.Conn, error) {
	d := &net.Dialer{Timeout: 4 * time.Second}
	if c.cfg.Proxy != nil && hostPort == dialed(c.cfg.Proxy) || c.allowed(hostPort) {
		return d.DialContext(ctx, network, hostPort)
	}
	host, port, err := net.SplitHostPort(hostPort)
	if err != nil {
		return nil, err
	}
	// With the dot at the end no search list of this machine makes another name of it.
	found, err := c.cfg.Resolver.LookupNetIP(ctx, "ip", host+".")
	if err != nil {
		return nil, fmt.Errorf("resolve %s: %w", host, err)
	}
	if len(found) == 0 || len(found) > 32 {
		return nil, fmt.Errorf("resolve %s: %d addresses", host, len(found))
	}
	for i, a := range found {
		// The system's resolver gives IPv4 addresses mapped into IPv6.
		if a.Is4In6() {
			a = a.Unmap()
			found[i] = a
		}
		if why := refused(a); why != "" {
			return nil, fmt.Errorf("%w: %s is %s", ErrBlocked, host, why)
		}
	}
	// The second wall: whatever is dialled, the kernel is asked for an address that passed.
	d.Control = func(_, address string, _ syscall.RawConn) error {
		at, err := netip.ParseAddrPort(address)
		if err != nil {
			return fmt.Errorf("%w: %s", ErrBlocked, address)
		}
		if why := refused(at.Addr()); why != "" {
			return fmt.Errorf("%w: %s", ErrBlocked, why)
		}
		return nil
	}
	var last error
	for _, a := range found[:min(len(found), 4)] {
		if !c.meters.admit("address "+a.String(), c.cfg.Now()) {
			return nil, fmt.Errorf("%w: %s", ErrBusy, a)
		}
		conn, err := c.cfg.connect(ctx, d, net.JoinHostPort(a.String(), port))
		if err == nil {
			return conn, nil
		}
		last = err
	}
	return nil, last
}

// dialed is the address that an origin is dialled at.
func dialed(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443", "socks5": "1080"}[u.Scheme]
	}
	return net.JoinHostPort(u.Hostname(), port)
}

// refusedNets are the networks of RFC 6890 and its successors that are none of the world's, and what answers only inside of clouds.
var refusedNets = func() map[netip.Prefix]string {
	out := map[netip.Prefix]string{}
	for text, why := range map[string]string{
		"0.0.0.0/8":         "this network",
		"10.0.0.0/8":        "private",
		"100.64.0.0/10":     "behind a carrier's NAT",
		"127.0.0.0/8":       "this machine",
		"168.63.129.16/32":  "a cloud's own",
		"169.254.0.0/16":    "link-local",
		"172.16.0.0/12":     "private",
		"192.0.0.0/24":      "reserved",
		"192.0.2.0/24":      "documentation",
		"192.88.99.0/24":    "a 6to4 relay",
		"192.168.0.0/16":    "private",
		"198.18.0.0/15":     "for benchmarks",
		"198.51.100.0/24":   "documentation",
		"203.0.113.0/24":    "documentation",
		"224.0.0.0/4":       "multicast",
		"240.0.0.0/4":       "reserved",
		"2001::/23":         "reserved, Teredo among it",
		"2001:db8::/32":     "documentation",
		"2002::/16":         "6to4, which hides an IPv4 address",
		"2620:4f:8000::/48": "AS112",
		"3fff::/20":         "documentation",
	} {
		out[netip.MustParsePrefix(text)] = why
	}
	return out
}()

// global is all of IPv6 that is given out. What lies outside is refused unseen: ::1, mapped and compatible IPv4, NAT64 (64:ff9b::/96 and
// 64:ff9b:1::/48), unique local, link-local, multicast.
var global = netip.MustParsePrefix("2000::/3")

// refused tells why nothing is asked of an address, "" when it may be.
func refused(a netip.Addr) string {
	switch {
	case !a.IsValid():
		return "no address"
	case a.Zone() != "":
		return "of one link"
	case a.Is6() && !global.Contains(a):
		return "not of the public internet"
	}
	for net, why := range refusedNets {
		if net.Contains(a) {
			return why
		}
	}
	return ""
}
