package desk

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/idp/authority"
	"github.com/credence-id/credence/idp/deed"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/lifecycle"
	"github.com/credence-id/credence/idp/position"
	"github.com/credence-id/credence/store"
	"github.com/credence-id/credence/web"
)

// mergesPath is where the merges are listed that nobody has decided.
const mergesPath = "/desk/merges"

// merges lists them.
func (h *Handler) merges(w http.ResponseWriter, r *http.Request, o officer) error {
	organisation := codeOr(r.URL.Query().Get("organisation"), o.Organisation)
	order, sorting := sorted(r, store.Order{By: store.ByTime},
		column{name: "Kept"}, column{name: "Closed"}, column{name: "Proposed by"}, column{"Proposed", store.ByTime, "oldest first", "newest first"})
	page := web.DeskMerges{Desk: h.desk(r, o), Organisation: organisation, Sorting: sorting}
	rows, more, err := h.OpenMerges(r.Context(), o.Officer, organisation, order, followingUUID(r))
	if errors.Is(err, directory.ErrUnknown) {
		page.Errors = noOrganisation(o)
		return h.Pages.Render(w, http.StatusBadRequest, page)
	}
	if err != nil {
		return err
	}
	for _, row := range rows {
		page.Merges = append(page.Merges, web.MergeRow{
			KeptName: row.KeptName, KeptID: row.Kept, ClosedName: row.DuplicateName, ClosedID: row.Duplicate, ProposedBy: row.ProposedByName,
			Age: age(row.ProposedAt, h.Now()), URL: mergesPath + "/" + row.ID.String(),
		})
	}
	if more {
		page.NextURL = onward(r, rows[len(rows)-1].ID.String(), "organisation", organisation)
	}
	return h.Pages.Render(w, http.StatusOK, page)
}

// comparing shows two profiles beside each other, and the form by which it is proposed that they be merged; or who may be the
// same person, to choose the other one.
func (h *Handler) comparing(w http.ResponseWriter, r *http.Request, o officer) error {
	other := strings.ReplaceAll(web.OneLine(r.URL.Query().Get("other")), " ", "")
	s, err := h.Lifecycle.Look(r.Context(), o.Acting(), authority.MergePeople, r.PathValue("id"), "")
	if err != nil {
		return err
	}
	if other != "" && idForm.MatchString(other) && other != s.PersonID {
		page, err := h.comparePage(r, o, s, other)
		if err != nil {
			return err
		}
		return h.Pages.Render(w, http.StatusOK, page)
	}
	page := web.DeskSame{Desk: h.desk(r, o), PersonName: s.DisplayName, PersonURL: "/desk/people/" + s.PersonID, SearchURL: r.URL.Path, Other: r.URL.Query().Get("other")}
	status := http.StatusOK
	if page.Other != "" {
		status = http.StatusBadRequest
		page.Errors = []web.FieldError{{Field: "other", Message: "Enter the user ID of another person, of 12 digits"}}
	}
	alike, err := h.Lifecycle.Alike(r.Context(), o.Acting(), s)
	if err != nil {
		return err
	}
	for _, c := range alike.People {
		shown := candidate(c)
		shown.URL = address(r.URL.Path, "other", c.ID)
		page.People = append(page.People, shown)
	}
	return h.Pages.Render(w, status, page)
}

func (h *Handler) comparePage(r *http.Request, o officer, s lifecycle.Subject, other string) (web.DeskMerge, error) {
	second, err := h.Lifecycle.Look(r.Context(), o.Acting(), authority.MergePeople, other, "")
	if err != nil {
		return web.DeskMerge{}, err
	}
	page := web.DeskMerge{Desk: h.desk(r, o), PostURL: address(r.URL.Path, "other", other)}
	for _, side := range []lifecycle.Subject{s, second} {
		page.Sides = append(page.Sides, h.side(side))
		page.Keep = append(page.Keep, web.Option{Value: side.PersonID, Label: side.PersonID + ", " + side.DisplayName})
	}
	return page, nil
}

func (h *Handler) side(s lifecycle.Subject) web.Side {
	side := web.Side{
		Name: s.DisplayName, UserID: s.PersonID, Email: s.Email, Identity: identityWords(s.Person.IdentityLevel), URL: "/desk/people/" + s.PersonID,
	}
	if s.DateOfBirth != nil {
		side.Born = s.DateOfBirth.Format("2 January 2006")
	}
	side.Roles = h.losses(s, "")[0].Values
	return side
}

// proposeMerge proposes that two profiles be merged.
func (h *Handler) proposeMerge(w http.ResponseWriter, r *http.Request, o officer) error {
	f, err := web.Form(w, r, mostForm)
	if err != nil {
		return err
	}
	one, other, keep := r.PathValue("id"), r.URL.Query().Get("other"), f.Get("keep")
	duplicate := one
	if keep == one {
		duplicate = other
	}
	var id uuid.UUID
	if keep != one && keep != other || keep == "" {
		err = &directory.InvalidError{Field: "keep", Want: "one of both"}
	} else {
		id, err = h.Lifecycle.ProposeMerge(r.Context(), o.Acting(), duplicate, keep, web.OneLine(f.Get("reason")))
	}
	if err == nil {
		return web.SeeOther(w, r, mergesPath+"/"+id.String())
	}
	already := refusedAs(err, lifecycle.ProposedAlready)
	wrong, err := mistakes(err, map[string]string{"keep": "Select which profile is kept", "reason": wantReason})
	if err != nil {
		return err
	}
	s, err := h.Lifecycle.Look(r.Context(), o.Acting(), authority.MergePeople, one, "")
	if err != nil {
		return err
	}
	page, err := h.comparePage(r, o, s, other)
	if err != nil {
		return err
	}
	page.Errors, page.Kept, page.Reason = wrong, keep, f.Get("reason")
	if already {
		done, err := h.Last(r.Context(), duplicate, "kept", keep, audit.MergeProposed) // and not of another profile, which may be elsewhere
		if err == nil && done.By == "" {
			done, err = h.Last(r.Context(), keep, "kept", duplicate, audit.MergeProposed) // the other way round
		}
		if err != nil {
			return err
		}
		page.Meanwhile = meanwhile(done, beside("Kept", done.Detail["kept"], keep), beside("Reason", done.Detail["reason"], page.Reason))
	}
	return h.Pages.Render(w, http.StatusBadRequest, page)
}

