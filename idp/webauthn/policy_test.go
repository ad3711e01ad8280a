package webauthn_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/go-webauthn/webauthn/protocol/webauthncbor"
	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/assurance"
	"github.com/credence-id/credence/idp/webauthn"
	"github.com/credence-id/credence/idp/webauthn/webauthntest"
	"github.com/credence-id/credence/store"
)

// Each part of a policy, at the enrolment and at the sign-in of what was bound before it, with what it lets pass.
func TestPolicy(t *testing.T) {
	t.Parallel()
	genuine := webauthntest.NewOf
	claimed := func(m *webauthntest.Model) *webauthntest.Key {
		k := webauthntest.New()
		k.AAGUID = m.AAGUID
		return k
	}
	synced := func(*webauthntest.Model) *webauthntest.Key { return webauthntest.NewPasskey() }
	tests := []struct {
		name   string
		policy store.AuthenticatorPolicy
		key    func(*webauthntest.Model) *webauthntest.Key
		want   string // the reason; "" when it passes
	}{
		{"a model that is allowed passes", store.AuthenticatorPolicy{Allowed: []uuid.UUID{red, blue}}, genuine, ""},
		{"a model that is not allowed is refused", store.AuthenticatorPolicy{Allowed: []uuid.UUID{red}}, genuine, webauthn.ModelNotAllowed},
		{"a model that is allowed and not proved is refused", store.AuthenticatorPolicy{Allowed: []uuid.UUID{blue}}, claimed, webauthn.ModelNotAllowed},
		{"a model that is denied is refused", store.AuthenticatorPolicy{Denied: []uuid.UUID{blue}}, genuine, webauthn.ModelDenied},
		{"a model that is denied and not proved is refused", store.AuthenticatorPolicy{Denied: []uuid.UUID{blue}}, claimed, webauthn.ModelDenied},
		{"a model that is not denied passes", store.AuthenticatorPolicy{Denied: []uuid.UUID{red}}, genuine, ""},
		{"passkeys without a model can be denied", store.AuthenticatorPolicy{Denied: []uuid.UUID{uuid.Nil}}, synced, webauthn.ModelDenied},
		{"a key that cannot be copied passes", store.AuthenticatorPolicy{DeviceBound: true}, claimed, ""},
		{"a key that can be copied is refused", store.AuthenticatorPolicy{DeviceBound: true}, synced, webauthn.DeviceBoundRequired},
		{"an attested key passes", store.AuthenticatorPolicy{Attestation: true}, genuine, ""},
		{"a key without attestation is refused", store.AuthenticatorPolicy{Attestation: true}, claimed, webauthn.AttestationRequired},
		{"a key that is all that is asked passes", store.AuthenticatorPolicy{Allowed: []uuid.UUID{blue}, Denied: []uuid.UUID{red}, DeviceBound: true, Attestation: true}, genuine, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w, m := newPublished(t, 0), webauthntest.NewModel(blue)
			w.vouch(t, m)
			organise(t, w)
			w.join(t, alice, "RXX02")
			before := tt.key(m)
			w.enrol(t, alice, before)
			w.signIn(t, "", before)

			tt.policy.OrganisationCode = "RXX02"
			if err := webauthn.SetPolicy(t.Context(), w.store, tt.policy, "test", w.now); err != nil {
				t.Fatal(err)
			}
			w.load(t)
			_, err := w.trySignIn(t, before)
			bound := w.tryEnrol(t, alice, tt.key(m))
			if tt.want == "" {
				if err != nil || bound != nil {
					t.Errorf("sign-in = %v, enrolment = %v, want none", err, bound)
				}
				return
			}
			wantRefusal(t, "VerifySignIn", err, tt.want, alice, "")
			wantRefusal(t, "VerifyEnrolment", bound, tt.want, alice, "")
			if refusal, _ := errors.AsType[*webauthn.Refusal](err); !refusal.OfModel() || !refusal.Proved || refusal.Forget {
				t.Errorf("refusal = %+v, want one of the model, that proved who it is", refusal)
			}
			if err := w.tryEnrol(t, bob, tt.key(m)); err != nil { // who works nowhere
				t.Errorf("enrolment of somebody of another organisation = %v, want none", err)
			}
		})
	}
}

