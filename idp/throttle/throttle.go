// Package throttle counts what fails: at signing in, at using an enrolment link, at the token endpoint. Of people who register
// themselves it counts every attempt, because there is nothing by which one could be told from another.
//
// What proves to be right always gets in, whatever has failed before: a passkey's answer, an enrolment link, a recovery
// code and a client's secret cannot be guessed, so that shutting somebody out would protect nothing, and would let
// anybody shut out a whole hospital, or a person or client in whose name they fail. Limits change what a failure is
// answered (429, and when to come back) and whether it is recorded one by one, so that nobody floods the audit record.
// Two are refused before they are looked at ([Limiter.Check]): a client's id at an address, because each such request
// costs statements and lines of the record; and a password, because it can be guessed. That a limit was reached is
// recorded once.
//
// What succeeds is not counted; nor is what fails although the key or link was proved to be somebody's. That the caller
// always records: outsiders cannot flood the record with it, and nobody can hide it by filling limits.
//
// All replicas count in one table. It has 2^20 slots for each limit, and which one a subject falls in is computed with
// the seal key: so the table is bounded, says nothing of anybody, and nobody outside can aim at the slot of another. What
// has reached its limit is kept in memory as an immutable snapshot, renewed each second: to count a flood from one place
// costs no statement. A limit is known at once at the replica where it was reached, and within two seconds at the others.
//
// It implements the 429 of RFC 6585, Section 4, and Retry-After of RFC 9110, Section 10.2.3.
package throttle

import (
	"context"
	"encoding/binary"
	"fmt"
	"log/slog"
	"net/netip"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/idp/poll"
	"github.com/credence-id/credence/idp/seal"
	"github.com/credence-id/credence/store"
)

// Limit names a limit: in the table, in the record and in metrics.
type Limit string

// The limits: of what the failures are counted.
const (
	SignInAddress                Limit = "sign_in_address"                // sign-ins from an address
	SignInClient                 Limit = "sign_in_client"                 // sign-ins that a client asked for
	SignInPerson                 Limit = "sign_in_person"                 // sign-ins with an authenticator of a person
	SignInPassword               Limit = "sign_in_password"               // sign-ins with a password under a user id, somebody's or nobody's
	EnrolmentAddress             Limit = "enrolment_address"              // enrolments from an address
	RecoveryPerson               Limit = "recovery_person"                // recovery codes under a user id, somebody's or nobody's
	BreakGlassAddress            Limit = "break_glass_address"            // codes of break-glass from an address
	BreakGlassPerson             Limit = "break_glass_person"             // codes of break-glass of somebody who is signed in
	SelfRegistrationAddress      Limit = "self_registration_address"      // people who register themselves, right or wrong, from an address
	SelfRegistrationMailbox      Limit = "self_registration_mailbox"      // and with an e-mail address
	SelfRegistrationOrganisation Limit = "self_registration_organisation" // and at an organisation
	TokenAddress                 Limit = "token_address"                  // token requests in a client's name from an address
	TokenClient                  Limit = "token_client"                   // token requests that did not prove to be a client's
)

// rule is how many failures of a window reach a limit, and how long the window is. The windows of places are short: who
// fails where many do learns why after a minute, and to fill the slots of everybody takes more requests a second than a
// server answers.
func (l Limit) rule() (most int32, per time.Duration) {
	switch l {
	case SignInAddress:
		return 100, time.Minute // a hospital sits behind one address, and people do take the wrong key
	case SignInClient:
		return 300, time.Minute // a client of a whole country has failures of many places
	case SignInPerson:
		return 50, 10 * time.Minute // as many lines of the record as tell something, when somebody fails in her name
	case SignInPassword:
		return 10, 10 * time.Minute // who has mistyped it ten times waits, and uses a passkey meanwhile
	case EnrolmentAddress:
		return 60, time.Minute // a registration day has many people at one address, and few links that were not copied whole
	case RecoveryPerson:
		return 10, 10 * time.Minute // a code is copied from paper, and mistyped
	case BreakGlassAddress:
		return 60, 10 * time.Minute // a hospital sits behind one address
	case BreakGlassPerson:
		return 10, 10 * time.Minute // a code is copied from paper, at night
	case SelfRegistrationAddress:
		return 60, 10 * time.Minute // a class of students sits behind one address
	case SelfRegistrationMailbox:
		return 5, time.Hour // nobody's mailbox is filled by others
	case SelfRegistrationOrganisation:
		return 1000, time.Hour // so much, and for a day, is kept at most of people who may never come
	case TokenAddress:
		return 2000, time.Minute // when sessions end with a shift, the server of a client finds thousands of its grants dead
	case TokenClient:
		return 60, time.Minute // a client knows its secret; one whose secret was changed asks until somebody notices
	}
	panic("no such limit: " + string(l))
}

