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
	if doing.Reviews != nil {
		reviews = &web.ReviewsDue{Count: int(doing.Reviews.Count), URL: reviewsPath}
		if first := doing.Reviews.FirstAt; first != nil {
			reviews.FirstAt, reviews.Overdue = *first, !first.After(now)
		}
	}
	here, glance := authority.Subject{Path: []string{o.Organisation}}, ""
	if h.can(o, here, office.OnGlance()...) {
		glance = organisationsPath + "/" + o.Organisation
	}
	return h.Pages.Render(w, http.StatusOK, web.DeskHome{
		Desk: h.desk(r, o), Requests: waiting(doing.Requests, "/desk/requests"),
		Introductions: waiting(doing.Introductions, introductionsPath), Positions: waiting(doing.Positions, "/desk/positions?state=proposed"),
		Evidence: waiting(doing.Evidence, proposalsPath), Reviews: reviews, CanFind: h.can(o, here, authority.FindPerson), GlanceURL: glance,
	})
}
