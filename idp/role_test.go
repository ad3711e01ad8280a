package idp_test

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/credence-id/credence/idp/directory"
)

// Role profiles of the seed.
const (
	supportWorker = "656014452101" // of twoRoles
	manager       = "656005754108" // of twoRoles
	onlyRole      = "656014108001" // of oneRole
	endedRole     = "656014114001" // of expiredRole
)

var roleButton = regexp.MustCompile(`id="role-([0-9]{12})" name="role" type="radio" value="([0-9]{12})"( aria-describedby="[^"]*")?( checked)?`)

// roles lists the roles that a page offers, and the one that is selected.
func (a answer) roles(t *testing.T) (offered []string, selected string) {
	t.Helper()
	for _, found := range roleButton.FindAllStringSubmatch(a.body, -1) {
		if found[1] != found[2] {
			t.Errorf("radio button role-%s has the value %s", found[1], found[2])
		}
		offered = append(offered, found[2])
		if found[4] != "" {
			selected = found[2]
		}
	}
	slices.Sort(offered)
	return offered, selected
}

// choose posts a role on the page that an answer shows, and follows redirects.
func (b *browser) choose(page answer, role string) answer {
	b.t.Helper()
	if page.path() != "/sign-in/role" {
		b.t.Fatalf("page = %d %s, want the role page: %s", page.StatusCode, page.path(), text(page.body))
	}
	return b.rest(b.post(page.address().RequestURI(), url.Values{"role": {role}}))
}

// roleOf redeems the code to which an answer leads, and returns the role that the tokens name, "" for none.
func (p *provider) roleOf(client string, a answer, k pkce) string {
	p.t.Helper()
	got := p.as(client, redeem(client, a.redirect(p.t).Get("code"), k))
	if got.status != http.StatusOK {
		p.t.Fatalf("answer leads to %s, and the token endpoint answers %d %s", a.Header.Get("Location"), got.status, got.Error)
	}
	var named []string
	for _, token := range []string{got.IDToken, got.AccessToken} {
		role, _ := claims(p.t, token)["role"].(map[string]any)
		id, _ := role["id"].(string)
		named = append(named, id)
	}
	if named[0] != named[1] {
		p.t.Errorf("ID token and access token name the roles %q, want one", named)
	}
	return named[0]
}

func TestNoRole(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	for _, username := range []string{noRole, expiredRole} {
		b, k := p.browser(), newPKCE()
		page := b.simulate(b.authorize(request(confidentialClient, k)), username, "")
		if page.path() != "/sign-in/role" || !strings.Contains(page.body, "You have no current role") || !strings.Contains(page.body, `id="continue-without-role"`) {
			t.Fatalf("sign-in of %s leads to %s %s, want the page that says there is no role", username, page.path(), text(page.body))
		}
		goOn := url.Values{"continue": {"1"}}
		a := b.rest(b.post(page.address().RequestURI(), goOn))
		if got := p.roleOf(confidentialClient, a, k); got != "" {
			t.Errorf("tokens of %s name the role %s, want none", username, got)
		}
		if a := b.authorize(request(confidentialClient, newPKCE())); !a.redirect(t).Has("code") {
			t.Errorf("the next request leads to %s, want a code at once", a.Header.Get("Location"))
		}
		if !strings.Contains(b.get("/").body, "You are not acting in a role.") {
			t.Error("home does not say that nobody acts in a role")
		}

		// A client that wants a role is not told of anybody who has none.
		page = b.authorize(request(otherClient, newPKCE()))
		if page.path() != "/sign-in/role" || strings.Contains(page.body, "continue-without-role") {
			t.Errorf("a client that wants a role leads to %s %s, want the page without a way on", page.path(), text(page.body))
		}
		if a := b.post(page.address().RequestURI(), goOn); a.StatusCode != http.StatusForbidden {
			t.Errorf("going on without a role = %d, want 403", a.StatusCode)
		}
		if a := b.post(page.address().RequestURI(), url.Values{"role": {endedRole}}); a.StatusCode != http.StatusForbidden && a.StatusCode != http.StatusBadRequest {
			t.Errorf("going on in a role that has ended = %d, want 403 or 400", a.StatusCode)
		}
		if got := b.authorize(request(otherClient, newPKCE(), "prompt", "none")).redirect(t).Get("error"); got != "interaction_required" {
			t.Errorf("prompt=none of a client that wants a role = %q, want interaction_required", got)
		}
		if got := b.rest(b.post(page.address().RequestURI(), url.Values{"cancel": {"1"}})).redirect(t).Get("error"); got != "access_denied" {
			t.Errorf("cancel = %q, want access_denied", got)
		}
	}
}

