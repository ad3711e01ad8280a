package desk

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"unicode"

	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/idp/authority"
	"github.com/credence-id/credence/idp/deed"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/position"
	"github.com/credence-id/credence/store"
	"github.com/credence-id/credence/web"
)

// offered lists the positions that an officer can ask for, for a person.
func (h *Handler) offered(w http.ResponseWriter, r *http.Request, o officer) error {
	q := r.URL.Query()
	text := web.OneLine(q.Get("q"))
	person, list, more, err := h.offers(r.Context(), o, r.PathValue("id"), text, following(r))
	if err != nil {
		return err
	}
	of := "/desk/people/" + person.ID
	page := web.DeskOffered{
		Desk: h.desk(r, o), PersonName: person.DisplayName, PersonURL: of, SearchURL: of + "/positions", Query: q.Get("q"),
	}
	for _, p := range list {
		page.Positions = append(page.Positions, web.OfferedRow{
			Name: p.Name, Notes: p.Notes, JobRole: h.Catalogue.JobRoleShortName(p.JobRole), OrganisationName: p.OrganisationName,
			AtOnce: p.Assignable && h.gives(o, person.ID, []string{o.Organisation}), URL: of + "/positions/" + p.ID,
		})
	}
	if more {
		page.NextURL = address(of+"/positions", "q", text, "after", list[len(list)-1].ID)
	}
	return h.Pages.Render(w, http.StatusOK, page)
}

// offers lists a page of the positions at an officer's organisation and below it that have a text in their name, and says
// whether there are more.
func (h *Handler) offers(ctx context.Context, o officer, personID, text, after string) (person store.Person, list []store.OfferedPosition, more bool, err error) {
	if err := h.may(ctx, o, authority.Subject{PersonID: personID, Path: []string{o.Organisation}}, authority.RequestPosition); err != nil {
		return store.Person{}, nil, false, err
	}
	found, err := h.whom(ctx, o, personID)
	if err != nil {
		return store.Person{}, nil, false, err
	}
	text = strings.Map(func(r rune) rune { // what no name has, and the database does not take
		if !unicode.IsGraphic(r) {
			return -1
		}
		return r
	}, text)
	list, err = h.Store.OfferedPositions(ctx, o.Organisation, text, after, perPage+1)
	if err != nil {
		return store.Person{}, nil, false, fmt.Errorf("list positions that can be asked for at organisation %s: %w", o.Organisation, err)
	}
	return found.Person, list[:min(len(list), perPage)], len(list) > perPage, nil
}

// gives says whether an officer gives an assignable position herself.
func (h *Handler) gives(o officer, personID string, path []string) bool {
	return h.can(o, authority.Subject{PersonID: personID, Path: path}, authority.AssignPosition)
}

// asking shows the form by which a position is asked for, or its end.
func (h *Handler) asking(w http.ResponseWriter, r *http.Request, o officer) error {
	page, err := h.askPage(r, o)
	if err != nil {
		return err
	}
	return h.Pages.Render(w, http.StatusOK, page)
}

func (h *Handler) askPage(r *http.Request, o officer) (web.DeskAsk, error) {
	a, err := h.toAsk(r.Context(), o, r.PathValue("id"), r.PathValue("position"))
	if err != nil {
		return web.DeskAsk{}, err
	}
	end := r.URL.Query().Has("end")
	post := o.form(r.URL.Path)
	if end {
		post = o.form(r.URL.Path, "end", "yes")
	}
	return web.DeskAsk{
		Desk: h.desk(r, o), PersonName: a.person.DisplayName, PersonURL: "/desk/people/" + a.person.ID, PositionName: a.position.Name,
		OrganisationCode: a.organisation, End: end, AtOnce: a.atOnce && !end, Position: h.details(a.position), PostURL: post,
	}, nil
}

// askWords says what is wanted of what a request says.
func askWords() map[string]string {
	return map[string]string{
		"starts": wantDate("a day that is today or later,", "1/12/2030") + ", or nothing",
		"ends":   wantDate("a last day that is not before the first,", "30/11/2031") + ", or nothing",
		"reason": "Enter a reason, of up to 500 characters",
	}
}

// toAsk is what a request would be about.
type toAsk struct {
	person       store.Person          // of nobody yet, where somebody new is introduced
	position     store.PositionVersion // that is in force
	organisation string                // of the position
	atOnce       bool                  // the officer gives it herself
}

