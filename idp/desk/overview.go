package desk

import (
	"net/http"

	"github.com/credence-id/credence/idp/authority"
	"github.com/credence-id/credence/idp/office"
	"github.com/credence-id/credence/store"
	"github.com/credence-id/credence/web"
)

// overview says what needs doing.
func (h *Handler) overview(w http.ResponseWriter, r *http.Request, o officer) error {
	doing, err := h.NeedsDoing(r.Context(), o.Officer)
	if err != nil {
		return err
	}
	now := h.Now()
	waiting := func(figure store.Figure, url string) *web.Waiting {
		of, hers := doing[figure]
		if !hers {
			return nil
		}
		shown := &web.Waiting{Count: int(of.Count), OrMore: of.Count >= office.MostCounted, URL: url}
		if of.FirstAt != nil {
			shown.Oldest = age(*of.FirstAt, now)
			if figure == store.UnsignedBreakGlasses {
				shown.Oldest += overdue(*of.FirstAt, now)
			}
		}
		return shown
	}
	var reviews *web.ReviewsDue
	if due, hers := doing[store.WaitingReviews]; hers {
		reviews = &web.ReviewsDue{Count: int(due.Count), URL: address(reviewsPath, "state", "open")}
		if due.FirstAt != nil {
			reviews.FirstAt, reviews.Overdue = *due.FirstAt, !due.FirstAt.After(now)
		}
	}
	here, glance := authority.Subject{Path: []string{o.Organisation}}, ""
	if h.can(o, here, office.OnGlance()...) {
		glance = organisationsPath + "/" + o.Organisation
	}
	return h.Pages.Render(w, http.StatusOK, web.DeskHome{
		Desk: h.desk(r, o), Requests: waiting(store.WaitingRequests, "/desk/requests"),
		Introductions: waiting(store.WaitingIntroductions, introductionsPath), Positions: waiting(store.WaitingPositions, "/desk/positions?state=proposed"),
		Unproved: waiting(store.WaitingPeople, unprovedPath), Evidence: waiting(store.WaitingEvidence, proposalsPath), Merges: waiting(store.WaitingMerges, mergesPath), Reviews: reviews,
		BreakGlass: waiting(store.UnsignedBreakGlasses, breakGlassPath), CanFind: h.can(o, here, authority.FindPerson), GlanceURL: glance,
	})
}
