package webauthn_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/webauthn"
	"github.com/credence-id/credence/idp/webauthn/webauthntest"
	"github.com/credence-id/credence/store"
)

// credential is a credential that a ceremony asks for, or excludes.
type credential struct {
	Type       string   `json:"type"`
	ID         string   `json:"id"`
	Transports []string `json:"transports"`
}

func allowedIn(t *testing.T, c webauthn.Ceremony) []credential {
	t.Helper()
	return member[[]credential](t, c.Options, "allowCredentials")
}

// WebAuthn Level 3, Section 14.6.2: the options of somebody unknown look like those of somebody known.
func TestSignInDoesNotTellWhoExists(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.enrol(t, alice, webauthntest.NewPasskey())
	rest := func(c webauthn.Ceremony) map[string]any {
		members := member[map[string]any](t, []byte(`{"options":`+string(c.Options)+`}`), "options")
		members["challenge"] = len(members["challenge"].(string))
		delete(members, "allowCredentials")
		delete(members, "hints") // which follow from them
		return members
	}
	known := rest(w.beginSignIn(t, alice))
	ids, shapes := map[string]bool{}, map[string]bool{}
	asked := []string{nobody, bob} // nobody, and somebody without an authenticator
	for i := range 100 {
		asked = append(asked, fmt.Sprintf("555000001%03d", i))
	}
	for _, personID := range asked {
		c := w.beginSignIn(t, personID)
		if diff := cmp.Diff(known, rest(c)); diff != "" {
			t.Errorf("options of person %s (-known +unknown):\n%s", personID, diff)
		}
		credentials := allowedIn(t, c)
		if diff := cmp.Diff(credentials, allowedIn(t, w.beginSignIn(t, personID))); diff != "" {
			t.Errorf("the credentials of person %s change (-first +second):\n%s", personID, diff)
		}
		for _, d := range credentials {
			if d.Type != "public-key" || ids[d.ID] {
				t.Errorf("credential of person %s = %+v, want one of her own", personID, d)
			}
			ids[d.ID] = true
			shapes[fmt.Sprint(len(d.ID), d.Transports)] = true
		}
		if len(credentials) > 2 {
			t.Errorf("person %s has %d credentials, want one or two", personID, len(credentials))
		}
	}
	// The ids as long as those of common authenticators, in base64url, with transports in the order of browsers.
	common := []string{"22 [hybrid internal]", "27 [hybrid internal]", "43 [internal]", "64 [nfc usb]", "86 [usb]"}
	if diff := cmp.Diff(common, slices.Sorted(maps.Keys(shapes))); diff != "" {
		t.Errorf("shapes of credentials (-want +got):\n%s", diff)
	}

	// It leads nowhere, even for one who gets an authenticator in the meantime.
	c := w.beginSignIn(t, bob)
	his := webauthntest.New()
	w.enrol(t, bob, his)
	after := w.beginSignIn(t, bob)
	options := bytes.Replace(after.Options, challengeOf(t, after), challengeOf(t, c), 1)
	_, err := w.VerifySignIn(t.Context(), "", c.State, w.browser, his.Get(options, origin))
	wantRefusal(t, "VerifySignIn", err, webauthn.AuthenticatorNotAsked, "", "")
}

// Passwords and the keys of apps are authenticators, and no credentials: no browser hears of them, and nobody learns who has
// one.
func TestSecretsAreNoCredentials(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	decoys := allowedIn(t, w.beginSignIn(t, bob))
	for _, personID := range []string{alice, bob} {
		for _, kind := range []string{"password", "totp"} {
			s := store.Secret{ID: uuid.New(), PersonID: personID, Name: kind, Kind: kind, Sealed: []byte("sealed"), CreatedAt: w.now}
			if kind == "totp" {
				s.LastStep = new(int64(1))
			}
			if err := w.store.AddSecret(ctx, s); err != nil {
				t.Fatal(err)
			}
		}
	}
	if diff := cmp.Diff(decoys, allowedIn(t, w.beginSignIn(t, bob))); diff != "" {
		t.Errorf("credentials of somebody without a passkey, before and after he has secrets (-before +after):\n%s", diff)
	}
	secrets, err := w.store.Authenticators(ctx, bob, false)
	if err != nil {
		t.Fatal(err)
	}
	if c, err := w.BeginStepUp(secrets, w.browser); err == nil {
		t.Errorf("BeginStepUp(secrets) asks for %s, want it refused: anybody's credential would do", c.Options)
	}

	key := webauthntest.NewOf(webauthntest.NewModel(blue))
	enrolled := w.enrol(t, alice, key)
	hers, err := w.store.Authenticators(ctx, alice, false)
	if err != nil || len(hers) != 3 {
		t.Fatalf("Authenticators() = %d, %v, want 3", len(hers), err)
	}
	want := []credential{{"public-key", base64url(enrolled.CredentialID), []string{"usb"}}}
	stepUp, err := w.BeginStepUp(hers, w.browser)
	if err != nil {
		t.Fatal(err)
	}
	for name, got := range map[string][]credential{
		"BeginSignIn": allowedIn(t, w.beginSignIn(t, alice)), "BeginStepUp": allowedIn(t, stepUp),
		"BeginEnrolment": member[[]credential](t, w.beginEnrolment(t, alice).Options, "excludeCredentials"),
	} {
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	for name, tt := range map[string]struct {
		authenticators []store.Authenticator
		want           []string
	}{"with a key": {hers, []string{want[0].ID}}, "with secrets alone": {secrets, nil}} {
		signals, err := w.Signals(store.Person{ID: alice}, w.handles[alice], tt.authenticators)
		if err != nil {
			t.Fatal(err)
		}
		var got struct {
			Accepted []string `json:"allAcceptedCredentialIds"`
		}
		if err := json.Unmarshal(signals, &got); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tt.want, got.Accepted); diff != "" {
			t.Errorf("Signals(%s) (-want +got):\n%s", name, diff)
		}
	}
	w.signIn(t, alice, key)

	// They have no attestation to judge, and no model to be reported of.
	w.vouch(t, key.Model)
	moved, _, err := w.models.Recompute(ctx, uuid.Nil, false, "test")
	if err != nil || len(moved) != 1 || moved[0].ID != enrolled.ID {
		t.Errorf("Recompute() = %+v, %v, want the key alone", moved, err)
	}
}
