package evidence

import (
	"context"
	"crypto/subtle"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/assurance"
	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/store"
)

// Errors of who registered herself, of whom nothing is put on record before she has read the code of her account aloud.
var (
	// ErrNoAccountCode says that none was given.
	ErrNoAccountCode = errors.New("this person registered herself: have her sign in, and enter the code that her account shows her")
	// ErrAccountCode says that it is not the one that her account shows now, or was used.
	ErrAccountCode = errors.New("this is not the code that the account of this person shows now: whoever cannot read it aloud may not be who has the account")
	// ErrAccountCodes says that too many were wrong.
	ErrAccountCodes = errors.New("too many codes of the account of this person were wrong: wait a quarter of an hour")
)

// What a code is, and for how long. It is as long as the code of a meeting, and for the same reasons: digits are heard right, and of a
// hundred million five are tried.
const (
	accountCodeSize  = 8
	accountCodeLife  = 10 * time.Minute
	mostWrongCodes   = 5 // the schema has it too
	wrongCodesForget = 15 * time.Minute
)

// unproved says whether a person registered herself and is proved to less than level medium, so that anybody may have her account.
func (r *Recorder) unproved(ctx context.Context, records interface {
	Profile(ctx context.Context, id string) (store.Profile, error)
}, person store.IdentityRow,
) (bool, error) {
	if l := assurance.IdentityLevel(person.Level); l.AtMost(assurance.IdentityLow) != l {
		return false, nil
	}
	profile, err := records.Profile(ctx, person.PersonID)
	if err != nil {
		return false, personError(person.PersonID, err)
	}
	return profile.SelfRegisteredOrganisation != "", nil
}

// AsksAccountCode says whether evidence of a person is put on record only with the code that her account shows her: she registered
// herself, in whatever name, and is proved to less than level medium.
func (r *Recorder) AsksAccountCode(ctx context.Context, personID string) (bool, error) {
	if !personIDForm.MatchString(personID) {
		return false, unknownPerson(personID)
	}
	person, err := r.store.Identity(ctx, personID)
	if err != nil {
		return false, personError(personID, err)
	}
	return r.unproved(ctx, r.store, person)
}

// AccountCode is what the account of somebody shows who registered herself.
type AccountCode struct {
	Code   string // as it is read aloud; "" when there is none that works
	EndsAt time.Time
}

// AccountCode reads the code that a person reads aloud, for nobody but her; nil where she needs none.
func (r *Recorder) AccountCode(ctx context.Context, personID string) (*AccountCode, error) {
	asks, err := r.AsksAccountCode(ctx, personID)
	if err != nil || !asks {
		return nil, err
	}
	c, err := r.store.AccountCode(ctx, personID)
	if errors.Is(err, store.ErrNotFound) || err == nil && (c.UsedAt != nil || !c.EndsAt.After(r.now())) {
		return &AccountCode{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read account code of person %s: %w", personID, err)
	}
	code := r.accountCodes(c.ID)[0]
	return &AccountCode{code[:accountCodeSize/2] + " " + code[accountCodeSize/2:], c.EndsAt}, nil
}

// MakeAccountCodeIn makes a person another code, in place of the one that she had. The entry says who does it.
func (r *Recorder) MakeAccountCodeIn(ctx context.Context, tx *store.Tx, personID string, by audit.Entry) error {
	id, err := uuid.NewV7()
	if err != nil {
		return fmt.Errorf("draw an id: %w", err)
	}
	if err := tx.MakeAccountCode(ctx, personID, id, by.At, by.At.Add(accountCodeLife)); err != nil {
		return fmt.Errorf("make account code of person %s: %w", personID, err)
	}
	by.Event, by.Person = audit.AccountCodeMade, personID
	return audit.Record(ctx, tx, by)
}

// holds wants whoever is proved to be who has the account, where that is not known yet, and spends the code that she read aloud.
// A check that failed takes none: it can only take away. A refusal is to be committed, because it is counted and leaves a trace.
func (r *Recorder) holds(ctx context.Context, tx *store.Tx, by Checker, person store.IdentityRow, pieces []Piece) (known bool, refusal, err error) {
	failed := func(p Piece) bool {
		return slices.ContainsFunc(p.Checks, func(c assurance.Check) bool { return c.Failed })
	}
	asks, err := r.unproved(ctx, tx, person)
	if err != nil || !asks || !slices.ContainsFunc(pieces, func(p Piece) bool { return !failed(p) }) {
		return false, nil, err
	}
	code, ok := parseAccountCode(pieces[0].AccountCode)
	if !ok {
		return false, ErrNoAccountCode, nil
	}
	now := r.now()
	line := by.line(now, audit.AccountCodeGiven, person.PersonID, map[string]string{})
	shown, err := tx.AccountCode(ctx, person.PersonID)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return false, nil, fmt.Errorf("read account code of person %s: %w", person.PersonID, err)
	}
	waits := shown.WrongCodes >= mostWrongCodes && shown.WrongUntil.After(now)
	right := err == nil && !waits && r.rightAccountCode(shown.ID, code)
	if right {
		err = tx.UseAccountCode(ctx, person.PersonID, shown.ID, now)
	}
	switch {
	case right && err == nil:
		return true, nil, audit.Record(ctx, tx, line)
	case err != nil && !errors.Is(err, store.ErrNotFound):
		return false, nil, fmt.Errorf("use account code of person %s: %w", person.PersonID, err)
	case waits:
		refusal, line.Refusal = ErrAccountCodes, "too_many_codes"
	default:
		refusal, line.Refusal = ErrAccountCode, "wrong_code"
		wrong, err := tx.CountWrongAccountCode(ctx, person.PersonID, now.Add(wrongCodesForget), now)
		if err != nil && !errors.Is(err, store.ErrNotFound) { // who was shown none has none that could be guessed
			return false, nil, fmt.Errorf("count wrong code of person %s: %w", person.PersonID, err)
		}
		line.Detail["wrong_codes"] = fmt.Sprint(wrong)
	}
	return false, refusal, audit.Record(ctx, tx, line)
}

// parseAccountCode reads a code as people write down what they hear. It is not ok when it can be no code.
func parseAccountCode(text string) (code string, ok bool) {
	code = strings.NewReplacer(" ", "", "-", "", ".", "").Replace(text)
	return code, len(code) == accountCodeSize && strings.Trim(code, "0123456789") == ""
}

// accountCodes are those of an id under each line of the seal key: the one that is shown first.
func (r *Recorder) accountCodes(id uuid.UUID) (codes []string) {
	for _, mac := range r.key.MACs("account code", id[:]) {
		codes = append(codes, fmt.Sprintf("%0*d", accountCodeSize, binary.BigEndian.Uint64(mac)%100_000_000))
	}
	return codes
}

func (r *Recorder) rightAccountCode(id uuid.UUID, code string) bool {
	right := 0
	for _, known := range r.accountCodes(id) {
		right |= subtle.ConstantTimeCompare([]byte(known), []byte(code))
	}
	return right == 1
}
