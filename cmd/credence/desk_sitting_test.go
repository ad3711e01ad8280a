package main

import (
	"strings"
	"testing"
)

// tick ticks boxes of a form by their ids.
func (b *browser) tick(ids ...string) {
	b.t.Helper()
	for _, id := range ids {
		b.press("#" + id)
	}
}

// evidenceForm opens the form for a kind of evidence from the page of what is on record.
func (b *browser) evidenceForm(kind string) {
	b.t.Helper()
	b.click("#add")
	b.click(`a[href$="kind=` + kind + `"]`)
	b.fill("#given_name", "Zoë")
	b.fill("#family_name", "Quist")
	b.press("#declared-in_person")
}

// TestJourneyDeskSitting is a whole sitting: a sponsor asks for a position for somebody who is not on record; an officer finds no
// duplicate, creates her, records what proves who she is, and hands her a security key; a second officer approves the position;
// and she signs in at a service, whose token says all of that.
func TestJourneyDeskSitting(t *testing.T) {
	t.Parallel()
	d := startTrial(t)
	d.vouchForVirtualKeys()
	const manager, agent, sponsor, advanced = "656005750116", "656005750117", "656005750118", "656005750119"
	b := newBrowser(t)
	b.addAuthenticator(securityKey())

	b.atDesk(d, manager, "/desk/positions/new?organisation=ZX100")
	b.fill("#name", "Ward nurse")
	b.choose("#job_role", "S8000:G8000:R8001")
	b.tick("activity-B0401")
	b.fill("#reason", "A new ward")
	b.click("#propose")
	b.want("h1", "Ward nurse")
	b.atDesk(d, advanced, "/desk/positions?state=proposed")
	b.follow("#positions")
	b.click("#approve")
	b.want("#position", "In force")

	// The sponsor asks.
	b.atDesk(d, sponsor, "/desk/people")
	b.fill("#q", "Zoë Quist")
	b.click("#find")
	b.want("#none", "Nobody was found")
	b.see("sitting-nobody-found")
	b.click("#positions")
	b.follow("#positions")
	b.see("sitting-position")
	b.click("#introduce")
	b.see("sitting-introduce")
	b.fill("#given_name", "Zoë")
	b.fill("#family_name", "Quist")
	b.fill("#date_of_birth", "1/2/1985")
	b.click("#ask")
	b.want("#error-summary", "Enter a reason")
	b.see("sitting-introduce-error")
	b.fill("#reason", "Starts on Monday")
	b.click("#ask")
	b.want("#introduction", "Waits for an officer")
	b.want("#why-not", "Another officer")
	b.see("sitting-introduced")

	// The officer finds no duplicate, and creates her.
	b.atDesk(d, agent, "/desk")
	b.want("#introductions", "1 waits")
	b.see("sitting-desk")
	b.follow("#introductions")
	b.want("#introductions", "Zoë Quist")
	b.see("sitting-introductions")
	b.follow("#introductions")
	b.see("sitting-introduction")
	b.click("#look")
	b.want("#introduction", "Perpetua Vouchsafe asks for Ward nurse at ZX100")
	b.see("sitting-create")
	b.click("#look")
	b.want("#none", "Nobody on record is like the person")
	b.see("sitting-create-none")
	b.click("#create")
	b.want("h1", "Evidence of Zoë Quist")
	b.want("#identity", "Not proved")
	of := strings.TrimSuffix(b.url(), "/evidence")
	person := of[strings.LastIndex(of, "/")+1:]

	// She has brought a passport and a driving licence, and a register against fraud knows nothing of her.
	b.evidenceForm("passport")
	b.fill("#birthdate", "1/2/1985")
	b.fill("#number", "707 777 707")
	b.fill("#country", "GBR")
	b.fill("#expires_on", "1/3/2036")
	b.fill("#trained_by", "Some Training Body")
	b.tick("feature-biometric_chip", "vcrypt-cryptographic", "pvp-specialist_training", "pvp-refreshed_yearly", "pvp-adequate_light", "pvp-unaltered_photo",
		"pvp-masks_considered", "pvp-eyes_visible", "vpiruv-physical", "vpiruv-visible", "vpiruv-uv_ir", "vpiruv-original_document", "vpiruv-specialist_training", "vpiruv-refreshed_three_yearly")
	b.see("sitting-passport")
	b.click("#record")
	b.want("#levels", "Medium (M1C)")
	b.see("sitting-passport-recorded")
	b.click("#back")
	b.evidenceForm("driving_permit")
	b.fill("#number", "QUIST852015Z99AB")
	b.fill("#country", "GBR")
	b.fill("#expires_on", "30/4/2036")
	b.fill("#organisation", "DVLA")
	b.tick("feature-photocard", "vpip-physical", "data-authoritative_match")
	b.click("#record")
	b.want("h1", "Recorded: driving licence of Zoë Quist")
	b.click("#back")
	b.evidenceForm("fraud_register")
	b.fill("#organisation", "Some Fraud Bureau")
	b.tick("data-authoritative_source", "data-identity_theft_check", "data-impersonation_risk_check", "data-mortality_check", "data-synthetic_identity_check")
	b.click("#record")
	b.want("#levels", "High (H1A)")
	b.see("sitting-high")
	b.click("#back")
	b.want("#identity", "High (H1A)")
	b.see("sitting-evidence")

	b.open(of)
	b.see("sitting-person")
	b.click("#keep")
	b.click("#add")
	b.fill("#authenticator-name", "Blue key")
	b.click("#enrol-submit")
	b.want("#authenticators", "Blue key")
	b.see("sitting-key")
	d.command("authenticator", "recompute", "--apply") // when the server judged it, it may not have known of the model yet

	// Whoever created her does not approve her position.
	b.open(d.issuer + "/desk/requests")
	b.follow("#requests")
	b.want("#why-not", "another officer has to approve")
	if b.exists("#verdict-approved") {
		t.Error("the officer who took the person up is offered to approve her position")
	}
	b.see("sitting-request-own")
	b.atDesk(d, advanced, "/desk")
	b.follow("#requests")
	b.follow("#requests")
	b.press("#verdict-approved")
	b.fill("#reason", "As asked")
	b.see("sitting-request")
	b.click("#decide")
	b.want("#request", "Approved")
	b.want("#request", "Crispin Seconder")
	b.click("#header-sign-out")

	b.open(d.demo)
	b.click("#sign-in")
	b.click("#passkey-sign-in")
	b.waitURL(d.demo)
	for claim, want := range map[string]string{
		"sub": person, "name": "Zoë Quist", "role": "S8000:G8000:R8001", "organisation": "ZX100", "acr": "AAL3_ANY", "authentication_assurance_level": "3", "identity_assurance_level": "high", "id_assurance_level": "3",
	} {
		b.want("#claim-"+claim, want)
	}
	if got, want := b.decisions(), "view true, prescribe false"; got != want {
		t.Errorf("decisions for the new person = %s, want %s", got, want)
	}
	b.see("sitting-ward-list")
}
