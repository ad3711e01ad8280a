package idp_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/authority"
	"github.com/credence-id/credence/idp/deed"
	"github.com/credence-id/credence/idp/desk"
	"github.com/credence-id/credence/idp/oauth"
	"github.com/credence-id/credence/idp/onboarding"
	"github.com/credence-id/credence/idp/outbound"
	"github.com/credence-id/credence/idp/position"
)

const clientsPath = "/desk/clients"

// onboarder acts as the desk does.
func (p *provider) onboarder() *onboarding.Registrar {
	p.t.Helper()
	rules, err := authority.New()
	if err != nil {
		p.t.Fatal(err)
	}
	return &onboarding.Registrar{Store: p.store, Rules: rules, Prober: onboarding.NewProber(outbound.Guard{}), Now: p.clock.Now}
}

// wardList is a service of the hospital in integration that was applied for and approved.
func (p *provider) wardList() (application string) {
	p.t.Helper()
	ctx, r := p.t.Context(), p.onboarder()
	id, err := r.Apply(ctx, deed.Acting{Person: raManager, Role: managersRole}, onboarding.Wanted{
		Organisation: "ZX100", Environment: onboarding.Integration, Purpose: "Nurses see who is on the ward", Contact: "ward@example.org",
		Client: oauth.Registration{Name: "Ward list", RedirectURIs: []string{callback}, Scopes: []string{"openid", "profile"}},
	})
	if err != nil {
		p.t.Fatal(err)
	}
	if _, err = r.Decide(ctx, deed.Acting{Person: raAdvanced, Role: advancedsRole}, id, position.Approve, "As agreed"); err != nil {
		p.t.Fatal(err)
	}
	return id.String()
}

// wardListWithKeys is a service of the hospital like wardList, with a key.
func (p *provider) wardListWithKeys() (application string) {
	p.t.Helper()
	ctx, r := p.t.Context(), p.onboarder()
	id, err := r.Apply(ctx, deed.Acting{Person: raManager, Role: managersRole}, onboarding.Wanted{
		Organisation: "ZX100", Environment: onboarding.Integration, Purpose: "Nurses see who is on the ward", Contact: "ward@example.org",
		Client: oauth.Registration{
			Name: "Ward round", Authentication: oauth.AuthPrivateKeyJWT, JWKS: keySet(p.t, newClientKey(p.t, "2026-a")), RedirectURIs: []string{callback}, Scopes: []string{"openid"},
		},
	})
	if err == nil {
		_, err = r.Decide(ctx, deed.Acting{Person: raAdvanced, Role: advancedsRole}, id, position.Approve, "As agreed")
	}
	if err != nil {
		p.t.Fatal(err)
	}
	return id.String()
}

// A private key that a developer hands in is on no page and on no record; and whoever replaces keys is of the service's side.
func TestDeskTakesNoPrivateKey(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	const private = `{"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "a", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", "d": "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"}]}`
	public := strings.Replace(private, `, "d": "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"`, "", 1)
	fmt.Fprintln(p.secrets, "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A") // the invariants look for it everywhere
	b, _ := p.atDesk(p.developer(), clientsPath+"/apply")
	a := b.post(clientsPath+"/apply", service("authentication", "private_key_jwt", "jwks", private))
	if a.StatusCode != http.StatusBadRequest || !strings.Contains(a.words(t), "There is a private or secret key in it") || strings.Contains(a.body, "nWGxne") {
		t.Errorf("to apply with a private key = %d %s, want it refused, and not shown again", a.StatusCode, text(a.body))
	}
	a = b.post(clientsPath+"/apply", service("authentication", "private_key_jwt", "jwks", public, "name", ""))
	if a.StatusCode != http.StatusBadRequest || !strings.Contains(a.body, "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo") {
		t.Errorf("to apply with a public key and a mistake = %d %s, want the key kept", a.StatusCode, text(a.body))
	}
	of := b.rest(b.post(clientsPath+"/apply", service("authentication", "private_key_jwt", "jwks", public))).path()
	if a := b.get(of + "/keys"); a.StatusCode != http.StatusForbidden {
		t.Errorf("the keys before it is approved = %d, want 403", a.StatusCode)
	}
	keyed := clientsPath + "/" + p.wardListWithKeys()
	seen := regexp.MustCompile(`action="([^"]+/keys\?seen=[0-9a-f]{16})"`).FindStringSubmatch(b.get(keyed + "/keys").body)
	if seen == nil {
		t.Fatal("the page about keys has no form")
	}
	if a := b.post(seen[1], url.Values{"jwks": {private}}); a.StatusCode != http.StatusBadRequest || strings.Contains(a.body, "nWGxne") {
		t.Errorf("to replace keys by a private one = %d %s, want it refused, and not shown again", a.StatusCode, text(a.body))
	}
	elsewhere, _ := p.atDesk(p.newOfficer("ZX200", "S8001:G8002:R8008", "B9003"), clientsPath)
	if a := elsewhere.post(seen[1], url.Values{"jwks": {public}}); a.StatusCode != http.StatusForbidden {
		t.Errorf("to replace keys from elsewhere = %d, want 403", a.StatusCode)
	}
	if a := b.rest(b.post(seen[1], url.Values{"jwks": {public}})); a.StatusCode != http.StatusOK || !strings.Contains(a.words(t), "a (EdDSA)") {
		t.Errorf("to replace keys = %d %s, want the new one", a.StatusCode, text(a.body))
	}
	if a := b.post(seen[1], url.Values{"jwks": {public}}); a.StatusCode != http.StatusBadRequest || !strings.Contains(a.words(t), "have been replaced since") {
		t.Errorf("the form sent again = %d %s, want that they were replaced since", a.StatusCode, text(a.body))
	}
}

