package retention

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Period is how long something is kept, by the calendar: years and months are as long as they are.
type Period struct{ Years, Months, Days int }

var periodForm = regexp.MustCompile(`^P(?:([1-9][0-9]?)Y)?(?:([1-9][0-9]?)M)?(?:([1-9][0-9]{0,2})D)?$`)

// ParsePeriod reads a duration of ISO 8601 in years, months and days, such as P6Y or P1Y6M.
func ParsePeriod(text string) (Period, error) {
	m := periodForm.FindStringSubmatch(text)
	if m == nil || text == "P" {
		return Period{}, fmt.Errorf("period %.20q: want a duration such as P6Y or P18M", text)
	}
	var parts [3]int
	for i, digits := range m[1:] {
		parts[i], _ = strconv.Atoi(digits) // the form has digits, or none
	}
	return Period{parts[0], parts[1], parts[2]}, nil
}

// Before is the time up to which a record had begun whose time is over now. It is never early: of a day that a month has not,
// it takes the one before.
func (p Period) Before(now time.Time) time.Time {
	now = now.UTC()
	before := now.AddDate(-p.Years, -p.Months, 0)
	if before.Day() != now.Day() {
		before = before.AddDate(0, 0, -before.Day())
	}
	return before.AddDate(0, 0, -p.Days)
}

// String is the period in words: "6 years".
func (p Period) String() string {
	var words []string
	for _, part := range []struct {
		n    int
		name string
	}{{p.Years, "year"}, {p.Months, "month"}, {p.Days, "day"}} {
		switch part.n {
		case 0:
		case 1:
			words = append(words, "1 "+part.name)
		default:
			words = append(words, strconv.Itoa(part.n)+" "+part.name+"s")
		}
	}
	return strings.Join(words, " and ")
}
