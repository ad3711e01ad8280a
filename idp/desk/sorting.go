package desk

import (
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/store"
	"github.com/credence-id/credence/web"
)

// column is one of the table of a list, or without a name an order that no column shows. By is what orders the list by it, "" being
// nothing. What its orders are called: up from its first row, "oldest first", and down from its last, "" where that is none.
type column struct {
	name     string
	by       store.Column
	up, down string
}

// orders are those that a column offers, and what each is called.
func (c column) orders() map[store.Order]string {
	offered := map[store.Order]string{}
	if c.by != "" {
		offered[store.Order{By: c.by}] = c.up
	}
	if c.down != "" {
		offered[store.Order{By: c.by, Descending: true}] = c.down
	}
	return offered
}

// sorted reads in which of the orders that its columns offer the address of a list asks for it, as `sort=starts` or, from its other
// end, `sort=-starts`. An order that is not offered is the first: the list is of the same, and which
// orders it offers can follow from what else is asked for.
func sorted(r *http.Request, first store.Order, columns ...column) (store.Order, web.Sorting) {
	by, descending := strings.CutPrefix(r.URL.Query().Get("sort"), "-")
	order := store.Order{By: store.Column(by), Descending: descending}
	if !slices.ContainsFunc(columns, func(c column) bool { return c.orders()[order] != "" }) {
		order = first
	}
	shown := web.Sorting{Order: parameter(order), GoesOn: r.URL.Query().Get("after") != ""}
	for _, c := range columns {
		offered := c.orders()
		for _, o := range []store.Order{{By: c.by}, {By: c.by, Descending: true}} {
			if says := offered[o]; says != "" {
				shown.Orders = append(shown.Orders, web.Option{Value: parameter(o), Label: capital(strings.TrimPrefix(c.name+": "+says, ": "))})
			}
		}
		if is := offered[order]; is != "" {
			shown.Caption = capital(is)
		}
		if c.name != "" {
			shown.Headings = append(shown.Headings, heading(r, c, order))
		}
	}
	return order, shown
}

// inTime is [sorted] for a list that no table shows, and that is in the order of time.
func inTime(r *http.Request, newestFirst bool) (store.Order, web.Sorting) {
	return sorted(r, store.Order{By: store.ByTime, Descending: newestFirst}, column{by: store.ByTime, up: "oldest first", down: "newest first"})
}

// heading is that of a column of a list in an order.
func heading(r *http.Request, c column, is store.Order) web.Heading {
	shown := web.Heading{Name: c.name}
	if c.by == "" {
		return shown
	}
	to := store.Order{By: c.by}
	switch is {
	case to:
		shown.Sort, to.Descending = "ascending", true
	case store.Order{By: c.by, Descending: true}:
		shown.Sort = "descending"
	}
	q := r.URL.Query()
	q.Del("after")
	q.Set("sort", parameter(to))
	shown.URL, shown.Order = r.URL.Path+"?"+q.Encode(), c.orders()[to]
	return shown
}

// parameter is an order as an address has it.
func parameter(o store.Order) string {
	if o.Descending {
		return "-" + string(o.By)
	}
	return string(o.By)
}

// onward is the address of a list where it goes on: it asks for all that it was asked for, from after a row, and for what was taken where
// that did not say, in pairs of a name and its value.
func onward(r *http.Request, after string, pairs ...string) string {
	q := r.URL.Query()
	for i := 0; i+1 < len(pairs); i += 2 {
		q.Set(pairs[i], pairs[i+1])
	}
	q.Set("after", after)
	return r.URL.Path + "?" + q.Encode()
}

// chosen reads which of some options the address of a list asks for, the first where it does not say. What is none of them is a mistake.
func chosen(r *http.Request, name string, options []web.Option) (value string, wrong []web.FieldError) {
	value = r.URL.Query().Get(name)
	if value == "" {
		return options[0].Value, nil
	}
	labels := make([]string, len(options))
	for i, option := range options {
		if option.Value == value {
			return value, nil
		}
		labels[i] = option.Label
	}
	return options[0].Value, []web.FieldError{{Field: name, Message: "Select one of these: " + strings.Join(labels, "; ")}}
}

// ofOrganisation is what is wrong with what the address of a list asks for, also where there is no organisation of which it would be.
func ofOrganisation(o officer, err error, wrong ...web.FieldError) ([]web.FieldError, error) {
	if errors.Is(err, directory.ErrUnknown) {
		return append(noOrganisation(o), wrong...), nil
	}
	return wrong, err
}

// followingLine is [following] where the rows have numbers, which begin at 1.
func followingLine(r *http.Request) int64 {
	after, err := strconv.ParseInt(r.URL.Query().Get("after"), 10, 64)
	if err != nil || after < 0 {
		return 0
	}
	return after
}

// followingUUID is [following] where the rows have UUIDs.
func followingUUID(r *http.Request) uuid.UUID {
	after, err := uuid.Parse(r.URL.Query().Get("after"))
	if err != nil {
		return uuid.Nil
	}
	return after
}
