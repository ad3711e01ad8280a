package wardlist

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// page is a parsed page.
type page struct{ root *html.Node }

func send(t *testing.T, browser *http.Client, request *http.Request) answer {
	t.Helper()
	response, err := browser.Do(request)
	if err != nil {
		t.Fatalf("%s %s: %v", request.Method, request.URL, err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{
		status: response.StatusCode, url: response.Request.URL, header: response.Header,
		body: string(body), page: parsePage(t, string(body)),
	}
}

// parsePage parses a page, and fails the test unless it keeps what every page
// of the ward list promises.
func parsePage(t *testing.T, body string) page {
	t.Helper()
	root, err := html.Parse(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	p := page{root}
	if !strings.HasPrefix(body, "<!DOCTYPE html>") {
		return p // not one of our pages: a style sheet, or the provider's answer
	}
	ids := make(map[string]bool)
	var headings int
	for node := range root.Descendants() {
		if node.Type != html.ElementNode {
			continue
		}
		switch node.Data {
		case "h1":
			headings++
		case "script", "style", "iframe", "object", "base":
			t.Errorf("page has a <%s> element", node.Data)
		}
		for _, a := range node.Attr {
			if a.Key == "style" || strings.HasPrefix(a.Key, "on") {
				t.Errorf("<%s> has the attribute %s=%q", node.Data, a.Key, a.Val)
			}
			if a.Key == "id" {
				if ids[a.Val] || strings.ContainsAny(a.Val, " \t\r\n\f") || a.Val == "" {
					t.Errorf("id %q is empty, has white space or stands twice", a.Val)
				}
				ids[a.Val] = true
			}
			if (a.Key == "src" || node.Data == "link" && a.Key == "href") && !strings.HasPrefix(a.Val, "/static/") {
				t.Errorf("<%s> loads %q, want only our own files", node.Data, a.Val)
			}
		}
	}
	if headings != 1 {
		t.Errorf("page has %d h1, want 1", headings)
	}
	for node := range root.Descendants() {
		for _, a := range node.Attr {
			fragment, ok := strings.CutPrefix(a.Val, "#")
			if a.Key == "aria-labelledby" {
				fragment, ok = a.Val, true
			}
			if (a.Key == "href" || a.Key == "aria-labelledby") && ok && !ids[fragment] {
				t.Errorf("%s=%q names no element of the page", a.Key, a.Val)
			}
		}
	}
	return p
}

// byID returns the element with the id, or nil.
func (p page) byID(id string) *html.Node {
	for node := range p.root.Descendants() {
		if slices.Contains(node.Attr, html.Attribute{Key: "id", Val: id}) {
			return node
		}
	}
	return nil
}

// text returns the words of the element with the id, or "" without one.
func (p page) text(id string) string {
	node := p.byID(id)
	if node == nil {
		return ""
	}
	return words(node)
}

// heading returns the words of the h1.
func (p page) heading() string {
	for node := range p.root.Descendants() {
		if node.Data == "h1" {
			return words(node)
		}
	}
	return ""
}

// attribute returns an attribute of the element with the id, or "" without one.
func (p page) attribute(id, name string) string {
	if node := p.byID(id); node != nil {
		for _, a := range node.Attr {
			if a.Key == name {
				return a.Val
			}
		}
	}
	return ""
}

func words(node *html.Node) string {
	var b strings.Builder
	for n := range node.Descendants() {
		if n.Type == html.TextNode {
			b.WriteString(n.Data)
			b.WriteByte(' ')
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}
