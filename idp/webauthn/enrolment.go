package webauthn

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/protocol/webauthncose"
	gowebauthn "github.com/go-webauthn/webauthn/webauthn"
	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/assurance"
	"github.com/credence-id/credence/store"
)

// BeginEnrolment begins to bind an authenticator to a person, in a browser known by the hash of a cookie. handle is her
// user handle, existing are her authenticators, in whichever state: none that was not revoked is offered again.
func (rp *RelyingParty) BeginEnrolment(p store.Person, handle []byte, existing []store.Authenticator, browser []byte) (Ceremony, error) {
	// Without being asked, browsers leave out the attestation and the AAGUID of a security key.
	return rp.beginEnrolment(p, handle, existing, browser, protocol.PreferDirectAttestation)
}

// BeginUnattestedEnrolment is [RelyingParty.BeginEnrolment] for an authenticator that is not to prove which model it is, so that
// nothing that becomes known of models ever raises its level.
func (rp *RelyingParty) BeginUnattestedEnrolment(p store.Person, handle []byte, existing []store.Authenticator, browser []byte) (Ceremony, error) {
	return rp.beginEnrolment(p, handle, existing, browser, protocol.PreferNoAttestation)
}

func (rp *RelyingParty) beginEnrolment(p store.Person, handle []byte, existing []store.Authenticator, browser []byte, attestation protocol.ConveyancePreference) (Ceremony, error) {
	begun := rp.begin()
	return rp.ceremony(rp.enrolment, begun, browser, p.ID, protocol.PublicKeyCredentialCreationOptions{
		RelyingParty: protocol.RelyingPartyEntity{ID: rp.id, CredentialEntity: protocol.CredentialEntity{Name: rp.name}},
		User: protocol.UserEntity{
			ID: protocol.URLEncodedBase64(handle), DisplayName: p.DisplayName, CredentialEntity: protocol.CredentialEntity{Name: p.ID},
		},
		Challenge:             begun.Challenge,
		Parameters:            gowebauthn.CredentialParametersRecommendedL3(),
		Timeout:               int(lifetime.Milliseconds()),
		CredentialExcludeList: descriptors(slices.DeleteFunc(slices.Clone(existing), gone)),
		AuthenticatorSelection: protocol.AuthenticatorSelection{
			ResidentKey:        protocol.ResidentKeyRequirementRequired,
			RequireResidentKey: protocol.ResidentKeyRequired(), // for browsers of Level 1: Section 5.4.4
			UserVerification:   protocol.VerificationRequired,
		},
		Attestation: attestation,
		Hints:       rp.models.hints(codes(p)),
		Extensions:  protocol.AuthenticationExtensions{CredProps: true},
	})
}

// Ceiling is the highest level that a sign-in with a credential can ever have, whatever becomes known of its model or is asked
// of it: one that can be copied, or for whose model nothing speaks, never reaches AAL3.
func Ceiling(a store.Authenticator) assurance.AuthenticatorLevel {
	if a.BackupEligible || Verdict(a.AttestationVerdict) == VerdictNone {
		return assurance.AAL2
	}
	return assurance.AAL3
}

// Enrolment is a new authenticator that was verified and not yet bound.
type Enrolment struct {
	Authenticator store.Authenticator

	begun pending
}

// VerifyEnrolment verifies a browser's answer to [RelyingParty.BeginEnrolment], a RegistrationResponseJSON, for the
// person with whom it was begun. name is what she calls the authenticator; when it is empty, it gets one. What is not
// acceptable is a *[Refusal]. The authenticator is bound when the enrolment was recorded.
func (rp *RelyingParty) VerifyEnrolment(state string, browser []byte, p store.Person, name string, response []byte) (Enrolment, error) {
	now, personID := rp.now(), p.ID
	refuse := func(reason string, cause error) (Enrolment, error) {
		return Enrolment{}, &Refusal{Reason: reason, PersonID: personID, cause: cause}
	}
	begun, err := open(rp.enrolment, state, browser, personID, now)
	if err != nil {
		return Enrolment{}, err
	}
	if len(response) > maxResponse {
		return refuse(ResponseMalformed, errSize)
	}
	creation, err := protocol.ParseCredentialCreationResponseBytes(response)
	if err != nil {
		return refuse(ResponseMalformed, detailed(err))
	}
	clientData := creation.Raw.AttestationResponse.ClientDataJSON
	switch {
	case len(clientData) > maxClientData:
		return refuse(ResponseMalformed, errSize)
	case repeats(clientData):
		return refuse(ResponseMalformed, errRepeats)
	case !slices.Contains(rp.origins, creation.Response.CollectedClientData.Origin):
		return refuse(OriginMismatch, nil)
	}
	// Before the attestation, which this key may sign itself.
	if err := checkKey(creation.Response.AttestationObject.AuthData.AttData.CredentialPublicKey); err != nil {
		return refuse(KeyWeak, detailed(err))
	}
	// Type, challenge, RP ID, crossOrigin, UP, UV, no BS without BE, algorithm, attestation statement: WebAuthn Level 3,
	// Section 7.1, from step 7 on.
	credential, err := rp.ceremonies.CreateCredential(person{}, begun.session(nil), creation)
	if err != nil {
		return refuse(AttestationInvalid, detailed(err))
	}
	if rk := credential.Extensions.RK; rk != nil && !*rk {
		return refuse(NotDiscoverable, nil)
	}
	aaguid, err := uuid.FromBytes(credential.Authenticator.AAGUID)
	if err != nil {
		return refuse(ResponseMalformed, err)
	}
	kind := kindOf(credential)
	name, ok := nameOf(name, kind)
	if !ok {
		return refuse(NameInvalid, nil)
	}
	known, object := rp.models.current.Load(), creation.Response.AttestationObject
	a := store.Authenticator{
		ID:                 uuid.New(),
		PersonID:           personID,
		Name:               name,
		Kind:               string(kind),
		CredentialID:       credential.ID,
		PublicKey:          credential.PublicKey,
		SignCount:          int64(credential.Authenticator.SignCount),
		AAGUID:             aaguid,
		Transports:         transportsOf(credential),
		BackupEligible:     credential.Flags.BackupEligible,
		BackupState:        credential.Flags.BackupState,
		AttestationFormat:  credential.AttestationFormat,
		AttestationObject:  credential.Attestation.Object,
		ClientData:         credential.Attestation.ClientDataJSON,
		AttestationVerdict: string(known.verdict(object.Format, object.AttStatement, aaguid, now)),
		State:              "active",
		CreatedAt:          now,
	}
	if reason := known.enrolling(a, codes(p), rp.models.source.minimum(), now); reason != "" {
		return refuse(reason, nil)
	}
	return Enrolment{Authenticator: a, begun: begun}, nil
}

