package onboarding

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"

	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/idp/deed"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/oauth"
	"github.com/credence-id/credence/store"
)

// KeysSeen names the registered keys of a client as they are, so that who replaces them says which she looked at.
func KeysSeen(c store.Client) string {
	sum := sha256.Sum256(c.JWKS)
	return hex.EncodeToString(sum[:8])
}

// ReplaceKeys gives the client of an application other keys in the place of those that are registered. A key that is in both
// sets works throughout: that is how a service changes from one to the other. Seen is [KeysSeen] of what she looked at.
func (r *Registrar) ReplaceKeys(ctx context.Context, by deed.Acting, id uuid.UUID, seen string, jwks json.RawMessage) error {
	return r.act(ctx, by, audit.ClientKeysReplaced, func(a *act) error {
		application, err := a.withClient(ctx, id)
		if err != nil {
			return err
		}
		c, err := a.LockClient(ctx, *application.ClientID)
		if err != nil {
			return directory.Missing(err, "client", *application.ClientID)
		}
		if c.JWKS != nil && KeysSeen(c) != seen {
			return Refuse(KeysSince).In("jwks", seen, string(c.JWKS))
		}
		err = oauth.ReplaceKeysIn(ctx, a.Tx, c.ID, jwks, a.Entry)
		if errors.Is(err, oauth.ErrNoKeys) {
			return Refuse(NoKeys)
		}
		if err == nil {
			a.Entry.Event = "" // package oauth has recorded it
		}
		return err
	})
}
