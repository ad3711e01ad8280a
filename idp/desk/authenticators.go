package desk

import (
	"errors"
	"net/http"
	"slices"

	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/idp/authority"
	"github.com/credence-id/credence/idp/deed"
	"github.com/credence-id/credence/idp/office"
	"github.com/credence-id/credence/idp/registration"
	"github.com/credence-id/credence/idp/webauthn"
	"github.com/credence-id/credence/store"
	"github.com/credence-id/credence/web"
)

// authenticatorsPath is that of the list of what a person signs in with.
func authenticatorsPath(person string) string { return "/desk/people/" + person + "/authenticators" }

// authenticators lists what a person signs in with.
func (h *Handler) authenticators(w http.ResponseWriter, r *http.Request, o officer) error {
	page, err := h.authenticatorsPage(r, o)
	if err != nil {
		return err
	}
	return h.Pages.Render(w, http.StatusOK, page)
}

func (h *Handler) authenticatorsPage(r *http.Request, o officer) (web.DeskAuthenticators, error) {
	order, sorting := inTime(r, false)
	which := office.HeldPage{Order: order, After: followingUUID(r), LinkOrder: store.Order{By: store.ByTime, Descending: true}}
	which.AfterLink, _ = uuid.Parse(r.URL.Query().Get("after_link"))
	p, err := h.Authenticators(r.Context(), o.Officer, r.PathValue("id"), which)
	if err != nil {
		return web.DeskAuthenticators{}, err
	}
	page := web.DeskAuthenticators{Desk: h.desk(r, o), Sorting: sorting, URL: authenticatorsPath(p.Person.ID), PersonName: p.Person.DisplayName, PersonURL: "/desk/people/" + p.Person.ID}
	if p.PersonStands && h.can(o, p.Lets, authority.IssueAuthenticator) {
		page.AddURL, page.LinkURL = authenticatorsPath(p.Person.ID)+"/new", authenticatorsPath(p.Person.ID)+"/link"
	}
	for _, a := range p.Authenticators {
		row := h.authenticatorRow(a, p.Holder)
		for _, act := range registration.State(a.State).Acts() {
			if h.can(o, p.Changed(act), act.Right()) {
				row.Acts = append(row.Acts, web.KindLink{Name: actWords(act), URL: authenticatorsPath(p.Person.ID) + "/" + a.ID.String() + "/" + string(act)})
			}
		}
		page.Authenticators = append(page.Authenticators, row)
	}
	for _, link := range p.Links {
		row := web.OpenLink{MadeAt: link.CreatedAt, ExpiresAt: link.ExpiresAt, TakesCode: link.TakesCode, Recovers: link.Recovers}
		if h.can(o, p.Of, authority.IssueAuthenticator) {
			row.CancelURL = o.form(authenticatorsPath(p.Person.ID) + "/link/" + link.ID.String())
		}
		page.Links = append(page.Links, row)
	}
	if p.More {
		page.NextURL = onward(r, p.Authenticators[len(p.Authenticators)-1].ID.String())
	}
	if p.MoreLinks {
		page.NextLinksURL = address(page.URL, "sort", sorting.Order, "after_link", p.Links[len(p.Links)-1].ID.String())
	}
	return page, nil
}

// cancelLink cancels an open enrolment link.
func (h *Handler) cancelLink(w http.ResponseWriter, r *http.Request, o officer) error {
	err := h.CancelLink(r.Context(), o.Officer, r.PathValue("id"), r.PathValue("link"))
	if err == nil {
		return web.SeeOther(w, r, authenticatorsPath(r.PathValue("id")))
	}
	gone, is := errors.AsType[*registration.LinkOverError](err)
	if !is {
		return err
	}
	page, err := h.authenticatorsPage(r, o)
	if err != nil {
		return err
	}
	page.Errors = []web.FieldError{{Message: capital(gone.Error()) + "."}}
	done, err := h.Last(r.Context(), r.PathValue("id"), "link", r.PathValue("link"), audit.EnrolmentLinkCancelled)
	if err != nil {
		return err
	}
	if !done.At.IsZero() {
		page.Meanwhile = meanwhile(done, beside("Enrolment link", "It was cancelled", "Cancel it"))
	}
	return h.Pages.Render(w, http.StatusConflict, page)
}

