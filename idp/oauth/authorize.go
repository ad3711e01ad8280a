package oauth

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ory/fosite"

	"github.com/credence-id/credence/idp/assurance"
	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/idp/session"
	"github.com/credence-id/credence/idp/signin"
	"github.com/credence-id/credence/idp/trace"
	"github.com/credence-id/credence/store"
	"github.com/credence-id/credence/web"
)

// authorization is an authorization request: RFC 6749, Section 4.1.1; OpenID Connect Core 1.0, Section 3.1.2.1.
type authorization struct {
	client        client
	redirectURI   string
	state         string
	scopes        []string
	nonce         string
	codeChallenge string
	prompt        []string
	maxAge        *time.Duration
	loginHint     string
	languages     string           // ui_locales
	meant         []string         // who alone may sign in, by id_token_hint or the claim sub; nil is anybody
	demand        assurance.Demand // acr_values, vtr, and what the client always asks
	claims        string           // the parameter claims
}

const authorizationPath = "/authorize"

// unredirectable is a mistake in a request of which not even the way back is sure. It is shown to the person, and nobody
// is sent anywhere: RFC 6749, Section 4.1.2.1, "MUST NOT automatically redirect the user-agent to the invalid redirection
// URI".
type unredirectable struct{ error }

func (u unredirectable) Unwrap() error { return u.error }

// authorize is the authorization endpoint. What a person has to do first happens on pages of signin, of which it shows the
// first itself. They lead back here, or to [Handler.Return], which decides by the same rules.
func (h *Handler) authorize(w http.ResponseWriter, r *http.Request) error {
	raw, asked := splitAsked(r.URL.RawQuery)
	a, err := h.parseAuthorization(r.Context(), raw)
	if err != nil {
		return h.refuseAuthorization(w, r, a, err)
	}
	s, err := h.who(r, a)
	if err != nil {
		return h.refuseAuthorization(w, r, a, err)
	}
	browser := h.Sessions.Browser(w, r)
	first, returned := h.firstAsked(asked, raw, browser)
	req, step, err := h.settle(r.Context(), a, first, s, returned)
	if err != nil {
		return h.refuseAuthorization(w, r, a, err)
	}
	if first.GivenUp {
		return h.refuseAuthorization(w, r, a, givenUp(req, step, s))
	}
	if step == signin.Done {
		var location string
		ctx := r.Context()
		err := h.Store.InTx(ctx, func(tx *store.Tx) (err error) {
			location, err = h.issueCode(ctx, tx, a, *s)
			return err
		})
		if err != nil {
			return h.refuseAuthorization(w, r, a, err)
		}
		return seeOther(w, r, location)
	}
	if req.ReturnTo, err = h.returnTo(raw, first, browser); err != nil {
		return err
	}
	req.Cancelable = true
	req.CanContinue = step == signin.StepUp && !first.Settled && req.Optional(*s)
	return h.SignIn.Show(w, r, step, req, browser)
}

// givenUp is what the client is told of somebody who did not go on with a step.
func givenUp(req signin.Request, step signin.Step, s *session.Session) error {
	if step == signin.Unmet || step == signin.StepUp && !req.Optional(*s) {
		return errNotReached("The person has not reached what the request or the client needs", req.Missing(*s))
	}
	return fosite.ErrAccessDenied.WithDescription("The person did not want to sign in.")
}

// settle decides about a request, and about the authenticators that its person has if that makes a difference.
func (h *Handler) settle(ctx context.Context, a authorization, first firstAsk, s *session.Session, returned bool) (signin.Request, signin.Step, error) {
	req := a.needs(first)
	step, err := h.decide(a, req, s, returned)
	if err == nil && step == signin.StepUp {
		step, err = h.stepUp(ctx, a, &req, *s)
	}
	return req, step, err
}

