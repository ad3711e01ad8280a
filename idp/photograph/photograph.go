// Package photograph keeps a photograph of each person, so that whoever meets her can see that it is she.
//
// It guarantees that
//   - what is kept is a JPEG that was encoded here: of an image that was handed in only the picture is left, and nothing of
//     where, when and with what it was taken, nor of anything else that its file may hold;
//   - nothing is decoded whose size was not looked at first, and one image at a time, so that memory is bounded;
//   - it rests sealed, bound to the person whom it shows;
//   - nobody takes a photograph of herself.
//
// That an officer may take it, and may see it, is package office's. A photograph proves nothing: it counts for no level.
package photograph

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/idp/seal"
	"github.com/credence-id/credence/store"
)

// ErrNone says that no photograph of a person is on record.
var ErrNone = errors.New("there is no photograph of the person on record")

// ErrClosed says that the profile of a person is closed: a photograph that is taken then would never be erased.
var ErrClosed = errors.New("the profile of the person is closed")

// Way is how an image came here, as whoever handed it in says.
type Way string

// The ways.
const (
	Camera Way = "camera" // taken at the desk
	Upload Way = "upload" // a file
)

// Album keeps the photographs. It is safe for concurrent use.
type Album struct {
	store    *store.Store
	box      seal.Box
	now      func() time.Time
	decoding chan struct{} // of one: an image takes up to 400 MB, which is 13 million pixels of a progressive JPEG in four colours
}

// New returns the album.
func New(s *store.Store, key seal.Key, now func() time.Time) *Album {
	return &Album{store: s, box: key.Box("photograph"), now: now, decoding: make(chan struct{}, 1)}
}

// Photographer is who takes a photograph, in the role that she acts in.
type Photographer struct{ PersonID, Role string }

// PutIn puts a photograph of a person that was encoded here on record, in a transaction and in the place of the one there is, and
// returns what the record says of it. That of somebody whose profile is closed is ErrClosed.
func (a *Album) PutIn(ctx context.Context, tx *store.Tx, by Photographer, personID string, way Way, image Image) (map[string]string, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return nil, fmt.Errorf("draw an id: %w", err)
	}
	p := store.Photograph{ID: id, PersonID: personID, PhotographTaking: store.PhotographTaking{Way: string(way), TakenAt: a.now(), TakenBy: by.PersonID, TakenRole: by.Role}}
	p.ImageSealed = a.box.Seal(image.jpeg, bound(p))
	if _, err := tx.LockIdentities(ctx, personID); err != nil { // of two who take one at once the second waits
		return nil, fmt.Errorf("lock person %s: %w", personID, err)
	}
	profile, err := tx.Profile(ctx, personID)
	if err != nil {
		return nil, fmt.Errorf("read profile of person %s: %w", personID, err)
	}
	if profile.ClosedAt != nil {
		return nil, ErrClosed
	}
	if err := tx.SetPhotograph(ctx, p); err != nil {
		return nil, fmt.Errorf("put photograph of person %s on record: %w", personID, err)
	}
	return map[string]string{"photograph": id.String(), "way": p.Way}, nil
}

// Image is a photograph that was encoded here.
type Image struct{ jpeg []byte }

// Portrait encodes what was handed in anew, when its turn comes. What cannot be kept is ErrInvalid.
func (a *Album) Portrait(ctx context.Context, upload []byte) (Image, error) {
	select {
	case a.decoding <- struct{}{}:
		defer func() { <-a.decoding }()
		encoded, err := Portrait(upload)
		return Image{encoded}, err
	case <-ctx.Done():
		return Image{}, fmt.Errorf("wait to decode a photograph: %w", ctx.Err())
	}
}

// Of reads the photograph on record of a person: a JPEG. Where there is none it is ErrNone.
func (a *Album) Of(ctx context.Context, personID string) ([]byte, error) {
	p, err := a.store.Photograph(ctx, personID)
	if errors.Is(err, store.ErrNotFound) {
		return nil, ErrNone
	}
	if err != nil {
		return nil, fmt.Errorf("read photograph of person %s: %w", personID, err)
	}
	image, err := a.box.Open(p.ImageSealed, bound(p))
	if err != nil {
		return nil, fmt.Errorf("open photograph %s: %w", p.ID, err)
	}
	return image, nil
}

// bound is what an image is sealed together with, so that it opens for its own person only.
func bound(p store.Photograph) []byte { return slices.Concat(p.ID[:], []byte(p.PersonID)) }

// Reseal seals all photographs under the first line of the seal key, in batches, and says how many there are and how many were
// sealed anew. Those that no line opens stay as they are; when all others are done it fails with [seal.ErrSeal]. The store has
// to be the owner's. It may be run again.
func (a *Album) Reseal(ctx context.Context, actor string) (resealed, total int, err error) {
	const batch = 50 // of up to 256 KB each
	closed := 0
	for after, more := uuid.Nil, true; more; {
		anew := 0
		err := a.store.InTx(ctx, func(tx *store.Tx) error {
			list, err := tx.LockPhotographs(ctx, after, batch)
			if err != nil {
				return fmt.Errorf("read photographs: %w", err)
			}
			total += len(list)
			if more = len(list) == batch; more {
				after = list[batch-1].ID
			}
			for _, p := range list {
				sealed, err := a.box.Reseal(p.ImageSealed, bound(p))
				if err != nil {
					closed++
					continue
				}
				if slices.Equal(sealed, p.ImageSealed) {
					continue
				}
				anew++
				if err := tx.ResealPhotograph(ctx, p.ID, sealed); err != nil {
					return fmt.Errorf("store photograph %s: %w", p.ID, err)
				}
			}
			if anew == 0 {
				return nil
			}
			return audit.Record(ctx, tx, audit.Entry{At: a.now(), Event: audit.PhotographsResealed, Actor: actor, Detail: map[string]string{"photographs": strconv.Itoa(anew)}})
		})
		if err != nil {
			return resealed, total, err
		}
		resealed += anew
	}
	if closed > 0 {
		return resealed, total, fmt.Errorf("open photographs: %w: no line of the seal key opens %d of %d; %d were sealed anew", seal.ErrSeal, closed, total, resealed)
	}
	return resealed, total, nil
}
