package idp_test

import (
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/credence-id/credence/idp/assurance"
	"github.com/credence-id/credence/idp/oauth"
)

// A client is told what was not reached of what it asks, and nothing about the person beside that.
func TestWhatAClientIsToldOfUnmetLevels(t *testing.T) {
	t.Parallel()
	p := asking(t, oauth.Registration{ID: "proved", MinimumIdentity: assurance.IdentityVeryHigh})
	const asked = "The person has not reached what the request or the client needs: "
	const signedIn = "The person signed in less strongly than the request or the client needs: "
	for _, tt := range []struct {
		name, client, method string
		signsInFor           bool // this request; otherwise she is signed in already, and gives up
		asked                []string
		code, want           string
	}{
		{"a level, after a sign-in for it", confidentialClient, "passkey", true, []string{"claims", essential("AAL3_ANY")}, unmet, signedIn + "AAL3."},
		{"a level, given up", confidentialClient, "passkey", false, []string{"claims", essential("AAL3_ANY")}, unmet, asked + "AAL3."},
		{"a level that does not have to be, given up", confidentialClient, "passkey", false, []string{"acr_values", "AAL3_ANY"}, "access_denied", "The person did not want to sign in."},
		{"a way", confidentialClient, "totp", true, []string{"claims", essential("phr")}, unmet, signedIn + "AAL1 by a phishing-resistant method."},
		{"hardware", confidentialClient, "passkey", true, []string{"claims", essential("phrh")}, unmet, signedIn + "AAL1 by a key in hardware of a known model."},
		{"methods", confidentialClient, "passkey", true, []string{"claims", essential("AAL2_TOTP")}, unmet, signedIn + "AAL2 with amr otp."},
		{"an identity, given up", "proved", "passkey", false, nil, unmet, asked + "identity level very_high."},
		{"an identity, without a page", "proved", "passkey", false, []string{"prompt", "none"}, unmet, asked + "identity level very_high."},
		{"an identity and a level, given up", "proved", "passkey", false, []string{"claims", essential("AAL3_ANY")}, unmet, asked + "identity level very_high, and AAL3."},
		{"of two the nearer", confidentialClient, "passkey", true, []string{"claims", essential("urn:credence:acr:identity:very_high", "AAL3_ANY")}, unmet, signedIn + "AAL3."},
		{"what nobody reaches", confidentialClient, "passkey", true, []string{"claims", essential("AAL3_IOS")}, unmet, "Nothing here meets what the request needs: acr_values_supported has each acr that can be met, and the trustmark (vtm) each vector."},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := p.in(t)
			b := p.browser()
			if !tt.signsInFor {
				b.signInAlone(oneRole, tt.method)
			}
			a := b.authorize(request(tt.client, newPKCE(), tt.asked...))
			switch a.path() {
			case "/sign-in":
				a = b.simulate(a, oneRole, tt.method)
			case "/sign-in/step-up", "/sign-in/unmet":
				a = b.press(a, "cancel")
			}
			told := a.redirect(t)
			if told.Get("error") != tt.code || told.Get("error_description") != tt.want {
				t.Errorf("the client is told %s: %q, want %s: %q", told.Get("error"), told.Get("error_description"), tt.code, tt.want)
			}
		})
	}
}

