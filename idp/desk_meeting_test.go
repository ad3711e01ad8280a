package idp_test

import (
	"context"
	"errors"
	"html"
	"net/http"
	"net/mail"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/authority"
	"github.com/credence-id/credence/idp/deed"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/meeting"
	"github.com/credence-id/credence/idp/messenger"
	"github.com/credence-id/credence/idp/position"
	"github.com/credence-id/credence/idp/webauthn/webauthntest"
)

// meetings keeps meetings as the desk does, where mail is sent.
func (p *provider) meetings() *meeting.Registrar {
	p.t.Helper()
	outbox := messenger.New(messenger.Config{Store: p.store, Key: p.key, Issuer: issuer, From: new(mail.Address), Now: p.clock.Now})
	rules, err := authority.New()
	if err != nil {
		p.t.Fatal(err)
	}
	return &meeting.Registrar{Store: p.store, Rules: rules, Key: p.key, Messenger: outbox, Now: p.clock.Now}
}

// met is a meeting by video of the agent and somebody, who has read the code back.
func (p *provider) met(person string) string {
	p.t.Helper()
	ctx, r := p.t.Context(), p.meetings()
	agent := deed.Acting{Person: raAgent, Role: agentsRole}
	m, err := r.Begin(ctx, agent, person)
	if err != nil {
		p.t.Fatal(err)
	}
	told, err := r.Awaited(ctx, person)
	if err != nil || len(told) != 1 {
		p.t.Fatalf("Awaited(%s) = %v, %v, want one", person, told, err)
	}
	code, _ := meeting.ParseCode(told[0].Code)
	if err := r.Confirm(ctx, agent, person, m.ID, code); err != nil {
		p.t.Fatal(err)
	}
	return m.ID.String()
}

// newcomer is somebody unproved who has an address, which nobody at the desk put on record.
func (p *provider) newcomer() string {
	p.t.Helper()
	id, err := directory.AddPerson(p.t.Context(), p.owner, directory.NewPerson{
		GivenName: "Sarah", FamilyName: "Meredyth", Email: "sarah@example.org", DateOfBirth: new(time.Date(1976, time.March, 11, 0, 0, 0, 0, time.UTC)),
	}, "test", p.clock.Now())
	if err != nil {
		p.t.Fatal(err)
	}
	return id
}

// beginMeeting sends somebody a code, and returns where the meeting is.
func (b *browser) beginMeeting(person string) string {
	b.t.Helper()
	a := b.rest(b.post("/desk/people/"+person+"/meetings/new", nil))
	if a.StatusCode != http.StatusOK || !strings.Contains(a.words(b.t), "Ask Sarah Meredyth for the code") {
		b.t.Fatalf("to begin a meeting = %d %s %s, want the page that takes the code", a.StatusCode, a.path(), text(a.body))
	}
	return a.path()
}

// giveHeard enters a code as it was heard.
func (b *browser) giveHeard(meeting, code string) answer {
	b.t.Helper()
	return b.rest(b.post(meeting, url.Values{"code": {code}}))
}

const meetingSubject = "Your code for a meeting by video"

var readCode = regexp.MustCompile(`\b([0-9]{4} [0-9]{4})\b`)

// sentCodes are the codes that were mailed to the newcomer.
func (m post) sentCodes() (codes []string) {
	m.p.t.Helper()
	for _, l := range m.delivered() {
		if found := readCode.FindString(l.body); l.subject == meetingSubject && l.to == "sarah@example.org" && found != "" {
			codes = append(codes, found)
		}
	}
	return codes
}

// misheard is a code that is none of these.
func misheard(codes ...string) string {
	for _, code := range []string{"0000 0000", "1111 1111"} {
		if !slices.Contains(codes, code) {
			return code
		}
	}
	return "2222 2222"
}

// passportShown is what an officer enters who has seen a passport and a face by video.
func passportShown() url.Values {
	return with(passportForm(), "vpiruv", "", "vcrypt", "", "pvp", "", "declared", "video",
		"vri", "visible original_document specialist_training refreshed_three_yearly",
		"pvr", "specialist_training refreshed_yearly adequate_light unaltered_photo live_capture replay_excluded tamper_protected clear_image masks_considered eyes_visible")
}

