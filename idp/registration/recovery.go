package registration

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/credence-id/credence/idp/assurance"
	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/idp/messenger"
	"github.com/credence-id/credence/idp/papercode"
	"github.com/credence-id/credence/idp/throttle"
	"github.com/credence-id/credence/store"
	"github.com/credence-id/credence/web"
)

const (
	// recoveryCodes is how many codes a person has at a time.
	recoveryCodes = 10
	// recoveryCodeSize is of how many characters a code is, of 5 bits each. NIST SP 800-63B-4, Section 4.2.1.1, asks for 64 bits.
	recoveryCodeSize = 16
	// addressKept is for how long after her address changed a person is told at the one before, too.
	addressKept = 30 * 24 * time.Hour
)

// MostRecovered is the highest level that what is bound by a recovery may ever reach, and the lowest at which codes are made: a
// recovery gives nobody more than she had. The code and the link that is mailed are two recovery codes of different methods,
// which NIST SP 800-63B-4, Section 4.2.2, takes for AAL2 and for no more. What is bound works at once.
const MostRecovered = assurance.AAL2

// Recovers says whether somebody can recover her account by a code: there is an address to which her link is sent.
func (e *Enroller) Recovers(p store.Person) bool { return e.Messenger != nil && p.Email != "" }

// MakeRecoveryCodes makes recovery codes for a person in place of those that she had, in one transaction with what permits it, and
// tells her. The entry says who does it. Nobody can be shown them again.
func (e *Enroller) MakeRecoveryCodes(ctx context.Context, personID string, by audit.Entry, permit func(*store.Tx) error) ([]string, error) {
	var codes []string
	var macs [][]byte
	for range recoveryCodes {
		code := papercode.New(recoveryCodeSize)
		codes, macs = append(codes, papercode.InGroups(code)), append(macs, e.recoveryMACs(personID, code)[0])
	}
	by.Event, by.Person = audit.RecoveryCodesMade, personID
	err := e.Store.InTx(ctx, func(tx *store.Tx) error {
		if err := permit(tx); err != nil {
			return err
		}
		if err := tx.ReplaceRecoveryCodes(ctx, personID, macs, by.At); err != nil {
			return err
		}
		if err := audit.Record(ctx, tx, by); err != nil {
			return err
		}
		return e.Messenger.Post(ctx, tx, messenger.Message{Person: personID, Letter: messenger.RecoveryCodesMade{}})
	})
	if err != nil {
		return nil, fmt.Errorf("make recovery codes for person %s: %w", personID, err)
	}
	return codes, nil
}

// DropRecoveryCodes makes all recovery codes of a person worthless, and tells her. The entry says who does it, and why.
func DropRecoveryCodes(ctx context.Context, tx *store.Tx, out *messenger.Outbox, personID string, by audit.Entry) error {
	by.Event, by.Person = audit.RecoveryCodesDropped, personID
	if err := tx.ReplaceRecoveryCodes(ctx, personID, nil, by.At); err != nil {
		return fmt.Errorf("drop recovery codes of person %s: %w", personID, err)
	}
	if err := audit.Record(ctx, tx, by); err != nil {
		return err
	}
	return out.Post(ctx, tx, messenger.Message{Person: personID, Letter: messenger.RecoveryCodesDropped{}})
}

// recoveryMACs are the keyed hashes of a recovery code of a person, the one that rests first.
func (e *Enroller) recoveryMACs(personID, code string) [][]byte {
	return e.Key.MACs("recovery code", []byte(personID+" "+code))
}

// errRecovery says that a recovery code does not work: it is not one of this person, or there is no such person. A right one
// that does not work either is a *recoveryError.
var errRecovery = errors.New("the recovery code does not work")

// recoveryError says why a right recovery code does not work.
type recoveryError struct{ reason string }

// Error says it as the record does.
func (r *recoveryError) Error() string { return "the recovery code does not work: " + r.reason }

