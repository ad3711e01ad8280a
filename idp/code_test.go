package idp_test

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/credence-id/credence/idp/oauth"
)

// challenged is a verifier that is not checked, with its challenge.
func challenged(verifier string) pkce {
	sum := sha256.Sum256([]byte(verifier))
	return pkce{verifier, base64.RawURLEncoding.EncodeToString(sum[:])}
}

// RFC 7636, Section 4.4.1: "If the server requires Proof Key for Code Exchange (PKCE) by OAuth public clients and the client
// does not send the "code_challenge" in the request, the authorization endpoint MUST return the authorization error
// response with the "error" value set to "invalid_request"." RFC 9700, Section 2.1.1 has us require it of all.
func TestEveryRequestHasAChallenge(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	b, k := p.browser(), newPKCE()
	for name, changes := range map[string][]string{
		"no challenge":                      {"code_challenge", ""},
		"no challenge and no method":        {"code_challenge", "", "code_challenge_method", ""},
		"the method plain":                  {"code_challenge_method", "plain"},
		"the method plain, by the verifier": {"code_challenge_method", "plain", "code_challenge", k.verifier},
		"no method, which means plain":      {"code_challenge_method", ""},
		"an unknown method":                 {"code_challenge_method", "S512"},
		"the method in another case":        {"code_challenge_method", "s256"},
		"a challenge of 42 characters":      {"code_challenge", k.challenge[:42]},
		"a challenge of 44 characters":      {"code_challenge", k.challenge + "A"},
		"a padded challenge":                {"code_challenge", k.challenge[:42] + "="},
		"a challenge of standard base64":    {"code_challenge", k.challenge[:42] + "+"},
		"a challenge with a line break":     {"code_challenge", k.challenge[:42] + " "},
	} {
		for _, client := range []string{confidentialClient, publicClient, otherClient} {
			answered := b.authorize(request(client, k, changes...)).redirect(t)
			if answered.Get("error") != "invalid_request" || answered.Has("code") {
				t.Errorf("answer to a request of %s with %s = %v, want invalid_request", client, name, answered)
			}
		}
	}
	p.as(publicClient, redeem(publicClient, b.code(request(publicClient, k), oneRole), k)).granted(t)
}

// RFC 7636, Section 4.6: "If the values are not equal, an error response indicating "invalid_grant" as described in Section
// 5.2 of [RFC6749] MUST be returned." The code is dead after the first failure, so that nobody tries again: neither
// with another verifier nor with none.
func TestAWrongVerifierKillsTheCode(t *testing.T) { //nolint:tparallel // the subtests run in turn: they share a browser
	t.Parallel()
	p := newProvider(t)
	b := p.browser()
	k := newPKCE()
	for name, tt := range map[string]struct {
		k        pkce
		verifier string
	}{
		"another verifier":                  {k, newPKCE().verifier},
		"no verifier":                       {k, ""},
		"the challenge itself":              {k, k.challenge},
		"a verifier cut short":              {k, k.verifier[:len(k.verifier)-1]},
		"a verifier in another case":        {k, strings.ToLower(k.verifier)},
		"a verifier of 42 characters":       {challenged(strings.Repeat("a", 42)), strings.Repeat("a", 42)}, // RFC 7636, Section 4.1: 43 to 128
		"a verifier of 129 characters":      {challenged(strings.Repeat("a", 129)), strings.Repeat("a", 129)},
		"a verifier of illegal characters":  {challenged(strings.Repeat("a+", 30)), strings.Repeat("a+", 30)},
		"a verifier that is not ASCII":      {challenged(strings.Repeat("ä", 50)), strings.Repeat("ä", 50)},
		"a verifier with a space at an end": {challenged(strings.Repeat("a", 50) + " "), strings.Repeat("a", 50) + " "},
	} {
		t.Run(name, func(t *testing.T) {
			p := p.in(t)
			for _, client := range []string{confidentialClient, publicClient} {
				code := b.code(request(client, tt.k), oneRole)
				wrong := redeem(client, code, tt.k)
				wrong.Set("code_verifier", tt.verifier)
				p.as(client, wrong).refused(t, http.StatusBadRequest, "invalid_grant")
				without := redeem(client, code, tt.k)
				without.Del("code_verifier")
				p.as(client, without).refused(t, http.StatusBadRequest, "invalid_grant")
				p.as(client, redeem(client, code, tt.k)).refused(t, http.StatusBadRequest, "invalid_grant")
			}
			if last := p.audited("token_issued"); !slices.Contains(last, "token_issued: code_verifier_wrong") {
				t.Errorf("the record has %q, want code_verifier_wrong", last)
			}
		})
	}
	for _, verifier := range []string{strings.Repeat("a", 43), strings.Repeat("Z", 128), strings.Repeat("-._~09azAZ", 5)} {
		k := challenged(verifier)
		p.as(publicClient, redeem(publicClient, b.code(request(publicClient, k), oneRole), k)).granted(t)
	}
}

