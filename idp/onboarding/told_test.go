package onboarding_test

import (
	"log/slog"
	"net/mail"
	"testing"
	"time"

	"github.com/credence-id/credence/idp/messenger"
	"github.com/credence-id/credence/idp/position"
	"github.com/credence-id/credence/idp/seal"
)

// Whoever applied is told what was decided, and not what she withdrew herself.
func TestDecisionsAreTold(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	key, _ := seal.NewKey()
	d.Messenger = messenger.New(messenger.Config{
		Store: d.Store, Key: key, Issuer: "https://id.example.org", From: &mail.Address{Address: "registration@example.org"},
		Carrier: messenger.Folder(t.TempDir()), Now: d.clock, Log: slog.New(slog.DiscardHandler),
	})
	must(t, d.exec(`UPDATE person SET email = 'developer@example.org' WHERE id = $1`, d.developer.Person))
	told := func(when string, want int) {
		t.Helper()
		waiting, err := d.Store.ClaimMessages(ctx, now.Add(time.Hour), 10, now)
		must(t, err)
		for _, m := range waiting {
			if m.Kind != "application_decided" || m.PersonID != d.developer.Person || m.Address != "developer@example.org" {
				t.Errorf("told %s: %+v, want the developer told of a decision", when, m)
			}
		}
		if len(waiting) != want {
			t.Errorf("told %s = %d, want %d", when, len(waiting), want)
		}
	}
	must(t, d.Withdraw(ctx, d.developer, d.apply(), "Not needed"))
	told("of what was withdrawn", 0)
	id := d.apply()
	if _, err := d.Decide(ctx, d.developer, id, position.Approve, "Yes"); err == nil {
		t.Error("Decide(own) = nil, want it refused")
	}
	told("of a decision that was refused", 0)
	_, err := d.Decide(ctx, d.advanced, id, position.Refuse, "Not yet")
	must(t, err)
	told("of a refusal", 1)
}
