package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/webauthn"
)

// TestJourneySelfRegistration is how somebody puts herself on record: she confirms her address by mail, adds a passkey, and signs in at a
// service as nobody who is known; then the desk proves the same person, and she has a position.
func TestJourneySelfRegistration(t *testing.T) {
	t.Parallel()
	d := startTrial(t)
	const manager, agent, sponsor, advanced = "656005750116", "656005750117", "656005750118", "656005750119"
	b := newBrowser(t)

	b.open(d.issuer + "/register/ZX100")
	b.want("h1", "You cannot register here")
	b.see("self-register-closed")
	b.open(d.issuer + "/register/ZX300")
	b.want("#organisation", "Fennimoor Pharmacy")
	b.see("self-register")
	b.fill("#given_name", "Zoë")
	b.fill("#email", "zoe@example")
	b.click("#register-submit")
	b.want("#error-summary", "Enter your family name")
	b.see("self-register-error")
	b.fill("#family_name", "Quist")
	b.fill("#email", "zoe.quist@example.org")
	b.click("#register-submit")
	b.want("h1", "Look at your email")
	b.see("self-registration-sent")
	link := mailed(t, d, "Confirm your email address")
	if err := os.RemoveAll(filepath.Join(d.dir, "mail")); err != nil { // so that the next message is another
		t.Fatal(err)
	}
	b.open(link)
	b.want("#applicant", "Zoë Quist")
	b.see("self-registration-confirm")
	b.click("#confirm")
	options := syncedPasskey()
	options.Transport = webauthn.AuthenticatorTransportUsb // so that it does not offer itself
	b.addAuthenticator(options)
	b.want("h1", "Add a passkey or security key")
	b.want("#person-name", "Zoë Quist")
	b.click("#enrol-submit")
	b.want("h1", "You have added a passkey or security key")
	b.open(link)
	b.want("h1", "This link does not work")
	b.see("self-registration-used")

	b.open(d.demo)
	b.click("#sign-in")
	b.click("#passkey-sign-in")
	b.want("h1", "You have no current role")
	b.see("self-registered-no-role")
	b.click("#header-sign-out")

	// The address is on record now, which the page behind the link says and no other.
	b.open(d.issuer + "/register/ZX300")
	b.fill("#given_name", "Somebody")
	b.fill("#family_name", "Else")
	b.fill("#email", "Zoe.Quist@example.org")
	b.click("#register-submit")
	b.want("h1", "Look at your email")
	b.open(mailed(t, d, "Confirm your email address"))
	b.want("h1", "You are on record already")
	b.see("self-registration-known")

	// The desk proves the same person.
	b.atDesk(d, manager, "/desk")
	b.want("#self-registered", "1 waits")
	b.see("desk-to-prove")
	b.click("#self-registered a")
	b.want("#people", "Zoë Quist")
	b.see("desk-self-registered")
	b.follow("#people")
	b.want("#self-registered", "with ZX300")
	b.see("desk-person-self-registered")
	of := b.url()
	person := of[strings.LastIndex(of, "/")+1:]
	b.click("#same-name")
	b.want("#people", "Zoë Quist")

	b.atDesk(d, manager, "/desk/positions/new?organisation=ZX100")
	b.fill("#name", "Ward nurse")
	b.choose("#job_role", "S8000:G8000:R8001")
	b.tick("activity-B0401")
	b.fill("#reason", "A new ward")
	b.click("#propose")
	b.atDesk(d, advanced, "/desk/positions?state=proposed")
	b.follow("#positions")
	b.click("#approve")
	b.want("#position", "In force")
	b.atDesk(d, sponsor, "/desk/people/"+person)
	b.click("#ask")
	b.follow("#positions")
	b.fill("#reason", "Starts on Monday")
	b.click("#ask")
	b.want("#request", "Waits for a decision")
	b.atDesk(d, agent, "/desk/requests")
	b.click("#requests td a")
	request := b.url()
	approve := func() {
		b.open(request)
		b.press("#verdict-approved")
		b.fill("#reason", "As asked")
		b.click("#decide")
	}
	approve()
	b.want("main", "can have no position before evidence proves the identity to level medium")
	b.see("desk-request-not-proved")

	// Nobody is proved on an account whose code she cannot read: its holder signs in, and reads it.
	b.click("#header-sign-out")
	b.open(d.issuer + "/account")
	b.click("#passkey-sign-in")
	b.click("#code")
	b.see("account-code-none")
	b.click("#make-code")
	b.see("account-code")
	code := b.text("#account-code strong")
	b.click("#header-sign-out")
	b.atDesk(d, agent, strings.TrimPrefix(of, d.issuer))
	b.open(of + "/evidence")
	b.evidenceForm("passport")
	b.see("desk-evidence-account-code")
	b.fill("#account_code", "12345678")
	b.fill("#birthdate", "1/2/1985")
	b.fill("#number", "707 777 707")
	b.fill("#country", "GBR")
	b.fill("#expires_on", "1/3/2036")
	b.fill("#trained_by", "Some Training Body")
	b.tick("feature-biometric_chip", "vcrypt-cryptographic", "pvp-specialist_training", "pvp-refreshed_yearly", "pvp-adequate_light", "pvp-unaltered_photo",
		"pvp-masks_considered", "pvp-eyes_visible", "vpiruv-physical", "vpiruv-visible", "vpiruv-uv_ir", "vpiruv-original_document", "vpiruv-specialist_training", "vpiruv-refreshed_three_yearly")
	b.click("#record")
	b.want("#error-summary", "This is not the code")
	b.fill("#account_code", code)
	b.click("#record")
	b.want("#levels", "Medium (M1C)")
	b.open(of)
	b.want("#self-registered", "The email address was confirmed.")
	b.see("desk-person-registered-proved")
	approve()
	b.want("#request", "Approved")
	b.click("#header-sign-out")

	b.open(d.demo)
	b.click("#sign-in")
	b.click("#passkey-sign-in")
	b.waitURL(d.demo)
	for claim, want := range map[string]string{
		"sub": person, "name": "Zoë Quist", "role": "S8000:G8000:R8001", "organisation": "ZX100", "identity_assurance_level": "medium",
	} {
		b.want("#claim-"+claim, want)
	}
}
