package desk

import (
	"encoding/json"
	"net/http"
	"net/url"

	"github.com/credence-id/credence/idp/audit"
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

// keys shows which keys of a client are registered, and takes others in their place.
func (h *Handler) keys(w http.ResponseWriter, r *http.Request, o officer) error {
	page, err := h.keysPage(r, o)
	if err != nil {
		return err
	}
	return h.Pages.Render(w, http.StatusOK, page)
}

func (h *Handler) keysPage(r *http.Request, o officer) (web.DeskClientKeys, error) {
	a, err := h.applied(r.Context(), o, r.PathValue("id"), authority.ApplyClient)
	if err != nil {
		return web.DeskClientKeys{}, err
	}
	c, err := h.Onboarding.ToReplaceKeys(r.Context(), a.ClientApplication)
	if err != nil {
		return web.DeskClientKeys{}, err
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
	if err = h.Onboarding.ReplaceKeys(r.Context(), o.Acting(), a.ID, r.URL.Query().Get("seen"), enteredKeys(f)); err == nil {
		return web.SeeOther(w, r, r.URL.Path)
	}
	since := refusedAs(err, onboarding.KeysSince)
	wrong, err := clientMistakes(err, o)
	if err != nil {
		return err
	}
	page, err := h.keysPage(r, o)
	if err != nil {
		return err
	}
	page.Errors, page.JWKS = wrong, shownKeys(f)
	if since {
		done, err := h.LastOfClient(r.Context(), page.ClientID, audit.ClientKeysReplaced)
		if err != nil {
			return err
		}
		page.Meanwhile = meanwhile(done, web.Difference{Name: "Keys", Was: page.Keys, Is: keyList(json.RawMessage(page.JWKS))})
	}
	return h.Pages.Render(w, http.StatusBadRequest, page)
}
