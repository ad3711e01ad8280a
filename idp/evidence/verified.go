package evidence

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/assurance"
	"github.com/credence-id/credence/idp/ida"
	"github.com/credence-id/credence/store"
)

// Verified is all that can be said of a person's identity in the words of OpenID Identity Assurance: what is on record of
// her, the level that is, how it was reached, and by which evidence. A relying party is given a selection of it. There is
// nothing where nothing was proved: no evidence, or a level that was only asserted. Who is not known is ErrUnknown.
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
	verification := ida.Verification{
		TrustFramework:   ida.TrustFramework,
		AssuranceLevel:   person.Level,
		AssuranceProcess: &ida.AssuranceProcess{Policy: "gpg45", Procedure: strings.ToLower(person.Profile)},
		Time:             lastCheck(v.pieces),
	}
	if person.Policy == v.PolicyVersion { // the reasons are those of today's tables, and may not be what the level was reached by
		verification.AssuranceProcess.Details = v.details()
	}
	var process uuid.UUID // the last that what is told came with
	for i, e := range counts {
		if v.tells(v.pieces[i]) {
			process = e.ProcessID
			verification.Evidence = append(verification.Evidence, r.told(e, v.pieces[i]))
		}
	}
	if process != uuid.Nil {
		verification.VerificationProcess = process.String()
	}
	return []ida.VerifiedClaims{{Verification: verification, Claims: claims(person)}}, nil
}

// claims are those that the evidence names.
func claims(person store.IdentityRow) map[string]any {
	claims := map[string]any{"given_name": person.GivenName, "family_name": person.FamilyName}
	if person.DateOfBirth != nil {
		claims["birthdate"] = person.DateOfBirth.Format(time.DateOnly)
	}
	return claims
}

// tells says whether the reasons refer to a check of the piece.
func (v verdict) tells(p facts) bool {
	return slices.ContainsFunc(v.scoring.Reasons, func(reason assurance.Reason) bool {
		return reason.Score > 0 && slices.ContainsFunc(p.Checks, func(c assurance.Check) bool { return slices.Contains(reason.Checks, c.ID) })
	})
}

// details says what each part of the proof is worth, and on which checks that rests.
func (v verdict) details() (details []ida.AssuranceDetail) {
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
				ref := ida.EvidenceRef{CheckID: check}
				if class := v.classification(reason.About, check, strength[reason.Piece]); class != "" {
					ref.Metadata = &ida.EvidenceMetadata{Classification: class}
				}
				detail.Evidence = append(detail.Evidence, ref)
			}
			details = append(details, detail)
		}
	}
	return details
}

// classification says what the evidence of a check is, for the part of the proof that rests on it: the strength of a piece,
// the quality of questions, or that a counter-fraud source was asked.
func (v verdict) classification(about assurance.About, check string, strength int) string {
	switch about {
	case assurance.AboutValidity:
		return fmt.Sprintf("score_%d_strength", strength)
	case assurance.AboutFraud:
		return "id_fraud"
	case assurance.AboutVerification:
		return v.pieceOf(check).questions(check)
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

// told is a piece in the words of OpenID Identity Assurance. A number that is sealed under a key that was lost is left out.
func (r *Recorder) told(e store.Evidence, f facts) ida.Evidence {
	out := ida.Evidence{Type: e.Type}
	for _, c := range f.Checks {
		if !c.Failed {
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
