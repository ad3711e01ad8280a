package session_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/assurance"
	"github.com/credence-id/credence/idp/session"
	"github.com/credence-id/credence/store"
	"github.com/credence-id/credence/store/storetest"
)

func TestMain(m *testing.M) { storetest.Main(m) }

const (
	ana      = "100000000001" // holds two roles
	ben      = "100000000002" // holds one
	anasRole = "300000000001"
	anas2nd  = "300000000002"
	bensRole = "300000000003"
)

var start = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// desk is a manager of sessions on a database with two people.
type desk struct {
	*session.Manager

	t     *testing.T
	clock *clock
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	c := &clock{now: start}
	d := &desk{t: t, clock: c, Manager: &session.Manager{Store: storetest.New(t), Secure: true, Now: c.Now}}
	ctx := t.Context()
	d.must(d.Store.AddOrganisation(ctx, store.Organisation{Code: "RXX01", Name: "Riverside"}, start))
	for person, membership := range map[string]string{ana: "200000000001", ben: "200000000002"} {
		handle := sha256.Sum256([]byte(person))
		d.must(d.Store.AddPerson(ctx, store.NewPerson{
			ID: person, Handle: handle[:], GivenName: "A", FamilyName: "B", DisplayName: "A B", IdentityLevel: "high",
		}, start))
		_, err := d.Store.EnsureMembership(ctx, membership, person, "RXX01", start)
		d.must(err)
	}
	for role, membership := range map[string]string{anasRole: "200000000001", anas2nd: "200000000001", bensRole: "200000000002"} {
		d.must(d.Store.AddRole(ctx, store.NewRole{ID: role, MembershipID: membership, JobRole: "S8000:G8000:R8000", StartsAt: start}, start))
	}
	return d
}

func (d *desk) must(err error) {
	d.t.Helper()
	if err != nil {
		d.t.Fatal(err)
	}
}

// signIn signs a person in, in the browser that has the cookie.
func (d *desk) signIn(person string, method assurance.Method, old session.Cookie) (session.Session, session.Cookie) {
	d.t.Helper()
	now := d.clock.Now()
	p, err := d.Store.Person(d.t.Context(), person, now)
	d.must(err)
	var s session.Session
	var c session.Cookie
	d.must(d.Store.InTx(d.t.Context(), func(tx *store.Tx) (err error) {
		s, c, err = d.Begin(d.t.Context(), tx, old, p.Person, uuid.Nil, assurance.Simulate(method, now))
		return err
	}))
	return s, c
}

// find is the live session of a cookie, which must be there.
func (d *desk) find(c session.Cookie) session.Session {
	d.t.Helper()
	s, err := d.Find(d.t.Context(), c, "")
	d.must(err)
	return s
}

// gone reports a cookie that still has a session.
func (d *desk) gone(what string, c session.Cookie) {
	d.t.Helper()
	if _, err := d.Find(d.t.Context(), c, ""); !errors.Is(err, session.ErrNone) {
		d.t.Errorf("Find(%s) = %v, want %v", what, err, session.ErrNone)
	}
}

// events are the events that were recorded, with their refusals and reasons.
func (d *desk) events() []string {
	d.t.Helper()
	rows, err := d.Store.AuditEvents(d.t.Context(), 0, 100)
	d.must(err)
	var out []string
	for _, e := range rows {
		out = append(out, strings.Join([]string{e.Event, e.Refusal, e.Actor, e.PersonID, e.Detail["why"] + e.Detail["role"]}, "|"))
	}
	return out
}

func role(s session.Session) string {
	if s.Role == nil {
		return ""
	}
	return s.Role.ID
}

