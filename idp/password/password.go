// Package password knows passwords, and the one-time codes that are asked for beside them, as authenticators of people: the
// rules for new ones, how they rest, and a sign-in with them. It knows no HTTP.
//
// It guarantees that a password rests as a hash of Argon2id, and that and the key of an app sealed, each for its own row and
// person; that a code signs in once; that an app that somebody has is always asked for; that an answer costs as much for
// who has no password, or is not there, as for who has; that no more than a few passwords are hashed at a time; and that
// after so many failures in a row no password is right any more, until another one is bound. Nobody's passkey is touched
// by any of that.
//
// It implements
//   - NIST SP 800-63B-4: Section 3.1.1 (passwords), Section 3.1.4 (single-factor OTP), Section 3.2.2 (rate limiting)
//   - RFC 9106, Argon2id, in the string format of the Password Hashing Competition
package password

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/credence-id/credence/idp/assurance"
	"github.com/credence-id/credence/idp/seal"
	"github.com/credence-id/credence/idp/totp"
	"github.com/credence-id/credence/store"
)

// Manager verifies and binds passwords. It is safe for concurrent use.
type Manager struct {
	store  *store.Store
	hasher *Hasher
	rest   seal.Box // of secrets at rest
	begun  seal.Box // of enrolments that were begun
	now    func() time.Time
}

// New returns a manager that hashes few passwords at a time.
func New(s *store.Store, key seal.Key, now func() time.Time) *Manager {
	return &Manager{store: s, hasher: NewHasher(), rest: key.Box("authenticator secret"), begun: key.Box("password enrolment"), now: now}
}

// Collectors are the metrics of the manager.
func (m *Manager) Collectors() []prometheus.Collector { return m.hasher.Collectors() }

// service is what an app shows the key under, without a colon, and no part of a password.
const service = "Credence"

// MostFailed is how many sign-ins with a password may fail in a row. NIST SP 800-63B-4, Section 3.2.2, allows "no more than
// 100"; below it there is room for those that are under way at the same moment.
const MostFailed = 50

// The reasons of a [Refusal], beside those of [Check].
const (
	PersonUnknown = "person_unknown"
	PasswordNone  = "password_none" // there is a person, and she has none
	PasswordWrong = "password_wrong"
	PasswordShut  = "password_shut" // right or not, too many have failed
	CodeMissing   = "code_missing"  // the password is right, and she has an app
	CodeWrong     = "code_wrong"
	CodeReplayed  = "code_replayed"
	Withdrawn     = "password_withdrawn" // revoked, or replaced, while it was looked at
	OfferInvalid  = "offer_invalid"      // an enrolment was not begun by us, in this browser, for this person
	OfferExpired  = "offer_expired"
)

// Refusal is the error of a sign-in or an enrolment that failed for a reason of the other side. Besides the constants, Reason
// can be what [store.Standing.Fallen] returns.
type Refusal struct { //nolint:errname // what callers tell apart is a refusal from a failure; both are errors
	Reason   string
	PersonID string // "" as long as nobody real is named
	Proved   bool   // password and code were right
}

// Error names the reason.
func (r *Refusal) Error() string { return "password refused: " + r.Reason }

// SignIn is a sign-in that was verified and not yet recorded.
type SignIn struct {
	Person          store.Person
	AuthenticatorID uuid.UUID // the app, or without one the password
	Authentication  assurance.Authentication

	password uuid.UUID
	step     int64  // of the code
	anew     []byte // the password, hashed with the parameters of today; nil: it is already
}

