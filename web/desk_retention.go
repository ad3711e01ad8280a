package web

import "time"

// DeskRetention is for how long records are kept, what a run of those rules erased, and the runs.
type DeskRetention struct {
	Desk
	Sorting
	// URL is that of the page.
	URL string
	// Run is the one whose numbers stand beside the rules. Nil while there was none.
	Run   *RetentionRun
	Rules []RetentionRule
	// NextURL leads to what follows, and is empty at the end.
	Runs    []RetentionRun
	NextURL string
}

func (p DeskRetention) page() (string, Frame) { return "desk-retention", p.Frame }

// RetentionRule is for how long a kind of record is kept, and what a run found and did.
type RetentionRule struct {
	// Record is what the records are, Kept for how long and from when: "6 years after it was decided".
	Record, Kept string
	// Due is how many were due when the run began, Soon how many within 30 days from then.
	Due, Soon Amount
	Erased    int
	// Stayed is how many could not be erased, and Because why the last of them could not.
	Stayed  int
	Because string
	// OldestAt is since when the oldest that was due was kept. Nil where none was.
	OldestAt *time.Time
}

// RetentionRun is a run of the rules.
type RetentionRun struct {
	URL     string
	BeganAt time.Time
	// EndedAt is nil while it is at work, or if it was broken off.
	EndedAt *time.Time
	By      string
	Erased  int
}
