package selfregistration

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/throttle"
	"github.com/credence-id/credence/store"
	"github.com/credence-id/credence/web"
)

const (
	confirmPath = "/register/confirm"
	sentPath    = "/register/sent"
)

// Mount adds the pages to the server, if there is mail: otherwise nobody could confirm an address.
func (h *Handler) Mount(handle func(pattern string, f func(http.ResponseWriter, *http.Request) error)) {
	if h.Messenger == nil {
		return
	}
	handle("GET /register/{organisation}", h.form)
	handle("POST /register/{organisation}", h.register)
	handle("GET "+sentPath, h.sent)
	handle("GET "+confirmPath, h.confirming)
	handle("POST "+confirmPath, h.confirmed)
}

func frame(r *http.Request) web.Frame {
	return web.Frame{RequestID: audit.RequestOf(r.Context()).ID, Language: web.LanguageOf(r, "")}
}

// page is the form of the organisation in the address. One that is not open to all is not found, whether there is one or not.
func (h *Handler) page(r *http.Request) (web.SelfRegister, error) {
	code := r.PathValue("organisation")
	if !directory.IsOrganisation(code) {
		return web.SelfRegister{}, closed()
	}
	name, err := h.Store.OpenToAll(r.Context(), code)
	if errors.Is(err, store.ErrNotFound) {
		return web.SelfRegister{}, closed()
	}
	if err != nil {
		return web.SelfRegister{}, fmt.Errorf("read organisation %q: %w", code, err)
	}
	return web.SelfRegister{Frame: frame(r), Organisation: name, PostURL: "/register/" + code}, nil
}

func closed() *web.Problem {
	return &web.Problem{
		Status: http.StatusNotFound, Title: "You cannot register here",
		Message: "There is no such organisation, or people do not register themselves with it.",
		Next:    "Check the address of this page, or ask your registration authority to put you on record.",
	}
}

func (h *Handler) form(w http.ResponseWriter, r *http.Request) error {
	page, err := h.page(r)
	if err != nil {
		return err
	}
	return h.Pages.Render(w, http.StatusOK, page)
}

// register takes the form.
func (h *Handler) register(w http.ResponseWriter, r *http.Request) error {
	page, err := h.page(r)
	if err != nil {
		return err
	}
	f, err := web.Form(w, r, 16<<10)
	if err != nil {
		return err
	}
	entered := func(field string) string { return web.OneLine(f.Get(field)) }
	page.GivenName, page.FamilyName, page.Email = entered("given_name"), entered("family_name"), entered("email")
	err = h.ask(r.Context(), applicant{r.PathValue("organisation"), page.GivenName, page.FamilyName, page.Email}, page.Language)
	if beyond, ok := errors.AsType[*throttle.LimitError](err); ok {
		w.Header().Set("Retry-After", beyond.RetryAfter())
		page.Errors = []web.FieldError{{Message: "Too many people have tried to register just now. Wait some minutes, then try again"}}
		return h.Pages.Render(w, http.StatusTooManyRequests, page)
	}
	if errors.Is(err, errClosed) {
		return closed()
	}
	if mistakes, ok := directory.Mistakes(err); err != nil && ok {
		page.Errors = inWords(mistakes)
		return h.Pages.Render(w, http.StatusBadRequest, page)
	}
	if err != nil {
		return err
	}
	return web.SeeOther(w, r, sentPath)
}

// inWords says what is wrong, in the order of the form.
func inWords(mistakes []*directory.InvalidError) (list []web.FieldError) {
	for _, field := range []web.FieldError{
		{Field: "given_name", Message: "Enter your given name, of up to 100 characters"},
		{Field: "family_name", Message: "Enter your family name, of up to 100 characters"},
		{Field: "email", Message: "Enter your email address, such as ada@example.org"},
	} {
		for _, m := range mistakes {
			if m.Field == field.Field {
				list = append(list, field)
				break
			}
		}
	}
	return list
}

// sent says that the link is on its way, to whomever.
func (h *Handler) sent(w http.ResponseWriter, r *http.Request) error {
	return h.Pages.Render(w, http.StatusOK, web.SelfRegistrationSent{Frame: frame(r)})
}

// confirming shows what the link confirms. It changes nothing: what looks at the links of mail opens this page too.
func (h *Handler) confirming(w http.ResponseWriter, r *http.Request) error {
	secret := r.URL.Query().Get("token")
	found, err := h.waiting(r.Context(), secret)
	if err != nil {
		return h.linkRefused(w, r, err)
	}
	if found.OnRecord {
		return h.onRecord(w, r)
	}
	return h.Pages.Render(w, http.StatusOK, web.SelfRegistrationConfirm{
		Frame: frame(r), Name: found.GivenName + " " + found.FamilyName, Email: found.Email, Organisation: found.OrganisationName,
		PostURL: confirmPath + "?" + url.Values{"token": {secret}}.Encode(),
	})
}

// confirmed takes the confirmation, and leads to where she binds what she signs in with.
func (h *Handler) confirmed(w http.ResponseWriter, r *http.Request) error {
	enrolURL, err := h.confirm(r.Context(), r.URL.Query().Get("token"), frame(r).Language)
	if err != nil {
		return h.linkRefused(w, r, err)
	}
	return web.SeeOther(w, r, enrolURL)
}

// linkRefused is the answer to whoever comes with a link that puts nobody on record.
func (h *Handler) linkRefused(w http.ResponseWriter, r *http.Request, err error) error {
	switch {
	case errors.Is(err, errOnRecord):
		return h.onRecord(w, r)
	case errors.Is(err, errLink):
		return &web.Problem{
			Status: http.StatusGone, Title: "This link does not work",
			Message: "It has been used, it is too old, it was not copied whole, or your organisation no longer lets people register themselves.",
			Next:    "If you have just confirmed your address and were interrupted, ask your registration authority for an enrolment link. Otherwise register again.",
		}
	}
	return err
}

// onRecord tells who reads the mail at an address, and nobody else, that it is on record.
func (h *Handler) onRecord(w http.ResponseWriter, r *http.Request) error {
	return h.Pages.Render(w, http.StatusConflict, web.SelfRegistrationKnown{Frame: frame(r)})
}
