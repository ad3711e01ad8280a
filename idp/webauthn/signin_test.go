package webauthn_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/credence-id/credence/idp/assurance"
	"github.com/credence-id/credence/idp/webauthn"
	"github.com/credence-id/credence/idp/webauthn/webauthntest"
	"github.com/credence-id/credence/store"
	"github.com/credence-id/credence/store/storetest"
)

func TestSignIn(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name     string
		key      *webauthntest.Key
		personID string
		want     assurance.Method
	}{
		{"a passkey says who it is for", webauthntest.NewPasskey(), "", assurance.Passkey},
		{"a passkey of a given person", webauthntest.NewPasskey(), alice, assurance.Passkey},
		{"a security key says who it is for", webauthntest.New(), "", assurance.SecurityKey},
		{"a security key of a given person", webauthntest.New(), alice, assurance.SecurityKey},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			enrolled := w.enrol(t, alice, tt.key)
			w.enrol(t, bob, webauthntest.New())
			w.now = w.now.Add(time.Hour)
			s := w.signIn(t, tt.personID, tt.key)
			if s.Person.ID != alice || s.AuthenticatorID != enrolled.ID {
				t.Errorf("VerifySignIn = person %s, authenticator %s, want %s, %s", s.Person.ID, s.AuthenticatorID, alice, enrolled.ID)
			}
			want := assurance.Authentication{
				Factors: []assurance.Factor{{Method: tt.want, UserVerified: true, DeviceBound: tt.want == assurance.SecurityKey}}, At: w.now,
			}
			if diff := cmp.Diff(want, s.Authentication); diff != "" {
				t.Errorf("Authentication (-want +got):\n%s", diff)
			}
			stored, err := w.store.Authenticators(t.Context(), alice, false)
			if err != nil {
				t.Fatal(err)
			}
			if stored[0].SignCount != int64(tt.key.SignCount) || stored[0].LastUsedAt == nil || !stored[0].LastUsedAt.Equal(w.now) {
				t.Errorf("stored sign count %d, last used %v, want %d, %v", stored[0].SignCount, stored[0].LastUsedAt, tt.key.SignCount, w.now)
			}
		})
	}
}

func TestSignInKeepsTheBackupState(t *testing.T) {
	t.Parallel()
	w, key := newWorld(t), webauthntest.NewPasskey()
	key.Flags &^= webauthntest.BackupState
	w.enrol(t, alice, key)
	key.Flags |= webauthntest.BackupState // it was backed up meanwhile, which is allowed
	w.signIn(t, alice, key)
	stored, err := w.store.Authenticators(t.Context(), alice, false)
	if err != nil {
		t.Fatal(err)
	}
	if !stored[0].BackupState {
		t.Error("BackupState = false after a sign-in that reported true")
	}
}

func TestUserHandleIsNotNeededOfAGivenPerson(t *testing.T) {
	t.Parallel()
	w, key := newWorld(t), webauthntest.New()
	w.enrol(t, alice, key)
	key.Response = func(a webauthntest.Answer) { a.Set("userHandle", nil) }
	if got := w.signIn(t, alice, key).Person.ID; got != alice {
		t.Errorf("person = %s, want %s", got, alice)
	}
}

