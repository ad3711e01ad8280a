package wardlist

import (
	"crypto/rand"
	"crypto/rsa"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestSignIn(t *testing.T) {
	t.Parallel()
	provider := newFakeProvider(t)
	base, browser := newWardList(t, provider), newBrowser(t)

	welcome := get(t, browser, base+"/")
	if got := welcome.page.attribute("sign-in", "href"); welcome.status != http.StatusOK || got != "/sign-in" {
		t.Fatalf("GET / signed out = %d with sign-in to %q, want 200 to /sign-in", welcome.status, got)
	}
	if got := provider.calls["/.well-known/openid-configuration"]; got != 0 {
		t.Errorf("discovery was asked %d times before a sign-in, want 0", got)
	}

	list := get(t, browser, base+"/sign-in")
	if list.status != http.StatusOK || list.url.String() != base+"/" || list.page.heading() != "Ward list" {
		t.Fatalf("sign-in ended with %d at %s, heading %q; want 200 at %s/", list.status, list.url, list.page.heading(), base)
	}

	asked := provider.lastAsked(t)
	want := url.Values{
		"client_id": {testClient}, "redirect_uri": {base + "/callback"}, "response_type": {"code"},
		"scope":                 {"openid profile email nhsperson nationalrbacaccess associatedorgs professionalmemberships selectedrole"},
		"code_challenge_method": {"S256"},
	}
	for _, secret := range []string{"state", "nonce", "code_challenge"} {
		if len(asked.Get(secret)) < 22 {
			t.Errorf("authorization request has %s = %q, want 128 bits or more", secret, asked.Get(secret))
		}
		asked.Del(secret)
	}
	if diff := cmp.Diff(want, asked); diff != "" {
		t.Errorf("authorization request (-want +got):\n%s", diff)
	}

	for id, want := range map[string]string{
		"decision-view": "true", "decision-prescribe": "true",
	} {
		if got := list.page.attribute(id, "data-permitted"); got != want {
			t.Errorf("%s has data-permitted = %q, want %q", id, got, want)
		}
	}
	for id, want := range map[string]string{
		"person":                "Rowan Invented",
		"acting-as":             "Clinical Practitioner Access Role Example Hospital",
		"decision-prescribe":    `Permitted because the claim entitlements contains "B0420", and the claim authenticator_assurance_level is "3".`,
		"decision-view":         `role is "S8000:G8000:R8000", Clinical Practitioner Access Role`,
		"claim-sub":             "656005750107",
		"userinfo-sub":          "656005750107",
		"claim-auth_time":       "09:41:07 UTC on 4 March 2031",
		"claim-organisation":    `{ "code": "A9A5A", "name": "Example Hospital" }`,
		"claim-amr":             `["hwk", "pin"]`,
		"claim-nhsid_user_orgs": `"org_code": "A9A5A"`,
	} {
		if got := list.page.text(id); !strings.Contains(got, want) {
			t.Errorf("#%s = %q, want it to contain %q", id, got, want)
		}
	}
	if !strings.Contains(list.body, "Aster Example") || list.page.byID("simulated") != nil {
		t.Error("the list shows no patients, or warns of a simulation that was none")
	}
	if diff := cmp.Diff([]string{"wardlist"}, cookies(t, browser, base)); diff != "" {
		t.Errorf("cookies after the sign-in (-want +got):\n%s", diff)
	}
}

func TestSignInAsPublicClient(t *testing.T) {
	t.Parallel()
	provider := newFakeProvider(t)
	provider.secret = ""
	base, browser := newWardList(t, provider), newBrowser(t)
	if got := get(t, browser, base+"/sign-in"); got.page.heading() != "Ward list" {
		t.Errorf("sign-in of a public client ended at %q, want the ward list", got.page.heading())
	}
	if got := provider.calls["/token"]; got != 1 {
		t.Errorf("the token endpoint was called %d times, want 1", got)
	}
}

func TestSignInVariants(t *testing.T) {
	t.Parallel()
	provider := newFakeProvider(t)
	base, browser := newWardList(t, provider), newBrowser(t)
	first := get(t, browser, base+"/sign-in")

	get(t, browser, base+first.page.attribute("sign-in-again", "href"))
	if got := provider.lastAsked(t); got.Get("prompt") != "login" || strings.Contains(got.Get("scope"), "changedrole") {
		t.Errorf("sign in again asked for prompt=%q scope=%q, want login and no changedrole", got.Get("prompt"), got.Get("scope"))
	}
	changed := get(t, browser, base+first.page.attribute("change-role", "href"))
	if got := provider.lastAsked(t); got.Get("prompt") != "" || !strings.HasSuffix(got.Get("scope"), " selectedrole changedrole") {
		t.Errorf("change role asked for prompt=%q scope=%q, want none and changedrole", got.Get("prompt"), got.Get("scope"))
	}
	if changed.page.heading() != "Ward list" {
		t.Errorf("change role ended at %q, want the ward list", changed.page.heading())
	}
	get(t, browser, base+"/sign-in")
	if got := provider.lastAsked(t).Get("scope"); strings.Contains(got, "changedrole") {
		t.Errorf("the next plain sign-in asked for %q, want no changedrole", got)
	}
}

func TestRefusedSignIn(t *testing.T) {
	t.Parallel()
	const untrusted = "Sign-in could not be trusted"
	for _, test := range []struct {
		name    string
		path    string
		spoil   func(*fakeProvider)
		status  int
		heading string
		says    string
	}{{
		name:   "a state that was never sent is a stranger's",
		spoil:  func(p *fakeProvider) { p.answer = func(v url.Values) { v.Set("state", "forged") } },
		status: http.StatusBadRequest, heading: "Sign-in not recognised",
	}, {
		name:   "a missing state is a stranger's",
		spoil:  func(p *fakeProvider) { p.answer = func(v url.Values) { v.Del("state") } },
		status: http.StatusBadRequest, heading: "Sign-in not recognised",
	}, {
		name:   "a repeated parameter is a stranger's",
		spoil:  func(p *fakeProvider) { p.answer = func(v url.Values) { v.Add("code", "another") } },
		status: http.StatusBadRequest, heading: "Sign-in not recognised",
	}, {
		name: "an error with a forged state is not shown",
		spoil: func(p *fakeProvider) {
			p.answer = func(v url.Values) { v.Set("state", "forged"); v.Set("error", "call_this_number") }
		},
		status: http.StatusBadRequest, heading: "Sign-in not recognised",
	}, {
		// RFC 9207, Section 2.4: the attack is the mix-up of two providers.
		name:   "an answer of another issuer is refused",
		spoil:  func(p *fakeProvider) { p.answer = func(v url.Values) { v.Set("iss", "https://other.example") } },
		status: http.StatusBadRequest, heading: "Sign-in answered by someone else",
	}, {
		name:   "an answer that names no issuer is refused",
		spoil:  func(p *fakeProvider) { p.answer = func(v url.Values) { v.Del("iss") } },
		status: http.StatusBadRequest, heading: "Sign-in answered by someone else",
	}, {
		name: "an error of another issuer is not shown",
		spoil: func(p *fakeProvider) {
			p.answer = func(v url.Values) { v.Set("iss", "https://other.example"); v.Set("error", "access_denied") }
		},
		status: http.StatusBadRequest, heading: "Sign-in answered by someone else",
	}, {
		name: "access denied is said in the provider's words, and what to do in ours",
		spoil: func(p *fakeProvider) {
			p.answer = func(v url.Values) {
				v.Del("code")
				v.Set("error", "access_denied")
				v.Set("error_description", "The position <b>expired</b>.")
			}
		},
		status: http.StatusForbidden, heading: "Sign-in was cancelled", says: "The position <b>expired</b>.",
	}, {
		name: "an error that is nobody's wish is not called a cancellation",
		spoil: func(p *fakeProvider) {
			p.answer = func(v url.Values) { v.Del("code"); v.Set("error", "login_required") }
		},
		status: http.StatusForbidden, heading: "Sign-in was not completed", says: "login_required",
	}, {
		name: "a code that the provider refuses gives the provider's reason",
		spoil: func(p *fakeProvider) {
			p.answer = func(v url.Values) { v.Set("code", "spent") }
		},
		status: http.StatusBadGateway, heading: "Sign-in was not completed", says: "invalid_grant",
	}, {
		name:   "another nonce is a replayed token",
		spoil:  func(p *fakeProvider) { p.mint = func(c map[string]any) { c["nonce"] = "replayed" } },
		status: http.StatusForbidden, heading: untrusted, says: "nonce",
	}, {
		name:   "a token without a nonce is refused",
		spoil:  func(p *fakeProvider) { p.mint = func(c map[string]any) { delete(c, "nonce") } },
		status: http.StatusForbidden, heading: untrusted, says: "nonce",
	}, {
		name:   "a token for another client is refused",
		spoil:  func(p *fakeProvider) { p.mint = func(c map[string]any) { c["aud"] = "pharmacy" } },
		status: http.StatusForbidden, heading: untrusted, says: "pharmacy",
	}, {
		name:   "a token of another issuer is refused",
		spoil:  func(p *fakeProvider) { p.mint = func(c map[string]any) { c["iss"] = "https://other.example" } },
		status: http.StatusForbidden, heading: untrusted,
	}, {
		name:   "a token that has ended is refused",
		spoil:  func(p *fakeProvider) { p.mint = func(c map[string]any) { c["exp"] = p.clock.Now().Unix() - 1 } },
		status: http.StatusForbidden, heading: untrusted, says: "expired",
	}, {
		name:   "an access token that is not the ID token's is refused",
		spoil:  func(p *fakeProvider) { p.mint = func(c map[string]any) { c["at_hash"] = "AAAAAAAAAAAAAAAAAAAAAA" } },
		status: http.StatusForbidden, heading: untrusted, says: "at_hash",
	}, {
		name:   "a token without at_hash is refused",
		spoil:  func(p *fakeProvider) { p.mint = func(c map[string]any) { delete(c, "at_hash") } },
		status: http.StatusForbidden, heading: untrusted, says: "at_hash",
	}, {
		name: "a token signed with an unpublished key is refused",
		spoil: func(p *fakeProvider) {
			key, err := rsa.GenerateKey(rand.Reader, 2048)
			if err != nil {
				t.Fatal(err)
			}
			p.signer = newSigner(t, key, "JWT")
		},
		status: http.StatusForbidden, heading: untrusted, says: "signature",
	}, {
		name: "asked for a fresh sign-in, the provider gave an old one",
		path: "?again=1",
		spoil: func(p *fakeProvider) {
			p.mint = func(c map[string]any) { c["auth_time"] = p.clock.Now().Add(-5 * time.Minute).Unix() }
		},
		status: http.StatusForbidden, heading: untrusted, says: "auth_time",
	}, {
		name: "userinfo about another person is refused",
		spoil: func(p *fakeProvider) {
			p.userInfo = func() (int, map[string]any) { return http.StatusOK, map[string]any{"sub": "656005750999"} }
		},
		status: http.StatusBadGateway, heading: "Sign-in was not completed",
	}, {
		name: "an endless userinfo is not read to its end",
		spoil: func(p *fakeProvider) {
			p.userInfo = func() (int, map[string]any) {
				return http.StatusOK, map[string]any{"sub": "656005750107", "name": strings.Repeat("x", maxAnswer)}
			}
		},
		status: http.StatusBadGateway, heading: "Sign-in was not completed",
	}} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			provider := newFakeProvider(t)
			test.spoil(provider)
			base, browser := newWardList(t, provider), newBrowser(t)
			got := get(t, browser, base+"/sign-in"+test.path)
			if got.status != test.status || got.page.heading() != test.heading || !strings.Contains(words(got.page.root), test.says) {
				t.Errorf("sign-in = %d %q, want %d %q saying %q; the page:\n%s",
					got.status, got.page.heading(), test.status, test.heading, test.says, words(got.page.root))
			}
			if strings.Contains(got.body, "call_this_number") {
				t.Error("the page shows words of an answer that nobody vouches for")
			}
			if slices.Contains(cookies(t, browser, base), sessionCookie) {
				t.Error("a refused sign-in left a session cookie")
			}
			if home := get(t, browser, base+"/"); home.page.byID("sign-in") == nil {
				t.Error("GET / after a refused sign-in shows no sign-in, want to be signed out")
			}
		})
	}
}

