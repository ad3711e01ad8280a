// Package desk is the registration desk: the pages on which officers of the registration authority work.
//
// It guarantees that
//   - nobody comes to a page but an officer: somebody who has signed in at authenticator assurance level 3, or 2 where the
//     organisation of her active role allows it, in the ordinary session of her browser, whose identity is proved to level high,
//     and whose active role makes her an officer;
//   - what she sees is what that role lets her see at its organisation and below, and what she does is decided by the room
//     that does it, in its transaction;
//   - whose identity she proves is somebody else, and the level is what package evidence makes of what she checked;
//   - an officer binds authenticators to somebody else, in her own session, none that reach a higher level than that, and to nobody
//     who is an officer above her;
//   - whoever is refused is told why and what to do about it, and is recorded.
//
// Which role makes whom which officer, and what she may do, is package authority's. The pages work without script, and their
// lists and searches are addresses that can be passed on.
package desk

import (
	"github.com/credence-id/credence/idp/breakglass"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/lifecycle"
	"github.com/credence-id/credence/idp/office"
	"github.com/credence-id/credence/idp/onboarding"
	"github.com/credence-id/credence/idp/retention"
	"github.com/credence-id/credence/idp/session"
	"github.com/credence-id/credence/idp/signin"
	"github.com/credence-id/credence/web"
)

// Handler serves the desk.
type Handler struct {
	*office.Office

	Sessions  *session.Manager
	SignIn    *signin.Handler
	Catalogue *directory.Catalogue
	Lifecycle *lifecycle.Registrar
	Pages     *web.Pages

	Onboarding *onboarding.Registrar
	Retained   []retention.Rule // for how long records are kept
	Breakglass *breakglass.Registrar
}

// perPage is how many rows a list has on a page.
const perPage = office.PerPage
