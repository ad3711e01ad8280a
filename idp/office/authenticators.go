package office

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/assurance"
	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/idp/authority"
	"github.com/credence-id/credence/idp/deed"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/position"
	"github.com/credence-id/credence/idp/registration"
	"github.com/credence-id/credence/idp/webauthn"
	"github.com/credence-id/credence/store"
)

// Holder is a person whose authenticators an officer sees or changes.
type Holder struct {
	store.Standing

	Of   authority.Subject // what an officer does something to who does it to what she has
	Lets authority.Subject // and who lets her sign in
}

// Changed is what an officer does something to who does this to an authenticator of a person.
func (p Holder) Changed(act registration.Act) authority.Subject {
	if over(act) {
		return p.Lets
	}
	return p.Of
}

// over says whether what is done to an authenticator is done to the officer that its owner is: it lets her sign in again, or takes
// that away for good. What can be undone, and cannot wait, is not.
func over(act registration.Act) bool { return act.Right() == authority.IssueAuthenticator }

// holder reads a person to whose authenticators an officer may do one of some things.
func (f *Office) holder(ctx context.Context, o Officer, id string, acts ...authority.Act) (p Holder, err error) {
	if p.Standing, err = f.Standing(ctx, id); err != nil {
		return Holder{}, err
	}
	if p.Of, err = f.Works(ctx, p.Person); err != nil {
		return Holder{}, err
	}
	if p.Lets, err = deed.Over(ctx, f.Store, f.Rules, p.Of, f.Now()); err != nil {
		return Holder{}, err
	}
	return p, f.May(ctx, o, p.Of, acts...)
}

// Enrollee reads a person to whom an officer may bind an authenticator.
func (f *Office) Enrollee(ctx context.Context, o Officer, id string) (Holder, error) {
	p, err := f.holder(ctx, o, id, authority.IssueAuthenticator)
	if err != nil {
		return Holder{}, err
	}
	if !p.PersonStands {
		return Holder{}, f.Refuse(ctx, o, position.Refusal(position.PersonDisabled), authority.IssueAuthenticator)
	}
	err = anothers(ctx, f.Store, p.Standing)
	if refused, ok := errors.AsType[*deed.Refusal](err); ok {
		err = f.Refuse(ctx, o, refused, authority.IssueAuthenticator)
	}
	if err != nil {
		return Holder{}, err
	}
	return p, f.May(ctx, o, p.Lets, authority.IssueAuthenticator)
}

// anothers refuses to bind something beside what somebody has who registered herself and is not proved. The account may be of another, who
// would keep it: then a code of it says no more whose it is (package evidence).
func anothers(ctx context.Context, records interface {
	KeptAuthenticators(ctx context.Context, personID string) ([]store.Authenticator, error)
}, p store.Standing,
) error {
	if !p.Unproved {
		return nil
	}
	kept, err := records.KeptAuthenticators(ctx, p.Person.ID)
	if err != nil {
		return fmt.Errorf("list authenticators of person %s: %w", p.Person.ID, err)
	}
	if len(kept) > 0 {
		return &deed.Refusal{Reason: "not_proved", Words: "this person registered herself and is not proved, so somebody else may have the account: she signs in with what she has, or recovers; who cannot has another profile created, and this one closed"}
	}
	return nil
}

// Held is a person with what she signs in with, or did, and could add more by.
type Held struct {
	Holder

	Authenticators []store.Authenticator // a page of them, in whichever state
	More           bool
	Links          []store.OpenLink // a page of them
	MoreLinks      bool
}

// HeldPage says which page of what somebody has is listed: of her authenticators and of her enrolment links, each from the one after the
// given id.
type HeldPage struct {
	Order, LinkOrder store.Order
	After, AfterLink uuid.UUID
}

// Authenticators lists those of a person with her open enrolment links, and records who saw them.
func (f *Office) Authenticators(ctx context.Context, o Officer, id string, which HeldPage) (h Held, err error) {
	if h.Holder, err = f.holder(ctx, o, id, authority.IssueAuthenticator, authority.UnlockAuthenticator); err != nil {
		return Held{}, err
	}
	if h.Links, err = registration.OpenLinks(ctx, f.Store, id, which.LinkOrder, which.AfterLink, PerPage+1, f.Now()); err != nil {
		return Held{}, err
	}
	h.Links, h.MoreLinks = page(h.Links)
	err = f.Store.InTx(ctx, func(tx *store.Tx) error {
		if h.Authenticators, err = tx.AuthenticatorsOf(ctx, id, which.Order, which.After, PerPage+1); err != nil {
			return fmt.Errorf("list authenticators of person %s: %w", id, err)
		}
		h.Authenticators, h.More = page(h.Authenticators)
		return audit.Record(ctx, tx, f.Line(o, audit.PersonViewed, id, map[string]string{"of": "authenticators"}))
	})
	return h, err
}

