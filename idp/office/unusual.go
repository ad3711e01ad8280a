package office

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/idp/authority"
	"github.com/credence-id/credence/idp/unusual"
	"github.com/credence-id/credence/store"
)

// DaysBack is how many days a glance looks back at sign-ins, the last of which is today.
const DaysBack = int(unusual.Kept / (24 * time.Hour))

// OnAuthenticators are the acts any of which shows what is suspended or lost.
func OnAuthenticators() []authority.Act {
	return []authority.Act{authority.IssueAuthenticator, authority.UnlockAuthenticator}
}

// signIns adds to a glance how many sign-ins there were and how many of them were unusual, for who may see which. To the others it says
// nothing: no act of theirs needs it, and when people come to work is no business of who gives them access. A day of which not each
// sign-in is listed is left out, as nobody may see which those were.
func (f *Office) signIns(ctx context.Context, g *Glance) (err error) {
	if g.SignIns, err = f.Store.SignInDays(ctx, g.Organisation, unusual.Zone, DaysBack, g.At); err != nil {
		return fmt.Errorf("count sign-ins of organisation %s: %w", g.Organisation, err)
	}
	g.SignIns = slices.DeleteFunc(g.SignIns, func(day store.SignInDay) bool { return !day.Listed })
	n, err := f.Store.CountUnusualSignIns(ctx, g.Organisation, g.At.Add(-unusual.Kept), MostCounted)
	if err != nil {
		return fmt.Errorf("count unusual sign-ins of organisation %s: %w", g.Organisation, err)
	}
	g.Unusual = &n
	return nil
}

// UnusualSignIns lists a page of the unusual sign-ins of people of an organisation and of those below it, by when they were, from the
// one after the given line of the record, and says whether there are more. Who reads the record may read it, and it is recorded that
// she did.
func (f *Office) UnusualSignIns(ctx context.Context, o Officer, organisation string, order store.Order, after int64) (rows []store.UnusualSignIn, more bool, err error) {
	if _, err := f.MayAt(ctx, o, organisation, authority.ReadAudit); err != nil {
		return nil, false, err
	}
	err = f.Store.InTx(ctx, func(tx *store.Tx) error {
		if rows, err = tx.UnusualSignIns(ctx, organisation, f.Now().Add(-unusual.Kept), order, after, PerPage+1); err != nil {
			return fmt.Errorf("list unusual sign-ins of organisation %s: %w", organisation, err)
		}
		rows, more = page(rows)
		return audit.Record(ctx, tx, f.Line(o, audit.AuditRead, "", map[string]string{"of": "unusual", "organisation": organisation, "lines": strconv.Itoa(len(rows))}))
	})
	return rows, more, err
}

// SuspendedAuthenticators lists a page of the authenticators that are suspended or lost, of people of an organisation and of those below
// it, by since when, from the one after the given id, and says whether there are more.
func (f *Office) SuspendedAuthenticators(ctx context.Context, o Officer, organisation string, order store.Order, after uuid.UUID) (rows []store.SuspendedAuthenticator, more bool, err error) {
	return listed(ctx, f, o, organisation, "suspended authenticators", func(limit int) ([]store.SuspendedAuthenticator, error) {
		return f.Store.SuspendedAuthenticators(ctx, organisation, order, after, limit)
	}, OnAuthenticators()...)
}