// stepUp decides about somebody who would have to sign in more strongly, by whether she can. Who cannot is asked for no more
// than has to be; where she cannot do that either she is told so, or the client is, if she has just signed in for this very
// request.
func (h *Handler) stepUp(ctx context.Context, a authorization, req *signin.Request, s session.Session) (signin.Step, error) {
	able, err := h.SignIn.Able(ctx, *req, s)
	switch {
	case err != nil:
		return signin.StepUp, err
	case len(able) > 0:
		return signin.StepUp, nil
	case req.MadeFor(s):
		return signin.StepUp, errNotReached("The person signed in less strongly than the request or the client needs", req.Missing(s))
	case h.SignIn.Simulated != nil:
		return signin.StepUp, nil
	case req.Optional(s):
		req.Demand = req.Demand.Required()
		if step, err := h.decide(a, *req, &s, true); err != nil || step != signin.StepUp {
			return step, err
		}
		return h.stepUp(ctx, a, req, s)
	}
	req.Unable = true
	return signin.Unmet, nil
}

// decide is the one decision about a request: the step that it needs, or why it is refused. A request that has returned was
// asked before in this browser.
func (h *Handler) decide(a authorization, req signin.Request, s *session.Session, returned bool) (signin.Step, error) {
	if req.Impossible() {
		return signin.Unmet, errUnmet("Nothing here meets what the request needs: acr_values_supported has each acr that can be met, and the trustmark (vtm) each vector.")
	}
	step := h.next(req, a, s)
	switch {
	case step == signin.Done:
		return step, nil
	case a.promptsNobody() && step == signin.Authenticate:
		return step, fosite.ErrLoginRequired.WithDescription("Nobody is signed in whom this request would accept.")
	case a.promptsNobody() && step == signin.StepUp:
		return step, fosite.ErrLoginRequired.WithDescription("The person has to sign in more strongly.")
	case a.promptsNobody() && step == signin.Unmet:
		return step, errNotReached("The person has not reached what the request or the client needs", req.Missing(*s))
	case a.promptsNobody():
		return step, fosite.ErrInteractionRequired.WithDescription("The person has to choose a role.")
	case returned && step == signin.Authenticate && s != nil && req.Freshness.SatisfiedBy(s.AuthenticatedAt, h.Now()):
		return step, fosite.ErrLoginRequired.WithDescription("Somebody else signed in than the request names.")
	}
	return step, nil
}

// Return takes an authorization request up again, for signin: with a session that is written in the same transaction, and
// the client read with what the session rests on, the code is issued without asking anything twice. Whatever else is
// decided about it, the browser goes to the authorization endpoint, which decides the same and says so.
func (h *Handler) Return(ctx context.Context, to string, browser []byte) signin.Returning {
	query, ours := strings.CutPrefix(to, authorizationPath+"?")
	if !ours {
		return func(context.Context, *store.Tx, session.Session) (string, error) { return to, nil }
	}
	raw, asked := splitAsked(query)
	a, refused := h.parseAuthorization(ctx, raw)
	first, returned := h.firstAsked(asked, raw, browser)
	return func(ctx context.Context, tx *store.Tx, s session.Session) (string, error) {
		if refused == nil && s.ClientStands {
			if step, err := h.decide(a, a.needs(first), &s, returned); err == nil && step == signin.Done {
				return h.issueCode(ctx, tx, a, s)
			}
		}
		return to, nil
	}
}

// who finds who is signed in; nil is nobody. With the session it learns whether the client is still enabled.
func (h *Handler) who(r *http.Request, a authorization) (*session.Session, error) {
	s, err := h.Sessions.Find(r.Context(), h.Sessions.CookieOf(r), a.client.ID)
	if errors.Is(err, session.ErrNone) {
		return nil, nil //nolint:nilnil // nobody is a valid answer, and what signin.Next takes
	}
	if err != nil {
		return nil, err
	}
	if !s.ClientStands {
		entry := audit.Entry{At: h.Now(), Event: audit.CodeIssued, Refusal: "client_disabled", Person: s.Person.ID, Client: a.client.ID, Session: s.ID}
		if err := audit.Record(r.Context(), h.Store, entry); err != nil {
			return nil, err
		}
		return nil, unredirectable{fosite.ErrUnauthorizedClient.WithDescription("The client is disabled.")}
	}
	return &s, nil
}

