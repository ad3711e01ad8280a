package account

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/assurance"
	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/registration"
	"github.com/credence-id/credence/idp/signin"
	"github.com/credence-id/credence/idp/webauthn"
	"github.com/credence-id/credence/store"
	"github.com/credence-id/credence/web"
)

const authenticatorsPath = "/account/authenticators"

// authenticators lists what she signs in with, and what she had.
func (h *Handler) authenticators(w http.ResponseWriter, r *http.Request, o owner) error {
	order, sorting := h.inTime(r, store.Order{By: store.ByTime})
	list, err := h.Store.AuthenticatorsOf(r.Context(), o.Person.ID, order, afterUUID(r), linesPerPage+1)
	if err != nil {
		return fmt.Errorf("list authenticators of person %s: %w", o.Person.ID, err)
	}
	page := web.AccountAuthenticators{Account: h.account(r, o), Sorting: sorting, URL: authenticatorsPath, AddURL: authenticatorsPath + "/new"}
	if len(list) > linesPerPage {
		list = list[:linesPerPage]
		page.NextURL = onward(r, list[linesPerPage-1].ID.String())
	}
	if added, err := uuid.Parse(r.URL.Query().Get("added")); err == nil {
		if a, err := o.find(added); err == nil {
			page.Added = a.Name
		}
	}
	for _, a := range list {
		shown := h.authenticator(a, o)
		if registration.State(a.State) == registration.Active {
			of := authenticatorsPath + "/" + a.ID.String()
			shown.RenameURL, shown.RemoveURL, shown.LostURL = of+"/name", of+"/remove", of+"/lost"
			page.Active = append(page.Active, shown)
		} else {
			page.Inactive = append(page.Inactive, shown)
		}
	}
	return h.Pages.Render(w, http.StatusOK, page)
}

func (h *Handler) authenticator(a store.Authenticator, o owner) web.OwnAuthenticator {
	shown := web.OwnAuthenticator{
		Authenticator: web.Authenticator{Name: a.Name, Kind: registration.KindName(a.Kind), AddedAt: a.CreatedAt},
		ID:            a.ID.String(), Model: h.WebAuthn.Judge(a, o.Person).Model, State: a.State, Current: o.AuthenticatorID != nil && *o.AuthenticatorID == a.ID,
	}
	if a.LastUsedAt != nil {
		shown.LastUsedAt = *a.LastUsedAt
	}
	if a.RevokedAt != nil {
		shown.Since = *a.RevokedAt
	}
	return shown
}

// adding shows the page with which she adds an authenticator.
func (h *Handler) adding(w http.ResponseWriter, r *http.Request, o owner) error {
	page := web.AccountAdd{Account: h.account(r, o), ListURL: authenticatorsPath, Weak: o.Level < assurance.AAL2}
	if page.Weak {
		return h.Pages.Render(w, http.StatusForbidden, page)
	}
	ceremony, err := h.Enroller.Begin(r.Context(), o.Level, o.Person, h.Sessions.Browser(w, r))
	if err != nil {
		return err
	}
	page.SuggestedName = h.words(r).Say("My passkey")
	page.Ceremony = web.Ceremony{Options: ceremony.Options, Finish: authenticatorsPath + "/new?" + url.Values{"ceremony": {ceremony.State}}.Encode()}
	return h.Pages.Render(w, http.StatusOK, page)
}

// add takes the answer to the ceremony from the page's script.
func (h *Handler) add(w http.ResponseWriter, r *http.Request) error {
	beginAgain := web.Answer{Location: authenticatorsPath + "/new"}
	o, step, _, err := h.enter(r, h.asKept)
	if err != nil {
		return err
	}
	if step != signin.Done {
		return h.Pages.Answer(w, http.StatusOK, web.LanguageOf(r, ""), beginAgain)
	}
	answer, err := registration.AnswerOf(w, r, h.Sessions.Browser(w, r))
	if err != nil {
		return h.Pages.Answer(w, http.StatusBadRequest, web.LanguageOf(r, ""), web.Answer{Message: "The answer of your authenticator did not arrive whole. Try again."})
	}
	bound, err := h.bind(r.Context(), o, answer)
	if errors.Is(err, errAgain) {
		return h.Pages.Answer(w, http.StatusOK, web.LanguageOf(r, ""), beginAgain)
	}
	if refused, ok := errors.AsType[*webauthn.Refusal](err); ok {
		return h.Pages.Answer(w, http.StatusForbidden, web.LanguageOf(r, ""), web.Answer{Message: registration.Explain(refused.Reason)})
	}
	if err != nil {
		return err
	}
	return h.Pages.Answer(w, http.StatusOK, web.LanguageOf(r, ""), web.Answer{Location: authenticatorsPath + "?" + url.Values{"added": {bound.ID.String()}}.Encode()})
}

// bind binds an authenticator that reaches no more than the sign-in by which she does it.
func (h *Handler) bind(ctx context.Context, o owner, answer registration.Answer) (store.Authenticator, error) {
	answer.Most = o.Level
	return h.Enroller.Bind(ctx, o.Person, answer, audit.Entry{Session: o.ID}, func(tx *store.Tx) error {
		now, err := h.again(ctx, tx, o, h.asKept)
		if err == nil && now.Level < answer.Most {
			err = errAgain
		}
		return err
	})
}

// removing asks whether an authenticator is to be taken away.
func (h *Handler) removing(w http.ResponseWriter, r *http.Request, o owner) error {
	return h.confirm(w, r, o, false)
}

