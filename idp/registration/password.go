package registration

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"

	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/assurance"
	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/messenger"
	"github.com/credence-id/credence/idp/password"
	"github.com/credence-id/credence/store"
	"github.com/credence-id/credence/web"
)

// passwordURL is the page on which whoever a link is for sets a password, or "" when her organisations do not accept any.
func (h *Handler) passwordURL(t ticket, p store.Person) string {
	if h.WebAuthn.RefusesSecrets(p) != "" {
		return ""
	}
	return t.address("/enrol/password")
}

// passwordPage offers a key for an app. The offer goes into the address, so that the page can be loaded again, and go wrong,
// with the key that the app has.
func (h *Handler) passwordPage(w http.ResponseWriter, r *http.Request) error {
	if err := alone(r); err != nil {
		return err
	}
	t, q := h.ticket(w, r), r.URL.Query()
	found, err := h.enrolment(r.Context(), t)
	if err != nil {
		return h.linkRefused(w, r, t, err)
	}
	if h.WebAuthn.RefusesSecrets(found.Person) != "" {
		return notAccepted()
	}
	if q.Get("offer") != "" {
		offer, err := h.Passwords.Offered(q.Get("offer"), t.browser, found.Person)
		if err == nil {
			return h.renderPassword(w, r, http.StatusOK, t, found.Person, offer)
		}
	}
	offer, err := h.Passwords.BeginEnrolment(found.Person, t.browser)
	if err != nil {
		return err
	}
	return web.SeeOther(w, r, offered(t, offer))
}

func offered(t ticket, offer password.Offer) string {
	return t.address("/enrol/password", "offer", offer.State)
}

func (h *Handler) renderPassword(w http.ResponseWriter, r *http.Request, status int, t ticket, p store.Person, offer password.Offer, mistakes ...web.FieldError) error {
	page := web.SetPassword{
		Frame: frame(r), PostURL: offered(t, offer), PersonName: p.DisplayName, UserID: p.ID, Shortest: password.Shortest, Longest: password.Longest,
		Key: offer.Key, App: offer.URI, OtherURL: t.address("/enrol"),
	}
	page.Errors = mistakes
	return h.Pages.Render(w, status, page)
}

// setPassword takes a new password, and the code that shows that an app has the key.
func (h *Handler) setPassword(w http.ResponseWriter, r *http.Request) error {
	f, err := web.Form(w, r, 16<<10)
	if err != nil {
		return err
	}
	t, q := h.ticket(w, r), r.URL.Query()
	code := strings.Join(strings.Fields(f.Get("code")), "")
	bound, err := h.enrolPassword(r.Context(), t, q.Get("offer"), f.Get("password"), code)
	if errors.Is(err, errLink) || errors.Is(err, errCode) {
		return h.linkRefused(w, r, t, err)
	}
	if refused, ok := errors.AsType[*password.Refusal](err); ok {
		h.Log.DebugContext(r.Context(), "enrolment refused", slog.String("reason", refused.Reason))
		offer, err := h.Passwords.Offered(q.Get("offer"), t.browser, bound.person)
		if err != nil { // it is too old, or of another browser: with another key
			http.Redirect(w, r, t.address("/enrol/password"), http.StatusSeeOther)
			return nil //nolint:nilerr // which is the answer to it
		}
		return h.renderPassword(w, r, http.StatusBadRequest, t, bound.person, offer, mistake(h.words(r), refused.Reason))
	}
	if errors.Is(err, password.ErrBusy) {
		w.Header().Set("Retry-After", "5")
		return &web.Problem{
			Status: http.StatusServiceUnavailable, Title: "Wait a moment, then try again",
			Message: "Too many people are signing in with a password just now.", Next: "Your link still works. Go back, and send the form again.",
		}
	}
	if err != nil {
		return err
	}
	sealed, err := h.Box.SealJSON(enrolled{h.words(r).Say("Password and authenticator app"), bound.App.Kind, bound.App.CreatedAt}, t.browser)
	if err != nil {
		return err
	}
	http.Redirect(w, r, "/enrolled?"+url.Values{"what": {sealed}}.Encode(), http.StatusSeeOther)
	return nil
}

