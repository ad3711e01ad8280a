package ida

// Metadata is what discovery says of verified claims: OpenID Connect for Identity Assurance 1.0, Section 8.
type Metadata struct {
	TrustFrameworks       []string `json:"trust_frameworks_supported"`
	Evidence              []string `json:"evidence_supported"`
	Documents             []string `json:"documents_supported"`
	DocumentsCheckMethods []string `json:"documents_check_methods_supported"`
	ElectronicRecords     []string `json:"electronic_records_supported"`
	Claims                []string `json:"claims_in_verified_claims_supported"`
}

// Supported is what this provider supports. Both spellings of the trust framework are named; the registration of a
// relying party says which of them it is given.
func Supported() Metadata {
	return Metadata{
		TrustFrameworks: []string{TrustFramework, TrustFrameworkUK},
		Evidence:        []string{TypeDocument, TypeElectronicRecord, TypeVouch},
		Documents: []string{
			"passport", "idcard", "passport_card", "driving_permit", "military_id", "veterans_card", "proof_of_age_id",
			"home_office_travel_document", "bus_pass", "education_certificate", "rental_agreement", "purchase_agreement",
			"pass_card", "freedom_pass", "voter_id", "bank_statement", "utility_statement", "mortgage_statement",
			"loan_statement", "tax_statement", "social_security_statement", "pilot_permit", "birth_certificate",
			"adoption_certificate", "marriage_certificate", "civil_partnership_certificate", "firearm_certificate",
		},
		DocumentsCheckMethods: []string{
			"vpip", "vpiruv", "vri", "vdig", "vcrypt", "data", // of the document
			"pvp", "pvr", "bvp", "bvr", "kbv", "auth", "token", // of the person against it
		},
		ElectronicRecords: []string{
			"social_security_record", "bank_account", "building_society_account", "credit_union_account",
			"current_account", "student_loan_account", "credit_account", "mortgage_account", "loan_account",
			"birth_register", "population_register", "voter_register", "adoption_register", "marriage_register",
			"civil_partnership_register", "education_record", "utility_account", "military_record", "tax_record",
			"prison_record", "death_register", "fraud_register",
		},
		Claims: []string{
			"name", "given_name", "middle_name", "family_name", "birthdate", "address", "title", "nationalities",
			"place_of_birth", "birth_family_name", "birth_given_name", "birth_middle_name", "also_known_as",
		},
	}
}
