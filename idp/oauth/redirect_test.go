package oauth

import (
	"net/url"
	"strings"
	"testing"
)

func TestCheckRedirectURI(t *testing.T) {
	t.Parallel()
	for uri, ok := range map[string]bool{
		"https://rp.example.org/callback":       true,
		"https://rp.example.org/callback?a=b":   true,
		"https://rp.example.org/callback?":      true,
		"https://rp.example.org/a%2Fb":          true,
		"https://rp.example.org:8443/":          true,
		"https://rp.example.org":                true,
		"https://192.0.2.1/callback":            true,
		"https://RP.example.org/callback":       true,
		"http://127.0.0.1/callback":             true,
		"http://127.0.0.1:5000/callback":        true,
		"http://[::1]/callback":                 true,
		"http://localhost:8000/callback":        true,
		"org.example.app:/callback":             true,
		"org.example.app:callback":              true,
		"org.example.app://host/callback":       true,
		"https://rp.example.org/" + long(1001):  true,
		"https://rp.example.org/" + long(1002):  false,
		"":                                      false,
		"callback":                              false,
		"//rp.example.org/callback":             false,
		"https:///callback":                     false,
		"https://:443/callback":                 false,
		"https:callback":                        false,
		"HTTPS://rp.example.org/callback":       false,
		`https://rp.example.org/a"b`:            false,
		"https://rp.example.org/callback#":      false,
		"https://rp.example.org/callback#f":     false,
		"https://user@rp.example.org/callback":  false,
		"https://u:p@rp.example.org/callback":   false,
		"https://@rp.example.org/callback":      false,
		`https://rp.example.org\callback`:       false,
		"https://rp.example.org/call back":      false,
		"https://rp.example.org/callback\n":     false,
		"https://rp.example.org/ä":              false,
		"https://rp.example。org/callback":       false,
		"https://rp.example.org/?a=%zz":         false,
		"https://rp.example.org/?x;code=y":      false,
		"https://rp.example.org/?code=x":        false, // RFC 6749, Section 4.1.2: what an answer adds
		"https://rp.example.org/?a=b&state":     false,
		"https://rp.example.org/?%69ss=x":       false,
		"https://rp.example.org/?error=x":       false,
		"http://rp.example.org/callback":        false,
		"http://127.0.0.2/callback":             false,
		"http://127.1/callback":                 false,
		"http://0.0.0.0/callback":               false,
		"http://[::ffff:127.0.0.1]/callback":    false,
		"http://[::1%25lo]/callback":            false,
		"http://localhost.example.org/callback": false,
		"http://LOCALHOST/callback":             false,
		"javascript:alert(1)":                   false,
		"JaVaScRiPt:alert(1)":                   false,
		"data:text/html,x":                      false,
		"vbscript:x":                            false,
		"file:///etc/passwd":                    false,
		"ftp://rp.example.org/":                 false,
		"app:/callback":                         false, // RFC 8252, Section 7.1: a domain name in reverse
		"urn:ietf:wg:oauth:2.0:oob":             false,
		"*":                                     false,
		"https://*":                             false, // nothing is a pattern, and whoever writes one thinks otherwise
		"https://*.example.org/callback":        false,
		"https://rp.example.org/*":              false,
		"https://rp.example.org/%2A":            true,
	} {
		if err := checkRedirectURI(uri); (err == nil) != ok {
			t.Errorf("checkRedirectURI(%q) = %v, want it accepted: %v", uri, err, ok)
		}
	}
}

func long(n int) string { return strings.Repeat("a", n) }

// RFC 8252, Section 7.3: "The authorization server MUST allow any port to be specified at the time of the request for
// loopback IP redirect URIs". Nothing else may differ.
func TestAnyLoopbackPort(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		registered, asked string
		want              bool
	}{
		{"http://127.0.0.1/cb", "http://127.0.0.1:49152/cb", true},
		{"http://127.0.0.1:80/cb", "http://127.0.0.1/cb", true},
		{"http://127.0.0.1:80/cb?a=b", "http://127.0.0.1:81/cb?a=b", true},
		{"http://127.0.0.1", "http://127.0.0.1:81", true},
		{"http://[::1]/cb", "http://[::1]:49152/cb", true},
		{"http://127.0.0.1/cb", "http://[::1]/cb", false},
		{"http://127.0.0.1", "http://127.0.0.1:81/", false},
		{"http://127.0.0.1", "http://127.0.0.1:81@evil.example/", false},
		{"http://127.0.0.1", "http://127.0.0.1.evil.example/", false},
		{"http://127.0.0.1/cb?a=b", "http://127.0.0.1:81/cb", false},
		{"http://127.0.0.1/cb", "http://127.0.0.1:65536/cb", false},
		{"http://localhost/cb", "http://localhost:81/cb", false},
		{"https://127.0.0.1/cb", "http://127.0.0.1/cb", false},
		{"https://127.0.0.1/cb", "https://127.0.0.1:81/cb", false},
	} {
		if got := registeredRedirect([]string{"https://rp.example.org/", tt.registered}, tt.asked); got != tt.want {
			t.Errorf("registeredRedirect(%q, %q) = %v, want %v", tt.registered, tt.asked, got, tt.want)
		}
	}
}

func FuzzRedirectURI(f *testing.F) {
	f.Add("https://rp.example.org/callback?kept=1", "https://rp.example.org/callback?kept=1")
	f.Add("http://127.0.0.1/callback", "http://127.0.0.1:49152/callback")
	f.Add("http://[::1]:80/callback?a", "http://[::1]/callback?a")
	f.Add("http://127.0.0.1", "http://127.0.0.1:80@evil.example")
	f.Add("org.example.app:/callback", `http://127.0.0.1:80\@evil.example/callback`)
	f.Fuzz(func(t *testing.T, registered, asked string) {
		if checkRedirectURI(registered) != nil {
			return
		}
		if !registeredRedirect([]string{registered}, registered) {
			t.Errorf("registeredRedirect(%q, itself) = false", registered)
		}
		if !registeredRedirect([]string{registered}, asked) {
			return
		}
		if err := checkRedirectURI(asked); err != nil {
			t.Errorf("%q is taken for %q and could not be registered: %v", asked, registered, err)
		}
		if asked != registered {
			a, b := mustParse(t, asked), mustParse(t, registered)
			if a.Scheme != "http" || b.Scheme != "http" || a.Hostname() != b.Hostname() || !loopback(a) || a.EscapedPath() != b.EscapedPath() || a.RawQuery != b.RawQuery {
				t.Errorf("%q is taken for %q", asked, registered)
			}
		}
		answer, err := withParameters(asked, url.Values{"code": {"a code"}, "iss": {"https://example.com"}})
		if err != nil || !strings.HasPrefix(answer, asked) {
			t.Fatalf("withParameters(%q) = %q, %v, want an address that begins so", asked, answer, err)
		}
		q := mustParse(t, answer).Query()
		if len(q["code"]) != 1 || q.Get("code") != "a code" || len(q["iss"]) != 1 || strings.ContainsAny(answer, "\r\n\t #") {
			t.Errorf("withParameters(%q) = %q", asked, answer)
		}
		for _, source := range formAction(asked) {
			if strings.ContainsAny(source, " ;,'\"*") {
				t.Errorf("formAction(%q) has %q", asked, source)
			}
		}
	})
}

func mustParse(t *testing.T, uri string) *url.URL {
	t.Helper()
	u, err := url.Parse(uri)
	if err != nil {
		t.Fatal(err)
	}
	return u
}
