// Package signin takes an end-user from no session to one that satisfies a request: it authenticates, and has the role
// chosen in which the person acts.
//
// What is asked travels sealed in the address of each page, with the browser that asked, so that nothing is stored before
// somebody has signed in and nobody can finish what another browser began. Every step posts to its own page, records
// its outcome in the session, and goes where [Next] says: to a further step, or to where the request came from, which
// decides again within the same transaction and may give at once what was asked for. The package knows nothing of OAuth, and whoever has something to protect can ask it the same way.
package signin

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/assurance"
	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/evidence"
	"github.com/credence-id/credence/idp/password"
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
	Passwords *password.Manager
	Evidence  *evidence.Recorder
	Catalogue *directory.Catalogue
	Policies  *directory.Policies
	Pages     *web.Pages
	Throttle  *throttle.Limiter
	Box       seal.Box // of pending sign-ins
	Now       func() time.Time
	Log       *slog.Logger

	// Return takes a request up again that somebody is about to satisfy: Request.ReturnTo, in the browser that it is bound to.
	Return func(ctx context.Context, to string, browser []byte) Returning

	// RecoverURL is the page for recovery codes, to which the sign-in page leads. "" is none.
	RecoverURL string

	// Simulated lists the people of the development server, who can be signed in without an authenticator. It is nil
	// elsewhere, and then there is no such page.
	Simulated []directory.FixedPerson
}

// Returning decides again, by the session with which a request is satisfied, and says where the browser goes. It is part of
// the transaction that wrote the session and reads nothing outside it; with its error nothing of that has happened.
type Returning func(ctx context.Context, tx *store.Tx, s session.Session) (location string, err error)

// RoleNeed is what a request asks about the role in which somebody acts.
type RoleNeed int

// The needs of a role.
const (
	NoMatter     RoleNeed = iota // the request does not care
	RoleIfHeld                   // a role is chosen by whoever has one; others go on without
	RoleRequired                 // nobody goes on without a role
)

// Request is what somebody has to satisfy, and where to go on then. It travels sealed, several times in a page, so what is
// not asked is left out.
type Request struct {
	ReturnTo   string              `json:",omitzero"` // path and query on this host: where the request came from, and decides again
	Cancelable bool                `json:",omitzero"` // a person who gives up returns with GivenUp
	Freshness  assurance.Freshness // when the sign-in has to have been
	Role       RoleNeed            `json:",omitzero"`
	ChooseRole bool                `json:",omitzero"` // the role is chosen again, if that was not done since the request was first asked
	ClientID   string              `json:",omitzero"` // for whom it is; "" when nobody asked
	ClientName string              `json:",omitzero"`
	Username   string              `json:",omitzero"` // whom the client thinks it is about: a suggestion
	Languages  string              `json:",omitzero"` // which the client asks pages to be in, best first: BCP 47 tags between spaces
	FormAction []string            `json:",omitzero"` // CSP sources to which the chain of redirects may lead

	Demand      assurance.Demand `json:",omitzero"` // the levels that it asks for
	Unable      bool             `json:",omitzero"` // she has nothing to sign in with that would reach them
	CanContinue bool             `json:",omitzero"` // less will do: she may return with Settled
	RoleURL     string           `json:",omitzero"` // where she can choose another role, in which less may be asked
}

// What ends Request.ReturnTo for a person who does not do all that was asked. These are no further addresses beside that,
// because all of a request travels in the address of each page, and proxies take only so much.
const (
	Settled = "." // she goes no further than what has to be
	GivenUp = "~" // she does not go on
)

// maxAge is how long a pending sign-in can be taken up again.
const maxAge = time.Hour

// Step is what a person has to do next.
type Step int

// The steps of a sign-in.
const (
	Done Step = iota
	Authenticate
	StepUp // sign in again, more strongly
	Unmet  // nothing that she can do here closes the gap
	ChooseRole
)

