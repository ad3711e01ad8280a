package web

import "time"

// DeskReviews lists reviews of who holds positions.
type DeskReviews struct {
	Desk
	Sorting
	// Organisation is the code that the list is of, with what is below it.
	Organisation string
	// State is "open" where only the open ones are listed, and otherwise empty.
	State   string
	Reviews []ReviewRow
	NewURL  string
	// NextURL leads to what follows. Empty at the end.
	NextURL string
}

// States are what can be chosen.
func (DeskReviews) States() []Option {
	return []Option{{Value: "", Label: "Any"}, {Value: "open", Label: "Open"}}
}

func (p DeskReviews) page() (string, Frame) { return "desk-reviews", p.Frame }

// ReviewRow is a review in that list.
type ReviewRow struct {
	OrganisationName, OrganisationCode string
	// Below says that it is also of what is below the organisation, and Removes that what nobody decides is removed.
	Below, Removes  bool
	OpenedAt, DueAt time.Time
	// State is in words: "Open", "Overdue", "Finished".
	State string
	// Items is what it is about. Certified, Removed and Lapsed is what became of it, Undecided what is left, and Ended what
	// ended by itself meanwhile.
	Items, Certified, Removed, Lapsed, Undecided, Ended int
	URL                                                 string
}

// LastDay is the last on which officers decide. The days of officers are those of UTC.
func (r ReviewRow) LastDay() time.Time { return lastDay(r.DueAt) }

// lastDay is the day that ends at a time.
func lastDay(ends time.Time) time.Time { return ends.UTC().Add(-time.Nanosecond) }

// DeskReviewForm opens a review.
type DeskReviewForm struct {
	Desk
	PostURL string
	// What was entered.
	Organisation, Due, Reason string
	// Below and Removes are to tick.
	Below, Removes []Option
}

func (p DeskReviewForm) page() (string, Frame) { return "desk-review-form", p.Frame }

// DeskReview is one review: what is left to decide, or all of it.
type DeskReview struct {
	Desk
	ReviewRow
	Sorting
	Reason, OpenedBy string
	// Show is "all" where what was decided is listed as well.
	Show    string
	Entries []ReviewEntry
	// OnPage are the roles of what can be certified here, for the button that does so.
	OnPage string
	// PostURL is what the form posts to. ReportURL is a file of CSV.
	PostURL, ReportURL, NextURL string
}

func (p DeskReview) page() (string, Frame) { return "desk-review", p.Frame }

// Shows are to choose from.
func (p DeskReview) Shows() []Option {
	return []Option{{Label: "What is left to decide"}, {Value: "all", Label: "All of it"}}
}

// Decidable says whether something is on the page to decide.
func (p DeskReview) Decidable() bool {
	for _, e := range p.Entries {
		if e.Decidable {
			return true
		}
	}
	return false
}

// ReviewEntry is a position that somebody holds.
type ReviewEntry struct {
	Role, Name, PersonID, PersonURL, PositionName, OrganisationCode string
	StartsAt                                                        time.Time
	// ExpiresAt is zero for never.
	ExpiresAt time.Time
	// Outcome is in words, and empty while it can be decided. By is who did, at At; empty for nobody.
	Outcome, By string
	At          time.Time
	// Decidable offers it to be ticked, and Note says why not, or what the officer cannot do about it.
	Decidable, Ticked bool
	Note              string
}

// ReviewsDue is how many reviews are open, and when the first of them is due.
type ReviewsDue struct {
	Count   int
	FirstAt time.Time
	Overdue bool
	URL     string
}

// LastDay is the last on which officers decide in the first of them.
func (r ReviewsDue) LastDay() time.Time { return lastDay(r.FirstAt) }
