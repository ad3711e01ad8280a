package webauthn

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	gowebauthn "github.com/go-webauthn/webauthn/webauthn"
	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/assurance"
	"github.com/credence-id/credence/idp/trace"
	"github.com/credence-id/credence/store"
)

// BeginSignIn begins a sign-in in a browser, known by the hash of a cookie.
//
// With a person's id it asks for one of her authenticators. An id that nobody has, and one whose person has no
// authenticator, gets an answer that looks the same, stays the same, and leads nowhere: nobody learns here who exists
// (WebAuthn Level 3, Section 14.6.2). A disabled person is asked like any other, and refused afterwards. The caller has
// checked the form of the id.
//
// Without, whoever the authenticator knows may sign in, and the database is not asked.
func (rp *RelyingParty) BeginSignIn(ctx context.Context, personID string, browser []byte) (Ceremony, error) {
	var allowed []protocol.CredentialDescriptor
	if personID != "" {
		authenticators, err := rp.store.Authenticators(ctx, personID, false)
		if err != nil {
			return Ceremony{}, fmt.Errorf("read authenticators of person %q: %w", personID, err)
		}
		allowed = descriptors(authenticators)
		if len(allowed) == 0 {
			allowed = rp.decoys(personID)
		}
	}
	return rp.beginSignIn(allowed, browser)
}

// beginSignIn asks for one of the allowed credentials, or without any for whichever the authenticator knows.
func (rp *RelyingParty) beginSignIn(allowed []protocol.CredentialDescriptor, browser []byte) (Ceremony, error) {
	begun := rp.begin()
	for _, d := range allowed {
		begun.Allowed = append(begun.Allowed, hash(d.CredentialID))
	}
	return rp.ceremony(rp.signIn, begun, browser, "", protocol.PublicKeyCredentialRequestOptions{
		Challenge:          begun.Challenge,
		Timeout:            int(lifetime.Milliseconds()),
		RelyingPartyID:     rp.id,
		AllowedCredentials: allowed,
		UserVerification:   protocol.VerificationRequired,
		Hints:              hints(allowed),
	})
}

// decoys are the credentials of a person who has none: always the same, nobody's, and like those that people have. Their
// lengths and transports are those of the kinds that are common.
func (rp *RelyingParty) decoys(personID string) []protocol.CredentialDescriptor {
	kinds := []struct {
		length     int
		transports []string
	}{
		{20, []string{"hybrid", "internal"}}, // passkeys of Apple
		{16, []string{"hybrid", "internal"}}, // of Google, and of password managers
		{32, []string{"internal"}},           // of Windows
		{48, []string{"nfc", "usb"}},         // security keys
		{64, []string{"usb"}},
	}
	drawn := rp.key.MAC("webauthn decoy kinds", []byte(personID))
	first := kinds[int(drawn[0])%len(kinds)]
	list := []protocol.CredentialDescriptor{descriptor(rp.decoy("webauthn decoy first", personID, first.length), first.transports)}
	if drawn[1]%3 == 0 {
		second := kinds[int(drawn[2])%len(kinds)]
		list = append(list, descriptor(rp.decoy("webauthn decoy second", personID, second.length), second.transports))
	}
	return list
}

// decoy is a credential id that we know again, and that looks random to others: its second half is a MAC of the first.
func (rp *RelyingParty) decoy(purpose, personID string, length int) []byte {
	first := rp.key.MAC(purpose, []byte(personID))[:length/2]
	return slices.Concat(first, rp.key.MAC("webauthn decoy", first)[:length/2])
}

// isDecoy says whether a credential id is a decoy. Of one nobody is told that the browser may forget it: who asks for a
// person would learn by it that she does not exist.
func (rp *RelyingParty) isDecoy(credentialID []byte) bool {
	half := len(credentialID) / 2
	if len(credentialID)%2 != 0 || half < 8 || half > sha256.Size {
		return false
	}
	return bytes.Equal(credentialID[half:], rp.key.MAC("webauthn decoy", credentialID[:half])[:half])
}

// SignIn is a sign-in that was verified and not yet recorded.
type SignIn struct {
	Person          store.Person
	AuthenticatorID uuid.UUID
	Authentication  assurance.Authentication

	begun       pending
	signCount   uint32
	backupState bool
}

// VerifySignIn verifies a browser's answer to [RelyingParty.BeginSignIn], an AuthenticationResponseJSON. What is not
// acceptable is a *[Refusal]; so is a client for which nobody signs in any more, "" when none is concerned. It asks the
// database once. The sign-in counts when it was recorded.
func (rp *RelyingParty) VerifySignIn(ctx context.Context, clientID, state string, browser, response []byte) (SignIn, error) {
	ctx, span := trace.Start(ctx, "webauthn.VerifySignIn")
	defer span.End()
	now := rp.now()
	begun, err := open(rp.signIn, state, browser, "", now)
	if err != nil {
		return SignIn{}, err
	}
	assertion, err := rp.readAssertion(begun, response)
	if err != nil {
		return SignIn{}, err
	}
	credential, err := rp.store.Credential(ctx, assertion.RawID, clientID, now)
	if errors.Is(err, store.ErrNotFound) {
		return SignIn{}, &Refusal{Reason: AuthenticatorUnknown, Forget: !rp.isDecoy(assertion.RawID)}
	}
	if err != nil {
		return SignIn{}, fmt.Errorf("read credential: %w", err)
	}
	return rp.verifyAssertion(begun, assertion, credential, now)
}

