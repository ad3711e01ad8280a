package webauthn_test

import (
	"bytes"
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/assurance"
	"github.com/credence-id/credence/idp/webauthn"
	"github.com/credence-id/credence/idp/webauthn/webauthntest"
	"github.com/credence-id/credence/store"
)

func TestEnrolment(t *testing.T) {
	t.Parallel()
	model := uuid.MustParse("01020304-0506-0708-0102-030405060708")
	tests := []struct {
		name   string
		key    *webauthntest.Key
		change func(*webauthntest.Key)
		want   store.Authenticator
	}{
		{
			"a security key", webauthntest.New(), func(*webauthntest.Key) {},
			store.Authenticator{Name: "Security key", Kind: "security-key", SignCount: 1, AAGUID: model, Transports: []string{"usb"}, AttestationFormat: "none"},
		},
		{
			"a security key that attests itself", webauthntest.New(), func(k *webauthntest.Key) { k.SelfAttestation = true },
			store.Authenticator{Name: "Security key", Kind: "security-key", SignCount: 1, AAGUID: model, Transports: []string{"usb"}, AttestationFormat: "packed"},
		},
		{
			"a security key that uses EdDSA", webauthntest.New(), func(k *webauthntest.Key) { k.Algorithm, k.SelfAttestation = webauthntest.EdDSA, true },
			store.Authenticator{Name: "Security key", Kind: "security-key", SignCount: 1, AAGUID: model, Transports: []string{"usb"}, AttestationFormat: "packed"},
		},
		{
			"a computer that uses RSA", webauthntest.New(), func(k *webauthntest.Key) {
				k.Algorithm, k.SelfAttestation, k.Transports, k.Attachment = webauthntest.RS256, true, []string{"internal"}, "platform"
			},
			store.Authenticator{Name: "Passkey", Kind: "passkey", SignCount: 1, AAGUID: model, Transports: []string{"internal"}, AttestationFormat: "packed"},
		},
		{
			"a synchronised passkey", webauthntest.NewPasskey(), func(*webauthntest.Key) {},
			store.Authenticator{
				Name: "Passkey", Kind: "passkey", Transports: []string{"hybrid", "internal"}, AttestationFormat: "none",
				BackupEligible: true, BackupState: true,
			},
		},
		{
			"the longest credential id", webauthntest.New(), func(k *webauthntest.Key) { k.CredentialID = bytes.Repeat([]byte{7}, 1023) },
			store.Authenticator{Name: "Security key", Kind: "security-key", SignCount: 1, AAGUID: model, Transports: []string{"usb"}, AttestationFormat: "none"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			tt.change(tt.key)
			enrolled := w.enrol(t, alice, tt.key)
			stored, err := w.store.Authenticators(t.Context(), alice, false)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]store.Authenticator{enrolled}, stored); diff != "" {
				t.Errorf("stored (-verified +stored):\n%s", diff)
			}
			got := stored[0]
			if len(got.CredentialID) == 0 || len(got.PublicKey) == 0 || !bytes.Contains(got.ClientData, []byte("webauthn.create")) ||
				!bytes.Contains(got.AttestationObject, got.CredentialID) {
				t.Errorf("authenticator = %+v, want credential id, key, client data and attestation object", got)
			}
			want := tt.want
			want.ID, want.PersonID, want.State, want.CreatedAt = got.ID, alice, "active", w.now
			want.AttestationVerdict = map[bool]string{false: "none", true: "self"}[tt.key.SelfAttestation]
			want.CredentialID, want.PublicKey, want.AttestationObject, want.ClientData = got.CredentialID, got.PublicKey, got.AttestationObject, got.ClientData
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("authenticator (-want +got):\n%s", diff)
			}
			// Whatever an authenticator says of itself, nobody vouched for it.
			in := w.signIn(t, "", tt.key)
			if in.Authentication.Factors[0].Attested || in.Authentication.Level() != assurance.AAL2 {
				t.Errorf("attested = %t, level %s, want false, 2", in.Authentication.Factors[0].Attested, in.Authentication.Level())
			}
		})
	}
}

