// Package messenger tells people by mail what was done to their accounts and positions, and reminds them of what ends.
//
// It guarantees that
//   - a message is written in the transaction of the act that it is about, so that nobody is told of what did not happen, and
//     nothing that happened goes untold ([Outbox.Post]);
//   - it is sent by one of any number of replicas, at least once: one that dies between sending and saying so leaves the
//     message to another, and both carry the same Message-ID (RFC 5322, Section 3.6.4);
//   - while the mail server is away it is tried again, for two days; then that is on record;
//   - what it says rests sealed until it was sent, and nowhere after that;
//   - each is in the language of who reads it, and says where she finds help;
//   - nothing that anybody is called can add a header to it, and no program answers it (RFC 3834, Section 5).
//
// A nil [Outbox] tells nobody anything.
package messenger

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/mail"
	"text/template"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	gomail "github.com/wneessen/go-mail"

	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/idp/seal"
	"github.com/credence-id/credence/store"
	"github.com/credence-id/credence/web"
)

// Carrier brings a message to whom it is for, or to who does. It gives up by itself when that takes too long.
type Carrier interface {
	Carry(ctx context.Context, m *gomail.Msg) error
}

// Config is what an outbox is made of.
type Config struct {
	Store   *store.Store
	Key     seal.Key
	Issuer  string        // whose pages letters lead to
	From    *mail.Address // whom people see as the sender
	Carrier Carrier
	Help    func(store.Person) web.Help // where somebody finds help, as each letter to her says; the zero value is nobody in particular. Nil says nothing of it
	Now     func() time.Time
	Log     *slog.Logger
}

// Outbox keeps messages until they were sent.
type Outbox struct {
	store   *store.Store
	box     seal.Box
	issuer  string
	from    *mail.Address
	carrier Carrier
	now     func() time.Time
	log     *slog.Logger

	help     func(store.Person) web.Help
	letters  map[web.Language]func() (*template.Template, error) // the first call parses
	messages *prometheus.CounterVec
}

// Outcomes of an attempt to send a message, as they are counted.
const (
	sent    = "sent"
	failed  = "failed" // and is tried again
	givenUp = "given_up"
)

// New returns an outbox that has not begun to send: see [Outbox.RunDelivery] and [Outbox.RunReminders].
func New(c Config) *Outbox {
	o := &Outbox{
		store: c.Store, box: c.Key.Box("message"), issuer: c.Issuer, from: c.From, carrier: c.Carrier, now: c.Now, log: c.Log, help: c.Help, letters: lettersByLanguage(),
		messages: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "credence_messages_total", Help: "Attempts to send a message, by what came of them.",
		}, []string{"outcome"}),
	}
	for _, outcome := range []string{sent, failed, givenUp} {
		o.messages.WithLabelValues(outcome)
	}
	return o
}

// Collectors are the metrics of the outbox.
func (o *Outbox) Collectors() []prometheus.Collector {
	if o == nil {
		return nil
	}
	return []prometheus.Collector{o.messages}
}

// Message is what a person is to be told.
type Message struct {
	Person  string
	Address string // to which it goes, such as one that she had before; "" is that on her record
	Once    string // what it is about, where it is told once; "" where it is told each time
	Letter  Letter
}

// Post writes a message in the caller's transaction, in the language of the person. Somebody who has no address is not told.
func (o *Outbox) Post(ctx context.Context, tx *store.Tx, m Message) error {
	if o == nil {
		return nil
	}
	found, err := tx.Person(ctx, m.Person, o.now())
	if err != nil {
		return fmt.Errorf("read person %s, who is to be told: %w", m.Person, err)
	}
	row := store.Message{PersonID: m.Person, Address: cmp.Or(m.Address, found.Person.Email)}
	if row.Address == "" {
		return nil
	}
	if m.Once != "" {
		row.DedupeKey = &m.Once
	}
	return o.add(ctx, tx, row, reader{web.LanguageNamed(found.Person.Language), found.Person.DisplayName, o.helps(found.Person)}, m.Letter)
}

// PostToSelfRegistered writes a message to the address of somebody who registers herself and is nobody yet, in the language of the page
// on which she does. It calls her nothing: the address may be another's, who is not to read whatever somebody has entered as a name.
func (o *Outbox) PostToSelfRegistered(ctx context.Context, tx *store.Tx, registration uuid.UUID, address string, language web.Language, l Letter) error {
	if o == nil {
		return nil
	}
	return o.add(ctx, tx, store.Message{SelfRegistrationID: &registration, Address: address}, reader{language: language, help: o.helps(store.Person{})}, l)
}

// helps is where somebody finds help.
func (o *Outbox) helps(p store.Person) web.Help {
	if o.help == nil {
		return web.Help{}
	}
	return o.help(p)
}

// add writes a letter, and puts it into the outbox.
func (o *Outbox) add(ctx context.Context, tx *store.Tx, row store.Message, to reader, l Letter) error {
	text, err := o.write(to, l)
	if err != nil {
		return err
	}
	if row.ID, err = uuid.NewV7(); err != nil {
		return fmt.Errorf("draw an id: %w", err)
	}
	row.Kind, row.CreatedAt = l.kind(), o.now()
	if row.TextSealed, err = o.seal(text, row.ID); err != nil {
		return err
	}
	if err := tx.AddMessage(ctx, row); err != nil {
		return fmt.Errorf("add message: %w", err)
	}
	return nil
}

