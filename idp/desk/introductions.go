package desk

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/authority"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/office"
	"github.com/credence-id/credence/idp/position"
	"github.com/credence-id/credence/store"
	"github.com/credence-id/credence/web"
)

// introductionsPath is where the people are listed who are to be put on record.
const introductionsPath = "/desk/introductions"

// introductions lists them.
func (h *Handler) introductions(w http.ResponseWriter, r *http.Request, o officer) error {
	q := r.URL.Query()
	organisation := codeOr(q.Get("organisation"), o.Organisation)
	order, sorting := sorted(r, store.Order{By: store.ByAsked},
		column{"Person", store.ByName, "A to Z by family name", "Z to A by family name"}, column{name: "Position"}, column{name: "Organisation"},
		column{name: "Asked by"}, column{"Asked", store.ByAsked, "oldest first", "newest first"})
	page := web.DeskIntroductions{Desk: h.desk(r, o), Organisation: organisation, Sorting: sorting}
	if h.can(o, authority.Subject{Path: []string{o.Organisation}}, authority.RequestPosition) {
		page.PositionsURL = positionsPath
	}
	rows, more, err := h.Introductions(r.Context(), o.Officer, organisation, order, followingUUID(r))
	if errors.Is(err, directory.ErrUnknown) {
		page.Errors = noOrganisation(o)
		return h.Pages.Render(w, http.StatusBadRequest, page)
	}
	if err != nil {
		return err
	}
	for _, row := range rows {
		page.Introductions = append(page.Introductions, introductionRow(row, h.Now()))
	}
	if more {
		page.NextURL = onward(r, rows[len(rows)-1].ID.String(), "organisation", organisation)
	}
	return h.Pages.Render(w, http.StatusOK, page)
}

func introductionRow(row store.IntroductionRow, now time.Time) web.IntroductionRow {
	return web.IntroductionRow{
		Name: row.GivenName + " " + row.FamilyName, PositionName: row.PositionName, OrganisationName: row.OrganisationName, OrganisationCode: row.OrganisationCode, AskedByName: row.AskedByName,
		Age: age(row.AskedAt, now), URL: introductionsPath + "/" + row.ID.String(),
	}
}

// introducing shows the form by which a position is asked for somebody who is not on record yet.
func (h *Handler) introducing(w http.ResponseWriter, r *http.Request, o officer) error {
	page, err := h.introducePage(r, o)
	if err != nil {
		return err
	}
	return h.Pages.Render(w, http.StatusOK, page)
}

func (h *Handler) introducePage(r *http.Request, o officer) (web.DeskIntroduce, error) {
	p, err := h.ToIntroduce(r.Context(), o.Officer, r.PathValue("id"))
	if err != nil {
		return web.DeskIntroduce{}, err
	}
	return web.DeskIntroduce{
		Desk: h.desk(r, o), PostURL: o.form(r.URL.Path), PositionName: p.Name, PositionURL: positionsPath + "/" + p.PositionID,
		OrganisationName: p.OrganisationName, OrganisationCode: p.OrganisationCode, Position: h.details(p.PositionVersion),
	}, nil
}

// introduce asks for it.
func (h *Handler) introduce(w http.ResponseWriter, r *http.Request, o officer) error {
	f, err := web.Form(w, r, mostForm)
	if err != nil {
		return err
	}
	typed := typedOf(f)
	id, err := h.introduceAs(r.Context(), o, typed, position.Introduced{Position: r.PathValue("id"), Reason: web.OneLine(f.Get("reason"))}, web.OneLine(f.Get("starts")), web.OneLine(f.Get("ends")))
	if err == nil {
		return web.SeeOther(w, r, introductionsPath+"/"+id.String())
	}
	wrong, err := newcomerMistakes(err)
	if err != nil {
		return err
	}
	for i, words := range wrong {
		wrong[i].Message = cmp.Or(askWords()[words.Field], words.Message)
	}
	page, err := h.introducePage(r, o)
	if err != nil {
		return err
	}
	page.Errors, page.Person, page.Starts, page.Ends, page.Reason = wrong, typed, f.Get("starts"), f.Get("ends"), f.Get("reason")
	return h.Pages.Render(w, http.StatusBadRequest, page)
}

