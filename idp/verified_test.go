package idp_test

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/credence-id/credence/idp/assurance"
	"github.com/credence-id/credence/idp/ida"
	"github.com/credence-id/credence/idp/oauth"
)

// verifiedSchema is our schema of verified_claims, written from the text of the standard: see its README.
func verifiedSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("ida", "testdata", "schema", "verified_claims.json"))
	if err != nil {
		t.Fatal(err)
	}
	document, err := jsonschema.UnmarshalJSON(strings.NewReader(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("https://example.com/verified_claims.json", document); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("https://example.com/verified_claims.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// at is the value at a path of names in a JSON object; a number is a place in an array.
func at(value any, path ...any) any {
	for _, step := range path {
		switch step := step.(type) {
		case string:
			members, _ := value.(map[string]any)
			value = members[step]
		case int:
			items, _ := value.([]any)
			if step >= len(items) {
				return nil
			}
			value = items[step]
		}
	}
	return value
}

// The example of assurance.md 5.5: a person proved at a desk with a passport and a driving licence, and a relying party that
// asks for a part of it.
func TestVerifiedClaimsOfTheExample(t *testing.T) {
	t.Parallel()
	p := asking(t, oauth.Registration{ID: "oidf", VerifiedClaims: oauth.VerifiedOIDF}, oauth.Registration{ID: "uk-spelling", VerifiedClaims: oauth.VerifiedUK}, oauth.Registration{ID: "neither"})
	q := p.second()
	schema := verifiedSchema(t)
	example, err := os.ReadFile(filepath.Join("ida", "testdata", "ida-request-example.json"))
	if err != nil {
		t.Fatal(err)
	}
	uk := strings.NewReplacer("uk_diatf", "uk_dvstf").Replace(string(example))
	p.withdraw(studentLow, "") // so that she has what the example has, and nothing else
	p.prove(studentLow)
	for _, tt := range []struct{ client, person, request, framework, procedure, assuring, name string }{
		{"oidf", studentLow, string(example), "uk_diatf", "h1a", "evidence_validation", "Robin"},
		{"uk-spelling", studentLow, uk, "uk_dvstf", "H1A", "validation", "Robin"},
	} {
		in := strings.Replace(tt.request, `"userinfo"`, `"id_token"`, 1)
		got := p.ask(tt.client, tt.person, "smartcard", "scope", "openid offline_access", "claims", tt.request)
		inToken := p.ask(tt.client, tt.person, "smartcard", "scope", "openid offline_access", "claims", in)
		_, here := p.userinfo(got.AccessToken)
		_, there := q.userinfo(got.AccessToken)
		if diff := cmp.Diff(here, there); diff != "" {
			t.Errorf("userinfo of two processes differs:\n%s", diff)
		}
		if diff := cmp.Diff(here["verified_claims"], inToken.id["verified_claims"]); diff != "" {
			t.Errorf("the ID token's differ from userinfo's (-userinfo +id):\n%s", diff)
		}
		renewed := q.as(tt.client, refresh(inToken.RefreshToken))
		renewed.granted(t)
		if diff := cmp.Diff(here["verified_claims"], claims(t, renewed.IDToken)["verified_claims"]); diff != "" {
			t.Errorf("the refreshed ID token's differ (-userinfo +id):\n%s", diff)
		}
		for where, c := range map[string]map[string]any{"the ID token, of what is asked of userinfo": got.id, "the access token": claims(t, inToken.AccessToken)} {
			if c["verified_claims"] != nil {
				t.Errorf("verified_claims are in %s", where)
			}
		}
		if _, told := p.userinfo(inToken.AccessToken); told["verified_claims"] != nil {
			t.Error("verified_claims are in userinfo, of what is asked of the ID token")
		}
		if err := schema.Validate(map[string]any{"verified_claims": here["verified_claims"]}); err != nil {
			t.Errorf("%s of %s is not as the schema says: %v", tt.client, tt.person, err)
		}
		v := here["verified_claims"]
		want := map[string]any{
			"framework": tt.framework, "level": "high", "policy": "gpg45", "procedure": tt.procedure, "assuring": tt.assuring, "score": "score_3", "name": tt.name,
			"process": nil, "number": nil, "issuer": nil, "organisation": nil,
		}
		shown := map[string]any{
			"framework": at(v, "verification", "trust_framework"), "level": at(v, "verification", "assurance_level"),
			"policy": at(v, "verification", "assurance_process", "policy"), "procedure": at(v, "verification", "assurance_process", "procedure"),
			"assuring": at(v, "verification", "assurance_process", "assurance_details", 0, "assurance_type"),
			"score":    at(v, "verification", "assurance_process", "assurance_details", 0, "assurance_classification"),
			"name":     at(v, "claims", "given_name"),
			// What was not asked for.
			"process": at(v, "verification", "verification_process"), "number": at(v, "verification", "evidence", 0, "document_details", "document_number"),
			"issuer": at(v, "verification", "evidence", 0, "document_details", "issuer"), "organisation": at(v, "verification", "evidence", 0, "check_details", 0, "organization"),
		}
		if diff := cmp.Diff(want, shown); diff != "" {
			t.Errorf("verified_claims of %s for %s (-want +got):\n%s", tt.person, tt.client, diff)
		}
		if items, _ := at(v, "verification", "evidence").([]any); len(items) != 2 { // the register is no document
			t.Errorf("%d pieces of evidence, want the passport and the licence", len(items))
		}
	}

	// Whole, it is what a relying party reads without loss: OpenID Identity Assurance Schema Definition 1.0.
	whole := p.ask("oidf", studentLow, "smartcard", "claims", `{"userinfo":{"verified_claims":{"verification":{"trust_framework":null,"assurance_level":null,"time":null,
		"verification_process":null,"assurance_process":{"policy":null,"procedure":null,"assurance_details":[{"assurance_type":null}]},
		"evidence":[{"type":{"value":"document"},"check_details":[{"check_method":null,"organization":null,"check_id":null,"time":null}],"document_details":{"type":null,"document_number":null,
		"date_of_issuance":null,"date_of_expiry":null,"issuer":{"name":null,"country_code":null,"jurisdiction":null}}},
		{"type":{"value":"electronic_record"},"check_details":[{"check_method":null,"check_id":null,"time":null,"organization":null}],"record":{"type":null,"source":{"name":null,"jurisdiction":null}}}]},
		"claims":{"given_name":null,"family_name":null,"birthdate":null}}}}`)
	a, _ := p.userinfo(whole.AccessToken)
	var read struct {
		VerifiedClaims json.RawMessage `json:"verified_claims"`
	}
	if err := json.Unmarshal([]byte(a.body), &read); err != nil {
		t.Fatal(err)
	}
	d := json.NewDecoder(strings.NewReader(string(read.VerifiedClaims)))
	d.DisallowUnknownFields()
	var v ida.VerifiedClaims
	if err := d.Decode(&v); err != nil {
		t.Fatal(err)
	}
	again, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var before, after any
	if json.Unmarshal(read.VerifiedClaims, &before) != nil || json.Unmarshal(again, &after) != nil {
		t.Fatal("verified_claims are no JSON")
	}
	if diff := cmp.Diff(before, after); diff != "" {
		t.Errorf("verified_claims change when they are read (-sent +read):\n%s", diff)
	}
	if err := schema.Validate(map[string]any{"verified_claims": before}); err != nil {
		t.Errorf("all of it is not as the schema says: %v", err)
	}
	p.wantUserinfoSchema(a)
	if len(v.Verification.Evidence) != 3 || v.Verification.Evidence[0].DocumentDetails.DocumentNumber != "123456789" || len(v.Verification.AssuranceProcess.Details) != 4 {
		t.Errorf("verified_claims = %+v, want all of the example", v)
	}

	long := p.ask("oidf", oneRole, "smartcard", "claims", string(example)) // proved longer ago than the request admits
	if _, told := p.userinfo(long.AccessToken); told["verified_claims"] != nil || told["sub"] != oneRole {
		t.Errorf("of somebody who was proved too long ago: %v", told)
	}

	// Evidence that is withdrawn is told no more, and nothing is told to whom it is not registered for.
	none := p.ask("neither", studentLow, "smartcard", "scope", "openid profile", "claims", string(example))
	if _, told := p.userinfo(none.AccessToken); told["verified_claims"] != nil || told["sub"] != studentLow {
		t.Errorf("a client that is not registered for it gets %v", told)
	}
	held := p.ask("oidf", studentLow, "smartcard", "claims", string(example))
	p.withdraw(studentLow, "passport")
	if _, told := q.userinfo(held.AccessToken); told["verified_claims"] != nil || told["sub"] != studentLow {
		t.Errorf("after it was withdrawn: %v, want nothing of it", told["verified_claims"])
	}
}

// assurance.md 5.3: what does not match is left out and is no error, and essential changes nothing.
func TestWhatVerifiedClaimsLeaveOut(t *testing.T) {
	t.Parallel()
	p := asking(t, oauth.Registration{ID: "oidf", VerifiedClaims: oauth.VerifiedOIDF})
	b := p.browser()
	b.signInAlone(oneRole, "smartcard")
	const verification = `{"trust_framework":{"value":"uk_diatf"}}`
	for _, tt := range []struct{ name, asked, want string }{
		{"the least", `{"verification":{"trust_framework":null},"claims":{"given_name":null}}`, `{"verification":{"trust_framework":"uk_diatf"},"claims":{"given_name":"Gwil"}}`},
		{"no claim", `{"verification":{"trust_framework":null},"claims":null}`, `{"verification":{"trust_framework":"uk_diatf"},"claims":{}}`},
		{"another trust framework", `{"verification":{"trust_framework":{"value":"eidas"}},"claims":{"given_name":null}}`, ``},
		{"another trust framework, essential", `{"verification":{"trust_framework":{"value":"eidas","essential":true}},"claims":{"given_name":null}}`, ``},
		{"another level", `{"verification":{"trust_framework":null,"assurance_level":{"values":["very_high"]}},"claims":{"given_name":null}}`, ``},
		{"proved too long ago", `{"verification":{"trust_framework":null,"time":{"max_age":60}},"claims":{"given_name":null}}`, ``},
		{"a claim of another value", `{"verification":` + verification + `,"claims":{"given_name":{"value":"Sarah"},"family_name":null}}`, `{"verification":{"trust_framework":"uk_diatf"},"claims":{"family_name":"Hawthornby"}}`},
		{"a claim that is not verified", `{"verification":` + verification + `,"claims":{"email":{"essential":true},"family_name":null}}`, `{"verification":{"trust_framework":"uk_diatf"},"claims":{"family_name":"Hawthornby"}}`},
		{"evidence of another kind", `{"verification":{"trust_framework":null,"evidence":[{"type":{"value":"vouch"}}]},"claims":{"family_name":null}}`, ``},
		{"an array", `[{"verification":{"trust_framework":null},"claims":{"given_name":null}},{"verification":{"trust_framework":{"value":"eidas"}},"claims":{"given_name":null}}]`, `[{"verification":{"trust_framework":"uk_diatf"},"claims":{"given_name":"Gwil"}}]`},
	} {
		k := newPKCE()
		q := request("oidf", k, "claims", `{"userinfo":{"verified_claims":`+tt.asked+`},"id_token":{"verified_claims":`+tt.asked+`}}`)
		got := p.outcome("oidf", k, b.authorize(q))
		var want any
		if tt.want != "" {
			if err := json.Unmarshal([]byte(tt.want), &want); err != nil {
				t.Fatal(err)
			}
		}
		_, info := p.userinfo(got.AccessToken)
		for where, c := range map[string]map[string]any{"userinfo": info, "the ID token": got.id} {
			if diff := cmp.Diff(want, c["verified_claims"]); diff != "" {
				t.Errorf("%s, in %s (-want +got):\n%s", tt.name, where, diff)
			}
		}
	}
}

// OpenID Connect Core 1.0, Section 5.5: claims by their names. They give no client more than the scopes that it is registered
// for could, and a value that is asked for is given when it is that value.
func TestClaimsByName(t *testing.T) {
	t.Parallel()
	p := asking(t,
		oauth.Registration{ID: "few", Scopes: []string{oauth.ScopeOpenID, oauth.ScopeEmail, oauth.ScopeOfflineAccess}},
		oauth.Registration{ID: "all", VerifiedClaims: oauth.VerifiedOIDF},
	)
	const email = "gwil.hawthornby@oakhollow.example"
	for _, tt := range []struct {
		name, client, scope, asked string
		want                       map[string]any // beside sub
	}{
		{"null", "few", "openid", `{"email":null}`, map[string]any{"email": email}},
		{"essential", "few", "openid", `{"email":{"essential":true}}`, map[string]any{"email": email}},
		{"its value", "few", "openid", `{"email":{"value":"` + email + `"}}`, map[string]any{"email": email}},
		{"one of its values", "few", "openid", `{"email":{"values":["a@example.org","` + email + `"]}}`, map[string]any{"email": email}},
		{"another value", "few", "openid", `{"email":{"value":"a@example.org"}}`, map[string]any{}},
		{"another value, essential", "few", "openid", `{"email":{"value":"a@example.org","essential":true}}`, map[string]any{}},
		{"another value, though the scope gives it", "few", "openid email", `{"email":{"value":"a@example.org"}}`, map[string]any{"email": email}},
		{"beyond the client's scopes", "few", "openid", `{"name":null,"nhsid_useruid":null,"nhsid_nrbac_roles":null,"gmc_id":null,"email":null}`, map[string]any{"email": email}},
		{"within the client's scopes", "all", "openid", `{"name":null,"nhsid_useruid":null}`, map[string]any{"name": "Gwil Hawthornby", "nhsid_useruid": oneRole}},
		{"levels", "few", "openid", `{"acr":null,"identity_assurance_level":null}`, map[string]any{"acr": "AAL3_ANY", "identity_assurance_level": "high"}},
		{"nobody's claim", "all", "openid", `{"shoe_size":{"essential":true}}`, map[string]any{}},
		{"what an answer is made of", "all", "openid", `{"iss":null,"aud":null,"nonce":null,"sub":{"value":"somebody"},"__proto__":null}`, map[string]any{}},
		{"members of a constraint that are not known", "few", "openid", `{"email":{"purpose":"why not"}}`, map[string]any{"email": email}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := p.in(t)
			got := p.ask(tt.client, oneRole, "smartcard", "scope", tt.scope, "claims", `{"userinfo":`+tt.asked+`}`)
			a, info := p.userinfo(got.AccessToken)
			p.wantUserinfoSchema(a)
			if info["sub"] != oneRole {
				t.Errorf("sub = %v, want %s", info["sub"], oneRole)
			}
			delete(info, "sub")
			if diff := cmp.Diff(tt.want, info); diff != "" {
				t.Errorf("userinfo (-want +got):\n%s", diff)
			}
			if tt.name == "what an answer is made of" {
				return // there sub says who may sign in
			}
			// In the ID token the same, and there alone.
			got = p.ask(tt.client, oneRole, "smartcard", "scope", tt.scope, "claims", `{"id_token":`+tt.asked+`}`)
			for name, value := range tt.want {
				if cmp.Diff(value, got.id[name]) != "" {
					t.Errorf("%s of the ID token = %v, want %v", name, got.id[name], value)
				}
			}
			for _, name := range []string{"name", "nhsid_useruid", "email", "shoe_size"} {
				if tt.want[name] == nil && got.id[name] != nil {
					t.Errorf("%s is in the ID token, want it left out", name)
				}
			}
			if _, told := p.userinfo(got.AccessToken); told["email"] != nil && tt.scope == "openid" {
				t.Errorf("userinfo = %v, want nothing of what was asked of the ID token", told)
			}
			if access := claims(t, got.AccessToken); access["email"] != nil || access["name"] != nil {
				t.Error("the access token has claims about the person")
			}
		})
	}
}

// What discovery lists can be had by its name, but for what an ID token is made of.
func TestSupportedClaimsByName(t *testing.T) {
	t.Parallel()
	p := asking(t, oauth.Registration{ID: "all", Trustmark: assurance.NHSLogin}) // whose clients have a claim of their own
	p.exec(`UPDATE person SET language = 'cy' WHERE id = $1`, twoRoles)
	var metadata struct {
		Claims []string `json:"claims_supported"`
	}
	if err := json.Unmarshal([]byte(p.browser().get("/.well-known/openid-configuration").body), &metadata); err != nil {
		t.Fatal(err)
	}
	asked := map[string]any{}
	for _, name := range metadata.Claims {
		if name != "verified_claims" && name != "sub" {
			asked[name] = nil
		}
	}
	parameter, err := json.Marshal(map[string]any{"userinfo": asked})
	if err != nil {
		t.Fatal(err)
	}
	b, k := p.browser(), newPKCE()
	got := p.outcome("all", k, b.enter(request("all", k, "scope", "openid", "claims", string(parameter), "vtr", `["P0"]`), twoRoles, manager))
	a, info := p.userinfo(got.AccessToken)
	p.wantUserinfoSchema(a)
	wantNoNull(t, "userinfo", info)
	for _, name := range metadata.Claims {
		inTokens := slices.Contains([]string{"iss", "aud", "exp", "iat", "jti", "azp", "nonce", "at_hash", "selected_roleid", "verified_claims"}, name)
		if (info[name] == nil) != inTokens {
			t.Errorf("%s of userinfo = %v", name, info[name])
		}
	}
}

// OpenID Connect Core 1.0, Section 3.1.2.2: "The Authorization Server MUST NOT reply with an ID Token or Access Token for a
// different user, even if they have an active session", when the claim sub is asked for with a value.
func TestTheClaimSubNamesWhoIsMeant(t *testing.T) {
	t.Parallel()
	p := asking(t, oauth.Registration{ID: "plain"})
	sub := func(value string) string { return `{"id_token":{"sub":` + value + `}}` }
	b := p.browser()
	b.signInAlone(oneRole, "passkey")
	k := newPKCE()
	hint := p.outcome("plain", k, b.authorize(request("plain", k))).IDToken
	for _, tt := range []struct {
		name    string
		changes []string
		refused string // with prompt=none
	}{
		{"she herself", []string{"claims", sub(`{"value":"` + oneRole + `"}`)}, ""},
		{"she, or another", []string{"claims", sub(`{"values":["` + lastCode + `","` + oneRole + `"]}`)}, ""},
		{"she, and a hint of her", []string{"claims", sub(`{"value":"` + oneRole + `"}`), "id_token_hint", hint}, ""},
		{"anybody", []string{"claims", sub(`null`)}, ""},
		{"somebody, essentially", []string{"claims", sub(`{"essential":true}`)}, ""},
		{"another", []string{"claims", sub(`{"value":"` + lastCode + `"}`)}, "login_required"},
		{"nobody that there is", []string{"claims", sub(`{"value":"x"}`)}, "login_required"},
		{"another, and a hint of her", []string{"claims", sub(`{"value":"` + lastCode + `"}`), "id_token_hint", hint}, "invalid_request"},
		{"a number", []string{"claims", sub(`{"value":656005750108}`)}, "invalid_request"},
	} {
		k := newPKCE()
		if got := p.outcome("plain", k, b.authorize(request("plain", k, append(tt.changes, "prompt", "none")...))); got.refused != tt.refused {
			t.Errorf("%s: %q, want %q", tt.name, got.refused, tt.refused)
		}
	}
	named := []string{"claims", sub(`{"value":"` + lastCode + `"}`)}
	k = newPKCE()
	page := b.authorize(request("plain", k, named...))
	page.wantPage(t, http.StatusOK, "/sign-in", lastCode)
	if got := p.outcome("plain", k, b.simulate(page, oneRole, "")); got.refused != "login_required" {
		t.Errorf("somebody else signs in: %q, want login_required", got.refused)
	}
	k = newPKCE()
	if got := p.outcome("plain", k, b.simulate(b.authorize(request("plain", k, named...)), lastCode, "")); got.id["sub"] != lastCode {
		t.Errorf("who is meant signs in: %v %q, want her", got.id["sub"], got.refused)
	}
}

// What is malformed, or too much, is told to the client, in a description that is bounded and plain whatever was sent.
func TestMalformedQuestions(t *testing.T) {
	t.Parallel()
	p := asking(t, oauth.Registration{ID: "oidf", VerifiedClaims: oauth.VerifiedOIDF})
	b := p.browser()
	b.signInAlone(oneRole, "smartcard")
	long := strings.Repeat("x", 250)
	for name, changes := range map[string][]string{
		"no JSON":                             {"claims", "acr"},
		"half an object":                      {"claims", `{"userinfo":`},
		"more than an object":                 {"claims", `{}{}`},
		"an array":                            {"claims", `[]`},
		"null":                                {"claims", `null`},
		"userinfo that is no object":          {"claims", `{"userinfo":true}`},
		"a name twice":                        {"claims", `{"id_token":{"acr":null,"acr":{"essential":true}}}`},
		"a deep nest":                         {"claims", strings.Repeat(`{"a":`, 200) + "1" + strings.Repeat("}", 200)},
		"a long name":                         {"claims", `{"userinfo":{"` + strings.Repeat("x", 300) + `":null}}`},
		"a constraint that is none":           {"claims", `{"userinfo":{"` + long + `":1}}`},
		"long names within each other":        {"claims", `{"userinfo":{"verified_claims":{"verification":{"trust_framework":null},"claims":{"` + long + `":7}}}}`},
		"value and values":                    {"claims", `{"id_token":{"acr":{"value":"a","values":["b"]}}}`},
		"essential that is no boolean":        {"claims", `{"id_token":{"acr":{"essential":"true"}}}`},
		"an acr that is no text":              {"claims", `{"id_token":{"acr":{"value":3}}}`},
		"an empty acr":                        {"claims", essential("")},
		"a long acr":                          {"claims", essential(strings.Repeat("x", 201))},
		"an acr with a null character":        {"claims", `{"id_token":{"acr":{"value":"a\u0000b"}}}`},
		"an acr of control characters":        {"claims", `{"id_token":{"acr":{"value":"\u0001\u007f"}}}`},
		"twenty-one acrs":                     {"claims", essential(slices.Repeat([]string{"x"}, 21)...)},
		"verified_claims without claims":      {"claims", `{"userinfo":{"verified_claims":{"verification":{"trust_framework":null}}}}`},
		"no trust framework":                  {"claims", `{"userinfo":{"verified_claims":{"verification":{},"claims":null}}}`},
		"twenty-one verified_claims":          {"claims", `{"userinfo":{"verified_claims":[` + strings.Repeat(`{"verification":{"trust_framework":null},"claims":null},`, 20) + `{"verification":{"trust_framework":null},"claims":null}]}}`},
		"twenty-one acr_values":               {"acr_values", strings.Repeat("x ", 21)},
		"long acr_values":                     {"acr_values", strings.Repeat("x", 201)},
		"a vector in strange characters":      {"vtr", `["\u0000\"\\\u00fc\u202e"]`},
		"a claim named in strange characters": {"claims", `{"userinfo":{"\u0000\"\\\u00fc\u202e\r\nSet-Cookie: a=b":1}}`},
	} {
		told := b.authorize(request("oidf", newPKCE(), changes...)).redirect(t)
		description := told.Get("error_description")
		if told.Get("error") != "invalid_request" || told.Get("state") != "a state" || told.Get("iss") != issuer || told.Has("code") {
			t.Errorf("%s: the client is told %v, want invalid_request with state and iss", name, told)
		}
		if description == "" || len(description) > 300 || strings.ContainsFunc(description, func(r rune) bool { return r < ' ' || r > '~' || r == '"' || r == '\\' }) {
			t.Errorf("%s: error_description = %q, want at most 300 plain characters", name, description)
		}
	}
	// The most that is read, and what is strange and allowed.
	for name, changes := range map[string][]string{
		"long acrs that JSON writes longer":   {"acr_values", strings.TrimSpace(strings.Repeat(strings.Repeat("<", 200)+" ", 10))},
		"a name in strange characters":        {"claims", `{"userinfo":{"\u0000\"\\\u00fc":null}}`},
		"a value with a null character":       {"claims", `{"userinfo":{"email":{"value":"\u0000"}},"id_token":{"nonce":{"value":"\ud800"}}}`},
		"as many claims as there is room for": {"claims", `{"userinfo":{"email":null` + manyClaims(300) + `}}`},
		"an empty object":                     {"claims", `{}`},
		"no characters":                       {"claims", ""},
	} {
		k := newPKCE()
		got := p.outcome("oidf", k, b.authorize(request("oidf", k, changes...)))
		if got.refused != "" {
			t.Errorf("%s: the client is told %s, want tokens", name, got.refused)
			continue
		}
		if a, _ := p.userinfo(got.AccessToken); a.StatusCode != http.StatusOK {
			t.Errorf("%s: userinfo = %d, want 200", name, a.StatusCode)
		}
	}
	// Beyond 8 KiB not even the way back is read.
	b.get("/authorize?"+request("oidf", newPKCE(), "claims", `{"userinfo":{"email":null`+manyClaims(2000)+`}}`).Encode()).wantNowhere(t, "invalid_request")
	posted := b.rest(b.post("/authorize", request("oidf", newPKCE(), "claims", `{"userinfo":{"email":null`+manyClaims(2000)+`}}`)))
	posted.wantNowhere(t, "invalid_request")
}

// manyClaims asks for claims that nobody has.
func manyClaims(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(`,"c` + string(rune('a'+i%26)) + string(rune('a'+i/26%26)) + string(rune('a'+i/676)) + `":null`)
	}
	return b.String()
}

// wantUserinfoSchema checks an answer of userinfo by the schema that we publish.
func (p *provider) wantUserinfoSchema(a answer) {
	p.t.Helper()
	document, err := jsonschema.UnmarshalJSON(strings.NewReader(p.browser().get("/schemas/userinfo.json").body))
	if err != nil {
		p.t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource(issuer+"/schemas/userinfo.json", document); err != nil {
		p.t.Fatal(err)
	}
	s, err := c.Compile(issuer + "/schemas/userinfo.json")
	if err != nil {
		p.t.Fatal(err)
	}
	instance, err := jsonschema.UnmarshalJSON(strings.NewReader(a.body))
	if err != nil {
		p.t.Fatal(err)
	}
	if err := s.Validate(instance); err != nil {
		p.t.Errorf("userinfo is not as its schema says: %v", err)
	}
}
