package position_test

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/deed"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/position"
	"github.com/credence-id/credence/store"
)

const week = 7 * 24 * time.Hour

// held gives somebody a position: the sponsor asks, and the officer approves.
func (d *desk) held(person, of string, by deed.Acting) string {
	d.t.Helper()
	a, err := d.Decide(d.t.Context(), by, d.ask(asked(person, of)), position.Approve, "Yes", "")
	must(d.t, err)
	return a.Role
}

func scope(of string) position.Scope {
	return position.Scope{Organisation: of, DueAt: now.Add(week), Reason: "Each spring"}
}

// review opens a review as the manager.
func (d *desk) review(s position.Scope) uuid.UUID {
	d.t.Helper()
	id, err := d.OpenReview(d.t.Context(), d.manager, s)
	must(d.t, err)
	return id
}

// outcomes are what became of the items of a review, by role; "" is nothing yet.
func (d *desk) outcomes(id uuid.UUID) map[string]string {
	d.t.Helper()
	items, err := d.Store.ReviewItems(d.t.Context(), id, store.Order{}, "", 1000)
	must(d.t, err)
	got := make(map[string]string)
	for _, i := range items {
		got[i.RoleID] = ""
		if i.Outcome != nil {
			got[i.RoleID] = *i.Outcome
		}
	}
	return got
}

// closed says whether a review is closed.
func (d *desk) closed(id uuid.UUID) bool {
	d.t.Helper()
	row, err := d.Store.Review(d.t.Context(), id, d.clock())
	must(d.t, err)
	return row.ClosedAt != nil
}

// decideOne decides one item and returns why it was left, if it was.
func (d *desk) decideOne(by deed.Acting, id uuid.UUID, role string, outcome position.Outcome) error {
	d.t.Helper()
	left, err := d.DecideReview(d.t.Context(), by, id, []string{role}, outcome)
	if err == nil && len(left) == 1 {
		return left[0].Refusal
	}
	return err
}

// A review is about who holds positions when it is opened. One is certified and one removed, which ends it; then it is closed.
func TestReview(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	ward, other := d.position(nil), d.person()
	kept, gone := d.held(d.nurse, ward, d.agent), d.held(other, ward, d.agent)
	ended := d.held(d.person(), ward, d.agent)
	d.wait(time.Minute)
	id := d.review(scope(hospital))
	later := d.held(d.person(), ward, d.agent)
	if diff := cmp.Diff(map[string]string{kept: "", gone: "", ended: ""}, d.outcomes(id)); diff != "" {
		t.Errorf("what the review is about (-want +got):\n%s", diff)
	}
	must(t, d.exec(`UPDATE role_profile SET ends_at = $2 WHERE id = $1`, ended, d.clock()))
	left, err := d.DecideReview(ctx, d.otherAgent, id, []string{kept, ended}, position.Certified)
	must(t, err)
	if len(left) != 1 || left[0].Role != ended || left[0].Refusal.Reason != position.NotHeld {
		t.Errorf("DecideReview(what ended meanwhile) left %v, want it alone", left)
	}
	if d.closed(id) {
		t.Error("the review is closed before all is decided")
	}
	must(t, d.decideOne(d.otherAgent, id, gone, position.Removed))
	if diff := cmp.Diff(map[string]string{kept: "certified", gone: "removed", ended: ""}, d.outcomes(id)); diff != "" || !d.closed(id) {
		t.Errorf("what became of it, closed %t (-want +got):\n%s", d.closed(id), diff)
	}
	if len(d.roles(d.nurse)) != 1 || len(d.roles(other)) != 0 {
		t.Errorf("roles = %v and %v, want that of who was certified", d.roles(d.nurse), d.roles(other))
	}
	refused(t, "DecideReview(what was decided)", d.decideOne(d.agent, id, gone, position.Removed), deed.DecidedAlready)
	if err := d.decideOne(d.otherAgent, id, gone, position.Certified); err == nil || !strings.Contains(err.Error(), "you have decided this already") {
		t.Errorf("DecideReview(what she decided herself) = %v, want that it was she", err)
	}
	if err := d.decideOne(d.otherAgent, id, later, position.Certified); err == nil {
		t.Error("DecideReview(what the review is not about) = nil, want an error")
	}
	row, err := d.Store.Review(ctx, id, d.clock())
	must(t, err)
	if row.Items != 3 || row.Certified != 1 || row.Removed != 1 || row.Undecided != 0 {
		t.Errorf("Review() = %+v, want 3 items, 1 certified, 1 removed, none undecided", row)
	}
	line := d.last("role_ended")
	if line.PersonID != other || line.Detail["role"] != gone || line.Detail["officer"] != d.otherAgent.Person {
		t.Errorf("the record of the end = %+v, want of whom, what and by whom", line)
	}
	want := []string{"review_opened", "review_decided not_held", "review_decided", "review_decided", "review_closed", "review_decided decided_already", "review_decided decided_already"}
	got := d.events("review_opened", "review_decided", "review_closed")
	if len(got) != len(want) {
		t.Errorf("record = %q, want %q", got, want)
	}
}