// merge shows a merge that was proposed, and to another officer the form by which it is decided.
func (h *Handler) merge(w http.ResponseWriter, r *http.Request, o officer) error {
	page, err := h.mergePage(r, o)
	if err != nil {
		return err
	}
	return h.Pages.Render(w, http.StatusOK, page)
}

func mergeID(r *http.Request) (uuid.UUID, error) {
	id, err := uuid.Parse(r.PathValue("merge"))
	if err != nil {
		return id, fmt.Errorf("merge %.40q %w", r.PathValue("merge"), directory.ErrUnknown)
	}
	return id, nil
}

func (h *Handler) mergePage(r *http.Request, o officer) (web.DeskMerge, error) {
	id, err := mergeID(r)
	if err != nil {
		return web.DeskMerge{}, err
	}
	m, err := h.Lifecycle.Merge(r.Context(), id)
	if err != nil {
		return web.DeskMerge{}, err
	}
	page := web.DeskMerge{
		Desk: h.desk(r, o), PostURL: r.URL.Path, Proposed: true, CanDecide: m.State == "proposed" && m.ProposedBy != o.PersonID,
		Keep: []web.Option{{Value: string(position.Approve), Label: "Approve: they are one person"}, {Value: string(position.Refuse), Label: "Refuse"}},
	}
	if page.CanDecide {
		bindings, err := h.Lifecycle.BoundByOthers(r.Context(), m)
		if err != nil {
			return web.DeskMerge{}, err
		}
		page.Bound, page.PostURL = boundByOthers(bindings), o.form(r.URL.Path, "bound", position.MarkOf(bindings))
	}
	for _, person := range []string{m.Kept, m.Duplicate} {
		s, err := h.Lifecycle.Look(r.Context(), o.Acting(), authority.MergePeople, person, "")
		if err != nil {
			return web.DeskMerge{}, err
		}
		side := h.side(s)
		side.Kept = person == m.Kept
		page.Sides = append(page.Sides, side)
	}
	officers := []string{m.ProposedBy}
	if m.DecidedBy != nil {
		officers = append(officers, *m.DecidedBy)
	}
	names, err := h.Names(r.Context(), officers...)
	if err != nil {
		return web.DeskMerge{}, err
	}
	page.Details = []web.Detail{{Name: "State", Values: []string{capital(m.State)}}, {Name: "Proposed by", Values: []string{names[m.ProposedBy]}}, {Name: "Reason", Values: []string{m.Reason}}}
	if m.DecidedBy != nil {
		page.Details = append(page.Details, web.Detail{Name: "Decided by", Values: []string{names[*m.DecidedBy]}}, web.Detail{Name: "Decision", Values: []string{*m.DecisionReason}})
	}
	return page, nil
}

// decideMerge decides a merge.
func (h *Handler) decideMerge(w http.ResponseWriter, r *http.Request, o officer) error {
	f, err := web.Form(w, r, mostForm)
	if err != nil {
		return err
	}
	id, err := mergeID(r)
	if err != nil {
		return err
	}
	err = h.Lifecycle.DecideMerge(r.Context(), o.Acting(), id, position.Verdict(f.Get("verdict")), web.OneLine(f.Get("reason")), r.URL.Query().Get("bound"))
	if err == nil {
		return web.SeeOther(w, r, r.URL.Path)
	}
	decided := refusedAs(err, deed.DecidedAlready)
	wrong, err := mistakes(err, map[string]string{"verdict": "Select whether you approve or refuse", "reason": wantReason})
	if err != nil {
		return err
	}
	page, err := h.mergePage(r, o)
	if err != nil {
		return err
	}
	page.Errors, page.Verdict, page.Reason = wrong, f.Get("verdict"), f.Get("reason")
	if decided {
		page.Meanwhile, err = h.mergedMeanwhile(r.Context(), id, page)
		if err != nil {
			return err
		}
	}
	return h.Pages.Render(w, http.StatusBadRequest, page)
}

// mergedMeanwhile is how another officer decided a merge, beside what was entered.
func (h *Handler) mergedMeanwhile(ctx context.Context, id uuid.UUID, page web.DeskMerge) (*web.Meanwhile, error) {
	m, err := h.Lifecycle.Merge(ctx, id)
	if err != nil || m.DecidedBy == nil {
		return nil, err
	}
	names, err := h.Names(ctx, *m.DecidedBy)
	d := web.Decision{ByName: names[*m.DecidedBy], Reason: *m.DecisionReason, At: *m.DecidedAt}
	return decidedMeanwhile(d, capital(m.State), verdictEntered(false, page.Verdict), page.Reason), err
}
