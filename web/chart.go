package web

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// LineChart is a chart of how much there was day by day, which is drawn here: it needs no script, and says the same as a table.
type LineChart struct {
	// ID is of the element. Of says what each point is of: "Day".
	ID, Title, Description, Of string
	Points                     []Point
}

// Point is how much there was on a day, which Name says. URL leads to the list of it.
type Point struct {
	Name  string
	Count int
	URL   string
}

// Measures of a line chart, in its own units: the line is drawn in a box below a line of words.
const (
	lineTop    = 34
	lineHeight = 120
)

// Width is that of the chart.
func (c LineChart) Width() int { return chartWidth }

// Height is that of the chart, with a line of words below the line.
func (c LineChart) Height() int { return lineTop + lineHeight + 30 }

// Base is where nothing would be.
func (c LineChart) Base() int { return lineTop + lineHeight }

// TextY is the line of words below the line.
func (c LineChart) TextY() int { return c.Base() + 24 }

// Most is the first of the days on which there was the most.
func (c LineChart) Most() Point {
	return slices.MaxFunc(c.Points, func(a, b Point) int { return cmp.Compare(a.Count, b.Count) })
}

// First is the first day.
func (c LineChart) First() string { return c.Points[0].Name }

// Last is the last day.
func (c LineChart) Last() string { return c.Points[len(c.Points)-1].Name }

// Line is where the points are, as SVG has it. The highest is at the top.
func (c LineChart) Line() string {
	var line strings.Builder
	for n, p := range c.Points {
		x := chartWidth * n / max(len(c.Points)-1, 1)
		y := c.Base() - lineHeight*p.Count/max(c.Most().Count, 1)
		if n > 0 {
			line.WriteByte(' ')
		}
		line.WriteString(strconv.Itoa(x) + "," + strconv.Itoa(y))
	}
	return line.String()
}
