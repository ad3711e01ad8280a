package position

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/idp/authority"
	"github.com/credence-id/credence/idp/deed"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/store"
)

// Scope is what a review is to be of.
type Scope struct {
	Organisation string
	Below        bool // also of the organisations below
	Removes      bool // what nobody has decided when it is due is removed, but for what makes officers
	DueAt        time.Time
	Reason       string
}

const (
	// mostReviewed bounds what one review is about.
	mostReviewed = 5000
	// longestReview is how long officers may have to decide.
	longestReview = 366 * 24 * time.Hour
)

// OpenReview begins a review of who holds the positions of an organisation at this moment.
func (r *Registrar) OpenReview(ctx context.Context, by deed.Acting, s Scope) (id uuid.UUID, err error) {
	now := r.Now()
	errs := []error{by.Check()}
	if !s.DueAt.After(now) || s.DueAt.After(now.Add(longestReview)) {
		errs = append(errs, &directory.InvalidError{Field: "due", Want: "a day after today, within a year"})
	}
	if err := errors.Join(append(errs, directory.CheckText("reason", s.Reason, 1, 500))...); err != nil {
		return uuid.Nil, err
	}
	err = r.act(ctx, by, audit.ReviewOpened, func(a *act) error {
		id, err = a.openReview(ctx, s)
		return err
	})
	return id, err
}

func (a *act) openReview(ctx context.Context, s Scope) (uuid.UUID, error) {
	a.Note(map[string]string{
		"organisation": s.Organisation, "below": strconv.FormatBool(s.Below), "removes": strconv.FormatBool(s.Removes), "due_at": moment(&s.DueAt), "reason": s.Reason,
	})
	if err := a.mustFully(ctx, authority.ReviewAccess, s.Organisation, ""); err != nil {
		return uuid.Nil, err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return uuid.Nil, fmt.Errorf("draw an id: %w", err)
	}
	err = a.AddReview(ctx, store.Review{
		ID: id, OrganisationCode: s.Organisation, Below: s.Below, Removes: s.Removes, DueAt: s.DueAt, Reason: s.Reason,
		OpenedBy: a.By.Person, OpenedRole: a.By.Role, OpenedAt: a.Now,
	})
	if errors.Is(err, store.ErrConflict) {
		return uuid.Nil, a.openAlready(ctx, s.Organisation)
	}
	if err != nil {
		return uuid.Nil, fmt.Errorf("add review: %w", err)
	}
	n, err := a.AddReviewItems(ctx, id, s.Organisation, s.Below, mostReviewed+1, a.Now)
	switch {
	case err != nil:
		return uuid.Nil, fmt.Errorf("list who holds positions of organisation %s: %w", s.Organisation, err)
	case n == 0:
		return uuid.Nil, Refusal(NothingToReview)
	case n > mostReviewed:
		return uuid.Nil, Refusal(TooMuchToReview)
	}
	a.Note(map[string]string{"review": id.String(), "items": strconv.Itoa(n)})
	return id, nil
}

// openAlready is the refusal that a review of an organisation is open, with which one.
func (a *act) openAlready(ctx context.Context, organisation string) error {
	v, err := a.OpenReview(ctx, organisation)
	if errors.Is(err, store.ErrNotFound) { // it was closed a moment ago
		return Refusal(ReviewOpenAlready)
	}
	if err != nil {
		return fmt.Errorf("read review of organisation %s: %w", organisation, err)
	}
	return Refusal(ReviewOpenAlready).With("", deed.Change{Field: "review", To: v.ID.String()}, deed.Change{Field: "due_at", To: moment(&v.DueAt)}, deed.Change{Field: "opened_by", To: v.OpenedBy})
}

// Outcome is what became of something that a review is about.
type Outcome string

// The outcomes.
const (
	Certified  Outcome = "certified" // it is still needed
	Removed    Outcome = "removed"   // by an officer
	Unreviewed Outcome = "lapsed"    // removed, because nobody decided in time
)

// Left is something of a review that was not decided, and why.
type Left struct {
	Role    string
	Refusal *deed.Refusal
}

