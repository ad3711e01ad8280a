package web

import (
	"net/http"
	"net/url"
	"strings"
)

// Form reads a form of at most so many bytes. One that cannot be read is a *[Problem].
func Form(w http.ResponseWriter, r *http.Request, most int64) (url.Values, error) {
	r.Body = Body(w, r, most)
	if err := r.ParseForm(); err != nil {
		return nil, &Problem{
			Status: http.StatusBadRequest, Title: "We could not read what you sent",
			Message: "The form did not arrive whole.", Next: "Go back and try again.",
		}
	}
	return r.PostForm, nil
}

// OneLine makes a line of what was typed in several, or with spaces about it.
func OneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

// SeeOther answers with the next page. 303 makes the browser ask for it with GET, whatever it sent: RFC 9700, Section 4.12.
func SeeOther(w http.ResponseWriter, r *http.Request, location string) error {
	w.Header().Set("Cache-Control", "no-store")
	http.Redirect(w, r, location, http.StatusSeeOther)
	return nil
}
