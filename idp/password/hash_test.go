package password

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/crypto/argon2"
)

const phrase = "seven lapwings over wet stubble"

// count reads a counter.
func count(t *testing.T, c prometheus.Counter) int {
	t.Helper()
	registry := prometheus.NewRegistry()
	registry.MustRegister(c)
	gathered, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	return int(gathered[0].GetMetric()[0].GetCounter().GetValue())
}

func TestHash(t *testing.T) {
	t.Parallel()
	h := NewHasher()
	hash, err := h.Hash(t.Context(), phrase)
	if err != nil || !strings.HasPrefix(hash, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Fatalf("Hash() = %q, %v, want one of Argon2id with 19 MiB and two passes", hash, err)
	}
	if again, err := h.Hash(t.Context(), phrase); err != nil || again == hash {
		t.Errorf("Hash(again) = %q, %v, want another, with a salt of its own", again, err)
	}
	old := parameters{memory: 64, passes: 1, threads: 1}
	weak := encode(old, []byte("a salt from 2019"), argon2.IDKey([]byte(phrase), []byte("a salt from 2019"), old.passes, old.memory, old.threads, hashSize))
	short := encode(current(), []byte("8 bytes!"), argon2.IDKey([]byte(phrase), []byte("8 bytes!"), 2, 19<<10, 1, hashSize))
	at72 := strings.Repeat("x", 72)
	long, err := h.Hash(t.Context(), at72+"X")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, hash, password string
		right, stale         bool
	}{
		{"the password", hash, phrase, true, false},
		{"another", hash, "Seven lapwings over wet stubble", false, false},
		{"nothing", hash, "", false, false},
		{"the password, with the parameters of before", weak, phrase, true, true},
		{"the password, with a salt that is too short", short, phrase, true, true},
		{"another, with the parameters of before", weak, "another", false, true},
		{"nobody's", "", phrase, false, false},
		{"nobody's, and nothing", "", "", false, false},
		{"what differs after 72 bytes", long, at72 + "Y", false, false},
		{"what is the same after 72 bytes", long, at72 + "X", true, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			right, stale, err := h.Verify(t.Context(), tt.hash, tt.password)
			if right != tt.right || stale != tt.stale || err != nil {
				t.Errorf("Verify() = %t, %t, %v, want %t, %t", right, stale, err, tt.right, tt.stale)
			}
		})
	}
}

// Each answer costs one hash, whoever it is about: what is not there, too.
func TestVerifyHashesForNobodyToo(t *testing.T) {
	t.Parallel()
	h := NewHasher()
	hash, err := h.Hash(t.Context(), phrase)
	if err != nil {
		t.Fatal(err)
	}
	for _, of := range []string{hash, "", hash, ""} {
		before := count(t, h.hashed)
		if _, _, err := h.Verify(t.Context(), of, "wrong"); err != nil {
			t.Fatal(err)
		}
		if got := count(t, h.hashed) - before; got != 1 {
			t.Errorf("Verify(%.12q, wrong) computes %d hashes, want 1", of, got)
		}
	}
	p, salt, sum, err := decode(h.decoy)
	if err != nil || p != current() || len(salt) != saltSize || len(sum) != hashSize {
		t.Errorf("the hash of nobody is %+v with %d and %d bytes, %v, want it as all others", p, len(salt), len(sum), err)
	}
}

