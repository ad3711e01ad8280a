package registration

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"math/big"
	"net/url"
	"time"

	"github.com/credence-id/credence/idp/assurance"
	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/idp/messenger"
	"github.com/credence-id/credence/idp/seal"
	"github.com/credence-id/credence/idp/webauthn"
	"github.com/credence-id/credence/store"
)

// Enroller binds WebAuthn credentials to people, whatever lets them: a link, or an officer at the desk.
type Enroller struct {
	Issuer   string // its URL
	Store    *store.Store
	WebAuthn *webauthn.RelyingParty
	Key      seal.Key
	Now      func() time.Time

	Messenger *messenger.Outbox // tells people what was bound; nil tells nobody
}

// Begin begins to bind an authenticator to a person, in a browser known by the hash of a cookie. No sign-in with the
// authenticator may ever have a higher level than most, as its [Answer] says again.
func (e *Enroller) Begin(ctx context.Context, most assurance.AuthenticatorLevel, p store.Person, browser []byte) (webauthn.Ceremony, error) {
	handle, err := e.Store.Handle(ctx, p.ID)
	if err != nil {
		return webauthn.Ceremony{}, fmt.Errorf("read user handle: %w", err)
	}
	existing, err := e.Store.Authenticators(ctx, p.ID, true)
	if err != nil {
		return webauthn.Ceremony{}, fmt.Errorf("list authenticators: %w", err)
	}
	begin := e.WebAuthn.BeginEnrolment
	if most < assurance.AAL3 {
		begin = e.WebAuthn.BeginUnattestedEnrolment
	}
	ceremony, err := begin(p, handle, existing, browser)
	if err != nil {
		return webauthn.Ceremony{}, fmt.Errorf("begin enrolment: %w", err)
	}
	return ceremony, nil
}

// Answer is what a browser answered to [Enroller.Begin].
type Answer struct {
	Browser  []byte
	Ceremony string // its state
	Name     string // of the authenticator; "" gets it one
	Response []byte // RegistrationResponseJSON

	Most assurance.AuthenticatorLevel // that a sign-in with the authenticator may ever have; 0 is any
}

// mostKept is how many authenticators somebody can have that sign her in, or can again. It is far below what a list shows, so that
// none is out of sight, however many are bound at once.
const mostKept = 20

// Bind verifies an answer and binds the authenticator, in one transaction with what permits it. The entry says who does it; a
// refusal, which is a *[webauthn.Refusal], is recorded as well.
func (e *Enroller) Bind(ctx context.Context, p store.Person, a Answer, by audit.Entry, permit func(*store.Tx) error) (store.Authenticator, error) {
	by.At, by.Event, by.Person = e.Now(), audit.Enrolled, p.ID
	enrolled, err := e.WebAuthn.VerifyEnrolment(a.Ceremony, a.Browser, p, a.Name, a.Response)
	bound := enrolled.Authenticator
	if err == nil && a.Most != 0 && webauthn.Ceiling(bound) > a.Most {
		err = &webauthn.Refusal{Reason: webauthn.LevelAbove, PersonID: p.ID}
	}
	if err == nil {
		err = e.Store.InTx(ctx, func(tx *store.Tx) error {
			if err := permit(tx); err != nil {
				return err
			}
			kept, err := tx.KeptAuthenticators(ctx, p.ID)
			if err != nil {
				return fmt.Errorf("list authenticators of person %s: %w", p.ID, err)
			}
			if len(kept) >= mostKept {
				return &webauthn.Refusal{Reason: webauthn.TooMany, PersonID: p.ID}
			}
			if err := enrolled.Record(ctx, tx); err != nil {
				return err
			}
			done := by
			done.Detail = with(by.Detail, map[string]string{
				"authenticator": bound.ID.String(), "kind": bound.Kind, "aaguid": bound.AAGUID.String(), "attestation": bound.AttestationFormat,
			})
			if err := audit.Record(ctx, tx, done); err != nil {
				return err
			}
			return e.Messenger.Post(ctx, tx, messenger.Message{Person: p.ID, Letter: messenger.AuthenticatorAdded{Authenticator: bound.Name}})
		})
	}
	if errors.Is(err, store.ErrReplayed) {
		err = &webauthn.Refusal{Reason: webauthn.ChallengeReplayed, PersonID: p.ID}
	}
	if refused, ok := errors.AsType[*webauthn.Refusal](err); ok {
		by.Refusal = refused.Reason
		err = cmp.Or(audit.Refuse(ctx, e.Store, by), err)
	}
	return bound, err
}

// Invitation is an enrolment link, and the code that its person is told another way. Nobody can be shown either again.
type Invitation struct {
	URL, Code string
	ExpiresAt time.Time
}

// Invite makes an enrolment link for a person that works only together with a code, because it is sent where others may come by
// it, if it is permitted in the transaction that makes it. The entry says who does.
func (e *Enroller) Invite(ctx context.Context, personID string, by audit.Entry, permit func(*store.Tx) error) (Invitation, error) {
	n, err := rand.Int(rand.Reader, big.NewInt(100_000_000))
	if err != nil {
		return Invitation{}, fmt.Errorf("draw a code: %w", err)
	}
	code := fmt.Sprintf("%08d", n)
	secret, expiresAt, err := newLink(ctx, e.Store, personID, func(secret string) []byte { return e.codeMACs(secret, code)[0] }, by, permit)
	if err != nil {
		return Invitation{}, err
	}
	return Invitation{URL: e.Issuer + "/enrol?" + url.Values{"token": {secret}}.Encode(), Code: code, ExpiresAt: expiresAt}, nil
}

// codeMACs are the keyed hashes of the code of a link, the one that rests first: eight digits could be guessed from a hash that
// anybody can compute.
func (e *Enroller) codeMACs(secret, code string) [][]byte {
	return e.Key.MACs("enrolment code", []byte(secret+" "+code))
}

// mostWrongCodes is how many wrong codes may be given for a link. Then it works no more.
const mostWrongCodes = 5

// giveCode tries the code of a link that takes one. A wrong one is recorded. errLink says that the link works no more.
func (e *Enroller) giveCode(ctx context.Context, secret, personID, code string) (right bool, err error) {
	right, err = e.Store.GiveCode(ctx, hash(secret), e.codeMACs(secret, code), mostWrongCodes, e.Now())
	if errors.Is(err, store.ErrNotFound) {
		return false, errLink
	}
	if err != nil {
		return false, fmt.Errorf("try code of enrolment link: %w", err)
	}
	if !right {
		err = audit.Refuse(ctx, e.Store, audit.Entry{At: e.Now(), Event: audit.Enrolled, Refusal: "code_wrong", Person: personID})
	}
	return right, err
}
