package main

import (
	"strings"
	"testing"
)

// evidence opens the form for a kind of evidence, and fills in what each of them asks for.
func (r *reader) evidence(kind string) {
	r.t.Helper()
	r.selects(kind)
	r.fill("#given_name", "Zoë")
	r.fill("#family_name", "Quist")
}

// TestJourneyDeskSitting is a whole sitting, as the README describes it: a sponsor asks for a position for somebody who is not on
// record; an officer finds no duplicate, creates her, records what proves who she is, and hands her a security key; a second officer
// approves the position; and she signs in at a service, whose token says all of that.
func TestJourneyDeskSitting(t *testing.T) {
	t.Parallel()
	d := startTrial(t)
	d.vouchForVirtualKeys()
	const manager, agent, sponsor, advanced = "656005750116", "656005750117", "656005750118", "656005750119"
	b := newBrowser(t)
	b.addAuthenticator(securityKey())
	r := b.reads("### A sitting at the registration desk")
	r.next("Use simulated sign-in")
	r.next("Sign in")
	r.next("Sign out")

	r.officer(d, manager)
	r.selects("Positions")
	r.selects("Propose a new position")
	r.fill("#organisation", "ZX100")
	r.fill("#name", "Ward nurse")
	r.choose("#job_role", "S8000:G8000:R8001")
	r.picks("View Patient Medication (B0401)")
	r.fill("#reason", "A new ward")
	r.selects("Propose")
	r.want("h1", "Ward nurse")
	r.officer(d, advanced)
	r.selects("Positions")
	r.selects("Ward nurse")
	r.selects("Approve version 1")
	r.want("#position", "In force")

	// The sponsor asks.
	r.officer(d, sponsor)
	r.selects("People")
	r.fill("#q", "Zoë Quist")
	r.selects("Search")
	r.sees("Nobody was found")
	r.see("sitting-nobody-found")
	r.selects("Choose a position to ask for, for somebody new")
	r.see("sitting-position")
	r.selects("Ward nurse")
	r.selects("Ask for it for somebody who is not on record yet")
	r.see("sitting-introduce")
	r.fill("#given_name", "Zoë")
	r.fill("#family_name", "Quist")
	r.fill("#date_of_birth", "1/2/1985")
	r.click("#ask")
	r.want("#error-summary", "Enter a reason")
	r.see("sitting-introduce-error")
	r.fill("#reason", "Starts on Monday")
	r.selects("Ask")
	r.want("#introduction", "Waits for an officer")
	r.want("#why-not", "Another officer")
	r.see("sitting-introduced")

	// The officer finds no duplicate, and creates her.
	r.officer(d, agent)
	r.sees("People to put on record")
	r.want("#introductions", "1 waits")
	r.see("sitting-desk")
	r.follow("#introductions")
	r.see("sitting-introductions")
	r.selects("Zoë Quist")
	r.see("sitting-introduction")
	r.selects("Look for this person")
	r.want("#introduction", "Perpetua Vouchsafe asks for Ward nurse at ZX100")
	r.see("sitting-create")
	r.selects("Continue")
	r.sees("Nobody on record is like the person")
	r.see("sitting-create-none")
	r.selects("Create the person")
	r.want("h1", "Evidence of Zoë Quist")
	r.want("#identity", "Not proved")
	of := strings.TrimSuffix(r.url(), "/evidence")
	person := of[strings.LastIndex(of, "/")+1:]

	// She has brought a passport and a driving licence, and a register against fraud knows nothing of her.
	r.selects("Record evidence")
	r.evidence("Passport")
	r.fill("#birthdate", "1/2/1985")
	r.fill("#number", "707 777 707")
	r.fill("#country", "GBR")
	r.fill("#expires_on", "1/3/2036")
	r.fill("#trained_by", "Some Training Body")
	r.picks("Biometric chip")
	r.ticks("Inspected in the hand, also under ultraviolet or infrared light")
	r.ticks("Its signature verified, such as that of a chip")
	r.ticks("Its photo compared with the person, by somebody")
	r.ticks("Declaration")
	r.see("sitting-passport")
	r.selects("Record it")
	r.want("#levels", "Medium (M1C)")
	r.see("sitting-passport-recorded")
	r.selects("Back to all evidence, and what is missing")
	r.click("#add")
	r.evidence("Driving licence")
	r.fill("#number", "QUIST852015Z99AB")
	r.fill("#country", "GBR")
	r.fill("#expires_on", "30/4/2036")
	r.fill("#organisation", "DVLA")
	r.picks("Photocard")
	r.press("#vpip-physical")
	r.press("#data-authoritative_match")
	r.press("#declared-in_person")
	r.click("#record")
	r.want("h1", "Recorded: driving licence of Zoë Quist")
	r.click("#back")
	r.click("#add")
	r.evidence("Fraud register")
	r.fill("#organisation", "Some Fraud Bureau")
	r.ticks("A matching record found")
	r.press("#declared-in_person")
	r.click("#record")
	r.sees("High (H1A)")
	r.see("sitting-high")
	r.click("#back")
	r.want("#identity", "High (H1A)")
	r.see("sitting-evidence")

	r.selects("Back to Zoë Quist")
	r.see("sitting-person")
	r.selects("Add, suspend or revoke authenticators")
	r.selects("Add a passkey or security key here")
	r.fill("#authenticator-name", "Blue key")
	r.selects("Add passkey or security key")
	r.want("#authenticators", "Blue key")
	r.see("sitting-key")
	d.command("authenticator", "recompute", "--apply") // when the server judged it, it may not have known of the model yet

	// Whoever created her does not approve her position.
	r.open(d.issuer + "/desk/requests")
	r.follow("#requests")
	r.want("#why-not", "another officer has to approve")
	if r.exists("#verdict-approved") {
		t.Error("the officer who took the person up is offered to approve her position")
	}
	r.see("sitting-request-own")
	r.officer(d, advanced)
	r.selects("Requests")
	r.selects("Zoë Quist")
	r.want("#owner", "Nobody")
	r.click("#take")
	r.want("#owner", "Crispin Seconder")
	r.picks("Approve")
	r.fill("#reason", "As asked")
	r.see("sitting-request")
	r.selects("Decide")
	r.want("#request", "Approved")
	r.want("#request", "Crispin Seconder")
	r.selects("Sign out")

	r.open(d.demo)
	r.selects("Sign in")
	r.selects("Sign in with a passkey or security key")
	r.waitURL(d.demo)
	for claim, want := range map[string]string{
		"sub": person, "name": "Zoë Quist", "role": "S8000:G8000:R8001", "organisation": "ZX100", "acr": "AAL3_ANY", "authentication_assurance_level": "3", "identity_assurance_level": "high", "id_assurance_level": "3",
	} {
		r.want("#claim-"+claim, want)
	}
	if got, want := r.decisions(), "view true, prescribe false"; got != want {
		t.Errorf("decisions for the new person = %s, want %s", got, want)
	}
	r.see("sitting-ward-list")
}
