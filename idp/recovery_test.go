package idp_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"mime/quotedprintable"
	"net/http"
	"net/mail"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/credence-id/credence/idp"
	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/messenger"
	"github.com/credence-id/credence/idp/webauthn/webauthntest"
)

// post is where the messages of a provider arrive.
type post struct {
	p   *provider
	dir string
}

// mailing is another process of the same installation, which tells people by mail.
func (p *provider) mailing() (*provider, post) {
	p.t.Helper()
	dir := p.t.TempDir()
	q := p.second(mailTo(dir))
	return q, post{q, dir}
}

// mailTo has messages written to a directory.
func mailTo(dir string) func(*idp.Config) {
	return func(c *idp.Config) {
		c.Mail, c.MailFrom = messenger.Folder(dir), &mail.Address{Address: "registration@example.org"}
	}
}

// letter is a message as it arrived.
type letter struct{ to, subject, body string }

// delivered sends what waits, and returns all that arrived so far, sorted by whom and what.
func (m post) delivered() []letter {
	m.p.t.Helper()
	ctx, cancel := context.WithCancel(m.p.t.Context())
	done := make(chan error, 1)
	go func() { done <- m.p.handler.RunDelivery(ctx) }()
	eventually(m.p.t, "all messages are sent", func() bool { return m.p.count(`SELECT count(*) FROM message WHERE due_at IS NOT NULL`) == 0 })
	cancel()
	if err := <-done; err != nil {
		m.p.t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(m.dir, "*.eml"))
	if err != nil {
		m.p.t.Fatal(err)
	}
	var letters []letter
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			m.p.t.Fatal(err)
		}
		message, err := mail.ReadMessage(bytes.NewReader(raw))
		if err != nil {
			m.p.t.Fatal(err)
		}
		to, err := mail.ParseAddress(message.Header.Get("To"))
		if err != nil {
			m.p.t.Fatal(err)
		}
		body, err := io.ReadAll(quotedprintable.NewReader(message.Body))
		if err != nil {
			m.p.t.Fatal(err)
		}
		letters = append(letters, letter{to.Address, message.Header.Get("Subject"), string(body)})
	}
	slices.SortFunc(letters, func(a, b letter) int { return strings.Compare(a.to+a.subject, b.to+b.subject) })
	return letters
}

// about lists to whom letters went that have a subject.
func about(letters []letter, subject string) (to []string) {
	for _, l := range letters {
		if l.subject == subject {
			to = append(to, l.to)
		}
	}
	return to
}

var mailedLink = regexp.MustCompile(`https://example\.com(/\S+token=\S+)`)

// links are those in letters.
func links(letters []letter) (found []string) {
	for _, l := range letters {
		for _, link := range mailedLink.FindAllStringSubmatch(l.body, -1) {
			found = append(found, link[1])
		}
	}
	return found
}

const (
	recoverySubject = "Get back into your account"
	begunSubject    = "Somebody gets back into your account"
)

var shownCode = regexp.MustCompile(`<code>([A-Z2-7-]{19})</code>`)

// recoveryCodes makes recovery codes for whoever is signed in.
func (b *browser) recoveryCodes() []string {
	b.t.Helper()
	page := b.confirmed(b.get("/account/recovery/new"))
	var codes []string
	for _, found := range shownCode.FindAllStringSubmatch(page.body, -1) {
		codes = append(codes, found[1])
		_, _ = fmt.Fprintln(b.p.secrets, found[1], strings.ReplaceAll(found[1], "-", ""))
	}
	if len(codes) != 10 || page.Header.Get("Cache-Control") != "no-store" {
		b.t.Fatalf("making codes shows %d, cached as %q, want 10, no-store: %s", len(codes), page.Header.Get("Cache-Control"), text(page.body))
	}
	return codes
}

// recover gives a recovery code.
func (b *browser) recover(personID, code string) answer {
	b.t.Helper()
	return b.rest(b.post("/recover", url.Values{"username": {personID}, "code": {code}}))
}

