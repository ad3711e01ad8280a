// Package desk is the registration desk: the pages on which officers of the registration authority work.
//
// It guarantees that
//   - nobody comes to a page but an officer: somebody who has signed in at authenticator assurance level 3, in the ordinary
//     session of her browser, whose identity is proved to level high, and whose active role makes her an officer;
//   - what she sees is what that role lets her see at its organisation and below, and what she does is decided by the room
//     that does it, in its transaction;
//   - whose identity she proves is somebody else, and the level is what package evidence makes of what she checked;
//   - whoever is refused is told why and what to do about it, and is recorded.
//
// Which role makes whom which officer, and what she may do, is package authority's. The pages work without script, and their
// lists and searches are addresses that can be passed on.
package desk

import (
	"time"

	"github.com/credence-id/credence/idp/authority"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/evidence"
	"github.com/credence-id/credence/idp/position"
	"github.com/credence-id/credence/idp/session"
	"github.com/credence-id/credence/idp/signin"
	"github.com/credence-id/credence/store"
	"github.com/credence-id/credence/web"
)

// Handler serves the desk.
type Handler struct {
	Store     *store.Store
	Sessions  *session.Manager
	SignIn    *signin.Handler
	Positions *position.Registrar
	Evidence  *evidence.Recorder
	Rules     *authority.Rules
	Catalogue *directory.Catalogue
	Pages     *web.Pages
	Now       func() time.Time
}

// perPage is how many rows a list has on a page.
const perPage = 20
