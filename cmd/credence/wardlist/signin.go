package wardlist

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

const (
	sessionCookie = "wardlist"
	pendingCookie = "wardlist-pending"
	signOutCookie = "wardlist-sign-out"

	pendingLife = 10 * time.Minute // from /sign-in to /callback
	maxPending  = 1000
	sessionIdle = 15 * time.Minute // without a request
	maxSessions = 200
)

// pending is a sign-in that was started and has not come back. It is kept under
// its browser's cookie and its state together, so that no other browser can
// finish it, and taken when it is used, so that it is finished once.
type pending struct {
	nonce      string
	verifier   string    // of RFC 7636, Section 4.1
	freshSince time.Time // the sign-in that was asked for is no older; zero when any will do
	stepUp     *stepUp   // what the sign-in is needed for; nil when for its own sake
}

// session is a person signed in to the ward list.
type session struct {
	rawIDToken string // the id_token_hint of the sign-out
	token      *oauth2.Token
	tokenEnds  time.Time // zero when the provider did not say
	subject    string
	idToken    claims
	userInfo   claims
	checkedAt  time.Time    // when the provider last confirmed the sign-in on request, or zero
	prescribed prescription // the last one with this sign-in, or zero
}

// signIn sends the browser to the provider, to sign in at all, afresh, or in
// another role.
func (s *Server) signIn(w http.ResponseWriter, r *http.Request) error {
	var started pending
	var scopes []string
	var options []oauth2.AuthCodeOption
	if r.URL.Query().Get("again") == "1" {
		started.freshSince = s.config.Now()
		options = append(options, oauth2.SetAuthURLParam("prompt", "login"))
	}
	if r.URL.Query().Get("role") == "change" {
		scopes = append(scopes, "changedrole")
	}
	return s.authorize(w, r, started, scopes, options...)
}

// authorize sends the browser to the provider with a request for the usual
// scopes, those given besides, and what the options say.
func (s *Server) authorize(w http.ResponseWriter, r *http.Request, started pending, scopes []string, options ...oauth2.AuthCodeOption) error {
	p, err := s.discover(r.Context())
	if err != nil {
		return err
	}
	browser, state := rand.Text(), rand.Text()
	started.nonce, started.verifier = rand.Text(), oauth2.GenerateVerifier()
	options = append(options, oidc.Nonce(started.nonce), oauth2.S256ChallengeOption(started.verifier))
	request := p.oauth
	request.Scopes = slices.Concat(request.Scopes, scopes)
	s.pending.put(browser+"."+state, started, s.config.Now())
	s.setCookie(w, pendingCookie, browser, pendingLife)
	http.Redirect(w, r, request.AuthCodeURL(state, options...), http.StatusSeeOther)
	return nil
}

// callback finishes a sign-in with what the provider sent the browser back with.
func (s *Server) callback(w http.ResponseWriter, r *http.Request) error {
	answer := r.URL.Query()
	for _, values := range answer {
		// RFC 6749, Section 3.1: "Request and response parameters MUST NOT be
		// included more than once."
		if len(values) > 1 {
			return stranger(errors.New("a parameter of the callback is repeated"))
		}
	}
	browser, err := r.Cookie(pendingCookie)
	if err != nil {
		return stranger(errors.New("the callback comes without the cookie of a sign-in"))
	}
	now := s.config.Now()
	started, ok := s.pending.take(browser.Value+"."+answer.Get("state"), now)
	if !ok {
		return stranger(errors.New("the callback's state belongs to no sign-in of this browser"))
	}
	s.dropCookie(w, pendingCookie)
	// RFC 9207, Section 2.4: before anything else in the answer is believed,
	// errors included.
	if answer.Get("iss") != s.config.Issuer {
		return &problem{
			Status: http.StatusBadRequest, Heading: "Sign-in answered by someone else",
			What:   "The answer does not come from the identity provider that was asked, " + s.config.Issuer + ".",
			Advice: "You are not signed in. Start again from the ward list; if it happens twice, report it.",
			cause:  errors.New("iss is missing or is not the issuer"),
		}
	}
	if code := answer.Get("error"); code != "" {
		return s.refused(r, code, answer.Get("error_description"))
	}
	signedIn, err := s.redeem(r.Context(), answer.Get("code"), started, now)
	if err != nil {
		return err
	}
	// A new session under a new name each time: a name known from before the
	// sign-in must not become worth anything (session fixation).
	if old, err := r.Cookie(sessionCookie); err == nil {
		s.sessions.take(old.Value, now)
	}
	id := rand.Text()
	s.sessions.put(id, signedIn, now)
	s.setCookie(w, sessionCookie, id, 0)
	if started.stepUp != nil {
		return s.resume(w, r, id, signedIn, *started.stepUp)
	}
	http.Redirect(w, r, "/", http.StatusSeeOther)
	return nil
}

