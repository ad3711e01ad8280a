// Package web is what people see: the pages, their words, their style sheet and their one script.
//
// It renders and decides nothing. Handlers fill a page type ([SignIn], [RoleChoice], [Problem], …) and call [Pages.Render]; templates only
// print. It imports nothing else of this module.
//
// It guarantees that
//   - a page is complete or not sent: it is rendered to memory first;
//   - no page is stored by a cache, framed by another site, or able to run script, style or forms from elsewhere;
//   - no page holds inline script or style, or a hidden field: the URL that a form posts to says what it is about;
//   - all but the WebAuthn ceremonies works without script.
//
// It implements
//   - WCAG 2.2, level AA
//   - Content Security Policy Level 3
//   - the browser's part of WebAuthn Level 3 (static/webauthn.js; [Ceremony] is its contract with the server)
package web

import (
	"bytes"
	"cmp"
	"embed"
	"encoding/json"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

//go:embed templates static
var files embed.FS

// Options say how pages look.
type Options struct {
	// Development shows on every page that sign-in is simulated here.
	Development bool
	// Location is the time zone in which times are shown. Nil means UTC.
	Location *time.Location
	// Help is where whoever is not known finds help, or whose organisation does not say. Empty for nowhere.
	Help Help
}

// Pages renders pages and serves the files that they need.
type Pages struct {
	templates map[version]func() (*template.Template, error) // the first call parses
	assets    func() (map[string]asset, error)               // by URL path; the first call reads
	words     map[Language]Words
	outlines  outlines
}

// version is a page in a language.
type version struct {
	page     string
	language Language
}

// New reads nothing yet but the words of each language. The files that pages need are read with the first page, and a page is parsed
// when it is shown first, with a copy of what all pages have: most are rarely shown, and together they would be most of the memory
// of a server that has nothing to do.
func New(o Options) (*Pages, error) {
	spoken := make(map[Language]Words)
	for _, language := range Languages() {
		words, err := ReadWords(language)
		if err != nil {
			return nil, err
		}
		spoken[language] = words
	}
	assets := sync.OnceValues(func() (map[string]asset, error) { return readAssets(spoken) })
	names, err := fs.Glob(files, "templates/pages/*.html")
	if err != nil {
		return nil, fmt.Errorf("list pages: %w", err)
	}
	outlines, err := newOutlines()
	if err != nil {
		return nil, err
	}
	p := &Pages{templates: make(map[version]func() (*template.Template, error)), assets: assets, words: spoken, outlines: outlines}
	for _, language := range Languages() {
		layout := sync.OnceValues(func() (layout, error) {
			assets, err := assets()
			if err != nil {
				return layout{}, err
			}
			return newLayout(o, language, spoken[language], assets)
		})
		for _, name := range names {
			p.templates[version{strings.TrimSuffix(path.Base(name), ".html"), language}] = sync.OnceValues(func() (*template.Template, error) {
				l, err := layout()
				if err != nil {
					return nil, err
				}
				return l.page(name)
			})
		}
	}
	return p, nil
}

// layout is what all pages of a language have.
type layout struct {
	template *template.Template
	words    Words
}

func newLayout(o Options, language Language, words Words, assets map[string]asset) (layout, error) {
	location := o.Location
	if location == nil {
		location = time.UTC
	}
	base := template.New("layout.html").Option("missingkey=error").Funcs(template.FuncMap{
		"development": func() bool { return o.Development },
		"say":         words.Say,
		"time":        func(t time.Time) string { return words.Time(t.In(location)) },
		"day":         words.day,
		"field":       newField,
		"help":        func(h Help) Help { return cmp.Or(h, o.Help) },
		"choices":     choices,
		"pieces":      pieces,
		"row":         func(label, value string) row { return row{Label: label, Value: value} },
	})
	for name := range assets { // {{template "/static/credence.css"}} is the file's URL: it is written, and not looked up for each page
		own := inLanguage(name, language)
		if _, there := assets[own]; !there {
			own = name
		}
		if _, err := base.New(name).Parse(assets[own].url(own)); err != nil {
			return layout{}, fmt.Errorf("parse URL of %q: %w", name, err)
		}
	}
	components, err := fs.Glob(files, "templates/components/*.html")
	if err != nil {
		return layout{}, fmt.Errorf("list components: %w", err)
	}
	l := layout{base, words}
	for _, name := range append(components, "templates/layout.html") {
		if err := l.parse(base, name); err != nil {
			return layout{}, err
		}
	}
	return l, nil
}

// parse adds a file to a template of that name.
func (l layout) parse(to *template.Template, name string) error {
	source, err := fs.ReadFile(files, name)
	if err != nil {
		return fmt.Errorf("read template: %w", err)
	}
	text, err := l.words.Translate(string(source))
	if err != nil {
		return fmt.Errorf("translate template %q: %w", name, err)
	}
	if to.Name() != path.Base(name) {
		to = to.New(path.Base(name))
	}
	if _, err := to.Parse(text); err != nil {
		return fmt.Errorf("parse template %q: %w", name, err)
	}
	return nil
}

// page parses a page with a copy of the layout.
func (l layout) page(name string) (*template.Template, error) {
	page, err := l.template.Clone()
	if err != nil {
		return nil, fmt.Errorf("copy layout: %w", err)
	}
	return page, l.parse(page, name)
}

// Words are what pages say in a language.
func (p *Pages) Words(l Language) Words { return p.words[l] }

// usualPage is the room for a page in bytes. Most need less.
const usualPage = 12 << 10

// Render writes a page and its headers. When it returns an error, nothing has been written, unless the connection is what failed.
func (p *Pages) Render(w http.ResponseWriter, status int, page Page) error {
	name, frame := page.page()
	policy, err := contentSecurityPolicy(frame.FormAction)
	if err != nil {
		return fmt.Errorf("render page %q: %w", name, err)
	}
	language := frame.Language
	if !slices.Contains(Languages(), language) {
		language = English
	}
	parsed, err := p.templates[version{name, language}]()
	if err != nil {
		return fmt.Errorf("render page %q: %w", name, err)
	}
	var body bytes.Buffer
	body.Grow(usualPage)
	if signIn, ok := page.(SignIn); ok && signIn.anybodys() {
		err = p.outlines.render(&body, parsed, signIn)
	} else {
		err = parsed.Execute(&body, page)
	}
	if err != nil {
		return fmt.Errorf("render page %q: %w", name, err)
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Length", strconv.Itoa(body.Len())) // else it is sent in chunks, with another write for the last of them
	h.Set("Content-Language", string(language))
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Frame-Options", "DENY")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Permissions-Policy", permissionsPolicy(frame.Camera))
	if len(frame.FormAction) == 0 {
		// Not on the pages of a pending request: a relying party may have opened them in a pop-up window, and would lose it.
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
	}
	w.WriteHeader(status)
	if _, err := body.WriteTo(w); err != nil {
		return fmt.Errorf("write page %q: %w", name, err)
	}
	return nil
}

// Answer is what the script of a [Ceremony] gets: where the browser goes next, with status 200, or what the person is told
// before trying again, with a status of 400 or above.
type Answer struct {
	Location string `json:"location,omitempty"`
	Message  string `json:"message,omitempty"`
	Forget   bool   `json:"forget,omitempty"` // the credential that was used will never work here again
}

// Answer sends an answer, in the language of the page that has the script.
func (p *Pages) Answer(w http.ResponseWriter, status int, l Language, a Answer) error {
	a.Message = p.Words(l).Say(a.Message)
	body, err := json.Marshal(a)
	if err != nil {
		return fmt.Errorf("encode answer: %w", err)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write(body) // a browser that is gone needs no answer
	return nil
}

// source is a scheme or an origin, as Content Security Policy Level 3, Section 2.3.1 writes them.
var source = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9+.-]*:(//[A-Za-z0-9.:\[\]-]+)?$`)

// permissionsPolicy is what the script of a page may ask the browser for.
func permissionsPolicy(camera bool) string {
	const policy = "publickey-credentials-get=(self), publickey-credentials-create=(self)"
	if camera {
		return policy + ", camera=(self)"
	}
	return policy + ", camera=()"
}

func contentSecurityPolicy(formAction []string) (string, error) {
	for _, s := range formAction {
		// A source with a space or a semicolon would write further sources or directives.
		if !source.MatchString(s) {
			return "", fmt.Errorf("form action %q is not a scheme or an origin", s)
		}
	}
	return "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; form-action " +
		strings.Join(append([]string{"'self'"}, formAction...), " ") + "; base-uri 'none'; frame-ancestors 'none'", nil
}
