package wardlist

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const signedIn = "09:41:07 UTC on 4 March 2031"

// weakProvider signs the clinician in at level 2, or, when asked for an acr, as
// the provider's stepUp says.
func weakProvider(t *testing.T) *fakeProvider {
	t.Helper()
	p := newFakeProvider(t)
	p.claims["acr"], p.claims["authenticator_assurance_level"], p.claims["amr"] = "AAL2_ANY", "2", []string{"pop", "user"}
	p.stepUp = map[string]any{"acr": "AAL3_ANY", "authenticator_assurance_level": "3", "amr": []string{"hwk", "pin"}}
	return p
}

// requests returns the authorization requests so far.
func (p *fakeProvider) requests() []url.Values {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.asked)
}

func TestPrescribe(t *testing.T) {
	t.Parallel()
	provider := newFakeProvider(t)
	base, browser := newWardList(t, provider), newBrowser(t)
	list := get(t, browser, base+"/sign-in")
	if list.page.byID("prescribe") == nil || list.page.byID("prescribed") != nil || strings.Contains(list.body, "more strongly") {
		t.Errorf("the list of a prescriber who is signed in strongly offers %q", list.page.text("patients"))
	}
	got := post(t, browser, base+"/prescribe", url.Values{"bed": {"2"}})
	if said := got.page.text("prescribed"); got.status != http.StatusOK || !strings.HasPrefix(said, "Prescribed for bed 2 ") {
		t.Errorf("POST /prescribe = %d saying %q, want it prescribed for bed 2", got.status, said)
	}
	if n := len(provider.requests()); n != 1 {
		t.Errorf("the provider got %d authorization requests, want 1: nothing was missing", n)
	}
}

func TestStepUp(t *testing.T) {
	t.Parallel()
	provider := weakProvider(t)
	base, browser := newWardList(t, provider), newBrowser(t)
	list := get(t, browser, base+"/sign-in")
	if got := list.page.attribute("decision-prescribe", "data-permitted"); got != "false" || list.page.byID("prescribe") == nil {
		t.Fatalf("the list of a weak sign-in has data-permitted=%q and a button: %t; want false and true", got, list.page.byID("prescribe") != nil)
	}
	if got := list.page.text("decision-prescribe"); !strings.Contains(got, "Press Prescribe: you will be asked to sign in more strongly") {
		t.Errorf("#decision-prescribe = %q, want it to say what to press", got)
	}
	first := provider.lastAsked(t)

	provider.clock.advance(10*time.Minute - time.Second) // the access token lives for another second
	got := post(t, browser, base+"/prescribe", url.Values{"bed": {"3"}})
	if got.status != http.StatusOK || got.page.heading() != "Ward list" {
		t.Fatalf("POST /prescribe = %d %q, want the list:\n%s", got.status, got.page.heading(), words(got.page.root))
	}
	requests := provider.requests()
	if len(requests) != 2 {
		t.Fatalf("the provider got %d authorization requests, want 2", len(requests))
	}
	// RFC 9470, Section 4: exactly what the challenge says, beside what every
	// request of the ward list says.
	second := requests[1]
	if got := [2]string{second.Get("acr_values"), second.Get("max_age")}; got != [2]string{"AAL3_ANY", "3600"} {
		t.Errorf("the step-up asked for acr_values and max_age %q, want those of the challenge", got)
	}
	for _, name := range []string{"state", "nonce", "code_challenge"} {
		if second.Get(name) == first.Get(name) {
			t.Errorf("the step-up repeats the %s of the sign-in", name)
		}
		first.Del(name)
		second.Del(name)
	}
	second.Del("acr_values")
	second.Del("max_age")
	if diff := cmp.Diff(first, second); diff != "" {
		t.Errorf("the rest of the authorization request (-sign-in +step-up):\n%s", diff)
	}
	for id, want := range map[string]string{
		"prescribed":           "Prescribed for bed 3",
		"prescribed-acr":       "AAL3_ANY",
		"prescribed-auth-time": "09:51:06 UTC on 4 March 2031",
		"claim-acr":            "AAL3_ANY",
		"claim-auth_time":      "09:51:06 UTC",
	} {
		if said := got.page.text(id); !strings.Contains(said, want) {
			t.Errorf("#%s = %q, want it to contain %q", id, said, want)
		}
	}
	if permitted := got.page.attribute("decision-prescribe", "data-permitted"); permitted != "true" {
		t.Errorf("decision-prescribe after the step-up has data-permitted=%q, want true", permitted)
	}

	// The next one needs no step, and a sign-in of its own forgets the last.
	if got := post(t, browser, base+"/prescribe", url.Values{"bed": {"4"}}); !strings.Contains(got.page.text("prescribed"), "bed 4") || len(provider.requests()) != 2 {
		t.Errorf("POST /prescribe again = %q after %d authorization requests, want bed 4 after 2", got.page.text("prescribed"), len(provider.requests()))
	}
	if got := get(t, browser, base+"/sign-in"); got.page.byID("prescribed") != nil {
		t.Errorf("the list after another sign-in says %q", got.page.text("prescribed"))
	}
}