// Who is not proved any more as an officer is decides nothing of a review, and is told once.
func TestReviewByWhoIsNotProved(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	ward := d.position(nil)
	roles := []string{d.held(d.nurse, ward, d.agent), d.held(d.person(), ward, d.agent)}
	id := d.review(scope(hospital))
	must(t, d.exec(`UPDATE person SET identity_level = 'medium' WHERE id = $1`, d.otherAgent.Person))
	left, err := d.DecideReview(ctx, d.otherAgent, id, roles, position.Removed)
	refused(t, "DecideReview(by who is not proved)", err, deed.NotProved)
	if len(left) != 0 {
		t.Errorf("DecideReview(by who is not proved) left %v, want that it is refused as a whole", left)
	}
	if diff := cmp.Diff(map[string]string{roles[0]: "", roles[1]: ""}, d.outcomes(id)); diff != "" {
		t.Errorf("outcomes (-want +got):\n%s", diff)
	}
}

func TestReviewIsRefused(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	ward := d.position(nil)
	manages := d.position(func(p *position.Draft) { p.JobRole, p.Activities = raManager, nil })
	open := func(by deed.Acting, change func(*position.Scope)) error {
		s := scope(hospital)
		if change != nil {
			change(&s)
		}
		_, err := d.OpenReview(ctx, by, s)
		return err
	}
	refused(t, "OpenReview(nobody holds anything)", open(d.manager, nil), position.NothingToReview)
	role := d.held(d.nurse, ward, d.agent)
	high := d.held(d.person(), manages, d.manager)
	own := d.held(d.otherAgent.Person, ward, d.manager)
	d.wait(time.Minute)
	refused(t, "OpenReview(by a sponsor)", open(d.sponsor, nil), deed.NoRight)
	refused(t, "OpenReview(by an officer elsewhere)", open(d.elsewhere, nil), deed.AnotherOrganisation)
	for what, change := range map[string]func(*position.Scope){
		"without a reason": func(s *position.Scope) { s.Reason = "" },
		"due now":          func(s *position.Scope) { s.DueAt = d.clock() },
		"due in two years": func(s *position.Scope) { s.DueAt = now.AddDate(2, 0, 0) },
	} {
		if _, ok := directory.Mistakes(open(d.agent, change)); !ok {
			t.Errorf("OpenReview(%s) = nil, want a mistake", what)
		}
	}
	refused(t, "OpenReview(of nobody below)", open(d.manager, func(s *position.Scope) { s.Organisation = surgery }), position.NothingToReview)
	board := scope(board)
	board.Below = true
	all := d.review(board)
	if n := len(d.outcomes(all)); n != 3 {
		t.Errorf("a review of the board and below is about %d, want 3", n)
	}
	refused(t, "OpenReview(by an advanced agent)", open(d.otherAgent, nil), "")
	refused(t, "OpenReview(again)", open(d.agent, nil), position.ReviewOpenAlready)

	refused(t, "DecideReview(by a sponsor)", d.decideOne(d.sponsor, all, role, position.Certified), deed.NoRight)
	refused(t, "DecideReview(by an officer elsewhere)", d.decideOne(d.elsewhere, all, role, position.Removed), deed.AnotherOrganisation)
	refused(t, "DecideReview(what she holds)", d.decideOne(d.otherAgent, all, own, position.Certified), deed.OwnPerson)
	refused(t, "DecideReview(to remove what she holds)", d.decideOne(d.otherAgent, all, own, position.Removed), deed.OwnPerson)
	refused(t, "DecideReview(of an officer above her)", d.decideOne(d.agent, all, high, position.Removed), deed.AboveOwn)
	refused(t, "DecideReview(to certify what she approved)", d.decideOne(d.agent, all, role, position.Certified), position.OwnGiving)
	refused(t, "DecideReview(to remove what she approved)", d.decideOne(d.agent, all, role, position.Removed), "")
	refused(t, "DecideReview(of a manager by another)", d.decideOne(d.otherManager, all, high, position.Certified), "")
	refused(t, "DecideReview(what another approved)", d.decideOne(d.otherManager, all, own, position.Certified), "")

	// The database refuses it too.
	for constraint, statement := range map[string]string{
		"review_item_not_of_oneself":       `UPDATE review_item SET outcome = 'removed', decided_by = person_id, decided_role = $1, decided_at = now() WHERE outcome IS NULL`,
		"review_item_certified_by_another": `UPDATE review_item SET outcome = 'certified', decided_by = given_by, decided_role = $1, decided_at = now() WHERE outcome IS NULL`,
		"review_item_decided_wholly":       `UPDATE review_item SET outcome = 'lapsed', decided_by = given_by, decided_role = $1, decided_at = now() WHERE outcome IS NULL`,
		"for good":                         `UPDATE review_item SET decided_role = $1 WHERE outcome IS NOT NULL`,
	} {
		if err := d.exec(statement, d.manager.Role); err == nil || !strings.Contains(err.Error(), constraint) {
			t.Errorf("%s = %v, want %s", statement, err, constraint)
		}
	}
}

