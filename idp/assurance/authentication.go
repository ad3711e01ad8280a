package assurance

import (
	"slices"
	"time"
)

// Method is a way to sign in.
type Method string

// The methods. Smartcards exist simulated only, in `credence dev`.
const (
	Smartcard    Method = "smartcard"    // a client certificate on a card, such as a PIV card
	SecurityKey  Method = "security-key" // a passkey on a key that is held in the hand
	Passkey      Method = "passkey"
	Certificate  Method = "certificate" // a client certificate in software
	TOTP         Method = "totp"
	SMS          Method = "sms"
	RecoveryCode Method = "recovery-code"
	Password     Method = "password"
)

// Methods lists the methods that can be simulated, strongest first.
func Methods() []Method { return []Method{Smartcard, SecurityKey, Passkey, TOTP, Password} }

// factorMethods lists all methods, strongest first.
func factorMethods() []Method {
	return []Method{Smartcard, SecurityKey, Passkey, Certificate, TOTP, SMS, RecoveryCode, Password}
}

// Factor is one authenticator that a person signed in with, and what is known of it. What is not known is false.
type Factor struct {
	Method       Method
	UserVerified bool // by this use, with a PIN or biometric: of a passkey the UV flag of this assertion
	DeviceBound  bool // its flags say that the key does not sync (BE=0)
	Attested     bool // at enrolment a trusted attestation proved which model it is
	Approved     bool // the model, or the policy of the certificate, is one whose keys cannot be exported
}

// cryptographic says whether the factor proves possession of a key and unlocks it for its owner alone when it verifies her.
func (f Factor) cryptographic() bool {
	return f.Method == Smartcard || f.Method == SecurityKey || f.Method == Passkey
}

// hardware says whether it is shown that the key is in hardware of a known model.
func (f Factor) hardware() bool {
	return f.Method == Smartcard || (f.DeviceBound && f.Attested)
}

// exportable says whether the key could leave its authenticator, for all that is known. AAL3 takes one that cannot: NIST
// SP 800-63B-4, Section 2.3. What an authenticator says of itself proves nothing, so its model has to be attested, and
// a model has to be one that is approved.
func (f Factor) exportable() bool {
	return !f.cryptographic() || !f.hardware() || !f.Approved
}

// Authentication is what is known of one sign-in: facts, from which levels follow.
type Authentication struct {
	Factors   []Factor
	Simulated bool // nobody authenticated: the development server was told to pretend
	At        time.Time
}

// Method is the method of the strongest factor: how the sign-in is called on record.
func (a Authentication) Method() Method {
	for _, m := range factorMethods() {
		if a.used(m) {
			return m
		}
	}
	return ""
}

func (a Authentication) used(m Method) bool {
	return slices.ContainsFunc(a.Factors, func(f Factor) bool { return f.Method == m })
}

// Level is the AAL of the sign-in: NIST SP 800-63B-4, Section 2. Only a password is something known that counts beside
// another factor; two things that somebody has are one factor. 0 is that nothing was proved.
func (a Authentication) Level() AuthenticatorLevel {
	level := AuthenticatorLevel(0)
	for _, f := range a.Factors {
		level = max(level, a.levelBy(f))
	}
	return level
}

// levelBy is the AAL that the factor reaches, with the password if there was one.
func (a Authentication) levelBy(f Factor) AuthenticatorLevel {
	second := (f.cryptographic() && f.UserVerified) || (f.Method != Password && a.used(Password))
	switch {
	case !slices.Contains(factorMethods(), f.Method):
		return 0
	case !second:
		return AAL1
	case f.exportable():
		return AAL2
	}
	return AAL3
}

// AMR lists the authentication methods of the sign-in by the names of RFC 8176, and "simulated" beside them when nobody
// authenticated. A recovery code is an otp: there is no better name. Whether a PIN or a finger unlocked a passkey is not
// known, and not said.
func (a Authentication) AMR() []string {
	var amr []string
	if a.used(Password) {
		amr = append(amr, "pwd")
	}
	for _, f := range a.Factors {
		switch f.Method {
		case Smartcard:
			amr = append(amr, "sc")
			if f.UserVerified {
				amr = append(amr, "pin")
			}
		case SecurityKey, Passkey:
			if f.hardware() {
				amr = append(amr, "hwk", "user")
			} else {
				amr = append(amr, "pop", "user")
			}
		case Certificate:
			amr = append(amr, "swk")
		case SMS:
			amr = append(amr, "sms")
		case TOTP, RecoveryCode:
			amr = append(amr, "otp")
		case Password: // said first
		}
	}
	if a.Level() >= AAL2 {
		amr = append(amr, "mfa")
	}
	if a.Simulated {
		amr = append(amr, "simulated")
	}
	return unique(amr)
}

// unique leaves out what was there before.
func unique[T comparable](list []T) []T {
	var kept []T
	for _, item := range list {
		if !slices.Contains(kept, item) {
			kept = append(kept, item)
		}
	}
	return kept
}

// Simulate is the sign-in that `credence dev` pretends has happened: a smartcard and a security key at their best, a
// passkey that syncs, a TOTP beside a password.
func Simulate(m Method, at time.Time) Authentication {
	a := Authentication{Simulated: true, At: at}
	switch m {
	case Smartcard, SecurityKey:
		a.Factors = []Factor{{Method: m, UserVerified: true, DeviceBound: true, Attested: true, Approved: true}}
	case Passkey:
		a.Factors = []Factor{{Method: m, UserVerified: true}}
	case TOTP:
		a.Factors = []Factor{{Method: Password}, {Method: TOTP}}
	default:
		a.Factors = []Factor{{Method: m}}
	}
	return a
}
