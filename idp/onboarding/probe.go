package onboarding

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"syscall"
	"time"
)

// Prober tries whether the addresses of a client answer. It is safe for concurrent use.
//
// The addresses are an applicant's word. What the prober connects to is decided by the dialer about the very IP address that
// it is about to use, so it makes no difference what a name resolves to before or after, or how an address is spelled.
type Prober struct {
	// Loopback allows this very machine, over http too. Only `dev` sets it.
	Loopback bool
	// Roots are whose certificates are trusted; nil is the system's.
	Roots *x509.CertPool
	// Resolver finds the addresses of names; nil is the system's.
	Resolver *net.Resolver

	running chan struct{} // holds a value for each check that runs
}

// Bounds of a check.
const (
	longestCheck = 5 * time.Second
	longestTry   = 2 * time.Second // of one address, so that a slow one leaves time for others
	mostAtOnce   = 2
	mostHeaders  = 64 << 10
)

// NewProber returns a prober of public addresses.
func NewProber() *Prober { return &Prober{running: make(chan struct{}, mostAtOnce)} }

// Finding is what came of one address.
type Finding struct {
	URI   string `json:"uri"`
	Use   string `json:"use"` // what the client has it for
	OK    bool   `json:"ok"`
	Found string `json:"found"`         // what was tried and what came back, in words
	Fix   string `json:"fix,omitempty"` // what to do about it
}

// begin takes a place among the checks that may run at once, and says whether there was one. Who has it gives it back with end.
func (p *Prober) begin() bool {
	select {
	case p.running <- struct{}{}:
		return true
	default:
		return false
	}
}

func (p *Prober) end() { <-p.running }

// errNotPublic is that a name leads where nobody but this server may get.
var errNotPublic = errors.New("it leads to an address that is not public")

// probe tries addresses, one after the other.
func (p *Prober) probe(ctx context.Context, use string, uris []string) []Finding {
	client := &http.Client{
		Transport: &http.Transport{
			DialContext:       (&net.Dialer{Resolver: p.Resolver, ControlContext: p.control}).DialContext,
			TLSClientConfig:   &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: p.Roots},
			ForceAttemptHTTP2: true, DisableKeepAlives: true, DisableCompression: true, MaxResponseHeaderBytes: mostHeaders,
			Proxy: nil, // which would resolve the name out of our sight
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	findings := make([]Finding, len(uris))
	for i, uri := range uris {
		findings[i] = p.try(ctx, client, uri)
		findings[i].URI, findings[i].Use = uri, use
	}
	return findings
}

// try asks for one address, and reads nothing of the answer but its status.
func (p *Prober) try(ctx context.Context, client *http.Client, uri string) Finding {
	u, err := url.Parse(uri)
	switch {
	case err != nil:
		return Finding{Found: "It is not a URI.", Fix: "Apply again with the right one."}
	case u.Scheme != "https" && u.Scheme != "http":
		return Finding{OK: true, Found: "It is an app's own address: only a device that has the app can try it."}
	case u.Scheme == "http" && !p.Loopback:
		return Finding{OK: true, Found: "It is on the device of whoever signs in: it cannot be tried from here."}
	}
	ctx, cancel := context.WithTimeout(ctx, longestTry)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, uri, nil)
	if err != nil {
		return Finding{Found: "It cannot be asked for.", Fix: "Apply again with the right one."}
	}
	r.Header.Set("User-Agent", "Credence readiness check")
	answer, err := client.Do(r)
	if err != nil {
		return failed(err)
	}
	_ = answer.Body.Close() // nothing of it was read
	if answer.StatusCode >= http.StatusInternalServerError {
		return Finding{Found: fmt.Sprintf("It answered %d: the service failed.", answer.StatusCode), Fix: "Look into the log of the service. An address that is opened without parameters may say so, and must not fail."}
	}
	how := "over TLS with a valid certificate"
	if u.Scheme == "http" {
		how = "over http, on this machine"
	}
	return Finding{OK: true, Found: fmt.Sprintf("It answered %d, %s.", answer.StatusCode, how)}
}

// failed says in words why nothing answered.
func failed(err error) Finding {
	var untrusted x509.UnknownAuthorityError
	var invalid x509.CertificateInvalidError
	var hostname x509.HostnameError
	var resolving *net.DNSError
	switch {
	case errors.Is(err, errNotPublic):
		return Finding{Found: "It was not tried: the name leads to an address that is not public, or the port is one that no web service has.", Fix: "Publish the service at a public address, on port 443 or one above 1023."}
	case errors.As(err, &untrusted):
		return Finding{Found: "Its certificate is of an authority that nobody trusts.", Fix: "Use a certificate of a public authority, and send the intermediate ones with it."}
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return Finding{Found: "Its certificate has expired, or does not hold yet.", Fix: "Renew the certificate."}
	case errors.As(err, &invalid):
		return Finding{Found: "Its certificate is not valid.", Fix: "Use a certificate for web servers."}
	case errors.As(err, &hostname):
		return Finding{Found: "Its certificate is for another name.", Fix: "Use a certificate with this very name."}
	case errors.Is(err, context.DeadlineExceeded):
		return Finding{Found: "It did not answer in time.", Fix: "See that the service runs and that no firewall keeps us out, and check again."}
	case errors.As(err, &resolving):
		return Finding{Found: "Its name could not be found.", Fix: "See whether the name is right and in the public DNS."}
	case errors.Is(err, syscall.ECONNREFUSED):
		return Finding{Found: "Nobody listens there.", Fix: "Start the service, or correct the port."}
	default:
		return Finding{Found: "It did not speak HTTP over TLS.", Fix: "See whether the service speaks TLS 1.2 or 1.3 on this port."}
	}
}

// control refuses to connect to what is not public, at the moment at which it would.
func (p *Prober) control(_ context.Context, network, address string, _ syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil || network != "tcp4" && network != "tcp6" {
		return fmt.Errorf("%s %s: %w", network, strconv.Quote(address), errNotPublic)
	}
	if p.Loopback && at.Addr().Unmap().IsLoopback() {
		return nil
	}
	if !public(at.Addr()) || at.Port() != 443 && at.Port() < 1024 {
		return errNotPublic
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