// organise adds RXX01, RXX02 below it, RXX03 below that, and RXX04 by itself.
func organise(t *testing.T, w *world) {
	t.Helper()
	for _, o := range [][2]string{{"RXX01", ""}, {"RXX02", "RXX01"}, {"RXX03", "RXX02"}, {"RXX04", ""}} {
		parent := &o[1]
		if o[1] == "" {
			parent = nil
		}
		if err := w.store.AddOrganisation(t.Context(), store.Organisation{Code: o[0], Name: o[0], ParentCode: parent}, w.now); err != nil {
			t.Fatal(err)
		}
	}
}

func TestPolicyIsInheritedAndTheStrictestHolds(t *testing.T) {
	t.Parallel()
	w := newPublished(t, 0)
	organise(t, w)
	w.join(t, alice, "RXX03")
	w.join(t, bob, "RXX01", "RXX04")
	hers, his := webauthntest.NewPasskey(), webauthntest.NewPasskey()
	w.enrol(t, alice, hers)
	w.enrol(t, bob, his)
	set := func(code string, p store.AuthenticatorPolicy) func() error {
		p.OrganisationCode = code
		return func() error { return webauthn.SetPolicy(t.Context(), w.store, p, "test", w.now) }
	}
	drop := func(code string) func() error {
		return func() error { return webauthn.ClearPolicy(t.Context(), w.store, code, "test", w.now) }
	}
	for _, tt := range []struct {
		name      string
		do        func() error
		hers, his string // reasons
	}{
		{"one above holds for those below", set("RXX01", store.AuthenticatorPolicy{DeviceBound: true}), webauthn.DeviceBoundRequired, webauthn.DeviceBoundRequired},
		{"one between holds instead", set("RXX02", store.AuthenticatorPolicy{Denied: []uuid.UUID{red}}), "", webauthn.DeviceBoundRequired},
		{"their own holds instead", set("RXX03", store.AuthenticatorPolicy{Attestation: true}), webauthn.AttestationRequired, webauthn.DeviceBoundRequired},
		{"without their own the one between holds", drop("RXX03"), "", webauthn.DeviceBoundRequired},
		{"without that the one above holds", drop("RXX02"), webauthn.DeviceBoundRequired, webauthn.DeviceBoundRequired},
		{"of two organisations one asks for more", set("RXX04", store.AuthenticatorPolicy{Denied: []uuid.UUID{red}}), webauthn.DeviceBoundRequired, webauthn.DeviceBoundRequired},
		{"without any everything passes", func() error { return errors.Join(drop("RXX01")(), drop("RXX04")()) }, "", ""},
		{"of two organisations the other asks for more", set("RXX04", store.AuthenticatorPolicy{Attestation: true}), "", webauthn.AttestationRequired},
	} {
		if err := tt.do(); err != nil {
			t.Fatal(err)
		}
		w.load(t)
		for _, of := range []struct {
			key  *webauthntest.Key
			want string
		}{{hers, tt.hers}, {his, tt.his}} {
			_, err := w.trySignIn(t, of.key)
			got := ""
			if refusal, ok := errors.AsType[*webauthn.Refusal](err); ok {
				got = refusal.Reason
			} else if err != nil {
				t.Fatal(err)
			}
			if got != of.want {
				t.Errorf("%s: refusal = %q, want %q", tt.name, got, of.want)
			}
		}
	}
	if err := webauthn.ClearPolicy(t.Context(), w.store, "RXX01", "test", w.now); !errors.Is(err, webauthn.ErrNoPolicy) {
		t.Errorf("ClearPolicy(none) = %v, want ErrNoPolicy", err)
	}
	// An organisation that is added below has the policy at once.
	if err := w.store.AddOrganisation(t.Context(), store.Organisation{Code: "RXX05", Name: "New", ParentCode: new("RXX04")}, w.now); err != nil {
		t.Fatal(err)
	}
	w.load(t)
	if p, ok := w.models.Policy("RXX05"); !ok || p.OrganisationCode != "RXX04" || !p.Attestation {
		t.Errorf("Policy(RXX05) = %+v, %t, want that of RXX04", p, ok)
	}
	if p, ok := w.models.Policy("RXX01"); ok {
		t.Errorf("Policy(RXX01) = %+v, want none", p)
	}
}

