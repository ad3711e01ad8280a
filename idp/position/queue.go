package position

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/idp/authority"
	"github.com/credence-id/credence/idp/deed"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/store"
)

// Owned is after which requests somebody looks.
type Owned string

// Which they are.
const (
	Anybodys Owned = "" // also those after which nobody looks
	Mine     Owned = "mine"
	Nobodys  Owned = "nobody"
)

// Wanted is which of the open requests of an organisation are wanted.
type Wanted struct {
	Person   string // for whom; "": for everybody
	Position string // for which; "": for each
	Owner    Owned
}

// In is the queue of what an officer wants of an organisation and of those below it.
func (w Wanted) In(organisation string, officer string, rules *authority.Rules) (store.Queue, error) {
	q := store.Queue{OrganisationCode: organisation, PersonID: w.Person, PositionID: w.Position, Unowned: w.Owner == Nobodys, Codes: owners(rules)}
	var errs []error
	if w.Person != "" {
		errs = append(errs, directory.CheckID("person", w.Person))
	}
	if w.Position != "" {
		errs = append(errs, directory.CheckID("position", w.Position))
	}
	switch w.Owner {
	case Mine:
		q.OwnerID = officer
	case Nobodys, Anybodys:
	default:
		errs = append(errs, &directory.InvalidError{Field: "owner", Want: string(Mine) + " or " + string(Nobodys)})
	}
	return q, errors.Join(errs...)
}

// Queue lists what an officer wants of what is open at the organisation of the role that she acts in and below it, oldest first, from
// the one after the given id, at most limit of it.
func (r *Registrar) Queue(ctx context.Context, by deed.Acting, wanted Wanted, after uuid.UUID, limit int) ([]store.WaitingRequest, error) {
	if err := by.Check(); err != nil {
		return nil, err
	}
	now := r.Now()
	o, err := deed.Officer(ctx, r.Store, r.Rules, by, now)
	if err != nil {
		return nil, err
	}
	here := authority.Subject{Path: []string{o.Organisation}}
	if r.Rules.May(o, authority.DecideRequest, here).Grant == authority.None && r.Rules.May(o, authority.RequestPosition, here).Grant == authority.None {
		return nil, deed.Refuse(deed.NoRight)
	}
	q, err := wanted.In(o.Organisation, by.Person, r.Rules)
	if err != nil {
		return nil, err
	}
	open, err := r.Store.OpenRequests(ctx, q, store.Order{}, after, limit, now)
	if err != nil {
		return nil, fmt.Errorf("list open requests of organisation %s: %w", o.Organisation, err)
	}
	return open, nil
}

// owners are the codes of whoever may look after a request.
func owners(rules *authority.Rules) []string { return rules.Codes(authority.DecideRequest) }

// Owner reads who looks after a request. Without an id it is nobody: nobody took it, or whoever did gave it back, or may not decide it
// any more.
func Owner(ctx context.Context, records interface {
	Owner(ctx context.Context, request uuid.UUID, codes []string, now time.Time) (store.Owner, error)
}, rules *authority.Rules, request uuid.UUID, now time.Time,
) (store.Owner, error) {
	owner, err := records.Owner(ctx, request, owners(rules), now)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return owner, fmt.Errorf("read owner of request %s: %w", request, err)
	}
	return owner, nil
}

// Take has an officer look after an open request that she may decide, from whoever she saw looking after it, "" being nobody. It keeps
// nobody else from deciding it, or from taking it from her.
func (r *Registrar) Take(ctx context.Context, by deed.Acting, id uuid.UUID, from string) error {
	return r.own(ctx, by, id, from, by.Person)
}

// GiveBack has nobody look after a request any more after which the officer does.
func (r *Registrar) GiveBack(ctx context.Context, by deed.Acting, id uuid.UUID) error {
	return r.own(ctx, by, id, by.Person, "")
}

// own changes who looks after a request. What is so already is neither done nor recorded again.
func (r *Registrar) own(ctx context.Context, by deed.Acting, id uuid.UUID, from, to string) error {
	if err := by.Check(); err != nil {
		return err
	}
	return r.act(ctx, by, audit.RequestOwned, func(a *act) error {
		q, err := a.ownable(ctx, id)
		if err != nil {
			return err
		}
		is, err := Owner(ctx, a.Tx, a.Rules, id, a.Now)
		if err != nil {
			return err
		}
		switch is.PersonID {
		case to:
			a.Entry.Event = ""
			return nil
		case from:
		default:
			return Refusal(OwnedSince).With("now it is "+cmp.Or(is.DisplayName, "nobody"), deed.Change{Field: "owner", From: from, To: is.PersonID})
		}
		was := ""
		if q.OwnerID != nil { // also one who is an officer no more
			was = *q.OwnerID
		}
		a.Note(map[string]string{"owner": to, "owner_before": was})
		if err := a.OwnRequest(ctx, id, to, a.Now); err != nil {
			return fmt.Errorf("change owner of request %s: %w", id, err)
		}
		return nil
	})
}

// ownable locks a request that is open and that the officer may decide. Who put on record the person whom it is for may only refuse it,
// and looks after it no more than who asked.
func (a *act) ownable(ctx context.Context, id uuid.UUID) (store.Request, error) {
	p, q, err := a.request(ctx, id)
	if err != nil {
		return q, err
	}
	if err := a.mustFully(ctx, authority.DecideRequest, p.OrganisationCode, q.PersonID); err != nil {
		return q, err
	}
	if err := FourEyes(ctx, a.Tx, q.AskedBy, a.By.Person, q.PersonID); err != nil {
		return q, err
	}
	if err := a.notTookUp(ctx, q); err != nil {
		return q, err
	}
	return q, a.stillOpen(q)
}