// A person makes codes, loses what she signs in with, and adds something new by a code and the link that is mailed to her: once
// each, and nothing that ever reaches AAL3.
func TestRecovery(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p, model := inEarnest(t, mailTo(dir))
	mails := post{p, dir}
	lost := webauthntest.NewPasskey()
	p.keyOf(oneRole, "phone", lost)
	codes := p.signedInWith(lost).recoveryCodes()
	if got := p.signedInWith(lost).get("/account/recovery"); !strings.Contains(got.body, "<strong>10</strong> codes left") {
		t.Errorf("the page of the codes says %q, want 10 left", text(got.body))
	}

	b := p.browser()
	if page := b.get("/sign-in"); !strings.Contains(page.body, `href="/recover"`) {
		t.Errorf("the sign-in page does not lead to recovery: %s", text(page.body))
	}
	b.recover(oneRole, strings.ToLower(strings.ReplaceAll(codes[0], "-", " "))).wantPage(t, http.StatusOK, "/recover/sent", "once, for 24 hours")
	b.recover(oneRole, codes[0]).wantPage(t, http.StatusForbidden, "/recover", "does not work")
	letters := mails.delivered()
	found := links(letters)
	if len(found) != 1 || !slices.Equal(about(letters, recoverySubject), []string{"gwil.hawthornby@oakhollow.example"}) {
		t.Fatalf("letters = %+v, want one with a link, to the address on record", letters)
	}

	// Whatever attests to a model that would reach AAL3 is refused, and costs nothing.
	hardware := webauthntest.NewOf(model)
	c := b.get(found[0]).ceremony(t)
	if strings.Contains(string(c.options), `"direct"`) {
		t.Errorf("the page of a recovery asks for attestation: %s", c.options)
	}
	if got := b.finish(c, hardware.Create(c.options, issuer), "hardware"); got.Status != http.StatusForbidden {
		t.Errorf("a key of a certified model through a recovery = %+v, want 403", got)
	}
	c = b.get(found[0]).ceremony(t)
	phone := webauthntest.NewPasskey()
	if got := b.finish(c, phone.Create(c.options, issuer), "new phone"); got.Status != http.StatusOK {
		t.Fatalf("a passkey through a recovery = %+v, want 200", got)
	}
	b.get(found[0]).wantPage(t, http.StatusGone, "/enrol")

	signedIn := p.signedInWith(phone)
	signedIn.get("/account").wantPage(t, http.StatusOK, "/account", "2")
	if n := p.count(`SELECT max(authenticator_level)::int FROM session WHERE person_id = $1`, oneRole); n != 2 {
		t.Errorf("the highest level after a recovery = %d, want 2", n)
	}
	p.signedInWith(lost) // which stays hers
	if got := signedIn.get("/account/recovery"); !strings.Contains(got.body, "<strong>9</strong> codes left") {
		t.Errorf("the page of the codes says %q, want 9 left", text(got.body))
	}
	want := []string{"recovery_codes_made", "recovered", "recovered: code_wrong", "enrolled: level_above", "enrolled: link_used"}
	got := p.audited("recovery_codes_made", "recovered", "enrolled")
	if got = slices.DeleteFunc(got, func(line string) bool { return line == "enrolled" }); !slices.Equal(got, want) {
		t.Errorf("the record says %q, want %q", got, want)
	}
}

// A password with an app comes by a recovery too, and the link is all that it takes beside the code.
func TestRecoveryOfPassword(t *testing.T) {
	t.Parallel()
	fresh := newProvider(t)
	p, mails := fresh.mailing()
	b := p.browser()
	b.signInAlone(oneRole, "passkey")
	codes := b.recoveryCodes()
	p.browser().recover(oneRole, codes[4]).wantPage(t, http.StatusOK, "/recover/sent")
	c := p.browser()
	page := c.rest(c.get(c.get(links(mails.delivered())[0]).passwordLink()))
	app := p.takeOver(page)
	c.rest(c.post(page.form(t), url.Values{"password": {"gravel otter mixing spoons"}, "code": {app.code()}})).wantPage(t, http.StatusOK, "/enrolled")
}