// Codes are bound to their own challenge: one that was stolen is worth nothing in another session of the client.
func TestSwappedCodesAreRefused(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	mine, myKey := p.issue(publicClient, oneRole)
	theirs, theirKey := p.issue(publicClient, hospitalDoctor)
	p.as(publicClient, redeem(publicClient, theirs, myKey)).refused(t, http.StatusBadRequest, "invalid_grant")
	p.as(publicClient, redeem(publicClient, mine, theirKey)).refused(t, http.StatusBadRequest, "invalid_grant")
	mine, myKey = p.issue(publicClient, oneRole)
	p.as(publicClient, redeem(publicClient, mine, myKey)).granted(t)
}

// RFC 6749, Section 4.1.2: "If an authorization code is used more than once, the authorization server MUST deny the
// request and SHOULD revoke (when possible) all tokens previously issued based on that authorization code."
func TestASecondUseOfACodeRevokesItsTokens(t *testing.T) { //nolint:tparallel // the subtests run in turn: they share the record
	t.Parallel()
	p := newProvider(t)
	for _, client := range []string{confidentialClient, publicClient, otherClient} {
		t.Run(client, func(t *testing.T) {
			p := p.in(t)
			code, k := p.issue(client, oneRole, "scope", "openid offline_access")
			first := p.as(client, redeem(client, code, k))
			first.granted(t)
			next := p.as(client, refresh(first.RefreshToken))
			next.granted(t)
			p.wantUserinfo(first.AccessToken, http.StatusOK)

			p.as(client, redeem(client, code, k)).refused(t, http.StatusBadRequest, "invalid_grant")
			p.wantUserinfo(first.AccessToken, http.StatusUnauthorized)
			p.wantUserinfo(next.AccessToken, http.StatusUnauthorized)
			p.as(client, refresh(next.RefreshToken)).refused(t, http.StatusBadRequest, "invalid_grant")
			if got := p.audited("token_issued"); !slices.Contains(got, "token_issued: code_reused") {
				t.Errorf("the record has %q, want code_reused", got)
			}
			p.as(client, redeem(client, code, k)).refused(t, http.StatusBadRequest, "invalid_grant")
		})
	}
}

// RFC 6749, Section 4.1.3: the authorization server MUST "ensure that the authorization code was issued to the
// authenticated confidential client". Who steals a code can neither use nor spoil it.
func TestAnotherClientsCodeIsRefusedAndNotSpent(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	code, k := p.issue(confidentialClient, oneRole, "scope", "openid offline_access")
	for _, thief := range []string{otherClient, publicClient} {
		form := redeem(thief, code, k)
		form.Set("redirect_uri", callback)
		p.as(thief, form).refused(t, http.StatusBadRequest, "invalid_grant")
	}
	first := p.as(confidentialClient, redeem(confidentialClient, code, k))
	first.granted(t)
	p.as(otherClient, redeem(otherClient, code, k)).refused(t, http.StatusBadRequest, "invalid_grant")
	p.wantUserinfo(first.AccessToken, http.StatusOK) // nor is its use again by another a reason to revoke
	if got := p.audited("token_issued"); !slices.Contains(got, "token_issued: code_unknown") {
		t.Errorf("the record has %q, want code_unknown", got)
	}
}

