package oauth

import (
	"errors"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// checkRedirectURI says whether an address may be registered: https, http on this very machine, or a scheme of an
// app's own (RFC 8252, Section 7.1). What an answer adds to its query must not be there already.
func checkRedirectURI(uri string) error {
	u, err := url.Parse(uri)
	switch {
	case err != nil || len(uri) > 1024 || strings.ContainsFunc(uri, func(r rune) bool { return r <= ' ' || r > '~' || r == '\\' }):
		return errors.New("not a URI of at most 1024 printable ASCII characters")
	case strings.Contains(uri, "#"): // RFC 6749, Section 3.1.2: MUST NOT include a fragment component
		return errors.New("it must have no fragment")
	case strings.Contains(uri, "*"): // it is never a part of an address that somebody means
		return errors.New("it must have no *: nothing is a pattern, every address is registered in full")
	case u.User != nil:
		return errors.New("it must name no user")
	case u.String() != uri: // an answer is sent to exactly what is registered
		return errors.New("write it as " + u.String())
	case u.Scheme == "https" && u.Hostname() != "":
	case u.Scheme == "http" && (u.Hostname() == "localhost" || loopback(u)):
	case privateScheme(u.Scheme):
	default:
		return errors.New("want https://, or http:// on 127.0.0.1, [::1] or localhost, or an app's own scheme such as org.example.app:/callback")
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return errors.New("its query is not properly encoded")
	}
	for _, name := range []string{"code", "state", "iss", "error", "error_description", "error_uri", "response"} {
		if query.Has(name) {
			return errors.New("its query must not have " + name + ", which an answer adds")
		}
	}
	return nil
}

// privateScheme says whether a scheme is one that an app claims for itself. RFC 8252, Section 7.1 wants it to be a
// domain name in reverse; so no scheme that a browser acts on is one.
func privateScheme(scheme string) bool {
	return regexp.MustCompile(`^[a-z][a-z0-9-]*(\.[a-z0-9-]+)+$`).MatchString(scheme)
}

// loopback says whether the host is an IP literal of this very machine, in the spelling that RFC 8252, Section 7.3 uses.
func loopback(u *url.URL) bool {
	host := u.Hostname()
	return host == "127.0.0.1" || (host == "::1" && strings.HasPrefix(u.Host, "[::1]"))
}

// registeredRedirect says whether an address that a client named is one that it registered. Addresses are compared byte by
// byte. The one exception are loopback addresses of native apps: RFC 8252, Section 7.3, "The authorization server MUST
// allow any port to be specified at the time of the request for loopback IP redirect URIs".
func registeredRedirect(registered []string, uri string) bool {
	if slices.Contains(registered, uri) {
		return true
	}
	plain, ok := withoutPort(uri)
	return ok && slices.ContainsFunc(registered, func(r string) bool {
		registered, ok := withoutPort(r)
		return ok && registered == plain
	})
}

var loopbackURI = regexp.MustCompile(`^(http://(?:127\.0\.0\.1|\[::1\]))(?::([0-9]{1,5}))?(/[!-~]*)?$`)

// withoutPort takes the port out of an http address on a loopback IP literal.
func withoutPort(uri string) (string, bool) {
	m := loopbackURI.FindStringSubmatch(uri)
	if m == nil || strings.ContainsAny(m[3], `\#`) {
		return "", false
	}
	if m[2] != "" {
		if _, err := netip.ParseAddrPort("127.0.0.1:" + m[2]); err != nil {
			return "", false
		}
	}
	return m[1] + m[3], true
}

// withParameters adds parameters to the query of an address, and keeps what it has: RFC 6749, Section 3.1.2.
func withParameters(uri string, parameters url.Values) (string, error) {
	u, err := url.Parse(uri)
	if err != nil {
		return "", err
	}
	if u.RawQuery != "" {
		u.RawQuery += "&"
	}
	u.RawQuery += parameters.Encode()
	return u.String(), nil
}

// formAction lists where a form may lead that ends at an address: its own scheme or loopback origin, and any https
// address, because browsers apply form-action to each redirect of the chain and only the client knows the rest of it.
func formAction(uri string) []string {
	u, err := url.Parse(uri)
	switch {
	case err != nil || u.Scheme == "https":
		return []string{"https:"}
	case u.Scheme == "http":
		return []string{"https:", u.Scheme + "://" + u.Host}
	}
	return []string{"https:", u.Scheme + ":"}
}