// start sends the browser to the provider without letting it come back, and
// returns the callback it would come back with.
func start(t *testing.T, provider *fakeProvider, browser *http.Client, base string) string {
	t.Helper()
	var callback string
	browser.CheckRedirect = func(next *http.Request, _ []*http.Request) error {
		if next.URL.Path == "/callback" {
			callback = next.URL.String()
			return http.ErrUseLastResponse
		}
		return nil
	}
	get(t, browser, base+"/sign-in")
	browser.CheckRedirect = nil
	if callback == "" {
		t.Fatalf("%s did not send the browser back", provider.server.URL)
	}
	return callback
}

func TestCallbackIsBoundToOneBrowserOnceAndSoon(t *testing.T) {
	t.Parallel()
	const stranger = "Sign-in not recognised"
	provider := newFakeProvider(t)
	base := newWardList(t, provider)

	browser := newBrowser(t)
	callback := start(t, provider, browser, base)
	if got := get(t, newBrowser(t), callback); got.page.heading() != stranger {
		t.Errorf("callback in a browser with no cookie = %q, want %q", got.page.heading(), stranger)
	}
	other := newBrowser(t)
	start(t, provider, other, base)
	if got := get(t, other, callback); got.page.heading() != stranger {
		t.Errorf("callback in a browser with its own sign-in = %q, want %q", got.page.heading(), stranger)
	}
	if got := get(t, browser, callback); got.page.heading() != "Ward list" {
		t.Errorf("callback in the browser that started = %q, want the ward list: a stranger's try must not spend it", got.page.heading())
	}
	if got := get(t, browser, callback); got.page.heading() != stranger {
		t.Errorf("the same callback again = %q, want %q", got.page.heading(), stranger)
	}

	late := newBrowser(t)
	callback = start(t, provider, late, base)
	provider.clock.advance(pendingLife)
	if got := get(t, late, callback); got.status != http.StatusBadRequest || got.page.heading() != stranger {
		t.Errorf("callback after ten minutes = %d %q, want 400 %q", got.status, got.page.heading(), stranger)
	}
}

