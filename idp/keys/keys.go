// Package keys holds the keys that sign tokens: it makes them at first start, rotates them by schedule and by command,
// publishes them as a JSON Web Key Set (RFC 7517), signs and verifies (RFC 7515).
//
// Private keys rest in the database, sealed under the operator's key. A key is published before it signs, so that every
// replica knows it, and after it has stopped signing until the last token it signed is dead. Each algorithm has one
// current key; of replicas that rotate at the same moment one makes the successor.
package keys

import (
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
	"github.com/prometheus/client_golang/prometheus"

	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/idp/seal"
	"github.com/credence-id/credence/store"
)

// The algorithms that we sign with.
const (
	RS256 = "RS256"
	ES256 = "ES256"
)

// Types of tokens: the `typ` header, which keeps one kind from being taken for another (RFC 8725, Section 3.11).
const (
	IDToken     = "JWT"
	AccessToken = "at+jwt" // RFC 9068, Section 2.1
)

const (
	// longestToken is the longest that a token lives. A key is published that long after its last signature.
	longestToken = 2 * time.Hour
	pollEvery    = time.Second
	// lead is how long a key is published before it signs: until every copy of the set that may still be kept has it.
	lead = MaxAge + 30*time.Second
	// hintLife is how much longer than it is published a key is kept for [Ring.VerifyHint]: as long as a session lasts.
	hintLife = 24 * time.Hour
	// rotateEvery is the age at which a key gets a successor.
	rotateEvery = 90 * 24 * time.Hour
	// reloadEvery bounds how often tokens that name an unknown key can make a replica look for it.
	reloadEvery = time.Second
)

// MaxAge is how long a copy of the published set may be kept.
const MaxAge = time.Minute

// ErrToken says that a token was not signed by a key that we publish, or is not of the expected type.
var ErrToken = errors.New("not a token of ours")

// Ring is the set of keys, as this replica last read it. It is safe for concurrent use.
type Ring struct {
	store *store.Store
	box   seal.Box
	now   func() time.Time
	log   *slog.Logger

	signatures *prometheus.CounterVec

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
	}
}

// Collectors are the metrics of the ring.
func (r *Ring) Collectors() []prometheus.Collector { return []prometheus.Collector{r.signatures} }

// snapshot is the ring as it was read at one generation.
type snapshot struct {
	generation int64
	keys       []key // oldest first
	published  []byte
	etag       string
	changesAt  time.Time // when the next published key expires
}

// key is a key with all that can be prepared: two signers, one for each type of token.
type key struct {
	store.SigningKey
	public  crypto.PublicKey
	signers map[string]jose.Signer // by typ
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

// Run looks for changes and rotates keys that are due, until the context ends.
func (r *Ring) Run(ctx context.Context) error {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if err := r.refresh(ctx); err != nil && ctx.Err() == nil {
			r.log.ErrorContext(ctx, "signing keys could not be refreshed", slog.Any("error", err))
		}
	}
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
	id := base64.RawURLEncoding.EncodeToString(thumbprint)
	return store.SigningKey{ID: id, Alg: alg, Sealed: r.box.Seal(der, []byte(id+alg)), CreatedAt: now, ActiveAt: activeAt}, nil
}

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
	known := map[string]key{}
	if s := r.current.Load(); s != nil {
		for _, k := range s.keys {
			known[k.ID] = k
		}
	}
	s := &snapshot{generation: generation, changesAt: now.Add(rotateEvery)}
	set := jose.JSONWebKeySet{Keys: []jose.JSONWebKey{}}
	for _, row := range rows {
		k, ok := known[row.ID]
		if ok {
			k.SigningKey = row
		} else if k, err = r.open(row); err != nil {
			return err
		}
		s.keys = append(s.keys, k)
		if !k.published(now) {
			continue
		}
		if k.ExpiresAt != nil && k.ExpiresAt.Before(s.changesAt) {
			s.changesAt = *k.ExpiresAt
		}
		set.Keys = append(set.Keys, jose.JSONWebKey{Key: k.public, KeyID: k.ID, Algorithm: k.Alg, Use: "sig"})
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
	der, err := r.box.Open(row.Sealed, []byte(row.ID+row.Alg))
	if err != nil {
		return key{}, fmt.Errorf("open signing key %s: %w: it was sealed under another key: start with the seal key of this database", row.ID, err)
	}
	private, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return key{}, fmt.Errorf("parse signing key %s: %w", row.ID, err)
	}
	signer, ok := private.(crypto.Signer)
	if !ok {
		return key{}, fmt.Errorf("parse signing key %s: %T does not sign", row.ID, private)
	}
	k := key{SigningKey: row, public: signer.Public(), signers: map[string]jose.Signer{}}
	for _, typ := range []string{IDToken, AccessToken} {
		options := (&jose.SignerOptions{}).WithType(jose.ContentType(typ))
		k.signers[typ], err = jose.NewSigner(jose.SigningKey{
			Algorithm: jose.SignatureAlgorithm(row.Alg),
			Key:       jose.JSONWebKey{Key: private, KeyID: row.ID},
		}, options)
		if err != nil {
			return key{}, fmt.Errorf("prepare signing key %s: %w", row.ID, err)
		}
	}
	return k, nil
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

