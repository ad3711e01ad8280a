// Package ida speaks OpenID Identity Assurance: it holds the verified_claims element, reads what a relying party asks
// of it, and selects what that relying party is given.
//
// It implements OpenID Identity Assurance Schema Definition 1.0 (the types), and of OpenID Connect for Identity
// Assurance 1.0 the requests, the rules for returning less than was asked, and the metadata; and the claims request
// parameter of OpenID Connect Core 1.0, Section 5.5, which carries the requests.
//
// It guarantees minimum disclosure: nothing is given that was not asked for by name, not even what the standard
// requires of an answer; then what surrounds it is left out. A request that cannot be met is never an error, it is
// answered with less. A restriction is never passed over: one that the package does not understand is one that is not
// met. The package is pure: it imports nothing of ours, reads no clock and does no I/O.
package ida

import (
	"slices"
	"strings"
	"time"
)

// The values of Verification.TrustFramework for identities proved by GPG 45: the one that the examples of the standard
// use, and the one of the UK data schema.
const (
	TrustFramework   = "uk_diatf"
	TrustFrameworkUK = "uk_dvstf"
)

// The kinds of evidence that Evidence.Type tells apart.
const (
	TypeDocument         = "document"
	TypeElectronicRecord = "electronic_record"
	TypeVouch            = "vouch"
)

// The parts of proving an identity that AssuranceDetail.Type tells apart.
const (
	AssuranceValidation      = "evidence_validation"
	AssuranceVerification    = "verification"
	AssuranceCounterFraud    = "counter_fraud"
	AssuranceActivityHistory = "activity_history"
)

// VerifiedClaims is one verified_claims element: claims, and how they were verified.
type VerifiedClaims struct {
	Verification Verification   `json:"verification"`
	Claims       map[string]any `json:"claims"` // JSON values by the names of the claims
}

// Verification says how the claims beside it were verified: Schema Definition, Section 5.4.
type Verification struct {
	TrustFramework      string            `json:"trust_framework"`
	AssuranceLevel      string            `json:"assurance_level,omitempty"`
	AssuranceProcess    *AssuranceProcess `json:"assurance_process,omitempty"`
	Time                time.Time         `json:"time,omitzero"` // in UTC, so that it does not tell where the person was
	VerificationProcess string            `json:"verification_process,omitempty"`
	Evidence            []Evidence        `json:"evidence,omitempty"`
}

// AssuranceProcess says by which rules the evidence was judged.
type AssuranceProcess struct {
	Policy    string            `json:"policy,omitempty"`    // gpg45
	Procedure string            `json:"procedure,omitempty"` // the identity profile: h1a
	Details   []AssuranceDetail `json:"assurance_details,omitempty"`
}

// AssuranceDetail says what a part of the proof was found to be worth, and on what that rests.
type AssuranceDetail struct {
	Type           string        `json:"assurance_type,omitempty"`
	Classification string        `json:"assurance_classification,omitempty"` // score_3
	Evidence       []EvidenceRef `json:"evidence_ref,omitempty"`
}

// EvidenceRef refers to a check by its CheckDetail.ID.
type EvidenceRef struct {
	CheckID  string            `json:"check_id"`
	Metadata *EvidenceMetadata `json:"evidence_metadata,omitempty"`
}

// EvidenceMetadata says how the evidence of a check is classified.
type EvidenceMetadata struct {
	Classification string `json:"evidence_classification,omitempty"` // score_4_strength, id_fraud
}

// Evidence is one piece of evidence. Its Type says which of DocumentDetails, Record and Attestation is there.
type Evidence struct {
	Type            string           `json:"type"`
	CheckDetails    []CheckDetail    `json:"check_details,omitempty"`
	DocumentDetails *DocumentDetails `json:"document_details,omitempty"`
	Record          *Record          `json:"record,omitempty"`
	Attestation     *Attestation     `json:"attestation,omitempty"`
}