var referenceOf = regexp.MustCompile(`id="reference">[^<]*<`)

// What does not work says nothing of whom it does not work for.
func TestRecoveryTellsNobodyApart(t *testing.T) {
	t.Parallel()
	fresh := newProvider(t)
	p, mails := fresh.mailing()
	b := p.browser()
	b.signInAlone(oneRole, "passkey")
	codes := b.recoveryCodes()
	if err := directory.DisablePerson(t.Context(), p.owner, oneRole, "test", p.clock.Now()); err != nil {
		t.Fatal(err)
	}
	const wrong = "AAAA-BBBB-CCCC-DDDD"
	var bodies []string
	for _, try := range []struct{ person, code string }{
		{oneRole, wrong}, {oneRole, codes[0]}, {twoRoles, wrong}, {twoRoles, codes[0]}, {"100000000000", wrong}, {"100000000000", codes[1]},
	} {
		got := p.browser().recover(try.person, try.code)
		if got.StatusCode != http.StatusForbidden {
			t.Errorf("recover(%s, %s) = %d, want 403", try.person, try.code, got.StatusCode)
		}
		bodies = append(bodies, strings.ReplaceAll(referenceOf.ReplaceAllString(got.body, ""), try.person, "somebody"))
	}
	for _, body := range bodies[1:] {
		if diff := cmp.Diff(bodies[0], body); diff != "" {
			t.Errorf("pages differ (-one +another):\n%s", diff)
		}
	}
	want := []string{"recovered: code_wrong", "recovered: person_disabled", "recovered: code_wrong", "recovered: code_wrong"}
	if got := p.audited("recovered"); !slices.Equal(got, want) {
		t.Errorf("the record says %q, want %q", got, want)
	}
	if got := links(mails.delivered()); len(got) != 0 {
		t.Errorf("links were sent: %q", got)
	}
	if err := directory.EnablePerson(t.Context(), p.owner, oneRole, "test", p.clock.Now()); err != nil {
		t.Fatal(err)
	}
	p.browser().recover(oneRole, codes[0]).wantPage(t, http.StatusOK, "/recover/sent") // it was not spent
}

// Beyond the limit failures are 429, and a right code still gets in.
func TestRecoveryLimit(t *testing.T) {
	t.Parallel()
	fresh := newProvider(t)
	p, _ := fresh.mailing()
	b := p.browser()
	b.signInAlone(oneRole, "passkey")
	codes := b.recoveryCodes()
	for i := range 12 {
		want := http.StatusForbidden
		if i >= 10 {
			want = http.StatusTooManyRequests
		}
		if got := p.browser().recover(oneRole, "AAAA-BBBB-CCCC-DDDD"); got.StatusCode != want || (want == http.StatusTooManyRequests) != (got.Header.Get("Retry-After") != "") {
			t.Errorf("try %d = %d, Retry-After %q, want %d", i+1, got.StatusCode, got.Header.Get("Retry-After"), want)
		}
	}
	p.browser().recover(oneRole, codes[0]).wantPage(t, http.StatusOK, "/recover/sent")
}

// Of many who give a code at once one gets the link, and of many who open the link at once one binds.
func TestRecoveryRace(t *testing.T) {
	t.Parallel()
	fresh := newProvider(t)
	p, mails := fresh.mailing()
	q, _ := fresh.mailing()
	b := p.browser()
	b.signInAlone(oneRole, "passkey")
	codes := b.recoveryCodes()
	const many = 8
	var browsers [many]*browser
	for i := range browsers {
		browsers[i] = []*provider{p, q}[i%2].browser()
	}
	race := func(do func(b *browser, i int) int) (won int) {
		var each [many]int
		var wg sync.WaitGroup
		for i, b := range browsers {
			wg.Go(func() { each[i] = do(b, i) })
		}
		wg.Wait()
		for _, status := range each {
			if status == http.StatusOK {
				won++
			}
		}
		return won
	}
	if won := race(func(b *browser, _ int) int { return b.recover(oneRole, codes[0]).StatusCode }); won != 1 {
		t.Errorf("of %d who give a code at once %d get a link, want 1", many, won)
	}
	found := links(mails.delivered())
	if len(found) != 1 {
		t.Fatalf("links = %d, want 1", len(found))
	}
	var opened [many]ceremony
	for i, b := range browsers {
		opened[i] = b.get(found[0]).ceremony(t)
	}
	if won := race(func(b *browser, i int) int {
		return b.finish(opened[i], webauthntest.NewPasskey().Create(opened[i].options, issuer), "raced").Status
	}); won != 1 {
		t.Errorf("of %d who open the link at once %d bind, want 1", many, won)
	}
}