// An officer meets somebody by video: she reads back the code that she was mailed, and what is checked then counts for less than
// face to face, and says how it was checked to whoever is told of it.
func TestDeskMeetsByVideo(t *testing.T) {
	t.Parallel()
	p, mails := newProvider(t).mailing()
	person := p.newcomer()
	about := "/desk/people/" + person
	of := about + "/evidence"
	b, page := p.atDesk(raAgent, of)
	if !strings.Contains(page.body, about+"/meetings/new") {
		t.Errorf("the evidence does not lead to a meeting: %s", text(page.body))
	}
	if words := b.get(about + "/meetings/new").words(t); !strings.Contains(words, "The code goes to sarah@example.org") {
		t.Errorf("the page that begins a meeting = %s, want where the code goes", words)
	}
	meeting := b.beginMeeting(person)
	codes := mails.sentCodes()
	if len(codes) != 1 {
		t.Fatalf("codes that were mailed = %v, want one", codes)
	}
	code := codes[0]
	for _, path := range []string{meeting, of} {
		if body := b.get(path).body; strings.Contains(body, code) || strings.Contains(body, strings.ReplaceAll(code, " ", "")) {
			t.Errorf("%s shows the officer the code", path)
		}
	}
	for _, path := range []string{meeting + "/evidence", meeting + "/evidence?kind=passport"} {
		if a := b.get(path); a.StatusCode != http.StatusForbidden || !strings.Contains(a.words(t), "no code was read back") {
			t.Errorf("GET %s before the code = %d %s, want 403", path, a.StatusCode, text(a.body))
		}
	}
	if a := b.post(meeting+"/evidence?kind=passport", passportShown()); a.StatusCode != http.StatusForbidden {
		t.Errorf("to record before the code = %d %s, want 403", a.StatusCode, text(a.body))
	}
	if a := b.giveHeard(meeting, "1234"); a.StatusCode != http.StatusBadRequest || !strings.Contains(a.words(t), "Enter the 8 digits") || !strings.Contains(a.words(t), "After 5 wrong codes") {
		t.Errorf("to enter half a code = %d %s, want that it is none, and not counted", a.StatusCode, text(a.body))
	}
	if a := b.giveHeard(meeting, misheard(code)); a.StatusCode != http.StatusBadRequest || !strings.Contains(a.words(t), "This is not the code") || !strings.Contains(a.words(t), "After 4 wrong codes") {
		t.Errorf("to enter a wrong code = %d %s, want that it is counted", a.StatusCode, text(a.body))
	}
	if _, about, detail := p.line("meeting_confirmed"); about != person || detail["wrong_codes"] != "1" || detail["officer"] != raAgent {
		t.Errorf("the record says %v of %s, want the first wrong code", detail, about)
	}
	for range 2 { // a form that is sent twice
		a := b.giveHeard(meeting, strings.ReplaceAll(code, " ", "-"))
		if a.StatusCode != http.StatusOK || a.path() != meeting || !strings.Contains(a.words(t), "The code is right") {
			t.Fatalf("to enter the code = %d %s, want it right", a.StatusCode, text(a.body))
		}
	}
	if a := b.get(of); !strings.Contains(a.body, meeting+"/evidence") || !strings.Contains(a.words(t), "You meet Sarah Meredyth by video. Until") {
		t.Errorf("the evidence does not lead to the meeting: %s", text(a.body))
	}
	if body := b.get(meeting + "/evidence").body; !strings.Contains(body, meeting+"/evidence?kind=passport") {
		t.Errorf("the kinds do not lead to the form of the meeting: %s", text(body))
	}
	words := b.get(meeting + "/evidence?kind=passport").words(t)
	for part, want := range map[string]bool{
		"Inspected by an image of it": true, "compared with an image or video": true, "live on video": true, "Inspected in the hand": false, "such as that of a chip": false, "Its photo compared with the person, by somebody": false,
	} {
		if strings.Contains(words, part) != want {
			t.Errorf("the form has %q = %t, want %t: %s", part, !want, want, words)
		}
	}

	// What was seen by video is not what was in the hand.
	for name, form := range map[string]url.Values{
		"a check in the hand":           with(passportShown(), "vri", "", "pvr", "", "trained_by", "", "vcrypt", "cryptographic"),
		"a declaration of face to face": with(passportShown(), "declared", "in_person"),
		"no declaration":                with(passportShown(), "declared", ""),
	} {
		if a := b.post(meeting+"/evidence?kind=passport", form); a.StatusCode != http.StatusBadRequest {
			t.Errorf("by video %s = %d %s, want 400", name, a.StatusCode, text(a.body))
		}
	}
	if a := b.post(of+"/new?kind=passport", passportShown()); a.StatusCode != http.StatusBadRequest {
		t.Errorf("what was seen by video, on the form for face to face = %d %s, want 400", a.StatusCode, text(a.body))
	}
	a := b.post(meeting+"/evidence?kind=passport", passportShown())
	if words := a.words(t); a.StatusCode != http.StatusOK || !strings.Contains(words, "Identity before Not proved Identity now Low (L1B)") {
		t.Errorf("a passport by video = %d %s, want less than for its chip", a.StatusCode, text(a.body))
	}
	if words := b.get(of).words(t); !strings.Contains(words, "declared to have seen the person and the originals live on video, after a code was read back") || !strings.Contains(words, "For level medium") {
		t.Errorf("the evidence = %s, want how it was checked, and what is missing", words)
	}
	register := url.Values{
		"given_name": {"Sarah"}, "family_name": {"Meredyth"}, "organisation": {"Some Fraud Bureau"}, "declared": {"video"},
		"data": {"authoritative_source", "identity_theft_check", "impersonation_risk_check", "mortality_check", "synthetic_identity_check"},
	}
	if words := b.post(meeting+"/evidence?kind=fraud_register", register).words(t); !strings.Contains(words, "Identity now Medium (M1") {
		t.Errorf("a register beside it = %s, want level medium", words)
	}
	id := strings.TrimPrefix(meeting, about+"/meetings/")
	if _, _, detail := p.line("evidence_recorded"); detail["declared"] != "video" || detail["meeting"] != id {
		t.Errorf("the record says %v, want the meeting", detail)
	}
	told, err := p.desk().Verified(t.Context(), person)
	if err != nil || len(told) != 1 || told[0].Verification.VerificationProcess != id {
		t.Fatalf("Verified() = %+v, %v, want the meeting as the process", told, err)
	}
	for _, piece := range told[0].Verification.Evidence {
		for _, check := range piece.CheckDetails {
			if !slices.Contains([]string{"vri", "pvr", "data"}, check.Method) {
				t.Errorf("check_method = %q, want one by video", check.Method)
			}
		}
	}

	// Face to face the same passport is worth more.
	if words := b.post(of+"/new?kind=passport", passportForm()).words(t); !strings.Contains(words, "Identity now High (H1A)") {
		t.Errorf("the passport in the hand = %s, want level high", words)
	}
	for range 6 {
		p.clock.advance(10 * time.Minute)
		b.get("/desk") // so that she stays signed in
	}
	p.clock.advance(time.Minute)
	if a := b.post(meeting+"/evidence?kind=passport", passportShown()); a.StatusCode != http.StatusForbidden {
		t.Errorf("to record after an hour = %d %s, want that it is over", a.StatusCode, text(a.body))
	}
	if words := b.get(meeting).words(t); !strings.Contains(words, "is over") {
		t.Errorf("the meeting after an hour = %s, want that it is over", words)
	}
	want := []string{"meeting_begun", "meeting_confirmed: wrong_code", "meeting_confirmed"}
	if got := p.audited("meeting_begun", "meeting_confirmed"); !slices.Equal(got, want) {
		t.Errorf("the record says %q, want %q", got, want)
	}
}

