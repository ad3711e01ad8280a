package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

// Figure is a list of which it is counted how much there is, of an organisation and of those below it.
type Figure string

// The figures, each of what a list has.
const (
	WaitingRequests       Figure = "requests"                 // [Store.OpenRequests]
	WaitingIntroductions  Figure = "introductions"            // [Store.OpenIntroductions]
	WaitingPositions      Figure = "positions"                // [Store.ProposedPositions]
	WaitingEvidence       Figure = "evidence"                 // [Store.EvidenceProposals]
	WaitingPeople         Figure = "people"                   // [Store.UnprovedPeople]
	WaitingReviews        Figure = "reviews"                  // [Store.Reviews] in which something is left to decide
	UnsignedBreakGlasses  Figure = "break-glass"              // [Store.BreakGlasses] for which nobody has signed
	WaitingAuthenticators Figure = "suspended authenticators" // [Store.SuspendedAuthenticators]
)

// Waiting is how much waits for an officer.
type Waiting struct {
	Count   int64
	FirstAt *time.Time // since when the first of it has, or of reviews by when it is due; nil when nothing waits
}

// Waiting counts what waits at an organisation and below it, each figure as far as most, in one round trip.
func (s *Store) Waiting(ctx context.Context, organisation string, figures []Figure, most int, now time.Time) (map[Figure]Waiting, error) {
	counted := make(map[Figure]Waiting, len(figures))
	err := s.asOfOneMoment(ctx, func(batch *pgx.Batch) {
		for _, f := range figures {
			statement, arguments := f.counting(organisation, most, now)
			batch.Queue(statement, arguments...).Query(func(rows pgx.Rows) (err error) {
				counted[f], err = pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[Waiting])
				return err
			})
		}
	})
	return counted, err
}

// counting is the statement that counts a figure, with its arguments.
func (f Figure) counting(organisation string, most int, now time.Time) (statement string, arguments []any) {
	arguments = []any{organisation, most}
	switch f {
	case WaitingRequests:
		return waitingRequests, append(arguments, now)
	case WaitingIntroductions:
		return waitingIntroductions, append(arguments, now)
	case WaitingPositions:
		return waitingPositions, []any{organisation, "", most}
	case WaitingEvidence:
		return waitingEvidence, arguments
	case WaitingPeople:
		return waitingPeople, arguments
	case WaitingReviews:
		return waitingReviews, arguments
	case UnsignedBreakGlasses:
		return unsignedBreakGlasses, arguments
	case WaitingAuthenticators:
		return waitingAuthenticators, arguments
	}
	panic("store: no statement counts " + string(f))
}
