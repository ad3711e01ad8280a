package store_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/credence-id/credence/store"
)

// evidenceID is the piece that the tests put on record of Ana.
var evidenceID = uuid.MustParse("55555555-5555-4555-8555-555555555555")

// identity is what it comes to.
var identity = store.Identity{
	Level: "medium", Profile: "M1A", Profiles: []string{"L1A", "M1A"}, IAL: 1, Policy: "policy/1", Evidence: []uuid.UUID{evidenceID}, ComputedAt: &later,
}

func newEvidence(id uuid.UUID, person string) store.Evidence {
	return store.Evidence{
		ID: id, PersonID: person, Type: "document", Kind: "passport", Facts: []byte(`{"kind": "passport"}`), NumberSealed: []byte("sealed"), NumberHash: hash("number"),
		ProcessID: uuid.MustParse("66666666-6666-4666-8666-666666666666"), RecordedAt: now, RecordedBy: "desk",
	}
}

// record puts pieces on record, as one act.
func (in *installation) record(t *testing.T, pieces ...store.Evidence) {
	t.Helper()
	must(t, in.InTx(t.Context(), func(tx *store.Tx) error {
		for _, e := range pieces {
			if err := tx.AddEvidence(t.Context(), e); err != nil {
				return err
			}
		}
		return nil
	}))
}

func TestEvidence(t *testing.T) {
	t.Parallel()
	in, ctx := newInstallation(t), t.Context()
	passport, licence, bens := newEvidence(evidenceID, ana), newEvidence(uuid.New(), ana), newEvidence(uuid.New(), ben)
	licence.Kind, licence.NumberSealed, licence.NumberHash = "driving_permit", nil, nil
	bens.NumberHash = hash("another")
	in.record(t, passport, bens)
	in.record(t, licence)
	hers := []store.Evidence{passport, licence}
	if licence.ID.String() < passport.ID.String() {
		hers[0], hers[1] = licence, passport
	}
	list, err := in.EvidenceOf(ctx, ana, store.Order{}, uuid.Nil, 10)
	must(t, err)
	same(t, "EvidenceOf(ana)", list, hers)
	list, err = in.EvidenceOf(ctx, ana, store.Order{}, hers[0].ID, 10)
	must(t, err)
	same(t, "EvidenceOf(ana, after the first)", list, hers[1:])
	list, err = in.EvidenceOf(ctx, ana, store.Order{}, uuid.Nil, 1)
	must(t, err)
	same(t, "EvidenceOf(ana, 1 at most)", list, hers[:1])
	list, err = in.EvidenceInForce(ctx, 10, ana, ben)
	must(t, err)
	same(t, "EvidenceInForce(both)", list, append(hers[:2:2], bens))
	list, err = in.EvidenceByNumber(ctx, [][]byte{hash("nobody's"), hash("number")}, 10)
	must(t, err)
	same(t, "EvidenceByNumber(one of two)", list, []store.Evidence{passport})

	must(t, in.InTx(ctx, func(tx *store.Tx) error {
		return tx.WithdrawEvidence(ctx, []uuid.UUID{passport.ID}, "desk", "forged", later)
	}))
	passport.WithdrawnAt, passport.WithdrawnBy, passport.WithdrawnReason = &later, new("desk"), new("forged")
	list, err = in.EvidenceInForce(ctx, 10, ana)
	must(t, err)
	same(t, "EvidenceInForce(ana, after one was withdrawn)", list, []store.Evidence{licence})
	list, err = in.EvidenceByNumber(ctx, [][]byte{hash("number")}, 10)
	must(t, err)
	same(t, "EvidenceByNumber(of what was withdrawn)", list, []store.Evidence{passport})
	must(t, in.InTx(ctx, func(tx *store.Tx) error { // what was withdrawn stays as it is
		return tx.WithdrawEvidence(ctx, []uuid.UUID{passport.ID, licence.ID, uuid.New()}, "another desk", "mistaken", later)
	}))
	licence.WithdrawnAt, licence.WithdrawnBy, licence.WithdrawnReason = &later, new("another desk"), new("mistaken")
	for what, want := range map[string]store.Evidence{"withdrawn twice": passport, "withdrawn": licence, "that counts": bens} {
		e, err := in.Evidence(ctx, want.ID)
		must(t, err)
		same(t, "Evidence("+what+")", e, want)
	}
	is(t, "Evidence(unknown)", second(in.Evidence(ctx, uuid.New())), store.ErrNotFound)
}

