// Package audit names the security events and writes the record of them.
//
// An event is a row of the transaction of the act it records: if the row cannot be written, the act does not happen.
// Refusals are recorded when they name an authenticated client, a person or a real artefact; anonymous garbage is only
// counted. The database role of the service can add to the record and read it, and cannot change it.
package audit

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/credence-id/credence/store"
)

// Event is what happened, or was refused.
type Event string

// The events. Each says who needs it.
const (
	SignedIn               Event = "signed_in"               // investigators: who was there, how strongly, from where
	Enrolled               Event = "enrolled"                // investigators: an authenticator was bound to a person
	RoleChosen             Event = "role_chosen"             // privacy officers: in which role and for whom somebody acts
	CodeIssued             Event = "code_issued"             // investigators: which client a sign-in went to
	TokenIssued            Event = "token_issued"            // investigators: which client holds tokens, of which grant
	UserinfoRead           Event = "userinfo_read"           // privacy officers: only refusals are recorded
	SessionEnded           Event = "session_ended"           // investigators: when somebody stopped being there
	PersonAdded            Event = "person_added"            // registration: joiners
	SelfRegistrationAsked  Event = "self_registration_asked" // investigators: from where somebody had a link sent with which to register herself, and where
	SelfRegistered         Event = "self_registered"         // registration: who put herself on record, at which organisation, and from where
	LanguageChosen         Event = "language_chosen"         // registration: in which language somebody is written to, and was before
	PersonDisabled         Event = "person_disabled"         // registration: access was withdrawn
	PersonEnabled          Event = "person_enabled"          // registration: access was given back
	PersonCorrected        Event = "person_corrected"        // registration: which details were changed, and what they were
	PersonClosed           Event = "person_closed"           // registration: whose profile was closed, why, and what ended with it
	PersonReopened         Event = "person_reopened"         // registration: whose profile was opened again, and why
	PersonLeft             Event = "person_left"             // registration: whose employment at which organisation ends
	MergeProposed          Event = "merge_proposed"          // registration: which profiles are said to be of one person
	MergeDecided           Event = "merge_decided"           // registration: what came of it, and which profile is kept
	EnrolmentLinkMade      Event = "enrolment_link_made"     // investigators: who could have bound an authenticator
	EnrolmentLinkCancelled Event = "enrolment_cancelled"     // investigators: since when nobody could by that link
	AuthenticatorRevoked   Event = "authenticator_revoked"   // registration: authenticators that were replaced, or are not to be used again
	AuthenticatorSuspended Event = "authenticator_suspended" // investigators: what signs nobody in for the time being, and why
	AuthenticatorResumed   Event = "authenticator_resumed"   // investigators: what works again
	AuthenticatorLost      Event = "authenticator_lost"      // investigators: what somebody else may hold, since when it signs nobody in
	AuthenticatorFound     Event = "authenticator_found"     // investigators: what its owner has again
	AuthenticatorReturned  Event = "authenticator_returned"  // registration: what was handed in
	AuthenticatorRenamed   Event = "authenticator_renamed"   // investigators: what something to sign in with is called on pages and in mails, and was before
	RecoveryCodesMade      Event = "recovery_codes_made"     // investigators: who could recover an account from then on, without what it had
	RecoveryCodesDropped   Event = "recovery_codes_dropped"  // investigators: what somebody else may hold, since when it recovers nothing
	Recovered              Event = "recovered"               // investigators: whose account somebody recovers with a code, from where
	EvidenceRecorded       Event = "evidence_recorded"       // registration: by what an identity is proved, who recorded it, and what it came to
	EvidenceProposed       Event = "evidence_proposed"       // registration: what waits for a second officer, and who checked it
	EvidenceDecided        Event = "evidence_decided"        // registration: who confirmed that, or dismissed it
	AccountCodeMade        Event = "account_code_made"       // investigators: when somebody had her account show a code to read aloud, by which sign-in
	AccountCodeGiven       Event = "account_code_given"      // investigators: to which officer it was read, or how many codes were wrong
	MeetingBegun           Event = "meeting_begun"           // investigators: which officer is about to meet whom by video, and that the person was sent a code
	MeetingConfirmed       Event = "meeting_confirmed"       // investigators: that the person read it back, or how many codes were wrong
	EvidenceWithdrawn      Event = "evidence_withdrawn"      // registration: what counts no more, why, and what is left
	EvidenceResealed       Event = "evidence_resealed"       // operators: document numbers rest under another seal key
	SecretsResealed        Event = "secrets_resealed"        // operators: so do passwords and keys of apps
	PhotographTaken        Event = "photograph_taken"        // registration: whose face is on record of whom, and which officer took it
	PhotographsResealed    Event = "photographs_resealed"    // operators: photographs rest under another seal key
	IdentityRecomputed     Event = "identity_recomputed"     // registration: the tables changed, or a level had been asserted
	OrganisationAdded      Event = "organisation_added"      // registration
	OrganisationPolicySet  Event = "organisation_policy_set" // registration: how an organisation has its work done, what was changed of that, and why
	RoleGranted            Event = "role_granted"            // privacy officers: who may act as what
	RoleEnded              Event = "role_ended"              // privacy officers
	RoleChanged            Event = "role_changed"            // privacy officers: what a role gives since its position gives something else, and gave before
	ClientAdded            Event = "client_added"            // operators: which services may ask
	ClientUpdated          Event = "client_updated"          // operators
	ClientDisabled         Event = "client_disabled"         // operators
	KeyRotated             Event = "key_rotated"             // operators
	LimitReached           Event = "limit_reached"           // investigators: failures beyond it are not recorded one by one
	KeyResealed            Event = "key_resealed"            // operators: a signing key rests under another seal key
	ModelVouchedFor        Event = "model_vouched_for"       // operators: a model of authenticators that the operator trusts, and its roots
	ModelDropped           Event = "model_dropped"           // operators: the end of that
	PolicySet              Event = "policy_set"              // registration: what an organisation asks of authenticators, and asked before
	PolicyCleared          Event = "policy_cleared"          // registration: the end of that
	MetadataTaken          Event = "metadata_taken"          // operators: by which FIDO metadata authenticators are judged
	AttestationJudged      Event = "attestation_judged"      // investigators: an attestation proves something else than it did
	CatalogueImported      Event = "catalogue_imported"      // operators: how many codes of job roles, activities and areas of work it added, renamed and retired
	PositionProposed       Event = "position_proposed"       // registration: what a position is to be and was, or that it is to close
	PositionApproved       Event = "position_approved"       // registration: what it is from then on
	PositionClosed         Event = "position_closed"         // registration: its end, which ended what it gave
	RequestAsked           Event = "request_asked"           // registration: who wants whom to have or to lose a position, and why
	RequestBulk            Event = "request_bulk"            // registration: how much of a file of requests was given, asked and refused, and whether it was done or only looked at
	RequestOwned           Event = "request_owned"           // registration: who looks after a request from then on, and who did
	RequestDecided         Event = "request_decided"         // registration: what came of it, or that it was withdrawn
	RequestLapsed          Event = "request_lapsed"          // registration: that nobody decided it in time, or nobody can any more
	PersonIntroduced       Event = "person_introduced"       // registration: who wants somebody who is not on record yet to have a position, and why
	IntroductionEnded      Event = "introduction_ended"      // registration: who took it up and for whom, or refused or withdrew it, and why
	IntroductionLapsed     Event = "introduction_lapsed"     // registration: that nobody took it up in time
	ReviewOpened           Event = "review_opened"           // registration: of which organisation, by when, and what becomes of what nobody decides
	ReviewDecided          Event = "review_decided"          // registration: whose position was certified or removed, or that nobody decided
	ReviewClosed           Event = "review_closed"           // registration: that nothing was left to decide
	BreakGlassSealed       Event = "break_glass_sealed"      // everybody: who knows the codes that could make an officer, at which organisation
	BreakGlassAsked        Event = "break_glass_asked"       // investigators: who wants to be an officer for some hours, and why
	BreakGlassJoined       Event = "break_glass_joined"      // investigators: who came with the second envelope
	BreakGlassOpened       Event = "break_glass_opened"      // everybody: who is an officer for some hours, why, and who let her
	BreakGlassEnded        Event = "break_glass_ended"       // registration: that somebody ended it before its time
	BreakGlassSigned       Event = "break_glass_signed"      // privacy officers: who read what was done, and what she says of it
	Bootstrapped           Event = "bootstrap"               // everybody: who could become the first registration authority manager
	ClientApplied          Event = "client_applied"          // operators: who wants which service to be let people sign in, and why
	ClientDecided          Event = "client_decided"          // operators: what came of it, or that it was withdrawn
	ClientCheckBegun       Event = "client_check_begun"      // operators: who has whose addresses tried, also when that is cut off
	ClientChecked          Event = "client_checked"          // operators: whether what was applied for answers
	ClientSecretRotated    Event = "client_secret_rotated"   // investigators: who was shown a new secret, and how long the old one works
	ClientSecretEnded      Event = "client_secret_ended"     // investigators: an old secret ended before its time
	ClientKeysReplaced     Event = "client_keys_replaced"    // investigators: by which keys a service is known from then on
	DeskOpened             Event = "desk_opened"             // privacy officers: only refusals are recorded
	PersonSearched         Event = "person_searched"         // privacy officers: who looked for people, by what, and how many were shown
	PersonViewed           Event = "person_viewed"           // privacy officers: which officer looked at whose record
	AuditRead              Event = "audit_read"              // privacy officers: who read which lines of the record, and how many
	DataDownloaded         Event = "data_downloaded"         // privacy officers: who took all that is held about herself
	RetentionRun           Event = "retention_run"           // privacy officers: how much was erased because its time was over, by which rule
	RetentionHeld          Event = "retention_held"          // privacy officers: of whom nothing is erased, and why
	RetentionReleased      Event = "retention_released"      // privacy officers: the end of that
	PersonErased           Event = "person_erased"           // privacy officers: of which user id nothing is left that says who it was, and why
	MessageGivenUp         Event = "message_given_up"        // registration: who was not told of what, and why
)