func TestEnrolmentOptions(t *testing.T) {
	t.Parallel()
	w, key := newWorld(t), webauthntest.New()
	enrolled := w.enrol(t, alice, key)
	c := w.beginEnrolment(t, alice)
	got := member[map[string]any](t, []byte(`{"options":`+string(c.Options)+`}`), "options")
	if challenge, err := base64.RawURLEncoding.DecodeString(got["challenge"].(string)); err != nil || len(challenge) != 32 {
		t.Errorf("challenge = %v, want 32 bytes", got["challenge"])
	}
	delete(got, "challenge")
	algorithm := func(a float64) any { return map[string]any{"type": "public-key", "alg": a} }
	want := map[string]any{
		"rp":                     map[string]any{"id": "idp.example.org", "name": "Credence"},
		"user":                   map[string]any{"id": base64.RawURLEncoding.EncodeToString(w.handles[alice]), "name": alice, "displayName": "Test Person"},
		"pubKeyCredParams":       []any{algorithm(-8), algorithm(-7), algorithm(-257)},
		"timeout":                300000.0,
		"authenticatorSelection": map[string]any{"residentKey": "required", "requireResidentKey": true, "userVerification": "required"},
		"attestation":            "direct",
		"extensions":             map[string]any{"credProps": true},
		"excludeCredentials": []any{map[string]any{
			"type": "public-key", "id": base64.RawURLEncoding.EncodeToString(enrolled.CredentialID), "transports": []any{"usb"},
		}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("options (-want +got):\n%s", diff)
	}
	if answer := key.Create(c.Options, origin); answer != nil {
		t.Errorf("an authenticator that she has is enrolled again: %s", answer)
	}
	if _, err := w.BeginEnrolment(store.Person{ID: alice}, w.handles[alice], nil, nil); err == nil {
		t.Error("BeginEnrolment(no browser) succeeded")
	}
}

func TestVerifyEnrolmentRefusesLies(t *testing.T) {
	t.Parallel()
	clientData := func(change func([]byte) []byte) func(*webauthntest.Key) {
		return func(key *webauthntest.Key) { key.ClientData = change }
	}
	authenticatorData := func(change func([]byte) []byte) func(*webauthntest.Key) {
		return func(key *webauthntest.Key) { key.AuthenticatorData = change }
	}
	publicKey := func(algorithm int, change func(map[int]any)) func(*webauthntest.Key) {
		return func(key *webauthntest.Key) { key.Algorithm, key.PublicKey = algorithm, change }
	}
	response := func(change func(webauthntest.Answer)) func(*webauthntest.Key) {
		return func(key *webauthntest.Key) { key.Response = change }
	}
	const noCross = `"crossOrigin":false`
	tests := []struct {
		name   string
		tell   func(*webauthntest.Key)
		reason string
		cause  string
	}{
		// WebAuthn Level 3, Section 7.1, from step 7 on: client data.
		{"the type is that of a sign-in", clientData(replace("webauthn.create", "webauthn.get")), webauthn.AttestationInvalid, "ceremony type"},
		{"the challenge is another", clientData(replace(`"challenge":"`, `"challenge":"A`)), webauthn.AttestationInvalid, "challenge"},
		{"the challenge is missing", clientData(replace(`"challenge":`, `"x":`)), webauthn.AttestationInvalid, "challenge"},
		{"it was given in a frame of another site", clientData(replace(noCross, `"crossOrigin":true`)), webauthn.AttestationInvalid, "cross origin"},
		{"it names a site around it", clientData(replace(noCross, noCross+`,"topOrigin":"https://evil.example"`)), webauthn.AttestationInvalid, "topOrigin"},
		{"the client data has two challenges", clientData(replace(noCross, `"Challenge":"AAAA"`)), webauthn.ResponseMalformed, "twice"},
		{"the client data is too large", clientData(replace(noCross, noCross+`,"x":"`+strings.Repeat("x", 20<<10)+`"`)), webauthn.ResponseMalformed, "large"},
		// Authenticator data.
		{"it is for another relying party", authenticatorData(func(b []byte) []byte { b[0] ^= 1; return b }), webauthn.AttestationInvalid, "RP Hash mismatch"},
		{"nobody was present", authenticatorData(setFlags(0, webauthntest.UserPresent)), webauthn.AttestationInvalid, "presence"},
		{"the user was not verified", authenticatorData(setFlags(0, webauthntest.UserVerified)), webauthn.AttestationInvalid, "verification required"},
		{"a credential that cannot be backed up is", authenticatorData(setFlags(webauthntest.BackupState, 0)), webauthn.AttestationInvalid, "Backup State"},
		{"there is no attested credential", authenticatorData(func(b []byte) []byte { return setFlags(0, 0x40)(b[:37]) }), webauthn.ResponseMalformed, ""},
		{"attested credential data is announced and missing", authenticatorData(func(b []byte) []byte { return b[:37] }), webauthn.ResponseMalformed, ""},
		{"the credential id is longer than the data", authenticatorData(func(b []byte) []byte { b[53], b[54] = 3, 0xff; return b }), webauthn.ResponseMalformed, ""},
		{"bytes follow the key", authenticatorData(func(b []byte) []byte { return append(b, 0) }), webauthn.ResponseMalformed, ""},
		{"extensions are announced and missing", authenticatorData(setFlags(0x80, 0)), webauthn.ResponseMalformed, ""},
		{"extensions are garbage", authenticatorData(func(b []byte) []byte { return append(setFlags(0x80, 0)(b), 0xff) }), webauthn.ResponseMalformed, ""},
		// Algorithm and key.
		{"the algorithm was not offered", publicKey(webauthntest.ES256, func(cose map[int]any) { cose[3] = -9 }), webauthn.AttestationInvalid, "algorithm not supported"},
		{"the curve is not that of the algorithm", publicKey(webauthntest.ES256, func(cose map[int]any) { cose[-1] = 2 }), webauthn.KeyWeak, "curve"},
		{"the algorithm is not that of the curve", publicKey(webauthntest.ES256, func(cose map[int]any) { cose[3] = -35 }), webauthn.KeyWeak, "curve"},
		{"the point is not on the curve", publicKey(webauthntest.ES256, func(cose map[int]any) { cose[-2] = bytes.Repeat([]byte{1}, 32) }), webauthn.KeyWeak, "not on curve"},
		{"the point is at infinity", publicKey(webauthntest.ES256, func(cose map[int]any) { cose[-2], cose[-3] = make([]byte, 32), make([]byte, 32) }), webauthn.KeyWeak, "not on curve"},
		{"the point is short", publicKey(webauthntest.ES256, func(cose map[int]any) { cose[-2] = []byte{1} }), webauthn.KeyWeak, "length"},
		{"an octet key passes for an elliptic one", publicKey(webauthntest.EdDSA, func(cose map[int]any) { cose[1] = 2 }), webauthn.KeyWeak, ""},
		{"an octet key passes for ES256", publicKey(webauthntest.EdDSA, func(cose map[int]any) { cose[3] = webauthntest.ES256 }), webauthn.KeyWeak, ""},
		{"an octet key is short", publicKey(webauthntest.EdDSA, func(cose map[int]any) { cose[-2] = []byte{1} }), webauthn.KeyWeak, "length"},
		{"the key is of an unknown type", publicKey(webauthntest.ES256, func(cose map[int]any) { cose[1] = 4 }), webauthn.KeyWeak, ""},
		{"the key is empty", publicKey(webauthntest.ES256, func(cose map[int]any) { clear(cose) }), webauthn.KeyWeak, ""},
		{"an RSA key passes for ES256", publicKey(webauthntest.RS256, func(cose map[int]any) { cose[3] = webauthntest.ES256 }), webauthn.KeyWeak, "algorithm -7"},
		{"an RSA key has 512 bits", publicKey(webauthntest.RS256, func(cose map[int]any) { cose[-1] = bytes.Repeat([]byte{255}, 64) }), webauthn.KeyWeak, "512 bits"},
		{"an RSA key has 2047 bits", publicKey(webauthntest.RS256, func(cose map[int]any) { cose[-1].([]byte)[0] = 0x7f }), webauthn.KeyWeak, "2047 bits"},
		{"an RSA key has 8192 bits", publicKey(webauthntest.RS256, func(cose map[int]any) { cose[-1] = bytes.Repeat([]byte{255}, 1024) }), webauthn.KeyWeak, "8192 bits"},
		{"an RSA key has no modulus", publicKey(webauthntest.RS256, func(cose map[int]any) { cose[-1] = []byte{} }), webauthn.KeyWeak, "modulus"},
		{"an RSA key has exponent 1", publicKey(webauthntest.RS256, func(cose map[int]any) { cose[-2] = []byte{1} }), webauthn.KeyWeak, "exponent 1"},
		{"an RSA key has exponent 3", publicKey(webauthntest.RS256, func(cose map[int]any) { cose[-2] = []byte{3} }), webauthn.KeyWeak, "exponent 3"},
		{"an RSA key has an even exponent", publicKey(webauthntest.RS256, func(cose map[int]any) { cose[-2] = []byte{1, 0, 2} }), webauthn.KeyWeak, "exponent 65538"},
		{"an RSA key has no exponent", publicKey(webauthntest.RS256, func(cose map[int]any) { cose[-2] = []byte{} }), webauthn.KeyWeak, "exponent"},
		// Attestation statement.
		{"the attestation is signed with another key", func(key *webauthntest.Key) {
			key.SelfAttestation = true
			key.PublicKey = func(cose map[int]any) {
				other := webauthntest.New()
				other.PublicKey = func(c map[int]any) { cose[-2], cose[-3] = c[-2], c[-3] }
				other.Create([]byte("{}"), origin)
			}
		}, webauthn.AttestationInvalid, ""},
		{"the client data changed after it was attested", func(key *webauthntest.Key) {
			key.SelfAttestation = true
			key.Response = func(a webauthntest.Answer) {
				data := decode(a, "clientDataJSON")
				a.Set("clientDataJSON", base64.RawURLEncoding.EncodeToString(replace(noCross, noCross+` `)(data)))
			}
		}, webauthn.AttestationInvalid, ""},
		{"the format of the attestation is unknown", response(func(a webauthntest.Answer) {
			object := replace("cfmtdnone", "cfmtdnope")(decode(a, "attestationObject")) // in CBOR: a text of 3, a text of 4
			a.Set("attestationObject", base64.RawURLEncoding.EncodeToString(object))
		}), webauthn.AttestationInvalid, "unsupported"},
		{"the attestation object is no CBOR", response(func(a webauthntest.Answer) { a.Set("attestationObject", "AAAA") }), webauthn.ResponseMalformed, ""},
		{"the attestation object has bytes after it", response(func(a webauthntest.Answer) {
			a.Set("attestationObject", base64.RawURLEncoding.EncodeToString(append(decode(a, "attestationObject"), 0)))
		}), webauthn.ResponseMalformed, ""},
		// Step 25: credential id.
		{"the credential id is empty", func(key *webauthntest.Key) { key.CredentialID = []byte{} }, webauthn.ResponseMalformed, ""},
		{"the credential id is too long", func(key *webauthntest.Key) { key.CredentialID = make([]byte, 1024) }, webauthn.ResponseMalformed, ""},
		{"the credential id is not the attested one", response(func(a webauthntest.Answer) { a["id"], a["rawId"] = "AAAA", "AAAA" }), webauthn.AttestationInvalid, "credential id"},
		{"id and rawId differ", response(func(a webauthntest.Answer) { a["rawId"] = "AAAA" }), webauthn.ResponseMalformed, "rawId"},
		{"the credential could not sign anybody in by itself", response(func(a webauthntest.Answer) {
			a["clientExtensionResults"] = map[string]any{"credProps": map[string]any{"rk": false}}
		}), webauthn.NotDiscoverable, ""},
		{"the answer is too large", response(func(a webauthntest.Answer) { a["x"] = strings.Repeat("x", 64<<10) }), webauthn.ResponseMalformed, "large"},
	}
	w := newWorld(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			key := webauthntest.New()
			tt.tell(key)
			c := w.beginEnrolment(t, alice)
			_, err := w.verifyEnrolment(c.State, w.browser, alice, "", key.Create(c.Options, origin))
			wantRefusal(t, "VerifyEnrolment", err, tt.reason, alice, tt.cause)
		})
	}
}

