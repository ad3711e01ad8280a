package evidence

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/assurance"
	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/idp/messenger"
	"github.com/credence-id/credence/store"
)

// Outcome is how well an identity is proved.
type Outcome struct {
	Level         assurance.IdentityLevel `json:"level"`
	Profile       string                  `json:"profile"`        // of GPG 45, the best that is met; "" when none is
	IAL           assurance.IAL           `json:"ial"`            // of NIST SP 800-63A-4; 0 is no claim
	PolicyVersion string                  `json:"policy_version"` // of the tables; "" when the level was asserted, or there never was evidence
}

// Change is what an act made of a person's identity.
type Change struct {
	PersonID string      `json:"person_id"`
	Evidence []uuid.UUID `json:"evidence,omitempty"`              // that was handed in, or withdrawn
	Known    []Known     `json:"already_on_record,omitempty"`     // what of it may have been on record before
	Others   []Other     `json:"counts_for_others,omitempty"`     // when a document was found forged
	Awaits   bool        `json:"awaits_second_checker,omitempty"` // nothing of it is on record: After is what it would come to
	Before   Outcome     `json:"before"`
	After    Outcome     `json:"after"`
}

// Known says of a piece that it was on record already, or that another may be of the same document: of its kind and number.
type Known struct {
	Evidence uuid.UUID `json:"evidence"`
	As       uuid.UUID `json:"as"` // the same id: word for word, so it was not recorded again; another: with other words, or withdrawn
}

// Other is a piece of the same document that counts for another person.
type Other struct {
	PersonID string    `json:"person_id"`
	Evidence uuid.UUID `json:"evidence"`
}

// moves says whether anything is different for whoever relies on the identity.
func (c Change) moves() bool {
	before := c.Before
	before.PolicyVersion = c.After.PolicyVersion
	return before != c.After
}

// detail is what the audit record says of the change.
func (c Change) detail(about ...store.Evidence) map[string]string {
	detail := map[string]string{
		"level_before": string(c.Before.Level), "level": string(c.After.Level), "profile": c.After.Profile, "policy_version": c.After.PolicyVersion,
	}
	var ids, others, people []string
	for _, e := range about {
		ids = append(ids, e.ID.String())
	}
	for _, other := range c.Others[:min(len(c.Others), maxOthers)] {
		others, people = append(others, other.Evidence.String()), append(people, other.PersonID)
	}
	for name, list := range map[string][]string{"evidence": ids, "other_evidence": others, "other_person": people} {
		if list != nil {
			detail[name] = strings.Join(list, " ")
		}
	}
	return detail
}

// maxOthers is how many of the others the audit record names: it bounds a line of it.
const maxOthers = 20

func outcome(i store.Identity) Outcome {
	return Outcome{assurance.IdentityLevel(i.Level), i.Profile, assurance.IAL(i.IAL), i.Policy}
}

// verdict is what evidence comes to.
type verdict struct {
	assurance.Result
	scoring  assurance.Scoring
	proofing assurance.Proofing
	pieces   []facts
}

// judge says what evidence comes to. It looks at no clock: what has expired since takes nothing away.
func (r *Recorder) judge(counts []store.Evidence) (v verdict, err error) {
	pieces := make([]assurance.Piece, len(counts))
	v.pieces = make([]facts, len(counts))
	for i, e := range counts {
		if v.pieces[i], err = readFacts(e); err != nil {
			return verdict{}, err
		}
		pieces[i] = v.pieces[i].Piece
	}
	at := lastCheck(v.pieces)
	if v.scoring, err = assurance.Score(pieces, at); err != nil {
		return verdict{}, err
	}
	if v.proofing, err = assurance.Proof(pieces, at); err != nil {
		return verdict{}, err
	}
	v.Result, err = r.policy.Evaluate(v.scoring.Scores)
	return v, err
}

// lastCheck is when the last check was made.
func lastCheck(pieces []facts) time.Time {
	var last time.Time
	for _, p := range pieces {
		for _, c := range p.Checks {
			if c.At.After(last) {
				last = c.At
			}
		}
	}
	return last
}

// names says whether the evidence is about the person as she is on record now.
func (v verdict) names(person store.IdentityRow) bool {
	return !slices.ContainsFunc(v.pieces, func(f facts) bool { return !f.names(person) })
}