// Subject is whose failures a limit counts. With an address it is a place.
type Subject struct {
	Limit   Limit
	Address string
	Client  string
	Person  string
	UserID  string // that was entered, whether or not it is somebody's: it does not go into the record
	Mailbox string // an e-mail address that was entered: nor does this

	Organisation string // its code
}

// nobody says that there is nothing to count under: no person or client is known.
func (s Subject) nobody() bool { return s == Subject{Limit: s.Limit} }

// LimitError says that a limit has been exceeded.
type LimitError struct {
	Limit Limit
	Wait  time.Duration // until it is no longer
}

// Error implements error.
func (e *LimitError) Error() string {
	return fmt.Sprintf("limit %s exceeded for another %s s", e.Limit, e.RetryAfter())
}

// RetryAfter is how long to wait, in whole seconds, rounded up: RFC 9110, Section 10.2.3.
func (e *LimitError) RetryAfter() string {
	return strconv.FormatInt(int64((e.Wait+time.Second-1)/time.Second), 10)
}

const (
	// maxReached bounds the snapshot. What finds no room in it is answered alike, but after it was counted.
	maxReached = 10_000
)

// slot is one counter of the table.
type slot struct {
	limit  Limit
	number int32
}

// Limiter counts failures and says which are beyond a limit. It is safe for concurrent use.
type Limiter struct {
	store *store.Store
	key   seal.Key
	now   func() time.Time
	log   *slog.Logger

	exceeded *prometheus.CounterVec

	reached  atomic.Pointer[map[slot]time.Time] // until when which limits are reached; replaced whole, never changed
	changing sync.Mutex                         // at most one replacement at a time
}

// New returns a limiter that has yet to learn what others have counted: see [Limiter.Run].
func New(s *store.Store, key seal.Key, now func() time.Time, log *slog.Logger) *Limiter {
	l := &Limiter{
		store: s, key: key, now: now, log: log,
		exceeded: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "credence_throttled_total", Help: "Attempts that were beyond a limit of failures, by limit.",
		}, []string{"limit"}),
	}
	for _, limit := range []Limit{SignInAddress, SignInClient, SignInPerson, SignInPassword, EnrolmentAddress, RecoveryPerson, BreakGlassAddress, BreakGlassPerson, SelfRegistrationAddress, SelfRegistrationMailbox, SelfRegistrationOrganisation, TokenAddress, TokenClient} {
		l.exceeded.WithLabelValues(string(limit)) // at 0: an alert cannot tell what is not there from what is well
	}
	l.reached.Store(&map[slot]time.Time{})
	return l
}

// Collectors are the metrics of the limiter.
func (l *Limiter) Collectors() []prometheus.Collector { return []prometheus.Collector{l.exceeded} }

// Check refuses a subject that has reached its limit with a *LimitError, before its request is looked at. It asks memory
// alone. It is for requests that can be guessed right, or cost much: of all others it is what failed that is counted, see
// [Limiter.Failed].
func (l *Limiter) Check(subjects ...Subject) error {
	reached, now := *l.reached.Load(), l.now()
	if len(reached) == 0 {
		return nil
	}
	for _, s := range subjects {
		if ends := reached[l.slot(s)]; ends.After(now) {
			return l.exceed(s.Limit, ends.Sub(now))
		}
	}
	return nil
}