// Beyond the few that compute and those that wait, nobody waits.
func TestQueueIsBounded(t *testing.T) {
	t.Parallel()
	h := NewHasher()
	h.workers = make(chan struct{}, 1)
	h.queue = make(chan struct{}, 3)
	h.workers <- struct{}{} // one computes, for as long as the test likes
	h.queue <- struct{}{}
	waiting := make(chan error, 2)
	var wg sync.WaitGroup
	ctx, leave := context.WithCancel(t.Context())
	for range 2 {
		wg.Go(func() {
			_, err := h.Hash(ctx, phrase)
			waiting <- err
		})
	}
	for len(h.queue) < 3 {
		if t.Context().Err() != nil {
			t.Fatal("the queue does not fill")
		}
	}
	if _, err := h.Hash(t.Context(), phrase); !errors.Is(err, ErrBusy) {
		t.Errorf("Hash(when the queue is full) = %v, want %v", err, ErrBusy)
	}
	if _, _, err := h.Verify(t.Context(), "", phrase); !errors.Is(err, ErrBusy) {
		t.Errorf("Verify(when the queue is full) = %v, want %v", err, ErrBusy)
	}
	if got := count(t, h.turnedAway); got != 2 {
		t.Errorf("%d were turned away, want 2", got)
	}
	<-h.workers // it is done: of those who wait one after the other has its turn
	for range 2 {
		if err := <-waiting; err != nil {
			t.Errorf("Hash(of one who waits) = %v, want no error", err)
		}
	}
	wg.Wait()
	h.workers <- struct{}{}
	leave()
	if _, err := h.Hash(ctx, phrase); !errors.Is(err, context.Canceled) {
		t.Errorf("Hash(of one who leaves) = %v, want %v", err, context.Canceled)
	}
	if got := len(h.queue); got != 1 {
		t.Errorf("%d are in the queue at the end, want the one of the test", got)
	}
}

func TestDecode(t *testing.T) {
	t.Parallel()
	salt, sum := []byte("a salt, 16 bytes"), []byte("and 32 bytes that are some hash.")
	good := encode(current(), salt, sum)
	if p, s, h, err := decode(good); err != nil || p != current() || string(s) != string(salt) || string(h) != string(sum) {
		t.Errorf("decode(%s) = %+v, %q, %q, %v, want what was encoded", good, p, s, h, err)
	}
	b64 := base64.RawStdEncoding.EncodeToString
	for _, bad := range []string{
		"", "$", strings.Repeat("$", 5), good + "$", good[1:], good + "=",
		strings.Replace(good, "argon2id", "argon2i", 1),
		strings.Replace(good, "v=19", "v=16", 1),
		strings.Replace(good, "m=19456", "m=019456", 1),
		strings.Replace(good, "m=19456", "m=0", 1),
		strings.Replace(good, "m=19456", "m=4294967295", 1),
		strings.Replace(good, "t=2", "t=0", 1),
		strings.Replace(good, "t=2", "t=1000000", 1),
		strings.Replace(good, "p=1", "p=0", 1),
		strings.Replace(good, "p=1", "p=255", 1),
		strings.Replace(good, "p=1", "p=1,x=1", 1),
		strings.Replace(good, b64(salt), b64(salt[:7]), 1),
		strings.Replace(good, b64(sum), b64(sum[:15]), 1),
		strings.Replace(good, b64(sum), "*", 1),
		encode(current(), salt, []byte(strings.Repeat("x", 65))),
	} {
		if _, _, _, err := decode(bad); err == nil {
			t.Errorf("decode(%q) = nil, want an error", bad)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(encode(current(), []byte("a salt, 16 bytes"), []byte("and 32 bytes that are some hash.")))
	f.Add("$argon2id$v=19$m=8,t=1,p=1$AAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA")
	f.Add("$2y$10$")
	f.Fuzz(func(t *testing.T, text string) {
		p, salt, hash, err := decode(text)
		if err != nil {
			return
		}
		if p.memory > 256<<10 || p.passes < 1 || p.passes > 10 || p.threads < 1 || len(salt) < 8 || len(hash) < 16 {
			t.Errorf("decode(%q) = %+v, want it refused", text, p)
		}
		if got := encode(p, salt, hash); got != text {
			t.Errorf("encode(decode(%q)) = %q", text, got)
		}
	})
}

func BenchmarkVerify(b *testing.B) {
	h := NewHasher()
	hash, err := h.Hash(b.Context(), phrase)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if right, _, err := h.Verify(b.Context(), hash, phrase); !right || err != nil {
			b.Fatal(fmt.Errorf("Verify() = %t, %w", right, err))
		}
	}
}
