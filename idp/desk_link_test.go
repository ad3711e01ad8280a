package idp_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/webauthn/webauthntest"
	"github.com/credence-id/credence/store"
)

// An officer cancels a link that is open: from that moment it binds nothing, at any replica, and the record says who did it. She may
// where she may issue; a link that works no more is said to, because something may have been added by it.
func TestDeskCancelsLinks(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	q := p.second()
	of := authenticatorsOf(noRole)
	link, id := p.openLink(noRole)
	agent, sponsor := p.browserOf(raAgent), p.browserOf(raSponsor)
	if page := agent.get(of); !strings.Contains(page.body, of+"/link/"+id) || !strings.Contains(page.words(t), "Cancel this link") {
		t.Errorf("the list for an agent = %s, want the link and to cancel it", text(page.body))
	}
	if page := sponsor.get(of); strings.Contains(page.body, of+"/link/"+id) || !strings.Contains(page.words(t), "Open enrolment links") {
		t.Errorf("the list for a sponsor = %s, want the link and not to cancel it", text(page.body))
	}
	hers, own := p.openLink(raAgent)
	for _, test := range []struct {
		name   string
		by     *browser
		path   string
		status int
	}{
		{"by whom may not issue", sponsor, of + "/link/" + id, http.StatusForbidden},
		{"of herself", agent, authenticatorsOf(raAgent) + "/link/" + own, http.StatusForbidden},
		{"of another than the address says", agent, authenticatorsOf(hospitalDoctor) + "/link/" + id, http.StatusNotFound},
		{"that is none", agent, of + "/link/x", http.StatusNotFound},
		{"that there is not", agent, of + "/link/0190b6ce-2f4a-4c1e-9d57-3f0c5c1c7f11", http.StatusNotFound},
	} {
		if a := test.by.post(test.path, nil); a.StatusCode != test.status {
			t.Errorf("to cancel a link %s = %d %s, want %d", test.name, a.StatusCode, text(a.body), test.status)
		}
	}
	b := p.browser()
	c := b.get(link).ceremony(t) // it works still, and she is at it when it is cancelled
	if page := agent.rest(agent.post(of+"/link/"+id, nil)); page.StatusCode != http.StatusOK || strings.Contains(page.body, id) {
		t.Errorf("the list after it was cancelled = %d %s, want it gone", page.StatusCode, text(page.body))
	}
	if got := b.finish(c, webauthntest.New().Create(c.options, issuer), ""); got.Status != http.StatusGone {
		t.Errorf("the answer by a link that was cancelled meanwhile = %+v, want 410", got)
	}
	if a := b.at(q).get(link); a.StatusCode != http.StatusGone {
		t.Errorf("a link that was cancelled, at the other replica = %d, want 410", a.StatusCode)
	}
	if a := agent.post(of+"/link/"+id, nil); a.StatusCode != http.StatusConflict || !strings.Contains(a.words(t), "The enrolment link works no more") {
		t.Errorf("to cancel it again = %d %s, want 409", a.StatusCode, text(a.body))
	}
	if a := b.get(hers); a.StatusCode != http.StatusOK || p.bound() != 0 {
		t.Errorf("another link = %d, and %d keys, want it to work", a.StatusCode, p.bound())
	}
	if diff := cmp.Diff([]string{"enrolment_cancelled", "enrolled: link_cancelled", "enrolled: link_cancelled", "enrolment_cancelled: link_over"}, p.audited("enrolment_cancelled", "enrolled")); diff != "" {
		t.Errorf("the record differs (-want +got):\n%s", diff)
	}
	if actor, person, detail := p.line("enrolment_cancelled"); actor != raAgent || person != noRole || detail["link"] != id || detail["officer_role"] != agentsRole {
		t.Errorf("the record says that %s did it to %s: %v, want all of it", actor, person, detail)
	}
}

// Of somebody who enrols by a link and an officer who cancels it at once, one comes first, and the other is told.
func TestLinkIsUsedOrCancelled(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	agent := p.browserOf(raAgent)
	for range 5 {
		before := p.bound()
		link, id := p.openLink(noRole)
		b := p.browser()
		c := b.get(link).ceremony(t)
		response, enrolled := webauthntest.New().Create(c.options, issuer), make(chan int, 1)
		go func() { enrolled <- b.finish(c, response, "").Status }()
		cancelled := agent.post(authenticatorsOf(noRole)+"/link/"+id, nil).StatusCode
		switch got := <-enrolled; {
		case got == http.StatusOK && cancelled == http.StatusConflict && p.bound() == before+1:
		case got == http.StatusGone && cancelled == http.StatusSeeOther && p.bound() == before:
		default:
			t.Errorf("enrolled: %d, cancelled: %d, keys %d more, want one of the two", got, cancelled, p.bound()-before)
		}
	}
}

// openLink makes an enrolment link for somebody.
func (p *provider) openLink(person string) (address, id string) {
	p.t.Helper()
	address = p.link(person)
	list, err := p.owner.OpenLinks(p.t.Context(), person, 5, store.Order{By: store.ByTime, Descending: true}, uuid.Nil, 50, p.clock.Now())
	if err != nil || len(list) == 0 {
		p.t.Fatalf("OpenLinks(%s) = %v, %v, want one", person, list, err)
	}
	return address, list[0].ID.String()
}
