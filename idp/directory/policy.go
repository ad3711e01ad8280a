package directory

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"time"

	"github.com/credence-id/credence/idp/assurance"
	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/store"
)

// Policy is how an organisation has its work done. What an organisation says of its own it may leave out, as the zero value:
// then that holds which the nearest organisation above it says.
//
// It is not what the authenticators of its people have to be, which is package webauthn's.
type Policy struct {
	DeskLevel        assurance.AuthenticatorLevel // at which its officers have to have signed in, and never below level 2
	SecondChecker    bool                         // evidence of identity waits until another officer confirms it; nobody below it leaves that out
	SelfRegistration bool                         // people register themselves there; of nobody below it
	Help             Help
}

// Help is where people find it. Each is "" where nobody says.
type Help struct {
	Text      string // in a sentence or two
	Email     string
	Telephone string // digits, in groups if they are many, after + for another country
}

// under is what holds where an organisation says this itself and the other holds above it.
func (p Policy) under(above Policy) Policy {
	return Policy{
		DeskLevel:        cmp.Or(p.DeskLevel, above.DeskLevel),
		SecondChecker:    p.SecondChecker || above.SecondChecker,
		SelfRegistration: p.SelfRegistration,
		Help: Help{
			Text: cmp.Or(p.Help.Text, above.Help.Text), Email: cmp.Or(p.Help.Email, above.Help.Email), Telephone: cmp.Or(p.Help.Telephone, above.Help.Telephone),
		},
	}
}

// Setting is one thing that a policy says, as the record has it.
type Setting struct {
	Name  string
	Value string // "" where it says nothing
}

// The names of settings.
const (
	DeskLevel        = "desk_level"
	SecondChecker    = "second_checker"
	SelfRegistration = "self_registration"
	HelpText         = "help_text"
	HelpEmail        = "help_email"
	HelpTelephone    = "help_telephone"
)

// Settings lists all that a policy says, or could.
func (p Policy) Settings() []Setting {
	level := ""
	if p.DeskLevel != 0 {
		level = strconv.Itoa(int(p.DeskLevel))
	}
	asked := func(b bool) string {
		if b {
			return "yes"
		}
		return ""
	}
	return []Setting{
		{DeskLevel, level},
		{SecondChecker, asked(p.SecondChecker)},
		{SelfRegistration, asked(p.SelfRegistration)},
		{HelpText, p.Help.Text},
		{HelpEmail, p.Help.Email},
		{HelpTelephone, p.Help.Telephone},
	}
}

// Forms of what stands in links. The schema holds the same.
var (
	helpEmailForm     = regexp.MustCompile(`^[A-Za-z0-9._+-]+@[A-Za-z0-9.-]+$`)
	helpTelephoneForm = regexp.MustCompile(`^\+?[0-9]( ?[0-9])+$`)
)

// Check says what is wrong with the help, each an [InvalidError].
func (h Help) Check() error {
	err := CheckText(HelpText, h.Text, 0, 500)
	if h.Email != "" && (len(h.Email) > 254 || !helpEmailForm.MatchString(h.Email)) {
		err = errors.Join(err, &InvalidError{HelpEmail, "an email address, such as help@example.org"})
	}
	if h.Telephone != "" && (len(h.Telephone) > 40 || !helpTelephoneForm.MatchString(h.Telephone)) {
		err = errors.Join(err, &InvalidError{HelpTelephone, "a telephone number in digits, such as 0113 496 0000"})
	}
	return err
}

func (p Policy) check() error {
	var err error
	if p.DeskLevel != 0 && p.DeskLevel != assurance.AAL2 && p.DeskLevel != assurance.AAL3 {
		err = &InvalidError{DeskLevel, "2 or 3"}
	}
	return errors.Join(err, p.Help.Check())
}

// policyOf is what an organisation itself says.
func policyOf(o store.OrganisationPolicy) Policy {
	return Policy{
		DeskLevel: assurance.AuthenticatorLevel(o.DeskAuthenticatorLevel), SecondChecker: o.SecondChecker, SelfRegistration: o.SelfRegistration,
		Help: Help{Text: o.HelpText, Email: o.HelpEmail, Telephone: o.HelpTelephone},
	}
}

// Stated is the policy of an organisation as it is on record.
type Stated struct {
	Code, Name string
	Version    int    // of Own: it rises with each change
	ChangedBy  string // who made the last change: an officer, or an operator; "" where that is not known
	ChangedAt  time.Time
	Own        Policy // what the organisation says itself
	Above      Policy // what holds where it says nothing

	path []store.OrganisationPolicy
}

// Holds is what holds at the organisation.
func (s Stated) Holds() Policy { return s.Own.under(s.Above) }

// Path is the organisation and those above it, nearest first.
func (s Stated) Path() []string {
	codes := make([]string, len(s.path))
	for i, o := range s.path {
		codes[i] = o.Code
	}
	return codes
}