// checkAccess asks the provider whether it still stands by the sign-in, and
// ends the session unless the answer is yes.
func (s *Server) checkAccess(w http.ResponseWriter, r *http.Request) error {
	id, current, ok := s.session(r)
	if !ok {
		http.Redirect(w, r, "/", http.StatusSeeOther)
		return nil
	}
	now := s.config.Now()
	confirmed, err := s.confirm(r.Context(), current)
	if err != nil {
		s.sessions.take(id, now)
		s.dropCookie(w, sessionCookie)
		return withdrawn(err, current.tokenEnds, now)
	}
	current.userInfo, current.checkedAt = confirmed, now
	s.sessions.replace(id, current)
	http.Redirect(w, r, "/#checked", http.StatusSeeOther)
	return nil
}

// confirm fetches userinfo anew.
func (s *Server) confirm(ctx context.Context, current session) (claims, error) {
	p, err := s.discover(ctx)
	if err != nil {
		return nil, err
	}
	return s.fetchUserInfo(ctx, p, current)
}

// signOut ends the session here and sends the browser on to end the one at the
// provider.
func (s *Server) signOut(w http.ResponseWriter, r *http.Request) error {
	id, current, ok := s.session(r)
	if !ok {
		http.Redirect(w, r, "/signed-out", http.StatusSeeOther)
		return nil
	}
	s.sessions.take(id, s.config.Now())
	s.dropCookie(w, sessionCookie)
	p, err := s.discover(r.Context())
	if err != nil {
		return err
	}
	if p.endSession == "" {
		http.Redirect(w, r, "/signed-out", http.StatusSeeOther)
		return nil
	}
	target, err := url.Parse(p.endSession)
	if err != nil {
		return fmt.Errorf("read the end_session_endpoint: %w", err)
	}
	// OpenID Connect RP-Initiated Logout 1.0, Section 2.
	state := rand.Text()
	q := target.Query()
	q.Set("id_token_hint", current.rawIDToken)
	q.Set("client_id", s.config.ClientID)
	q.Set("post_logout_redirect_uri", s.config.URL+"/signed-out")
	q.Set("state", state)
	target.RawQuery = q.Encode()
	s.setCookie(w, signOutCookie, state, pendingLife)
	http.Redirect(w, r, target.String(), http.StatusSeeOther)
	return nil
}

// signedOut tells that the sign-out is done, and claims it for the provider
// too only when the provider brought back the state it was given.
func (s *Server) signedOut(w http.ResponseWriter, r *http.Request) error {
	if _, _, ok := s.session(r); ok {
		http.Redirect(w, r, "/", http.StatusSeeOther)
		return nil
	}
	page := signedOutPage{Issuer: s.config.Issuer}
	if sent, err := r.Cookie(signOutCookie); err == nil {
		page.Everywhere = subtle.ConstantTimeCompare([]byte(sent.Value), []byte(r.URL.Query().Get("state"))) == 1
		s.dropCookie(w, signOutCookie)
	}
	s.render(r.Context(), w, http.StatusOK, page)
	return nil
}

// signedOutPage is the page after a sign-out.
type signedOutPage struct {
	Issuer     string
	Everywhere bool // the provider has ended its session too
}

// Title is the title of the page.
func (signedOutPage) Title() string { return "Signed out" }

func (signedOutPage) template() string { return "signed-out.html" }

// session returns the session of the browser and its id, and counts the
// request as use of it.
func (s *Server) session(r *http.Request) (string, session, bool) {
	cookie, err := r.Cookie(sessionCookie)
	if err != nil {
		return "", session{}, false
	}
	current, ok := s.sessions.use(cookie.Value, s.config.Now())
	return cookie.Value, current, ok
}

