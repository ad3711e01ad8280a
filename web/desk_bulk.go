package web

// DeskBulk asks for what a file asks for, and shows first what would come of it.
type DeskBulk struct {
	Desk
	PostURL string
	// Text is what was entered.
	Text string
	// Wrong is what is wrong with it, line by line.
	Wrong []string
	// Effects is what would come of each line. Nil before it was looked at.
	Effects               []BulkEffect
	Given, Asked, Refused int
	// Changed says that something else would come of it now than was shown before, so that nothing was done.
	Changed bool
	// Done says that all of it was done.
	Done bool
	// ApplyURL is what the form posts to that has it done. Empty where something is refused.
	ApplyURL string
}

func (p DeskBulk) page() (string, Frame) { return "desk-bulk", p.Frame }

// BulkEffect is what comes of a line.
type BulkEffect struct {
	Line                 int
	PersonID, PositionID string
	// The names are empty where there is no such person or position, or it is none of the officer's.
	PersonName, PositionName string
	// Effect is in words: "Waits for another officer". URL leads to the request, once it was made.
	Effect, URL string
	Refused     bool
}