// Of a meeting five codes are tried, whichever replica takes them and however many at once; one of any number of right ones
// confirms it.
func TestMeetingCodesAreFew(t *testing.T) {
	t.Parallel()
	p, mails := newProvider(t).mailing()
	q, _ := p.mailing()
	person := p.newcomer()
	agents := make([]*browser, 2)
	for i, r := range []*provider{p, q} {
		agents[i], _ = r.atDesk(raAgent, "/desk")
	}
	tries := func(meeting, code string, n int) (statuses []int) {
		var wait sync.WaitGroup
		statuses = make([]int, n)
		for i := range n {
			wait.Go(func() { statuses[i] = agents[i%2].post(meeting, url.Values{"code": {code}}).StatusCode })
		}
		wait.Wait()
		slices.Sort(statuses)
		return statuses
	}
	guessed := agents[0].beginMeeting(person)
	codes := mails.sentCodes()
	if got, want := tries(guessed, misheard(codes...), 8), []int{400, 400, 400, 400, 400, 403, 403, 403}; !slices.Equal(got, want) {
		t.Errorf("eight wrong codes at two replicas = %v, want %v", got, want)
	}
	if a := agents[1].giveHeard(guessed, codes[0]); a.StatusCode != http.StatusForbidden || !strings.Contains(agents[1].get(guessed).words(t), "Five codes were wrong") {
		t.Errorf("the right code after five wrong ones = %d %s, want that the meeting is over", a.StatusCode, text(a.body))
	}
	meeting := agents[1].beginMeeting(person)
	for _, code := range mails.sentCodes() {
		if !slices.Contains(codes, code) {
			codes = append(codes, code)
		}
	}
	if len(codes) != 2 {
		t.Fatalf("codes that were mailed = %v, want another for another meeting", codes)
	}
	if got, want := tries(meeting, codes[1], 8), slices.Repeat([]int{http.StatusSeeOther}, 8); !slices.Equal(got, want) {
		t.Errorf("the right code eight times at two replicas = %v, want %v", got, want)
	}
	count := map[string]int{}
	for _, line := range p.audited("meeting_begun", "meeting_confirmed") {
		count[line]++
	}
	if count["meeting_begun"] != 2 || count["meeting_confirmed: wrong_code"] != 5 || count["meeting_confirmed"] != 1 {
		t.Errorf("the record counts %v, want two meetings, five wrong codes and one right", count)
	}
}

