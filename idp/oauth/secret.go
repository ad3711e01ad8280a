package oauth

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/store"
)

// LongestOverlap bounds how long the secret of a client works beside the one that takes its place.
const LongestOverlap = 30 * 24 * time.Hour

// ErrNoSecret says that a client has no secret to do something about: it is public, has keys, is disabled, or has no old one.
var ErrNoSecret = errors.New("there is no such secret")

// ErrNoKeys says that a client has no registered keys to replace: it authenticates otherwise, publishes them, or is disabled.
var ErrNoKeys = errors.New("there are no registered keys")

// RotateSecretIn gives a client with a secret a new one and returns it: only its hash is kept. The one before works until
// the overlap has passed, and at most for [LongestOverlap]; the one before that ends now.
func RotateSecretIn(ctx context.Context, tx *store.Tx, id string, overlap time.Duration, entry audit.Entry) (string, error) {
	c, err := tx.LockClient(ctx, id)
	if err != nil {
		return "", fmt.Errorf("read client %q: %w", id, err)
	}
	if !HasSecret(c.Authentication) || c.DisabledAt != nil {
		return "", ErrNoSecret
	}
	before := c.SecretHash
	secret := newSecret(&c)
	if overlap > 0 {
		c.OldSecretHash, c.OldSecretEndsAt = before, new(entry.At.Add(min(overlap, LongestOverlap)))
		entry.Detail["old_ends_at"] = c.OldSecretEndsAt.UTC().Format(time.RFC3339)
	}
	if err := tx.UpdateClient(ctx, c); err != nil {
		return "", fmt.Errorf("update client %q: %w", id, err)
	}
	entry.Event, entry.Client = audit.ClientSecretRotated, id
	return secret, audit.Record(ctx, tx, entry)
}

// EndOldSecretIn ends the old secret of a client before its time.
func EndOldSecretIn(ctx context.Context, tx *store.Tx, id string, entry audit.Entry) error {
	c, err := tx.LockClient(ctx, id)
	if err != nil {
		return fmt.Errorf("read client %q: %w", id, err)
	}
	if c.OldSecretEndsAt == nil || !c.OldSecretEndsAt.After(entry.At) {
		return ErrNoSecret
	}
	entry.Detail["old_ends_at"] = c.OldSecretEndsAt.UTC().Format(time.RFC3339)
	c.OldSecretHash, c.OldSecretEndsAt = nil, nil
	if err := tx.UpdateClient(ctx, c); err != nil {
		return fmt.Errorf("update client %q: %w", id, err)
	}
	entry.Event, entry.Client = audit.ClientSecretEnded, id
	return audit.Record(ctx, tx, entry)
}

// ReplaceKeysIn gives a client that has its keys registered others in their place: those that are in both sets go on working.
// A key that is wrong is a [Mistake].
func ReplaceKeysIn(ctx context.Context, tx *store.Tx, id string, jwks json.RawMessage, entry audit.Entry) error {
	c, err := tx.LockClient(ctx, id)
	if err != nil {
		return fmt.Errorf("read client %q: %w", id, err)
	}
	if c.JWKS == nil || c.DisabledAt != nil {
		return ErrNoKeys
	}
	entry.Detail["old_keys"] = keysOf(c)
	if mistakes := (Registration{Authentication: c.Authentication, JWKS: jwks}).applyKeys(&c); len(mistakes) > 0 {
		return errors.Join(mistakes...)
	}
	if err := tx.UpdateClient(ctx, c); err != nil {
		return fmt.Errorf("update client %q: %w", id, err)
	}
	entry.Event, entry.Client, entry.Detail["keys"] = audit.ClientKeysReplaced, id, keysOf(c)
	return audit.Record(ctx, tx, entry)
}

// hasSecret says whether a secret is one of the client's: the last, or the one before until it ends. How long it takes says
// nothing of any.
func (c client) hasSecret(secret string, now time.Time) bool {
	none := make([]byte, len(hash("")))
	last, old := c.SecretHash, c.OldSecretHash
	if last == nil {
		last = none
	}
	if old == nil || !c.OldSecretEndsAt.After(now) {
		old = none
	}
	presented := hash(secret)
	return subtle.ConstantTimeCompare(presented, last)|subtle.ConstantTimeCompare(presented, old) == 1
}
