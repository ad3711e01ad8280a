package idp_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/credence-id/credence/idp/authority"
	"github.com/credence-id/credence/idp/deed"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/position"
)

// A position that one officer asked for and another approved is in the tokens from that moment on, at every replica, and out of
// them from the moment that it ends: with a refresh token too.
func TestPositionIsInTheTokens(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	q, ctx := p.second(), t.Context()
	rules, err := authority.New()
	if err != nil {
		t.Fatal(err)
	}
	catalogue, err := directory.NewCatalogue()
	if err != nil {
		t.Fatal(err)
	}
	officer := func(person, organisation, jobRole string, activities ...string) deed.Acting {
		t.Helper()
		id, err := directory.GrantRole(ctx, p.owner, catalogue, directory.NewRole{
			PersonID: person, Organisation: organisation, JobRole: jobRole, Activities: activities,
		}, "test", p.clock.Now())
		if err != nil {
			t.Fatal(err)
		}
		return deed.Acting{Person: person, Role: id}
	}
	manager := officer(oneRole, "ZX000", directory.RAManager)
	agent := officer(hospitalDoctor, "ZX100", "S8001:G8002:R8008", "B9001")
	sponsor := officer(passkeyDoctor, "ZX100", "S8001:G8002:R8008", "B1300")
	desk := &position.Registrar{Store: p.store, Rules: rules, Catalogue: catalogue, Now: p.clock.Now}

	// She signs in before she has any role, so that every replica remembers that she has none.
	b, k := p.browser(), newPKCE()
	if a := b.simulate(b.authorize(request(confidentialClient, k)), noRole, ""); a.path() != "/sign-in/role" {
		t.Fatalf("sign-in without a role leads to %s, want the page that says there is none", a.path())
	}

	id, err := desk.Propose(ctx, agent, "ZX100", position.Draft{
		Name: "Ward nurse", JobRole: "S8000:G8000:R8001", Activities: []string{"B0360", "B0401"}, Reason: "New ward",
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := desk.Approve(ctx, manager, id, 1); err != nil {
		t.Fatal(err)
	}
	asked, err := desk.Ask(ctx, sponsor, position.Asked{
		Kind: position.Assign, Person: noRole, Position: id, ExpiresAt: new(p.clock.Now().AddDate(0, 0, 7)), Reason: "Starts today",
	})
	if err != nil {
		t.Fatal(err)
	}
	given, err := desk.Decide(ctx, agent, asked.Request, position.Approve, "Contract seen", "")
	if err != nil {
		t.Fatal(err)
	}

	for _, replica := range []*provider{p, q} {
		b := b.at(replica)
		k := newPKCE()
		if got := replica.roleOf(confidentialClient, b.authorize(request(confidentialClient, k)), k); got != given.Role {
			t.Errorf("tokens name the role %q, want %s", got, given.Role)
		}
	}
	got := p.signedIn(p.browser(), otherClient, noRole, "scope", "openid offline_access nationalrbacaccess")
	role, _ := claims(t, got.AccessToken)["role"].(map[string]any)
	if role["id"] != given.Role || role["code"] != "S8000:G8000:R8001" {
		t.Errorf("the access token's role = %v, want %s as the position says", role, given.Role)
	}
	got = q.as(otherClient, refresh(got.RefreshToken))
	if got.status != http.StatusOK {
		t.Fatalf("refresh while the position lasts = %d %s, want 200", got.status, got.Error)
	}

	// A new version of it is in the next token, and in what userinfo says, at every replica.
	version, err := desk.Revise(ctx, agent, id, 1, position.Draft{Name: "Ward nurse", JobRole: "S8000:G8000:R8000", Activities: []string{"B0420"}, Reason: "No medicines"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := desk.Approve(ctx, manager, id, version); err != nil {
		t.Fatal(err)
	}
	got = p.as(otherClient, refresh(got.RefreshToken))
	role, _ = claims(t, got.AccessToken)["role"].(map[string]any)
	if role["id"] != given.Role || role["code"] != "S8000:G8000:R8000" {
		t.Errorf("the role of the next access token = %v, want %s as the new version says", role, given.Role)
	}
	for _, replica := range []*provider{p, q} {
		if said, _ := replica.userinfo(got.AccessToken); said.StatusCode != http.StatusOK || !strings.Contains(said.body, `"B0420"`) || strings.Contains(said.body, `"B0401"`) {
			t.Errorf("userinfo = %d %s, want the activities of the new version", said.StatusCode, said.body)
		}
	}

	// It ends with what was asked.
	p.clock.advance(7 * 24 * time.Hour)
	if got := q.as(otherClient, refresh(got.RefreshToken)); got.status != http.StatusBadRequest {
		t.Errorf("refresh after the position ended = %d, want 400", got.status)
	}
}