// OfServices are the events that follow each sign-in by the thousand, as people go from service to service. They are read of a person,
// and not of an organisation.
func OfServices() []Event { return []Event{RoleChosen, CodeIssued, TokenIssued, SessionEnded} }

// Entry is one line of the record.
type Entry struct {
	At      time.Time
	Event   Event
	Refusal string // "" when the act was done, else why it was not: a constant in snake_case
	Actor   string // who did it; empty means the person, and without a person the client
	Person  string // whom it concerns
	Client  string
	Session uuid.UUID
	Grant   uuid.UUID
	Detail  map[string]string // never a secret
}

// Record appends an entry, in the transaction it is given. The request's id and address come from the context. What nobody
// did cannot be recorded.
func Record(ctx context.Context, tx interface {
	AddAuditEvent(ctx context.Context, e store.AuditEvent) error
}, e Entry,
) error {
	if e.Actor == "" {
		e.Actor = e.Person
	}
	if e.Actor == "" {
		e.Actor = e.Client
	}
	if e.Actor == "" {
		return fmt.Errorf("record %s: nobody is named who did it", e.Event)
	}
	request := RequestOf(ctx)
	e.Client = cmp.Or(e.Client, request.Client)
	e.Grant = cmp.Or(e.Grant, request.Grant)
	return tx.AddAuditEvent(ctx, store.AuditEvent{
		At: e.At, Event: string(e.Event), Refusal: e.Refusal, Actor: e.Actor, PersonID: e.Person, ClientID: e.Client,
		SessionID: known(e.Session), GrantID: known(e.Grant), RequestID: request.ID, Address: request.Address, Detail: e.Detail,
	})
}

