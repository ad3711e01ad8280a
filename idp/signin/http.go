package signin

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/credence-id/credence/idp/assurance"
	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/idp/seal"
	"github.com/credence-id/credence/idp/session"
	"github.com/credence-id/credence/idp/throttle"
	"github.com/credence-id/credence/store"
	"github.com/credence-id/credence/web"
)

// Mount adds the pages to the server.
func (h *Handler) Mount(handle func(pattern string, f func(http.ResponseWriter, *http.Request) error)) {
	handle("GET /sign-in", h.step(h.page))
	handle("POST /sign-in", h.step(h.identify))
	handle("POST /sign-in/passkey", h.passkey)
	handle("GET /sign-in/password", h.step(h.passwordPage))
	handle("POST /sign-in/password", h.step(h.password))
	handle("GET /sign-in/step-up", h.turn(StepUp, h.stepUpPage))
	handle("POST /sign-in/step-up", h.turn(StepUp, h.stopThere))
	handle("GET /sign-in/unmet", h.turn(Unmet, h.unmetPage))
	handle("POST /sign-in/unmet", h.turn(Unmet, h.stopThere))
	handle("GET /sign-in/role", h.turn(ChooseRole, h.rolePage))
	handle("POST /sign-in/role", h.turn(ChooseRole, h.chooseRole))
	if h.Simulated != nil {
		handle("GET /sign-in/simulated", h.step(h.simulatedPage))
		handle("POST /sign-in/simulated", h.step(h.simulated))
	}
}

// step is a page of a pending request. A request that is stale begins again where it came from: nobody who left a page
// open, or whose browser opened two at once, is at a dead end.
func (h *Handler) step(f func(http.ResponseWriter, *http.Request, pending) error) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		p, err := h.pending(w, r)
		if errors.Is(err, errStale) {
			return to(w, r, p.ReturnTo)
		}
		if err != nil {
			return err
		}
		return f(w, r, p)
	}
}

// Show answers with the step that a request needs, for the browser that it is bound to. The sign-in page is shown at
// whatever address the browser asked, because all that it leads to is sealed in its own addresses. To the choice of a role
// the browser is sent, so that its back button finds the choice that was made, and not the request that asks for one.
func (h *Handler) Show(w http.ResponseWriter, r *http.Request, step Step, req Request, browser []byte) error {
	state, err := h.seal(req, browser)
	if err != nil {
		return err
	}
	p := pending{Request: req, state: state, browser: browser, username: req.Username}
	if step == Authenticate {
		return h.page(w, r, p)
	}
	return to(w, r, p.at(step))
}

// pending is the request that a page belongs to.
type pending struct {
	Request
	state    string
	browser  []byte
	username string // to begin with: the one that was entered, else the one that the client thinks of
}

// at is the page of a step, or where the request came from.
func (p pending) at(step Step) string {
	switch step {
	case Authenticate:
		return p.url("/sign-in")
	case StepUp:
		return p.url("/sign-in/step-up")
	case Unmet:
		return p.url("/sign-in/unmet")
	case ChooseRole:
		return p.url("/sign-in/role")
	case Done:
	}
	return p.ReturnTo
}

// next is where a further step begins: on its page. What is to be done about levels that are not reached depends on what the
// person has to sign in with, so it is decided where the request came from.
func (p pending) next(step Step) string {
	if step == StepUp || step == Unmet {
		return p.ReturnTo
	}
	return p.at(step)
}

// url is another page of the same pending request.
func (p pending) url(path string, more ...string) string {
	q := url.Values{"state": {p.state}}
	for i := 0; i+1 < len(more); i += 2 {
		q.Set(more[i], more[i+1])
	}
	return path + "?" + q.Encode()
}

// language is the one that the pages of the request are in.
func (p pending) language(r *http.Request) web.Language { return web.LanguageOf(r, p.Languages) }

// words are those of the pages of a request.
func (h *Handler) words(r *http.Request, p pending) web.Words { return h.Pages.Words(p.language(r)) }

func (p pending) frame(r *http.Request) web.Frame {
	return web.Frame{RequestID: audit.RequestOf(r.Context()).ID, Language: p.language(r), FormAction: p.FormAction}
}

