package desk

import (
	"cmp"
	"errors"
	"net/http"
	"strconv"

	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/office"
	"github.com/credence-id/credence/idp/unusual"
	"github.com/credence-id/credence/store"
	"github.com/credence-id/credence/web"
)

const (
	unusualPath   = "/desk/unusual"
	suspendedPath = "/desk/suspended"
)

// unusual lists unusual sign-ins, each with the way to what the record says of the person on that day.
func (h *Handler) unusual(w http.ResponseWriter, r *http.Request, o officer) error {
	organisation := codeOr(r.URL.Query().Get("organisation"), o.Organisation)
	order, sorting := sorted(r, store.Order{By: store.ByTime, Descending: true},
		column{name: "Person"}, column{"When", store.ByTime, "oldest first", "newest first"}, column{name: "Why"}, column{name: "From"})
	page := web.DeskUnusual{Desk: h.desk(r, o), Organisation: organisation, Days: office.DaysBack, Sorting: sorting}
	rows, more, err := h.UnusualSignIns(r.Context(), o.Officer, organisation, order, followingLine(r))
	if errors.Is(err, directory.ErrUnknown) {
		page.Errors = noOrganisation(o)
		return h.Pages.Render(w, http.StatusBadRequest, page)
	}
	if err != nil {
		return err
	}
	words := map[string]string{}
	for _, rule := range unusual.Rules() {
		words[string(rule.Reason)] = rule.Words
	}
	for _, row := range rows {
		day := row.At.Format("2/1/2006")
		shown := web.UnusualSignIn{
			At: row.At, Name: row.PersonName, PersonID: row.PersonID, Address: row.Address, URL: address(auditPath, "person", row.PersonID, "from", day, "until", day),
		}
		for _, reason := range row.Reasons {
			shown.Reasons = append(shown.Reasons, cmp.Or(words[reason], reason))
		}
		page.SignIns = append(page.SignIns, shown)
	}
	if more {
		page.NextURL = onward(r, strconv.FormatInt(rows[len(rows)-1].Sequence, 10), "organisation", organisation)
	}
	return h.Pages.Render(w, http.StatusOK, page)
}

// suspended lists the authenticators that are suspended or lost.
func (h *Handler) suspended(w http.ResponseWriter, r *http.Request, o officer) error {
	organisation := codeOr(r.URL.Query().Get("organisation"), o.Organisation)
	order, sorting := sorted(r, store.Order{By: store.ByStart},
		column{name: "Person"}, column{name: "Authenticator"}, column{name: "State"}, column{"Since", store.ByStart, "oldest first", "newest first"})
	page := web.DeskSuspended{Desk: h.desk(r, o), Organisation: organisation, Sorting: sorting}
	rows, more, err := h.SuspendedAuthenticators(r.Context(), o.Officer, organisation, order, followingUUID(r))
	if errors.Is(err, directory.ErrUnknown) {
		page.Errors = noOrganisation(o)
		return h.Pages.Render(w, http.StatusBadRequest, page)
	}
	if err != nil {
		return err
	}
	for _, row := range rows {
		page.Authenticators = append(page.Authenticators, web.SuspendedAuthenticator{
			PersonName: row.PersonName, PersonID: row.PersonID, URL: "/desk/people/" + row.PersonID + "/authenticators", Name: row.Name,
			Kind: kindWords(row.Kind), State: capital(row.State), Since: row.Since,
		})
	}
	if more {
		page.NextURL = onward(r, rows[len(rows)-1].ID.String(), "organisation", organisation)
	}
	return h.Pages.Render(w, http.StatusOK, page)
}
