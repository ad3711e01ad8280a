package password

import (
	"bytes"
	"context"
	"fmt"
	"strconv"

	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/idp/seal"
	"github.com/credence-id/credence/store"
)

// Reseal seals all passwords and keys of apps under the first line of the seal key, in batches, and says how many there are
// and how many were sealed anew. Those that no line opens stay as they are; when all others are done it fails with
// [seal.ErrSeal] and how many there are. It may be run again.
func (m *Manager) Reseal(ctx context.Context, actor string) (resealed, total int, err error) {
	const batch = 500
	closed := 0
	for after, more := uuid.Nil, true; more; {
		anew, all := 0, 0
		err := m.store.InTx(ctx, func(tx *store.Tx) error {
			secrets, err := tx.LockSecrets(ctx, after, batch)
			if err != nil {
				return fmt.Errorf("read secrets: %w", err)
			}
			all = len(secrets)
			if more = all == batch; more {
				after = secrets[batch-1].ID
			}
			for _, s := range secrets {
				sealed, err := m.rest.Reseal(s.Sealed, bound(s))
				if err != nil {
					closed++
					continue
				}
				if bytes.Equal(sealed, s.Sealed) {
					continue
				}
				anew++
				if err := tx.ReplaceSealed(ctx, s.ID, sealed); err != nil {
					return fmt.Errorf("store authenticator %s: %w", s.ID, err)
				}
			}
			if anew == 0 {
				return nil
			}
			return audit.Record(ctx, tx, audit.Entry{At: m.now(), Event: audit.SecretsResealed, Actor: actor, Detail: map[string]string{"secrets": strconv.Itoa(anew)}})
		})
		if err != nil {
			return resealed, total, err
		}
		resealed, total = resealed+anew, total+all
	}
	if closed > 0 {
		return resealed, total, fmt.Errorf("open passwords and keys of apps: %w: no line of the seal key opens %d of %d; %d were sealed anew", seal.ErrSeal, closed, total, resealed)
	}
	return resealed, total, nil
}