func TestStepUpToARecentSignIn(t *testing.T) {
	t.Parallel()
	provider := newFakeProvider(t)
	provider.claims["auth_time"] = provider.clock.Now().Add(-2 * time.Hour).Unix()
	provider.stepUp = map[string]any{"auth_time": provider.clock.Now().Unix()}
	base, browser := newWardList(t, provider), newBrowser(t)
	if got := get(t, browser, base+"/sign-in").page.text("claim-auth_time"); !strings.Contains(got, "07:41:07") {
		t.Fatalf("#claim-auth_time = %q, want a sign-in of two hours ago", got)
	}
	got := post(t, browser, base+"/prescribe", url.Values{"bed": {"1"}})
	if said := got.page.text("prescribed"); !strings.Contains(said, signedIn) || len(provider.requests()) != 2 {
		t.Errorf("POST /prescribe = %q after %d requests, want it prescribed on a sign-in at %s", said, len(provider.requests()), signedIn)
	}
}

// RFC 9470 leaves it to the provider whether to meet acr_values, so a client
// that only repeats what it is told goes round for ever.
func TestStepUpDoesNotLoop(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		spoil func(*fakeProvider)
		says  []string
	}{{
		name:  "the provider says that it did less",
		spoil: func(p *fakeProvider) { p.stepUp = nil },
		says:  []string{"asks for AAL3_ANY, and this sign-in is AAL2_ANY", "Nothing was prescribed"},
	}, {
		name:  "the provider says nothing of what it did",
		spoil: func(p *fakeProvider) { p.stepUp = map[string]any{"acr": nil} },
		says:  []string{"asks for AAL3_ANY.", "Nothing was prescribed"},
	}, {
		name: "the ID token says less than the access token",
		spoil: func(p *fakeProvider) {
			p.mint = func(c map[string]any) { c["acr"] = "AAL2_ANY" }
		},
		says: []string{"asks for AAL3_ANY, and this sign-in is AAL2_ANY", "Nothing was prescribed"},
	}, {
		name: "the API is not content with what the provider did",
		spoil: func(p *fakeProvider) {
			p.issue = func(c map[string]any) { c["acr"] = "AAL2_ANY" }
		},
		says: []string{"asks for AAL3_ANY", "no more than 60 minutes old", "Nothing was prescribed"},
	}} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			provider := weakProvider(t)
			test.spoil(provider)
			base, browser := newWardList(t, provider), newBrowser(t)
			get(t, browser, base+"/sign-in")
			got := post(t, browser, base+"/prescribe", url.Values{"bed": {"1"}})
			if got.status != http.StatusForbidden || got.page.heading() != "Your sign-in was not strong enough" {
				t.Errorf("POST /prescribe = %d %q, want 403 and why", got.status, got.page.heading())
			}
			for _, want := range test.says {
				if page := words(got.page.root); !strings.Contains(page, want) {
					t.Errorf("the page = %q, want it to say %q", page, want)
				}
			}
			if advice := got.page.text("advice"); !strings.Contains(advice, "security key or a smartcard") {
				t.Errorf("#advice = %q, want what to do", advice)
			}
			if n := len(provider.requests()); n != 2 {
				t.Errorf("the provider got %d authorization requests, want 2: one sign-in and one step", n)
			}
			list := get(t, browser, base+got.page.attribute("back", "href"))
			if list.page.byID("claims") == nil || list.page.byID("prescribed") != nil {
				t.Errorf("the way back leads to %q, want the list without a prescription", list.page.heading())
			}
		})
	}
}