// RFC 6749, Section 4.1.2: "The authorization code MUST expire shortly after it is issued".
func TestACodeExpires(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	code, k := p.issue(confidentialClient, oneRole)
	p.clock.advance(59 * time.Second)
	p.as(confidentialClient, redeem(confidentialClient, code, k)).granted(t)
	code, k = p.issue(confidentialClient, oneRole)
	p.clock.advance(time.Minute)
	p.as(confidentialClient, redeem(confidentialClient, code, k)).refused(t, http.StatusBadRequest, "invalid_grant")
}

// A code does not outlive the sign-in that it rests on.
func TestACodeEndsWithItsSignIn(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	b, k := p.browser(), newPKCE()
	b.code(request(confidentialClient, k), oneRole)
	p.exec(`UPDATE session SET idle_at = expires_at`)
	p.clock.advance(12*time.Hour - 30*time.Second) // AAL3 ends after 12 h
	early, late := b.code(request(confidentialClient, k), oneRole), b.code(request(confidentialClient, k), oneRole)
	p.clock.advance(20 * time.Second)
	got := p.as(confidentialClient, redeem(confidentialClient, early, k))
	got.granted(t)
	if got.ExpiresIn < 1 || got.ExpiresIn > 10 {
		t.Errorf("expires_in = %d, want what is left of the sign-in", got.ExpiresIn)
	}
	p.clock.advance(20 * time.Second)
	p.as(confidentialClient, redeem(confidentialClient, late, k)).refused(t, http.StatusBadRequest, "invalid_grant")
	p.wantUserinfo(got.AccessToken, http.StatusUnauthorized)
}

// RFC 6749, Section 4.1.3: redirect_uri is "REQUIRED, if the "redirect_uri" parameter was included in the authorization
// request as described in Section 4.1.1, and their values MUST be identical."
func TestTheRedirectURIIsRepeatedIdentically(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	for name, tt := range map[string]struct{ client, asked, sent string }{
		"none":                         {confidentialClient, callback, ""},
		"another":                      {confidentialClient, callback, "https://rp.example.org/other"},
		"one without the query":        {confidentialClient, callback, "https://rp.example.org/callback"},
		"an encoded one":               {confidentialClient, callback, url.QueryEscape(callback)},
		"the registered loopback port": {publicClient, "http://127.0.0.1:5000/callback", loopback},
		"another loopback port":        {publicClient, "http://127.0.0.1:5000/callback", "http://127.0.0.1:5001/callback"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := p.in(t)
			code, k := p.issue(tt.client, oneRole, "redirect_uri", tt.asked)
			form := redeem(tt.client, code, k)
			form.Set("redirect_uri", tt.sent)
			p.as(tt.client, form).refused(t, http.StatusBadRequest, "invalid_grant")
			form.Set("redirect_uri", tt.asked)
			p.as(tt.client, form).refused(t, http.StatusBadRequest, "invalid_grant") // it is spent

			code, k = p.issue(tt.client, oneRole, "redirect_uri", tt.asked)
			form = redeem(tt.client, code, k)
			form.Set("redirect_uri", tt.asked)
			p.as(tt.client, form).granted(t)
		})
	}
}

