package idp_test

import (
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/credence-id/credence/idp"
	"github.com/credence-id/credence/idp/webauthn/webauthntest"
)

// behindProxy has a provider trust what the tests say about the addresses of browsers.
func behindProxy(c *idp.Config) {
	c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
}

// forwarding sends requests as a proxy does: in the name of an address.
type forwarding struct {
	http.RoundTripper
	address string
}

func (f forwarding) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("X-Forwarded-For", f.address)
	return f.RoundTripper.RoundTrip(r)
}

// from is a new browser at an address.
func (p *provider) from(address string) *browser {
	p.t.Helper()
	b := p.browser()
	b.client.Transport = forwarding{b.client.Transport, address}
	return b
}

// another is an address that no other call returned for this number.
func another(n int) string { return fmt.Sprintf("198.51.%d.%d", n/250, n%250+1) }

// failSignIn posts garbage as the answer of an authenticator.
func (b *browser) failSignIn() answer {
	b.t.Helper()
	page := b.authorize(request(confidentialClient, newPKCE()))
	return b.answer(page.ceremony(b.t), `{"id":"x"}`)
}

// failKey answers with what a key signed for another ceremony.
func (b *browser) failKey(key *webauthntest.Key) answer {
	b.t.Helper()
	other := b.authorize(request(confidentialClient, newPKCE())).ceremony(b.t)
	return b.answer(b.authorize(request(confidentialClient, newPKCE())).ceremony(b.t), string(key.Get(other.options, issuer)))
}

// answer posts what an authenticator answers, or does not.
func (b *browser) answer(c ceremony, response string) answer {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, b.absolute(c.finish), strings.NewReader(`{"response":`+response+`}`))
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	return b.send(r)
}

// authenticated is a token request of the client that has its secret in the form.
func authenticated(form url.Values, secret string) url.Values {
	form.Set("client_id", otherClient)
	form.Set("client_secret", secret)
	return form
}

func (b *browser) failGrant() answer {
	b.t.Helper()
	return b.post("/token", authenticated(refresh("no refresh token"), secret))
}

func (b *browser) failClient() answer {
	b.t.Helper()
	return b.post("/token", authenticated(refresh("no refresh token"), "no secret"))
}

// nearly has a limit be one failure from being reached, at all that have failed.
func (p *provider) nearly(limit string, most int) {
	p.t.Helper()
	p.exec(`UPDATE throttle SET failures = $2 - 1 WHERE kind = $1`, limit, most)
}

func (p *provider) reached() []string {
	p.t.Helper()
	events, err := p.owner.AuditEvents(p.t.Context(), 0, 1000)
	if err != nil {
		p.t.Fatal(err)
	}
	var out []string
	for _, e := range events {
		if e.Event == "limit_reached" {
			out = append(out, strings.Join(strings.Fields(e.Detail["limit"]+" "+e.PersonID+" "+e.ClientID), " "))
		}
	}
	return out
}

