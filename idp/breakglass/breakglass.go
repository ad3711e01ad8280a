// Package breakglass makes somebody an officer of the registration authority for some hours, when no other is to be had.
//
// An operator seals two codes in two envelopes, which two people keep ([Seal]). One person asks with the code of the first
// envelope, and says why; another comes with the code of the second, sees who asks and why, and opens ([Registrar.Open]). Then
// the first has a role at that one organisation.
//
// It guarantees that
//   - it takes two people and both envelopes, within half an hour, and a pair of envelopes opens once;
//   - both have signed in at authenticator assurance level 3, whatever organisations ask of officers, and the identity of both is
//     proved to level high, also at the moment at which it is opened;
//   - the role ends within four hours, and nobody makes it last longer;
//   - it counts where she signed in with the authenticator with which she asked: whoever bound another to her acts in it no more than
//     before;
//   - the role is that of a break-glass officer ([directory.BreakGlassOfficer]), of whom package authority says what she may: the daily work of an
//     agent, and nothing that outlives a review, such as making officers;
//   - it is told at once: by mail to the registration authority managers there and above, and here, in the log and in a metric,
//     which no mail server keeps quiet;
//   - what was done stays open to review until an officer who is neither of the two signs for it, when it is over.
//
// The schema holds the two people, the four hours, the single use and the third person as well. Each act is one transaction with
// its line of the record. Codes are 130 random bits, of which only hashes are kept: who has read the database opens nothing.
package breakglass

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/idp/authority"
	"github.com/credence-id/credence/idp/deed"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/messenger"
	"github.com/credence-id/credence/idp/papercode"
	"github.com/credence-id/credence/idp/position"
	"github.com/credence-id/credence/idp/throttle"
	"github.com/credence-id/credence/store"
)

const (
	// Lasts is how long somebody is a break-glass officer, at most.
	Lasts = 4 * time.Hour
	// Waits is how long it waits for the second person.
	Waits = 30 * time.Minute
	// Keeps is how long envelopes can be opened.
	Keeps = 365 * 24 * time.Hour
	// ReviewWithin is how long after it was opened somebody should have signed for it.
	ReviewWithin = 7 * 24 * time.Hour

	// codeSize is of how many characters a code is.
	codeSize = papercode.Longest
	// mostTold is how many managers are told by mail.
	mostTold = 50
)

// errCode says that a code is of no envelope of the organisation.
var errCode = errors.New("the code is of no envelope of the organisation")

// Reasons why somebody was refused, as the record has them, beside those of any act.
const (
	CodeWrong     deed.Reason = "code_wrong"
	CodeSpent     deed.Reason = "code_spent"     // the envelopes were opened, or there are new ones
	CodeExpired   deed.Reason = "code_expired"   // the envelopes are too old
	OtherEnvelope deed.Reason = "other_envelope" // it is the code of the other one of the pair
	NobodyAsked   deed.Reason = "nobody_asked"   // with the first envelope, or not lately
	OwnEnvelope   deed.Reason = "own_envelope"   // she has the first one herself
	NotOver       deed.Reason = "not_over"
	EndedAlready  deed.Reason = "ended_already"
	SignedAlready deed.Reason = "signed_already"
	OwnOpening    deed.Reason = "own_opening" // she is one of the two
)

// refuse says no. What the pages of this package say of it is in the language of the reader (http.go); an officer who reviews, and
// who comes by a program, is told here.
func refuse(reason deed.Reason) *deed.Refusal {
	words := map[deed.Reason]string{
		CodeWrong:      "this code does not work at this organisation: check both",
		CodeSpent:      "these envelopes were opened already, or there are newer ones, which alone work",
		CodeExpired:    "these envelopes are too old to be opened: new ones have to be sealed",
		OtherEnvelope:  "this is the code of the other envelope",
		NobodyAsked:    "nobody has used the first envelope in the last 30 minutes: the other person has to begin",
		OwnEnvelope:    "you used the first envelope yourself: another person has to use the second",
		deed.NotProved: "your identity, or that of the other person, is not proved to level high",
		NotOver:        "it is not over yet: end it first, or wait until it ends",
		EndedAlready:   "it has ended already",
		SignedAlready:  "somebody has signed for this already",
		OwnOpening:     "you are one of the two who opened this: another officer has to sign for it",
	}[reason]
	return &deed.Refusal{Reason: reason, Words: cmp.Or(words, "break-glass was refused: "+string(reason))}
}

// Config is what a Registrar is made of.
type Config struct {
	Store     *store.Store
	Rules     *authority.Rules
	Messenger *messenger.Outbox // nil tells nobody by mail
	Throttle  *throttle.Limiter // counts codes that are wrong
	Now       func() time.Time
	Log       *slog.Logger
}

