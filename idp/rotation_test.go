package idp_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/credence-id/credence/idp/keys"
)

// keySet is the published key set of a process.
func (p *provider) keySet() jose.JSONWebKeySet {
	p.t.Helper()
	var set jose.JSONWebKeySet
	if err := json.Unmarshal([]byte(p.browser().get("/jwks").body), &set); err != nil {
		p.t.Fatal(err)
	}
	return set
}

// From a rotation until the old keys are gone there is no moment at which a token that one process signs is refused by the
// other, or cannot be verified with the key set of either, also with a copy that is as old as a copy may be.
func TestTokensVerifyWhileKeysRotate(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	q := p.second()
	p.run()
	q.run()
	processes := []*provider{p, q}
	before := p.kids()
	bp := p.browser()
	held := p.signedIn(bp, confidentialClient, oneRole, "scope", "openid offline_access")
	p.clock.advance(time.Second)

	type copied struct {
		at  time.Time
		set jose.JSONWebKeySet
	}
	var copies []copied
	verify := func(after time.Duration) (kid string) {
		t.Helper()
		now := p.clock.Now()
		copies = slices.DeleteFunc(copies, func(c copied) bool { return now.Sub(c.at) > keys.MaxAge })
		for i, at := range processes {
			copies = append(copies, copied{now, at.keySet()})
			held = at.as(confidentialClient, refresh(held.RefreshToken))
			held.granted(t)
			processes[1-i].wantUserinfo(held.AccessToken, http.StatusOK)
			for _, token := range []string{held.AccessToken, held.IDToken} {
				signed, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.RS256, jose.ES256})
				if err != nil {
					t.Fatal(err)
				}
				kid = signed.Signatures[0].Protected.KeyID
				for _, c := range copies {
					if !slices.ContainsFunc(c.set.Key(kid), func(k jose.JSONWebKey) bool { _, err := signed.Verify(k.Key); return err == nil }) {
						t.Errorf("%v after the rotation, a key set of %v before does not verify a token of key %s", after, now.Sub(c.at), kid)
					}
				}
			}
		}
		return kid
	}

	verify(0)
	rotated := p.clock.Now()
	added, err := keys.New(p.owner, p.key, p.clock.Now, nil).Rotate(t.Context(), "operator")
	if err != nil || len(added) != 2 {
		t.Fatalf("Rotate() = %v, %v, want two keys", added, err)
	}
	// While the processes have not looked yet, and while one has and the other not.
	eventually(t, "both processes publish the new keys", func() bool {
		verify(0)
		return len(p.kids()) == 4 && len(q.kids()) == 4
	})
	const lead = keys.MaxAge + 30*time.Second // as long as it takes until nobody has a copy without the new keys
	for _, after := range []time.Duration{time.Second, 30 * time.Second, keys.MaxAge, lead - time.Second, lead, lead + time.Second, 5 * time.Minute, lead + 2*time.Hour + time.Second} {
		p.clock.advance(rotated.Add(after).Sub(p.clock.Now()))
		kid := verify(after)
		if old := slices.Contains(before, kid); old != (after < lead) {
			t.Errorf("%v after the rotation a token is signed with an old key: %t, want %t", after, old, after < lead)
		}
	}
	for _, at := range processes {
		eventually(t, "the old keys are gone", func() bool {
			verify(lead + 2*time.Hour)
			kids := at.kids()
			return len(kids) == 2 && !slices.Contains(kids, before[0]) && !slices.Contains(kids, before[1])
		})
	}
}
