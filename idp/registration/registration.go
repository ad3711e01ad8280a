// Package registration is the registration authority: it binds authenticators to people and takes them away, and shows
// people what is on record about them.
//
// An authenticator is bound at the desk, or through a link that works once and not for long. The link is spent when the enrolment
// finishes, in the transaction that binds the authenticator, so looking at its page, as mail scanners do, costs nothing. One that
// is sent where others may come by it works only together with a code, which its person is told another way; after five wrong
// ones it works no more. Whoever cannot use what she signs in with recovers her account by a code that she kept and a link that is
// mailed to her, and gets no more by it than she had ([MostRecovered]). Each authenticator is in a state, and only an active one signs anybody in ([ChangeAuthenticator]).
package registration

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/credence-id/credence/idp/assurance"
	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/idp/authority"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/evidence"
	"github.com/credence-id/credence/idp/password"
	"github.com/credence-id/credence/idp/seal"
	"github.com/credence-id/credence/idp/session"
	"github.com/credence-id/credence/idp/throttle"
	"github.com/credence-id/credence/idp/webauthn"
	"github.com/credence-id/credence/store"
	"github.com/credence-id/credence/web"
)

// Handler serves the pages.
type Handler struct {
	Store     *store.Store
	Sessions  *session.Manager
	WebAuthn  *webauthn.RelyingParty
	Enroller  *Enroller
	Passwords *password.Manager
	Evidence  *evidence.Recorder
	Rules     *authority.Rules
	Catalogue *directory.Catalogue
	Policies  *directory.Policies
	Pages     *web.Pages
	Throttle  *throttle.Limiter
	Box       seal.Box // of what a page of ours tells the next
	Now       func() time.Time
	Log       *slog.Logger
}

// linkLife is how long an enrolment link works.
const linkLife = 24 * time.Hour

func hash(secret string) []byte {
	sum := sha256.Sum256([]byte(secret))
	return sum[:]
}

// NewEnrolmentLink makes the secret of a link with which a person binds an authenticator. Only its hash is kept.
func NewEnrolmentLink(ctx context.Context, s *store.Store, personID, actor string, now time.Time) (secret string, expiresAt time.Time, err error) {
	permit := func(*store.Tx) error { return nil } // the operator's machine is permission enough
	return newLink(ctx, s, personID, func(string) []byte { return nil }, audit.Entry{At: now, Actor: actor}, permit)
}

// newLink makes a link, if it is permitted in the transaction that does it. mac is the keyed hash of the code that it takes, nil for none.
func newLink(ctx context.Context, s *store.Store, personID string, mac func(secret string) []byte, by audit.Entry, permit func(*store.Tx) error) (secret string, expiresAt time.Time, err error) {
	err = s.InTx(ctx, func(tx *store.Tx) error {
		if err := permit(tx); err != nil {
			return err
		}
		secret, expiresAt, err = addLink(ctx, tx, personID, mac, by)
		return err
	})
	if errors.Is(err, store.ErrReference) {
		return "", time.Time{}, fmt.Errorf("no person has user id %q: `credence person list` shows those there are", personID)
	}
	if err != nil {
		return "", time.Time{}, fmt.Errorf("add enrolment link: %w", err)
	}
	return secret, expiresAt, nil
}

// EnrolmentURL makes a link as a part of the caller's transaction, and returns its address. The entry says who makes it.
func EnrolmentURL(ctx context.Context, tx *store.Tx, personID string, by audit.Entry) (string, error) {
	secret, _, err := addLink(ctx, tx, personID, func(string) []byte { return nil }, by)
	if err != nil {
		return "", fmt.Errorf("add enrolment link: %w", err)
	}
	return ticket{secret: secret}.address("/enrol"), nil
}

func addLink(ctx context.Context, tx *store.Tx, personID string, mac func(secret string) []byte, by audit.Entry) (secret string, expiresAt time.Time, err error) {
	secret, expiresAt = rand.Text()+rand.Text(), by.At.Add(linkLife)
	code := mac(secret)
	if err := tx.AddEnrolmentLink(ctx, hash(secret), code, personID, by.At, expiresAt); err != nil {
		return "", time.Time{}, err
	}
	by.Event, by.Person, by.Detail = audit.EnrolmentLinkMade, personID, with(by.Detail, map[string]string{"expires_at": expiresAt.Format(time.RFC3339)})
	if code != nil {
		by.Detail["code"] = "asked"
	}
	return secret, expiresAt, audit.Record(ctx, tx, by)
}

// errLink says that an enrolment link does not work: it never did, it was used, it has expired, or the person is
// disabled.
var errLink = errors.New("the enrolment link does not work")

// errCode says that an enrolment link works only once its code was given, in this browser.
var errCode = errors.New("the enrolment link takes a code")

// ticket is what whoever has an enrolment link shows with each request: the secret, and that the code was given.
type ticket struct {
	secret, told string
	browser      []byte
	language     web.Language // of the page, in which she is written to if she has chosen none
}

