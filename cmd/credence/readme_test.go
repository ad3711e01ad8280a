package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/credence-id/credence/idp/directory"
)

// A reader does what a section of the README says. What is in bold there she selects, or sees, in that order.
type reader struct {
	*browser

	bold []string // what she has not come to
}

// section is what stands under a heading of the README, and its lines as words alone.
func section(t *testing.T, heading string) string {
	t.Helper()
	_, text, found := strings.Cut(readDocument(t, "README.md"), "\n"+heading+"\n")
	if !found {
		t.Fatalf("the README has no heading %q", heading)
	}
	if end := regexp.MustCompile(`(?m)^##`).FindStringIndex(text); end != nil {
		text = text[:end[0]]
	}
	return text
}

var inBold = regexp.MustCompile(`\*\*([^*]+)\*\*`)

// reads opens a section of the README, and says when it is not read to its end.
func (b *browser) reads(heading string) *reader {
	b.t.Helper()
	r := &reader{browser: b}
	for _, words := range inBold.FindAllStringSubmatch(section(b.t, heading), -1) {
		r.bold = append(r.bold, strings.Join(strings.Fields(words[1]), " "))
	}
	b.t.Cleanup(func() {
		if len(r.bold) > 0 && !b.t.Failed() {
			b.t.Errorf("the README goes on with %q, want that this was its end", r.bold)
		}
	})
	return r
}

// next is the next thing in bold.
func (r *reader) next(words string) {
	r.t.Helper()
	if len(r.bold) == 0 || r.bold[0] != words {
		r.t.Fatalf("the README goes on with %q, want %q: it and this test say the same steps", r.bold[:min(len(r.bold), 3)], words)
	}
	r.bold = r.bold[1:]
}

// marked marks the elements of some kinds that have the next words in bold, and is a selector of them.
func (r *reader) marked(words, kinds string) string {
	r.t.Helper()
	r.next(words)
	many := do(r.browser, fmt.Sprintf("find %q", words), chromedp.Evaluate[int](fmt.Sprintf(`(() => {
		document.querySelectorAll("[data-read]").forEach(e => e.removeAttribute("data-read"));
		const found = [...document.querySelectorAll(%s)].filter(e => e.innerText.split(/\s+/).filter(w => w).join(" ") === %s);
		found.forEach(e => e.setAttribute("data-read", ""));
		return found.length;
	})()`, quote(kinds), quote(words))))
	if many == 0 {
		r.t.Fatalf("%s has no %s with the words %q of the README", r.url(), kinds, words)
	}
	return "[data-read]"
}

// selects follows the link that has the next words, or presses the button.
func (r *reader) selects(words string) {
	r.t.Helper()
	r.click(r.marked(words, "a, button"))
}

// picks takes the one box or circle that has the next words.
func (r *reader) picks(words string) {
	r.t.Helper()
	r.press(r.marked(words, "label"))
}

// ticks ticks all boxes under the next words.
func (r *reader) ticks(words string) {
	r.t.Helper()
	group := r.marked(words, "legend")
	do(r.browser, fmt.Sprintf("tick all of %q", words), chromedp.Evaluate[chromedp.Void](fmt.Sprintf(
		`document.querySelector(%s).closest("fieldset").querySelectorAll("input").forEach(box => box.click())`, quote(group))))
}

// sees wants the page to say the next words.
func (r *reader) sees(words string) {
	r.t.Helper()
	r.next(words)
	r.want("main", words)
}

// officer is the next officer, who comes to the desk in the place of whoever was there.
func (r *reader) officer(d *trial, id string) {
	r.t.Helper()
	r.next(id)
	r.atDesk(d, id, "/desk")
}

// Whom the README names is there, in the table of the people of dev as well.
func TestREADMENamesPeople(t *testing.T) {
	t.Parallel()
	var want []string
	for _, p := range directory.FixedPeople() {
		want = append(want, p.ID)
	}
	var listed []string
	for _, row := range regexp.MustCompile(`(?m)^\| (\d{12}) \|`).FindAllStringSubmatch(section(t, "### The people of `credence dev`"), -1) {
		listed = append(listed, row[1])
	}
	slices.Sort(want)
	slices.Sort(listed)
	if !slices.Equal(listed, want) {
		t.Errorf("the README lists the people %q, want %q", listed, want)
	}
	for _, id := range regexp.MustCompile(`\b\d{12}\b`).FindAllString(readDocument(t, "README.md"), -1) {
		if strings.HasPrefix(id, "6560057501") && !slices.Contains(want, id) {
			t.Errorf("the README names %s, who is nobody in dev", id)
		}
	}
}

// Every picture that a document shows is there, described, and small.
func TestDocumentsShowPictures(t *testing.T) {
	t.Parallel()
	const most = 100 << 10
	shown := map[string]bool{}
	for _, document := range []string{"README.md", "docs/install.md", "docs/operate.md", "docs/assurance.md", "docs/registration.md", "docs/api.md"} {
		for _, picture := range regexp.MustCompile(`!\[([^\]]*)\]\(([^)]+)\)`).FindAllStringSubmatch(readDocument(t, document), -1) {
			file := filepath.Join("../..", filepath.Dir(document), picture[2])
			shown[filepath.Base(file)] = true
			info, err := os.Stat(file)
			switch {
			case err != nil:
				t.Errorf("%s shows %s: %v", document, picture[2], err)
			case info.Size() > most:
				t.Errorf("%s shows %s, which has %d bytes: want at most %d", document, picture[2], info.Size(), most)
			case len(strings.Fields(picture[1])) < 5:
				t.Errorf("%s shows %s as %q: want it in words, for who does not see it", document, picture[2], picture[1])
			}
		}
	}
	files, err := filepath.Glob("../../docs/*.png")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if !shown[filepath.Base(file)] {
			t.Errorf("no document shows %s", file)
		}
	}
}
