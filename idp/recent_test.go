package idp_test

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/credence-id/credence/idp/directory"
)

// What a replica remembers of a grant never refuses anything: it answers, records and ends the same as one that reads.
func TestNothingIsRefusedByMemory(t *testing.T) {
	t.Parallel()
	wider := func(form url.Values) url.Values {
		form.Set("scope", "openid profile")
		return form
	}
	for name, tt := range map[string]func(p, elsewhere *provider) url.Values{
		"a code as a refresh token": func(p, _ *provider) url.Values {
			code, _ := p.issue(confidentialClient, oneRole, "scope", "openid offline_access")
			return wider(refresh(code))
		},
		"a refresh token that was used elsewhere": func(p, elsewhere *provider) url.Values {
			held := p.signedIn(p.browser(), confidentialClient, oneRole, "scope", "openid offline_access")
			elsewhere.as(confidentialClient, refresh(held.RefreshToken)).granted(p.t)
			return wider(refresh(held.RefreshToken))
		},
		"a refresh token of somebody who is disabled": func(p, elsewhere *provider) url.Values {
			held := p.signedIn(p.browser(), confidentialClient, oneRole, "scope", "openid offline_access")
			if err := directory.DisablePerson(p.t.Context(), elsewhere.store, oneRole, "test", p.clock.Now()); err != nil {
				p.t.Error(err)
			}
			return wider(refresh(held.RefreshToken))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newProvider(t)
			elsewhere := p.second()
			p.t, elsewhere.t = t, t
			form := tt(p, elsewhere)
			p.as(confidentialClient, form).refused(t, http.StatusBadRequest, "invalid_grant")
			elsewhere.as(confidentialClient, form).refused(t, http.StatusBadRequest, "invalid_grant")
			if n := p.count(`SELECT count(*) FROM audit_event WHERE event = 'token_issued' AND refusal <> ''`); n == 0 {
				t.Error("no refusal is on record")
			}
		})
	}
}

// RFC 9700, Section 4.14.2: "the authorization server cannot determine which party submitted the invalid refresh token, but it
// will revoke the active refresh token". So also when the second use asks for a scope that is refused for itself.
func TestAReuseThatAsksForMoreIsSeen(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	elsewhere := p.second()
	held := p.signedIn(p.browser(), publicClient, oneRole, "scope", "openid offline_access")
	next := elsewhere.as(publicClient, refresh(held.RefreshToken))
	p.wantUserinfo(next.AccessToken, http.StatusOK)
	form := refresh(held.RefreshToken)
	form.Set("scope", "openid profile")
	p.as(publicClient, form).refused(t, http.StatusBadRequest, "invalid_grant")
	p.wantUserinfo(next.AccessToken, http.StatusUnauthorized)
}