func TestOneRoleIsSilent(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	for _, client := range []string{confidentialClient, otherClient} {
		b, k := p.browser(), newPKCE()
		a := b.simulate(b.authorize(request(client, k)), oneRole, "")
		if got := p.roleOf(client, a, k); got != onlyRole {
			t.Errorf("tokens for %s name the role %q, want %s", client, got, onlyRole)
		}
		k = newPKCE()
		if got := p.roleOf(client, b.authorize(request(client, k, "scope", "openid changedrole")), k); got != onlyRole {
			t.Errorf("tokens for %s after changedrole name the role %q, want %s with nothing asked", client, got, onlyRole)
		}
	}
	if n := p.count(`SELECT count(*) FROM audit_event WHERE event = 'signed_in' AND person_id = $1 AND detail->>'role' = $2`, oneRole, onlyRole); n != 2 {
		t.Errorf("%d lines of two sign-ins say in which role, want both", n)
	}
	if lines := p.audited("role_chosen"); len(lines) > 0 {
		t.Errorf("a choice of role is on record: %q, want none, because nobody chose", lines)
	}
}

func TestRoleIsChosenOnceForTheSession(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	b, k := p.browser(), newPKCE()
	page := b.simulate(b.authorize(request(confidentialClient, k)), twoRoles, "")
	offered, selected := page.roles(t)
	if diff := cmp.Diff([]string{manager, supportWorker}, offered); diff != "" || selected != "" || !strings.Contains(page.body, `id="role-submit"`) {
		t.Errorf("the page offers %q, selected %q; want both roles, none selected, and a button", offered, selected)
	}
	if strings.Contains(page.body, "role-search") {
		t.Error("the page offers to search two roles")
	}
	if got := p.roleOf(confidentialClient, b.choose(page, manager), k); got != manager {
		t.Errorf("tokens name the role %q, want %s", got, manager)
	}

	// It is kept, for other clients and over another sign-in of the same person.
	k = newPKCE()
	if got := p.roleOf(otherClient, b.authorize(request(otherClient, k)), k); got != manager {
		t.Errorf("tokens for another client name the role %q, want %s", got, manager)
	}
	k = newPKCE()
	a := b.simulate(b.authorize(request(confidentialClient, k, "prompt", "login")), twoRoles, "")
	if got := p.roleOf(confidentialClient, a, k); got != manager {
		t.Errorf("tokens after another sign-in name the role %q, want %s", got, manager)
	}

	// changedrole asks again, once for each request, and the back button finds the answer given.
	for _, role := range []string{supportWorker, supportWorker, manager} {
		k = newPKCE()
		page = b.authorize(request(confidentialClient, k, "scope", "openid changedrole"))
		if _, selected := page.roles(t); selected == "" {
			t.Error("the page does not select the active role")
		}
		if got := p.roleOf(confidentialClient, b.choose(page, role), k); got != role {
			t.Errorf("tokens after changedrole name the role %q, want %s", got, role)
		}
		if a := b.get(page.address().RequestURI()); a.StatusCode != http.StatusSeeOther || !strings.HasPrefix(a.Header.Get("Location"), "/authorize?") {
			t.Errorf("the role page of a request that has its answer = %d to %s, want 303 to the request", a.StatusCode, a.Header.Get("Location"))
		}
	}
	// From home too.
	page = b.get("/sign-in/role")
	if offered, selected := page.roles(t); len(offered) != 2 || selected != manager {
		t.Errorf("the role page from home offers %q, selected %q; want both, selected %s", offered, selected, manager)
	}
	if a := b.choose(page, supportWorker); a.path() != "/" || !strings.Contains(a.body, "Support Access Role") {
		t.Errorf("choosing from home leads to %s %s, want home and the role", a.path(), text(a.body))
	}
	if refused := slices.DeleteFunc(p.audited("role_chosen"), func(line string) bool { return line == "role_chosen" }); len(refused) > 0 {
		t.Errorf("audited refusals = %q, want none", refused)
	}
}

