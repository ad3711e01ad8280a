// Package position keeps positions and the requests for them: what an organisation lets people act as, and who asked that
// somebody may.
//
// A position is a series of versions. One officer proposes each of them, another approves it, and until then it gives
// nobody anything; the last one may close the position, which ends what it gave. What a version says never changes, so
// whoever approved it approved what it says. A request asks that a person be given a position in the version that is in
// force, or lose it. One officer asks and another decides, and neither is the person it is for; only a position that is
// marked as assignable is given at once, by a sponsor. For somebody who is not on record yet an officer introduces her, another
// puts her on record, and a third decides. What was approved is a role profile, like any other but that it
// names its position and its request, and it ends when the request said. A version that is approved later reaches who
// holds the position ([Registrar.RollOut]): the first of them in the transaction that approves it, the others in batches. What is
// taken away is taken from everybody; what is added is withheld from whoever would hold together what nobody does.
//
// A position may include others, of its organisation or of those above it: it gives what they give as well, but for their job
// roles ([EffectOf]), and follows them. Nobody is given what was retired from the catalogue.
//
// An officer who may decide a request may take it, to look after it until somebody has decided it. That says who is at work on it, and
// keeps nobody from anything ([Registrar.Take]).
//
// Officers act in one of their roles, which has to be current when they act; what it lets them do is package authority's.
// Nobody gives what makes an officer higher than she is. Duties that nobody holds together are kept apart when something
// is asked and when it is given. Each act is one transaction with its line of the record, which has the old and the new
// values; an officer who is refused is recorded with the reason. The schema holds four eyes as well.
//
// It follows the practice of the Care Identity Service of NHS England: positions, assignable positions, requests.
package position

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/idp/authority"
	"github.com/credence-id/credence/idp/deed"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/messenger"
	"github.com/credence-id/credence/store"
)

// Registrar keeps positions and requests.
type Registrar struct {
	Store     *store.Store
	Rules     *authority.Rules
	Catalogue *directory.Catalogue
	Messenger *messenger.Outbox // tells who gets a position, and who asked; nil tells nobody
	Now       func() time.Time
	Log       *slog.Logger // of RunLapse and RunRollouts, which alone need it
}

// act is one act of an officer.
type act struct {
	*deed.Deed

	catalogue *directory.Catalogue
	messenger *messenger.Outbox
	seen      string // see [Registrar.Decide]
}

// begin is an act of an officer.
func (r *Registrar) begin(by deed.Acting, event audit.Event) *act {
	return &act{Deed: deed.New(r.Rules, by, r.Now, event, ""), catalogue: r.Catalogue, messenger: r.Messenger}
}

// act runs do as one act of an officer.
func (r *Registrar) act(ctx context.Context, by deed.Acting, event audit.Event, do func(*act) error) error {
	return directory.Redraw("", func() error {
		a := r.begin(by, event)
		return a.Run(ctx, r.Store, func() error { return do(a) })
	})
}

// may says whether the officer may do something to a position of an organisation, for a person unless it is "", and so
// make somebody these officers.
func (a *act) may(ctx context.Context, what authority.Act, organisation, person string, makes ...authority.Actor) (authority.Grant, error) {
	o, err := a.Officer(ctx)
	if err != nil {
		return authority.None, err
	}
	of, err := deed.At(ctx, a.Tx, organisation)
	if err != nil {
		return authority.None, err
	}
	of.PersonID, of.Makes = person, makes
	decision := a.Rules.May(o, what, of)
	if decision.Refusal != "" {
		return authority.None, deed.Refuse(decision.Refusal)
	}
	return decision.Grant, nil
}

// mustFully is may for what she does herself or not at all.
func (a *act) mustFully(ctx context.Context, what authority.Act, organisation, person string, makes ...authority.Actor) error {
	grant, err := a.may(ctx, what, organisation, person, makes...)
	if err == nil && grant != authority.Full {
		err = deed.Refuse(deed.NoRight)
	}
	return err
}

// stillMay is StillMay for what is done at an organisation, about a person unless that is "".
func (a *act) stillMay(ctx context.Context, asker string, what authority.Act, organisation, person string) error {
	of, err := deed.At(ctx, a.Tx, organisation)
	if err != nil {
		return err
	}
	of.PersonID = person
	return StillMay(ctx, a.Tx, a.Rules, asker, what, of, a.Now)
}

// StillMay wants who asked for something, or proposed it, to be an officer still who may, in whichever of her roles. Whose
// profile was closed since is not, nor is whose identity is not proved as well any more as an officer's has to be.
func StillMay(ctx context.Context, records interface {
	Kept(ctx context.Context, personID string) (string, error)
	Person(ctx context.Context, id string, now time.Time) (store.Standing, error)
}, rules *authority.Rules, asker string, what authority.Act, of authority.Subject, now time.Time,
) error {
	id, err := records.Kept(ctx, asker)
	if err != nil {
		return directory.Missing(err, "officer", asker)
	}
	standing, err := records.Person(ctx, id, now)
	if err != nil {
		return directory.Missing(err, "officer", id)
	}
	if !standing.PersonStands || !deed.Proved(standing.Person) {
		return Refusal(AskerNoOfficer)
	}
	for _, role := range standing.Person.Roles {
		o := authority.Officer{PersonID: id, Role: role.ID, Organisation: role.OrganisationCode, Actors: rules.ActorsOf(role.JobRole, role.Activities)}
		if rules.May(o, what, of).Grant == authority.Full {
			return nil
		}
	}
	return Refusal(AskerNoOfficer)
}

// FourEyes wants another officer to decide than the one who asked, and neither to be who it is about, which is "" for nobody. Who
// had two profiles before they were merged is one person.
func FourEyes(ctx context.Context, records interface {
	Kept(ctx context.Context, personID string) (string, error)
}, asker, decider, subject string,
) error {
	id, err := records.Kept(ctx, asker)
	if err != nil {
		return directory.Missing(err, "officer", asker)
	}
	if why := authority.FourEyes(id, decider, subject); why != "" {
		return Refusal(why)
	}
	return nil
}

// ifHolds is a person when she holds a position, or one that includes it, which is then about her, and "" otherwise.
func (a *act) ifHolds(ctx context.Context, person, positionID string) (string, error) {
	held, err := deed.Held(ctx, a.Tx, person, a.Now)
	if err != nil {
		return "", err
	}
	var positions []string
	for _, h := range held {
		if h.PositionID != "" {
			positions = append(positions, h.PositionID)
		}
	}
	if len(held) >= deed.MostHeld || slices.Contains(positions, positionID) {
		return person, nil
	}
	if len(positions) == 0 {
		return "", nil
	}
	included, err := a.Include(ctx, positions, positionID, mostDeep)
	if err != nil {
		return "", fmt.Errorf("read what the positions of person %s include: %w", person, err)
	}
	if included {
		return person, nil
	}
	return "", nil
}
