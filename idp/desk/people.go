package desk

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/credence-id/credence/idp/assurance"
	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/idp/authority"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/position"
	"github.com/credence-id/credence/store"
	"github.com/credence-id/credence/web"
)

// idForm is what the id of a person and of a position look like.
var idForm = regexp.MustCompile(`^[0-9]{12}$`)

// people searches for people.
func (h *Handler) people(w http.ResponseWriter, r *http.Request, o officer) error {
	q := r.URL.Query()
	text, born := oneLine(q.Get("q")), oneLine(q.Get("born"))
	page := web.DeskPeople{Desk: h.desk(r, o), Query: q.Get("q"), Born: q.Get("born")}
	if !q.Has("q") {
		if err := h.may(r.Context(), o, authority.Subject{}, authority.FindPerson); err != nil {
			return err
		}
		return h.Pages.Render(w, http.StatusOK, page)
	}
	list, more, err := h.search(r.Context(), o, text, born, following(r))
	if _, refused := errors.AsType[*position.Refusal](err); refused {
		return err
	}
	if err != nil {
		if page.Errors, err = mistakes(err, map[string]string{"born": wantDate("a date of birth", "31/3/1980")}); err != nil {
			return err
		}
		return h.Pages.Render(w, http.StatusBadRequest, page)
	}
	page.Searched = true
	if h.can(o, authority.Subject{}, authority.CreatePerson) {
		page.CreateURL = createPath
	}
	for _, p := range list {
		page.People = append(page.People, personRow(p))
	}
	if more {
		page.NextURL = address("/desk/people", "q", text, "born", born, "after", list[len(list)-1].ID)
	}
	return h.Pages.Render(w, http.StatusOK, page)
}

func personRow(p store.FoundPerson) web.PersonRow {
	return web.PersonRow{
		Name: p.DisplayName, UserID: p.ID, Identity: identityWords(p.IdentityLevel), Organisations: p.Organisations,
		Disabled: p.DisabledAt != nil, URL: "/desk/people/" + p.ID,
	}
}

// search finds a page of people, wherever they work, and says whether there are more. What was looked for is a user id, an
// e-mail address or a name, which may come with a date of birth. How much is found is recorded, also
// when it is nothing, without what was looked for.
func (h *Handler) search(ctx context.Context, o officer, text, born, after string) (list []store.FoundPerson, more bool, err error) {
	if err := h.may(ctx, o, authority.Subject{}, authority.FindPerson); err != nil {
		return nil, false, err
	}
	by, find, err := finder(text, born, after)
	if err != nil {
		return nil, false, err
	}
	err = h.Store.InTx(ctx, func(tx *store.Tx) error {
		if list, err = find(ctx, tx); err != nil {
			return fmt.Errorf("find people by %s: %w", by, err)
		}
		more, list = len(list) > perPage, list[:min(len(list), perPage)]
		return audit.Record(ctx, tx, h.line(o, audit.PersonSearched, "", map[string]string{"by": by, "hits": strconv.Itoa(len(list))}))
	})
	return list, more, err
}

// fewestLetters is how much of a name has to be known without a date of birth: fewer would find anybody.
const fewestLetters = 3

// finder says by what people are looked for, and how.
func finder(text, born, after string) (by string, find func(context.Context, *store.Tx) ([]store.FoundPerson, error), err error) {
	if err := directory.CheckText("q", text, 1, 200); err != nil {
		return "", nil, &directory.InvalidError{Field: "q", Want: "a name, a user ID or an email address"}
	}
	if id := strings.ReplaceAll(text, " ", ""); idForm.MatchString(id) {
		return "user_id", func(ctx context.Context, tx *store.Tx) ([]store.FoundPerson, error) { return tx.PeopleOfID(ctx, id) }, nil
	}
	if strings.Contains(text, "@") {
		return "email", func(ctx context.Context, tx *store.Tx) ([]store.FoundPerson, error) {
			return tx.PeopleOfEmail(ctx, text, after, perPage+1)
		}, nil
	}
	if born != "" {
		day, err := date("born", born)
		if err != nil {
			return "", nil, err
		}
		return "name_and_birth", func(ctx context.Context, tx *store.Tx) ([]store.FoundPerson, error) {
			return tx.PeopleBornOn(ctx, day, text, after, perPage+1)
		}, nil
	}
	if letters(text) < fewestLetters {
		return "", nil, &directory.InvalidError{Field: "q", Want: "more of the name, or the date of birth as well"}
	}
	return "name", func(ctx context.Context, tx *store.Tx) ([]store.FoundPerson, error) {
		return tx.PeopleNamed(ctx, text, after, perPage+1)
	}, nil
}

