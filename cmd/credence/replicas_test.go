package main

import (
	"crypto"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/jackc/pgx/v5"

	"github.com/credence-id/credence/store/storetest"
)

// newReplicas is an installation of two servers, with clients.
func newReplicas(t *testing.T, clients ...string) (in *installation, first, second *replica) {
	t.Helper()
	ownerURL, serviceURL := storetest.URLs(t)
	in = newInstallation(t, ownerURL, serviceURL, clients...)
	return in, in.replica(), in.replica()
}

// A race is one value that is used many times at once, half of them at each process.
const (
	raceRounds = 50
	raceUses   = 32
)

func raceClients() []string {
	clients := make([]string, raceRounds) // one a round: whoever fails so often would be slowed down
	for i := range clients {
		clients[i] = fmt.Sprintf("ward-%02d", i)
	}
	return clients
}

// race uses a value at both processes at once, and returns the tokens of the one use that is answered with them. Every
// other has to be refused as invalid_grant.
func race(t *testing.T, first, second *replica, use func(*replica) (tokens, error)) tokens {
	t.Helper()
	var won []tokens
	var mu sync.Mutex
	var running sync.WaitGroup
	start := make(chan struct{})
	for i := range raceUses {
		at := first
		if i%2 == 1 {
			at = second
		}
		running.Go(func() {
			<-start
			got, err := use(at)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err != nil:
				t.Errorf("a use is answered with no answer: %v", err)
			case got.status == http.StatusOK:
				won = append(won, got)
			case got.status != http.StatusBadRequest || got.Error != "invalid_grant":
				t.Errorf("a use is answered with %d %s, want 200 or invalid_grant", got.status, got.Error)
			}
		})
	}
	close(start)
	running.Wait()
	if len(won) != 1 {
		t.Fatalf("%d of %d uses won, want 1", len(won), raceUses)
	}
	return won[0]
}

// ended wants that nothing works that a grant gave: that the reuse has ended it, at both processes.
func ended(t *testing.T, client string, held tokens, replicas ...*replica) {
	t.Helper()
	for _, r := range replicas {
		if status, err := r.userinfo(held.AccessToken); status != http.StatusUnauthorized {
			t.Errorf("userinfo of a grant that ended = %d, %v, want 401", status, err)
		}
		if got, err := r.refresh(client, held.RefreshToken); got.Error != "invalid_grant" {
			t.Errorf("refresh of a grant that ended = %d %s, %v, want invalid_grant", got.status, got.Error, err)
		}
	}
}

// outcome is what the database says of the uses of codes or refresh tokens, each count with how many grants it is of.
func (in *installation) outcome(query string) map[string]int {
	in.t.Helper()
	db, err := pgx.Connect(in.t.Context(), in.ownerURL)
	if err != nil {
		in.t.Fatal(err)
	}
	defer func() { _ = db.Close(in.t.Context()) }()
	rows, err := db.Query(in.t.Context(), query)
	if err != nil {
		in.t.Fatal(err)
	}
	out := map[string]int{}
	var what string
	var n int
	if _, err := pgx.ForEachRow(rows, []any{&what, &n}, func() error { out[what] = n; return nil }); err != nil {
		in.t.Fatal(err)
	}
	return out
}

// RFC 6749, Section 4.1.2: "The client MUST NOT use the authorization code more than once. If an authorization code is used
// more than once, the authorization server MUST deny the request and SHOULD revoke (when possible) all tokens previously
// issued based on that authorization code."
func TestACodeIsRedeemedOnceByTwoProcesses(t *testing.T) {
	t.Parallel()
	clients := raceClients()
	in, first, second := newReplicas(t, clients...)
	her := in.clinician(first, "000000000001")
	for round, client := range clients {
		at := []*replica{first, second}[round%2]
		k := newProof()
		code, err := her.signIn(at, client, k)
		if err != nil {
			t.Fatal(err)
		}
		won := race(t, first, second, func(r *replica) (tokens, error) { return r.redeem(client, code, k) })
		ended(t, client, won, first, second)
	}
	got := in.outcome(`
		SELECT format('used %s, revoked %s, %s issued, %s reused', g.code_used_at IS NOT NULL, g.revoked_at IS NOT NULL,
			(SELECT count(*) FROM audit_event e WHERE e.grant_id = g.id AND e.event = 'token_issued' AND e.refusal = ''),
			(SELECT count(*) FROM audit_event e WHERE e.grant_id = g.id AND e.event = 'token_issued' AND e.refusal = 'code_reused')) AS what, count(*)
		FROM authorization_grant g GROUP BY what`)
	if want := map[string]int{fmt.Sprintf("used t, revoked t, 1 issued, %d reused", raceUses-1): raceRounds}; !maps.Equal(got, want) {
		t.Errorf("grants = %v, want %v", got, want)
	}
}

