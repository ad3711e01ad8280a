package password

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/assurance"
	"github.com/credence-id/credence/idp/totp"
	"github.com/credence-id/credence/store"
)

// offerLife is how long a key that was shown can be bound: time to find the phone and to install an app.
const offerLife = time.Hour

// Offer is the key of an app that somebody is about to bind with a password.
type Offer struct {
	Key   string // as people type it
	URI   string // as apps read it
	State string // sealed; text that fits an address
}

// offer is an [Offer] while it travels through the browser.
type offer struct {
	Key       []byte    `json:"key"`
	ExpiresAt time.Time `json:"expires_at"`
}

// BeginEnrolment draws the key of an app for somebody, in a browser known by the hash of a cookie. Nothing is stored.
func (m *Manager) BeginEnrolment(p store.Person, browser []byte) (Offer, error) {
	o := offer{Key: totp.NewKey(), ExpiresAt: m.now().Add(offerLife)}
	state, err := m.begun.SealJSON(o, of(p.ID, browser))
	if err != nil {
		return Offer{}, fmt.Errorf("seal offer: %w", err)
	}
	return m.show(o, state, p), nil
}

// Offered is an enrolment that was begun, to be shown again. What is not ours, or too old, is a *[Refusal].
func (m *Manager) Offered(state string, browser []byte, p store.Person) (Offer, error) {
	o, err := m.open(state, browser, p)
	return m.show(o, state, p), err
}

func (m *Manager) show(o offer, state string, p store.Person) Offer {
	return Offer{Key: totp.Text(o.Key), URI: totp.URI(o.Key, service, p.ID), State: state}
}

func (m *Manager) open(state string, browser []byte, p store.Person) (offer, error) {
	var o offer
	switch err := m.begun.OpenJSON(state, of(p.ID, browser), &o); {
	case err != nil || len(browser) == 0:
		return offer{}, &Refusal{Reason: OfferInvalid, PersonID: p.ID}
	case !m.now().Before(o.ExpiresAt):
		return offer{}, &Refusal{Reason: OfferExpired, PersonID: p.ID}
	}
	return o, nil
}

func of(personID string, browser []byte) []byte {
	return slices.Concat([]byte(personID), []byte{0}, browser)
}

// Enrolment is a password and an app that were verified and not yet bound.
type Enrolment struct {
	Password, App store.Secret
	Replaces      uuid.UUID // the password that somebody had until now, to be revoked before; uuid.Nil: none
}

// VerifyEnrolment verifies a new password against the rules, and that an app took over the key: it has made the code. What is
// not acceptable is a *[Refusal]; when too many passwords are being hashed it is [ErrBusy].
func (m *Manager) VerifyEnrolment(ctx context.Context, state string, browser []byte, p store.Person, entered, code string) (Enrolment, error) {
	now := m.now()
	o, err := m.open(state, browser, p)
	if err != nil {
		return Enrolment{}, err
	}
	reason := Check(entered, p.ID, p.GivenName, p.MiddleNames, p.FamilyName, p.DisplayName, p.Email, service)
	step, ok := totp.Verify(o.Key, code, now)
	if reason == "" && !ok {
		reason = CodeWrong
	}
	if reason != "" {
		return Enrolment{}, &Refusal{Reason: reason, PersonID: p.ID}
	}
	had, err := m.store.Secrets(ctx, p.ID) // sealed: another one may be set also when the seal key was lost
	if err != nil {
		return Enrolment{}, fmt.Errorf("read secrets of person %q: %w", p.ID, err)
	}
	normal, _ := Normalize(entered) // Check has
	hash, err := m.hasher.Hash(ctx, normal)
	if err != nil {
		return Enrolment{}, fmt.Errorf("hash password: %w", err)
	}
	e := Enrolment{
		Password: store.Secret{ID: uuid.New(), PersonID: p.ID, Name: "Password", Kind: string(assurance.Password), CreatedAt: now},
		App:      store.Secret{ID: uuid.New(), PersonID: p.ID, Name: "Authenticator app", Kind: string(assurance.TOTP), LastStep: &step, CreatedAt: now},
	}
	e.Password.Sealed, e.App.Sealed = m.rest.Seal([]byte(hash), bound(e.Password)), m.rest.Seal(o.Key, bound(e.App))
	for _, s := range had {
		if s.Kind == e.Password.Kind {
			e.Replaces = s.ID
		}
	}
	return e, nil
}

// Record binds password and app, after the caller has revoked the password that they replace. When somebody has bound another
// one in the same moment, it fails with a *[Refusal] and the transaction is broken.
func (e Enrolment) Record(ctx context.Context, tx *store.Tx) error {
	for _, s := range []store.Secret{e.Password, e.App} {
		if err := tx.AddSecret(ctx, s); errors.Is(err, store.ErrConflict) {
			return &Refusal{Reason: Withdrawn, PersonID: s.PersonID}
		} else if err != nil {
			return fmt.Errorf("add %s of person %q: %w", s.Kind, s.PersonID, err)
		}
	}
	return nil
}
