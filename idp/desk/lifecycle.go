package desk

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/assurance"
	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/idp/authority"
	"github.com/credence-id/credence/idp/deed"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/lifecycle"
	"github.com/credence-id/credence/idp/office"
	"github.com/credence-id/credence/store"
	"github.com/credence-id/credence/web"
)

const wantReason = "Enter a reason, of up to 500 characters"

// profile says what became of a person's profile, and what the officer can do to it.
func (h *Handler) profile(ctx context.Context, o officer, p office.Known) (shown web.Profile, err error) {
	of := "/desk/people/" + p.Person.ID
	profile, err1 := h.Store.Profile(ctx, p.Person.ID)
	others, err2 := h.Store.MergedInto(ctx, p.Person.ID)
	merges, err3 := h.Store.ProposedMerges(ctx, p.Person.ID, perPage)
	if err := errors.Join(err1, err2, err3); err != nil {
		return shown, fmt.Errorf("read profile of person %s: %w", p.Person.ID, err)
	}
	about := authority.Subject{PersonID: p.Person.ID}
	for _, code := range lifecycle.Organisations(profile, p.Person) {
		there, err := h.At(ctx, code)
		if err != nil {
			return shown, err
		}
		about.Path = append(about.Path, there.Path...)
		there.PersonID = p.Person.ID
		if h.does(o, there, authority.AssignPosition) {
			shown.Leaves = append(shown.Leaves, web.Link{Name: code, URL: address(of+"/leave", "organisation", code)})
		}
	}
	shown.HistoryURL = of + "/history"
	shown.RegisteredWith, shown.RegisteredAt, shown.Unproved = profile.SelfRegisteredOrganisation, profile.CreatedAt, p.Unproved
	shown.SameNameURL = address("/desk/people", "q", p.Person.GivenName+" "+p.Person.FamilyName)
	for _, other := range others {
		shown.AlsoKnown = append(shown.AlsoKnown, web.Link{Name: other, URL: "/desk/people/" + other})
	}
	if profile.ClosedAt != nil {
		shown.Closed, shown.ClosedAt, shown.Leaves = closedWords(lifecycle.ClosedAs(profile.ClosedAs)), *profile.ClosedAt, nil
		if profile.MergedInto != "" {
			shown.MergedInto = web.Link{Name: profile.MergedInto, URL: "/desk/people/" + profile.MergedInto}
		} else if h.does(o, about, authority.ReopenPerson) {
			shown.ReopenURL = of + "/reopen"
		}
		return shown, nil
	}
	for _, m := range merges {
		other := m.Kept
		if other == p.Person.ID {
			other = m.Duplicate
		}
		shown.Merges = append(shown.Merges, web.Link{Name: other, URL: "/desk/merges/" + m.ID.String()})
	}
	for _, act := range []struct {
		right authority.Act
		url   *string
		path  string
	}{
		{authority.CorrectPerson, &shown.CorrectURL, "/correct"},
		{authority.MergePeople, &shown.MergeURL, "/merge"},
		{authority.ClosePerson, &shown.CloseURL, "/close"},
	} {
		if h.does(o, about, act.right) {
			*act.url = of + act.path
		}
	}
	return shown, nil
}

// does says whether to offer what the officer does herself or not at all.
func (h *Handler) does(o officer, about authority.Subject, act authority.Act) bool {
	return h.Rules.May(o.Officer.Officer, act, about).Grant == authority.Full
}

func closedWords(as lifecycle.ClosedAs) string {
	return map[lifecycle.ClosedAs]string{
		lifecycle.Left:      "the person has left health and care",
		lifecycle.Deceased:  "the person has died",
		lifecycle.Duplicate: "it is a duplicate",
		lifecycle.Fraud:     "fraud",
		lifecycle.Other:     "another reason",
	}[as]
}

// detailWords are what people call the details of a person.
func detailWords() map[string]string {
	return map[string]string{
		"title": "Title", "given_name": "Given name", "middle_names": "Middle names", "family_name": "Family name", "display_name": "Name as pages show it",
		"date_of_birth": "Date of birth", "email": "Email address",
		"as": "Closed as", "into": "Merged into", "from": "Merged from", "ends_at": "Ends",
	}
}