func TestManyRolesAreSearched(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	b, k := p.browser(), newPKCE()
	page := b.simulate(b.authorize(request(confidentialClient, k)), sevenRoles, "")
	if offered, _ := page.roles(t); len(offered) != 7 || !strings.Contains(page.body, `id="role-search" name="q"`) {
		t.Fatalf("the page offers %q, want seven roles and a search", offered)
	}
	search := func(q string) answer {
		return b.post(page.address().RequestURI(), url.Values{"q": {q}, "search": {"1"}})
	}
	for q, want := range map[string]int{"": 7, "pharmacy": 2, "ZX200": 2, "HOSPITAL nurse": 1, "astronaut": 0, "<script>alert(1)</script>": 0, "%00\x00\xff": 0, strings.Repeat("x", 10<<10): 0} {
		a := search(q)
		offered, _ := a.roles(t)
		if a.StatusCode != http.StatusOK || len(offered) != want || strings.Contains(a.body, "<script>alert") {
			t.Errorf("search for %.30q = %d with %q, want 200 with %d roles, escaped", q, a.StatusCode, offered, want)
		}
	}
	found, _ := search("nurse").roles(t)
	if len(found) != 1 {
		t.Fatalf("search for nurse finds %q, want one role", found)
	}
	if got := p.roleOf(confidentialClient, b.choose(page, found[0]), k); got != found[0] {
		t.Errorf("tokens name the role %q, want %s", got, found[0])
	}
}

func TestRoleThatIsNotHeldIsRefused(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	b, k := p.browser(), newPKCE()
	page := b.simulate(b.authorize(request(confidentialClient, k)), sevenRoles, "")
	const ended = "656014115005"
	if err := directory.EndRole(t.Context(), p.owner, ended, "test", p.clock.Now()); err != nil {
		t.Fatal(err)
	}
	p.exec(`UPDATE role_profile SET starts_at = '2030-01-01' WHERE id = '656014115006'`)
	strange := map[string]string{
		"somebody else's": onlyRole, "one that has ended": ended, "one that has not begun": "656014115006", "one that nobody has": "000000000000",
		"no id": "nurse", "a NUL": "\x00", "no text": "\xff", "SQL": "' OR '1'='1", "10 kB": strings.Repeat("1", 10<<10),
	}
	for name, role := range strange {
		a := b.choose(page, role)
		if a.StatusCode != http.StatusBadRequest || !strings.Contains(a.body, "Select one of your current roles") {
			t.Errorf("choosing a role, %s = %d %s, want 400 and the page", name, a.StatusCode, text(a.body))
		}
	}
	want := slices.Repeat([]string{"role_chosen: role_not_held"}, len(strange))
	if diff := cmp.Diff(want, p.audited("role_chosen")); diff != "" {
		t.Errorf("audited (-want +got):\n%s", diff)
	}
	if n := p.count(`SELECT count(*) FROM audit_event WHERE event = 'role_chosen' AND person_id = $1 AND session_id IS NOT NULL AND detail->>'role' = $2`, sevenRoles, onlyRole); n != 1 {
		t.Errorf("%d lines say who chose whose role, want 1", n)
	}
	if a := b.choose(page, ""); a.StatusCode != http.StatusBadRequest || !strings.Contains(a.body, "Select the role you will act in") {
		t.Errorf("choosing nothing = %d %s, want 400 and the page", a.StatusCode, text(a.body))
	}
	if n := p.count(`SELECT count(*) FROM session WHERE role_chosen_at IS NOT NULL`); n != 0 {
		t.Error("a role was chosen, want none")
	}
	if got := p.roleOf(confidentialClient, b.choose(page, "656014115007"), k); got != "656014115007" {
		t.Errorf("tokens name the role %q, want the one that is held", got)
	}

	// When the last role has ended while its page was open, nobody goes on without one unawares.
	b = p.browser()
	page = b.simulate(b.authorize(request(confidentialClient, newPKCE())), twoRoles, "")
	for _, role := range []string{manager, supportWorker} {
		if err := directory.EndRole(t.Context(), p.owner, role, "test", p.clock.Now()); err != nil {
			t.Fatal(err)
		}
	}
	before := len(p.audited("role_chosen"))
	if a := b.choose(page, manager); a.StatusCode != http.StatusBadRequest || !strings.Contains(a.body, "You have no current role") {
		t.Errorf("choosing the last role, which has ended = %d %s, want 400 and the page that says so", a.StatusCode, text(a.body))
	}
	if diff := cmp.Diff([]string{"role_chosen: role_not_held"}, p.audited("role_chosen")[before:]); diff != "" {
		t.Errorf("audited (-want +got):\n%s", diff)
	}
}