// Next is the step that a session needs to satisfy a request; nil is nobody signed in.
func Next(req Request, s *session.Session, now time.Time) Step {
	if s == nil || !req.Freshness.SatisfiedBy(s.AuthenticatedAt, now) {
		return Authenticate
	}
	if step := req.gap(*s).step(); step != Done {
		return step
	}
	switch {
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
type refusal struct {
	message string
	forget  bool // the credential will never work here again
}

func (r *refusal) Error() string { return r.message }

// signedIn is what a sign-in gives the browser: the cookie of the session that it began, and where to go on.
type signedIn struct {
	cookie   session.Cookie
	location string
}

// withPasskey finishes a WebAuthn ceremony: at most three round trips, one transaction. A refusal is a *refusal, or a
// *throttle.LimitError. Limits are asked after the answer did not verify, so that the right one always gets in.
func (h *Handler) withPasskey(ctx context.Context, p pending, old session.Cookie, ceremony string, response []byte) (signedIn, error) {
	ctx, span := trace.Start(ctx, "signin.WithPasskey")
	defer span.End()
	assertion, err := h.WebAuthn.VerifySignIn(ctx, p.ClientID, ceremony, p.browser, response)
	if err != nil {
		return signedIn{}, h.refusePasskey(ctx, p.ClientID, err)
	}
	in, err := h.begin(ctx, p, old, assertion.Person, assertion.AuthenticatorID, assertion.Authentication, assertion.Record)
	if errors.Is(err, store.ErrReplayed) {
		return signedIn{}, h.refusePasskey(ctx, p.ClientID, &webauthn.Refusal{Reason: webauthn.ChallengeReplayed, PersonID: assertion.Person.ID, Proved: true})
	}
	return in, err
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
	case refused.Reason == clientDisabled:
		return h.withdrawn(ctx, clientID, entry)
	case refused.Reason == webauthn.ModelRevoked:
		return h.refuse(ctx, entry, "This kind of passkey or security key is no longer safe, so you cannot sign in with it. Sign in with another one, and ask your registration authority to replace it.")
	case refused.OfModel():
		return h.refuse(ctx, entry, "Your organisation does not accept this kind of passkey or security key. Sign in with another one, or ask your registration authority for one that it accepts.")
	case refused.Proved:
		err = h.refuse(ctx, entry, words)
	default:
		err = h.failed(ctx, clientID, entry, words)
	}
	if said, ok := errors.AsType[*refusal](err); ok {
		said.forget = refused.Forget
	}
	return err
}

// clientDisabled is what [store.Standing.Fallen] says when the service may no longer ask.
const clientDisabled = "client_disabled"

// withdrawn refuses a sign-in for a service that was taken out of use since the page was shown. Nothing else was wrong.
func (h *Handler) withdrawn(ctx context.Context, clientID string, entry audit.Entry) error {
	entry.Client = clientID
	return h.refuse(ctx, entry, "You are not signed in, because the service that sent you here has been taken out of use. Ask its help desk.")
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
		return &refusal{message: words}
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
	return &refusal{message: words}
}

// simulate signs in whom the developer chose, by a method that nobody carries out. It refuses like withPasskey.
func (h *Handler) simulate(ctx context.Context, p pending, old session.Cookie, username string, method assurance.Method) (signedIn, error) {
	now := h.Now()
	found, err := h.Store.PersonAndClient(ctx, username, p.ClientID, now)
	if errors.Is(err, store.ErrNotFound) {
		return signedIn{}, h.failed(ctx, p.ClientID, audit.Entry{Refusal: "person_unknown"}, "There is no person with this user ID")
	}
	if err != nil {
		return signedIn{}, fmt.Errorf("read person: %w", err)
	}
	entry := audit.Entry{At: now, Event: audit.SignedIn, Refusal: found.Fallen(), Person: found.Person.ID, Detail: map[string]string{"method": "simulated"}}
	switch entry.Refusal {
	case "":
	case clientDisabled:
		return signedIn{}, h.withdrawn(ctx, p.ClientID, entry)
	default:
		return signedIn{}, h.failed(ctx, p.ClientID, entry, "This person is disabled: `credence person enable "+found.Person.ID+"` lets them in again")
	}
	if method == "" {
		method = h.UsualMethod(username)
	}
	return h.begin(ctx, p, old, found.Person, uuid.Nil, assurance.Simulate(method, now), func(context.Context, *store.Tx) error { return nil })
}

// UsualMethod is the method by which a sign-in of somebody is simulated when none is named.
func (h *Handler) UsualMethod(username string) assurance.Method {
	for _, p := range h.Simulated {
		if p.ID == username {
			return p.Method
		}
	}
	return assurance.Passkey
}

// begin begins the session, in one transaction with what the authenticator has to record, with the audit event and, when no
// step is left, with what the request was for.
func (h *Handler) begin(ctx context.Context, p pending, old session.Cookie, person store.Person, authenticatorID uuid.UUID, a assurance.Authentication,
	record func(context.Context, *store.Tx) error,
) (signedIn, error) {
	var in signedIn
	returning := h.Return(ctx, p.ReturnTo, p.browser)
	err := h.Store.InTx(ctx, func(tx *store.Tx) error {
		if err := record(ctx, tx); err != nil {
			return err
		}
		s, cookie, err := h.Sessions.Begin(ctx, tx, old, person, authenticatorID, a)
		if err != nil {
			return err
		}
		detail := map[string]string{"method": string(a.Method()), "authenticator_level": a.Level().String()}
		if authenticatorID != uuid.Nil {
			detail["authenticator"] = authenticatorID.String()
		}
		if a.Simulated {
			detail["simulated"] = "true"
		}
		if s.Role != nil { // which goes on, or is the only one: nobody has to choose it
			detail["role"] = s.Role.ID
		}
		entry := audit.Entry{At: a.At, Event: audit.SignedIn, Person: person.ID, Session: s.ID, Detail: detail}
		if err := audit.Record(ctx, tx, entry); err != nil {
			return err
		}
		in.cookie = cookie
		in.location, err = h.on(ctx, tx, p, s, returning)
		return err
	})
	return in, err
}

// choose makes a role the active one, in one transaction with what the request was for. It returns where to go on, or
// session.ErrRole.
func (h *Handler) choose(ctx context.Context, p pending, s session.Session, roleID string) (string, error) {
	var location string
	var refused error
	returning := h.Return(ctx, p.ReturnTo, p.browser)
	err := h.Store.InTx(ctx, func(tx *store.Tx) error {
		chosen, err := h.Sessions.ChooseRole(ctx, tx, s, roleID)
		if errors.Is(err, session.ErrRole) {
			refused = err // which was recorded
			return nil
		}
		if err != nil {
			return err
		}
		location, err = h.on(ctx, tx, p, chosen, returning)
		return err
	})
	if err != nil {
		return "", err
	}
	return location, refused
}

// on says where a session goes on that was just written: at a further step, or where the request is satisfied.
func (h *Handler) on(ctx context.Context, tx *store.Tx, p pending, s session.Session, returning Returning) (string, error) {
	if step := Next(p.Request, &s, h.Now()); step != Done {
		return p.next(step), nil
	}
	return returning(ctx, tx, s)
}
