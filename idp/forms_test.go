package idp_test

import (
	"bytes"
	"cmp"
	"io"
	"maps"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"golang.org/x/net/html"

	"github.com/credence-id/credence/idp/account"
	"github.com/credence-id/credence/idp/breakglass"
	"github.com/credence-id/credence/idp/desk"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/messenger"
	"github.com/credence-id/credence/idp/registration"
	"github.com/credence-id/credence/idp/selfregistration"
	"github.com/credence-id/credence/idp/signin"
)

// pageRoutes are the patterns of all that people come to: pages, and what their forms are posted to.
func pageRoutes() (patterns []string) {
	handle := func(pattern string, _ func(http.ResponseWriter, *http.Request) error) {
		patterns = append(patterns, pattern)
	}
	mail := new(messenger.Outbox)
	new(desk.Handler).Mount(handle)
	new(account.Handler).Mount(handle)
	new(breakglass.Handler).Mount(handle)
	(&registration.Handler{Enroller: &registration.Enroller{Messenger: mail}}).Mount(handle)
	(&signin.Handler{Simulated: directory.FixedPeople()}).Mount(handle)
	(&selfregistration.Handler{Messenger: mail}).Mount(handle)
	return append(patterns, "GET /logout", "POST /logout")
}

// Each room that has pages is among those whose forms are held.
func TestFormsOfEveryRoom(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("*/*.go")
	if err != nil {
		t.Fatal(err)
	}
	var rooms []string
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(text, []byte(") Mount(handle func(")) {
			rooms = append(rooms, filepath.Dir(file))
		}
	}
	// Programs fill in no forms, and the one page of package oauth is among the routes.
	if diff := gocmp.Diff([]string{"account", "api", "breakglass", "desk", "oauth", "registration", "selfregistration", "signin"}, rooms); diff != "" {
		t.Errorf("the rooms that have pages differ from those of pageRoutes (-want +got):\n%s", diff)
	}
}

// router finds the route of a method and an address.
func router(patterns []string) func(method, path string) string {
	mux := http.NewServeMux()
	for _, pattern := range patterns {
		mux.Handle(pattern, http.NotFoundHandler())
	}
	return func(method, path string) string {
		_, pattern := mux.Handler(httptest.NewRequest(method, path, http.NoBody))
		return pattern
	}
}

// form is a form of a page, with what is entered in each of its fields.
type form struct {
	method, action string
	multipart      bool
	ceremony       bool       // the script of the page sends it, and the page stays
	fields         url.Values // radio buttons and checkboxes: those that are chosen
	secret         []string   // the fields for what nobody is to read, and for files
	buttons        []url.Values
}

// page is what a page has that people fill in, and what it says is wrong with it.
type page struct {
	title    string
	headings int // of the first level
	ids      map[string]*html.Node
	forms    []form
	mistakes []string // the ids that the error summary leads to; "" is for none
}

func attributeOf(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

func hasAttribute(n *html.Node, key string) bool {
	return slices.ContainsFunc(n.Attr, func(a html.Attribute) bool { return a.Key == key })
}

func textOf(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data)
		}
	}
	return b.String()
}

// read reads a page as a browser does.
func (a answer) read(t *testing.T) page {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(a.body))
	if err != nil {
		t.Fatal(err)
	}
	p := page{ids: make(map[string]*html.Node)}
	for n := range doc.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		if id := attributeOf(n, "id"); id != "" {
			p.ids[id] = n
		}
		switch n.Data {
		case "title":
			p.title = textOf(n)
		case "h1":
			p.headings++
		case "form":
			p.forms = append(p.forms, a.formOf(t, n))
		}
	}
	if summary := p.ids["error-summary"]; summary != nil {
		for n := range summary.Descendants() {
			if n.Data == "li" {
				p.mistakes = append(p.mistakes, "")
			}
			if n.Data == "a" {
				p.mistakes[len(p.mistakes)-1] = strings.TrimPrefix(attributeOf(n, "href"), "#")
			}
		}
	}
	return p
}

func (a answer) formOf(t *testing.T, n *html.Node) form {
	t.Helper()
	action, err := a.Request.URL.Parse(attributeOf(n, "action"))
	if err != nil {
		t.Fatal(err)
	}
	if attributeOf(n, "action") == "" {
		action = a.Request.URL
	}
	f := form{method: strings.ToUpper(attributeOf(n, "method")), action: action.RequestURI(), multipart: attributeOf(n, "enctype") == "multipart/form-data", ceremony: hasAttribute(n, "data-ceremony"), fields: url.Values{}}
	for d := range n.Descendants() {
		name, value := attributeOf(d, "name"), attributeOf(d, "value")
		switch d.Data {
		case "button":
			f.buttons = append(f.buttons, url.Values{name: {value}})
		case "textarea":
			f.fields[name] = []string{textOf(d)}
		case "select":
			f.fields[name] = nil
			for option := range d.Descendants() {
				if option.Data == "option" && hasAttribute(option, "selected") {
					f.fields.Add(name, attributeOf(option, "value"))
				}
			}
		case "input":
			switch attributeOf(d, "type") {
			case "hidden":
				t.Errorf("%s has a hidden field %q: what a form is about belongs in its address", a.path(), name)
			case "submit":
				f.buttons = append(f.buttons, url.Values{name: {value}})
			case "radio", "checkbox":
				if f.fields[name] == nil {
					f.fields[name] = []string{}
				}
				if hasAttribute(d, "checked") {
					f.fields.Add(name, value)
				}
			case "password", "file":
				f.secret = append(f.secret, name)
				f.fields[name] = []string{value}
			default:
				f.fields[name] = []string{value}
			}
		}
	}
	delete(f.fields, "")
	return f
}

