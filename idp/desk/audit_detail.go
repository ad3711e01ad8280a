package desk

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/credence-id/credence/idp/assurance"
	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/idp/authority"
	"github.com/credence-id/credence/idp/lifecycle"
	"github.com/credence-id/credence/idp/office"
	"github.com/credence-id/credence/web"
)

// auditDetails are what a line says beside who did what, when and to whom: the things that it is about first named, each with the way to
// its page where the officer may open it.
func (h *Handler) auditDetails(o officer, l office.AuditLine) (list []web.AuditDetail) {
	for _, name := range slices.Sorted(maps.Keys(l.Details)) {
		value := l.Details[name]
		if value == "" {
			continue
		}
		list = append(list, web.AuditDetail{Name: fieldWords(name), Value: h.valueWords(l, name, value), URL: h.auditURL(o, l, name, value)})
	}
	if l.SessionID != nil {
		list = append(list, web.AuditDetail{Name: "Session", Value: l.SessionID.String()})
	}
	if l.GrantID != nil {
		list = append(list, web.AuditDetail{Name: "Grant", Value: l.GrantID.String()})
	}
	return list
}

// auditChanges are what a line says was changed.
func (h *Handler) auditChanges(l office.AuditLine) (list []web.Difference) {
	for _, c := range l.Changes {
		was, is := some(c.From), some(c.To)
		for _, values := range [][]string{was, is} {
			for i := range values {
				values[i] = h.valueWords(l, c.Field, values[i])
			}
		}
		list = append(list, web.Difference{Name: fieldWords(c.Field), Was: was, Is: is})
	}
	return list
}

// auditURL is the page of what a detail names, if there is one that the officer may open.
func (h *Handler) auditURL(o officer, l office.AuditLine, name, value string) string {
	page, known := map[string]struct {
		path string
		acts []authority.Act
	}{
		"request":      {"/desk/requests/", []authority.Act{authority.RequestPosition, authority.DecideRequest}},
		"introduction": {"/desk/introductions/", []authority.Act{authority.TakeUpIntroduction}},
		"position":     {"/desk/positions/", []authority.Act{authority.ManagePositions, authority.RequestPosition}},
		"review":       {reviewsPath + "/", []authority.Act{authority.ReviewAccess}},
		"application":  {"/desk/clients/", []authority.Act{authority.ApplyClient, authority.ApproveClient}},
		"merge":        {mergesPath + "/", []authority.Act{authority.MergePeople}},
		"break_glass":  {breakGlassPath + "/", []authority.Act{authority.ReviewBreakGlass}},
	}[name]
	here := authority.Subject{Path: []string{o.Organisation}}
	switch {
	case name == "authenticator" && l.PersonID != "" && h.can(o, here, authority.UnlockAuthenticator, authority.IssueAuthenticator):
		return authenticatorsPath(l.PersonID)
	case !known || !h.can(o, here, page.acts...):
		return ""
	}
	return page.path + value
}

// valueWords says a value of a detail for people.
func (h *Handler) valueWords(l office.AuditLine, name, value string) string {
	if at, err := time.Parse(time.RFC3339, value); err == nil {
		return at.UTC().Format("2 January 2006 at 3:04pm MST")
	}
	if person := l.Names[value]; person != "" {
		return called(person, value)
	}
	if role, is := l.Roles[value]; is {
		return h.roleWords(role) + " (" + value + ")"
	}
	var words string
	switch name {
	case "as":
		words = capital(closedWords(lifecycle.ClosedAs(value)))
	case "level", "level_before":
		words = identityWords(value)
	case "kind", "method":
		if words = capital(assurance.KindWords(value)); slices.Contains(ownKinds(), assurance.Method(value)) {
			words = kindWords(value)
		}
	case "job_role":
		words = h.Catalogue.JobRoleShortName(value) + " (" + value + ")"
	case "fields":
		var fields []string
		for field := range strings.FieldsSeq(value) {
			fields = append(fields, fieldWords(field))
		}
		words = strings.Join(fields, ", ")
	case "event":
		words = auditWords()[audit.Event(value)]
	case "acts", "reason", "note", "name", "decision_reason", "help_text":
		return value
	}
	plain := map[string]string{"true": "Yes", "yes": "Yes", "false": "No"}[value]
	if token(value) && plain == "" {
		plain = capital(strings.ReplaceAll(value, "_", " "))
	}
	return cmp.Or(words, dayWords(value), plain, value)
}

// ownKinds are the kinds of authenticators that have names.
func ownKinds() []assurance.Method {
	return []assurance.Method{assurance.SecurityKey, assurance.Passkey, assurance.Password, assurance.TOTP}
}

// token says whether a value is a word of the program, such as assign_position.
func token(value string) bool {
	return strings.Trim(value, "abcdefghijklmnopqrstuvwxyz_") == ""
}

// fieldWords is what people call a detail of a line.
func fieldWords(name string) string {
	return cmp.Or(detailFieldWords()[name], capital(strings.ReplaceAll(name, "_", " ")))
}

// detailFieldWords are the details whose names do not say it by themselves.
func detailFieldWords() map[string]string {
	words := map[string]string{
		"aaguid": "Model", "acts": "What was tried", "as": "Closed as", "asked": "Requests that were asked", "authenticator_level": "Level of the sign-in", "authenticators_bound_by": "Who added what she signs in with",
		"by": "Looked for by", "change": "Change of the profile", "code": "Code", "decision_reason": "Reason of the decision", "declared": "How the officer met the person",
		"ends_at": "Ends", "expires_at": "Until", "fields": "What was corrected", "given": "Requests in the file", "hits": "People shown", "includes": "Includes positions", "items": "Roles to decide about",
		"kid": "Key", "kept": "Profile that is kept", "lapses_at": "Lapses", "lines": "Lines read", "made_at": "Made", "of": "What was read", "of_position": "By way of position", "of_version": "In its version",
		"other_evidence": "Evidence of the same document", "other_person": "Of person", "outcome": "Outcome", "owner": "Looked after by", "policy_version": "Version of the rules", "predecessor": "Before it",
		"profile": "Profile of evidence", "proposal": "Evidence that waited", "removes": "Removes what nobody decides", "shown": "People shown as alike", "shown_people": "Who was shown as alike", "starts_at": "Begins",
		"due_at": "Due", "way": "How it was taken", "why": "Because", "with": "With evidence", "withdrawn_before": "Withdrawn before as evidence", "wrong_codes": "Wrong codes",
	}
	for name, of := range detailWords() {
		words[name] = cmp.Or(words[name], of)
	}
	return words
}