// CheckDetail is one check of a piece of evidence, or of the person against it.
type CheckDetail struct {
	Method       string    `json:"check_method"`
	ID           string    `json:"check_id,omitempty"`
	Organization string    `json:"organization,omitempty"` // who checked
	Time         time.Time `json:"time,omitzero"`
}

// DocumentDetails describes a document. Dates here and below are of the form 2006-01-02.
type DocumentDetails struct {
	Type           string  `json:"type"`
	DocumentNumber string  `json:"document_number,omitempty"`
	SerialNumber   string  `json:"serial_number,omitempty"`
	DateOfIssuance string  `json:"date_of_issuance,omitempty"`
	DateOfExpiry   string  `json:"date_of_expiry,omitempty"`
	Issuer         *Source `json:"issuer,omitempty"`
}

// Record describes an electronic record.
type Record struct {
	Type         string    `json:"type"`
	CreatedAt    time.Time `json:"created_at,omitzero"`
	DateOfExpiry string    `json:"date_of_expiry,omitempty"`
	Source       *Source   `json:"source,omitempty"`
}

// Attestation describes what somebody attested who knows the person.
type Attestation struct {
	Type            string   `json:"type"`
	ReferenceNumber string   `json:"reference_number,omitempty"`
	DateOfIssuance  string   `json:"date_of_issuance,omitempty"`
	DateOfExpiry    string   `json:"date_of_expiry,omitempty"`
	Voucher         *Voucher `json:"voucher,omitempty"`
}

// Source is who issued a document or keeps a record.
type Source struct {
	Name string `json:"name,omitempty"`
	Address
	Jurisdiction string `json:"jurisdiction,omitempty"`
}

// Voucher is who attested.
type Voucher struct {
	Name      string `json:"name,omitempty"`
	Birthdate string `json:"birthdate,omitempty"`
	Address
	Occupation   string `json:"occupation,omitempty"`
	Organization string `json:"organization,omitempty"`
}

// Address is the address claim of OpenID Connect Core 1.0, Section 5.1.1, with the country as a code beside its name.
type Address struct {
	Formatted     string `json:"formatted,omitempty"`
	StreetAddress string `json:"street_address,omitempty"`
	Locality      string `json:"locality,omitempty"`
	Region        string `json:"region,omitempty"`
	PostalCode    string `json:"postal_code,omitempty"`
	Country       string `json:"country,omitempty"`
	CountryCode   string `json:"country_code,omitempty"` // three letters: GBR
}

// UK is the element in the spelling of the UK data schema 1.0, for relying parties that are registered for it. Values
// change and the form does not, so that it remains an element of the standard. What the schema has no word for, such as
// the strength of evidence, is left out. An element of another trust framework stays as it is.
func (v VerifiedClaims) UK() VerifiedClaims {
	if v.Verification.TrustFramework != TrustFramework {
		return v
	}
	v.Verification.TrustFramework = TrustFrameworkUK
	if p := v.Verification.AssuranceProcess; p != nil {
		process := *p
		process.Procedure = strings.ToUpper(p.Procedure)
		process.Details = slices.Clone(p.Details)
		for i := range process.Details {
			process.Details[i] = process.Details[i].uk()
		}
		v.Verification.AssuranceProcess = &process
	}
	v.Verification.Evidence = slices.Clone(v.Verification.Evidence)
	for i, e := range v.Verification.Evidence {
		if e.DocumentDetails != nil && e.DocumentDetails.Type == "idcard" {
			details := *e.DocumentDetails
			details.Type = "id_card"
			v.Verification.Evidence[i].DocumentDetails = &details
		}
	}
	return v
}

func (d AssuranceDetail) uk() AssuranceDetail {
	if d.Type == AssuranceValidation {
		d.Type = "validation"
	}
	d.Evidence = slices.Clone(d.Evidence)
	for i, ref := range d.Evidence {
		if ref.Metadata == nil {
			continue
		}
		switch ref.Metadata.Classification {
		case "low_kbv", "medium_kbv", "high_kbv", "id_fraud", "mortality_check":
		default:
			d.Evidence[i].Metadata = nil
		}
	}
	return d
}
