package wardlist

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// claimGroup is one table of claims.
type claimGroup struct {
	ID, Heading, Intro string
	Folded             bool // closed until it is opened
	Rows               []claimRow
}

// claimRow is one claim as the page lays it out.
type claimRow struct {
	ID      string // of the element; empty for a name that no id can hold
	Name    string
	Value   string
	Block   bool   // the value has lines of its own
	Folded  string // what stands for a long value until it is opened; empty for a short value
	Gloss   string // the value said another way, such as a time
	Meaning string // what the claim is for; empty when it is not known here
}

// term explains one claim.
type term struct{ name, meaning string }

// topic is a group of claims that are read together.
type topic struct {
	id, heading string
	terms       []term
}

// topics are the claims that the ward list can explain, in reading order. The
// ID token and userinfo share them: what a claim means does not depend on where
// it is found.
func topics() []topic {
	return []topic{
		{"claims-person", "Who it is", []term{
			{"sub", "The person's identifier at this provider. It never changes and is never given to anyone else."},
			{"uid", "The person's identifier, under the name that older services look for."},
			{"nhsid_useruid", "The person's identifier, under the name that older services look for."},
			{"name", "The person's name."},
			{"display_name", "The name to show on a screen."},
			{"title", "How the person is addressed."},
			{"given_name", "The person's given name."},
			{"middle_names", "The person's names between the given and the family name."},
			{"family_name", "The person's family name."},
			{"initials", "The first letters of the person's given and middle names."},
			{"locale", "The language in which the person wants to be written to."},
			{"email", "Where the person reads mail. Never a reason to permit anything."},
			{"email_verified", "Whether the provider has made sure that the address is the person's."},
			{"identity_assurance_level", "How well the person's identity was proved before they were let in: none, low, medium, high or very_high."},
			{"verified_claims", "What was verified about the person, by which rules, and on what evidence."},
			{"id_assurance_level", "The same as a number, under a name that older services look for."},
			{"idassurancelevel", "The same as a number, under a name that older services look for."},
			{"identity_proofing_level", "How well the person's identity was proved in the words of NHS login, for services that read them."},
		}},
		{"claims-sign-in", "How they signed in", []term{
			{claimLevel, "How strong this sign-in was: 1 is one factor, 2 is two, 3 is two of which one is a key or card that cannot be phished or copied."},
			{"authentication_assurance_level", "The same, under the name that older services look for."},
			{"acr", "The rule that this sign-in met, out of those the provider publishes."},
			{"amr", "What the person did to sign in, a word for each method."},
			{"vot", "How well the identity was proved (P) and how the person signed in (C), as short codes (RFC 8485). The page at vtm says what they mean."},
			{"vtm", "Where the meaning of the codes in vot is published."},
			{"auth_time", "When the person last proved that it was them."},
			{"sid", "The session at the provider. A notice that it has ended names it so."},
		}},
		{"claims-role", "What they act as", []term{
			{claimRole, "The one role in use: which profile of the person it is, its code and its name."},
			{"organisation", "The organisation the person acts for in that role."},
			{"roles", "Role codes in the standard form (RFC 9068), for software that does not know the claim role."},
			{claimEntitlements, "The activities that the role in use may carry out, by code."},
			{"selected_roleid", "The profile in use, under the name that older services look for."},
		}},
		{"claims-all-roles", "What else they may act as", []term{
			{"nhsid_nrbac_roles", "Every role profile of the person: organisation, job role, areas of work and activities. Only the one in use is a reason to permit anything."},
			{"nhsid_user_orgs", "The organisations the person belongs to."},
			{"nhsid_org_roles", "The organisations at which the person has a role."},
			{"nhsid_org_memberships", "The organisations the person belongs to, each with the number of the membership."},
		}},
		{"claims-professional", "Professional registrations", []term{
			{"gmc_id", "Number at the General Medical Council."},
			{"gmp_id", "Number as a general medical practitioner."},
			{"consultant_id", "Number as a consultant."},
			{"gdc_id", "Number at the General Dental Council."},
			{"gdp_id", "Number as a general dental practitioner."},
			{"nmc_id", "Number at the Nursing and Midwifery Council."},
			{"rcn_id", "Number at the Royal College of Nursing."},
			{"gphc_id", "Number at the General Pharmaceutical Council."},
		}},
		{"claims-token", "The token itself", []term{
			{"iss", "Who says all this. The ward list accepts one issuer only."},
			{"aud", "Who it is said to. A token for another service is refused."},
			{"azp", "The service that asked for the token."},
			{"iat", "When the token was made."},
			{"exp", "When the token ends. It is refused from then on."},
			{"nonce", "The random word this sign-in was started with. Another word means a replay, and is refused."},
			{"at_hash", "Ties the access token to this token. Checked."},
			{"jti", "The token's own name, for the record."},
		}},
	}
}

