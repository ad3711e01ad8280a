package breakglass

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/idp/authority"
	"github.com/credence-id/credence/idp/deed"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/store"
)

// Sign signs, with a note, for what was done in a role that break-glass gave and that is over. Whoever opened it does not, and
// nothing else closes the review.
func (r *Registrar) Sign(ctx context.Context, by deed.Acting, id uuid.UUID, note string) error {
	if err := directory.CheckText("note", note, 1, 1000); err != nil {
		return err
	}
	return r.act(ctx, by, audit.BreakGlassSigned, func(a *act) error {
		a.Note(map[string]string{"note": note})
		b, err := a.read(ctx, id)
		if err != nil {
			return err
		}
		if err := a.reviews(ctx, b); err != nil {
			return err
		}
		switch {
		case slices.Contains(b.People, by.Person):
			return refuse(OwnOpening)
		case b.EndsAt.After(a.Now):
			return refuse(NotOver)
		}
		err = a.SignBreakGlass(ctx, id, by.Person, by.Role, note, a.Now)
		if errors.Is(err, store.ErrNotFound) {
			return refuse(SignedAlready)
		}
		if err != nil {
			return fmt.Errorf("sign for break-glass %s: %w", id, err)
		}
		return nil
	})
}

// Stop ends a role that break-glass gave, as an officer who may sign for it.
func (r *Registrar) Stop(ctx context.Context, by deed.Acting, id uuid.UUID) error {
	return r.end(ctx, by, id, func(a *act, b store.BreakGlassRow) error { return a.reviews(ctx, b) })
}

// reviews wants an officer who may review break-glass there.
func (a *act) reviews(ctx context.Context, b store.BreakGlassRow) error {
	if _, err := a.LockIdentities(ctx, a.By.Person); err != nil { // so that the role that she acts in is hers until this is done
		return fmt.Errorf("lock officer %s: %w", a.By.Person, err)
	}
	return a.MustAt(ctx, b.OrganisationCode, authority.ReviewBreakGlass)
}