// Refuse appends an entry that something was refused, and has the log event of the request say why.
func Refuse(ctx context.Context, tx interface {
	AddAuditEvent(ctx context.Context, e store.AuditEvent) error
}, e Entry,
) error {
	RequestOf(ctx).Refusal.Reason = e.Refusal
	if err := Record(ctx, tx, e); err != nil {
		return fmt.Errorf("record a refusal: %w", err)
	}
	return nil
}

// RecordEnds appends an entry for each session that an act ended, and why.
func RecordEnds(ctx context.Context, tx interface {
	AddAuditEvent(ctx context.Context, e store.AuditEvent) error
}, e Entry, why string, sessions ...uuid.UUID,
) error {
	e.Event, e.Detail = SessionEnded, map[string]string{"why": why}
	for _, e.Session = range sessions {
		if err := Record(ctx, tx, e); err != nil {
			return err
		}
	}
	return nil
}

func known(id uuid.UUID) *uuid.UUID {
	if id == uuid.Nil {
		return nil
	}
	return &id
}

// Request is what the record says of the request in which something happened.
type Request struct {
	ID      string // on every page and in every log line of the request
	Address string // of the client
	Refusal *Refusal

	// Of the access token of the request, if it has one: each line says by which client, and in which grant, an act was done.
	Client string
	Grant  uuid.UUID
}

// Refusal is why a request was refused, for the one log event of the request: whoever is told its id by a person can find
// out. It is filled in on the way: Reason as in the record, when somebody could not sign in or enrol; the others when a
// client was refused.
type Refusal struct{ Reason, Client, Error, Description, RedirectOrigin string }

type requestKey struct{}

// WithRequest returns a context that carries the request.
func WithRequest(ctx context.Context, r Request) context.Context {
	return context.WithValue(ctx, requestKey{}, r)
}

// RequestOf returns the request that the context carries, or an empty one: at the command line there is none.
func RequestOf(ctx context.Context) Request {
	r, _ := ctx.Value(requestKey{}).(Request)
	if r.Refusal == nil {
		r.Refusal = new(Refusal)
	}
	return r
}