// The failure that reaches a limit is answered as one, those after it with 429 until the window ends, and that is
// recorded once. RFC 9110, Section 10.2.3: Retry-After is "a non-negative decimal integer".
func TestLimits(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		limit  string
		most   int
		per    time.Duration
		place  bool   // whose failures at another place are counted apart
		status int    // of a failure
		event  string // that says it was reached
		fail   func(*browser) answer
	}{
		{"sign_in_address", 100, time.Minute, true, http.StatusForbidden, "sign_in_address", (*browser).failSignIn},
		{"sign_in_client", 300, time.Minute, false, http.StatusForbidden, "sign_in_client " + confidentialClient, (*browser).failSignIn},
		{"enrolment_address", 60, time.Minute, true, http.StatusGone, "enrolment_address", func(b *browser) answer { return b.get("/enrol?token=none") }},
		{"token_address", 2000, time.Minute, true, http.StatusBadRequest, "token_address " + otherClient, (*browser).failGrant},
		{"token_client", 60, time.Minute, false, http.StatusUnauthorized, "token_client " + otherClient, (*browser).failClient},
	} {
		t.Run(tt.limit, func(t *testing.T) {
			t.Parallel()
			p := newProvider(t).second(behindProxy)
			p.t = t
			n := 0
			browser := func() *browser { // at one place or, for what is no place, at any
				if n++; tt.place {
					return p.from("192.0.2.1")
				}
				return p.from(another(n))
			}
			wants := func(what string, a answer, status int, retryAfter string) {
				t.Helper()
				if a.StatusCode != status || a.Header.Get("Retry-After") != retryAfter {
					t.Errorf("%s = %d, Retry-After %q, want %d, %q: %s", what, a.StatusCode, a.Header.Get("Retry-After"), status, retryAfter, text(a.body))
				}
			}
			seconds := int(tt.per / time.Second)
			wants("the first failure", tt.fail(browser()), tt.status, "")
			p.nearly(tt.limit, tt.most)
			wants("the failure that reaches the limit", tt.fail(browser()), tt.status, "")
			wants("the next", tt.fail(browser()), http.StatusTooManyRequests, strconv.Itoa(seconds))
			p.clock.advance(20*time.Second + 500*time.Millisecond)
			wants("one after 20.5 s", tt.fail(browser()), http.StatusTooManyRequests, strconv.Itoa(seconds-20))
			if tt.place {
				wants("one at another place", tt.fail(p.from("192.0.2.2")), tt.status, "")
			}
			if diff := cmp.Diff([]string{tt.event}, p.reached()); diff != "" {
				t.Errorf("recorded limits (-want +got):\n%s", diff)
			}
			p.clock.advance(tt.per - 21*time.Second)
			wants("one in the last moment", tt.fail(browser()), http.StatusTooManyRequests, "1")
			p.clock.advance(time.Second)
			wants("one in the next window", tt.fail(browser()), tt.status, "")
			if got := p.throttled(tt.limit); got != 3 {
				t.Errorf("credence_throttled_total of %s = %v, want 3", tt.limit, got)
			}
		})
	}
}

// throttled is what a provider counted as beyond a limit.
func (p *provider) throttled(limit string) float64 {
	p.t.Helper()
	registry := prometheus.NewRegistry()
	registry.MustRegister(p.handler.Collectors()...)
	families, err := registry.Gather()
	if err != nil {
		p.t.Fatal(err)
	}
	for _, family := range families {
		for _, m := range family.GetMetric() {
			if family.GetName() == "credence_throttled_total" && m.GetLabel()[0].GetValue() == limit {
				return m.GetCounter().GetValue()
			}
		}
	}
	return 0
}