// changed says for people what was changed of a profile.
func changed(changes []deed.Change) (list []web.Difference) {
	words := func(value string) []string { return some(cmp.Or(dayWords(value), value)) }
	for _, c := range changes {
		list = append(list, web.Difference{Name: cmp.Or(detailWords()[c.Field], c.Field), Was: words(c.From), Is: words(c.To)})
	}
	return list
}

// correcting shows the form by which the details of a person are corrected.
func (h *Handler) correcting(w http.ResponseWriter, r *http.Request, o officer) error {
	s, err := h.Lifecycle.Look(r.Context(), o.Acting(), authority.CorrectPerson, r.PathValue("id"), "")
	if err != nil {
		return err
	}
	page := h.correctPage(r, o, s)
	page.Person = web.Newcomer{Title: s.Title, GivenName: s.GivenName, MiddleNames: s.MiddleNames, FamilyName: s.FamilyName, Email: s.Email}
	if s.DateOfBirth != nil {
		page.Person.Born = s.DateOfBirth.Format("2 January 2006")
	}
	if s.DisplayName != s.GivenName+" "+s.FamilyName {
		page.DisplayName = s.DisplayName
	}
	return h.Pages.Render(w, http.StatusOK, page)
}

// correctPage is the form, whose address says after which correction it was opened.
func (h *Handler) correctPage(r *http.Request, o officer, s lifecycle.Subject) web.DeskCorrect {
	of := "/desk/people/" + s.PersonID
	page := web.DeskCorrect{Desk: h.desk(r, o), PersonName: s.DisplayName, PersonURL: of, PostURL: address(of+"/correct", "seen", s.Last.String())}
	if level := s.Person.IdentityLevel; level != string(assurance.IdentityNone) {
		page.Identity = strings.ToLower(identityWords(level))
	}
	return page
}

// correct corrects the details of a person.
func (h *Handler) correct(w http.ResponseWriter, r *http.Request, o officer) error {
	f, err := web.Form(w, r, mostForm)
	if err != nil {
		return err
	}
	of := "/desk/people/" + r.PathValue("id")
	c, err := correctionOf(r, f)
	corrected := lifecycle.Corrected{}
	if err == nil {
		corrected, err = h.Lifecycle.Correct(r.Context(), o.Acting(), c)
	}
	if err == nil && corrected.Alike.People == nil {
		page := web.DeskCorrected{
			Desk: h.desk(r, o), PersonName: cmp.Or(c.DisplayName, c.GivenName+" "+c.FamilyName), PersonURL: of, Changes: changed(corrected.Changes),
			Unnamed: corrected.Unnamed, EvidenceURL: of + "/evidence",
		}
		return h.Pages.Render(w, http.StatusOK, page)
	}
	var wrong []web.FieldError
	if err != nil {
		if wrong, err = h.correctionMistakes(err); err != nil {
			return err
		}
	}
	return h.correctAgain(w, r, o, f, wrong, corrected.Alike)
}

// correctAgain shows the form again, with what was entered and what somebody else has corrected since.
func (h *Handler) correctAgain(w http.ResponseWriter, r *http.Request, o officer, f url.Values, wrong []web.FieldError, alike directory.Alike) error {
	s, err := h.Lifecycle.Look(r.Context(), o.Acting(), authority.CorrectPerson, r.PathValue("id"), "")
	if err != nil {
		return err
	}
	page := h.correctPage(r, o, s)
	page.Errors, page.DisplayName, page.Reason = wrong, f.Get("display_name"), f.Get("reason")
	page.Person = web.Newcomer{
		Title: f.Get("title"), GivenName: f.Get("given_name"), MiddleNames: f.Get("middle_names"), FamilyName: f.Get("family_name"),
		Born: f.Get("date_of_birth"), Email: f.Get("email"),
	}
	if seen := r.URL.Query().Get("seen"); seen != s.Last.String() {
		if c, err := correctionOf(r, f); err == nil {
			page.Since = changed(s.Differences(c.Details))
		}
	}
	status := http.StatusOK
	if wrong != nil {
		status = http.StatusBadRequest
	}
	if page.Looked, page.More = alike.People != nil, alike.More; page.Looked {
		var shown []string
		for _, other := range alike.People {
			page.People, shown = append(page.People, candidate(other)), append(shown, other.ID)
		}
		page.PostURL = address("/desk/people/"+s.PersonID+"/correct", "seen", s.Last.String(), "shown", strings.Join(shown, "."))
	}
	return h.Pages.Render(w, status, page)
}

