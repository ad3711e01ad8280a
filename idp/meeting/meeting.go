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
//   - the right to prove the person is the officer's until what she does is done;
//   - an officer has one meeting at a time with a person, and nobody is sent more than ten codes in a day;
//   - that a meeting was begun or confirmed is on record with the act, and so is each wrong code and each refusal.
//
// What may be checked in such a meeting, and for how much it counts, is package evidence's and package assurance's.
package meeting

import (
	"cmp"
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
	"github.com/credence-id/credence/idp/authority"
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
	Rules     *authority.Rules
	Key       seal.Key
	Messenger *messenger.Outbox // nil: there is no mail, and so no meeting
	Now       func() time.Time
}

// act runs do as one act of an officer with a person, who the officer may prove that is until it is done.
func (r *Registrar) act(ctx context.Context, by deed.Acting, event audit.Event, personID string, do func(*deed.Deed, store.Standing) error) error {
	d := deed.New(r.Rules, by, r.Now, event, personID)
	return d.Run(ctx, r.Store, func() error {
		found, err := d.MustTo(ctx, personID, false, authority.RecordEvidence)
		if err != nil {
			return err
		}
		return do(d, found)
	})
}

// Begin begins a meeting of an officer with a person, in place of the one that they had, and sends the person its code.
func (r *Registrar) Begin(ctx context.Context, by deed.Acting, personID string) (m store.Meeting, err error) {
	id, err := uuid.NewV7()
	if err != nil {
		return m, fmt.Errorf("draw an id: %w", err)
	}
	err = r.act(ctx, by, audit.MeetingBegun, personID, func(d *deed.Deed, found store.Standing) error {
		d.Note(map[string]string{"meeting": id.String()})
		if err := r.refusal(ctx, d.Tx, by.Person, found); err != nil {
			return err
		}
		begun, err := d.CountMeetings(ctx, personID, d.Now.AddDate(0, 0, -1))
		if err != nil {
			return fmt.Errorf("count meetings with person %s: %w", personID, err)
		}
		if begun >= mostBegun {
			return refuse(TooMany)
		}
		o, err := d.Officer(ctx)
		if err != nil {
			return err
		}
		name, err := d.OrganisationName(ctx, o.Organisation)
		if err != nil {
			return fmt.Errorf("read name of organisation %s: %w", o.Organisation, err)
		}
		m = store.Meeting{
			ID: id, PersonID: personID, Officer: by.Person, OfficerRole: by.Role, OrganisationCode: o.Organisation, BegunAt: d.Now, EndsAt: d.Now.Add(codeLife),
		}
		if err := d.BeginMeeting(ctx, m); err != nil {
			return fmt.Errorf("begin meeting: %w", err)
		}
		letter := messenger.MeetingBegun{Code: spoken(r.codes(id)[0]), Organisation: name, EndsAt: m.EndsAt}
		return r.Messenger.Post(ctx, d.Tx, messenger.Message{Person: personID, Letter: letter})
	})
	return m, err
}

// Refusal is why an officer who may prove a person cannot meet her by video: a *[deed.Refusal], or nil where she can.
func (r *Registrar) Refusal(ctx context.Context, officer, personID string) error {
	found, err := r.Store.Person(ctx, personID, r.Now())
	if err != nil {
		return directory.Missing(err, "person", personID)
	}
	return r.refusal(ctx, r.Store, officer, found)
}

func (r *Registrar) refusal(ctx context.Context, records interface {
	Address(ctx context.Context, personID, officer string) (store.Address, error)
}, officer string, found store.Standing,
) error {
	address, err := records.Address(ctx, found.Person.ID, officer)
	if err != nil {
		return fmt.Errorf("read address of person %s: %w", found.Person.ID, err)
	}
	switch {
	case found.Fallen() != "":
		return refuse(position.PersonDisabled)
	case r.Messenger == nil:
		return refuse(NoMail)
	case address.Email == "":
		return refuse(NoAddress)
	case address.By == officer && !address.Introduced, address.Introducer:
		return refuse(OwnAddress)
	default:
		return nil
	}
}

// With reads the last meeting of an officer with a person, that is not over; nil where there is none.
func (r *Registrar) With(ctx context.Context, officer, personID string) (*store.Meeting, error) {
	m, err := r.Store.MeetingWith(ctx, officer, personID)
	if errors.Is(err, store.ErrNotFound) || err == nil && !r.Lasts(m) {
		return nil, nil //nolint:nilnil // that there is none is a valid answer
	}
	if err != nil {
		return nil, fmt.Errorf("read meeting with person %s: %w", personID, err)
	}
	return &m, nil
}

// Find reads a meeting of an officer with a person. Another officer's, or one with somebody else, is [directory.ErrUnknown].
func (r *Registrar) Find(ctx context.Context, officer, personID string, id uuid.UUID) (store.Meeting, error) {
	m, err := r.Store.Meeting(ctx, id)
	if err == nil && (m.Officer != officer || m.PersonID != personID) {
		err = store.ErrNotFound
	}
	if err != nil {
		return store.Meeting{}, directory.Missing(err, "meeting", id)
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
func (r *Registrar) Confirm(ctx context.Context, by deed.Acting, personID string, id uuid.UUID, code string) error {
	if _, err := r.Find(ctx, by.Person, personID, id); err != nil {
		return err
	}
	right := r.right(id, code)
	var wrong error // of which the count stays
	err := r.act(ctx, by, audit.MeetingConfirmed, personID, func(d *deed.Deed, found store.Standing) error {
		d.Note(map[string]string{"meeting": id.String()})
		if found.Fallen() != "" {
			return refuse(position.PersonDisabled)
		}
		m, err := d.GiveMeetingCode(ctx, id, right, mostWrong, d.Now.Add(evidenceLife), d.Now)
		switch {
		case errors.Is(err, store.ErrNotFound):
			return r.again(ctx, d, id, right)
		case err != nil:
			return fmt.Errorf("try code of meeting %s: %w", id, err)
		case !right:
			d.Note(map[string]string{"wrong_codes": strconv.Itoa(m.WrongCodes)})
			d.Entry.Refusal, wrong = string(WrongCode), refuse(WrongCode)
		}
		return nil
	})
	return cmp.Or(err, wrong)
}

// again is what the code of a meeting comes to that takes none any more.
func (r *Registrar) again(ctx context.Context, d *deed.Deed, id uuid.UUID, right bool) error {
	m, err := d.Meeting(ctx, id)
	if err != nil {
		return fmt.Errorf("read meeting %s: %w", id, err)
	}
	if right && m.ConfirmedAt != nil && r.Lasts(m) {
		d.Entry.Event = "" // the form was sent twice
		return nil
	}
	return refuse(Over)
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
