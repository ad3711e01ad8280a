package directory

import (
	"time"

	"github.com/credence-id/credence/idp/assurance"
	"github.com/credence-id/credence/idp/evidence"
)

// inventedEvidence is what earns a person the level: by the profile H1A, as a desk does that reads the passport's chip;
// V1B, when it also asks whether the passport was cancelled; M1A without the chip; L1A with a proof-of-age card.
func inventedEvidence(p NewPerson, level assurance.IdentityLevel) []evidence.Piece {
	inspection := []assurance.Fact{"physical", "visible", "uv_ir", "original_document", "specialist_training", "refreshed_three_yearly"}
	comparison := []assurance.Fact{"specialist_training", "refreshed_three_yearly", "adequate_light", "unaltered_photo"}
	yearly := []assurance.Fact{"specialist_training", "refreshed_yearly", "adequate_light", "unaltered_photo", "masks_considered", "eyes_visible"}
	began := time.Date(2023, time.December, 11, 10, 30, 0, 0, time.UTC)
	desk := func(minutes int, method assurance.CheckMethod, facts []assurance.Fact) assurance.Check {
		return assurance.Check{
			Method: method, At: began.Add(time.Duration(minutes) * time.Minute), Organisation: "Larkmere Hospital (invented)", Checker: "Invented desk",
			TrainedBy: "Invented training", Facts: facts,
		}
	}
	asked := func(minutes int, organisation string, facts ...assurance.Fact) assurance.Check {
		return assurance.Check{Method: assurance.RecordMatch, At: began.Add(time.Duration(minutes) * time.Minute), Organisation: organisation, Facts: facts}
	}
	subject := evidence.Subject{GivenName: p.GivenName, FamilyName: p.FamilyName}
	if p.DateOfBirth != nil {
		subject.Birthdate = p.DateOfBirth.Format(time.DateOnly)
	}
	passport := evidence.Piece{
		Piece: assurance.Piece{
			Type: assurance.Document, Kind: "passport", Country: "GBR", Features: []assurance.Feature{assurance.BiometricChip},
			IssuedOn: "2021-03-02", ExpiresOn: "2031-03-02",
			Checks: []assurance.Check{desk(3, assurance.PhysicalInspectionUV, inspection)},
		},
		Subject: subject, Number: "5" + p.ID[4:], Issuer: "HM Passport Office",
	}
	register := evidence.Piece{
		Piece: assurance.Piece{
			Type: assurance.ElectronicRecord, Kind: "fraud_register", Country: "GBR",
			Checks: []assurance.Check{asked(10, "Invented Fraud Bureau",
				"authoritative_source", "identity_theft_check", "impersonation_risk_check", "mortality_check", "synthetic_identity_check")},
		},
		Subject: subject, Issuer: "National Fraud Database (invented)",
	}
	chip := desk(1, assurance.CryptographicInspection, []assurance.Fact{"cryptographic"})
	chip.TrainedBy = ""
	switch level {
	case assurance.IdentityVeryHigh:
		passport.Checks = append(passport.Checks, chip, asked(4, "HM Passport Office", "authoritative_match", "not_cancelled"), desk(6, assurance.ComparisonInPerson, yearly))
		return []evidence.Piece{passport, register}
	case assurance.IdentityHigh:
		passport.Checks = append(passport.Checks, chip, desk(6, assurance.ComparisonInPerson, yearly))
		licence := evidence.Piece{
			Piece: assurance.Piece{
				Type: assurance.Document, Kind: "driving_permit", Country: "GBR", Jurisdiction: "GB-GBN", Features: []assurance.Feature{assurance.Photocard},
				IssuedOn: "2022-05-01", ExpiresOn: "2032-04-30",
				Checks: []assurance.Check{desk(4, assurance.PhysicalInspectionUV, inspection), asked(5, "DVLA", "authoritative_match")},
			},
			Subject: subject, Number: "INVENTED" + p.ID, Issuer: "DVLA",
		}
		return []evidence.Piece{passport, licence, register}
	case assurance.IdentityMedium:
		passport.Checks = append(passport.Checks, desk(6, assurance.ComparisonInPerson, comparison))
		return []evidence.Piece{passport, register}
	case assurance.IdentityLow:
		card := evidence.Piece{
			Piece: assurance.Piece{
				Type: assurance.Document, Kind: "pass_card", Country: "GBR", IssuedOn: "2022-09-01", ExpiresOn: "2027-08-31",
				Checks: []assurance.Check{desk(3, assurance.PhysicalInspectionUV, inspection), desk(6, assurance.ComparisonInPerson, comparison)},
			},
			Subject: subject, Issuer: "CitizenCard (invented)",
		}
		return []evidence.Piece{card, register}
	default:
		return nil
	}
}