func TestPoliciesAndModelsThatAreRefused(t *testing.T) {
	t.Parallel()
	w := newPublished(t, 0)
	organise(t, w)
	pem := string(webauthntest.PEM(webauthntest.NewModel(blue).Root))
	for name, m := range map[string]store.AuthenticatorModel{
		"zeros":           {Name: "Key", Roots: pem},
		"a name":          {AAGUID: blue, Roots: pem},
		"want a name":     {AAGUID: blue, Name: strings.Repeat("x", 201), Roots: pem},
		"no certificate":  {AAGUID: blue, Name: "Key", Roots: "-----BEGIN PRIVATE KEY-----"},
		"at most 65536 b": {AAGUID: blue, Name: "Key", Roots: pem + strings.Repeat("\n", 64<<10)},
	} {
		if err := webauthn.VouchFor(t.Context(), w.store, m, "test"); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("VouchFor(%+v) = %v, want %q", m, err, name)
		}
	}
	for name, p := range map[string]store.AuthenticatorPolicy{
		"zeros cannot be allowed": {OrganisationCode: "RXX01", Allowed: []uuid.UUID{blue, uuid.Nil}},
		"both allowed and denied": {OrganisationCode: "RXX01", Allowed: []uuid.UUID{blue}, Denied: []uuid.UUID{uuid.New(), blue}},
		"asks for nothing":        {OrganisationCode: "RXX01"},
		"at most 50":              {OrganisationCode: "RXX01", Denied: make([]uuid.UUID, 51)},
		"no such organisation":    {OrganisationCode: "RXX09", DeviceBound: true},
	} {
		if err := webauthn.SetPolicy(t.Context(), w.store, p, "test", w.now); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("SetPolicy(%+v) = %v, want %q", p, err, name)
		}
	}
	// The longest policy fits the record with the one before it.
	long := store.AuthenticatorPolicy{OrganisationCode: "RXX01", DeviceBound: true, Attestation: true}
	for range 50 {
		long.Allowed, long.Denied = append(long.Allowed, uuid.New()), append(long.Denied, uuid.New())
	}
	for range 2 {
		if err := webauthn.SetPolicy(t.Context(), w.store, long, "test", w.now); err != nil {
			t.Errorf("SetPolicy(the longest) = %v, want none", err)
		}
	}
}