func TestVerifySignInRefusesLies(t *testing.T) {
	t.Parallel()
	type lie struct {
		name     string
		personID string // for whom the sign-in begins
		passkey  bool
		tell     func(w *world, key *webauthntest.Key)
		reason   string
		person   string // whom the refusal names
		cause    string
	}
	clientData := func(change func([]byte) []byte) func(*world, *webauthntest.Key) {
		return func(_ *world, key *webauthntest.Key) { key.ClientData = change }
	}
	authenticatorData := func(change func([]byte) []byte) func(*world, *webauthntest.Key) {
		return func(_ *world, key *webauthntest.Key) { key.AuthenticatorData = change }
	}
	response := func(change func(webauthntest.Answer)) func(*world, *webauthntest.Key) {
		return func(_ *world, key *webauthntest.Key) { key.Response = change }
	}
	const getType, noCross = `"type":"webauthn.get"`, `"crossOrigin":false`
	tests := []lie{
		// WebAuthn Level 3, Section 7.2, step 10: type.
		{"the type is that of an enrolment", "", false, clientData(replace("webauthn.get", "webauthn.create")), webauthn.AssertionInvalid, alice, "ceremony type"},
		{"the type is in upper case", "", false, clientData(replace("webauthn.get", "WEBAUTHN.GET")), webauthn.AssertionInvalid, alice, "ceremony type"},
		{"there is no type", "", false, clientData(replace(getType+",", "")), webauthn.AssertionInvalid, alice, "ceremony type"},
		// Step 11: challenge.
		{"the challenge is shortened", "", false, clientData(func(b []byte) []byte {
			i := bytes.Index(b, []byte(`"challenge":"`)) + len(`"challenge":"`)
			return slices.Delete(b, i, i+4)
		}), webauthn.AssertionInvalid, alice, "challenge"},
		{"the challenge is empty", "", false, clientData(func(b []byte) []byte {
			i := bytes.Index(b, []byte(`"challenge":"`)) + len(`"challenge":"`)
			return slices.Delete(b, i, i+bytes.IndexByte(b[i:], '"'))
		}), webauthn.AssertionInvalid, alice, "challenge"},
		{"the challenge is padded", "", false, clientData(replace(`","origin"`, `=","origin"`)), webauthn.AssertionInvalid, alice, "challenge"},
		// Client data: crossOrigin, topOrigin and its form.
		{"it was given in a frame of another site", "", false, clientData(replace(noCross, `"crossOrigin":true`)), webauthn.AssertionInvalid, alice, "cross origin"},
		{"it was given in a frame of a named site", "", false, clientData(replace(noCross, `"crossOrigin":true,"topOrigin":"https://evil.example"`)), webauthn.AssertionInvalid, alice, "cross origin"},
		{"it names a site around it and denies the frame", "", false, clientData(replace(noCross, noCross+`,"topOrigin":"https://evil.example"`)), webauthn.AssertionInvalid, alice, "topOrigin"},
		{"token binding has no status", "", false, clientData(replace(noCross, noCross+`,"tokenBinding":{}`)), webauthn.AssertionInvalid, alice, "token binding"},
		{"the client data has two types", "", false, clientData(replace(getType, getType+`,`+getType)), webauthn.ResponseMalformed, "", "twice"},
		{"the client data has two types in different case", "", false, clientData(replace(getType, `"type":"webauthn.create","Type":"webauthn.get"`)), webauthn.ResponseMalformed, "", "twice"},
		{"the client data has two frames by the long s", "", false, clientData(replace(noCross, `"crossOrigin":true,"croſſOrigin":false`)), webauthn.ResponseMalformed, "", "twice"},
		{"bytes follow the client data", "", false, clientData(replace("}", "}{}")), webauthn.ResponseMalformed, "", ""},
		{"the client data is too large", "", false, clientData(replace(noCross, noCross+`,"x":"`+strings.Repeat("x", 20<<10)+`"`)), webauthn.ResponseMalformed, "", "large"},
		{"the client data is no object", "", false, clientData(func([]byte) []byte { return []byte("[]") }), webauthn.ResponseMalformed, "", ""},
		// Authenticator data: rpIdHash.
		{"it is for another relying party", "", false, authenticatorData(func(b []byte) []byte { b[0] ^= 1; return b }), webauthn.AssertionInvalid, alice, "RP Hash mismatch"},
		{"it is for no relying party", "", false, authenticatorData(func(b []byte) []byte { clear(b[:32]); return b }), webauthn.AssertionInvalid, alice, "RP Hash mismatch"},
		// Flags: UP, UV, BE and BS.
		{"nobody was present", "", false, authenticatorData(setFlags(0, webauthntest.UserPresent)), webauthn.AssertionInvalid, alice, "presence"},
		{"the user was verified at enrolment and not now", "", false, authenticatorData(setFlags(0, webauthntest.UserVerified)), webauthn.AssertionInvalid, alice, "verification required"},
		{"a device-bound credential can be backed up now", "", false, authenticatorData(setFlags(webauthntest.BackupEligible, 0)), webauthn.AssertionInvalid, alice, "Backup Eligible flag inconsistency"},
		{"a synchronised credential is device-bound now", "", true, authenticatorData(setFlags(0, webauthntest.BackupEligible|webauthntest.BackupState)), webauthn.AssertionInvalid, alice, "Backup Eligible flag inconsistency"},
		{"a credential that cannot be backed up is", "", false, authenticatorData(setFlags(webauthntest.BackupState, 0)), webauthn.AssertionInvalid, alice, "Backup State"},
		{"attested credential data is announced and missing", "", false, authenticatorData(setFlags(0x40, 0)), webauthn.ResponseMalformed, "", ""},
		{"extensions are announced and missing", "", false, authenticatorData(setFlags(0x80, 0)), webauthn.ResponseMalformed, "", ""},
		{"extensions are garbage", "", false, authenticatorData(func(b []byte) []byte { return append(setFlags(0x80, 0)(b), 0xbf, 0xff) }), webauthn.ResponseMalformed, "", ""},
		{"bytes follow the authenticator data", "", false, authenticatorData(func(b []byte) []byte { return append(b, 0) }), webauthn.ResponseMalformed, "", ""},
		{"the authenticator data is short", "", false, authenticatorData(func(b []byte) []byte { return b[:36] }), webauthn.ResponseMalformed, "", ""},
		// Signature.
		{"the signature is missing", "", false, response(func(a webauthntest.Answer) { a.Set("signature", "") }), webauthn.AssertionInvalid, alice, "signature"},
		{"the signature is another's", "", false, response(func(a webauthntest.Answer) { a.Set("signature", "MAYCAQECAQE") }), webauthn.AssertionInvalid, alice, "signature"},
		// Steps 5 and 6: which credential, and whose.
		{"the user handle is another person's", "", false, func(w *world, key *webauthntest.Key) {
			key.Response = func(a webauthntest.Answer) { a.Set("userHandle", base64.RawURLEncoding.EncodeToString(w.handles[bob])) }
		}, webauthn.AssertionInvalid, alice, "User handle"},
		{"the user handle is another person's, and she was given", alice, false, func(w *world, key *webauthntest.Key) {
			key.Response = func(a webauthntest.Answer) { a.Set("userHandle", base64.RawURLEncoding.EncodeToString(w.handles[bob])) }
		}, webauthn.AssertionInvalid, alice, "User handle"},
		{"the user handle is missing", "", false, response(func(a webauthntest.Answer) { a.Set("userHandle", nil) }), webauthn.UserHandleMissing, "", ""},
		{"the credential is nobody's", "", false, response(func(a webauthntest.Answer) { a["id"], a["rawId"] = "AAAA", "AAAA" }), webauthn.AuthenticatorUnknown, "", ""},
		{"the credential is nobody's, and a person was given", alice, false, response(func(a webauthntest.Answer) { a["id"], a["rawId"] = "AAAA", "AAAA" }), webauthn.AuthenticatorNotAsked, "", ""},
		{"the credential id is empty", "", false, response(func(a webauthntest.Answer) { a["id"], a["rawId"] = "", "" }), webauthn.ResponseMalformed, "", ""},
		{"the credential id is too long", "", false, response(func(a webauthntest.Answer) {
			a["id"] = base64.RawURLEncoding.EncodeToString(make([]byte, 1024))
			a["rawId"] = a["id"]
		}), webauthn.ResponseMalformed, "", "large"},
		{"id and rawId differ", "", false, response(func(a webauthntest.Answer) { a["rawId"] = "AAAA" }), webauthn.ResponseMalformed, "", "rawId"},
		{"it is no public key", "", false, response(func(a webauthntest.Answer) { a["type"] = "password" }), webauthn.ResponseMalformed, "", "type"},
		{"the answer is too large", "", false, response(func(a webauthntest.Answer) { a["x"] = strings.Repeat("x", 64<<10) }), webauthn.ResponseMalformed, "", "large"},
	}
	w := newWorld(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			key := webauthntest.New()
			if tt.passkey {
				key = webauthntest.NewPasskey()
			}
			w.enrol(t, alice, key)
			c := w.beginSignIn(t, tt.personID)
			tt.tell(w, key)
			_, err := w.VerifySignIn(t.Context(), "", c.State, w.browser, key.Get(c.Options, origin))
			wantRefusal(t, "VerifySignIn", err, tt.reason, tt.person, tt.cause)
		})
	}
}

