package web

import (
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// unmarked are texts that stand in English in each language: a name, what is for developers, and what is there only in development.
func unmarked() []string {
	return []string{
		"- Credence", "Credence",
		"Development", "Use simulated sign-in",
		"For the developer of the service", "The request cannot be answered at the service, because it does not say reliably where that is", "error", "error_description",
		"NIST SP 800-63", "(JSON)",
	}
}

// english says whether a template is in English alone: those for officers, and those of development.
func english(name string) bool {
	name = path.Base(name)
	return strings.HasPrefix(name, "desk") || slices.Contains([]string{"client-readiness.html", "development.html", "newcomer.html", "simulated.html"}, name)
}

var (
	letters = regexp.MustCompile(`[A-Za-z]{2}`)
	// What an action says: the label and the hint of a field, of a row, and what stands in the place of something empty.
	quoted = regexp.MustCompile(`(?:"label"|"hint"|\(row|\(or [.\w]+|\(printf?) \(?(?:printf )?"([^"]*)"`)
	action = regexp.MustCompile(`(?s)\{\{.*?\}\}`)
	// An attribute that stands by itself in a component.
	describedBy = regexp.MustCompile(`aria-describedby="[^"]*"`)
	verbs       = regexp.MustCompile(`%[a-z]`)
	// What a script says is a sentence.
	sentence = regexp.MustCompile(`"([A-Z][a-z]+ [^"]*)"`)
)

// said lists what the source of a template says outside the marks.
func said(t *testing.T, source string) []string {
	t.Helper()
	var texts []string
	source = describedBy.ReplaceAllString(marked.ReplaceAllString(source, ""), "")
	for _, m := range quoted.FindAllStringSubmatch(source, -1) {
		texts = append(texts, m[1])
	}
	source = strings.NewReplacer("<title>", "<p>", "</title>", "</p>").Replace(action.ReplaceAllString(source, "")) // a title has no elements in it
	nodes, err := html.ParseFragment(strings.NewReader(source), &html.Node{Type: html.ElementNode, Data: "body", DataAtom: atom.Body})
	if err != nil {
		t.Fatal(err)
	}
	for _, root := range nodes {
		for n := range all(root) {
			if n.Type == html.TextNode {
				texts = append(texts, strings.TrimSpace(n.Data))
			}
			for _, a := range n.Attr {
				if slices.Contains([]string{"aria-label", "title", "alt", "placeholder"}, a.Key) {
					texts = append(texts, a.Val)
				}
			}
		}
	}
	return slices.DeleteFunc(texts, func(text string) bool {
		return !letters.MatchString(verbs.ReplaceAllString(text, "")) || slices.Contains(unmarked(), strings.Trim(text, " :,."))
	})
}

func all(root *html.Node) func(func(*html.Node) bool) {
	return func(yield func(*html.Node) bool) {
		if !yield(root) {
			return
		}
		for n := range root.Descendants() {
			if !yield(n) {
				return
			}
		}
	}
}

// Each text of a page for staff stands between marks, or it would be in English in each language.
func TestEveryTextIsMarked(t *testing.T) {
	t.Parallel()
	names, err := fs.Glob(files, "templates/*/*.html")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range append(names, "templates/layout.html") {
		source, err := fs.ReadFile(files, name)
		if err != nil {
			t.Fatal(err)
		}
		if english(name) {
			if m := marked.Find(source); m != nil && strings.HasPrefix(path.Base(name), "desk") {
				t.Errorf("%s is for officers, in English alone, and marks %s", name, m)
			}
			continue
		}
		for _, text := range said(t, string(source)) {
			t.Errorf("%s: %q stands outside [[ and ]]", name, text)
		}
	}
	script, err := fs.ReadFile(files, "static/webauthn.js")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range sentence.FindAllSubmatch(script, -1) {
		t.Errorf("static/webauthn.js: %q stands outside [[ and ]]", m[1])
	}
}

func TestUnmarkedTextIsFound(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]string{
		`<p>Sign in</p>`:                                                "[Sign in]",
		`<p>[[Sign in]]</p>`:                                            "[]",
		`<p>[[Hello <b>{{.Name}}</b>.]]</p>`:                            "[]",
		`<p>Hello <b>{{.Name}}</b>.</p>`:                                "[Hello]",
		`<nav aria-label="Your account"></nav>`:                         "[Your account]",
		`{{template "input" (field .Errors "id" "a" "label" "Code")}}`:  "[Code]",
		`{{template "summary-row" (row "Name" .Name)}}`:                 "[Name]",
		`{{template "summary-row" (row "[[Name]]" (or .Name "None"))}}`: "[None]",
		`{{define "title"}}Your data{{end}}`:                            "[Your data]",
		`{{if .A}}[[One]]{{else}}Two{{end}}`:                            "[Two]",
	} {
		if got := fmt.Sprint(said(t, source)); got != want {
			t.Errorf("said(%s) = %s, want %s", source, got, want)
		}
	}
}

// A script says in each language what it says, and a page in that language has it.
func TestScriptsAreTranslated(t *testing.T) {
	t.Parallel()
	p, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	assets, err := p.assets()
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"/static/webauthn.js":    "There was no answer. Check your connection and try again.",
		"/static/webauthn.cy.js": "Ni chafwyd ateb. Gwiriwch eich cysylltiad a rhowch gynnig arall arni.",
	} {
		if body := string(assets[name].translated); !strings.Contains(body, `"`+want+`"`) || strings.Contains(body, "]]") && strings.Contains(body, "\"[[") {
			t.Errorf("%s does not say %q", name, want)
		}
	}
	page := SignIn{Frame: Frame{Language: Welsh}, Ceremony: Ceremony{Options: []byte(`{}`)}}
	if body := render(t, Options{}, page).Body.String(); !strings.Contains(body, `src="/static/webauthn.cy.js?v=`) {
		t.Error("the Welsh sign-in page has not the Welsh script")
	}
}
