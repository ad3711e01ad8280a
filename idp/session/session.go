// Package session keeps the browser session of a person who has signed in: its cookie, its limits, its active role and
// its end.
//
// The cookie is 256 random bits and rests as a hash. It changes at every sign-in, so that no cookie that was there
// before somebody signed in is worth anything after. The session's id, the `sid` of tokens, stays for as long as the same
// person goes on in the same browser. Sessions end when nothing is asked of them and after an absolute time, both by the
// level of the sign-in (NIST SP 800-63B-4, Section 5.2), and at once when person, authenticator or session is disabled.
package session

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/assurance"
	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/idp/trace"
	"github.com/credence-id/credence/store"
)

// ErrNone says that nobody is signed in.
var ErrNone = errors.New("nobody is signed in")

// Manager finds, begins and ends sessions.
type Manager struct {
	Store  *store.Store
	Secure bool // the issuer is https
	Now    func() time.Time
}

// Session is a live session: somebody is signed in.
type Session struct {
	ID              uuid.UUID
	Person          store.Person
	Level           assurance.AuthenticatorLevel
	AMR             []string
	AuthenticatedAt time.Time
	Role            *store.Role // the active one; nil when there is none
	AuthenticatorID *uuid.UUID  // of the last sign-in; nil when it was simulated
	RoleChosenAt    time.Time   // zero until a role, or to act in none, was chosen
	ClientStands    bool        // the client that was asked about is enabled; nobody signs in for another

	idleAt, expiresAt time.Time
}

// Live says whether somebody is signed in by the session at a time: it has not timed out.
func (s Session) Live(now time.Time) bool { return now.Before(s.idleAt) && now.Before(s.expiresAt) }

// Cookie is the value of a session cookie: the proof that a browser has the session.
type Cookie string

func newCookie() Cookie { return Cookie(rand.Text() + rand.Text()) } // 260 bits

func (c Cookie) hash() []byte {
	if c == "" {
		return nil
	}
	sum := sha256.Sum256([]byte(c))
	return sum[:]
}

// Find returns the live session of a cookie, or ErrNone. It also reads whether the given client is enabled; "" when
// none is concerned. Without a cookie it asks the database nothing.
func (m *Manager) Find(ctx context.Context, c Cookie, clientID string) (Session, error) {
	if c == "" {
		return Session{}, ErrNone
	}
	ctx, span := trace.Start(ctx, "session.Find")
	defer span.End()
	live, err := m.Store.Session(ctx, c.hash(), clientID, m.Now())
	return standing(live, err)
}

// FindAgain is Find in a transaction, for what must not happen when the session does not stand any more.
func (m *Manager) FindAgain(ctx context.Context, tx *store.Tx, c Cookie) (Session, error) {
	live, err := tx.Session(ctx, c.hash(), "", m.Now())
	return standing(live, err)
}

// standing is the session that was read, or ErrNone when there is none, or what it rests on has fallen.
func standing(live store.LiveSession, err error) (Session, error) {
	if errors.Is(err, store.ErrNotFound) {
		return Session{}, ErrNone
	}
	if err != nil {
		return Session{}, fmt.Errorf("read session: %w", err)
	}
	if !live.PersonStands || !live.SessionStands || !live.AuthenticatorStands {
		return Session{}, ErrNone
	}
	return read(live), nil
}

// FindToEnd is Find for signing out: it also finds a session that has timed out. Nobody is signed in by it any more, but
// what was granted in it stands until it ends.
func (m *Manager) FindToEnd(ctx context.Context, c Cookie) (Session, error) {
	if c == "" {
		return Session{}, ErrNone
	}
	found, err := m.Store.TimedOutSession(ctx, c.hash(), m.Now())
	if errors.Is(err, store.ErrNotFound) {
		return Session{}, ErrNone
	}
	if err != nil {
		return Session{}, fmt.Errorf("read session: %w", err)
	}
	return read(found), nil
}

func read(live store.LiveSession) Session {
	s := Session{
		ID: live.ID, Person: live.Person, Level: assurance.AuthenticatorLevel(live.AuthenticatorLevel), AMR: live.Methods,
		AuthenticatedAt: live.AuthenticatedAt, AuthenticatorID: live.AuthenticatorID, ClientStands: live.ClientStands, idleAt: live.IdleAt, expiresAt: live.ExpiresAt,
	}
	s.role(live.RoleID, live.RoleChosenAt)
	return s
}

// role takes over the choice of a role. A chosen role that the person no longer holds is no choice: she is asked again.
func (s *Session) role(id *string, chosenAt *time.Time) {
	if chosenAt == nil {
		return
	}
	if id != nil {
		role, held := s.Person.Role(*id)
		if !held {
			return
		}
		s.Role = &role
	}
	s.RoleChosenAt = *chosenAt
}