// layOut lays the claims of the ID token and of userinfo out in tables. No row
// is lost: what the ward list cannot explain is shown all the same.
func layOut(idToken, userInfo claims) []claimGroup {
	var groups []claimGroup
	meanings := make(map[string]string)
	for _, t := range topics() {
		group := claimGroup{ID: t.id, Heading: t.heading}
		for _, term := range t.terms {
			meanings[term.name] = term.meaning
			if value, ok := idToken[term.name]; ok {
				group.Rows = append(group.Rows, newClaimRow(rowID("claim-", term.name), term.name, value, term.meaning))
			}
		}
		groups = append(groups, group)
	}
	unexplained := claimGroup{ID: "claims-other", Heading: "Other claims"}
	for _, name := range slices.Sorted(maps.Keys(idToken)) {
		if _, ok := meanings[name]; !ok {
			unexplained.Rows = append(unexplained.Rows, newClaimRow(rowID("claim-", name), name, idToken[name], ""))
		}
	}
	groups = append(groups, unexplained)

	info := claimGroup{
		ID: "claims-userinfo", Heading: "From userinfo", Folded: true,
		Intro: "Fetched with the access token after the sign-in, and again each time access is checked.",
	}
	for _, name := range slices.Sorted(maps.Keys(userInfo)) {
		// An id may stand once on a page, and the ID token comes first.
		prefix := "claim-"
		if _, ok := idToken[name]; ok {
			prefix = "userinfo-"
		}
		info.Rows = append(info.Rows, newClaimRow(rowID(prefix, name), name, userInfo[name], meanings[name]))
	}
	groups = append(groups, info)
	return slices.DeleteFunc(groups, func(g claimGroup) bool { return len(g.Rows) == 0 })
}

// rowID returns the id of a claim's row. HTML allows no white space in an id,
// and a claim's name may be any string.
func rowID(prefix, name string) string {
	if len(strings.Fields(name)) != 1 || strings.TrimSpace(name) != name {
		return ""
	}
	return prefix + name
}

func newClaimRow(id, name string, value json.RawMessage, meaning string) claimRow {
	row := claimRow{ID: id, Name: name, Value: string(value), Meaning: meaning}
	switch value[0] {
	case '"':
		row.Value = claims{name: value}.text(name)
	case '{', '[':
		row.Value, row.Block = indent(value)
		row.Folded = fold(value, row.Value)
	}
	switch name {
	case "auth_time", "iat", "exp":
		if at, ok := (claims{name: value}).instant(name); ok {
			row.Gloss = clock(at)
		}
	}
	return row
}

// fold returns what stands for JSON that is too long to read in passing, and
// nothing for JSON that is not.
func fold(value json.RawMessage, shown string) string {
	const lines, characters = 6, 300 // a role and an organisation with their names stay open
	if strings.Count(shown, "\n") < lines && len(shown) <= characters {
		return ""
	}
	var entries []json.RawMessage
	if json.Unmarshal(value, &entries) != nil || len(entries) < 2 {
		return "Show the value"
	}
	return fmt.Sprintf("Show %d entries", len(entries))
}

// indent returns JSON on one line if it can be read there, and otherwise on
// several.
func indent(value json.RawMessage) (string, bool) {
	var line, lines bytes.Buffer
	if json.Compact(&line, value) == nil && !bytes.ContainsRune(line.Bytes(), '{') {
		return strings.ReplaceAll(line.String(), `","`, `", "`), false
	}
	if json.Indent(&lines, value, "", "  ") == nil {
		return lines.String(), true
	}
	return string(value), true
}

// instant returns the claim if it is a time (RFC 7519, Section 2: NumericDate).
func (c claims) instant(name string) (time.Time, bool) {
	var seconds float64
	if json.Unmarshal(c[name], &seconds) != nil || seconds <= 0 || seconds > 1<<40 {
		return time.Time{}, false
	}
	return time.Unix(int64(seconds), 0), true
}

// clock says a time as a person would read it.
func clock(t time.Time) string {
	return t.UTC().Format("15:04:05 UTC on 2 January 2006")
}