// readAssertion reads an answer, and refuses what can be refused without knowing whose it is.
func (rp *RelyingParty) readAssertion(begun pending, response []byte) (*protocol.ParsedCredentialAssertionData, error) {
	if len(response) > maxResponse {
		return nil, &Refusal{Reason: ResponseMalformed, cause: errSize}
	}
	assertion, err := protocol.ParseCredentialRequestResponseBytes(response)
	if err != nil {
		return nil, &Refusal{Reason: ResponseMalformed, cause: detailed(err)}
	}
	clientData := assertion.Raw.AssertionResponse.ClientDataJSON
	switch {
	case len(assertion.RawID) > maxCredentialID || len(clientData) > maxClientData:
		return nil, &Refusal{Reason: ResponseMalformed, cause: errSize}
	case repeats(clientData):
		return nil, &Refusal{Reason: ResponseMalformed, cause: errRepeats}
	case !slices.Contains(rp.origins, assertion.Response.CollectedClientData.Origin):
		return nil, &Refusal{Reason: OriginMismatch}
	// WebAuthn Level 3, Section 7.2, step 6: who was not identified before must be by the user handle.
	case len(begun.Allowed) == 0 && len(assertion.Response.UserHandle) == 0:
		return nil, &Refusal{Reason: UserHandleMissing}
	// Section 7.2, step 5. It also keeps a ceremony that was begun for one person from ending with another.
	case len(begun.Allowed) > 0 && !slices.ContainsFunc(begun.Allowed, func(h []byte) bool { return bytes.Equal(h, hash(assertion.RawID)) }):
		return nil, &Refusal{Reason: AuthenticatorNotAsked}
	}
	return assertion, nil
}

// verifyAssertion verifies an answer with the credential it names.
func (rp *RelyingParty) verifyAssertion(
	begun pending, assertion *protocol.ParsedCredentialAssertionData, c store.Credential, now time.Time,
) (SignIn, error) {
	// Type, challenge, RP ID, crossOrigin, UP, UV, BE as at enrolment, no BS without BE, user handle, signature:
	// WebAuthn Level 3, Section 7.2, from step 6 on.
	verified, err := rp.ceremonies.ValidateLogin(person{handle: c.Handle, credentials: []gowebauthn.Credential{{
		ID:                c.CredentialID,
		PublicKey:         c.PublicKey,
		AttestationFormat: c.AttestationFormat,
		Flags:             gowebauthn.CredentialFlags{BackupEligible: c.BackupEligible, BackupState: c.BackupState},
		Authenticator:     gowebauthn.Authenticator{SignCount: uint32(min(max(c.SignCount, 0), math.MaxUint32))},
	}}}, begun.session(c.Handle), assertion)
	if err != nil {
		return SignIn{}, &Refusal{Reason: AssertionInvalid, PersonID: c.PersonID, cause: detailed(err)}
	}
	// Section 7.2 leaves it open whether that is refused. The library only remarks it.
	if verified.Authenticator.CloneWarning {
		return SignIn{}, &Refusal{Reason: CounterRegressed, PersonID: c.PersonID, Proved: true}
	}
	if fallen := c.Fallen(); fallen != "" {
		if fallen == "authenticator_revoked" && c.State != "active" {
			fallen = "authenticator_" + c.State
		}
		return SignIn{}, &Refusal{Reason: fallen, PersonID: c.PersonID, Proved: true, Forget: gone(c.Authenticator)}
	}
	judged := rp.models.current.Load().judge(c.Authenticator, codes(c.Person), rp.models.source.minimum(), now)
	if judged.Refusal != "" {
		return SignIn{}, &Refusal{Reason: judged.Refusal, PersonID: c.PersonID, Proved: true}
	}
	// Of this assertion. What the library keeps with the credential is that it happened once.
	userVerified := assertion.Response.AuthenticatorData.Flags.HasUserVerified()
	return SignIn{
		Person:          c.Person,
		AuthenticatorID: c.ID,
		Authentication:  assurance.Authentication{Factors: []assurance.Factor{judged.Factor(assurance.Method(c.Kind), userVerified)}, At: now},
		begun:           begun,
		signCount:       verified.Authenticator.SignCount,
		backupState:     verified.Flags.BackupState,
	}, nil
}

// Record spends the challenge and writes down that the authenticator was used. Both are held back and travel with the
// next statement of the transaction. A challenge that was answered before therefore fails the transaction and not Record:
// with store.ErrReplayed, which the caller, after the rollback, treats as a refusal for [ChallengeReplayed].
func (s SignIn) Record(ctx context.Context, tx *store.Tx) error {
	if err := s.begun.spend(ctx, tx); err != nil {
		return err
	}
	if err := tx.UseAuthenticator(ctx, s.AuthenticatorID, int64(s.signCount), s.backupState, s.Authentication.At); err != nil {
		return fmt.Errorf("record use of authenticator %s: %w", s.AuthenticatorID, err)
	}
	return nil
}
