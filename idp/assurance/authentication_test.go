package assurance_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/credence-id/credence/idp/assurance"
)

var (
	password = assurance.Factor{Method: assurance.Password}
	totp     = assurance.Factor{Method: assurance.TOTP}
	sms      = assurance.Factor{Method: assurance.SMS}
	recovery = assurance.Factor{Method: assurance.RecoveryCode}
	software = assurance.Factor{Method: assurance.Certificate}
)

// factor is one with the facts of the letters: v user verified, b device-bound, t attested, p approved.
func factor(m assurance.Method, facts string) assurance.Factor {
	return assurance.Factor{
		Method: m, UserVerified: strings.Contains(facts, "v"), DeviceBound: strings.Contains(facts, "b"),
		Attested: strings.Contains(facts, "t"), Approved: strings.Contains(facts, "p"),
	}
}

// everyFactor lists each method with every combination of facts.
func everyFactor() []assurance.Factor {
	var all []assurance.Factor
	for _, m := range []assurance.Method{
		assurance.Smartcard, assurance.SecurityKey, assurance.Passkey, assurance.Certificate, assurance.TOTP, assurance.SMS,
		assurance.RecoveryCode, assurance.Password, "unheard-of",
	} {
		for facts := range 16 {
			all = append(all, assurance.Factor{
				Method: m, UserVerified: facts&1 != 0, DeviceBound: facts&2 != 0, Attested: facts&4 != 0, Approved: facts&8 != 0,
			})
		}
	}
	return all
}

// The rows of the authenticator mapping, NIST SP 800-63B-4 and RFC 8176, and what else people could combine.
func TestAuthentication(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		factors []assurance.Factor
		level   assurance.AuthenticatorLevel
		amr     string
	}{
		{"a password", []assurance.Factor{password}, 1, "pwd"},
		{"a TOTP alone", []assurance.Factor{totp}, 1, "otp"},
		{"password and TOTP", []assurance.Factor{password, totp}, 2, "pwd otp mfa"},
		{"TOTP and password", []assurance.Factor{totp, password}, 2, "pwd otp mfa"},
		{"password and SMS", []assurance.Factor{password, sms}, 2, "pwd sms mfa"},
		{"SMS alone", []assurance.Factor{sms}, 1, "sms"},
		{"a synced passkey", []assurance.Factor{factor(assurance.Passkey, "v")}, 2, "pop user mfa"},
		{"a synced passkey that did not verify its user", []assurance.Factor{factor(assurance.Passkey, "")}, 1, "pop user"},
		{"the same with password", []assurance.Factor{password, factor(assurance.Passkey, "")}, 2, "pwd pop user mfa"},
		{"a device-bound passkey without attestation", []assurance.Factor{factor(assurance.Passkey, "vb")}, 2, "pop user mfa"},
		{"a device-bound passkey of a model that is not approved", []assurance.Factor{factor(assurance.Passkey, "vbt")}, 2, "hwk user mfa"},
		{"a device-bound passkey of an approved model", []assurance.Factor{factor(assurance.Passkey, "vbtp")}, 3, "hwk user mfa"},
		{"a certified security key", []assurance.Factor{factor(assurance.SecurityKey, "vbtp")}, 3, "hwk user mfa"},
		{"a security key without attestation", []assurance.Factor{factor(assurance.SecurityKey, "vb")}, 2, "pop user mfa"},
		{"an approved model that nothing attested", []assurance.Factor{factor(assurance.SecurityKey, "vbp")}, 2, "pop user mfa"},
		{"an attested and approved model whose key syncs", []assurance.Factor{factor(assurance.SecurityKey, "vtp")}, 2, "pop user mfa"},
		{"a certified security key that did not verify its user", []assurance.Factor{factor(assurance.SecurityKey, "btp")}, 1, "hwk user"},
		{"the same with password", []assurance.Factor{password, factor(assurance.SecurityKey, "btp")}, 3, "pwd hwk user mfa"},
		{"password and a security key of no known model", []assurance.Factor{password, factor(assurance.SecurityKey, "b")}, 2, "pwd pop user mfa"},
		{"a smartcard", []assurance.Factor{factor(assurance.Smartcard, "vp")}, 3, "sc pin mfa"},
		{"a smartcard of a policy that is not approved", []assurance.Factor{factor(assurance.Smartcard, "v")}, 2, "sc pin mfa"},
		{"a smartcard without PIN", []assurance.Factor{factor(assurance.Smartcard, "p")}, 1, "sc"},
		{"a smartcard without PIN, with password", []assurance.Factor{factor(assurance.Smartcard, "p"), password}, 3, "pwd sc mfa"},
		{"a software certificate", []assurance.Factor{software}, 1, "swk"},
		{"a software certificate whatever is said of it", []assurance.Factor{factor(assurance.Certificate, "vbtp")}, 1, "swk"},
		{"password and a software certificate", []assurance.Factor{password, software}, 2, "pwd swk mfa"},
		{"the same whatever is said of it", []assurance.Factor{password, factor(assurance.Certificate, "vbtp")}, 2, "pwd swk mfa"},
		{"password and TOTP whatever is said of it", []assurance.Factor{password, factor(assurance.TOTP, "vbtp")}, 2, "pwd otp mfa"},
		{"recovery code alone", []assurance.Factor{recovery}, 1, "otp"},
		{"password and recovery code", []assurance.Factor{password, recovery}, 2, "pwd otp mfa"},
		{"password, TOTP and recovery code", []assurance.Factor{password, totp, recovery}, 2, "pwd otp mfa"},
		{"two things that somebody has", []assurance.Factor{totp, factor(assurance.SecurityKey, "btp")}, 1, "otp hwk user"},
		{"a synced passkey, and a certified key that did not verify", []assurance.Factor{factor(assurance.Passkey, "v"), factor(assurance.SecurityKey, "btp")}, 2, "pop user hwk mfa"},
		{"two passwords", []assurance.Factor{password, password}, 1, "pwd"},
		{"two passkeys", []assurance.Factor{factor(assurance.Passkey, "v"), factor(assurance.Passkey, "vb")}, 2, "pop user mfa"},
		{"a method that nobody knows", []assurance.Factor{factor("unheard-of", "vbtp")}, 0, ""},
		{"a method that nobody knows, with password", []assurance.Factor{factor("unheard-of", "vbtp"), password}, 1, "pwd"},
		{"nothing", nil, 0, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for _, simulated := range []bool{false, true} { // it changes what is said, and never the level
				a := assurance.Authentication{Factors: tt.factors, Simulated: simulated}
				want := strings.Fields(tt.amr)
				if simulated {
					want = append(want, "simulated")
				}
				if got := a.Level(); got != tt.level {
					t.Errorf("Level() = %v, want %v", got, tt.level)
				}
				if got := a.AMR(); !slices.Equal(got, want) {
					t.Errorf("AMR() = %v, want %v", got, want)
				}
			}
		})
	}
}

