package desk

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/position"
	"github.com/credence-id/credence/store"
	"github.com/credence-id/credence/web"
)

// offered lists the positions that an officer can ask for, for a person.
func (h *Handler) offered(w http.ResponseWriter, r *http.Request, o officer) error {
	q := r.URL.Query()
	text := web.OneLine(q.Get("q"))
	order, sorting := sorted(r, store.Order{By: store.ByName}, column{"Position", store.ByName, "A to Z", "Z to A"}, column{name: "Job role"}, column{name: "Organisation"}, column{name: "Given"})
	list, err := h.Offer(r.Context(), o.Officer, r.PathValue("id"), text, order, following(r))
	if err != nil {
		return err
	}
	of := "/desk/people/" + list.Person.ID
	page := web.DeskOffered{
		Desk: h.desk(r, o), Sorting: sorting, PersonName: list.Person.DisplayName, PersonURL: of, SearchURL: of + "/positions", Query: q.Get("q"),
	}
	for _, p := range list.Positions {
		page.Positions = append(page.Positions, web.OfferedRow{
			Name: p.Name, Notes: p.Notes, JobRole: h.Catalogue.JobRoleShortName(p.JobRole), OrganisationName: p.OrganisationName,
			AtOnce: p.Assignable && list.Gives, URL: of + "/positions/" + p.ID,
		})
	}
	if list.More {
		page.NextURL = onward(r, list.Positions[len(list.Positions)-1].ID)
	}
	return h.Pages.Render(w, http.StatusOK, page)
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
	a, err := h.ToAsk(r.Context(), o.Officer, r.PathValue("id"), r.PathValue("position"))
	if err != nil {
		return web.DeskAsk{}, err
	}
	end := r.URL.Query().Has("end")
	post := o.form(r.URL.Path)
	if end {
		post = o.form(r.URL.Path, "end", "yes")
	}
	return web.DeskAsk{
		Desk: h.desk(r, o), PersonName: a.Person.DisplayName, PersonURL: "/desk/people/" + a.Person.ID, PositionName: a.Name,
		OrganisationName: a.OrganisationName, OrganisationCode: a.OrganisationCode, End: end, AtOnce: a.AtOnce && !end, Position: h.details(a.PositionVersion), PostURL: post,
	}, nil
}

// askWords says what is wanted of what a request says.
func askWords() map[string]string {
	return map[string]string{
		"starts": wantDate("a day that is today or later,", "1/12/2030") + ", or nothing",
		"ends":   wantDate("a last day that is not before the first,", "30/11/2031") + ", or nothing",
		"reason": wantReason,
	}
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
	already := refusedAs(err, position.OpenAlready, position.HeldAlready, position.NotHeld)
	wrong, err := mistakes(err, askWords())
	if err != nil {
		return err
	}
	page, err := h.askPage(r, o)
	if err != nil {
		return err
	}
	page.Errors, page.Starts, page.Ends, page.Reason = wrong, f.Get("starts"), f.Get("ends"), f.Get("reason")
	if already {
		done, err := h.Last(r.Context(), wanted.Person, "position", wanted.Position, audit.RequestAsked)
		if err != nil {
			return err
		}
		if done.By != "" { // else it was given otherwise
			d := done.Detail
			page.Meanwhile = meanwhile(done, beside("First day", momentWords(d["starts_at"]), page.Starts), beside("Last day", lastDayWords(d["expires_at"]), page.Ends), beside("Reason", d["reason"], page.Reason))
		}
	}
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
