package desk

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/idp/authority"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/position"
	"github.com/credence-id/credence/idp/registration"
	"github.com/credence-id/credence/idp/webauthn"
	"github.com/credence-id/credence/store"
	"github.com/credence-id/credence/web"
)

// holder is a person whose authenticators an officer sees or changes.
type holder struct {
	store.Standing

	of   authority.Subject // what an officer does something to who does it to what she has
	lets authority.Subject // and who lets her sign in
}

// path is that of the list of her authenticators.
func (p holder) path() string { return "/desk/people/" + p.Person.ID + "/authenticators" }

// holder reads a person to whose authenticators an officer may do one of some things.
func (h *Handler) holder(ctx context.Context, o officer, id string, acts ...authority.Act) (p holder, err error) {
	if p.Standing, err = h.Standing(ctx, id); err != nil {
		return holder{}, err
	}
	if p.of, err = h.Works(ctx, p.Person); err != nil {
		return holder{}, err
	}
	if p.lets, err = h.Over(ctx, h.Store, p.of); err != nil {
		return holder{}, err
	}
	return p, h.may(ctx, o, p.of, acts...)
}

// enrollee reads a person to whom an officer may bind an authenticator.
func (h *Handler) enrollee(ctx context.Context, o officer, id string) (holder, error) {
	p, err := h.holder(ctx, o, id, authority.IssueAuthenticator)
	if err != nil {
		return holder{}, err
	}
	if !p.PersonStands {
		return holder{}, h.Refuse(ctx, o.Officer, position.PersonDisabled, authority.IssueAuthenticator)
	}
	return p, h.may(ctx, o, p.lets, authority.IssueAuthenticator)
}

// authenticators lists what a person signs in with.
func (h *Handler) authenticators(w http.ResponseWriter, r *http.Request, o officer) error {
	p, list, err := h.held(r.Context(), o, r.PathValue("id"))
	if err != nil {
		return err
	}
	page := web.DeskAuthenticators{Desk: h.desk(r, o), PersonName: p.Person.DisplayName, PersonURL: "/desk/people/" + p.Person.ID}
	if p.PersonStands && h.can(o, p.lets, authority.IssueAuthenticator) {
		page.AddURL, page.LinkURL = p.path()+"/new", p.path()+"/link"
	}
	for _, a := range list {
		row := h.authenticatorRow(a, p)
		for _, act := range registration.State(a.State).Acts() {
			if h.can(o, h.changed(p, act), act.Right()) {
				row.Acts = append(row.Acts, web.KindLink{Name: actWords(act), URL: p.path() + "/" + a.ID.String() + "/" + string(act)})
			}
		}
		page.Authenticators = append(page.Authenticators, row)
	}
	return h.Pages.Render(w, http.StatusOK, page)
}

// held reads the authenticators of a person, in whichever state, and records who saw them.
func (h *Handler) held(ctx context.Context, o officer, id string) (p holder, list []store.Authenticator, err error) {
	if p, err = h.holder(ctx, o, id, authority.IssueAuthenticator, authority.UnlockAuthenticator); err != nil {
		return holder{}, nil, err
	}
	err = h.Store.InTx(ctx, func(tx *store.Tx) error {
		if list, err = tx.Authenticators(ctx, id, true); err != nil {
			return fmt.Errorf("list authenticators of person %s: %w", id, err)
		}
		return audit.Record(ctx, tx, h.Line(o.Officer, audit.PersonViewed, id, map[string]string{"of": "authenticators"}))
	})
	return p, list, err
}

func (h *Handler) authenticatorRow(a store.Authenticator, p holder) web.AuthenticatorRow {
	row := web.AuthenticatorRow{
		Authenticator: web.Authenticator{Name: a.Name, Kind: kindWords(a.Kind), AddedAt: a.CreatedAt}, State: capital(a.State),
		Model: h.Enroller.WebAuthn.Judge(a, p.Person).Model, Level: "Not accepted: what is known of it, or their organisation, rules it out",
	}
	if a.LastUsedAt != nil {
		row.LastUsedAt = *a.LastUsedAt
	}
	if would, ok := h.Enroller.WebAuthn.Would(a, p.Person); ok {
		row.Level = "Reaches level " + would.Level().String()
	}
	return row
}

// newAuthenticator begins to bind an authenticator to a person who is at the desk.
func (h *Handler) newAuthenticator(w http.ResponseWriter, r *http.Request, o officer) error {
	p, err := h.enrollee(r.Context(), o, r.PathValue("id"))
	if err != nil {
		return err
	}
	handle, err := h.Store.Handle(r.Context(), p.Person.ID)
	if err != nil {
		return fmt.Errorf("read user handle: %w", err)
	}
	ceremony, err := h.Enroller.Begin(r.Context(), p.Person, handle, h.sitting(w, r, o))
	if err != nil {
		return err
	}
	return h.Pages.Render(w, http.StatusOK, web.DeskAuthenticatorNew{
		Desk: h.desk(r, o), PersonName: p.Person.DisplayName, ListURL: p.path(),
		Ceremony: web.Ceremony{Options: ceremony.Options, Finish: address(p.path()+"/new", "ceremony", ceremony.State)},
	})
}

