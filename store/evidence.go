package store

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// Evidence is a piece of evidence on record for a person.
type Evidence struct {
	ID              uuid.UUID
	PersonID        string
	Type            string          // document, electronic_record or vouch
	Kind            string          // passport, driving_permit, ...
	Facts           json.RawMessage // what was recorded, without the number
	NumberSealed    []byte          // nil: it has none
	NumberHash      []byte          // keyed
	ProcessID       uuid.UUID       // the act of recording that it came with
	RecordedAt      time.Time
	RecordedBy      string
	WithdrawnAt     *time.Time // nil while it counts
	WithdrawnBy     *string
	WithdrawnReason *string // forged, mistaken, superseded or erased
}

const evidenceColumns = `id, person_id, type, kind, facts, number_sealed, number_hash, process_id, recorded_at, recorded_by, withdrawn_at, withdrawn_by, withdrawn_reason`

// Identity is what a person's evidence came to, when it was last computed.
type Identity struct {
	Level      string
	Profile    string      // the best that is met; "" when none is
	Profiles   []string    // all that are met
	IAL        int         // of NIST SP 800-63A-4; 0 is no claim
	Policy     string      // the version of the tables; "" when nothing was computed: the level is none, or was asserted
	Evidence   []uuid.UUID // what it rests on
	ComputedAt *time.Time
}

// IdentityRow is who a person is said to be, and how well that is proved.
type IdentityRow struct {
	PersonID    string
	GivenName   string
	MiddleNames string
	FamilyName  string
	DateOfBirth *time.Time
	Identity
}

const identityColumns = `id AS person_id, given_name, middle_names, family_name, date_of_birth, identity_level AS level, identity_profile AS profile,
	identity_profiles AS profiles, identity_ial AS ial, identity_policy AS policy, identity_evidence AS evidence, identity_computed_at AS computed_at`

// Two statements that are sent each by itself, and together.
const (
	identityOf      = `SELECT ` + identityColumns + ` FROM person WHERE id = $1`
	evidenceInForce = `SELECT ` + evidenceColumns + ` FROM evidence WHERE person_id = ANY ($1) AND withdrawn_at IS NULL ORDER BY person_id, id LIMIT $2`
)

// Identity reads who a person is said to be, and how well that is proved.
func (q *queries) Identity(ctx context.Context, personID string) (IdentityRow, error) {
	return one[IdentityRow](ctx, q, identityOf, personID)
}

// IdentityAndEvidence is Identity and EvidenceInForce for one person: both as of one moment, in one round trip.
func (s *Store) IdentityAndEvidence(ctx context.Context, personID string, limit int) (person IdentityRow, counts []Evidence, err error) {
	err = s.asOfOneMoment(ctx, func(batch *pgx.Batch) {
		batch.Queue(identityOf, personID).Query(func(rows pgx.Rows) (err error) {
			person, err = pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[IdentityRow])
			return err
		})
		batch.Queue(evidenceInForce, []string{personID}, limit).Query(func(rows pgx.Rows) (err error) {
			counts, err = pgx.CollectRows(rows, pgx.RowToStructByName[Evidence])
			return err
		})
	})
	return person, counts, err
}

// Identities lists people by id, from the one after the given id, at most limit of them.
func (q *queries) Identities(ctx context.Context, after string, limit int) ([]IdentityRow, error) {
	return all[IdentityRow](ctx, q, `SELECT `+identityColumns+` FROM person WHERE id > $1 ORDER BY id LIMIT $2`, after, limit)
}

// LockIdentities is Identity for several people, by id. Whoever would change what is on record of one waits until the
// transaction ends. Who is unknown is not among them.
func (t *Tx) LockIdentities(ctx context.Context, personIDs ...string) ([]IdentityRow, error) {
	return all[IdentityRow](ctx, &t.queries, `SELECT `+identityColumns+` FROM person WHERE id = ANY ($1) ORDER BY id FOR NO KEY UPDATE`, personIDs)
}

// SetIdentity records what the evidence of a person comes to. It is what every token and page says from then on.
func (t *Tx) SetIdentity(ctx context.Context, personID string, i Identity) error {
	return t.db.exec(ctx, `
		UPDATE person SET identity_level = $2, identity_profile = $3, identity_profiles = coalesce($4::text[], '{}'), identity_ial = $5, identity_policy = $6,
			identity_evidence = coalesce($7::uuid[], '{}'), identity_computed_at = $8
		WHERE id = $1`,
		personID, i.Level, i.Profile, i.Profiles, i.IAL, i.Policy, i.Evidence, i.ComputedAt)
}

