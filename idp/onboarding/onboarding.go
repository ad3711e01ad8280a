// Package onboarding brings relying parties to the provider: who applied for a client and why, who approved it, whether its
// addresses answer, and its secrets.
//
// A developer, or a manager for her, applies on behalf of her organisation; another officer of that organisation or of one
// above it approves or refuses. What an application says never changes, so whoever approved it approved what it says. What
// was approved is a client of package oauth, by whose rules it is checked. It comes in stages: an application for live follows
// one for integration, and is approved only while the last readiness check of that one passed.
//
// Nobody sees a secret but whoever has it made, once, who is of the developer's side: approving shows none. A new secret takes
// the place of the one before, which works beside it for as long as was said, at most for a month, and can be ended sooner.
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
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/idp/authority"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/position"
	"github.com/credence-id/credence/store"
)

// Registrar keeps applications for clients.
type Registrar struct {
	Store  *store.Store
	Rules  *authority.Rules
	Prober *Prober
	Now    func() time.Time
}

// The reasons why an officer is refused that are not package position's.
const (
	NotOpen       position.Reason = "application_not_open"
	NotApplicant  position.Reason = "not_applicant"
	NotReady      position.Reason = "not_ready"      // what it follows did not pass its last check
	NotFollowable position.Reason = "not_followable" // what it follows has no client for integration
	NotApproved   position.Reason = "no_client"      // there is no client yet, or never
	NoSecret      position.Reason = "no_secret"
	SecretSince   position.Reason = "secret_since" // somebody has made another since
	TooSoon       position.Reason = "checked_just_now"
	Busy          position.Reason = "checks_busy"
)

// Refuse says in plain words why not, and what to do about it.
func Refuse(reason position.Reason) *position.Refusal {
	return &position.Refusal{Reason: reason, Because: map[position.Reason]string{
		NotOpen:       "this application was decided or withdrawn already",
		NotApplicant:  "somebody else applied for this: she withdraws it, or an officer refuses it",
		NotReady:      "the client for integration has not passed its last readiness check: have it checked there first",
		NotFollowable: "a client goes live after one for integration that was approved: apply for that one first",
		NotApproved:   "this application has no client: it is not approved",
		NoSecret:      "this client has no such secret: it is public or disabled, or the old secret has ended already",
		SecretSince:   "a secret has been made since you opened this page: look at what works now",
		TooSoon:       "this was checked just now: wait a minute and check again",
		Busy:          "as many checks run as may at once: wait a few seconds and check again",
	}[reason]}
}

// act is one act of an officer and its line of the record.
type act struct {
	*store.Tx

	rules *authority.Rules
	by    position.Acting
	now   time.Time
	entry audit.Entry
}

// act runs do in a transaction, with its line of the record unless do clears its event because another package wrote it. A
// refusal undoes what was done, and is recorded by itself.
func (r *Registrar) act(ctx context.Context, by position.Acting, event audit.Event, do func(*act) error) error {
	var a *act
	err := r.Store.InTx(ctx, func(tx *store.Tx) error {
		a = &act{Tx: tx, rules: r.Rules, by: by, now: r.Now(), entry: audit.Entry{
			Event: event, Actor: by.Person, Detail: map[string]string{"officer": by.Person, "officer_role": by.Role},
		}}
		a.entry.At = a.now
		if err := do(a); err != nil || a.entry.Event == "" {
			return err
		}
		return audit.Record(ctx, tx, a.entry)
	})
	if refusal, refused := errors.AsType[*position.Refusal](err); refused {
		a.entry.Event, a.entry.Refusal = event, string(refusal.Reason)
		if err := audit.Record(ctx, r.Store, a.entry); err != nil {
			return fmt.Errorf("record a refusal: %w", err)
		}
	}
	return err
}

// note adds to the line what it has of values, none of which is longer than a person would read.
func (a *act) note(values map[string]string) {
	const most = 200
	for name, value := range values {
		if len(value) > most {
			values[name] = strings.ToValidUTF8(value[:most], "") + "…"
		}
	}
	maps.Copy(a.entry.Detail, values)
}

// may wants one of some acts to be the officer's at an organisation, in the role that she has at this moment.
func (a *act) may(ctx context.Context, organisation string, acts ...authority.Act) error {
	o, err := position.OfficerIn(ctx, a.Tx, a.rules, a.by, a.now)
	if err != nil {
		return err
	}
	path, err := a.OrganisationPath(ctx, organisation)
	if err != nil {
		return unknown(err, "organisation", organisation)
	}
	var why authority.Refusal
	for _, what := range acts {
		decision := a.rules.May(o, what, authority.Subject{Path: path})
		if decision.Grant == authority.Full {
			return nil
		}
		why = decision.Refusal
	}
	return &position.Refusal{Reason: position.Reason(why)}
}

// application locks an application, and wants one of some acts about it to be the officer's.
func (a *act) application(ctx context.Context, id uuid.UUID, acts ...authority.Act) (store.ClientApplication, error) {
	a.note(map[string]string{"application": id.String()})
	application, err := a.LockClientApplication(ctx, id)
	if err != nil {
		return store.ClientApplication{}, unknown(err, "application", id)
	}
	a.note(map[string]string{"organisation": application.OrganisationCode, "environment": application.Environment, "name": application.Name})
	if application.ClientID != nil {
		a.entry.Client = *application.ClientID
	}
	return application, a.may(ctx, application.OrganisationCode, acts...)
}

// unknown names what is not there.
func unknown(err error, what string, id any) error {
	if errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("%s %v %w", what, id, directory.ErrUnknown)
	}
	return fmt.Errorf("read %s %v: %w", what, id, err)
}