// What nobody certifies is removed only if the review says so, after it was due, and never what makes officers.
func TestReviewThatRemoves(t *testing.T) {
	t.Parallel()
	for _, removes := range []bool{false, true} {
		t.Run(fmt.Sprint(removes), func(t *testing.T) {
			t.Parallel()
			d, ctx := newDesk(t), t.Context()
			d.Log = slog.New(slog.DiscardHandler)
			ward := d.position(nil)
			sponsors := d.position(func(p *position.Draft) { p.JobRole, p.Activities = support, []string{"B1300"} })
			other := d.person()
			role, kept, high := d.held(d.nurse, ward, d.agent), d.held(other, ward, d.agent), d.held(d.person(), sponsors, d.agent)
			s := scope(hospital)
			s.Removes = removes
			id := d.review(s)
			must(t, d.decideOne(d.otherAgent, id, kept, position.Certified))
			d.wait(week - time.Second)
			must(t, d.LapseReviews(ctx))
			if n := len(d.roles(d.nurse)); n != 1 {
				t.Errorf("roles before the review is due = %d, want 1", n)
			}
			d.wait(time.Second)
			must(t, d.LapseReviews(ctx))
			want := map[string]string{role: "", kept: "certified", high: ""}
			if removes {
				want[role] = "lapsed"
			}
			if diff := cmp.Diff(want, d.outcomes(id)); diff != "" {
				t.Errorf("what became of it (-want +got):\n%s", diff)
			}
			if n := len(d.roles(d.nurse)); n != map[bool]int{false: 1, true: 0}[removes] || len(d.roles(other)) != 1 || d.closed(id) {
				t.Errorf("roles = %d, those that were certified %d, closed %t", n, len(d.roles(other)), d.closed(id))
			}
			if removes {
				if line := d.last("role_ended"); line.Actor != "expiry" || line.Detail["officer"] != d.manager.Person {
					t.Errorf("the record says %+v, want that it expired, by the review of the manager", line)
				}
			}
			must(t, d.decideOne(d.otherAgent, id, high, position.Certified)) // it is overdue, and can be decided still
			if !removes {
				must(t, d.decideOne(d.otherAgent, id, role, position.Certified))
			}
			if !d.closed(id) {
				t.Error("the review is not closed after all was decided")
			}
		})
	}
}

// A review removes nothing for an officer who is none any more: whoever took her account over would else have the last word.
func TestReviewOfNoOfficerRemovesNothing(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.Log = slog.New(slog.DiscardHandler)
	role := d.held(d.nurse, d.position(nil), d.agent)
	s := scope(hospital)
	s.Removes = true
	id := d.review(s)
	must(t, directory.DisablePerson(t.Context(), d.Store, d.manager.Person, "operator", d.clock()))
	d.wait(week)
	must(t, d.LapseReviews(t.Context()))
	if diff := cmp.Diff(map[string]string{role: ""}, d.outcomes(id)); diff != "" || len(d.roles(d.nurse)) != 1 {
		t.Errorf("what became of it (-want +got), with roles %v:\n%s", d.roles(d.nurse), diff)
	}
	must(t, d.decideOne(d.otherAgent, id, role, position.Removed)) // another officer does
	if len(d.roles(d.nurse)) != 0 {
		t.Errorf("roles after another officer removed it = %v, want none", d.roles(d.nurse))
	}
}