func TestSignInReplacesTheSession(t *testing.T) {
	t.Parallel()
	provider := newFakeProvider(t)
	base, browser := newWardList(t, provider), newBrowser(t)
	get(t, browser, base+"/sign-in")
	target, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	old := browser.Jar.Cookies(target)
	get(t, browser, base+"/sign-in")
	thief := newBrowser(t)
	thief.Jar.SetCookies(target, old)
	if got := get(t, thief, base+"/"); got.page.byID("sign-in") == nil {
		t.Error("the session of before the second sign-in is still alive")
	}
}

func TestCancelledSignInChangesNothing(t *testing.T) {
	t.Parallel()
	provider := newFakeProvider(t)
	base, browser := newWardList(t, provider), newBrowser(t)
	get(t, browser, base+"/sign-in")
	provider.change(func() {
		provider.answer = func(v url.Values) { v.Del("code"); v.Set("error", "access_denied") }
	})

	got := get(t, browser, base+"/sign-in?again=1")
	if got.status != http.StatusForbidden || got.page.heading() != "Sign-in was cancelled" || !strings.Contains(words(got.page.root), "Nothing has changed") {
		t.Errorf("cancelled sign-in = %d %q, want 403 and that nothing has changed", got.status, words(got.page.root))
	}
	if said, want := got.page.text("signed-in-as"), "You are still signed in to the ward list as Rowan Invented ."; said != want {
		t.Errorf("#signed-in-as = %q, want %q", said, want)
	}
	list := get(t, browser, base+got.page.attribute("back", "href"))
	if list.page.byID("claims") == nil {
		t.Errorf("the way back leads to %q, want the ward list", list.page.heading())
	}

	provider.clock.advance(sessionIdle)
	got = get(t, browser, base+"/sign-in")
	if got.page.heading() != "Sign-in was cancelled" || got.page.byID("signed-in-as") != nil || got.page.byID("back") != nil {
		t.Errorf("cancelled sign-in of nobody = %q, want no word of being signed in", words(got.page.root))
	}
}