// AddEvidence puts a piece of evidence on record. It changes no level: that is SetIdentity, in the same transaction.
func (t *Tx) AddEvidence(ctx context.Context, e Evidence) error {
	return t.db.exec(ctx, `
		INSERT INTO evidence (id, person_id, type, kind, facts, number_sealed, number_hash, process_id, recorded_at, recorded_by)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		e.ID, e.PersonID, e.Type, e.Kind, e.Facts, e.NumberSealed, e.NumberHash, e.ProcessID, e.RecordedAt, e.RecordedBy)
}

// WithdrawEvidence lets pieces of evidence count no more. Those that were withdrawn before stay as they are. It changes no
// level: that is SetIdentity, in the same transaction.
func (t *Tx) WithdrawEvidence(ctx context.Context, ids []uuid.UUID, by, reason string, now time.Time) error {
	return t.db.exec(ctx, `
		UPDATE evidence SET withdrawn_at = $2, withdrawn_by = $3, withdrawn_reason = $4 WHERE id = ANY ($1) AND withdrawn_at IS NULL`,
		ids, now, by, reason)
}

// Evidence reads a piece of evidence, whether it counts or not.
func (q *queries) Evidence(ctx context.Context, id uuid.UUID) (Evidence, error) {
	return one[Evidence](ctx, q, `SELECT `+evidenceColumns+` FROM evidence WHERE id = $1`, id)
}

// EvidenceOf lists what was ever recorded of a person, by [ByTime], from the one after the given id, at most limit of it.
func (q *queries) EvidenceOf(ctx context.Context, personID string, o Order, after uuid.UUID, limit int) ([]Evidence, error) {
	beyond, by := o.byID(`id`, `$2`)
	return all[Evidence](ctx, q, `SELECT `+evidenceColumns+` FROM evidence WHERE person_id = $1 AND `+beyond+` ORDER BY `+by+` LIMIT $3`, personID, from(after), limit)
}

// EvidenceInForce lists what counts of some people, by person and id, at most limit of it.
func (q *queries) EvidenceInForce(ctx context.Context, limit int, personIDs ...string) ([]Evidence, error) {
	return all[Evidence](ctx, q, evidenceInForce, personIDs, limit)
}

// EvidenceByNumber lists what was ever recorded with one of some numbers, at most limit of it: what counts first, then what
// was forged, by id.
func (q *queries) EvidenceByNumber(ctx context.Context, hashes [][]byte, limit int) ([]Evidence, error) {
	return all[Evidence](ctx, q, `
		SELECT `+evidenceColumns+` FROM evidence WHERE number_hash = ANY ($1)
		ORDER BY withdrawn_at IS NOT NULL, withdrawn_reason IS DISTINCT FROM 'forged', id LIMIT $2`, hashes, limit)
}

// LockNumbers keeps whoever would record evidence with one of some numbers waiting until the transaction ends, also while
// no row has it yet.
func (t *Tx) LockNumbers(ctx context.Context, hashes [][]byte) error {
	locks := column(hashes, func(hash []byte) int64 { return int64(binary.BigEndian.Uint64(hash)) }) //nolint:gosec // any 64 bits will do
	slices.Sort(locks)                                                                               // of two transactions neither has what the other waits for
	return t.db.exec(ctx, `SELECT pg_advisory_xact_lock(lock) FROM unnest($1::bigint[]) lock`, locks)
}

// LockSealedNumbers lists evidence that has a number by id, from the one after the given id, at most limit of it, to be
// sealed anew. Only the owner of the table may.
func (t *Tx) LockSealedNumbers(ctx context.Context, after uuid.UUID, limit int) ([]Evidence, error) {
	return all[Evidence](ctx, &t.queries, `
		SELECT `+evidenceColumns+` FROM evidence WHERE id > $1 AND number_sealed IS NOT NULL ORDER BY id LIMIT $2 FOR UPDATE`, after, limit)
}

// ResealNumber stores a number as it was sealed anew, and its hash. Only the owner of the table may.
func (t *Tx) ResealNumber(ctx context.Context, id uuid.UUID, sealed, hash []byte) error {
	return t.db.exec(ctx, `UPDATE evidence SET number_sealed = $2, number_hash = $3 WHERE id = $1`, id, sealed, hash)
}
