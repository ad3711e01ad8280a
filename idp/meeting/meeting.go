// Package meeting is how an officer of the registration authority meets by video a person whose identity she proves.
//
// A video says nothing of whom it shows, nor that it is live. So the person is told a code that the officer is not, reads it aloud,
// and the officer enters what she hears: who is seen has the person's mail, or her account, and the picture is of that moment.
//
// It guarantees that
//   - the code goes to the person alone: by mail, to an address that somebody else than this officer put on record, and to the
//     pages of her own account, unless this officer gave her something to sign in with, and could be there in her place;
//   - it rests nowhere but in that message, under its seal: it is the keyed hash of the id of the meeting, in digits;
//   - of a meeting five wrong codes are taken at most and one right one, at any number of replicas;
//   - an officer has one meeting at a time with a person, and nobody is sent more than ten codes in a day;
//   - that a meeting was begun or confirmed is on record with the act, and so is each wrong code and each refusal.
//
// What may be checked in such a meeting, and for how much it counts, is package evidence's and package assurance's.
package meeting

import (
	"context"
	"crypto/subtle"
	"encoding/binary"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/idp/deed"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/messenger"
	"github.com/credence-id/credence/idp/position"
	"github.com/credence-id/credence/idp/seal"
	"github.com/credence-id/credence/store"
)

const (
	// codeLife is for how long a code works.
	codeLife = 30 * time.Minute
	// evidenceLife is for how long evidence is recorded in a meeting once it is confirmed.
	evidenceLife = time.Hour
	// mostWrong is how many wrong codes are taken. The schema has it too.
	mostWrong = 5
	// mostBegun is how many meetings are begun with a person in a day.
	mostBegun = 10
)

// The reasons for which an officer is refused, beside those of any act.
const (
	NoMail     deed.Reason = "no_mail"           // nobody is told anything by mail here
	NoAddress  deed.Reason = "no_address"        // of the person
	OwnAddress deed.Reason = "own_address"       // the officer put it on record herself
	TooMany    deed.Reason = "too_many_meetings" // in a day
	Over       deed.Reason = "meeting_over"      // by its time, by wrong codes, or because another was begun
	WrongCode  deed.Reason = "wrong_code"
)

// refuse is a refusal in words.
func refuse(reason deed.Reason) *deed.Refusal {
	return &deed.Refusal{Reason: reason, Words: map[deed.Reason]string{
		position.PersonDisabled: "this person is disabled, or the profile is closed",
		NoMail:                  "no mail is sent from here, so nobody can be sent a code: meet the person face to face",
		NoAddress:               "no email address is on record for this person, so no code can be sent: an officer who may correct the details puts it there, and another one meets the person",
		OwnAddress:              "you put the email address of this person on record yourself, or introduced the person, so a code that is sent there proves nothing to anybody else: another officer has to meet the person, or you do face to face",
		TooMany:                 "this person was sent ten codes in a day: try again tomorrow, or meet face to face",
		Over:                    "in this meeting nothing can be recorded, or not any more: no code was read back, its time has passed, too many codes were wrong, or you began another",
		WrongCode:               "this is not the code that the person was sent",
	}[reason]}
}

// Registrar keeps the meetings.
type Registrar struct {
	Store     *store.Store
	Key       seal.Key
	Messenger *messenger.Outbox // nil: there is no mail, and so no meeting
	Now       func() time.Time
}

// Officer is who meets people, in the role that she acts in.
type Officer struct{ PersonID, Role, Organisation, OrganisationName string }

// Begin begins a meeting of an officer with a person, in place of the one that they had, and sends the person its code.
func (r *Registrar) Begin(ctx context.Context, by Officer, personID string) (m store.Meeting, err error) {
	now := r.Now()
	m = store.Meeting{
		PersonID: personID, Officer: by.PersonID, OfficerRole: by.Role, OrganisationCode: by.Organisation, BegunAt: now, EndsAt: now.Add(codeLife),
	}
	if m.ID, err = uuid.NewV7(); err != nil {
		return m, fmt.Errorf("draw an id: %w", err)
	}
	line := r.line(audit.MeetingBegun, m)
	err = r.Store.InTx(ctx, func(tx *store.Tx) error {
		if _, err := tx.LockIdentities(ctx, personID); err != nil {
			return fmt.Errorf("lock person %s: %w", personID, err)
		}
		if err := r.refusal(ctx, tx, by, personID); err != nil {
			return err
		}
		begun, err := tx.CountMeetings(ctx, personID, now.AddDate(0, 0, -1))
		if err != nil {
			return fmt.Errorf("count meetings with person %s: %w", personID, err)
		}
		if begun >= mostBegun {
			return refuse(TooMany)
		}
		if err := tx.BeginMeeting(ctx, m); err != nil {
			return fmt.Errorf("begin meeting: %w", err)
		}
		letter := messenger.MeetingBegun{Code: spoken(r.codes(m.ID)[0]), Organisation: by.OrganisationName, EndsAt: m.EndsAt}
		if err := r.Messenger.Post(ctx, tx, messenger.Message{Person: personID, Letter: letter}); err != nil {
			return err
		}
		return audit.Record(ctx, tx, line)
	})
	return m, r.recorded(ctx, line, err)
}