// sitting is what a ceremony at the desk is bound to beside the person: the browser, and the session of the officer.
func (h *Handler) sitting(w http.ResponseWriter, r *http.Request, o officer) []byte {
	return slices.Concat(h.Sessions.Browser(w, r), o.session[:])
}

// bindAuthenticator takes the answer to that ceremony from the page's script.
func (h *Handler) bindAuthenticator(w http.ResponseWriter, r *http.Request, o officer) error {
	answer, err := registration.AnswerOf(w, r, h.sitting(w, r, o))
	if err != nil {
		return h.Pages.Answer(w, http.StatusBadRequest, web.English, web.Answer{Message: "The answer of the authenticator did not arrive whole. Try again."})
	}
	p, err := h.bind(r.Context(), o, r.PathValue("id"), answer)
	if refused, ok := errors.AsType[*webauthn.Refusal](err); ok {
		return h.Pages.Answer(w, http.StatusForbidden, web.English, web.Answer{Message: registration.Explain(refused.Reason)})
	}
	if refused, ok := errors.AsType[*position.Refusal](err); ok {
		return h.Pages.Answer(w, http.StatusForbidden, web.English, web.Answer{Message: sentence(refused)})
	}
	if err != nil {
		return err
	}
	return h.Pages.Answer(w, http.StatusOK, web.English, web.Answer{Location: p.path()})
}

// bind binds an authenticator to a person, if the officer may until that moment.
func (h *Handler) bind(ctx context.Context, o officer, id string, answer registration.Answer) (holder, error) {
	p, err := h.enrollee(ctx, o, id)
	if err != nil {
		return holder{}, err
	}
	_, err = h.Enroller.Bind(ctx, p.Person, answer, h.Line(o.Officer, audit.Enrolled, id, map[string]string{}), func(tx *store.Tx) error {
		return h.mayBind(ctx, tx, o, p)
	})
	if refused, ok := errors.AsType[*position.Refusal](err); ok {
		err = h.Refuse(ctx, o.Officer, refused.Reason, authority.IssueAuthenticator)
	}
	return p, err
}

// mayBind decides again whether an officer may bind an authenticator to a person, in a transaction in which nobody makes either
// of them more or less.
func (h *Handler) mayBind(ctx context.Context, tx *store.Tx, o officer, p holder) error {
	if _, err := tx.LockIdentities(ctx, p.Person.ID, o.PersonID); err != nil {
		return fmt.Errorf("lock people: %w", err)
	}
	now, err := tx.Person(ctx, p.Person.ID, h.Now())
	if err != nil {
		return fmt.Errorf("read person %s: %w", p.Person.ID, err)
	}
	if !now.PersonStands {
		return &position.Refusal{Reason: position.PersonDisabled}
	}
	acting, err := position.OfficerIn(ctx, tx, h.Rules, o.Acting(), h.Now())
	if err != nil {
		return err
	}
	lets, err := h.Over(ctx, tx, p.of)
	if err != nil {
		return err
	}
	if why := h.Rules.May(acting, authority.IssueAuthenticator, lets).Refusal; why != "" {
		return &position.Refusal{Reason: position.Reason(why)}
	}
	return nil
}

// inviting offers to make an enrolment link.
func (h *Handler) inviting(w http.ResponseWriter, r *http.Request, o officer) error {
	p, err := h.enrollee(r.Context(), o, r.PathValue("id"))
	if err != nil {
		return err
	}
	return h.Pages.Render(w, http.StatusOK, web.DeskAuthenticatorLink{Desk: h.desk(r, o), PersonName: p.Person.DisplayName, ListURL: p.path(), PostURL: r.URL.Path})
}

// invite makes it, and shows it once.
func (h *Handler) invite(w http.ResponseWriter, r *http.Request, o officer) error {
	p, err := h.enrollee(r.Context(), o, r.PathValue("id"))
	if err != nil {
		return err
	}
	made, err := h.Enroller.Invite(r.Context(), p.Person.ID, h.Line(o.Officer, audit.EnrolmentLinkMade, p.Person.ID, map[string]string{}))
	if err != nil {
		return err
	}
	return h.Pages.Render(w, http.StatusOK, web.DeskAuthenticatorLink{
		Desk: h.desk(r, o), PersonName: p.Person.DisplayName, ListURL: p.path(), Link: made.URL, Code: made.Code, ExpiresAt: made.ExpiresAt,
	})
}

// changed is what an officer does something to who does this to an authenticator of a person.
func (h *Handler) changed(p holder, act registration.Act) authority.Subject {
	if act.Revives() {
		return p.lets
	}
	return p.of
}

