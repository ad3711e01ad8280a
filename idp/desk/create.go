package desk

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/office"
	"github.com/credence-id/credence/web"
)

const createPath = "/desk/people/new"

// creating shows the form by which a person is put on record.
func (h *Handler) creating(w http.ResponseWriter, r *http.Request, o officer) error {
	of, err := h.toCreate(r, o)
	if err != nil {
		return err
	}
	page := h.createPage(r, o, of)
	if of != nil {
		page.Person = web.Newcomer{
			Title: of.Title, GivenName: of.GivenName, MiddleNames: of.MiddleNames, FamilyName: of.FamilyName, Born: of.DateOfBirth.Format("2 January 2006"), Email: of.Email,
		}
	}
	return h.Pages.Render(w, http.StatusOK, page)
}

func (h *Handler) createPage(r *http.Request, o officer, of *office.Introduced) web.DeskCreate {
	page := web.DeskCreate{Desk: h.desk(r, o), PostURL: createURL(of, nil)}
	if of != nil {
		page.For = new(introductionRow(of.IntroductionRow, h.Now()))
	}
	return page
}

// typedOf is what was entered of a person.
func typedOf(f url.Values) web.Newcomer {
	return web.Newcomer{
		Title: f.Get("title"), GivenName: f.Get("given_name"), MiddleNames: f.Get("middle_names"), FamilyName: f.Get("family_name"),
		Born: f.Get("date_of_birth"), Email: f.Get("email"),
	}
}

// create puts a person on record, once the officer has seen who there may be the same.
func (h *Handler) create(w http.ResponseWriter, r *http.Request, o officer) error {
	f, err := web.Form(w, r, mostForm)
	if err != nil {
		return err
	}
	of, err := h.toCreate(r, o)
	if err != nil {
		return err
	}
	page := h.createPage(r, o, of)
	page.Person = typedOf(f)
	id, alike := "", directory.Alike{}
	n, err := newcomer(r.URL.Query(), page.Person, h.Now())
	switch {
	case err != nil:
	case of != nil:
		id, alike, err = h.AddIntroduced(r.Context(), o.Officer, *of, n)
	default:
		id, alike, err = h.Add(r.Context(), o.Officer, n)
	}
	if err != nil {
		if page.Errors, err = newcomerMistakes(err); err != nil {
			return err
		}
		return h.Pages.Render(w, http.StatusBadRequest, page)
	}
	switch {
	case id != "" && of != nil:
		return web.SeeOther(w, r, "/desk/people/"+id+"/evidence")
	case id != "":
		return web.SeeOther(w, r, "/desk/people/"+id)
	}
	page.Person.Born = n.DateOfBirth.Format("2 January 2006") // so that it is seen which of its numbers is the month
	page.Looked, page.More, page.Again = true, alike.More, n.Sure
	shown := make([]string, len(alike.People))
	for i, c := range alike.People {
		page.People, shown[i] = append(page.People, candidate(c)), c.ID
		if of != nil {
			page.People[i].URL = page.For.URL + "/people/" + c.ID
		}
	}
	page.PostURL = createURL(of, shown)
	return h.Pages.Render(w, http.StatusOK, page)
}

// newcomer reads who was entered. The address of the form says who was shown above it: then the officer is sure that the
// person is none of them.
func newcomer(q url.Values, typed web.Newcomer, now time.Time) (directory.Newcomer, error) {
	n := directory.Newcomer{
		NewPerson: directory.NewPerson{
			Title: web.OneLine(typed.Title), GivenName: web.OneLine(typed.GivenName), MiddleNames: web.OneLine(typed.MiddleNames),
			FamilyName: web.OneLine(typed.FamilyName), Email: web.OneLine(typed.Email),
		},
		Sure: q.Has("shown"), Shown: strings.Split(q.Get("shown"), "."),
	}
	born, err := date("date_of_birth", web.OneLine(typed.Born))
	if err != nil {
		return n, errors.Join(n.Check(now), err)
	}
	n.DateOfBirth = &born
	return n, nil
}

// newcomerMistakes is mistakes for the forms about somebody who is to be put on record. The name as pages show it is made of two others there.
func newcomerMistakes(err error) ([]web.FieldError, error) {
	list, err := personMistakes(err)
	for i := range list {
		if list[i].Field == "display_name" {
			list[i] = web.FieldError{Field: "family_name", Message: "Enter a given and a family name that are shorter together"}
		}
	}
	return list, err
}

// personMistakes is mistakes for the details of a person, in the order in which forms have them.
func personMistakes(err error) ([]web.FieldError, error) {
	list, err := mistakes(err, map[string]string{
		"title":         "Enter a title of up to 35 characters, or nothing",
		"given_name":    "Enter a given name, of up to 100 characters",
		"middle_names":  "Enter middle names of up to 100 characters, or nothing",
		"family_name":   "Enter a family name, of up to 100 characters",
		"date_of_birth": wantDate("the date of birth of somebody who is 14 to 120 years old,", "31/3/1980"),
		"email":         "Enter an email address, such as ada@example.org, or nothing",
		"display_name":  "Enter the name as pages show it, in up to 200 characters",
	})
	return inOrder(list, "title", "given_name", "middle_names", "family_name", "display_name", "date_of_birth", "email", "starts", "ends", "reason"), err
}

func candidate(c directory.Candidate) web.Candidate {
	shown := web.Candidate{PersonRow: personRow(c.FoundPerson)}
	for _, why := range []struct {
		holds bool
		words string
	}{
		{c.LikeName, "A similar name"},
		{c.SameBirth, "Born on the same day"},
		{c.SameEmail, "The same email address"},
	} {
		if why.holds {
			shown.Why = append(shown.Why, why.words)
		}
	}
	return shown
}
