package wardlist

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestParseChallenge(t *testing.T) {
	t.Parallel()
	const code = `Bearer error="insufficient_user_authentication"`
	for _, test := range []struct {
		name, value string
		want        challenge
	}{{
		name:  "a strength and an age, as the API asks for them",
		value: code + `, error_description="Prescribing needs more.", acr_values="AAL3_ANY", max_age="3600"`,
		want:  challenge{insufficientSignIn, "Prescribing needs more.", []string{"AAL3_ANY"}, new(time.Hour)},
	}, {
		name:  "a strength alone, of several in order",
		value: code + `, acr_values="urn:example:gold phr AAL2_ANY"`,
		want:  challenge{code: insufficientSignIn, acrValues: []string{"urn:example:gold", "phr", "AAL2_ANY"}},
	}, {
		name:  "an age alone, which is a sign-in now",
		value: code + `, max_age=0`,
		want:  challenge{code: insufficientSignIn, maxAge: new(time.Duration(0))},
	}, {
		name:  "the case of names and the space around them do not matter",
		value: "BEARER   ERROR = insufficient_user_authentication\t,Max_Age= \"60\"",
		want:  challenge{code: insufficientSignIn, maxAge: new(time.Minute)},
	}, {
		name:  "what is not known is passed over",
		value: `Bearer realm="ward, list", error="invalid_token", error_uri="https://rs.example/#why"`,
		want:  challenge{code: invalidToken},
	}, {
		name:  "a challenge to whoever came without a token has no error",
		value: `Bearer realm="ward list"`,
	}} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, err := parseChallenge(test.value)
			if err != nil {
				t.Fatalf("parseChallenge(%s) = %v", test.value, err)
			}
			if diff := cmp.Diff(test.want, got, cmp.AllowUnexported(challenge{})); diff != "" {
				t.Errorf("parseChallenge(%s) (-want +got):\n%s", test.value, diff)
			}
		})
	}
	for name, value := range map[string]string{
		"nothing at all":                    ``,
		"a scheme alone":                    `Bearer`,
		"another scheme":                    `DPoP error="insufficient_user_authentication", max_age=60`,
		"a scheme that only begins so":      `Bearers max_age=60`,
		"a name without a value":            code + `, max_age`,
		"no name":                           code + `, ="60"`,
		"a quotation that does not end":     `Bearer error="insufficient_user_authentication, max_age=60`,
		"an escape":                         code + `, acr_values="AAL3\_ANY"`,
		"a line break":                      code + ", acr_values=\"AAL3_ANY\r\n\"",
		"letters beyond ASCII":              code + `, acr_values="ÄAL3"`,
		"two values with no comma between":  code + ` max_age=60`,
		"an empty parameter":                code + `, , max_age=60`,
		"a comma at the end":                code + `, max_age=60,`,
		"a parameter twice":                 code + `, max_age=60, max_age=3600`,
		"a parameter twice, in other case":  code + `, max_age=60, MAX_AGE=3600`,
		"a second challenge":                code + `, max_age=60, Bearer error="invalid_token"`,
		"a second challenge with a token68": code + `, max_age=60, Negotiate abc==`,
		"no word of what would do":          code,
		"no acr in acr_values":              code + `, acr_values=" "`,
		"too many acr_values":               code + `, acr_values="` + strings.Repeat("a ", maxACRValues+1) + `"`,
		"an age below nothing":              code + `, max_age="-1"`,
		"an age that is a fraction":         code + `, max_age="1.5"`,
		"an age beyond counting":            code + `, max_age="99999999999999999999"`,
		"more than anybody would say":       code + `, max_age=60, realm="` + strings.Repeat("x", maxChallenge) + `"`,
	} {
		if got, err := parseChallenge(value); err == nil {
			t.Errorf("parseChallenge of %s = %+v, want an error", name, got)
		}
	}
}

// FuzzParseChallenge holds that whatever is understood can be said again, and
// means the same.
func FuzzParseChallenge(f *testing.F) {
	f.Add(`Bearer error="insufficient_user_authentication", error_description="d", acr_values="a b", max_age="3600"`)
	f.Add(`bearer max_age = 0 ,error=insufficient_user_authentication`)
	f.Add(`Bearer realm="a, b=c", x=""`)
	f.Add(`Bearer a=b,, c="`)
	f.Fuzz(func(t *testing.T, value string) {
		first, err := parseChallenge(value)
		if err != nil {
			return
		}
		if len(first.acrValues) > maxACRValues || first.maxAge != nil && *first.maxAge < 0 || strings.ContainsAny(first.String(), "\r\n\x00") {
			t.Errorf("parseChallenge(%q) = %+v, which is out of bounds", value, first)
		}
		if first.code == "" {
			return // String says such a challenge without the rest
		}
		second, err := parseChallenge(first.String())
		if err != nil {
			if len(first.String()) <= maxChallenge {
				t.Errorf("parseChallenge(%q) = %v, said again from %q", first, err, value)
			}
			return
		}
		if diff := cmp.Diff(first, second, cmp.AllowUnexported(challenge{})); diff != "" {
			t.Errorf("parseChallenge(%q) said again (-first +second):\n%s", value, diff)
		}
	})
}
