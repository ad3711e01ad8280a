package oauth

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"sync"

	"github.com/credence-id/credence/idp/assertion"
	"github.com/credence-id/credence/idp/assurance"
	"github.com/credence-id/credence/idp/ida"
	"github.com/credence-id/credence/idp/keys"
	"github.com/credence-id/credence/web"
)

// metadata is the provider's configuration: OpenID Connect Discovery 1.0, Section 3; RFC 8414, Section 2.
func (h *Handler) metadata() ([]byte, error) {
	verified := ida.Supported()
	document, err := json.Marshal(map[string]any{
		"issuer":                 h.Issuer,
		"authorization_endpoint": h.Issuer + "/authorize",
		"token_endpoint":         h.Issuer + "/token",
		"userinfo_endpoint":      h.Issuer + "/userinfo",
		"jwks_uri":               h.Issuer + "/jwks",
		"end_session_endpoint":   h.Issuer + "/logout",

		"scopes_supported":                                 Scopes(),
		"response_types_supported":                         []string{"code"},
		"response_modes_supported":                         []string{"query"},
		"grant_types_supported":                            grantTypes(),
		"subject_types_supported":                          []string{"public"},
		"id_token_signing_alg_values_supported":            []string{keys.RS256, keys.ES256},
		"token_endpoint_auth_methods_supported":            Authentications(),
		"code_challenge_methods_supported":                 []string{"S256"},
		"acr_values_supported":                             assurance.Supported(),
		"prompt_values_supported":                          []string{"none", "login", "select_account", "consent"},
		"claim_types_supported":                            []string{"normal"},
		"token_endpoint_auth_signing_alg_values_supported": assertion.Algorithms(), // RFC 8414, Section 2
		"ui_locales_supported":                             web.Languages(),
		"claims_supported":                                 claimNames(),

		"authorization_response_iss_parameter_supported": true, // RFC 9207, Section 3
		"claims_parameter_supported":                     true,
		"request_parameter_supported":                    false,
		"request_uri_parameter_supported":                false,

		// OpenID Connect for Identity Assurance 1.0, Section 8.
		"trust_frameworks_supported":          verified.TrustFrameworks,
		"evidence_supported":                  verified.Evidence,
		"documents_supported":                 verified.Documents,
		"documents_check_methods_supported":   verified.DocumentsCheckMethods,
		"electronic_records_supported":        verified.ElectronicRecords,
		"claims_in_verified_claims_supported": verified.Claims,
	})
	if err != nil {
		return nil, fmt.Errorf("encode provider metadata: %w", err)
	}
	return document, nil
}

func claimNames() []string {
	return []string{
		"iss", "sub", "aud", "exp", "iat", "jti", "azp", "nonce", "at_hash", "auth_time", "acr", "amr", "sid",
		"identity_assurance_level", "authenticator_assurance_level", "organisation", "role", "roles", "entitlements",
		"id_assurance_level", "idassurancelevel", "authentication_assurance_level", "selected_roleid", "vot", "vtm", "identity_proofing_level", "verified_claims",
		"name", "given_name", "family_name", "uid", "email", "locale", "nhsid_useruid", "title", "middle_names", "initials", "display_name",
		"gmc_id", "gdc_id", "gmp_id", "gdp_id", "nmc_id", "rcn_id", "gphc_id", "consultant_id",
		"nhsid_nrbac_roles", "nhsid_user_orgs", "nhsid_org_roles", "nhsid_org_memberships",
	}
}

//go:embed schemas/userinfo.json
var schemas embed.FS

// public answers with a document that is the same for everybody and may be kept for a while.
func public(w http.ResponseWriter, r *http.Request, contentType string, document []byte, etag string) error {
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Cache-Control", "public, max-age="+strconv.Itoa(int(keys.MaxAge.Seconds())))
	w.Header().Set("ETag", etag)
	w.Header().Set("Access-Control-Allow-Origin", "*") // nothing here is secret, and clients in browsers read it
	w.Header().Set("X-Content-Type-Options", "nosniff")
	if r.Header.Get("If-None-Match") == etag {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	_, _ = w.Write(document) // a client that is gone needs no answer
	return nil
}

// Fixed is a handler of a public document that never changes while the program runs.
func Fixed(contentType string, document []byte) func(http.ResponseWriter, *http.Request) error {
	sum := sha256.Sum256(document)
	etag := `"` + hex.EncodeToString(sum[:8]) + `"`
	return func(w http.ResponseWriter, r *http.Request) error { return public(w, r, contentType, document, etag) }
}

// made is Fixed for a document that is made when somebody asks for it first, because few do.
func made(contentType string, document func() any) func(http.ResponseWriter, *http.Request) error {
	fixed := sync.OnceValues(func() (func(http.ResponseWriter, *http.Request) error, error) {
		text, err := json.Marshal(document())
		return Fixed(contentType, text), err
	})
	return func(w http.ResponseWriter, r *http.Request) error {
		serve, err := fixed()
		if err != nil {
			return fmt.Errorf("encode document: %w", err)
		}
		return serve(w, r)
	}
}

// mountTrustmarks serves what each trustmark means here, at the address that vtm gives, and what each acr value takes and in
// which order ours stand: RFC 8485, Section 5; RFC 6711.
func (h *Handler) mountTrustmarks(handle func(pattern string, f func(http.ResponseWriter, *http.Request) error)) {
	for _, t := range assurance.Trustmarks() {
		handle("GET /trustmark/"+string(t), made("application/json", func() any { return t.Document(h.Issuer) }))
	}
	handle("GET /acr-values", made("application/json", func() any {
		return struct {
			PolicyVersion string           `json:"policy_version"`
			Values        []assurance.Term `json:"acr_values"`
		}{assurance.PolicyVersion, slices.DeleteFunc(assurance.Vocabulary(), func(t assurance.Term) bool { return t.Use != "acr" })}
	}))
}

func (h *Handler) jwks(w http.ResponseWriter, r *http.Request) error {
	document, etag := h.Keys.Published()
	return public(w, r, "application/jwk-set+json", document, etag)
}
