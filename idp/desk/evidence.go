package desk

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/assurance"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/evidence"
	"github.com/credence-id/credence/idp/office"
	"github.com/credence-id/credence/idp/position"
	"github.com/credence-id/credence/store"
	"github.com/credence-id/credence/web"
)

// evidence shows by what the identity of a person is proved.
func (h *Handler) evidence(w http.ResponseWriter, r *http.Request, o officer) error {
	after, err := uuid.Parse(r.URL.Query().Get("after"))
	if err != nil {
		after = uuid.Nil // from the beginning
	}
	p, err := h.Proof(r.Context(), o.Officer, r.PathValue("id"), after)
	if err != nil {
		return err
	}
	gaps, err := missing(p.Explained)
	if err != nil {
		return fmt.Errorf("say what is missing for person %s: %w", p.Person.ID, err)
	}
	of := "/desk/people/" + p.Person.ID
	page := web.DeskEvidence{
		Desk: h.desk(r, o), PersonName: p.Person.DisplayName, PersonURL: of, Identity: outcomeWords(p.Explained.Recorded), Note: capital(p.Explained.Note),
		Missing: gaps, AddURL: of + "/evidence/new",
	}
	for _, e := range p.List {
		row := web.EvidenceRow{
			Kind: capital(assurance.KindWords(e.Kind)), Issuer: e.Issuer, Number: e.Number, IssuedOn: dayWords(e.IssuedOn), ExpiresOn: dayWords(e.ExpiresOn),
			RecordedBy: p.Called(e.RecordedBy), RecordedAt: e.RecordedAt, FaceToFace: e.Declared == evidence.InPerson,
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
		page.NextURL = address(of+"/evidence", "after", p.List[len(p.List)-1].ID)
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

// newEvidence shows the form for a kind of evidence, or the kinds to choose one of.
func (h *Handler) newEvidence(w http.ResponseWriter, r *http.Request, o officer) error {
	person, err := h.ToProve(r.Context(), o.Officer, r.PathValue("id"))
	if err != nil {
		return err
	}
	if kind, known := kindOf(r); known {
		return h.Pages.Render(w, http.StatusOK, h.evidenceForm(r, o, person, kind, nil))
	}
	of := "/desk/people/" + person.ID + "/evidence"
	page := web.DeskEvidenceKinds{Desk: h.desk(r, o), PersonName: person.DisplayName, EvidenceURL: of}
	for _, group := range []struct {
		of   assurance.PieceType
		name string
	}{{assurance.Document, "Documents"}, {assurance.ElectronicRecord, "Electronic records"}, {assurance.Vouch, "People who vouch"}} {
		g := web.KindGroup{Name: group.name}
		for _, kind := range assurance.Kinds() {
			if kind.Type == group.of {
				g.Kinds = append(g.Kinds, web.KindLink{Name: capital(assurance.KindWords(kind.Name)), URL: address(of+"/new", "kind", kind.Name)})
			}
		}
		page.Groups = append(page.Groups, g)
	}
	return h.Pages.Render(w, http.StatusOK, page)
}

// kindOf is the kind of evidence that a request is about.
func kindOf(r *http.Request) (assurance.Kind, bool) {
	kinds := assurance.Kinds()
	i := slices.IndexFunc(kinds, func(k assurance.Kind) bool { return k.Name == r.URL.Query().Get("kind") })
	if i < 0 {
		return assurance.Kind{}, false
	}
	return kinds[i], true
}

// evidenceForm is the form for a kind, with what was entered.
func (h *Handler) evidenceForm(r *http.Request, o officer, person store.Person, kind assurance.Kind, f url.Values) web.DeskEvidenceForm {
	page := web.DeskEvidenceForm{
		Desk: h.desk(r, o), PersonName: person.DisplayName, EvidenceURL: "/desk/people/" + person.ID + "/evidence", Kind: assurance.KindWords(kind.Name),
		PostURL: address(r.URL.Path, "kind", kind.Name), Numbered: kind.Numbered,
		GivenName: f.Get("given_name"), FamilyName: f.Get("family_name"), Born: f.Get("birthdate"), Number: f.Get("number"), Issuer: f.Get("issuer"),
		Declaration: []web.Option{ticked(f["declared"], string(evidence.InPerson), "I met the person face to face, saw the originals, and made the checks that I ticked myself")},
		Country:     f.Get("country"), Issued: f.Get("issued_on"), Expires: f.Get("expires_on"), Source: f.Get("organisation"), TrainedBy: f.Get("trained_by"),
	}
	if kind.Type == assurance.ElectronicRecord {
		page.Since, page.Policy, page.Policies = f.Get("activity_since"), f.Get("activity_policy"), activityPolicies()
	}
	for _, feature := range kind.Features {
		page.Features = append(page.Features, ticked(f["feature"], string(feature), capital(strings.ReplaceAll(string(feature), "_", " "))))
	}
	for _, use := range office.Checks(kind) {
		group := web.CheckGroup{ID: string(use.Method), Name: checkWords(use.Method)}
		for _, fact := range use.Facts {
			group.Facts = append(group.Facts, ticked(f[group.ID], string(fact), capital(fact.Meaning())))
		}
		page.Checks, page.Failed = append(page.Checks, group), append(page.Failed, ticked(f["failed"], group.ID, group.Name))
	}
	return page
}

// activityPolicies are how well whoever keeps a record can have checked the person.
func activityPolicies() []web.Option {
	return []web.Option{
		{Label: "Select one"},
		{Value: string(assurance.PolicyNone), Label: "Not known, or not at all"},
		{Value: string(assurance.PolicyPublished), Label: "By rules that they publish"},
		{Value: string(assurance.PolicyMLR), Label: "As the money laundering regulations ask"},
		{Value: string(assurance.PolicyPhysicalMatch), Label: "By the face or other biometrics, against an official document"},
	}
}

func ticked(all []string, value, label string) web.Option {
	return web.Option{Value: value, Label: label, Checked: slices.Contains(all, value)}
}

// record takes that form.
func (h *Handler) record(w http.ResponseWriter, r *http.Request, o officer) error {
	f, err := form(w, r)
	if err != nil {
		return err
	}
	kind, known := kindOf(r)
	if !known {
		return fmt.Errorf("kind of evidence %w", directory.ErrUnknown)
	}
	person, change, err := h.prove(r.Context(), o, r.PathValue("id"), kind, f)
	if err == nil {
		return h.Pages.Render(w, http.StatusOK, h.changePage(r, o, person, kind.Name, change))
	}
	wrong, err := evidenceMistakes(err)
	if err != nil {
		return err
	}
	page := h.evidenceForm(r, o, person, kind, f)
	page.Errors = wrong
	return h.Pages.Render(w, http.StatusBadRequest, page)
}

// prove records a piece of evidence of a person as it was entered.
func (h *Handler) prove(ctx context.Context, o officer, personID string, kind assurance.Kind, f url.Values) (store.Person, evidence.Change, error) {
	person, err := h.ToProve(ctx, o.Officer, personID)
	if err != nil {
		return store.Person{}, evidence.Change{}, err
	}
	piece, err := pieceOf(kind, f)
	if err != nil {
		return person, evidence.Change{}, err
	}
	change, err := h.Prove(ctx, o.Officer, person.ID, piece)
	return person, change, err
}

// specialistTraining is the fact with which a check has to say by whom its checker was trained.
const specialistTraining assurance.Fact = "specialist_training"

// pieceOf is the piece of evidence of a form. Whether it can be recorded is for the rules to say; here only dates are read.
func pieceOf(kind assurance.Kind, f url.Values) (evidence.Piece, error) {
	p := evidence.Piece{
		Piece:   assurance.Piece{Type: kind.Type, Kind: kind.Name, Country: strings.ToUpper(oneLine(f.Get("country")))},
		Subject: evidence.Subject{GivenName: oneLine(f.Get("given_name")), FamilyName: oneLine(f.Get("family_name"))},
		Number:  oneLine(f.Get("number")), Issuer: oneLine(f.Get("issuer")), Declared: evidence.Meeting(f.Get("declared")),
	}
	for _, feature := range f["feature"] {
		p.Features = append(p.Features, assurance.Feature(feature))
	}
	activity := assurance.Activity{Policy: assurance.ActivityPolicy(f.Get("activity_policy"))}
	var errs []error
	for _, d := range []struct {
		field string
		to    *string
	}{{"birthdate", &p.Subject.Birthdate}, {"issued_on", &p.IssuedOn}, {"expires_on", &p.ExpiresOn}, {"activity_since", &activity.Since}} {
		if text := oneLine(f.Get(d.field)); text != "" {
			day, err := date(d.field, text)
			*d.to, errs = day.Format(time.DateOnly), append(errs, err)
		}
	}
	source, trainedBy := oneLine(f.Get("organisation")), oneLine(f.Get("trained_by"))
	trained := false
	for _, use := range office.Checks(kind) {
		name := string(use.Method)
		c := assurance.Check{Method: use.Method, Failed: slices.Contains(f["failed"], name)}
		if c.Method == assurance.RecordMatch {
			c.Organisation = source // that answers for it
			if activity != (assurance.Activity{}) {
				c.Activity = &activity
			}
		}
		for _, fact := range f[name] {
			c.Facts = append(c.Facts, assurance.Fact(fact))
		}
		if slices.Contains(c.Facts, specialistTraining) {
			c.TrainedBy, trained = trainedBy, true
		}
		if c.Failed || c.Facts != nil || c.Activity != nil {
			p.Checks = append(p.Checks, c)
		}
	}
	if len(p.Checks) == 0 {
		errs = append(errs, &directory.InvalidError{Field: firstCheck(kind), Want: "at least one check"})
	}
	if trainedBy != "" && !trained {
		errs = append(errs, &directory.InvalidError{Field: "trained_by", Want: "nothing"})
	}
	return p, errors.Join(errs...)
}

// firstCheck is the first field of the form that is about a check.
func firstCheck(kind assurance.Kind) string { return string(office.Checks(kind)[0].Method) }

// evidenceMistakes says beside the fields of the form what was wrong with what was entered. Any other error is returned.
func evidenceMistakes(err error) ([]web.FieldError, error) {
	if _, refused := errors.AsType[*position.Refusal](err); refused {
		return nil, err
	}
	switch {
	case errors.Is(err, evidence.ErrDuplicate):
		return []web.FieldError{{Field: "number", Message: "This document is on record for another person. Look whether that is the same person, and talk to whoever leads on fraud if it is not"}}, nil
	case errors.Is(err, evidence.ErrForged):
		return []web.FieldError{{Field: "number", Message: "This document was found forged before. Keep it, and talk to whoever leads on fraud at the registration authority"}}, nil
	case errors.Is(err, evidence.ErrInvalid):
		_, why, _ := strings.Cut(err.Error(), evidence.ErrInvalid.Error()+": ")
		return []web.FieldError{fieldOf(why)}, nil
	}
	day := "Enter a date such as 31/3/2030, or nothing"
	words := map[string]string{"birthdate": day, "issued_on": day, "expires_on": day, "activity_since": day, "trained_by": "Tick in each check that you were trained for that the checker was trained by a specialist body, or leave this empty"}
	for _, use := range assurance.MethodUses() {
		words[string(use.Method)] = "Tick what you checked: evidence that nobody checked counts for nothing"
	}
	return mistakes(err, words)
}

// fieldOf says to which field belongs why a piece of evidence was refused, by the words of the rules.
func fieldOf(why string) web.FieldError {
	for _, about := range []struct{ words, field, message string }{
		{"its given_name", "given_name", "These given names are not the ones on record: is it about this person? If the record is wrong, it has to be corrected first"},
		{"its family_name", "family_name", "This family name is not the one on record: is it about this person? If the record is wrong, it has to be corrected first"},
		{"its birthdate", "birthdate", "This date of birth is not the one on record: is it about this person? If the record is wrong, it has to be corrected first"},
		{"set declared", "declared", "Tick that you met the person and saw the originals: without it nothing is recorded"},
		{"declared", "declared", ""},
		{"set number", "number", "Enter its number: without it this cannot be recorded"},
		{"its number", "number", "Enter the number with letters A to Z and digits, and between them only spaces, dots, hyphens and slashes"},
		{"country", "country", "Enter the three capital letters of the country, such as GBR, or nothing"},
		{"activity policy", "activity_policy", "Select how they checked the person, because you entered since when it is in use"},
		{"does not say since when", "activity_since", "Enter since when it is in use, because you selected how they checked the person"},
		{"activity", "activity_since", ""},
		{"set organisation", "organisation", "Enter whose record was asked, because you ticked that the source is authoritative"},
		{"set trained_by", "trained_by", "Enter who trained you, because you ticked that the checker was trained by a specialist body"},
		{"its issuer", "issuer", "Enter an issuer of up to 200 characters, or nothing"},
		{"its organisation", "organisation", "Enter an organisation of up to 200 characters, or nothing"},
		{"its trained_by", "trained_by", "Enter a body of up to 200 characters, or nothing"},
		{"expire", "expires_on", ""},
		{"issued", "issued_on", ""},
	} {
		if !strings.Contains(why, about.words) {
			continue
		}
		if about.message == "" {
			about.message = capital(why)
		}
		return web.FieldError{Field: about.field, Message: about.message}
	}
	return web.FieldError{Message: capital(why) + "."}
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
	f, err := form(w, r)
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
	case errors.Is(err, evidence.ErrWithdrawn):
		wrong, chosen = []web.FieldError{{Message: "It was withdrawn before: look at the evidence as it is now."}}, string(reason)
	default:
		return err
	}
	page, err := h.withdrawPage(r, o)
	if err != nil {
		return err
	}
	page.Errors, page.Reason = wrong, chosen
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
