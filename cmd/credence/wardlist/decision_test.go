package wardlist

import (
	"bytes"
	"encoding/json"
	"html/template"
	"slices"
	"strings"
	"testing"
)

func TestDecide(t *testing.T) {
	t.Parallel()
	const (
		role     = `"role":{"id":"656014452101","code":"S8000:G8000:R8000","name":"Clinical Practitioner"}`
		activity = `"entitlements":["B0278","B0420"]`
		level3   = `"authenticator_assurance_level":"3"`
	)
	for _, test := range []struct {
		name            string
		claims          string
		view, prescribe bool
		viewReason      string
		prescribeReason string
	}{{
		name: "a prescriber with a strong sign-in may do both", claims: role + "," + activity + "," + level3,
		view: true, viewReason: `Permitted because the claim role is "S8000:G8000:R8000", Clinical Practitioner.`,
		prescribe: true, prescribeReason: `Permitted because the claim entitlements contains "B0420", and the claim authenticator_assurance_level is "3".`,
	}, {
		name: "the same prescriber at level 2 may only look", claims: role + "," + activity + `,"authenticator_assurance_level":"2"`,
		view: true, viewReason: `Permitted because the claim role is "S8000:G8000:R8000", Clinical Practitioner.`,
		prescribeReason: `Denied because the claim authenticator_assurance_level is "2", not "3".`,
	}, {
		name: "a strong sign-in does not make a prescriber", claims: role + `,"entitlements":["B0278"],` + level3,
		view: true, viewReason: `Permitted because the claim role is "S8000:G8000:R8000", Clinical Practitioner.`,
		prescribeReason: `Denied because the claim entitlements does not contain "B0420".`,
	}, {
		name: "every condition that fails is named", claims: `"name":"Rowan"`,
		viewReason:      `Denied because the claim role is absent.`,
		prescribeReason: `Denied because the claim entitlements does not contain "B0420", and the claim authenticator_assurance_level is absent.`,
	}, {
		name: "a role without a name is called by its code", claims: `"role":{"code":"R1"}`,
		view: true, viewReason: `Permitted because the claim role is "R1", R1.`,
		prescribeReason: `Denied because the claim entitlements does not contain "B0420", and the claim authenticator_assurance_level is absent.`,
	}, {
		name: "claims of another form meet nothing", claims: `"role":"R8000","entitlements":"B0420","authenticator_assurance_level":3`,
		viewReason:      `Denied because the claim role is absent.`,
		prescribeReason: `Denied because the claim entitlements does not contain "B0420", and the claim authenticator_assurance_level is absent.`,
	}, {
		name: "null and empty claims meet nothing", claims: `"role":{},"entitlements":null,"authenticator_assurance_level":""`,
		viewReason:      `Denied because the claim role is absent.`,
		prescribeReason: `Denied because the claim entitlements does not contain "B0420", and the claim authenticator_assurance_level is absent.`,
	}, {
		name: "an activity that only looks like the right one does not count", claims: role + `,"entitlements":["B0420X","b0420"," B0420"],` + level3,
		view: true, viewReason: `Permitted because the claim role is "S8000:G8000:R8000", Clinical Practitioner.`,
		prescribeReason: `Denied because the claim entitlements does not contain "B0420".`,
	}} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var c claims
			if err := json.Unmarshal([]byte("{"+test.claims+"}"), &c); err != nil {
				t.Fatal(err)
			}
			view, prescribe := decide(c)
			if view.Permitted != test.view || view.Reason != test.viewReason {
				t.Errorf("decide(%s) view = %t %q, want %t %q", test.claims, view.Permitted, view.Reason, test.view, test.viewReason)
			}
			if prescribe.Permitted != test.prescribe || prescribe.Reason != test.prescribeReason {
				t.Errorf("decide(%s) prescribe = %t %q, want %t %q", test.claims, prescribe.Permitted, prescribe.Reason, test.prescribe, test.prescribeReason)
			}
			for _, d := range []decision{view, prescribe} {
				if d.Permitted == slices.ContainsFunc(d.Conditions, func(c condition) bool { return !c.Met }) {
					t.Errorf("decide(%s) %s = %t against its own conditions", test.claims, d.Action, d.Permitted)
				}
			}
		})
	}
}

// FuzzListPage holds that no claims, however odd, break the page or lose a row.
func FuzzListPage(f *testing.F) {
	pages := template.Must(parsePages())
	f.Add([]byte(`{"sub":"1","role":{"code":"R"},"amr":["simulated"],"auth_time":1763804467}`), []byte(`{"sub":"1","name":"Rowan"}`))
	f.Add([]byte(`{"role":[],"entitlements":{},"exp":1e300,"iat":-1," ":null,"":0}`), []byte(`{"sub":{"a":[1,2,{"b":"\u202e"}]}}`))
	f.Fuzz(func(t *testing.T, idToken, userInfo []byte) {
		var signedIn session
		if json.Unmarshal(idToken, &signedIn.idToken) != nil || json.Unmarshal(userInfo, &signedIn.userInfo) != nil {
			return
		}
		list := newListPage(signedIn)
		var rows int
		for _, group := range list.Claims {
			rows += len(group.Rows)
		}
		if want := len(signedIn.idToken) + len(signedIn.userInfo); rows != want {
			t.Errorf("the page has %d rows, want one for each of %d claims", rows, want)
		}
		var body bytes.Buffer
		if err := pages.ExecuteTemplate(&body, list.template(), list); err != nil {
			t.Fatalf("render: %v", err)
		}
		if !strings.Contains(body.String(), "data-permitted") {
			t.Error("the page has lost its decisions")
		}
		parsePage(t, body.String())
	})
}