// A code works for half an hour, for the officer who began the meeting, with the person whom she began it with, until she begins
// another; and not for a person who is closed.
func TestMeetingsThatAreOver(t *testing.T) {
	t.Parallel()
	p, mails := newProvider(t).mailing()
	person, other := p.newcomer(), p.unproved()
	agent, _ := p.atDesk(raAgent, "/desk")
	advanced, _ := p.atDesk(raAdvanced, "/desk")
	seen := map[string]bool{}
	newest := func() (code string) {
		for _, c := range mails.sentCodes() {
			if !seen[c] {
				seen[c], code = true, c
			}
		}
		return code
	}
	first := agent.beginMeeting(person)
	firstCode := newest()
	second := agent.beginMeeting(person)
	code := newest()
	if a := agent.giveHeard(first, firstCode); a.StatusCode != http.StatusForbidden {
		t.Errorf("the code of a meeting that another took the place of = %d, want 403", a.StatusCode)
	}
	for name, path := range map[string]string{
		"another officer's":          second,
		"with somebody else":         strings.Replace(second, person, other, 1),
		"that was never begun":       "/desk/people/" + person + "/meetings/" + uuid.NewString(),
		"whose id is none":           "/desk/people/" + person + "/meetings/%00",
		"with nobody":                strings.Replace(second, person, "555500000001", 1),
		"with the officer herself":   strings.Replace(second, person, raAgent, 1),
		"to record in, another's":    second + "/evidence?kind=passport",
		"to record in, of somebody":  strings.Replace(second, person, other, 1) + "/evidence?kind=passport",
		"to record in, of no number": "/desk/people/" + person + "/meetings/x/evidence",
	} {
		b := agent
		if strings.Contains(name, "another") {
			b = advanced
		}
		want := http.StatusNotFound
		if strings.Contains(name, "herself") {
			want = http.StatusForbidden
		}
		if a := b.get(path); a.StatusCode != want {
			t.Errorf("GET of a meeting %s = %d, want %d", name, a.StatusCode, want)
		}
		if a := b.post(path, with(passportShown(), "code", strings.ReplaceAll(code, " ", ""))); a.StatusCode != want {
			t.Errorf("POST to a meeting %s = %d, want %d", name, a.StatusCode, want)
		}
	}
	if got := p.count(`SELECT count(*) FROM meeting WHERE confirmed_at IS NOT NULL`); got != 0 {
		t.Fatalf("meetings that are confirmed after that = %d, want none", got)
	}
	p.exec(`UPDATE person SET disabled_at = now() WHERE id = $1`, person)
	if a := agent.giveHeard(second, code); a.StatusCode != http.StatusForbidden || !strings.Contains(a.words(t), "disabled") {
		t.Errorf("the code of somebody who is disabled = %d %s, want 403", a.StatusCode, text(a.body))
	}
	if a := agent.post("/desk/people/"+person+"/meetings/new", nil); a.StatusCode != http.StatusForbidden {
		t.Errorf("to begin with somebody who is disabled = %d, want 403", a.StatusCode)
	}
	p.exec(`UPDATE person SET disabled_at = NULL WHERE id = $1`, person)
	if a := agent.giveHeard(second, code); a.StatusCode != http.StatusOK {
		t.Errorf("the code of somebody who is enabled again = %d %s, want it right", a.StatusCode, text(a.body))
	}

	third := advanced.beginMeeting(person) // beside that of the agent
	code = newest()
	for range 3 {
		p.clock.advance(10 * time.Minute)
		advanced.get("/desk")
		agent.get("/desk")
	}
	if a := advanced.giveHeard(third, code); a.StatusCode != http.StatusForbidden || !strings.Contains(advanced.get(third).words(t), "is over") {
		t.Errorf("the code after half an hour = %d, want 403", a.StatusCode)
	}
	for range 7 {
		agent.post("/desk/people/"+person+"/meetings/new", nil)
	}
	if a := agent.post("/desk/people/"+person+"/meetings/new", nil); a.StatusCode != http.StatusForbidden || !strings.Contains(a.words(t), "ten codes in a day") {
		t.Errorf("the eleventh meeting of a day = %d %s, want 403", a.StatusCode, text(a.body))
	}
}

