// Package signin takes an end-user from no session to one that satisfies a request: it authenticates, and has the role
// chosen in which the person acts.
//
// What is asked travels sealed in the address of each page, with the browser that asked, so that nothing is stored before
// somebody has signed in and nobody can finish what another browser began. Every step posts to its own page, records
// its outcome in the session, and goes where [Next] says: to a further step, or back to where the request came from,
// which decides again. The package knows nothing of OAuth, and whoever has something to protect can ask it the same way.
package signin

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"time"

	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/assurance"
	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/seal"
	"github.com/credence-id/credence/idp/session"
	"github.com/credence-id/credence/idp/throttle"
	"github.com/credence-id/credence/idp/trace"
	"github.com/credence-id/credence/idp/webauthn"
	"github.com/credence-id/credence/store"
	"github.com/credence-id/credence/web"
)

// Handler serves the pages of a sign-in.
type Handler struct {
	Store     *store.Store
	Sessions  *session.Manager
	WebAuthn  *webauthn.RelyingParty
	Catalogue *directory.Catalogue
	Pages     *web.Pages
	Throttle  *throttle.Limiter
	Box       seal.Box // of pending sign-ins
	Now       func() time.Time
	Log       *slog.Logger

	// Simulated lists the people of the development server, who can be signed in without an authenticator. It is nil
	// elsewhere, and then there is no such page.
	Simulated []directory.FixedPerson
}

// RoleNeed is what a request asks about the role in which somebody acts.
type RoleNeed int

// The needs of a role.
const (
	NoMatter     RoleNeed = iota // the request does not care
	RoleIfHeld                   // a role is chosen by whoever has one; others go on without
	RoleRequired                 // nobody goes on without a role
)

// Request is what somebody has to satisfy, and where to go on then. It is sealed while it travels.
type Request struct {
	ReturnTo   string              // path and query on this host: where the request came from, and decides again
	CancelTo   string              // where a person goes who gives up; "" when there is nowhere
	Freshness  assurance.Freshness // when the sign-in has to have been
	Role       RoleNeed
	ChooseRole bool   // the role is chosen again, if that was not done since the request was first asked
	ClientID   string // for whom it is; "" when nobody asked
	ClientName string
	Username   string   // whom the client thinks it is about: a suggestion
	FormAction []string // CSP sources to which the chain of redirects may lead
}

// maxAge is how long a pending sign-in can be taken up again.
const maxAge = time.Hour

// Step is what a person has to do next.
type Step int

// The steps of a sign-in.
const (
	Done Step = iota
	Authenticate
	ChooseRole
)

// Next is the step that a session needs to satisfy a request; nil is nobody signed in.
func Next(req Request, s *session.Session, now time.Time) Step {
	switch {
	case s == nil || !req.Freshness.SatisfiedBy(s.AuthenticatedAt, now):
		return Authenticate
	case req.Role == NoMatter && !req.ChooseRole:
		return Done
	case s.RoleChosenAt.IsZero(),
		s.Role == nil && len(s.Person.Roles) > 0, // a role was granted since
		s.Role == nil && req.Role == RoleRequired,
		req.ChooseRole && s.RoleChosenAt.Before(req.Freshness.AskedAt) && len(s.Person.Roles) > 1:
		return ChooseRole
	}
	return Done
}

// URL is the page of a step of a request, for the browser that the request is bound to.
func (h *Handler) URL(step Step, req Request, browser []byte) (string, error) {
	path := "/sign-in"
	switch step {
	case Done:
		return req.ReturnTo, nil
	case Authenticate:
	case ChooseRole:
		path = "/sign-in/role"
	}
	state, err := h.seal(req, browser)
	if err != nil {
		return "", err
	}
	return path + "?" + url.Values{"state": {state}}.Encode(), nil
}

// travelling is a pending request as it is sealed, with the browser that alone may go on with it.
type travelling struct {
	Request
	Browser []byte
}

func (h *Handler) seal(req Request, browser []byte) (string, error) {
	return h.Box.SealJSON(travelling{req, browser}, nil)
}

// errStale says that a pending request cannot go on here: it was begun in another browser, or too long ago. It can begin
// again where it came from, where everything is decided anew.
var errStale = errors.New("the pending sign-in is stale")

// open opens a pending request. One that we did not seal is seal.ErrSeal, one that may only begin again errStale.
func (h *Handler) open(state string, browser []byte) (Request, error) {
	var t travelling
	if err := h.Box.OpenJSON(state, nil, &t); err != nil {
		return Request{}, err
	}
	if subtle.ConstantTimeCompare(t.Browser, browser) != 1 || h.Now().Sub(t.Freshness.AskedAt) > maxAge {
		return t.Request, errStale
	}
	return t.Request, nil
}

// refusal is why a sign-in was refused, in words for the person.
type refusal struct{ message string }

func (r *refusal) Error() string { return r.message }

// signedIn is a session that a sign-in began, and its cookie.
type signedIn struct {
	session session.Session
	cookie  session.Cookie
}

// withPasskey finishes a WebAuthn ceremony: at most three round trips, one transaction. A refusal is a *refusal, or a
// *throttle.LimitError. Limits are asked after the answer did not verify, so that the right one always gets in.
func (h *Handler) withPasskey(ctx context.Context, p pending, old session.Cookie, ceremony string, response []byte) (signedIn, error) {
	ctx, span := trace.Start(ctx, "signin.WithPasskey")
	defer span.End()
	assertion, err := h.WebAuthn.VerifySignIn(ctx, ceremony, p.browser, response)
	if err != nil {
		return signedIn{}, h.refusePasskey(ctx, p.ClientID, err)
	}
	out, err := h.begin(ctx, old, assertion.Person, assertion.AuthenticatorID, assertion.Authentication, assertion.Record)
	if errors.Is(err, store.ErrReplayed) {
		return signedIn{}, h.refusePasskey(ctx, p.ClientID, &webauthn.Refusal{Reason: webauthn.ChallengeReplayed, PersonID: assertion.Person.ID, Proved: true})
	}
	return out, err
}

