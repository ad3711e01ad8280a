package idp_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/credence-id/credence/idp/assurance"
	"github.com/credence-id/credence/idp/oauth"
)

// walk is a request, and how the person behaves whom it meets.
type walk struct {
	client, held string // the session that she has by a method, "" for none
	asked        []string
	method       string // by which she signs in when she is asked to; "" cancels
}

// Whatever is asked of whomever, nobody is sent around in circles: each chain of redirects ends at a page or at the client,
// each page that is answered leads further, and a code is issued only for what was reached.
func TestNoCombinationLoops(t *testing.T) {
	t.Parallel()
	p := asking(t,
		oauth.Registration{ID: "plain"},
		oauth.Registration{ID: "strong", MinimumAuthenticator: assurance.AAL3},
		oauth.Registration{ID: "proved", MinimumIdentity: assurance.IdentityVeryHigh},
		oauth.Registration{ID: "both", MinimumAuthenticator: assurance.AAL2, MinimumIdentity: assurance.IdentityMedium, Trustmark: assurance.NHSLogin},
	)
	hers := p.signedIn(p.browser(), "plain", oneRole).IDToken
	another := p.signedIn(p.browser(), "plain", lastCode).IDToken
	for _, fresh := range [][]string{nil, {"prompt", "none"}, {"prompt", "login"}, {"max_age", "0"}} {
		t.Run("asked with "+strings.Join(fresh, "="), func(t *testing.T) {
			t.Parallel()
			p := p.in(t)
			for _, demand := range [][]string{
				nil,
				{"acr_values", "AAL3_ANY"},
				{"claims", essential("AAL3_ANY")},
				{"claims", essential("AAL2_TOTP")},
				{"claims", essential("urn:credence:acr:identity:very_high")},
				{"claims", essential("AAL3_IOS")},
				{"vtr", `["P9.Cm"]`},
				{"id_token_hint", hers, "acr_values", "AAL3_ANY"},
				{"id_token_hint", another, "claims", essential("AAL3_ANY")},
			} {
				clients := []string{"plain", "both"}
				switch {
				case slices.Contains(demand, "vtr"):
					clients = []string{"both"}
				case demand == nil || slices.Contains(demand, "acr_values"):
					clients = append(clients, "strong", "proved")
				}
				for _, client := range clients {
					for _, held := range []string{"", "passkey", "security-key"} {
						for _, method := range []string{"", "password", "security-key"} {
							p.through(walk{client, held, append(slices.Clone(fresh), demand...), method})
						}
					}
				}
			}
		})
	}
}

func (w walk) String() string {
	return fmt.Sprintf("%s asks %.120q of a session by %q, whose owner signs in by %q", w.client, w.asked, w.held, w.method)
}

// through makes a request and answers each page, until the client is reached.
func (p *provider) through(w walk) {
	p.t.Helper()
	b, k := p.browser(), newPKCE()
	if w.held != "" {
		b.signInAlone(oneRole, w.held)
	}
	a := b.authorize(request(w.client, k, w.asked...))
	for range 4 {
		switch {
		case a.Header.Get("Location") != "":
			p.arrived(w, k, a)
			return
		case slices.Contains(w.asked, "none"):
			p.t.Fatalf("%s: prompt=none shows %s", w, a.path())
		case a.path() == "/sign-in/unmet", w.method == "":
			a = b.press(a, "cancel")
		case a.path() == "/sign-in":
			a = b.simulate(a, oneRole, w.method)
		case a.path() == "/sign-in/step-up":
			a = b.stronger(a, oneRole, w.method)
		default:
			p.t.Fatalf("%s: %d %s", w, a.StatusCode, a.path())
		}
	}
	p.t.Fatalf("%s: pages without end, the last %s", w, a.path())
}

// arrived checks what the client is told.
func (p *provider) arrived(w walk, k pkce, a answer) {
	p.t.Helper()
	got := p.outcome(w.client, k, a)
	if got.refused != "" {
		if !slices.Contains([]string{unmet, "login_required", "access_denied"}, got.refused) {
			p.t.Errorf("%s: the client is told %s", w, got.refused)
		}
		return
	}
	asks := func(value string) bool { return slices.Contains(w.asked, essential(value)) }
	least := "1"
	switch {
	case asks("AAL2_TOTP") || asks("AAL3_IOS") || asks("urn:credence:acr:identity:very_high") || w.client == "proved":
		least = "more than she has"
	case w.client == "strong" || asks("AAL3_ANY"):
		least = "3"
	case w.client == "both":
		least = "2"
	}
	if level, _ := got.id["authenticator_assurance_level"].(string); level < least || got.id["sub"] != oneRole {
		p.t.Errorf("%s: a code for %v at level %s, want level %s", w, got.id["sub"], level, least)
	}
}