func letters(text string) (n int) {
	for _, r := range text {
		if unicode.IsLetter(r) {
			n++
		}
	}
	return n
}

// line is a line of the record of what an officer did at the desk.
func (h *Handler) line(o officer, event audit.Event, person string, detail map[string]string) audit.Entry {
	detail["officer"], detail["officer_role"] = o.PersonID, o.Role
	return audit.Entry{At: h.Now(), Event: event, Actor: o.PersonID, Person: person, Detail: detail}
}

// date reads a day as people write one, the day before the month.
func date(field, text string) (time.Time, error) {
	for _, layout := range []string{"2/1/2006", "2.1.2006", "2-1-2006", "2 1 2006", "2 January 2006", "2 Jan 2006", time.DateOnly} {
		if day, err := time.Parse(layout, text); err == nil && day.Year() >= 1000 {
			return day, nil
		}
	}
	return time.Time{}, &directory.InvalidError{Field: field, Want: "a date such as 31/3/2030"}
}

func wantDate(what, such string) string { return "Enter " + what + " such as " + such }

// person shows a person.
func (h *Handler) person(w http.ResponseWriter, r *http.Request, o officer) error {
	p, err := h.view(r.Context(), o, r.PathValue("id"), following(r))
	if err != nil {
		return err
	}
	now, of := h.Now(), "/desk/people/"+p.Person.ID
	page := web.DeskPerson{
		Desk: h.desk(r, o), Name: p.Person.DisplayName, UserID: p.Person.ID, Email: p.Person.Email, Identity: identityWords(p.Person.IdentityLevel),
		Disabled: !p.PersonStands,
	}
	if p.born != nil {
		page.Born = p.born.Format("2 January 2006")
	}
	for _, g := range p.Person.Registrations {
		page.Registrations = append(page.Registrations, web.Detail{Name: "Number of " + strings.ToUpper(g.Body), Values: []string{g.Number}})
	}
	for _, role := range p.roles {
		page.Roles = append(page.Roles, h.roleRow(role, p, of, now))
	}
	if p.moreRoles {
		page.RolesURL = address(of, "after", p.roles[len(p.roles)-1].ID)
	}
	if h.can(o, authority.Subject{PersonID: p.Person.ID, Path: []string{o.Organisation}}, authority.RequestPosition) {
		page.AskURL = of + "/positions"
	}
	if p.proves {
		page.EvidenceURL = of + "/evidence"
	}
	for _, row := range p.requests {
		shown := requestRow(row, now)
		if !p.sees[row.OrganisationCode] {
			shown.URL = ""
		}
		page.Requests = append(page.Requests, shown)
	}
	for _, a := range p.authenticators {
		shown := web.Authenticator{Name: a.Name, Kind: kindWords(a.Kind), AddedAt: a.CreatedAt}
		if a.LastUsedAt != nil {
			shown.LastUsedAt = *a.LastUsedAt
		}
		page.Authenticators = append(page.Authenticators, shown)
	}
	return h.Pages.Render(w, http.StatusOK, page)
}

func (h *Handler) roleRow(role store.PositionedRole, p known, of string, now time.Time) web.RoleRow {
	shown := web.RoleRow{
		Role:         web.Role{ID: role.ID, Name: h.Catalogue.JobRoleShortName(role.JobRole), Organisation: role.OrganisationName, OrganisationCode: role.OrganisationCode},
		PositionName: role.PositionName, ToCome: role.StartsAt.After(now), StartsAt: role.StartsAt,
	}
	if role.EndsAt != nil {
		shown.ExpiresAt = *role.EndsAt
	}
	if role.PositionID != "" && p.asks[role.OrganisationCode] {
		shown.EndURL = address(of+"/positions/"+role.PositionID, "end", "1")
	}
	return shown
}