// VerifySignIn verifies a user id with a password and the code of an app, for a client, "" when none is concerned. What is not
// right is a *[Refusal], and counted; when too many others sign in with passwords it is [ErrBusy]. The sign-in counts when
// it was recorded.
func (m *Manager) VerifySignIn(ctx context.Context, clientID, personID, entered, code string) (SignIn, error) {
	now := m.now()
	person, err := m.store.PersonAndClient(ctx, personID, clientID, now)
	unknown := errors.Is(err, store.ErrNotFound)
	if err != nil && !unknown {
		return SignIn{}, fmt.Errorf("read person: %w", err)
	}
	has, err := m.secrets(ctx, personID)
	if err != nil {
		return SignIn{}, err
	}
	normal, readable := Normalize(entered)
	right, stale, err := m.hasher.Verify(ctx, has.hash, normal) // whoever it is, and whatever was entered
	if err != nil {
		return SignIn{}, fmt.Errorf("verify password: %w", err)
	}
	app, step, codeRight := has.verify(code, now)
	refuse := func(reason string) (SignIn, error) {
		if has.password != nil {
			if err := m.store.CountFailedAttempt(ctx, has.password.ID); err != nil {
				return SignIn{}, fmt.Errorf("count failed attempt: %w", err)
			}
		}
		return SignIn{}, &Refusal{Reason: reason, PersonID: person.Person.ID}
	}
	switch {
	case unknown:
		return refuse(PersonUnknown)
	case has.password == nil:
		return refuse(PasswordNone)
	case has.password.FailedAttempts >= MostFailed:
		return refuse(PasswordShut)
	case !right || !readable:
		return refuse(PasswordWrong)
	case len(has.apps) > 0 && code == "":
		return refuse(CodeMissing)
	case len(has.apps) > 0 && !codeRight:
		return refuse(CodeWrong)
	case len(has.apps) > 0 && step <= *app.LastStep:
		return refuse(CodeReplayed)
	}
	if fallen := person.Fallen(); fallen != "" {
		return SignIn{}, &Refusal{Reason: fallen, PersonID: personID, Proved: true}
	}
	in := SignIn{
		Person: person.Person, AuthenticatorID: has.password.ID, password: has.password.ID,
		Authentication: assurance.Authentication{Factors: []assurance.Factor{{Method: assurance.Password}}, At: now},
	}
	if app != nil {
		in.AuthenticatorID, in.step = app.ID, step
		in.Authentication.Factors = append(in.Authentication.Factors, assurance.Factor{Method: assurance.TOTP})
	}
	if stale {
		hash, err := m.hasher.Hash(ctx, normal)
		if err != nil {
			return SignIn{}, fmt.Errorf("hash password anew: %w", err)
		}
		in.anew = m.rest.Seal([]byte(hash), bound(*has.password))
	}
	return in, nil
}

// Record spends the code and records that the password was used. When another sign-in spent the code a moment ago, or
// somebody revoked the password, it fails with a *[Refusal], which the caller records after the rollback.
func (s SignIn) Record(ctx context.Context, tx *store.Tx) error {
	at := s.Authentication.At
	if err := tx.UsePassword(ctx, s.password, MostFailed, at); errors.Is(err, store.ErrNotFound) {
		return &Refusal{Reason: Withdrawn, PersonID: s.Person.ID, Proved: true}
	} else if err != nil {
		return fmt.Errorf("use password %s: %w", s.password, err)
	}
	if s.AuthenticatorID != s.password {
		if err := tx.UseOneTimeCode(ctx, s.AuthenticatorID, s.step, at); errors.Is(err, store.ErrNotFound) {
			return &Refusal{Reason: CodeReplayed, PersonID: s.Person.ID}
		} else if err != nil {
			return fmt.Errorf("use code of app %s: %w", s.AuthenticatorID, err)
		}
	}
	if s.anew != nil {
		return tx.ReplaceSealed(ctx, s.password, s.anew)
	}
	return nil
}

// held is what somebody has, opened.
type held struct {
	password *store.Secret
	hash     string // of the password; "" without one
	apps     []app
}

type app struct {
	store.Secret
	key []byte
}

// secrets reads what somebody has. Nobody has nothing.
func (m *Manager) secrets(ctx context.Context, personID string) (held, error) {
	var h held
	secrets, err := m.store.Secrets(ctx, personID)
	if err != nil {
		return h, fmt.Errorf("read secrets of person %q: %w", personID, err)
	}
	for _, s := range secrets {
		opened, err := m.rest.Open(s.Sealed, bound(s))
		if err != nil {
			return h, fmt.Errorf("open authenticator %s: %w", s.ID, err)
		}
		if s.Kind == string(assurance.Password) {
			h.password, h.hash = &s, string(opened)
		} else {
			h.apps = append(h.apps, app{s, opened})
		}
	}
	return h, nil
}

// verify finds the app that a code is of. Of two that make the same code it is the one that did not make it before.
func (h held) verify(code string, now time.Time) (of *app, step int64, ok bool) {
	for i := range h.apps {
		if s, right := totp.Verify(h.apps[i].key, code, now); right && (!ok || step <= *of.LastStep) {
			of, step, ok = &h.apps[i], s, true
		}
	}
	return of, step, ok
}

// bound is what a secret is sealed together with, so that it opens for its own row and person only.
func bound(s store.Secret) []byte {
	return slices.Concat(s.ID[:], []byte(s.PersonID), []byte{0}, []byte(s.Kind))
}