func TestBegin(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.gone("no cookie", "")
	d.gone("an unknown cookie", "unknown")
	first, cookie := d.signIn(ana, assurance.Passkey, "")
	if len(cookie) < 52 {
		t.Errorf("cookie = %d characters, want 256 bits or more", len(cookie))
	}
	got := d.find(cookie)
	if diff := cmp.Diff(first, got, cmp.AllowUnexported(session.Session{})); diff != "" {
		t.Errorf("Find() differs from Begin() (-begun +found):\n%s", diff)
	}
	if got.Level != assurance.AAL2 || role(got) != "" || !got.RoleChosenAt.IsZero() {
		t.Errorf("session = level %v, role %q, want 2 and none chosen of two", got.Level, role(got))
	}

	d.clock.advance(time.Minute)
	again, next := d.signIn(ana, assurance.Smartcard, cookie)
	d.gone("the cookie before the sign-in", cookie)
	if again.ID != first.ID || d.find(next).Level != assurance.AAL3 || !d.find(next).AuthenticatedAt.Equal(start.Add(time.Minute)) {
		t.Errorf("session after signing in again = %v, level %v, want the same one, %v, at level 3, of now", again.ID, again.Level, first.ID)
	}

	bens, bensCookie := d.signIn(ben, assurance.Password, next)
	d.gone("the cookie before another person's sign-in", next)
	if bens.ID == first.ID || role(bens) != bensRole || bens.RoleChosenAt.IsZero() || bens.Level != assurance.AAL1 {
		t.Errorf("session of another person = %v, role %q, level %v, want another with the one role, level 1", bens.ID, role(bens), bens.Level)
	}
	_, elsewhere := d.signIn(ben, assurance.Password, "")
	d.find(bensCookie)
	d.find(elsewhere)
	want := []string{"session_ended||" + ben + "|" + ana + "|somebody else signed in"}
	if diff := cmp.Diff(want, d.events()); diff != "" {
		t.Errorf("record differs (-want +got):\n%s", diff)
	}
}

// NIST SP 800-63B-4, Section 5.2: a session ends when nothing is asked of it, and in any case after a time.
func TestLimits(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		method         assurance.Method
		idle, absolute time.Duration
	}{
		{assurance.Password, time.Hour, 24 * time.Hour},
		{assurance.Passkey, time.Hour, 24 * time.Hour},
		{assurance.Smartcard, 15 * time.Minute, 12 * time.Hour},
	} {
		t.Run("the limits of "+string(tt.method), func(t *testing.T) {
			t.Parallel()
			d := newDesk(t)
			touch := func(c session.Cookie) {
				t.Helper()
				d.must(d.Store.InTx(t.Context(), func(tx *store.Tx) error { return d.Touch(t.Context(), tx, d.find(c)) }))
			}
			_, idle := d.signIn(ben, tt.method, "")
			_, busy := d.signIn(ben, tt.method, "")
			d.clock.advance(tt.idle / 20)
			touch(idle) // so soon that nothing is written
			d.clock.advance(tt.idle - tt.idle/20 - time.Microsecond)
			d.find(idle)
			touch(busy)
			d.clock.advance(time.Microsecond)
			d.gone("a session of which nothing was asked", idle)
			for d.clock.Now().Before(start.Add(tt.absolute - tt.idle/2)) {
				d.clock.advance(tt.idle / 2)
				touch(busy)
			}
			d.clock.advance(start.Add(tt.absolute).Sub(d.clock.Now()) - time.Microsecond)
			d.find(busy)
			d.clock.advance(time.Microsecond)
			d.gone("a busy session at its absolute limit", busy)
		})
	}
}

func TestFall(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	_, cookie := d.signIn(ben, assurance.Passkey, "")
	d.must(d.Store.AddClient(t.Context(), store.Client{
		ID: "ward", Name: "Ward", Authentication: "none", RedirectURIs: []string{"https://rp.example.org/"}, Scopes: []string{"openid"}, IDTokenAlg: "RS256", CreatedAt: start,
		MinimumAuthenticatorLevel: 1, MinimumIdentityLevel: "none",
	}))
	client := func(want bool) {
		t.Helper()
		if s, err := d.Find(t.Context(), cookie, "ward"); err != nil || s.ClientStands != want {
			t.Errorf("Find() = client stands %t, %v, want %t", s.ClientStands, err, want)
		}
	}
	client(true)
	d.must(d.Store.DisableClient(t.Context(), "ward", start))
	client(false)
	if _, err := d.Store.EndRole(t.Context(), bensRole, start); err != nil {
		t.Fatal(err)
	}
	d.clock.advance(time.Microsecond)
	if s := d.find(cookie); s.Role != nil || !s.RoleChosenAt.IsZero() {
		t.Errorf("session whose role ended = %+v, chosen at %v, want none chosen", s.Role, s.RoleChosenAt)
	}
	_, err := d.Store.DisablePerson(t.Context(), ben, start)
	d.must(err)
	d.gone("the session of a disabled person", cookie)
	d.must(d.Store.EnablePerson(t.Context(), ben))
	d.gone("the session of a person who was disabled", cookie)
}

// choose has a person act in a role, and keeps a refusal that was recorded.
func (d *desk) choose(ctx context.Context, s session.Session, roleID string) (chosen session.Session, refused error) {
	d.t.Helper()
	err := d.Store.InTx(ctx, func(tx *store.Tx) (err error) {
		if chosen, err = d.ChooseRole(ctx, tx, s, roleID); errors.Is(err, session.ErrRole) {
			refused = err
			return nil
		}
		return err
	})
	return chosen, errors.Join(err, refused)
}

