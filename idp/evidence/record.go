package evidence

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/assurance"
	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/store"
)

// maxAtOnce bounds how many pieces one act records.
const maxAtOnce = 20

// Record puts pieces of evidence on record for a person and computes what all of hers come to, and returns which they are.
// All are recorded or none. A piece that is on record already, word for word, is not recorded again. A document that counts
// for somebody else is refused with ErrDuplicate, one that was found forged before with ErrForged, and the refusal is
// recorded; a wrong piece, or one that was not checked, with ErrInvalid; and any of somebody whose profile is closed with ErrClosed.
// Of who registered herself, without the right code of her account, it is ErrNoAccountCode, ErrAccountCode or ErrAccountCodes.
func (r *Recorder) Record(ctx context.Context, actor, personID string, pieces []Piece) (change Change, err error) {
	var refusal error
	err = r.store.InTx(ctx, func(tx *store.Tx) (err error) {
		change, refusal, err = r.RecordIn(ctx, tx, Checker{PersonID: actor}, personID, pieces)
		return err
	})
	return change, cmp.Or(err, refusal)
}

// RecordIn is Record in a transaction. A refusal is to be committed, because it leaves a trace.
func (r *Recorder) RecordIn(ctx context.Context, tx *store.Tx, by Checker, personID string, pieces []Piece) (change Change, refusal, err error) {
	if len(pieces) == 0 || len(pieces) > maxAtOnce {
		return Change{}, nil, fmt.Errorf("evidence %w: %d pieces at once: want 1 to %d", ErrInvalid, len(pieces), maxAtOnce)
	}
	return r.record(ctx, tx, by, personID, pieces, func(person store.IdentityRow) (error, error) {
		_, refusal, err := r.holds(ctx, tx, by, person, pieces)
		return refusal, err
	})
}

// record records what the person may be said to have shown, as RecordIn does, if that is nothing that is on record already.
func (r *Recorder) record(ctx context.Context, tx *store.Tx, by Checker, personID string, pieces []Piece, may func(store.IdentityRow) (refusal, err error)) (change Change, refusal, err error) {
	person, err := lock(ctx, tx, personID)
	if err != nil {
		return Change{}, nil, err
	}
	profile, err := tx.Profile(ctx, personID)
	if err != nil {
		return Change{}, nil, fmt.Errorf("read profile of person %s: %w", personID, err)
	}
	if profile.ClosedAt != nil {
		return Change{}, nil, ErrClosed
	}
	var hashes [][]byte
	for _, p := range pieces {
		if normalNumber(p.Number) != "" {
			hashes = append(hashes, r.hashes(p.Number)...)
		}
	}
	if len(hashes) > 0 { // of two desks with one document the second waits here for the first
		if err := tx.LockNumbers(ctx, hashes); err != nil {
			return Change{}, nil, fmt.Errorf("lock numbers: %w", err)
		}
	}
	counts, err := tx.EvidenceInForce(ctx, assurance.MaxPieces, personID)
	if err != nil {
		return Change{}, nil, fmt.Errorf("read evidence: %w", err)
	}
	a := act{by: by, at: r.now()}
	if a.process, err = uuid.NewV7(); err != nil {
		return Change{}, nil, fmt.Errorf("draw an id: %w", err)
	}
	change.PersonID = personID
	var added []store.Evidence
	for i, p := range pieces {
		e, err := r.prepare(p, person, a)
		if err != nil {
			return Change{}, nil, fmt.Errorf("piece %d %w: %s", i+1, ErrInvalid, err.Error())
		}
		if err := inMeeting(ctx, tx, &e, p); err != nil {
			return Change{}, nil, fmt.Errorf("piece %d %w", i+1, err)
		}
		if p.Number != "" {
			e.NumberHash = recordedHash(counts, r.hashes(p.Number))
			other, refusal, err := r.objection(ctx, tx, e, p)
			if err != nil {
				return Change{}, nil, err
			}
			if refusal != nil {
				name := map[error]string{ErrDuplicate: "duplicate_evidence", ErrForged: "forged_evidence"}[refusal]
				line := by.line(a.at, audit.EvidenceRecorded, personID, map[string]string{"other_evidence": other.ID.String(), "other_person": other.PersonID})
				line.Refusal = name
				return Change{}, refusal, audit.Record(ctx, tx, line)
			}
		}
		again, err := recordedBefore(counts, e)
		if err != nil {
			return Change{}, nil, err
		}
		if again != uuid.Nil {
			change.Evidence, change.Known = append(change.Evidence, again), append(change.Known, Known{Evidence: again, As: again})
			continue
		}
		same, err := sameDocument(counts, e, [][]byte{e.NumberHash})
		if err != nil {
			return Change{}, nil, err
		}
		if len(same) > 0 {
			change.Known = append(change.Known, Known{Evidence: e.ID, As: same[0].ID})
		}
		added, counts, change.Evidence = append(added, e), append(counts, e), append(change.Evidence, e.ID)
	}
	if len(counts) > assurance.MaxPieces {
		return Change{}, nil, fmt.Errorf("evidence %w: %d pieces would count for the person: want at most %d, so withdraw what is superseded", ErrInvalid, len(counts), assurance.MaxPieces)
	}
	if len(added) == 0 {
		change.Before, change.After = outcome(person.Identity), outcome(person.Identity)
		return change, nil, nil
	}
	if refusal, err := may(person); err != nil || refusal != nil {
		return Change{}, refusal, err
	}
	for _, e := range added {
		if err := tx.AddEvidence(ctx, e); err != nil {
			return Change{}, nil, fmt.Errorf("record evidence: %w", err)
		}
	}
	settled, err := r.settle(ctx, tx, person, counts, a.at)
	if err != nil {
		return Change{}, nil, err
	}
	change.Before, change.After = settled.Before, settled.After
	detail := change.detail(added...)
	maps.Copy(detail, pieces[0].declaration()) // an officer hands in one at a time
	if err := audit.Record(ctx, tx, by.line(a.at, audit.EvidenceRecorded, personID, detail)); err != nil {
		return Change{}, nil, err
	}
	return change, nil, r.inform(ctx, tx, change)
}

