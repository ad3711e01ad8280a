package registration_test

import (
	"log/slog"
	"net/mail"
	"testing"
	"time"

	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/messenger"
	"github.com/credence-id/credence/idp/registration"
	"github.com/credence-id/credence/idp/seal"
)

// A person is told what became of her authenticator, when it did and not when it was refused.
func TestChangesOfAuthenticatorsAreTold(t *testing.T) {
	t.Parallel()
	s, _ := newBoard(t)
	key, _ := seal.NewKey()
	outbox := messenger.New(messenger.Config{
		Store: s, Key: key, Issuer: "https://id.example.org", From: &mail.Address{Address: "registration@example.org"},
		Carrier: messenger.Folder(t.TempDir()), Now: func() time.Time { return now }, Log: slog.New(slog.DiscardHandler),
	})
	ana, err := directory.AddPerson(t.Context(), s, directory.NewPerson{GivenName: "Ana", FamilyName: "Example", Email: "ana@example.org"}, "operator", now)
	must(t, err)
	change := registration.Change{Authenticator: enrol(t, s, ana), Act: registration.ReportLoss, Messenger: outbox}
	for _, want := range []int{1, 0} { // the second is refused
		_ = registration.ChangeAuthenticator(t.Context(), s, change, audit.Entry{At: now, Actor: ana})
		got, err := s.ClaimMessages(t.Context(), now.Add(time.Hour), 10, now)
		if err != nil || len(got) != want || want == 1 && (got[0].Kind != "authenticator_changed" || got[0].PersonID != ana || got[0].Address != "ana@example.org") {
			t.Errorf("messages = %+v, %v, want %d", got, err, want)
		}
	}
}