// known is what an officer sees of a person.
type known struct {
	store.Standing

	born           *time.Time
	roles          []store.PositionedRole
	moreRoles      bool
	requests       []store.RequestRow
	authenticators []store.Authenticator
	asks, sees     map[string]bool // organisations where the officer may ask for something for her, or see what is asked
	proves         bool            // the officer may record evidence of her
}

// mostRequests bounds the open requests that are shown of one person.
const mostRequests = 50

// view reads a person, with her roles from the one after the given id, and records who saw her.
func (h *Handler) view(ctx context.Context, o officer, id, after string) (p known, err error) {
	if err := h.may(ctx, o, authority.Subject{PersonID: id}, authority.FindPerson); err != nil {
		return known{}, err
	}
	now := h.Now()
	err = h.Store.InTx(ctx, func(tx *store.Tx) error {
		if p.Standing, err = standing(ctx, tx, id, now); err != nil {
			return err
		}
		if p.born, err = tx.DateOfBirth(ctx, id); err != nil {
			return fmt.Errorf("read date of birth of person %s: %w", id, err)
		}
		if p.roles, err = tx.PositionedRoles(ctx, id, after, perPage+1, now); err != nil {
			return fmt.Errorf("list roles of person %s: %w", id, err)
		}
		if p.requests, err = tx.OpenRequestsFor(ctx, id, mostRequests, now); err != nil {
			return fmt.Errorf("list open requests for person %s: %w", id, err)
		}
		if p.authenticators, err = tx.Authenticators(ctx, id, false); err != nil {
			return fmt.Errorf("list authenticators of person %s: %w", id, err)
		}
		return audit.Record(ctx, tx, h.line(o, audit.PersonViewed, id, map[string]string{}))
	})
	if err != nil {
		return known{}, err
	}
	p.moreRoles, p.roles = len(p.roles) > perPage, p.roles[:min(len(p.roles), perPage)]
	return p, h.reach(ctx, o, &p)
}

// reach finds out what an officer may do about a person, and at which organisations.
func (h *Handler) reach(ctx context.Context, o officer, p *known) error {
	p.asks, p.sees = map[string]bool{}, map[string]bool{}
	var codes []string
	for _, role := range p.roles {
		codes = append(codes, role.OrganisationCode)
	}
	for _, row := range p.requests {
		codes = append(codes, row.OrganisationCode)
	}
	slices.Sort(codes)
	for _, code := range slices.Compact(codes) {
		there, err := h.at(ctx, code)
		if err != nil {
			return err
		}
		p.sees[code] = h.can(o, there, onRequests()...)
		there.PersonID = p.Person.ID
		p.asks[code] = h.can(o, there, authority.RequestPosition)
	}
	of, err := h.works(ctx, p.Person)
	p.proves = err == nil && h.can(o, of, authority.RecordEvidence)
	return err
}

// standing reads a person and whether she is enabled.
func standing(ctx context.Context, records interface {
	Person(ctx context.Context, id string, now time.Time) (store.Standing, error)
}, id string, now time.Time,
) (store.Standing, error) {
	if !idForm.MatchString(id) {
		return store.Standing{}, fmt.Errorf("person %q %w", id, directory.ErrUnknown)
	}
	found, err := records.Person(ctx, id, now)
	if errors.Is(err, store.ErrNotFound) {
		return store.Standing{}, fmt.Errorf("person %s %w", id, directory.ErrUnknown)
	}
	if err != nil {
		return store.Standing{}, fmt.Errorf("read person %s: %w", id, err)
	}
	return found, nil
}

// identityWords says for people how well an identity is proved.
func identityWords(level string) string {
	if assurance.IdentityLevel(level) == assurance.IdentityNone {
		return "Not proved"
	}
	words := strings.ReplaceAll(level, "_", " ")
	return strings.ToUpper(words[:1]) + words[1:]
}

// kindWords is how people call a kind of authenticator.
func kindWords(kind string) string {
	switch assurance.Method(kind) {
	case assurance.SecurityKey:
		return "Security key"
	case assurance.Password:
		return "Password"
	case assurance.TOTP:
		return "One-time codes"
	default:
		return "Passkey"
	}
}
