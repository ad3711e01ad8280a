package session

import (
	"crypto/sha256"
	"net/http"
)

// name is a cookie's name: RFC 6265bis, Section 4.1.3.2. A browser keeps a __Host- cookie only over https, for one host
// and for all its paths, so no neighbour can set it for us.
func (m *Manager) name(plain string) string {
	if m.Secure {
		return "__Host-" + plain
	}
	return plain
}

// CookieOf returns the session cookie of a request, or "". Of two cookies of that name one was set by somebody else, and
// then none counts.
func (m *Manager) CookieOf(r *http.Request) Cookie {
	return Cookie(m.only(r, "credence"))
}

func (m *Manager) only(r *http.Request, plain string) string {
	cookies := r.CookiesNamed(m.name(plain))
	if len(cookies) != 1 || len(cookies[0].Value) > 128 {
		return ""
	}
	return cookies[0].Value
}

// SetCookie gives the browser a session cookie; "" takes it away. It lasts until the browser closes: the session's own
// limits are kept in the database.
func (m *Manager) SetCookie(w http.ResponseWriter, c Cookie) {
	m.set(w, "credence", string(c))
}

func (m *Manager) set(w http.ResponseWriter, plain, value string) {
	cookie := &http.Cookie{ //nolint:gosec // Secure but for a loopback issuer, which has no https
		Name: m.name(plain), Value: value, Path: "/",
		Secure: m.Secure, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	}
	if value == "" {
		cookie.MaxAge = -1
	}
	http.SetCookie(w, cookie)
}

// Browser identifies a browser before anybody has signed in, by a cookie of its own, which it sets when there is none:
// the state of a pending sign-in is bound to it, so that nobody can finish what was begun elsewhere. It returns the
// hash of the cookie.
func (m *Manager) Browser(w http.ResponseWriter, r *http.Request) []byte {
	value := m.only(r, "credence-browser")
	if value == "" {
		value = string(newCookie())
		m.set(w, "credence-browser", value)
	}
	sum := sha256.Sum256([]byte("browser " + value))
	return sum[:]
}
