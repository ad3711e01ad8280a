package registration

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/idp/authority"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/messenger"
	"github.com/credence-id/credence/store"
)

// State is where an authenticator is between being made for somebody and being taken away for good. They are the same for
// every kind: NIST SP 800-63B-4, Section 4.
type State string

// The states. Only what is active signs anybody in.
const (
	Issued    State = "issued" // made for somebody, and not hers to use yet
	Active    State = "active"
	Suspended State = "suspended" // for the time being
	Lost      State = "lost"      // who has it is not known
	Returned  State = "returned"  // handed in
	Revoked   State = "revoked"   // for good
)

// Act is something that is done to an authenticator.
type Act string

// The acts.
const (
	Suspend    Act = "suspend"
	Resume     Act = "resume"
	ReportLoss Act = "report_lost"
	Find       Act = "found"
	Return     Act = "return"
	Revoke     Act = "revoke"
)

// Acts lists the acts.
func Acts() []Act { return []Act{Suspend, Resume, ReportLoss, Find, Return, Revoke} }

// transition is what an act does: from which states it leads to which, what it is called in the record, and the right that an
// officer needs for it.
type transition struct {
	from  []State
	to    State
	event audit.Event
	right authority.Act
}

// transitions is the whole of what can be done to authenticators. Whoever may unlock a card may stop an authenticator at once;
// that it works again, or never again, is for whoever issues them.
func transitions() map[Act]transition {
	return map[Act]transition{
		Suspend:    {[]State{Active}, Suspended, audit.AuthenticatorSuspended, authority.UnlockAuthenticator},
		Resume:     {[]State{Suspended}, Active, audit.AuthenticatorResumed, authority.IssueAuthenticator},
		ReportLoss: {[]State{Issued, Active, Suspended}, Lost, audit.AuthenticatorLost, authority.UnlockAuthenticator},
		Find:       {[]State{Lost}, Active, audit.AuthenticatorFound, authority.IssueAuthenticator},
		Return:     {[]State{Issued, Active, Suspended, Lost}, Returned, audit.AuthenticatorReturned, authority.IssueAuthenticator},
		Revoke:     {[]State{Issued, Active, Suspended, Lost, Returned}, Revoked, audit.AuthenticatorRevoked, authority.IssueAuthenticator},
	}
}

// Events are what the acts are called in the record.
func Events() []audit.Event {
	var events []audit.Event
	for _, act := range Acts() {
		events = append(events, transitions()[act].event)
	}
	return events
}

// Right is what an officer has to have the right to who does this to somebody's authenticator.
func (a Act) Right() authority.Act { return transitions()[a].right }

// Revives says whether what this is done to signs its owner in again.
func (a Act) Revives() bool { return transitions()[a].to == Active }

// Acts lists what can be done to an authenticator in this state.
func (s State) Acts() []Act {
	all := transitions()
	return slices.DeleteFunc(Acts(), func(a Act) bool { return !slices.Contains(all[a].from, s) })
}

// Change is something to do to an authenticator.
type Change struct {
	Authenticator uuid.UUID
	Person        string // whose it has to be; "" is anybody's
	Act           Act
	Reason        string // of up to 500 characters; "" is none

	Permit    func(*store.Tx) error // decides in the transaction, when the authenticator waits for it; nil permits
	Messenger *messenger.Outbox     // tells the person; nil tells nobody
}

// StateError says that an authenticator is in a state in which something cannot be done to it.
type StateError struct {
	Act   Act
	State State
}

// Error says it in words.
func (e *StateError) Error() string {
	done := map[Act]string{Suspend: "suspended", Resume: "used again", ReportLoss: "reported lost", Find: "found", Return: "returned", Revoke: "revoked"}[e.Act]
	if transitions()[e.Act].to == e.State {
		return fmt.Sprintf("the authenticator is %s already", e.State)
	}
	return fmt.Sprintf("the authenticator is %s, so it cannot be %s: look at what can be done with it now", e.State, done)
}

// ErrAnotherPassword says that a password cannot work again, because its person has another one by now.
var ErrAnotherPassword = errors.New("the person has another password by now, and nobody has two: revoke this one")

// ChangeAuthenticator does something to an authenticator. What is not active any more signs nobody in from that moment, at any
// replica, and the sessions that were begun with it end; with the last that somebody else revokes go the recovery codes. The entry says who does it, and when. Of several who do so at once
// one does; the others are told the state that they find.
//
// An authenticator that there is not, or that is somebody else's, is directory.ErrUnknown, and one in another state a
// *[StateError].
func ChangeAuthenticator(ctx context.Context, s *store.Store, c Change, by audit.Entry) error {
	if err := directory.CheckText("reason", c.Reason, 0, 500); err != nil {
		return err
	}
	err := s.InTx(ctx, func(tx *store.Tx) error { return c.In(ctx, tx, by) })
	if errors.Is(err, store.ErrConflict) {
		err = ErrAnotherPassword
	}
	refusal := ""
	if found, ok := errors.AsType[*StateError](err); ok {
		refusal = "authenticator_" + string(found.State)
	} else if errors.Is(err, ErrAnotherPassword) {
		refusal = "another_password"
	}
	if refusal != "" {
		by.Event, by.Refusal, by.Detail = transitions()[c.Act].event, refusal, with(by.Detail, map[string]string{"authenticator": c.Authenticator.String()})
		if err := audit.Record(ctx, s, by); err != nil {
			return fmt.Errorf("record refusal: %w", err)
		}
	}
	return err
}