// developer is a person of the hospital who applies for services.
func (p *provider) developer() string {
	p.t.Helper()
	return p.newOfficer("ZX100", "S8001:G8002:R8008", "B9003")
}

// service is what a developer enters, with changes: pairs of a field and its value.
func service(changes ...string) url.Values {
	f := url.Values{
		"organisation": {"ZX100"}, "environment": {"integration"}, "name": {"Ward list"}, "purpose": {"Nurses see\r\nwho is on the ward"}, "contact": {"ward@example.org"},
		"redirect_uris": {callback + "\r\n"}, "authentication": {"client_secret_basic"}, "scope": {"openid", "profile"}, "minimum_authenticator": {"1"}, "minimum_identity": {"none"},
	}
	for i := 0; i+1 < len(changes); i += 2 {
		f.Set(changes[i], changes[i+1])
	}
	return f
}

var shownSecret = regexp.MustCompile(`<code id="secret">([A-Za-z0-9_-]{43})</code>`)

// secretOf makes a secret of a service and returns what is shown.
func (b *browser) secretOf(p *provider, service string, seen int, days string) string {
	b.t.Helper()
	a := b.post(fmt.Sprintf("%s/secret?seen=%d", service, seen), url.Values{"days": {days}})
	shown := shownSecret.FindStringSubmatch(a.body)
	if a.StatusCode != http.StatusOK || shown == nil || a.Header.Get("Cache-Control") != "no-store" {
		b.t.Fatalf("the secret = %d %s, want it shown, and stored nowhere", a.StatusCode, text(a.body))
	}
	fmt.Fprintln(p.secrets, shown[1])
	return shown[1]
}

// with redeems a fresh code for a client with a secret, and returns the answer.
func (p *provider) with(b *browser, client, secret string) tokens {
	p.t.Helper()
	k := newPKCE()
	code := b.code(request(client, k), oneRole)
	return p.knock(http.MethodPost, "", strings.NewReader(redeem(client, code, k).Encode()), "Content-Type", formType, "Authorization", basic(client, url.QueryEscape(secret)))
}

// A developer comes to services, and to nothing else of the desk.
func TestDeskOfADeveloper(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	ward, request := p.wardNurse()
	id := p.wardList()
	b, page := p.atDesk(p.developer(), "/desk")
	if !strings.Contains(page.body, `href="/desk/clients"`) || strings.Contains(page.body, `href="/desk/people"`) || !strings.Contains(page.words(t), "(developer)") {
		t.Errorf("the desk of a developer = %s, want the way to services and no other", text(page.body))
	}
	new(desk.Handler).Mount(func(pattern string, _ func(http.ResponseWriter, *http.Request) error) {
		path, get := strings.CutPrefix(pattern, "GET ")
		if !get || path == "/desk/role" || path == "/desk" {
			return
		}
		want, of := http.StatusForbidden, ward
		switch {
		case strings.HasSuffix(path, "/keys"):
			of = id // which has a secret
		case strings.HasPrefix(path, clientsPath):
			want, of = http.StatusOK, id
		case strings.HasPrefix(path, "/desk/requests"):
			of = request
		case strings.HasPrefix(path, "/desk/people"):
			of = noRole
		}
		path = regexp.MustCompile(`\{[a-z]+\}`).ReplaceAllString(strings.Replace(path, "{id}", of, 1), uuid.NewString())
		if a := b.get(path); a.StatusCode != want && (want == http.StatusOK || a.StatusCode != http.StatusNotFound) {
			t.Errorf("%s for a developer = %d, want %d: %s", pattern, a.StatusCode, want, text(a.body))
		}
	})
}

