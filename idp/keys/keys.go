// Package keys holds the keys that sign tokens: it makes them at first start, rotates them by schedule and by command,
// publishes them as a JSON Web Key Set (RFC 7517), signs and verifies (RFC 7515).
//
// Private keys rest in the database, sealed under the operator's key. A key is published before it signs, so that every
// replica knows it, and after it has stopped signing until the last token it signed is dead. Each algorithm has one
// current key; of replicas that rotate at the same moment one makes the successor.
package keys

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-jose/go-jose/v4"
	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/idp/poll"
	"github.com/credence-id/credence/idp/seal"
	"github.com/credence-id/credence/store"
)

// The algorithms that we sign with.
const (
	RS256 = "RS256"
	ES256 = "ES256"
)

const (
	// longestToken is the longest that a token lives. A key is published that long after its last signature.
	longestToken = 2 * time.Hour
	// lead is how long a key is published before it signs: until every copy of the set that may still be kept has it.
	lead = MaxAge + 30*time.Second
	// hintLife is how much longer than it is published a key is kept for [Ring.VerifyHint]: as long as a session lasts.
	hintLife = 24 * time.Hour
	// rotateEvery is the age at which a key gets a successor.
	rotateEvery = 90 * 24 * time.Hour
	// signedKept is how many tokens are known again. Services present an access token many times while it lives.
	signedKept = 8192
	// reloadEvery bounds how often tokens that name an unknown key can make a replica look for it.
	reloadEvery = time.Second
)

// MaxAge is how long a copy of the published set may be kept.
const MaxAge = time.Minute

// Ring is the set of keys, as this replica last read it. It is safe for concurrent use.
type Ring struct {
	store *store.Store
	box   seal.Box
	now   func() time.Time
	log   *slog.Logger

	signatures *prometheus.CounterVec
	created    *prometheus.GaugeVec

	current atomic.Pointer[snapshot] // replaced whole, never changed

	loading    sync.Mutex // at most one load at a time
	lastReload time.Time  // for an unknown key; guarded by loading
}

// New returns a ring that has read nothing yet: call Load.
func New(s *store.Store, key seal.Key, now func() time.Time, log *slog.Logger) *Ring {
	return &Ring{
		store: s, box: key.Box("signing key"), now: now, log: log,
		signatures: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "credence_signatures_total", Help: "Tokens that were signed, by algorithm.",
		}, []string{"alg"}),
		created: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "credence_signing_key_created_timestamp_seconds", Help: "When the newest key was made, by algorithm.",
		}, []string{"alg"}),
	}
}

// Collectors are the metrics of the ring.
func (r *Ring) Collectors() []prometheus.Collector {
	return []prometheus.Collector{r.signatures, r.created}
}

// snapshot is the ring as it was read at one generation, and the tokens that were found to be signed by its keys.
type snapshot struct {
	generation int64
	keys       []key // oldest first
	published  []byte
	etag       string
	changesAt  time.Time                               // when the next published key expires
	signed     *lru.Cache[[sha256.Size]byte, struct{}] // by the hash of the whole token
}

// key is a key with all that can be prepared.
type key struct {
	store.SigningKey
	private crypto.Signer
	headers map[string]string // of its tokens, encoded, by typ
}

// Load reads the keys, and makes those that are missing.
func (r *Ring) Load(ctx context.Context) error {
	r.loading.Lock()
	defer r.loading.Unlock()
	if err := r.read(ctx); err != nil {
		return err
	}
	made := false
	for _, alg := range []string{RS256, ES256} {
		if _, ok := r.current.Load().newest(alg); ok {
			continue
		}
		now := r.now()
		k, err := r.generate(alg, now, now)
		if err != nil {
			return err
		}
		err = r.store.InTx(ctx, func(tx *store.Tx) error {
			if err := tx.AddSigningKey(ctx, k); err != nil {
				return err
			}
			return audit.Record(ctx, tx, audit.Entry{At: now, Event: audit.KeyRotated, Actor: "first start", Detail: map[string]string{"kid": k.ID, "alg": alg}})
		})
		if err != nil && !errors.Is(err, store.ErrConflict) { // a conflict: another replica was first
			return fmt.Errorf("add first signing key: %w", err)
		}
		made = true
	}
	if made {
		return r.read(ctx)
	}
	return nil
}

