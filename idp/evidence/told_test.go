package evidence_test

import (
	"log/slog"
	"net/mail"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/credence-id/credence/idp/evidence"
	"github.com/credence-id/credence/idp/messenger"
	"github.com/credence-id/credence/idp/seal"
	"github.com/credence-id/credence/store"
)

// A person is told when her identity is proved to another level, and an officer when another dismisses what she checked; of what only
// would come of something nobody is told, nor when a profile goes.
func TestChangesOfLevelsAreTold(t *testing.T) {
	t.Parallel()
	in, ctx := newInstallation(t), t.Context()
	key, err := seal.ParseKey(in.keyText)
	must(t, err)
	in.Messenger = messenger.New(messenger.Config{
		Store: in.store, Key: key, Issuer: "https://id.example.org", From: &mail.Address{Address: "registration@example.org"},
		Carrier: messenger.Folder(t.TempDir()), Now: func() time.Time { return now }, Log: slog.New(slog.DiscardHandler),
	})
	in.exec(t, `UPDATE person SET email = id || '@example.org'`)
	in.exec(t, `INSERT INTO organisation (code, name, created_at) VALUES ('ZX100', 'Hospital', now())`)
	told := func(when string, want ...string) {
		t.Helper()
		waiting, err := in.store.ClaimMessages(ctx, now.Add(time.Hour), 10, now)
		must(t, err)
		got := []string{}
		for _, m := range waiting {
			got = append(got, m.Kind+" "+m.PersonID)
		}
		if diff := cmp.Diff(append([]string{}, want...), got); diff != "" {
			t.Errorf("told %s (-want +got):\n%s", when, diff)
		}
	}
	_, err = in.Record(ctx, desk, sarah, nil)
	if err == nil {
		t.Error("Record(nothing) = nil, want it refused")
	}
	change, err := in.Record(ctx, desk, sarah, example(t))
	must(t, err)
	told("of a level", "identity_changed "+sarah)
	_, err = in.Record(ctx, desk, sarah, example(t))
	must(t, err)
	told("of what was on record already")
	_, err = in.Withdraw(ctx, desk, change.Evidence[0], evidence.Mistaken)
	must(t, err)
	told("of what was withdrawn", "identity_changed "+sarah)
	must(t, in.store.InTx(ctx, func(tx *store.Tx) error {
		_, err := in.WithdrawAllIn(ctx, tx, desk, sarah, evidence.Superseded, now)
		return err
	}))
	told("of what goes with a profile")
}
