package office

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/assurance"
	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/idp/authority"
	"github.com/credence-id/credence/idp/deed"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/evidence"
	"github.com/credence-id/credence/idp/photograph"
	"github.com/credence-id/credence/store"
)

// methods are the checks that a desk makes of whom it met so. By video it reads no chip, which is where the document is.
func methods(met evidence.Meeting) []assurance.CheckMethod {
	if met == evidence.ByVideo {
		return []assurance.CheckMethod{
			assurance.RemoteInspection, assurance.DigitalInspection, assurance.RecordMatch, assurance.RemoteComparison, assurance.RemoteBiometric,
		}
	}
	return []assurance.CheckMethod{
		assurance.PhysicalInspection, assurance.PhysicalInspectionUV, assurance.DigitalInspection, assurance.CryptographicInspection, assurance.RecordMatch,
		assurance.ComparisonInPerson, assurance.BiometricInPerson,
	}
}

// Checks are the checks that a desk makes of whom it met so, of those that the rules take of a kind.
func Checks(kind assurance.Kind, met evidence.Meeting) (uses []assurance.MethodUse) {
	at := time.Date(2000, time.January, 1, 0, 0, 0, 0, time.UTC)
	for _, use := range assurance.MethodUses() {
		if !slices.Contains(methods(met), use.Method) {
			continue
		}
		tried := assurance.Piece{ID: "1", Type: kind.Type, Kind: kind.Name, Subject: "1", Number: "1", Checks: []assurance.Check{{ID: "1", Method: use.Method, At: at}}}
		if tried.Validate() == nil {
			uses = append(uses, use)
		}
	}
	return uses
}

// ToProve reads a person whose evidence an officer may record.
func (f *Office) ToProve(ctx context.Context, o Officer, id string) (store.Person, error) {
	found, err := f.Standing(ctx, id)
	if err != nil {
		return store.Person{}, err
	}
	of, err := f.Works(ctx, found.Person)
	if err != nil {
		return store.Person{}, err
	}
	return found.Person, f.May(ctx, o, of, authority.RecordEvidence)
}

// mayLower wants a person to be no officer above the one who would lower how well her identity is proved: it is what lets her act
// as an officer.
func (f *Office) mayLower(ctx context.Context, o Officer, p store.Person) error {
	of, err := f.Works(ctx, p)
	if err != nil {
		return err
	}
	if of, err = deed.Over(ctx, f.Store, f.Rules, of, f.Now()); err != nil {
		return err
	}
	return f.May(ctx, o, of, authority.RecordEvidence)
}

// Proof is by what the identity of a person is proved.
type Proof struct {
	Person    store.Person
	Explained evidence.Explanation
	List      []evidence.Recorded // a page of what was recorded
	More      bool
	Waiting   []store.EvidenceProposal // for a second officer
	Names     map[string]string        // of who recorded and withdrew it
	Meeting   *store.Meeting           // by video, of the officer with the person; nil: there is none that lasts
}

// Called is the name of whoever did something: an officer, or an operator at the command line.
func (p Proof) Called(by string) string {
	if name, known := p.Names[by]; known {
		return name
	}
	return by
}

// Proof reads the evidence of a person, by when it was recorded, from the piece after the given one, and records who saw it.
func (f *Office) Proof(ctx context.Context, o Officer, personID string, order store.Order, after uuid.UUID) (p Proof, err error) {
	if p.Person, err = f.ToProve(ctx, o, personID); err != nil {
		return Proof{}, err
	}
	if p.Explained, err = f.Evidence.Explain(ctx, personID); err != nil {
		return Proof{}, fmt.Errorf("explain identity of person %s: %w", personID, err)
	}
	if p.List, err = f.Evidence.Sorted(ctx, personID, order, after, PerPage+1); err != nil {
		return Proof{}, fmt.Errorf("list evidence of person %s: %w", personID, err)
	}
	p.List, p.More = page(p.List)
	if p.Waiting, err = f.Store.EvidenceProposalsOf(ctx, personID, PerPage); err != nil {
		return Proof{}, fmt.Errorf("list proposals of evidence of person %s: %w", personID, err)
	}
	var ids []string
	for _, e := range p.List {
		ids = append(ids, e.RecordedBy)
		for _, c := range e.Checks {
			ids = append(ids, c.Checker)
		}
		if e.Withdrawn != nil {
			ids = append(ids, e.Withdrawn.By)
		}
	}
	if p.Names, err = f.Names(ctx, ids...); err != nil {
		return Proof{}, err
	}
	if p.Meeting, err = f.Meetings.With(ctx, o.PersonID, personID); err != nil {
		return Proof{}, err
	}
	if err := audit.Record(ctx, f.Store, f.Line(o, audit.PersonViewed, personID, map[string]string{"of": "evidence"})); err != nil {
		return Proof{}, fmt.Errorf("record: %w", err)
	}
	return p, nil
}