// mistake says what is wrong with what somebody entered.
func mistake(words web.Words, reason string) web.FieldError {
	field, message := "password", "Enter your new password again: another one was set a moment ago"
	switch reason {
	case password.TooShort:
		message = words.Sayf("Enter a password of at least %d characters", password.Shortest)
	case password.TooLong:
		message = words.Sayf("Enter a password of at most %d characters", password.Longest)
	case password.Unreadable:
		message = "Enter a password that is text"
	case password.Common:
		message = "Enter a password that is harder to guess: this one is made of words that are tried first"
	case password.Repeated:
		message = "Enter a password that is harder to guess: this one repeats itself, or runs along the keyboard or the alphabet"
	case password.Personal:
		message = "Enter a password that is harder to guess: this one has little more than your name, your user ID or the name of this service"
	case password.CodeWrong:
		field, message = "code", "Enter the 6 digits that your app shows now. If they do not work, check that the clock of your phone is right"
	}
	return web.FieldError{Field: field, Message: message}
}

// boundPassword is what an enrolment has bound, and to whom.
type boundPassword struct {
	password.Enrolment

	person store.Person
}

// enrolPassword finishes an enrolment: it spends the link, and binds password and app in place of the password that there was,
// in one transaction. A refusal is a *password.Refusal, errLink, errCode, a *web.Problem or a *throttle.LimitError.
func (h *Handler) enrolPassword(ctx context.Context, t ticket, offer, entered, code string) (boundPassword, error) {
	found, err := h.enrolment(ctx, t)
	if err != nil {
		return boundPassword{}, err
	}
	bound := boundPassword{person: found.Person}
	if reason := h.WebAuthn.RefusesSecrets(found.Person); reason != "" {
		return bound, cmp.Or(h.record(ctx, found.Person.ID, reason), error(notAccepted()))
	}
	if bound.Enrolment, err = h.Passwords.VerifyEnrolment(ctx, offer, t.browser, found.Person, entered, code); err == nil {
		err = h.Store.InTx(ctx, func(tx *store.Tx) error { return h.bindPassword(ctx, tx, t, bound.Enrolment) })
	}
	if refused, ok := errors.AsType[*password.Refusal](err); ok { // mostly somebody who looks for a password that will do
		audit.RequestOf(ctx).Refusal.Reason = refused.Reason
	}
	if errors.Is(err, errLink) { // used a moment ago, by another answer: looking again records why it does not work
		_, again := h.enrolment(ctx, t)
		err = cmp.Or(again, err)
	}
	return bound, err
}

func (h *Handler) bindPassword(ctx context.Context, tx *store.Tx, t ticket, enrolled password.Enrolment) error {
	now := h.Now()
	if err := h.spend(ctx, tx, t, assurance.AAL2); err != nil {
		return err
	}
	if enrolled.Replaces != uuid.Nil {
		person := enrolled.Password.PersonID
		err := Change{Authenticator: enrolled.Replaces, Person: person, Act: Revoke}.In(ctx, tx, audit.Entry{At: now, Actor: person})
		if _, gone := errors.AsType[*StateError](err); gone || errors.Is(err, directory.ErrUnknown) {
			return &password.Refusal{Reason: password.Withdrawn, PersonID: person}
		}
		if err != nil {
			return fmt.Errorf("revoke the password until now: %w", err)
		}
	}
	if err := enrolled.Record(ctx, tx); err != nil {
		return err
	}
	for _, s := range []store.Secret{enrolled.Password, enrolled.App} {
		err := audit.Record(ctx, tx, audit.Entry{
			At: now, Event: audit.Enrolled, Person: s.PersonID, Detail: map[string]string{"authenticator": s.ID.String(), "kind": s.Kind},
		})
		if err != nil {
			return err
		}
	}
	if err := tx.SuggestLanguage(ctx, enrolled.Password.PersonID, string(t.language)); err != nil { // after her authenticators, as everybody locks them
		return fmt.Errorf("set language of person %s: %w", enrolled.Password.PersonID, err)
	}
	told := messenger.AuthenticatorAdded{Authenticator: enrolled.Password.Name}
	return h.Enroller.Messenger.Post(ctx, tx, messenger.Message{Person: enrolled.Password.PersonID, Letter: told})
}

// notAccepted is the answer to who opens the page by its address.
func notAccepted() *web.Problem {
	return &web.Problem{
		Status: http.StatusForbidden, Title: "Your organisation does not accept passwords",
		Message: "It asks for passkeys or security keys that are known to be safe.",
		Next:    "Open your enrolment link again, and add a passkey or security key.",
	}
}