const (
	// lease is how long a message is left to the replica that claimed it: longer than it may take to send a batch.
	lease = 5 * time.Minute
	// batch is how many messages a replica claims at a time.
	batch = 10
	// sendDeadline is how long one may take.
	sendDeadline = 20 * time.Second
	// deliverEvery is how often a replica looks for messages.
	deliverEvery = 5 * time.Second
	// patience is how long a message is tried again and again.
	patience = 48 * time.Hour
	// firstWait is how long after the first failure it is tried again; each further one doubles that, up to mostWait.
	firstWait = time.Minute
	mostWait  = 6 * time.Hour
)

// RunDelivery sends what is due until the context ends.
func (o *Outbox) RunDelivery(ctx context.Context) error {
	if o == nil {
		return nil
	}
	return o.repeat(ctx, deliverEvery, "messages are not sent", "messages are sent again", o.Deliver)
}

// repeat does something at once and then at an interval. The log says when it begins to fail, and when it no longer does.
func (o *Outbox) repeat(ctx context.Context, every time.Duration, failing, mended string, do func(context.Context) error) error {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for failed := false; ; {
		switch err := do(ctx); {
		case ctx.Err() != nil:
		case err != nil && !failed:
			failed = true
			o.log.ErrorContext(ctx, "a part of the messenger fails", slog.String("so", failing), slog.Any("error", err))
		case err == nil && failed:
			failed = false
			o.log.InfoContext(ctx, "a part of the messenger works again", slog.String("so", mended))
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// Deliver sends what is due, once. It fails when the mail server cannot be reached, and leaves the rest for later.
func (o *Outbox) Deliver(ctx context.Context) error {
	for {
		now := o.now()
		claimed, err := o.store.ClaimMessages(ctx, now.Add(lease), batch, now)
		if err != nil {
			return fmt.Errorf("claim messages: %w", err)
		}
		for _, m := range claimed {
			if err := o.deliver(ctx, m); err != nil {
				return err
			}
		}
		if len(claimed) < batch {
			return nil
		}
	}
}

// deliver sends a message. No transaction is open meanwhile, and what came of it is noted also when the program is told to
// stop.
func (o *Outbox) deliver(ctx context.Context, m store.Message) error {
	composed, err := o.compose(m)
	if err == nil {
		err = o.carry(ctx, composed)
	}
	if err != nil && ctx.Err() != nil {
		return nil // it was stopped on the way: whoever claims it next tries again
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), sendDeadline)
	defer cancel()
	if err != nil {
		return o.fail(ctx, m, err)
	}
	o.messages.WithLabelValues(sent).Inc()
	if err := o.store.MessageSent(ctx, m.ID, o.now()); err != nil {
		return fmt.Errorf("note that message %s was sent: %w", m.ID, err)
	}
	return nil
}

func (o *Outbox) carry(ctx context.Context, m *gomail.Msg) error {
	ctx, cancel := context.WithTimeout(ctx, sendDeadline)
	defer cancel()
	return o.carrier.Carry(ctx, m)
}

// fail notes that a message was not sent: it is tried again, or never. It returns the error when others would meet it too.
func (o *Outbox) fail(ctx context.Context, m store.Message, cause error) error {
	why, hopeless := reason(cause)
	now := o.now()
	if hopeless || now.Sub(m.CreatedAt) >= patience {
		if err := o.giveUp(ctx, m, why, now); err != nil {
			return err
		}
	} else {
		wait := min(firstWait<<min(m.Attempts, 20), mostWait)
		if err := o.store.PostponeMessage(ctx, m.ID, now.Add(wait), why); err != nil {
			return fmt.Errorf("postpone message %s: %w", m.ID, err)
		}
		o.messages.WithLabelValues(failed).Inc()
	}
	if why == unreachable {
		return fmt.Errorf("send message %s: %w", m.ID, cause)
	}
	o.log.WarnContext(ctx, "a message was not sent", slog.String("message", m.ID.String()), slog.String("kind", m.Kind), slog.Any("error", cause))
	return nil
}

// giveUp ends a message that nobody gets, on record.
func (o *Outbox) giveUp(ctx context.Context, m store.Message, why string, now time.Time) error {
	err := o.store.InTx(ctx, func(tx *store.Tx) error {
		if err := tx.GiveUpMessage(ctx, m.ID, why, now); err != nil {
			return err
		}
		return audit.Record(ctx, tx, audit.Entry{
			At: now, Event: audit.MessageGivenUp, Actor: "messenger", Person: m.PersonID, Detail: map[string]string{"message": m.ID.String(), "kind": m.Kind, "why": why},
		})
	})
	if errors.Is(err, store.ErrNotFound) {
		return nil // another replica has ended it
	}
	if err != nil {
		return fmt.Errorf("give up message %s: %w", m.ID, err)
	}
	o.messages.WithLabelValues(givenUp).Inc()
	return nil
}
