package office

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/idp/authority"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/store"
)

// ListBreakGlass lists a page of what was opened by break-glass at an organisation and below it, by when it was, from the one after
// the given id, and says whether there is more: all of it, or what nobody has signed for.
func (f *Office) ListBreakGlass(ctx context.Context, o Officer, organisation string, unsigned bool, order store.Order, after uuid.UUID) (rows []store.BreakGlassRow, more bool, err error) {
	return listed(ctx, f, o, organisation, "break-glass", func(limit int) ([]store.BreakGlassRow, error) {
		return f.Store.BreakGlasses(ctx, organisation, unsigned, order, after, limit)
	}, authority.ReviewBreakGlass)
}

// BreakGlass reads what was opened by break-glass, for an officer who may review it.
func (f *Office) BreakGlass(ctx context.Context, o Officer, text string) (store.BreakGlassRow, error) {
	id, err := directory.ParseID("break-glass", text)
	if err != nil {
		return store.BreakGlassRow{}, err
	}
	b, err := f.Store.BreakGlass(ctx, id)
	if err != nil {
		return b, directory.Missing(err, "break-glass", text)
	}
	_, err = f.MayAt(ctx, o, b.OrganisationCode, authority.ReviewBreakGlass)
	return b, err
}

// EndedBreakGlass is who ended what was opened before its time, for an officer who may review it; nobody, where its time was over.
func (f *Office) EndedBreakGlass(ctx context.Context, o Officer, text string) (Done, error) {
	b, err := f.BreakGlass(ctx, o, text)
	if err != nil {
		return Done{}, err
	}
	return f.Last(ctx, b.AskedBy, "break_glass", b.ID.String(), audit.BreakGlassEnded)
}

// DoneByBreakGlass reads a page of what an officer did in the role that break-glass gave her, by when it was, from the line after the
// given one, says whether there is more, and records who read it. Whoever reads it may ([Office.BreakGlass]).
func (f *Office) DoneByBreakGlass(ctx context.Context, o Officer, b store.BreakGlassRow, order store.Order, after int64) (lines []AuditLine, more bool, err error) {
	var events []store.AuditEvent
	err = f.Store.InTx(ctx, func(tx *store.Tx) error {
		wanted := store.AuditLines{PersonID: b.AskedBy, Roles: []string{b.RoleID}, From: b.OpenedAt, Until: f.Now().Add(time.Hour), Oldest: !order.Descending, After: after}
		if events, err = tx.ReadAudit(ctx, wanted, PerPage+1); err != nil {
			return fmt.Errorf("read what was done in role %s: %w", b.RoleID, err)
		}
		events, more = page(events)
		return audit.Record(ctx, tx, f.Line(o, audit.AuditRead, b.AskedBy, map[string]string{
			"of": "break_glass", "break_glass": b.ID.String(), "after": strconv.FormatInt(after, 10), "lines": strconv.Itoa(len(events)),
		}))
	})
	if err != nil {
		return nil, false, err
	}
	lines, err = f.named(ctx, events)
	return lines, more, err
}