// frameOf is the frame of a page for somebody who is signed in.
func (h *Handler) frameOf(r *http.Request, p pending, s session.Session) web.Frame {
	frame := p.frame(r)
	frame.SignedInAs, frame.Help = s.Person.DisplayName, web.Help(h.Policies.HelpFor(s.Person, s.Role))
	return frame
}

// pending opens the request that the page's address carries. Without one, somebody came by themselves: the page begins
// a request of its own, which leads to the home page.
func (h *Handler) pending(w http.ResponseWriter, r *http.Request) (pending, error) {
	q := r.URL.Query()
	p := pending{state: q.Get("state"), browser: h.Sessions.Browser(w, r), username: q.Get("username")}
	if p.state == "" {
		p.Request = Request{ReturnTo: "/", Freshness: assurance.Freshness{AskedAt: h.Now()}}
		if to := q.Get("to"); to == "/levels" { // the one other page of ours that needs somebody
			p.ReturnTo = to
		}
		if r.URL.Path == "/sign-in/role" {
			p.Role, p.ChooseRole = RoleIfHeld, true
		}
		var err error
		p.state, err = h.seal(p.Request, p.browser)
		return p, err
	}
	var err error
	if p.Request, err = h.open(p.state, p.browser); errors.Is(err, seal.ErrSeal) {
		return p, &web.Problem{
			Status: http.StatusBadRequest, Title: "This sign-in cannot be continued",
			Message: "The address of this page is not whole, or not one of ours.",
			Next:    "Go back to the service that you want to use and sign in again.",
		}
	}
	p.username = cmp.Or(p.username, p.Username)
	return p, err
}

// to answers with the next page.
func to(w http.ResponseWriter, r *http.Request, location string) error {
	w.Header().Set("Referrer-Policy", "no-referrer") // the way may lead to the client
	return web.SeeOther(w, r, location)
}

func (h *Handler) page(w http.ResponseWriter, r *http.Request, p pending) error {
	username := p.username
	if !userID(username) {
		username = ""
	}
	return h.renderSignIn(w, r, p, http.StatusOK, username)
}

// renderSignIn renders the sign-in page, for anybody or, identifier-first, for a given user id.
func (h *Handler) renderSignIn(w http.ResponseWriter, r *http.Request, p pending, status int, username string, mistakes ...web.FieldError) error {
	asked := username
	if len(mistakes) > 0 {
		asked = ""
	}
	ceremony, err := h.WebAuthn.BeginSignIn(r.Context(), asked, p.browser)
	if err != nil {
		return fmt.Errorf("begin sign-in: %w", err)
	}
	page := web.SignIn{
		Frame: p.frame(r), PostURL: p.at(Authenticate), ClientName: p.ClientName, Username: username, Cancelable: p.Cancelable,
		Ceremony: web.Ceremony{Options: ceremony.Options, Finish: p.url("/sign-in/passkey", "ceremony", ceremony.State)},
		Needs:    InWords(h.words(r, p), p.Demand.Gap(assurance.Reached{})), PasswordURL: p.passwordURL(asked), RecoverURL: h.RecoverURL,
	}
	page.Errors = mistakes
	if h.Simulated != nil {
		page.SimulatedURL = p.url("/sign-in/simulated")
	}
	return h.Pages.Render(w, status, page)
}

// identify takes the user id of somebody whose authenticator does not offer itself, or ends the request.
func (h *Handler) identify(w http.ResponseWriter, r *http.Request, p pending) error {
	f, err := web.Form(w, r, 16<<10)
	if err != nil {
		return err
	}
	if f.Has("cancel") && p.Cancelable {
		return to(w, r, p.ReturnTo+GivenUp)
	}
	username := entered(f)
	if !userID(username) {
		return h.renderSignIn(w, r, p, http.StatusBadRequest, username, web.FieldError{Field: "username", Message: "Enter your user ID: 12 digits, such as 656005750104"})
	}
	return to(w, r, p.url("/sign-in", "username", username))
}

// entered is the user id that was entered, without the spaces in which people write it in groups.
func entered(f url.Values) string { return strings.Join(strings.Fields(f.Get("username")), "") }

// userID says whether a text has the form of a user id.
func userID(text string) bool {
	return len(text) == 12 && !slices.ContainsFunc([]byte(text), func(b byte) bool { return b < '0' || b > '9' })
}

