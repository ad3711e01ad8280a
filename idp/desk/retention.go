package desk

import (
	"net/http"

	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/retention"
	"github.com/credence-id/credence/store"
	"github.com/credence-id/credence/web"
)

const retentionPath = "/desk/retention"

// retention shows for how long records are kept, what a run of those rules erased, and the runs.
func (h *Handler) retention(w http.ResponseWriter, r *http.Request, o officer) error {
	order, sorting := sorted(r, store.Order{By: store.ByTime, Descending: true},
		column{"Began", store.ByTime, "oldest first", "newest first"}, column{name: "Ended"}, column{name: "By"}, column{name: "Erased"})
	shown, err := h.Retention(r.Context(), o.Officer, r.PathValue("id"), order, followingUUID(r))
	if err != nil {
		return err
	}
	page := web.DeskRetention{Desk: h.desk(r, o), Sorting: sorting, URL: r.URL.Path}
	if shown.Run.ID != uuid.Nil {
		page.Run = new(retentionRun(shown.Run))
	}
	counts := make(map[string]store.RetentionCount)
	for _, c := range shown.Counts {
		counts[c.Rule] = c
	}
	for _, rule := range h.Retained {
		c := counts[rule.Name]
		page.Rules = append(page.Rules, web.RetentionRule{
			Record: rule.Record, Kept: rule.Kept(), Due: counted(c.Due), Erased: c.Erased, Soon: counted(c.Soon), OldestAt: c.OldestAt, Stayed: c.Stayed, Because: c.StayedBecause,
		})
	}
	for _, run := range shown.Runs {
		page.Runs = append(page.Runs, retentionRun(run))
	}
	if shown.More {
		page.NextURL = onward(r, shown.Runs[len(shown.Runs)-1].ID.String())
	}
	return h.Pages.Render(w, http.StatusOK, page)
}

// counted is a number that was counted as far as the rules count.
func counted(n int) web.Amount { return web.Amount{Count: n, OrMore: n >= retention.MostCounted} }

func retentionRun(run store.RetentionRun) web.RetentionRun {
	row := web.RetentionRun{URL: retentionPath + "/" + run.ID.String(), BeganAt: run.BeganAt, EndedAt: run.EndedAt, By: run.By, Erased: run.Erased}
	if run.By == retention.Schedule {
		row.By = "The daily run"
	}
	return row
}
