package web

import (
	"fmt"
	"html/template"
	"strings"

	"rsc.io/qr"
)

// PasswordSignIn asks for a user id, a password and the code of an authenticator app, all at once.
type PasswordSignIn struct {
	Frame
	// PostURL is what its form posts to.
	PostURL string
	// OtherURL leads to the sign-in page, for somebody who has a passkey or security key.
	OtherURL   string
	ClientName string
	// Username is the user id that was entered. What else was entered is never shown again.
	Username string
	// Cancelable offers to go back to the service without signing in.
	Cancelable bool
}

func (p PasswordSignIn) page() (string, Frame) { return "password-sign-in", p.Frame }

// SetPassword binds a password and an authenticator app to a person.
type SetPassword struct {
	Frame
	// PostURL is what its form posts to.
	PostURL string
	// PersonName is the person whom the enrolment link is for, UserID what she signs in with.
	PersonName, UserID string
	// Shortest and Longest are the least and the most characters that a password has.
	Shortest, Longest int
	// Key is what the app is to take over, as people type it, and App the same as apps read it: an otpauth URI.
	Key, App string
	// OtherURL leads to the page that adds a passkey or security key instead.
	OtherURL string
}

func (p SetPassword) page() (string, Frame) { return "set-password", p.Frame }

// Groups is the key in groups of four characters, as people read it out.
func (p SetPassword) Groups() string {
	var groups []string
	for rest := p.Key; rest != ""; {
		n := min(4, len(rest))
		groups, rest = append(groups, rest[:n]), rest[n:]
	}
	return strings.Join(groups, " ")
}

// AppURL is a link that opens the app on the device at hand. It is empty when App is no URI of an app.
func (p SetPassword) AppURL() template.URL {
	if !strings.HasPrefix(p.App, "otpauth://totp/") {
		return ""
	}
	return template.URL(p.App) //nolint:gosec // templates know no other schemes than those of the web; this one runs nothing in a browser
}

// QRCode is a QR code (ISO/IEC 18004) as SVG draws it: a square of so many modules, and the path of the dark ones.
type QRCode struct {
	Size int
	Path string
}

// quiet is the margin around a QR code, in modules.
const quiet = 4

// Code is the URI of the app as a QR code.
func (p SetPassword) Code() (QRCode, error) {
	drawn, err := qr.Encode(p.App, qr.M)
	if err != nil {
		return QRCode{}, fmt.Errorf("draw QR code: %w", err)
	}
	var path strings.Builder
	for y := range drawn.Size {
		for x := 0; x < drawn.Size; x++ {
			from := x
			for x < drawn.Size && drawn.Black(x, y) {
				x++
			}
			if x > from {
				_, _ = fmt.Fprintf(&path, "M%d %dh%dv1h-%dz", from+quiet, y+quiet, x-from, x-from)
			}
		}
	}
	return QRCode{Size: drawn.Size + 2*quiet, Path: path.String()}, nil
}