// Sign signs claims as a token of the given algorithm and type, in JWS compact serialization.
func (r *Ring) Sign(alg, typ string, claims any) (string, error) {
	k, ok := r.current.Load().signing(alg, r.now())
	if !ok {
		return "", fmt.Errorf("sign: no key for %s", alg)
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", fmt.Errorf("sign: %w", err)
	}
	signed, err := k.signers[typ].Sign(payload)
	if err != nil {
		return "", fmt.Errorf("sign with %s: %w", k.ID, err)
	}
	r.signatures.WithLabelValues(alg).Inc()
	return signed.CompactSerialize()
}

// maxToken bounds the tokens that we look at: ours carry at most some hundred roles and activities.
const maxToken = 64 << 10

// Verify checks that a token of the given type was signed by a key that we publish, and decodes its claims. It says
// nothing about them: issuer, audience and times are the caller's to check. A failure is ErrToken.
func (r *Ring) Verify(ctx context.Context, token, typ string, claims any) error {
	return r.verify(ctx, token, typ, claims, r.now())
}

// VerifyHint is Verify for an ID token that comes back as a hint of whom a request is about. It takes those of keys that
// were published a day ago as well: a hint may be as old as the session that it speaks of.
func (r *Ring) VerifyHint(ctx context.Context, token string, claims any) error {
	return r.verify(ctx, token, IDToken, claims, r.now().Add(-hintLife))
}

func (r *Ring) verify(ctx context.Context, token, typ string, claims any, since time.Time) error {
	if len(token) > maxToken {
		return ErrToken
	}
	signed, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.RS256, jose.ES256})
	if err != nil || len(signed.Signatures) != 1 {
		return ErrToken
	}
	header := signed.Signatures[0].Protected
	if header.ExtraHeaders[jose.HeaderType] != typ {
		return ErrToken
	}
	k, ok := r.find(ctx, header.KeyID)
	if !ok || !k.published(since) || k.Alg != header.Algorithm { // the algorithm comes from the key, never from the token: RFC 8725, Section 3.1
		return ErrToken
	}
	payload, err := signed.Verify(k.public)
	if err != nil {
		return ErrToken
	}
	if err := json.Unmarshal(payload, claims); err != nil {
		return ErrToken
	}
	return nil
}

// find looks a key up, in the database if another replica may have made it a moment ago.
func (r *Ring) find(ctx context.Context, id string) (key, bool) {
	if k, ok := r.current.Load().key(id); ok {
		return k, true
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	r.loading.Lock()
	defer r.loading.Unlock()
	if now := r.now(); now.Sub(r.lastReload) >= reloadEvery {
		r.lastReload = now
		if err := r.read(ctx); err != nil {
			r.log.ErrorContext(ctx, "signing keys could not be read", slog.Any("error", err))
		}
	}
	return r.current.Load().key(id)
}

func (s *snapshot) key(id string) (key, bool) {
	for _, k := range s.keys {
		if k.ID == id {
			return k, true
		}
	}
	return key{}, false
}

// Published is the JSON Web Key Set with its entity tag.
func (r *Ring) Published() (body []byte, etag string) {
	s := r.current.Load()
	return s.published, s.etag
}
