package webauthn

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/store"
)

// Affected is an authenticator in use that is refused, or counts for less than it did.
type Affected struct {
	store.Held
	Judgement
}

// Affected lists authenticators in use whose model has a report that takes something away, or that do not meet the policy of
// an organisation of their owner: from the one after a position, at most limit of them, by person.
func (m *Models) Affected(ctx context.Context, after store.Position, limit int) ([]Affected, error) {
	k, now := m.current.Load(), m.now()
	var reported []uuid.UUID
	for aaguid, known := range k.models {
		if taken, _, _ := known.At(now); !taken.None() {
			reported = append(reported, aaguid)
		}
	}
	organisations := slices.Collect(maps.Keys(k.policies))
	var found []Affected
	for {
		held, err := m.store.HeldAuthenticators(ctx, reported, organisations, after, page)
		if err != nil {
			return nil, fmt.Errorf("list authenticators: %w", err)
		}
		for _, h := range held {
			j := k.judge(h.Authenticator, h.Organisations, m.source.minimum(), now)
			if j.Refusal != "" || len(j.Statuses) > 0 {
				found = append(found, Affected{h, j})
			}
			if len(found) == limit {
				return found, nil
			}
			after = store.Position{PersonID: h.PersonID, AuthenticatorID: h.ID}
		}
		if len(held) < page {
			return found, nil
		}
	}
}

// Moved is an authenticator whose attestation proves something else than what is on record.
type Moved struct {
	store.Authenticator
	To Verdict
}

// Recompute judges the attestations of authenticators in use by what is known of models now, from the one after an id on, and
// records what has changed, or only says so when it is dry. It stops when it has looked at a page of them, and returns the id
// that the next page comes after, or uuid.Nil.
func (m *Models) Recompute(ctx context.Context, after uuid.UUID, dry bool, actor string) ([]Moved, uuid.UUID, error) {
	k := m.current.Load()
	authenticators, err := m.store.AttestedAuthenticators(ctx, after, page)
	if err != nil {
		return nil, uuid.Nil, fmt.Errorf("list authenticators: %w", err)
	}
	var moved []Moved
	for _, a := range authenticators {
		to, err := k.verdictOf(a)
		if err != nil {
			return nil, uuid.Nil, err
		}
		if string(to) != a.AttestationVerdict {
			moved = append(moved, Moved{a, to})
		}
	}
	if !dry && len(moved) > 0 {
		if err := m.move(ctx, moved, actor, m.now()); err != nil {
			return nil, uuid.Nil, err
		}
	}
	if len(authenticators) < page {
		return moved, uuid.Nil, nil
	}
	return moved, authenticators[page-1].ID, nil
}

func (m *Models) move(ctx context.Context, moved []Moved, actor string, now time.Time) error {
	return m.store.InTx(ctx, func(tx *store.Tx) error {
		for _, a := range moved {
			if err := tx.SetAttestationVerdict(ctx, a.ID, string(a.To)); err != nil {
				return fmt.Errorf("record verdict of authenticator %s: %w", a.ID, err)
			}
			err := audit.Record(ctx, tx, audit.Entry{At: now, Event: audit.AttestationJudged, Actor: actor, Person: a.PersonID, Detail: map[string]string{
				"authenticator": a.ID.String(), "old_verdict": a.AttestationVerdict, "verdict": string(a.To),
			}})
			if err != nil {
				return err
			}
		}
		return nil
	})
}
