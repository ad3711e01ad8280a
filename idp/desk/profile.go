package desk

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/credence-id/credence/idp/authority"
	"github.com/credence-id/credence/idp/deed"
	"github.com/credence-id/credence/idp/lifecycle"
	"github.com/credence-id/credence/idp/office"
	"github.com/credence-id/credence/web"
)

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
