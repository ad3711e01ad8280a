package webauthn

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/seal"
	"github.com/credence-id/credence/idp/webauthn/webauthntest"
	"github.com/credence-id/credence/store"
)

const (
	fuzzOrigin = "https://idp.example.org"
	fuzzPerson = "555000000001"
)

// fuzzed is a relying party that never asks its database, and a ceremony. The processes that fuzz share their inputs,
// so the challenge is the same in each.
type fuzzed struct {
	*RelyingParty
	browser []byte
	begun   pending
}

func newFuzzed(f *testing.F) fuzzed {
	f.Helper()
	key, _ := seal.NewKey()
	now := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	rp, err := New(Config{
		Store: &store.Store{}, Key: key, Issuer: fuzzOrigin, Name: "Credence", Now: func() time.Time { return now },
	})
	if err != nil {
		f.Fatal(err)
	}
	return fuzzed{rp, []byte("browser"), pending{Challenge: make([]byte, 32), ExpiresAt: now.Add(lifetime)}}
}

func (z fuzzed) ceremony(f *testing.F, box seal.Box, personID string, options map[string]any) Ceremony {
	f.Helper()
	options["challenge"] = make([]byte, 32) // JSON writes zeros as A's, in every base64
	c, err := z.RelyingParty.ceremony(box, z.begun, z.browser, personID, options)
	if err != nil {
		f.Fatal(err)
	}
	return c
}

func wantOnlyRefusals(t *testing.T, err error) {
	t.Helper()
	if _, ok := errors.AsType[*Refusal](err); err != nil && !ok {
		t.Errorf("outside bytes caused %v, want a refusal", err)
	}
}

// Whatever a browser sends: no panic, and what is accepted was signed.
func FuzzSignInResponse(f *testing.F) {
	z := newFuzzed(f)
	var owned []store.Credential
	for i, algorithm := range []int{webauthntest.ES256, webauthntest.EdDSA, webauthntest.RS256} {
		key := webauthntest.New()
		key.Algorithm, key.CredentialID = algorithm, []byte{byte(i)}
		e, err := z.enrol(key)
		if err != nil {
			f.Fatal(err)
		}
		owned = append(owned, store.Credential{
			Authenticator: e.Authenticator, Handle: []byte("handle"),
			Standing: store.Standing{PersonStands: true, ClientStands: true, SessionStands: true, AuthenticatorStands: true, RoleStands: true},
		})
		options := z.options("rpId", "idp.example.org")
		f.Add(key.Get(options, fuzzOrigin))
		key.Flags |= webauthntest.BackupEligible
		f.Add(key.Get(options, fuzzOrigin))
	}
	f.Add([]byte(`{}`))
	f.Fuzz(func(t *testing.T, response []byte) {
		assertion, err := rp.readAssertion(begun, response)
		if err != nil {
			wantOnlyRefusals(t, err)
			return
		}
		for _, credential := range owned {
			in, err := rp.verifyAssertion(begun, assertion, credential, rp.now())
			wantOnlyRefusals(t, err)
			if err != nil {
				continue
			}
			if !in.Authentication.UserVerified || in.AuthenticatorID != credential.ID || !bytes.Equal(assertion.RawID, credential.CredentialID) {
				t.Errorf("VerifySignIn(%q) = %+v", response, in)
			}
		}
	})
}

// Whatever a browser sends: no panic, and what is accepted fits its row.
func FuzzEnrolmentResponse(f *testing.F) {
	rp, browser := fuzzParty(f)
	c := fuzzEnrolment(f, rp, browser)
	for _, algorithm := range []int{webauthntest.ES256, webauthntest.EdDSA, webauthntest.RS256} {
		for _, attests := range []bool{false, true} {
			key := webauthntest.New()
			key.Algorithm, key.SelfAttestation = algorithm, attests
			f.Add("", key.Create(c.Options, fuzzOrigin))
		}
	}
	f.Add("Ward 7", webauthntest.NewPasskey().Create(c.Options, fuzzOrigin))
	f.Add("", []byte(`{}`))
	f.Fuzz(func(t *testing.T, name string, response []byte) {
		e, err := rp.VerifyEnrolment(c.State, browser, fuzzPerson, name, response)
		wantOnlyRefusals(t, err)
		if err != nil {
			return
		}
		a := e.Authenticator
		if a.ID == uuid.Nil || a.PersonID != fuzzPerson || a.Name == "" || len([]rune(a.Name)) > 60 || len(a.CredentialID) == 0 || len(a.CredentialID) > 1023 ||
			len(a.PublicKey) > 4096 || len(a.Transports) > 10 || len(a.AttestationFormat) > 32 || len(a.AttestationObject) > 65536 || len(a.ClientData) > 16384 {
			t.Errorf("VerifyEnrolment(%q) = %+v, which the schema refuses", response, a)
		}
	})
}