// next is the step that the request needs. One that names somebody else asks for another sign-in.
func (h *Handler) next(req signin.Request, a authorization, s *session.Session) signin.Step {
	if s != nil && a.meant != nil && !slices.Contains(a.meant, s.Person.ID) {
		return signin.Authenticate
	}
	return signin.Next(req, s, h.Now())
}

// needs is what the request asks of whoever signs in.
func (a authorization) needs(first firstAsk) signin.Request {
	req := signin.Request{
		Freshness: assurance.Freshness{
			// Choosing an account is signing in as whom one wants to be.
			Again:  slices.Contains(a.prompt, "login") || slices.Contains(a.prompt, "select_account"),
			MaxAge: a.maxAge, AskedAt: first.At,
		},
		Demand:     a.demand,
		Role:       signin.RoleIfHeld,
		ChooseRole: slices.Contains(a.scopes, ScopeChangedRole),
		ClientID:   a.client.ID,
		ClientName: a.client.called(),
		FormAction: formAction(a.redirectURI),
	}
	if a.client.RequiresRole {
		req.Role = signin.RoleRequired
	}
	if first.Settled || a.promptsNobody() {
		req.Demand = a.demand.Required()
	}
	req.Languages, req.Username = a.languages, a.loginHint
	if a.meant != nil {
		req.Username = a.meant[0]
	}
	return req
}

// askedParameter carries when a request was first asked, while the person signs in and comes back: sealed, and bound to
// the request and to the browser. A sign-in since then is fresh, however soon max_age ends.
const askedParameter = "asked"

// splitAsked takes our parameter, which comes last, off a query. A client's own of that name stays where it is.
func splitAsked(query string) (raw, asked string) {
	const parameter = "&" + askedParameter + "="
	if i := strings.LastIndex(query, parameter); i >= 0 && !strings.Contains(query[i+1:], "&") {
		return query[:i], query[i+len(parameter):]
	}
	return query, ""
}

func askedBinding(raw string, browser []byte) []byte {
	sum := sha256.Sum256([]byte(raw))
	return append(sum[:], browser...)
}

// firstAsk is when a request was first asked, and what has become of it.
type firstAsk struct {
	At      time.Time
	Settled bool // the person goes no further than what has to be
	GivenUp bool `json:"-"` // she does not go on
}

func (h *Handler) returnTo(raw string, first firstAsk, browser []byte) (string, error) {
	sealed, err := h.Box.SealJSON(first, askedBinding(raw, browser))
	return authorizationPath + "?" + raw + "&" + askedParameter + "=" + sealed, err
}

// firstAsked reads when the request was first asked, and says whether that was before. What cannot be read was not asked.
// What the person does not do of it stands behind the seal: who writes that there herself could as well have said it.
func (h *Handler) firstAsked(asked, raw string, browser []byte) (firstAsk, bool) {
	var first firstAsk
	now := h.Now()
	sealed, givenUp := strings.CutSuffix(asked, signin.GivenUp)
	sealed, settled := strings.CutSuffix(sealed, signin.Settled)
	if err := h.Box.OpenJSON(sealed, askedBinding(raw, browser), &first); err != nil || now.Sub(first.At) > time.Hour {
		return firstAsk{At: now}, false
	}
	first.Settled, first.GivenUp = first.Settled || settled, givenUp
	return first, true
}