// What ended by itself leaves nothing to decide, so the review is closed.
func TestReviewClosesByItself(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	q := asked(d.nurse, d.position(nil))
	q.ExpiresAt = new(now.Add(time.Hour))
	_, err := d.Decide(t.Context(), d.agent, d.ask(q), position.Approve, "Yes", "")
	must(t, err)
	id := d.review(scope(hospital))
	must(t, d.LapseReviews(t.Context()))
	if d.closed(id) {
		t.Error("the review is closed while something is left to decide")
	}
	d.wait(time.Hour)
	must(t, d.LapseReviews(t.Context()))
	if !d.closed(id) {
		t.Error("the review is open though nothing is left to decide")
	}
	if row := must1(d.Store.Review(t.Context(), id, d.clock()))(t); row.Undecided != 0 || row.Items != 1 {
		t.Errorf("Review() = %+v, want one item, none undecided", row)
	}
	refused(t, "OpenReview(after the other)", func() error {
		_, err := d.OpenReview(t.Context(), d.manager, position.Scope{Organisation: hospital, DueAt: d.clock().Add(week), Reason: "x"})
		return err
	}(), position.NothingToReview)
}

// Of many who open a review or decide in it at once one does.
func TestRacesOfReviews(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	role := d.held(d.nurse, d.position(nil), d.agent)
	won, reasons := race(t, func(i int) error {
		_, err := d.OpenReview(ctx, []deed.Acting{d.manager, d.otherManager}[i%2], scope(hospital))
		return err
	})
	if won != 1 || fmt.Sprint(reasons) != "[review_open_already]" {
		t.Errorf("reviews = %d, the others %v, want 1, [review_open_already]", won, reasons)
	}
	open := must1(d.Store.Reviews(ctx, hospital, true, store.Order{}, uuid.Nil, 10, d.clock()))(t)
	if len(open) != 1 {
		t.Fatalf("reviews = %d, want 1", len(open))
	}
	won, reasons = race(t, func(i int) error {
		outcome := []position.Outcome{position.Certified, position.Removed}[i%2]
		return d.decideOne([]deed.Acting{d.manager, d.otherManager, d.otherAgent}[i%3], open[0].ID, role, outcome)
	})
	if won != 1 || fmt.Sprint(reasons) != "[decided_already]" {
		t.Errorf("decisions = %d, the others %v, want 1, [decided_already]", won, reasons)
	}
	outcome := d.outcomes(open[0].ID)[role]
	if held := len(d.roles(d.nurse)); held != map[string]int{"certified": 1, "removed": 0}[outcome] {
		t.Errorf("roles after it was %s = %d", outcome, held)
	}
}

func must1[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		must(t, err)
		return v
	}
}

// Who opened a review is reminded of it a week before it is due, and then, once each, while something is left to decide.
func TestReviewIsRemindedOf(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	role := d.held(d.nurse, d.position(nil), d.agent)
	person := d.reachable()
	must(t, d.exec(`UPDATE person SET identity_level = 'high' WHERE id = $1`, person))
	o := d.tells()
	s := scope(hospital)
	s.DueAt = now.Add(3 * week)
	id, err := d.OpenReview(ctx, deed.Acting{Person: person, Role: d.grant(person, board, raManager)}, s)
	must(t, err)
	remind := func(after time.Duration) {
		t.Helper()
		d.wait(after)
		must(t, o.Remind(ctx))
		must(t, o.Remind(ctx))
	}
	remind(2*week - time.Minute)
	d.told("before the week")
	remind(time.Minute)
	d.told("a week before", person+" review_due")
	remind(week)
	d.told("when it is due", person+" review_due", person+" review_due")
	must(t, d.decideOne(d.otherAgent, id, role, position.Certified))
	remind(time.Hour)
	d.told("after it was finished", person+" review_due", person+" review_due")
}
