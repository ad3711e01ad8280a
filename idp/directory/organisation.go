package directory

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/store"
)

// AddOrganisation records an organisation. A code that is taken is ErrTaken, and an unknown parent ErrUnknown.
func AddOrganisation(ctx context.Context, s *store.Store, o store.Organisation, actor string, now time.Time) error {
	const wantCode = "an ODS code: 2 to 12 capital letters and digits"
	err := errors.Join(checkForm("code", o.Code, organisationForm, wantCode), CheckText("name", o.Name, 1, 200))
	parent := ""
	if o.ParentCode != nil {
		parent = *o.ParentCode
		err = errors.Join(err, checkForm("parent", parent, organisationForm, wantCode))
	}
	if parent == o.Code {
		err = errors.Join(err, &InvalidError{"parent", "another organisation"})
	}
	if err != nil {
		return err
	}
	err = s.InTx(ctx, func(tx *store.Tx) error {
		if err := tx.AddOrganisation(ctx, o, now); err != nil {
			return err
		}
		return audit.Record(ctx, tx, audit.Entry{
			At: now, Event: audit.OrganisationAdded, Actor: actor,
			Detail: map[string]string{"organisation": o.Code, "name": o.Name, "parent": parent},
		})
	})
	if errors.Is(err, store.ErrReference) { // the only reference that an organisation has
		return fmt.Errorf("parent organisation %q %w", parent, ErrUnknown)
	}
	return named("organisation "+o.Code, err)
}
