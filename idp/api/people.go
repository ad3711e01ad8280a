package api

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/office"
	"github.com/credence-id/credence/store"
)

// page is a page of a list.
type page[Item any] struct {
	Items []Item `json:"items"`
	Next  string `json:"next,omitempty" doc:"The address of the next page, when there is one."`
}

// pageOf makes a page of the rows of a list.
func pageOf[Row, Item any](rows []Row, item func(Row) Item, next string) page[Item] {
	list := make([]Item, len(rows))
	for i, row := range rows {
		list[i] = item(row)
	}
	return page[Item]{list, next}
}

// after is where a list goes on.
type after struct {
	After string `json:"after,omitempty" doc:"Where the list goes on: as in next."`
}

// id is where a list goes on whose rows have UUIDs, or uuid.Nil at its beginning.
func (a after) id() uuid.UUID {
	id, err := uuid.Parse(a.After)
	if err != nil {
		return uuid.Nil
	}
	return id
}

// ordered is the order of a list that is asked for, as "starts" or, from its other end, "-starts"; "" is the first of its orders.
func ordered(text string, first store.Order) store.Order {
	if text == "" {
		return first
	}
	by, descending := strings.CutPrefix(text, "-")
	return store.Order{By: store.Column(by), Descending: descending}
}

type wanted struct {
	UserID      string `json:"user_id,omitempty"`
	Email       string `json:"email,omitempty"`
	Name        string `json:"name,omitempty"`
	DateOfBirth string `json:"date_of_birth,omitempty" format:"date" doc:"With a name, which may then be less like hers."`
	Number      string `json:"number,omitempty" doc:"Of a document that is on record as evidence, the whole of it."`
	Kind        string `json:"kind,omitempty" doc:"Of the document with this number, such as passport."`
	Order       string `json:"order,omitempty" enum:"likeness name -name person -person" doc:"By what it is ordered; with -, from the other end. The likest first, when it is left out."`
	after
}

type found struct {
	UserID        string   `json:"user_id"`
	Name          string   `json:"name"`
	Identity      string   `json:"identity_assurance_level"`
	Organisations []string `json:"organisations,omitempty" doc:"The names of the first of hers."`
	Disabled      bool     `json:"disabled"`
}

func foundOf(p store.FoundPerson) found {
	return found{p.ID, p.DisplayName, p.IdentityLevel, p.Organisations, p.DisabledAt != nil}
}

func (h *Handler) findPeople(c call, in wanted) (page[found], error) {
	who := office.Wanted{Text: in.UserID + in.Email + in.Name + in.Number, Document: in.Kind}
	given := slices.DeleteFunc([]string{in.UserID, in.Email, in.Name, in.Number}, func(s string) bool { return s == "" })
	switch {
	case len(given) != 1 || in.Email != "" && !strings.Contains(in.Email, "@") || in.Name != "" && strings.Contains(in.Name, "@"):
		return page[found]{}, &directory.InvalidError{Field: "name", Want: "one of user_id, email, name and number"}
	case (in.Number != "") != (in.Kind != ""):
		return page[found]{}, &directory.InvalidError{Field: "kind", Want: "the kind of the document, with its number"}
	}
	if in.DateOfBirth != "" {
		born, err := day("date_of_birth", in.DateOfBirth)
		if err != nil {
			return page[found]{}, err
		}
		who.Born = &born
	}
	people, more, err := h.Search(c.Context(), c.officer, who, ordered(in.Order, store.Order{By: store.ByLikeness}), in.After)
	if mistake, is := errors.AsType[*directory.InvalidError](err); is { // by its field at the desk, where all but the kind is one box
		err = &directory.InvalidError{Field: map[string]string{"q": in.field(), "document": "kind"}[mistake.Field], Want: mistake.Want}
	}
	return goesOn(c, people, foundOf, more, func(p store.FoundPerson) string { return p.ID }), err
}

// field is by which somebody is looked for.
func (w wanted) field() string {
	switch {
	case w.UserID != "":
		return "user_id"
	case w.Email != "":
		return "email"
	case w.Number != "":
		return "number"
	default:
		return "name"
	}
}

// day reads a date.
func day(field, text string) (time.Time, error) {
	at, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return at, &directory.InvalidError{Field: field, Want: "a date such as 1980-03-31"}
	}
	return at, nil
}

type newcomer struct {
	Title          string   `json:"title,omitempty"`
	GivenName      string   `json:"given_name"`
	MiddleNames    string   `json:"middle_names,omitempty"`
	FamilyName     string   `json:"family_name"`
	DateOfBirth    string   `json:"date_of_birth" format:"date"`
	Email          string   `json:"email,omitempty"`
	CandidatesSeen []string `json:"candidates_seen,omitempty" doc:"The user ids of the candidates of an answer 409, when the person is none of them."`
}

