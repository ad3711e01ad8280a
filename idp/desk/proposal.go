package desk

import (
	"errors"
	"net/http"

	"github.com/credence-id/credence/idp/assurance"
	"github.com/credence-id/credence/idp/deed"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/evidence"
	"github.com/credence-id/credence/idp/office"
	"github.com/credence-id/credence/store"
	"github.com/credence-id/credence/web"
)

// proposalsPath is where the evidence is listed that waits for a second officer.
const proposalsPath = "/desk/evidence"

// proposals lists it.
func (h *Handler) proposals(w http.ResponseWriter, r *http.Request, o officer) error {
	organisation := codeOr(r.URL.Query().Get("organisation"), o.Organisation)
	order, sorting := sorted(r, store.Order{By: store.ByTime}, column{by: store.ByTime, up: "oldest first", down: "newest first"})
	page := web.DeskProposals{Desk: h.desk(r, o), Organisation: organisation, Sorting: sorting}
	rows, names, more, err := h.ProposedEvidence(r.Context(), o.Officer, organisation, order, followingUUID(r))
	if errors.Is(err, directory.ErrUnknown) {
		page.Errors = noOrganisation(o)
		return h.Pages.Render(w, http.StatusBadRequest, page)
	}
	if err != nil {
		return err
	}
	for _, p := range rows {
		page.Proposals = append(page.Proposals, web.ProposalRow{
			Kind: capital(assurance.KindWords(p.Kind)), PersonName: names[p.PersonID], ProposedBy: names[p.ProposedBy], Age: age(p.ProposedAt, h.Now()), URL: proposalsPath + "/" + p.ID.String(),
		})
	}
	if more {
		page.NextURL = onward(r, rows[len(rows)-1].ID.String(), "organisation", organisation)
	}
	return h.Pages.Render(w, http.StatusOK, page)
}

// proposal shows one piece of it.
func (h *Handler) proposal(w http.ResponseWriter, r *http.Request, o officer) error {
	p, err := h.Proposed(r.Context(), o.Officer, r.PathValue("proposal"))
	if err != nil {
		return err
	}
	return h.Pages.Render(w, http.StatusOK, h.proposalPage(r, o, p))
}

func (h *Handler) proposalPage(r *http.Request, o officer, p office.Proposed) web.DeskProposal {
	page := web.DeskProposal{
		Desk: h.desk(r, o), PersonName: p.Person.DisplayName, EvidenceURL: "/desk/people/" + p.PersonID + "/evidence", Kind: assurance.KindWords(p.Piece.Kind),
		Waits: true, ProposedBy: p.ProposedByName, ProposedAt: p.ProposedAt, Own: p.Own, ByVideo: p.Piece.Declared == evidence.ByVideo, PostURL: r.URL.Path,
	}
	for _, d := range [][2]string{
		{"Given names", p.Piece.Subject.GivenName},
		{"Family name", p.Piece.Subject.FamilyName},
		{"Date of birth", dayWords(p.Piece.Subject.Birthdate)},
		{"Number", p.Piece.Number},
		{"Issuer", p.Piece.Issuer},
		{"Country of the issuer", p.Piece.Country},
		{"Issued on", dayWords(p.Piece.IssuedOn)},
		{"Expires on", dayWords(p.Piece.ExpiresOn)},
	} {
		if d[1] != "" {
			page.Says = append(page.Says, web.Detail{Name: d[0], Values: []string{d[1]}})
		}
	}
	for _, c := range p.Piece.Checks {
		page.Checks = append(page.Checks, checkLine(c))
	}
	return page
}

// decideProposal confirms or dismisses it.
func (h *Handler) decideProposal(w http.ResponseWriter, r *http.Request, o officer) error {
	f, err := web.Form(w, r, mostForm)
	if err != nil {
		return err
	}
	p, err := h.ToDecide(r.Context(), o.Officer, r.PathValue("proposal"))
	if refusedAs(err, deed.DecidedAlready) {
		return h.settledProposal(w, r, o, f.Get("verdict"), err)
	}
	if err != nil {
		return err
	}
	page := h.proposalPage(r, o, p)
	page.Verdict = f.Get("verdict")
	switch page.Verdict {
	case "confirm":
		var change evidence.Change
		if change, err = h.ConfirmEvidence(r.Context(), o.Officer, p); err == nil {
			return h.Pages.Render(w, http.StatusOK, h.changePage(r, o, p.Person, p.Piece.Kind, change))
		}
		for _, known := range []error{evidence.ErrDuplicate, evidence.ErrForged, evidence.ErrInvalid} {
			if errors.Is(err, known) {
				page.Errors = []web.FieldError{{Message: capital(err.Error()) + "."}}
			}
		}
		if refusal, refused := errors.AsType[*deed.Refusal](err); refused && refusal.Reason == office.NoAccountCode {
			page.Errors = []web.FieldError{{Message: refusal.Sentence()}}
		}
		if refusedAs(err, deed.DecidedAlready) { // a moment ago
			return h.settledProposal(w, r, o, page.Verdict, err)
		}
		if page.Errors == nil {
			return err
		}
	case "dismiss":
		err := h.DismissEvidence(r.Context(), o.Officer, p)
		if refusedAs(err, deed.DecidedAlready) {
			return h.settledProposal(w, r, o, page.Verdict, err)
		}
		if err != nil {
			return err
		}
		return web.SeeOther(w, r, page.EvidenceURL)
	default:
		page.Errors = []web.FieldError{{Field: "verdict", Message: "Select whether you confirm or dismiss it"}}
	}
	return h.Pages.Render(w, http.StatusBadRequest, page)
}

// settledProposal says what was decided about a piece that does not wait any more, and why nothing else is.
func (h *Handler) settledProposal(w http.ResponseWriter, r *http.Request, o officer, verdict string, why error) error {
	wrong, err := mistakes(why, nil)
	if err != nil {
		return err
	}
	s, err := h.SettledProposal(r.Context(), o.Officer, r.PathValue("proposal"))
	if err != nil {
		return err
	}
	page := web.DeskProposal{Desk: h.desk(r, o), PersonName: s.Person.DisplayName, EvidenceURL: "/desk/people/" + s.PersonID + "/evidence", Kind: assurance.KindWords(s.Kind)}
	page.Errors = wrong
	entered := map[string]string{"confirm": "Confirm it", "dismiss": "Dismiss it"}[verdict]
	page.Meanwhile = meanwhile(s.Done, beside("Decision", capital(s.State), entered))
	return h.Pages.Render(w, http.StatusBadRequest, page)
}
