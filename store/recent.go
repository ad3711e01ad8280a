package store

import (
	"errors"
	"slices"
	"strings"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
)

// recent is what this replica has read or written a moment ago and need not read again: records of people, each in the
// version that was read, and grants, of which nothing changes but whether they stand. A statement compares the version and
// finds out whether the grant stands. Records that were read, and grants that were written, in a transaction that then
// failed do no harm: versions are random, and nobody has the code.
type recent struct {
	records *lru.Cache[string, record] // by the person's id
	grants  *lru.Cache[string, Grant]  // by the hash of the code, or of the refresh token, that was issued
}

// What is kept at most, of either.
const (
	recentKept   = 8192
	longestAsked = 1 << 10 // bytes that the request of a grant asked; who asked more is read again
)

func newRecent() (*recent, error) {
	records, err := lru.New[string, record](recentKept)
	grants, errGrants := lru.New[string, Grant](recentKept)
	return &recent{records, grants}, errors.Join(err, errGrants)
}

// record is that of a person in a version that may have passed.
func (r *recent) record(personID string) (record, bool) { return r.records.Get(personID) }

func (r *recent) keepRecord(read record) { r.records.Add(read.Person.ID, read) }

// issued keeps the grant of a code or refresh token. Its texts are copied: they are parts of the request, of which nothing
// else is to stay.
func (r *recent) issued(hash []byte, g Grant) {
	if len(g.Claims)+len(g.Demand) > longestAsked {
		return
	}
	for _, text := range []*string{&g.RedirectURI, &g.Nonce, &g.Claims, &g.CodeChallenge} {
		*text = strings.Clone(*text)
	}
	g.Scopes = slices.Clone(g.Scopes)
	for i, scope := range g.Scopes {
		g.Scopes[i] = strings.Clone(scope)
	}
	r.grants.Add(string(hash), g)
}

// forget forgets the grant of a code or refresh token: it was used, or stands no more.
func (r *recent) forget(hash []byte) { r.grants.Remove(string(hash)) }

// exchanged forgets what was spent, and keeps the grant of what came in its place.
func (r *recent) exchanged(x Exchange) {
	r.forget(x.Hash)
	if x.Next != nil {
		r.issued(x.Next, x.Grant)
	}
}

// RecentGrant is the grant of a code or refresh token that was issued here a moment ago, by its hash, as it stood then: as
// if its person's record were still the one that was read last, and neither it nor its client or session had ended. It asks
// the database nothing. What it stands on is compared by ExchangeCode and ExchangeRefreshToken, so tokens may be signed for
// it; but to refuse anything, the grant has to be read.
func (q *queries) RecentGrant(hash []byte, now time.Time) (StandingGrant, bool) {
	g, ok := q.recent.grants.Get(string(hash))
	if !ok {
		return StandingGrant{}, false
	}
	r, ok := q.recent.record(g.PersonID)
	if !ok {
		return StandingGrant{}, false
	}
	s := standing{PersonVersion: r.Version, ClientStands: true, SessionStands: true}
	return StandingGrant{g, s.with(r, g.AuthenticatorID, g.RoleID, now), r.Version}, true
}