// send sends a form as a browser does, filled in so, by a button of it.
func (b *browser) sendForm(f form, typed, button url.Values) answer {
	b.t.Helper()
	sent := maps.Clone(typed)
	maps.Copy(sent, button)
	if f.method != http.MethodPost {
		path, _, _ := strings.Cut(f.action, "?")
		return b.get(path + "?" + sent.Encode())
	}
	if !f.multipart {
		return b.post(f.action, sent)
	}
	var body bytes.Buffer
	parts := multipart.NewWriter(&body)
	for name, values := range sent {
		for _, value := range values {
			create := parts.CreateFormField
			if slices.Contains(f.secret, name) {
				create = func(name string) (io.Writer, error) { return parts.CreateFormFile(name, "a file") }
			}
			part, err := create(name)
			if err != nil {
				b.t.Fatal(err)
			}
			_, _ = part.Write([]byte(value))
		}
	}
	if err := parts.Close(); err != nil {
		b.t.Fatal(err)
	}
	return b.postWith(f.action, nil, func(r *http.Request) {
		r.Body, r.ContentLength = io.NopCloser(&body), int64(body.Len())
		r.Header.Set("Content-Type", parts.FormDataContentType())
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	})
}

// submission is a form, filled in so that it breaks a rule. What is typed in each of its fields is told from all else.
type submission struct {
	page   func(s *site) (*browser, string) // which has it; nil: the page of the same address
	typed  url.Values                       // in all of its fields
	button url.Values                       // by which it is sent; nil: its first
	fine   bool                             // nothing that is entered here can be wrong
	status int                              // of the answer; 400 unless given
	whole  bool                             // what is wrong is not in one field
	gone   []string                         // fields that may have what is secret, and are empty again
	writes []string                         // tables in which it counts that something was tried
}

// written is all that the database holds but what may change when something is refused: what was tried is on record and counted, and whoever works
// stays signed in.
func (s *site) written(but ...string) map[string]int {
	s.p.t.Helper()
	state := s.p.state()
	for _, table := range append(but, "audit_event", "session", "throttle") {
		delete(state, table)
	}
	return state
}

// wantUnwritten wants nothing written since.
func (s *site) wantUnwritten(what string, before map[string]int, but ...string) {
	s.p.t.Helper()
	if diff := gocmp.Diff(before, s.written(but...)); diff != "" {
		s.p.t.Errorf("%s writes (-before +after):\n%s", what, diff)
	}
}

// Each form of each page, when what was entered breaks a rule: the page says so as all pages do, has what was typed but for what is secret,
// and nothing was written. A new form is put into the table first.
func TestFormsKeepWhatWasTyped(t *testing.T) {
	t.Parallel()
	p, mails := openedToAll(t)
	s, patterns, rows := p.site(mails), pageRoutes(), submissions()
	route := router(patterns)
	seen := func(at string, page page) {
		for _, f := range page.forms {
			if strings.HasPrefix(f.action, "/logout") {
				continue
			}
			to := route(f.method, f.action)
			list, known := rows[to]
			covered := func(row submission) bool {
				alone := maps.Clone(row.typed)
				alone.Del("sort") // over none or one row there is no order to choose
				return sameFields(f, row.typed) || sameFields(f, alone)
			}
			if !known || len(f.fields) > 0 && !f.ceremony && !slices.ContainsFunc(list, covered) {
				t.Errorf("the form at %s, sent to %q, has the fields %q: want a row that fills in each of them", at, to, slices.Sorted(maps.Keys(f.fields)))
			}
		}
	}
	for _, pattern := range patterns {
		if method, _, _ := strings.Cut(pattern, " "); method == http.MethodPost {
			if _, known := rows[pattern]; !known {
				t.Errorf("%s takes what? want a row that fills in its form", pattern)
			}
			continue
		}
		b, at := s.at(pattern)
		a := b.rest(b.get(at))
		if a.StatusCode != http.StatusOK && pattern != "GET /sign-in/unmet" { // which is a refusal
			t.Errorf("%s = %d, want the page: %s", at, a.StatusCode, text(a.body))
		}
		if strings.HasPrefix(a.Header.Get("Content-Type"), "text/html") {
			seen(at, a.read(t))
		}
	}
	for _, pattern := range slices.Sorted(maps.Keys(rows)) {
		if !slices.Contains(patterns, pattern) {
			t.Errorf("there is a row of %q, which is no route", pattern)
			continue
		}
		for _, row := range rows[pattern] {
			b, at := s.of(pattern, row)
			a := b.rest(b.get(at))
			page := a.read(t)
			i := slices.IndexFunc(page.forms, func(f form) bool { return route(f.method, f.action) == pattern && sameFields(f, row.typed) })
			if i < 0 || a.StatusCode != http.StatusOK {
				t.Errorf("%s = %d, want a form for %s with the fields %q; it has %v: %s", at, a.StatusCode, pattern, slices.Sorted(maps.Keys(row.typed)), page.forms, text(a.body))
				continue
			}
			seen(at, page)
			s.wantRefused(pattern, b, page.forms[i], row)
		}
	}
}

