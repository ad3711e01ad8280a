package webauthn_test

import (
	"context"
	"encoding/base64"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/assurance"
	"github.com/credence-id/credence/idp/webauthn"
	"github.com/credence-id/credence/idp/webauthn/metadata"
	"github.com/credence-id/credence/idp/webauthn/webauthntest"
	"github.com/credence-id/credence/store"
	"github.com/credence-id/credence/store/storetest"
)

var (
	blue = uuid.MustParse("11111111-2222-4333-8444-555555555555")
	red  = uuid.MustParse("66666666-7777-4888-8999-aaaaaaaaaaaa")
	next = time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC)
)

// vouch has the operator vouch for a model.
func (w *world) vouch(t *testing.T, m *webauthntest.Model) {
	t.Helper()
	err := webauthn.VouchFor(t.Context(), w.store, store.AuthenticatorModel{
		AAGUID: m.AAGUID, Name: "Vouched key", Roots: string(webauthntest.PEM(m.Root)), CreatedAt: w.now,
	}, "test")
	if err != nil {
		t.Fatal(err)
	}
	w.load(t)
}

func (w *world) load(t *testing.T) {
	t.Helper()
	if err := w.models.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// publish has the world go by metadata.
func (w *world) publish(t *testing.T, entries ...webauthntest.Entry) {
	t.Helper()
	w.number++
	w.blob = w.publisher.Blob(w.number, next, entries...)
	w.models.Refresh(t.Context())
	if w.logs.Len() > 0 {
		t.Fatal(w.logs.String())
	}
}

// newPublished is a world that takes metadata of a publisher of its own, and what has at least some certification.
func newPublished(t *testing.T, minimum metadata.Certification) *world {
	t.Helper()
	return newPublishedOn(t, storetest.New(t), minimum)
}

func newPublishedOn(t *testing.T, s *store.Store, minimum metadata.Certification) *world {
	t.Helper()
	p := webauthntest.NewPublisher("mds.example.org")
	trust, err := metadata.Own(webauthntest.PEM(p.Root))
	if err != nil {
		t.Fatal(err)
	}
	var w *world
	w = newWorldFrom(t, s, webauthn.Source{Fetch: func(context.Context) ([]byte, error) { return w.blob, w.away }, Trust: &trust, Minimum: minimum})
	w.publisher = p
	w.load(t)
	return w
}

// person reads a person with her memberships.
func (w *world) person(t *testing.T, id string) store.Person {
	t.Helper()
	found, err := w.store.Person(t.Context(), id, w.now)
	if err != nil {
		t.Fatal(err)
	}
	return found.Person
}

// join has a person work for organisations.
func (w *world) join(t *testing.T, personID string, codes ...string) {
	t.Helper()
	for _, code := range codes {
		if _, err := w.store.EnsureMembership(t.Context(), "2000000000"+code[len(code)-2:], personID, code, w.now); err != nil {
			t.Fatal(err)
		}
	}
}

func (w *world) tryEnrol(t *testing.T, personID string, key *webauthntest.Key) error {
	t.Helper()
	c := w.beginEnrolment(t, personID)
	e, err := w.VerifyEnrolment(c.State, w.browser, w.person(t, personID), "", key.Create(c.Options, origin))
	if err != nil {
		return err
	}
	return record(t.Context(), w.store, e)
}

func (w *world) trySignIn(t *testing.T, key *webauthntest.Key) (webauthn.SignIn, error) {
	t.Helper()
	c := w.beginSignIn(t, "")
	return w.VerifySignIn(t.Context(), "", c.State, w.browser, key.Get(c.Options, origin))
}

// An allow-listed AAGUID that nothing proves is anybody's word: CVE-2026-6856 of another provider.
func TestVerdict(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		key     func(genuine *webauthntest.Model) *webauthntest.Key
		verdict webauthn.Verdict
		level   assurance.AuthenticatorLevel
	}{
		{"an attestation of the model proves it", webauthntest.NewOf, webauthn.VerdictTrusted, assurance.AAL3},
		{"certificates that do not say the AAGUID prove it, under a root of the model alone", func(m *webauthntest.Model) *webauthntest.Key {
			m.Unnamed = true
			return webauthntest.NewOf(m)
		}, webauthn.VerdictTrusted, assurance.AAL3},
		{"an attestation of U2F does not prove it", func(m *webauthntest.Model) *webauthntest.Key {
			m.U2F = true
			return webauthntest.NewOf(m)
		}, webauthn.VerdictUntrusted, assurance.AAL2},
		{"the AAGUID without attestation proves nothing", func(*webauthntest.Model) *webauthntest.Key {
			k := webauthntest.New()
			k.AAGUID = blue
			return k
		}, webauthn.VerdictNone, assurance.AAL2},
		{"the AAGUID with self attestation proves nothing", func(*webauthntest.Model) *webauthntest.Key {
			k := webauthntest.New()
			k.AAGUID, k.SelfAttestation = blue, true
			return k
		}, webauthn.VerdictSelf, assurance.AAL2},
		{"the AAGUID in certificates of somebody else proves nothing", func(*webauthntest.Model) *webauthntest.Key {
			return webauthntest.NewOf(webauthntest.NewModel(blue))
		}, webauthn.VerdictUntrusted, assurance.AAL2},
		{"another AAGUID in certificates of the model proves nothing", func(m *webauthntest.Model) *webauthntest.Key {
			m.Unnamed = true
			k := webauthntest.NewOf(m)
			k.AAGUID = red
			return k
		}, webauthn.VerdictUntrusted, assurance.AAL2},
		{"a model that nobody knows proves nothing", func(*webauthntest.Model) *webauthntest.Key {
			return webauthntest.NewOf(webauthntest.NewModel(red))
		}, webauthn.VerdictUntrusted, assurance.AAL2},
		{"the AAGUID of zeros proves nothing", func(m *webauthntest.Model) *webauthntest.Key {
			m.Unnamed = true
			k := webauthntest.NewOf(m)
			k.AAGUID = uuid.Nil
			return k
		}, webauthn.VerdictUntrusted, assurance.AAL2},
		{"a key of the model that can be copied stays one", func(m *webauthntest.Model) *webauthntest.Key {
			k := webauthntest.NewOf(m)
			k.Flags |= webauthntest.BackupEligible
			return k
		}, webauthn.VerdictTrusted, assurance.AAL2},
	}
	for _, by := range []string{"the operator", "metadata"} {
		for _, tt := range tests {
			t.Run("by "+by+" "+tt.name, func(t *testing.T) {
				t.Parallel()
				w, m := newPublished(t, 0), webauthntest.NewModel(blue)
				if by == "metadata" {
					w.publish(t, m.Certified())
				} else {
					w.vouch(t, m)
				}
				key := tt.key(m)
				if got := w.enrol(t, alice, key).AttestationVerdict; got != string(tt.verdict) {
					t.Errorf("verdict = %s, want %s", got, tt.verdict)
				}
				in := w.signIn(t, "", key).Authentication
				if in.Level() != tt.level {
					t.Errorf("level = %s by %+v, want %s", in.Level(), in.Factors, tt.level)
				}
			})
		}
	}
}

