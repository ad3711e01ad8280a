package web

// sortings are an order of a list with two columns, the second of which orders it, and the same list from its other end.
func sortings(path, column, by, up, down string) (first, last Sorting) {
	orders := []Option{{Value: by, Label: column + ": " + up}, {Value: "-" + by, Label: column + ": " + down}}
	first = Sorting{[]Heading{{Name: "Person"}, {column, "ascending", path + "?sort=-" + by, down}}, orders, by, up, false}
	last = Sorting{[]Heading{{Name: "Person"}, {column, "descending", path + "?sort=" + by, up}}, orders, "-" + by, down, false}
	return first, last
}

// titled is the order of a list that has one alone, with the titles of its columns.
func titled(columns ...string) Sorting {
	var s Sorting
	for _, name := range columns {
		s.Headings = append(s.Headings, Heading{Name: name})
	}
	return s
}