func encode(a webauthntest.Answer, name string) string {
	text, err := a["response"].(map[string]any)[name].(interface{ MarshalText() ([]byte, error) }).MarshalText()
	if err != nil {
		panic(err)
	}
	return string(text)
}

func TestVerifySignInRefusesOtherOrigins(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, other := range otherOrigins {
		t.Run("the origin is "+other, func(t *testing.T) {
			t.Parallel()
			key := webauthntest.New()
			w.enrol(t, alice, key)
			c := w.beginSignIn(t, "")
			_, err := w.VerifySignIn(t.Context(), "", c.State, w.browser, key.Get(c.Options, other))
			wantRefusal(t, "VerifySignIn", err, webauthn.OriginMismatch, "", "")
		})
	}
}

var otherOrigins = []string{
	"https://idp.example.org.evil.example", "https://evilidp.example.org", "https://evil.example", "https://sub.idp.example.org",
	"https://example.org", "http://idp.example.org", "https://idp.example.org:8443", "https://idp.example.org:443",
	"HTTPS://IDP.EXAMPLE.ORG", "https://IDP.example.org", "https://idp.example.org.", "https://idp.example.org/",
	"https://idp.example.org/sign-in", "https://user@idp.example.org", "https://idp.example.org#", "https://ідp.example.org",
	"https://xn--p-ptbi.example.org", "null", "", "android:apk-key-hash:AAAA",
}

