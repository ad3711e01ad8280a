package idp_test

import (
	"context"
	"net/mail"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/credence-id/credence/idp"
	"github.com/credence-id/credence/idp/messenger"
	"github.com/credence-id/credence/idp/webauthn/webauthntest"
)

// Whoever binds an authenticator or a password tells its person, by whichever replica delivers; where nobody carries mail,
// nothing is kept to be told.
func TestEnrolmentIsTold(t *testing.T) {
	t.Parallel()
	p, dir := newProvider(t), t.TempDir()
	p.enrol(noRole, webauthntest.New())
	if n := p.count(`SELECT count(*) FROM message`); n != 0 {
		t.Errorf("messages where nobody is told by mail = %d, want none", n)
	}
	mailing := func(c *idp.Config) {
		c.Mail, c.MailFrom = messenger.Folder(dir), &mail.Address{Address: "registration@example.org"}
	}
	one, other := p.second(mailing), p.second(mailing)
	one.enrol(noRole, webauthntest.New())
	one.setPassword(noRole, "orchard lamp twenty otters")
	if n := p.count(`SELECT count(*) FROM message WHERE person_id = $1 AND kind = 'authenticator_added' AND due_at IS NOT NULL`, noRole); n != 2 {
		t.Errorf("messages = %d, want one of the key and one of the password", n)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- other.handler.RunDelivery(ctx) }()
	tick, deadline := time.NewTicker(time.Millisecond), time.After(30*time.Second)
	defer tick.Stop()
	for p.count(`SELECT count(*) FROM message WHERE sent_at IS NOT NULL`) < 2 {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatal("after 30 s the messages are not sent")
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Errorf("RunDelivery() = %v, want no error when its context ends", err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.eml"))
	if err != nil || len(files) != 2 {
		t.Fatalf("messages written = %v, %v, want 2", files, err)
	}
	var letters strings.Builder
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		letters.Write(b)
	}
	for _, want := range []string{`"blue key" was added to your account`, `"Password" was added`} {
		if !strings.Contains(letters.String(), want) {
			t.Errorf("messages = %s, want %q in them", letters.String(), want)
		}
	}
}
