package web

import "time"

// deskReviewPages are the pages of access reviews, by the name of their golden file.
func deskReviewPages() map[string]Page {
	at := func(day int) time.Time { return time.Date(2026, time.November, day, 9, 0, 0, 0, time.UTC) }
	desk := Desk{
		Frame:  Frame{RequestID: "7ZQK3M5TXA", SignedInAs: "Winifred Stewardley"},
		Role:   Role{ID: "555200000105", Name: "Registration Authority Manager", Organisation: "Riverside General Hospital", OrganisationCode: "RX001"},
		Places: []Place{{"What needs doing", "/desk", ""}, {"Reviews", "/desk/reviews", "page"}},
	}
	wrong := desk
	wrong.Errors = []FieldError{{"organisation", "Enter the code of an organisation, such as RX001"}}
	row := ReviewRow{
		OrganisationName: "Riverside General Hospital", OrganisationCode: "RX001", OpenedAt: at(1), DueAt: at(30), State: "Open", Items: 9, Certified: 4, Removed: 1, Undecided: 3, Ended: 1,
		URL: "/desk/reviews/0196",
	}
	removes := row
	removes.Removes, removes.Below, removes.State, removes.Lapsed = true, true, "Overdue", 2
	entries := []ReviewEntry{
		{Role: "555200000201", Name: "Amara Okafor", PersonID: "555100000001", PersonURL: "/desk/people/555100000001", PositionName: "Ward nurse", OrganisationCode: "RX001", StartsAt: at(1), Decidable: true},
		{Role: "555200000202", Name: "Bram de Vries", PersonID: "555100000002", PersonURL: "/desk/people/555100000002", PositionName: "Ward nurse", OrganisationCode: "RX001", StartsAt: at(1), ExpiresAt: at(29), Decidable: true, Ticked: true, Note: "You approved it, so you can only remove it"},
		{Role: "555200000203", Name: "Winifred Stewardley", PersonID: "555100000003", PersonURL: "/desk/people/555100000003", PositionName: "Manager", OrganisationCode: "RX001", StartsAt: at(1), Note: "This is about yourself: ask another officer"},
	}
	decided := []ReviewEntry{
		{Role: "555200000204", Name: "Amara Okafor", PersonID: "555100000001", PersonURL: "/desk/people/555100000001", PositionName: "Ward nurse", OrganisationCode: "RX001", StartsAt: at(1), Outcome: "Certified", By: "Crispin Seconder", At: at(2)},
		{Role: "555200000205", Name: "Bram de Vries", PersonID: "555100000002", PersonURL: "/desk/people/555100000002", PositionName: "Ward nurse", OrganisationCode: "RX001", StartsAt: at(1), ExpiresAt: at(2), Outcome: "Ended meanwhile"},
	}
	first, last := sortings("/desk/reviews", "Due", "due", "Soonest first", "Latest first")
	review := DeskReview{
		Desk: desk, ReviewRow: row, Reason: "Each November", OpenedBy: "Crispin Seconder", Sorting: first,
		Entries: entries, OnPage: "555200000201", PostURL: "/desk/reviews/0196", ReportURL: "/desk/reviews/0196/report.csv", NextURL: "/desk/reviews/0196?after=555200000203",
	}
	all, none, failed := review, review, review
	all.Show, all.Entries, all.OnPage, all.NextURL, all.ReviewRow = "all", decided, "", "", removes
	none.Entries, none.OnPage, none.NextURL = nil, "", ""
	failed.Errors = []FieldError{{"entry", "Amara Okafor: another officer has decided this already"}}
	form := DeskReviewForm{
		Desk: desk, PostURL: "/desk/reviews/new", Organisation: "RX001", Below: []Option{{Value: "yes", Label: "Also the organisations below it"}},
		Removes: []Option{{Value: "yes", Label: "Remove it", Checked: true}},
	}
	mistaken := form
	mistaken.Errors = []FieldError{{"due", "Enter a day after today and within a year, written like 30/11/2030"}, {"reason", "Enter a reason, of up to 500 characters"}}
	mistaken.Due = "yesterday"
	return map[string]Page{
		"desk-reviews":           DeskReviews{Desk: desk, Sorting: last, Organisation: "RX001", Reviews: []ReviewRow{row, removes}, NewURL: "/desk/reviews/new", NextURL: "/desk/reviews?sort=-due&after=0196"},
		"desk-reviews-none-open": DeskReviews{Desk: desk, Sorting: last, Organisation: "RX001", State: "open", NewURL: "/desk/reviews/new"},
		"desk-reviews-none":      DeskReviews{Desk: desk, Sorting: last, Organisation: "RX001", NewURL: "/desk/reviews/new"},
		"desk-reviews-error":     DeskReviews{Desk: wrong, Organisation: "NOWHERE", NewURL: "/desk/reviews/new"},
		"desk-review-form":       form,
		"desk-review-form-error": mistaken,
		"desk-review":            review,
		"desk-review-all":        all,
		"desk-review-none":       none,
		"desk-review-error":      failed,
		"desk-reviews-due":       DeskHome{Desk: desk, Reviews: &ReviewsDue{Count: 2, FirstAt: at(30), URL: "/desk/reviews?state=open"}},
		"desk-reviews-overdue":   DeskHome{Desk: desk, Reviews: &ReviewsDue{Count: 1, FirstAt: at(2), Overdue: true, URL: "/desk/reviews?state=open"}},
	}
}