func TestVerifySignInRefusesWhatIsNoAnswer(t *testing.T) {
	t.Parallel()
	w, key := newWorld(t), webauthntest.New()
	w.enrol(t, alice, key)
	c := w.beginSignIn(t, "")
	answer := string(key.Get(c.Options, origin))
	for name, response := range map[string]string{
		"nothing":               "",
		"null":                  "null",
		"a list":                "[]",
		"an empty object":       "{}",
		"half an answer":        answer[:len(answer)/2],
		"an answer and more":    answer + "{}",
		"an id that is no text": strings.Replace(answer, `"id":"`, `"id":1,"x":"`, 1),
		"very deep JSON":        strings.Repeat("[", 60_000),
	} {
		_, err := w.VerifySignIn(t.Context(), "", c.State, w.browser, []byte(response))
		wantRefusal(t, "VerifySignIn("+name+")", err, webauthn.ResponseMalformed, "", "")
	}
}

func TestCounter(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name        string
		first, next uint32
		want        string
	}{
		{"a counter that rises is accepted", 7, 8, ""},
		{"a counter that jumps is accepted", 7, 1<<32 - 1, ""},
		{"an authenticator that does not count is accepted", 0, 0, ""},
		{"an authenticator that begins to count is accepted", 0, 1, ""},
		{"a counter that stands still is refused", 7, 7, webauthn.CounterRegressed},
		{"a counter that falls is refused", 7, 6, webauthn.CounterRegressed},
		{"a counter that stops is refused", 7, 0, webauthn.CounterRegressed},
		{"a counter that overflows is refused", 1<<32 - 1, 0, webauthn.CounterRegressed},
	}
	w := newWorld(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			key := webauthntest.New()
			key.NoCounter = true
			w.enrol(t, alice, key)
			if tt.first > 0 {
				key.SignCount = tt.first
				w.signIn(t, alice, key)
			}
			key.SignCount = tt.next
			c := w.beginSignIn(t, alice)
			_, err := w.VerifySignIn(t.Context(), "", c.State, w.browser, key.Get(c.Options, origin))
			if tt.want != "" {
				wantRefusal(t, "VerifySignIn", err, tt.want, alice, "")
				return
			}
			if err != nil {
				t.Errorf("VerifySignIn = %v, want none", err)
			}
		})
	}
}

// changed is a text with another first letter.
func changed(text string) string {
	if text[0] == 'A' {
		return "B" + text[1:]
	}
	return "A" + text[1:]
}