func TestRoleThatEndsInTheSession(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	end := func(role string) {
		t.Helper()
		if err := directory.EndRole(t.Context(), p.owner, role, "test", p.clock.Now()); err != nil {
			t.Fatal(err)
		}
	}
	b, k := p.browser(), newPKCE()
	page := b.simulate(b.authorize(request(confidentialClient, k)), sevenRoles, "")
	if got := p.roleOf(confidentialClient, b.choose(page, "656014115003"), k); got != "656014115003" {
		t.Fatalf("tokens name the role %q, want the chosen one", got)
	}
	end("656014115003")
	if strings.Contains(b.get("/").body, `<dl class="nhsuk-summary-list" id="active-role">`) {
		t.Error("home still shows the role that has ended")
	}
	if got := b.authorize(request(confidentialClient, newPKCE(), "prompt", "none")).redirect(t).Get("error"); got != "interaction_required" {
		t.Errorf("prompt=none = %q, want interaction_required", got)
	}
	k = newPKCE()
	page = b.authorize(request(confidentialClient, k))
	if offered, selected := page.roles(t); len(offered) != 6 || selected != "" {
		t.Errorf("the page offers %q, selected %q; want the six others, none selected", offered, selected)
	}
	if got := p.roleOf(confidentialClient, b.choose(page, "656014115001"), k); got != "656014115001" {
		t.Errorf("tokens name the role %q, want the new choice", got)
	}

	// Of two, the other one is taken silently.
	b, k = p.browser(), newPKCE()
	page = b.simulate(b.authorize(request(confidentialClient, k)), twoRoles, "")
	if got := p.roleOf(confidentialClient, b.choose(page, manager), k); got != manager {
		t.Fatalf("tokens name the role %q, want %s", got, manager)
	}
	end(manager)
	k = newPKCE()
	if got := p.roleOf(confidentialClient, b.authorize(request(confidentialClient, k)), k); got != supportWorker {
		t.Errorf("tokens name the role %q, want the one that is left", got)
	}
	end(supportWorker)
	if page = b.authorize(request(confidentialClient, newPKCE())); !strings.Contains(page.body, "You have no current role") {
		t.Errorf("authorization leads to %s %s, want the page that says there is no role", page.path(), text(page.body))
	}
}

func TestRoleGrantedInTheSession(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	catalogue, err := directory.NewCatalogue()
	if err != nil {
		t.Fatal(err)
	}
	grant := func(person, id, jobRole string) {
		t.Helper()
		_, err := directory.GrantRole(t.Context(), p.owner, catalogue, directory.NewRole{
			ID: id, PersonID: person, Organisation: "ZX300", JobRole: jobRole,
		}, "test", p.clock.Now())
		if err != nil {
			t.Fatal(err)
		}
	}
	b := p.browser()
	page := b.simulate(b.authorize(request(confidentialClient, newPKCE())), noRole, "")
	refused := b.authorize(request(otherClient, newPKCE()))
	b.rest(b.post(page.address().RequestURI(), url.Values{"continue": {"1"}}))

	grant(noRole, "111111111111", "S8000:G8000:R8001")
	for _, client := range []string{confidentialClient, otherClient} {
		k := newPKCE()
		if got := p.roleOf(client, b.authorize(request(client, k)), k); got != "111111111111" {
			t.Errorf("tokens for %s name the role %q, want the one that was granted", client, got)
		}
	}
	if a := b.rest(b.get(refused.address().RequestURI())); !a.redirect(t).Has("code") {
		t.Errorf("the page that had no way on leads to %s, want a code", a.Header.Get("Location"))
	}

	// Whoever acts in a role is not asked because of another, and can choose it.
	grant(noRole, "222222222222", "S8000:G8000:R8003")
	k := newPKCE()
	if got := p.roleOf(confidentialClient, b.authorize(request(confidentialClient, k)), k); got != "111111111111" {
		t.Errorf("tokens name the role %q, want the active one still", got)
	}
	k = newPKCE()
	page = b.authorize(request(confidentialClient, k, "scope", "openid changedrole"))
	if got := p.roleOf(confidentialClient, b.choose(page, "222222222222"), k); got != "222222222222" {
		t.Errorf("tokens name the role %q, want the second one", got)
	}
}
