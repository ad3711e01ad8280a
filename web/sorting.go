package web

import "slices"

// Sorting is in which order a list is, and in which it can be.
type Sorting struct {
	// Headings are those of its table.
	Headings []Heading
	// Orders are what can be chosen, by the parameter sort of its address, and Order is what was.
	Orders []Option
	Order  string
	// Caption says what the order is: "Oldest first".
	Caption string
	// GoesOn says that these are not the first rows.
	GoesOn bool
}

// Over is the order of a list that has so many rows here, and goes on by an address: over none or one there is nothing to choose. Where
// what was entered has mistakes, all of it is shown again.
func (s Sorting) Over(rows int, next string, wrong []FieldError) Sorting {
	if rows > 1 || next != "" || s.GoesOn || len(wrong) > 0 {
		return s
	}
	s.Orders, s.Headings = nil, slices.Clone(s.Headings)
	for i := range s.Headings {
		s.Headings[i].URL = ""
	}
	return s
}

// Heading is that of a column of a table.
type Heading struct {
	Name string
	// Sort is "ascending" or "descending" where the list is in the order of the column, and otherwise empty.
	Sort string
	// URL leads to the list in the order of the column, or from its other end where it is in that already, and Order says so:
	// "oldest first". Empty where the list has no such order.
	URL, Order string
}