func TestSignInState(t *testing.T) {
	t.Parallel()
	w, key := newWorld(t), webauthntest.New()
	w.enrol(t, alice, key)
	asked := w.beginSignIn(t, "")
	answer := key.Get(asked.Options, origin)
	enrolment, other := w.beginEnrolment(t, alice), w.beginSignIn(t, "")
	given := w.beginSignIn(t, alice)
	tests := []struct {
		name    string
		state   string
		browser []byte
		reason  string
		person  string
	}{
		{"another browser's is refused", asked.State, random(), webauthn.CeremonyInvalid, ""},
		{"no browser's is refused", asked.State, nil, webauthn.CeremonyInvalid, ""},
		{"that of an enrolment is refused", enrolment.State, w.browser, webauthn.CeremonyInvalid, ""},
		{"another ceremony's is refused", other.State, w.browser, webauthn.AssertionInvalid, alice},
		{"that of a ceremony for a person is refused", given.State, w.browser, webauthn.AssertionInvalid, alice},
		{"a changed one is refused", changed(asked.State), w.browser, webauthn.CeremonyInvalid, ""},
		{"a shortened one is refused", asked.State[:len(asked.State)-4], w.browser, webauthn.CeremonyInvalid, ""},
		{"none is refused", "", w.browser, webauthn.CeremonyInvalid, ""},
		{"a huge one is refused", strings.Repeat("A", 1<<20), w.browser, webauthn.CeremonyInvalid, ""},
		{"one that is not base64 is refused", "§", w.browser, webauthn.CeremonyInvalid, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := w.VerifySignIn(t.Context(), "", tt.state, tt.browser, answer)
			wantRefusal(t, "VerifySignIn", err, tt.reason, tt.person, "")
		})
	}
	if asked.State == other.State || bytes.Equal(asked.Options, other.Options) {
		t.Error("two ceremonies are the same")
	}
	if _, err := w.BeginSignIn(t.Context(), "", nil); err == nil {
		t.Error("BeginSignIn(no browser) succeeded")
	}
}

func TestSignInExpires(t *testing.T) {
	t.Parallel()
	for after, reason := range map[time.Duration]string{
		5*time.Minute - time.Nanosecond: "",
		5 * time.Minute:                 webauthn.CeremonyExpired,
		time.Hour:                       webauthn.CeremonyExpired,
	} {
		w, key := newWorld(t), webauthntest.New()
		w.enrol(t, alice, key)
		c := w.beginSignIn(t, "")
		w.now = w.now.Add(after)
		_, err := w.VerifySignIn(t.Context(), "", c.State, w.browser, key.Get(c.Options, origin))
		if reason != "" {
			wantRefusal(t, "VerifySignIn after "+after.String(), err, reason, "", "")
		} else if err != nil {
			t.Errorf("VerifySignIn after %s = %v, want none", after, err)
		}
	}
}

