package store_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/credence-id/credence/store"
)

var (
	blueModel = uuid.MustParse("55555555-5555-4555-8555-555555555555")
	redModel  = uuid.MustParse("66666666-6666-4666-8666-666666666666")
)

func TestAuthenticatorModels(t *testing.T) {
	t.Parallel()
	in, ctx := newInstallation(t), t.Context()
	blue := store.AuthenticatorModel{AAGUID: blueModel, Name: "Blue", Roots: "PEM", CreatedAt: now}
	red := store.AuthenticatorModel{AAGUID: redModel, Name: "Red", Roots: "PEM", CreatedAt: later}
	must(t, in.PutAuthenticatorModel(ctx, red))
	must(t, in.PutAuthenticatorModel(ctx, blue))
	again := blue
	again.Roots, again.Name, again.CreatedAt = "other PEM", "Blue 2", later
	must(t, in.PutAuthenticatorModel(ctx, again))
	again.CreatedAt = now // it is the same row
	got, err := in.AuthenticatorModel(ctx, blueModel)
	must(t, err)
	same(t, "AuthenticatorModel()", got, again)
	list, err := in.AuthenticatorModels(ctx, uuid.Nil, 10)
	must(t, err)
	same(t, "AuthenticatorModels()", list, []store.AuthenticatorModel{again, red})
	list, err = in.AuthenticatorModels(ctx, blueModel, 1)
	must(t, err)
	same(t, "AuthenticatorModels(after the first)", list, []store.AuthenticatorModel{red})
	must(t, in.RemoveAuthenticatorModel(ctx, blueModel))
	is(t, "RemoveAuthenticatorModel(removed)", in.RemoveAuthenticatorModel(ctx, blueModel), store.ErrNotFound)
	is(t, "AuthenticatorModel(removed)", second(in.AuthenticatorModel(ctx, blueModel)), store.ErrNotFound)
	for name, m := range map[string]store.AuthenticatorModel{
		"authenticator_model_is_one": {Name: "None", Roots: "PEM", CreatedAt: now},
		"authenticator_model_name":   {AAGUID: blueModel, Roots: "PEM", CreatedAt: now},
		"authenticator_model_roots":  {AAGUID: blueModel, Name: "Blue", CreatedAt: now},
	} {
		if err := in.PutAuthenticatorModel(ctx, m); !errors.Is(err, store.ErrReference) || !strings.HasPrefix(err.Error(), name) {
			t.Errorf("PutAuthenticatorModel(%+v) = %v, want %s refused", m, err, name)
		}
	}
}

// A policy holds for the organisation, and for those below it until one has its own.
func TestAuthenticatorPolicies(t *testing.T) {
	t.Parallel()
	in, ctx := newInstallation(t), t.Context()
	for _, o := range [][2]string{{"RXX02", organisation}, {"RXX03", "RXX02"}, {"RXX04", "RXX03"}, {"RXX05", ""}} {
		parent := &o[1]
		if o[1] == "" {
			parent = nil
		}
		must(t, in.AddOrganisation(ctx, store.Organisation{Code: o[0], Name: o[0], ParentCode: parent}, now))
	}
	top := store.AuthenticatorPolicy{OrganisationCode: organisation, Allowed: []uuid.UUID{}, Denied: []uuid.UUID{redModel}}
	below := store.AuthenticatorPolicy{OrganisationCode: "RXX03", Allowed: []uuid.UUID{blueModel, redModel}, Denied: []uuid.UUID{}, DeviceBound: true, Attestation: true}
	must(t, in.PutAuthenticatorPolicy(ctx, top))
	must(t, in.PutAuthenticatorPolicy(ctx, store.AuthenticatorPolicy{OrganisationCode: "RXX03", DeviceBound: true}))
	must(t, in.PutAuthenticatorPolicy(ctx, below))
	got, err := in.AuthenticatorPolicy(ctx, "RXX03")
	must(t, err)
	same(t, "AuthenticatorPolicy()", got, below)
	list, err := in.AuthenticatorPolicies(ctx, "", 10)
	must(t, err)
	same(t, "AuthenticatorPolicies()", list, []store.AuthenticatorPolicy{top, below})
	list, err = in.AuthenticatorPolicies(ctx, organisation, 10)
	must(t, err)
	same(t, "AuthenticatorPolicies(after the first)", list, []store.AuthenticatorPolicy{below})
	holds := func(want map[string]string) {
		t.Helper()
		list, err := in.PolicyHolders(ctx)
		must(t, err)
		got := map[string]string{}
		for _, h := range list {
			got[h.OrganisationCode] = h.Holder
		}
		same(t, "PolicyHolders()", got, want)
	}
	holds(map[string]string{organisation: organisation, "RXX02": organisation, "RXX03": "RXX03", "RXX04": "RXX03"})
	must(t, in.RemoveAuthenticatorPolicy(ctx, "RXX03"))
	holds(map[string]string{organisation: organisation, "RXX02": organisation, "RXX03": organisation, "RXX04": organisation})
	is(t, "RemoveAuthenticatorPolicy(removed)", in.RemoveAuthenticatorPolicy(ctx, "RXX03"), store.ErrNotFound)
	is(t, "AuthenticatorPolicy(inherited)", second(in.AuthenticatorPolicy(ctx, "RXX03")), store.ErrNotFound)
	for name, p := range map[string]store.AuthenticatorPolicy{
		"authenticator_policy_organisation_code_fkey": {OrganisationCode: "RXX09", DeviceBound: true},
		"authenticator_policy_asks":                   {OrganisationCode: "RXX05"},
		"authenticator_policy_denied_bounded":         {OrganisationCode: "RXX05", Denied: make([]uuid.UUID, 51)},
		"authenticator_policy_allowed_bounded":        {OrganisationCode: "RXX05", Allowed: make([]uuid.UUID, 51)},
	} {
		if err := in.PutAuthenticatorPolicy(ctx, p); !errors.Is(err, store.ErrReference) || !strings.HasPrefix(err.Error(), name) {
			t.Errorf("PutAuthenticatorPolicy(%+v) = %v, want %s refused", p, err, name)
		}
	}
}

