package idp

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/credence-id/credence/web"
)

// languages adds, for each language, the address that has pages in it from then on. It leads back to the page that has the
// link, which browsers tell to pages of the same site.
func (s *server) languages(issuer string) {
	for _, language := range web.Languages() {
		s.handle("GET /language/"+string(language), func(w http.ResponseWriter, r *http.Request) error {
			language.Choose(w, strings.HasPrefix(issuer, "https:"))
			w.Header().Set("Cache-Control", "no-store")
			http.Redirect(w, r, cameFrom(r, issuer), http.StatusSeeOther)
			return nil
		})
	}
}

// cameFrom is the page of ours that a link was followed on, or the home page.
func cameFrom(r *http.Request, issuer string) string {
	u, err := url.Parse(r.Referer())
	if err != nil || u.Scheme+"://"+u.Host != issuer || strings.HasPrefix(u.Path, "//") || strings.HasPrefix(u.Path, "/language/") {
		return "/"
	}
	return u.RequestURI()
}