// restsOn are the pieces that the best profile and the IAL need, and those by which the scores for the person were earned.
func (v verdict) restsOn() map[string]bool {
	pieces := map[string]bool{}
	for _, id := range v.proofing.Pieces {
		pieces[id] = true
	}
	for _, i := range v.RestsOn {
		pieces[v.scoring.Pieces[i]] = true
	}
	earned := v.checks(func(reason assurance.Reason) bool { return reason.Piece == "" && v.Best != "" })
	for _, p := range v.pieces {
		if slices.ContainsFunc(p.Checks, func(c assurance.Check) bool { return earned[c.ID] }) {
			pieces[p.ID] = true
		}
	}
	return pieces
}

// checks are those that the scores rest on which are so reasoned.
func (v verdict) checks(so func(assurance.Reason) bool) map[string]bool {
	checks := map[string]bool{}
	for _, reason := range v.scoring.Reasons {
		if reason.Score > 0 && so(reason) {
			for _, check := range reason.Checks {
				checks[check] = true
			}
		}
	}
	return checks
}

// settle judges what counts for a person who is locked, and makes it what everybody reads of her.
func (r *Recorder) settle(ctx context.Context, tx *store.Tx, person store.IdentityRow, counts []store.Evidence, now time.Time) (Change, error) {
	v, err := r.judge(counts)
	if err != nil {
		return Change{}, fmt.Errorf("evidence of person %s %w: %s", person.PersonID, ErrInvalid, err.Error())
	}
	after := store.Identity{
		Level: string(v.Level), Profile: v.Best, Profiles: v.Profiles, IAL: int(v.proofing.Level), Policy: v.PolicyVersion, ComputedAt: &now,
	}
	rests := v.restsOn()
	for _, e := range counts {
		if rests[e.ID.String()] {
			after.Evidence = append(after.Evidence, e.ID)
		}
	}
	if err := tx.SetIdentity(ctx, person.PersonID, after); err != nil {
		return Change{}, fmt.Errorf("store identity of person %s: %w", person.PersonID, err)
	}
	return Change{PersonID: person.PersonID, Before: outcome(person.Identity), After: outcome(after)}, nil
}

// inform tells a person what an officer has done to how well she is proved, if that is another level than before.
func (r *Recorder) inform(ctx context.Context, tx *store.Tx, c Change) error {
	if c.Before.Level == c.After.Level {
		return nil
	}
	level := strings.ReplaceAll(string(c.After.Level), "_", " ")
	return r.Messenger.Post(ctx, tx, messenger.Message{Person: c.PersonID, Letter: messenger.IdentityChanged{Level: level}})
}

// Explanation says what the identity of a person rests on.
type Explanation struct {
	PersonID         string             `json:"person_id"`
	Recorded         Outcome            `json:"recorded"` // what tokens and pages say
	assurance.Result                    // what the evidence comes to by the tables of today; Next has only what a desk can do by them
	NIST             assurance.Proofing `json:"nist"`
	Scores           assurance.Scores   `json:"scores"`
	Reasons          []assurance.Reason `json:"reasons"`
	Evidence         []Recorded         `json:"evidence"`       // that counts
	Note             string             `json:"note,omitempty"` // what the levels do not say
}

// renamed is the note of who is not on record by the name or date of birth that was proved.
const renamed = "the evidence is about a name or date of birth that is not the one on record any more: the level stands, and no verified claims are given; " +
	"withdraw the evidence as superseded, and record what is about her as she is on record now"

// Ways lists the shortest ways to a level that the evidence does not reach, the easiest first, and all that each still takes.
func (x Explanation) Ways(level assurance.IdentityLevel) (ways [][]string) {
	for _, next := range x.Next {
		if next.Level == level {
			ways = append(ways, next.Missing)
		}
	}
	return ways
}

// Explain says by which evidence a person's level was reached, and what is missing for the next. Who is not known is
// ErrUnknown.
func (r *Recorder) Explain(ctx context.Context, personID string) (Explanation, error) {
	person, counts, err := r.read(ctx, personID)
	if err != nil {
		return Explanation{}, err
	}
	v, err := r.judge(counts)
	if err != nil {
		return Explanation{}, fmt.Errorf("evidence of person %s %w: %s", personID, ErrInvalid, err.Error())
	}
	pieces := make([]assurance.Piece, len(v.pieces))
	for i, f := range v.pieces {
		pieces[i] = f.Piece
	}
	if v.Next, err = r.policy.Next(v.scoring.Scores, pieces); err != nil {
		return Explanation{}, fmt.Errorf("evidence of person %s %w: %s", personID, ErrInvalid, err.Error())
	}
	x := Explanation{
		PersonID: personID, Recorded: outcome(person.Identity), Result: v.Result, NIST: v.proofing, Scores: v.scoring.Scores, Reasons: v.scoring.Reasons,
	}
	if !v.names(person) {
		x.Note = renamed
	}
	x.Evidence, err = r.recorded(counts)
	return x, err
}