func TestStepUpRefused(t *testing.T) {
	t.Parallel()
	provider := weakProvider(t)
	base, browser := newWardList(t, provider), newBrowser(t)
	get(t, browser, base+"/sign-in")
	provider.change(func() {
		provider.answer = func(v url.Values) {
			v.Del("code")
			v.Set("error", "unmet_authentication_requirements")
			v.Set("error_description", "No authenticator of level 3 is registered.")
		}
	})
	got := post(t, browser, base+"/prescribe", url.Values{"bed": {"1"}})
	if got.status != http.StatusForbidden || got.page.heading() != "Sign-in was not completed" || got.page.text("error") != "unmet_authentication_requirements" {
		t.Errorf("POST /prescribe = %d %q %q, want 403 and the provider's error", got.status, got.page.heading(), got.page.text("error"))
	}
	if advice := got.page.text("advice"); !strings.Contains(advice, "security key or a smartcard") || !strings.Contains(advice, "registration authority") {
		t.Errorf("#advice = %q, want what to do", advice)
	}
	list := get(t, browser, base+got.page.attribute("back", "href"))
	if acr := list.page.text("claim-acr"); !strings.Contains(acr, "AAL2_ANY") || list.page.byID("prescribed") != nil {
		t.Errorf("after the refusal #claim-acr = %q, want the old session with nothing prescribed", acr)
	}
}

func TestStepUpWithAnOldSignIn(t *testing.T) {
	t.Parallel()
	provider := weakProvider(t)
	provider.claims["auth_time"] = provider.clock.Now().Add(-2 * time.Hour).Unix() // and max_age asks for one
	base, browser := newWardList(t, provider), newBrowser(t)
	get(t, browser, base+"/sign-in")
	got := post(t, browser, base+"/prescribe", url.Values{"bed": {"1"}})
	if got.status != http.StatusForbidden || got.page.heading() != "Sign-in could not be trusted" || !strings.Contains(words(got.page.root), "auth_time") {
		t.Errorf("POST /prescribe = %d %q, want 403 and that auth_time is too old", got.status, words(got.page.root))
	}
}

func TestStepUpBySomebodyElse(t *testing.T) {
	t.Parallel()
	const other = "656005750999"
	provider := weakProvider(t)
	base, browser := newWardList(t, provider), newBrowser(t)
	get(t, browser, base+"/sign-in")
	provider.change(func() {
		provider.stepUp["sub"] = other
		provider.userInfo = func() (int, map[string]any) {
			return http.StatusOK, map[string]any{"sub": other, "name": "Sorrel Invented"}
		}
	})
	got := post(t, browser, base+"/prescribe", url.Values{"bed": {"1"}})
	if got.status != http.StatusForbidden || got.page.heading() != "Somebody else signed in" || !strings.Contains(words(got.page.root), "Nothing was prescribed") {
		t.Errorf("POST /prescribe = %d %q, want 403 and nothing prescribed", got.status, words(got.page.root))
	}
	list := get(t, browser, base+"/")
	if list.page.text("person") != "Sorrel Invented" || list.page.byID("prescribed") != nil {
		t.Errorf("the list is of %q saying %q, want that of who signed in, with nothing prescribed", list.page.text("person"), list.page.text("prescribed"))
	}
}

func TestPrescribeRefused(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		change  func(*fakeProvider) // before the sign-in
		later   func(*fakeProvider) // after it
		bed     string
		note    string
		status  int
		heading string
	}{{
		name: "the access token does not hold the activity", bed: "1",
		change: func(p *fakeProvider) { p.issue = func(c map[string]any) { delete(c, "entitlements") } },
		status: http.StatusForbidden, heading: "You may not prescribe",
	}, {
		name: "the access token has run out", bed: "1",
		later:  func(p *fakeProvider) { p.clock.advance(10 * time.Minute) },
		status: http.StatusForbidden, heading: "Your sign-in has run out",
	}, {
		name: "there is no such bed", bed: "9",
		status: http.StatusBadRequest, heading: "There is no such bed",
	}, {
		name:   "no bed was chosen",
		status: http.StatusBadRequest, heading: "There is no such bed",
	}, {
		name: "a form beyond bounds", bed: "1", note: strings.Repeat("x", maxForm),
		status: http.StatusBadRequest, heading: "There is no such bed",
	}} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			provider := newFakeProvider(t)
			if test.change != nil {
				test.change(provider)
			}
			base, browser := newWardList(t, provider), newBrowser(t)
			get(t, browser, base+"/sign-in")
			if test.later != nil {
				test.later(provider)
			}
			got := post(t, browser, base+"/prescribe", url.Values{"bed": {test.bed}, "note": {test.note}})
			if got.status != test.status || got.page.heading() != test.heading || !strings.Contains(words(got.page.root), "Nothing was prescribed") {
				t.Errorf("POST /prescribe = %d %q, want %d %q", got.status, words(got.page.root), test.status, test.heading)
			}
			if list := get(t, browser, base+"/"); list.page.byID("claims") == nil || list.page.byID("prescribed") != nil {
				t.Error("the refusal ended the session, or left a prescription")
			}
			if n := len(provider.requests()); n != 1 {
				t.Errorf("the provider got %d authorization requests, want 1: no sign-in helps here", n)
			}
		})
	}

	t.Run("nobody is signed in", func(t *testing.T) {
		t.Parallel()
		base := newWardList(t, newFakeProvider(t))
		if got := post(t, newBrowser(t), base+"/prescribe", url.Values{"bed": {"1"}}); got.page.byID("sign-in") == nil {
			t.Errorf("POST /prescribe = %q, want the welcome", got.page.heading())
		}
	})

	t.Run("the role does not hold the activity", func(t *testing.T) {
		t.Parallel()
		provider := newFakeProvider(t)
		provider.claims["entitlements"] = []string{"B0278"}
		base, browser := newWardList(t, provider), newBrowser(t)
		if got := get(t, browser, base+"/sign-in"); got.page.byID("prescribe") != nil || got.page.byID("patients") == nil {
			t.Error("the list offers to prescribe to somebody who may only look")
		}
	})
}

