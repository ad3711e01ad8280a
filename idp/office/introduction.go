package office

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/authority"
	"github.com/credence-id/credence/idp/deed"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/position"
	"github.com/credence-id/credence/store"
)

// OnIntroductions are the acts any of which shows introductions.
func OnIntroductions() []authority.Act {
	return []authority.Act{authority.TakeUpIntroduction, authority.RequestPosition}
}

// Introductions lists a page of what nobody has taken up at an organisation and below it, in an order: see
// [store.Store.OpenIntroductions]. It goes on from the one after the given id, and says whether there is more.
func (f *Office) Introductions(ctx context.Context, o Officer, organisation string, order store.Order, after uuid.UUID) (rows []store.IntroductionRow, more bool, err error) {
	return listed(ctx, f, o, organisation, "open introductions", func(limit int) ([]store.IntroductionRow, error) {
		return f.Store.OpenIntroductions(ctx, organisation, order, after, limit, f.Now())
	}, OnIntroductions()...)
}

// Introduced is an introduction with what an officer has to know to take it up.
type Introduced struct {
	store.IntroductionRow

	EndedByName string
	Effect      position.Effect   // what the position gives that was asked for
	At          authority.Subject // where
}

// Open says whether it can still be taken up or ended.
func (f *Office) Open(i Introduced) bool { return i.State == "open" && i.LapsesAt.After(f.Now()) }

// Introduction reads an introduction that an officer may see.
func (f *Office) Introduction(ctx context.Context, o Officer, text string) (Introduced, error) {
	return f.introduction(ctx, o, text, OnIntroductions()...)
}

// ToTakeUp reads an introduction that an officer may take up now.
func (f *Office) ToTakeUp(ctx context.Context, o Officer, text string) (Introduced, error) {
	i, err := f.introduction(ctx, o, text, authority.TakeUpIntroduction)
	switch {
	case err != nil:
		return i, err
	case !f.Open(i):
		return i, position.Refusal(position.EndedAlready)
	case i.AskedBy == o.PersonID:
		return i, f.Refuse(ctx, o, deed.Refuse(deed.OwnRequest), authority.TakeUpIntroduction)
	default:
		return i, nil
	}
}

func (f *Office) introduction(ctx context.Context, o Officer, text string, acts ...authority.Act) (Introduced, error) {
	id, err := directory.ParseID("introduction", text)
	if err != nil {
		return Introduced{}, err
	}
	row, err := f.Store.Introduction(ctx, id)
	if err != nil {
		return Introduced{}, directory.Missing(err, "introduction", text)
	}
	i := Introduced{IntroductionRow: row}
	if i.At, err = f.At(ctx, row.OrganisationCode); err != nil {
		return Introduced{}, err
	}
	if err := f.May(ctx, o, i.At, acts...); err != nil {
		return Introduced{}, err
	}
	v, err := f.Store.PositionVersion(ctx, row.PositionID, row.PositionVersion)
	if err != nil {
		return Introduced{}, fmt.Errorf("read position %s in version %d: %w", row.PositionID, row.PositionVersion, err)
	}
	if i.Effect, err = position.EffectOf(ctx, f.Store, v); err != nil && !deed.Refused(err) { // what can be given is shown
		return Introduced{}, err
	}
	if row.EndedBy != nil {
		names, err := f.Names(ctx, *row.EndedBy)
		if err != nil {
			return Introduced{}, err
		}
		i.EndedByName = names[*row.EndedBy]
	}
	return i, nil
}

// AddIntroduced puts the person on record who was introduced, as [Office.Add] does, and takes the introduction up for her. Where
// that is refused she is on record, and found by whoever looks for her again.
func (f *Office) AddIntroduced(ctx context.Context, o Officer, i Introduced, n directory.Newcomer) (id string, alike directory.Alike, err error) {
	id, alike, err = f.Add(ctx, o, n)
	if err != nil || id == "" {
		return id, alike, err
	}
	_, err = f.Positions.TakeUp(ctx, o.Acting(), i.ID, id)
	return id, alike, err
}