// A developer applies, an officer approves, the developer makes a secret, and somebody signs in to the service with it. The
// secret is changed while both work, at each replica, and the old one ends.
func TestDeskOnboardsAClient(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	p.run()
	other := p.second()
	other.run()
	developer, page := p.atDesk(p.developer(), clientsPath+"/apply")
	if page.StatusCode != http.StatusOK || !strings.Contains(page.words(t), "Where are people sent back to?") {
		t.Fatalf("the form = %d %s", page.StatusCode, text(page.body))
	}
	a := developer.post(clientsPath+"/apply", service("redirect_uris", callback+"#top", "environment", ""))
	if words := a.words(t); a.StatusCode != http.StatusBadRequest || !strings.Contains(words, "Select a stage") || !strings.Contains(words, "it must have no fragment") || !strings.Contains(a.body, `value="Ward list"`) {
		t.Errorf("POST with mistakes = %d %s, want the form with what was typed", a.StatusCode, text(a.body))
	}
	if a := developer.postWith(clientsPath+"/apply", service(), func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") }); a.StatusCode != http.StatusForbidden {
		t.Errorf("POST from another site = %d, want 403", a.StatusCode)
	}
	a = developer.rest(developer.post(clientsPath+"/apply", service()))
	of := a.path()
	if words := a.words(t); !strings.HasPrefix(of, clientsPath+"/") || !strings.Contains(words, "Nurses see who is on the ward") || strings.Contains(a.body, `id="decide"`) || !strings.Contains(a.body, `id="withdraw"`) {
		t.Fatalf("the application for who applied = %s %s, want it to withdraw, and not to decide", of, text(a.body))
	}
	decision := url.Values{"verdict": {"approved"}, "reason": {"As agreed"}}
	if a := developer.post(of, decision); a.StatusCode != http.StatusForbidden {
		t.Errorf("POST of a decision by who applied = %d, want 403", a.StatusCode)
	}
	if a := developer.get(of + "/secret"); a.StatusCode != http.StatusForbidden {
		t.Errorf("the secret before it is approved = %d, want 403", a.StatusCode)
	}
	elsewhere, _ := p.atDesk(p.newOfficer("ZX200", "S0080:G0450:R5080"), "/desk")
	if a := elsewhere.post(of, decision); a.StatusCode != http.StatusForbidden {
		t.Errorf("POST by a manager elsewhere = %d, want 403", a.StatusCode)
	}
	advanced, page := p.atDesk(raAdvanced, clientsPath)
	if !strings.Contains(page.body, `href="`+of+`"`) {
		t.Errorf("the list = %s, want the application", text(page.body))
	}
	if a := advanced.post(of, url.Values{"verdict": {"approved"}}); a.StatusCode != http.StatusBadRequest || !strings.Contains(a.words(t), "Enter a reason") {
		t.Errorf("POST without a reason = %d %s, want 400", a.StatusCode, text(a.body))
	}
	a = advanced.rest(advanced.post(of, decision))
	found := regexp.MustCompile(`Client ID</dt>\s*<dd[^>]*>([a-z0-9]+)<`).FindStringSubmatch(a.body)
	if found == nil || shownSecret.MatchString(a.body) {
		t.Fatalf("the application after it was approved = %s, want its client and no secret", text(a.body))
	}
	client := found[1]
	if a := advanced.post(of, decision); a.StatusCode != http.StatusBadRequest || !strings.Contains(a.words(t), "decided or withdrawn already") {
		t.Errorf("POST again = %d %s, want that it was decided", a.StatusCode, text(a.body))
	}

	if a := p.second().browser().get("/authorize?" + request(client, newPKCE()).Encode()); !strings.Contains(a.words(t), "Ward list (Larkmere") {
		t.Errorf("the sign-in page = %s, want the organisation behind the service", text(a.body))
	}

	first := developer.secretOf(p, of, 0, "")
	if a := developer.get(of + "/secret"); strings.Contains(a.body, first) {
		t.Error("the secret is shown again")
	}
	if a := developer.post(of+"/secret?seen=0", nil); a.StatusCode != http.StatusBadRequest || shownSecret.MatchString(a.body) {
		t.Errorf("the form sent again = %d %s, want no other secret", a.StatusCode, text(a.body))
	}
	b := p.browser()
	at := map[string]*provider{"one replica": p, "the other": other}
	accepts := func(q *provider, secret string) func() bool {
		return func() bool { return q.with(b.at(q), client, secret).status == http.StatusOK }
	}
	for name, q := range at {
		eventually(t, name+" takes the first secret", accepts(q, first))
	}
	if a := developer.post(of+"/secret?seen=1", url.Values{"days": {"31"}}); a.StatusCode != http.StatusBadRequest || !strings.Contains(a.words(t), "from 0 to 30") || !strings.Contains(a.body, `value="31"`) {
		t.Errorf("to rotate with an overlap of 31 days = %d %s, want 400", a.StatusCode, text(a.body))
	}
	second := developer.secretOf(p, of, 1, "7")
	for name, q := range at {
		eventually(t, name+" takes the second secret", accepts(q, second))
		if !accepts(q, first)() {
			t.Errorf("%s refuses the first secret while it works beside the second", name)
		}
	}
	if a := developer.rest(developer.post(of+"/secret?seen=2", url.Values{"end": {"1"}})); a.StatusCode != http.StatusOK || strings.Contains(a.body, `id="end"`) {
		t.Errorf("the page after the old secret ended = %d %s, want no old one", a.StatusCode, text(a.body))
	}
	for name, q := range at {
		eventually(t, name+" refuses the first secret", func() bool { return q.with(b.at(q), client, first).Error == "invalid_client" })
		if !accepts(q, second)() {
			t.Errorf("%s refuses the second secret after the first ended", name)
		}
	}
	third := developer.secretOf(p, of, 2, "1")
	eventually(t, "the third secret works", accepts(p, third))
	p.clock.advance(24 * time.Hour)
	if got := p.with(p.browser(), client, second); got.Error != "invalid_client" {
		t.Errorf("the second secret after its day = %d %s, want invalid_client", got.status, got.Error)
	}
	if got := p.with(p.browser(), client, third); got.status != http.StatusOK {
		t.Errorf("the third secret = %d %s, want tokens", got.status, got.Error)
	}
	want := []string{
		"client_applied", "client_decided: no_right", "client_decided: another_organisation", "client_decided", "client_decided: application_not_open",
		"client_secret_rotated", "client_secret_rotated: secret_since", "client_secret_rotated", "client_secret_ended", "client_secret_rotated",
	}
	if diff := cmp.Diff(want, p.audited("client_applied", "client_decided", "client_secret_rotated", "client_secret_ended")); diff != "" {
		t.Errorf("the record differs (-want +got):\n%s", diff)
	}
}