// recover spends a recovery code of a person, and sends her the link with which she binds an authenticator. It is announced at
// once at every address at which she can be told: NIST SP 800-63B-4, Section 4.2.3.
func (e *Enroller) recover(ctx context.Context, personID, code string) error {
	now := e.Now()
	secret, expiresAt := rand.Text()+rand.Text(), now.Add(linkLife)
	letter := messenger.Recovery{URL: e.Issuer + "/enrol?" + url.Values{"token": {secret}}.Encode(), ExpiresAt: expiresAt}
	err := e.Store.InTx(ctx, func(tx *store.Tx) error {
		if err := tx.UseRecoveryCode(ctx, personID, e.recoveryMACs(personID, code)); errors.Is(err, store.ErrNotFound) {
			return errRecovery
		} else if err != nil {
			return err
		}
		found, err := tx.Person(ctx, personID, now)
		if err != nil {
			return err
		}
		if reason := cmp.Or(found.Fallen(), e.refusesRecovery(found.Person)); reason != "" {
			return &recoveryError{reason} // and the code stays hers
		}
		nobodys := e.codeMACs(secret, rand.Text())[0]
		if err := tx.AddRecoveryLink(ctx, hash(secret), nobodys, personID, int(MostRecovered), now, expiresAt); err != nil {
			return err
		}
		if err := audit.Record(ctx, tx, audit.Entry{At: now, Event: audit.Recovered, Person: personID, Detail: map[string]string{"expires_at": expiresAt.Format(time.RFC3339)}}); err != nil {
			return err
		}
		if err := e.Messenger.Post(ctx, tx, messenger.Message{Person: personID, Letter: letter}); err != nil {
			return err
		}
		earlier, err := tx.EarlierAddresses(ctx, personID, now.Add(-addressKept))
		if err != nil {
			return err
		}
		for _, address := range earlier {
			if address == found.Person.Email {
				continue
			}
			if err := e.Messenger.Post(ctx, tx, messenger.Message{Person: personID, Address: address, Letter: messenger.RecoveryBegun{}}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("recover: %w", err)
	}
	return nil
}

func (e *Enroller) refusesRecovery(p store.Person) string {
	if !e.Recovers(p) {
		return "address_none"
	}
	return ""
}

// recoverPage asks for a recovery code.
func (h *Handler) recoverPage(w http.ResponseWriter, r *http.Request) error {
	return h.Pages.Render(w, http.StatusOK, web.Recover{Frame: frame(r)})
}

// takeRecoveryCode takes a user id and a recovery code. What does not work is answered alike, whoever is meant.
func (h *Handler) takeRecoveryCode(w http.ResponseWriter, r *http.Request) error {
	f, err := web.Form(w, r, 16<<10)
	if err != nil {
		return err
	}
	page := web.Recover{Frame: frame(r), Username: strings.Join(strings.Fields(f.Get("username")), "")}
	again := func(status int, mistakes ...web.FieldError) error {
		page.Errors = mistakes
		return h.Pages.Render(w, status, page)
	}
	var mistakes []web.FieldError
	if len(page.Username) != 12 || strings.Trim(page.Username, "0123456789") != "" {
		mistakes = append(mistakes, web.FieldError{Field: "username", Message: "Enter your user ID: 12 digits, such as 656005750104"})
	}
	code, ok := papercode.Parse(f.Get("code"), recoveryCodeSize)
	if !ok {
		mistakes = append(mistakes, web.FieldError{Field: "code", Message: "Enter one of your recovery codes: 16 letters and digits, such as ABCD-EFGH-IJKL-MN23"})
	}
	if len(mistakes) > 0 {
		return again(http.StatusBadRequest, mistakes...)
	}
	err = h.tryRecovery(r.Context(), page.Username, code)
	if beyond, ok := errors.AsType[*throttle.LimitError](err); ok {
		w.Header().Set("Retry-After", beyond.RetryAfter())
		return again(http.StatusTooManyRequests, web.FieldError{Message: "Too many recovery codes have failed. Wait some minutes, then try again"})
	}
	if errors.Is(err, errRecovery) {
		return again(http.StatusForbidden, web.FieldError{Message: "This recovery code does not work. Check it and your user ID. Each code works once, and new codes replace the old ones"})
	}
	if err != nil {
		return err
	}
	return web.SeeOther(w, r, "/recover/sent")
}

// tryRecovery recovers an account. What does not work is errRecovery, and beyond the limit a *throttle.LimitError. A code cannot be
// guessed, so a right one always gets in.
func (h *Handler) tryRecovery(ctx context.Context, personID, code string) error {
	err := h.Enroller.recover(ctx, personID, code)
	refused := audit.Entry{At: h.Now(), Event: audit.Recovered, Refusal: "code_wrong", Person: personID}
	if right, ok := errors.AsType[*recoveryError](err); ok {
		refused.Refusal = right.reason
		return cmp.Or(audit.Refuse(ctx, h.Store, refused), errRecovery)
	}
	if !errors.Is(err, errRecovery) {
		return err
	}
	request := audit.RequestOf(ctx)
	request.Refusal.Reason = refused.Refusal
	failed := h.Throttle.Failed(ctx, throttle.Subject{Limit: throttle.EnrolmentAddress, Address: request.Address}, throttle.Subject{Limit: throttle.RecoveryPerson, UserID: personID})
	if failed != nil {
		return failed
	}
	if _, err := h.Store.Person(ctx, personID, h.Now()); errors.Is(err, store.ErrNotFound) {
		return errRecovery // which names nobody
	} else if err != nil {
		return fmt.Errorf("read person: %w", err)
	}
	return cmp.Or(audit.Refuse(ctx, h.Store, refused), errRecovery)
}

// recoverySent says that the link is on its way.
func (h *Handler) recoverySent(w http.ResponseWriter, r *http.Request) error {
	return h.Pages.Render(w, http.StatusOK, web.RecoverySent{Frame: frame(r)})
}
