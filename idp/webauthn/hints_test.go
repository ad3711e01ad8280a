package webauthn_test

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/webauthn"
	"github.com/credence-id/credence/idp/webauthn/webauthntest"
	"github.com/credence-id/credence/store"
)

func TestHints(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		keys [][]string // transports
		want string
	}{
		{"a security key", [][]string{{"usb"}}, "[security-key]"},
		{"two security keys", [][]string{{"usb", "nfc"}, {"ble"}}, "[security-key]"},
		{"a computer", [][]string{{"internal"}}, "[client-device]"},
		{"a phone, which another computer reaches as well", [][]string{{"internal", "hybrid"}}, "[]"},
		{"a security key and a phone", [][]string{{"usb"}, {"internal", "hybrid"}}, "[]"},
		{"what the browser does not say", [][]string{{"usb"}, nil}, "[]"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			for _, transports := range tt.keys {
				key := webauthntest.New()
				key.Transports = transports
				w.enrol(t, alice, key)
			}
			if got := fmt.Sprint(hintsOf(t, w.beginSignIn(t, alice))); got != tt.want {
				t.Errorf("hints = %s, want %s", got, tt.want)
			}
			if got := fmt.Sprint(hintsOf(t, w.beginSignIn(t, ""))); got != "[]" {
				t.Errorf("hints for whoever comes = %s, want none", got)
			}
		})
	}
}

// hintsOf are the hints of a ceremony.
func hintsOf(t *testing.T, c webauthn.Ceremony) []any {
	t.Helper()
	hints, _ := member[map[string]any](t, []byte(`{"options":`+string(c.Options)+`}`), "options")["hints"].([]any)
	return hints
}

func TestHintsOfAPolicy(t *testing.T) {
	t.Parallel()
	for want, policy := range map[string]store.AuthenticatorPolicy{
		"[security-key client-device]": {DeviceBound: true},
		"[]":                           {Denied: []uuid.UUID{red}},
	} {
		w := newWorld(t)
		organise(t, w)
		w.join(t, alice, "RXX01")
		policy.OrganisationCode = "RXX01"
		if err := webauthn.SetPolicy(t.Context(), w.store, policy, "test", w.now); err != nil {
			t.Fatal(err)
		}
		w.load(t)
		c, err := w.BeginEnrolment(w.person(t, alice), w.handles[alice], nil, w.browser)
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(hintsOf(t, c)); got != want {
			t.Errorf("hints of %+v = %s, want %s", policy, got, want)
		}
	}
}

// WebAuthn Level 3, Section 5.11: pages of origins that the operator names use the same credentials.
func TestRelatedOrigins(t *testing.T) {
	t.Parallel()
	w, key := newWorld(t), webauthntest.New()
	c := w.beginEnrolment(t, alice)
	e, err := w.verifyEnrolment(c.State, w.browser, alice, "", key.Create(c.Options, related))
	if err != nil {
		t.Fatal(err)
	}
	if err := record(t.Context(), w.store, e); err != nil {
		t.Fatal(err)
	}
	for _, from := range []string{related, origin} {
		c = w.beginSignIn(t, "")
		if _, err := w.VerifySignIn(t.Context(), "", c.State, w.browser, key.Get(c.Options, from)); err != nil {
			t.Errorf("VerifySignIn(from %s) = %v, want none", from, err)
		}
	}
	for _, from := range []string{related + ".evil.example", "https://sub.id.example.net", "http://id.example.net", related + ":444"} {
		c = w.beginSignIn(t, "")
		_, err := w.VerifySignIn(t.Context(), "", c.State, w.browser, key.Get(c.Options, from))
		wantRefusal(t, "VerifySignIn(from "+from+")", err, webauthn.OriginMismatch, "", "")
	}
}

