package idp_test

import (
	"html"
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"
)

// applies is where the form is posted to that has done what a file asks for.
func (a answer) applies() string {
	_, rest, _ := strings.Cut(a.body, `formaction="`)
	location, _, _ := strings.Cut(rest, `"`)
	return html.UnescapeString(location)
}

// A file of requests is looked at first, and done as it was shown, all of it or nothing.
func TestDeskBulk(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	ward, _ := p.wardNurse()
	const path, titles = "/desk/requests/bulk", "person,position,starts,expires,reason\n"
	sponsor, page := p.atDesk(raSponsor, path)
	if page.StatusCode != http.StatusOK {
		t.Fatalf("the form = %d %s, want it", page.StatusCode, text(page.body))
	}
	send := func(location, lines string) answer {
		return sponsor.postImage(location, "file", []byte(lines), "same-origin")
	}
	if a := send(path, titles+"x,"+ward+",,,\n"); a.StatusCode != http.StatusBadRequest || !strings.Contains(a.words(t), "line 2: person: want 12 digits") || !strings.Contains(a.words(t), "line 2: reason") {
		t.Errorf("a file with mistakes = %d %s, want them all", a.StatusCode, text(a.body))
	}
	if a := send(path, ""); a.StatusCode != http.StatusBadRequest || !strings.Contains(a.words(t), "it is empty") {
		t.Errorf("no file = %d %s, want 400", a.StatusCode, text(a.body))
	}
	if a := send(path, titles+strings.Repeat("x", 1<<20)); a.StatusCode != http.StatusBadRequest {
		t.Errorf("too large a file = %d, want 400", a.StatusCode)
	}
	asked := "," + ward + ",,30/11/2030,Starts on Monday\n"
	// Of these one waits already, and one is about the sponsor.
	if a := send(path, titles+noRole+asked+formerly+asked+raSponsor+asked); strings.Contains(a.body, `id="apply"`) || !strings.Contains(a.words(t), "is open already") || !strings.Contains(a.words(t), "about yourself") {
		t.Errorf("what is refused = %d %s, want why, and nothing to apply", a.StatusCode, text(a.body))
	}
	good := titles + formerly + asked
	page = send(path, good)
	apply := page.applies()
	if !strings.Contains(page.words(t), "Nothing has been done yet. 0 would be given at once, 1 would wait") || !strings.Contains(apply, "seen=") {
		t.Fatalf("what would come of it = %d %s, want it shown", page.StatusCode, text(page.body))
	}
	agent, _ := p.atDesk(raAgent, "/desk")
	if a := agent.postImage(apply, "file", []byte(good), "same-origin"); a.StatusCode != http.StatusForbidden {
		t.Errorf("what another has seen, in another role = %d, want 403", a.StatusCode)
	}
	if a := send(path+"?seen="+uuid.NewString(), good); !strings.Contains(a.words(t), "Nothing was done, because something else would come of it") {
		t.Errorf("what was not seen = %d %s, want nothing done", a.StatusCode, text(a.body))
	}
	if a := send(apply, good); !strings.Contains(a.words(t), "All of it was done: 0 given at once, 1 that wait") {
		t.Errorf("what was seen = %d %s, want it done", a.StatusCode, text(a.body))
	}
	if a := send(apply, good); !strings.Contains(a.words(t), "Nothing was done") || !strings.Contains(a.words(t), "is open already") {
		t.Errorf("it again = %d %s, want nothing done", a.StatusCode, text(a.body))
	}
	checker, _ := p.atDesk(p.newOfficer("ZX100", "S8001:G8002:R8008", "B0267"), "/desk")
	if a := checker.postImage(path, "file", []byte(good), "same-origin"); a.StatusCode != http.StatusForbidden {
		t.Errorf("a file of an identity checker = %d, want 403", a.StatusCode)
	}
}
