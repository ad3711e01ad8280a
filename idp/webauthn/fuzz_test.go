package webauthn

import (
	"bytes"
	"errors"
	"log/slog"
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
	// The processes that fuzz share their inputs, so the challenge is the same in each: 32 zeros.
	fuzzRequest  = `{"challenge":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","rpId":"idp.example.org"}`
	fuzzCreation = `{"challenge":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","rp":{"id":"idp.example.org"},"user":{"id":"aGFuZGxl"}}`
)

// fuzzed is a relying party that never asks its database, with a ceremony that was begun.
type fuzzed struct {
	*RelyingParty
	begun   pending
	state   string // of an enrolment
	browser []byte
}

func newFuzzed(f *testing.F) fuzzed {
	f.Helper()
	key, _ := seal.NewKey()
	now := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	clock := func() time.Time { return now }
	models := NewModels(&store.Store{}, Source{}, clock, slog.New(slog.DiscardHandler))
	rp, err := New(Config{Store: &store.Store{}, Models: models, Key: key, Issuer: fuzzOrigin, Name: "Credence", Now: clock})
	if err != nil {
		f.Fatal(err)
	}
	z := fuzzed{RelyingParty: rp, begun: pending{Challenge: make([]byte, 32), ExpiresAt: now.Add(lifetime)}, browser: []byte("browser")}
	c, err := rp.ceremony(rp.enrolment, z.begun, z.browser, fuzzPerson, nil)
	if err != nil {
		f.Fatal(err)
	}
	z.state = c.State
	return z
}

// wantRefusal: what comes from outside is refused, and breaks nothing.
func wantRefusal(t *testing.T, err error) {
	t.Helper()
	if _, ok := errors.AsType[*Refusal](err); !ok {
		t.Errorf("outside bytes caused %v, want a refusal", err)
	}
}

func FuzzSignInResponse(f *testing.F) {
	z := newFuzzed(f)
	var owned []store.Credential
	for i, algorithm := range []int{webauthntest.ES256, webauthntest.EdDSA, webauthntest.RS256} {
		key := webauthntest.New()
		key.Algorithm, key.CredentialID = algorithm, []byte{byte(i)}
		e, err := z.VerifyEnrolment(z.state, z.browser, store.Person{ID: fuzzPerson}, "", key.Create([]byte(fuzzCreation), fuzzOrigin))
		if err != nil {
			f.Fatal(err)
		}
		owned = append(owned, store.Credential{
			Authenticator: e.Authenticator, Handle: []byte("handle"),
			Standing: store.Standing{PersonStands: true, ClientStands: true, SessionStands: true, AuthenticatorStands: true, RoleStands: true},
		})
		f.Add(key.Get([]byte(fuzzRequest), fuzzOrigin))
		key.Flags |= webauthntest.BackupEligible
		f.Add(key.Get([]byte(fuzzRequest), fuzzOrigin))
	}
	f.Add([]byte(`{}`))
	f.Fuzz(func(t *testing.T, response []byte) {
		assertion, err := z.readAssertion(z.begun, response)
		if err != nil {
			wantRefusal(t, err)
			return
		}
		for _, credential := range owned {
			in, err := z.verifyAssertion(z.begun, assertion, credential, z.now())
			if err != nil {
				wantRefusal(t, err)
				continue
			}
			if !in.Authentication.Factors[0].UserVerified || in.AuthenticatorID != credential.ID || !bytes.Equal(assertion.RawID, credential.CredentialID) {
				t.Errorf("VerifySignIn(%q) = %+v, want the authenticator of the answer", response, in)
			}
		}
	})
}

func FuzzEnrolmentResponse(f *testing.F) {
	z := newFuzzed(f)
	for _, algorithm := range []int{webauthntest.ES256, webauthntest.EdDSA, webauthntest.RS256} {
		for _, attests := range []bool{false, true} {
			key := webauthntest.New()
			key.Algorithm, key.SelfAttestation = algorithm, attests
			f.Add("", key.Create([]byte(fuzzCreation), fuzzOrigin))
		}
	}
	f.Add("Ward 7", webauthntest.NewPasskey().Create([]byte(fuzzCreation), fuzzOrigin))
	f.Add("", []byte(`{}`))
	f.Fuzz(func(t *testing.T, name string, response []byte) {
		e, err := z.VerifyEnrolment(z.state, z.browser, store.Person{ID: fuzzPerson}, name, response)
		if err != nil {
			wantRefusal(t, err)
			return
		}
		a := e.Authenticator
		if a.ID == uuid.Nil || a.PersonID != fuzzPerson || a.Name == "" || len([]rune(a.Name)) > 60 || len(a.CredentialID) == 0 || len(a.CredentialID) > 1023 ||
			len(a.PublicKey) > 4096 || len(a.Transports) > 10 || len(a.AttestationFormat) > 32 || len(a.AttestationObject) > 65536 || len(a.ClientData) > 16384 {
			t.Errorf("VerifyEnrolment(%q) = %+v, which the schema refuses", response, a)
		}
	})
}
