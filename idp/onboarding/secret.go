package onboarding

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/idp/authority"
	"github.com/credence-id/credence/idp/deed"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/oauth"
	"github.com/credence-id/credence/store"
)

// Rotate gives the client of an application a new secret, beside which the one before works for some days; the first one
// takes the place of none. It returns the secret, which is nowhere else. Seen is how many secrets had been made when she
// looked, so that of two who make one at once, one does, and nobody makes a second by sending a form twice.
func (r *Registrar) Rotate(ctx context.Context, by deed.Acting, id uuid.UUID, seen, days int) (secret string, err error) {
	const day = 24 * time.Hour
	if most := int(oauth.LongestOverlap / day); days < 0 || days > most {
		return "", &directory.InvalidError{Field: "days", Want: "a number of days from 0 to " + strconv.Itoa(most)}
	}
	err = r.act(ctx, by, audit.ClientSecretRotated, func(a *act) error {
		application, err := a.withClient(ctx, id)
		if err != nil {
			return err
		}
		if application.Secrets != seen {
			return Refuse(SecretSince).In("secrets", strconv.Itoa(seen), strconv.Itoa(application.Secrets))
		}
		overlap := time.Duration(days) * day
		if application.Secrets == 0 {
			overlap = 0 // nobody has the one that the client was made with
		}
		if secret, err = oauth.RotateSecretIn(ctx, a.Tx, *application.ClientID, overlap, a.Entry); err != nil {
			return a.recorded(err)
		}
		if err := a.CountClientSecret(ctx, id, a.Now); err != nil {
			return fmt.Errorf("count secret: %w", err)
		}
		return a.recorded(nil)
	})
	return secret, err
}

// EndOldSecret ends the secret that the last one took the place of, before its time. Seen is as for [Registrar.Rotate], so that nobody
// ends another one than she looked at.
func (r *Registrar) EndOldSecret(ctx context.Context, by deed.Acting, id uuid.UUID, seen int) error {
	return r.act(ctx, by, audit.ClientSecretEnded, func(a *act) error {
		application, err := a.withClient(ctx, id)
		if err != nil {
			return err
		}
		if application.Secrets != seen {
			return Refuse(SecretSince).In("secrets", strconv.Itoa(seen), strconv.Itoa(application.Secrets))
		}
		return a.recorded(oauth.EndOldSecretIn(ctx, a.Tx, *application.ClientID, a.Entry))
	})
}

// withClient locks an application that has a client, for who may make its secrets.
func (a *act) withClient(ctx context.Context, id uuid.UUID) (store.ClientApplication, error) {
	application, err := a.application(ctx, id, authority.ApplyClient)
	if err == nil && application.ClientID == nil {
		err = Refuse(NotApproved)
	}
	return application, err
}

// recorded is for what package oauth did and recorded.
func (a *act) recorded(err error) error {
	if errors.Is(err, oauth.ErrNoSecret) {
		return Refuse(NoSecret)
	}
	if err == nil {
		a.Entry.Event = ""
	}
	return err
}