// Record spends the challenge and binds the authenticator. It fails with a *[Refusal] when the credential is bound
// already, and with store.ErrReplayed when the challenge was answered before, which the caller treats as a refusal for
// [ChallengeReplayed]. Either way the transaction is broken: whoever records the refusal does so in another.
func (e Enrolment) Record(ctx context.Context, tx *store.Tx) error {
	if err := e.begun.spend(ctx, tx); err != nil {
		return err
	}
	err := tx.AddAuthenticator(ctx, e.Authenticator)
	if errors.Is(err, store.ErrConflict) { // WebAuthn Level 3, Section 7.1, step 26
		return &Refusal{Reason: AuthenticatorKnown, PersonID: e.Authenticator.PersonID, cause: err}
	}
	if err != nil {
		return fmt.Errorf("add authenticator of person %q: %w", e.Authenticator.PersonID, err)
	}
	return nil
}

// checkKey refuses a public key that is not what its algorithm says, or too weak for it. The library checks that the
// algorithm was offered, and RSA keys not at all.
func checkKey(cose []byte) error {
	parsed, err := webauthncose.ParsePublicKey(cose)
	if err != nil {
		return err
	}
	key, ok := parsed.(webauthncose.RSAPublicKeyData)
	if !ok {
		return nil
	}
	exponent, err := webauthncose.ParseRSAPublicKeyDataExponent(&key)
	if err != nil {
		return err
	}
	bits := new(big.Int).SetBytes(key.Modulus).BitLen()
	// FIPS 186-5, Section 5.1 and Appendix A.1.1, with an upper limit to what a verification may cost.
	if key.Algorithm != int64(webauthncose.AlgRS256) || bits < 2048 || bits > 4096 || exponent < 65537 || exponent%2 == 0 {
		return fmt.Errorf("RSA key of %d bits and exponent %d, algorithm %d", bits, exponent, key.Algorithm)
	}
	return nil
}

// kindOf tells a security key from a passkey: it is held in the hand, and its credential cannot leave it. That is for
// people to recognise it by: the transports are the browser's word, and no level follows from them.
func kindOf(c *gowebauthn.Credential) assurance.Method {
	roaming := slices.ContainsFunc(c.Transport, func(t protocol.AuthenticatorTransport) bool {
		return t == protocol.USB || t == protocol.NFC || t == protocol.BLE || t == protocol.SmartCard
	})
	if len(c.Transport) == 0 {
		roaming = c.Authenticator.Attachment == protocol.CrossPlatform
	}
	if roaming && !c.Flags.BackupEligible {
		return assurance.SecurityKey
	}
	return assurance.Passkey
}

// transportsOf keeps what browsers will want to hear again, unknown transports too (WebAuthn Level 3, Section 5.2.1),
// but no more than there could reasonably be, and in the order in which browsers tell them (Section 5.2.1.1,
// getTransports): in another one they would differ from decoys.
func transportsOf(c *gowebauthn.Credential) []string {
	var list []string
	for _, t := range c.Transport {
		if len(list) < 10 && len(t) <= 32 && transportForm.MatchString(string(t)) && !slices.Contains(list, string(t)) {
			list = append(list, string(t))
		}
	}
	slices.Sort(list)
	return list
}

var transportForm = regexp.MustCompile(`^[a-z0-9-]+$`)

// nameOf returns the name of an authenticator, and whether it is acceptable: at most 60 characters, all of them visible.
// Control characters, and those that change the direction of text or take no space, could make one name pass for another.
func nameOf(name string, kind assurance.Method) (string, bool) {
	name = strings.TrimSpace(name)
	switch {
	case name == "" && kind == assurance.SecurityKey:
		return "Security key", true
	case name == "":
		return "Passkey", true
	}
	invisible := strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) })
	return name, utf8.ValidString(name) && utf8.RuneCountInString(name) <= 60 && !invisible
}