// A code proves nothing that goes where the officer wants it to go.
func TestMeetingsNeedAnAddressOfOthers(t *testing.T) {
	t.Parallel()
	p, _ := newProvider(t).mailing()
	agent, _ := p.atDesk(raAgent, "/desk")
	advanced, _ := p.atDesk(raAdvanced, "/desk")
	begins := func(b *browser, person, why string) {
		t.Helper()
		path := "/desk/people/" + person + "/meetings/new"
		page, done := b.get(path), b.post(path, nil)
		if why == "" {
			if !strings.Contains(page.body, `id="begin"`) || done.StatusCode != http.StatusSeeOther {
				t.Errorf("to begin a meeting = %d %s, want it begun", done.StatusCode, text(page.body))
			}
			return
		}
		if strings.Contains(page.body, `id="begin"`) || done.StatusCode != http.StatusForbidden || !strings.Contains(page.words(t), why) || !strings.Contains(done.words(t), why) {
			t.Errorf("to begin a meeting = %d %s, want it refused: %s", done.StatusCode, text(page.body), why)
		}
	}
	created := func(path string, who url.Values) string {
		t.Helper()
		a := agent.post(path, who)
		a = agent.rest(agent.post(html.UnescapeString(a.posts()), who))
		id := regexp.MustCompile(`^/desk/people/([0-9]{12})`).FindStringSubmatch(a.path())
		if id == nil {
			t.Fatalf("to create a person = %d %s %s", a.StatusCode, a.path(), text(a.body))
		}
		return id[1]
	}
	own := created("/desk/people/new", someone("Sarah", "Meredyth", "11/3/1976", "sarah@example.org"))
	begins(agent, own, "You put the email address of this person on record yourself")
	begins(advanced, own, "") // somebody else
	if _, _, detail := p.line("meeting_begun"); detail["officer"] != raAdvanced {
		t.Errorf("the record says %v, want who began it", detail)
	}

	begins(agent, p.unproved(), "o email address is on record")

	corrected := p.newcomer()
	correct := someone("Sarah", "Meredyth", "11/3/1976", "new@example.org")
	correct["reason"] = []string{"She moved"}
	if a := agent.rest(agent.post(html.UnescapeString(formAction(t, agent.get("/desk/people/"+corrected+"/correct").body, "/desk/people/"+corrected+"/correct")), correct)); a.StatusCode != http.StatusOK {
		t.Fatalf("to correct the address = %d %s", a.StatusCode, text(a.body))
	}
	if got := p.count(`SELECT count(*) FROM person WHERE id = $1 AND email = 'new@example.org'`, corrected); got != 1 {
		t.Fatal("the address was not corrected")
	}
	begins(agent, corrected, "You put the email address of this person on record yourself")
	begins(advanced, corrected, "")

	// A sponsor introduced the person: with this very address, or another. And an officer did who would meet her.
	ward, _ := p.wardNurse()
	for named, why := range map[string]string{"zoe@example.org": "", "zo@example.org": "You put the email address of this person on record yourself"} {
		introduction, err := p.registrar().Introduce(t.Context(), deed.Acting{Person: raSponsor, Role: sponsorsRole}, position.Introduced{
			NewPerson: directory.NewPerson{GivenName: "Zoë", FamilyName: "Quist", DateOfBirth: new(time.Date(1985, time.February, 1, 0, 0, 0, 0, time.UTC)), Email: named},
			Position:  ward, Reason: "Starts on Monday",
		})
		if err != nil {
			t.Fatal(err)
		}
		begins(agent, created("/desk/people/new?introduction="+introduction.String(), someone("Zoë", "Quist", "1/2/1985", "Zoe@example.org")), why)
	}
	introduction, err := p.registrar().Introduce(t.Context(), deed.Acting{Person: raAdvanced, Role: advancedsRole}, position.Introduced{
		NewPerson: directory.NewPerson{GivenName: "Ida", FamilyName: "Quist", DateOfBirth: new(time.Date(1986, time.February, 1, 0, 0, 0, 0, time.UTC)), Email: "advanced@example.org"},
		Position:  ward, Reason: "Starts on Monday",
	})
	if err != nil {
		t.Fatal(err)
	}
	named := created("/desk/people/new?introduction="+introduction.String(), someone("Ida", "Quist", "1/2/1986", "advanced@example.org"))
	if n, err := p.store.SweepIntroductions(t.Context(), p.clock.Now(), 10); err != nil || n == 0 { // the names go, and what she did stays
		t.Fatalf("SweepIntroductions() = %d, %v, want some", n, err)
	}
	begins(advanced, named, "You put the email address of this person on record yourself, or introduced the person")
}