// lock reads a person, and keeps whoever else would change what is on record of her waiting until the transaction ends.
func lock(ctx context.Context, tx *store.Tx, personID string) (store.IdentityRow, error) {
	if !personIDForm.MatchString(personID) {
		return store.IdentityRow{}, unknownPerson(personID)
	}
	rows, err := tx.LockIdentities(ctx, personID)
	if err != nil {
		return store.IdentityRow{}, personError(personID, err)
	}
	if len(rows) == 0 {
		return store.IdentityRow{}, unknownPerson(personID)
	}
	return rows[0], nil
}

// recordedHash is the hash that a number is on record by, of those by which it may be; or the one of today. While the seal key
// is replaced there are two, and the same document has to have one.
func recordedHash(recorded []store.Evidence, hashes [][]byte) []byte {
	for _, e := range recorded {
		if hasNumber(e, hashes) {
			return e.NumberHash
		}
	}
	return hashes[0]
}

// hasNumber says whether a piece is on record by one of the hashes of a number.
func hasNumber(e store.Evidence, hashes [][]byte) bool {
	return e.NumberHash != nil && slices.ContainsFunc(hashes, func(hash []byte) bool { return bytes.Equal(hash, e.NumberHash) })
}

// recordedBefore is the id of the piece on record that says the same word for word, or none.
func recordedBefore(recorded []store.Evidence, e store.Evidence) (uuid.UUID, error) {
	words, err := wording(e)
	if err != nil {
		return uuid.Nil, err
	}
	for _, before := range recorded {
		said, err := wording(before)
		if err != nil {
			return uuid.Nil, err
		}
		if said == words {
			return before.ID, nil
		}
	}
	return uuid.Nil, nil
}

// wording is all that a desk said of a piece: without the ids that were given when it was recorded.
func wording(e store.Evidence) (string, error) {
	f, err := readFacts(e)
	if err != nil {
		return "", err
	}
	for i, c := range f.Checks {
		f.Checks[i].ID = strings.TrimPrefix(c.ID, f.ID)
	}
	f.ID = ""
	words, err := json.Marshal(f)
	return string(words), err
}

// sameDocument lists what may be of the same document as a piece whose number is on record by one of the hashes. Two states
// may give two people the same number, but hardly one person: of hers it makes no difference which is said to be the issuer.
func sameDocument(list []store.Evidence, e store.Evidence, hashes [][]byte) (same []store.Evidence, err error) {
	for _, other := range list {
		if other.Kind != e.Kind || !hasNumber(other, hashes) {
			continue
		}
		f, err1 := readFacts(other)
		g, err2 := readFacts(e)
		if err := errors.Join(err1, err2); err != nil {
			return nil, err
		}
		if other.PersonID == e.PersonID || f.Country == "" || g.Country == "" || f.Country == g.Country {
			same = append(same, other)
		}
	}
	return same, nil
}

// objection is why a piece with a number cannot be recorded, and the piece on record that is the same document: it was forged,
// or counts for somebody else. There need not be any.
func (r *Recorder) objection(ctx context.Context, tx *store.Tx, e store.Evidence, p Piece) (same store.Evidence, refusal, err error) {
	found, err := tx.EvidenceByNumber(ctx, r.hashes(p.Number), mostFound)
	if err != nil {
		return same, nil, fmt.Errorf("find evidence: %w", err)
	}
	if found, err = sameDocument(found, e, r.hashes(p.Number)); err != nil {
		return same, nil, err
	}
	for _, other := range found {
		switch {
		case foundForged(other):
			return other, ErrForged, nil
		case other.WithdrawnAt == nil && other.PersonID != e.PersonID && !namesSeveral(p.Kind):
			return other, ErrDuplicate, nil
		}
	}
	return same, nil, nil
}

// mostFound bounds what is looked at of one number: what counts comes first, then what was forged.
const mostFound = 200

// namesSeveral says of which kinds one piece can be about several people, who live or keep an account together.
func namesSeveral(kind string) bool {
	switch kind {
	case "rental_agreement", "purchase_agreement", "marriage_certificate", "civil_partnership_certificate", "marriage_register", "civil_partnership_register":
		return true
	}
	return strings.HasSuffix(kind, "_account") || strings.HasSuffix(kind, "_statement")
}
