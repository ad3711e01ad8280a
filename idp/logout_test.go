package idp_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/go-cmp/cmp"
)

// logout is the address of the end session endpoint with parameters: pairs of a name and its value.
func logout(pairs ...string) string {
	q := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		q.Add(pairs[i], pairs[i+1])
	}
	return "/logout?" + q.Encode()
}

func (a answer) confirms() bool {
	return a.path() == "/logout" && a.StatusCode == http.StatusOK && strings.Contains(a.body, `id="logout-confirm"`)
}

func (a answer) signedOut() bool {
	return a.path() == "/logout" && a.StatusCode == http.StatusOK && strings.Contains(a.body, "You have signed out")
}

func (a answer) refusesSignOut() bool {
	return a.StatusCode == http.StatusBadRequest && strings.Contains(a.body, "We could not sign you out for that service") && a.Header.Get("Location") == ""
}

// withHeader is a token with another header, and no signature.
func withHeader(t *testing.T, token, header string) string {
	t.Helper()
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatalf("token %q is no JWS", token)
	}
	return base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + parts[1] + "."
}

// foreign is a token with the same claims and header, signed by a key that is not ours.
func foreign(t *testing.T, token string) string {
	t.Helper()
	parsed, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.ES256})
	if err != nil {
		t.Fatal(err)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	header := parsed.Signatures[0].Header
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: key, KeyID: header.KeyID}}, (&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		t.Fatal(err)
	}
	signed, err := signer.Sign(parsed.UnsafePayloadWithoutVerification())
	if err != nil {
		t.Fatal(err)
	}
	out, err := signed.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// OpenID Connect RP-Initiated Logout 1.0, Sections 2 and 3.