// Each artefact is worth something in its own place only.
func TestNoArtefactIsTakenForAnother(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	b := p.browser()
	held := p.signedIn(b, confidentialClient, oneRole, "scope", "openid offline_access")
	k := newPKCE()
	code := b.code(request(confidentialClient, k), oneRole)
	artefacts := map[string]string{
		"an authorization code": code, "a refresh token": held.RefreshToken, "an access token": held.AccessToken,
		"an ID token": held.IDToken, "a client secret": secret, "garbage": "garbage", "a long text": strings.Repeat("A", 30000),
		"a quotation": `' OR '1'='1`, "text beyond ASCII": "Ω≈ç√", "a hash": hexOfHash(code),
	}
	for name, value := range artefacts {
		if name != "an authorization code" {
			form := redeem(confidentialClient, value, k)
			p.as(confidentialClient, form).refused(t, http.StatusBadRequest, "invalid_grant")
		}
		if name != "a refresh token" {
			p.as(confidentialClient, refresh(value)).refused(t, http.StatusBadRequest, "invalid_grant")
		}
		if name != "an access token" && name != "text beyond ASCII" {
			p.wantUserinfo(value, http.StatusUnauthorized)
		}
		if name != "an ID token" {
			a := b.get("/authorize?" + request(confidentialClient, k, "id_token_hint", value).Encode())
			if len(value) > 8<<10 {
				if a.StatusCode != http.StatusBadRequest || a.Header.Get("Location") != "" {
					t.Errorf("authorize with a hint that is %s = %d", name, a.StatusCode)
				}
			} else if got := a.redirect(t).Get("error"); got != "invalid_request" {
				t.Errorf("authorize with a hint that is %s answers %q, want invalid_request", name, got)
			}
		}
	}
	// The twins: all that was tried spoiled nothing.
	p.as(confidentialClient, redeem(confidentialClient, code, k)).granted(t)
	p.as(confidentialClient, refresh(held.RefreshToken)).granted(t)
	p.wantUserinfo(held.AccessToken, http.StatusOK)
	if !b.authorize(request(confidentialClient, k, "id_token_hint", held.IDToken)).redirect(t).Has("code") {
		t.Error("authorize with an ID token as the hint yields no code")
	}
}

// storm sends the same request n times at once, in turns to each process, and returns the answers.
func storm(n int, processes []*provider, client string, form func(i int) url.Values) []tokens {
	answers := make([]tokens, n)
	ready := make(chan struct{})
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			<-ready
			answers[i] = processes[i%len(processes)].as(client, form(i))
		})
	}
	close(ready)
	all.Wait()
	return answers
}

// winner returns the one answer that has tokens; every other must be invalid_grant.
func winner(t *testing.T, answers []tokens) tokens {
	t.Helper()
	var won []tokens
	for _, got := range answers {
		if got.status == http.StatusOK {
			won = append(won, got)
			continue
		}
		got.refused(t, http.StatusBadRequest, "invalid_grant")
	}
	if len(won) != 1 {
		t.Fatalf("%d of %d requests got tokens, want 1", len(won), len(answers))
	}
	return won[0]
}

// issuedTimes counts, in the database, how often tokens were issued, for each grant.
func (p *provider) issuedTimes() []int {
	p.t.Helper()
	db, err := pgx.Connect(p.t.Context(), p.urls.owner)
	if err != nil {
		p.t.Fatal(err)
	}
	defer func() { _ = db.Close(p.t.Context()) }()
	rows, err := db.Query(p.t.Context(), `
		SELECT count(e.sequence) FROM authorization_grant g LEFT JOIN audit_event e ON e.grant_id = g.id AND e.event = 'token_issued' AND e.refusal = ''
		GROUP BY g.id ORDER BY g.id`)
	if err != nil {
		p.t.Fatal(err)
	}
	counts, err := pgx.CollectRows(rows, pgx.RowTo[int])
	if err != nil {
		p.t.Fatal(err)
	}
	return counts
}

const (
	stormRounds = 6
	stormSize   = 32
)