// passkey takes the answer to a WebAuthn ceremony from the page's script.
func (h *Handler) passkey(w http.ResponseWriter, r *http.Request) error {
	p, err := h.pending(w, r)
	if errors.Is(err, errStale) {
		return h.Pages.Answer(w, http.StatusOK, p.language(r), web.Answer{Location: p.ReturnTo})
	}
	if problem, ok := errors.AsType[*web.Problem](err); ok {
		return h.Pages.Answer(w, problem.Status, p.language(r), web.Answer{Message: said(h.words(r, p), problem)})
	}
	if err != nil {
		return err
	}
	var body struct {
		Response json.RawMessage `json:"response"`
	}
	decoder := json.NewDecoder(web.Body(w, r, 64<<10))
	if err := decoder.Decode(&body); err != nil {
		return h.Pages.Answer(w, http.StatusBadRequest, p.language(r), web.Answer{Message: "The answer of your authenticator did not arrive whole. Try again."})
	}
	in, err := h.withPasskey(r.Context(), p, h.Sessions.CookieOf(r), r.URL.Query().Get("ceremony"), body.Response)
	if beyond, ok := errors.AsType[*throttle.LimitError](err); ok {
		w.Header().Set("Retry-After", beyond.RetryAfter())
		return h.Pages.Answer(w, http.StatusTooManyRequests, p.language(r), web.Answer{Message: "We could not sign you in, and too many other sign-ins have failed just now. A key that is on your record still works. Wait a minute, then try again. If you see this again, tell your help desk the reference at the end of this page."})
	}
	if refused, ok := errors.AsType[*refusal](err); ok {
		return h.Pages.Answer(w, http.StatusForbidden, p.language(r), web.Answer{Message: refused.message, Forget: refused.forget})
	}
	if err != nil {
		return err
	}
	h.Sessions.SetCookie(w, in.cookie)
	return h.Pages.Answer(w, http.StatusOK, p.language(r), web.Answer{Location: in.location})
}

// said is a problem in two sentences.
func said(words web.Words, p *web.Problem) string {
	return words.Say(p.Title) + ". " + words.Say(p.Next)
}

// current finds who is signed in, for a page that needs somebody, and whether the client of the request is enabled.
func (h *Handler) current(r *http.Request, p pending) (*session.Session, error) {
	s, err := h.Sessions.Find(r.Context(), h.Sessions.CookieOf(r), p.ClientID)
	if errors.Is(err, session.ErrNone) {
		return nil, nil //nolint:nilnil // nobody is a valid answer, and what Next takes
	}
	return &s, err
}

// turn is a page of a step for somebody who is signed in. When it is not its turn, the browser is sent where it is.
func (h *Handler) turn(step Step, f func(http.ResponseWriter, *http.Request, pending, session.Session) error) func(http.ResponseWriter, *http.Request) error {
	return h.step(func(w http.ResponseWriter, r *http.Request, p pending) error {
		s, err := h.current(r, p)
		if err != nil {
			return err
		}
		if next := Next(p.Request, s, h.Now()); next != step {
			return to(w, r, p.next(next))
		}
		return f(w, r, p, *s)
	})
}

func (h *Handler) rolePage(w http.ResponseWriter, r *http.Request, p pending, s session.Session) error {
	if len(s.Person.Roles) == 1 { // nothing to choose
		return h.act(w, r, p, s, s.Person.Roles[0].ID)
	}
	return h.renderRoles(w, r, p, s, http.StatusOK, "")
}

func (h *Handler) renderRoles(w http.ResponseWriter, r *http.Request, p pending, s session.Session, status int, search string, mistakes ...web.FieldError) error {
	frame := h.frameOf(r, p, s)
	if len(s.Person.Roles) == 0 {
		return h.Pages.Render(w, status, web.NoRole{
			Frame: frame, PostURL: p.at(ChooseRole), ClientName: p.ClientName, CanContinue: p.Role != RoleRequired, Cancelable: p.Cancelable,
		})
	}
	frame.Errors = mistakes
	page := web.RoleChoice{Frame: frame, PostURL: p.at(ChooseRole), ClientName: p.ClientName, Search: search, Cancelable: p.Cancelable}
	for _, role := range s.Person.Roles {
		page.Roles = append(page.Roles, web.Role{
			ID: role.ID, Name: h.Catalogue.JobRoleShortName(role.JobRole), Organisation: role.OrganisationName, OrganisationCode: role.OrganisationCode,
		})
	}
	if s.Role != nil {
		page.Selected = s.Role.ID
	}
	return h.Pages.Render(w, status, page)
}

