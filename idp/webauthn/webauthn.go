// Package webauthn binds authenticators to people and verifies that they sign in with them: the two ceremonies of
// WebAuthn, on the side of the relying party.
//
// It guarantees that an answer is taken only for the ceremony it was asked in, by the browser it was asked of, within
// five minutes, and once; that the user was verified in that very ceremony; and that a sign-in names a person who stands
// and an authenticator that is not revoked. It keeps nothing between the two halves of a ceremony: what must be
// remembered travels through the browser, sealed. It knows no HTTP.
//
// An authenticator's word for what it is counts for nothing, unless its attestation chains to a root of that very model: of
// FIDO metadata, or of the operator. By that, by what was reported of the model since, and by what the organisations of its
// owner ask, it is judged at each use ([Judgement]). All of that is in memory ([Models]), and costs a sign-in no round trip.
//
// It implements Web Authentication: An API for accessing Public Key Credentials, Level 3: Section 7.1 (registering a new
// credential), Section 7.2 (verifying an authentication assertion) and Section 5.11 (related origins),
// https://www.w3.org/TR/webauthn-3/.
package webauthn

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	gowebauthn "github.com/go-webauthn/webauthn/webauthn"

	"github.com/credence-id/credence/idp/seal"
	"github.com/credence-id/credence/store"
)

const (
	lifetime        = 5 * time.Minute // of a ceremony: WebAuthn Level 3, Section 15.1
	maxState        = 16 << 10
	maxResponse     = 64 << 10
	maxClientData   = 16 << 10
	maxCredentialID = 1023 // WebAuthn Level 3, Section 4, "Credential ID"
)

// Config is what a relying party is made of. All of it is needed but related origins.
type Config struct {
	Store  *store.Store
	Models *Models
	Key    seal.Key
	Issuer string // its origin is the one that answers come from, its host is the RP ID
	Name   string // of the provider, for browsers to show
	Now    func() time.Time

	// RelatedOrigins are other origins that answers may come from: WebAuthn Level 3, Section 5.11.
	RelatedOrigins []string
}

// RelyingParty runs the ceremonies of one issuer. It is safe for concurrent use.
type RelyingParty struct {
	store      *store.Store
	models     *Models
	now        func() time.Time
	ceremonies *gowebauthn.WebAuthn
	id         string
	origins    []string
	name       string
	key        seal.Key
	signIn     seal.Box
	enrolment  seal.Box
}

// New makes the relying party of an issuer, and fails when browsers would not take its host for an RP ID.
func New(c Config) (*RelyingParty, error) {
	if c.Store == nil || c.Models == nil || c.Key == (seal.Key{}) || c.Name == "" || c.Now == nil {
		return nil, errors.New("webauthn: store, models, key, name and clock are all needed")
	}
	origin, host, err := originOf(c.Issuer)
	if err != nil {
		return nil, err
	}
	origins := append([]string{origin}, c.RelatedOrigins...)
	library, err := gowebauthn.New(&gowebauthn.Config{
		RPID:          host,
		RPDisplayName: c.Name,
		RPOrigins:     origins,
		// "[Relying Parties] MUST be prepared to handle such situations, whether it be to ignore the unsolicited
		// extensions or reject the assertion": WebAuthn Level 3, Section 7.2. Nothing here depends on an output, and
		// nobody is locked out because of a talkative password manager.
		ExtensionsUnsolicitedOutputPolicy: protocol.UnsolicitedOutputPolicyIgnore,
	})
	if err != nil {
		return nil, fmt.Errorf("host of issuer %q as RP ID: %w: give the issuer a domain name", c.Issuer, err)
	}
	return &RelyingParty{
		store: c.Store, models: c.Models, now: c.Now, ceremonies: library,
		id: host, origins: origins, name: c.Name,
		key: c.Key, signIn: c.Key.Box("webauthn sign-in"), enrolment: c.Key.Box("webauthn enrolment"),
	}, nil
}

// originOf returns the origin of an issuer as browsers write it, and its host.
func originOf(issuer string) (origin, host string, err error) {
	u, err := url.Parse(issuer)
	if err != nil || u.Hostname() == "" || u.Host != strings.ToLower(u.Host) {
		return "", "", fmt.Errorf("issuer %q: want a URL with a host in lower case", issuer)
	}
	switch u.Scheme {
	case "https":
		return "https://" + strings.TrimSuffix(u.Host, ":443"), u.Hostname(), nil
	case "http": // which browsers accept of localhost only
		return "http://" + strings.TrimSuffix(u.Host, ":80"), u.Hostname(), nil
	}
	return "", "", fmt.Errorf("issuer %q: want an https URL", issuer)
}