func (h *Handler) authenticatorRow(a store.Authenticator, p office.Holder) web.AuthenticatorRow {
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
	p, ceremony, err := h.BeginBinding(r.Context(), o.Officer, r.PathValue("id"), o.level, h.sitting(w, r, o))
	if err != nil {
		return err
	}
	return h.Pages.Render(w, http.StatusOK, web.DeskAuthenticatorNew{
		Desk: h.desk(r, o), PersonName: p.Person.DisplayName, ListURL: authenticatorsPath(p.Person.ID), LinkURL: authenticatorsPath(p.Person.ID) + "/link",
		Ceremony: web.Ceremony{Options: ceremony.Options, Finish: address(authenticatorsPath(p.Person.ID)+"/new", "ceremony", ceremony.State)},
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
	// It reaches no level above that of her sign-in: whoever had signed in as her would else make herself a way into what asks for more.
	answer.Most = o.level
	_, err = h.Bind(r.Context(), o.Officer, r.PathValue("id"), answer)
	if refused, ok := errors.AsType[*webauthn.Refusal](err); ok {
		return h.Pages.Answer(w, http.StatusForbidden, web.English, web.Answer{Message: registration.Explain(refused.Reason)})
	}
	if refused, ok := errors.AsType[*deed.Refusal](err); ok {
		return h.Pages.Answer(w, http.StatusForbidden, web.English, web.Answer{Message: refused.Sentence()})
	}
	if err != nil {
		return err
	}
	return h.Pages.Answer(w, http.StatusOK, web.English, web.Answer{Location: authenticatorsPath(r.PathValue("id"))})
}

// inviting offers to make an enrolment link.
func (h *Handler) inviting(w http.ResponseWriter, r *http.Request, o officer) error {
	p, err := h.Enrollee(r.Context(), o.Officer, r.PathValue("id"))
	if err != nil {
		return err
	}
	return h.Pages.Render(w, http.StatusOK, web.DeskAuthenticatorLink{Desk: h.desk(r, o), PersonName: p.Person.DisplayName, ListURL: authenticatorsPath(p.Person.ID), PostURL: r.URL.Path})
}

// invite makes it, and shows it once.
func (h *Handler) invite(w http.ResponseWriter, r *http.Request, o officer) error {
	p, made, err := h.Invite(r.Context(), o.Officer, r.PathValue("id"))
	if err != nil {
		return err
	}
	return h.Pages.Render(w, http.StatusOK, web.DeskAuthenticatorLink{
		Desk: h.desk(r, o), PersonName: p.Person.DisplayName, ListURL: authenticatorsPath(p.Person.ID), Link: made.URL, Code: made.Code, ExpiresAt: made.ExpiresAt,
	})
}

// changing reads the authenticator and the act that a request is about.
func (h *Handler) changing(r *http.Request, o officer) (p office.Holder, a store.Authenticator, act registration.Act, err error) {
	act = registration.Act(r.PathValue("act"))
	p, a, err = h.Authenticator(r.Context(), o.Officer, r.PathValue("id"), r.PathValue("authenticator"), act)
	return p, a, act, err
}

// changingAuthenticator asks for the reason of a change.
func (h *Handler) changingAuthenticator(w http.ResponseWriter, r *http.Request, o officer) error {
	p, a, act, err := h.changing(r, o)
	if err != nil {
		return err
	}
	if !slices.Contains(registration.State(a.State).Acts(), act) { // done a moment ago: the list says by what it is now
		return web.SeeOther(w, r, authenticatorsPath(p.Person.ID))
	}
	return h.Pages.Render(w, http.StatusOK, h.changeAuthenticatorPage(r, o, p, a, act))
}

func (h *Handler) changeAuthenticatorPage(r *http.Request, o officer, p office.Holder, a store.Authenticator, act registration.Act) web.DeskAuthenticatorChange {
	return web.DeskAuthenticatorChange{
		Desk: h.desk(r, o), PersonName: p.Person.DisplayName, ListURL: authenticatorsPath(p.Person.ID), PostURL: r.URL.Path, Act: actWords(act), What: actMeans(act),
		Back: act.Revives(), Authenticator: h.authenticatorRow(a, p),
	}
}

// changeAuthenticator makes the change.
func (h *Handler) changeAuthenticator(w http.ResponseWriter, r *http.Request, o officer) error {
	f, err := web.Form(w, r, mostForm)
	if err != nil {
		return err
	}
	id, act := r.PathValue("id"), registration.Act(r.PathValue("act"))
	err = h.ChangeAuthenticator(r.Context(), o.Officer, id, r.PathValue("authenticator"), act, web.OneLine(f.Get("reason")))
	if err == nil {
		return web.SeeOther(w, r, authenticatorsPath(id))
	}
	var wrong []web.FieldError
	_, elsewise := errors.AsType[*registration.StateError](err)
	if elsewise || errors.Is(err, registration.ErrAnotherPassword) {
		wrong = []web.FieldError{{Message: capital(err.Error()) + "."}}
	} else if wrong, err = mistakes(err, map[string]string{"reason": wantReason}); err != nil {
		return err
	}
	p, a, act, err := h.changing(r, o)
	if err != nil {
		return err
	}
	page := h.changeAuthenticatorPage(r, o, p, a, act)
	page.Errors, page.Reason = wrong, f.Get("reason")
	if elsewise {
		done, err := h.Last(r.Context(), id, "authenticator", a.ID.String(), registration.Events()...)
		if err != nil {
			return err
		}
		page.Meanwhile = meanwhile(done, beside("State", capital(a.State), page.Act), beside("Reason", done.Detail["reason"], page.Reason))
	}
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