// A browser is told to forget what will never work again. It is not told so of a decoy: who asks for a person would learn
// by it that she does not exist (WebAuthn Level 3, Section 14.6.2).
func TestForget(t *testing.T) {
	t.Parallel()
	w, key, strangers := newWorld(t), webauthntest.New(), webauthntest.New()
	enrolled := w.enrol(t, alice, key)
	strangers.Create(w.beginEnrolment(t, bob).Options, origin) // and nobody finishes it
	forgets := func(what string, asked string, answer func(webauthn.Ceremony) []byte, reason string, want bool) {
		t.Helper()
		c := w.beginSignIn(t, asked)
		_, err := w.VerifySignIn(t.Context(), "", c.State, w.browser, answer(c))
		refusal, ok := err.(*webauthn.Refusal) //nolint:errorlint // it is returned as it is
		if !ok || refusal.Reason != reason || refusal.Forget != want {
			t.Errorf("%s: refusal = %+v (%v), want %s that says to forget it: %t", what, refusal, err, reason, want)
		}
	}
	forgets("a key of nobody's", "", func(c webauthn.Ceremony) []byte { return strangers.Get(c.Options, origin) }, webauthn.AuthenticatorUnknown, true)
	for i := range 20 { // decoys of all kinds
		nobody := fmt.Sprintf("5550000001%02d", i)
		decoy := decoyOf(t, w.beginSignIn(t, nobody))
		forgets("a decoy", "", func(c webauthn.Ceremony) []byte { return answerFor(key, c, decoy) }, webauthn.AuthenticatorUnknown, false)
		forgets("a decoy that was asked", nobody, func(c webauthn.Ceremony) []byte {
			free := strings.Replace(string(c.Options), `"allowCredentials"`, `"x"`, 1)
			return answerFor(key, webauthn.Ceremony{Options: []byte(free)}, decoyOf(t, c))
		}, webauthn.AuthenticatorUnknown, false)
	}
	forgets("a key that somebody pretends to have", "", func(c webauthn.Ceremony) []byte {
		return answerFor(strangers, c, enrolled.CredentialID)
	}, webauthn.AssertionInvalid, false)
	if _, err := w.store.ChangeAuthenticator(t.Context(), enrolled.ID, "active", "revoked", w.now); err != nil {
		t.Fatal(err)
	}
	forgets("a key that was revoked", "", func(c webauthn.Ceremony) []byte { return key.Get(c.Options, origin) }, "authenticator_revoked", true)
}

func base64url(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// decoyOf is a credential that a ceremony asks for.
func decoyOf(t *testing.T, c webauthn.Ceremony) []byte {
	t.Helper()
	allowed := member[[]struct {
		ID string `json:"id"`
	}](t, c.Options, "allowCredentials")
	id, err := base64.RawURLEncoding.DecodeString(allowed[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// answerFor is the answer of a key that says that it is another.
func answerFor(key *webauthntest.Key, c webauthn.Ceremony, id []byte) []byte {
	key.Response = func(a webauthntest.Answer) {
		a["id"], a["rawId"] = base64.RawURLEncoding.EncodeToString(id), base64.RawURLEncoding.EncodeToString(id)
	}
	defer func() { key.Response = nil }()
	return key.Get(c.Options, origin)
}

func TestSignals(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	enrolled := w.enrol(t, alice, webauthntest.New())
	person := store.Person{ID: alice, DisplayName: "Alice"}
	want := map[string]any{
		"rpId": "idp.example.org", "userId": base64url(w.handles[alice]), "name": alice, "displayName": "Alice",
		"allAcceptedCredentialIds": []any{base64url(enrolled.CredentialID)},
	}
	for name, authenticators := range map[string][]store.Authenticator{
		"all of hers": {enrolled}, "none": nil, "as many as are read": make([]store.Authenticator, 100),
	} {
		if len(authenticators) != 1 {
			delete(want, "allAcceptedCredentialIds")
		} else {
			want["allAcceptedCredentialIds"] = []any{base64url(enrolled.CredentialID)}
		}
		signals, err := w.Signals(person, w.handles[alice], authenticators)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, member[map[string]any](t, []byte(`{"signals":`+string(signals)+`}`), "signals")); diff != "" {
			t.Errorf("Signals(%s) (-want +got):\n%s", name, diff)
		}
	}
}
