package main

import (
	"bytes"
	"context"
	"io"
	"mime/quotedprintable"
	"net/mail"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/webauthn"
)

// mailed waits for a message of `dev` with a subject, and returns the link in it.
func mailed(t *testing.T, d *trial, subject string) (link string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if err := until(ctx, func() bool { link = linkIn(t, d, subject); return link != "" }); err != nil {
		t.Fatalf("no message has come with the subject %q: %v", subject, err)
	}
	return link
}

// linkIn is the link in the message with a subject; "" when there is none yet.
func linkIn(t *testing.T, d *trial, subject string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(d.dir, "mail", "*.eml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		message, err := mail.ReadMessage(bytes.NewReader(raw))
		if err != nil || message.Header.Get("Subject") != subject {
			continue
		}
		body, err := io.ReadAll(quotedprintable.NewReader(message.Body))
		if err != nil {
			t.Fatal(err)
		}
		return regexp.MustCompile(regexp.QuoteMeta(d.issuer) + `/\S+token=\S+`).FindString(string(body))
	}
	return ""
}

// TestJourneyRecovery is how somebody who has lost what she signs in with adds something new by a code that she kept.
func TestJourneyRecovery(t *testing.T) {
	t.Parallel()
	d := startTrial(t)
	const person = "656005750104"
	b := newBrowser(t)
	b.atDesk(d, person, "/account/recovery")
	b.want("#left", "You have no recovery codes")
	b.see("account-recovery-none")
	b.click("#new")
	b.want("h1", "Make 10 recovery codes?")
	b.see("account-recovery-new")
	b.click("#confirm")
	b.want("h1", "Your new recovery codes")
	b.see("account-recovery-codes")
	code, _, _ := strings.Cut(b.text("#codes"), "\n")
	b.click("#done")
	b.want("#left", "You have 10 codes left")
	b.see("account-recovery")
	b.click("#lost")
	b.want("h1", "Have you lost your recovery codes?")
	b.see("account-recovery-lost")

	c := newBrowser(t)
	c.open(d.issuer + "/sign-in")
	c.click("#recover-link")
	c.see("recover")
	c.fill("#username", person)
	c.fill("#code", "AAAA-BBBB-CCCC-DDDD")
	c.click("#recover-submit")
	c.want(".nhsuk-error-summary", "This recovery code does not work")
	c.see("recover-wrong")
	c.fill("#code", strings.ToLower(strings.TrimSpace(code)))
	c.click("#recover-submit")
	c.want("h1", "Look at your email")
	c.see("recovery-sent")

	c.open(mailed(t, d, "Get back into your account"))
	options := syncedPasskey()
	options.Transport = webauthn.AuthenticatorTransportUsb // so that it does not offer itself
	key := c.addAuthenticator(options)
	c.want("h1", "Add a passkey or security key")
	c.fill("#authenticator-name", "New phone")
	c.click("#enrol-submit")
	c.want("h1", "You have added a passkey or security key")
	c.open(d.issuer + "/sign-in")
	c.click("#passkey-sign-in")
	c.want("main", "New phone")
	key.remove()
	c.open(d.issuer + "/account/recovery")
	c.want("#left", "You have 9 codes left")
	c.open(d.issuer + "/account/history")
	c.want("#history", "A recovery code was used")
	c.see("account-history-recovered")
}