// whom reads for whom something is to be asked. That the officer sees who it is, is on record.
func (h *Handler) whom(ctx context.Context, o officer, personID string) (store.Standing, error) {
	found, err := h.Standing(ctx, personID)
	if err != nil {
		return store.Standing{}, err
	}
	return found, audit.Record(ctx, h.Store, h.Line(o.Officer, audit.PersonViewed, personID, map[string]string{"of": "request"}))
}

// toAsk reads what an officer may ask for, for a person.
func (h *Handler) toAsk(ctx context.Context, o officer, personID, positionID string) (toAsk, error) {
	a, err := h.askable(ctx, o, personID, positionID)
	if err != nil {
		return toAsk{}, err
	}
	found, err := h.whom(ctx, o, personID)
	a.person = found.Person
	return a, err
}

// askable reads a position that an officer may ask for, for a person, or "" for somebody new.
func (h *Handler) askable(ctx context.Context, o officer, personID, positionID string) (toAsk, error) {
	if !idForm.MatchString(positionID) {
		return toAsk{}, fmt.Errorf("position %q %w", positionID, directory.ErrUnknown)
	}
	newest, err := h.Store.Position(ctx, positionID)
	if errors.Is(err, store.ErrNotFound) {
		return toAsk{}, fmt.Errorf("position %s %w", positionID, directory.ErrUnknown)
	}
	if err != nil {
		return toAsk{}, fmt.Errorf("read position %s: %w", positionID, err)
	}
	there, err := h.At(ctx, newest.OrganisationCode)
	if err != nil {
		return toAsk{}, err
	}
	there.PersonID = personID
	if err := h.may(ctx, o, there, authority.RequestPosition); err != nil {
		return toAsk{}, err
	}
	if newest.InForce == 0 {
		return toAsk{}, position.Refusal(position.NotApproved)
	}
	v, err := h.Store.PositionVersion(ctx, positionID, newest.InForce)
	if err != nil {
		return toAsk{}, fmt.Errorf("read position %s in version %d: %w", positionID, newest.InForce, err)
	}
	if v.Closes {
		return toAsk{}, position.Refusal(position.PositionClosed)
	}
	e, err := position.EffectOf(ctx, h.Store, v)
	if _, refused := errors.AsType[*deed.Refusal](err); err != nil && !refused { // its end can be asked for
		return toAsk{}, err
	}
	atOnce := v.Assignable && len(h.Rules.ActorsOf(e.JobRole, e.Activities)) == 0 && h.gives(o, personID, there.Path)
	return toAsk{position: e.PositionVersion, organisation: newest.OrganisationCode, atOnce: atOnce}, nil
}

// ask asks for a position, or for its end.
func (h *Handler) ask(w http.ResponseWriter, r *http.Request, o officer) error {
	f, err := web.Form(w, r, mostForm)
	if err != nil {
		return err
	}
	wanted := position.Asked{Kind: position.Assign, Person: r.PathValue("id"), Position: r.PathValue("position"), Reason: web.OneLine(f.Get("reason"))}
	if r.URL.Query().Has("end") {
		wanted.Kind = position.End
	}
	answer, err := h.askFor(r.Context(), o, wanted, web.OneLine(f.Get("starts")), web.OneLine(f.Get("ends")))
	if err == nil {
		return web.SeeOther(w, r, "/desk/requests/"+answer.Request.String())
	}
	wrong, err := mistakes(err, askWords())
	if err != nil {
		return err
	}
	page, err := h.askPage(r, o)
	if err != nil {
		return err
	}
	page.Errors, page.Starts, page.Ends, page.Reason = wrong, f.Get("starts"), f.Get("ends"), f.Get("reason")
	return h.Pages.Render(w, http.StatusBadRequest, page)
}

// askFor asks for what is wanted, from the beginning of a first day and to the end of a last one, "" being none.
func (h *Handler) askFor(ctx context.Context, o officer, wanted position.Asked, first, last string) (position.Answer, error) {
	if !idForm.MatchString(wanted.Person) || !idForm.MatchString(wanted.Position) {
		return position.Answer{}, fmt.Errorf("person %q or position %q %w", wanted.Person, wanted.Position, directory.ErrUnknown)
	}
	var err error
	if wanted.StartsAt, wanted.ExpiresAt, err = days(first, last); err != nil {
		return position.Answer{}, errors.Join(err, directory.CheckText("reason", wanted.Reason, 1, 500))
	}
	return h.Positions.Ask(ctx, o.Acting(), wanted)
}
