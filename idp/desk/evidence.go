package desk

import (
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
	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/idp/authority"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/evidence"
	"github.com/credence-id/credence/idp/position"
	"github.com/credence-id/credence/store"
	"github.com/credence-id/credence/web"
)

// works is what an officer does something to who does it to a person: at whichever organisations she may act as something now.
func (h *Handler) works(ctx context.Context, p store.Person) (authority.Subject, error) {
	s := authority.Subject{PersonID: p.ID}
	var codes []string
	for _, role := range p.Roles {
		codes = append(codes, role.OrganisationCode)
	}
	slices.Sort(codes)
	for _, code := range slices.Compact(codes) {
		there, err := h.at(ctx, code)
		if err != nil {
			return authority.Subject{}, err
		}
		s.Path = append(s.Path, there.Path...)
	}
	return s, nil
}

// toProve reads a person whose evidence an officer may record.
func (h *Handler) toProve(ctx context.Context, o officer, id string) (store.Person, error) {
	found, err := standing(ctx, h.Store, id, h.Now())
	if err != nil {
		return store.Person{}, err
	}
	of, err := h.works(ctx, found.Person)
	if err != nil {
		return store.Person{}, err
	}
	return found.Person, h.may(ctx, o, of, authority.RecordEvidence)
}

// evidence shows by what the identity of a person is proved.
func (h *Handler) evidence(w http.ResponseWriter, r *http.Request, o officer) error {
	after, err := uuid.Parse(r.URL.Query().Get("after"))
	if err != nil {
		after = uuid.Nil // from the beginning
	}
	p, err := h.proof(r.Context(), o, r.PathValue("id"), after)
	if err != nil {
		return err
	}
	of := "/desk/people/" + p.person.ID
	page := web.DeskEvidence{
		Desk: h.desk(r, o), PersonName: p.person.DisplayName, PersonURL: of, Identity: outcomeWords(p.explained.Recorded), Note: capital(p.explained.Note),
		Missing: p.missing, AddURL: of + "/evidence/new",
	}
	for _, e := range p.list {
		row := web.EvidenceRow{
			Kind: capital(assurance.KindWords(e.Kind)), Issuer: e.Issuer, Number: e.Number, IssuedOn: dayWords(e.IssuedOn), ExpiresOn: dayWords(e.ExpiresOn),
			RecordedBy: p.called(e.RecordedBy), RecordedAt: e.RecordedAt,
		}
		for _, c := range e.Checks {
			row.Checks = append(row.Checks, checkLine(c))
		}
		if e.Withdrawn != nil {
			row.Withdrawn = &web.Withdrawn{Reason: string(e.Withdrawn.Reason), By: p.called(e.Withdrawn.By), At: e.Withdrawn.At}
		} else {
			row.WithdrawURL = of + "/evidence/" + e.ID + "/withdraw"
		}
		page.Evidence = append(page.Evidence, row)
	}
	if p.more {
		page.NextURL = address(of+"/evidence", "after", p.list[len(p.list)-1].ID)
	}
	return h.Pages.Render(w, http.StatusOK, page)
}

// proof is by what the identity of a person is proved, and what is missing.
type proof struct {
	person    store.Person
	explained evidence.Explanation
	missing   []web.EvidenceGap
	list      []evidence.Recorded // a page of what was recorded
	more      bool
	names     map[string]string // of who recorded and withdrew it
}

// called is the name of whoever did something: an officer, or an operator at the command line.
func (p proof) called(by string) string {
	if name, known := p.names[by]; known {
		return name
	}
	return by
}