// Who a person is and what counts for her are read as of one moment, however often either changes.
func TestIdentityAndEvidence(t *testing.T) {
	t.Parallel()
	in, ctx := newInstallation(t), t.Context()
	passport := newEvidence(evidenceID, ana)
	in.record(t, passport)
	must(t, in.InTx(ctx, func(tx *store.Tx) error { return tx.SetIdentity(ctx, ana, identity) }))
	person, counts, err := in.IdentityAndEvidence(ctx, ana, 10)
	must(t, err)
	alone, err := in.Identity(ctx, ana)
	must(t, err)
	same(t, "IdentityAndEvidence()", person, alone)
	same(t, "IdentityAndEvidence()", counts, []store.Evidence{passport})
	_, counts, err = in.IdentityAndEvidence(ctx, ben, 10)
	if err != nil || len(counts) != 0 {
		t.Errorf("IdentityAndEvidence(without evidence) = %v, %v, want none", counts, err)
	}
	_, _, err = in.IdentityAndEvidence(ctx, "100000000009", 10)
	is(t, "IdentityAndEvidence(unknown)", err, store.ErrNotFound)
	_, _, err = in.IdentityAndEvidence(ctx, "\xff", 10)
	if err == nil || errors.Is(err, store.ErrNotFound) {
		t.Errorf("IdentityAndEvidence(what is no text) = %v, want it refused", err)
	}
	if _, _, err := in.IdentityAndEvidence(ctx, ana, 10); err != nil { // a connection of the pool that failed is not used again
		t.Errorf("IdentityAndEvidence(after a failure) = %v, want no error", err)
	}
}

// What the evidence comes to is what the record of the person says from then on, at every replica.
func TestSetIdentity(t *testing.T) {
	t.Parallel()
	in, ctx := newInstallation(t), t.Context()
	elsewhere := open(t, in.serviceURL, nil)
	want := store.IdentityRow{
		PersonID: ana, GivenName: "Ana", MiddleNames: "Maria", FamilyName: "Ng", DateOfBirth: newPerson(ana).DateOfBirth,
		Identity: store.Identity{Level: "high", Profiles: []string{}, Evidence: []uuid.UUID{}},
	}
	got, err := in.Identity(ctx, ana)
	must(t, err)
	same(t, "Identity(whose level was asserted)", got, want)
	person, err := elsewhere.Person(ctx, ana, now)
	must(t, err)
	same(t, "level elsewhere", person.Person.IdentityLevel, "high")
	must(t, in.InTx(ctx, func(tx *store.Tx) error {
		locked, err := tx.LockIdentities(ctx, ben, "100000000009", ana)
		if len(locked) != 2 || locked[0].PersonID != ana || locked[1].PersonID != ben {
			t.Errorf("LockIdentities() = %v, want Ana and Ben", locked)
		}
		return errors.Join(err, tx.SetIdentity(ctx, ana, identity))
	}))
	want.Identity = identity
	list, err := in.Identities(ctx, "", 1)
	must(t, err)
	same(t, "Identities(1 at most)", list, []store.IdentityRow{want})
	list, err = in.Identities(ctx, ana, 10)
	must(t, err)
	if len(list) != 1 || list[0].PersonID != ben {
		t.Errorf("Identities(after Ana) = %v, want Ben", list)
	}
	person, err = elsewhere.Person(ctx, ana, now)
	must(t, err)
	same(t, "level elsewhere, at once", person.Person.IdentityLevel, "medium")
}

// What was forged is found before what was recorded by mistake, however much of that there is.
func TestForgedEvidenceIsFound(t *testing.T) {
	t.Parallel()
	in, ctx := newInstallation(t), t.Context()
	reasons := []string{"mistaken", "superseded", "forged"}
	var pieces []store.Evidence
	for range reasons {
		pieces = append(pieces, newEvidence(uuid.Must(uuid.NewV7()), ana))
	}
	in.record(t, pieces...)
	must(t, in.InTx(ctx, func(tx *store.Tx) (err error) {
		for i, reason := range reasons {
			err = errors.Join(err, tx.WithdrawEvidence(ctx, []uuid.UUID{pieces[i].ID}, "desk", reason, later))
		}
		return err
	}))
	list, err := in.EvidenceByNumber(ctx, [][]byte{hash("number")}, 1)
	must(t, err)
	if len(list) != 1 || list[0].ID != pieces[2].ID {
		t.Errorf("EvidenceByNumber(1 at most) = %v, want what was forged", list)
	}
}