func TestLogoutEndpoint(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	const person = "656005750109" // one role, AAL2
	own := p.browser()
	hint := p.signedIn(own, confidentialClient, person).IDToken
	signedByES256 := p.signedIn(own, publicClient, person).IDToken
	otherSession := p.signedIn(p.browser(), confidentialClient, person).IDToken
	otherPerson := p.signedIn(p.browser(), confidentialClient, oneRole).IDToken
	accessToken := p.signedIn(p.browser(), confidentialClient, person).AccessToken

	const asks, refuses = "asks", "refuses"
	tests := []struct {
		name, location string
		want           string // asks, refuses, "" for the signed-out page, or where the browser ends
	}{
		{"without parameters", "/logout", asks},
		{"for a client that is only named", logout("client_id", confidentialClient), asks},
		{"for a client that is only named, with a way back", logout("client_id", confidentialClient, "post_logout_redirect_uri", signedOut), asks},
		{"with parameters that nobody knows", logout("ui_locales", "../../etc/passwd", "logout_hint", "x", "foo", "bar"), asks},
		{"with the ID token of another session", logout("id_token_hint", otherSession), asks},
		{"with the ID token of another person", logout("id_token_hint", otherPerson), asks},

		{"with an access token", logout("id_token_hint", accessToken), asks},
		{"with a token of a foreign key", logout("id_token_hint", foreign(t, signedByES256)), asks},
		{"with a token that is not signed", logout("id_token_hint", withHeader(t, hint, `{"alg":"none"}`)), asks},
		{"with a token that is not signed, in other letters", logout("id_token_hint", withHeader(t, hint, `{"alg":"nOnE","typ":"JWT"}`)), asks},
		{"with a token whose signature is cut", logout("id_token_hint", hint[:len(hint)-8]), asks},
		{"with garbage for a token", logout("id_token_hint", "x"), asks},
		{"with a client that the token is not for", logout("id_token_hint", hint, "client_id", otherClient), refuses},
		{"with a client that nobody knows", logout("client_id", "nobody"), asks},
		{"with two hints", logout("id_token_hint", hint, "id_token_hint", otherPerson), refuses},
		{"with a way back and no client", logout("post_logout_redirect_uri", signedOut), refuses},
		{"with a way back that another client registered", logout("client_id", otherClient, "post_logout_redirect_uri", signedOut), refuses},
		{"with a way back that is longer", logout("id_token_hint", hint, "post_logout_redirect_uri", signedOut+"/more"), refuses},
		{"with a way back that has a query", logout("id_token_hint", hint, "post_logout_redirect_uri", signedOut+"?next=https://evil.example"), refuses},
		{"with a way back that has a fragment", logout("id_token_hint", hint, "post_logout_redirect_uri", signedOut+"#x"), refuses},
		{"with a way back in other letters", logout("id_token_hint", hint, "post_logout_redirect_uri", strings.Replace(signedOut, "rp", "RP", 1)), refuses},
		{"with a way back to a suffix", logout("id_token_hint", hint, "post_logout_redirect_uri", strings.Replace(signedOut, "example.org", "example.org.evil.example", 1)), refuses},
		{"with a way back that is a redirect URI", logout("id_token_hint", hint, "post_logout_redirect_uri", callback), refuses},
		{"with a way back that is script", logout("id_token_hint", hint, "post_logout_redirect_uri", "javascript:alert(1)"), refuses},
		{"with a broken escape", "/logout?state=%zz", refuses},
		{"with 9 kB", logout("state", strings.Repeat("s", 9<<10)), refuses},

		{"with the ID token", logout("id_token_hint", hint), ""},
		{"with the ID token and the client", logout("id_token_hint", hint, "client_id", confidentialClient), ""},
		{"with the ID token and a way back", logout("id_token_hint", hint, "post_logout_redirect_uri", signedOut), signedOut},
		{"with the ID token, a way back and a state", logout("id_token_hint", hint, "post_logout_redirect_uri", signedOut, "state", "a b&c"), signedOut + "?state=a+b%26c"},
		{"with a state and no way back", logout("id_token_hint", hint, "state", "x"), ""},
	}
	ended := 0
	for _, tt := range tests { // one after the other, because some of them sign out
		if own.home() == "" { // the hint names the session, so it is taken up again where it ended
			own = p.browser()
			hintNow := p.signedIn(own, confidentialClient, person).IDToken
			tt.location = strings.Replace(tt.location, url.QueryEscape(hint), url.QueryEscape(hintNow), 1)
		}
		a := own.rest(own.get(tt.location))
		switch tt.want {
		case asks:
			if !a.confirms() || own.home() == "" {
				t.Errorf("sign-out %s = %d %s, want to be asked, and to be signed in still", tt.name, a.StatusCode, text(a.body))
			}
		case refuses:
			if !a.refusesSignOut() || own.home() == "" {
				t.Errorf("sign-out %s = %d %s, want 400, and to be signed in still", tt.name, a.StatusCode, text(a.body))
			}
		default:
			ended++
			if got := a.Header.Get("Location"); got != tt.want || got == "" && !a.signedOut() || own.home() != "" {
				t.Errorf("sign-out %s = %d to %q, want %q and nobody signed in", tt.name, a.StatusCode, got, tt.want)
			}
			if got := own.authorize(request(confidentialClient, newPKCE(), "prompt", "none")).redirect(t).Get("error"); got != "login_required" {
				t.Errorf("prompt=none after sign-out %s = %q, want login_required", tt.name, got)
			}
		}
	}
	if got := len(p.audited("session_ended")); got != ended {
		t.Errorf("%d sessions ended by the record, want %d", got, ended)
	}
}

