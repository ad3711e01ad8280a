package store

import (
	"context"
	"time"
)

// The methods of this file delete rows that are dead: that nothing can make live again, and whose being remembered
// changes no answer. Each deletes at most limit rows in a statement of its own, those that have been dead for longest
// first, and says how many it deleted. A row that somebody holds is passed over, so that a sweep waits for nobody, and
// any number of replicas sweep side by side.
//
// The keys are gathered into an array first: so the limit holds, and rows are deleted by their keys, whatever the planner
// thinks of the table. OFFSET 0 keeps it from turning NOT EXISTS into a join with the whole of the other table.

// SweepRefreshTokens deletes refresh tokens, live and spent, of grants that have expired. Until then a spent one stays, so
// that its second use is seen; after that there is nothing left that a thief could hold, and it is merely unknown. They go
// before their grants, and not by the cascade, because a grant may have hundreds of them.
func (q *queries) SweepRefreshTokens(ctx context.Context, now time.Time, limit int) (int, error) {
	return q.sweep(ctx, `
		DELETE FROM refresh_token WHERE hash = ANY (ARRAY(
			SELECT t.hash FROM authorization_grant g JOIN refresh_token t ON t.grant_id = g.id
			WHERE g.expires_at <= $1 ORDER BY g.expires_at LIMIT $2 FOR UPDATE OF t SKIP LOCKED))`, now, limit)
}

// SweepGrants deletes grants that have expired and have no refresh token any more. No token is issued from such a grant,
// its access tokens have expired with it or before, and its code, used or not, is worth as much as an unknown one. A
// revoked grant stays as long as any other, so that it stays known what ended it.
func (q *queries) SweepGrants(ctx context.Context, now time.Time, limit int) (int, error) {
	return q.sweep(ctx, `
		DELETE FROM authorization_grant WHERE id = ANY (ARRAY(
			SELECT g.id FROM authorization_grant g
			WHERE g.expires_at <= $1 AND NOT EXISTS (SELECT FROM refresh_token t WHERE t.grant_id = g.id OFFSET 0)
			ORDER BY g.expires_at LIMIT $2 FOR UPDATE SKIP LOCKED))`, now, limit)
}

// SweepSessions deletes sessions that have reached their absolute limit and in which no grant was given that is still
// there: a grant stands on its session, and signing out of a session that has timed out ends the grants given in it. One
// that ended earlier is deleted no sooner.
func (q *queries) SweepSessions(ctx context.Context, now time.Time, limit int) (int, error) {
	return q.sweep(ctx, `
		DELETE FROM session WHERE id = ANY (ARRAY(
			SELECT s.id FROM session s
			WHERE s.expires_at <= $1 AND NOT EXISTS (SELECT FROM authorization_grant g WHERE g.session_id = s.id OFFSET 0)
			ORDER BY s.expires_at LIMIT $2 FOR UPDATE SKIP LOCKED))`, now, limit)
}

// SweepChallenges deletes answered challenges that have expired: a second answer is refused for that.
func (q *queries) SweepChallenges(ctx context.Context, now time.Time, limit int) (int, error) {
	return q.sweep(ctx, `
		DELETE FROM used_challenge WHERE hash = ANY (ARRAY(
			SELECT hash FROM used_challenge WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED))`, now, limit)
}

// SweepBreakGlassRequests deletes what was asked by break-glass and has lapsed, which nobody opens any more.
func (q *queries) SweepBreakGlassRequests(ctx context.Context, now time.Time, limit int) (int, error) {
	return q.sweep(ctx, `
		DELETE FROM break_glass_request WHERE id = ANY (ARRAY(
			SELECT id FROM break_glass_request WHERE lapses_at <= $1 ORDER BY lapses_at LIMIT $2 FOR UPDATE SKIP LOCKED))`, now, limit)
}

// SweepAssertions deletes assertions of clients that were taken and have expired: a second use is refused for that.
func (q *queries) SweepAssertions(ctx context.Context, now time.Time, limit int) (int, error) {
	return q.sweep(ctx, `
		DELETE FROM used_assertion WHERE ctid = ANY (ARRAY(
			SELECT ctid FROM used_assertion WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED))`, now, limit)
}

// SweepEnrolmentLinks deletes enrolment links, used or not, that have expired. Who made one and who used it is in the
// audit record.
func (q *queries) SweepEnrolmentLinks(ctx context.Context, now time.Time, limit int) (int, error) {
	return q.sweep(ctx, `
		DELETE FROM enrolment_link WHERE hash = ANY (ARRAY(
			SELECT hash FROM enrolment_link WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED))`, now, limit)
}

// SweepThrottle deletes counts of failures whose window is over: the next failure begins another.
func (q *queries) SweepThrottle(ctx context.Context, now time.Time, limit int) (int, error) {
	return q.sweep(ctx, `
		DELETE FROM throttle WHERE ctid = ANY (ARRAY(
			SELECT ctid FROM throttle WHERE ends_at <= $1 ORDER BY ends_at LIMIT $2 FOR UPDATE SKIP LOCKED))`, now, limit)
}

// SweepMessages deletes messages that were sent or given up, some time after they were written: until then nothing that is
// told once is told again.
func (q *queries) SweepMessages(ctx context.Context, now time.Time, limit int) (int, error) {
	return q.sweep(ctx, `
		DELETE FROM message WHERE id = ANY (ARRAY(
			SELECT id FROM message WHERE due_at IS NULL AND created_at <= $1 ORDER BY created_at LIMIT $2 FOR UPDATE SKIP LOCKED))`, now, limit)
}

// SweepSelfRegistrations deletes registrations that nobody has confirmed in time, with their messages: what is in those leads nowhere.
func (q *queries) SweepSelfRegistrations(ctx context.Context, now time.Time, limit int) (int, error) {
	return q.sweep(ctx, `
		DELETE FROM self_registration WHERE id = ANY (ARRAY(
			SELECT id FROM self_registration WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED))`, now, limit)
}

// sweep runs a DELETE and says how many rows it took.
func (q *queries) sweep(ctx context.Context, statement string, now time.Time, limit int) (int, error) {
	return scalar[int](ctx, q, `WITH swept AS (`+statement+` RETURNING 1) SELECT count(*)::int FROM swept`, now, limit)
}