// Two models of a vendor share a root: red is revoked, and blue is certified. Red is not taken for blue in any format.
func TestModelsThatShareARoot(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		change  func(*webauthntest.Model)
		verdict webauthn.Verdict // on blue
		level   assurance.AuthenticatorLevel
		lie     string // what a red one gets that says that it is blue: a reason, or the verdict
	}{
		{"packed, by certificates for one model", func(*webauthntest.Model) {}, webauthn.VerdictTrusted, assurance.AAL3, webauthn.AttestationInvalid},
		{"packed, by certificates that do not say for which", func(m *webauthntest.Model) { m.Unnamed = true }, webauthn.VerdictUntrusted, assurance.AAL2, "untrusted"},
		{"fido-u2f, by certificates that do not say for which", func(m *webauthntest.Model) { m.U2F, m.Unnamed = true, true }, webauthn.VerdictUntrusted, assurance.AAL2, "untrusted"},
		{"fido-u2f, by certificates for one model", func(m *webauthntest.Model) { m.U2F = true }, webauthn.VerdictUntrusted, assurance.AAL2, "untrusted"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w, certified := newPublished(t, 0), webauthntest.NewModel(blue)
			tt.change(certified)
			revoked := certified.Sibling(red)
			w.publish(t, certified.Certified(), revoked.Certified(webauthntest.Report{Status: "REVOKED", EffectiveDate: "2021-06-01"}))

			honest := webauthntest.NewOf(certified)
			if got := w.enrol(t, alice, honest).AttestationVerdict; got != string(tt.verdict) {
				t.Errorf("verdict on the certified model = %s, want %s", got, tt.verdict)
			}
			if in := w.signIn(t, "", honest).Authentication; in.Level() != tt.level {
				t.Errorf("level of the certified model = %s by %+v, want %s", in.Level(), in.Factors, tt.level)
			}
			wantRefusal(t, "enrolment of the revoked model", w.tryEnrol(t, bob, webauthntest.NewOf(revoked)), webauthn.ModelRevoked, bob, "")

			liar := webauthntest.NewOf(revoked)
			liar.AAGUID = blue
			if tt.lie == webauthn.AttestationInvalid {
				wantRefusal(t, "enrolment of the revoked model as the other", w.tryEnrol(t, bob, liar), tt.lie, bob, "")
				return
			}
			if got := w.enrol(t, bob, liar).AttestationVerdict; got != tt.lie {
				t.Errorf("verdict on the revoked model as the other = %s, want %s", got, tt.lie)
			}
			in := w.signIn(t, "", liar).Authentication
			if f := in.Factors[0]; in.Level() != assurance.AAL2 || f.Attested || f.Approved {
				t.Errorf("level of the revoked model as the other = %s by %+v, want 2 and no model", in.Level(), in.Factors)
			}
		})
	}
}