func TestMetadata(t *testing.T) {
	t.Parallel()
	in, ctx := newInstallation(t), t.Context()
	is(t, "Metadata(before any)", second(in.Metadata(ctx)), store.ErrNotFound)
	is(t, "MetadataState(before any)", second(in.MetadataState(ctx)), store.ErrNotFound)
	first := store.Metadata{Number: 7, NextUpdate: later, Blob: []byte("blob"), FetchedAt: now, CheckedAt: now}
	must(t, in.PutMetadata(ctx, first))
	for _, number := range []int64{6, 7} {
		other := store.Metadata{Number: number, NextUpdate: later, Blob: []byte("other"), FetchedAt: later, CheckedAt: later}
		is(t, "PutMetadata(not newer)", in.PutMetadata(ctx, other), store.ErrNotFound)
	}
	must(t, in.CheckMetadata(ctx, later))
	first.CheckedAt = later
	got, err := in.Metadata(ctx)
	must(t, err)
	same(t, "Metadata()", got, first)
	newer := store.Metadata{Number: 8, NextUpdate: later, Blob: []byte("newer"), FetchedAt: later, CheckedAt: later}
	must(t, in.PutMetadata(ctx, newer))
	state, err := in.MetadataState(ctx)
	must(t, err)
	newer.Blob = []byte{}
	same(t, "MetadataState()", state, newer)
	// Not even the owner rolls it back by mistake.
	if _, err := connect(t, in.ownerURL).Exec(ctx, `UPDATE fido_metadata SET number = 7`); err == nil || !strings.Contains(err.Error(), "older") {
		t.Errorf("UPDATE(to an older number) = %v, want it refused", err)
	}
}

// Whatever a replica keeps of models in memory raises their generation, and nothing else does.
func TestModelsGeneration(t *testing.T) {
	t.Parallel()
	in, ctx := newInstallation(t), t.Context()
	generation := func() int64 {
		t.Helper()
		n, err := in.ModelsGeneration(ctx)
		must(t, err)
		return n
	}
	policy := store.AuthenticatorPolicy{OrganisationCode: organisation, DeviceBound: true}
	blob := store.Metadata{Number: 1, NextUpdate: later, Blob: []byte("blob"), FetchedAt: now, CheckedAt: now}
	for _, tt := range []struct {
		name   string
		do     func() error
		raises bool
	}{
		{"a model", func() error {
			return in.PutAuthenticatorModel(ctx, store.AuthenticatorModel{AAGUID: blueModel, Name: "Blue", Roots: "PEM", CreatedAt: now})
		}, true},
		{"a model that is removed", func() error { return in.RemoveAuthenticatorModel(ctx, blueModel) }, true},
		{"a policy", func() error { return in.PutAuthenticatorPolicy(ctx, policy) }, true},
		{"a policy that is removed", func() error { return in.RemoveAuthenticatorPolicy(ctx, organisation) }, true},
		{"an organisation", func() error {
			return in.AddOrganisation(ctx, store.Organisation{Code: "RXX02", Name: "Below", ParentCode: new(organisation)}, now)
		}, true},
		{"metadata", func() error { return in.PutMetadata(ctx, blob) }, true},
		{"metadata that was looked for", func() error { return in.CheckMetadata(ctx, later) }, false},
		{"a person", func() error { return in.AddPerson(ctx, newPerson("100000000003"), now) }, false},
	} {
		before := generation()
		must(t, tt.do())
		if raised := generation() > before; raised != tt.raises {
			t.Errorf("%s raises the generation: %t, want %t", tt.name, raised, tt.raises)
		}
	}
}

