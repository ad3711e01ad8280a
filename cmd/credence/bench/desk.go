package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"strings"
)

const (
	deskPath   = "/desk"
	peoplePath = "/desk/people"
	queuePath  = "/desk/requests"
	perPage    = 20 // rows of a list
)

// deskFlow is the flow of the registration desk of that name, or nil.
func (w *worker) deskFlow(name string) func(context.Context) error {
	return map[string]func(context.Context) error{
		"desk_search": w.searchBorn, "desk_search_id": w.searchID, "desk_search_name": w.searchName,
		"desk_queue": w.queue, "desk_person": w.person, "desk_evidence": w.evidence, "desk_glance": w.glance,
	}[name]
}

// enter signs an officer in at the desk, in a fresh browser. Nobody has to choose of one role.
func (w *worker) enter(ctx context.Context) error {
	a := &w.load.officers[int(w.load.turn.Add(1))%len(w.load.officers)]
	w.browser.forget()
	target := deskPath
	for range mostSteps {
		page, err := w.browser.get(ctx, target)
		if err != nil {
			return err
		}
		if page.status == http.StatusOK {
			if bytes.Contains(page.body, []byte(`<nav class="nhsuk-header__navigation" aria-label="Registration desk">`)) {
				return nil
			}
			if page, err = w.fill(ctx, a, target, page); err != nil {
				return err
			}
		}
		if page.status != http.StatusSeeOther {
			return fmt.Errorf("GET %s: status %d, want to be sent on", pathOf(target), page.status)
		}
		target = page.location
	}
	return errors.New("the way to the desk leads round in a circle")
}

// somebody is whom the officer asks about: one of all people, each as likely.
func (w *worker) somebody() int {
	return int(draw(int(w.load.turn.Add(1)), 5) * float64(w.load.config.People))
}

// open opens a page of the desk and wants texts to be on it.
func (w *worker) open(ctx context.Context, target string, texts ...string) (answer, error) {
	got, err := w.browser.get(ctx, target)
	if err != nil {
		return got, err
	}
	if got.status != http.StatusOK {
		return got, fmt.Errorf("GET %s: status %d", pathOf(target), got.status)
	}
	for _, text := range texts {
		if !bytes.Contains(got.body, []byte(text)) {
			return got, fmt.Errorf("GET %s: %q is not on the page", pathOf(target), text)
		}
	}
	return got, nil
}

func link(n int) string { return `<a href="` + peoplePath + "/" + personID(n) + `">` }

func (w *worker) search(ctx context.Context, text, born string, want string) error {
	_, err := w.open(ctx, peoplePath+"?"+url.Values{"q": {text}, "born": {born}}.Encode(), want)
	return err
}

func (w *worker) searchBorn(ctx context.Context) error {
	n := w.somebody()
	given, family := w.load.names.of(n)
	return w.search(ctx, given+" "+family, born(n).Format("2/1/2006"), link(n))
}

func (w *worker) searchID(ctx context.Context) error {
	n := w.somebody()
	return w.search(ctx, personID(n), "", link(n))
}

// searchName looks for a name that is written wrongly. Of one that many have, one of them is on the first page.
func (w *worker) searchName(ctx context.Context) error {
	given, family := w.load.names.of(w.somebody())
	return w.search(ctx, given+" "+misspelt(family), "", ">"+html.EscapeString(given+" "+family)+"</a>")
}

// misspelt is a name with the letter in its middle twice. One of four letters and less is spelt as on record: the half of it would be
// wrong.
func misspelt(name string) string {
	letters := []rune(name)
	if len(letters) < 5 {
		return name
	}
	middle := len(letters) / 2
	return string(letters[:middle+1]) + string(letters[middle:])
}

// queue reads what waits in the nation, oldest first, page one and two; by when it starts; and what waits at a board.
func (w *worker) queue(ctx context.Context) error {
	open := w.load.waiting(0, w.load.config.People)
	first, err := w.list(ctx, queuePath, min(open, perPage))
	if err != nil {
		return err
	}
	if open > perPage {
		next, ok := nextPage(first.body)
		if !ok {
			return fmt.Errorf("GET %s: no next page, though %d wait", queuePath, open)
		}
		if _, err := w.list(ctx, next, min(open-perPage, perPage)); err != nil {
			return err
		}
	}
	if _, err := w.list(ctx, queuePath+"?sort=starts", min(open, perPage)); err != nil {
		return err
	}
	const people = organisationsOfBoard * peopleOfOrganisation
	board := w.somebody() / people
	here := w.load.waiting(board*people, min((board+1)*people, w.load.config.People))
	_, err = w.list(ctx, queuePath+"?organisation="+organisationCode(board*organisationsOfBoard), min(here, perPage))
	return err
}

func (w *worker) list(ctx context.Context, target string, want int) (answer, error) {
	got, err := w.open(ctx, target, `<h1 class="nhsuk-heading-l">Open requests</h1>`)
	if err != nil {
		return got, err
	}
	if rows := bytes.Count(got.body, []byte(`<tr role="row" class="nhsuk-table__row">`)); rows != want {
		return got, fmt.Errorf("GET %s: %d rows, want %d", pathOf(target), rows, want)
	}
	return got, nil
}

// nextPage is where a list goes on.
func nextPage(page []byte) (string, bool) {
	before, _, ok := bytes.Cut(page, []byte(`" id="next">`))
	_, target, there := strings.Cut(string(before[max(0, len(before)-1000):]), `<p><a href="`)
	return html.UnescapeString(target), ok && there
}

func (w *worker) person(ctx context.Context) error {
	n := w.somebody()
	given, family := w.load.names.of(n)
	_, err := w.open(ctx, peoplePath+"/"+personID(n), ` id="name">`+html.EscapeString(given+" "+family)+`</h1>`, personID(n), born(n).Format("2 January 2006"))
	return err
}

func (w *worker) evidence(ctx context.Context) error {
	_, err := w.open(ctx, peoplePath+"/"+personID(w.somebody()/4*4)+"/evidence", "HM Passport Office")
	return err
}

func (w *worker) glance(ctx context.Context) error {
	amount := fmt.Sprintf("<strong>%d</strong>", w.load.waiting(0, w.load.config.People))
	if w.load.waiting(0, w.load.config.People) >= mostCounted {
		amount = fmt.Sprintf("<strong>%d or more</strong>", mostCounted)
	}
	_, err := w.open(ctx, deskPath+"/organisations/"+nation, "Nation (invented) at a glance", amount, `id="expiring"`)
	return err
}

// mostCounted is how far the desk counts what waits.
const mostCounted = 1000

// waiting is for how many people from one up to another something waits.
func (l *load) waiting(from, to int) (count int) {
	for n := from - from%100; n < to; n += 100 {
		if n+55 >= from && n+55 < to && waits(n+55) {
			count++
		}
	}
	return count
}
