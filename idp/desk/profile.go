package desk

import (
	"cmp"

	"github.com/credence-id/credence/idp/authority"
	"github.com/credence-id/credence/idp/deed"
	"github.com/credence-id/credence/idp/lifecycle"
	"github.com/credence-id/credence/idp/office"
	"github.com/credence-id/credence/web"
)

// profile says what became of the profile of a person, and what the officer can do to it.
func profile(p office.Profile, known office.Known) web.Profile {
	person := known.Person
	of := "/desk/people/" + person.ID
	shown := web.Profile{
		RegisteredWith: p.SelfRegisteredOrganisation, RegisteredAt: p.CreatedAt, Unproved: known.Unproved, HistoryURL: of + "/history",
		SameNameURL: address("/desk/people", "q", person.GivenName+" "+person.FamilyName),
	}
	for _, code := range p.Leaves {
		shown.Leaves = append(shown.Leaves, web.Link{Name: code, URL: address(of+"/leave", "organisation", code)})
	}
	for _, other := range p.AlsoKnown {
		shown.AlsoKnown = append(shown.AlsoKnown, web.Link{Name: other, URL: "/desk/people/" + other})
	}
	link := func(act authority.Act, path string) string {
		if !p.Does[act] {
			return ""
		}
		return of + path
	}
	shown.CorrectURL, shown.MergeURL = link(authority.CorrectPerson, "/correct"), link(authority.MergePeople, "/merge")
	shown.CloseURL, shown.ReopenURL = link(authority.ClosePerson, "/close"), link(authority.ReopenPerson, "/reopen")
	if p.ClosedAt != nil {
		shown.Closed, shown.ClosedAt = closedWords(lifecycle.ClosedAs(p.ClosedAs)), *p.ClosedAt
		if p.MergedInto != "" {
			shown.MergedInto = web.Link{Name: p.MergedInto, URL: "/desk/people/" + p.MergedInto}
		}
		return shown
	}
	for _, m := range p.Merges {
		other := m.Kept
		if other == person.ID {
			other = m.Duplicate
		}
		shown.Merges = append(shown.Merges, web.Link{Name: other, URL: mergesPath + "/" + m.ID.String()})
	}
	return shown
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