type candidate struct {
	found
	LikeName  bool `json:"like_name" doc:"A similar name."`
	SameBirth bool `json:"same_date_of_birth"`
	SameEmail bool `json:"same_email"`
}

type added struct {
	UserID string `json:"user_id"`
}

func (h *Handler) addPerson(c call, in newcomer) (added, error) {
	born, err := day("date_of_birth", in.DateOfBirth)
	if err != nil {
		return added{}, err
	}
	id, others, err := h.Add(c.Context(), c.officer, directory.Newcomer{
		NewPerson: directory.NewPerson{
			Title: in.Title, GivenName: in.GivenName, MiddleNames: in.MiddleNames, FamilyName: in.FamilyName, Email: in.Email, DateOfBirth: &born,
		},
		Sure: true, Shown: in.CandidatesSeen,
	})
	if err != nil {
		return added{}, err
	}
	if id == "" {
		return added{}, alike(others)
	}
	c.created("/api/people/" + id)
	return added{id}, nil
}

// alike says who on record may be the same person.
func alike(others directory.Alike) *Problem {
	p := &Problem{Status: http.StatusConflict, Reason: "candidates", Detail: "Somebody on record may be the same person."}
	if others.More {
		p.Detail += " There are more, who are less like her."
	}
	for _, a := range others.People {
		p.Candidates = append(p.Candidates, candidate{foundOf(a.FoundPerson), a.LikeName, a.SameBirth, a.SameEmail})
	}
	return p
}

type person struct {
	UserID         string                     `json:"user_id"`
	Name           string                     `json:"name"`
	DateOfBirth    string                     `json:"date_of_birth,omitempty" format:"date"`
	Email          string                     `json:"email,omitempty"`
	Identity       string                     `json:"identity_assurance_level"`
	Disabled       bool                       `json:"disabled"`
	Registrations  []professionalRegistration `json:"registrations,omitempty"`
	Roles          page[role]                 `json:"roles" doc:"That she has, or is to have."`
	Requests       []request                  `json:"requests,omitempty" doc:"That wait for a decision."`
	Authenticators []authenticator            `json:"authenticators,omitempty"`
}

type professionalRegistration struct {
	Body   string `json:"body"`
	Number string `json:"number"`
}

type role struct {
	ID           string     `json:"id"`
	Organisation string     `json:"organisation"`
	JobRole      string     `json:"job_role"`
	Position     string     `json:"position,omitempty"`
	StartsAt     time.Time  `json:"starts_at"`
	EndsAt       *time.Time `json:"ends_at,omitempty"`
}

func roleOf(r store.PositionedRole) role {
	return role{r.ID, r.OrganisationCode, r.JobRole, r.PositionID, r.StartsAt.UTC(), utc(r.EndsAt)}
}

func utc(t *time.Time) *time.Time {
	if t == nil {
		return nil
	}
	return new(t.UTC())
}

type authenticator struct {
	Kind       string     `json:"kind"`
	Name       string     `json:"name"`
	AddedAt    time.Time  `json:"added_at"`
	LastUsedAt *time.Time `json:"last_used_at,omitempty"`
}

func authenticatorOf(a store.Authenticator) authenticator {
	return authenticator{a.Kind, a.Name, a.CreatedAt.UTC(), utc(a.LastUsedAt)}
}

type personWanted struct {
	Order string `json:"order,omitempty" enum:"starts -starts expires -expires" doc:"By what her roles are ordered; with -, from the other end. By id, when it is left out."`
	after
}

func (h *Handler) readPerson(c call, in personWanted) (person, error) {
	p, err := h.View(c.Context(), c.officer, c.PathValue("person"), ordered(in.Order, store.Order{}), in.After)
	if err != nil {
		return person{}, err
	}
	last := ""
	if len(p.Roles) > 0 {
		last = p.Roles[len(p.Roles)-1].ID
	}
	shown := person{
		UserID: p.Person.ID, Name: p.Person.DisplayName, Email: p.Person.Email, Identity: p.Person.IdentityLevel, Disabled: !p.PersonStands,
		Roles: pageOf(p.Roles, roleOf, c.following(p.MoreRoles, last)),
	}
	if p.Born != nil {
		shown.DateOfBirth = p.Born.Format(time.DateOnly)
	}
	for _, g := range p.Person.Registrations {
		shown.Registrations = append(shown.Registrations, professionalRegistration{g.Body, g.Number})
	}
	for _, row := range p.Requests {
		shown.Requests = append(shown.Requests, h.waitingRequest(row))
	}
	for _, a := range p.Authenticators {
		shown.Authenticators = append(shown.Authenticators, authenticatorOf(a))
	}
	return shown, nil
}
