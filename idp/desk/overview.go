package desk

import (
	"context"
	"fmt"
	"net/http"

	"github.com/credence-id/credence/idp/authority"
	"github.com/credence-id/credence/idp/office"
	"github.com/credence-id/credence/store"
	"github.com/credence-id/credence/web"
)

// overview says what needs doing.
func (h *Handler) overview(w http.ResponseWriter, r *http.Request, o officer) error {
	doing, err := h.needsDoing(r.Context(), o)
	if err != nil {
		return err
	}
	now := h.Now()
	waiting := func(of *store.Waiting, url string) *web.Waiting {
		if of == nil {
			return nil
		}
		shown := &web.Waiting{Count: int(of.Count), OrMore: of.Count >= office.MostCounted, URL: url}
		if of.OldestAt != nil {
			shown.Oldest = age(*of.OldestAt, now)
		}
		return shown
	}
	var reviews *web.ReviewsDue
	if doing.reviews != nil {
		reviews = &web.ReviewsDue{Count: int(doing.reviews.Count), URL: reviewsPath}
		if first := doing.reviews.FirstAt; first != nil {
			reviews.FirstAt, reviews.Overdue = *first, !first.After(now)
		}
	}
	glance := ""
	if h.can(o, authority.Subject{Path: []string{o.Organisation}}, office.OnGlance()...) {
		glance = organisationsPath + "/" + o.Organisation
	}
	return h.Pages.Render(w, http.StatusOK, web.DeskHome{
		Desk: h.desk(r, o), Requests: waiting(doing.requests, "/desk/requests"),
		Introductions: waiting(doing.introductions, introductionsPath), Positions: waiting(doing.positions, "/desk/positions?state=proposed"),
		Evidence: waiting(doing.evidence, proposalsPath), Reviews: reviews, CanFind: doing.find, GlanceURL: glance,
	})
}

// doing is what an officer may have to do.
type doing struct {
	requests, introductions, positions, evidence *store.Waiting // nil: it is not her business
	reviews                                      *store.Due
	find                                         bool
}

// needsDoing counts what waits at the organisation of an officer and below it, of what is her business.
func (h *Handler) needsDoing(ctx context.Context, o officer) (doing, error) {
	here := authority.Subject{Path: []string{o.Organisation}}
	d := doing{find: h.can(o, here, authority.FindPerson)}
	if h.can(o, here, office.OnRequests()...) {
		waiting, err := h.Store.CountOpenRequests(ctx, o.Organisation, office.MostCounted, h.Now())
		if err != nil {
			return doing{}, fmt.Errorf("count open requests of organisation %s: %w", o.Organisation, err)
		}
		d.requests = &waiting
	}
	if h.can(o, here, office.OnIntroductions()...) {
		waiting, err := h.Store.CountOpenIntroductions(ctx, o.Organisation, office.MostCounted, h.Now())
		if err != nil {
			return doing{}, fmt.Errorf("count open introductions of organisation %s: %w", o.Organisation, err)
		}
		d.introductions = &waiting
	}
	if h.can(o, here, authority.ApprovePosition) {
		waiting, err := h.Store.CountProposedPositions(ctx, o.Organisation, office.MostCounted)
		if err != nil {
			return doing{}, fmt.Errorf("count proposed positions of organisation %s: %w", o.Organisation, err)
		}
		d.positions = &waiting
	}
	if h.can(o, here, authority.RecordEvidence) {
		waiting, err := h.Store.CountEvidenceProposals(ctx, o.Organisation, office.MostCounted)
		if err != nil {
			return doing{}, fmt.Errorf("count proposals of evidence at organisation %s: %w", o.Organisation, err)
		}
		d.evidence = &waiting
	}
	if h.can(o, here, authority.ReviewAccess) {
		due, err := h.Store.CountOpenReviews(ctx, o.Organisation, office.MostCounted)
		if err != nil {
			return doing{}, fmt.Errorf("count open reviews of organisation %s: %w", o.Organisation, err)
		}
		d.reviews = &due
	}
	return d, nil
}