// setCookie sets a cookie for life, or, when life is zero, until the browser
// is closed. Lax and not Strict: the provider sends people back here from
// another site.
func (s *Server) setCookie(w http.ResponseWriter, name, value string, life time.Duration) {
	http.SetCookie(w, &http.Cookie{ //nolint:gosec // Secure follows the scheme of our own URL: there is no https on the loopback address
		Name: name, Value: value, Path: "/", MaxAge: int(life.Seconds()),
		HttpOnly: true, Secure: s.secure, SameSite: http.SameSiteLaxMode,
	})
}

func (s *Server) dropCookie(w http.ResponseWriter, name string) {
	s.setCookie(w, name, "", -time.Second)
}

// refused is the end of a sign-in that the provider did not carry through. It
// changes nothing here: whoever was signed in before still is.
func (s *Server) refused(r *http.Request, code, description string) *problem {
	p := &problem{
		Status: http.StatusForbidden, Heading: "Sign-in was not completed",
		What:   "The identity provider ended the sign-in without letting you through. Nothing has changed here.",
		Advice: advice(code),
		Code:   shorten(code), Description: shorten(description),
	}
	if code == "access_denied" {
		p.Heading = "Sign-in was cancelled"
		p.What = "You came back from the identity provider without signing in. Nothing has changed here."
	}
	if _, current, ok := s.session(r); ok {
		p.SignedInAs = current.person()
	}
	return p
}

// stranger is the refusal of a callback that belongs to no sign-in known here.
// Nothing else in such a callback is read, let alone shown.
func stranger(cause error) *problem {
	return &problem{
		Status: http.StatusBadRequest, Heading: "Sign-in not recognised",
		What: "This sign-in was not started in this browser, was started more than ten minutes ago, " +
			"was overtaken by a later one, or is finished already.",
		Advice: "Start again from the ward list.",
		cause:  cause,
	}
}

// withdrawn is the end of a session that the provider no longer confirms.
func withdrawn(cause error, tokenEnds, now time.Time) *problem {
	p := &problem{
		Status: http.StatusForbidden, Heading: "Your access was withdrawn",
		What:   "The identity provider no longer confirms this sign-in, so the ward list has closed.",
		Advice: "If you should still have access, sign in again. If that fails, ask your registration authority.",
		cause:  cause,
	}
	switch {
	case !errors.Is(cause, errUserInfoRefused):
		p.What = "The identity provider could not confirm this sign-in. Without its yes the ward list has to treat access as withdrawn, and has closed."
	case !tokenEnds.IsZero() && !now.Before(tokenEnds):
		p.What = "The access token of this sign-in ran out at " + clock(tokenEnds) + ", so the identity provider no longer confirms it and the ward list has closed."
	}
	return p
}

// advice is what to do about an error of the provider (RFC 6749, Section
// 4.1.2.1; OpenID Connect Core 1.0, Section 3.1.2.6; RFC 9470, Section 5).
func advice(code string) string {
	switch code {
	case "access_denied":
		return "If you cancelled by mistake, sign in again. If you were refused, ask the registration authority of your organisation."
	case "login_required", "interaction_required", "account_selection_required", "consent_required":
		return "The identity provider needs you to take part. Sign in again."
	case "unmet_authentication_requirements":
		return "Sign in again with a stronger authenticator, such as a security key or a smartcard. " +
			"If you have none, ask the registration authority of your organisation for one. " +
			"If you were told what to bring, prove your identity there first."
	case "temporarily_unavailable":
		return "The identity provider is busy. Wait a minute, then sign in again."
	case "server_error":
		return "The identity provider has a fault. Sign in again; if it goes on, tell whoever runs it."
	case "invalid_request", "invalid_scope", "unauthorized_client", "unsupported_response_type":
		return "The ward list and the identity provider do not agree on how to sign in. Tell whoever runs the ward list, with the words above."
	default:
		return "Sign in again. If it goes on, tell whoever runs the ward list, with the words above."
	}
}

// shorten keeps words from outside to a length that fits a page.
func shorten(s string) string {
	const limit = 300
	if r := []rune(s); len(r) > limit {
		return string(r[:limit]) + "…"
	}
	return s
}
