package account

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/assurance"
	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/store"
	"github.com/credence-id/credence/web"
)

// happened says what an event of the record is called to the person whom it concerns, when it was done and when it was refused;
// "" is that it is not refused. These are the events of her history.
type happened struct{ done, refused string }

func events() map[audit.Event]happened {
	return map[audit.Event]happened{
		audit.SignedIn:               {"You signed in", "A sign-in was refused"},
		audit.SessionEnded:           {"A session ended", "The end of a session was refused"},
		audit.RoleChosen:             {"You chose the role to act in", "A choice of a role was refused"},
		audit.Enrolled:               {"Something to sign in with was added", "Something to sign in with was refused"},
		audit.EnrolmentLinkMade:      {"An enrolment link was made for you", ""},
		audit.EnrolmentLinkCancelled: {"An enrolment link that was made for you was cancelled", "An enrolment link could not be cancelled"},
		audit.AuthenticatorRevoked:   {"Something to sign in with was taken away", "Something to sign in with could not be taken away"},
		audit.AuthenticatorSuspended: {"Something to sign in with was suspended", ""},
		audit.AuthenticatorResumed:   {"Something to sign in with works again", ""},
		audit.AuthenticatorLost:      {"Something to sign in with was reported lost", "A report of a loss was refused"},
		audit.AuthenticatorFound:     {"Something to sign in with was found again", ""},
		audit.AuthenticatorReturned:  {"Something to sign in with was handed in", ""},
		audit.AuthenticatorRenamed:   {"Something to sign in with got another name", "Another name for something to sign in with was refused"},
		audit.RecoveryCodesMade:      {"Recovery codes were made", ""},
		audit.RecoveryCodesDropped:   {"Your recovery codes were made worthless", ""},
		audit.Recovered:              {"A recovery code was used", "A recovery code was refused"},
		audit.SelfRegistered:         {"You registered yourself", "Somebody could not register with your email address"},
		audit.LanguageChosen:         {"The language of messages to you was chosen", ""},
		audit.AccountCodeMade:        {"A code for the registration desk was shown", ""},
		audit.AccountCodeGiven:       {"A code of your account was given to an officer", "A code that is not your account’s was given to an officer"},
		audit.PersonDisabled:         {"Your access was stopped", ""},
		audit.PersonEnabled:          {"Your access was given back", ""},
		audit.IdentityRecomputed:     {"The level of your identity was worked out again", ""},
		audit.DataDownloaded:         {"You downloaded your data", ""},
	}
}

// historyPath is where her history is.
const historyPath = "/account/history"

// linesPerPage is how many lines of the history are on a page.
const linesPerPage = 25

// What of her history is listed; all of it, when it is none of these.
const (
	showSignIns = "sign-ins" // and sessions
	showChanges = "changes"  // of what she signs in with, and of her record
	showRefused = "refused"
)

// signsIn says whether an event is of a sign-in, or of the session that it began.
func signsIn(event audit.Event) bool {
	return slices.Contains([]audit.Event{audit.SignedIn, audit.SessionEnded, audit.RoleChosen, audit.Recovered}, event)
}

// lines reads her history, or what is to be shown of it, in an order, from after a line of the record.
func (h *Handler) lines(ctx context.Context, personID, show string, order store.Order, after int64, limit int) ([]store.AuditEvent, error) {
	var names []string
	for event := range events() {
		if show == showSignIns && !signsIn(event) || show == showChanges && signsIn(event) {
			continue
		}
		names = append(names, string(event))
	}
	list, err := h.Store.EventsAbout(ctx, personID, names, show == showRefused, order, after, limit)
	if err != nil {
		return nil, fmt.Errorf("list events about person %s: %w", personID, err)
	}
	return list, nil
}

