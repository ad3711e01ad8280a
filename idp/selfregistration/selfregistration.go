// Package selfregistration lets people put themselves on record, where an organisation opens it to all: somebody says who she is,
// confirms her e-mail address by a link that is mailed to it, and binds what she signs in with.
//
// It guarantees that
//   - nobody is on record before whoever reads the mail at the address has said so, and a link does that once, for a day, while the
//     organisation is open to all; with it end all others of the address;
//   - whoever knows an address and asks with it ends no link that was mailed to it a moment ago (mostLinks);
//   - nobody learns who is on record: what is asked, counted, written and mailed is the same for every address, and that one is
//     somebody's already is said behind its link alone;
//   - an address that is somebody's makes no second profile;
//   - what is kept of people who may never come is bounded, and forgotten after a day.
//
// Nothing proves who registers herself, so her identity is at level none (GPG 45), and she acts as nothing: what is given to her
// before evidence proves it to level medium is refused by package directory and by the schema, and what she has does not count
// while it is proved to less. The registration desk proves the same person later.
package selfregistration

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/messenger"
	"github.com/credence-id/credence/idp/registration"
	"github.com/credence-id/credence/idp/throttle"
	"github.com/credence-id/credence/store"
	"github.com/credence-id/credence/web"
)

// Handler serves the pages.
type Handler struct {
	Issuer    string // its URL
	Store     *store.Store
	Messenger *messenger.Outbox // without which nobody can confirm anything
	Throttle  *throttle.Limiter
	Pages     *web.Pages
	Now       func() time.Time
}

// linkLife is how long somebody has to confirm her address.
const linkLife = 24 * time.Hour

// mostLinks is how many links of an address work at a time. Anybody can ask for more, so the newest alone, or the first alone, would let
// whoever knows an address keep its owner out: by ending hers, or by being there before her in another name. They all go to one mailbox,
// so that many are no weaker than one. Twice as many as [throttle.SelfRegistrationMailbox] lets through in an hour means
// that one is pushed out by others after a whole hour at the earliest.
const mostLinks = 10

var (
	// errClosed says that an organisation is not open to all, or that there is none.
	errClosed = errors.New("nobody registers herself there")
	// errLink says that a link does not work: it never did, it was used, it has expired, or the organisation is open no more.
	errLink = errors.New("the link of a self-registration does not work")
	// errOnRecord says that the address is somebody's by now.
	errOnRecord = errors.New("the address is on record already")
)

func hash(secret string) []byte {
	sum := sha256.Sum256([]byte(secret))
	return sum[:]
}

// applicant is who registers herself, and where.
type applicant struct{ organisation, givenName, familyName, email string }

func (a applicant) person() directory.NewPerson {
	return directory.NewPerson{GivenName: a.givenName, FamilyName: a.familyName, Email: a.email, SelfRegisteredAt: a.organisation}
}

// check says what is wrong with what she entered.
func (a applicant) check(now time.Time) error {
	err := a.person().Check(now)
	if a.email == "" {
		err = errors.Join(err, &directory.InvalidError{Field: "email", Want: "an address like ada@example.org"})
	}
	return err
}

// mailbox is that of an address, as far as others can tell: in one case, and without the detail of a sub-address (RFC 5233), with which one
// mailbox has as many addresses as anybody likes.
func mailbox(address string) string {
	local, domain, _ := strings.Cut(strings.ToLower(address), "@")
	if user, _, detailed := strings.Cut(local, "+"); detailed && user != "" {
		local = user
	}
	return local + "@" + domain
}

// ask has a link mailed to whoever reads the mail of an applicant, in the language of the page. It looks at nobody who is on record. Beyond a limit it is a
// *throttle.LimitError.
func (h *Handler) ask(ctx context.Context, a applicant, language web.Language) error {
	now := h.Now()
	if err := a.check(now); err != nil {
		return err
	}
	err := h.Throttle.Failed(ctx,
		throttle.Subject{Limit: throttle.SelfRegistrationAddress, Address: audit.RequestOf(ctx).Address},
		throttle.Subject{Limit: throttle.SelfRegistrationMailbox, Mailbox: mailbox(a.email)},
		throttle.Subject{Limit: throttle.SelfRegistrationOrganisation, Organisation: a.organisation})
	if err != nil {
		return err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return fmt.Errorf("draw an id: %w", err)
	}
	secret := rand.Text() + rand.Text()
	asked := store.SelfRegistration{
		ID: id, OrganisationCode: a.organisation, GivenName: a.givenName, FamilyName: a.familyName, Email: a.email, ExpiresAt: now.Add(linkLife),
	}
	err = h.Store.InTx(ctx, func(tx *store.Tx) error {
		if err := tx.LockNewcomers(ctx, nil, a.email); err != nil {
			return fmt.Errorf("keep others from asking with the same address: %w", err)
		}
		organisation, err := tx.AddSelfRegistration(ctx, asked, hash(secret), now)
		if errors.Is(err, store.ErrNotFound) {
			return errClosed
		}
		if err != nil {
			return err
		}
		if err := tx.DropSelfRegistrations(ctx, a.email, mostLinks); err != nil {
			return fmt.Errorf("end what was asked long before: %w", err)
		}
		letter := messenger.SelfRegistration{
			Organisation: organisation, URL: h.Issuer + confirmPath + "?" + url.Values{"token": {secret}}.Encode(), ExpiresAt: asked.ExpiresAt,
		}
		if err := h.Messenger.PostToSelfRegistered(ctx, tx, id, a.email, language, letter); err != nil {
			return err
		}
		return audit.Record(ctx, tx, audit.Entry{
			At: now, Event: audit.SelfRegistrationAsked, Actor: nobody, Detail: map[string]string{"self_registration": id.String(), "organisation": a.organisation},
		})
	})
	if err != nil {
		return fmt.Errorf("register at organisation %.40q: %w", a.organisation, err)
	}
	return nil
}

