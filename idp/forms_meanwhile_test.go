package idp_test

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/credence-id/credence/idp/desk"
)

// contest is a form of the desk that two officers have open, and send.
type contest struct {
	page          func(s *site) func(*browser) answer // which both have open, about something new
	rivals        func(s *site) (first, second *browser)
	first, second url.Values // what each enters, beside what the form has
	button        url.Values // by which they send it; nil: its first
	then          url.Values // by which the second sends it, if by another
	who           string     // was first, as the second reads
	now, entered  []string   // what is there now, and what the second entered, as she reads
	status        int        // of the answer to the second; 400 unless given
	alone         string     // why nobody is in anybody's way
}

// Two officers have a form open and both send it: the second is told, and sees what the first did beside what she entered; nothing of the
// first is lost. A form of the desk is put into the table first.
func TestOfTwoOfficersTheSecondSeesTheDifference(t *testing.T) {
	t.Parallel()
	p, mails := openedToAll(t)
	s, rows := p.site(mails), contests()
	route := router(pageRoutes())
	known := func(pattern string, _ func(http.ResponseWriter, *http.Request) error) {
		if strings.HasPrefix(pattern, "POST ") && rows[pattern] == nil {
			t.Errorf("two officers send %s: want a row that says what the second sees", pattern)
		}
	}
	new(desk.Handler).Mount(known)
	for _, pattern := range slices.Sorted(maps.Keys(rows)) {
		for _, row := range rows[pattern] {
			if row.alone == "" {
				s.contest(pattern, row, route)
			}
		}
	}
}

// contest has two officers open a form, and send it one after the other.
func (s *site) contest(pattern string, row contest, route func(method, path string) string) {
	t := s.p.t
	t.Helper()
	first, second := s.other, s.manager
	if row.rivals != nil {
		first, second = row.rivals(s)
	}
	open := row.page(s)
	find := func(b *browser, entered, button url.Values) (form, url.Values) {
		a := open(b)
		for _, f := range a.read(t).forms {
			by := func(of url.Values) bool { return button == nil || gocmp.Equal(of, button) }
			if route(f.method, f.action) == pattern && hasFields(f, entered) && slices.ContainsFunc(f.buttons, by) {
				filled := maps.Clone(f.fields)
				maps.Copy(filled, entered)
				for name, values := range filled {
					switch {
					case slices.Equal(values, []string{"%PNG"}):
						filled[name] = []string{string(portrait(t, 480, 600))}
					case slices.Equal(values, []string{"%OTHER"}):
						_, filled[name][0], _ = strings.Cut(f.action, "other=")
					case slices.Equal(values, []string{"%ENTRY"}):
						filled[name] = strings.Fields(f.buttons[len(f.buttons)-1].Get("certify"))[:1]
					}
				}
				return f, filled
			}
		}
		t.Fatalf("%s = %d, want a form for %s with the fields %v: %s", a.path(), a.StatusCode, pattern, entered, text(a.body))
		return form{}, nil
	}
	one, ones := find(first, row.first, row.button)
	then := row.then
	if then == nil {
		then = row.button
	}
	other, others := find(second, row.second, then)
	send := func(b *browser, f form, filled, button url.Values) answer {
		if button == nil {
			button = f.buttons[0]
		}
		return b.sendForm(f, filled, button)
	}
	if a := send(first, one, ones, row.button); a.StatusCode >= http.StatusBadRequest {
		t.Errorf("%s by the first = %d, want it done: %s", pattern, a.StatusCode, text(a.body))
		return
	}
	before := s.written()
	a := send(second, other, others, then)
	s.wantUnwritten(pattern+" by the second", before)
	page := a.read(t)
	if status := wantStatus(row.status, false); a.StatusCode != status || !strings.HasPrefix(page.title, "Error: ") || len(page.mistakes) == 0 {
		t.Errorf("%s by the second = %d %q, want %d and an error: %s", pattern, a.StatusCode, page.title, status, text(a.body))
	}
	changed := page.ids["changed"]
	if changed == nil {
		t.Errorf("%s by the second says nothing of the difference: %s", pattern, text(a.body))
		return
	}
	words := strings.Join(strings.Fields(textOf(changed)), " ")
	for _, want := range slices.Concat([]string{row.who}, row.now, row.entered) {
		if !strings.Contains(words, want) {
			t.Errorf("%s by the second says %q, want %q", pattern, words, want)
		}
	}
}
