package desk

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/credence-id/credence/idp/authority"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/office"
	"github.com/credence-id/credence/idp/position"
	"github.com/credence-id/credence/store"
	"github.com/credence-id/credence/web"
)

// newPosition is the form for a position that there is not yet.
func (h *Handler) newPosition(w http.ResponseWriter, r *http.Request, o officer) error {
	organisation := codeOr(r.URL.Query().Get("organisation"), o.Organisation)
	if err := h.may(r.Context(), o, authority.Subject{Path: []string{o.Organisation}}, authority.ManagePositions); err != nil {
		return err
	}
	return h.Pages.Render(w, http.StatusOK, h.positionForm(r, o, position.Draft{}, organisation))
}

// propose takes that form.
func (h *Handler) propose(w http.ResponseWriter, r *http.Request, o officer) error {
	f, err := web.Form(w, r, mostForm)
	if err != nil {
		return err
	}
	organisation, draft := codeOr(f.Get("organisation"), o.Organisation), draftOf(f)
	wrong := noOrganisation(o)
	if codeForm.MatchString(organisation) {
		id, err := h.Positions.Propose(r.Context(), o.Acting(), organisation, draft)
		if err == nil {
			return web.SeeOther(w, r, positionsPath+"/"+id)
		}
		if !errors.Is(err, directory.ErrUnknown) {
			if wrong, err = draftMistakes(err); err != nil {
				return err
			}
		}
	}
	page := h.positionForm(r, o, draft, f.Get("organisation"))
	page.Errors = wrong
	asTyped(&page, f)
	return h.Pages.Render(w, http.StatusBadRequest, page)
}

// revision is the form for what a position is to be instead.
func (h *Handler) revision(w http.ResponseWriter, r *http.Request, o officer) error {
	p, draft, err := h.ToRevise(r.Context(), o.Officer, r.PathValue("id"))
	if err != nil {
		return err
	}
	return h.Pages.Render(w, http.StatusOK, h.revisionForm(r, o, draft, p))
}

// revise takes that form.
func (h *Handler) revise(w http.ResponseWriter, r *http.Request, o officer) error {
	f, err := web.Form(w, r, mostForm)
	if err != nil {
		return err
	}
	id, seen, draft := r.PathValue("id"), number(r, "seen"), draftOf(f)
	_, err = h.Positions.Revise(r.Context(), o.Acting(), id, seen, draft)
	if err == nil {
		return web.SeeOther(w, r, positionsPath+"/"+id)
	}
	wrong, err := draftMistakes(err)
	if err != nil {
		return err
	}
	p, err := h.Seen(r.Context(), o.Officer, id)
	if err != nil {
		return err
	}
	page := h.revisionForm(r, o, draft, p)
	page.Errors = wrong
	asTyped(&page, f)
	if p.Version != seen {
		differ := differences(h.details(p.PositionVersion), h.details(draftVersion(draft)))
		page.Meanwhile, err = h.proposedMeanwhile(r.Context(), p, append(differ, beside("Reason", p.Reason, draft.Reason))...)
		if err != nil {
			return err
		}
	}
	return h.Pages.Render(w, http.StatusBadRequest, page)
}

// draftOf reads what was entered. What is wrong with it the domain says.
func draftOf(f map[string][]string) position.Draft {
	entered := func(name string) string { return web.OneLine(strings.Join(f[name], " ")) }
	draft := position.Draft{
		Name: entered("name"), Notes: entered("notes"), JobRole: entered("job_role"), AreasOfWork: f["area_of_work"], Activities: f["activity"],
		Assignable: len(f["assignable"]) > 0, Reason: entered("reason"),
	}
	for line := range strings.Lines(strings.Join(f["workgroup"], "\n")) {
		if id, name, _ := strings.Cut(web.OneLine(line), " "); id != "" {
			draft.Workgroups = append(draft.Workgroups, store.Workgroup{ID: id, Name: name})
		}
	}
	for line := range strings.Lines(strings.Join(f["include"], "\n")) {
		if id, _, _ := strings.Cut(web.OneLine(line), " "); id != "" {
			draft.Includes = append(draft.Includes, id)
		}
	}
	return draft
}

// proposedMeanwhile is what another officer has proposed since, beside what was entered.
func (h *Handler) proposedMeanwhile(ctx context.Context, p office.Position, differences ...web.Difference) (*web.Meanwhile, error) {
	names, err := h.Names(ctx, p.MadeBy)
	return meanwhile(office.Done{By: names[p.MadeBy], At: p.MadeAt}, differences...), err
}

// draftVersion is what a version of what was entered would give.
func draftVersion(d position.Draft) store.PositionVersion {
	v := store.PositionVersion{
		Name: d.Name, Notes: d.Notes, JobRole: d.JobRole, AreasOfWork: d.AreasOfWork, Activities: d.Activities, Includes: d.Includes, Assignable: d.Assignable,
	}
	for _, g := range d.Workgroups {
		v.Workgroups = append(v.Workgroups, g.ID)
	}
	return v
}