func sameFields(f form, typed url.Values) bool {
	return slices.Equal(slices.Sorted(maps.Keys(f.fields)), slices.Sorted(maps.Keys(typed)))
}

// hasFields says whether a form has fields, and perhaps others: a list that was found has an order, too.
func hasFields(f form, typed url.Values) bool {
	for name := range typed {
		if _, there := f.fields[name]; !there {
			return false
		}
	}
	return true
}

// wantRefused sends a form, and wants it refused as forms are.
func (s *site) wantRefused(pattern string, b *browser, f form, row submission) {
	t := s.p.t
	t.Helper()
	before := s.written(row.writes...)
	button := row.button
	if button == nil {
		button = f.buttons[0]
	}
	a := b.sendForm(f, row.typed, button)
	s.wantUnwritten(pattern+" with a mistake", before, row.writes...)
	page, status := a.read(t), wantStatus(row.status, row.fine)
	if a.StatusCode != status {
		t.Errorf("%s with a mistake = %d, want %d: %s", pattern, a.StatusCode, status, text(a.body))
	}
	if wrong := !row.fine; strings.HasPrefix(page.title, "Error: ") != wrong || (page.ids["error-summary"] != nil) != wrong || page.headings != 1 {
		t.Errorf("%s with a mistake has the title %q, a summary = %t and %d headings of the first level, want an error, true, 1", pattern, page.title, page.ids["error-summary"] != nil, page.headings)
	}
	s.wantLinks(pattern, a, page, row)
	for name, values := range row.typed {
		if !row.secret(name) {
			continue
		}
		for _, value := range values {
			if strings.Contains(html.UnescapeString(a.body), value) {
				t.Errorf("%s with a mistake shows the secret of the field %q again", pattern, name)
			}
		}
	}
	i := slices.IndexFunc(page.forms, func(back form) bool { return back.method == f.method && hasFields(back, row.typed) })
	if i < 0 {
		t.Errorf("%s with a mistake has no form of the same fields any more: %s", pattern, text(a.body))
		return
	}
	for name, values := range row.typed {
		back := slices.DeleteFunc(page.forms[i].fields[name], func(value string) bool { return value == "" })
		if !row.secret(name) && !slices.Equal(slices.Sorted(slices.Values(back)), slices.Sorted(slices.Values(values))) {
			t.Errorf("%s with a mistake has %q in the field %q, want %q, as it was typed", pattern, back, name, values)
		}
	}
}

// wantLinks wants the summary to lead to fields that are there, in their order, each with what is wrong beside it.
func (s *site) wantLinks(pattern string, a answer, page page, row submission) {
	t := s.p.t
	t.Helper()
	if len(page.mistakes) == 0 && !row.fine {
		t.Errorf("%s with a mistake says nothing of it: %s", pattern, text(a.body))
	}
	last := 0
	for _, id := range page.mistakes {
		if id == "" {
			if !row.whole {
				t.Errorf("the summary of %s with a mistake leads to no field: %s", pattern, text(a.body))
			}
			continue
		}
		at := strings.Index(a.body, ` id="`+id+`"`)
		if page.ids[id] == nil || page.ids[id+"-error"] == nil {
			t.Errorf("the summary of %s with a mistake leads to %q, which is there = %t, with what is wrong beside it = %t", pattern, id, page.ids[id] != nil, page.ids[id+"-error"] != nil)
		}
		if at < last {
			t.Errorf("the summary of %s with a mistake leads to %q after what comes later: want the order of the fields", pattern, id)
		}
		last = at
	}
}

func wantStatus(status int, fine bool) int {
	if fine {
		return http.StatusOK
	}
	return cmp.Or(status, http.StatusBadRequest)
}

// secret says whether what is entered in a field is secret, or a file.
func (row submission) secret(name string) bool {
	return slices.Contains([]string{"password", "code", "account_code", "file", "upload"}, name) || slices.Contains(row.gone, name)
}
