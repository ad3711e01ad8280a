package oauth

import (
	"strings"

	"github.com/ory/fosite"

	"github.com/credence-id/credence/idp/assurance"
)

// errNotReached says that something was not reached, and what.
func errNotReached(what string, missing assurance.Gap) *fosite.RFC6749Error {
	return errUnmet(what + ": " + lacking(missing) + ".")
}

// lacking says to a client what of a level was not reached, in the words of those who ask and not of the person. It is part
// of an error_description, and so plain ASCII.
func lacking(g assurance.Gap) string {
	var parts []string
	if g.Identity != "" {
		parts = append(parts, "identity level "+string(g.Identity))
	}
	if g.Authenticator != 0 {
		signIn := "AAL" + g.Authenticator.String()
		switch {
		case g.HardwareBound:
			signIn += " by a key in hardware of a known model"
		case g.PhishingResistant:
			signIn += " by a phishing-resistant method"
		}
		if len(g.AMR) > 0 {
			signIn += " with amr " + strings.Join(g.AMR, " and ")
		}
		parts = append(parts, signIn)
	}
	return strings.Join(parts, ", and ")
}