// introduceAs asks for what is wanted for somebody who was entered, from the beginning of a first day and to the end of a last
// one, "" being none.
func (h *Handler) introduceAs(ctx context.Context, o officer, typed web.Newcomer, wanted position.Introduced, first, last string) (uuid.UUID, error) {
	if !idForm.MatchString(wanted.Position) {
		return uuid.Nil, fmt.Errorf("position %.40q %w", wanted.Position, directory.ErrUnknown)
	}
	n, bornErr := newcomer(nil, typed, h.Now())
	wanted.NewPerson = n.NewPerson
	var daysErr error
	wanted.StartsAt, wanted.ExpiresAt, daysErr = days(first, last)
	if err := errors.Join(bornErr, daysErr); err != nil {
		return uuid.Nil, errors.Join(err, directory.CheckText("reason", wanted.Reason, 1, 500))
	}
	return h.Positions.Introduce(ctx, o.Acting(), wanted)
}

// introduction shows one of the people who are to be put on record.
func (h *Handler) introduction(w http.ResponseWriter, r *http.Request, o officer) error {
	i, err := h.Introduction(r.Context(), o.Officer, r.PathValue("id"))
	if err != nil {
		return err
	}
	return h.Pages.Render(w, http.StatusOK, h.introductionPage(r, o, i))
}

func (h *Handler) introductionPage(r *http.Request, o officer, i office.Introduced) web.DeskIntroduction {
	page := web.DeskIntroduction{
		Desk: h.desk(r, o), IntroductionRow: introductionRow(i.IntroductionRow, h.Now()), State: introductionState(i, h.Open(i)), Person: introduced(i.Introduction),
		Reason: i.Reason, AskedAt: i.AskedAt, StartsAt: i.StartsAt, LapsesAt: i.LapsesAt, Version: i.PositionVersion, Position: h.details(i.Effect.PositionVersion),
		PositionURL: positionsPath + "/" + i.PositionID,
	}
	if i.ExpiresAt != nil {
		page.ExpiresAt = *i.ExpiresAt
	}
	if i.EndedAt != nil {
		page.Ended = web.Decision{ByName: i.EndedByName, At: *i.EndedAt}
	}
	if i.EndedReason != nil {
		page.Ended.Reason = *i.EndedReason
	}
	if i.RequestID != nil {
		page.PersonURL, page.RequestURL = "/desk/people/"+*i.PersonID, "/desk/requests/"+i.RequestID.String()
	}
	if !h.Open(i) {
		return page
	}
	why := h.Refusal(o.Officer, i.At, authority.TakeUpIntroduction)
	switch {
	case i.AskedBy == o.PersonID:
		page.Dismiss, why = "Withdraw", authority.OwnRequest
	case why == "":
		page.Dismiss, page.LookURL = "Refuse", address(createPath, "introduction", i.ID.String())
	}
	if page.Dismiss != "" {
		page.PostURL = o.form(r.URL.Path)
	}
	if why != "" {
		page.WhyNot = "Another officer looks for this person and puts them on record."
	}
	return page
}

// introduced is what is known of somebody who is not on record yet.
func introduced(i store.Introduction) []web.Detail {
	return []web.Detail{
		{Name: "Name", Values: []string{web.OneLine(i.Title + " " + i.GivenName + " " + i.MiddleNames + " " + i.FamilyName)}},
		{Name: "Date of birth", Values: []string{i.DateOfBirth.Format("2 January 2006")}},
		{Name: "Email address", Values: some(i.Email)},
	}
}

// introductionState says for people where an introduction stands.
func introductionState(i office.Introduced, open bool) string {
	switch {
	case open:
		return "Waits for an officer"
	case i.State == "taken_up":
		return "Taken up: the person is on record"
	case i.State == "refused", i.State == "withdrawn":
		return capital(i.State)
	default:
		return "Nobody took it up in time"
	}
}

// dismiss ends an introduction that is not taken up.
func (h *Handler) dismiss(w http.ResponseWriter, r *http.Request, o officer) error {
	f, err := web.Form(w, r, mostForm)
	if err != nil {
		return err
	}
	id, err := uuid.Parse(r.PathValue("id"))
	if err != nil {
		return fmt.Errorf("introduction %.40q %w", r.PathValue("id"), directory.ErrUnknown)
	}
	if err = h.Positions.Dismiss(r.Context(), o.Acting(), id, web.OneLine(f.Get("reason"))); err == nil {
		return web.SeeOther(w, r, r.URL.Path)
	}
	wrong, err := mistakes(err, map[string]string{"reason": wantReason})
	if err != nil {
		return err
	}
	i, err := h.Introduction(r.Context(), o.Officer, r.PathValue("id"))
	if err != nil {
		return err
	}
	page := h.introductionPage(r, o, i)
	page.Errors, page.DismissReason = wrong, f.Get("reason")
	if !h.Open(i) {
		page.Meanwhile = decidedMeanwhile(page.Ended, page.State, "To end it", page.DismissReason)
	}
	return h.Pages.Render(w, http.StatusBadRequest, page)
}

