package signin

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"strings"

	"github.com/credence-id/credence/idp/assurance"
	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/idp/password"
	"github.com/credence-id/credence/idp/session"
	"github.com/credence-id/credence/idp/throttle"
	"github.com/credence-id/credence/store"
	"github.com/credence-id/credence/web"
)

// passwordURL is the page for a password and a code, or "" when the sign-in that it makes is not enough for what has to be.
func (p pending) passwordURL(username string) string {
	both := assurance.Authentication{Factors: []assurance.Factor{{Method: assurance.Password}, {Method: assurance.TOTP}}}
	if after := p.Demand.Required().Gap(assurance.Reached{Authenticator: both.Level(), AMR: both.AMR()}); after.Authenticator != 0 || after.Impossible {
		return ""
	}
	if username == "" {
		return p.url("/sign-in/password")
	}
	return p.url("/sign-in/password", "username", username)
}

func (h *Handler) passwordPage(w http.ResponseWriter, r *http.Request, p pending) error {
	username := p.username
	if !userID(username) {
		username = ""
	}
	return h.renderPassword(w, r, p, http.StatusOK, username)
}

func (h *Handler) renderPassword(w http.ResponseWriter, r *http.Request, p pending, status int, username string, mistakes ...web.FieldError) error {
	page := web.PasswordSignIn{
		Frame: p.frame(r), PostURL: p.url("/sign-in/password"), OtherURL: p.at(Authenticate), ClientName: p.ClientName, Username: username, Cancelable: p.Cancelable,
	}
	page.Errors = mistakes
	return h.Pages.Render(w, status, page)
}

// password takes a user id, a password and a code, all at once: a page for each would tell who exists, and whether a password
// is right.
func (h *Handler) password(w http.ResponseWriter, r *http.Request, p pending) error {
	f, err := web.Form(w, r, 16<<10)
	if err != nil {
		return err
	}
	if f.Has("cancel") && p.Cancelable {
		return to(w, r, p.ReturnTo+GivenUp)
	}
	username := entered(f)
	var mistakes []web.FieldError
	if !userID(username) {
		mistakes = append(mistakes, web.FieldError{Field: "username", Message: "Enter your user ID: 12 digits, such as 656005750104"})
	}
	if f.Get("password") == "" {
		mistakes = append(mistakes, web.FieldError{Field: "password", Message: "Enter your password"})
	}
	if len(mistakes) > 0 {
		return h.renderPassword(w, r, p, http.StatusBadRequest, username, mistakes...)
	}
	code := strings.Join(strings.Fields(f.Get("code")), "") // which people write in groups
	in, err := h.withPassword(r.Context(), p, h.Sessions.CookieOf(r), username, f.Get("password"), code)
	if beyond, ok := errors.AsType[*throttle.LimitError](err); ok {
		w.Header().Set("Retry-After", beyond.RetryAfter())
		return h.renderPassword(w, r, p, http.StatusTooManyRequests, username, web.FieldError{
			Message: tooMany(h.words(r, p), beyond),
		})
	}
	if errors.Is(err, password.ErrBusy) {
		w.Header().Set("Retry-After", "5")
		return h.renderPassword(w, r, p, http.StatusServiceUnavailable, username, web.FieldError{
			Message: "Too many people are signing in with a password. Wait a moment, then try again. A passkey or security key works now",
		})
	}
	if refused, ok := errors.AsType[*refusal](err); ok {
		return h.renderPassword(w, r, p, http.StatusForbidden, username, web.FieldError{Message: refused.message})
	}
	if err != nil {
		return err
	}
	h.Sessions.SetCookie(w, in.cookie)
	return to(w, r, in.location)
}

// tooMany says how long to wait.
func tooMany(words web.Words, beyond *throttle.LimitError) string {
	if n := int(beyond.Wait.Minutes()) + 1; n > 1 {
		return words.Sayf("Too many sign-ins with a password have failed. Wait %d minutes, then try again. A passkey or security key that is on your record works now", n)
	}
	return words.Say("Too many sign-ins with a password have failed. Wait a minute, then try again. A passkey or security key that is on your record works now")
}

// withPassword signs somebody in with a password and a code. It refuses like withPasskey, but for its limits: a password can be
// guessed, so where too many have failed, under the user id or at the address, the right one does not get in either. Passkeys
// do: nobody is shut out by what others try in her name.
func (h *Handler) withPassword(ctx context.Context, p pending, old session.Cookie, username, entered, code string) (signedIn, error) {
	address := throttle.Subject{Limit: throttle.SignInAddress, Address: audit.RequestOf(ctx).Address}
	attempt := throttle.Subject{Limit: throttle.SignInPassword, UserID: username}
	if err := h.Throttle.Check(address, attempt); err != nil {
		audit.RequestOf(ctx).Refusal.Reason = "limit_exceeded"
		return signedIn{}, err
	}
	verified, err := h.Passwords.VerifySignIn(ctx, p.ClientID, username, entered, code)
	if err == nil {
		if reason := h.WebAuthn.RefusesSecrets(verified.Person); reason != "" {
			return signedIn{}, h.refuse(ctx, audit.Entry{At: h.Now(), Event: audit.SignedIn, Refusal: reason, Person: verified.Person.ID},
				"Your organisation does not accept passwords. Sign in with a passkey or security key, or ask your registration authority for an enrolment link.")
		}
		var in signedIn
		if in, err = h.begin(ctx, p, old, verified.Person, verified.AuthenticatorID, verified.Authentication, verified.Record); err == nil {
			return in, nil
		}
	}
	refused, ok := errors.AsType[*password.Refusal](err)
	if !ok {
		return signedIn{}, err
	}
	h.Log.DebugContext(ctx, "password refused", slog.String("reason", refused.Reason))
	const words = "We could not sign you in. Check your user ID and your password, and enter the newest code of your authenticator app if you have one. " +
		"If it does not help, contact your registration authority."
	entry := audit.Entry{At: h.Now(), Event: audit.SignedIn, Refusal: refused.Reason, Person: refused.PersonID}
	switch {
	case refused.Reason == clientDisabled:
		return signedIn{}, h.withdrawn(ctx, p.ClientID, entry)
	case refused.Proved:
		return signedIn{}, h.refuse(ctx, entry, words)
	}
	if err := h.Throttle.Failed(ctx, address, throttle.Subject{Limit: throttle.SignInClient, Client: p.ClientID}, attempt); err != nil {
		audit.RequestOf(ctx).Refusal.Reason = refused.Reason
		return signedIn{}, err
	}
	return signedIn{}, h.refuse(ctx, entry, words)
}

// usable drops a password that is used with an app, and an app without a password: neither signs anybody in by itself.
func usable(authenticators []store.Authenticator) []store.Authenticator {
	has := func(m assurance.Method) bool {
		return slices.ContainsFunc(authenticators, func(a store.Authenticator) bool { return a.Kind == string(m) })
	}
	withoutPassword, withApp := !has(assurance.Password), has(assurance.TOTP)
	return slices.DeleteFunc(authenticators, func(a store.Authenticator) bool {
		return a.Kind == string(assurance.Password) && withApp || a.Kind == string(assurance.TOTP) && withoutPassword
	})
}