// DecideReview certifies roles that a review is about, or removes them: each by itself, with its own line of the record, so
// that what cannot be decided keeps nothing else from it. Nobody decides about herself, and who approved that somebody got a
// position does not certify it as well.
func (r *Registrar) DecideReview(ctx context.Context, by deed.Acting, id uuid.UUID, roles []string, outcome Outcome) (left []Left, err error) {
	errs := []error{by.Check()}
	if outcome != Certified && outcome != Removed {
		errs = append(errs, &directory.InvalidError{Field: "outcome", Want: string(Certified) + " or " + string(Removed)})
	}
	for _, role := range roles {
		errs = append(errs, directory.CheckID("role", role))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	for _, role := range roles {
		err := r.act(ctx, by, audit.ReviewDecided, func(a *act) error { return a.decideItem(ctx, id, role, outcome) })
		if refusal, refused := errors.AsType[*deed.Refusal](err); refused && !slices.Contains([]deed.Reason{deed.NoRight, deed.AnotherOrganisation, deed.NotInRole, deed.NotProved}, refusal.Reason) {
			left = append(left, Left{Role: role, Refusal: refusal})
			continue
		}
		if err != nil {
			return left, err
		}
	}
	return left, r.closeReview(ctx, by, id)
}

func (a *act) decideItem(ctx context.Context, id uuid.UUID, role string, outcome Outcome) error {
	p, item, err := a.reviewItem(ctx, id, role)
	if err != nil {
		return err
	}
	makes := a.Rules.ActorsOf(item.JobRole, item.Activities)
	if err := a.mustFully(ctx, authority.ReviewAccess, p.OrganisationCode, item.PersonID, makes...); err != nil {
		return err
	}
	if a.By.Person == item.HeldBy { // a merge may have given it to somebody else since
		return deed.Refuse(deed.OwnPerson)
	}
	if outcome == Certified {
		if err := FourEyes(ctx, a.Tx, item.GivenBy, a.By.Person, ""); deed.Refused(err) {
			return Refusal(OwnGiving)
		} else if err != nil {
			return err
		}
	}
	return a.settleItem(ctx, id, p, item, outcome, &a.By.Person, &a.By.Role)
}

// reviewItem reads something that a review is about, and locks the position and the people in the order in which everybody
// locks them. What ended meanwhile is not there to decide.
func (a *act) reviewItem(ctx context.Context, id uuid.UUID, role string) (store.HeldPosition, store.ReviewItem, error) {
	a.Note(map[string]string{"review": id.String(), "role": role})
	p, err := a.LockPositionOfItem(ctx, id, role)
	if err != nil {
		return p, store.ReviewItem{}, directory.Missing(err, "item of a review", role)
	}
	item, err := a.ReviewItem(ctx, id, role)
	if err != nil {
		return p, item, directory.Missing(err, "item of a review", role)
	}
	a.Entry.Person = item.PersonID
	a.Note(map[string]string{"position": p.ID, "given_by": item.GivenBy})
	if err := a.lockOpen(ctx, item.PersonID); err != nil {
		return p, item, err
	}
	if item, err = a.ReviewItem(ctx, id, role); err != nil { // as it is now that nobody changes it
		return p, item, directory.Missing(err, "item of a review", role)
	}
	switch {
	case item.Outcome != nil:
		return p, item, a.Decided(item.DecidedBy, "outcome", "", *item.Outcome)
	case item.EndsAt != nil && !item.EndsAt.After(a.Now):
		return p, item, Refusal(NotHeld)
	}
	return p, item, nil
}

// settleItem decides something that a review is about. What is removed ends, with all that the position gives the person.
func (a *act) settleItem(ctx context.Context, id uuid.UUID, p store.HeldPosition, item store.ReviewItem, outcome Outcome, by, role *string) error {
	a.Note(map[string]string{"outcome": string(outcome), "outcome_before": ""})
	err := a.DecideReviewItem(ctx, id, item.RoleID, string(outcome), by, role, a.Now)
	if errors.Is(err, store.ErrNotFound) {
		return deed.Refuse(deed.DecidedAlready)
	}
	if err != nil {
		return fmt.Errorf("decide about role %s: %w", item.RoleID, err)
	}
	if outcome == Certified {
		return nil
	}
	a.Note(map[string]string{"reason": "access review"})
	return a.take(ctx, p, item.PositionName, item.PersonID, a.Now)
}

// closeReview closes a review, if nothing is left to decide in it.
func (r *Registrar) closeReview(ctx context.Context, by deed.Acting, id uuid.UUID) error {
	err := r.act(ctx, by, audit.ReviewClosed, func(a *act) error {
		a.Note(map[string]string{"review": id.String()})
		return a.CloseReview(ctx, id, a.Now)
	})
	if err != nil && !errors.Is(err, store.ErrNotFound) { // another has closed it, or will
		return fmt.Errorf("close review %s: %w", id, err)
	}
	return nil
}

// reviewBatch is how many reviews, or items of one, are read at a time.
const reviewBatch = 100

// LapseReviews removes what nobody has decided in the reviews that are due and remove it, and closes those in which nothing is
// left to decide. Whatever makes somebody an officer is left, so that no registration authority ends by itself; and all of it is
// left in a review whose opener is no such officer any more. Any number of
// replicas do so side by side.
func (r *Registrar) LapseReviews(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, lapseDeadline)
	defer cancel()
	var dueAfter time.Time
	var after uuid.UUID
	for {
		reviews, err := r.Store.OpenReviews(ctx, dueAfter, after, reviewBatch)
		if err != nil {
			return fmt.Errorf("list open reviews: %w", err)
		}
		for _, v := range reviews {
			by := deed.Acting{Person: v.OpenedBy, Role: v.OpenedRole, Operator: "expiry"} // as she said when she opened it
			if v.Removes && !v.DueAt.After(r.Now()) {
				stands, err := r.stands(ctx, v)
				if err == nil && stands {
					err = r.lapseReview(ctx, by, v.ID)
				}
				if err != nil {
					return err
				}
			}
			if err := r.closeReview(ctx, by, v.ID); err != nil {
				return err
			}
			dueAfter, after = v.DueAt, v.ID
		}
		if len(reviews) < reviewBatch {
			return nil
		}
	}
}