// What goes live was ready in integration; the check says what came back, and nobody hammers with it.
func TestDeskTakesAClientLive(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	status := http.StatusBadGateway
	there := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
	t.Cleanup(there.Close)
	app := []string{"authentication", "none", "redirect_uris", there.URL + "/callback"}
	developer, _ := p.atDesk(p.developer(), clientsPath)
	advanced, _ := p.atDesk(raAdvanced, clientsPath)
	decision := url.Values{"verdict": {"approved"}, "reason": {"As agreed"}}
	of := developer.rest(developer.post(clientsPath+"/apply", service(app...))).path()
	if a := advanced.rest(advanced.post(of, decision)); !strings.Contains(a.words(t), "State Approved") {
		t.Fatalf("the application = %s, want it approved", text(a.body))
	}
	a := developer.get(clientsPath + "/apply?follows=" + strings.TrimPrefix(of, clientsPath+"/"))
	if words := a.words(t); !strings.Contains(words, "Take Ward list live") || strings.Contains(words, "What stage") || !strings.Contains(a.body, `value="ward@example.org"`) {
		t.Errorf("the form to go live = %s, want what integration has", text(a.body))
	}
	live := developer.rest(developer.post(a.address().RequestURI(), service(app...))).path()
	if a := advanced.post(live, decision); a.StatusCode != http.StatusBadRequest || !strings.Contains(a.words(t), "not decided by colleagues") {
		t.Errorf("to approve it as a colleague = %d %s, want 400", a.StatusCode, text(a.body))
	}
	manager, _ := p.atDesk(raManager, clientsPath)
	if a := manager.post(live, decision); a.StatusCode != http.StatusBadRequest || !strings.Contains(a.words(t), "has not passed its last readiness check") {
		t.Errorf("to approve it before a check = %d %s, want 400", a.StatusCode, text(a.body))
	}
	if a := developer.rest(developer.post(of+"/check", nil)); !strings.Contains(a.words(t), "It answered 502: the service failed") {
		t.Errorf("the check = %s, want what came back", text(a.body))
	}
	if a := developer.post(of+"/check", nil); a.StatusCode != http.StatusBadRequest || !strings.Contains(a.words(t), "was checked just now") {
		t.Errorf("the check again = %d %s, want 400", a.StatusCode, text(a.body))
	}
	status = http.StatusOK
	p.clock.advance(time.Minute)
	if a := developer.rest(developer.post(of+"/check", nil)); !strings.Contains(a.words(t), "All addresses answered") {
		t.Errorf("the check of what answers = %s, want that it does", text(a.body))
	}
	if a := manager.rest(manager.post(live, decision)); !strings.Contains(a.words(t), "State Approved") || !strings.Contains(a.words(t), "Stage Live") {
		t.Errorf("the application to go live = %s, want it approved", text(a.body))
	}
	gone := developer.rest(developer.post(clientsPath+"/apply", service())).path()
	if a := developer.rest(developer.post(gone, url.Values{"withdraw": {"1"}, "reason": {"Not needed"}})); !strings.Contains(a.words(t), "State Withdrawn") {
		t.Errorf("the application = %s, want it withdrawn", text(a.body))
	}
	if a := developer.post(gone+"/check", nil); a.StatusCode != http.StatusBadRequest {
		t.Errorf("the check of what was withdrawn = %d, want 400", a.StatusCode)
	}
}