// A role that was granted since the session was read can be chosen, but what was read does not say what it is.
func TestChooseRoleThatWasGrantedSince(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	s, cookie := d.signIn(ana, assurance.Passkey, "")
	s, err := d.choose(t.Context(), s, anasRole)
	d.must(err)
	s.Person.Roles = s.Person.Roles[:1]
	chosen, err := d.choose(t.Context(), s, anas2nd)
	if d.must(err); role(chosen) != "" || !chosen.RoleChosenAt.IsZero() {
		t.Errorf("ChooseRole(a role that the session does not know) = a session with the role %q, want that none was chosen", role(chosen))
	}
	if got := d.find(cookie); role(got) != anas2nd {
		t.Errorf("role after ChooseRole() = %q, want %s", role(got), anas2nd)
	}
}

func TestChooseRole(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	s, cookie := d.signIn(ana, assurance.Passkey, "")
	for _, tt := range []struct {
		role   string
		err    error
		active string // after it
	}{
		{anas2nd, nil, anas2nd},
		{bensRole, session.ErrRole, anas2nd},
		{"300000000009", session.ErrRole, anas2nd},
		{"<script>", session.ErrRole, anas2nd},
		{anasRole, nil, anasRole},
		{"", nil, ""},
	} {
		d.clock.advance(time.Second)
		chosen, err := d.choose(t.Context(), s, tt.role)
		if !errors.Is(err, tt.err) {
			t.Errorf("ChooseRole(%q) = %v, want %v", tt.role, err, tt.err)
		}
		got := d.find(cookie)
		if tt.err == nil && (role(chosen) != tt.active || !chosen.RoleChosenAt.Equal(got.RoleChosenAt)) {
			t.Errorf("ChooseRole(%q) = a session with the role %q chosen at %v, want it as it was written: %q at %v", tt.role, role(chosen), chosen.RoleChosenAt, tt.active, got.RoleChosenAt)
		}
		if role(got) != tt.active || tt.err == nil && !got.RoleChosenAt.Equal(d.clock.Now()) {
			t.Errorf("role after ChooseRole(%q) = %q at %v, want %q", tt.role, role(got), got.RoleChosenAt, tt.active)
		}
	}
	want := []string{
		"role_chosen||" + ana + "|" + ana + "|" + anas2nd,
		"role_chosen|role_not_held|" + ana + "|" + ana + "|" + bensRole,
		"role_chosen|role_not_held|" + ana + "|" + ana + "|300000000009",
		"role_chosen|role_not_held|" + ana + "|" + ana + "|", // what is no id does not stand in the record
		"role_chosen||" + ana + "|" + ana + "|" + anasRole,
		"role_chosen||" + ana + "|" + ana + "|",
	}
	if diff := cmp.Diff(want, d.events()); diff != "" {
		t.Errorf("record differs (-want +got):\n%s", diff)
	}
}

func TestEnd(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name       string
		end        func(*desk, session.Session) error
		everywhere bool
		want       []string // recorded
	}{
		{
			"signing out ends one session", func(d *desk, s session.Session) error { return d.End(t.Context(), s) }, false,
			[]string{"session_ended||" + ana + "|" + ana + "|signed out"},
		},
		{
			"signing out everywhere ends them all", func(d *desk, s session.Session) error { return d.EndAll(t.Context(), s.Person.ID) }, true,
			[]string{"session_ended||" + ana + "|" + ana + "|signed out everywhere", "session_ended||" + ana + "|" + ana + "|signed out everywhere"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t)
			s, here := d.signIn(ana, assurance.Passkey, "")
			_, there := d.signIn(ana, assurance.Passkey, "")
			_, others := d.signIn(ben, assurance.Passkey, "")
			d.must(tt.end(d, s))
			d.gone("the session that ended", here)
			if _, err := d.Find(t.Context(), there, ""); (err == nil) == tt.everywhere {
				t.Errorf("Find(her other session) = %v, want it live %t", err, !tt.everywhere)
			}
			d.find(others)
			if diff := cmp.Diff(tt.want, d.events()); diff != "" {
				t.Errorf("record differs (-want +got):\n%s", diff)
			}
		})
	}
}