// nobody is the actor of what somebody does who is not on record.
const nobody = "unknown"

// waiting reads what a link confirms, without spending it. One that does not work is errLink.
func (h *Handler) waiting(ctx context.Context, secret string) (store.SelfRegistration, error) {
	found, err := h.Store.SelfRegistration(ctx, hash(secret), h.Now())
	if errors.Is(err, store.ErrNotFound) {
		return found, refused(ctx)
	}
	if err != nil {
		return found, fmt.Errorf("read self-registration: %w", err)
	}
	return found, nil
}

// refused has the log event of the request say why a link did not work. The record has nothing of it: such a link is nobody's.
func refused(ctx context.Context) error {
	audit.RequestOf(ctx).Refusal.Reason = "link_unknown"
	return errLink
}

// confirm spends a link: it puts whoever has it on record, and returns the address of the page on which she binds what she signs in
// with. A link that does not work is errLink, and an address that is somebody's errOnRecord.
func (h *Handler) confirm(ctx context.Context, secret string, language web.Language) (enrolURL string, err error) {
	err = directory.Redraw("", func() error {
		return h.Store.InTx(ctx, func(tx *store.Tx) (err error) {
			enrolURL, err = confirmIn(ctx, tx, hash(secret), language, h.Now())
			return err
		})
	})
	switch {
	case errors.Is(err, store.ErrNotFound):
		return "", refused(ctx)
	case err != nil:
		return "", fmt.Errorf("confirm self-registration: %w", err)
	case enrolURL == "":
		audit.RequestOf(ctx).Refusal.Reason = addressTaken
		return "", errOnRecord
	}
	return enrolURL, nil
}

// addressTaken is why somebody is not put on record who confirmed an address of another, or of herself.
const addressTaken = "address_taken"

// confirmIn is confirm in a transaction. An address that is somebody's spends its links, and there is no page to go to.
func confirmIn(ctx context.Context, tx *store.Tx, secretHash []byte, language web.Language, now time.Time) (enrolURL string, err error) {
	r, err := tx.SelfRegistration(ctx, secretHash, now)
	if err != nil {
		return "", err
	}
	if err := tx.LockNewcomers(ctx, nil, r.Email); err != nil { // before the registration, as whoever asks does
		return "", fmt.Errorf("keep others from adding the same person: %w", err)
	}
	if r, err = tx.TakeSelfRegistration(ctx, secretHash, now); err != nil {
		return "", err
	}
	if err := tx.DropSelfRegistrations(ctx, r.Email, 0); err != nil {
		return "", fmt.Errorf("end the other links of the address: %w", err)
	}
	onRecord, err := tx.OnRecord(ctx, r.Email)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return "", fmt.Errorf("find who has an e-mail address: %w", err)
	}
	entry := audit.Entry{At: now, Event: audit.SelfRegistered, Detail: map[string]string{"self_registration": r.ID.String(), "organisation": r.OrganisationCode}}
	if onRecord != "" {
		entry.Actor, entry.Person, entry.Refusal = nobody, onRecord, addressTaken
		return "", audit.Record(ctx, tx, entry)
	}
	person := applicant{r.OrganisationCode, r.GivenName, r.FamilyName, r.Email}.person()
	if entry.Person, err = directory.AddPersonIn(ctx, tx, person, "", now); err != nil {
		return "", err
	}
	if err := tx.SuggestLanguage(ctx, entry.Person, string(language)); err != nil {
		return "", fmt.Errorf("set language of person %s: %w", entry.Person, err)
	}
	if err := audit.Record(ctx, tx, entry); err != nil {
		return "", err
	}
	return registration.EnrolmentURL(ctx, tx, entry.Person, audit.Entry{At: now})
}
