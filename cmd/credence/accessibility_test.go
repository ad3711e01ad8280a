package main

import (
	_ "embed"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/credence-id/credence/web"
)

//go:embed testdata/axe/axe.min.js
var axe string

// TestEveryPageIsAccessible holds each template of web, in each state that the tests of web render it in, to the rules of
// accessibility. Journeys do so with what their scripts make of a page.
func TestEveryPageIsAccessible(t *testing.T) {
	t.Parallel()
	const rendered = "../../web/testdata/"
	templates, err := filepath.Glob("../../web/templates/pages/*.html")
	if err != nil || len(templates) == 0 {
		t.Fatalf("templates = %v, %v, want some", templates, err)
	}
	for _, template := range templates {
		if _, err := os.Stat(rendered + filepath.Base(template)); err != nil {
			t.Errorf("no page is rendered of %s: %v", filepath.Base(template), err)
		}
	}
	pages, err := web.New(web.Options{})
	if err != nil {
		t.Fatal(err)
	}
	served := http.NewServeMux()
	served.Handle("/static/", pages.Static())
	served.Handle("/", http.FileServer(http.Dir(rendered)))
	server := httptest.NewServer(served)
	t.Cleanup(server.Close)

	files, err := filepath.Glob(rendered + "*.html")
	if err != nil {
		t.Fatal(err)
	}
	for _, desk := range []bool{true, false} {
		t.Run(map[bool]string{true: "of the desk", false: "of everybody"}[desk], func(t *testing.T) {
			t.Parallel()
			b := newBrowser(t)
			for _, file := range files {
				name := filepath.Base(file)
				if strings.HasPrefix(name, "desk") != desk || strings.HasPrefix(name, "hostile-") {
					continue
				}
				b.open(strings.Replace(server.URL, "127.0.0.1", "localhost", 1) + "/" + name)
				b.pictures("page-" + strings.TrimSuffix(name, ".html"))
				b.accessible()
				b.fits(desktop, "200%") // Success Criterion 1.4.4
			}
		})
	}
}

// see keeps a picture of a page at both widths, and wants that it fits. To the other rules of accessibility
// TestEveryPageIsAccessible holds it.
func (b *browser) see(name string) {
	b.t.Helper()
	b.pictures(name)
	b.fits(column, "100%")
}

// pictures are screenshots at both widths.
func (b *browser) pictures(name string) {
	b.t.Helper()
	b.screenshot(name)
	b.resize(column, 640)
	b.screenshot(name + "-320")
	b.resize(desktop, 900)
}

// accessible fails the test for every barrier on the page.
func (b *browser) accessible() {
	b.t.Helper()
	for _, barrier := range b.barriers() {
		b.t.Errorf("%s: %s", b.url(), barrier)
	}
}

// fits fails the test if the page scrolls sideways at a width, with letters of
// a size.
func (b *browser) fits(width int64, letters string) {
	b.t.Helper()
	for _, overflow := range b.overflows(width, letters) {
		b.t.Errorf("%s: %s", b.url(), overflow)
	}
}

// barriers is what axe-core finds against WCAG 2.2, levels A and AA, at both
// widths, and whether the narrow one scrolls sideways.
func (b *browser) barriers() []string {
	b.t.Helper()
	defer b.resize(desktop, 900)
	do(b, "load axe-core", chromedp.Evaluate[chromedp.Void](axe))
	var barriers []string
	for _, width := range []int64{desktop, column} {
		b.resize(width, 900)
		for _, violation := range do(b, "run axe-core", chromedp.Evaluate[[]string](`
			axe.run(document, {runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"], resultTypes: ["violations"]}).then(result =>
				result.violations.flatMap(rule => rule.nodes.map(node => rule.id + ": " + node.html + ": " + node.failureSummary)))`,
			chromedp.EvalAwaitPromise)) {
			barriers = append(barriers, fmt.Sprintf("at %d px: %s", width, violation))
		}
	}
	return append(barriers, b.overflows(column, "100%")...)
}

// overflows says whether the page scrolls sideways.
func (b *browser) overflows(width int64, letters string) []string {
	b.t.Helper()
	defer b.resize(desktop, 900)
	b.resize(width, 900)
	needed := do(b, "measure", chromedp.Evaluate[int64](fmt.Sprintf(`(() => {
		const page = document.documentElement;
		page.style.fontSize = %s;
		const needed = page.scrollWidth;
		page.style.fontSize = "";
		return needed;
	})()`, quote(letters))))
	if needed <= width {
		return nil
	}
	return []string{fmt.Sprintf("at %d px: the page scrolls sideways, it is %d px wide with letters of %s", width, needed, letters)}
}