// Who timed out can still sign out: the grants of the session stand until it ends.
func TestFindToEnd(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	s, cookie := d.signIn(ana, assurance.Passkey, "")
	d.clock.advance(25 * time.Hour)
	d.gone("a session that timed out", cookie)
	if got, err := d.FindToEnd(t.Context(), cookie); err != nil || got.ID != s.ID {
		t.Errorf("FindToEnd(timed out) = %v, %v, want %v", got.ID, err, s.ID)
	}
	d.must(d.End(t.Context(), s))
	for what, c := range map[string]session.Cookie{"ended": cookie, "no cookie": "", "unknown": "unknown"} {
		if _, err := d.FindToEnd(t.Context(), c); !errors.Is(err, session.ErrNone) {
			t.Errorf("FindToEnd(%s) = %v, want %v", what, err, session.ErrNone)
		}
	}
}

// A database that does not answer is a failure, and nobody is signed out by it.
func TestWithoutDatabase(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	s, cookie := d.signIn(ana, assurance.Passkey, "")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for call, err := range map[string]error{
		"Find":       second(d.Find(ctx, cookie, "")),
		"ChooseRole": second(d.choose(ctx, s, anasRole)),
		"End":        d.End(ctx, s),
		"EndAll":     d.EndAll(ctx, ana),
		"FindToEnd":  second(d.FindToEnd(ctx, cookie)),
	} {
		if !errors.Is(err, context.Canceled) || errors.Is(err, session.ErrNone) {
			t.Errorf("%s(cancelled) = %v, want %v", call, err, context.Canceled)
		}
	}
	d.find(cookie)
}

func second[T any](_ T, err error) error { return err }

func TestCookies(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		secure     bool
		name, want string // of the session's cookie, and what Set-Cookie says of it
	}{
		{true, "__Host-credence", "; Path=/; HttpOnly; Secure; SameSite=Lax"},
		{false, "credence", "; Path=/; HttpOnly; SameSite=Lax"},
	} {
		m := &session.Manager{Secure: tt.secure}
		set := func(c session.Cookie) string {
			w := httptest.NewRecorder()
			m.SetCookie(w, c)
			return w.Header().Get("Set-Cookie")
		}
		if got, want := set("value"), tt.name+"=value"+tt.want; got != want {
			t.Errorf("Set-Cookie = %q, want %q", got, want)
		}
		if got := set(""); !strings.HasPrefix(got, tt.name+"=; ") || !strings.Contains(got, "Max-Age=0") {
			t.Errorf("Set-Cookie(taken away) = %q, want it to expire at once", got)
		}
		for header, want := range map[string]session.Cookie{
			"":                                       "",
			tt.name + "=value":                       "value",
			"other=x; " + tt.name + "=value; more=y": "value",
			tt.name + "=value; " + tt.name + "=value":                                          "", // one was set by somebody else
			tt.name + "=" + strings.Repeat("a", 128):                                           session.Cookie(strings.Repeat("a", 128)),
			tt.name + "=" + strings.Repeat("a", 129):                                           "",
			strings.ToUpper(tt.name) + "=value":                                                "",
			map[bool]string{true: "credence=value", false: "__Host-credence=value"}[tt.secure]: "",
		} {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
			r.Header.Set("Cookie", header)
			if got := m.CookieOf(r); got != want {
				t.Errorf("CookieOf(%q) = %q, want %q", header, got, want)
			}
		}
	}
}

func TestBrowser(t *testing.T) {
	t.Parallel()
	m := &session.Manager{Secure: true}
	browser := func(cookie string) (hash []byte, set string) {
		w := httptest.NewRecorder()
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
		r.Header.Set("Cookie", cookie)
		hash = m.Browser(w, r)
		return hash, w.Header().Get("Set-Cookie")
	}
	first, set := browser("")
	cookie, attributes, _ := strings.Cut(set, ";")
	if !strings.HasPrefix(cookie, "__Host-credence-browser=") || attributes != " Path=/; HttpOnly; Secure; SameSite=Lax" {
		t.Errorf("Set-Cookie = %q, want the browser's cookie, Secure and HttpOnly", set)
	}
	if again, set := browser(cookie); !bytes.Equal(again, first) || set != "" {
		t.Errorf("Browser(again) = the same %t, Set-Cookie %q, want the same and none", bytes.Equal(again, first), set)
	}
	if other, set := browser(""); bytes.Equal(other, first) || set == "" {
		t.Error("Browser(another) = the same, want another with a cookie of its own")
	}
	_, value, _ := strings.Cut(cookie, "=")
	if sum := sha256.Sum256([]byte(value)); bytes.Equal(sum[:], first) {
		t.Error("Browser() = what a session's cookie of the same value is kept as, want another hash")
	}
}