// Whoever fails in a person's name, she gets in. Failures in it are no longer recorded one by one, and answered like a
// stranger's: WebAuthn Level 3, Section 14.6.2.
func TestPersonBeyondLimit(t *testing.T) {
	t.Parallel()
	p := newProvider(t).second(behindProxy)
	key := webauthntest.NewPasskey()
	p.enrol(oneRole, key)
	n := 0
	fail := func() answer {
		t.Helper()
		n++
		return p.from(another(n)).failKey(key)
	}
	first := fail()
	p.nearly("sign_in_person", 50)
	for range 3 {
		if got := fail(); got.StatusCode != http.StatusForbidden || got.body != first.body || got.Header.Get("Retry-After") != "" {
			t.Errorf("a failure beyond the limit = %d %s, want that of before: %d %s", got.StatusCode, got.body, first.StatusCode, first.body)
		}
	}
	const failed = "signed_in: assertion_invalid"
	if diff := cmp.Diff([]string{failed, "limit_reached", failed}, p.audited("signed_in", "limit_reached")); diff != "" {
		t.Errorf("the record of four failures (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"sign_in_person " + oneRole}, p.reached()); diff != "" {
		t.Errorf("recorded limits (-want +got):\n%s", diff)
	}
	b := p.from(another(1)) // where it failed
	b.passkey(b.authorize(request(confidentialClient, newPKCE())), key)
	if b.home() == "" {
		t.Error("the person cannot sign in beyond her limit, want that the right authenticator lets her in")
	}
}

// A client is refused unseen where it fails, and nowhere else. Beyond its own limit, whoever has its secret gets an answer.
func TestClientBeyondLimit(t *testing.T) {
	t.Parallel()
	p := newProvider(t).second(behindProxy)
	const attacker, home = "192.0.2.1", "192.0.2.2"
	token := func(address string, form url.Values) int {
		t.Helper()
		return p.from(address).post("/token", form).StatusCode
	}
	code := func(client string) url.Values {
		t.Helper()
		k := newPKCE()
		return redeem(client, p.from(home).code(request(client, k), oneRole), k)
	}
	good := code(otherClient)
	p.from(attacker).failGrant()
	p.from(attacker).failClient()
	p.nearly("token_address", 2000)
	p.nearly("token_client", 60)
	p.from(attacker).failClient() // reaches both
	for what, got := range map[string]int{
		"the client where it failed":            token(attacker, authenticated(url.Values{"grant_type": {"refresh_token"}, "refresh_token": {"x"}}, secret)),
		"a wrong secret elsewhere":              p.from(home).failClient().StatusCode,
		"a wrong secret elsewhere, once again":  p.from("192.0.2.3").failClient().StatusCode,
		"a good code of it where it has failed": token(attacker, authenticated(good, secret)),
	} {
		if got != http.StatusTooManyRequests {
			t.Errorf("%s = %d, want 429", what, got)
		}
	}
	if got := p.from(home).failGrant().StatusCode; got != http.StatusBadRequest {
		t.Errorf("a bad refresh token of the client elsewhere = %d, want 400: it has to learn that", got)
	}
	if got := token(home, authenticated(good, secret)); got != http.StatusOK {
		t.Errorf("the code of the client elsewhere = %d, want 200", got)
	}
	other := code(publicClient)
	other.Set("client_id", publicClient)
	if got := token(attacker, other); got != http.StatusOK {
		t.Errorf("the code of another client at the same address = %d, want 200", got)
	}
	if got := p.from(attacker).failSignIn().StatusCode; got != http.StatusForbidden {
		t.Errorf("a failed sign-in at the address = %d, want 403: that is counted apart", got)
	}
	if diff := cmp.Diff([]string{"token_address " + otherClient, "token_client " + otherClient}, slices.Sorted(slices.Values(p.reached()))); diff != "" {
		t.Errorf("recorded limits (-want +got):\n%s", diff)
	}
}

// Of many failures at once, at two processes, as many are answered as such as the limit has, and no more.
func TestLimitIsShared(t *testing.T) {
	t.Parallel()
	first := newProvider(t)
	replicas := []*provider{first.second(behindProxy), first.second(behindProxy)}
	const address, runners, rounds = "192.0.2.1", 32, 5
	var mu sync.Mutex
	answers := map[int]int{}
	var race sync.WaitGroup
	for i := range runners {
		b := replicas[i%2].from(address)
		c := b.authorize(request(confidentialClient, newPKCE())).ceremony(t)
		race.Go(func() {
			for range rounds {
				got := b.answer(c, `{"id":"x"}`).StatusCode
				mu.Lock()
				answers[got]++
				mu.Unlock()
			}
		})
	}
	race.Wait()
	if diff := cmp.Diff(map[int]int{http.StatusForbidden: 100, http.StatusTooManyRequests: runners*rounds - 100}, answers); diff != "" {
		t.Errorf("answers to failures at two processes (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"sign_in_address"}, first.reached()); diff != "" {
		t.Errorf("recorded limits (-want +got):\n%s", diff)
	}
	third := first.second(behindProxy) // where nothing failed
	third.run()
	counted := func() int { return first.count(`SELECT failures FROM throttle WHERE kind = 'sign_in_address'`) }
	eventually(t, "a process where nothing failed knows the limit from the others", func() bool {
		before := counted()
		if got := third.from(address).failSignIn().StatusCode; got != http.StatusTooManyRequests {
			t.Fatalf("a failure at a process where nothing failed = %d, want 429", got)
		}
		return counted() == before
	})
	if got := third.from("192.0.2.2").failSignIn().StatusCode; got != http.StatusForbidden {
		t.Errorf("a failure at another address = %d, want 403", got)
	}
}

// What fails beyond the limit of its place writes nothing, and reads no more than it takes to see that it fails.
func TestFloodWritesNothing(t *testing.T) {
	t.Parallel()
	p := newProvider(t).second(behindProxy)
	hers, nobodys := webauthntest.New(), webauthntest.New()
	p.enrol(oneRole, hers)
	p.enrol(twoRoles, nobodys)
	p.exec(`DELETE FROM authenticator WHERE person_id = $1`, twoRoles)
	b := p.from("192.0.2.1")
	c := b.authorize(request(confidentialClient, newPKCE())).ceremony(t)
	wrong, unknown := string(hers.Get(b.get("/sign-in").ceremony(t).options, issuer)), string(nobodys.Get(c.options, issuer))
	simulated := "/sign-in/simulated?" + b.authorize(request(confidentialClient, newPKCE())).address().RawQuery
	flood := map[string]struct {
		send  func() answer
		trips int // of each
	}{
		"garbage for passkeys":                         {func() answer { return b.answer(c, `{"id":"x"}`) }, 0},
		"passkeys of nobody":                           {func() answer { return b.answer(c, unknown) }, 1},
		"a passkey of hers that signed something else": {func() answer { return b.answer(c, wrong) }, 1},
		"simulated sign-ins":                           {func() answer { return b.post(simulated, url.Values{"username": {"999999999999"}}) }, 1},
		"links":                                        {func() answer { return b.get("/enrol?token=none") }, 1},
		"enrolments":                                   {func() answer { return b.answer(ceremony{finish: "/enrol?token=none"}, `{"id":"x"}`) }, 1},
		"tokens":                                       {b.failGrant, 0},
		"secrets":                                      {b.failClient, 0},
	}
	for _, most := range []struct {
		kind, limit string
		most        int
	}{{"garbage for passkeys", "sign_in_address", 100}, {"links", "enrolment_address", 60}, {"tokens", "token_address", 2000}} {
		flood[most.kind].send()
		p.nearly(most.limit, most.most)
		flood[most.kind].send()
	}
	for kind, f := range flood {
		f.send() // which may have to read what is kept in memory
		p.trips.take()
		const requests = 20
		for range requests {
			if got := f.send(); got.StatusCode != http.StatusTooManyRequests || got.Header.Get("Retry-After") != "60" {
				t.Errorf("a flood of %s = %d, Retry-After %q, want 429 and 60", kind, got.StatusCode, got.Header.Get("Retry-After"))
			}
		}
		if trips, writes := p.trips.take(); trips != requests*f.trips || writes != 0 {
			t.Errorf("a flood of %d %s took %d round trips and wrote %d times, want %d and 0", requests, kind, trips, writes, requests*f.trips)
		}
	}
	if failed := p.audited("signed_in"); failed != nil {
		t.Errorf("the record has %q, want nothing of the flood", failed)
	}
}

// What is right gets in, where and for whomever it fails.
func TestRightGetsInBeyondLimits(t *testing.T) {
	t.Parallel()
	p := newProvider(t).second(behindProxy)
	key, link := webauthntest.New(), p.link(noRole)
	p.enrol(oneRole, key)
	b := p.from("192.0.2.1")
	signIn := func() answer { return p.from("192.0.2.1").failKey(key) }
	open := func() answer { return b.get("/enrol?token=none") }
	for _, fail := range []func() answer{signIn, open} {
		fail()
		for limit, most := range map[string]int{"sign_in_address": 100, "sign_in_client": 300, "sign_in_person": 50, "enrolment_address": 60} {
			p.nearly(limit, most)
		}
		fail()
		if got := fail().StatusCode; got != http.StatusTooManyRequests {
			t.Fatalf("a failure beyond the limits = %d, want 429", got)
		}
	}
	a := b.passkey(b.authorize(request(confidentialClient, newPKCE())), key)
	if code := a.redirect(t).Get("code"); code == "" || b.home() == "" {
		t.Errorf("her passkey leads to %s, want a code and a session", a.Header.Get("Location"))
	}
	page := b.get(link)
	if page.StatusCode != http.StatusOK {
		t.Fatalf("a link that works = %d %s, want 200", page.StatusCode, text(page.body))
	}
	c := page.ceremony(t)
	if got := b.finish(c, webauthntest.New().Create(c.options, issuer), ""); got.Status != http.StatusOK {
		t.Errorf("an enrolment = %+v, want 200", got)
	}
	if got := b.simulate(b.authorize(request(confidentialClient, newPKCE(), "prompt", "login")), oneRole, ""); got.redirect(t).Get("code") == "" {
		t.Errorf("a simulated sign-in leads to %s, want a code", got.Header.Get("Location"))
	}
	for what, fail := range map[string]func() answer{"a sign-in": signIn, "a link": open} {
		if got := fail().StatusCode; got != http.StatusTooManyRequests {
			t.Errorf("%s that fails after those that did not = %d, want 429", what, got)
		}
	}
}

// How the answers read: a page for people, words for the script of a page, an error for a client.
func TestAnswersBeyondLimit(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	b := p.browser()
	c := b.authorize(request(confidentialClient, newPKCE())).ceremony(t)
	b.answer(c, `{"id":"x"}`)
	b.get("/enrol?token=none")
	b.failGrant()
	for limit, most := range map[string]int{"sign_in_address": 100, "enrolment_address": 60, "token_address": 2000} {
		p.nearly(limit, most)
	}
	b.answer(c, `{"id":"x"}`)
	b.get("/enrol?token=none")
	b.failGrant()
	if got := b.finish(c, []byte(`{"id":"x"}`), ""); got.Status != http.StatusTooManyRequests || !strings.Contains(got.Message, "Wait a minute") {
		t.Errorf("the script of the sign-in page is answered %+v, want 429 and to wait", got)
	}
	if got := b.postJSON("/enrol?token=none", `{}`); got.Status != http.StatusTooManyRequests || !strings.Contains(got.Message, "Wait a minute") {
		t.Errorf("the script of the enrolment page is answered %+v, want 429 and to wait", got)
	}
	if got := b.get("/enrol?token=none"); got.StatusCode != http.StatusTooManyRequests || !strings.Contains(text(got.body), "Wait a minute, then try again") || !strings.Contains(got.body, `href="" id="try-again"`) {
		t.Errorf("the page of a link = %d %s, want 429, to wait, and a button to the same address", got.StatusCode, text(got.body))
	}
	token := func(p *provider, form url.Values, description string) {
		t.Helper()
		got := p.token(form)
		if got.status != http.StatusTooManyRequests || got.Error != "temporarily_unavailable" || got.header.Get("Retry-After") != "60" || got.header.Get("Cache-Control") != "no-store" || got.Description != description {
			t.Errorf("the token endpoint = %d %s %q, Retry-After %q, want 429 temporarily_unavailable %q after 60", got.status, got.Error, got.Description, got.header.Get("Retry-After"), description)
		}
	}
	token(p, authenticated(refresh("no refresh token"), secret),
		"Too many requests of this client failed here: check its id, its secret and its refresh tokens. Wait as long as Retry-After says.")
	p.exec(`DELETE FROM throttle`)
	q := p.second() // which knows of no limit that was reached
	q.browser().failClient()
	q.nearly("token_client", 60)
	q.browser().failClient()
	token(q, authenticated(refresh("no refresh token"), "no secret"),
		"Too many requests of this client failed here: check its secret. Wait as long as Retry-After says.")
}

// An IPv6 host has as many addresses as it likes, all of one network.
func TestNetworksOfIPv6(t *testing.T) {
	t.Parallel()
	p := newProvider(t).second(behindProxy)
	p.from("2001:db8::1").failSignIn()
	p.nearly("sign_in_address", 100)
	p.from("2001:db8::2").failSignIn()
	for address, want := range map[string]int{
		"2001:db8::ffff:ffff:ffff:ffff": http.StatusTooManyRequests,
		"2001:db8:0:1::1":               http.StatusForbidden,
		"192.0.2.1":                     http.StatusForbidden,
		"192.0.2.2":                     http.StatusForbidden,
	} {
		if got := p.from(address).failSignIn().StatusCode; got != want {
			t.Errorf("a failure at %s = %d, want %d", address, got, want)
		}
	}
}

// The table is bounded, whatever fails, and says of nobody that it did.
func TestThrottleTable(t *testing.T) {
	t.Parallel()
	p := newProvider(t).second(behindProxy)
	b := p.from("192.0.2.77")
	for range 3 {
		b.failSignIn()
		b.failGrant()
		b.failClient()
		b.get("/enrol?token=none")
	}
	for i := range 20 {
		b.post("/token", url.Values{"client_id": {fmt.Sprintf("client-%d", i)}, "grant_type": {"refresh_token"}, "refresh_token": {"x"}})
	}
	// The address at signing in, enrolling, as the client, and as unknown clients; the client at signing in, and at tokens.
	if got := p.count(`SELECT count(*) FROM throttle`); got != 6 {
		t.Errorf("throttle has %d rows, want 6", got)
	}
	if got := p.count(`SELECT count(*) FROM throttle t WHERE t::text ~ '192.0.2|client-|pharmacy|ward-system'`); got != 0 {
		t.Errorf("%d rows of throttle name whom they count", got)
	}
	if got := p.count(`SELECT count(DISTINCT slot) FROM throttle`); got != 6 {
		t.Errorf("throttle has %d slots, want 6: no slot of one limit tells that of another", got)
	}
}