// asTyped fills the form in with what was typed, and not with what was read of it.
func asTyped(page *web.DeskPositionForm, f url.Values) {
	page.Name, page.Notes, page.Workgroups, page.Includes, page.Reason = f.Get("name"), f.Get("notes"), f.Get("workgroup"), f.Get("include"), f.Get("reason")
}

// draftMistakes is mistakes for the form of a position, in the order of its fields.
func draftMistakes(err error) ([]web.FieldError, error) {
	wrong, err := mistakes(err, map[string]string{
		"name": "Enter a name, of up to 100 characters", "notes": "Enter notes of up to 1,000 characters", "job_role": "Select a job role of the list",
		"workgroup":  "Enter each workgroup on a line of its own: 12 digits, a space and its name",
		"include":    "Enter the 12 digits of each position, once, on a line of its own: 20 at most",
		"assignable": "A position that makes somebody an officer is always for a second officer to decide",
		"reason":     wantReason,
	})
	return inOrder(wrong, "name", "notes", "job_role", "activity", "area_of_work", "workgroup", "include", "assignable", "reason"), err
}

// revisionForm is the form for a position, in the version that the officer now has before her.
func (h *Handler) revisionForm(r *http.Request, o officer, d position.Draft, p office.Position) web.DeskPositionForm {
	page := h.positionForm(r, o, d, p.OrganisationCode)
	page.PositionName, page.PositionURL, page.IncludedBy = p.Name, positionsPath+"/"+p.PositionID, includers(p)
	page.PostURL = o.form(r.URL.Path, "seen", strconv.Itoa(p.Version))
	return page
}

func (h *Handler) positionForm(r *http.Request, o officer, d position.Draft, organisation string) web.DeskPositionForm {
	page := web.DeskPositionForm{
		Desk: h.desk(r, o), PostURL: o.form(r.URL.Path), Organisation: organisation, Includes: strings.Join(d.Includes, "\n"),
		Name: d.Name, Notes: d.Notes, JobRole: d.JobRole, Reason: d.Reason,
		JobRoles:    append([]web.Option{{Label: "Select a job role"}}, options(h.Catalogue.JobRoles(), h.Catalogue.JobRoleShortName, nil)...),
		Activities:  options(h.Catalogue.Activities(), h.Catalogue.ActivityName, d.Activities),
		AreasOfWork: options(h.Catalogue.AreasOfWork(), h.Catalogue.AreaOfWorkShortName, d.AreasOfWork),
		Assignable:  []web.Option{{Value: "yes", Label: "A sponsor alone: it is given at once", Checked: d.Assignable}},
	}
	var lines []string
	for _, g := range d.Workgroups {
		lines = append(lines, g.ID+" "+g.Name)
	}
	page.Workgroups = strings.Join(lines, "\n")
	return page
}

func options(entries []directory.Entry, name func(string) string, checked []string) []web.Option {
	list := make([]web.Option, len(entries))
	for i, e := range entries {
		list[i] = web.Option{Value: e.Code, Label: name(e.Code) + " (" + e.Code + ")", Checked: slices.Contains(checked, e.Code)}
	}
	return list
}

// closing is the form that proposes the end of a position.
func (h *Handler) closing(w http.ResponseWriter, r *http.Request, o officer) error {
	p, err := h.ToManage(r.Context(), o.Officer, r.PathValue("id"))
	if err != nil {
		return err
	}
	return h.Pages.Render(w, http.StatusOK, h.closingPage(r, o, p))
}

func (h *Handler) closingPage(r *http.Request, o officer, p office.Position) web.DeskPositionClose {
	return web.DeskPositionClose{
		Desk: h.desk(r, o), PostURL: o.form(r.URL.Path, "seen", strconv.Itoa(p.Version)), PositionName: p.Name, PositionURL: positionsPath + "/" + p.PositionID,
		Holders: p.Holders, HoldersURL: positionsPath + "/" + p.PositionID + "/holders", IncludedBy: includers(p),
	}
}

// close takes that form.
func (h *Handler) close(w http.ResponseWriter, r *http.Request, o officer) error {
	f, err := web.Form(w, r, mostForm)
	if err != nil {
		return err
	}
	id := r.PathValue("id")
	_, err = h.Positions.Close(r.Context(), o.Acting(), id, number(r, "seen"), web.OneLine(f.Get("reason")))
	if err == nil {
		return web.SeeOther(w, r, positionsPath+"/"+id)
	}
	wrong, err := mistakes(err, map[string]string{"reason": wantReason})
	if err != nil {
		return err
	}
	p, err := h.Seen(r.Context(), o.Officer, id)
	if err != nil {
		return err
	}
	page := h.closingPage(r, o, p)
	page.Errors, page.Reason = wrong, f.Get("reason")
	if p.Version != number(r, "seen") {
		proposed := map[bool]string{true: "To close it", false: "To change it"}[p.Closes]
		page.Meanwhile, err = h.proposedMeanwhile(r.Context(), p, beside("Proposed", proposed+": "+p.Reason, "To close it: "+page.Reason))
		if err != nil {
			return err
		}
	}
	return h.Pages.Render(w, http.StatusBadRequest, page)
}
