package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// Figure is a list of which it is counted how much there is, of an organisation and of those below it.
type Figure string

// The figures, each of what a list has.
const (
	WaitingRequests       Figure = "requests"                 // [Store.OpenRequests]
	UnownedRequests       Figure = "requests of nobody"       // [Store.OpenRequests] after which nobody looks
	WaitingIntroductions  Figure = "introductions"            // [Store.OpenIntroductions]
	WaitingPositions      Figure = "positions"                // [Store.ProposedPositions]
	WaitingEvidence       Figure = "evidence"                 // [Store.EvidenceProposals]
	WaitingPeople         Figure = "people"                   // [Store.UnprovedPeople]
	WaitingReviews        Figure = "reviews"                  // [Store.Reviews] in which something is left to decide
	UnsignedBreakGlasses  Figure = "break-glass"              // [Store.BreakGlasses] for which nobody has signed
	WaitingAuthenticators Figure = "suspended authenticators" // [Store.SuspendedAuthenticators]
	WaitingMerges         Figure = "merges"                   // [Store.OpenMerges]
)

// Waiting is how much waits for an officer.
type Waiting struct {
	Count   int64
	FirstAt *time.Time // since when the first of it has, or of reviews by when it is due; nil when nothing waits
}

// Waiting counts what waits at an organisation and below it, each figure as far as most, in one round trip. The codes are those by which
// somebody is the [Owner] of a request.
func (s *Store) Waiting(ctx context.Context, organisation string, figures []Figure, codes []string, most int, now time.Time) (map[Figure]Waiting, error) {
	counted := make(map[Figure]Waiting, len(figures))
	queries := make([]*pgx.QueuedQuery, len(figures))
	for i, f := range figures {
		var err error
		if queries[i], err = f.counting(organisation, codes, most, now); err != nil {
			return nil, err
		}
		queries[i].Query(func(rows pgx.Rows) (err error) {
			counted[f], err = pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[Waiting])
			return err
		})
	}
	err := s.asOfOneMoment(ctx, func(batch *pgx.Batch) { batch.QueuedQueries = append(batch.QueuedQueries, queries...) })
	return counted, err
}

// counting is the statement that counts a figure, with its arguments.
func (f Figure) counting(organisation string, codes []string, most int, now time.Time) (*pgx.QueuedQuery, error) {
	arguments := []any{organisation, most}
	switch f {
	case WaitingRequests:
		return &pgx.QueuedQuery{SQL: waitingRequests, Arguments: append(arguments, now)}, nil
	case UnownedRequests:
		return &pgx.QueuedQuery{SQL: unownedRequests(), Arguments: append(arguments, now, codes)}, nil
	case WaitingIntroductions:
		return &pgx.QueuedQuery{SQL: waitingIntroductions(), Arguments: append(arguments, now)}, nil
	case WaitingPositions:
		return &pgx.QueuedQuery{SQL: waitingPositions(), Arguments: arguments}, nil
	case WaitingEvidence:
		return &pgx.QueuedQuery{SQL: waitingEvidence(), Arguments: arguments}, nil
	case WaitingPeople:
		return &pgx.QueuedQuery{SQL: waitingPeople(), Arguments: arguments}, nil
	case WaitingReviews:
		return &pgx.QueuedQuery{SQL: waitingReviews(), Arguments: arguments}, nil
	case UnsignedBreakGlasses:
		return &pgx.QueuedQuery{SQL: unsignedBreakGlasses(), Arguments: arguments}, nil
	case WaitingAuthenticators:
		return &pgx.QueuedQuery{SQL: waitingAuthenticators, Arguments: arguments}, nil
	case WaitingMerges:
		return &pgx.QueuedQuery{SQL: waitingMerges, Arguments: arguments}, nil
	}
	return nil, fmt.Errorf("no statement counts the figure %q", f)
}
