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
	"embed"
	"encoding/json"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"regexp"
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
}

// Pages renders pages and serves the files that they need.
type Pages struct {
	templates map[string]func() (*template.Template, error) // by page name; the first call parses
	assets    map[string]asset                              // by URL path
}

// New parses what all pages have. A page has a copy of that, and is parsed when it is shown first: most are rarely shown, and
// together they would be most of the memory of a server that has nothing to do.
func New(o Options) (*Pages, error) {
	assets, err := readAssets()
	if err != nil {
		return nil, err
	}
	location := o.Location
	if location == nil {
		location = time.UTC
	}
	base := template.New("layout.html").Option("missingkey=error").Funcs(template.FuncMap{
		"development": func() bool { return o.Development },
		"time":        func(t time.Time) string { return t.In(location).Format("2 January 2006 at 3:04pm MST") },
		"field":       newField,
		"choices":     choices,
		"row":         func(label, value string) row { return row{Label: label, Value: value} },
	})
	if base, err = base.ParseFS(files, "templates/layout.html", "templates/components/*.html"); err != nil {
		return nil, fmt.Errorf("parse layout: %w", err)
	}
	for name, a := range assets { // {{template "/static/credence.css"}} is the file's URL: it is written, and not looked up for each page
		if _, err := base.New(name).Parse(a.url(name)); err != nil {
			return nil, fmt.Errorf("parse URL of %q: %w", name, err)
		}
	}
	names, err := fs.Glob(files, "templates/pages/*.html")
	if err != nil {
		return nil, fmt.Errorf("list pages: %w", err)
	}
	templates := make(map[string]func() (*template.Template, error), len(names))
	for _, name := range names {
		templates[strings.TrimSuffix(path.Base(name), ".html")] = sync.OnceValues(func() (*template.Template, error) {
			page, err := base.Clone()
			if err != nil {
				return nil, fmt.Errorf("copy layout: %w", err)
			}
			return page.ParseFS(files, name)
		})
	}
	return &Pages{templates: templates, assets: assets}, nil
}

// usualPage is the room for a page in bytes. Most need less.
const usualPage = 12 << 10

// Render writes a page and its headers. When it returns an error, nothing has been written, unless the connection is what failed.
func (p *Pages) Render(w http.ResponseWriter, status int, page Page) error {
	name, frame := page.page()
	policy, err := contentSecurityPolicy(frame.FormAction)
	if err != nil {
		return fmt.Errorf("render page %q: %w", name, err)
	}
	parsed, err := p.templates[name]()
	if err != nil {
		return fmt.Errorf("parse page %q: %w", name, err)
	}
	var body bytes.Buffer
	body.Grow(usualPage)
	if err := parsed.Execute(&body, page); err != nil {
		return fmt.Errorf("render page %q: %w", name, err)
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Frame-Options", "DENY")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Permissions-Policy", "publickey-credentials-get=(self), publickey-credentials-create=(self)")
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

// Write sends the answer.
func (a Answer) Write(w http.ResponseWriter, status int) error {
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