// correctionOf reads what was entered. The address of the form says after which correction it was opened, and who was shown above
// it: then the officer is sure that the person is none of them.
func correctionOf(r *http.Request, f url.Values) (lifecycle.Correction, error) {
	q := r.URL.Query()
	c := lifecycle.Correction{
		Person: r.PathValue("id"), Reason: web.OneLine(f.Get("reason")), Sure: q.Has("shown"), Shown: strings.Split(q.Get("shown"), "."),
		Details: store.Details{
			Title: web.OneLine(f.Get("title")), GivenName: web.OneLine(f.Get("given_name")), MiddleNames: web.OneLine(f.Get("middle_names")),
			FamilyName: web.OneLine(f.Get("family_name")), DisplayName: web.OneLine(f.Get("display_name")), Email: web.OneLine(f.Get("email")),
		},
	}
	if seen, err := uuid.Parse(q.Get("seen")); err == nil {
		c.Seen = seen
	}
	if text := web.OneLine(f.Get("date_of_birth")); text != "" {
		born, err := date("date_of_birth", text)
		if err != nil {
			return c, err
		}
		c.DateOfBirth = &born
	}
	return c, nil
}

func (h *Handler) correctionMistakes(err error) ([]web.FieldError, error) {
	if refusal, refused := errors.AsType[*deed.Refusal](err); refused && refusal.Reason == deed.ChangedSince {
		return []web.FieldError{{Message: "Somebody else has corrected these details since: see the difference, and send yours again if they are right."}}, nil
	}
	list, err := newcomerMistakes(err)
	for i := range list {
		if list[i].Field == "reason" {
			list[i].Message = "Change a detail, and enter a reason of up to 500 characters"
		}
	}
	return list, err
}

// losses says how much ends of what, and of roles which.
func (h *Handler) losses(s lifecycle.Subject, organisation string) []web.Detail {
	roles := web.Detail{Name: "Roles"}
	for _, role := range s.Roles {
		if organisation == "" || role.OrganisationCode == organisation {
			roles.Values = append(roles.Values, cmp.Or(role.PositionName, h.Catalogue.JobRoleShortName(role.JobRole))+" at "+role.OrganisationName)
		}
	}
	if organisation != "" {
		return []web.Detail{roles}
	}
	if more := s.Holdings.Roles - len(s.Roles); more > 0 {
		roles.Values = append(roles.Values, "and "+many(more, "other role"))
	}
	return []web.Detail{
		roles,
		{Name: "Requests", Values: []string{many(s.Holdings.Requests, "open request") + " for the person or by them"}},
		{Name: "Signs in with", Values: []string{many(s.Holdings.Authenticators, "authenticator")}},
		{Name: "Is signed in", Values: []string{many(s.Holdings.Sessions, "session")}},
	}
}

// closingProfile shows the form by which the profile of a person is closed.
func (h *Handler) closingProfile(w http.ResponseWriter, r *http.Request, o officer) error {
	page, err := h.closePage(r, o)
	if err != nil {
		return err
	}
	return h.Pages.Render(w, http.StatusOK, page)
}

func (h *Handler) closePage(r *http.Request, o officer) (web.DeskClose, error) {
	s, err := h.Lifecycle.Look(r.Context(), o.Acting(), authority.ClosePerson, r.PathValue("id"), "")
	if err != nil {
		return web.DeskClose{}, err
	}
	page := web.DeskClose{
		Desk: h.desk(r, o), PersonName: s.DisplayName, PersonURL: "/desk/people/" + s.PersonID, PostURL: r.URL.Path, Losses: h.losses(s, ""),
	}
	for _, as := range lifecycle.ClosedAsWords() {
		page.As = append(page.As, web.Option{Value: string(as), Label: capital(closedWords(as))})
	}
	return page, nil
}