func decode(a webauthntest.Answer, name string) []byte {
	b, err := base64.RawURLEncoding.DecodeString(encode(a, name))
	if err != nil {
		panic(err)
	}
	return b
}

func TestVerifyEnrolmentRefusesOtherOrigins(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, other := range otherOrigins {
		t.Run("the origin is "+other, func(t *testing.T) {
			t.Parallel()
			c := w.beginEnrolment(t, alice)
			_, err := w.verifyEnrolment(c.State, w.browser, alice, "", webauthntest.New().Create(c.Options, other))
			wantRefusal(t, "VerifyEnrolment", err, webauthn.OriginMismatch, alice, "")
		})
	}
}

func TestEnrolmentTakesWhatIsNotAsked(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for name, results := range map[string]map[string]any{
		"a browser that does not know credProps is accepted":        {},
		"a browser that does not know the property is accepted":     {"credProps": map[string]any{}},
		"a browser that says more than it was asked to is accepted": {"credProps": map[string]any{"rk": true}, "largeBlob": map[string]any{"supported": true}, "x": 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			key := webauthntest.New()
			key.Response = func(a webauthntest.Answer) { a["clientExtensionResults"] = results }
			w.enrol(t, alice, key)
			w.signIn(t, "", key)
		})
	}
}

func TestEnrolmentState(t *testing.T) {
	t.Parallel()
	w, key := newWorld(t), webauthntest.New()
	asked := w.beginEnrolment(t, alice)
	answer := key.Create(asked.Options, origin)
	signIn, other := w.beginSignIn(t, alice), w.beginEnrolment(t, alice)
	tests := []struct {
		name     string
		state    string
		browser  []byte
		personID string
		reason   string
	}{
		{"another browser's is refused", asked.State, random(), alice, webauthn.CeremonyInvalid},
		{"no browser's is refused", asked.State, nil, alice, webauthn.CeremonyInvalid},
		{"another person's is refused", asked.State, w.browser, bob, webauthn.CeremonyInvalid},
		{"that of a sign-in is refused", signIn.State, w.browser, alice, webauthn.CeremonyInvalid},
		{"another ceremony's is refused", other.State, w.browser, alice, webauthn.AttestationInvalid},
		{"a changed one is refused", changed(asked.State), w.browser, alice, webauthn.CeremonyInvalid},
		{"none is refused", "", w.browser, alice, webauthn.CeremonyInvalid},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := w.verifyEnrolment(tt.state, tt.browser, tt.personID, "", answer)
			wantRefusal(t, "VerifyEnrolment", err, tt.reason, tt.personID, "")
		})
	}
}

