package desk

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/credence-id/credence/idp/assurance"
	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/idp/evidence"
	"github.com/credence-id/credence/idp/office"
	"github.com/credence-id/credence/store"
	"github.com/credence-id/credence/web"
)

// evidence shows by what the identity of a person is proved.
func (h *Handler) evidence(w http.ResponseWriter, r *http.Request, o officer) error {
	order, sorting := inTime(r, false)
	p, err := h.Proof(r.Context(), o.Officer, r.PathValue("id"), order, followingUUID(r))
	if err != nil {
		return err
	}
	gaps, err := missing(p.Explained)
	if err != nil {
		return fmt.Errorf("say what is missing for person %s: %w", p.Person.ID, err)
	}
	of := "/desk/people/" + p.Person.ID
	page := web.DeskEvidence{
		Desk: h.desk(r, o), Sorting: sorting, URL: r.URL.Path, PersonName: p.Person.DisplayName, PersonURL: of, Identity: outcomeWords(p.Explained.Recorded), Note: capital(p.Explained.Note),
		Missing: gaps, AddURL: of + "/evidence/new", MeetURL: of + "/meetings/new",
	}
	if p.Meeting != nil {
		page.MeetURL = meetingURL(*p.Meeting)
		if p.Meeting.ConfirmedAt != nil {
			page.VideoURL, page.VideoUntil = page.MeetURL+"/evidence", p.Meeting.EndsAt
		}
	}
	for _, e := range p.List {
		row := web.EvidenceRow{
			Kind: capital(assurance.KindWords(e.Kind)), Issuer: e.Issuer, Number: e.Number, IssuedOn: dayWords(e.IssuedOn), ExpiresOn: dayWords(e.ExpiresOn),
			RecordedBy: p.Called(e.RecordedBy), RecordedAt: e.RecordedAt, FaceToFace: e.Declared == evidence.InPerson, ByVideo: e.Declared == evidence.ByVideo,
		}
		for _, c := range e.Checks {
			row.Checks = append(row.Checks, checkLine(c))
			if c.Method != assurance.RecordMatch { // for which whoever keeps the record answers
				row.Organisation = cmp.Or(row.Organisation, c.Organisation)
			}
			if c.Checker != e.RecordedBy {
				row.CheckedBy = cmp.Or(row.CheckedBy, p.Names[c.Checker])
			}
		}
		if e.Withdrawn != nil {
			row.Withdrawn = &web.Withdrawn{Reason: string(e.Withdrawn.Reason), By: p.Called(e.Withdrawn.By), At: e.Withdrawn.At}
		} else {
			row.WithdrawURL = of + "/evidence/" + e.ID + "/withdraw"
		}
		page.Evidence = append(page.Evidence, row)
	}
	for _, waits := range p.Waiting {
		page.Waiting = append(page.Waiting, web.KindLink{Name: capital(assurance.KindWords(waits.Kind)), URL: proposalsPath + "/" + waits.ID.String()})
	}
	if p.More {
		page.NextURL = onward(r, p.List[len(p.List)-1].ID)
	}
	return h.Pages.Render(w, http.StatusOK, page)
}

// mostWays is how many ways to a level are shown: the easiest ones.
const mostWays = 3

// missing lists what the levels take that are not reached.
func missing(x evidence.Explanation) (gaps []web.EvidenceGap, err error) {
	for _, level := range assurance.IdentityLevels() {
		if level.AtMost(x.Recorded.Level) == level {
			continue
		}
		gap := web.EvidenceGap{Level: strings.ToLower(identityWords(string(level))), Exact: x.Ways(level)}
		if gap.Ways, err = x.Advice(level, nil); err != nil {
			return nil, err
		}
		gap.Ways, gap.Exact = gap.Ways[:min(len(gap.Ways), mostWays)], gap.Exact[:min(len(gap.Exact), mostWays)]
		if len(gap.Ways)+len(gap.Exact) > 0 {
			gaps = append(gaps, gap)
		}
	}
	return gaps, nil
}

// changePage says what came of recording or withdrawing evidence.
func (h *Handler) changePage(r *http.Request, o officer, person store.Person, kind string, change evidence.Change) web.DeskEvidenceChange {
	page := web.DeskEvidenceChange{
		Desk: h.desk(r, o), PersonName: person.DisplayName, EvidenceURL: "/desk/people/" + person.ID + "/evidence", Kind: assurance.KindWords(kind),
		Before: outcomeWords(change.Before), After: outcomeWords(change.After), Awaits: change.Awaits,
	}
	for _, known := range change.Known {
		page.Again, page.Like = page.Again || known.As == known.Evidence, page.Like || known.As != known.Evidence
	}
	for _, other := range change.Others {
		page.Others = append(page.Others, web.KindLink{Name: "Person " + other.PersonID, URL: "/desk/people/" + other.PersonID + "/evidence"})
	}
	return page
}

// withdrawing shows the form by which a piece of evidence is withdrawn.
func (h *Handler) withdrawing(w http.ResponseWriter, r *http.Request, o officer) error {
	page, err := h.withdrawPage(r, o)
	if err != nil {
		return err
	}
	return h.Pages.Render(w, http.StatusOK, page)
}

