package account

import (
	"net/http"
	"strings"

	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/web"
)

// Mount adds the pages to the server. A form is posted to the address of the page that has it.
func (h *Handler) Mount(handle func(pattern string, f func(http.ResponseWriter, *http.Request) error)) {
	always := func(b bar) func(*http.Request) bar { return func(*http.Request) bar { return b } }
	signedIn, strongly, safely := always(h.noBar), always(h.asKept), always(h.asActive)
	without := func(r *http.Request) bar { return h.asWithout(id(r)) }

	handle("GET /account", h.owners(signedIn, h.overview))
	handle("GET /account/roles", h.owners(signedIn, h.roles))
	handle("GET /account/authenticators", h.owners(signedIn, h.authenticators))
	handle("GET /account/authenticators/new", h.owners(strongly, h.adding))
	handle("POST /account/authenticators/new", h.add)
	handle("GET /account/authenticators/{id}/remove", h.owners(strongly, h.removing))
	handle("POST /account/authenticators/{id}/remove", h.owners(strongly, h.remove))
	handle("GET /account/authenticators/{id}/name", h.owners(safely, h.naming))
	handle("POST /account/authenticators/{id}/name", h.owners(safely, h.name))
	handle("GET /account/authenticators/{id}/lost", h.owners(without, h.losing))
	handle("POST /account/authenticators/{id}/lost", h.owners(without, h.lose))
	handle("GET /account/recovery", h.owners(signedIn, h.recovery))
	handle("GET /account/recovery/new", h.owners(strongly, h.makingCodes))
	handle("POST /account/recovery/new", h.owners(strongly, h.makeCodes))
	handle("GET /account/recovery/lost", h.owners(safely, h.losingCodes))
	handle("POST /account/recovery/lost", h.owners(safely, h.loseCodes))
	handle("GET /account/sessions", h.owners(signedIn, h.sessions))
	handle("GET /account/sessions/end", h.owners(safely, h.endingOthers))
	handle("POST /account/sessions/end", h.owners(safely, h.endOthers))
	handle("GET /account/sessions/{id}/end", h.owners(safely, h.endingOne))
	handle("POST /account/sessions/{id}/end", h.owners(safely, h.endOne))
	handle("GET "+codePath, h.owners(safely, h.code))
	handle("POST "+codePath, h.owners(safely, h.makeCode))
	handle("GET /account/history", h.owners(signedIn, h.history))
	handle("GET /account/data", h.owners(signedIn, h.data))
	handle("POST /account/data", h.owners(signedIn, h.download))
}

// id is what a page is about. What can be no id is nobody's.
func id(r *http.Request) uuid.UUID {
	id, err := uuid.Parse(r.PathValue("id"))
	if err != nil {
		return uuid.Nil
	}
	return id
}

// words are those of the pages for a request.
func (h *Handler) words(r *http.Request) web.Words { return h.Pages.Words(web.LanguageOf(r, "")) }

// account is what every page has.
func (h *Handler) account(r *http.Request, o owner) web.Account {
	a := web.Account{Frame: web.Frame{
		RequestID: audit.RequestOf(r.Context()).ID, Language: web.LanguageOf(r, ""), SignedInAs: o.Person.DisplayName,
		Help: web.Help(h.Policies.HelpFor(o.Person, o.Role)),
	}}
	for _, p := range []web.Place{
		{Name: "About you", URL: "/account"},
		{Name: "Roles", URL: "/account/roles"},
		{Name: "Passkeys and keys", URL: "/account/authenticators"},
		{Name: "Recovery codes", URL: "/account/recovery"},
		{Name: "Sessions", URL: "/account/sessions"},
		{Name: "History", URL: "/account/history"},
		{Name: "Your data", URL: "/account/data"},
	} {
		switch {
		case r.URL.Path == p.URL:
			p.Current = "page"
		case p.URL != "/account" && strings.HasPrefix(r.URL.Path, p.URL+"/"):
			p.Current = "true"
		}
		a.Places = append(a.Places, p)
	}
	return a
}