func TestChallengeIsAnsweredOnce(t *testing.T) {
	t.Parallel()
	w, key := newWorld(t), webauthntest.New()
	w.enrol(t, alice, key)
	c := w.beginSignIn(t, "")
	answer := key.Get(c.Options, origin)
	verify := func() webauthn.SignIn {
		s, err := w.VerifySignIn(t.Context(), "", c.State, w.browser, answer)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	early := verify()
	rolledBack := errors.New("something else went wrong")
	err := w.store.InTx(t.Context(), func(tx *store.Tx) error {
		err := early.Record(t.Context(), tx)
		_, sent := tx.Authenticators(t.Context(), alice, false) // with what Record held back
		return errors.Join(err, sent, rolledBack)
	})
	if !errors.Is(err, rolledBack) {
		t.Fatalf("InTx = %v, want %v", err, rolledBack)
	}
	if err := record(t.Context(), w.store, early); err != nil {
		t.Fatalf("Record after a transaction that was rolled back = %v, want none", err)
	}
	wantReplayed(t, "Record again", record(t.Context(), w.store, early))

	// The same answer once more is refused by the counter already; an authenticator that does not count gets further.
	passkey := webauthntest.NewPasskey()
	w.enrol(t, bob, passkey)
	c = w.beginSignIn(t, "")
	answer = passkey.Get(c.Options, origin)
	if err := record(t.Context(), w.store, verify()); err != nil {
		t.Fatal(err)
	}
	wantReplayed(t, "Record of the answer again", record(t.Context(), w.store, verify()))

	// Nor does another answer to the challenge do.
	answer = passkey.Get(c.Options, origin)
	wantReplayed(t, "Record of another answer", record(t.Context(), w.store, verify()))
}

func TestChallengeIsAnsweredOnceAtOnce(t *testing.T) {
	t.Parallel()
	w, key := newWorld(t), webauthntest.NewPasskey()
	w.enrol(t, alice, key)
	c := w.beginSignIn(t, "")
	answer := key.Get(c.Options, origin)
	oneOf(t, 32, func() error {
		s, err := w.VerifySignIn(t.Context(), "", c.State, w.browser, answer)
		if err != nil {
			return err
		}
		return record(t.Context(), w.store, s)
	})
}

// wantReplayed wants the error of a transaction that recorded an answer to a challenge that was answered before.
func wantReplayed(t *testing.T, what string, err error) {
	t.Helper()
	if !errors.Is(err, store.ErrReplayed) {
		t.Errorf("%s = %v, want %v", what, err, store.ErrReplayed)
	}
}

// oneOf answers a challenge n times at once, and wants one to succeed and the others to find it answered.
func oneOf(t *testing.T, n int, do func() error) {
	t.Helper()
	var won atomic.Int32
	var running sync.WaitGroup
	start := make(chan struct{})
	for range n {
		running.Go(func() {
			<-start
			err := do()
			if err == nil {
				won.Add(1)
				return
			}
			wantReplayed(t, "a loser's transaction", err)
		})
	}
	close(start)
	running.Wait()
	if won.Load() != 1 {
		t.Errorf("%d of %d won, want 1", won.Load(), n)
	}
}

func TestSignInOfAnotherPerson(t *testing.T) {
	t.Parallel()
	w, hers, his := newWorld(t), webauthntest.New(), webauthntest.New()
	w.enrol(t, alice, hers)
	w.enrol(t, bob, his)
	forAlice, forBob := w.beginSignIn(t, alice), w.beginSignIn(t, bob)
	if answer := his.Get(forAlice.Options, origin); answer != nil {
		t.Fatalf("Bob's key answers what Alice was asked: %s", answer)
	}
	// A browser of the attacker's makes it answer all the same.
	options := bytes.Replace(forBob.Options, challengeOf(t, forBob), challengeOf(t, forAlice), 1)
	_, err := w.VerifySignIn(t.Context(), "", forAlice.State, w.browser, his.Get(options, origin))
	wantRefusal(t, "VerifySignIn(Alice's ceremony, Bob's credential)", err, webauthn.AuthenticatorNotAsked, "", "")
}

func TestSignInOfAnAuthenticatorEnrolledMeanwhile(t *testing.T) {
	t.Parallel()
	w, old, fresh := newWorld(t), webauthntest.New(), webauthntest.New()
	w.enrol(t, alice, old)
	before := w.beginSignIn(t, alice)
	w.enrol(t, alice, fresh)
	after := w.beginSignIn(t, alice)
	options := bytes.Replace(after.Options, challengeOf(t, after), challengeOf(t, before), 1)
	_, err := w.VerifySignIn(t.Context(), "", before.State, w.browser, fresh.Get(options, origin))
	wantRefusal(t, "VerifySignIn", err, webauthn.AuthenticatorNotAsked, "", "")
}

func challengeOf(t *testing.T, c webauthn.Ceremony) []byte {
	t.Helper()
	return []byte(member[string](t, c.Options, "challenge"))
}

func TestDisabledPersonIsRefused(t *testing.T) {
	t.Parallel()
	w, key := newWorld(t), webauthntest.New()
	w.enrol(t, alice, key)
	if _, err := w.store.DisablePerson(t.Context(), alice, w.now); err != nil {
		t.Fatal(err)
	}
	for _, personID := range []string{"", alice} {
		c := w.beginSignIn(t, personID)
		_, err := w.VerifySignIn(t.Context(), "", c.State, w.browser, key.Get(c.Options, origin))
		wantRefusal(t, "VerifySignIn", err, "person_disabled", alice, "")
	}
}

func TestNobodySignsInForAClientThatDoesNotStand(t *testing.T) {
	t.Parallel()
	w, key := newWorld(t), webauthntest.New()
	w.enrol(t, alice, key)
	c := w.beginSignIn(t, "")
	_, err := w.VerifySignIn(t.Context(), "no-client", c.State, w.browser, key.Get(c.Options, origin))
	wantRefusal(t, "VerifySignIn(for no client)", err, "client_disabled", alice, "")
	if _, err = w.VerifySignIn(t.Context(), "", c.State, w.browser, key.Get(c.Options, origin)); err != nil {
		t.Errorf("VerifySignIn(where no client is concerned) = %v, want no error", err)
	}
}

func TestRevokedAuthenticatorIsRefused(t *testing.T) {
	t.Parallel()
	w, key := newWorld(t), webauthntest.New()
	enrolled := w.enrol(t, alice, key)
	for _, personID := range []string{"", alice} {
		c := w.beginSignIn(t, personID)
		answer := key.Get(c.Options, origin)
		if _, err := w.store.ChangeAuthenticator(t.Context(), enrolled.ID, "active", "revoked", w.now); err != nil && !errors.Is(err, store.ErrNotFound) {
			t.Fatal(err)
		}
		if personID != "" { // it was not asked at all
			if answer != nil {
				t.Errorf("a revoked authenticator is asked: %s", c.Options)
			}
			continue
		}
		_, err := w.VerifySignIn(t.Context(), "", c.State, w.browser, answer)
		wantRefusal(t, "VerifySignIn", err, "authenticator_revoked", alice, "")
	}
}

func TestSignInOptions(t *testing.T) {
	t.Parallel()
	w, key := newWorld(t), webauthntest.New()
	enrolled := w.enrol(t, alice, key)
	for personID, want := range map[string]map[string]any{
		"": {
			"rpId": "idp.example.org", "timeout": 300000.0, "userVerification": "required",
		},
		alice: {
			"rpId": "idp.example.org", "timeout": 300000.0, "userVerification": "required", "hints": []any{"security-key"},
			"allowCredentials": []any{map[string]any{
				"type": "public-key", "id": base64.RawURLEncoding.EncodeToString(enrolled.CredentialID), "transports": []any{"usb"},
			}},
		},
	} {
		got := member[map[string]any](t, []byte(`{"options":`+string(w.beginSignIn(t, personID).Options)+`}`), "options")
		if challenge, err := base64.RawURLEncoding.DecodeString(got["challenge"].(string)); err != nil || len(challenge) != 32 {
			t.Errorf("challenge = %v, want 32 bytes", got["challenge"])
		}
		delete(got, "challenge")
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("options of %q (-want +got):\n%s", personID, diff)
		}
	}
}

