package api

import (
	"time"

	"github.com/google/uuid"

	"github.com/credence-id/credence/store"
)

// retained is what the rules of retention erased, and will.
type retained struct {
	Run   *retentionRun      `json:"run,omitempty" doc:"Left out before the first."`
	Rules []retentionRule    `json:"rules"`
	Runs  page[retentionRun] `json:"runs"`
}

type retentionRun struct {
	ID      uuid.UUID  `json:"id"`
	By      string     `json:"by" doc:"schedule, or who asked for it."`
	BeganAt time.Time  `json:"began_at"`
	EndedAt *time.Time `json:"ended_at,omitempty" doc:"Left out while it is at work, or when it was broken off."`
	Due     int        `json:"due" doc:"As it began."`
	Erased  int        `json:"erased"`
}

func retentionRunOf(r store.RetentionRun) retentionRun {
	return retentionRun{r.ID, r.By, r.BeganAt.UTC(), utc(r.EndedAt), r.Due, r.Erased}
}

type retentionRule struct {
	Rule     string     `json:"rule"`
	Record   string     `json:"record" doc:"What is kept, for people."`
	Kept     string     `json:"kept" doc:"For how long, for people."`
	Basis    string     `json:"basis" doc:"Why so long."`
	Due      int        `json:"due" doc:"As the run began; up to 100000."`
	Soon     int        `json:"soon" doc:"Due within the 30 days after; up to 100000."`
	Erased   int        `json:"erased"`
	OldestAt *time.Time `json:"oldest_at,omitempty" doc:"Since when the oldest of what was due was kept."`
}

func (h *Handler) readRetention(c call, in newestFirst) (retained, error) {
	r, err := h.Retention(c.Context(), c.officer, c.PathValue("run"), in.order(), in.id())
	if err != nil {
		return retained{}, err
	}
	shown := retained{Runs: goesOn(c, r.Runs, retentionRunOf, r.More, func(r store.RetentionRun) string { return r.ID.String() })}
	if r.Run.ID != uuid.Nil {
		shown.Run = new(retentionRunOf(r.Run))
	}
	counts := make(map[string]store.RetentionCount)
	for _, n := range r.Counts {
		counts[n.Rule] = n
	}
	for _, rule := range h.Retained {
		n := counts[rule.Name]
		shown.Rules = append(shown.Rules, retentionRule{rule.Name, rule.Record, rule.Kept(), rule.Basis, n.Due, n.Soon, n.Erased, utc(n.OldestAt)})
	}
	return shown, nil
}
