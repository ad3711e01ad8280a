package store_test

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/credence-id/credence/store"
)

// newMessage is one to Ana that is told once.
func newMessage(key string) store.Message {
	return store.Message{ID: uuid.New(), PersonID: ana, Address: "ana@example.org", Kind: "told", DedupeKey: &key, TextSealed: []byte("sealed"), CreatedAt: now}
}

// post puts messages into the outbox.
func (in *installation) post(t *testing.T, messages ...store.Message) {
	t.Helper()
	must(t, in.InTx(t.Context(), func(tx *store.Tx) error {
		for _, m := range messages {
			if err := tx.AddMessage(t.Context(), m); err != nil {
				return err
			}
		}
		return nil
	}))
}

// claims checks how many messages are claimed.
func (in *installation) claims(t *testing.T, at time.Time, want int) {
	t.Helper()
	if got, err := in.ClaimMessages(t.Context(), at.Add(time.Minute), 10, at); err != nil || len(got) != want {
		t.Errorf("ClaimMessages(at %v) = %+v, %v, want %d", at, got, err, want)
	}
}

func TestAMessageIsAddedOnce(t *testing.T) {
	t.Parallel()
	in, first := newInstallation(t), newMessage("once")
	in.post(t, first, newMessage("once"))
	in.post(t, newMessage("once"))
	got, err := in.ClaimMessages(t.Context(), later, 10, now)
	must(t, err)
	same(t, "messages", got, []store.Message{first})
	unkeyed := newMessage("")
	unkeyed.DedupeKey = nil
	other := unkeyed
	other.ID = uuid.New()
	in.post(t, unkeyed, other)
	in.claims(t, now, 2)
}

// A message is claimed by one at a time, and again when that one is not heard of.
func TestAMessageIsClaimedUntilItIsDone(t *testing.T) {
	t.Parallel()
	in, ctx := newInstallation(t), t.Context()
	sent, postponed, given := newMessage("sent"), newMessage("postponed"), newMessage("given up")
	in.post(t, sent, postponed, given)
	in.claims(t, now.Add(-time.Microsecond), 0)
	in.claims(t, now, 3)
	in.claims(t, now.Add(time.Minute-time.Microsecond), 0)
	in.claims(t, now.Add(time.Minute), 3)
	must(t, in.MessageSent(ctx, sent.ID, now))
	must(t, in.PostponeMessage(ctx, postponed.ID, later, "deferred"))
	giveUp := func(id uuid.UUID) error {
		return in.InTx(ctx, func(tx *store.Tx) error { return tx.GiveUpMessage(ctx, id, "refused", now) })
	}
	is(t, "GiveUpMessage(due)", giveUp(given.ID), nil)
	is(t, "GiveUpMessage(sent)", giveUp(sent.ID), store.ErrNotFound)
	must(t, in.PostponeMessage(ctx, sent.ID, now, "deferred")) // whoever claimed it before the one that sent it
	got, err := in.ClaimMessages(ctx, later.Add(time.Minute), 10, later)
	must(t, err)
	postponed.Attempts = 1
	same(t, "messages that are left", got, []store.Message{postponed})
	if n := value[int](t, connect(t, in.ownerURL), `SELECT count(*)::int FROM message WHERE text_sealed IS NULL`); n != 2 {
		t.Errorf("messages whose text is gone = %d, want the 2 that are done", n)
	}
}
