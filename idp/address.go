package idp

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// clientAddress is the address of the client: that of the connection, unless it is a trusted proxy's. Each trusted proxy
// adds to X-Forwarded-For from whom it has the request, so that the client is the last address there which is no trusted
// proxy's. What stands before it is the client's own word, and is not looked at. Behind what cannot be read nobody can be
// made out: then it is the address of the last trusted proxy.
func clientAddress(r *http.Request, trusted []netip.Prefix) string {
	client, ok := readAddress(r.RemoteAddr)
	if !ok {
		return r.RemoteAddr // not an Internet address
	}
	if !proxied(client, trusted) {
		return client.String()
	}
	hops := strings.Join(r.Header.Values("X-Forwarded-For"), ",") // RFC 9110, Section 5.3: several lines are one list
	for more := true; more && proxied(client, trusted); {
		comma := strings.LastIndexByte(hops, ',')
		hop, ok := readAddress(strings.Trim(hops[comma+1:], " \t"))
		if !ok {
			break
		}
		client, hops, more = hop, hops[:max(comma, 0)], comma >= 0
	}
	return client.String()
}

// fromProxy says whether a trusted proxy sent the request.
func fromProxy(r *http.Request, trusted []netip.Prefix) bool {
	peer, ok := readAddress(r.RemoteAddr)
	return ok && proxied(peer, trusted)
}

// proxied says whether an address is a trusted proxy's.
func proxied(address netip.Addr, trusted []netip.Prefix) bool {
	return slices.ContainsFunc(trusted, func(p netip.Prefix) bool { return p.Contains(address) })
}

// readAddress reads an address with or without a port: 192.0.2.1, 192.0.2.1:80, 2001:db8::1, [2001:db8::1],
// [2001:db8::1]:80. An IPv4 address in IPv6 is the IPv4 address, and a zone says nothing outside its host.
func readAddress(text string) (netip.Addr, bool) {
	if strings.HasSuffix(text, "]") {
		text += ":0"
	}
	if withPort, err := netip.ParseAddrPort(text); err == nil { // first: connections have a port
		return withPort.Addr().WithZone("").Unmap(), true
	}
	address, err := netip.ParseAddr(text)
	return address.WithZone("").Unmap(), err == nil
}