// read reads a person and what counts for her.
func (r *Recorder) read(ctx context.Context, personID string) (store.IdentityRow, []store.Evidence, error) {
	if !personIDForm.MatchString(personID) {
		return store.IdentityRow{}, nil, unknownPerson(personID)
	}
	person, counts, err := r.store.IdentityAndEvidence(ctx, personID, assurance.MaxPieces)
	if err != nil {
		return store.IdentityRow{}, nil, personError(personID, err)
	}
	return person, counts, nil
}

// Recompute looks for people whose level was not computed by the tables of today, and yields those for whom these come to
// something else. With apply it makes that their level, and leaves a line of the record for each; without, it changes nothing.
// It goes in batches: what was yielded stays done when it fails.
func (r *Recorder) Recompute(ctx context.Context, actor string, apply bool, yield func(Change) error) error {
	const batch = 100
	for after := ""; ; {
		people, err := r.store.Identities(ctx, after, batch)
		if err != nil {
			return fmt.Errorf("list people: %w", err)
		}
		if len(people) == 0 {
			return nil
		}
		after = people[len(people)-1].PersonID
		var changes []Change
		if apply {
			changes, err = r.recompute(ctx, actor, people)
		} else {
			changes, err = r.foresee(ctx, people)
		}
		if err != nil {
			return err
		}
		for _, c := range changes {
			if err := yield(c); err != nil {
				return err
			}
		}
	}
}

// due lists those whose level was not computed by the tables of today. Who never had evidence or a level has nothing to lose.
func due(people []store.IdentityRow) (ids []string) {
	for _, p := range people {
		if p.Policy != assurance.PolicyVersion && (p.Policy != "" || p.Level != string(assurance.IdentityNone)) {
			ids = append(ids, p.PersonID)
		}
	}
	return ids
}

// foresee says what recompute would do.
func (r *Recorder) foresee(ctx context.Context, people []store.IdentityRow) ([]Change, error) {
	ids := due(people)
	if len(ids) == 0 {
		return nil, nil
	}
	counts, err := r.store.EvidenceInForce(ctx, assurance.MaxPieces*len(ids), ids...)
	if err != nil {
		return nil, fmt.Errorf("read evidence: %w", err)
	}
	var changes []Change
	for _, p := range people {
		if !slices.Contains(ids, p.PersonID) {
			continue
		}
		v, err := r.judge(of(counts, p.PersonID))
		if err != nil {
			return nil, fmt.Errorf("evidence of person %s %w: %s", p.PersonID, ErrInvalid, err.Error())
		}
		c := Change{PersonID: p.PersonID, Before: outcome(p.Identity), After: Outcome{v.Level, v.Best, v.proofing.Level, v.PolicyVersion}}
		if c.moves() {
			changes = append(changes, c)
		}
	}
	return changes, nil
}

func (r *Recorder) recompute(ctx context.Context, actor string, people []store.IdentityRow) (changes []Change, err error) {
	ids := due(people)
	if len(ids) == 0 {
		return nil, nil
	}
	err = r.store.InTx(ctx, func(tx *store.Tx) error {
		people, err := tx.LockIdentities(ctx, ids...)
		if err != nil {
			return fmt.Errorf("read people: %w", err)
		}
		counts, err := tx.EvidenceInForce(ctx, assurance.MaxPieces*len(ids), ids...)
		if err != nil {
			return fmt.Errorf("read evidence: %w", err)
		}
		now, still := r.now(), due(people) // whose evidence changed meanwhile is computed already
		for _, p := range people {
			if !slices.Contains(still, p.PersonID) {
				continue
			}
			c, err := r.settle(ctx, tx, p, of(counts, p.PersonID), now)
			if err != nil {
				return err
			}
			if !c.moves() {
				continue
			}
			changes = append(changes, c)
			if err := audit.Record(ctx, tx, audit.Entry{At: now, Event: audit.IdentityRecomputed, Actor: actor, Person: p.PersonID, Detail: c.detail()}); err != nil {
				return fmt.Errorf("record: %w", err)
			}
		}
		return nil
	})
	return changes, err
}

// of picks the evidence of a person.
func of(list []store.Evidence, personID string) (hers []store.Evidence) {
	for _, e := range list {
		if e.PersonID == personID {
			hers = append(hers, e)
		}
	}
	return hers
}