// Refusal is why an officer cannot meet a person by video: a *[deed.Refusal], or nil where she can.
func (r *Registrar) Refusal(ctx context.Context, by Officer, personID string) error {
	return r.refusal(ctx, r.Store, by, personID)
}

func (r *Registrar) refusal(ctx context.Context, records interface {
	Person(ctx context.Context, id string, now time.Time) (store.Standing, error)
	Address(ctx context.Context, personID, officer string) (store.Address, error)
}, by Officer, personID string,
) error {
	found, err := records.Person(ctx, personID, r.Now())
	if err != nil {
		return fmt.Errorf("read person %s: %w", personID, err)
	}
	address, err := records.Address(ctx, personID, by.PersonID)
	if err != nil {
		return fmt.Errorf("read address of person %s: %w", personID, err)
	}
	switch {
	case found.Fallen() != "":
		return refuse(position.PersonDisabled)
	case personID == by.PersonID:
		return refuse(deed.OwnPerson)
	case r.Messenger == nil:
		return refuse(NoMail)
	case address.Email == "":
		return refuse(NoAddress)
	case address.By == by.PersonID && !address.Introduced, address.Introducer:
		return refuse(OwnAddress)
	default:
		return nil
	}
}

// With reads the last meeting of an officer with a person, that is not over; nil where there is none.
func (r *Registrar) With(ctx context.Context, by Officer, personID string) (*store.Meeting, error) {
	m, err := r.Store.MeetingWith(ctx, by.PersonID, personID)
	if errors.Is(err, store.ErrNotFound) || err == nil && !r.Lasts(m) {
		return nil, nil //nolint:nilnil // that there is none is a valid answer
	}
	if err != nil {
		return nil, fmt.Errorf("read meeting with person %s: %w", personID, err)
	}
	return &m, nil
}

// Find reads a meeting of an officer with a person. Another officer's, or one with somebody else, is [directory.ErrUnknown].
func (r *Registrar) Find(ctx context.Context, by Officer, personID string, id uuid.UUID) (store.Meeting, error) {
	m, err := r.Store.Meeting(ctx, id)
	if errors.Is(err, store.ErrNotFound) || err == nil && (m.Officer != by.PersonID || m.PersonID != personID) {
		return store.Meeting{}, fmt.Errorf("meeting %s with person %s %w", id, personID, directory.ErrUnknown)
	}
	if err != nil {
		return store.Meeting{}, fmt.Errorf("read meeting %s: %w", id, err)
	}
	return m, nil
}

// Lasts says whether a meeting is not over: its code can be given, or it was and evidence can be recorded.
func (r *Registrar) Lasts(m store.Meeting) bool {
	return m.ReplacedAt == nil && m.WrongCodes < mostWrong && m.EndsAt.After(r.Now())
}

// MayRecord refuses evidence in a meeting that was not confirmed, or that is over.
func (r *Registrar) MayRecord(m store.Meeting) error {
	if m.ConfirmedAt == nil || !r.Lasts(m) {
		return refuse(Over)
	}
	return nil
}

// Left is how many codes can still be given of a meeting.
func Left(m store.Meeting) int { return mostWrong - m.WrongCodes }

