package main

import (
	"strings"
	"testing"
)

// TestJourneyDeskInclude is a position that includes another: its page says what it gives with that, and the page of the other
// what would change with it.
func TestJourneyDeskInclude(t *testing.T) {
	t.Parallel()
	d := startTrial(t)
	const manager, advanced = "656005750116", "656005750119"
	b := newBrowser(t)
	propose := func(name, activity, include string) (path string) {
		t.Helper()
		b.atDesk(d, manager, "/desk/positions/new?organisation=ZX100")
		b.fill("#name", name)
		b.choose("#job_role", "S8000:G8000:R8001")
		b.press("#activity-" + activity)
		b.fill("#include", include)
		b.fill("#reason", "A new ward")
		b.click("#propose")
		b.want("h1", name)
		path, _, _ = strings.Cut(strings.TrimPrefix(b.url(), d.issuer), "?")
		return path
	}
	approve := func(path string) {
		t.Helper()
		b.atDesk(d, advanced, path)
		b.click("#approve")
		b.want("#position", "In force")
	}
	base := propose("All wards", "B0360", "")
	approve(base)
	number := base[strings.LastIndex(base, "/")+1:]

	b.atDesk(d, manager, "/desk/positions/new?organisation=ZX100")
	b.fill("#name", "Ward nurse, nights")
	b.choose("#job_role", "S8000:G8000:R8001")
	b.fill("#include", "All wards")
	b.fill("#reason", "A new ward")
	b.click("#propose")
	b.want("#error-summary", "Enter the 12 digits of each position")
	b.see("desk-position-include-error")
	outer := propose("Ward nurse, nights", "B0401", number)
	b.want("#includes", "All wards")
	b.want("#effect", "View Detailed Health Records (B0360)")
	b.see("desk-position-includes")
	approve(outer)
	b.want("#effect", "(B0401)")

	b.click("#includes a")
	b.want("#included-by", "Ward nurse, nights")
	b.see("desk-position-included")
	b.click("#close")
	b.want("#included-by", "Another position includes it")
	b.see("desk-position-included-close")

	// It cannot include what includes it.
	b.open(d.issuer + base + "/revision")
	b.want("#included-by", "Ward nurse, nights")
	b.fill("#include", outer[strings.LastIndex(outer, "/")+1:])
	b.fill("#reason", "All around")
	b.click("#propose")
	b.want("#error-summary", "This position would include itself")
	b.see("desk-position-includes-itself")
}