// Run looks for changes and rotates keys that are due, until the context ends. It logs when it begins to fail, and when
// it is well again.
func (r *Ring) Run(ctx context.Context) error {
	return poll.Run(ctx, r.log, "signing keys", r.refresh)
}

func (r *Ring) refresh(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	r.loading.Lock()
	defer r.loading.Unlock()
	generation, err := r.store.Generation(ctx, "signing_key")
	if err != nil {
		return err
	}
	s := r.current.Load()
	if generation != s.generation || !r.now().Before(s.changesAt) {
		return r.read(ctx)
	}
	for _, alg := range []string{RS256, ES256} {
		if k, ok := s.newest(alg); ok && r.now().Sub(k.CreatedAt) >= rotateEvery {
			if _, err := r.replace(ctx, k.SigningKey, "schedule"); err != nil && !errors.Is(err, store.ErrNotFound) {
				return err
			}
			return r.read(ctx)
		}
	}
	return nil
}

// Rotate gives every algorithm a new key, which signs as soon as every replica has it. It returns the new keys.
func (r *Ring) Rotate(ctx context.Context, actor string) ([]store.SigningKey, error) {
	if err := r.Load(ctx); err != nil {
		return nil, err
	}
	r.loading.Lock()
	defer r.loading.Unlock()
	var added []store.SigningKey
	for _, alg := range []string{RS256, ES256} {
		k, ok := r.current.Load().newest(alg)
		if !ok {
			return nil, fmt.Errorf("rotate: there is no current key for %s", alg)
		}
		successor, err := r.replace(ctx, k.SigningKey, actor)
		if errors.Is(err, store.ErrNotFound) {
			continue // somebody else rotated it at this moment
		}
		if err != nil {
			return nil, err
		}
		added = append(added, successor)
	}
	return added, r.read(ctx)
}

func (r *Ring) replace(ctx context.Context, old store.SigningKey, actor string) (store.SigningKey, error) {
	now := r.now()
	k, err := r.generate(old.Alg, now, now.Add(lead))
	if err != nil {
		return store.SigningKey{}, err
	}
	err = r.store.InTx(ctx, func(tx *store.Tx) error {
		if err := tx.ReplaceSigningKey(ctx, old.ID, k.ActiveAt.Add(longestToken), k); err != nil {
			return err
		}
		return audit.Record(ctx, tx, audit.Entry{At: now, Event: audit.KeyRotated, Actor: actor, Detail: map[string]string{"kid": k.ID, "alg": k.Alg, "predecessor": old.ID}})
	})
	return k, err
}

// Reseal seals those keys anew that are not sealed under the first line of the seal key, all of them or none, and says
// how many it was and how many there are. Only the owner of the tables may: the running server cannot change a key. Rings
// that hold a key open keep it, so nothing stops meanwhile.
func (r *Ring) Reseal(ctx context.Context, actor string) (resealed, total int, err error) {
	err = r.store.InTx(ctx, func(tx *store.Tx) error {
		rows, err := tx.LockSigningKeys(ctx)
		if err != nil {
			return fmt.Errorf("read signing keys: %w", err)
		}
		total = len(rows)
		for _, row := range rows {
			anew, err := r.box.Reseal(row.Sealed, bound(row))
			if err != nil {
				return fmt.Errorf("open signing key %s: %w: no line of the seal key opens it: nothing was changed", row.ID, err)
			}
			if bytes.Equal(anew, row.Sealed) {
				continue
			}
			resealed++
			if err := tx.ResealSigningKey(ctx, row.ID, anew); err != nil {
				return fmt.Errorf("store signing key %s: %w", row.ID, err)
			}
			if err := audit.Record(ctx, tx, audit.Entry{At: r.now(), Event: audit.KeyResealed, Actor: actor, Detail: map[string]string{"kid": row.ID, "alg": row.Alg}}); err != nil {
				return fmt.Errorf("record: %w", err)
			}
		}
		return nil
	})
	return resealed, total, err
}