func TestEnrolmentExpires(t *testing.T) {
	t.Parallel()
	w, key := newWorld(t), webauthntest.New()
	c := w.beginEnrolment(t, alice)
	w.now = w.now.Add(5 * time.Minute)
	_, err := w.verifyEnrolment(c.State, w.browser, alice, "", key.Create(c.Options, origin))
	wantRefusal(t, "VerifyEnrolment", err, webauthn.CeremonyExpired, alice, "")
}

func TestEnrolmentIsAnsweredOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.beginEnrolment(t, alice)
	oneOf(t, 32, func() error { // a new credential each
		e, err := w.verifyEnrolment(c.State, w.browser, alice, "", webauthntest.New().Create(c.Options, origin))
		if err != nil {
			return err
		}
		return record(t.Context(), w.store, e)
	})
	bound, err := w.store.Authenticators(t.Context(), alice, true)
	if err != nil {
		t.Fatal(err)
	}
	if len(bound) != 1 {
		t.Errorf("%d authenticators were bound, want 1", len(bound))
	}
}

// WebAuthn Level 3, Section 7.1, step 26: "Verify that the credentialId is not yet registered for any user."
func TestCredentialIsBoundToOnePerson(t *testing.T) {
	t.Parallel()
	w, hers, his := newWorld(t), webauthntest.New(), webauthntest.New()
	hers.CredentialID = []byte("the same")
	his.CredentialID = hers.CredentialID
	enrolled := w.enrol(t, alice, hers)
	if _, err := w.store.ChangeAuthenticator(t.Context(), enrolled.ID, "active", "revoked", w.now); err != nil { // it stays hers
		t.Fatal(err)
	}
	for _, personID := range []string{bob, alice} {
		c := w.beginEnrolment(t, personID)
		e, err := w.verifyEnrolment(c.State, w.browser, personID, "", his.Create(c.Options, origin))
		if err != nil {
			t.Fatal(err)
		}
		wantRefusal(t, "Record", record(t.Context(), w.store, e), webauthn.AuthenticatorKnown, personID, "")
		bound, err := w.store.Authenticators(t.Context(), personID, false)
		if err != nil {
			t.Fatal(err)
		}
		if len(bound) != 0 {
			t.Errorf("person %s has %d authenticators, want 0", personID, len(bound))
		}
	}
}