// stands says whether the officer who opened a review may still do so. What she said of it goes no further otherwise: it waits for
// another officer, item by item.
func (r *Registrar) stands(ctx context.Context, v store.Review) (bool, error) {
	path, err := r.Store.OrganisationPath(ctx, v.OrganisationCode)
	if err != nil {
		return false, fmt.Errorf("read organisations above %q: %w", v.OrganisationCode, err)
	}
	err = StillMay(ctx, r.Store, r.Rules, v.OpenedBy, authority.ReviewAccess, authority.Subject{Path: path}, r.Now())
	if deed.Refused(err) {
		return false, nil
	}
	return err == nil, err
}

// lapseReview removes what nobody has decided in a review.
func (r *Registrar) lapseReview(ctx context.Context, by deed.Acting, id uuid.UUID) error {
	for after := ""; ; {
		items, err := r.Store.UndecidedItems(ctx, id, store.Order{}, after, reviewBatch, r.Now())
		if err != nil {
			return fmt.Errorf("list what is undecided in review %s: %w", id, err)
		}
		for _, i := range items {
			after = i.RoleID
			if len(r.Rules.ActorsOf(i.JobRole, i.Activities)) > 0 {
				continue
			}
			err := r.act(ctx, by, audit.ReviewDecided, func(a *act) error {
				p, item, err := a.reviewItem(ctx, id, i.RoleID)
				if err != nil {
					return err
				}
				return a.settleItem(ctx, id, p, item, Unreviewed, nil, nil)
			})
			if refusal, refused := errors.AsType[*deed.Refusal](err); refused { // somebody was quicker
				r.Log.DebugContext(ctx, "nothing is left to remove", slog.String("role", i.RoleID), slog.Any("why", refusal))
				continue
			}
			if err != nil {
				return fmt.Errorf("remove role %s: %w", i.RoleID, err)
			}
		}
		if len(items) < reviewBatch {
			return nil
		}
	}
}
