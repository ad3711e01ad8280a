package api

import (
	"reflect"
	"slices"
	"strings"
	"testing"
)

// Whatever goes on page by page can be put in an order, and says in which: the next list is one of these, or says why it is none.
func TestListsArePagedAndSorted(t *testing.T) {
	t.Parallel()
	named := func(in reflect.Type, name string) (member, bool) {
		list := members(in)
		i := slices.IndexFunc(list, func(m member) bool { return m.name == name })
		if i < 0 {
			return member{}, false
		}
		return list[i], true
	}
	lists := 0
	for _, r := range routes() {
		goesOn := slices.ContainsFunc(members(r.out), func(m member) bool {
			within := false
			if m.Type.Kind() == reflect.Struct {
				_, within = named(m.Type, "next")
			}
			return m.name == "next" || within
		})
		switch items, is := named(r.out, "items"); {
		case is && !goesOn && items.Type.Kind() == reflect.Slice:
			t.Errorf("%s lists %s and does not go on: answer a page", r.name, items.Type)
		case !goesOn:
			continue
		}
		lists++
		if _, is := named(r.in, "after"); !is {
			t.Errorf("%s has a next page and takes no after", r.name)
		}
		order, is := named(r.in, "order")
		if !is {
			t.Errorf("%s has a next page and takes no order", r.name)
		}
		for one := range strings.FieldsSeq(order.Tag.Get("enum")) {
			if opposite := "-" + strings.TrimPrefix(one, "-"); one != "likeness" && !slices.Contains(strings.Fields(order.Tag.Get("enum")), opposite) {
				t.Errorf("%s goes by %s from one end, want it from the other: %s", r.name, one, opposite)
			}
		}
		if is && order.Tag.Get("enum") == "" {
			t.Errorf("%s does not say in which orders it can be", r.name)
		}
	}
	if lists < 20 {
		t.Errorf("the lists are %d, want all to be seen", lists)
	}
}
