package lifecycle_test

import (
	"log/slog"
	"net/mail"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/credence-id/credence/idp/messenger"
	"github.com/credence-id/credence/idp/seal"
)

// Whose address on record is changed is told at the one before; of anything else nobody is told.
func TestTheOldAddressIsTold(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	key, _ := seal.NewKey()
	var err error
	d.Messenger, err = messenger.New(messenger.Config{
		Store: d.Store, Key: key, Issuer: "https://id.example.org", From: &mail.Address{Address: "registration@example.org"},
		Carrier: messenger.Folder(t.TempDir()), Now: d.Now, Log: slog.New(slog.DiscardHandler),
	})
	must(t, err)
	told := func(when string, want ...string) {
		t.Helper()
		conn, err := pgx.Connect(ctx, d.owner)
		must(t, err)
		defer func() { _ = conn.Close(ctx) }()
		rows, err := conn.Query(ctx, `SELECT kind || ' ' || person_id || ' ' || address FROM message ORDER BY id`)
		must(t, err)
		got, err := pgx.CollectRows(rows, pgx.RowTo[string])
		must(t, err)
		if diff := cmp.Diff(append([]string{}, want...), got); diff != "" {
			t.Errorf("told %s (-want +got):\n%s", when, diff)
		}
	}
	c := d.correction(former)
	c.Title = "Dr"
	_, err = d.Correct(ctx, agent, c)
	must(t, err)
	told("of a title")
	c = d.correction(former)
	c.Email = "lotte@example.org"
	_, err = d.Correct(ctx, agent, c)
	must(t, err)
	told("of an address", "address_changed "+former+" lotte.formerley@larkmere.example")
}