// Failed counts a failure of each subject. It returns a *LimitError if that was beyond a limit: of the first such
// subject. What is beyond already is not counted any further, and at such a place nothing is: a flood from there costs no
// statement, whomever it names.
func (l *Limiter) Failed(ctx context.Context, subjects ...Subject) error {
	reached, now := *l.reached.Load(), l.now()
	beyond := map[Limit]time.Time{}
	counted := map[slot]Subject{}
	var failures []store.FailureCount
	for _, s := range subjects {
		if s.nobody() {
			continue
		}
		at := l.slot(s)
		if ends := reached[at]; ends.After(now) {
			if s.Address != "" {
				return l.exceed(s.Limit, ends.Sub(now))
			}
			beyond[s.Limit] = ends
			continue
		}
		most, per := s.Limit.rule()
		counted[at] = s
		failures = append(failures, store.FailureCount{Kind: string(s.Limit), Slot: at.number, Most: most, EndsAt: now.Add(per)})
	}
	if len(failures) > 0 {
		counts, err := l.store.CountFailures(ctx, failures, now)
		if err != nil {
			return fmt.Errorf("count failures: %w", err)
		}
		for _, c := range counts {
			if err := l.note(ctx, counted[slotOf(c)], c); err != nil {
				return err
			}
			if c.Failures > c.Most {
				beyond[Limit(c.Kind)] = c.EndsAt
			}
		}
	}
	for _, s := range subjects {
		if ends, ok := beyond[s.Limit]; ok {
			return l.exceed(s.Limit, ends.Sub(now))
		}
	}
	return nil
}

// note remembers a limit that is reached, and records it if this failure was the one that reached it.
func (l *Limiter) note(ctx context.Context, s Subject, c store.FailureCount) error {
	if c.Failures < c.Most {
		return nil
	}
	l.remember(c)
	if c.Failures > c.Most {
		return nil
	}
	entry := audit.Entry{
		At: l.now(), Event: audit.LimitReached, Actor: "unknown", Person: s.Person, Client: s.Client, // who failed did not prove to be anybody
		Detail: map[string]string{"limit": c.Kind, "until": c.EndsAt.Format(time.RFC3339)},
	}
	if err := audit.Record(ctx, l.store, entry); err != nil {
		return fmt.Errorf("record limit %s: %w", c.Kind, err)
	}
	return nil
}

func (l *Limiter) exceed(limit Limit, wait time.Duration) error {
	l.exceeded.WithLabelValues(string(limit)).Inc()
	return &LimitError{Limit: limit, Wait: wait}
}

// slot is where a subject is counted: the first 20 bits of a MAC.
func (l *Limiter) slot(s Subject) slot {
	subject := network(s.Address) + "\x00" + s.Client + "\x00" + s.Person + s.UserID + s.Mailbox + s.Organisation
	mac := l.key.MAC("throttle "+string(s.Limit), []byte(subject))
	return slot{s.Limit, int32(binary.BigEndian.Uint32(mac) >> 12)}
}

func slotOf(c store.FailureCount) slot { return slot{Limit(c.Kind), c.Slot} }

// network is the part of an address that a host cannot choose at will: of an IPv6 address the first 64 bits, because the
// others are its own (RFC 4291, Section 2.5.1).
func network(address string) string {
	a, err := netip.ParseAddr(address)
	if err != nil || a.Is4() {
		return address
	}
	prefix, err := a.Prefix(64)
	if err != nil {
		return address
	}
	return prefix.String()
}

// remember adds limits that are reached to the snapshot, and drops those whose window has ended.
func (l *Limiter) remember(counts ...store.FailureCount) {
	l.changing.Lock()
	defer l.changing.Unlock()
	now, next := l.now(), make(map[slot]time.Time)
	for at, ends := range *l.reached.Load() {
		if ends.After(now) {
			next[at] = ends
		}
	}
	for _, c := range counts {
		if len(next) < maxReached {
			next[slotOf(c)] = c.EndsAt
		}
	}
	l.reached.Store(&next)
}

// Run learns what other replicas have counted, until the context ends. It logs when it begins to fail, and when it is
// well again.
func (l *Limiter) Run(ctx context.Context) error {
	return poll.Run(ctx, l.log, "limits", l.load)
}

func (l *Limiter) load(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	counts, err := l.store.ReachedLimits(ctx, l.now(), maxReached)
	if err != nil {
		return fmt.Errorf("read reached limits: %w", err)
	}
	l.remember(counts...)
	return nil
}