// Prove records a piece of evidence of a person, which an officer checked now: by the minute, so that what is sent twice is
// the same word for word, and is recorded once. Her organisation answers for each check, but for that of a record, which whoever
// keeps it answers for. She declares how she met the person and that she saw the originals, or it is refused. By video it is in a
// meeting of hers that was confirmed, and that lasts.
func (f *Office) Prove(ctx context.Context, o Officer, personID string, piece evidence.Piece) (change evidence.Change, err error) {
	person, err := f.ToProve(ctx, o, personID)
	if err != nil {
		return evidence.Change{}, err
	}
	failed := slices.ContainsFunc(piece.Checks, func(c assurance.Check) bool { return c.Failed })
	if failed {
		if err := f.mayLower(ctx, o, person); err != nil {
			return evidence.Change{}, err
		}
	}
	if piece.Declared == "" {
		return evidence.Change{}, fmt.Errorf("evidence %w: nobody declares to have met the person: set declared", evidence.ErrInvalid)
	}
	met := evidence.InPerson
	if piece.MeetingID != "" {
		met = evidence.ByVideo
		if _, _, err := f.Met(ctx, o, personID, piece.MeetingID); err != nil {
			return evidence.Change{}, err
		}
	}
	if piece.Declared != met {
		return evidence.Change{}, fmt.Errorf("evidence %w: it is declared to have been checked %.40q, and was %s", evidence.ErrInvalid, piece.Declared, met)
	}
	uses := Checks(assurance.Kind{Type: piece.Type, Name: piece.Kind}, met)
	for i := range piece.Checks {
		c := &piece.Checks[i]
		if !slices.ContainsFunc(uses, func(use assurance.MethodUse) bool { return use.Method == c.Method }) {
			return evidence.Change{}, fmt.Errorf("check %d %w: no desk checks evidence of kind %.40q by %.40q", i+1, evidence.ErrInvalid, piece.Kind, c.Method)
		}
		c.At, c.Checker = f.Now().Truncate(time.Minute), o.PersonID
		if c.Method != assurance.RecordMatch {
			c.Organisation = o.OrganisationName
		}
	}
	err = f.prove(ctx, o, audit.EvidenceRecorded, personID, failed, func(tx *store.Tx) (refusal, err error) {
		change, refusal, err = f.put(ctx, tx, o, personID, piece, failed)
		return refusal, err
	})
	return change, err
}

// prove does something about the evidence of a person as one act of an officer, who may do it at that moment: to lower how well an
// officer is proved takes one who is not below her. What it records is package evidence's, also of a refusal that it returns.
func (f *Office) prove(ctx context.Context, o Officer, event audit.Event, personID string, lowers bool, do func(*store.Tx) (refusal, err error)) error {
	d := deed.New(f.Rules, o.Acting(), f.Now, event, personID)
	var refusal error
	err := d.Run(ctx, f.Store, func() (err error) {
		if _, err := d.MustTo(ctx, personID, lowers, authority.RecordEvidence); err != nil {
			return err
		}
		d.Entry.Event = ""
		refusal, err = do(d.Tx)
		return refusing(err)
	})
	return cmp.Or(err, refusal)
}

// NoAccountCode is why nobody confirms what was checked without the code of an account: see [evidence.ErrUncoded].
const NoAccountCode deed.Reason = "no_account_code"

// WithdrawnBefore is why nobody withdraws what was withdrawn: see [evidence.ErrWithdrawn].
const WithdrawnBefore deed.Reason = "withdrawn_before"

// refusing makes a refusal, or what is not there, of an error of package evidence that is one.
func refusing(err error) error {
	if before, is := errors.AsType[*evidence.WithdrawnError](err); is {
		return (&deed.Refusal{Reason: WithdrawnBefore, Words: "this was withdrawn before: look at the evidence as it is now"}).With("",
			deed.Change{Field: "withdrawn_reason", To: string(before.Reason)}, deed.Change{Field: "withdrawn_by", To: before.By},
			deed.Change{Field: "withdrawn_at", To: before.At.Format(time.RFC3339)})
	}
	switch {
	case errors.Is(err, evidence.ErrClosed), errors.Is(err, photograph.ErrClosed):
		return &deed.Refusal{Reason: "profile_closed", Words: evidence.ErrClosed.Error()}
	case errors.Is(err, evidence.ErrOwnProposal):
		return deed.Refuse(deed.OwnRequest)
	case errors.Is(err, evidence.ErrUncoded):
		return &deed.Refusal{Reason: NoAccountCode, Words: evidence.ErrUncoded.Error()}
	case errors.Is(err, evidence.ErrUnknown):
		return fmt.Errorf("%w: %w", directory.ErrUnknown, err)
	}
	return err
}

// Piece reads a piece of evidence of a person that an officer may withdraw.
func (f *Office) Piece(ctx context.Context, o Officer, personID, text string) (person store.Person, piece store.Evidence, err error) {
	if person, err = f.ToProve(ctx, o, personID); err != nil {
		return person, piece, err
	}
	if err = f.mayLower(ctx, o, person); err != nil {
		return person, piece, err
	}
	id, err := directory.ParseID("evidence", text)
	if err != nil {
		return person, piece, err
	}
	piece, err = f.Store.Evidence(ctx, id)
	if errors.Is(err, store.ErrNotFound) || err == nil && piece.PersonID != personID {
		return person, piece, fmt.Errorf("evidence %s of person %s %w", id, personID, directory.ErrUnknown)
	}
	if err != nil {
		return person, piece, fmt.Errorf("read evidence %s: %w", id, err)
	}
	return person, piece, nil
}

// TakeBack withdraws a piece of evidence of a person.
func (f *Office) TakeBack(ctx context.Context, o Officer, personID, text string, reason evidence.Reason) (person store.Person, piece store.Evidence, change evidence.Change, err error) {
	if person, piece, err = f.Piece(ctx, o, personID, text); err != nil {
		return person, piece, change, err
	}
	err = f.prove(ctx, o, audit.EvidenceWithdrawn, personID, true, func(tx *store.Tx) (refusal, err error) {
		change, err = f.Evidence.WithdrawIn(ctx, tx, o.checker(), piece.ID, reason)
		return nil, err
	})
	return person, piece, change, err
}