// In makes the change like [ChangeAuthenticator], in a transaction of the caller, who records the refusals.
func (c Change) In(ctx context.Context, tx *store.Tx, by audit.Entry) error {
	held, err := tx.LockAuthenticator(ctx, c.Authenticator) // a sign-in with it that is under way has its session before it ends
	if errors.Is(err, store.ErrNotFound) || err == nil && c.Person != "" && c.Person != held.PersonID {
		return fmt.Errorf("authenticator %s %w", c.Authenticator, directory.ErrUnknown)
	}
	if err != nil {
		return fmt.Errorf("read authenticator %s: %w", c.Authenticator, err)
	}
	if c.Permit != nil {
		if err := c.Permit(tx); err != nil {
			return err
		}
	}
	from, does := State(held.State), transitions()[c.Act]
	if !slices.Contains(does.from, from) {
		return &StateError{c.Act, from}
	}
	fallout, err := tx.ChangeAuthenticator(ctx, c.Authenticator, string(from), string(does.to), by.At)
	if err != nil {
		return fmt.Errorf("%s authenticator %s: %w", c.Act, c.Authenticator, err)
	}
	by.Person = fallout.PersonID
	if err := audit.RecordEnds(ctx, tx, by, "authenticator "+string(does.to), fallout.Sessions...); err != nil {
		return err
	}
	by.Event = does.event
	by.Detail = with(by.Detail, map[string]string{
		"authenticator": c.Authenticator.String(), "kind": held.Kind, "from": string(from), "to": string(does.to),
	})
	if c.Reason != "" {
		by.Detail["reason"] = c.Reason
	}
	if err := audit.Record(ctx, tx, by); err != nil {
		return err
	}
	if err := c.dropCodes(ctx, tx, fallout.PersonID, by); err != nil {
		return err
	}
	return c.Messenger.Post(ctx, tx, messenger.Message{Person: fallout.PersonID, Letter: messenger.AuthenticatorChanged{Authenticator: held.Name, State: string(does.to)}})
}

// dropCodes makes the recovery codes of a person worthless when somebody else has revoked the last that she had: whoever says that all of
// it is not to be trusted says so of what would bring it back. That the version of the person rises has whoever revokes another wait.
func (c Change) dropCodes(ctx context.Context, tx *store.Tx, personID string, by audit.Entry) error {
	if c.Act != Revoke || by.Actor == personID || by.Actor == "" {
		return nil
	}
	kept, err1 := tx.KeptAuthenticators(ctx, personID)
	codes, err2 := tx.RecoveryCodes(ctx, personID)
	if err := errors.Join(err1, err2); err != nil {
		return fmt.Errorf("read what person %s has left: %w", personID, err)
	}
	if len(kept) > 0 || codes.Left == 0 {
		return nil
	}
	by.Detail = with(by.Detail, map[string]string{"why": "authenticators revoked"})
	return DropRecoveryCodes(ctx, tx, c.Messenger, personID, by)
}

// with is what is said of an event, and more of it.
func with(detail, more map[string]string) map[string]string {
	maps.Copy(more, detail)
	return more
}

// mostName is of how many characters the name of an authenticator is, at most.
const mostName = 60

// Rename gives an authenticator another name, which its person and officers read on pages, and she in mails.
type Rename struct {
	Authenticator uuid.UUID
	Person        string // whose it has to be; "" is anybody's
	Name          string
}

// RenameAuthenticator renames an authenticator that its person still has. The entry says who does it, and when. A name that is none
// is a *directory.InvalidError, and an authenticator that there is not, or not any more, directory.ErrUnknown.
func RenameAuthenticator(ctx context.Context, s *store.Store, r Rename, by audit.Entry) error {
	return s.InTx(ctx, func(tx *store.Tx) error { return r.In(ctx, tx, by) })
}

// In renames like [RenameAuthenticator], in a transaction of the caller.
func (r Rename) In(ctx context.Context, tx *store.Tx, by audit.Entry) error {
	if err := directory.CheckText("name", r.Name, 1, mostName); err != nil {
		return err
	}
	held, err := tx.LockAuthenticator(ctx, r.Authenticator)
	if err == nil && r.Person != "" && r.Person != held.PersonID {
		err = store.ErrNotFound
	}
	if err == nil && r.Name != held.Name {
		err = tx.RenameAuthenticator(ctx, r.Authenticator, r.Name)
	}
	if errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("authenticator %s %w", r.Authenticator, directory.ErrUnknown)
	}
	if err != nil {
		return fmt.Errorf("rename authenticator %s: %w", r.Authenticator, err)
	}
	if r.Name == held.Name {
		return nil
	}
	by.Event, by.Person = audit.AuthenticatorRenamed, held.PersonID
	by.Detail = with(by.Detail, map[string]string{"authenticator": r.Authenticator.String(), "from": held.Name, "to": r.Name})
	return audit.Record(ctx, tx, by)
}
