package idp_test

import (
	"net/http"
	"testing"

	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/evidence"
)

// Evidence that is withdrawn counts no more, at once and at every process: whoever is signed in stays signed in, and her
// level is seen to have fallen.
func TestWithdrawnEvidenceIsSeenAtOnce(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	q := p.second()
	desk, err := evidence.New(p.store, p.key, p.clock.Now)
	if err != nil {
		t.Fatal(err)
	}
	b := p.browser()
	held := p.signedIn(b, confidentialClient, oneRole, "scope", "openid nhsperson offline_access")
	sees := func(at *provider, level string) {
		t.Helper()
		if a, got := at.userinfo(held.AccessToken); a.StatusCode != http.StatusOK || got["idassurancelevel"] != level {
			t.Errorf("userinfo = %d with level %v, want 200 with %s", a.StatusCode, got["idassurancelevel"], level)
		}
	}
	sees(p, "3")
	sees(q, "3")
	list, err := desk.Of(t.Context(), oneRole, uuid.Nil, 10)
	if err != nil || len(list) != 3 {
		t.Fatalf("Of() = %v, %v, want three pieces", list, err)
	}
	for _, piece := range list {
		if piece.Kind == "passport" {
			if _, err := desk.Withdraw(t.Context(), "operator:desk", uuid.MustParse(piece.ID), evidence.Forged); err != nil {
				t.Fatal(err)
			}
		}
	}
	sees(p, "0")
	sees(q, "0")
	renewed := q.as(confidentialClient, refresh(held.RefreshToken))
	if renewed.status != http.StatusOK {
		t.Fatalf("refresh = %d %s, want 200: the session goes on", renewed.status, renewed.Error)
	}
	if got := claims(t, renewed.AccessToken)["identity_assurance_level"]; got != "none" {
		t.Errorf("identity_assurance_level of the refreshed token = %v, want none", got)
	}
	if a := b.at(q).authorize(request(confidentialClient, newPKCE())); a.redirect(t).Get("code") == "" {
		t.Errorf("answer leads to %s, want a code: the session goes on", a.Header.Get("Location"))
	}
}