func TestAuthenticationMethod(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		factors []assurance.Factor
		want    assurance.Method
	}{
		{[]assurance.Factor{password, totp}, assurance.TOTP},
		{[]assurance.Factor{factor(assurance.SecurityKey, ""), password}, assurance.SecurityKey},
		{[]assurance.Factor{password}, assurance.Password},
		{nil, ""},
	} {
		if got := (assurance.Authentication{Factors: tt.factors}).Method(); got != tt.want {
			t.Errorf("Method() of %v = %q, want %q", tt.factors, got, tt.want)
		}
	}
}

func TestSimulate(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	type result struct {
		Level assurance.AuthenticatorLevel
		AMR   string
	}
	want := map[assurance.Method]result{
		assurance.Smartcard:   {assurance.AAL3, "sc pin mfa simulated"},
		assurance.SecurityKey: {assurance.AAL3, "hwk user mfa simulated"},
		assurance.Passkey:     {assurance.AAL2, "pop user mfa simulated"},
		assurance.TOTP:        {assurance.AAL2, "pwd otp mfa simulated"},
		assurance.Password:    {assurance.AAL1, "pwd simulated"},
	}
	got := map[assurance.Method]result{}
	last := assurance.AAL3
	for _, m := range assurance.Methods() {
		a := assurance.Simulate(m, at)
		if !a.Simulated || a.At != at || a.Method() != m {
			t.Errorf("Simulate(%s) = %+v, want it simulated, at the time", m, a)
		}
		got[m] = result{a.Level(), strings.Join(a.AMR(), " ")}
		if got[m].Level > last {
			t.Errorf("Methods() lists %s after a weaker one, want the strongest first", m)
		}
		last = got[m].Level
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("simulated sign-ins differ (-want +got):\n%s", diff)
	}
}

