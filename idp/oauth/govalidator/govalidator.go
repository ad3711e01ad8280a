// Package govalidator has what fosite asks of the package of this name.
package govalidator

import "net/url"

// IsRequestURL says whether a text is an absolute URI, or a path, as RFC 9112, Section 3.2 has them in a request, and has a
// scheme.
func IsRequestURL(text string) bool {
	u, err := url.ParseRequestURI(text)
	return err == nil && u.Scheme != ""
}