func TestDiscoveryIsRetried(t *testing.T) {
	t.Parallel()
	provider := newFakeProvider(t)
	base, browser := newWardList(t, provider), newBrowser(t)
	provider.change(func() { provider.down = true })
	got := get(t, browser, base+"/sign-in")
	if got.status != http.StatusBadGateway || !strings.Contains(words(got.page.root), provider.server.URL) {
		t.Errorf("sign-in while the provider is down = %d %q, want 502 naming the provider", got.status, words(got.page.root))
	}
	provider.change(func() { provider.down = false })
	if got := get(t, browser, base+"/sign-in"); got.page.heading() != "Ward list" {
		t.Errorf("sign-in once the provider is up = %q, want the ward list", got.page.heading())
	}
	get(t, browser, base+"/sign-in")
	if got := provider.calls["/.well-known/openid-configuration"]; got != 2 {
		t.Errorf("discovery was asked %d times, want 2: once in vain, once for good", got)
	}
}

func TestCheckAccess(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		change func(*fakeProvider)
		says   string // on the page of the withdrawal; empty when access goes on
	}{{
		name:   "the provider still says yes",
		change: func(*fakeProvider) {},
	}, {
		name:   "the access token was revoked",
		change: func(p *fakeProvider) { clear(p.tokens) },
		says:   "no longer confirms this sign-in",
	}, {
		name:   "the access token ran out",
		change: func(p *fakeProvider) { clear(p.tokens); p.clock.advance(10 * time.Minute) },
		says:   "ran out at 09:51:07 UTC",
	}, {
		name: "the provider has a fault",
		change: func(p *fakeProvider) {
			p.userInfo = func() (int, map[string]any) { return http.StatusInternalServerError, nil }
		},
		says: "no longer confirms this sign-in",
	}, {
		name: "the token is somebody else's now",
		change: func(p *fakeProvider) {
			p.userInfo = func() (int, map[string]any) { return http.StatusOK, map[string]any{"sub": "656005750999"} }
		},
		says: "could not confirm this sign-in",
	}} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			provider := newFakeProvider(t)
			base, browser := newWardList(t, provider), newBrowser(t)
			get(t, browser, base+"/sign-in")
			provider.change(func() { test.change(provider) })

			got := post(t, browser, base+"/check", nil)
			if test.says == "" {
				if got.status != http.StatusOK || got.url.Path != "/" || !strings.Contains(got.page.text("checked"), "still says yes") {
					t.Errorf("POST /check = %d at %s saying %q, want the list with a yes", got.status, got.url, got.page.text("checked"))
				}
				return
			}
			if got.status != http.StatusForbidden || got.page.heading() != "Your access was withdrawn" || !strings.Contains(words(got.page.root), test.says) {
				t.Errorf("POST /check = %d %q, want 403 and withdrawal saying %q", got.status, words(got.page.root), test.says)
			}
			if home := get(t, browser, base+"/"); home.page.byID("sign-in") == nil {
				t.Error("the session outlived the withdrawal")
			}
		})
	}

	t.Run("the provider cannot be reached", func(t *testing.T) {
		t.Parallel()
		provider := newFakeProvider(t)
		base, browser := newWardList(t, provider), newBrowser(t)
		get(t, browser, base+"/sign-in")
		provider.server.Close()
		if got := post(t, browser, base+"/check", nil); got.page.heading() != "Your access was withdrawn" {
			t.Errorf("POST /check = %q, want withdrawal", got.page.heading())
		}
	})

	t.Run("nobody is signed in", func(t *testing.T) {
		t.Parallel()
		base := newWardList(t, newFakeProvider(t))
		if got := post(t, newBrowser(t), base+"/check", nil); got.page.byID("sign-in") == nil {
			t.Errorf("POST /check = %q, want the welcome", got.page.heading())
		}
	})
}