// The rows of the GPG 44 tables.
func TestGPG44(t *testing.T) {
	t.Parallel()
	list := func(typesAndQualities ...string) []assurance.Authenticator {
		all := []assurance.Authenticator{}
		for _, s := range typesAndQualities {
			kind, quality, _ := strings.Cut(s, " ")
			all = append(all, assurance.Authenticator{Type: assurance.AuthenticatorType(kind), Quality: assurance.Quality(quality)})
		}
		return all
	}
	for _, tt := range []struct {
		name           string
		factors        []assurance.Factor
		authenticators []assurance.Authenticator
		want           assurance.Protection
		monitored      assurance.Protection
	}{
		{"nothing", nil, list(), "none", "none"},
		{"an unknown method", []assurance.Factor{factor("unheard-of", "vbtp")}, list(), "none", "none"},
		{"a password", []assurance.Factor{password}, list("password low"), "low", "low"},
		{"SMS", []assurance.Factor{sms}, list("digital_token low"), "low", "low"},
		{"a recovery code", []assurance.Factor{recovery}, list("digital_token low"), "low", "low"},
		{"a TOTP", []assurance.Factor{totp}, list("digital_token medium"), "low", "low"},
		{"a software certificate", []assurance.Factor{software}, list("digital_token medium"), "low", "low"},
		{"password and SMS", []assurance.Factor{password, sms}, list("password low", "digital_token low"), "low", "low"},
		{"password and TOTP", []assurance.Factor{password, totp}, list("password low", "digital_token medium"), "medium", "medium"},
		{"a passkey that did not verify", []assurance.Factor{factor(assurance.Passkey, "")}, list("digital_token medium"), "low", "low"},
		{"a synced passkey", []assurance.Factor{factor(assurance.Passkey, "v")}, list("pin medium", "digital_token medium"), "medium", "medium"},
		{"a passkey of an approved model", []assurance.Factor{factor(assurance.Passkey, "vbtp")}, list("pin medium", "digital_token high"), "high", "high"},
		{"a security key", []assurance.Factor{factor(assurance.SecurityKey, "vb")}, list("pin medium", "physical_token medium"), "medium", "medium"},
		{"a security key that did not verify", []assurance.Factor{factor(assurance.SecurityKey, "btp")}, list("physical_token high"), "low", "low"},
		{"the same with a password", []assurance.Factor{password, factor(assurance.SecurityKey, "btp")}, list("password low", "physical_token high"), "medium", "medium"},
		{"a security key of an approved model", []assurance.Factor{factor(assurance.SecurityKey, "vbtp")}, list("pin medium", "physical_token high"), "high", "high"},
		{"a smartcard", []assurance.Factor{factor(assurance.Smartcard, "vp")}, list("pin medium", "physical_token high"), "high", "high"},
		{"a smartcard of no approved policy", []assurance.Factor{factor(assurance.Smartcard, "v")}, list("pin medium", "physical_token medium"), "medium", "medium"},
		{"two tokens are of one type", []assurance.Factor{totp, factor(assurance.SecurityKey, "btp")}, list("digital_token medium", "physical_token high"), "low", "low"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			a := assurance.Authentication{Factors: tt.factors}
			got := a.GPG44(false)
			if got.Protection != tt.want || got.Monitoring {
				t.Errorf("GPG44(false) = %+v, want %s", got, tt.want)
			}
			if diff := cmp.Diff(tt.authenticators, got.Authenticators); diff != "" {
				t.Errorf("authenticators differ (-want +got):\n%s", diff)
			}
			if got.Multifactor != (tt.want != "none" && tt.want != "low" || tt.name == "password and SMS") {
				t.Errorf("multifactor = %t, want authenticators of two types", got.Multifactor)
			}
			if got := a.GPG44(true); got.Protection != tt.monitored || !got.Monitoring {
				t.Errorf("GPG44(true) = %+v, want %s", got, tt.monitored)
			}
		})
	}
}

// Whatever becomes known of a factor, and whatever factor joins it, nothing falls.
func TestAuthenticationNeverFalls(t *testing.T) {
	t.Parallel()
	order := []assurance.Protection{"none", "low", "medium", "high", "very_high"}
	notLess := func(less, more []assurance.Factor) {
		t.Helper()
		a, b := assurance.Authentication{Factors: less}, assurance.Authentication{Factors: more}
		if b.Level() < a.Level() {
			t.Errorf("Level() of %+v = %v, want at least the %v of %+v", more, b.Level(), a.Level(), less)
		}
		for _, monitored := range []bool{false, true} {
			p, q := a.GPG44(monitored).Protection, b.GPG44(monitored).Protection
			if slices.Index(order, q) < slices.Index(order, p) {
				t.Errorf("GPG44(%t) of %+v = %s, want at least the %s of %+v", monitored, more, q, p, less)
			}
		}
	}
	others := []assurance.Factor{
		{}, password, totp, recovery, software, factor(assurance.Passkey, "v"), factor(assurance.SecurityKey, "btp"), factor(assurance.Smartcard, "vp"),
	}
	for _, f := range everyFactor() {
		for _, other := range others {
			beside := []assurance.Factor{f, other}
			notLess([]assurance.Factor{f}, beside)
			stronger := []assurance.Factor{
				{f.Method, true, f.DeviceBound, f.Attested, f.Approved},
				{f.Method, f.UserVerified, true, f.Attested, f.Approved},
				{f.Method, f.UserVerified, f.DeviceBound, true, f.Approved},
				{f.Method, f.UserVerified, f.DeviceBound, f.Attested, true},
			}
			for _, s := range stronger {
				notLess(beside, []assurance.Factor{s, other})
			}
		}
	}
}