func (h *Handler) ticket(w http.ResponseWriter, r *http.Request) ticket {
	return ticket{r.URL.Query().Get("token"), r.URL.Query().Get("told"), h.Sessions.Browser(w, r), frame(r).Language}
}

// address is that of a page of this enrolment: pairs of a name and its value.
func (t ticket) address(path string, pairs ...string) string {
	q := url.Values{"token": {t.secret}}
	if t.told != "" {
		q.Set("told", t.told)
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		q.Set(pairs[i], pairs[i+1])
	}
	return path + "?" + q.Encode()
}

// binding is what binds the word that the code was given to the link and the browser.
func (t ticket) binding() []byte { return slices.Concat(hash(t.secret), t.browser) }

// enrolment reads for whom a link is, without spending it. A link that does not work is errLink, and one that takes a code which
// was not given is errCode. One that never did is counted, and beyond the limit it is a *throttle.LimitError.
func (h *Handler) enrolment(ctx context.Context, t ticket) (store.Enrolment, error) {
	found, err := h.Store.EnrolmentLink(ctx, hash(t.secret), h.Now())
	if errors.Is(err, store.ErrNotFound) {
		request := audit.RequestOf(ctx)
		request.Refusal.Reason = "link_unknown"
		return found, cmp.Or(h.Throttle.Failed(ctx, throttle.Subject{Limit: throttle.EnrolmentAddress, Address: request.Address}), errLink)
	}
	if err != nil {
		return found, fmt.Errorf("read enrolment link: %w", err)
	}
	refusal := found.Fallen()
	switch {
	case refusal != "":
	case found.Cancelled:
		refusal = "link_cancelled"
	case found.UsedAt != nil:
		refusal = "link_used"
	case !found.ExpiresAt.After(h.Now()):
		refusal = "link_expired"
	case found.WrongCodes >= mostWrongCodes:
		refusal = "link_guessed"
	}
	if refusal != "" {
		return found, cmp.Or(h.record(ctx, found.Person.ID, refusal), errLink)
	}
	if found.TakesCode && h.Box.OpenJSON(t.told, t.binding(), new(bool)) != nil {
		return found, errCode
	}
	return found, nil
}

// record records that an enrolment was refused with a link that is, or was, somebody's. It always does: such a link cannot be
// guessed, so who has it is no outsider.
func (h *Handler) record(ctx context.Context, personID, refusal string) error {
	return audit.Refuse(ctx, h.Store, audit.Entry{At: h.Now(), Event: audit.Enrolled, Refusal: refusal, Person: personID})
}

// tell takes the code of a link, and returns the ticket that says so. A wrong one is errCode.
func (h *Handler) tell(ctx context.Context, t ticket, code string) (ticket, error) {
	found, err := h.enrolment(ctx, t)
	if !errors.Is(err, errCode) { // it does not work, or takes none any more
		return t, err
	}
	right, err := h.Enroller.giveCode(ctx, t.secret, found.Person.ID, code)
	if err != nil {
		return t, err
	}
	if !right {
		_, err := h.enrolment(ctx, t) // by now it may be dead
		return t, err
	}
	t.told, err = h.Box.SealJSON(true, t.binding())
	return t, err
}

// enrol finishes an enrolment: it spends the link and binds the authenticator, in one transaction. A refusal is a
// *webauthn.Refusal, errLink, errCode or a *throttle.LimitError.
func (h *Handler) enrol(ctx context.Context, t ticket, a Answer) (store.Authenticator, error) {
	found, err := h.enrolment(ctx, t)
	if err != nil {
		return store.Authenticator{}, err
	}
	a.Most = most(found)
	bound, err := h.Enroller.Bind(ctx, found.Person, a, audit.Entry{}, func(tx *store.Tx) error {
		if err := h.spend(ctx, tx, t, a.Most); err != nil {
			return err
		}
		return tx.SuggestLanguage(ctx, found.Person.ID, string(t.language))
	})
	if errors.Is(err, errLink) { // used a moment ago, by another answer: looking again records why it does not work
		_, again := h.enrolment(ctx, t)
		err = cmp.Or(again, err)
	}
	return bound, err
}

// most is the highest level that what is bound through a link may ever reach.
func most(found store.Enrolment) assurance.AuthenticatorLevel {
	return cmp.Or(assurance.AuthenticatorLevel(found.Most), assurance.AAL3)
}

// spend uses up a link for what may reach a level.
func (h *Handler) spend(ctx context.Context, tx *store.Tx, t ticket, level assurance.AuthenticatorLevel) error {
	_, err := tx.UseEnrolmentLink(ctx, hash(t.secret), int(level), mostWrongCodes, h.Now())
	if errors.Is(err, store.ErrNotFound) {
		return errLink // used a moment ago
	}
	if err != nil {
		return fmt.Errorf("use enrolment link: %w", err)
	}
	return nil
}
