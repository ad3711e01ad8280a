package lifecycle_test

import (
	"log/slog"
	"net/mail"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/credence-id/credence/idp/lifecycle"
	"github.com/credence-id/credence/idp/messenger"
	"github.com/credence-id/credence/idp/position"
	"github.com/credence-id/credence/idp/seal"
)

// tells has the desk tell people by mail. Nothing is sent: what waits is looked at.
func (d *desk) tells() {
	key, _ := seal.NewKey()
	d.Messenger = messenger.New(messenger.Config{
		Store: d.Store, Key: key, Issuer: "https://id.example.org", From: &mail.Address{Address: "registration@example.org"},
		Carrier: messenger.Folder(d.t.TempDir()), Now: d.Now, Log: slog.New(slog.DiscardHandler),
	})
	d.Evidence.Messenger = d.Messenger
}

// told checks what people were told since it was looked at last, as "kind person address".
func (d *desk) told(when string, want ...string) {
	d.t.Helper()
	ctx := d.t.Context()
	conn, err := pgx.Connect(ctx, d.owner)
	must(d.t, err)
	defer func() { _ = conn.Close(ctx) }()
	rows, err := conn.Query(ctx, `DELETE FROM message RETURNING kind || ' ' || person_id || ' ' || address`)
	must(d.t, err)
	got, err := pgx.CollectRows(rows, pgx.RowTo[string])
	must(d.t, err)
	if diff := cmp.Diff(append([]string{}, want...), got); diff != "" {
		d.t.Errorf("told %s (-want +got):\n%s", when, diff)
	}
}

// Whose details are corrected is told, and of another address at the one before as well.
func TestCorrectionsAreTold(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	d.tells()
	c := d.correction(former)
	c.Title = "Dr"
	_, err := d.Correct(ctx, sponsor, c)
	if err == nil {
		t.Fatal("Correct(by a sponsor) = nil, want it refused")
	}
	d.told("of a correction that was refused")
	_, err = d.Correct(ctx, agent, c)
	must(t, err)
	d.told("of a title", "details_corrected "+former+" lotte.formerley@larkmere.example")
	c = d.correction(former)
	c.Email = "lotte@example.org"
	_, err = d.Correct(ctx, agent, c)
	must(t, err)
	d.told("of an address", "address_changed "+former+" lotte.formerley@larkmere.example", "details_corrected "+former+" lotte@example.org")
	c = d.correction(former)
	c.FamilyName, c.DisplayName = "Other", "Lotte Other"
	_, err = d.Correct(ctx, agent, c)
	must(t, err)
	d.told("of a name that her evidence is not about", "details_corrected "+former+" lotte@example.org", "identity_changed "+former+" lotte@example.org")
}

// Whose profile is closed or opened again is told, and whoever asked something for her that nobody decides any more; of a death
// nobody is told at the address of who has died.
func TestClosingIsTold(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	d.tells()
	d.exec(`UPDATE person SET email = 'sponsor@example.org' WHERE id = $1`, sponsor.Person)
	d.grant(former, hospital, "S8000:G8000:R8001")
	d.request(former, sponsor)
	d.told("of a request")
	must(t, d.Close(ctx, manager, former, lifecycle.Left, "She has left"))
	const address = " lotte.formerley@larkmere.example"
	d.told("of a closing", "request_cancelled "+sponsor.Person+" sponsor@example.org", "profile_closed "+former+address)
	refused(t, "Close(again)", d.Close(ctx, manager, former, lifecycle.Left, "She has left"), lifecycle.Closed)
	d.told("of a closing that was refused")
	must(t, d.Reopen(ctx, manager, former, "She is back"))
	d.told("of an opening", "profile_reopened "+former+address)
	must(t, d.Close(ctx, manager, former, lifecycle.Deceased, "A relative has told us"))
	d.told("of a death")
}

// Who leaves an organisation is told, and who asked something for her there.
func TestLeavingIsTold(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	d.tells()
	d.exec(`UPDATE person SET email = 'sponsor@example.org' WHERE id = $1`, sponsor.Person)
	d.grant(former, hospital, "S8000:G8000:R8001")
	d.request(former, sponsor)
	must(t, d.Leave(ctx, manager, former, hospital, d.Now().AddDate(0, 0, 14), "Her notice"))
	d.told("of leaving", "request_cancelled "+sponsor.Person+" sponsor@example.org", "organisation_left "+former+" lotte.formerley@larkmere.example")
}

// Who was on record twice is told at both addresses, and once where they are one; who proposed it is told of either verdict.
func TestMergesAreTold(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	d.tells()
	d.exec(`UPDATE person SET email = 'manager@example.org' WHERE id = $1`, manager.Person)
	d.exec(`UPDATE person SET email = 'jory@example.org' WHERE id = $1`, nurse)
	second := d.manager(board)
	decide := func(duplicate string, verdict position.Verdict) {
		t.Helper()
		id, err := d.ProposeMerge(ctx, manager, duplicate, nurse, "She told me so")
		must(t, err)
		must(t, d.DecideMerge(ctx, second, id, verdict, "I have looked", ""))
	}
	decided := "merge_decided " + manager.Person + " manager@example.org"
	decide(former, position.Refuse)
	d.told("of a refusal", decided)
	decide(former, position.Approve)
	d.told("of a merge", decided, "profile_merged "+former+" lotte.formerley@larkmere.example", "profile_merged "+nurse+" jory@example.org")
	again := d.person("Jory", "Twice")
	d.exec(`UPDATE person SET email = 'Jory@Example.org' WHERE id = $1`, again)
	decide(again, position.Approve)
	d.told("of a merge at one address", decided, "profile_merged "+nurse+" jory@example.org")
}