// The list goes on where it ends, and is of a state.
func TestDeskListsClients(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	r := p.onboarder()
	for i := range 21 {
		_, err := r.Apply(t.Context(), deed.Acting{Person: raManager, Role: managersRole}, onboarding.Wanted{
			Organisation: "ZX100", Environment: onboarding.Development, Purpose: "x", Contact: "ward@example.org",
			Client: oauth.Registration{Name: fmt.Sprintf("Service %d.", i), RedirectURIs: []string{callback}, Scopes: []string{"openid"}},
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	b, page := p.atDesk(raManager, clientsPath)
	next := regexp.MustCompile(`<a href="([^"]+)" id="next">`).FindStringSubmatch(page.body)
	if next == nil || !strings.Contains(page.body, "Service 20.") || strings.Contains(page.body, "Service 0.") {
		t.Fatalf("the list = %s, want the newest 20 and the way to the rest", text(page.body))
	}
	if a := b.get(strings.ReplaceAll(next[1], "&amp;", "&")); !strings.Contains(a.body, "Service 0.") || strings.Contains(a.body, "Service 1.") || strings.Contains(a.body, `id="next"`) {
		t.Errorf("what follows = %s, want the oldest alone", text(a.body))
	}
	for path, want := range map[string]string{
		clientsPath + "?state=approved":       "No application here is like this",
		clientsPath + "?state=<script>":       "Select one of these",
		clientsPath + "?organisation=zx100":   "Service 20.",
		clientsPath + "?organisation=nowhere": "Enter the code of an organisation",
	} {
		if a := b.get(path); !strings.Contains(a.body, want) {
			t.Errorf("GET %s = %s, want %q", path, text(a.body), want)
		}
	}
	for _, path := range []string{"/x", "/" + uuid.NewString(), "/" + uuid.NewString() + "/check", "/apply?follows=x"} {
		if a := b.get(clientsPath + path); a.StatusCode != http.StatusNotFound {
			t.Errorf("GET %s = %d, want 404", path, a.StatusCode)
		}
	}
}

// walkClients is walkDesk through the pages about services.
func (p *provider) walkClients(b *browser, see func(name string, pending bool, a answer)) {
	p.t.Helper()
	id := p.wardList()
	for _, path := range []string{
		"", "?organisation=<script>&state=approved", "?state=approved", "/apply", "/apply?follows=" + id, "/" + id, "/" + id + "/check", "/" + id + "/secret",
	} {
		see(clientsPath+path, false, b.get(clientsPath+path))
	}
	see("a service with a mistake", false, b.post(clientsPath+"/apply", service("name", "<script>\u202e", "redirect_uris", "javascript:alert(1)\r\n<b>", "purpose", "</textarea><script>")))
	see("a secret with a mistake", false, b.post(clientsPath+"/"+id+"/secret?seen=<script>", url.Values{"days": {"<script>"}}))
	keyed := p.wardListWithKeys()
	for _, path := range []string{"", "/keys", "/check", "/secret"} {
		see(clientsPath+"/"+keyed+path, false, b.get(clientsPath+"/"+keyed+path))
	}
	see("keys with a mistake", false, b.post(clientsPath+"/"+keyed+"/keys?seen=<script>", url.Values{"jwks": {"</textarea><script>"}}))
	see("an old secret that is none", false, b.post(clientsPath+"/"+id+"/secret", url.Values{"end": {"1"}}))
}