// changing reads the authenticator and the act that a request is about.
func (h *Handler) changing(r *http.Request, o officer) (p holder, a store.Authenticator, act registration.Act, err error) {
	act = registration.Act(r.PathValue("act"))
	id, err := uuid.Parse(r.PathValue("authenticator"))
	if err != nil || !slices.Contains(registration.Acts(), act) {
		return p, a, act, fmt.Errorf("authenticator %.40q and what is done to it: %w", r.PathValue("authenticator"), directory.ErrUnknown)
	}
	if p, err = h.holder(r.Context(), o, r.PathValue("id"), act.Right()); err != nil {
		return p, a, act, err
	}
	if err = h.may(r.Context(), o, h.changed(p, act), act.Right()); err != nil {
		return p, a, act, err
	}
	list, err := h.Store.Authenticators(r.Context(), p.Person.ID, true)
	if err != nil {
		return p, a, act, fmt.Errorf("list authenticators of person %s: %w", p.Person.ID, err)
	}
	i := slices.IndexFunc(list, func(a store.Authenticator) bool { return a.ID == id })
	if i < 0 {
		return p, a, act, fmt.Errorf("authenticator %s %w", id, directory.ErrUnknown)
	}
	return p, list[i], act, nil
}

// changingAuthenticator asks for the reason of a change.
func (h *Handler) changingAuthenticator(w http.ResponseWriter, r *http.Request, o officer) error {
	p, a, act, err := h.changing(r, o)
	if err != nil {
		return err
	}
	if !slices.Contains(registration.State(a.State).Acts(), act) { // done a moment ago: the list says by what it is now
		return to(w, r, p.path())
	}
	return h.Pages.Render(w, http.StatusOK, h.changeAuthenticatorPage(r, o, p, a, act))
}

func (h *Handler) changeAuthenticatorPage(r *http.Request, o officer, p holder, a store.Authenticator, act registration.Act) web.DeskAuthenticatorChange {
	return web.DeskAuthenticatorChange{
		Desk: h.desk(r, o), PersonName: p.Person.DisplayName, ListURL: p.path(), PostURL: r.URL.Path, Act: actWords(act), What: actMeans(act),
		Back: act.Revives(), Authenticator: h.authenticatorRow(a, p),
	}
}

// changeAuthenticator makes the change.
func (h *Handler) changeAuthenticator(w http.ResponseWriter, r *http.Request, o officer) error {
	f, err := form(w, r)
	if err != nil {
		return err
	}
	p, a, act, err := h.changing(r, o)
	if err != nil {
		return err
	}
	reason := oneLine(f.Get("reason"))
	err = directory.CheckText("reason", reason, 1, 500)
	if err == nil {
		change := registration.Change{Authenticator: a.ID, Person: p.Person.ID, Act: act, Reason: reason, Messenger: h.Enroller.Messenger}
		err = registration.ChangeAuthenticator(r.Context(), h.Store, change, h.Line(o.Officer, "", p.Person.ID, map[string]string{}))
	}
	if err == nil {
		return to(w, r, p.path())
	}
	page := h.changeAuthenticatorPage(r, o, p, a, act)
	if _, elsewise := errors.AsType[*registration.StateError](err); elsewise || errors.Is(err, registration.ErrAnotherPassword) {
		page.Errors = []web.FieldError{{Message: capital(err.Error()) + "."}}
	} else if page.Errors, err = mistakes(err, map[string]string{"reason": "Enter a reason, of up to 500 characters"}); err != nil {
		return err
	}
	page.Reason = f.Get("reason")
	return h.Pages.Render(w, http.StatusBadRequest, page)
}

// actWords is what people call what is done to an authenticator.
func actWords(act registration.Act) string {
	return map[registration.Act]string{
		registration.Suspend:    "Suspend",
		registration.Resume:     "Let it work again",
		registration.ReportLoss: "Report it lost",
		registration.Find:       "It was found",
		registration.Return:     "Take it back",
		registration.Revoke:     "Revoke",
	}[act]
}

// actMeans says for people what comes of it.
func actMeans(act registration.Act) string {
	return map[registration.Act]string{
		registration.Suspend:    "From this moment nobody signs in with it, and whoever is signed in with it is signed out. It can be let work again.",
		registration.Resume:     "The person can sign in with it again. Make sure that they have it, and that nobody else has used it.",
		registration.ReportLoss: "From this moment nobody signs in with it, and whoever is signed in with it is signed out. If it is found, it can be let work again.",
		registration.Find:       "The person can sign in with it again. Make sure that it is the same one, and look at whether somebody may have tampered with it.",
		registration.Return:     "The person has handed it in. Nobody signs in with it any more, and whoever is signed in with it is signed out.",
		registration.Revoke:     "From this moment nobody signs in with it, and whoever is signed in with it is signed out. It cannot be undone: the person then needs another one.",
	}[act]
}