// Ceremony is the first half of a ceremony: what to ask the browser, and what to get back from it with its answer.
type Ceremony struct {
	Options json.RawMessage // PublicKeyCredentialRequestOptionsJSON or PublicKeyCredentialCreationOptionsJSON
	State   string          // sealed; text that fits a form field
}

// begin draws the challenge of a ceremony: WebAuthn Level 3, Section 13.4.3.
func (rp *RelyingParty) begin() pending {
	p := pending{Challenge: make([]byte, 32), ExpiresAt: rp.now().Add(lifetime)}
	_, _ = rand.Read(p.Challenge)
	return p
}

// ceremony seals what was begun, bound to a browser and, when one is known, to a person.
func (rp *RelyingParty) ceremony(box seal.Box, begun pending, browser []byte, personID string, options any) (Ceremony, error) {
	if len(browser) == 0 {
		return Ceremony{}, errors.New("begin webauthn ceremony: no browser to bind it to")
	}
	encoded, err := json.Marshal(options)
	if err != nil {
		return Ceremony{}, fmt.Errorf("encode webauthn options: %w", err)
	}
	state, err := box.SealJSON(begun, bound(browser, personID))
	if err != nil {
		return Ceremony{}, fmt.Errorf("seal webauthn ceremony: %w", err)
	}
	return Ceremony{Options: encoded, State: state}, nil
}

// The reasons of a [Refusal].
const (
	CeremonyInvalid       = "ceremony_invalid"        // the state is not ours, of the other ceremony, or of another browser or person
	CeremonyExpired       = "ceremony_expired"        // the answer came too late
	ChallengeReplayed     = "challenge_replayed"      // the challenge was answered before
	ResponseMalformed     = "response_malformed"      // the answer cannot be read
	OriginMismatch        = "origin_mismatch"         // the answer was given to another site
	AuthenticatorNotAsked = "authenticator_not_asked" // the answer comes from an authenticator that was not asked
	AuthenticatorUnknown  = "authenticator_unknown"   // nobody's
	UserHandleMissing     = "user_handle_missing"     // the answer does not say whose it is
	AssertionInvalid      = "assertion_invalid"       // it does not verify: signature, challenge, flags, user handle
	CounterRegressed      = "counter_regressed"       // the authenticator may have been copied
	AttestationInvalid    = "attestation_invalid"     // a new credential does not verify
	KeyWeak               = "key_weak"                // of a new credential
	NotDiscoverable       = "not_discoverable"        // a new credential could not sign anybody in by itself
	NameInvalid           = "name_invalid"            // of a new authenticator: too long, or not printable
	AuthenticatorKnown    = "authenticator_known"     // the new credential is bound already, to whomever
	TooMany               = "too_many_authenticators" // the person has as many as anybody may have
	LevelAbove            = "level_above"             // a new authenticator could reach more than the sign-in that it is bound in
	ModelRevoked          = "model_revoked"           // nobody is to use the model any more: FIDO metadata
	ModelDenied           = "model_denied"            // an organisation of the person denies the model
	ModelNotAllowed       = "model_not_allowed"       // it allows some models, and this one did not prove to be of them
	DeviceBoundRequired   = "device_bound_required"   // it wants keys that cannot be copied
	AttestationRequired   = "attestation_required"    // it wants to know for sure which model it is
)

// Refusal is the error of a ceremony that failed for a reason of the other side or of ours, and not because something
// is broken. Besides the constants, Reason can be what [store.Standing.Fallen] returns. What the cryptography found
// wrong is the wrapped error: it is for the debug log, and neither for the person nor for the audit record.
type Refusal struct { //nolint:errname // what callers tell apart is a refusal from a failure; both are errors
	Reason   string
	PersonID string // whose authenticator it is, or who was to get it; "" as long as nobody real is named
	Proved   bool   // the answer verified: whoever sent it holds the authenticator
	Forget   bool   // the credential will never work here again: the browser may be told to forget it

	cause error
}

// OfModel says whether the authenticator is in order, and is refused for what is known of its model or for what an
// organisation asks.
func (r *Refusal) OfModel() bool {
	return slices.Contains([]string{ModelRevoked, ModelDenied, ModelNotAllowed, DeviceBoundRequired, AttestationRequired}, r.Reason)
}

// Error names the reason.
func (r *Refusal) Error() string { return "webauthn ceremony refused: " + r.Reason }

// Unwrap returns what was found wrong in detail, or nil.
func (r *Refusal) Unwrap() error { return r.cause }

