package main

import (
	"encoding/base32"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/credence-id/credence/idp/totp"
)

// withoutScript switches script off, as some hospitals do in all their browsers.
func (b *browser) withoutScript() {
	b.t.Helper()
	call(b, "switch script off", emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
}

// TestJourneyWithoutScript is an officer whose browser runs no script: a password and an app stand in for her key, and a file for
// the camera, and she is told so where they do. Everything else is as it is with script.
func TestJourneyWithoutScript(t *testing.T) {
	t.Parallel()
	d := startTrial(t)
	const agent, privacy, person, phrase = "656005750117", "656005750107", "656005750113", "seven lapwings over wet stubble"
	d.command("organisation", "policy", "ZX100", "--desk-level", "2", "--reason", "No keys before June")
	d.command("role", "end", "656014107001") // she is a doctor no more
	d.command("role", "grant", "--person", privacy, "--organisation", "ZX100", "--job-role", "S8002:G8003:R0001")
	d.ask(d.position("Ward nurse"), person, "656005750114")
	b := newBrowser(t)
	b.withoutScript()
	b.open(enrolLink(t, d.command("person", "enrol-link", agent)))
	b.want("#ceremony-unavailable", "Turn on JavaScript")
	b.lacks("#enrol-submit")
	b.screenshot("noscript-enrol")
	b.click("#password-link")
	key, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(strings.ReplaceAll(b.text("#key"), " ", ""))
	if err != nil {
		t.Fatalf("key on the page: %v", err)
	}
	code := func(ahead int64) string { return totp.Code(key, totp.Step(time.Now())+ahead) }
	b.fill("#password", phrase)
	b.fill("#code", code(0))
	b.click("#password-submit")
	b.want("#authenticators", "Password and authenticator app")

	b.open(d.issuer + "/desk")
	b.want("#ceremony-unavailable", "Turn on JavaScript")
	b.lacks("#passkey-sign-in")
	b.screenshot("noscript-sign-in")
	b.click("#password-link")
	b.fill("#username", agent)
	b.fill("#password", phrase)
	b.click("#password-submit")
	b.want("#error-summary", "could not sign you in")
	b.fill("#password", phrase)
	b.fill("#code", code(1))
	b.click("#password-submit")
	b.waitURL(d.issuer + "/desk")

	// Somebody new, by a search, a mistake and a passport.
	b.fill("#q", "Zoë Quist")
	b.click("#find")
	b.want("#none", "Nobody was found")
	b.click("#create")
	b.fill("#given_name", "Zoë")
	b.fill("#family_name", "Quist")
	b.click("#look")
	b.want("#error-summary", "Enter the date of birth")
	b.fill("#date_of_birth", "1/2/1985")
	b.click("#look")
	b.click("#create")
	b.want("h1", "Zoë Quist")
	created := b.url()
	b.click("#prove")
	b.click("#add")
	b.click(`a[href$="kind=passport"]`)
	b.fill("#given_name", "Zoë")
	b.fill("#family_name", "Quist")
	b.fill("#number", "707777707")
	b.fill("#expires_on", "1/3/2036")
	b.tick("feature-biometric_chip", "vcrypt-cryptographic", "declared-in_person")
	b.click("#record")
	b.want("h1", "Recorded: passport of Zoë Quist")

	// A photograph is a file, and a key is another officer's affair, or a link's.
	b.open(created + "/photograph")
	b.want("noscript", "The camera needs JavaScript")
	b.lacks("#start")
	b.want(`label[for="upload"]`, "A file")
	b.screenshot("noscript-photograph")
	b.open(created + "/authenticators/new")
	b.want("#ceremony-unavailable", "Turn on JavaScript")
	b.lacks("#enrol-submit")
	b.click("#link")
	b.want("main", "Level 3 takes a key that cannot be copied") // for somebody of no organisation, no policy says less

	// A request, in whichever order.
	b.open(d.issuer + "/desk/requests")
	b.choose("#sort", "-asked")
	b.click("#filter")
	if got := b.attribute("#requests th[aria-sort]", "aria-sort"); got != "descending" {
		t.Errorf("the order = %q, want descending", got)
	}
	b.click("#requests th[aria-sort] a")
	if got := b.attribute("#requests th[aria-sort]", "aria-sort"); got != "ascending" {
		t.Errorf("the order after its heading = %q, want ascending", got)
	}
	b.follow("#requests")
	b.press("#verdict-approved")
	b.fill("#reason", "As asked")
	b.click("#decide")
	b.want("#request", "Approved")

	// What she has of her own.
	for link, heading := range map[string]string{
		"/account": "About you", "/account/roles": "Your roles and positions", "/account/history": "Your history", "/account/data": "Your data",
		"/account/sessions": "Where you are signed in", "/account/authenticators": "What you sign in with",
	} {
		b.open(d.issuer + "/account")
		b.click(`nav a[href="` + link + `"]`)
		b.want("h1", heading)
	}
	b.open(d.issuer + "/account/authenticators")
	b.click("#add")
	b.want("#ceremony-unavailable", "Turn on JavaScript")
	b.want("main", "go to a registration desk")
	b.lacks("#enrol-submit")
	b.open(d.issuer + "/account/recovery")
	b.click("#new")
	b.click("#confirm")
	b.want("h1", "Your new recovery codes")
	b.click("#language")
	b.want("#language", "English")
	b.click("#language")

	// Whoever reads the record turns its pages.
	for range 21 {
		b.open(created)
	}
	b.atDesk(d, privacy, "/desk/audit")
	b.fill("#person", agent)
	b.press("#of-did")
	b.click("#read")
	b.choose("#sort", "at")
	b.click("#read")
	first := b.text("#lines")
	b.click("#next")
	if got := b.text("#lines"); got == first || got == "" {
		t.Errorf("the second page of the record = %q, want other lines than the first", got)
	}
}

// lacks wants a thing not to be there for the person, whether or not it is on the page.
func (b *browser) lacks(selector string) {
	b.t.Helper()
	if do(b, fmt.Sprintf("whether %q shows", selector), chromedp.Evaluate[bool](fmt.Sprintf(`document.querySelector(%s)?.checkVisibility() ?? false`, quote(selector)))) {
		b.t.Errorf("%s shows %q", b.url(), selector)
	}
}
