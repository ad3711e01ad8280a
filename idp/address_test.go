package idp

import (
	"net/http"
	"net/netip"
	"strings"
	"testing"
)

func TestClientAddress(t *testing.T) {
	t.Parallel()
	trusted := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("2001:db8:ffff::/48"), netip.MustParsePrefix("192.0.2.1/32")}
	for name, tt := range map[string]struct {
		peer      string
		forwarded []string // lines of X-Forwarded-For
		want      string
	}{
		"the connection's, without a header":                  {"198.51.100.1:1234", nil, "198.51.100.1"},
		"the connection's, if it is nobody's whom we trust":   {"198.51.100.1:1234", []string{"203.0.113.9"}, "198.51.100.1"},
		"the connection's of IPv6":                            {"[2001:db8::1]:1234", nil, "2001:db8::1"},
		"the connection's of IPv4 in IPv6":                    {"[::ffff:198.51.100.1]:1234", []string{"203.0.113.9"}, "198.51.100.1"},
		"the connection's without its zone":                   {"[fe80::1%eth0]:1234", nil, "fe80::1"},
		"a connection that has no Internet address":           {"@", []string{"203.0.113.9"}, "@"},
		"a proxy's own, which forwards for nobody":            {"10.0.0.1:1234", nil, "10.0.0.1"},
		"whom a proxy names":                                  {"10.0.0.1:1234", []string{"203.0.113.9"}, "203.0.113.9"},
		"whom a proxy of IPv4 in IPv6 names":                  {"[::ffff:10.0.0.1]:1234", []string{"203.0.113.9"}, "203.0.113.9"},
		"whom a proxy that is one address names":              {"192.0.2.1:1234", []string{"203.0.113.9"}, "203.0.113.9"},
		"the neighbour of a proxy":                            {"192.0.2.2:1234", []string{"203.0.113.9"}, "192.0.2.2"},
		"whom a proxy of IPv6 names":                          {"[2001:db8:ffff::1]:1234", []string{"2001:db8::9"}, "2001:db8::9"},
		"whom the first of several proxies names":             {"10.0.0.1:1234", []string{"203.0.113.9, 10.0.0.3,10.0.0.2"}, "203.0.113.9"},
		"whom several proxies name on lines of their own":     {"10.0.0.1:1234", []string{"203.0.113.9", "10.0.0.3", "10.0.0.2"}, "203.0.113.9"},
		"not what the client says":                            {"10.0.0.1:1234", []string{"127.0.0.1, 203.0.113.9"}, "203.0.113.9"},
		"not what the client says on a line of its own":       {"10.0.0.1:1234", []string{"10.0.0.9", "203.0.113.9"}, "203.0.113.9"},
		"not what the client says in the name of a proxy":     {"10.0.0.1:1234", []string{"1.1.1.1, 10.0.0.7, 203.0.113.9, 10.0.0.2"}, "203.0.113.9"},
		"a proxy at the beginning of the list":                {"10.0.0.1:1234", []string{"10.0.0.3, 10.0.0.2"}, "10.0.0.3"},
		"a client with its port":                              {"10.0.0.1:1234", []string{"203.0.113.9:56"}, "203.0.113.9"},
		"a client of IPv6 with its port":                      {"10.0.0.1:1234", []string{"[2001:db8::9]:56"}, "2001:db8::9"},
		"a client of IPv6 in brackets":                        {"10.0.0.1:1234", []string{"[2001:db8::9]"}, "2001:db8::9"},
		"a client of IPv4 in IPv6":                            {"10.0.0.1:1234", []string{"::ffff:203.0.113.9"}, "203.0.113.9"},
		"a client with a zone":                                {"10.0.0.1:1234", []string{"fe80::9%eth0"}, "fe80::9"},
		"a client behind white space":                         {"10.0.0.1:1234", []string{" \t203.0.113.9\t "}, "203.0.113.9"},
		"the last proxy, before something unknown":            {"10.0.0.1:1234", []string{"203.0.113.9, unknown, 10.0.0.2"}, "10.0.0.2"},
		"the last proxy, before nothing":                      {"10.0.0.1:1234", []string{"203.0.113.9, , 10.0.0.2"}, "10.0.0.2"},
		"the last proxy, before something with a NUL":         {"10.0.0.1:1234", []string{"203.0.113.9\x00"}, "10.0.0.1"},
		"the last proxy, before IPv4 in brackets":             {"10.0.0.1:1234", []string{"[203.0.113.9]:56"}, "10.0.0.1"},
		"the last proxy, before two addresses without comma":  {"10.0.0.1:1234", []string{"203.0.113.9 203.0.113.8"}, "10.0.0.1"},
		"the last proxy, before an address as another number": {"10.0.0.1:1234", []string{"0313.0.113.9"}, "10.0.0.1"},
		"the connection's, before an empty header":            {"10.0.0.1:1234", []string{""}, "10.0.0.1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := &http.Request{RemoteAddr: tt.peer, Header: http.Header{"X-Forwarded-For": tt.forwarded, "Forwarded": {"for=203.0.113.7"}, "X-Real-Ip": {"203.0.113.7"}}}
			if got := clientAddress(r, trusted); got != tt.want {
				t.Errorf("clientAddress(%s, %q) = %s, want %s", tt.peer, tt.forwarded, got, tt.want)
			}
			if got, want := clientAddress(r, nil), clientAddress(&http.Request{RemoteAddr: tt.peer}, trusted); got != want {
				t.Errorf("clientAddress(%s, %q) without trusted proxies = %s, want %s", tt.peer, tt.forwarded, got, want)
			}
		})
	}
}

// Whatever a client writes, the address is one that the last trusted proxy vouches for, and fits the audit record.
func FuzzClientAddress(f *testing.F) {
	f.Add("203.0.113.9", "10.0.0.2")
	f.Add("[2001:db8::9]:56,,", "")
	f.Add("::ffff:203.0.113.9%eth0", ",")
	f.Add("1.2.3.4, 10.9.9.9", "198.51.100.1")
	trusted := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	f.Fuzz(func(t *testing.T, clients, proxies string) {
		request := func(forwarded ...string) *http.Request {
			return &http.Request{RemoteAddr: "10.0.0.1:1234", Header: http.Header{"X-Forwarded-For": forwarded}}
		}
		got := clientAddress(request(clients, proxies), trusted)
		address, err := netip.ParseAddr(got)
		if err != nil || address.Is4In6() || address.Zone() != "" || len(got) > 64 || strings.ToLower(got) != got {
			t.Errorf("clientAddress(%q, %q) = %q, want a plain address", clients, proxies, got)
		}
		if vouched := clientAddress(request(proxies), trusted); !trusted[0].Contains(netip.MustParseAddr(vouched)) && got != vouched {
			t.Errorf("clientAddress(%q, %q) = %s, want %s, for whom the proxy vouches", clients, proxies, got, vouched)
		}
	})
}