var (
	errSize    = errors.New("too large")
	errRepeats = errors.New("client data says something twice")
)

// detailed adds what the library keeps out of its error texts.
func detailed(err error) error {
	if e, ok := errors.AsType[*protocol.Error](err); ok && e.DevInfo != "" {
		return fmt.Errorf("%w: %s", err, e.DevInfo)
	}
	return err
}

// pending is a ceremony that was begun and not answered.
type pending struct {
	Challenge []byte    `json:"challenge"`
	ExpiresAt time.Time `json:"expires_at"`
	Allowed   [][]byte  `json:"allowed,omitempty"` // sign-in: SHA-256 of each credential id that may answer; none means any
}

// open reads back a state, or refuses it.
func open(box seal.Box, state string, browser []byte, personID string, now time.Time) (pending, error) {
	var p pending
	if len(browser) == 0 || len(state) > maxState {
		return p, &Refusal{Reason: CeremonyInvalid, PersonID: personID}
	}
	if err := box.OpenJSON(state, bound(browser, personID), &p); err != nil {
		return p, &Refusal{Reason: CeremonyInvalid, PersonID: personID, cause: err}
	}
	if !now.Before(p.ExpiresAt) {
		return p, &Refusal{Reason: CeremonyExpired, PersonID: personID}
	}
	return p, nil
}

func bound(browser []byte, personID string) []byte {
	return slices.Concat([]byte(personID), []byte{0}, browser)
}

// session is the ceremony as the library wants it told.
func (p pending) session(handle []byte) gowebauthn.SessionData {
	return gowebauthn.SessionData{
		Challenge:        base64.RawURLEncoding.EncodeToString(p.Challenge),
		UserID:           handle,
		UserVerification: protocol.VerificationRequired,
		CredParams:       gowebauthn.CredentialParametersRecommendedL3(),
	}
}

// spend uses up the challenge: of any number of answers one wins, and the transactions of the others fail with
// store.ErrReplayed. The record of it outlives the state by a minute, so that an answer verified at the last moment
// cannot be repeated after the record was swept away.
func (p pending) spend(ctx context.Context, tx *store.Tx) error {
	if err := tx.UseChallenge(ctx, hash(p.Challenge), p.ExpiresAt.Add(time.Minute)); err != nil {
		return fmt.Errorf("use challenge: %w", err)
	}
	return nil
}

// person is somebody as the library wants them told.
type person struct {
	handle      []byte
	credentials []gowebauthn.Credential
}

func (p person) WebAuthnID() []byte                           { return p.handle }
func (p person) WebAuthnName() string                         { return "" }
func (p person) WebAuthnDisplayName() string                  { return "" }
func (p person) WebAuthnCredentials() []gowebauthn.Credential { return p.credentials }

// descriptors names authenticators to a browser: WebAuthn Level 3, Section 5.8.3. It knows only those that are credentials.
func descriptors(authenticators []store.Authenticator) []protocol.CredentialDescriptor {
	var list []protocol.CredentialDescriptor
	for _, a := range authenticators {
		if a.CredentialID != nil {
			list = append(list, descriptor(a.CredentialID, a.Transports))
		}
	}
	return list
}

// gone says whether an authenticator was taken away for good. Until then its credential is its owner's, though it may sign nobody
// in: browsers keep it, and it is not bound again.
func gone(a store.Authenticator) bool { return a.State == "revoked" }

func descriptor(id []byte, transports []string) protocol.CredentialDescriptor {
	d := protocol.CredentialDescriptor{Type: protocol.PublicKeyCredentialType, CredentialID: id}
	for _, t := range transports {
		d.Transport = append(d.Transport, protocol.AuthenticatorTransport(t))
	}
	return d
}

func hash(b []byte) []byte {
	sum := sha256.Sum256(b)
	return sum[:]
}

// repeats says whether two members of a JSON object have the same name, in whatever case. Of those the decoder takes the
// last, and others may take the first.
func repeats(object []byte) bool {
	seen := map[string]bool{}
	decoder := json.NewDecoder(bytes.NewReader(object))
	_, err := decoder.Token()
	for err == nil && decoder.More() {
		var token json.Token
		if token, err = decoder.Token(); err != nil {
			break
		}
		name := fmt.Sprint(token)
		name = strings.ToLower(strings.ToUpper(name)) // so that the Kelvin sign and the long s are letters too
		if seen[name] {
			return true
		}
		seen[name] = true
		var value json.RawMessage
		err = decoder.Decode(&value)
	}
	return false
}