func TestHeldAuthenticators(t *testing.T) {
	t.Parallel()
	in, ctx := newInstallation(t), t.Context()
	must(t, in.AddOrganisation(ctx, store.Organisation{Code: "RXX02", Name: "Below"}, now))
	must(t, second(in.EnsureMembership(ctx, "200000000003", ana, "RXX02", now)))
	add := func(person, credential string, model uuid.UUID) store.Authenticator {
		t.Helper()
		a := newAuthenticator(uuid.New(), credential)
		a.PersonID, a.AAGUID = person, model
		must(t, in.AddAuthenticator(ctx, a))
		return a
	}
	blue, red, revoked := add(ana, "blue", blueModel), add(ben, "red", redModel), add(ben, "revoked", blueModel)
	must(t, second(in.ChangeAuthenticator(ctx, revoked.ID, "active", "revoked", now)))
	anas := store.Held{Authenticator: blue, Organisations: []string{organisation, "RXX02"}}
	bens := store.Held{Authenticator: red, Organisations: []string{organisation}}
	list := func(models []uuid.UUID, organisations []string, after store.Position, limit int, want ...store.Held) {
		t.Helper()
		got, err := in.HeldAuthenticators(ctx, models, organisations, after, limit)
		must(t, err)
		same(t, "HeldAuthenticators()", got, append([]store.Held{}, want...))
	}
	none := store.Position{}
	list(nil, nil, none, 10)
	list([]uuid.UUID{blueModel}, nil, none, 10, anas)
	list([]uuid.UUID{blueModel, redModel}, nil, none, 10, anas, bens)
	list([]uuid.UUID{blueModel, redModel}, nil, none, 1, anas)
	list([]uuid.UUID{blueModel, redModel}, nil, store.Position{PersonID: ana, AuthenticatorID: blue.ID}, 10, bens)
	list([]uuid.UUID{redModel}, []string{"RXX09"}, none, 10, bens)
	must(t, second(in.ChangeAuthenticator(ctx, authenticatorID, "active", "revoked", now)))
	list(nil, []string{"RXX02"}, none, 10, anas)
	list([]uuid.UUID{blueModel}, []string{organisation, "RXX02"}, none, 10, anas, bens)
	list(nil, []string{organisation}, store.Position{PersonID: ana, AuthenticatorID: blue.ID}, 10, bens)
}

func TestAttestedAuthenticators(t *testing.T) {
	t.Parallel()
	in, ctx := newInstallation(t), t.Context()
	without := newAuthenticator(uuid.New(), "without attestation")
	without.AttestationFormat, without.AttestationVerdict = "none", "none"
	must(t, in.AddAuthenticator(ctx, without))
	want := newAuthenticator(authenticatorID, "credential")
	list, err := in.AttestedAuthenticators(ctx, uuid.Nil, 10)
	must(t, err)
	same(t, "AttestedAuthenticators()", list, []store.Authenticator{want})
	must(t, in.SetAttestationVerdict(ctx, authenticatorID, "trusted"))
	want.AttestationVerdict = "trusted"
	list, err = in.AttestedAuthenticators(ctx, uuid.Nil, 10)
	must(t, err)
	same(t, "AttestedAuthenticators()", list, []store.Authenticator{want})
	list, err = in.AttestedAuthenticators(ctx, authenticatorID, 10)
	must(t, err)
	same(t, "AttestedAuthenticators(after the last)", list, []store.Authenticator{})
	if err := in.SetAttestationVerdict(ctx, authenticatorID, "good"); !errors.Is(err, store.ErrReference) {
		t.Errorf("SetAttestationVerdict(unknown) = %v, want it refused", err)
	}
}

// An authenticator from before the verdicts, or of a replica of the release before, proves nothing.
func TestVerdictOfTheReleaseBefore(t *testing.T) {
	t.Parallel()
	in := newInstallation(t)
	conn := connect(t, in.serviceURL)
	exec(t, conn, `
		INSERT INTO authenticator (id, person_id, name, kind, credential_id, public_key, sign_count, aaguid, transports, backup_eligible, backup_state,
			attestation_format, attestation_object, client_data, created_at)
		SELECT gen_random_uuid(), person_id, name, kind, 'another', public_key, sign_count, aaguid, transports, backup_eligible, backup_state,
			attestation_format, attestation_object, client_data, created_at FROM authenticator`)
	got, err := in.Credential(t.Context(), []byte("another"), "", now.Add(time.Second))
	must(t, err)
	if got.AttestationVerdict != "none" {
		t.Errorf("verdict = %q, want none", got.AttestationVerdict)
	}
}
