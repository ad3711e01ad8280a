package breakglass

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

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
	entry := line(by)
	entry.Event, entry.Detail["note"] = audit.BreakGlassSigned, clip(note)
	return r.act(ctx, entry, func(a *act) error {
		b, err := a.read(ctx, id)
		if err != nil {
			return err
		}
		if err := a.reviews(ctx, r.Rules, by, b); err != nil {
			return err
		}
		switch {
		case slices.Contains(b.People, by.Person):
			return refuse(OwnOpening)
		case b.EndsAt.After(a.now):
			return refuse(NotOver)
		}
		err = a.SignBreakGlass(ctx, id, by.Person, by.Role, note, a.now)
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
	return r.end(ctx, line(by), id, func(a *act, b store.BreakGlassRow) error { return a.reviews(ctx, r.Rules, by, b) })
}

// reviews wants an officer who may review break-glass there.
func (a *act) reviews(ctx context.Context, rules *authority.Rules, by deed.Acting, b store.BreakGlassRow) error {
	if _, err := a.LockIdentities(ctx, by.Person); err != nil { // so that the role that she acts in is hers until this is done
		return fmt.Errorf("lock officer %s: %w", by.Person, err)
	}
	o, err := deed.Officer(ctx, a.Tx, rules, by, a.now)
	if err != nil {
		return err
	}
	path, err := a.OrganisationPath(ctx, b.OrganisationCode)
	if err != nil {
		return fmt.Errorf("read organisations above %s: %w", b.OrganisationCode, err)
	}
	if why := rules.May(o, authority.ReviewBreakGlass, authority.Subject{Path: path}).Refusal; why != "" {
		return deed.Refuse(why)
	}
	return nil
}

// line begins a line of the record of what an officer does.
func line(by deed.Acting) audit.Entry {
	return audit.Entry{Actor: by.Person, Detail: map[string]string{"officer": by.Person, "officer_role": by.Role}}
}

// clip bounds a value of the record.
func clip(value string) string {
	const most = 200
	if len(value) <= most {
		return value
	}
	return strings.ToValidUTF8(value[:most], "") + "…"
}
