package evidence

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/assurance"
	"github.com/credence-id/credence/idp/ida"
	"github.com/credence-id/credence/store"
)

// Verified is all that can be said of a person's identity in the words of OpenID Identity Assurance: what was proved of her,
// the level that is, how it was reached, and the evidence by which it was. A relying party is given a selection of it. There
// is nothing where nothing was proved: no evidence, a level that was only asserted, or evidence about a name or date of birth
// that is not the one on record any more. Who is not known is ErrUnknown.
func (r *Recorder) Verified(ctx context.Context, personID string) ([]ida.VerifiedClaims, error) {
	person, counts, err := r.read(ctx, personID)
	if err != nil {
		return nil, err
	}
	if person.Policy == "" || person.Level == string(assurance.IdentityNone) {
		return nil, nil
	}
	v, err := r.judge(counts)
	if err != nil {
		return nil, fmt.Errorf("evidence of person %s %w: %s", personID, ErrInvalid, err.Error())
	}
	claims := v.claims(person)
	if len(claims) == 0 {
		return nil, nil
	}
	verification := ida.Verification{
		TrustFramework:   ida.TrustFramework,
		AssuranceLevel:   person.Level,
		AssuranceProcess: &ida.AssuranceProcess{Policy: "gpg45", Procedure: strings.ToLower(person.Profile)},
		Time:             lastCheck(v.pieces),
	}
	told := v.told()
	if person.Policy == v.PolicyVersion { // the reasons are those of today's tables, and may not be what the level was reached by
		verification.AssuranceProcess.Details = v.details(told)
	}
	var process uuid.UUID // the last that what is told came with
	for i, e := range counts {
		if piece := r.tell(e, v.pieces[i], told); piece.CheckDetails != nil {
			process = e.ProcessID
			verification.Evidence = append(verification.Evidence, piece)
		}
	}
	if process != uuid.Nil {
		verification.VerificationProcess = process.String()
	}
	return []ida.VerifiedClaims{{Verification: verification, Claims: claims}}, nil
}

// claims are those that evidence states which was found genuine, of who the person is on record now.
func (v verdict) claims(person store.IdentityRow) map[string]any {
	claims := map[string]any{}
	if !v.names(person) {
		return claims
	}
	genuine := v.checks(func(reason assurance.Reason) bool { return reason.About == assurance.AboutValidity })
	for _, p := range v.pieces {
		if !slices.ContainsFunc(p.Checks, func(c assurance.Check) bool { return genuine[c.ID] }) {
			continue
		}
		claims["given_name"], claims["family_name"] = person.GivenName, person.FamilyName // each piece states them
		if person.DateOfBirth != nil && p.Birthdate != "" {
			claims["birthdate"] = p.Birthdate
		}
	}
	return claims
}

// The most that is told of a person. More than that on record was not needed for the level.
const (
	maxTold       = 20 // pieces
	maxToldChecks = 10 // of each
)

// told are the checks that are told, each with its piece: of those that the scores rest on, the ones about the person first,
// and first those of pieces that the identity rests on.
func (v verdict) told() map[string]facts {
	piece := map[string]int{} // of each check
	for i, p := range v.pieces {
		for _, c := range p.Checks {
			piece[c.ID] = i
		}
	}
	picked := make([][]string, len(v.pieces))
	for _, reason := range slices.Backward(v.scoring.Reasons) { // those about the person come last
		for _, check := range reason.Checks {
			if i := piece[check]; reason.Score > 0 && len(picked[i]) < maxToldChecks && !slices.Contains(picked[i], check) {
				picked[i] = append(picked[i], check)
			}
		}
	}
	told, pieces, rests := map[string]facts{}, 0, v.restsOn()
	for _, needed := range []bool{true, false} {
		for i, p := range v.pieces {
			if len(picked[i]) == 0 || rests[p.ID] != needed || pieces == maxTold {
				continue
			}
			pieces++
			for _, check := range picked[i] {
				told[check] = p
			}
		}
	}
	return told
}

