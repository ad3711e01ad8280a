package registration

import (
	"slices"

	"github.com/credence-id/credence/idp/assurance"
	"github.com/credence-id/credence/web"
)

// KindName is how people call a kind of authenticator.
func KindName(kind string) string {
	switch kind {
	case string(assurance.SecurityKey):
		return "Security key"
	case string(assurance.Password):
		return "Password"
	case string(assurance.TOTP):
		return "One-time codes"
	}
	return "Passkey"
}

// IdentityWords says how well an identity is proved.
func IdentityWords(l assurance.IdentityLevel) string {
	switch l {
	case assurance.IdentityVeryHigh:
		return "Very high"
	case assurance.IdentityHigh:
		return "High"
	case assurance.IdentityMedium:
		return "Medium"
	case assurance.IdentityLow:
		return "Low"
	case assurance.IdentityNone:
	}
	return "None: your identity has not been proved"
}

// LevelWords says how strong a sign-in is.
func LevelWords(l assurance.AuthenticatorLevel) string {
	switch l {
	case assurance.AAL3:
		return "3: the strongest"
	case assurance.AAL2:
		return "2: strong"
	case assurance.AAL1:
	}
	return "1: basic"
}

// MethodWords says how somebody signed in, from the methods that the session recorded.
func MethodWords(words web.Words, amr []string) string {
	method := words.Say("Passkey or security key")
	switch {
	case slices.Contains(amr, "sc"):
		method = words.Say("Smartcard")
	case slices.Contains(amr, "otp"):
		method = words.Say("Password and one-time code")
	case slices.Contains(amr, "pwd"):
		method = words.Say("Password")
	}
	if slices.Contains(amr, "simulated") {
		method += " (simulated)"
	}
	return method
}