func (h *Handler) chooseRole(w http.ResponseWriter, r *http.Request, p pending, s session.Session) error {
	f, err := web.Form(w, r, 16<<10)
	if err != nil {
		return err
	}
	switch {
	case f.Has("cancel") && p.Cancelable:
		return to(w, r, p.ReturnTo+GivenUp)
	case f.Has("search"):
		return h.renderRoles(w, r, p, s, http.StatusOK, f.Get("q"))
	case f.Get("role") == "" && len(s.Person.Roles) > 0:
		return h.renderRoles(w, r, p, s, http.StatusBadRequest, f.Get("q"), web.FieldError{Field: "role", Message: "Select the role you will act in"})
	case f.Get("role") == "" && p.Role == RoleRequired:
		return h.renderRoles(w, r, p, s, http.StatusForbidden, "")
	}
	return h.act(w, r, p, s, f.Get("role"))
}

// act has the person act in a role, and goes on.
func (h *Handler) act(w http.ResponseWriter, r *http.Request, p pending, s session.Session, roleID string) error {
	location, err := h.choose(r.Context(), p, s, roleID)
	if errors.Is(err, session.ErrRole) {
		return h.renderRoles(w, r, p, s, http.StatusBadRequest, "", web.FieldError{Field: "role", Message: "Select one of your current roles"})
	}
	if err != nil {
		return err
	}
	return to(w, r, location)
}

func (h *Handler) simulatedPage(w http.ResponseWriter, r *http.Request, p pending) error {
	return h.renderSimulated(w, r, p, http.StatusOK, p.username, "")
}

// maxPeople bounds the list of people that the simulated sign-in offers. Others can be typed.
const maxPeople = 100

func (h *Handler) renderSimulated(w http.ResponseWriter, r *http.Request, p pending, status int, username string, method assurance.Method, mistakes ...web.FieldError) error {
	page := web.Simulated{Frame: p.frame(r), PostURL: p.url("/sign-in/simulated"), ClientName: p.ClientName, Username: username, Method: string(method), Cancelable: p.Cancelable}
	page.Errors = mistakes
	people, err := h.Store.People(r.Context(), "", maxPeople)
	if err != nil {
		return fmt.Errorf("list people: %w", err)
	}
	for _, person := range people {
		page.People = append(page.People, web.SimulatedPerson{
			Name: person.DisplayName, UserID: person.ID, Description: h.describe(person), URL: p.url("/sign-in/simulated", "username", person.ID),
		})
	}
	for _, m := range assurance.Methods() {
		level := assurance.Simulate(m, h.Now()).Level()
		page.Methods = append(page.Methods, web.Option{Value: string(m), Label: fmt.Sprintf("%s (level %s)", m, level)})
	}
	return h.Pages.Render(w, status, page)
}

func (h *Handler) describe(person store.PersonRow) string {
	for _, fixed := range h.Simulated {
		if fixed.ID == person.ID {
			return fixed.Description
		}
	}
	return "identity " + person.IdentityLevel
}

func (h *Handler) simulated(w http.ResponseWriter, r *http.Request, p pending) error {
	f, err := web.Form(w, r, 16<<10)
	if err != nil {
		return err
	}
	if f.Has("cancel") && p.Cancelable {
		return to(w, r, p.ReturnTo+GivenUp)
	}
	username, method := entered(f), assurance.Method(f.Get("method"))
	if !userID(username) {
		return h.renderSimulated(w, r, p, http.StatusBadRequest, username, method, web.FieldError{Field: "username", Message: "Enter a user ID: 12 digits, or choose a person from the list"})
	}
	if method != "" && !slices.Contains(assurance.Methods(), method) {
		return h.renderSimulated(w, r, p, http.StatusBadRequest, username, "", web.FieldError{Field: "method", Message: "Select a method from the list"})
	}
	in, err := h.simulate(r.Context(), p, h.Sessions.CookieOf(r), username, method)
	if refused, ok := errors.AsType[*refusal](err); ok {
		return h.renderSimulated(w, r, p, http.StatusBadRequest, username, method, web.FieldError{Field: "username", Message: refused.message})
	}
	if err != nil {
		return err
	}
	h.Sessions.SetCookie(w, in.cookie)
	return to(w, r, in.location)
}