// Every change is on record, with what was before.
func TestChangesAreRecorded(t *testing.T) {
	t.Parallel()
	w, m := newPublished(t, 0), webauthntest.NewModel(blue)
	organise(t, w)
	w.vouch(t, m)
	m2 := webauthntest.NewModel(blue)
	w.vouch(t, m2)
	ctx := t.Context()
	policy := store.AuthenticatorPolicy{OrganisationCode: "RXX01", Denied: []uuid.UUID{red}}
	for _, err := range []error{
		webauthn.StopVouchingFor(ctx, w.store, blue, "test", w.now),
		webauthn.SetPolicy(ctx, w.store, policy, "test", w.now),
		webauthn.SetPolicy(ctx, w.store, store.AuthenticatorPolicy{OrganisationCode: "RXX01", DeviceBound: true}, "test", w.now),
		webauthn.ClearPolicy(ctx, w.store, "RXX01", "test", w.now),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	w.publish(t)
	w.publish(t)
	events, err := w.store.AuditEvents(ctx, 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	type line struct {
		Event, Actor string
		Detail       map[string]string
	}
	var got []line
	for _, e := range events {
		for _, roots := range []string{"roots", "old_roots"} {
			if strings.HasPrefix(e.Detail[roots], "sha256:") {
				e.Detail[roots] = "fingerprint"
			}
		}
		got = append(got, line{e.Event, e.Actor, e.Detail})
	}
	want := []line{
		{"model_vouched_for", "test", map[string]string{"aaguid": blue.String(), "name": "Vouched key", "roots": "fingerprint"}},
		{"model_vouched_for", "test", map[string]string{"aaguid": blue.String(), "name": "Vouched key", "roots": "fingerprint", "old_name": "Vouched key", "old_roots": "fingerprint"}},
		{"model_dropped", "test", map[string]string{"aaguid": blue.String(), "old_name": "Vouched key", "old_roots": "fingerprint"}},
		{"policy_set", "test", map[string]string{"organisation": "RXX01", "allowed": "", "denied": red.String(), "device_bound": "false", "attestation": "false"}},
		{"policy_set", "test", map[string]string{
			"organisation": "RXX01", "allowed": "", "denied": "", "device_bound": "true", "attestation": "false",
			"old_allowed": "", "old_denied": red.String(), "old_device_bound": "false", "old_attestation": "false",
		}},
		{"policy_cleared", "test", map[string]string{"organisation": "RXX01", "old_allowed": "", "old_denied": "", "old_device_bound": "true", "old_attestation": "false"}},
		{"metadata_taken", "schedule", map[string]string{"number": "1", "next_update": "2026-04-01"}},
		{"metadata_taken", "schedule", map[string]string{"number": "2", "next_update": "2026-04-01", "predecessor": "1"}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("record (-want +got):\n%s", diff)
	}
}

func TestAffected(t *testing.T) {
	t.Parallel()
	w, well, weak := newPublished(t, 0), webauthntest.NewModel(blue), webauthntest.NewModel(red)
	organise(t, w)
	w.join(t, bob, "RXX04")
	w.publish(t, well.Certified(), weak.Certified())
	a, b := w.enrol(t, alice, webauthntest.NewOf(weak)), w.enrol(t, bob, webauthntest.NewPasskey())
	w.enrol(t, alice, webauthntest.NewOf(well))
	w.enrol(t, bob, webauthntest.NewOf(well))
	affected := func(limit int, want ...string) {
		t.Helper()
		var got []string
		for after := (store.Position{}); ; {
			part, err := w.models.Affected(t.Context(), after, limit)
			if err != nil {
				t.Fatal(err)
			}
			for _, found := range part {
				got = append(got, found.PersonID+" "+found.ID.String()+" "+strings.Join(found.Why(), ", "))
				after = store.Position{PersonID: found.PersonID, AuthenticatorID: found.ID}
			}
			if len(part) < limit {
				break
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("Affected() (-want +got):\n%s", diff)
		}
	}
	affected(10)
	w.publish(t, well.Certified(), weak.Certified(webauthntest.Report{Status: "USER_VERIFICATION_BYPASS"}))
	hers := alice + " " + a.ID.String() + " FIDO metadata reports USER_VERIFICATION_BYPASS, FIDO_CERTIFIED_L1"
	affected(10, hers)
	if err := webauthn.SetPolicy(t.Context(), w.store, store.AuthenticatorPolicy{OrganisationCode: "RXX04", DeviceBound: true}, "test", w.now); err != nil {
		t.Fatal(err)
	}
	w.load(t)
	his := bob + " " + b.ID.String() + " refused: device_bound_required, its key can be copied"
	affected(10, hers, his)
	affected(1, hers, his)
	w.publish(t, well.Certified(), weak.Certified(webauthntest.Report{Status: "REVOKED"}))
	affected(1, alice+" "+a.ID.String()+" refused: model_revoked, FIDO metadata reports REVOKED, FIDO_CERTIFIED_L1", his)
	if _, err := w.store.ChangeAuthenticator(t.Context(), a.ID, "active", "revoked", w.now); err != nil {
		t.Fatal(err)
	}
	affected(10, his)
	// A password can be copied, and is refused as a passkey is. Nobody's policy concerns that of somebody else.
	for personID, id := range map[string]uuid.UUID{alice: uuid.New(), bob: uuid.Max} {
		s := store.Secret{ID: id, PersonID: personID, Name: "Password", Kind: "password", Sealed: []byte("sealed"), CreatedAt: w.now}
		if err := w.store.AddSecret(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	affected(10, his, bob+" "+uuid.Max.String()+" refused: device_bound_required, it is one factor, and two with the codes of an app")
	if got := w.RefusesSecrets(w.person(t, bob)); got != webauthn.DeviceBoundRequired {
		t.Errorf("RefusesSecrets(bob) = %q, want what the list says", got)
	}
}

// What was bound before its model was known is judged again when the operator asks, as of when it was bound.
func TestRecompute(t *testing.T) {
	t.Parallel()
	w, m := newPublished(t, 0), webauthntest.NewModel(blue)
	key, claims := webauthntest.NewOf(m), webauthntest.New()
	claims.AAGUID, claims.SelfAttestation = blue, true
	a, claimed := w.enrol(t, alice, key), w.enrol(t, alice, claims)
	w.enrol(t, alice, webauthntest.NewPasskey())
	w.vouch(t, m)
	if in := w.signIn(t, "", key).Authentication; in.Level() != assurance.AAL2 {
		t.Errorf("level before = %s, want 2", in.Level())
	}
	w.now = w.now.AddDate(100, 0, 0) // the certificates have expired long since
	for _, dry := range []bool{true, false, false} {
		moved, more, err := w.models.Recompute(t.Context(), uuid.Nil, dry, "test")
		if err != nil || more != uuid.Nil {
			t.Fatalf("Recompute() = %s, %v, want all in one page", more, err)
		}
		want := []webauthn.Moved{{Authenticator: a, To: webauthn.VerdictTrusted}}
		if !dry && len(moved) == 0 {
			want = nil // the second time
		}
		if diff := cmp.Diff(want, moved, cmp.FilterPath(func(p cmp.Path) bool {
			return slices.Contains([]string{"SignCount", "LastUsedAt"}, p.Last().String()[1:])
		}, cmp.Ignore())); diff != "" {
			t.Errorf("Recompute(dry %t) (-want +got):\n%s", dry, diff)
		}
		if got := w.verdictOf(t, a); (got == "trusted") == dry {
			t.Errorf("after Recompute(dry %t) the verdict is %s", dry, got)
		}
	}
	w.now = w.now.AddDate(-100, 0, 0)
	if in := w.signIn(t, "", key).Authentication; in.Level() != assurance.AAL3 {
		t.Errorf("level after = %s, want 3", in.Level())
	}
	if got := w.verdictOf(t, claimed); got != "self" {
		t.Errorf("verdict of what attests itself = %s, want self", got)
	}
}

// What was trusted by rules that were too lax is so no more: of all formats, one proves a model.
func TestRecomputeLowersVerdicts(t *testing.T) {
	t.Parallel()
	w, m := newPublished(t, 0), webauthntest.NewModel(blue)
	w.vouch(t, m)
	genuine := w.enrol(t, alice, webauthntest.NewOf(m))
	var object map[string]any
	if err := webauthncbor.Unmarshal(genuine.AttestationObject, &object); err != nil {
		t.Fatal(err)
	}
	want := map[uuid.UUID]webauthn.Verdict{}
	packed := map[string]any{"fmt": "packed", "attStmt": object["attStmt"]}
	for _, format := range []string{"fido-u2f", "tpm", "android-key", "apple", "android-safetynet", "of the future", "compound"} {
		object["fmt"] = format
		if format == "compound" {
			object["attStmt"] = []any{packed, packed}
		}
		encoded, err := webauthncbor.Marshal(object)
		if err != nil {
			t.Fatal(err)
		}
		lax := genuine
		lax.ID, lax.CredentialID, lax.AttestationFormat, lax.AttestationObject = uuid.New(), random(), format, encoded
		if err := w.store.AddAuthenticator(t.Context(), lax); err != nil {
			t.Fatal(err)
		}
		want[lax.ID] = webauthn.VerdictUntrusted
	}
	m2 := *m
	m2.U2F = true
	key := webauthntest.NewOf(&m2)
	enrolled := w.enrol(t, bob, key)
	want[enrolled.ID] = webauthn.VerdictUntrusted
	if err := w.store.SetAttestationVerdict(t.Context(), enrolled.ID, "trusted"); err != nil {
		t.Fatal(err)
	}
	if in := w.signIn(t, "", key).Authentication; in.Level() != assurance.AAL3 {
		t.Fatalf("level before = %s, want 3", in.Level())
	}
	moved, _, err := w.models.Recompute(t.Context(), uuid.Nil, false, "test")
	if err != nil {
		t.Fatal(err)
	}
	got := map[uuid.UUID]webauthn.Verdict{}
	for _, a := range moved {
		got[a.ID] = a.To
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Recompute() (-want +got):\n%s", diff)
	}
	if in := w.signIn(t, "", key).Authentication; in.Level() != assurance.AAL2 {
		t.Errorf("level after = %s, want 2", in.Level())
	}
	if got := w.verdictOf(t, genuine); got != "trusted" {
		t.Errorf("verdict of the genuine one = %s, want it trusted as before", got)
	}
}

// verdictOf is the verdict that is on record of an authenticator now.
func (w *world) verdictOf(t *testing.T, a store.Authenticator) string {
	t.Helper()
	stored, err := w.store.Credential(t.Context(), a.CredentialID, "", w.now)
	if err != nil {
		t.Fatal(err)
	}
	return stored.AttestationVerdict
}