// The person sees the code on her own pages, and nobody else does: nor does she while the officer could be there in her place.
func TestMeetingCodeOnOnesOwnPages(t *testing.T) {
	t.Parallel()
	p, mails := newProvider(t).mailing()
	person := p.newcomer()
	key := webauthntest.New()
	p.enrol(person, key)
	p.exec(`UPDATE person SET display_name = 'Sarah Meredyth' WHERE id = $1`, person)
	own := p.signedInWith(key)
	agent, _ := p.atDesk(raAgent, "/desk")
	if body := own.get("/account").body; strings.Contains(body, "meets you by video") {
		t.Errorf("the account has a meeting before there is one: %s", text(body))
	}
	meeting := agent.beginMeeting(person)
	codes := mails.sentCodes()
	if words := own.get("/account").words(t); len(codes) != 1 || !strings.Contains(words, "Bartholomew Keykeeper at Larkmere Hospital (invented) meets you by video. Your code for the meeting is: "+codes[0]) {
		t.Errorf("the account = %s, want the code that was mailed, %v", words, codes)
	}
	if words := agent.get("/account").words(t); strings.Contains(words, codes[0]) {
		t.Errorf("the account of the officer has the code: %s", words)
	}
	if a := agent.giveHeard(meeting, codes[0]); a.StatusCode != http.StatusOK {
		t.Fatalf("to enter the code = %d %s", a.StatusCode, text(a.body))
	}
	if words := own.get("/account").words(t); strings.Contains(words, codes[0]) {
		t.Errorf("the account after that = %s, want no code", words)
	}
	agent.post("/desk/people/"+person+"/authenticators/link", nil)
	agent.beginMeeting(person)
	if words := own.get("/account").words(t); strings.Contains(words, "meets you by video") {
		t.Errorf("the account while the officer has made a link for her = %s, want no code", words)
	}
}