// proof reads the evidence of a person, from the piece after the given one, and records who saw it.
func (h *Handler) proof(ctx context.Context, o officer, personID string, after uuid.UUID) (p proof, err error) {
	if p.person, err = h.toProve(ctx, o, personID); err != nil {
		return proof{}, err
	}
	if p.explained, err = h.Evidence.Explain(ctx, personID); err != nil {
		return proof{}, fmt.Errorf("explain identity of person %s: %w", personID, err)
	}
	if p.missing, err = missing(p.explained); err != nil {
		return proof{}, fmt.Errorf("say what is missing for person %s: %w", personID, err)
	}
	if p.list, err = h.Evidence.Of(ctx, personID, after, perPage+1); err != nil {
		return proof{}, fmt.Errorf("list evidence of person %s: %w", personID, err)
	}
	p.more, p.list = len(p.list) > perPage, p.list[:min(len(p.list), perPage)]
	var ids []string
	for _, e := range p.list {
		ids = append(ids, e.RecordedBy)
		if e.Withdrawn != nil {
			ids = append(ids, e.Withdrawn.By)
		}
	}
	if p.names, err = h.names(ctx, ids...); err != nil {
		return proof{}, err
	}
	if err := audit.Record(ctx, h.Store, h.line(o, audit.PersonViewed, personID, map[string]string{"of": "evidence"})); err != nil {
		return proof{}, fmt.Errorf("record: %w", err)
	}
	return p, nil
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
		if gap.Ways, err = x.Advice(level); err != nil {
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
	person, err := h.toProve(r.Context(), o, r.PathValue("id"))
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

// deskChecks are the checks that a desk makes which has the person before it, of those that the rules take of a kind.
func deskChecks(kind assurance.Kind) (uses []assurance.MethodUse) {
	at := time.Date(2000, time.January, 1, 0, 0, 0, 0, time.UTC)
	for _, use := range assurance.MethodUses() {
		switch use.Method {
		case assurance.PhysicalInspection, assurance.PhysicalInspectionUV, assurance.DigitalInspection, assurance.CryptographicInspection, assurance.RecordMatch,
			assurance.ComparisonInPerson, assurance.BiometricInPerson:
		default:
			continue // of an image, or of somebody elsewhere
		}
		tried := assurance.Piece{ID: "1", Type: kind.Type, Kind: kind.Name, Subject: "1", Number: "1", Checks: []assurance.Check{{ID: "1", Method: use.Method, At: at}}}
		if tried.Validate() == nil {
			uses = append(uses, use)
		}
	}
	return uses
}

// evidenceForm is the form for a kind, with what was entered.
func (h *Handler) evidenceForm(r *http.Request, o officer, person store.Person, kind assurance.Kind, f url.Values) web.DeskEvidenceForm {
	page := web.DeskEvidenceForm{
		Desk: h.desk(r, o), PersonName: person.DisplayName, EvidenceURL: "/desk/people/" + person.ID + "/evidence", Kind: assurance.KindWords(kind.Name),
		PostURL: address(r.URL.Path, "kind", kind.Name), Numbered: kind.Numbered,
		GivenName: f.Get("given_name"), FamilyName: f.Get("family_name"), Born: f.Get("birthdate"), Number: f.Get("number"), Issuer: f.Get("issuer"),
		Country: f.Get("country"), Issued: f.Get("issued_on"), Expires: f.Get("expires_on"), Source: f.Get("organisation"), TrainedBy: f.Get("trained_by"),
	}
	if kind.Type == assurance.ElectronicRecord {
		page.Since, page.Policy, page.Policies = f.Get("activity_since"), f.Get("activity_policy"), activityPolicies()
	}
	for _, feature := range kind.Features {
		page.Features = append(page.Features, ticked(f["feature"], string(feature), capital(strings.ReplaceAll(string(feature), "_", " "))))
	}
	for _, use := range deskChecks(kind) {
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
	person, err := h.toProve(ctx, o, personID)
	if err != nil {
		return store.Person{}, evidence.Change{}, err
	}
	piece, err := pieceOf(kind, f, o, h.Now())
	if err != nil {
		return person, evidence.Change{}, err
	}
	change, err := h.Evidence.Record(ctx, o.PersonID, personID, []evidence.Piece{piece})
	return person, change, err
}

// specialistTraining is the fact with which a check has to say by whom its checker was trained.
const specialistTraining assurance.Fact = "specialist_training"

// pieceOf is the piece of evidence of a form, checked by an officer now: by the minute, so that what is sent twice is the same
// word for word, and is recorded once. Whether it can be recorded is for the rules to say; here only dates are read.
func pieceOf(kind assurance.Kind, f url.Values, o officer, now time.Time) (evidence.Piece, error) {
	p := evidence.Piece{
		Piece:   assurance.Piece{Type: kind.Type, Kind: kind.Name, Country: strings.ToUpper(oneLine(f.Get("country")))},
		Subject: evidence.Subject{GivenName: oneLine(f.Get("given_name")), FamilyName: oneLine(f.Get("family_name"))},
		Number:  oneLine(f.Get("number")), Issuer: oneLine(f.Get("issuer")),
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
	for _, use := range deskChecks(kind) {
		name := string(use.Method)
		c := assurance.Check{
			Method: use.Method, Failed: slices.Contains(f["failed"], name), At: now.Truncate(time.Minute), Organisation: o.role.OrganisationName, Checker: o.PersonID,
		}
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
func firstCheck(kind assurance.Kind) string { return string(deskChecks(kind)[0].Method) }

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
		Before: outcomeWords(change.Before), After: outcomeWords(change.After),
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
	p, err := h.piece(r.Context(), o, r.PathValue("id"), r.PathValue("evidence"))
	if err != nil {
		return err
	}
	return h.Pages.Render(w, http.StatusOK, h.withdrawPage(r, o, p))
}

// onePiece is a piece of evidence and whose it is.
type onePiece struct {
	store.Evidence

	person store.Person
	by     string // the name of who recorded it
}

// piece reads a piece of evidence of a person that an officer may withdraw.
func (h *Handler) piece(ctx context.Context, o officer, personID, text string) (p onePiece, err error) {
	if p.person, err = h.toProve(ctx, o, personID); err != nil {
		return onePiece{}, err
	}
	id, err := uuid.Parse(text)
	if err != nil {
		return onePiece{}, fmt.Errorf("evidence %.40q %w", text, directory.ErrUnknown)
	}
	p.Evidence, err = h.Store.Evidence(ctx, id)
	if errors.Is(err, store.ErrNotFound) || err == nil && p.PersonID != personID {
		return onePiece{}, fmt.Errorf("evidence %s of person %s %w", id, personID, directory.ErrUnknown)
	}
	if err != nil {
		return onePiece{}, fmt.Errorf("read evidence %s: %w", id, err)
	}
	names, err := h.names(ctx, p.RecordedBy)
	p.by = proof{names: names}.called(p.RecordedBy)
	return p, err
}

func (h *Handler) withdrawPage(r *http.Request, o officer, p onePiece) web.DeskEvidenceWithdraw {
	return web.DeskEvidenceWithdraw{
		Desk: h.desk(r, o), PersonName: p.person.DisplayName, EvidenceURL: "/desk/people/" + p.PersonID + "/evidence", Kind: assurance.KindWords(p.Kind),
		RecordedBy: p.by, RecordedAt: p.RecordedAt, PostURL: r.URL.Path,
	}
}

// withdraw takes that form.
func (h *Handler) withdraw(w http.ResponseWriter, r *http.Request, o officer) error {
	f, err := form(w, r)
	if err != nil {
		return err
	}
	reason := evidence.Reason(f.Get("reason"))
	p, change, err := h.takeBack(r.Context(), o, r.PathValue("id"), r.PathValue("evidence"), reason)
	if err == nil {
		page := h.changePage(r, o, p.person, p.Kind, change)
		page.Withdrawn = true
		page.Again, page.Like = false, false // it is withdrawn, however often it was recorded
		return h.Pages.Render(w, http.StatusOK, page)
	}
	page := h.withdrawPage(r, o, p)
	switch {
	case errors.Is(err, evidence.ErrInvalid):
		page.Errors = []web.FieldError{{Field: "reason", Message: "Select why it is withdrawn"}}
	case errors.Is(err, evidence.ErrWithdrawn):
		page.Errors, page.Reason = []web.FieldError{{Message: "It was withdrawn before: look at the evidence as it is now."}}, string(reason)
	default:
		return err
	}
	return h.Pages.Render(w, http.StatusBadRequest, page)
}

// takeBack withdraws a piece of evidence of a person.
func (h *Handler) takeBack(ctx context.Context, o officer, personID, text string, reason evidence.Reason) (p onePiece, change evidence.Change, err error) {
	if p, err = h.piece(ctx, o, personID, text); err != nil {
		return p, change, err
	}
	change, err = h.Evidence.Withdraw(ctx, o.PersonID, p.ID, reason)
	return p, change, err
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
