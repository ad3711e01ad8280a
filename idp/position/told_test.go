package position_test

import (
	"context"
	"log/slog"
	"net/mail"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/credence-id/credence/idp/deed"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/messenger"
	"github.com/credence-id/credence/idp/position"
	"github.com/credence-id/credence/idp/seal"
)

const day = 24 * time.Hour

// tells has the desk tell people by mail. Nothing is sent: what waits is looked at.
func (d *desk) tells() *messenger.Outbox {
	d.t.Helper()
	key, _ := seal.NewKey()
	o := messenger.New(messenger.Config{
		Store: d.Store, Key: key, Issuer: "https://id.example.org", From: &mail.Address{Address: "registration@example.org"},
		Carrier: messenger.Folder(d.t.TempDir()), Now: d.clock, Log: slog.New(slog.DiscardHandler),
	})
	d.Messenger = o
	return o
}

// reachable is a person whom mail reaches.
func (d *desk) reachable() string {
	d.t.Helper()
	id, err := directory.AddPerson(d.t.Context(), d.Store, directory.NewPerson{GivenName: "Ana", FamilyName: "Ng", Email: "ana@example.org"}, "operator", now)
	must(d.t, err)
	return id
}

// give gives a position as a sponsor asks for it.
func (d *desk) give(q position.Asked) {
	d.t.Helper()
	_, err := d.Decide(d.t.Context(), d.agent, d.ask(q), position.Approve, "Yes", "")
	must(d.t, err)
}

// told checks of what people were told so far, as "person kind", in order.
func (d *desk) told(when string, want ...string) {
	d.t.Helper()
	rows, err := d.connect().Query(d.t.Context(), `SELECT person_id || ' ' || kind FROM message ORDER BY created_at, id`)
	must(d.t, err)
	got, err := pgx.CollectRows(rows, pgx.RowTo[string])
	must(d.t, err)
	if diff := cmp.Diff(append([]string{}, want...), got); diff != "" {
		d.t.Errorf("told %s (-want +got):\n%s", when, diff)
	}
}

// Who asked is told of the decision, and who gets a position of that, with the decision and not without it.
func TestDecisionsAreTold(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	d.tells()
	nurse := d.reachable()
	must(t, d.exec(`UPDATE person SET email = 'sponsor@example.org' WHERE id = $1`, d.sponsor.Person))
	request := d.ask(asked(nurse, d.position(nil)))
	_, err := d.Decide(ctx, d.elsewhere, request, position.Approve, "Yes", "")
	refused(t, "Decide(by an officer of elsewhere)", err, deed.AnotherOrganisation)
	d.told("of a decision that was refused")
	_, err = d.Decide(ctx, d.agent, request, position.Approve, "Yes", "")
	must(t, err)
	d.told("of an approval", d.sponsor.Person+" request_decided", nurse+" position_given")
	other := d.ask(asked(nurse, d.position(func(p *position.Draft) { p.Name = "Another" })))
	_, err = d.Decide(ctx, d.agent, other, position.Refuse, "No", "")
	must(t, err)
	d.told("of a refusal", d.sponsor.Person+" request_decided", nurse+" position_given", d.sponsor.Person+" request_decided")
	assignable := d.position(func(p *position.Draft) { p.Name, p.Assignable, p.Activities = "Third", true, []string{"B0401"} })
	_, err = d.Ask(ctx, d.sponsor, asked(nurse, assignable))
	must(t, err)
	d.told("of what was given at once", d.sponsor.Person+" request_decided", nurse+" position_given", d.sponsor.Person+" request_decided", nurse+" position_given")
}