// issueCode issues an authorization code through fosite, and returns the address that takes it to the client. Its statements
// report nothing, so they travel with the commit.
func (h *Handler) issueCode(ctx context.Context, tx *store.Tx, a authorization, s session.Session) (string, error) {
	ctx, span := trace.Start(ctx, "oauth.IssueCode")
	defer span.End()
	now := h.Now()
	g, err := newGrant(a, s, now)
	if err != nil {
		return "", err
	}
	ar := fosite.NewAuthorizeRequest()
	ar.ResponseTypes, ar.Client, ar.RequestedScope, ar.State = fosite.Arguments{"code"}, a.client, a.scopes, a.state

	resp, err := h.fosite.NewAuthorizeResponse(withTx(ctx, tx), ar, g)
	if err != nil {
		return "", err
	}
	if err := h.Sessions.Touch(ctx, tx, s); err != nil {
		return "", err
	}
	return h.answerURL(a, resp.GetParameters())
}

// newGrant is what a person gives a client who satisfies its request.
func newGrant(a authorization, s session.Session, now time.Time) (*grant, error) {
	g := &grant{
		Grant: store.Grant{
			ID: newGrantID(), ClientID: a.client.ID, PersonID: s.Person.ID, SessionID: s.ID, AuthenticatorID: s.AuthenticatorID, Scopes: a.scopes, RedirectURI: a.redirectURI,
			Nonce: a.nonce, AuthenticatorLevel: int(s.Level), Methods: s.AMR, AuthenticatedAt: s.AuthenticatedAt,
			IdentityLevel: s.Person.IdentityLevel, Claims: a.claims, CodeChallenge: a.codeChallenge, CreatedAt: now, ExpiresAt: s.AuthenticatedAt.Add(s.Level.AbsoluteLimit()),
		},
		Person: s.Person, Scopes: a.scopes,
	}
	if s.Role != nil {
		g.RoleID = &s.Role.ID
	}
	if len(a.demand.Values) > 0 || len(a.demand.Vectors) > 0 {
		var err error
		if g.Demand, err = json.Marshal(a.demand); err != nil {
			return nil, fmt.Errorf("encode demand: %w", err)
		}
	}
	return g, nil
}

// answerURL is the address that takes an answer to the client.
func (h *Handler) answerURL(a authorization, parameters url.Values) (string, error) {
	if a.state != "" {
		parameters.Set("state", a.state)
	}
	parameters.Set("iss", h.Issuer) // RFC 9207, Section 2
	return withParameters(a.redirectURI, parameters)
}

// errorURL is the address that takes an error to the client: RFC 6749, Section 4.1.2.1.
func (h *Handler) errorURL(a authorization, e *fosite.RFC6749Error) (string, error) {
	return h.answerURL(a, url.Values{"error": {e.ErrorField}, "error_description": {description(e)}})
}

// refuseAuthorization tells a mistake to whom it concerns: the client, or when the way to it is not sure, the person.
func (h *Handler) refuseAuthorization(w http.ResponseWriter, r *http.Request, a authorization, err error) error {
	sent := refusal(err)
	h.note(r.Context(), "authorize", sent)
	noted := audit.RequestOf(r.Context()).Refusal
	noted.Client, noted.RedirectOrigin = a.client.ID, offered(r)
	if sent.ErrorField == "server_error" {
		return err // our fault: the page says so, and the log why
	}
	if _, ok := errors.AsType[unredirectable](err); ok {
		return &web.Problem{
			Status: http.StatusBadRequest, Title: "You cannot sign in from here",
			Message: "The service that sent you here asked for it in a way that we do not accept.",
			Next:    "Go back to the service and try again. If this happens again, tell its help desk what is written below.",
			Code:    sent.ErrorField, Description: description(sent),
		}
	}
	location, err := h.errorURL(a, sent)
	if err != nil {
		return err
	}
	return seeOther(w, r, location)
}

