// Package account is where people see what is on record about themselves and keep it in order: the pages at /account.
//
// It guarantees that
//   - nobody sees or changes anything but her own: what is somebody else's is not there (404);
//   - an authenticator is added or taken away only by a sign-in of the last five minutes, as strong as the strongest that she
//     keeps, those that are suspended or lost included: reporting one lost lowers no bar;
//   - a loss is reported, an authenticator named, and sessions are ended, by a sign-in as recent and as strong as she can still make;
//   - all of this is decided again in the transaction that does it, in which none of her authenticators changes;
//   - the code by which an officer knows that the account is hers whom she proves is shown by a sign-in as recent and as strong;
//   - recovery codes are made as an authenticator is added, by a sign-in of AAL2 at least, and nobody is shown them twice;
//   - an authenticator that she adds never reaches a level above that of the sign-in by which she adds it, whatever becomes known
//     of its model later ([webauthn.Ceiling]);
//   - she is told what she loses before she takes an authenticator away, and loses no more than that;
//   - each of these acts, and each refusal, is on record.
package account

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/assurance"
	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/evidence"
	"github.com/credence-id/credence/idp/meeting"
	"github.com/credence-id/credence/idp/registration"
	"github.com/credence-id/credence/idp/session"
	"github.com/credence-id/credence/idp/signin"
	"github.com/credence-id/credence/idp/webauthn"
	"github.com/credence-id/credence/store"
	"github.com/credence-id/credence/web"
)

// Handler serves the pages.
type Handler struct {
	Store     *store.Store
	Sessions  *session.Manager
	SignIn    *signin.Handler
	WebAuthn  *webauthn.RelyingParty
	Enroller  *registration.Enroller
	Evidence  *evidence.Recorder
	Meetings  *meeting.Registrar
	Catalogue *directory.Catalogue
	Policies  *directory.Policies
	Pages     *web.Pages
	Now       func() time.Time
}

// owner is who is signed in, with what decides whether she may do something.
type owner struct {
	session.Session

	cookie session.Cookie
	kept   []store.Authenticator // active, suspended or lost
}

// active lists what she can sign in with, but for one of them; uuid.Nil leaves out none.
func (o owner) active(but uuid.UUID) []store.Authenticator {
	var list []store.Authenticator
	for _, a := range o.kept {
		if registration.State(a.State) == registration.Active && a.ID != but {
			list = append(list, a)
		}
	}
	return list
}

// find returns an active authenticator of hers.
func (o owner) find(id uuid.UUID) (store.Authenticator, error) {
	for _, a := range o.active(uuid.Nil) {
		if a.ID == id {
			return a, nil
		}
	}
	return store.Authenticator{}, fmt.Errorf("authenticator %s %w", id, directory.ErrUnknown)
}

// bar is how strongly somebody has to have signed in lately to do something; 0 is in any way and at any time.
type bar func(owner) assurance.AuthenticatorLevel

func (h *Handler) noBar(owner) assurance.AuthenticatorLevel { return 0 }

// asKept is the bar of what changes by what she can sign in.
func (h *Handler) asKept(o owner) assurance.AuthenticatorLevel {
	return max(assurance.AAL1, h.SignIn.Strongest(o.Person, o.kept))
}

// asActive is the bar of what only protects her.
func (h *Handler) asActive(o owner) assurance.AuthenticatorLevel { return h.without(o, uuid.Nil) }

// asWithout is the bar of what concerns an authenticator that she may not have any more.
func (h *Handler) asWithout(lost uuid.UUID) bar {
	return func(o owner) assurance.AuthenticatorLevel { return h.without(o, lost) }
}

func (h *Handler) without(o owner, id uuid.UUID) assurance.AuthenticatorLevel {
	return max(assurance.AAL1, h.SignIn.Strongest(o.Person, o.active(id)))
}

// lately is how long ago a sign-in may have been to do what has a bar.
const lately = 5 * time.Minute

// longestReturn bounds the address that travels with a sign-in, because its pages have it in theirs.
const longestReturn = 500

