// Package registration is the registration authority: it binds authenticators to people and takes them away, and shows
// people what is on record about them.
//
// An authenticator is bound through a link that works once and not for long. The link is spent when the enrolment
// finishes, in the transaction that binds the authenticator, so looking at its page, as mail scanners do, costs nothing.
package registration

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/idp/authority"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/evidence"
	"github.com/credence-id/credence/idp/password"
	"github.com/credence-id/credence/idp/seal"
	"github.com/credence-id/credence/idp/session"
	"github.com/credence-id/credence/idp/throttle"
	"github.com/credence-id/credence/idp/webauthn"
	"github.com/credence-id/credence/store"
	"github.com/credence-id/credence/web"
)

// Handler serves the pages.
type Handler struct {
	Store     *store.Store
	Sessions  *session.Manager
	WebAuthn  *webauthn.RelyingParty
	Passwords *password.Manager
	Evidence  *evidence.Recorder
	Rules     *authority.Rules
	Catalogue *directory.Catalogue
	Pages     *web.Pages
	Throttle  *throttle.Limiter
	Box       seal.Box // of what a page of ours tells the next
	Now       func() time.Time
	Log       *slog.Logger
}

// linkLife is how long an enrolment link works.
const linkLife = 24 * time.Hour

func hash(secret string) []byte {
	sum := sha256.Sum256([]byte(secret))
	return sum[:]
}

// NewEnrolmentLink makes the secret of a link with which a person binds an authenticator. Only its hash is kept.
func NewEnrolmentLink(ctx context.Context, s *store.Store, personID, actor string, now time.Time) (secret string, expiresAt time.Time, err error) {
	secret, expiresAt = rand.Text()+rand.Text(), now.Add(linkLife)
	err = s.InTx(ctx, func(tx *store.Tx) error {
		if err := tx.AddEnrolmentLink(ctx, hash(secret), personID, now, expiresAt); err != nil {
			return err
		}
		return audit.Record(ctx, tx, audit.Entry{
			At: now, Event: audit.EnrolmentLinkMade, Actor: actor, Person: personID, Detail: map[string]string{"expires_at": expiresAt.Format(time.RFC3339)},
		})
	})
	if errors.Is(err, store.ErrReference) {
		return "", time.Time{}, fmt.Errorf("no person has user id %q: `credence person list` shows those there are", personID)
	}
	if err != nil {
		return "", time.Time{}, fmt.Errorf("add enrolment link: %w", err)
	}
	return secret, expiresAt, nil
}

// RevokeAuthenticator takes an authenticator away. The sessions that were begun with it end.
func RevokeAuthenticator(ctx context.Context, s *store.Store, id uuid.UUID, actor string, now time.Time) error {
	err := s.InTx(ctx, func(tx *store.Tx) error { return revoke(ctx, tx, id, actor, now) })
	if errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("no authenticator in use has id %s: `credence authenticator list PERSON` shows those there are", id)
	}
	if err != nil {
		return fmt.Errorf("revoke authenticator %s: %w", id, err)
	}
	return nil
}

func revoke(ctx context.Context, tx *store.Tx, id uuid.UUID, actor string, now time.Time) error {
	if err := tx.LockAuthenticator(ctx, id); err != nil { // a sign-in with it that is under way has its session before it ends
		return err
	}
	fallout, err := tx.RevokeAuthenticator(ctx, id, now)
	if err != nil {
		return err
	}
	if err := audit.RecordEnds(ctx, tx, audit.Entry{At: now, Actor: actor, Person: fallout.PersonID}, "authenticator revoked", fallout.Sessions...); err != nil {
		return err
	}
	return audit.Record(ctx, tx, audit.Entry{
		At: now, Event: audit.AuthenticatorRevoked, Actor: actor, Person: fallout.PersonID, Detail: map[string]string{"authenticator": id.String()},
	})
}

