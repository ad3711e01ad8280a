package oauth

import (
	"errors"
	"net/http"
	"net/url"
	"slices"

	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/idp/session"
	"github.com/credence-id/credence/web"
)

// signOut is a request to sign out: OpenID Connect RP-Initiated Logout 1.0, Section 2.
type signOut struct {
	hint     *hint
	client   client // zero when none is named
	returnTo string // where to go then, the state included; "" when nowhere
}

// logout is the end session endpoint. A client that shows the ID token of the person who is signed in signs her out at
// once; anybody else has the person asked first.
func (h *Handler) logout(w http.ResponseWriter, r *http.Request) error {
	out, err := h.parseSignOut(r)
	if err != nil {
		return err
	}
	s, err := h.Sessions.FindToEnd(r.Context(), h.Sessions.CookieOf(r))
	switch {
	case errors.Is(err, session.ErrNone):
		h.Sessions.SetCookie(w, "")
		return h.signedOut(w, r, out)
	case err != nil:
		return err
	case out.hint != nil && out.hint.Subject == s.Person.ID && out.hint.SessionID == s.ID.String():
		return h.end(w, r, h.Sessions.End(r.Context(), s), out)
	}
	frame := h.frame(r)
	if s.Live(h.Now()) { // whoever comes after a time-out need not learn who was there
		frame.SignedInAs = s.Person.DisplayName
	}
	if out.returnTo != "" {
		frame.FormAction = formAction(out.returnTo)
	}
	return h.Pages.Render(w, http.StatusOK, web.SignOutConfirm{Frame: frame, ClientName: out.client.called(), StayURL: "/"})
}

// confirmLogout takes the answer of the person on our own page, or the request of a client that posts it.
func (h *Handler) confirmLogout(w http.ResponseWriter, r *http.Request) error {
	r.Body = web.Body(w, r, maxBody)
	if err := r.ParseForm(); err != nil {
		return badSignOut("The form did not arrive whole.")
	}
	ofClient := []string{"id_token_hint", "client_id", "post_logout_redirect_uri", "state", "logout_hint", "ui_locales"}
	if slices.ContainsFunc(ofClient, r.PostForm.Has) { // it becomes the same request as GET, with the cookies that the browser keeps back now
		return seeOther(w, r, "/logout?"+r.PostForm.Encode())
	}
	if err := h.SameOrigin.Check(r); err != nil {
		return seeOther(w, r, r.URL.RequestURI())
	}
	out, err := h.parseSignOut(r)
	if err != nil {
		return err
	}
	s, err := h.Sessions.FindToEnd(r.Context(), h.Sessions.CookieOf(r))
	if errors.Is(err, session.ErrNone) {
		return h.signedOut(w, r, out)
	}
	if err != nil {
		return err
	}
	if r.URL.Query().Has("everywhere") {
		return h.end(w, r, h.Sessions.EndAll(r.Context(), s.Person.ID), out)
	}
	return h.end(w, r, h.Sessions.End(r.Context(), s), out)
}

// end sends the browser on after its session has ended.
func (h *Handler) end(w http.ResponseWriter, r *http.Request, err error, out signOut) error {
	if err != nil {
		return err
	}
	h.Sessions.SetCookie(w, "")
	if out.returnTo == "" {
		return seeOther(w, r, "/logout")
	}
	return seeOther(w, r, out.returnTo)
}

// signedOut answers when nobody is signed in, any more.
func (h *Handler) signedOut(w http.ResponseWriter, r *http.Request, out signOut) error {
	if out.returnTo != "" {
		return seeOther(w, r, out.returnTo)
	}
	return h.Pages.Render(w, http.StatusOK, web.SignedOut{Frame: h.frame(r), SignInURL: "/sign-in"})
}

func (h *Handler) frame(r *http.Request) web.Frame {
	return web.Frame{RequestID: audit.RequestOf(r.Context()).ID, Language: web.LanguageOf(r, r.URL.Query().Get("ui_locales"))}
}

// parseSignOut reads the request. Nobody is sent to an address that the client did not register. A hint that is not ours
// and a client that is disabled count for nothing: the person can sign out all the same, and stays here.
func (h *Handler) parseSignOut(r *http.Request) (signOut, error) {
	var out signOut
	if len(r.URL.RawQuery) > maxQuery {
		return out, badSignOut("The request is longer than 8 KiB.")
	}
	p, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil || !clean(p) || repeated(p) {
		return out, badSignOut("The query is not properly encoded text, or a parameter is there more than once.")
	}
	id := p.Get("client_id")
	if token := p.Get("id_token_hint"); token != "" {
		t, err := h.readHint(r.Context(), token)
		if err != nil {
			return signOut{}, nil //nolint:nilerr // RP-Initiated Logout 1.0, Section 4: what fails validation is not used
		}
		if id != "" && id != t.Audience {
			return out, badSignOut("The client_id is not the one of the id_token_hint.")
		}
		out.hint, id = &t, t.Audience
	}
	if id != "" {
		var ok bool
		if out.client, ok = h.Clients.find(r.Context(), id); !ok {
			return signOut{}, nil
		}
	}
	uri := p.Get("post_logout_redirect_uri")
	if uri == "" {
		return out, nil
	}
	if !slices.Contains(out.client.PostLogoutRedirectURIs, uri) {
		return out, badSignOut("The post_logout_redirect_uri is not exactly one that the client registered, or no client is named.")
	}
	more := url.Values{}
	if p.Has("state") {
		more.Set("state", p.Get("state"))
		out.returnTo, err = withParameters(uri, more)
		return out, err
	}
	out.returnTo = uri
	return out, nil
}

func badSignOut(description string) error {
	return &web.Problem{
		Status: http.StatusBadRequest, Title: "We could not sign you out for that service",
		Message: "The service that sent you here asked for it in a way that we do not accept. You may still be signed in.",
		Next:    "To sign out, go to the home page and select Sign out.",
		Code:    "invalid_request", Description: description,
	}
}