// history shows her sign-ins, those that were refused included, and what became of what she signs in with.
func (h *Handler) history(w http.ResponseWriter, r *http.Request, o owner) error {
	q, words := r.URL.Query(), h.words(r)
	order, sorting := h.inTime(r, newestFirst())
	page := web.AccountHistory{
		Account: h.account(r, o), Sorting: sorting, Show: q.Get("show"),
		Shows: []web.Option{
			{Value: "", Label: words.Say("Everything")},
			{Value: showSignIns, Label: words.Say("Sign-ins and sessions")},
			{Value: showChanges, Label: words.Say("What you sign in with, and your record")},
			{Value: showRefused, Label: words.Say("What was refused")},
		},
	}
	if !slices.ContainsFunc(page.Shows, func(s web.Option) bool { return s.Value == page.Show }) {
		page.Show, page.Errors = "", []web.FieldError{{Field: "show", Message: "Select what to show"}}
		return h.Pages.Render(w, http.StatusBadRequest, page)
	}
	after, err := strconv.ParseInt(q.Get("after"), 10, 64)
	if err != nil || after < 0 {
		after = 0 // from the beginning
	}
	list, err := h.lines(r.Context(), o.Person.ID, page.Show, order, after, linesPerPage+1)
	if err != nil {
		return err
	}
	if after > 0 {
		page.FirstURL = historyPath + "?" + url.Values{"show": {page.Show}, "sort": {page.Order}}.Encode()
	}
	if len(list) > linesPerPage {
		list = list[:linesPerPage]
		page.NextURL = onward(r, strconv.FormatInt(list[linesPerPage-1].Sequence, 10))
	}
	for _, e := range list {
		page.Lines = append(page.Lines, line(words, e, o))
	}
	return h.Pages.Render(w, http.StatusOK, page)
}

// newestFirst is the order of what happened, from its end.
func newestFirst() store.Order { return store.Order{By: store.ByTime, Descending: true} }

// inTime reads in which order of time the address of a list asks for it: `sort=at`, or `sort=-at` from its end.
func (h *Handler) inTime(r *http.Request, first store.Order) (store.Order, web.Sorting) {
	words := h.words(r)
	shown := web.Sorting{Orders: []web.Option{{Value: "-at", Label: words.Say("Newest first")}, {Value: "at", Label: words.Say("Oldest first")}}, GoesOn: goesOn(r)}
	switch r.URL.Query().Get("sort") {
	case "at":
		first.Descending = false
	case "-at":
		first.Descending = true
	}
	shown.Order = map[bool]string{true: "-at", false: "at"}[first.Descending]
	return first, shown
}

// goesOn says that a list does not begin at its beginning.
func goesOn(r *http.Request) bool { return r.URL.Query().Get("after") != "" }

// onward is the address of a list where it goes on: it asks for all that it was asked for, from after a row.
func onward(r *http.Request, after string) string {
	q := r.URL.Query()
	q.Set("after", after)
	return r.URL.Path + "?" + q.Encode()
}

// afterUUID is the id after which a list goes on whose rows have UUIDs. What can be no id begins it anew.
func afterUUID(r *http.Request) uuid.UUID {
	after, err := uuid.Parse(r.URL.Query().Get("after"))
	if err != nil {
		return uuid.Nil
	}
	return after
}

func line(words web.Words, e store.AuditEvent, o owner) web.HistoryLine {
	known := events()[audit.Event(e.Event)]
	shown := web.HistoryLine{What: known.done, At: e.At, Address: addressOf(e, o), Reference: e.RequestID, Refused: e.Refusal != ""}
	if shown.Refused {
		shown.What = cmp.Or(known.refused, words.Sayf("%s, and that was refused", words.Say(known.done)))
	}
	if method := e.Detail["method"]; method != "" {
		how := capital(strings.ReplaceAll(method, "-", " "))
		if assurance.Method(method) == assurance.TOTP {
			how = "Password and one-time code"
		}
		shown.How = words.Say(how)
		if level := e.Detail["authenticator_level"]; level != "" {
			shown.How = words.Sayf("%s, level %s", shown.How, level)
		}
	}
	if e.Actor != o.Person.ID {
		shown.Other = true
	}
	return shown
}

// addressOf is from where something was done, unless somebody else did it: where an officer sits is hers.
func addressOf(e store.AuditEvent, o owner) string {
	if e.Actor != o.Person.ID {
		return ""
	}
	return e.Address
}
