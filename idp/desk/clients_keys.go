package desk

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"

	"github.com/credence-id/credence/idp/authority"
	"github.com/credence-id/credence/idp/oauth"
	"github.com/credence-id/credence/idp/onboarding"
	"github.com/credence-id/credence/store"
	"github.com/credence-id/credence/web"
)

// enteredKeys is the key set that was entered; nil when none was.
func enteredKeys(f url.Values) json.RawMessage {
	if text := f.Get("jwks"); web.OneLine(text) != "" {
		return json.RawMessage(text)
	}
	return nil
}

// shownKeys is what was entered as a key set, to be shown again: only what is one. It may be a private key, which is not to be
// on another page.
func shownKeys(f url.Values) string {
	if _, err := oauth.ParseKeys(enteredKeys(f)); err != nil {
		return ""
	}
	return f.Get("jwks")
}

// keysWords says which keys an application has, or where they are; none when it has none.
func keysWords(a store.ClientApplication) []string {
	switch {
	case a.JWKSURI != "":
		return []string{"It publishes them at " + a.JWKSURI}
	case a.JWKS == nil:
		return nil
	}
	return keyList(a.JWKS)
}

// keyList lists the keys of a set that is registered, with what each is for.
func keyList(jwks json.RawMessage) (list []string) {
	set, _ := oauth.ParseKeys(jwks) // which was read before it was kept
	for _, k := range set.Keys {
		list = append(list, k.String())
	}
	return list
}

// alike says what else has a name that looks like that of an application, for whoever decides.
func (h *Handler) alike(ctx context.Context, a applied) (list []string, err error) {
	others, err := h.Store.SameNames(ctx, a.Name, a.OrganisationCode)
	if err != nil {
		return nil, fmt.Errorf("look for names like that of application %s: %w", a.id, err)
	}
	for _, other := range others {
		switch {
		case other.ClientID == "":
			list = append(list, fmt.Sprintf("the organisation %s (%s)", other.Name, other.OrganisationCode))
		case other.OrganisationCode == "":
			list = append(list, fmt.Sprintf("the service %s (%s), which the operator registered", other.Name, other.ClientID))
		default:
			list = append(list, fmt.Sprintf("the service %s (%s) of organisation %s", other.Name, other.ClientID, other.OrganisationCode))
		}
	}
	return list, nil
}

// keys shows which keys of a client are registered, and takes others in their place.
func (h *Handler) keys(w http.ResponseWriter, r *http.Request, o officer) error {
	page, err := h.keysPage(r, o)
	if err != nil {
		return err
	}
	return h.Pages.Render(w, http.StatusOK, page)
}

// madeClient reads an application that is an officer's to change, and the client that was made of it.
func (h *Handler) madeClient(r *http.Request, o officer) (a applied, c store.Client, err error) {
	if a, err = h.applied(r.Context(), o, r.PathValue("id"), authority.ApplyClient); err != nil {
		return a, c, err
	}
	if a.ClientID == nil {
		return a, c, onboarding.Refuse(onboarding.NotApproved)
	}
	if c, err = h.Store.Client(r.Context(), *a.ClientID); err != nil {
		return a, c, fmt.Errorf("read client %q: %w", *a.ClientID, err)
	}
	return a, c, nil
}

func (h *Handler) keysPage(r *http.Request, o officer) (web.DeskClientKeys, error) {
	a, c, err := h.madeClient(r, o)
	if err != nil {
		return web.DeskClientKeys{}, err
	}
	if c.JWKS == nil || c.DisabledAt != nil {
		return web.DeskClientKeys{}, onboarding.Refuse(onboarding.NoKeys)
	}
	return web.DeskClientKeys{
		Desk: h.desk(r, o), Name: a.Name, ClientURL: a.url(), ClientID: c.ID, Keys: keyList(c.JWKS), PostURL: a.url() + "/keys?seen=" + onboarding.KeysSeen(c),
	}, nil
}

// replaceKeys takes other keys of a client in the place of those that are registered.
func (h *Handler) replaceKeys(w http.ResponseWriter, r *http.Request, o officer) error {
	f, err := web.Form(w, r, mostForm)
	if err != nil {
		return err
	}
	a, err := h.applied(r.Context(), o, r.PathValue("id"), authority.ApplyClient)
	if err != nil {
		return err
	}
	if err = h.Onboarding.ReplaceKeys(r.Context(), o.Acting(), a.id, r.URL.Query().Get("seen"), enteredKeys(f)); err == nil {
		return web.SeeOther(w, r, r.URL.Path)
	}
	wrong, err := clientMistakes(err, o)
	if err != nil {
		return err
	}
	page, err := h.keysPage(r, o)
	if err != nil {
		return err
	}
	page.Errors, page.JWKS = wrong, shownKeys(f)
	return h.Pages.Render(w, http.StatusBadRequest, page)
}