// needs is what is asked of whoever comes to a page.
func (h *Handler) needs(r *http.Request, level assurance.AuthenticatorLevel) signin.Request {
	back := r.URL.RequestURI()
	if len(back) > longestReturn {
		back = "/account"
	}
	req := signin.Request{ReturnTo: back, ClientName: h.words(r).Say("Your account"), Freshness: assurance.Freshness{AskedAt: h.Now()}}
	if level > 0 {
		req.Freshness.MaxAge, req.Demand.MinimumAuthenticator = new(lately), level
	}
	return req
}

// owners lets people to a page of theirs, and nobody else. Whoever has not signed in, or not strongly or lately enough, does so
// first, and comes back to the page.
func (h *Handler) owners(of func(*http.Request) bar, page func(http.ResponseWriter, *http.Request, owner) error) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		o, step, req, err := h.enter(r, of(r))
		if err != nil {
			return err
		}
		if step != signin.Done {
			return h.SignIn.Show(w, r, step, req, h.Sessions.Browser(w, r))
		}
		err = page(w, r, o)
		if errors.Is(err, errAgain) { // by now
			return web.SeeOther(w, r, r.URL.RequestURI())
		}
		if errors.Is(err, directory.ErrUnknown) {
			return &web.Problem{
				Status: http.StatusNotFound, Title: "There is nothing here",
				Message: "What this page is about is not yours, or not there any more.", Next: "Go to your account and look for it there.",
			}
		}
		return err
	}
}

// enter finds who is there, and what she has to do before she may go on.
func (h *Handler) enter(r *http.Request, b bar) (owner, signin.Step, signin.Request, error) {
	o := owner{cookie: h.Sessions.CookieOf(r)}
	var err error
	o.Session, err = h.Sessions.Find(r.Context(), o.cookie, "")
	if errors.Is(err, session.ErrNone) {
		return o, signin.Authenticate, h.needs(r, 0), nil
	}
	if err != nil {
		return o, 0, signin.Request{}, err
	}
	if o.kept, err = h.Store.KeptAuthenticators(r.Context(), o.Person.ID); err != nil {
		return o, 0, signin.Request{}, fmt.Errorf("list authenticators of person %s: %w", o.Person.ID, err)
	}
	req := h.needs(r, b(o))
	step, err := h.SignIn.Within(r.Context(), &req, &o.Session)
	return o, step, req, err
}

// errAgain says that the sign-in which let somebody do something does not let her any more.
var errAgain = errors.New("the sign-in is not enough any more")

// again decides once more, in a transaction in which none of her authenticators changes.
func (h *Handler) again(ctx context.Context, tx *store.Tx, o owner, b bar) (owner, error) {
	if err := tx.LockAuthenticators(ctx, o.Person.ID); err != nil {
		return o, fmt.Errorf("lock authenticators of person %s: %w", o.Person.ID, err)
	}
	now := owner{cookie: o.cookie}
	var err error
	now.Session, err = h.Sessions.FindAgain(ctx, tx, o.cookie)
	if errors.Is(err, session.ErrNone) || err == nil && now.Person.ID != o.Person.ID {
		return o, errAgain
	}
	if err != nil {
		return o, err
	}
	if now.kept, err = tx.KeptAuthenticators(ctx, o.Person.ID); err != nil {
		return o, fmt.Errorf("list authenticators of person %s: %w", o.Person.ID, err)
	}
	enough := signin.Request{
		Freshness: assurance.Freshness{MaxAge: new(lately), AskedAt: h.Now()}, Demand: assurance.Demand{MinimumAuthenticator: b(now)},
	}
	if signin.Next(enough, &now.Session, h.Now()) != signin.Done {
		return o, errAgain
	}
	return now, nil
}

// by is the line of the record of what she does, without what it is.
func (h *Handler) by(o owner) audit.Entry {
	return audit.Entry{At: h.Now(), Actor: o.Person.ID, Person: o.Person.ID, Session: o.ID}
}

// refuse records that she came for what she may not do, and returns why.
func (h *Handler) refuse(ctx context.Context, e audit.Entry, refusal string, why error) error {
	e.Refusal = refusal
	return cmp.Or(audit.Refuse(ctx, h.Store, e), why)
}