func TestNameOfAnAuthenticator(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, given, want string // want "" is a refusal
	}{
		{"none is made from the kind", "", "Security key"},
		{"spaces are none", " \t\n ", "Security key"},
		{"spaces around it go", "  Ward 7 key ", "Ward 7 key"},
		{"any language will do", "Schlüssel für Zoë – 鍵 🔑", "Schlüssel für Zoë – 鍵 🔑"},
		{"markup is text", `<script>alert("x")</script> {{7*7}}`, `<script>alert("x")</script> {{7*7}}`},
		{"60 characters fit", strings.Repeat("é", 60), strings.Repeat("é", 60)},
		{"61 characters do not", strings.Repeat("é", 61), ""},
		{"a NUL is refused", "a\x00b", ""},
		{"a new line is refused", "a\nb", ""},
		{"an escape is refused", "a\x1b[2Jb", ""},
		{"a C1 control is refused", "a\u0085b", ""},
		{"an override of direction is refused", "a\u202eb", ""},
		{"an isolate of direction is refused", "a\u2066b", ""},
		{"a mark of direction is refused", "a\u200fb", ""},
		{"a space of no width is refused", "a\u200bb", ""},
		{"a joiner of no width is refused", "a\u200db", ""},
		{"a byte order mark is refused", "a\ufeffb", ""},
		{"a soft hyphen is refused", "a\u00adb", ""},
		{"a line separator is refused", "a\u2028b", ""},
		{"a tag is refused", "a\U000e0041b", ""},
		{"a private character is refused", "a\ue000b", ""},
		{"what is not UTF-8 is refused", "a\xffb", ""},
	}
	w := newWorld(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := w.beginEnrolment(t, alice)
			e, err := w.verifyEnrolment(c.State, w.browser, alice, tt.given, webauthntest.New().Create(c.Options, origin))
			if tt.want == "" {
				wantRefusal(t, "VerifyEnrolment", err, webauthn.NameInvalid, alice, "")
				return
			}
			if err != nil || e.Authenticator.Name != tt.want {
				t.Fatalf("VerifyEnrolment = name %q, %v, want %q", e.Authenticator.Name, err, tt.want)
			}
			if err := record(t.Context(), w.store, e); err != nil {
				t.Errorf("Record(%q) = %v, want none", tt.want, err)
			}
		})
	}
}

