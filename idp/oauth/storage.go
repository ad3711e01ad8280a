package oauth

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/ory/fosite"

	"github.com/credence-id/credence/store"
)

type txKey struct{}

// withTx carries the transaction of a request to the handlers below: fosite passes nothing else through.
func withTx(ctx context.Context, tx *store.Tx) context.Context {
	return context.WithValue(ctx, txKey{}, tx)
}

func txOf(ctx context.Context) *store.Tx {
	return ctx.Value(txKey{}).(*store.Tx) //nolint:forcetypeassert // without it the request was not begun by us, and must stop
}

// grant is what fosite calls the session of a request: here it carries the grant that the request makes or uses, and
// what it stands on.
type grant struct {
	store.Grant
	Person  store.Person
	Version uuid.UUID // of the person's record
	Scopes  []string  // of this request: those of the grant or, when refreshing, fewer
	Recent  bool      // it may be, and then is, remembered and not read: nothing is refused by it
}

var _ fosite.Session = (*grant)(nil)

// SetExpiresAt implements fosite.Session. Times are the grant's.
func (g *grant) SetExpiresAt(fosite.TokenType, time.Time) {}

// GetExpiresAt implements fosite.Session.
func (g *grant) GetExpiresAt(fosite.TokenType) time.Time { return g.ExpiresAt }

// GetUsername implements fosite.Session.
func (g *grant) GetUsername() string { return g.PersonID }

// GetSubject implements fosite.Session.
func (g *grant) GetSubject() string { return g.PersonID }

// Clone implements fosite.Session.
func (g *grant) Clone() fosite.Session {
	c := *g
	return &c
}
