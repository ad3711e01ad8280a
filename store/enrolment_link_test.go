package store_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/credence-id/credence/store"
)

func TestOpenLinks(t *testing.T) {
	t.Parallel()
	in, ctx := newInstallation(t), t.Context() // which has a link of Ana's
	must(t, in.AddEnrolmentLink(ctx, hash("coded"), hash("code"), ana, now.Add(time.Second), later))
	must(t, in.InTx(ctx, func(tx *store.Tx) error {
		return tx.AddRecoveryLink(ctx, hash("recovery"), hash("nobody's"), ana, 2, now.Add(2*time.Second), later)
	}))
	must(t, in.AddEnrolmentLink(ctx, hash("expired"), nil, ana, now.Add(-2*time.Second), now))
	must(t, in.AddEnrolmentLink(ctx, hash("guessed"), hash("code"), ana, now, later))
	for range 5 {
		must(t, second(in.GiveCode(ctx, hash("guessed"), [][]byte{hash("another")}, 5, now)))
	}
	open := func() (ids []uuid.UUID) {
		t.Helper()
		list, err := in.OpenLinks(ctx, ana, 5, store.Order{By: store.ByTime, Descending: true}, uuid.Nil, 50, now)
		must(t, err)
		for i := range list {
			ids, list[i].ID = append(ids, list[i].ID), uuid.Nil
		}
		want := []store.OpenLink{
			{CreatedAt: now.Add(2 * time.Second), ExpiresAt: later, Recovers: true},
			{CreatedAt: now.Add(time.Second), ExpiresAt: later, TakesCode: true},
			{CreatedAt: now, ExpiresAt: later},
		}
		same(t, "OpenLinks()", list, want[3-len(list):])
		return ids
	}
	for range 3 {
		id := open()[0]
		must(t, in.InTx(ctx, func(tx *store.Tx) error {
			held, err := tx.LockLink(ctx, id)
			must(t, err)
			if held.PersonID != ana || held.UsedAt != nil {
				t.Errorf("LockLink() = %+v, want an open one of Ana's", held)
			}
			return tx.CancelLink(ctx, id, now)
		}))
	}
	if left := open(); len(left) != 0 {
		t.Errorf("links after all were cancelled = %v, want none", left)
	}
	got, err := in.EnrolmentLink(ctx, hash("link"), now)
	if err != nil || !got.Cancelled || got.UsedAt == nil {
		t.Errorf("EnrolmentLink() = %+v, %v, want it cancelled", got, err)
	}
	is(t, "UseEnrolmentLink(that was cancelled)", second(in.UseEnrolmentLink(ctx, hash("link"), 3, 5, now)), store.ErrNotFound)
	is(t, "LockLink(none)", in.InTx(ctx, func(tx *store.Tx) error { return second(tx.LockLink(ctx, uuid.New())) }), store.ErrNotFound)
	_, err = connect(t, in.serviceURL).Exec(ctx, `UPDATE enrolment_link SET cancelled_at = now() WHERE hash = $1`, hash("expired"))
	if pg, ok := errors.AsType[*pgconn.PgError](err); !ok || pg.ConstraintName != "enrolment_link_cancelled_is_used" {
		t.Errorf("a link that was cancelled and can be used: %v, want the constraint", err)
	}
}
