package web

import (
	"maps"
	"reflect"
	"regexp"
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

// lists are the pages that go on, in each state.
func lists() map[string]Page {
	list := pages()
	maps.DeleteFunc(list, func(_ string, page Page) bool {
		of := reflect.TypeOf(page)
		if of.Kind() != reflect.Struct {
			return true
		}
		_, paged := of.FieldByName("NextURL")
		return !paged
	})
	return list
}

// noFilter is which lists are narrowed by nothing, and why.
func noFilter() map[string][]string {
	return map[string][]string{
		"it is of one person, and short":  {"account", "account-authenticators", "account-roles", "account-sessions", "desk-authenticators", "desk-evidence", "desk-history"},
		"it is of one thing, and short":   {"desk-break-glass", "desk-position"},
		"it has a line for each day only": {"desk-retention"},
	}
}

// fields are those of the form by which a list is narrowed, but for its order.
func fields(page string) (names []string) {
	for _, form := range regexp.MustCompile(`(?s)role="search".*?</form>`).FindAllString(page, -1) {
		for _, name := range regexp.MustCompile(` name="([a-z]+)"`).FindAllStringSubmatch(form, -1) {
			if name[1] != "sort" {
				names = append(names, name[1])
			}
		}
	}
	return names
}

// Whatever goes on page by page can be narrowed. The next page with a list has a filter, or says why it has none; package idp holds what
// each filter does.
func TestListsAreFiltered(t *testing.T) {
	t.Parallel()
	known := map[string]bool{}
	for _, names := range noFilter() {
		for _, name := range names {
			known[name] = false
		}
	}
	for state, page := range lists() {
		name, _ := page.page()
		_, none := known[name]
		if narrows := fields(render(t, Options{}, page).Body.String()); none == (len(narrows) > 0) {
			t.Errorf("the list %s is narrowed by %q: give it a filter, or say in noFilter why it has none", state, narrows)
		}
		if none {
			known[name] = true
		}
	}
	for name, there := range known {
		if !there {
			t.Errorf("%s is no list any more: take it out of noFilter", name)
		}
	}
}

// Over none or one there is no order to choose, in whichever state a list is; over two there is, and where the list goes on.
func TestNoOrderOverOneRow(t *testing.T) {
	t.Parallel()
	chooses := func(page reflect.Value) bool {
		return strings.Contains(render(t, Options{}, page.Interface().(Page)).Body.String(), ` id="sort"`)
	}
	seen := 0
	for state, page := range lists() {
		of := reflect.TypeOf(page)
		if reflect.ValueOf(page).FieldByName("Orders").Len() == 0 {
			continue
		}
		list := reflect.New(of).Elem()
		list.Set(reflect.ValueOf(page))
		list.FieldByName("NextURL").SetString("")
		list.FieldByName("GoesOn").SetBool(false)
		list.FieldByName("Errors").SetZero()
		for i := range of.NumField() {
			if list.Field(i).Kind() == reflect.Slice && of.Field(i).Type.Elem() != reflect.TypeFor[Option]() {
				list.Field(i).SetZero()
			}
		}
		if chooses(list) {
			t.Errorf("%s without rows offers an order", state)
		}
		for i := range of.NumField() {
			rows := reflect.ValueOf(page).Field(i)
			if rows.Kind() != reflect.Slice || rows.Len() == 0 || of.Field(i).Type.Elem() == reflect.TypeFor[Option]() {
				continue
			}
			if list.Field(i).Set(rows.Slice(0, 1)); chooses(list) {
				t.Errorf("%s with one of its %s offers an order", state, of.Field(i).Name)
			}
			list.Field(i).SetZero()
			seen++
		}
		list.FieldByName("GoesOn").SetBool(true)
		if !chooses(list) {
			t.Errorf("%s, which goes on, offers no order", state)
		}
	}
	if seen < 20 {
		t.Errorf("%d lists have rows, want all to be seen", seen)
	}
}