// RFC 6749, Section 4.1.2: "The client MUST NOT use the authorization code more than once." Of any number of attempts at
// once, at two processes, one succeeds; and since there was a second, its tokens are revoked.
func TestOneOfManyRedemptionsWins(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	processes := []*provider{p, p.second()}
	b, k := p.browser(), newPKCE()
	for range stormRounds {
		code := b.code(request(confidentialClient, k, "scope", "openid offline_access"), oneRole)
		won := winner(t, storm(stormSize, processes, confidentialClient, func(int) url.Values { return redeem(confidentialClient, code, k) }))
		for _, p := range processes {
			p.wantUserinfo(won.AccessToken, http.StatusUnauthorized)
			p.as(confidentialClient, refresh(won.RefreshToken)).refused(t, http.StatusBadRequest, "invalid_grant")
		}
	}
	if diff := cmp.Diff(slices.Repeat([]int{1}, stormRounds), p.issuedTimes()); diff != "" {
		t.Errorf("tokens issued for each grant differ (-want +got):\n%s", diff)
	}
	p.signedIn(p.browser(), confidentialClient, hospitalDoctor)
}

// A wrong verifier beside the right one: at most one of them meets a code that is alive.
func TestRightAndWrongVerifiersAtOnce(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	processes := []*provider{p, p.second()}
	b := p.browser()
	for range stormRounds {
		k, wrong := newPKCE(), newPKCE()
		code := b.code(request(publicClient, k), oneRole)
		answers := storm(stormSize, processes, publicClient, func(i int) url.Values {
			if i%4 < 2 {
				return redeem(publicClient, code, wrong)
			}
			return redeem(publicClient, code, k)
		})
		won := 0
		for i, got := range answers {
			if got.status == http.StatusOK {
				won++
				if i%4 < 2 {
					t.Error("a wrong verifier got tokens")
				}
				continue
			}
			got.refused(t, http.StatusBadRequest, "invalid_grant")
		}
		if won > 1 {
			t.Errorf("%d requests got tokens, want at most 1", won)
		}
	}
}

// Redemption while the person signs out: it may come first, and then what it got is worth nothing.
func TestRedemptionBesideSigningOut(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	q := p.second()
	for range stormRounds {
		b, k := p.browser(), newPKCE()
		asked := request(confidentialClient, k, "scope", "openid offline_access")
		held := p.as(confidentialClient, redeem(confidentialClient, b.code(asked, oneRole), k))
		codes := []string{b.code(asked, oneRole), b.code(asked, oneRole)}
		var all sync.WaitGroup
		var got [3]tokens
		all.Go(func() { got[0] = q.as(confidentialClient, redeem(confidentialClient, codes[0], k)) })
		all.Go(func() { got[1] = p.as(confidentialClient, redeem(confidentialClient, codes[1], k)) })
		all.Go(func() { got[2] = q.as(confidentialClient, refresh(held.RefreshToken)) })
		all.Go(func() { b.post("/logout", url.Values{}) })
		all.Wait()
		for _, got := range append(got[:], held) {
			if got.status != http.StatusOK {
				got.refused(t, http.StatusBadRequest, "invalid_grant")
				continue
			}
			p.wantUserinfo(got.AccessToken, http.StatusUnauthorized)
			if got.RefreshToken != held.RefreshToken {
				p.as(confidentialClient, refresh(got.RefreshToken)).refused(t, http.StatusBadRequest, "invalid_grant")
			}
		}
	}
}

// A scope that was taken from a client since, or a client that changed, does not widen what a code was issued for.
func TestACodeIsWorthWhatWasAsked(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	code, k := p.issue(confidentialClient, oneRole, "scope", "openid")
	form := redeem(confidentialClient, code, k)
	form.Set("scope", strings.Join(oauth.Scopes(), " ")) // the token endpoint takes no scope with a code: RFC 6749, Section 4.1.3
	got := p.as(confidentialClient, form)
	got.granted(t)
	if got.Scope != "openid" || got.RefreshToken != "" || claims(t, got.AccessToken)["scope"] != "openid" {
		t.Errorf("tokens = %+v, want scope openid", got)
	}
}