// Begin begins the session of a person who has just signed in, in the transaction of the sign-in, and returns it with
// the browser's new cookie. old is the cookie it had: the same person's session goes on under its id, anybody else's
// ends. A person with one role acts in it.
func (m *Manager) Begin(ctx context.Context, tx *store.Tx, old Cookie, p store.Person, authenticatorID uuid.UUID, a assurance.Authentication) (Session, Cookie, error) {
	ctx, span := trace.Start(ctx, "session.Begin")
	defer span.End()
	level, cookie := a.Level(), newCookie()
	row := store.Session{
		ID: uuid.Must(uuid.NewV7()), PersonID: p.ID, AuthenticatorLevel: int(level), Methods: a.AMR(), AuthenticatedAt: a.At,
		IdleAt: a.At.Add(level.IdleLimit()), ExpiresAt: a.At.Add(level.AbsoluteLimit()),
	}
	if authenticatorID != uuid.Nil {
		row.AuthenticatorID = &authenticatorID
	}
	if len(p.Roles) == 1 {
		row.RoleID, row.RoleChosenAt = &p.Roles[0].ID, &a.At
	}
	begun, err := begin(ctx, tx, row, old, cookie)
	if err != nil {
		return Session{}, "", fmt.Errorf("begin session: %w", err)
	}
	if begun.EndedID != nil {
		ended := audit.Entry{At: a.At, Actor: p.ID, Person: *begun.EndedPersonID}
		err = audit.RecordEnds(ctx, tx, ended, "somebody else signed in", *begun.EndedID)
	}
	s := Session{
		ID: begun.ID, Person: p, Level: level, AMR: row.Methods, AuthenticatedAt: a.At, AuthenticatorID: row.AuthenticatorID, ClientStands: true,
		idleAt: row.IdleAt, expiresAt: row.ExpiresAt,
	}
	s.role(begun.RoleID, begun.RoleChosenAt)
	return s, cookie, err
}

// begin writes the session down. In a browser that had none nothing goes on and nothing ends.
func begin(ctx context.Context, tx *store.Tx, s store.Session, old, cookie Cookie) (store.BegunSession, error) {
	if old == "" {
		return store.BegunSession{ID: s.ID, RoleID: s.RoleID, RoleChosenAt: s.RoleChosenAt}, tx.AddSession(ctx, s, cookie.hash(), s.AuthenticatedAt)
	}
	return tx.BeginSession(ctx, s, old.hash(), cookie.hash(), s.AuthenticatedAt)
}

// Touch puts off the end of an idle session, with the statements of a transaction that writes anyway. It writes only
// when that moves the end by more than a tenth.
func (m *Manager) Touch(ctx context.Context, tx *store.Tx, s Session) error {
	limit := s.Level.IdleLimit()
	idleAt := m.Now().Add(limit)
	if idleAt.After(s.expiresAt) {
		idleAt = s.expiresAt
	}
	if idleAt.Sub(s.idleAt) < limit/10 {
		return nil
	}
	return tx.TouchSession(ctx, s.ID, idleAt)
}

// Keep is Touch in a transaction of its own.
func (m *Manager) Keep(ctx context.Context, s Session) error {
	return m.Store.InTx(ctx, func(tx *store.Tx) error { return m.Touch(ctx, tx, s) })
}

// ErrRole says that a role was chosen that is not a current role of the person.
var ErrRole = errors.New("not a current role of this person")

// ChooseRole makes a role the active one, in the transaction it is given, and returns the session with it; "" is the choice
// to act in none. One that is not a current role of the person is ErrRole, and is recorded, because a page of ours offers no
// such role: the transaction is to be committed all the same.
func (m *Manager) ChooseRole(ctx context.Context, tx *store.Tx, s Session, roleID string) (Session, error) {
	now := m.Now()
	var chosen *string
	if roleID != "" {
		chosen = &roleID
	}
	entry := audit.Entry{At: now, Event: audit.RoleChosen, Person: s.Person.ID, Session: s.ID, Detail: map[string]string{"role": roleID}}
	if !wellFormed(roleID) { // it can be no role's id, nor even text
		entry.Refusal, entry.Detail = roleNotHeld, nil
	}
	if entry.Refusal == "" {
		err := tx.ChooseRole(ctx, s.ID, chosen, now)
		if errors.Is(err, store.ErrNotFound) {
			entry.Refusal = roleNotHeld
		} else if err != nil {
			return Session{}, fmt.Errorf("choose role: %w", err)
		}
	}
	if err := audit.Record(ctx, tx, entry); err != nil {
		return Session{}, err
	}
	if entry.Refusal != "" {
		return Session{}, ErrRole
	}
	s.Role, s.RoleChosenAt = nil, time.Time{} // of a role that was granted since the session was read it does not know
	s.role(chosen, &now)
	return s, nil
}

const roleNotHeld = "role_not_held"

// wellFormed says whether an outside value looks like an id, so that it may be asked of the database and stand in the
// record.
func wellFormed(id string) bool {
	return len(id) <= 32 && !slices.ContainsFunc([]byte(id), func(b byte) bool { return b < '0' || b > '9' })
}

// End ends a session: the person signed out. With it end the grants that were given in it.
func (m *Manager) End(ctx context.Context, s Session) error {
	now := m.Now()
	err := m.Store.InTx(ctx, func(tx *store.Tx) error {
		if err := tx.EndSession(ctx, s.ID, now); err != nil {
			return err
		}
		return audit.RecordEnds(ctx, tx, audit.Entry{At: now, Person: s.Person.ID}, "signed out", s.ID)
	})
	if err != nil {
		return fmt.Errorf("end session: %w", err)
	}
	return nil
}

// EndAll ends every session of a person: she signed out everywhere.
func (m *Manager) EndAll(ctx context.Context, personID string) error {
	now := m.Now()
	err := m.Store.InTx(ctx, func(tx *store.Tx) error {
		ended, err := tx.EndSessions(ctx, personID, now)
		if err != nil {
			return err
		}
		return audit.RecordEnds(ctx, tx, audit.Entry{At: now, Person: personID}, "signed out everywhere", ended...)
	})
	if err != nil {
		return fmt.Errorf("end sessions: %w", err)
	}
	return nil
}
