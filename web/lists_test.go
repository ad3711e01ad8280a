package web

import (
	"reflect"
	"strings"
	"testing"
)

// noList is what several of stand on a page and are no list that goes on, and why.
func noList() map[string][]string {
	return map[string][]string{
		"it is what one thing is made of": {
			"desk-ask.Position", "desk-client.Details", "desk-corrected.Changes", "desk-evidence-form.Checks", "desk-evidence-kinds.Groups", "desk-glance.Figures",
			"desk-introduce.Position", "desk-introduction-person.Introduced", "desk-introduction-person.OnRecord", "desk-introduction.Person", "desk-introduction.Position", "desk-merge.Bound", "desk-merge.Details",
			"desk-merge.Sides", "desk-person.Registrations", "desk-policy.Settings", "desk-proposal.Says", "desk-request.Bound", "desk-request.Changes",
			"desk-request.Position",
		},
		"it is what one act does, which is bounded":   {"desk-bulk.Effects", "desk-close.Losses", "desk-leave.Losses"},
		"it is the first of who may be meant":         {"desk-correct.People", "desk-create.People", "desk-evidence-change.Others", "desk-same.People"},
		"it is an outline, and the list is elsewhere": {"desk-person.Authenticators", "desk-person.Requests"},
		"it goes on by another address":               {"desk-person.Roles"},
	}
}

// Whatever lists what is on record, at the desk or of an account, goes on page by page and can be put in an order. The next page with a list
// is one of these, or says why it is none.
func TestListsArePagedAndSorted(t *testing.T) {
	t.Parallel()
	known := map[string]bool{}
	for _, names := range noList() {
		for _, name := range names {
			known[name] = false
		}
	}
	lists := map[string]bool{}
	for _, page := range pages() {
		name, _ := page.page()
		if !strings.HasPrefix(name, "desk") && !strings.HasPrefix(name, "account") {
			continue
		}
		of := reflect.TypeOf(page)
		_, paged := of.FieldByName("NextURL")
		_, sorted := of.FieldByName("Orders")
		if lists[name] = paged; paged && !sorted {
			if _, is := known[name]; !is {
				t.Errorf("the list %s goes on page by page and has no order to choose: embed Sorting", name)
			}
			known[name] = true
		}
		for f := range of.Fields() {
			if paged || f.Anonymous || f.Type.Kind() != reflect.Slice || f.Type.Elem().Kind() != reflect.Struct || f.Type.Elem() == reflect.TypeFor[Option]() {
				continue
			}
			if _, is := known[name+"."+f.Name]; !is {
				t.Errorf("the list %s.%s does not go on page by page: give it a NextURL, or say in noList why it is none", name, f.Name)
			}
			known[name+"."+f.Name] = true
		}
	}
	for name, there := range known {
		if !there {
			t.Errorf("%s is on no page any more: take it out of noList", name)
		}
	}
	for _, want := range []string{"desk-requests", "desk-evidence", "desk-position", "desk-retention", "desk-authenticators", "account-authenticators", "account-sessions", "account-history"} {
		if !lists[want] {
			t.Errorf("the page %s goes on nowhere, want it to be seen as a list", want)
		}
	}
}
