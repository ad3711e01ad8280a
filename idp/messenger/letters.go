package messenger

import (
	"time"

	"github.com/google/uuid"
)

// PositionGiven tells a person what she may act as.
type PositionGiven struct {
	Position, Organisation string
	StartsAt               time.Time
	EndsAt                 *time.Time
}

// PositionEnds reminds a person of the end of what she may act as.
type PositionEnds struct {
	Position, Organisation string
	EndsAt                 time.Time
}

// RequestDecided tells an officer that a request of hers was approved or refused.
type RequestDecided struct {
	Request uuid.UUID
	State   string
}

// PositionEnded tells a person that an officer has ended what she may act as, or that it was not certified in a review.
type PositionEnded struct {
	Position, Organisation string
	EndsAt                 time.Time
}

// OrganisationLeft tells a person that all that she may act as at an organisation ends.
type OrganisationLeft struct {
	Organisation string
	EndsAt       time.Time
}

// RequestLapsed tells an officer that nobody decided a request of hers.
type RequestLapsed struct{ Request uuid.UUID }

// RequestCancelled tells an officer that a request of hers is not decided any more, because of what was done to the position or to the
// person whom it is for.
type RequestCancelled struct{ Request uuid.UUID }

// IntroductionEnded tells an officer that nobody is given what she asked for somebody who is not on record: another has refused it, or
// nobody took it up in time.
type IntroductionEnded struct {
	Introduction uuid.UUID
	State        string
}

// ApplicationDecided tells who applied for a client that it was approved or refused.
type ApplicationDecided struct {
	Application uuid.UUID
	State       string
}

// MergeDecided tells an officer that a merge which she proposed was approved or refused.
type MergeDecided struct {
	Merge uuid.UUID
	State string
}

// EvidenceDismissed tells an officer that what she checked does not go on record.
type EvidenceDismissed struct{ CheckedAt time.Time }

// ReviewDue tells an officer that something is left to decide in a review that she opened.
type ReviewDue struct {
	Review uuid.UUID
	DueAt  time.Time
}

// BreakGlassOpened tells a registration authority manager that somebody is an officer for some hours.
type BreakGlassOpened struct {
	ID           uuid.UUID
	Organisation string
	EndsAt       time.Time
}

// AuthenticatorAdded tells a person with what she, or somebody else, can sign in from now on.
type AuthenticatorAdded struct{ Authenticator string }

// AuthenticatorChanged tells a person what became of an authenticator of hers.
type AuthenticatorChanged struct {
	Authenticator string
	State         string // that it is in, as package registration calls it
}

// ProfileClosed tells a person that she cannot sign in any more.
type ProfileClosed struct{}

// ProfileReopened tells a person that her profile is open again, with nothing in it.
type ProfileReopened struct{}

// ProfileMerged tells a person that she was on record twice, and what became of that.
type ProfileMerged struct{}

// DetailsCorrected tells a person that an officer has corrected who she is said to be.
type DetailsCorrected struct{}

// IdentityChanged tells a person to which level her identity is proved now.
type IdentityChanged struct{ Level string } // in words

// AddressChanged tells a person that her address on record is another, at the one that she had before.
type AddressChanged struct{}

// RecoveryCodesMade tells a person that she has new recovery codes.
type RecoveryCodesMade struct{}

// RecoveryCodesDropped tells a person that her recovery codes are worth nothing any more.
type RecoveryCodesDropped struct{}

// Recovery brings a person the link with which she binds what she signs in with from now on, after she gave a recovery code.
type Recovery struct {
	URL       string
	ExpiresAt time.Time
}

// MeetingBegun brings a person the code that she reads back to the officer who meets her by video. It is worth nothing to anybody
// whom the officer does not see.
type MeetingBegun struct {
	Code, Organisation string
	EndsAt             time.Time
}

// RecoveryBegun tells a person, at an address that she had before, that somebody gave a recovery code of hers.
type RecoveryBegun struct{}

// SelfRegistration brings somebody who is nobody yet the link with which she registers herself at an organisation. It says the same to
// who is on record already.
type SelfRegistration struct {
	Organisation string
	URL          string
	ExpiresAt    time.Time
}

func (PositionGiven) kind() string        { return "position_given" }
func (PositionEnds) kind() string         { return "position_ends" }
func (PositionEnded) kind() string        { return "position_ended" }
func (OrganisationLeft) kind() string     { return "organisation_left" }
func (RequestDecided) kind() string       { return "request_decided" }
func (RequestLapsed) kind() string        { return "request_lapsed" }
func (RequestCancelled) kind() string     { return "request_cancelled" }
func (IntroductionEnded) kind() string    { return "introduction_ended" }
func (ApplicationDecided) kind() string   { return "application_decided" }
func (MergeDecided) kind() string         { return "merge_decided" }
func (EvidenceDismissed) kind() string    { return "evidence_dismissed" }
func (ReviewDue) kind() string            { return "review_due" }
func (BreakGlassOpened) kind() string     { return "break_glass_opened" }
func (AuthenticatorAdded) kind() string   { return "authenticator_added" }
func (AuthenticatorChanged) kind() string { return "authenticator_changed" }
func (ProfileClosed) kind() string        { return "profile_closed" }
func (ProfileReopened) kind() string      { return "profile_reopened" }
func (ProfileMerged) kind() string        { return "profile_merged" }
func (DetailsCorrected) kind() string     { return "details_corrected" }
func (IdentityChanged) kind() string      { return "identity_changed" }
func (AddressChanged) kind() string       { return "address_changed" }
func (RecoveryCodesMade) kind() string    { return "recovery_codes_made" }
func (RecoveryCodesDropped) kind() string { return "recovery_codes_dropped" }
func (Recovery) kind() string             { return "recovery" }
func (RecoveryBegun) kind() string        { return "recovery_begun" }
func (MeetingBegun) kind() string         { return "meeting_begun" }
func (SelfRegistration) kind() string     { return "self_registration" }