func (r *Ring) generate(alg string, now, activeAt time.Time) (store.SigningKey, error) {
	var private crypto.Signer
	var err error
	switch alg {
	case RS256:
		private, err = rsa.GenerateKey(rand.Reader, 2048)
	case ES256:
		private, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	}
	if err != nil {
		return store.SigningKey{}, fmt.Errorf("generate %s key: %w", alg, err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return store.SigningKey{}, fmt.Errorf("encode %s key: %w", alg, err)
	}
	thumbprint, err := (&jose.JSONWebKey{Key: private.Public()}).Thumbprint(crypto.SHA256) // RFC 7638
	if err != nil {
		return store.SigningKey{}, fmt.Errorf("name %s key: %w", alg, err)
	}
	k := store.SigningKey{ID: base64.RawURLEncoding.EncodeToString(thumbprint), Alg: alg, CreatedAt: now, ActiveAt: activeAt}
	k.Sealed = r.box.Seal(der, bound(k))
	return k, nil
}

// bound is what the seal of a key is bound to, so that one row cannot hold the private half of another.
func bound(k store.SigningKey) []byte { return []byte(k.ID + k.Alg) }

// read replaces the snapshot. The generation is read first: a change in between makes the next poll read again.
func (r *Ring) read(ctx context.Context) error {
	generation, err := r.store.Generation(ctx, "signing_key")
	if err != nil {
		return fmt.Errorf("read generation of signing keys: %w", err)
	}
	now := r.now()
	rows, err := r.store.SigningKeys(ctx, now.Add(-hintLife))
	if err != nil {
		return fmt.Errorf("read signing keys: %w", err)
	}
	s, known := &snapshot{generation: generation, changesAt: now.Add(rotateEvery)}, map[string]key{}
	if old := r.current.Load(); old != nil {
		s.signed = old.signed
		for _, k := range old.keys {
			known[k.ID] = k
		}
	} else if s.signed, err = lru.New[[sha256.Size]byte, struct{}](signedKept); err != nil {
		return fmt.Errorf("make room for tokens that were verified: %w", err)
	}
	set := jose.JSONWebKeySet{Keys: []jose.JSONWebKey{}}
	for _, row := range rows {
		k, ok := known[row.ID]
		if ok {
			k.SigningKey = row
		} else if k, err = r.open(row); err != nil {
			return err
		}
		s.keys = append(s.keys, k)
		if k.ExpiresAt == nil {
			r.created.WithLabelValues(k.Alg).Set(float64(k.CreatedAt.Unix()))
		}
		if !k.published(now) {
			continue
		}
		if k.ExpiresAt != nil && k.ExpiresAt.Before(s.changesAt) {
			s.changesAt = *k.ExpiresAt
		}
		set.Keys = append(set.Keys, jose.JSONWebKey{Key: k.private.Public(), KeyID: k.ID, Algorithm: k.Alg, Use: "sig"})
	}
	if s.published, err = json.Marshal(set); err != nil {
		return fmt.Errorf("encode key set: %w", err)
	}
	sum := sha256.Sum256(s.published)
	s.etag = `"` + hex.EncodeToString(sum[:8]) + `"`
	r.current.Store(s)
	return nil
}

func (r *Ring) open(row store.SigningKey) (key, error) {
	der, err := r.box.Open(row.Sealed, bound(row))
	if err != nil {
		return key{}, fmt.Errorf("open signing key %s: %w: it was sealed under another key: start with the seal key of this database, and with every line of it until `credence keys reseal` is done", row.ID, err)
	}
	private, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return key{}, fmt.Errorf("parse signing key %s: %w", row.ID, err)
	}
	signer, ok := private.(crypto.Signer)
	if !ok {
		return key{}, fmt.Errorf("parse signing key %s: %T does not sign", row.ID, private)
	}
	return key{SigningKey: row, private: signer, headers: map[string]string{
		IDToken: header(row.Alg, row.ID, IDToken), AccessToken: header(row.Alg, row.ID, AccessToken),
	}}, nil
}

// published says whether the key is in the published set, and what it signed worth something.
func (k key) published(now time.Time) bool { return k.ExpiresAt == nil || k.ExpiresAt.After(now) }

// newest is the key that has no successor.
func (s *snapshot) newest(alg string) (key, bool) {
	for _, k := range s.keys {
		if k.Alg == alg && k.ExpiresAt == nil {
			return k, true
		}
	}
	return key{}, false
}

// signing is the newest key that signs already.
func (s *snapshot) signing(alg string, now time.Time) (key, bool) {
	var found key
	ok := false
	for _, k := range s.keys { // oldest first
		if k.Alg == alg && (!k.ActiveAt.After(now) || !ok) {
			found, ok = k, true
		}
	}
	return found, ok
}

// Published is the JSON Web Key Set with its entity tag.
func (r *Ring) Published() (body []byte, etag string) {
	s := r.current.Load()
	return s.published, s.etag
}
