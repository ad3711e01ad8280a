package desk

import (
	"context"
	"fmt"
	"net/http"

	"github.com/credence-id/credence/idp/authority"
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
		shown := &web.Waiting{Count: int(of.Count), OrMore: of.Count >= mostCounted, URL: url}
		if of.OldestAt != nil {
			shown.Oldest = age(*of.OldestAt, now)
		}
		return shown
	}
	return h.Pages.Render(w, http.StatusOK, web.DeskHome{
		Desk: h.desk(r, o), Requests: waiting(doing.requests, "/desk/requests"), Positions: waiting(doing.positions, "/desk/positions?state=proposed"),
		CanFind: doing.find,
	})
}

// doing is what an officer may have to do.
type doing struct {
	requests, positions *store.Waiting // nil: it is not her business
	find                bool
}

// mostCounted is how far what waits is counted. Whoever has more to do looks at the oldest of it.
const mostCounted = 1000

// needsDoing counts what waits at the organisation of an officer and below it, of what is her business.
func (h *Handler) needsDoing(ctx context.Context, o officer) (doing, error) {
	here := authority.Subject{Path: []string{o.Organisation}}
	d := doing{find: h.can(o, here, authority.FindPerson)}
	if h.can(o, here, onRequests()...) {
		waiting, err := h.Store.CountOpenRequests(ctx, o.Organisation, mostCounted, h.Now())
		if err != nil {
			return doing{}, fmt.Errorf("count open requests of organisation %s: %w", o.Organisation, err)
		}
		d.requests = &waiting
	}
	if h.can(o, here, authority.ApprovePosition) {
		waiting, err := h.Store.CountProposedPositions(ctx, o.Organisation, mostCounted)
		if err != nil {
			return doing{}, fmt.Errorf("count proposed positions of organisation %s: %w", o.Organisation, err)
		}
		d.positions = &waiting
	}
	return d, nil
}
