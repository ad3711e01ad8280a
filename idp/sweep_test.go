package idp_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/credence-id/credence/idp/sweep"
	"github.com/credence-id/credence/idp/webauthn/webauthntest"
)

// sweep deletes what is dead now, as every process does every few minutes.
func (p *provider) sweep() {
	p.t.Helper()
	if err := sweep.New(p.store, p.clock.Now, slog.New(slog.DiscardHandler)).Pass(p.t.Context()); err != nil {
		p.t.Errorf("Pass() = %v, want no error", err)
	}
}

// Nothing that lives notices a sweep, and a second use is seen as long as there is anything to protect.
func TestASweepTouchesNothingThatLives(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	key, b, k := webauthntest.New(), p.browser(), newPKCE()
	p.enrol(oneRole, key)
	b.passkey(b.get("/sign-in"), key)
	code := b.code(request(confidentialClient, k, "scope", "openid offline_access"), oneRole)
	first := p.as(confidentialClient, redeem(confidentialClient, code, k))
	first.granted(t)
	held := p.as(confidentialClient, refresh(first.RefreshToken))
	stolen := p.as(confidentialClient, refresh(p.signedIn(b, confidentialClient, oneRole, "scope", "openid offline_access").RefreshToken))
	link := p.link(noRole)
	for _, until := range []time.Duration{0, 30 * time.Minute, 30 * time.Minute, 10 * time.Hour, 0} {
		p.clock.advance(until)
		p.sweep()
		held = p.as(confidentialClient, refresh(held.RefreshToken))
		held.granted(t)
		p.wantUserinfo(held.AccessToken, http.StatusOK)
	}
	if page := b.get(link); page.StatusCode != http.StatusOK {
		t.Errorf("the enrolment link answers %d, want 200", page.StatusCode)
	}
	p.as(confidentialClient, refresh(stolen.RefreshToken)).granted(t)
	p.as(confidentialClient, refresh(stolen.RefreshToken)).refused(t, http.StatusBadRequest, "invalid_grant")
	p.sweep()
	p.as(confidentialClient, redeem(confidentialClient, code, k)).refused(t, http.StatusBadRequest, "invalid_grant")
	p.as(confidentialClient, refresh(held.RefreshToken)).refused(t, http.StatusBadRequest, "invalid_grant")
	p.wantUserinfo(held.AccessToken, http.StatusUnauthorized)
	got := p.audited("token_issued")
	if want := []string{"token_issued: refresh_token_reused", "token_issued: code_reused"}; !cmp.Equal(got[len(got)-3:len(got)-1], want) {
		t.Errorf("the record ends with %q, want %q before the last", got, want)
	}
}

// What is dead is refused as before when it has been swept: it is unknown then. Whose session was swept can sign in and out.
func TestWhatWasSweptIsUnknown(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	b, k := p.browser(), newPKCE()
	code := b.code(request(confidentialClient, k, "scope", "openid offline_access"), oneRole)
	first := p.as(confidentialClient, redeem(confidentialClient, code, k))
	second := p.as(confidentialClient, refresh(first.RefreshToken))
	second.granted(t)
	p.clock.advance(13 * time.Hour)
	p.sweep()
	for _, table := range []string{"refresh_token", "authorization_grant", "session"} {
		if n := p.count(`SELECT count(*) FROM ` + table); n != 0 {
			t.Errorf("rows of %s = %d, want none", table, n)
		}
	}
	for _, form := range []url.Values{redeem(confidentialClient, code, k), refresh(first.RefreshToken), refresh(second.RefreshToken)} {
		p.as(confidentialClient, form).refused(t, http.StatusBadRequest, "invalid_grant")
	}
	p.wantUserinfo(second.AccessToken, http.StatusUnauthorized)
	if a := b.rest(b.get("/logout?id_token_hint=" + first.IDToken)); a.StatusCode != http.StatusOK {
		t.Errorf("sign-out = %d %s, want 200", a.StatusCode, text(a.body))
	}
	p.signedIn(b, confidentialClient, oneRole)
}