// closeProfile closes the profile of a person.
func (h *Handler) closeProfile(w http.ResponseWriter, r *http.Request, o officer) error {
	f, err := web.Form(w, r, mostForm)
	if err != nil {
		return err
	}
	err = h.Lifecycle.Close(r.Context(), o.Acting(), r.PathValue("id"), lifecycle.ClosedAs(f.Get("as")), web.OneLine(f.Get("reason")))
	if err == nil {
		return web.SeeOther(w, r, "/desk/people/"+r.PathValue("id"))
	}
	wrong, err := mistakes(err, map[string]string{"as": "Select why it is closed", "reason": wantReason})
	if err != nil {
		return err
	}
	page, err := h.closePage(r, o)
	if err != nil {
		return err
	}
	page.Errors, page.Chosen, page.Reason = wrong, f.Get("as"), f.Get("reason")
	return h.Pages.Render(w, http.StatusBadRequest, page)
}

// reopening shows the form by which a closed profile is opened again.
func (h *Handler) reopening(w http.ResponseWriter, r *http.Request, o officer) error {
	page, err := h.reopenPage(r, o)
	if err != nil {
		return err
	}
	return h.Pages.Render(w, http.StatusOK, page)
}

func (h *Handler) reopenPage(r *http.Request, o officer) (web.DeskReopen, error) {
	s, err := h.Lifecycle.Look(r.Context(), o.Acting(), authority.ReopenPerson, r.PathValue("id"), "")
	if err != nil {
		return web.DeskReopen{}, err
	}
	page := web.DeskReopen{Desk: h.desk(r, o), PersonName: s.DisplayName, PersonURL: "/desk/people/" + s.PersonID, PostURL: r.URL.Path}
	if s.ClosedAt != nil {
		page.Profile = web.Profile{Closed: closedWords(lifecycle.ClosedAs(s.ClosedAs)), ClosedAt: *s.ClosedAt}
	}
	return page, nil
}

// reopen opens a closed profile again.
func (h *Handler) reopen(w http.ResponseWriter, r *http.Request, o officer) error {
	f, err := web.Form(w, r, mostForm)
	if err != nil {
		return err
	}
	err = h.Lifecycle.Reopen(r.Context(), o.Acting(), r.PathValue("id"), web.OneLine(f.Get("reason")))
	if err == nil {
		return web.SeeOther(w, r, "/desk/people/"+r.PathValue("id"))
	}
	wrong, err := mistakes(err, map[string]string{"reason": wantReason})
	if err != nil {
		return err
	}
	page, err := h.reopenPage(r, o)
	if err != nil {
		return err
	}
	page.Errors, page.Reason = wrong, f.Get("reason")
	return h.Pages.Render(w, http.StatusBadRequest, page)
}

// left is the organisation that somebody leaves: unless the address says another, the officer's.
func left(r *http.Request, o officer) string {
	return cmp.Or(r.URL.Query().Get("organisation"), o.Organisation)
}

// leaving shows the form by which it is recorded that a person leaves an organisation.
func (h *Handler) leaving(w http.ResponseWriter, r *http.Request, o officer) error {
	page, err := h.leavePage(r, o)
	if err != nil {
		return err
	}
	return h.Pages.Render(w, http.StatusOK, page)
}

func (h *Handler) leavePage(r *http.Request, o officer) (web.DeskLeave, error) {
	organisation := left(r, o)
	if _, err := h.At(r.Context(), organisation); err != nil {
		return web.DeskLeave{}, err
	}
	s, err := h.Lifecycle.Look(r.Context(), o.Acting(), authority.AssignPosition, r.PathValue("id"), organisation)
	if err != nil {
		return web.DeskLeave{}, err
	}
	return web.DeskLeave{
		Desk: h.desk(r, o), PersonName: s.DisplayName, PersonURL: "/desk/people/" + s.PersonID, Organisation: organisation,
		PostURL: address(r.URL.Path, "organisation", organisation), Losses: h.losses(s, organisation),
	}, nil
}

