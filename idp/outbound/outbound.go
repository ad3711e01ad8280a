// Package outbound makes requests to addresses that somebody else chose: those of a client, by the word of whoever registered
// it. It is what an attacker would use to reach what only this server can.
//
// It guarantees that nothing is connected to but public addresses, on port 443 or above 1023. The dialer decides, about the very
// IP address that it is about to use, so it makes no difference what a name resolves to before or after, or how an address is
// spelled. No redirect is followed, nothing is sent through a proxy, and what is read is bounded in size and time.
package outbound

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"syscall"
)

// Guard is what keeps requests to public addresses. The zero value is one of this kind, as a server has it.
type Guard struct {
	// Loopback allows this very machine, over http too. Only `dev` sets it.
	Loopback bool
	// Roots are whose certificates are trusted; nil is the system's.
	Roots *x509.CertPool
	// Resolver finds the addresses of names; nil is the system's.
	Resolver *net.Resolver
}

const mostHeaders = 64 << 10

// Errors of requests, for who says what to do about them. Beside them are those of net, crypto/x509 and context.
var (
	// ErrNotPublic is that a name leads where nobody but this server may get.
	ErrNotPublic = errors.New("it leads to an address that is not public")
	// ErrTooLong is that a document is longer than it may be.
	ErrTooLong = errors.New("it is too long")
)

// StatusError is that an address answers something other than 200.
type StatusError struct{ Status int }

func (e *StatusError) Error() string { return fmt.Sprintf("it answers %d", e.Status) }

// TypeError is that an address answers with something of another type than was wanted.
type TypeError struct{ Type string }

func (e *TypeError) Error() string { return fmt.Sprintf("it answers with the type %.100q", e.Type) }

// Client is a client for requests to addresses that somebody else chose. It keeps no connection open.
func (g Guard) Client() *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			DialContext:       (&net.Dialer{Resolver: g.Resolver, ControlContext: g.control}).DialContext,
			TLSClientConfig:   &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: g.Roots},
			ForceAttemptHTTP2: true, DisableKeepAlives: true, DisableCompression: true, MaxResponseHeaderBytes: mostHeaders,
			Proxy: nil, // which would resolve the name out of our sight
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// Get reads the document at an address, of at most so many bytes and of one of some media types. The context bounds the time.
func (g Guard) Get(ctx context.Context, uri string, most int64, types ...string) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, uri, nil)
	if err != nil {
		return nil, err
	}
	if r.URL.Scheme != "https" && !g.Loopback {
		return nil, ErrNotPublic
	}
	r.Header.Set("User-Agent", "Credence")
	r.Header["Accept"] = types
	answer, err := g.Client().Do(r)
	if err != nil {
		return nil, err
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != http.StatusOK {
		return nil, &StatusError{answer.StatusCode}
	}
	given, _, err := mime.ParseMediaType(answer.Header.Get("Content-Type"))
	if err != nil || !slices.Contains(types, given) {
		return nil, &TypeError{answer.Header.Get("Content-Type")}
	}
	text, err := io.ReadAll(io.LimitReader(answer.Body, most+1))
	if err != nil {
		return nil, err
	}
	if int64(len(text)) > most {
		return nil, ErrTooLong
	}
	return text, nil
}

// control refuses to connect to what is not public, at the moment at which it would.
func (g Guard) control(_ context.Context, network, address string, _ syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil || network != "tcp4" && network != "tcp6" {
		return fmt.Errorf("%s %s: %w", network, strconv.Quote(address), ErrNotPublic)
	}
	if g.Loopback && at.Addr().Unmap().IsLoopback() {
		return nil
	}
	if !public(at.Addr()) || at.Port() != 443 && at.Port() < 1024 {
		return ErrNotPublic
	}
	return nil
}

// special are the networks within what is routed that are no single public host: IANA's registries of special-purpose
// addresses, of RFC 6890. Beside them are the ways in which an IPv6 address carries an IPv4 one, whatever that is.
func special() []netip.Prefix {
	var list []netip.Prefix
	for _, network := range []string{
		"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24",
		"192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
		"2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20",
	} {
		list = append(list, netip.MustParsePrefix(network))
	}
	return list
}

// public says whether an address is one that anybody on the internet gets to. Of IPv6 that is global unicast, 2000::/3, alone.
func public(a netip.Addr) bool {
	if a.Zone() != "" || a.Is4In6() {
		return false
	}
	if a.Is6() && !netip.MustParsePrefix("2000::/3").Contains(a) {
		return false
	}
	return !slices.ContainsFunc(special(), func(n netip.Prefix) bool { return n.Contains(a) })
}
