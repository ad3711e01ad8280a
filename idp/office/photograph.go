package office

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/idp/authority"
	"github.com/credence-id/credence/idp/deed"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/photograph"
	"github.com/credence-id/credence/store"
)

// Photograph reads the photograph of a person whom an officer may see, and records who saw it. Where there is none it is
// [directory.ErrUnknown].
func (f *Office) Photograph(ctx context.Context, o Officer, personID string) ([]byte, error) {
	if err := f.May(ctx, o, authority.Subject{PersonID: personID}, authority.FindPerson); err != nil {
		return nil, err
	}
	if _, err := f.Standing(ctx, personID); err != nil {
		return nil, err
	}
	image, err := f.Photographs.Of(ctx, personID)
	if errors.Is(err, photograph.ErrNone) {
		return nil, fmt.Errorf("photograph of person %s %w", personID, directory.ErrUnknown)
	}
	if err != nil {
		return nil, err
	}
	if err := audit.Record(ctx, f.Store, f.Line(o, audit.PersonViewed, personID, map[string]string{"of": "photograph"})); err != nil {
		return nil, fmt.Errorf("record: %w", err)
	}
	return image, nil
}

// Photographed is a person whose photograph an officer may take, and how the one on record was taken.
type Photographed struct {
	Person store.Person
	Taking *store.PhotographTaking // nil: there is none
	ByName string
}

// Version tells the photograph on record from those before and after it; 0 is none.
func (p Photographed) Version() int64 { return versionOf(p.Taking) }

func versionOf(taken *store.PhotographTaking) int64 {
	if taken == nil {
		return 0
	}
	return taken.TakenAt.UnixMicro()
}

// PhotographVersion is [Photographed.Version] of a person; of what is nobody's id it is that of none.
func (f *Office) PhotographVersion(ctx context.Context, personID string) (int64, error) {
	if !directory.IsID(personID) {
		return 0, nil
	}
	taken, err := taking(ctx, f.Store, personID)
	return versionOf(taken), err
}

// Photographed reads how the photograph of a person was taken, of whom an officer may take one.
func (f *Office) Photographed(ctx context.Context, o Officer, personID string) (p Photographed, err error) {
	if p.Person, err = f.ToProve(ctx, o, personID); err != nil {
		return p, err
	}
	if p.Taking, err = taking(ctx, f.Store, personID); err != nil || p.Taking == nil {
		return p, err
	}
	names, err := f.Names(ctx, p.Taking.TakenBy)
	p.ByName = names[p.Taking.TakenBy]
	return p, err
}

// TakePhotograph puts a photograph of a person on record in the place of the version that the officer has seen: see
// [photograph.Album.PutIn]. Another having been taken since is the refusal [deed.ChangedSince].
func (f *Office) TakePhotograph(ctx context.Context, o Officer, personID string, seen int64, way photograph.Way, upload []byte) error {
	if _, err := f.ToProve(ctx, o, personID); err != nil {
		return err
	}
	image, err := f.Photographs.Portrait(ctx, upload)
	if err != nil {
		return err
	}
	d := deed.New(f.Rules, o.Acting(), f.Now, audit.PhotographTaken, personID)
	return d.Run(ctx, f.Store, func() error {
		if _, err := d.MustTo(ctx, personID, false, authority.RecordEvidence); err != nil {
			return err
		}
		there, err := taking(ctx, d.Tx, personID) // who is locked
		if err != nil {
			return err
		}
		if versionOf(there) != seen {
			return deed.Refuse(deed.ChangedSince).In("photograph", strconv.FormatInt(seen, 10), strconv.FormatInt(versionOf(there), 10))
		}
		taken, err := f.Photographs.PutIn(ctx, d.Tx, photograph.Photographer{PersonID: o.PersonID, Role: o.Role}, personID, way, image)
		d.Note(taken)
		return refusing(err)
	})
}

// taking reads how the photograph of a person was taken; nil where there is none.
func taking(ctx context.Context, records interface {
	PhotographTaking(ctx context.Context, personID string) (store.PhotographTaking, error)
}, personID string,
) (*store.PhotographTaking, error) {
	taken, err := records.PhotographTaking(ctx, personID)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil //nolint:nilnil // that there is none is a valid answer
	}
	if err != nil {
		return nil, fmt.Errorf("read photograph of person %s: %w", personID, err)
	}
	return &taken, nil
}
