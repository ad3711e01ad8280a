package wardlist

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// TestEveryDocumentedClaimIsExplained lists what the provider documents, in the
// ID token and in userinfo.
func TestEveryDocumentedClaimIsExplained(t *testing.T) {
	t.Parallel()
	documented := strings.Fields(`
		iss sub aud exp iat nonce at_hash jti azp
		acr amr auth_time sid vot vtm verified_claims identity_assurance_level authenticator_assurance_level authentication_assurance_level id_assurance_level identity_proofing_level
		organisation role roles entitlements selected_roleid
		name given_name family_name uid email nhsid_useruid title middle_names initials display_name idassurancelevel
		gmc_id gdc_id gmp_id gdp_id nmc_id rcn_id gphc_id consultant_id
		nhsid_nrbac_roles nhsid_user_orgs nhsid_org_roles nhsid_org_memberships`)
	all := make(claims)
	for _, name := range documented {
		all[name] = json.RawMessage(`"1"`)
	}
	explained := make(map[string]int)
	for _, group := range layOut(all, all) {
		if group.ID == "claims-other" {
			t.Errorf("layOut(all, all) cannot explain %+v", group.Rows)
		}
		for _, row := range group.Rows {
			if row.Meaning != "" {
				explained[row.ID]++
			}
		}
	}
	for _, name := range documented {
		for _, id := range []string{"claim-" + name, "userinfo-" + name} {
			if explained[id] != 1 {
				t.Errorf("layOut(all, all) has %d explained rows %q, want 1", explained[id], id)
			}
		}
	}
}

func TestLongValuesAreFolded(t *testing.T) {
	t.Parallel()
	const membership = `{"person_orgid":"656005753107","org_name":"Example Hospital","org_code":"A9A5A"}`
	list := func(n int) string { return "[" + strings.TrimSuffix(strings.Repeat(membership+",", n), ",") + "]" }
	for _, test := range []struct{ name, value, want string }{
		{"words are not folded", `"` + strings.Repeat("x", 1000) + `"`, ""},
		{"an organisation is not folded", `{"code":"Y51","name":"` + strings.Repeat("x", 200) + `"}`, ""},
		{"a role is not folded", `{"id":"656014452101","code":"S8000:G8000:R8000","name":"Clinical Practitioner Access Role"}`, ""},
		{"a list of codes is not folded", `["B0278","B0401","B0420"]`, ""},
		{"an object that is spread out is not folded", `{"code":` + strings.Repeat("\n", 500) + `"Y51"}`, ""},
		{"a list with many lines says how many entries it has", list(2), "Show 2 entries"},
		{"a long line says how many entries it has", `[` + strings.Repeat(`"B0420",`, 99) + `"B0420"]`, "Show 100 entries"},
		{"a list of one long entry says nothing of its length", fmt.Sprintf(`[{"name":%q}]`, strings.Repeat("x", 300)), "Show the value"},
		{"a long object has no entries to count", fmt.Sprintf(`{"name":%q}`, strings.Repeat("x", 300)), "Show the value"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got := newClaimRow("", "claim", json.RawMessage(test.value), "").Folded; got != test.want {
				t.Errorf("newClaimRow(%.40s…).Folded = %q, want %q", test.value, got, test.want)
			}
		})
	}
}
