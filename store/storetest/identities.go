package storetest

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/credence-id/credence/idp/assurance"
)

// checkIdentities computes every level that says it was computed by the tables of today anew from the evidence that counts,
// and reports those that are another.
func checkIdentities(ctx context.Context, db *pgx.Conn, report func(personID, fault string)) error {
	policy, err := assurance.NewPolicy()
	if err != nil {
		return err
	}
	pieces, err := piecesThatCount(ctx, db)
	if err != nil {
		return err
	}
	rows, err := db.Query(ctx, `SELECT id, identity_level, identity_profile, identity_profiles, identity_ial FROM person WHERE identity_policy = $1`, assurance.PolicyVersion)
	if err != nil {
		return err
	}
	var id, level, profile string
	var profiles []string
	var ial int
	_, err = pgx.ForEachRow(rows, []any{&id, &level, &profile, &profiles, &ial}, func() error {
		hers := pieces[id]
		scoring, err := assurance.Score(hers, lastCheck(hers))
		if err != nil {
			return fmt.Errorf("person %s: %w", id, err)
		}
		proofing, err := assurance.Proof(hers, lastCheck(hers))
		if err != nil {
			return fmt.Errorf("person %s: %w", id, err)
		}
		want, err := policy.Evaluate(scoring.Scores)
		if err != nil {
			return fmt.Errorf("person %s: %w", id, err)
		}
		if level != string(want.Level) || profile != want.Best || !slices.Equal(profiles, want.Profiles) || ial != int(proofing.Level) {
			report(id, fmt.Sprintf("is %s %q %v and IAL %d, and her evidence comes to %s %q %v and IAL %d",
				level, profile, profiles, ial, want.Level, want.Best, want.Profiles, proofing.Level))
		}
		return nil
	})
	return err
}

// piecesThatCount reads what counts of everybody, by person.
func piecesThatCount(ctx context.Context, db *pgx.Conn) (map[string][]assurance.Piece, error) {
	rows, err := db.Query(ctx, `SELECT person_id, id::text, facts, number_hash FROM evidence WHERE withdrawn_at IS NULL ORDER BY id`)
	if err != nil {
		return nil, err
	}
	pieces := map[string][]assurance.Piece{}
	var personID, id string
	var facts, hash []byte
	_, err = pgx.ForEachRow(rows, []any{&personID, &id, &facts, &hash}, func() error {
		var p assurance.Piece
		if err := json.Unmarshal(facts, &p); err != nil {
			return fmt.Errorf("evidence %s: %w", id, err)
		}
		p.ID, p.Number = id, hex.EncodeToString(hash)
		pieces[personID] = append(pieces[personID], p)
		return nil
	})
	return pieces, err
}

// lastCheck is when the last check was made, as of which all are judged.
func lastCheck(pieces []assurance.Piece) (last time.Time) {
	for _, p := range pieces {
		for _, c := range p.Checks {
			if c.At.After(last) {
				last = c.At
			}
		}
	}
	return last
}