// refusePasskey counts or records a refusal, and says it in words that tell a stranger nothing.
func (h *Handler) refusePasskey(ctx context.Context, clientID string, err error) error {
	refused, ok := errors.AsType[*webauthn.Refusal](err)
	if !ok {
		return err
	}
	trace.Refuse(ctx, refused.Reason)
	h.Log.DebugContext(ctx, "passkey refused", slog.String("reason", refused.Reason), slog.Any("cause", refused.Unwrap()))
	entry := audit.Entry{At: h.Now(), Event: audit.SignedIn, Refusal: refused.Reason, Person: refused.PersonID}
	const words = "We could not sign you in with that passkey or security key. Try again, or use another one. If none works, contact your registration authority."
	switch {
	case refused.Reason == webauthn.CeremonyExpired: // no failure: somebody was called away
		return h.refuse(ctx, entry, "This page was open for too long. Reload it and try again.")
	case refused.Proved:
		return h.refuse(ctx, entry, words)
	}
	return h.failed(ctx, clientID, entry, words)
}

// failed counts a sign-in in which nothing was proved, and refuses it. Beyond a limit it is not recorded, and the refusal
// is a *throttle.LimitError. It is not when the limit is the person's: an answer that turned after so many failures would
// tell her authenticators from the decoys of somebody who does not exist (WebAuthn Level 3, Section 14.6.2).
func (h *Handler) failed(ctx context.Context, clientID string, entry audit.Entry, words string) error {
	err := h.Throttle.Failed(ctx, throttle.Subject{Limit: throttle.SignInAddress, Address: audit.RequestOf(ctx).Address},
		throttle.Subject{Limit: throttle.SignInClient, Client: clientID}, throttle.Subject{Limit: throttle.SignInPerson, Person: entry.Person})
	if err == nil {
		return h.refuse(ctx, entry, words)
	}
	audit.RequestOf(ctx).Refusal.Reason = entry.Refusal
	if beyond, ok := errors.AsType[*throttle.LimitError](err); ok && beyond.Limit == throttle.SignInPerson {
		return &refusal{words}
	}
	return err
}

// refuse has the log event of the request say why, records a refusal that names a person, and returns it.
func (h *Handler) refuse(ctx context.Context, entry audit.Entry, words string) error {
	audit.RequestOf(ctx).Refusal.Reason = entry.Refusal
	if entry.Person != "" {
		if err := audit.Record(ctx, h.Store, entry); err != nil {
			return fmt.Errorf("record refusal: %w", err)
		}
	}
	return &refusal{words}
}

// simulate signs in whom the developer chose, by a method that nobody carries out. It refuses like withPasskey.
func (h *Handler) simulate(ctx context.Context, clientID string, old session.Cookie, username string, method assurance.Method) (signedIn, error) {
	now := h.Now()
	found, err := h.Store.Person(ctx, username, now)
	if errors.Is(err, store.ErrNotFound) {
		return signedIn{}, h.failed(ctx, clientID, audit.Entry{Refusal: "person_unknown"}, "There is no person with this user ID")
	}
	if err != nil {
		return signedIn{}, fmt.Errorf("read person: %w", err)
	}
	if fallen := found.Fallen(); fallen != "" {
		entry := audit.Entry{At: now, Event: audit.SignedIn, Refusal: fallen, Person: found.Person.ID, Detail: map[string]string{"method": "simulated"}}
		return signedIn{}, h.failed(ctx, clientID, entry, "This person is disabled: `credence person enable "+found.Person.ID+"` lets them in again")
	}
	if method == "" {
		method = h.usualMethod(username)
	}
	return h.begin(ctx, old, found.Person, uuid.Nil, assurance.Simulate(method, now), func(context.Context, *store.Tx) error { return nil })
}

func (h *Handler) usualMethod(username string) assurance.Method {
	for _, p := range h.Simulated {
		if p.ID == username {
			return p.Method
		}
	}
	return assurance.Passkey
}

// begin begins the session, in one transaction with what the authenticator has to record and with the audit event.
func (h *Handler) begin(ctx context.Context, old session.Cookie, p store.Person, authenticatorID uuid.UUID, a assurance.Authentication,
	record func(context.Context, *store.Tx) error,
) (signedIn, error) {
	var out signedIn
	err := h.Store.InTx(ctx, func(tx *store.Tx) error {
		err := record(ctx, tx)
		if err != nil {
			return err
		}
		if out.session, out.cookie, err = h.Sessions.Begin(ctx, tx, old, p, authenticatorID, a); err != nil {
			return err
		}
		detail := map[string]string{"method": string(a.Method), "authenticator_level": a.Level().String()}
		if authenticatorID != uuid.Nil {
			detail["authenticator"] = authenticatorID.String()
		}
		if a.Simulated {
			detail["simulated"] = "true"
		}
		return audit.Record(ctx, tx, audit.Entry{At: a.At, Event: audit.SignedIn, Person: p.ID, Session: out.session.ID, Detail: detail})
	})
	return out, err
}
