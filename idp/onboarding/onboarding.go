// Package onboarding brings relying parties to the provider: who applied for a client and why, who approved it, whether its
// addresses answer, and its secrets.
//
// A developer, or a manager for her, applies on behalf of her organisation; another officer of that organisation or of one
// above it approves or refuses. What goes live is decided above that organisation, or by the operator where nothing is. What an application says never changes, so whoever approved it approved what it says. What
// was approved is a client of package oauth, by whose rules it is checked. It comes in stages: an application for live follows
// one for integration, and is approved only while the last readiness check of that one passed.
//
// Nobody sees a secret but whoever has it made, once, who is of the developer's side: approving shows none. A new secret takes
// the place of the one before, which works beside it for as long as was said, at most for a month, and can be ended sooner. A
// client with keys of its own has no secret: two keys in its set at once are how it changes from one to the other.
//
// The readiness check makes requests to addresses that an applicant chose, so it is what an attacker would use to reach what
// only this server can. It speaks to public addresses alone, as the dialer finds them; follows no redirect; reads no body; and
// is bounded in time, in number at once, and for each application ([Prober]).
//
// Each act is one transaction with its line of the record, in which the right is looked at again. Whoever is refused is
// recorded with the reason. The schema holds four eyes as well.
package onboarding

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/idp/authority"
	"github.com/credence-id/credence/idp/deed"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/messenger"
	"github.com/credence-id/credence/store"
)

// Registrar keeps applications for clients.
type Registrar struct {
	Store  *store.Store
	Rules  *authority.Rules
	Prober *Prober
	Now    func() time.Time

	Messenger *messenger.Outbox // tells who applied what was decided; nil tells nobody
}

// The reasons why an officer is refused that are not package position's.
const (
	NotOpen       deed.Reason = "application_not_open"
	NotApplicant  deed.Reason = "not_applicant"
	NotReady      deed.Reason = "not_ready"      // what it follows did not pass its last check
	NotFollowable deed.Reason = "not_followable" // what it follows has no client for integration
	NotApproved   deed.Reason = "no_client"      // there is no client yet, or never
	NoSecret      deed.Reason = "no_secret"
	SecretSince   deed.Reason = "secret_since" // somebody has made another since
	NoKeys        deed.Reason = "no_keys"
	KeysSince     deed.Reason = "keys_since" // somebody has replaced them since
	NotAbove      deed.Reason = "not_above"
	NotOperators  deed.Reason = "not_operators"
	NameTaken     deed.Reason = "name_taken"
	TooMany       deed.Reason = "too_many_open"
	TooSoon       deed.Reason = "checked_just_now"
	Busy          deed.Reason = "checks_busy"
)

// Refuse says in plain words why not, and what to do about it.
func Refuse(reason deed.Reason) *deed.Refusal {
	return &deed.Refusal{Reason: reason, Words: map[deed.Reason]string{
		NotOpen:       "this application was decided or withdrawn already",
		NotApplicant:  "somebody else applied for this: she withdraws it, or an officer refuses it",
		NotReady:      "the client for integration has not passed its last readiness check: have it checked there first",
		NotFollowable: "a client goes live after one for integration that was approved: apply for that one first",
		NotApproved:   "this application has no client: it is not approved",
		NoSecret:      "this client has no such secret: it is public or disabled, or the old secret has ended already",
		SecretSince:   "a secret has been made since you opened this page: look at what works now",
		NoKeys:        "this client has no keys here to replace: it has a secret, publishes its keys itself, or is public or disabled",
		KeysSince:     "the keys have been replaced since you opened this page: look at what is there now",
		NotAbove:      "what goes live is not decided by colleagues: an officer of an organisation above this one decides, or the operator where there is none",
		NotOperators:  "the operator decides only what goes live, and where no organisation is above: an officer decides this at the desk",
		NameTaken:     "a service or organisation that people know has a name that looks like this one: apply with a name that tells them apart",
		TooMany:       "too many of your applications wait for a decision: withdraw what is not needed, or wait until some are decided",
		TooSoon:       "this was checked just now: wait a minute and check again",
		Busy:          "as many checks run as may at once: wait a few seconds and check again",
	}[reason]}
}

// act is one act of an officer.
type act struct {
	*deed.Deed

	messenger *messenger.Outbox
}

// act runs do as one act of an officer, on record unless do clears its event because another package wrote it.
func (r *Registrar) act(ctx context.Context, by deed.Acting, event audit.Event, do func(*act) error) error {
	a := &act{deed.New(r.Rules, by, r.Now, event, ""), r.Messenger}
	return a.Run(ctx, r.Store, func() error { return do(a) })
}

// application locks an application, and wants one of some acts about it to be the officer's.
func (a *act) application(ctx context.Context, id uuid.UUID, acts ...authority.Act) (store.ClientApplication, error) {
	application, err := a.lock(ctx, id)
	if err != nil {
		return application, err
	}
	return application, a.MustAt(ctx, application.OrganisationCode, acts...)
}

// lock locks an application, and notes which it is.
func (a *act) lock(ctx context.Context, id uuid.UUID) (store.ClientApplication, error) {
	a.Note(map[string]string{"application": id.String()})
	application, err := a.LockClientApplication(ctx, id)
	if err != nil {
		return store.ClientApplication{}, directory.Missing(err, "application", id)
	}
	a.Note(map[string]string{"organisation": application.OrganisationCode, "environment": application.Environment, "name": application.Name})
	if application.ClientID != nil {
		a.Entry.Client = *application.ClientID
	}
	return application, nil
}