// Requests that nobody decided in time leave the queue, one line of the record each, whatever the number of replicas.
func TestLapse(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	d.tells()
	must(t, d.exec(`UPDATE person SET email = 'sponsor@example.org' WHERE id = $1`, d.sponsor.Person))
	id := d.position(nil)
	for range 60 { // more than one transaction ends
		d.ask(asked(d.person(), id))
	}
	d.wait(30*day - time.Second)
	late := d.ask(asked(d.nurse, id))
	must(t, d.Lapse(ctx))
	if got := d.events("request_lapsed"); len(got) != 0 {
		t.Errorf("lapsed before their time = %d, want none", len(got))
	}
	d.wait(time.Second)
	var replicas sync.WaitGroup
	for range 2 {
		replicas.Go(func() {
			if err := d.Lapse(ctx); err != nil {
				t.Errorf("Lapse() = %v", err)
			}
		})
	}
	replicas.Wait()
	must(t, d.Lapse(ctx)) // what a replica passed over because the other had it
	if got := d.events("request_lapsed"); len(got) != 60 {
		t.Errorf("lines of the record = %d, want 60", len(got))
	}
	if line := d.last("request_lapsed"); line.Actor != "expiry" || line.Detail["position"] != id {
		t.Errorf("line of the record = %+v, want it of the position, by nobody", line)
	}
	open, err := d.Queue(ctx, d.sponsor, position.Wanted{}, uuid.Nil, 100)
	must(t, err)
	if len(open) != 1 || open[0].ID != late {
		t.Errorf("Queue() = %v, want what was asked later alone", open)
	}
	d.told("of what lapsed", slices.Repeat([]string{d.sponsor.Person + " request_lapsed"}, 60)...)
	_, err = d.Ask(ctx, d.sponsor, asked(d.nurse, id))
	refused(t, "Ask(again for what is open)", err, position.OpenAlready)
}

// A request that somebody is deciding does not lapse under her hands, and holds up no other.
func TestLapsePassesOverWhatIsBeingDecided(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	id := d.position(nil)
	held := d.ask(asked(d.nurse, id))
	d.ask(asked(d.person(), id))
	d.wait(30 * day)
	holder := d.connect()
	for _, statement := range []string{`BEGIN`, `SELECT FROM request WHERE id = '` + held.String() + `' FOR NO KEY UPDATE`} {
		_, err := holder.Exec(ctx, statement)
		must(t, err)
	}
	must(t, d.Lapse(ctx))
	if got := d.events("request_lapsed"); len(got) != 1 {
		t.Errorf("lapsed beside one that is held = %d, want 1", len(got))
	}
	_, err := holder.Exec(ctx, `COMMIT`)
	must(t, err)
	must(t, d.Lapse(ctx))
	if got := d.events("request_lapsed"); len(got) != 2 {
		t.Errorf("lapsed after that = %d, want 2", len(got))
	}
}

// Run ends what has lapsed as soon as it begins, and ends with its context.
func TestRunLapse(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.ask(asked(d.nurse, d.position(nil)))
	d.wait(30 * day)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- d.RunLapse(ctx) }()
	tick, deadline := time.NewTicker(time.Millisecond), time.After(30*time.Second)
	defer tick.Stop()
	for len(d.events("request_lapsed")) == 0 {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatal("after 30 s nothing has lapsed")
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Errorf("RunLapse() = %v, want no error when its context ends", err)
	}
}

// Whoever introduced somebody is told that nobody took her up in time, or that another refused it; not of what she does herself.
func TestEndsOfIntroductionsAreTold(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	d.tells()
	must(t, d.exec(`UPDATE person SET email = 'sponsor@example.org' WHERE id = $1`, d.sponsor.Person))
	id := d.position(nil)
	introduce := func() uuid.UUID {
		t.Helper()
		introduction, err := d.Introduce(ctx, d.sponsor, newcomer(id))
		must(t, err)
		return introduction
	}
	must(t, d.Dismiss(ctx, d.sponsor, introduce(), "She will not come"))
	d.told("of what she withdrew")
	introduction := introduce()
	must(t, d.Dismiss(ctx, d.agent, introduction, "No such post"))
	refused(t, "Dismiss(again)", d.Dismiss(ctx, d.agent, introduction, "No such post"), position.EndedAlready)
	d.told("of a refusal", d.sponsor.Person+" introduction_ended")
	introduce()
	d.wait(31 * day)
	var replicas sync.WaitGroup
	for range 2 {
		replicas.Go(func() {
			if err := d.Lapse(ctx); err != nil {
				t.Errorf("Lapse() = %v", err)
			}
		})
	}
	replicas.Wait()
	d.told("of what lapsed", d.sponsor.Person+" introduction_ended", d.sponsor.Person+" introduction_ended")
}