// roundTrips counts them.
type roundTrips struct{ n atomic.Int32 }

func (r *roundTrips) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	r.n.Add(1)
	return ctx
}
func (*roundTrips) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

func TestRoundTripsOfASignIn(t *testing.T) {
	t.Parallel()
	var trips roundTrips
	_, url := storetest.URLs(t)
	s, err := store.OpenTraced(t.Context(), url, &trips)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	w, key := newWorldOn(t, s), webauthntest.New()
	w.enrol(t, alice, key)
	c := w.beginSignIn(t, "")
	if _, err := w.VerifySignIn(t.Context(), "", c.State, w.browser, key.Get(c.Options, origin)); err != nil { // it leaves her record in memory
		t.Fatal(err)
	}

	before := trips.n.Load()
	c = w.beginSignIn(t, "")
	if got := trips.n.Load() - before; got != 0 {
		t.Errorf("BeginSignIn asked the database %d times, want 0", got)
	}
	if _, err := w.VerifySignIn(t.Context(), "", c.State, w.browser, key.Get(c.Options, origin)); err != nil {
		t.Fatal(err)
	}
	if got := trips.n.Load() - before; got != 1 {
		t.Errorf("VerifySignIn asked the database %d times, want 1", got)
	}
	for _, personID := range []string{alice, nobody} {
		before = trips.n.Load()
		w.beginSignIn(t, personID)
		if got := trips.n.Load() - before; got != 1 {
			t.Errorf("BeginSignIn(%s) asked the database %d times, want 1", personID, got)
		}
	}
}

func TestAuthenticatorDataIsSigned(t *testing.T) {
	t.Parallel()
	w, key := newWorld(t), webauthntest.New()
	w.enrol(t, alice, key)
	c := w.beginSignIn(t, "")
	key.Response = func(a webauthntest.Answer) { // raised after it was signed
		data, err := base64.RawURLEncoding.DecodeString(encode(a, "authenticatorData"))
		if err != nil {
			t.Fatal(err)
		}
		binary.BigEndian.PutUint32(data[33:], 1000)
		a.Set("authenticatorData", base64.RawURLEncoding.EncodeToString(data))
	}
	_, err := w.VerifySignIn(t.Context(), "", c.State, w.browser, key.Get(c.Options, origin))
	wantRefusal(t, "VerifySignIn", err, webauthn.AssertionInvalid, alice, "signature")
}
