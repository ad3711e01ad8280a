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
	"github.com/credence-id/credence/idp/deed"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/evidence"
	"github.com/credence-id/credence/idp/office"
	"github.com/credence-id/credence/store"
	"github.com/credence-id/credence/web"
)

// proving is an officer's proving who a person is: face to face, or in a meeting by video.
type proving struct {
	person  store.Person
	meeting store.Meeting // its id is uuid.Nil: face to face
	asks    bool          // the code of her account
}

// met is how the officer meets the person.
func (p proving) met() evidence.Meeting {
	if p.meeting.ID != uuid.Nil {
		return evidence.ByVideo
	}
	return evidence.InPerson
}

// proving reads the one that a page is a part of.
func (h *Handler) proving(r *http.Request, o officer) (p proving, err error) {
	if id := r.PathValue("meeting"); id != "" {
		p.person, p.meeting, err = h.Met(r.Context(), o.Officer, r.PathValue("id"), id)
	} else {
		p.person, err = h.ToProve(r.Context(), o.Officer, r.PathValue("id"))
	}
	if err != nil {
		return p, err
	}
	p.asks, err = h.Evidence.AsksAccountCode(r.Context(), p.person.ID)
	return p, err
}

// newEvidence shows the form for a kind of evidence, or the kinds to choose one of.
func (h *Handler) newEvidence(w http.ResponseWriter, r *http.Request, o officer) error {
	p, err := h.proving(r, o)
	if err != nil {
		return err
	}
	if kind, known := kindOf(r); known {
		return h.Pages.Render(w, http.StatusOK, h.evidenceForm(r, o, p, kind, nil))
	}
	page := web.DeskEvidenceKinds{
		Desk: h.desk(r, o), PersonName: p.person.DisplayName, EvidenceURL: "/desk/people/" + p.person.ID + "/evidence", VideoUntil: p.meeting.EndsAt,
	}
	for _, group := range []struct {
		of   assurance.PieceType
		name string
	}{{assurance.Document, "Documents"}, {assurance.ElectronicRecord, "Electronic records"}, {assurance.Vouch, "People who vouch"}} {
		g := web.KindGroup{Name: group.name}
		for _, kind := range assurance.Kinds() {
			if kind.Type == group.of {
				g.Kinds = append(g.Kinds, web.KindLink{Name: capital(assurance.KindWords(kind.Name)), URL: address(r.URL.Path, "kind", kind.Name)})
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
func (h *Handler) evidenceForm(r *http.Request, o officer, p proving, kind assurance.Kind, f url.Values) web.DeskEvidenceForm {
	page := web.DeskEvidenceForm{
		Desk: h.desk(r, o), PersonName: p.person.DisplayName, EvidenceURL: "/desk/people/" + p.person.ID + "/evidence", VideoUntil: p.meeting.EndsAt, Kind: assurance.KindWords(kind.Name),
		PostURL: address(r.URL.Path, "kind", kind.Name), Numbered: kind.Numbered, AsksCode: p.asks,
		GivenName: f.Get("given_name"), FamilyName: f.Get("family_name"), Born: f.Get("birthdate"), Number: f.Get("number"), Issuer: f.Get("issuer"),
		Declaration: []web.Option{ticked(f["declared"], string(p.met()), declarationWords(p.met()))},
		Country:     f.Get("country"), Issued: f.Get("issued_on"), Expires: f.Get("expires_on"), Source: f.Get("organisation"), TrainedBy: f.Get("trained_by"),
	}
	if kind.Type == assurance.ElectronicRecord {
		page.Since, page.Policy, page.Policies = f.Get("activity_since"), f.Get("activity_policy"), activityPolicies()
	}
	for _, feature := range kind.Features {
		page.Features = append(page.Features, ticked(f["feature"], string(feature), capital(strings.ReplaceAll(string(feature), "_", " "))))
	}
	for _, use := range office.Checks(kind, p.met()) {
		group := web.CheckGroup{ID: string(use.Method), Name: checkWords(use.Method)}
		for _, fact := range use.Facts {
			group.Facts = append(group.Facts, ticked(f[group.ID], string(fact), capital(fact.Meaning())))
		}
		page.Checks, page.Failed = append(page.Checks, group), append(page.Failed, ticked(f["failed"], group.ID, failedWords(use.Method)))
	}
	return page
}

// declarationWords is what an officer stands for who met a person so.
func declarationWords(met evidence.Meeting) string {
	if met == evidence.ByVideo {
		return "I saw the person and the originals live on video, clear and in colour and with the face uncovered, and made the checks that I ticked myself"
	}
	return "I met the person face to face, saw the originals, and made the checks that I ticked myself"
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
	f, err := web.Form(w, r, mostForm)
	if err != nil {
		return err
	}
	kind, known := kindOf(r)
	if !known {
		return fmt.Errorf("kind of evidence %w", directory.ErrUnknown)
	}
	p, err := h.proving(r, o)
	if err != nil {
		return err
	}
	change, err := h.prove(r.Context(), o, p, kind, f)
	if err == nil {
		return h.Pages.Render(w, http.StatusOK, h.changePage(r, o, p.person, kind.Name, change))
	}
	wrong, err := evidenceMistakes(err)
	if err != nil {
		return err
	}
	page := h.evidenceForm(r, o, p, kind, f)
	page.Errors = wrong
	return h.Pages.Render(w, http.StatusBadRequest, page)
}

// prove records a piece of evidence of a person as it was entered.
func (h *Handler) prove(ctx context.Context, o officer, p proving, kind assurance.Kind, f url.Values) (evidence.Change, error) {
	piece, err := p.piece(kind, f)
	if err != nil {
		return evidence.Change{}, err
	}
	return h.Prove(ctx, o.Officer, p.person.ID, piece)
}

// specialistTraining is the fact with which a check has to say by whom its checker was trained.
const specialistTraining assurance.Fact = "specialist_training"

// piece is the piece of evidence of a form. Whether it can be recorded is for the rules to say; here only dates are read.
func (p proving) piece(kind assurance.Kind, f url.Values) (evidence.Piece, error) {
	piece := evidence.Piece{
		Piece:   assurance.Piece{Type: kind.Type, Kind: kind.Name, Country: strings.ToUpper(web.OneLine(f.Get("country")))},
		Subject: evidence.Subject{GivenName: web.OneLine(f.Get("given_name")), FamilyName: web.OneLine(f.Get("family_name"))},
		Number:  web.OneLine(f.Get("number")), Issuer: web.OneLine(f.Get("issuer")), Declared: evidence.Meeting(f.Get("declared")),
		AccountCode: web.OneLine(f.Get("account_code")),
	}
	if p.met() == evidence.ByVideo {
		piece.MeetingID = p.meeting.ID.String()
	}
	for _, feature := range f["feature"] {
		piece.Features = append(piece.Features, assurance.Feature(feature))
	}
	activity := assurance.Activity{Policy: assurance.ActivityPolicy(f.Get("activity_policy"))}
	var errs []error
	for _, d := range []struct {
		field string
		to    *string
	}{{"birthdate", &piece.Subject.Birthdate}, {"issued_on", &piece.IssuedOn}, {"expires_on", &piece.ExpiresOn}, {"activity_since", &activity.Since}} {
		if text := web.OneLine(f.Get(d.field)); text != "" {
			day, err := date(d.field, text)
			*d.to, errs = day.Format(time.DateOnly), append(errs, err)
		}
	}
	source, trainedBy := web.OneLine(f.Get("organisation")), web.OneLine(f.Get("trained_by"))
	trained, uses := false, office.Checks(kind, p.met())
	for _, use := range uses {
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
			piece.Checks = append(piece.Checks, c)
		}
	}
	if len(piece.Checks) == 0 {
		errs = append(errs, &directory.InvalidError{Field: string(uses[0].Method), Want: "at least one check"})
	}
	if trainedBy != "" && !trained {
		errs = append(errs, &directory.InvalidError{Field: "trained_by", Want: "nothing"})
	}
	return piece, errors.Join(errs...)
}

// evidenceMistakes says beside the fields of the form what was wrong with what was entered. Any other error is returned.
func evidenceMistakes(err error) ([]web.FieldError, error) {
	if _, refused := errors.AsType[*deed.Refusal](err); refused {
		return nil, err
	}
	switch {
	case errors.Is(err, evidence.ErrDuplicate):
		return []web.FieldError{{Field: "number", Message: "This document is on record for another person. Look whether that is the same person, and talk to whoever leads on fraud if it is not"}}, nil
	case errors.Is(err, evidence.ErrForged):
		return []web.FieldError{{Field: "number", Message: "This document was found forged before. Keep it, and talk to whoever leads on fraud at the registration authority"}}, nil
	case errors.Is(err, evidence.ErrNoAccountCode):
		return []web.FieldError{{Field: "account_code", Message: "Enter the 8 digits that the account of this person shows her"}}, nil
	case errors.Is(err, evidence.ErrAccountCode):
		return []web.FieldError{{Field: "account_code", Message: "This is not the code that the account of this person shows now: have her show another one, and ask for it once more"}}, nil
	case errors.Is(err, evidence.ErrAccountCodes):
		return []web.FieldError{{Field: "account_code", Message: "Too many codes were wrong. Wait a quarter of an hour, and ask whether this is her account"}}, nil
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
