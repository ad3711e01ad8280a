package oauth

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"

	"github.com/credence-id/credence/idp/assurance"
	"github.com/credence-id/credence/idp/keys"
)

// metadata is the provider's configuration: OpenID Connect Discovery 1.0, Section 3; RFC 8414, Section 2.
func (h *Handler) metadata() ([]byte, error) {
	document, err := json.Marshal(map[string]any{
		"issuer":                 h.Issuer,
		"authorization_endpoint": h.Issuer + "/authorize",
		"token_endpoint":         h.Issuer + "/token",
		"userinfo_endpoint":      h.Issuer + "/userinfo",
		"jwks_uri":               h.Issuer + "/jwks",
		"end_session_endpoint":   h.Issuer + "/logout",

		"scopes_supported":                      Scopes(),
		"response_types_supported":              []string{"code"},
		"response_modes_supported":              []string{"query"},
		"grant_types_supported":                 grantTypes(),
		"subject_types_supported":               []string{"public"},
		"id_token_signing_alg_values_supported": []string{keys.RS256, keys.ES256},
		"token_endpoint_auth_methods_supported": []string{AuthBasic, AuthPost, AuthNone},
		"code_challenge_methods_supported":      []string{"S256"},
		"acr_values_supported":                  assurance.ACRs(),
		"prompt_values_supported":               []string{"none", "login", "select_account", "consent"},
		"claim_types_supported":                 []string{"normal"},
		"claims_supported":                      claimNames(),

		"authorization_response_iss_parameter_supported": true, // RFC 9207, Section 3
		"claims_parameter_supported":                     false,
		"request_parameter_supported":                    false,
		"request_uri_parameter_supported":                false,
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
		"id_assurance_level", "idassurancelevel", "authentication_assurance_level", "selected_roleid",
		"name", "given_name", "family_name", "uid", "email", "nhsid_useruid", "title", "middle_names", "initials", "display_name",
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

// fixed is a handler of a document that never changes while the program runs.
func fixed(contentType string, document []byte) func(http.ResponseWriter, *http.Request) error {
	sum := sha256.Sum256(document)
	etag := `"` + hex.EncodeToString(sum[:8]) + `"`
	return func(w http.ResponseWriter, r *http.Request) error { return public(w, r, contentType, document, etag) }
}

func (h *Handler) jwks(w http.ResponseWriter, r *http.Request) error {
	document, etag := h.Keys.Published()
	return public(w, r, "application/jwk-set+json", document, etag)
}