// errLink says that an enrolment link does not work: it never did, it was used, it has expired, or the person is
// disabled.
var errLink = errors.New("the enrolment link does not work")

// enrolment reads for whom a link is, without spending it. A link that does not work is errLink. One that never did is
// counted, and beyond the limit it is a *throttle.LimitError.
func (h *Handler) enrolment(ctx context.Context, secret string) (store.Enrolment, error) {
	found, err := h.Store.EnrolmentLink(ctx, hash(secret), h.Now())
	if errors.Is(err, store.ErrNotFound) {
		request := audit.RequestOf(ctx)
		request.Refusal.Reason = "link_unknown"
		return found, cmp.Or(h.Throttle.Failed(ctx, throttle.Subject{Limit: throttle.EnrolmentAddress, Address: request.Address}), errLink)
	}
	if err != nil {
		return found, fmt.Errorf("read enrolment link: %w", err)
	}
	refusal := found.Fallen()
	switch {
	case refusal != "":
	case found.UsedAt != nil:
		refusal = "link_used"
	case !found.ExpiresAt.After(h.Now()):
		refusal = "link_expired"
	}
	if refusal != "" {
		return found, cmp.Or(h.record(ctx, found.Person.ID, refusal), errLink)
	}
	return found, nil
}

// record records that an enrolment was refused with a link that is, or was, somebody's, and has the log event of the
// request say why. It always does: such a link cannot be guessed, so who has it is no outsider.
func (h *Handler) record(ctx context.Context, personID, refusal string) error {
	audit.RequestOf(ctx).Refusal.Reason = refusal
	if err := audit.Record(ctx, h.Store, audit.Entry{At: h.Now(), Event: audit.Enrolled, Refusal: refusal, Person: personID}); err != nil {
		return fmt.Errorf("record refusal: %w", err)
	}
	return nil
}

// enrol finishes an enrolment: it spends the link and binds the authenticator, in one transaction. A refusal is a
// *webauthn.Refusal, errLink or a *throttle.LimitError.
func (h *Handler) enrol(ctx context.Context, secret string, browser []byte, ceremony, name string, response []byte) (store.Authenticator, error) {
	found, err := h.enrolment(ctx, secret)
	if err != nil {
		return store.Authenticator{}, err
	}
	enrolled, err := h.WebAuthn.VerifyEnrolment(ceremony, browser, found.Person, name, response)
	if err == nil {
		err = h.Store.InTx(ctx, func(tx *store.Tx) error { return h.bind(ctx, tx, secret, enrolled) })
	}
	if errors.Is(err, store.ErrReplayed) {
		err = &webauthn.Refusal{Reason: webauthn.ChallengeReplayed, PersonID: found.Person.ID}
	}
	if refused, ok := errors.AsType[*webauthn.Refusal](err); ok {
		err = cmp.Or(h.record(ctx, found.Person.ID, refused.Reason), err)
	}
	if errors.Is(err, errLink) { // used a moment ago, by another answer: looking again records why it does not work
		_, again := h.enrolment(ctx, secret)
		err = cmp.Or(again, err)
	}
	return enrolled.Authenticator, err
}

func (h *Handler) bind(ctx context.Context, tx *store.Tx, secret string, enrolled webauthn.Enrolment) error {
	now := h.Now()
	if _, err := tx.UseEnrolmentLink(ctx, hash(secret), now); errors.Is(err, store.ErrNotFound) {
		return errLink // used a moment ago
	} else if err != nil {
		return fmt.Errorf("use enrolment link: %w", err)
	}
	if err := enrolled.Record(ctx, tx); err != nil {
		return err
	}
	a := enrolled.Authenticator
	return audit.Record(ctx, tx, audit.Entry{
		At: now, Event: audit.Enrolled, Person: a.PersonID,
		Detail: map[string]string{"authenticator": a.ID.String(), "kind": a.Kind, "aaguid": a.AAGUID.String(), "attestation": a.AttestationFormat},
	})
}