func TestSignOut(t *testing.T) {
	t.Parallel()
	provider := newFakeProvider(t)
	base, browser := newWardList(t, provider), newBrowser(t)
	get(t, browser, base+"/sign-in")
	if got := get(t, browser, base+"/signed-out"); got.page.heading() != "Ward list" {
		t.Errorf("GET /signed-out while signed in = %q, want the ward list", got.page.heading())
	}
	got := post(t, browser, base+"/sign-out", nil)
	if got.page.heading() != "You are signed out" || !strings.Contains(words(got.page.root), "here and at the identity provider") {
		t.Errorf("POST /sign-out = %q, want signed out here and at the provider", words(got.page.root))
	}
	if len(provider.ended) != 1 {
		t.Fatalf("the provider got %d end_session requests, want 1", len(provider.ended))
	}
	ended := provider.ended[0]
	if ended.Get("post_logout_redirect_uri") != base+"/signed-out" || strings.Count(ended.Get("id_token_hint"), ".") != 2 || len(ended.Get("state")) < 22 {
		t.Errorf("end_session request = %v, want an ID token, %s/signed-out and a state", ended, base)
	}
	if names := cookies(t, browser, base); len(names) != 0 {
		t.Errorf("cookies after the sign-out = %q, want none", names)
	}
	if home := get(t, browser, base+"/"); home.page.byID("sign-in") == nil {
		t.Error("the session outlived the sign-out")
	}
	forged := get(t, browser, base+"/signed-out?state="+ended.Get("state"))
	if strings.Contains(words(forged.page.root), "here and at the identity provider") {
		t.Error("GET /signed-out with a state of the past speaks for the provider")
	}
	if again := post(t, browser, base+"/sign-out", nil); again.page.heading() != "You are signed out" {
		t.Errorf("POST /sign-out signed out = %q, want the same page", again.page.heading())
	}
}