// BeginBinding begins to bind an authenticator to a person, in what is bound to both: see [registration.Enroller.Begin].
func (f *Office) BeginBinding(ctx context.Context, o Officer, id string, most assurance.AuthenticatorLevel, sitting []byte) (p Holder, c webauthn.Ceremony, err error) {
	if p, err = f.Enrollee(ctx, o, id); err != nil {
		return p, c, err
	}
	c, err = f.Enroller.Begin(ctx, most, p.Person, sitting)
	return p, c, err
}

// Bind binds an authenticator to a person, if the officer may until that moment.
func (f *Office) Bind(ctx context.Context, o Officer, id string, answer registration.Answer) (bound store.Authenticator, err error) {
	p, err := f.Enrollee(ctx, o, id)
	if err != nil {
		return bound, err
	}
	bound, err = f.Enroller.Bind(ctx, p.Person, answer, f.Line(o, audit.Enrolled, id, map[string]string{}), func(tx *store.Tx) error {
		return f.mayBind(ctx, tx, o, id)
	})
	return bound, f.decided(ctx, o, err, authority.IssueAuthenticator)
}

// decided records a refusal that a transaction came to.
func (f *Office) decided(ctx context.Context, o Officer, err error, what authority.Act) error {
	if refused, ok := errors.AsType[*deed.Refusal](err); ok {
		return f.Refuse(ctx, o, refused, what)
	}
	return err
}

// mayBind decides again whether an officer may bind an authenticator to a person, in a transaction in which nobody makes either
// of them more or less.
func (f *Office) mayBind(ctx context.Context, tx *store.Tx, o Officer, id string) error {
	now, err := f.stillMay(ctx, tx, o, authority.IssueAuthenticator, id, true)
	if err == nil && !now.PersonStands {
		err = position.Refusal(position.PersonDisabled)
	}
	if err == nil {
		err = anothers(ctx, tx, now)
	}
	return err
}

// CancelLink cancels an open enrolment link of a person: see [registration.CancelLink].
func (f *Office) CancelLink(ctx context.Context, o Officer, person, text string) error {
	id, err := uuid.Parse(text)
	if err != nil {
		return fmt.Errorf("enrolment link %.40q %w", text, directory.ErrUnknown)
	}
	if _, err = f.holder(ctx, o, person, authority.IssueAuthenticator); err != nil {
		return err
	}
	link := registration.Link{ID: id, Person: person}
	err = registration.CancelLink(ctx, f.Store, link, f.Line(o, "", person, map[string]string{}), func(tx *store.Tx) error {
		_, err := f.stillMay(ctx, tx, o, authority.IssueAuthenticator, person, false)
		return err
	})
	return f.decided(ctx, o, err, authority.IssueAuthenticator)
}

// Invite makes an enrolment link for a person, with its code: see [registration.Enroller.Invite].
func (f *Office) Invite(ctx context.Context, o Officer, id string) (Holder, registration.Invitation, error) {
	p, err := f.Enrollee(ctx, o, id)
	if err != nil {
		return p, registration.Invitation{}, err
	}
	made, err := f.Enroller.Invite(ctx, id, f.Line(o, audit.EnrolmentLinkMade, id, map[string]string{}), func(tx *store.Tx) error {
		return f.mayBind(ctx, tx, o, id)
	})
	return p, made, f.decided(ctx, o, err, authority.IssueAuthenticator)
}

// Authenticator reads one of a person, to which an officer may do something.
func (f *Office) Authenticator(ctx context.Context, o Officer, person, text string, act registration.Act) (p Holder, a store.Authenticator, err error) {
	id, err := uuid.Parse(text)
	if err != nil || !slices.Contains(registration.Acts(), act) {
		return p, a, fmt.Errorf("authenticator %.40q and what is done to it: %w", text, directory.ErrUnknown)
	}
	if p, err = f.holder(ctx, o, person, act.Right()); err != nil {
		return p, a, err
	}
	if err = f.May(ctx, o, p.Changed(act), act.Right()); err != nil {
		return p, a, err
	}
	list, err := f.Store.Authenticators(ctx, person, true)
	if err != nil {
		return p, a, fmt.Errorf("list authenticators of person %s: %w", person, err)
	}
	i := slices.IndexFunc(list, func(a store.Authenticator) bool { return a.ID == id })
	if i < 0 {
		return p, a, fmt.Errorf("authenticator %s %w", id, directory.ErrUnknown)
	}
	return p, list[i], nil
}

// ChangeAuthenticator does something to one, for a reason: see [registration.ChangeAuthenticator].
func (f *Office) ChangeAuthenticator(ctx context.Context, o Officer, person, text string, act registration.Act, reason string) error {
	_, a, err := f.Authenticator(ctx, o, person, text, act)
	if err != nil {
		return err
	}
	if err := directory.CheckText("reason", reason, 1, 500); err != nil {
		return err
	}
	change := registration.Change{Authenticator: a.ID, Person: person, Act: act, Reason: reason, Messenger: f.Enroller.Messenger, Permit: func(tx *store.Tx) error {
		_, err := f.stillMay(ctx, tx, o, act.Right(), person, over(act))
		return err
	}}
	return f.decided(ctx, o, registration.ChangeAuthenticator(ctx, f.Store, change, f.Line(o, "", person, map[string]string{})), act.Right())
}