// RFC 9700, Section 4.14.2: of a refresh token that is used twice, the second use is seen, and ends the grant.
func TestARefreshTokenIsUsedOnceByTwoProcesses(t *testing.T) {
	t.Parallel()
	clients := raceClients()
	in, first, second := newReplicas(t, clients...)
	her := in.clinician(first, "000000000001")
	for round, client := range clients {
		held := her.tokens([]*replica{first, second}[round%2], client)
		won := race(t, first, second, func(r *replica) (tokens, error) { return r.refresh(client, held.RefreshToken) })
		ended(t, client, held, first, second)
		ended(t, client, won, first, second)
	}
	// 31 lose, and then the two uses of the value by ended. The winner's own token was never spent: its grant had ended.
	got := in.outcome(`
		SELECT format('revoked %s, %s spent, %s live, %s issued, %s reused', g.revoked_at IS NOT NULL,
			(SELECT count(*) FROM refresh_token t WHERE t.grant_id = g.id AND t.used_at IS NOT NULL),
			(SELECT count(*) FROM refresh_token t WHERE t.grant_id = g.id AND t.used_at IS NULL),
			(SELECT count(*) FROM audit_event e WHERE e.grant_id = g.id AND e.event = 'token_issued' AND e.refusal = ''),
			(SELECT count(*) FROM audit_event e WHERE e.grant_id = g.id AND e.event = 'token_issued' AND e.refusal = 'refresh_token_reused')) AS what, count(*)
		FROM authorization_grant g GROUP BY what`)
	if want := map[string]int{fmt.Sprintf("revoked t, 1 spent, 1 live, 2 issued, %d reused", raceUses-1+2): raceRounds}; !maps.Equal(got, want) {
		t.Errorf("grants = %v, want %v", got, want)
	}
}

// Whoever signs out at one process is signed out at the other by the very next request, whatever was under way there.
func TestASignOutIsSeenByTheOtherProcess(t *testing.T) {
	t.Parallel()
	const client = "ward"
	in, first, second := newReplicas(t, client)
	her := in.clinician(first, "000000000001")
	for round := range 25 {
		at, other := first, second
		if round%2 == 1 {
			at, other = second, first
		}
		held := her.tokens(at, client)
		if status, err := other.userinfo(held.AccessToken); status != http.StatusOK {
			t.Fatalf("userinfo before the sign-out = %d, %v, want 200", status, err)
		}
		if given, err := her.authorize(other, client, newProof(), "prompt", "none"); given.Get("code") == "" {
			t.Fatalf("authorization before the sign-out gives %v, %v, want a code", given, err)
		}
		// A refresh at the same moment is before the sign-out or after it: what it gives ends with the session.
		var refreshed tokens
		var running sync.WaitGroup
		if round%3 == 0 {
			running.Go(func() {
				var err error
				if refreshed, err = other.refresh(client, held.RefreshToken); err != nil {
					t.Error(err)
				}
			})
		}
		a, err := at.get(her.jar, "/logout?id_token_hint="+held.IDToken)
		if err != nil || a.status != http.StatusSeeOther {
			t.Fatalf("sign-out answers %d, %v, want 303", a.status, err)
		}
		switch round % 3 { // each of the three is once the very next request
		case 1:
			if got, err := other.refresh(client, held.RefreshToken); got.Error != "invalid_grant" {
				t.Errorf("refresh after the sign-out = %d %s, %v, want invalid_grant", got.status, got.Error, err)
			}
		case 2:
			if given, err := her.authorize(other, client, newProof(), "prompt", "none"); given.Get("error") != "login_required" {
				t.Errorf("authorization after the sign-out gives %v, %v, want login_required", given, err)
			}
		}
		running.Wait()
		for _, r := range []*replica{other, at} {
			for _, token := range []string{held.AccessToken, refreshed.AccessToken} {
				if status, err := r.userinfo(token); token != "" && status != http.StatusUnauthorized {
					t.Errorf("userinfo after the sign-out = %d, %v, want 401", status, err)
				}
			}
			for _, token := range []string{held.RefreshToken, refreshed.RefreshToken} {
				if got, err := r.refresh(client, token); token != "" && got.Error != "invalid_grant" {
					t.Errorf("refresh after the sign-out = %d %s, %v, want invalid_grant", got.status, got.Error, err)
				}
			}
			if given, err := her.authorize(r, client, newProof(), "prompt", "none"); given.Get("error") != "login_required" {
				t.Errorf("authorization after the sign-out gives %v, %v, want login_required", given, err)
			}
		}
	}
}