// More than a day of work, swept as it goes: no table holds more than what can be alive at a time, the record loses
// nothing, and when everybody has gone home only the record and the directory are left.
func TestTablesStayBounded(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	const (
		step  = 20 * time.Minute
		steps = int(26 * time.Hour / step)
		shift = 12 * time.Hour // how long a sign-in with a smartcard lasts at most, and what was granted in it
		day   = 24 * time.Hour // and one with a passkey, and a link
		late  = time.Hour
	)
	key := webauthntest.New()
	p.enrol(twoRoles, key)
	db, err := pgx.Connect(t.Context(), p.urls.owner)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close(t.Context()) }()
	tables := []string{"session", "authorization_grant", "refresh_token", "used_challenge", "enrolment_link", "throttle", "audit_event"}
	var query []string
	for _, table := range tables {
		query = append(query, `(SELECT count(*) FROM `+table+`)`)
	}
	counts := func() map[string]int {
		t.Helper()
		var list []int
		if err := db.QueryRow(t.Context(), `SELECT ARRAY[`+strings.Join(query, ", ")+`]`).Scan(&list); err != nil {
			t.Fatal(err)
		}
		out := map[string]int{}
		for i, table := range tables {
			out[table] = list[i]
		}
		return out
	}
	// record is the whole record up to a line, and whether no line is missing in it.
	record := func(until int) (text string, whole bool) {
		t.Helper()
		err := db.QueryRow(t.Context(), `SELECT md5(string_agg(e::text, '' ORDER BY sequence)), max(sequence) - min(sequence) + 1 = count(*) FROM audit_event e WHERE sequence <= $1`,
			until).Scan(&text, &whole)
		if err != nil {
			t.Fatal(err)
		}
		return text, whole
	}

	// What is alive at most: what began within its life, and the hour until it is swept.
	within := func(life, every time.Duration) int { return int((life+late)/every) + 2 }
	most := map[string]int{
		"session":             within(shift, step) + within(day, 3*step),
		"authorization_grant": within(shift, step),
		"refresh_token":       within(shift, 9*step) * within(shift, step),
		"used_challenge":      within(10*time.Minute, 3*step),
		"enrolment_link":      within(8*day, 6*step) + 1,
		"throttle":            6,
	}
	var families []tokens
	peak, before := map[string]int{}, counts()
	var half int
	var halfText string
	for i := range steps {
		k := newPKCE()
		scope := "openid"
		if i%9 == 0 {
			scope = "openid offline_access"
		}
		code := p.browser().code(request(publicClient, k, "scope", scope), oneRole)
		got := p.as(publicClient, redeem(publicClient, code, k))
		got.granted(t)
		for j, family := range families {
			families[j] = p.as(publicClient, refresh(family.RefreshToken))
		}
		families = slices.DeleteFunc(families, func(family tokens) bool { return family.RefreshToken == "" })
		if got.RefreshToken != "" {
			families = append(families, got)
		}
		p.as(confidentialClient, refresh("no such token")).refused(t, http.StatusBadRequest, "invalid_grant")
		if i%3 == 0 {
			other := p.browser()
			other.passkey(other.get("/sign-in"), key)
		}
		if i%6 == 0 {
			p.link(noRole)
		}
		now := counts()
		for table, n := range now {
			peak[table] = max(peak[table], n)
		}
		if now["audit_event"] <= before["audit_event"] {
			t.Fatalf("the record has %d lines after step %d, and had %d before", now["audit_event"], i, before["audit_event"])
		}
		before = now
		if i == steps/2 {
			half = now["audit_event"]
			halfText, _ = record(half)
		}
		p.clock.advance(step)
		p.sweep()
	}
	for table, n := range most {
		if peak[table] > n || peak[table] == 0 {
			t.Errorf("rows of %s at most = %d, want some and at most %d", table, peak[table], n)
		}
	}

	p.clock.advance(8*day + late)
	p.sweep()
	for table, n := range counts() {
		if want := map[string]int{"audit_event": before["audit_event"]}[table]; n != want {
			t.Errorf("rows of %s in the end = %d, want %d", table, n, want)
		}
	}
	if got, _ := record(half); got != halfText {
		t.Error("the first half of the record has changed")
	}
	if _, whole := record(1 << 30); !whole {
		t.Error("the record has gaps")
	}
	for _, table := range []string{"authenticator", "person", "client", "signing_key"} {
		if p.count(fmt.Sprintf(`SELECT count(*) FROM %s`, table)) == 0 {
			t.Errorf("nothing is left of %s", table)
		}
	}
}