// details says what each part of the proof is worth, and on which of the checks that are told that rests.
func (v verdict) details(told map[string]facts) (details []ida.AssuranceDetail) {
	strength := map[string]int{}
	for _, reason := range v.scoring.Reasons {
		if reason.About == assurance.AboutStrength {
			strength[reason.Piece] = reason.Score
		}
	}
	for _, part := range []struct {
		about    assurance.About
		assuring string
	}{
		{assurance.AboutValidity, ida.AssuranceValidation},
		{assurance.AboutVerification, ida.AssuranceVerification},
		{assurance.AboutFraud, ida.AssuranceCounterFraud},
		{assurance.AboutActivity, ida.AssuranceActivityHistory},
	} {
		for _, reason := range v.scoring.Reasons {
			if reason.About != part.about || reason.Score == 0 {
				continue
			}
			detail := ida.AssuranceDetail{Type: part.assuring, Classification: fmt.Sprintf("score_%d", reason.Score)}
			for _, check := range reason.Checks {
				piece, there := told[check]
				if !there {
					continue
				}
				ref := ida.EvidenceRef{CheckID: check}
				if class := piece.classification(reason.About, check, strength[reason.Piece]); class != "" {
					ref.Metadata = &ida.EvidenceMetadata{Classification: class}
				}
				detail.Evidence = append(detail.Evidence, ref)
			}
			if detail.Evidence != nil {
				details = append(details, detail)
			}
		}
	}
	return details
}

// classification says what the evidence of a check is, for the part of the proof that rests on it: the strength of a piece,
// the quality of questions, or that a counter-fraud source was asked.
func (f facts) classification(about assurance.About, check string, strength int) string {
	switch about {
	case assurance.AboutValidity:
		return fmt.Sprintf("score_%d_strength", strength)
	case assurance.AboutFraud:
		return "id_fraud"
	case assurance.AboutVerification:
		return f.questions(check)
	default:
		return ""
	}
}

// questions is the lowest quality of the questions of a check; "" when it asked none.
func (f facts) questions(check string) string {
	for _, c := range f.Checks {
		for _, quality := range []assurance.Quality{assurance.LowQuality, assurance.MediumQuality, assurance.HighQuality} {
			if c.ID == check && slices.ContainsFunc(c.Questions, func(q assurance.Question) bool { return q.Quality == quality }) {
				return string(quality) + "_kbv"
			}
		}
	}
	return ""
}

// tell is a piece in the words of OpenID Identity Assurance, with those of its checks that are told. A number that is sealed
// under a key that was lost is left out.
func (r *Recorder) tell(e store.Evidence, f facts, told map[string]facts) ida.Evidence {
	out := ida.Evidence{Type: e.Type}
	for _, c := range f.Checks {
		if _, there := told[c.ID]; there {
			out.CheckDetails = append(out.CheckDetails, ida.CheckDetail{Method: string(c.Method), ID: c.ID, Organization: c.Organisation, Time: c.At.UTC()})
		}
	}
	number, err := r.number(e)
	if err != nil {
		number = ""
	}
	issuer := &ida.Source{Name: f.Issuer, Address: ida.Address{CountryCode: f.Country}, Jurisdiction: f.Jurisdiction}
	if *issuer == (ida.Source{}) {
		issuer = nil
	}
	switch f.Type {
	case assurance.Document:
		kind := f.Kind
		if kind == "id_card" {
			kind = "idcard" // as the standard spells it
		}
		out.DocumentDetails = &ida.DocumentDetails{Type: kind, DocumentNumber: number, DateOfIssuance: f.IssuedOn, DateOfExpiry: f.ExpiresOn, Issuer: issuer}
	case assurance.ElectronicRecord:
		out.Record = &ida.Record{Type: f.Kind, DateOfExpiry: f.ExpiresOn, Source: issuer}
	case assurance.Vouch:
		out.Attestation = &ida.Attestation{Type: f.Kind, ReferenceNumber: number, DateOfIssuance: f.IssuedOn, DateOfExpiry: f.ExpiresOn}
		if issuer != nil {
			out.Attestation.Voucher = &ida.Voucher{Organization: f.Issuer, Address: issuer.Address}
		}
	}
	return out
}