// What an operator disables by the command line is refused by the very next request to any server.
func TestADisabledClientIsRefusedByBothProcesses(t *testing.T) {
	t.Parallel()
	clients := []string{"ward-1", "ward-2", "ward-3", "ward-4"}
	in, first, second := newReplicas(t, append(clients, "kept")...)
	her := in.clinician(first, "000000000001")
	// To one process the client may be disabled, and to the other its grant be gone with the first refusal.
	refused := func(got tokens, err error) error {
		if got.Error == "invalid_grant" {
			got.Error = "invalid_client"
		}
		return want(err, got.Error, "invalid_client")
	}
	refusals := []struct {
		name string
		ask  func(r *replica, client string, held tokens, code string, k proof) error
	}{
		{"token endpoint, with a refresh token", func(r *replica, client string, held tokens, _ string, _ proof) error {
			return refused(r.refresh(client, held.RefreshToken))
		}},
		{"token endpoint, with a code", func(r *replica, client string, _ tokens, code string, k proof) error {
			return refused(r.redeem(client, code, k))
		}},
		{"userinfo", func(r *replica, _ string, held tokens, _ string, _ proof) error {
			status, err := r.userinfo(held.AccessToken)
			return want(err, status, http.StatusUnauthorized)
		}},
		{"authorization in a session", func(r *replica, client string, _ tokens, _ string, k proof) error {
			a, err := r.get(her.jar, "/authorize?response_type=code&client_id="+client+"&redirect_uri="+clientCallback+"&scope=openid&code_challenge_method=S256&code_challenge="+k.challenge)
			return want(err, a.status, http.StatusBadRequest)
		}},
	}
	for round, client := range clients { // each of the refusals is once the very next request
		held, k := her.tokens(first, client), newProof()
		code, err := her.signIn(second, client, k)
		if err != nil {
			t.Fatal(err)
		}
		in.command("client", "disable", client)
		for i := range refusals {
			refusal := refusals[(round+i)%len(refusals)]
			for _, r := range []*replica{second, first} {
				if err := refusal.ask(r, client, held, code, k); err != nil {
					t.Errorf("%s, of a disabled client: %v", refusal.name, err)
				}
			}
		}
	}
	held := her.tokens(first, "kept") // the twin
	if status, err := second.userinfo(held.AccessToken); status != http.StatusOK {
		t.Errorf("userinfo of another client = %d, %v, want 200", status, err)
	}
}

// want is the error of an answer that is not the wanted one.
func want[T comparable](err error, got, wanted T) error {
	if err == nil && got != wanted {
		err = fmt.Errorf("got %v, want %v", got, wanted)
	}
	return err
}

// Both processes publish a new key within two seconds, and at no moment does either refuse what the other signed, or sign
// with a key that the other does not publish. It runs alone: it measures time. That the new key signs, and from when,
// TestTokensVerifyWhileKeysRotate of idp shows, with a clock that it moves.
func TestKeyRotationIsSeenByBothProcesses(t *testing.T) { //nolint:paralleltest // see above
	const client = "ward"
	in, first, second := newReplicas(t, client)
	her := in.clinician(first, "000000000001")
	held := her.tokens(first, client)

	var done atomic.Bool
	var running sync.WaitGroup
	verified := 0
	running.Go(func() {
		for i := 0; !done.Load() || i%2 == 1; i++ {
			at, other := first, second
			if i%2 == 1 {
				at, other = second, first
			}
			var err error
			if held, err = at.refresh(client, held.RefreshToken); err != nil || held.status != http.StatusOK {
				t.Errorf("refresh = %d %s, %v, want tokens", held.status, held.Error, err)
				return
			}
			if err := accepted(held, at, other); err != nil {
				t.Errorf("after %d tokens: %v", verified, err)
				return
			}
			verified++
		}
	})
	stop := sync.OnceFunc(func() { done.Store(true); running.Wait() })
	defer stop()
	in.command("keys", "rotate")
	within(t, 2*time.Second, "both processes publish the old and the new key of two algorithms", func() bool {
		return first.publishes() == 4 && second.publishes() == 4
	})
	stop()
	if verified < 10 {
		t.Errorf("%d tokens were verified meanwhile, want at least 10", verified)
	}
}

// within waits for the condition, which must come true soon enough.
func within(t *testing.T, limit time.Duration, what string, condition func() bool) {
	t.Helper()
	poll, deadline := time.NewTicker(20*time.Millisecond), time.After(limit)
	defer poll.Stop()
	for !condition() {
		select {
		case <-poll.C:
		case <-deadline:
			t.Fatalf("after %v it is still not so that %s", limit, what)
		}
	}
}

// publishes counts the keys that a replica publishes.
func (r *replica) publishes() int {
	set, err := r.published()
	if err != nil {
		return 0
	}
	return len(set.Keys)
}

// published is the key set of a replica.
func (r *replica) published() (jose.JSONWebKeySet, error) {
	var set jose.JSONWebKeySet
	a, err := r.get(nil, "/jwks")
	if err != nil {
		return set, err
	}
	return set, json.Unmarshal([]byte(a.body), &set)
}

// accepted checks tokens as relying parties do that reach any of the replicas: by its userinfo, and by its key set.
func accepted(held tokens, replicas ...*replica) error {
	for _, r := range replicas {
		status, err := r.userinfo(held.AccessToken)
		if err := want(err, status, http.StatusOK); err != nil {
			return fmt.Errorf("userinfo: %w", err)
		}
		set, err := r.published()
		if err != nil {
			return err
		}
		for _, token := range []string{held.AccessToken, held.IDToken} {
			signed, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.RS256, jose.ES256})
			if err != nil {
				return err
			}
			kid := signed.Signatures[0].Protected.KeyID
			if !slices.ContainsFunc(set.Key(kid), func(k jose.JSONWebKey) bool {
				_, err := signed.Verify(crypto.PublicKey(k.Key))
				return err == nil
			}) {
				return fmt.Errorf("the key set does not verify a token of key %s", kid)
			}
		}
	}
	return nil
}