// TestPrescribeAgainstAnotherAPI has the API answer what ours never does: the
// client trusts no more of it than it has to.
func TestPrescribeAgainstAnotherAPI(t *testing.T) {
	t.Parallel()
	const unknown = "It is not known whether anything was prescribed."
	for _, test := range []struct {
		name   string
		answer func(http.ResponseWriter)
		status int
		says   string
	}{
		{"the prescription", func(w http.ResponseWriter) {
			writeJSON(w, http.StatusCreated, prescription{ID: "1", Bed: "1"})
		}, http.StatusOK, "Prescribed for bed 1"},
		{"no challenge", func(w http.ResponseWriter) { w.WriteHeader(http.StatusUnauthorized) }, http.StatusBadGateway, unknown},
		{"a challenge that asks for nothing", func(w http.ResponseWriter) {
			w.Header().Set("WWW-Authenticate", `Bearer error="insufficient_user_authentication"`)
			w.WriteHeader(http.StatusUnauthorized)
		}, http.StatusBadGateway, unknown},
		{"two challenges", func(w http.ResponseWriter) {
			w.Header()["Www-Authenticate"] = []string{wantStepUp, `Bearer error="insufficient_user_authentication", acr_values="AAL1_ANY"`}
			w.WriteHeader(http.StatusUnauthorized)
		}, http.StatusBadGateway, unknown},
		{"a fault", func(w http.ResponseWriter) { w.WriteHeader(http.StatusInternalServerError) }, http.StatusBadGateway, unknown},
		{"a redirect", func(w http.ResponseWriter) {
			w.Header().Set("Location", "https://other.example/")
			w.WriteHeader(http.StatusTemporaryRedirect)
		}, http.StatusBadGateway, unknown},
		{"no JSON", func(w http.ResponseWriter) { w.WriteHeader(http.StatusCreated) }, http.StatusBadGateway, unknown},
		{"a prescription for somebody else", func(w http.ResponseWriter) {
			writeJSON(w, http.StatusCreated, prescription{ID: "1", Bed: "2"})
		}, http.StatusBadGateway, unknown},
		{"an endless answer", func(w http.ResponseWriter) {
			writeJSON(w, http.StatusCreated, prescription{ID: strings.Repeat("x", maxAnswer), Bed: "1"})
		}, http.StatusBadGateway, unknown},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			provider := newFakeProvider(t)
			var calls atomic.Int32
			base, browser := startWardList(t, provider, "", func(w http.ResponseWriter, r *http.Request) {
				calls.Add(1)
				var token string
				provider.change(func() { token = provider.issued[0] })
				if got := r.Header.Get("Authorization"); got != "Bearer "+token {
					t.Errorf("the API was called with Authorization %q, want the access token", got)
				}
				test.answer(w)
			}), newBrowser(t)
			get(t, browser, base+"/sign-in")
			got := post(t, browser, base+"/prescribe", url.Values{"bed": {"1"}})
			if got.status != test.status || !strings.Contains(words(got.page.root), test.says) {
				t.Errorf("POST /prescribe = %d %q, want %d saying %q", got.status, words(got.page.root), test.status, test.says)
			}
			if n := calls.Load(); n != 1 {
				t.Errorf("the API was called %d times, want 1", n)
			}
			if list := get(t, browser, base+"/"); list.page.byID("claims") == nil || (list.page.byID("prescribed") != nil) != (test.status == http.StatusOK) {
				t.Error("the answer ended the session, or the list does not say what was prescribed")
			}
		})
	}
}
