package idp_test

import (
	"net/url"
	"strings"
	"testing"

	xhtml "golang.org/x/net/html"
)

// filter is what the form of a list sends as the page has it, or nil where it has none.
func (a answer) filter(t *testing.T) url.Values {
	t.Helper()
	doc, err := xhtml.Parse(strings.NewReader(a.body))
	if err != nil {
		t.Fatal(err)
	}
	var sends url.Values
	for form := range doc.Descendants() {
		if form.Data != "form" || attribute(form, "role") != "search" {
			continue
		}
		sends = url.Values{}
		for n := range form.Descendants() {
			switch name := attribute(n, "name"); {
			case n.Data == "select":
				sends.Set(name, chosen(n))
			case n.Data == "input" && (attribute(n, "type") != "radio" || has(n, "checked")):
				sends.Set(name, attribute(n, "value"))
			}
		}
	}
	return sends
}

// chosen is the option of a select that is, or the first of them.
func chosen(s *xhtml.Node) string {
	first, found := "", false
	for n := range s.Descendants() {
		switch {
		case n.Data != "option":
		case has(n, "selected"):
			return attribute(n, "value")
		case !found:
			first, found = attribute(n, "value"), true
		}
	}
	return first
}

func attribute(n *xhtml.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func has(n *xhtml.Node, name string) bool {
	for _, a := range n.Attr {
		if a.Key == name {
			return true
		}
	}
	return false
}