// Neither the service nor the owner can let count again what was withdrawn, or change why it was.
func TestWithdrawnForGood(t *testing.T) {
	t.Parallel()
	in := newInstallation(t)
	in.record(t, newEvidence(evidenceID, ana))
	for who, url := range map[string]string{"service": in.serviceURL, "owner": in.ownerURL} {
		conn := connect(t, url)
		exec(t, conn, `UPDATE evidence SET withdrawn_at = now(), withdrawn_by = 'desk', withdrawn_reason = 'forged' WHERE withdrawn_at IS NULL`)
		for _, change := range []string{
			`UPDATE evidence SET withdrawn_at = NULL, withdrawn_by = NULL, withdrawn_reason = NULL`,
			`UPDATE evidence SET withdrawn_reason = 'mistaken'`,
			`UPDATE evidence SET withdrawn_by = 'nobody'`,
			`UPDATE evidence SET withdrawn_at = now() - interval '1 year'`,
		} {
			_, err := conn.Exec(t.Context(), change)
			if pg, ok := errors.AsType[*pgconn.PgError](err); !ok || pg.ConstraintName != "evidence_withdrawn_for_good" {
				t.Errorf("%s as the %s = %v, want it refused by evidence_withdrawn_for_good", change, who, err)
			}
		}
	}
	exec(t, connect(t, in.ownerURL), `UPDATE evidence SET number_sealed = 'anew'`) // as when numbers are sealed anew
}

// Of two transactions with a number in common one waits for the other, whatever the order of their numbers.
func TestLockNumbers(t *testing.T) {
	t.Parallel()
	in, ctx := newInstallation(t), t.Context()
	watcher := connect(t, in.ownerURL)
	lock := func(meanwhile func(), hashes ...[]byte) error {
		return in.InTx(ctx, func(tx *store.Tx) error {
			if err := tx.LockNumbers(ctx, hashes); err != nil {
				return err
			}
			_, err := tx.Identity(ctx, ana) // with which the lock travels
			meanwhile()
			return err
		})
	}
	done := make(chan error, 2)
	must(t, lock(func() {
		is(t, "LockNumbers(of others)", lock(func() {}, hash("of others")), nil)
		for i, hashes := range [][][]byte{{hash("shared"), hash("another")}, {hash("another"), hash("shared")}} {
			go func() { done <- lock(func() {}, hashes...) }()
			eventually(t, "the wait of one more", func() bool {
				return value[int](t, watcher, `SELECT count(*)::int FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE locktype = 'advisory' AND NOT granted AND datname = current_database()`) == i+1
			})
		}
		if len(done) != 0 {
			t.Error("LockNumbers(a number that is locked) came back, want it to wait")
		}
	}, hash("shared"), hash("one")))
	is(t, "LockNumbers(let go)", errors.Join(<-done, <-done), nil)
}

// Only the owner can put another number in the place of one.
func TestResealNumber(t *testing.T) {
	t.Parallel()
	in, ctx := newInstallation(t), t.Context()
	passport, without := newEvidence(evidenceID, ana), newEvidence(uuid.New(), ana)
	without.NumberSealed, without.NumberHash = nil, nil
	in.record(t, passport, without)
	reseal := func(tx *store.Tx) error {
		list, err := tx.LockSealedNumbers(ctx, uuid.Nil, 10)
		if err != nil {
			return err
		}
		same(t, "LockSealedNumbers()", list, []store.Evidence{passport})
		return tx.ResealNumber(ctx, passport.ID, []byte("anew"), hash("anew"))
	}
	if err := in.InTx(ctx, func(tx *store.Tx) error { return tx.ResealNumber(ctx, passport.ID, []byte("anew"), hash("anew")) }); err == nil {
		t.Error("ResealNumber(as the service) = no error, want it refused")
	}
	must(t, open(t, in.ownerURL, nil).InTx(ctx, reseal))
	passport.NumberSealed, passport.NumberHash = []byte("anew"), hash("anew")
	list, err := in.EvidenceByNumber(ctx, [][]byte{hash("anew")}, 10)
	must(t, err)
	same(t, "EvidenceByNumber(sealed anew)", list, []store.Evidence{passport})
}