// Confirm takes the code that an officer heard. A wrong one is the refusal [WrongCode], and is counted; the right one once more
// changes nothing.
func (r *Registrar) Confirm(ctx context.Context, by Officer, personID string, id uuid.UUID, code string) error {
	m, err := r.Find(ctx, by, personID, id)
	if err != nil {
		return err
	}
	right, line := r.right(id, code), r.line(audit.MeetingConfirmed, m)
	var refusal error // of which the count stays
	err = r.Store.InTx(ctx, func(tx *store.Tx) error {
		found, err := tx.Person(ctx, personID, r.Now())
		if err != nil {
			return fmt.Errorf("read person %s: %w", personID, err)
		}
		if found.Fallen() != "" {
			return refuse(position.PersonDisabled)
		}
		m, err := tx.GiveMeetingCode(ctx, id, right, mostWrong, r.Now().Add(evidenceLife), r.Now())
		switch {
		case errors.Is(err, store.ErrNotFound):
			return r.again(ctx, tx, id, right)
		case err != nil:
			return fmt.Errorf("try code of meeting %s: %w", id, err)
		case right:
			return audit.Record(ctx, tx, line)
		}
		refusal, line.Refusal, line.Detail["wrong_codes"] = refuse(WrongCode), string(WrongCode), strconv.Itoa(m.WrongCodes)
		return audit.Record(ctx, tx, line)
	})
	if err != nil {
		return r.recorded(ctx, line, err)
	}
	return refusal
}

// again is what the code of a meeting comes to that takes none any more.
func (r *Registrar) again(ctx context.Context, tx *store.Tx, id uuid.UUID, right bool) error {
	m, err := tx.Meeting(ctx, id)
	if err != nil {
		return fmt.Errorf("read meeting %s: %w", id, err)
	}
	if right && m.ConfirmedAt != nil && r.Lasts(m) {
		return nil // the form was sent twice
	}
	return refuse(Over)
}

// line begins a line of the record.
func (r *Registrar) line(event audit.Event, m store.Meeting) audit.Entry {
	return audit.Entry{At: r.Now(), Event: event, Actor: m.Officer, Person: m.PersonID, Detail: map[string]string{
		"meeting": m.ID.String(), "officer": m.Officer, "officer_role": m.OfficerRole,
	}}
}

// recorded records a refusal that undid what was begun, and returns it.
func (r *Registrar) recorded(ctx context.Context, line audit.Entry, err error) error {
	refusal, refused := errors.AsType[*deed.Refusal](err)
	if !refused {
		return err
	}
	line.Refusal = string(refusal.Reason)
	audit.RequestOf(ctx).Refusal.Reason = line.Refusal
	if err := audit.Record(ctx, r.Store, line); err != nil {
		return fmt.Errorf("record refusal: %w", err)
	}
	return refusal
}

// Awaited is a meeting whose code its person is to read back.
type Awaited struct {
	store.AwaitedMeeting

	Code string
}

// Awaited lists the meetings whose codes a person is to read back, newest first, for nobody but her.
func (r *Registrar) Awaited(ctx context.Context, personID string) (list []Awaited, err error) {
	meetings, err := r.Store.AwaitedMeetings(ctx, personID, mostWrong, mostBegun, r.Now())
	if err != nil {
		return nil, fmt.Errorf("list meetings with person %s: %w", personID, err)
	}
	for _, m := range meetings {
		list = append(list, Awaited{m, spoken(r.codes(m.ID)[0])})
	}
	return list, nil
}

// codeSize is of how many digits a code is. Digits are heard right over a bad line, in any accent; and of a hundred million codes
// five are tried.
const codeSize = 8

var codeForm = regexp.MustCompile(`^[0-9]{8}$`)

// ParseCode reads a code as people write down what they hear. It is not ok when it can be no code.
func ParseCode(text string) (code string, ok bool) {
	code = strings.NewReplacer(" ", "", "-", "", ".", "").Replace(text)
	return code, codeForm.MatchString(code)
}

// codes are those of a meeting under each line of the seal key: the one that is sent first.
func (r *Registrar) codes(id uuid.UUID) (codes []string) {
	for _, mac := range r.Key.MACs("meeting code", id[:]) {
		codes = append(codes, fmt.Sprintf("%0*d", codeSize, binary.BigEndian.Uint64(mac)%100_000_000))
	}
	return codes
}

// spoken writes a code as it is read aloud.
func spoken(code string) string { return code[:codeSize/2] + " " + code[codeSize/2:] }

// right says whether a code is that of a meeting.
func (r *Registrar) right(id uuid.UUID, code string) bool {
	right := 0
	for _, known := range r.codes(id) {
		right |= subtle.ConstantTimeCompare([]byte(known), []byte(code))
	}
	return right == 1
}
