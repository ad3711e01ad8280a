package idp

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/session"
	"github.com/credence-id/credence/web"
)

// languages adds, for each language, the address that has pages in it from then on. It leads back to the page that has the
// link, which browsers tell to pages of the same site. Whoever is signed in is written to in that language as well, if she followed
// the link on such a page: no other site chooses for her.
func (s *server) languages(issuer string) {
	for _, language := range web.Languages() {
		s.handle("GET /language/"+string(language), func(w http.ResponseWriter, r *http.Request) error {
			page, ours := cameFrom(r, issuer)
			if ours {
				if err := s.keepLanguage(r, language); err != nil {
					return err
				}
			}
			language.Choose(w, strings.HasPrefix(issuer, "https:"))
			return web.SeeOther(w, r, page)
		})
	}
}

// keepLanguage puts on record which language somebody chose, if she is signed in.
func (s *server) keepLanguage(r *http.Request, language web.Language) error {
	found, err := s.sessions.Find(r.Context(), s.sessions.CookieOf(r), "")
	if errors.Is(err, session.ErrNone) {
		return nil
	}
	if err != nil {
		return err
	}
	by := audit.Entry{At: s.now(), Person: found.Person.ID, Session: found.ID}
	return directory.ChooseLanguage(r.Context(), s.sessions.Store, string(language), by)
}

// cameFrom is the page of ours that a link was followed on, or else the home page.
func cameFrom(r *http.Request, issuer string) (page string, ours bool) {
	u, err := url.Parse(r.Referer())
	if err != nil || u.Scheme+"://"+u.Host != issuer || strings.HasPrefix(u.Path, "//") || strings.HasPrefix(u.Path, "/language/") {
		return "/", false
	}
	return u.RequestURI(), true
}
