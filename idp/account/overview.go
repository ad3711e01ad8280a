package account

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/credence-id/credence/idp/assurance"
	"github.com/credence-id/credence/idp/evidence"
	"github.com/credence-id/credence/idp/registration"
	"github.com/credence-id/credence/store"
	"github.com/credence-id/credence/web"
)

// overview says who is signed in, by what her identity is proved, and how strongly she signed in; and, while an officer meets her by
// video, the code that she reads aloud.
func (h *Handler) overview(w http.ResponseWriter, r *http.Request, o owner) error {
	words := h.words(r)
	explained, err := h.Evidence.Explain(r.Context(), o.Person.ID)
	if err != nil {
		return fmt.Errorf("explain identity of person %s: %w", o.Person.ID, err)
	}
	order, sorting := h.inTime(r, store.Order{By: store.ByTime})
	pieces, err := h.Evidence.Sorted(r.Context(), o.Person.ID, order, afterUUID(r), linesPerPage+1)
	if err != nil {
		return fmt.Errorf("list evidence of person %s: %w", o.Person.ID, err)
	}
	next, err := missing(words, explained)
	if err != nil {
		return err
	}
	meetings, err := h.Meetings.Awaited(r.Context(), o.Person.ID)
	if err != nil {
		return err
	}
	asks, err := h.Evidence.AsksAccountCode(r.Context(), o.Person.ID)
	if err != nil {
		return fmt.Errorf("read whether person %s is proved: %w", o.Person.ID, err)
	}
	page := web.AccountOverview{
		Account: h.account(r, o), Name: o.Person.DisplayName, UserID: o.Person.ID, Email: o.Person.Email, WrittenIn: writtenIn(o.Person),
		Identity: registration.IdentityWords(explained.Recorded.Level), Next: next,
		Sorting: sorting, URL: r.URL.Path,
		SignIn: web.SignInLevel{Level: registration.LevelWords(o.Level), Method: registration.MethodWords(words, o.AMR), At: o.AuthenticatedAt},
	}
	if len(pieces) > linesPerPage {
		pieces = pieces[:linesPerPage]
		page.NextURL = onward(r, pieces[linesPerPage-1].ID)
	}
	for _, piece := range pieces {
		page.Evidence = append(page.Evidence, web.EvidenceOutline{
			Kind: capital(words.Say(assurance.KindWords(piece.Kind))), Issuer: piece.Issuer, Number: piece.Number, RecordedAt: piece.RecordedAt, Withdrawn: piece.Withdrawn != nil,
		})
	}
	if asks {
		page.CodeURL = codePath
	}
	for _, m := range meetings {
		page.Meetings = append(page.Meetings, web.AwaitedMeeting{Officer: m.OfficerName, Organisation: m.OrganisationName, Code: m.Code, EndsAt: m.EndsAt})
	}
	return h.Pages.Render(w, http.StatusOK, page)
}

// missing is the nearest level of identity above the one on record to which there is a way; nil when there is none.
func missing(words web.Words, x evidence.Explanation) (*web.NextLevel, error) {
	for _, level := range assurance.IdentityLevels() {
		if x.Recorded.Level.AtMost(level) != x.Recorded.Level || level == x.Recorded.Level {
			continue
		}
		ways, err := x.Advice(level, words.Say)
		if err != nil {
			return nil, fmt.Errorf("advise person: %w", err)
		}
		if len(ways) > 0 {
			return &web.NextLevel{Level: strings.ReplaceAll(string(level), "_", " "), Ways: ways}, nil
		}
	}
	return nil, nil //nolint:nilnil // there may be none
}

// mostRoles is how many roles are on a page.
const mostRoles = 50

// roles lists what she may act as, and from when to when.
func (h *Handler) roles(w http.ResponseWriter, r *http.Request, o owner) error {
	now := h.Now()
	words, order := h.words(r), r.URL.Query().Get("sort")
	page := web.AccountRoles{Account: h.account(r, o), URL: r.URL.Path, Sorting: web.Sorting{Order: order, GoesOn: goesOn(r), Orders: []web.Option{
		{Value: "", Label: words.Say("As they were given")},
		{Value: "expires", Label: words.Say("Soonest to end first")},
		{Value: "-expires", Label: words.Say("Latest to end first")},
		{Value: "-starts", Label: words.Say("Newest first")},
		{Value: "starts", Label: words.Say("Oldest first")},
	}}}
	by, descending := strings.CutPrefix(order, "-")
	if !slices.ContainsFunc(page.Orders, func(o web.Option) bool { return o.Value == order }) {
		by, descending, page.Order = "", false, ""
	}
	roles, err := h.Store.PositionedRoles(r.Context(), o.Person.ID, store.Order{By: store.Column(by), Descending: descending}, after(r), mostRoles+1, now)
	if err != nil {
		return fmt.Errorf("list roles of person %s: %w", o.Person.ID, err)
	}
	if len(roles) > mostRoles {
		roles = roles[:mostRoles]
		page.NextURL = onward(r, roles[mostRoles-1].ID)
	}
	for _, role := range roles {
		page.Roles = append(page.Roles, h.role(role, o, now))
	}
	if len(o.Person.Roles) > 1 {
		page.ChangeRoleURL = "/sign-in/role"
	}
	return h.Pages.Render(w, http.StatusOK, page)
}

func (h *Handler) role(role store.PositionedRole, o owner, now time.Time) web.OwnRole {
	shown := web.OwnRole{
		Role:         web.Role{ID: role.ID, Name: h.Catalogue.JobRoleShortName(role.JobRole), Organisation: role.OrganisationName, OrganisationCode: role.OrganisationCode},
		PositionName: role.PositionName, ToCome: role.StartsAt.After(now), StartsAt: role.StartsAt,
		Active: o.Role != nil && o.Role.ID == role.ID,
	}
	if role.EndsAt != nil {
		shown.ExpiresAt = *role.EndsAt
	}
	return shown
}

// after is the id after which a list goes on. What can be no id begins it anew.
func after(r *http.Request) string {
	id := r.URL.Query().Get("after")
	if len(id) != 12 || strings.Trim(id, "0123456789") != "" {
		return ""
	}
	return id
}

func capital(words string) string {
	if words == "" {
		return ""
	}
	return strings.ToUpper(words[:1]) + words[1:]
}

// writtenIn is the language of messages to somebody, in words.
func writtenIn(p store.Person) string {
	if web.LanguageNamed(p.Language) == web.Welsh {
		return "Welsh"
	}
	return "English"
}