// leave records that a person leaves an organisation: at once, or with the end of a last day.
func (h *Handler) leave(w http.ResponseWriter, r *http.Request, o officer) error {
	f, err := web.Form(w, r, mostForm)
	if err != nil {
		return err
	}
	at := h.Now()
	if text := web.OneLine(f.Get("last")); text != "" {
		var day time.Time
		day, err = date("last", text)
		at = day.AddDate(0, 0, 1)
	}
	if err == nil {
		_, err = h.At(r.Context(), left(r, o))
	}
	if err == nil {
		err = h.Lifecycle.Leave(r.Context(), o.Acting(), r.PathValue("id"), left(r, o), at, web.OneLine(f.Get("reason")))
	}
	if err == nil {
		return web.SeeOther(w, r, "/desk/people/"+r.PathValue("id"))
	}
	wrong, err := mistakes(err, map[string]string{"last": wantDate("today or a day within a year,", "30/11/2030") + ", or nothing", "reason": wantReason})
	if err != nil {
		return err
	}
	page, err := h.leavePage(r, o)
	if err != nil {
		return err
	}
	page.Errors, page.Last, page.Reason = wrong, f.Get("last"), f.Get("reason")
	return h.Pages.Render(w, http.StatusBadRequest, page)
}

// history lists what was done to the profile of a person, and to those that were merged into it.
func (h *Handler) history(w http.ResponseWriter, r *http.Request, o officer) error {
	before, err := uuid.Parse(r.URL.Query().Get("after"))
	if err != nil {
		before = uuid.Max // from the newest
	}
	id, ctx := r.PathValue("id"), r.Context()
	if err := h.may(ctx, o, authority.Subject{PersonID: id}, authority.FindPerson); err != nil {
		return err
	}
	found, err := h.Standing(ctx, id)
	if err != nil {
		return err
	}
	others, err := h.Store.MergedInto(ctx, id)
	if err != nil {
		return fmt.Errorf("read profiles merged into %s: %w", id, err)
	}
	list, err := h.Store.PersonChanges(ctx, append(others, id), before, perPage+1)
	if err != nil {
		return fmt.Errorf("list what was changed of person %s: %w", id, err)
	}
	page := web.DeskHistory{Desk: h.desk(r, o), PersonName: found.Person.DisplayName, PersonURL: "/desk/people/" + id}
	if len(list) > perPage {
		list = list[:perPage]
		page.NextURL = address(r.URL.Path, "after", list[perPage-1].ID.String())
	}
	var actors []string
	for _, c := range list {
		actors = append(actors, c.Actor)
	}
	names, err := h.Names(ctx, actors...)
	if err != nil {
		return err
	}
	for _, c := range list {
		row, err := historyRow(c, names, id)
		if err != nil {
			return err
		}
		page.Changes = append(page.Changes, row)
	}
	if err := audit.Record(ctx, h.Store, h.Line(o.Officer, audit.PersonViewed, id, map[string]string{"of": "history"})); err != nil {
		return fmt.Errorf("record: %w", err)
	}
	return h.Pages.Render(w, http.StatusOK, page)
}

func historyRow(c store.PersonChange, names map[string]string, of string) (web.HistoryRow, error) {
	row := web.HistoryRow{By: cmp.Or(names[c.Actor], c.Actor), Reason: c.Reason, At: c.At}
	row.What = map[string]string{
		"corrected": "Details corrected", "merged": "Merged with another profile", "closed": "Profile closed", "reopened": "Profile opened again",
		"left": "Leaves " + c.OrganisationCode,
	}[c.Kind]
	if c.PersonID != of {
		row.UserID = c.PersonID
	}
	from, to := map[string]string{}, map[string]string{}
	if err := errors.Join(json.Unmarshal(c.Old, &from), json.Unmarshal(c.New, &to)); err != nil {
		return row, fmt.Errorf("read change %s: %w", c.ID, err)
	}
	var changes []deed.Change
	fields := maps.Clone(from)
	maps.Copy(fields, to)
	for _, field := range slices.Sorted(maps.Keys(fields)) {
		changes = append(changes, deed.Change{Field: field, From: from[field], To: to[field]})
	}
	row.Changes = changed(changes)
	return row, nil
}