func TestSessionEndsWhenIdle(t *testing.T) {
	t.Parallel()
	provider := newFakeProvider(t)
	base, browser := newWardList(t, provider), newBrowser(t)
	get(t, browser, base+"/sign-in")
	for range 3 {
		provider.clock.advance(sessionIdle - time.Second)
		if got := get(t, browser, base+"/"); got.page.byID("claims") == nil {
			t.Fatal("a session in use ended")
		}
	}
	provider.clock.advance(sessionIdle)
	if got := get(t, browser, base+"/"); got.page.byID("sign-in") == nil {
		t.Error("GET / after 15 minutes without use shows no sign-in, want the session ended")
	}
}

func TestHostileClaimsAreText(t *testing.T) {
	t.Parallel()
	const attack = `"><script>alert(1)</script><a href="javascript:alert(1)" onclick=alert(1)>`
	provider := newFakeProvider(t)
	provider.claims["role"] = map[string]any{"code": attack, "name": attack}
	provider.claims["organisation"] = map[string]any{"code": attack, "name": attack}
	provider.claims["authenticator_assurance_level"] = attack
	provider.claims["acr"] = attack
	provider.claims["two words"] = attack
	provider.claims[attack] = []string{attack}
	provider.claims["amr"] = []string{"simulated", "\u202edrowssap"}
	provider.claims["nothing"] = nil
	provider.userInfo = func() (int, map[string]any) {
		return http.StatusOK, map[string]any{"sub": "656005750107", "name": attack, "nested": map[string]any{attack: attack}}
	}
	base, browser := newWardList(t, provider), newBrowser(t)
	got := get(t, browser, base+"/sign-in") // parsePage refuses scripts and handlers
	if got.page.text("person") != attack || !strings.Contains(got.page.text("claim-acr"), attack) || !strings.Contains(got.page.text("decision-prescribe"), "this sign-in is level "+attack) {
		t.Errorf("hostile values are not shown as they are:\n%s", words(got.page.root))
	}
	if got.page.byID("simulated") == nil {
		t.Error("amr contains simulated, and the page does not warn")
	}
	if !strings.Contains(got.page.text("claim-nothing"), "null") {
		t.Errorf("#claim-nothing = %q, want null", got.page.text("claim-nothing"))
	}
	if policy := got.header.Get("Content-Security-Policy"); !strings.Contains(policy, "default-src 'none'") {
		t.Errorf("Content-Security-Policy = %q, want default-src 'none'", policy)
	}
}