// recognising asks whether somebody on record is who was introduced.
func (h *Handler) recognising(w http.ResponseWriter, r *http.Request, o officer) error {
	page, err := h.recognisePage(r, o)
	if err != nil {
		return err
	}
	return h.Pages.Render(w, http.StatusOK, page)
}

func (h *Handler) recognisePage(r *http.Request, o officer) (web.DeskIntroductionPerson, error) {
	i, err := h.ToTakeUp(r.Context(), o.Officer, r.PathValue("id"))
	if err != nil {
		return web.DeskIntroductionPerson{}, err
	}
	known, err := h.View(r.Context(), o.Officer, r.PathValue("person"), store.Order{}, "")
	if err != nil {
		return web.DeskIntroductionPerson{}, err
	}
	p, born := known.Person, ""
	if known.Born != nil {
		born = known.Born.Format("2 January 2006")
	}
	return web.DeskIntroductionPerson{
		Desk: h.desk(r, o), IntroductionRow: introductionRow(i.IntroductionRow, h.Now()), Introduced: introduced(i.Introduction),
		OnRecord: []web.Detail{
			{Name: "Name", Values: []string{web.OneLine(p.Title + " " + p.GivenName + " " + p.MiddleNames + " " + p.FamilyName)}},
			{Name: "Date of birth", Values: some(born)},
			{Name: "Email address", Values: some(p.Email)},
			{Name: "User ID", Values: []string{p.ID}},
			{Name: "Identity", Values: []string{identityWords(p.IdentityLevel)}},
		},
		PersonName: p.DisplayName, PostURL: o.form(r.URL.Path), BackURL: address(createPath, "introduction", i.ID.String()),
	}, nil
}

// recognise takes an introduction up for somebody on record.
func (h *Handler) recognise(w http.ResponseWriter, r *http.Request, o officer) error {
	id, err := uuid.Parse(r.PathValue("id"))
	if err != nil {
		return fmt.Errorf("introduction %.40q %w", r.PathValue("id"), directory.ErrUnknown)
	}
	if !idForm.MatchString(r.PathValue("person")) {
		return fmt.Errorf("person %.40q %w", r.PathValue("person"), directory.ErrUnknown)
	}
	if _, err = h.Positions.TakeUp(r.Context(), o.Acting(), id, r.PathValue("person")); err == nil {
		return web.SeeOther(w, r, "/desk/people/"+r.PathValue("person"))
	}
	ended := refusedAs(err, position.EndedAlready)
	wrong, err := mistakes(err, nil)
	if err != nil {
		return err
	}
	if ended {
		return h.takenUp(w, r, o, wrong)
	}
	page, err := h.recognisePage(r, o)
	if err != nil {
		return err
	}
	page.Errors = wrong
	return h.Pages.Render(w, http.StatusBadRequest, page)
}

// takenUp shows what became of an introduction that another officer took up, or ended.
func (h *Handler) takenUp(w http.ResponseWriter, r *http.Request, o officer, wrong []web.FieldError) error {
	i, err := h.Introduction(r.Context(), o.Officer, r.PathValue("id"))
	if err != nil {
		return err
	}
	names, err := h.Names(r.Context(), r.PathValue("person"))
	if err != nil {
		return err
	}
	page := h.introductionPage(r, o, i)
	page.Errors, page.Meanwhile = wrong, decidedMeanwhile(page.Ended, page.State, "It is for "+names[r.PathValue("person")], "")
	return h.Pages.Render(w, http.StatusBadRequest, page)
}

// toCreate is for whom an officer is to put somebody on record: nil is for nobody, as the address says.
func (h *Handler) toCreate(r *http.Request, o officer) (*office.Introduced, error) {
	if err := h.may(r.Context(), o, authority.Subject{}, authority.CreatePerson); err != nil {
		return nil, err
	}
	if !r.URL.Query().Has("introduction") {
		return nil, nil //nolint:nilnil // nobody has asked for anything
	}
	i, err := h.ToTakeUp(r.Context(), o.Officer, r.URL.Query().Get("introduction"))
	return &i, err
}

// createURL is the address that the form posts to, with who was shown above it.
func createURL(i *office.Introduced, shown []string) string {
	q := url.Values{}
	if i != nil {
		q.Set("introduction", i.ID.String())
	}
	if shown != nil {
		q.Set("shown", strings.Join(shown, "."))
	}
	if len(q) == 0 {
		return createPath
	}
	return createPath + "?" + q.Encode()
}