// SaidBy is the code and name of the organisation whose word holds for a setting, by its place in [Policy.Settings]. Where no
// organisation says anything both are "".
func (s Stated) SaidBy(setting int) (code, name string) {
	for i, o := range s.path {
		said := policyOf(o)
		if i > 0 {
			said.SelfRegistration = false
		}
		if said.Settings()[setting].Value != "" {
			return o.Code, o.Name
		}
	}
	return "", ""
}

// Policy reads the policy of an organisation. One that is unknown is ErrUnknown.
func (p *Policies) Policy(ctx context.Context, records interface {
	OrganisationPolicyPath(ctx context.Context, code string) ([]store.OrganisationPolicy, error)
}, code string,
) (Stated, error) {
	path, err := records.OrganisationPolicyPath(ctx, code)
	if err != nil {
		return Stated{}, fmt.Errorf("read policy of organisation %.40q: %w", code, err)
	}
	if len(path) == 0 {
		return Stated{}, fmt.Errorf("organisation %.40q %w", code, ErrUnknown)
	}
	var above Policy
	for _, o := range path[1:] {
		above = above.under(policyOf(o))
	}
	own := path[0]
	stated := Stated{Code: own.Code, Name: own.Name, Version: own.PolicyVersion, ChangedBy: own.PolicyBy, Own: policyOf(own), Above: above.under(p.elsewhere), path: path}
	if own.PolicyAt != nil {
		stated.ChangedAt = *own.PolicyAt
	}
	return stated, nil
}

// ErrChangedSince says that somebody else has changed what a change was to be made to.
var ErrChangedSince = errors.New("was changed by somebody else since")

// PolicyChange is what an organisation is to say of its own from then on: all of it.
type PolicyChange struct {
	Organisation string
	Policy       Policy
	Reason       string
	Seen         int // the version of what was there when the change was thought of
}

// Relaxes says whether a change lets anybody do what the policy did not before, or with less. Level 2 is said by leave of
// whoever is above, even where it holds already: it then stays when those above ask for more.
func (s Stated) Relaxes(to Policy) bool {
	before, after := s.Holds(), to.under(s.Above)
	return after.DeskLevel < before.DeskLevel || to.DeskLevel == assurance.AAL2 && s.Own.DeskLevel != assurance.AAL2 ||
		before.SecondChecker && !after.SecondChecker || after.SelfRegistration && !before.SelfRegistration
}

// SetPolicy changes what an organisation says of its own, in one transaction with its line of the record, if whatever permits it
// does: that is told what was there. Somebody else having changed it since it was seen is ErrChangedSince. The entry says who
// changes it, and when.
func (p *Policies) SetPolicy(ctx context.Context, s *store.Store, c PolicyChange, by audit.Entry, permit func(*store.Tx, Stated) error) error {
	if err := errors.Join(c.Policy.check(), CheckText("reason", c.Reason, 1, 500)); err != nil {
		return err
	}
	return s.InTx(ctx, func(tx *store.Tx) error {
		before, err := p.Policy(ctx, tx, c.Organisation)
		if err != nil {
			return err
		}
		if err := permit(tx, before); err != nil {
			return err
		}
		detail, changed := before.differences(c.Policy)
		switch {
		case before.Version != c.Seen:
			return fmt.Errorf("the policy of organisation %s %w", c.Organisation, ErrChangedSince)
		case !changed:
			return &InvalidError{"reason", "something to change"}
		}
		err = tx.SetOrganisationPolicy(ctx, store.OrganisationPolicy{
			Code: c.Organisation, PolicyVersion: c.Seen, DeskAuthenticatorLevel: int(c.Policy.DeskLevel), SecondChecker: c.Policy.SecondChecker,
			SelfRegistration: c.Policy.SelfRegistration, HelpText: c.Policy.Help.Text, HelpEmail: c.Policy.Help.Email, HelpTelephone: c.Policy.Help.Telephone,
			PolicyBy: by.Actor, PolicyAt: &by.At,
		})
		if errors.Is(err, store.ErrNotFound) {
			return fmt.Errorf("the policy of organisation %s %w", c.Organisation, ErrChangedSince)
		}
		if err != nil {
			return fmt.Errorf("change policy of organisation %s: %w", c.Organisation, err)
		}
		if !c.Policy.SelfRegistration {
			if err := tx.CloseSelfRegistrations(ctx, c.Organisation); err != nil {
				return fmt.Errorf("end self-registrations at organisation %s: %w", c.Organisation, err)
			}
		}
		detail["organisation"], detail["reason"] = c.Organisation, c.Reason
		by.Event, by.Detail = audit.OrganisationPolicySet, with(by.Detail, detail)
		return audit.Record(ctx, tx, by)
	})
}

// differences are the settings that another policy changes, as the record has them.
func (s Stated) differences(to Policy) (detail map[string]string, changed bool) {
	detail = make(map[string]string)
	after := to.Settings()
	for i, before := range s.Own.Settings() {
		if before.Value != after[i].Value {
			detail[before.Name], detail[before.Name+"_before"] = after[i].Value, before.Value
		}
	}
	return detail, len(detail) > 0
}