// What go-webauthn refuses of an attestation, before anybody asks who made it: WebAuthn Level 3, Section 8.2.1.
func TestAttestationThatLies(t *testing.T) {
	t.Parallel()
	for name, lie := range map[string]func(*webauthntest.Key){
		"its certificate is for another AAGUID":  func(k *webauthntest.Key) { k.AAGUID = red },
		"its certificate could certify others":   func(k *webauthntest.Key) { k.Model.CertifiesCA = true },
		"what was attested is not what was sent": func(k *webauthntest.Key) { k.Response = replaceClientData },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, m := newPublished(t, 0), webauthntest.NewModel(blue)
			w.vouch(t, m)
			key := webauthntest.NewOf(m)
			lie(key)
			err := w.tryEnrol(t, alice, key)
			wantRefusal(t, "VerifyEnrolment", err, webauthn.AttestationInvalid, alice, "")
		})
	}
}

func replaceClientData(a webauthntest.Answer) {
	a.Set("clientDataJSON", base64.RawURLEncoding.EncodeToString(replace(`"crossOrigin":false`, `"crossOrigin":false `)(decode(a, "clientDataJSON"))))
}

// Reports on a model, from the sign-in after the one at which it was well.
func TestReportsOnAModelInUse(t *testing.T) {
	t.Parallel()
	software := func(e *webauthntest.Entry) { e.KeyProtection = []string{"software"} }
	only := func(statuses ...string) func(e *webauthntest.Entry) {
		return func(e *webauthntest.Entry) {
			e.Reports = nil
			for _, status := range statuses {
				e.Reports = append(e.Reports, webauthntest.Report{Status: status, EffectiveDate: "2026-01-01"})
			}
		}
	}
	also := func(status, since string) func(e *webauthntest.Entry) {
		return func(e *webauthntest.Entry) {
			e.Reports = append(e.Reports, webauthntest.Report{Status: status, EffectiveDate: since})
		}
	}
	const l1, today, tomorrow = metadata.Certification(1), "2026-03-01", "2026-03-02"
	f := func(verified, bound, attested, approved bool) assurance.Factor {
		return assurance.Factor{Method: assurance.SecurityKey, UserVerified: verified, DeviceBound: bound, Attested: attested, Approved: approved}
	}
	all := f(true, true, true, true)
	tests := []struct {
		name    string
		minimum metadata.Certification
		change  func(*webauthntest.Entry)
		want    assurance.Factor
		level   assurance.AuthenticatorLevel // 0: refused
	}{
		{"a certified model keeps its level", l1, func(*webauthntest.Entry) {}, all, assurance.AAL3},
		{"an update that is available changes nothing", l1, also("UPDATE_AVAILABLE", today), all, assurance.AAL3},
		{"a status that nobody knows changes nothing", l1, also("SOMETHING_NEW", today), all, assurance.AAL3},
		{"a revocation to come changes nothing yet", l1, also("REVOKED", tomorrow), all, assurance.AAL3},
		{"a model that is revoked is refused", l1, also("REVOKED", today), assurance.Factor{}, 0},
		{"a model whose keys can be had from afar is refused", l1, also("USER_KEY_REMOTE_COMPROMISE", today), assurance.Factor{}, 0},
		{"a model whose keys can be taken out is not bound to a device", l1, also("USER_KEY_PHYSICAL_COMPROMISE", today), f(true, false, true, false), assurance.AAL2},
		{"a model that need not verify its user does not", l1, also("USER_VERIFICATION_BYPASS", today), f(false, true, true, true), assurance.AAL1},
		{"a model that anything can pass for is not attested", l1, also("ATTESTATION_KEY_COMPROMISE", today), f(true, true, false, false), assurance.AAL2},
		{"a model that is retired is not approved", l1, also("RETIRED", today), f(true, true, true, false), assurance.AAL2},
		{"a model that lost its certification is not approved", l1, also("NOT_FIDO_CERTIFIED", today), f(true, true, true, false), assurance.AAL2},
		{"a model that was never certified is not approved", l1, only("NOT_FIDO_CERTIFIED"), f(true, true, true, false), assurance.AAL2},
		{"a model of which nothing is reported is not approved", l1, only(), f(true, true, true, false), assurance.AAL2},
		{"the certification of old approves nothing", l1, only("FIDO_CERTIFIED"), f(true, true, true, false), assurance.AAL2},
		{"what the vendor asserts approves nothing", l1, only("SELF_ASSERTION_SUBMITTED"), f(true, true, true, false), assurance.AAL2},
		{"a model in software is not approved", l1, software, f(true, true, true, false), assurance.AAL2},
		{"a certification below the lowest approves nothing", 3, func(*webauthntest.Entry) {}, f(true, true, true, false), assurance.AAL2},
		{"a certification that is the lowest approves", 3, also("FIDO_CERTIFIED_L2", today), all, assurance.AAL3},
		{"a certification above the lowest approves", 3, also("FIDO_CERTIFIED_L3", today), all, assurance.AAL3},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w, m := newPublished(t, tt.minimum), webauthntest.NewModel(blue)
			w.publish(t, m.Certified(webauthntest.Report{Status: "FIDO_CERTIFIED_L2", EffectiveDate: "2022-01-01"}))
			key := webauthntest.NewOf(m)
			w.enrol(t, alice, key)
			if in := w.signIn(t, "", key).Authentication; in.Level() != assurance.AAL3 {
				t.Fatalf("level before = %s by %+v, want 3", in.Level(), in.Factors)
			}
			entry := m.Certified()
			tt.change(&entry)
			w.publish(t, entry)
			in, err := w.trySignIn(t, key)
			if tt.level == 0 {
				wantRefusal(t, "VerifySignIn", err, webauthn.ModelRevoked, alice, "")
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]assurance.Factor{tt.want}, in.Authentication.Factors); diff != "" || in.Authentication.Level() != tt.level {
				t.Errorf("level = %s, want %s; factors (-want +got):\n%s", in.Authentication.Level(), tt.level, diff)
			}
		})
	}
}