// What is checked by video waits for a second officer like anything else, and is on record under the meeting.
func TestDeskSecondCheckerOfAMeeting(t *testing.T) {
	t.Parallel()
	p, _ := newProvider(t).mailing()
	person := p.newcomer()
	p.asksSecondChecker("ZX100", true)
	meeting := p.met(person)
	agent, _ := p.atDesk(raAgent, "/desk")
	if a := agent.post("/desk/people/"+person+"/meetings/"+meeting+"/evidence?kind=passport", passportShown()); a.StatusCode != http.StatusOK || len(p.waiting(person)) != 1 {
		t.Fatalf("to record by video = %d %s, want that it waits", a.StatusCode, text(a.body))
	}
	if _, _, detail := p.line("evidence_proposed"); detail["meeting"] != meeting || detail["declared"] != "video" {
		t.Errorf("the record says %v, want the meeting", detail)
	}
	p.clock.advance(14 * time.Minute)
	advanced, _ := p.atDesk(raAdvanced, "/desk")
	path := "/desk/evidence/" + p.waiting(person)[0]
	if words := advanced.get(path).words(t); !strings.Contains(words, "by video") {
		t.Errorf("what waits = %s, want how the person was met", words)
	}
	if a := advanced.post(path, url.Values{"verdict": {"confirm"}}); a.StatusCode != http.StatusOK {
		t.Fatalf("to confirm it = %d %s, want it on record", a.StatusCode, text(a.body))
	}
	if got := p.count(`SELECT count(*) FROM evidence WHERE person_id = $1 AND process_id = $2`, person, meeting); got != 1 {
		t.Errorf("pieces on record of the meeting = %d, want one", got)
	}
}

// Meetings that are begun at once leave one.
func TestMeetingsAreBegunOneAtATime(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	person, r := p.newcomer(), p.meetings()
	agent := deed.Acting{Person: raAgent, Role: agentsRole}
	var wait sync.WaitGroup
	for range 14 {
		wait.Go(func() { _, _ = r.Begin(context.WithoutCancel(t.Context()), agent, person) })
	}
	wait.Wait()
	if all, last := p.count(`SELECT count(*) FROM meeting`), p.count(`SELECT count(*) FROM meeting WHERE replaced_at IS NULL`); all != 10 || last != 1 {
		t.Errorf("meetings after fourteen at once = %d, of which %d last, want 10 and 1", all, last)
	}
}

// Who meets somebody may prove her until the code is taken, in the role that she has then, which the record names.
func TestMeetingsAreDecidedInTheirTransaction(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	ctx, person, r := t.Context(), p.newcomer(), p.meetings()
	refused := func(call string, err error, want deed.Reason) {
		t.Helper()
		if refusal, ok := errors.AsType[*deed.Refusal](err); !ok || refusal.Reason != want {
			t.Errorf("%s = %v, want the refusal %s", call, err, want)
		}
	}
	agent := deed.Acting{Person: raAgent, Role: agentsRole}
	for want, by := range map[deed.Reason]deed.Acting{deed.NoRight: {Person: raSponsor, Role: sponsorsRole}, deed.NotInRole: {Person: raAgent, Role: sponsorsRole}} {
		_, err := r.Begin(ctx, by, person)
		refused("Begin()", err, want)
	}
	_, err := r.Begin(ctx, agent, raAgent)
	refused("Begin(with herself)", err, deed.OwnPerson)
	if _, err := r.Begin(ctx, agent, "555500000001"); !errors.Is(err, directory.ErrUnknown) {
		t.Errorf("Begin(with nobody) = %v, want ErrUnknown", err)
	}
	m, err := r.Begin(ctx, agent, person)
	if err != nil {
		t.Fatal(err)
	}
	told, err := r.Awaited(ctx, person)
	if err != nil || len(told) != 1 {
		t.Fatalf("Awaited() = %v, %v, want one", told, err)
	}
	code, _ := meeting.ParseCode(told[0].Code)
	p.exec(`UPDATE role_profile SET ends_at = $2 WHERE id = $1`, agentsRole, p.clock.Now())
	refused("Confirm(in a role that has ended)", r.Confirm(ctx, agent, person, m.ID, code), deed.NotInRole)
	catalogue, err := directory.NewCatalogue()
	if err != nil {
		t.Fatal(err)
	}
	role, err := directory.GrantRole(ctx, p.owner, catalogue, directory.NewRole{PersonID: raAgent, Organisation: "ZX100", JobRole: "S0080:G0450:R5090"}, "test", p.clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Confirm(ctx, deed.Acting{Person: raAgent, Role: role}, person, m.ID, code); err != nil {
		t.Errorf("Confirm(in another role) = %v, want it confirmed", err)
	}
	if _, about, detail := p.line("meeting_confirmed"); about != person || detail["officer"] != raAgent || detail["officer_role"] != role || detail["meeting"] != m.ID.String() {
		t.Errorf("the record says %v of %s, want the role in which it was confirmed", detail, about)
	}
}