// All of a request travels in the addresses of the pages that it leads to. Those of a request of 4 KiB fit into the 8 KiB that
// proxies take of a line, those of the longest into the 16 KiB that docs/operate.md has them take; and each leads on.
func TestLongRequests(t *testing.T) {
	t.Parallel()
	p := asking(t, oauth.Registration{ID: "proved", MinimumIdentity: assurance.IdentityVeryHigh})
	for name, tt := range map[string]struct {
		query, state, line int // bytes: of the request, of its state, which the way back has again, and of the longest line that it leads to
	}{
		"of 4 KiB":             {4 << 10, 256, 8 << 10},
		"as long as it may be": {8 << 10, 2 << 10, 16 << 10},
	} {
		long := func(client string) url.Values {
			q := request(client, newPKCE(), "acr_values", "AAL3_ANY", "state", strings.Repeat("s", tt.state), "pad", "-")
			q.Set("pad", strings.Repeat("x", tt.query-len(q.Encode())+1))
			if got := len(q.Encode()); got != tt.query {
				t.Fatalf("the request has %d bytes, want %d", got, tt.query)
			}
			return q
		}
		fits := func(a answer) answer {
			t.Helper()
			for _, address := range append(addresses(a.body), a.Header.Get("Location"), a.address().RequestURI()) {
				if got := len("POST " + address + " HTTP/1.1\r\n"); got > tt.line {
					t.Errorf("a request %s leads to a line of %d bytes, want at most %d: %.60s...", name, got, tt.line, address)
				}
			}
			return a
		}
		b := p.browser()
		page := fits(b.authorize(long(confidentialClient)))
		page.wantPage(t, http.StatusOK, "/sign-in")
		fits(b.get(page.address().RequestURI()))
		if a := fits(b.simulate(page, oneRole, "passkey")); !a.redirect(t).Has("code") {
			t.Errorf("a request %s leads to %q, want a code", name, a.Header.Get("Location"))
		}
		q := long(confidentialClient)
		shown := fits(b.get("/authorize?" + q.Encode()))
		page = fits(b.rest(shown))
		page.wantPage(t, http.StatusOK, "/sign-in/step-up", continueButton)
		back := fits(b.post(page.address().RequestURI(), url.Values{"continue": {"1"}}))
		if a := fits(b.rest(back)); !a.redirect(t).Has("code") {
			t.Errorf("Continue of a request %s leads to %q, want a code", name, a.Header.Get("Location"))
		}
		if a := b.rest(b.get(strings.TrimSuffix(back.Header.Get("Location"), "."))); a.path() != "/sign-in/step-up" { // its twin, without the mark
			t.Errorf("the same address without what Continue added leads to %s, want the page again", a.path())
		}
		fits(b.authorize(long("proved"))).wantPage(t, http.StatusForbidden, "/sign-in/unmet")
	}
}

// What stands behind the seal counts only with a seal that is of this request and this browser: nobody's link skips a page, or
// gives up for somebody.
func TestNoLinkEndsARequest(t *testing.T) {
	t.Parallel()
	p := asking(t)
	for button, tt := range map[string]struct{ mark, told string }{
		"continue": {".", "code"},
		"cancel":   {"~", "error"},
	} {
		t.Run(button, func(t *testing.T) {
			t.Parallel()
			p := p.in(t)
			b := p.browser()
			b.signInAlone(oneRole, "passkey")
			q := request(confidentialClient, newPKCE(), "acr_values", "AAL3_ANY").Encode()
			page := b.rest(b.get("/authorize?" + q))
			page.wantPage(t, http.StatusOK, "/sign-in/step-up", continueButton)
			address := b.post(page.address().RequestURI(), url.Values{button: {"1"}}).Header.Get("Location")
			if !strings.HasSuffix(address, tt.mark) {
				t.Fatalf("the button leads to %q, want an address that ends in %q", address, tt.mark)
			}
			sealed := address[strings.LastIndex(address, "=")+1:]
			another := request(confidentialClient, newPKCE(), "acr_values", "AAL3_ANY").Encode()
			for _, link := range []string{q + "&asked=" + tt.mark, q + tt.mark, another + "&asked=" + sealed} { // no seal, no parameter, another request's
				b.rest(b.get("/authorize?"+link)).wantPage(t, http.StatusOK, "/sign-in/step-up", continueButton)
			}
			elsewhere := p.browser()
			elsewhere.signInAlone(oneRole, "passkey")
			elsewhere.rest(elsewhere.get(address)).wantPage(t, http.StatusOK, "/sign-in/step-up", continueButton)
			if a := b.rest(b.get(address)); !a.redirect(t).Has(tt.told) {
				t.Errorf("the address of the button leads to %q, want %s", a.Header.Get("Location"), tt.told)
			}
		})
	}
}

// addresses lists those that a page leads to.
func addresses(page string) []string {
	var list []string
	for _, found := range regexp.MustCompile(`(?:href|action|data-[a-z-]+)="(/[^"]*)"`).FindAllStringSubmatch(page, -1) {
		list = append(list, html.UnescapeString(found[1]))
	}
	return list
}