func TestEveryAnswerIsGuarded(t *testing.T) {
	t.Parallel()
	provider := newFakeProvider(t)
	base, browser := newWardList(t, provider), newBrowser(t)
	get(t, browser, base+"/sign-in")

	for path, status := range map[string]int{
		"/": http.StatusOK, "/signed-out": http.StatusOK, "/static/wardlist.css": http.StatusOK, "/static/mark.svg": http.StatusOK,
		"/static/": http.StatusNotFound, "/nowhere": http.StatusNotFound, "/check": http.StatusNotFound, "/callback": http.StatusBadRequest,
	} {
		got := get(t, browser, base+path)
		if got.status != status {
			t.Errorf("GET %s = %d, want %d", path, got.status, status)
		}
		want := "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self' " + provider.server.URL + "; frame-ancestors 'none'; base-uri 'none'"
		if policy := got.header.Get("Content-Security-Policy"); policy != want {
			t.Errorf("GET %s has Content-Security-Policy %q, want %q", path, policy, want)
		}
		if got.header.Get("Cache-Control") != "no-store" || got.header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("GET %s may be stored or sniffed: %v", path, got.header)
		}
	}

	if got := get(t, browser, base+"/static/..%2ftemplates%2flist.html"); got.status != http.StatusNotFound {
		t.Errorf("GET of a template through /static = %d, want 404", got.status)
	}

	for _, path := range []string{"/check", "/sign-out", "/prescribe"} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, base+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Sec-Fetch-Site", "cross-site")
		if got := send(t, browser, request); got.status != http.StatusForbidden || got.page.heading() != "Request refused" {
			t.Errorf("POST %s from another site = %d %q, want 403", path, got.status, got.page.heading())
		}
	}
	if got := get(t, browser, base+"/"); got.page.byID("claims") == nil {
		t.Error("a refused form of another site ended the session")
	}

	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base+"/sign-in", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Host = "rebound.example"
	browser.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	if got := send(t, browser, request); got.status != http.StatusSeeOther || got.header.Get("Location") != base+"/" {
		t.Errorf("GET for another host = %d to %q, want 303 to %s/", got.status, got.header.Get("Location"), base)
	}
}

func TestSessionCookie(t *testing.T) {
	t.Parallel()
	provider := newFakeProvider(t)
	base, browser := newWardList(t, provider), newBrowser(t)
	callback := start(t, provider, browser, base)
	browser.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	got := get(t, browser, callback)
	if got.status != http.StatusSeeOther || got.header.Get("Location") != "/" {
		t.Errorf("GET /callback = %d to %q, want 303 to /", got.status, got.header.Get("Location"))
	}
	set := got.header.Values("Set-Cookie")
	want := "Path=/; HttpOnly; SameSite=Lax"
	if i := slices.IndexFunc(set, func(c string) bool { return strings.HasPrefix(c, "wardlist=") }); i < 0 || !strings.HasSuffix(set[i], want) {
		t.Errorf("Set-Cookie = %q, want wardlist with %s", set, want)
	}
}

func TestNewRefusesMistakes(t *testing.T) {
	t.Parallel()
	good := Config{
		Issuer: "http://localhost:8080", ClientID: testClient, ClientSecret: testSecret, URL: "http://127.0.0.1:8081",
		Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return time.Time{} },
	}
	if _, err := New(good); err != nil {
		t.Fatalf("New(good) = %v, want no error", err)
	}
	if got := good.LogValue().String(); strings.Contains(got, testSecret) {
		t.Errorf("LogValue() = %s, want no secret", got)
	}
	for name, test := range map[string]struct {
		spoil func(*Config)
		want  string
	}{
		"no issuer":          {func(c *Config) { c.Issuer = "" }, `Issuer ""`},
		"no scheme":          {func(c *Config) { c.Issuer = "localhost:8080" }, `Issuer "localhost:8080"`},
		"a script for a URL": {func(c *Config) { c.URL = "javascript:alert(1)" }, "is not an http or https URL"},
		"a slash at the end": {func(c *Config) { c.URL += "/" }, "must not end in a slash"},
		"no client":          {func(c *Config) { c.ClientID = "" }, "no ClientID"},
		"no log":             {func(c *Config) { c.Log = nil }, "no Log"},
		"no clock":           {func(c *Config) { c.Now = nil }, "no Now"},
	} {
		config := good
		test.spoil(&config)
		if _, err := New(config); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("New with %s = %v, want %q", name, err, test.want)
		}
	}
}