// The operator's word does not outweigh what FIDO reports, and what FIDO has given up is not bound.
func TestReportsOnAModelThatIsVouchedFor(t *testing.T) {
	t.Parallel()
	w, m := newPublished(t, 0), webauthntest.NewModel(blue)
	w.vouch(t, m)
	key := webauthntest.NewOf(m)
	w.enrol(t, alice, key)
	for _, tt := range []struct {
		status string
		level  assurance.AuthenticatorLevel // 0: refused
		binds  bool
	}{
		{"NOT_FIDO_CERTIFIED", assurance.AAL3, true},
		{"USER_VERIFICATION_BYPASS", assurance.AAL1, true},
		{"RETIRED", assurance.AAL2, false},
		{"USER_KEY_PHYSICAL_COMPROMISE", assurance.AAL2, true},
		{"REVOKED", 0, false},
		{"UPDATE_AVAILABLE", assurance.AAL3, true},
	} {
		w.publish(t, webauthntest.Entry{AAGUID: blue, Name: "Published key", Reports: []webauthntest.Report{{Status: tt.status}}})
		in, err := w.trySignIn(t, key)
		if tt.level == 0 {
			wantRefusal(t, "VerifySignIn", err, webauthn.ModelRevoked, alice, "")
		} else if err != nil || in.Authentication.Level() != tt.level {
			t.Errorf("%s: level = %s, %v, want %s", tt.status, in.Authentication.Level(), err, tt.level)
		}
		if err := w.tryEnrol(t, bob, webauthntest.NewOf(m)); tt.binds && err != nil {
			t.Errorf("%s: enrolment = %v, want none", tt.status, err)
		} else if !tt.binds {
			wantRefusal(t, tt.status+": enrolment", err, webauthn.ModelRevoked, bob, "")
		}
	}
	// When the operator vouches no more, the level falls with the next sign-in.
	if err := webauthn.StopVouchingFor(t.Context(), w.store, blue, "test", w.now); err != nil {
		t.Fatal(err)
	}
	w.load(t)
	if in := w.signIn(t, "", key).Authentication; in.Level() != assurance.AAL2 || in.Factors[0].Approved {
		t.Errorf("level = %s by %+v, want 2 and not approved", in.Level(), in.Factors)
	}
	if err := webauthn.StopVouchingFor(t.Context(), w.store, blue, "test", w.now); !errors.Is(err, webauthn.ErrNoModel) {
		t.Errorf("StopVouchingFor(again) = %v, want ErrNoModel", err)
	}
}
