package wardlist

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// The errors of Bearer challenges that the ward list gives, or does something
// about.
const (
	invalidToken       = "invalid_token"                    // RFC 6750, Section 3.1
	insufficientScope  = "insufficient_scope"               // RFC 6750, Section 3.1
	insufficientSignIn = "insufficient_user_authentication" // RFC 9470, Section 3
)

// challenge is what a resource server says to whoever comes with an access
// token that will not do (RFC 6750, Section 3; RFC 9470, Section 3).
type challenge struct {
	code        string         // the error; empty for a request that had no token
	description string         // in words that RFC 6750, Section 3 allows: neither a quotation mark nor a backslash
	acrValues   []string       // one of them is wanted, the first most; none when the way of signing in does not matter
	maxAge      *time.Duration // the longest since the person signed in; nil when that does not matter
}

// String is the challenge as the value of WWW-Authenticate.
func (c challenge) String() string {
	if c.code == "" {
		return `Bearer realm="ward list"`
	}
	value := fmt.Sprintf(`Bearer error="%s", error_description="%s"`, c.code, c.description)
	if len(c.acrValues) > 0 {
		value += fmt.Sprintf(`, acr_values="%s"`, strings.Join(c.acrValues, " "))
	}
	if c.maxAge != nil {
		value += fmt.Sprintf(`, max_age="%s"`, seconds(*c.maxAge))
	}
	return value
}

// seconds is a time as max_age has it.
func seconds(d time.Duration) string { return strconv.FormatInt(int64(d/time.Second), 10) }

const (
	maxChallenge = 2 << 10 // bytes of one WWW-Authenticate
	maxACRValues = 20
)

// challengeParameter is one parameter of a challenge (RFC 9110, Section 11.2)
// with the comma after it. A quoted value is made of what RFC 6750, Section 3
// allows, in which nothing is escaped.
var challengeParameter = regexp.MustCompile(
	`^([!#$%&'*+.^_` + "`" + `|~0-9A-Za-z-]+)[ \t]*=[ \t]*(?:"([ !#-\[\]-~]*)"|([!#$%&'*+.^_` + "`" + `|~0-9A-Za-z-]+))[ \t]*(,[ \t]*|$)`)

// parseChallenge reads the value of a WWW-Authenticate that is one Bearer
// challenge. Parameters that it does not know are passed over; whatever could be
// read in two ways is refused.
func parseChallenge(value string) (challenge, error) {
	if len(value) > maxChallenge {
		return challenge{}, fmt.Errorf("challenge has %d bytes, want at most %d", len(value), maxChallenge)
	}
	scheme, rest, _ := strings.Cut(value, " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return challenge{}, errors.New("challenge is not of the scheme Bearer")
	}
	rest = strings.TrimLeft(rest, " ")
	parameters := make(map[string]string)
	for more := true; more; {
		found := challengeParameter.FindStringSubmatch(rest)
		if found == nil {
			return challenge{}, errors.New("challenge has a parameter that is no name and value")
		}
		// RFC 9110, Section 11.2: names are case-insensitive, and each "MUST only
		// occur once per challenge".
		name := strings.ToLower(found[1])
		if _, repeated := parameters[name]; repeated {
			return challenge{}, fmt.Errorf("challenge repeats %s", name)
		}
		parameters[name] = found[2] + found[3] // one of them is empty
		rest, more = rest[len(found[0]):], found[4] != ""
	}

	c := challenge{code: parameters["error"], description: parameters["error_description"]}
	if values, ok := parameters["acr_values"]; ok {
		c.acrValues = strings.Fields(values)
		if n := len(c.acrValues); n == 0 || n > maxACRValues {
			return challenge{}, fmt.Errorf("challenge has %d acr_values, want 1 to %d", n, maxACRValues)
		}
	}
	if age, ok := parameters["max_age"]; ok {
		n, err := strconv.ParseUint(age, 10, 31)
		if err != nil {
			return challenge{}, fmt.Errorf("read max_age: %w", err)
		}
		c.maxAge = new(time.Duration(n) * time.Second)
	}
	if c.code == insufficientSignIn && c.acrValues == nil && c.maxAge == nil {
		return challenge{}, errors.New("challenge does not say which sign-in would do")
	}
	return c, nil
}