// losing asks whether an authenticator was lost.
func (h *Handler) losing(w http.ResponseWriter, r *http.Request, o owner) error {
	return h.confirm(w, r, o, true)
}

// confirm says what she can do without an authenticator. What she was told is part of the address that her answer is posted to.
func (h *Handler) confirm(w http.ResponseWriter, r *http.Request, o owner, lost bool) error {
	a, err := o.find(id(r))
	if err != nil {
		return err
	}
	left, has := h.SignIn.Strongest(o.Person, o.active(a.ID)), h.SignIn.Strongest(o.Person, o.active(uuid.Nil))
	return h.Pages.Render(w, http.StatusOK, web.AccountRemove{
		Account: h.account(r, o), Lost: lost, Authenticator: h.authenticator(a, o), ListURL: authenticatorsPath,
		PostURL: r.URL.Path + "?" + url.Values{"left": {left.String()}}.Encode(),
		None:    left == 0, Falls: left < has, Has: has.String(), Left: left.String(),
	})
}

// told is the level that she was told she is left with.
func told(r *http.Request) assurance.AuthenticatorLevel {
	left, err := strconv.Atoi(r.URL.Query().Get("left"))
	if err != nil {
		return -1
	}
	return assurance.AuthenticatorLevel(left)
}

// remove takes an authenticator away.
func (h *Handler) remove(w http.ResponseWriter, r *http.Request, o owner) error {
	return h.drop(w, r, o, registration.Revoke, audit.AuthenticatorRevoked, h.asKept)
}

// lose takes a report that an authenticator was lost.
func (h *Handler) lose(w http.ResponseWriter, r *http.Request, o owner) error {
	return h.drop(w, r, o, registration.ReportLoss, audit.AuthenticatorLost, h.asWithout(id(r)))
}

func (h *Handler) drop(w http.ResponseWriter, r *http.Request, o owner, act registration.Act, event audit.Event, b bar) error {
	err := h.giveUp(r.Context(), o, id(r), act, told(r), b)
	switch {
	case errors.Is(err, errTold):
		return web.SeeOther(w, r, r.URL.Path) // where she is
	case errors.Is(err, directory.ErrUnknown):
		e := h.by(o)
		e.Event, e.Detail = event, map[string]string{"authenticator": id(r).String()}
		return h.refuse(r.Context(), e, "authenticator_unknown", err)
	case err != nil:
		return err
	}
	return web.SeeOther(w, r, authenticatorsPath)
}

// errTold says that somebody was not told what she loses.
var errTold = errors.New("what is left is not what she was told")

// giveUp gives an authenticator up, if what is left then is what she was told.
func (h *Handler) giveUp(ctx context.Context, o owner, id uuid.UUID, act registration.Act, told assurance.AuthenticatorLevel, b bar) error {
	return h.Store.InTx(ctx, func(tx *store.Tx) error {
		now, err := h.again(ctx, tx, o, b)
		if err != nil {
			return err
		}
		if _, err := now.find(id); err != nil {
			return err
		}
		if h.SignIn.Strongest(now.Person, now.active(id)) != told {
			return errTold
		}
		return registration.Change{Authenticator: id, Person: now.Person.ID, Act: act, Messenger: h.Enroller.Messenger}.In(ctx, tx, h.by(now))
	})
}

// naming shows the form with which she gives an authenticator another name.
func (h *Handler) naming(w http.ResponseWriter, r *http.Request, o owner) error {
	a, err := o.find(id(r))
	if err != nil {
		return err
	}
	return h.Pages.Render(w, http.StatusOK, h.nameForm(r, o, a.Name, a.Name))
}

func (h *Handler) nameForm(r *http.Request, o owner, is, entered string, errs ...web.FieldError) web.AccountRename {
	page := web.AccountRename{Account: h.account(r, o), Is: is, Name: entered, PostURL: r.URL.Path, ListURL: authenticatorsPath}
	page.Errors = errs
	return page
}

// name takes the form.
func (h *Handler) name(w http.ResponseWriter, r *http.Request, o owner) error {
	f, err := web.Form(w, r, 16<<10)
	if err != nil {
		return err
	}
	entered := web.OneLine(f.Get("name"))
	was, err := h.rename(r.Context(), o, id(r), entered)
	if _, mistaken := errors.AsType[*directory.InvalidError](err); mistaken {
		return h.Pages.Render(w, http.StatusBadRequest, h.nameForm(r, o, was, entered, web.FieldError{Field: "name", Message: "Enter a name of 1 to 60 letters, digits and signs"}))
	}
	if errors.Is(err, directory.ErrUnknown) {
		e := h.by(o)
		e.Event, e.Detail = audit.AuthenticatorRenamed, map[string]string{"authenticator": id(r).String()}
		return h.refuse(r.Context(), e, "authenticator_unknown", err)
	}
	if err != nil {
		return err
	}
	return web.SeeOther(w, r, authenticatorsPath)
}

// rename gives an active authenticator of hers another name, and returns the one that it had.
func (h *Handler) rename(ctx context.Context, o owner, id uuid.UUID, name string) (was string, err error) {
	err = h.Store.InTx(ctx, func(tx *store.Tx) error {
		now, err := h.again(ctx, tx, o, h.asActive)
		if err != nil {
			return err
		}
		a, err := now.find(id)
		if err != nil {
			return err
		}
		was = a.Name
		return registration.Rename{Authenticator: id, Person: now.Person.ID, Name: name}.In(ctx, tx, h.by(now))
	})
	return was, err
}