// Registrar opens break-glass.
type Registrar struct {
	Config

	opened prometheus.Counter
}

// New returns a registrar.
func New(c Config) *Registrar {
	return &Registrar{Config: c, opened: prometheus.NewCounter(prometheus.CounterOpts{
		Name: "credence_break_glass_opened_total", Help: "Break-glass openings at this replica.",
	})}
}

// Collectors are the metrics of the registrar.
func (r *Registrar) Collectors() []prometheus.Collector { return []prometheus.Collector{r.opened} }

// Envelopes are the two codes that open break-glass at an organisation, to be shown once.
type Envelopes struct {
	First, Second string // as people read them
	ExpiresAt     time.Time
	Replaces      bool // there were others, which are worthless now
}

// Seal makes two codes for an organisation, in place of those that it had. One that is unknown is directory.ErrUnknown.
func Seal(ctx context.Context, s *store.Store, organisation, operator string, now time.Time) (Envelopes, error) {
	first, second := papercode.New(codeSize), papercode.New(codeSize)
	e := Envelopes{First: papercode.InGroups(first), Second: papercode.InGroups(second), ExpiresAt: now.Add(Keeps)}
	id, err := uuid.NewV7()
	if err != nil {
		return Envelopes{}, fmt.Errorf("draw an id: %w", err)
	}
	err = s.InTx(ctx, func(tx *store.Tx) error {
		ended, err := tx.EndBreakGlassSeals(ctx, organisation, now)
		if err != nil {
			return err
		}
		e.Replaces = ended > 0
		if err := tx.AddBreakGlassSeal(ctx, store.BreakGlassSeal{
			ID: id, OrganisationCode: organisation, FirstHash: hash(first), SecondHash: hash(second), SealedBy: operator, SealedAt: now, ExpiresAt: e.ExpiresAt,
		}); err != nil {
			return err
		}
		return audit.Record(ctx, tx, audit.Entry{At: now, Event: audit.BreakGlassSealed, Actor: operator, Detail: map[string]string{
			"organisation": organisation, "seal": id.String(), "expires_at": e.ExpiresAt.Format(time.RFC3339), "replaces": fmt.Sprint(e.Replaces),
		}})
	})
	if errors.Is(err, store.ErrReference) {
		return Envelopes{}, fmt.Errorf("organisation %q %w", organisation, directory.ErrUnknown)
	}
	if err != nil {
		return Envelopes{}, fmt.Errorf("seal envelopes of organisation %s: %w", organisation, err)
	}
	return e, nil
}

// hash is what is kept of a code. It is random, so it needs no key and no salt, and is found by its hash.
func hash(code string) []byte {
	sum := sha256.Sum256([]byte(code))
	return sum[:]
}

// act is one act of somebody.
type act struct{ *deed.Deed }

// act runs do as one act of somebody, about herself until do says about whom.
func (r *Registrar) act(ctx context.Context, by deed.Acting, event audit.Event, do func(*act) error) error {
	a := &act{deed.New(r.Rules, by, r.Now, event, by.Person)}
	return a.Run(ctx, r.Store, func() error { return do(a) })
}

// use is an act with a code. One that is wrong is counted, and refused on record, with the organisation if that can be one; beyond a
// limit it is a *[throttle.LimitError], which is recorded by itself.
func (r *Registrar) use(ctx context.Context, by deed.Acting, event audit.Event, c Code, do func(*act) error) error {
	err := r.act(ctx, by, event, do)
	if !errors.Is(err, errCode) {
		return err
	}
	request := audit.RequestOf(ctx)
	request.Refusal.Reason = string(CodeWrong)
	err = r.Throttle.Failed(ctx, throttle.Subject{Limit: throttle.BreakGlassAddress, Address: request.Address},
		throttle.Subject{Limit: throttle.BreakGlassPerson, Person: by.Person})
	if err != nil {
		return err
	}
	d := deed.New(r.Rules, by, r.Now, event, by.Person)
	if directory.IsOrganisation(c.Organisation) {
		d.Note(map[string]string{"organisation": c.Organisation})
	}
	return d.Refuse(ctx, r.Store, refuse(CodeWrong))
}

// able wants a person who stands and whose identity is proved, whoever would change that waiting until the transaction ends.
func (a *act) able(ctx context.Context, people ...string) error {
	if _, err := a.LockIdentities(ctx, people...); err != nil {
		return fmt.Errorf("lock people: %w", err)
	}
	for _, id := range people {
		standing, err := a.Person(ctx, id, a.Now)
		if err != nil {
			return fmt.Errorf("read person %s: %w", id, err)
		}
		if !standing.PersonStands {
			return refuse(position.PersonDisabled)
		}
		if !deed.Proved(standing.Person) {
			return refuse(deed.NotProved)
		}
	}
	return nil
}