func TestKindAndTransports(t *testing.T) {
	t.Parallel()
	many := []string{"usb", "usb", "a1", "a2", "a3", "a4", "a5", "a6", "a7", "a8", "a9", "a10"}
	tests := []struct {
		name       string
		transports []string
		attachment string
		flags      byte
		kind       string
		want       []string
	}{
		{"USB is a security key", []string{"usb"}, "cross-platform", 0, "security-key", []string{"usb"}},
		{"NFC is a security key", []string{"nfc"}, "", 0, "security-key", []string{"nfc"}},
		{"Bluetooth is a security key", []string{"ble"}, "", 0, "security-key", []string{"ble"}},
		{"a smartcard is a security key", []string{"smart-card"}, "", 0, "security-key", []string{"smart-card"}},
		{"USB that can be backed up is a passkey", []string{"usb"}, "cross-platform", webauthntest.BackupEligible, "passkey", []string{"usb"}},
		{"a computer is a passkey", []string{"internal"}, "platform", 0, "passkey", []string{"internal"}},
		{"a telephone is a passkey", []string{"hybrid", "internal"}, "cross-platform", 0, "passkey", []string{"hybrid", "internal"}},
		{"transports are kept in the order of browsers", []string{"usb", "internal", "nfc"}, "", 0, "security-key", []string{"internal", "nfc", "usb"}},
		{"what says only that it is apart is a security key", nil, "cross-platform", 0, "security-key", nil},
		{"what says only that it is built in is a passkey", nil, "platform", 0, "passkey", nil},
		{"what says nothing is a passkey", nil, "", 0, "passkey", nil},
		{"a transport that nobody knows yet is kept", []string{"internal", "quantum"}, "", 0, "passkey", []string{"internal", "quantum"}},
		{"what cannot be a transport is not", []string{"usb", "<b>", "", strings.Repeat("a", 33)}, "", 0, "security-key", []string{"usb"}},
		{"at most ten are kept, each once", many, "", 0, "security-key", []string{"a1", "a2", "a3", "a4", "a5", "a6", "a7", "a8", "a9", "usb"}},
	}
	w := newWorld(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			key := webauthntest.New()
			key.Transports, key.Attachment = tt.transports, tt.attachment
			key.Flags |= tt.flags
			got := w.enrol(t, alice, key)
			if got.Kind != tt.kind {
				t.Errorf("kind = %s, want %s", got.Kind, tt.kind)
			}
			if diff := cmp.Diff(tt.want, got.Transports); diff != "" {
				t.Errorf("transports (-want +got):\n%s", diff)
			}
		})
	}
}