func (h *Handler) withdrawPage(r *http.Request, o officer) (web.DeskEvidenceWithdraw, error) {
	person, piece, err := h.Piece(r.Context(), o.Officer, r.PathValue("id"), r.PathValue("evidence"))
	if err != nil {
		return web.DeskEvidenceWithdraw{}, err
	}
	names, err := h.Names(r.Context(), piece.RecordedBy)
	return web.DeskEvidenceWithdraw{
		Desk: h.desk(r, o), PersonName: person.DisplayName, EvidenceURL: "/desk/people/" + person.ID + "/evidence", Kind: assurance.KindWords(piece.Kind),
		RecordedBy: office.Proof{Names: names}.Called(piece.RecordedBy), RecordedAt: piece.RecordedAt, PostURL: r.URL.Path,
	}, err
}

// withdraw takes that form.
func (h *Handler) withdraw(w http.ResponseWriter, r *http.Request, o officer) error {
	f, err := web.Form(w, r, mostForm)
	if err != nil {
		return err
	}
	reason := evidence.Reason(f.Get("reason"))
	person, piece, change, err := h.TakeBack(r.Context(), o.Officer, r.PathValue("id"), r.PathValue("evidence"), reason)
	if err == nil {
		page := h.changePage(r, o, person, piece.Kind, change)
		page.Withdrawn = true
		page.Again, page.Like = false, false // it is withdrawn, however often it was recorded
		return h.Pages.Render(w, http.StatusOK, page)
	}
	wrong, chosen := []web.FieldError{{Field: "reason", Message: "Select why it is withdrawn"}}, ""
	switch {
	case errors.Is(err, evidence.ErrInvalid):
	case refusedAs(err, office.WithdrawnBefore):
		wrong, chosen = []web.FieldError{{Message: "It was withdrawn before: look at the evidence as it is now."}}, string(reason)
	default:
		return err
	}
	page, err := h.withdrawPage(r, o)
	if err != nil {
		return err
	}
	page.Errors, page.Reason = wrong, chosen
	if chosen != "" {
		done, err := h.Last(r.Context(), person.ID, "evidence", r.PathValue("evidence"), audit.EvidenceWithdrawn)
		if err != nil {
			return err
		}
		page.Meanwhile = meanwhile(done, beside("Reason", done.Detail["reason"], chosen))
	}
	return h.Pages.Render(w, http.StatusBadRequest, page)
}

// outcomeWords says for people how well an identity is proved, and by which profile.
func outcomeWords(o evidence.Outcome) string {
	if o.Profile == "" {
		return identityWords(string(o.Level))
	}
	return identityWords(string(o.Level)) + " (" + o.Profile + ")"
}

// checkLine says for people what a check came to.
func checkLine(c assurance.Check) string {
	line := checkWords(c.Method)
	if c.Failed {
		line = "Failed: " + line
	}
	var facts []string
	for _, fact := range c.Facts {
		facts = append(facts, fact.Meaning())
	}
	if len(facts) > 0 {
		line += " (" + strings.Join(facts, "; ") + ")"
	}
	if c.Activity != nil {
		line += ", in use since " + dayWords(c.Activity.Since)
	}
	if c.Organisation != "" {
		line += ", " + c.Organisation
	}
	return line + ", " + c.At.Format("2 January 2006")
}

// checkWords is what people call a check.
func checkWords(m assurance.CheckMethod) string {
	return map[assurance.CheckMethod]string{
		assurance.PhysicalInspection:      "Inspected in the hand",
		assurance.PhysicalInspectionUV:    "Inspected in the hand, also under ultraviolet or infrared light",
		assurance.RemoteInspection:        "Inspected by an image of it",
		assurance.DigitalInspection:       "Inspected in its digital form",
		assurance.CryptographicInspection: "Its signature verified, such as that of a chip",
		assurance.RecordMatch:             "A matching record found",
		assurance.ComparisonInPerson:      "Its photo compared with the person, by somebody",
		assurance.RemoteComparison:        "Its photo compared with an image or video of the person, by somebody",
		assurance.BiometricInPerson:       "Its photo compared with the person, by a machine",
		assurance.RemoteBiometric:         "Its photo compared with the person elsewhere, by a machine",
		assurance.KnowledgeQuestions:      "Questions answered that only the person can answer",
		assurance.ElectronicLogin:         "Its owner signed in",
		assurance.IssuedToken:             "Its owner returned a code that was sent out",
	}[m]
}

// failedWords is what a check found that failed.
func failedWords(m assurance.CheckMethod) string {
	return map[assurance.CheckMethod]string{
		assurance.PhysicalInspection:      "In the hand, it does not look genuine",
		assurance.PhysicalInspectionUV:    "Under ultraviolet or infrared light, it does not look genuine",
		assurance.RemoteInspection:        "In its image, it does not look genuine",
		assurance.DigitalInspection:       "Its digital form is not genuine",
		assurance.CryptographicInspection: "Its signature is not right, such as that of a chip",
		assurance.RecordMatch:             "The record that was asked does not match, or warns of it",
		assurance.ComparisonInPerson:      "Somebody saw that its photo shows another face",
		assurance.RemoteComparison:        "Somebody saw in an image or video that its photo shows another face",
		assurance.BiometricInPerson:       "A machine found another face or finger",
		assurance.RemoteBiometric:         "A machine elsewhere found another face or finger",
		assurance.KnowledgeQuestions:      "Questions were not answered, or wrongly",
		assurance.ElectronicLogin:         "Its owner could not sign in",
		assurance.IssuedToken:             "The code that was sent out was not returned",
	}[m]
}

// dayWords is a date on record for people; "" is none.
func dayWords(on string) string {
	day, err := time.Parse(time.DateOnly, on)
	if err != nil {
		return ""
	}
	return day.Format("2 January 2006")
}

func capital(text string) string {
	if text == "" {
		return ""
	}
	return strings.ToUpper(text[:1]) + text[1:]
}