// offered is the origin of the redirect_uri that a client sent, by which a developer sees the commonest mistakes. It is for
// the log: a page of ours repeats nothing that somebody else put into a link.
func offered(r *http.Request) string {
	u, err := url.Parse(r.URL.Query().Get("redirect_uri"))
	if err != nil || u.Host == "" || len(u.Host) > 300 {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

// postAuthorization takes a request that was posted: OpenID Connect Core 1.0, Section 3.1.2.1. It becomes the same request
// as GET, so that the browser sends the cookies that it keeps back when another site posts.
func (h *Handler) postAuthorization(w http.ResponseWriter, r *http.Request) error {
	form, err := body(w, r)
	if err != nil {
		return h.refuseAuthorization(w, r, authorization{}, unredirectable{err})
	}
	form.Del(askedParameter)
	return seeOther(w, r, authorizationPath+"?"+form.Encode())
}

// seeOther sends the browser on with GET: RFC 9700, Section 4.12 wants 303 after a form with credentials.
func seeOther(w http.ResponseWriter, r *http.Request, location string) error {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Referrer-Policy", "no-referrer")
	http.Redirect(w, r, location, http.StatusSeeOther)
	return nil
}

// parseAuthorization reads and checks an authorization request. The client and the way back come first: what is wrong
// with them is unredirectable, and everything after is told to the client.
func (h *Handler) parseAuthorization(ctx context.Context, raw string) (authorization, error) {
	var a authorization
	if len(raw) > maxQuery {
		return a, unredirectable{invalidRequest("The request is longer than 8 KiB.")}
	}
	p, err := url.ParseQuery(raw)
	if err != nil || !clean(p) {
		return a, unredirectable{invalidRequest("The query is not properly encoded text.")}
	}
	again := repeated(p)
	omitEmpty(p)
	if len(p["client_id"]) > 1 || len(p["redirect_uri"]) > 1 {
		return a, unredirectable{invalidRequest("The parameter client_id or redirect_uri is there more than once.")}
	}
	var ok bool
	if a.client, ok = h.Clients.find(ctx, p.Get("client_id")); !ok {
		return a, unredirectable{fosite.ErrUnauthorizedClient.WithDescription("The client_id is missing, unknown or disabled.")}
	}
	if !registeredRedirect(a.client.RedirectURIs, p.Get("redirect_uri")) {
		return a, unredirectable{invalidRequest("The redirect_uri is missing, or not exactly one that the client registered.")}
	}
	a.redirectURI = p.Get("redirect_uri")
	if len(p["state"]) == 1 {
		a.state = p.Get("state")
	}
	if again {
		return a, invalidRequest("A parameter is there more than once.")
	}
	return a, errors.Join(a.check(p), h.checkHint(ctx, p, &a))
}

// Forms of parameters. Where they can be long their length is compared, because a regular expression holds what it repeats
// once for each time.
var (
	scopeToken    = regexp.MustCompile(`^[!#-\[\]-~]+$`)        // RFC 6749, Section 3.3
	codeChallenge = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)      // RFC 7636, Section 4.2
	maxAgeSeconds = regexp.MustCompile(`^(0|[1-9][0-9]{0,8})$`) // OpenID Connect Core 1.0, Section 3.1.2.1
	loginHintForm = regexp.MustCompile(`^[0-9]{12}$`)           // a user id; any other hint is ignored
	knownPrompts  = regexp.MustCompile(`^(none|login|select_account|consent)$`)
)

// check reads what comes after the client and the way back.
func (a *authorization) check(p url.Values) error {
	switch {
	case p.Has("request"):
		return fosite.ErrRequestNotSupported
	case p.Has("request_uri"):
		return fosite.ErrRequestURINotSupported
	case p.Has("registration"):
		return fosite.ErrRegistrationNotSupported
	case !p.Has("response_type"):
		return invalidRequest("The parameter response_type is missing.")
	case p.Get("response_type") != "code":
		return fosite.ErrUnsupportedResponseType.WithDescription("The response_type must be code.")
	case p.Has("response_mode") && p.Get("response_mode") != "query":
		return invalidRequest("The response_mode must be query.")
	case len(a.state) > 2048 || len(p.Get("nonce")) > 1024:
		return invalidRequest("The state is longer than 2048, or the nonce longer than 1024 characters.")
	}
	a.nonce = p.Get("nonce")
	return errors.Join(a.checkScope(p.Get("scope")), a.checkChallenge(p), a.checkPrompt(p), a.checkDemand(p))
}

func (a *authorization) checkScope(scope string) error {
	a.scopes = scopeSet(scope)
	if len(a.scopes) > 50 {
		return fosite.ErrInvalidScope.WithDescription("There are more than 50 scopes.")
	}
	for _, s := range a.scopes {
		if len(s) > 64 || !scopeToken.MatchString(s) || !slices.Contains(a.client.Scopes, s) {
			return fosite.ErrInvalidScope.WithDescription("A scope is unknown, or not registered for the client.")
		}
	}
	if len(a.scopes) == 0 {
		return fosite.ErrInvalidScope.WithDescription("The parameter scope is missing: ask at least for openid.")
	}
	return nil
}

// checkChallenge demands PKCE with S256 of every client: RFC 9700, Section 2.1.1.
func (a *authorization) checkChallenge(p url.Values) error {
	switch {
	case !p.Has("code_challenge"):
		return invalidRequest("The parameter code_challenge is missing: every client uses PKCE.")
	case p.Get("code_challenge_method") != "S256":
		return invalidRequest("The code_challenge_method must be S256.")
	case len(p.Get("code_challenge")) != 43 || !codeChallenge.MatchString(p.Get("code_challenge")):
		return invalidRequest("The code_challenge is not an S256 challenge: 43 characters of base64url.")
	}
	a.codeChallenge = p.Get("code_challenge")
	return nil
}

func (a *authorization) checkPrompt(p url.Values) error {
	a.prompt = words(p.Get("prompt"))
	for _, prompt := range a.prompt {
		if !knownPrompts.MatchString(prompt) {
			return invalidRequest("The prompt has a value that is not none, login, select_account or consent.")
		}
	}
	if len(a.prompt) > 1 && slices.Contains(a.prompt, "none") { // OpenID Connect Core 1.0, Section 3.1.2.1
		return invalidRequest("The prompt none does not go with another.")
	}
	if p.Has("max_age") {
		if !maxAgeSeconds.MatchString(p.Get("max_age")) {
			return invalidRequest("The max_age is not a number of seconds.")
		}
		seconds, err := strconv.Atoi(p.Get("max_age"))
		if err != nil {
			return err
		}
		a.maxAge = new(time.Duration(seconds) * time.Second)
	}
	if loginHintForm.MatchString(p.Get("login_hint")) {
		a.loginHint = p.Get("login_hint")
	}
	if locales := p.Get("ui_locales"); len(locales) <= 100 { // a wish: it is no mistake to have more
		a.languages = locales
	}
	return nil
}

func (h *Handler) checkHint(ctx context.Context, p url.Values, a *authorization) error {
	if p.Get("id_token_hint") == "" {
		return nil
	}
	t, err := h.readHint(ctx, p.Get("id_token_hint"))
	if err != nil {
		return invalidRequest("The id_token_hint is not an ID token of ours.")
	}
	return a.mean([]string{t.Subject})
}

// mean keeps those of the people that may sign in who are named: OpenID Connect Core 1.0, Section 3.1.2.2, "The Authorization
// Server MUST NOT reply with an ID Token or Access Token for a different user".
func (a *authorization) mean(people []string) error {
	if a.meant != nil {
		people = slices.DeleteFunc(people, func(id string) bool { return !slices.Contains(a.meant, id) })
	}
	if len(people) == 0 {
		return invalidRequest("The id_token_hint and the claim sub name nobody, or not the same person.")
	}
	a.meant = people
	return nil
}
