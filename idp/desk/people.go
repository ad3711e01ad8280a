package desk

import (
	"context"
	"errors"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/credence-id/credence/idp/assurance"
	"github.com/credence-id/credence/idp/authority"
	"github.com/credence-id/credence/idp/deed"
	"github.com/credence-id/credence/idp/office"
	"github.com/credence-id/credence/store"
	"github.com/credence-id/credence/web"
)

// idForm is what the id of a person and of a position look like.
var idForm = regexp.MustCompile(`^[0-9]{12}$`)

// people searches for people.
func (h *Handler) people(w http.ResponseWriter, r *http.Request, o officer) error {
	q := r.URL.Query()
	text, born := web.OneLine(q.Get("q")), web.OneLine(q.Get("born"))
	page := web.DeskPeople{Desk: h.desk(r, o), Query: q.Get("q"), Born: q.Get("born"), Document: q.Get("document"), Documents: numbered()}
	if !q.Has("q") {
		if err := h.may(r.Context(), o, authority.Subject{}, authority.FindPerson); err != nil {
			return err
		}
		return h.Pages.Render(w, http.StatusOK, page)
	}
	columns := []column{
		{by: store.ByLikeness, up: "the likeliest first"},
		{"Name", store.ByName, "A to Z by family name", "Z to A by family name"},
		{"User ID", store.ByPerson, "lowest first", "highest first"},
		{name: "Identity"},
		{name: "Organisations"},
	}
	if page.Document != "" { // whom a document leads to are few, and on one page
		columns = []column{{name: "Name"}, {name: "User ID"}, {name: "Identity"}, {name: "Organisations"}}
	}
	var order store.Order
	order, page.Sorting = sorted(r, store.Order{By: store.ByLikeness}, columns...)
	list, more, err := h.search(r.Context(), o, text, born, page.Document, order, following(r))
	if _, refused := errors.AsType[*deed.Refusal](err); refused {
		return err
	}
	if err != nil {
		if page.Errors, err = mistakes(err, map[string]string{"born": wantDate("a date of birth", "31/3/1980"), "document": "Select what you entered"}); err != nil {
			return err
		}
		return h.Pages.Render(w, http.StatusBadRequest, page)
	}
	page.Searched = true
	switch {
	case h.can(o, authority.Subject{}, authority.CreatePerson):
		page.CreateURL = createPath
	case h.can(o, authority.Subject{Path: []string{o.Organisation}}, authority.RequestPosition):
		page.PositionsURL = positionsPath
	}
	for _, p := range list {
		page.People = append(page.People, personRow(p))
	}
	if more {
		page.NextURL = onward(r, list[len(list)-1].ID)
	}
	return h.Pages.Render(w, http.StatusOK, page)
}

// numbered are the kinds of evidence that have a number, to choose from.
func numbered() []web.Option {
	list := []web.Option{{Label: "Name, user ID or email address"}}
	for _, kind := range assurance.Kinds() {
		if kind.Numbered {
			list = append(list, web.Option{Value: kind.Name, Label: capital(assurance.KindWords(kind.Name)) + " number"})
		}
	}
	return list
}

func personRow(p store.FoundPerson) web.PersonRow {
	return web.PersonRow{
		Name: p.DisplayName, UserID: p.ID, Identity: identityWords(p.IdentityLevel), Organisations: p.Organisations,
		Disabled: p.DisabledAt != nil, URL: "/desk/people/" + p.ID,
	}
}

// search finds a page of people: see [office.Office.Search]. The date of birth is as people write one, or "".
func (h *Handler) search(ctx context.Context, o officer, text, born, document string, order store.Order, after string) ([]store.FoundPerson, bool, error) {
	who := office.Wanted{Text: text, Document: document}
	if born != "" {
		day, err := date("born", born)
		if err != nil {
			return nil, false, err
		}
		who.Born = &day
	}
	return h.Search(ctx, o.Officer, who, order, after)
}

// person shows a person.
func (h *Handler) person(w http.ResponseWriter, r *http.Request, o officer) error {
	order, sorting := sorted(r, store.Order{By: store.ByStart}, column{"Start", store.ByStart, "oldest first", "newest first"}, column{"Expiry", store.ByExpiry, "soonest first", "latest first"})
	p, err := h.View(r.Context(), o.Officer, r.PathValue("id"), order, following(r))
	if err != nil {
		return err
	}
	now, of := h.Now(), "/desk/people/"+p.Person.ID
	page := web.DeskPerson{
		Desk: h.desk(r, o), Name: p.Person.DisplayName, UserID: p.Person.ID, Email: p.Person.Email, Identity: identityWords(p.Person.IdentityLevel),
		Disabled: !p.PersonStands, URL: of, Sorting: sorting,
	}
	if p.Born != nil {
		page.Born = p.Born.Format("2 January 2006")
	}
	for _, g := range p.Person.Registrations {
		page.Registrations = append(page.Registrations, web.Detail{Name: "Number of " + strings.ToUpper(g.Body), Values: []string{g.Number}})
	}
	for _, role := range p.Roles {
		page.Roles = append(page.Roles, h.roleRow(role, p, of, now))
	}
	if p.MoreRoles {
		page.RolesURL = address(of, "sort", page.Order, "after", p.Roles[len(p.Roles)-1].ID)
	}
	if h.can(o, authority.Subject{PersonID: p.Person.ID, Path: []string{o.Organisation}}, authority.RequestPosition) {
		page.AskURL = of + "/positions"
	}
	if p.Photograph != nil {
		page.PhotographURL = of + photographPath
	}
	if p.Proves {
		page.EvidenceURL, page.TakePhotographURL = of+"/evidence", of+"/photograph"
	}
	if p.Keeps {
		page.AuthenticatorsURL = of + "/authenticators"
	}
	for _, row := range p.Requests {
		shown := waitingRow(row, now)
		if !p.Sees[row.OrganisationCode] {
			shown.URL = ""
		}
		page.Requests = append(page.Requests, shown)
	}
	for _, a := range p.Authenticators {
		shown := web.Authenticator{Name: a.Name, Kind: kindWords(a.Kind), AddedAt: a.CreatedAt}
		if a.LastUsedAt != nil {
			shown.LastUsedAt = *a.LastUsedAt
		}
		page.Authenticators = append(page.Authenticators, shown)
	}
	known, err := h.Profile(r.Context(), o.Officer, p.Person)
	if err != nil {
		return err
	}
	page.Profile = profile(known, p)
	if page.Profile.Closed != "" { // nothing is given to one that is closed
		page.AskURL, page.AuthenticatorsURL = "", ""
	}
	return h.Pages.Render(w, http.StatusOK, page)
}

func (h *Handler) roleRow(role store.PositionedRole, p office.Known, of string, now time.Time) web.RoleRow {
	shown := web.RoleRow{
		Role:         web.Role{ID: role.ID, Name: h.Catalogue.JobRoleShortName(role.JobRole), Organisation: role.OrganisationName, OrganisationCode: role.OrganisationCode},
		PositionName: role.PositionName, ToCome: role.StartsAt.After(now), StartsAt: role.StartsAt,
	}
	if role.EndsAt != nil {
		shown.ExpiresAt = *role.EndsAt
	}
	if role.PositionID != "" && p.Asks[role.OrganisationCode] {
		shown.EndURL = address(of+"/positions/"+role.PositionID, "end", "1")
	}
	return shown
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
