package desk

import (
	"cmp"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/assurance"
	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/idp/authority"
	"github.com/credence-id/credence/idp/deed"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/lifecycle"
	"github.com/credence-id/credence/store"
	"github.com/credence-id/credence/web"
)

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
		c, _ := correctionOf(r, f) // as far as it can be read
		done, err := h.Last(r.Context(), s.PersonID, "", "", audit.PersonCorrected)
		if err != nil {
			return err
		}
		page.Meanwhile = meanwhile(done, changed(s.Differences(c.Details))...)
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
	list, err := personMistakes(err)
	for i := range list {
		if list[i].Field == "reason" {
			list[i].Message = "Change a detail, and enter a reason of up to 500 characters"
		}
	}
	return list, err
}
