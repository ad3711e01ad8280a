package store

import (
	"context"
	"time"

	"github.com/google/uuid"
)

// Photograph is a photograph of a person.
type Photograph struct {
	ID          uuid.UUID
	PersonID    string
	ImageSealed []byte
	PhotographTaking
}

// PhotographTaking says how a photograph was taken.
type PhotographTaking struct {
	Way       string // camera or upload
	TakenAt   time.Time
	TakenBy   string
	TakenRole string // that she acted in
}

const photographTaking = `way, taken_at, taken_by, taken_role`

// Photograph reads the photograph on record of a person.
func (q *queries) Photograph(ctx context.Context, personID string) (Photograph, error) {
	return one[Photograph](ctx, q, `SELECT id, person_id, image_sealed, `+photographTaking+` FROM photograph WHERE person_id = $1 AND replaced_at IS NULL`, personID)
}

// PhotographTaking says how the photograph on record of a person was taken, without the image.
func (q *queries) PhotographTaking(ctx context.Context, personID string) (PhotographTaking, error) {
	return one[PhotographTaking](ctx, q, `SELECT `+photographTaking+` FROM photograph WHERE person_id = $1 AND replaced_at IS NULL`, personID)
}

// SetPhotograph puts a photograph of a person on record, who is locked, in the place of the one there is.
func (t *Tx) SetPhotograph(ctx context.Context, p Photograph) error {
	if err := t.db.exec(ctx, `UPDATE photograph SET replaced_at = $2 WHERE person_id = $1 AND replaced_at IS NULL`, p.PersonID, p.TakenAt); err != nil {
		return err
	}
	return t.db.exec(ctx, `
		INSERT INTO photograph (id, person_id, image_sealed, `+photographTaking+`) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		p.ID, p.PersonID, p.ImageSealed, p.Way, p.TakenAt, p.TakenBy, p.TakenRole)
}

// LockPhotographs lists photographs by id, also those that were replaced, from the one after the given id, at most limit of
// them, to be sealed anew. Only the owner of the table may.
func (t *Tx) LockPhotographs(ctx context.Context, after uuid.UUID, limit int) ([]Photograph, error) {
	return all[Photograph](ctx, &t.queries, `
		SELECT id, person_id, image_sealed, `+photographTaking+` FROM photograph WHERE id > $1 AND image_sealed IS NOT NULL ORDER BY id LIMIT $2 FOR UPDATE`, after, limit)
}

// ResealPhotograph stores a photograph as it was sealed anew. Only the owner of the table may.
func (t *Tx) ResealPhotograph(ctx context.Context, id uuid.UUID, sealed []byte) error {
	return t.db.exec(ctx, `UPDATE photograph SET image_sealed = $2 WHERE id = $1`, id, sealed)
}