// Codes are made only by who could be asked for two factors, and has an address; reported lost, they are worthless.
func TestRecoveryCodesAreKept(t *testing.T) {
	t.Parallel()
	fresh := newProvider(t)
	p, mails := fresh.mailing()
	weak := p.browser()
	weak.signInAlone(oneRole, "password")
	weak.get("/account/recovery/new").wantPage(t, http.StatusForbidden, "/account/recovery/new", "more strongly")
	weak.rest(weak.post("/account/recovery/new", nil)).wantPage(t, http.StatusForbidden, "/account/recovery/new", "more strongly")
	strong := p.browser()
	strong.signInAlone(oneRole, "passkey")
	codes := strong.recoveryCodes()

	p.clock.advance(6 * time.Minute)
	if page := strong.get("/account/recovery/lost"); !strings.Contains(page.body, "/sign-in") {
		t.Errorf("codes are reported lost by a sign-in of six minutes ago: %s", text(page.body))
	}
	strong = p.browser()
	strong.signInAlone(oneRole, "passkey")
	strong.confirmed(strong.get("/account/recovery/lost")).wantPage(t, http.StatusOK, "/account/recovery", "You have no recovery codes")
	p.browser().recover(oneRole, codes[0]).wantPage(t, http.StatusForbidden, "/recover")

	old := strong.recoveryCodes()
	renewed := strong.recoveryCodes()
	p.browser().recover(oneRole, old[0]).wantPage(t, http.StatusForbidden, "/recover")
	for address, ago := range map[string]time.Duration{"gwil@before.example": 24 * time.Hour, "gwil@longago.example": 31 * 24 * time.Hour} {
		at, id := p.clock.Now().Add(-ago), uuid.NewString()
		p.exec(`INSERT INTO person_change (id, person_id, kind, actor, actor_role, reason, old, new, at)
			SELECT $5::uuid, $1, 'corrected', $2, (SELECT min(id) FROM role_profile), 'moved', jsonb_build_object('email', $4::text), '{}', $3`, oneRole, twoRoles, at, address, id)
		if err := audit.Record(t.Context(), p.owner, audit.Entry{At: at, Event: audit.PersonCorrected, Actor: twoRoles, Person: oneRole, Detail: map[string]string{"change": id}}); err != nil {
			t.Fatal(err)
		}
	}
	p.browser().recover(oneRole, renewed[0]).wantPage(t, http.StatusOK, "/recover/sent")
	if got := about(mails.delivered(), begunSubject); !slices.Equal(got, []string{"gwil@before.example"}) {
		t.Errorf("told of the recovery at earlier addresses = %q, want the one of yesterday", got)
	}

	p.exec(`UPDATE person SET email = NULL WHERE id = $1`, oneRole)
	p.browser().recover(oneRole, renewed[1]).wantPage(t, http.StatusForbidden, "/recover")
	if page := strong.get("/account/recovery"); !strings.Contains(page.body, `id="no-address"`) {
		t.Errorf("who has no address may make codes: %s", text(page.body))
	}
}

// Where nobody carries mail there is no recovery.
func TestNoRecoveryWithoutMail(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	b := p.browser()
	if got := b.get("/recover").StatusCode; got != http.StatusNotFound {
		t.Errorf("/recover = %d, want 404", got)
	}
	if page := b.get("/sign-in"); strings.Contains(page.body, "/recover") {
		t.Errorf("the sign-in page leads to recovery: %s", text(page.body))
	}
}
