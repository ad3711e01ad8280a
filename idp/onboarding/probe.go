package onboarding

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"syscall"
	"time"

	"github.com/credence-id/credence/idp/assertion"
	"github.com/credence-id/credence/idp/oauth"
	"github.com/credence-id/credence/idp/outbound"
	"github.com/credence-id/credence/store"
)

// Prober tries whether the addresses of a client answer, and whether its keys can be used. It is safe for concurrent use.
type Prober struct {
	Guard outbound.Guard // for the addresses are an applicant's word

	running chan struct{} // holds a value for each check that runs
}

// Bounds of a check.
const (
	longestCheck = 5 * time.Second
	longestTry   = 2 * time.Second // of one address, so that a slow one leaves time for others
	mostAtOnce   = 2
	longestFound = 1000 // characters: what is found is kept
)

// NewProber returns a prober of the addresses that a guard lets it reach.
func NewProber(guard outbound.Guard) *Prober {
	return &Prober{Guard: guard, running: make(chan struct{}, mostAtOnce)}
}

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

// probe tries addresses, one after the other.
func (p *Prober) probe(ctx context.Context, use string, uris []string) []Finding {
	client := p.Guard.Client()
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
	case u.Scheme == "http" && !p.Guard.Loopback:
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

// keys tries the keys of an application: fetches them where they are published, and says which can be used.
func (p *Prober) keys(ctx context.Context, a store.ClientApplication) []Finding {
	if a.Authentication != oauth.AuthPrivateKeyJWT {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, longestTry)
	defer cancel()
	f := Finding{URI: a.JWKSURI, Use: "The service proves with its keys that it is itself"}
	var set assertion.KeySet
	var faults []assertion.Fault
	var err error
	if a.JWKSURI != "" {
		set, faults, err = assertion.Fetch(ctx, p.Guard, a.JWKSURI)
	} else {
		f.URI = "Registered keys"
		set, faults, err = assertion.ParseKeySet(a.JWKS, assertion.MostRegistered)
	}
	if err != nil {
		why := failed(err)
		f.Found, f.Fix = why.Found, why.Fix
		return []Finding{f}
	}
	f.OK = len(set.Keys) > 0
	f.Found = fmt.Sprintf("Keys that can be used: %d.", len(set.Keys))
	if f.OK {
		f.Found = fmt.Sprintf("Keys that can be used: %d, which are %s.", len(set.Keys), set)
	} else {
		f.Fix = "Put at least one public key into the set, of RSA, P-256, P-384 or Ed25519."
	}
	for _, fault := range faults {
		f.Found += " Not used: " + fault.Error() + "."
	}
	if cut := []rune(f.Found); len(cut) > longestFound {
		f.Found = string(cut[:longestFound-1]) + "…"
	}
	return []Finding{f}
}

// failed says in words why nothing answered.
func failed(err error) Finding {
	var untrusted x509.UnknownAuthorityError
	var invalid x509.CertificateInvalidError
	var hostname x509.HostnameError
	var resolving *net.DNSError
	var status *outbound.StatusError
	var other *outbound.TypeError
	var malformed *assertion.SetError
	switch {
	case errors.As(err, &status):
		return Finding{Found: fmt.Sprintf("It answered %d, and not 200 with the keys.", status.Status), Fix: "Publish the key set at this very address: redirects are not followed."}
	case errors.As(err, &other):
		return Finding{Found: fmt.Sprintf("It answered with the type %.100q.", other.Type), Fix: "Answer with the type application/jwk-set+json or application/json."}
	case errors.Is(err, outbound.ErrTooLong):
		return Finding{Found: "It answered with more than a key set takes.", Fix: "Publish the keys of this service alone, in at most 64 KiB."}
	case errors.As(err, &malformed):
		return Finding{Found: "Its keys cannot be used: " + malformed.Error() + ".", Fix: "Correct the key set."}
	case errors.Is(err, outbound.ErrNotPublic):
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