func TestEvidenceIsRefusedByTheSchema(t *testing.T) {
	t.Parallel()
	in := newInstallation(t)
	owner := connect(t, in.ownerURL)
	for _, tt := range []struct {
		what   string
		change func(*store.Evidence)
		err    error
		rule   string
	}{
		{"of a type of old drafts", func(e *store.Evidence) { e.Type = "id_document" }, store.ErrReference, "evidence_type_known"},
		{"of nobody", func(e *store.Evidence) { e.PersonID = "100000000009" }, store.ErrReference, "evidence_person_id_fkey"},
		{"with more facts than there is room for", func(e *store.Evidence) {
			e.Facts = []byte(`{"kind": "` + strings.Repeat("x", 16384) + `"}`)
		}, store.ErrReference, "evidence_facts_length"},
		{"with a number that cannot be found", func(e *store.Evidence) { e.NumberHash = nil }, store.ErrReference, "evidence_number_is_found"},
		{"with a hash that is none", func(e *store.Evidence) { e.NumberHash = []byte("123456789") }, store.ErrReference, "evidence_number_hash_length"},
		{"recorded before", func(e *store.Evidence) { e.ID = evidenceID }, store.ErrConflict, "evidence_pkey"},
		{"in order", func(*store.Evidence) {}, nil, ""},
	} {
		if tt.rule == "evidence_pkey" {
			in.record(t, newEvidence(evidenceID, ben))
		}
		e := newEvidence(uuid.New(), ana)
		tt.change(&e)
		err := in.InTx(t.Context(), func(tx *store.Tx) error { return tx.AddEvidence(t.Context(), e) })
		if !errors.Is(err, tt.err) || err != nil && !strings.Contains(err.Error(), tt.rule) {
			t.Errorf("AddEvidence(%s) = %v, want %v by %s", tt.what, err, tt.err, tt.rule)
		}
	}
	for change, rule := range map[string]string{
		`UPDATE evidence SET withdrawn_at = now()`:                                                      "evidence_withdrawn_wholly",
		`UPDATE evidence SET withdrawn_at = now(), withdrawn_by = 'desk', withdrawn_reason = 'because'`: "evidence_withdrawn_reason_known",
		`UPDATE person SET identity_ial = 4`:                                                            "person_identity_ial_known",
	} {
		if _, err := owner.Exec(t.Context(), change); err == nil || !strings.Contains(err.Error(), rule) {
			t.Errorf("%s = %v, want it refused by %s", change, err, rule)
		}
	}
}

// Four eyes is the schema's as well: whoever writes rows past the rules records none of herself that counts, and withdraws none.
func TestFourEyesOfEvidence(t *testing.T) {
	t.Parallel()
	in := newInstallation(t)
	owner := connect(t, in.ownerURL)
	const rule = "evidence_not_of_oneself"
	record := func(id uuid.UUID, by string) error {
		return in.InTx(t.Context(), func(tx *store.Tx) error {
			e := newEvidence(id, ana)
			e.RecordedBy = by
			return tx.AddEvidence(t.Context(), e)
		})
	}
	withdraw := func(id uuid.UUID, by string) error {
		return in.InTx(t.Context(), func(tx *store.Tx) error {
			return tx.WithdrawEvidence(t.Context(), []uuid.UUID{id}, by, "forged", later)
		})
	}
	if err := record(evidenceID, ana); !breaks(err, rule) {
		t.Errorf("AddEvidence(of oneself) = %v, want it refused by %s", err, rule)
	}
	must(t, record(evidenceID, ben))
	if err := withdraw(evidenceID, ana); !breaks(err, rule) {
		t.Errorf("WithdrawEvidence(of oneself) = %v, want it refused by %s", err, rule)
	}
	must(t, withdraw(evidenceID, ben))
	must(t, record(uuid.New(), "operator:sam"))

	// A row of before that broke the rule is there, and can be withdrawn by another.
	check := value[string](t, owner, `SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = '`+rule+`'`)
	exec(t, owner, `ALTER TABLE evidence DROP CONSTRAINT `+rule)
	old := uuid.New()
	must(t, record(old, ana))
	exec(t, owner, `ALTER TABLE evidence ADD CONSTRAINT `+rule+` `+check)
	if err := withdraw(old, ana); !breaks(err, rule) {
		t.Errorf("WithdrawEvidence(of before, of oneself) = %v, want it refused by %s", err, rule)
	}
	must(t, withdraw(old, ben))
}
