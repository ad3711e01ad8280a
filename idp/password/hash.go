package password

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/crypto/argon2"
)

// parameters are those of Argon2id: RFC 9106.
type parameters struct {
	memory  uint32 // KiB
	passes  uint32
	threads uint8
}

// current are the parameters of new hashes. A hash of others is made anew when its password is used next.
func current() parameters { return parameters{memory: 19 << 10, passes: 2, threads: 1} }

const (
	saltSize = 16
	hashSize = 32

	mostWaiting = 32
	patience    = 5 * time.Second
)

// ErrBusy says that so many passwords are being hashed that another one would have to wait for too long.
var ErrBusy = errors.New("too many passwords are being hashed")

// Hasher hashes passwords, few at a time: each takes a core and 19 MiB for some time, and sign-ins that need none must not
// wait for it. Others queue; when the queue is full, or takes too long, they are turned away. It is safe for concurrent use.
type Hasher struct {
	queue   chan struct{} // a place for each that computes or waits
	workers chan struct{} // a place for each that computes
	decoy   string        // the hash of nobody's password

	hashed     prometheus.Counter
	turnedAway prometheus.Counter
}

// NewHasher returns a hasher that leaves at least half of the cores to others, where there are two.
func NewHasher() *Hasher {
	workers := min(max(runtime.GOMAXPROCS(0)/2, 1), 2)
	nobodys := make([]byte, saltSize+hashSize)
	_, _ = rand.Read(nobodys)
	return &Hasher{
		queue: make(chan struct{}, workers+mostWaiting), workers: make(chan struct{}, workers), decoy: encode(current(), nobodys[:saltSize], nobodys[saltSize:]),
		hashed: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "credence_password_hashes_total", Help: "Passwords that were hashed: new ones, and those of sign-ins.",
		}),
		turnedAway: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "credence_password_hashes_refused_total", Help: "Passwords that were not hashed because too many others were waiting.",
		}),
	}
}

// Collectors are the metrics of the hasher.
func (h *Hasher) Collectors() []prometheus.Collector {
	return []prometheus.Collector{h.hashed, h.turnedAway}
}

// Hash is a new hash of a password, in the form of the PHC: $argon2id$v=19$m=...,t=...,p=...$salt$hash.
func (h *Hasher) Hash(ctx context.Context, password string) (string, error) {
	salt := make([]byte, saltSize)
	_, _ = rand.Read(salt)
	hash, err := h.compute(ctx, current(), password, salt, hashSize)
	return encode(current(), salt, hash), err
}

// Verify says whether a password is the one of a hash, and whether that is of parameters that are no longer used. The hash ""
// is nobody's: no password is right, and finding that out takes as long.
func (h *Hasher) Verify(ctx context.Context, hash, password string) (right, stale bool, err error) {
	if hash == "" {
		hash = h.decoy
	}
	p, salt, want, err := decode(hash)
	if err != nil {
		return false, false, err
	}
	got, err := h.compute(ctx, p, password, salt, uint32(len(want))) //nolint:gosec // decode bounds it
	if err != nil {
		return false, false, err
	}
	return subtle.ConstantTimeCompare(got, want) == 1, p != current() || len(salt) != saltSize || len(want) != hashSize, nil
}

// compute waits for its turn.
func (h *Hasher) compute(ctx context.Context, p parameters, password string, salt []byte, size uint32) ([]byte, error) {
	select {
	case h.queue <- struct{}{}:
		defer func() { <-h.queue }()
	default:
		h.turnedAway.Inc()
		return nil, ErrBusy
	}
	waiting, stop := context.WithTimeoutCause(ctx, patience, ErrBusy)
	defer stop()
	select {
	case h.workers <- struct{}{}:
		defer func() { <-h.workers }()
	case <-waiting.Done():
		h.turnedAway.Inc()
		return nil, context.Cause(waiting)
	}
	h.hashed.Inc()
	return argon2.IDKey([]byte(password), salt, p.passes, p.memory, p.threads, size), nil
}

var errForm = errors.New("not a hash of Argon2id in the form of the PHC")

// encode writes a hash in the form of the PHC string format.
func encode(p parameters, salt, hash []byte) string {
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, p.memory, p.passes, p.threads,
		base64.RawStdEncoding.EncodeToString(salt), base64.RawStdEncoding.EncodeToString(hash))
}

// decode reads what encode wrote. What would cost more than any parameters that were ever used is refused.
func decode(text string) (p parameters, salt, hash []byte, err error) {
	fields := strings.Split(text, "$")
	if len(text) > 256 || len(fields) != 6 {
		return p, nil, nil, errForm
	}
	if _, err := fmt.Sscanf(fields[3], "m=%d,t=%d,p=%d", &p.memory, &p.passes, &p.threads); err != nil {
		return p, nil, nil, errForm
	}
	salt, saltErr := base64.RawStdEncoding.Strict().DecodeString(fields[4])
	hash, hashErr := base64.RawStdEncoding.Strict().DecodeString(fields[5])
	switch {
	case saltErr != nil || hashErr != nil || len(salt) < 8 || len(salt) > 64 || len(hash) < 16 || len(hash) > 64,
		p.passes < 1 || p.passes > 10 || p.threads < 1 || p.threads > 4 || p.memory < 8*uint32(p.threads) || p.memory > 256<<10,
		encode(p, salt, hash) != text: // also another algorithm or version, and numbers that are written in another way
		return p, nil, nil, errForm
	}
	return p, salt, hash, nil
}