// Whose position an officer ends is told, and not of one that takes the place of another; when the position is closed, all who hold it
// are, and whoever asked for it.
func TestEndsOfPositionsAreTold(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	d.tells()
	id := d.position(nil)
	nurse := d.reachable()
	d.give(asked(nurse, id))
	must(t, d.exec(`DELETE FROM message`))
	end := asked(nurse, id)
	end.Kind = position.End
	d.give(end)
	d.told("of an end", nurse+" position_ended")
	longer := asked(nurse, id)
	longer.ExpiresAt = new(now.Add(100 * day))
	d.give(longer)
	longer.ExpiresAt = new(now.Add(200 * day))
	d.give(longer)
	d.told("of a renewal", nurse+" position_ended", nurse+" position_given", nurse+" position_given")
	must(t, d.exec(`UPDATE person SET email = 'sponsor@example.org' WHERE id = $1`, d.sponsor.Person))
	d.ask(asked(d.person(), id))
	must(t, d.exec(`DELETE FROM message`))
	version, err := d.Close(ctx, d.manager, id, 1, "The ward closes")
	must(t, err)
	d.told("of a proposal")
	_, err = d.Approve(ctx, d.otherManager, id, version)
	must(t, err)
	d.told("of a closing", d.sponsor.Person+" request_cancelled", nurse+" position_ended")
}

// Whoever has a position is reminded 30 days and 7 days before it ends, once each, whatever the number of replicas.
func TestReminders(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	o := d.tells()
	nurse := d.reachable()
	id := d.position(nil)
	give := func(person string, ends *time.Time) {
		t.Helper()
		q := asked(person, id)
		q.ExpiresAt = ends
		d.give(q)
	}
	ends := now.Add(100 * day)
	give(nurse, &ends)
	give(d.reachable(), nil)                  // which has no end
	give(d.reachable(), new(now.Add(20*day))) // of which she was told when she got it
	give(d.nurse, &ends)                      // whom no mail reaches
	disabled := d.reachable()                 // who has no access any more
	give(disabled, &ends)                     //
	must(t, d.exec(`UPDATE person SET disabled_at = $2 WHERE id = $1`, disabled, now))
	must(t, d.exec(`DELETE FROM message`))
	remind := func(at time.Duration, when string, want ...string) {
		t.Helper()
		d.wait(now.Add(at).Sub(d.clock()))
		var replicas sync.WaitGroup
		for range 2 {
			replicas.Go(func() {
				if err := o.Remind(t.Context()); err != nil {
					t.Errorf("Remind(%s) = %v", when, err)
				}
			})
		}
		replicas.Wait()
		d.told(when, want...)
	}
	reminder := nurse + " position_ends"
	remind(0, "at first")
	remind(70*day-time.Second, "before it is time")
	remind(70*day, "30 days before", reminder)
	remind(71*day, "29 days before", reminder)
	remind(92*day, "8 days before", reminder)
	remind(94*day, "6 days before, because servers were away", reminder, reminder)
	remind(99*day, "the day before", reminder, reminder)
	remind(101*day, "after the end", reminder, reminder)
}

// Who has the position for longer already is not reminded of an end that is none.
func TestNobodyIsRemindedOfWhatWasRenewed(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	o := d.tells()
	id := d.position(nil)
	nurse, other := d.reachable(), d.reachable()
	give := func(person string, starts time.Time, ends *time.Time) {
		t.Helper()
		q := asked(person, id)
		q.StartsAt, q.ExpiresAt = starts, ends
		d.give(q)
	}
	ends := now.Add(100 * day)
	give(nurse, now, &ends)
	give(other, now, &ends)
	d.wait(60 * day)
	give(nurse, ends, nil)
	must(t, d.exec(`DELETE FROM message`))
	d.wait(10 * day)
	must(t, o.Remind(ctx))
	d.told("30 days before", other+" position_ends")
}
