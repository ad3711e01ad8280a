package oauth

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/credence-id/credence/web"
)

const (
	maxQuery = 8 << 10  // of an authorization request
	maxBody  = 32 << 10 // of a form that is posted
)

// repeated says whether a parameter is there more than once. RFC 6749, Section 3.1: "Request and response parameters MUST
// NOT be included more than once."
func repeated(parameters url.Values) bool {
	for _, values := range parameters {
		if len(values) > 1 {
			return true
		}
	}
	return false
}

// omitEmpty drops parameters without a value: RFC 6749, Sections 3.1 and 3.2, "Parameters sent without a value MUST be
// treated as if they were omitted from the request."
func omitEmpty(parameters url.Values) {
	maps.DeleteFunc(parameters, func(_ string, values []string) bool { return len(values) == 1 && values[0] == "" })
}

// clean says whether names and values are text: valid UTF-8 without control characters. In those that are JSON, lines may be
// broken: RFC 8259, Section 2.
func clean(parameters url.Values) bool {
	for name, values := range parameters {
		breaks := ""
		if name == "claims" || name == "vtr" {
			breaks = "\t\n\r"
		}
		for _, text := range append(values, name) {
			if !utf8.ValidString(text) || strings.ContainsFunc(text, func(r rune) bool { return (r < ' ' && !strings.ContainsRune(breaks, r)) || r == 0x7f }) {
				return false
			}
		}
	}
	return true
}

// body reads the parameters of a form that was posted.
func body(w http.ResponseWriter, r *http.Request) (url.Values, error) {
	r.Body = web.Body(w, r, maxBody)
	if !isForm(r) {
		return nil, invalidRequest("Send the parameters as application/x-www-form-urlencoded in the body.")
	}
	if err := r.ParseForm(); err != nil {
		return nil, invalidRequest("The body is not a form of at most 32 KiB.")
	}
	if repeated(r.PostForm) {
		return nil, invalidRequest("A parameter is there more than once.")
	}
	if !clean(r.PostForm) {
		return nil, invalidRequest("A parameter is not valid UTF-8 text.")
	}
	omitEmpty(r.PostForm)
	return r.PostForm, nil
}

func isForm(r *http.Request) bool {
	contentType, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
	return strings.TrimSpace(strings.ToLower(contentType)) == "application/x-www-form-urlencoded"
}

// words splits a list that is separated by spaces.
func words(list string) []string { return strings.Fields(list) }

// scopeSet splits a scope, in which order and repetition mean nothing: RFC 6749, Section 3.3.
func scopeSet(scope string) []string {
	set := words(scope)
	slices.Sort(set)
	return slices.Compact(set)
}