func TestLogoutIsConfirmed(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	b := p.browser()
	tokens := p.signedIn(b, confidentialClient, oneRole, "scope", "openid offline_access")
	location := logout("client_id", confidentialClient, "post_logout_redirect_uri", signedOut, "state", "x")
	page := b.get(location)
	if !page.confirms() || !strings.Contains(page.body, ">Ward system</strong>") || !strings.Contains(page.Header.Get("Content-Security-Policy"), "form-action 'self' https:;") {
		t.Errorf("the page = %d %s %s, want one that names the client and may lead to it", page.StatusCode, text(page.body), page.Header.Get("Content-Security-Policy"))
	}
	if got := b.post(location, nil).Header.Get("Location"); got != signedOut+"?state=x" || b.home() != "" {
		t.Errorf("the answer leads to %q, and home greets %q; want %s?state=x and nobody", got, b.home(), signedOut)
	}
	if a, _ := p.userinfo(tokens.AccessToken); a.StatusCode != http.StatusUnauthorized {
		t.Errorf("userinfo after sign-out = %d, want 401", a.StatusCode)
	}
	if got := p.as(confidentialClient, refresh(tokens.RefreshToken)); got.Error != "invalid_grant" {
		t.Errorf("refresh after sign-out = %d %s, want invalid_grant", got.status, got.Error)
	}
	// Nobody is asked whether to sign out who is not signed in.
	if got := b.get(location).Header.Get("Location"); got != signedOut+"?state=x" {
		t.Errorf("sign-out when nobody is signed in leads to %q, want %s?state=x", got, signedOut)
	}
	if a := b.get("/logout"); !a.signedOut() {
		t.Errorf("sign-out when nobody is signed in = %d %s, want the page that says so", a.StatusCode, text(a.body))
	}
	if a := b.rest(b.post("/logout", nil)); !a.signedOut() {
		t.Errorf("a second sign-out = %d %s, want the page that says so", a.StatusCode, text(a.body))
	}
	if diff := cmp.Diff([]string{"session_ended"}, p.audited("session_ended")); diff != "" {
		t.Errorf("audited (-want +got):\n%s", diff)
	}
}

func TestLogoutThatIsPosted(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	b := p.browser()
	hint := p.signedIn(b, confidentialClient, oneRole).IDToken
	crossSite := func(r *http.Request) {
		r.Header.Set("Sec-Fetch-Site", "cross-site")
		r.Header.Set("Origin", "https://rp.example.org")
	}
	evil := func(r *http.Request) { r.Header.Set("Origin", "https://evil.example") }
	for name, a := range map[string]answer{
		"of another site":                    b.postWith("/logout", nil, crossSite),
		"of another site, with fields":       b.postWith("/logout", url.Values{"foo": {"bar"}}, crossSite),
		"of another site, everywhere":        b.postWith("/logout?everywhere=1", nil, crossSite),
		"of another site, by an old browser": b.postWith("/logout", nil, evil),
		"of a client, without a hint":        b.postWith("/logout", url.Values{"client_id": {confidentialClient}}, crossSite),
	} {
		if a.StatusCode == http.StatusOK || !strings.HasPrefix(a.Header.Get("Location"), "/logout") {
			t.Errorf("a post %s = %d to %q, want to be sent to the same with GET", name, a.StatusCode, a.Header.Get("Location"))
		}
		if a := b.rest(a); !a.confirms() || b.home() == "" {
			t.Fatalf("a post %s ends with %d %s, want to be asked", name, a.StatusCode, text(a.body))
		}
	}
	if a := b.postWith("/logout", url.Values{"state": {strings.Repeat("s", 40<<10)}}, crossSite); !a.refusesSignOut() {
		t.Errorf("a post of 40 kB = %d, want 400", a.StatusCode)
	}
	a := b.postWith("/logout", url.Values{"id_token_hint": {hint}, "post_logout_redirect_uri": {signedOut}, "state": {"x"}}, crossSite)
	if a.StatusCode != http.StatusSeeOther || !strings.HasPrefix(a.Header.Get("Location"), "/logout?") || b.home() == "" {
		t.Errorf("a client's post = %d to %q, want 303 to the same with GET, and nothing done yet", a.StatusCode, a.Header.Get("Location"))
	}
	if got := b.rest(a).Header.Get("Location"); got != signedOut+"?state=x" || b.home() != "" {
		t.Errorf("a client's post ends at %q, want %s?state=x and nobody signed in", got, signedOut)
	}
}

// An ID token says who was meant, however old it is.
func TestLogoutWithAnExpiredHint(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	b := p.browser()
	hint := p.signedIn(b, confidentialClient, "656005750109").IDToken
	for range 3 { // the session is kept alive for longer than the token lives
		p.clock.advance(40 * time.Minute)
		b.authorize(request(confidentialClient, newPKCE())).redirect(t)
	}
	if exp, _ := claims(t, hint)["exp"].(float64); int64(exp) >= p.clock.Now().Unix() {
		t.Fatal("the ID token has not expired")
	}
	if a := b.rest(b.get(logout("id_token_hint", hint))); !a.signedOut() || b.home() != "" {
		t.Errorf("sign-out with an expired ID token = %d %s, want to be signed out", a.StatusCode, text(a.body))
	}
}
