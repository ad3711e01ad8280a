package desk

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"

	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/idp/authority"
	"github.com/credence-id/credence/idp/deed"
	"github.com/credence-id/credence/store"
	"github.com/credence-id/credence/web"
)

// history lists what was done to the profile of a person, and to those that were merged into it.
func (h *Handler) history(w http.ResponseWriter, r *http.Request, o officer) error {
	before, err := uuid.Parse(r.URL.Query().Get("after"))
	if err != nil {
		before = uuid.Max // from the newest
	}
	id, ctx := r.PathValue("id"), r.Context()
	if err := h.may(ctx, o, authority.Subject{PersonID: id}, authority.FindPerson); err != nil {
		return err
	}
	found, err := h.Standing(ctx, id)
	if err != nil {
		return err
	}
	others, err := h.Store.MergedInto(ctx, id)
	if err != nil {
		return fmt.Errorf("read profiles merged into %s: %w", id, err)
	}
	list, err := h.Store.PersonChanges(ctx, append(others, id), before, perPage+1)
	if err != nil {
		return fmt.Errorf("list what was changed of person %s: %w", id, err)
	}
	page := web.DeskHistory{Desk: h.desk(r, o), PersonName: found.Person.DisplayName, PersonURL: "/desk/people/" + id}
	if len(list) > perPage {
		list = list[:perPage]
		page.NextURL = address(r.URL.Path, "after", list[perPage-1].ID.String())
	}
	var actors []string
	for _, c := range list {
		actors = append(actors, c.Actor)
	}
	names, err := h.Names(ctx, actors...)
	if err != nil {
		return err
	}
	for _, c := range list {
		row, err := historyRow(c, names, id)
		if err != nil {
			return err
		}
		page.Changes = append(page.Changes, row)
	}
	if err := audit.Record(ctx, h.Store, h.Line(o.Officer, audit.PersonViewed, id, map[string]string{"of": "history"})); err != nil {
		return fmt.Errorf("record: %w", err)
	}
	return h.Pages.Render(w, http.StatusOK, page)
}

func historyRow(c store.PersonChange, names map[string]string, of string) (web.HistoryRow, error) {
	row := web.HistoryRow{By: cmp.Or(names[c.Actor], c.Actor), Reason: c.Reason, At: c.At}
	row.What = map[string]string{
		"corrected": "Details corrected", "merged": "Merged with another profile", "closed": "Profile closed", "reopened": "Profile opened again",
		"left": "Leaves " + c.OrganisationCode,
	}[c.Kind]
	if c.PersonID != of {
		row.UserID = c.PersonID
	}
	from, to := map[string]string{}, map[string]string{}
	if err := errors.Join(json.Unmarshal(c.Old, &from), json.Unmarshal(c.New, &to)); err != nil {
		return row, fmt.Errorf("read change %s: %w", c.ID, err)
	}
	var changes []deed.Change
	fields := maps.Clone(from)
	maps.Copy(fields, to)
	for _, field := range slices.Sorted(maps.Keys(fields)) {
		changes = append(changes, deed.Change{Field: field, From: from[field], To: to[field]})
	}
	row.Changes = changed(changes)
	return row, nil
}
