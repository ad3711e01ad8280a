package web

import "time"

// DeskGlance is what needs doing at an organisation and below it, at a glance.
type DeskGlance struct {
	Desk
	// Organisation is its code, and Name what it is called.
	Organisation, Name string
	Figures            []Figure
	// SignIns is how many there were, day by day. Nil where the officer may not see which.
	SignIns *LineChart
	// Expiring is when positions expire that people have. Nil where that is not the officer's business.
	Expiring *Chart
	// PolicyURL leads to how the organisation has its work done.
	PolicyURL string
}

func (p DeskGlance) page() (string, Frame) { return "desk-glance", p.Frame }

// Amount is how many there are, or at least are.
type Amount struct {
	Count  int
	OrMore bool
}

// Figure is how much there is of something, and leads to the list of it.
type Figure struct {
	Name string
	Amount
	// Note says since when.
	Note, URL string
}

// Chart is a chart of horizontal bars, which is drawn here: it needs no script, and says the same as a table.
type Chart struct {
	// ID is of the element. Of says what each bar is of: "Week from".
	ID, Title, Description, Of string
	Bars                       []Bar
}

// Bar is one bar of a chart, which leads to the list of what it counts.
type Bar struct {
	Name string
	Amount
	URL string
}

// Measures of a chart, in its own units: it is scaled to the width that there is. A bar has a line of words above it.
const (
	chartWidth = 400
	rowHeight  = 64
)

// Width is that of the chart.
func (c Chart) Width() int { return chartWidth }

// Height is that of the chart.
func (c Chart) Height() int { return len(c.Bars) * rowHeight }

// DrawnBar is a bar with where it is.
type DrawnBar struct {
	Bar
	// Top is of all of it, TextY the line of its words, BarY the top of the bar, and Length of the bar.
	Top, TextY, BarY, Length int
}

// Drawn are the bars: the longest is as long as the chart is wide, and what is not nothing can be seen.
func (c Chart) Drawn() []DrawnBar {
	most := 1
	for _, b := range c.Bars {
		most = max(most, b.Count)
	}
	drawn := make([]DrawnBar, len(c.Bars))
	for n, b := range c.Bars {
		top := n * rowHeight
		drawn[n] = DrawnBar{Bar: b, Top: top, TextY: top + 24, BarY: top + 34, Length: chartWidth * b.Count / most}
		if b.Count > 0 {
			drawn[n].Length = max(drawn[n].Length, 2)
		}
	}
	return drawn
}

// DeskExpiring lists whose positions expire in a time.
type DeskExpiring struct {
	Desk
	Sorting
	// Organisation is the code that the list is of, with what is below it.
	Organisation string
	// EnteredFrom and EnteredUntil are what was entered, or empty: then it is From now Until in four weeks.
	EnteredFrom, EnteredUntil string
	From, Until               time.Time
	Roles                     []ExpiringRole
	// NextURL leads to what follows, and is empty at the end.
	NextURL string
}

func (p DeskExpiring) page() (string, Frame) { return "desk-expiring", p.Frame }

// ExpiringRole is a position that somebody has and loses.
type ExpiringRole struct {
	Name, PersonID, PersonURL, PositionName, PositionURL, OrganisationCode string
	ExpiresAt                                                              time.Time
}
