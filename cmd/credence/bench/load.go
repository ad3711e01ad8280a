package bench

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// mostErrors is after how many a measurement ends: it is of no use, and the server may be in trouble.
const mostErrors = 100

// load is what all users share.
type load struct {
	config          Config
	site            *site
	clientID        string
	authorization   string // of the client, at the token endpoint
	authorizeTarget string // as far as it is the same every time
	alg             jose.SignatureAlgorithm
	people          []authenticator
	officers        []authenticator
	names           names
	configuration   []byte
	jwksPath        string
	jwks            []byte
	keys            *jose.JSONWebKeySet
	turn            atomic.Int64
}

// newLoad looks at the server, and waits until it knows the client.
func newLoad(ctx context.Context, c Config) (*load, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	s, err := newSite(ctx, c.Issuer, c.Roots)
	if err != nil {
		return nil, err
	}
	l := &load{config: c, site: s, clientID: clientES256, alg: jose.ES256}
	if c.RS256 {
		l.clientID, l.alg = clientRS256, jose.RS256
	}
	l.authorization = "Basic " + base64.StdEncoding.EncodeToString([]byte(l.clientID+":"+clientSecret(c.Key)))
	l.authorizeTarget = "/authorize?" + url.Values{
		"response_type": {"code"}, "client_id": {l.clientID}, "redirect_uri": {callback}, "scope": {scope}, "code_challenge_method": {"S256"},
	}.Encode()
	if l.people, err = authenticators(c.Key, min(c.People, signers)); err != nil {
		return nil, err
	}
	if l.officers, err = securityKeys(c.Key); err != nil {
		return nil, err
	}
	l.names = newNames()
	if err := l.discover(ctx); err != nil {
		return nil, err
	}
	return l, l.awaitClient(ctx)
}

// discover reads the documents of the server, which then have to stay as they are.
func (l *load) discover(ctx context.Context) error {
	b := &browser{site: l.site}
	defer b.close()
	got, err := b.get(ctx, configuration)
	if err != nil {
		return err
	}
	var metadata struct {
		Issuer string `json:"issuer"`
		JWKS   string `json:"jwks_uri"`
	}
	if err := json.Unmarshal(got.body, &metadata); err != nil || got.status != http.StatusOK {
		return fmt.Errorf("GET %s: status %d %w: is that the provider?", configuration, got.status, err)
	}
	if metadata.Issuer != l.site.issuer {
		return fmt.Errorf("the issuer there is %q: name it so, with --issuer", metadata.Issuer)
	}
	l.configuration, l.jwksPath = bytes.Clone(got.body), strings.TrimPrefix(metadata.JWKS, l.site.issuer)
	if got, err = b.get(ctx, l.jwksPath); err != nil {
		return err
	}
	l.jwks, l.keys = bytes.Clone(got.body), new(jose.JSONWebKeySet)
	if err := json.Unmarshal(l.jwks, l.keys); err != nil || len(l.keys.Keys) == 0 {
		return fmt.Errorf("GET %s: status %d %w: want keys", l.jwksPath, got.status, err)
	}
	return nil
}

// awaitClient waits until the server knows the client, which it keeps in memory.
func (l *load) awaitClient(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	w := l.worker()
	defer w.close()
	poll := time.NewTicker(100 * time.Millisecond)
	defer poll.Stop()
	for {
		err := w.signIn(ctx, l.nextPerson(false))
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("nobody could sign in: %w: does the server use this database?", err)
		case <-poll.C:
		}
	}
}

// nextPerson is who signs in next, of those with two roles to choose from or of those with one.
func (l *load) nextPerson(two bool) *authenticator {
	half := len(l.people) / 2
	n := 2 * (int(l.turn.Add(1)) % half)
	if two != twoRoles(n) {
		n++
	}
	return &l.people[n]
}

func (l *load) worker() *worker {
	return &worker{load: l, browser: &browser{site: l.site}, client: &browser{site: l.site}}
}

func (w *worker) close() {
	w.browser.close()
	w.client.close()
}

// measure measures one flow at one concurrency.
func (l *load) measure(ctx context.Context, flow string, concurrency int) (Result, error) {
	workers := make([]*worker, concurrency)
	for i := range workers {
		workers[i] = l.worker()
		defer workers[i].close()
	}
	if err := l.prepare(ctx, flow, workers); err != nil {
		return Result{}, err
	}
	if warm := l.run(ctx, flow, workers, l.config.Warm); warm.errors > 0 {
		return failed(flow, concurrency, warm), ctx.Err()
	}
	before := l.usage(ctx)
	r := l.run(ctx, flow, workers, l.config.Duration)
	after := l.usage(ctx)
	if ctx.Err() != nil {
		return Result{}, ctx.Err()
	}
	result := failed(flow, concurrency, r)
	result.Operations = len(r.took)
	result.Rate = float64(result.Operations) / r.elapsed.Seconds()
	slices.Sort(r.took)
	result.P50, result.P95, result.P99 = percentile(r.took, 50), percentile(r.took, 95), percentile(r.took, 99)
	result.ServerCPU = spent(before.server, after.server, result.Operations)
	result.DatabaseCPU = spent(before.database, after.database, result.Operations)
	result.LoadCPU = spent(before.load, after.load, result.Operations)
	result.Memory = after.memory
	return result, nil
}

func failed(flow string, concurrency int, r run) Result {
	result := Result{Flow: flow, Concurrency: concurrency, Errors: r.errors}
	if r.first != nil {
		result.FirstError = r.first.Error()
	}
	return result
}

// prepare lets the workers prepare, a few at a time.
func (l *load) prepare(ctx context.Context, flow string, workers []*worker) error {
	const together = 8
	var group sync.WaitGroup
	errs := make([]error, min(together, len(workers)))
	for i := range errs {
		group.Go(func() {
			for n := i; n < len(workers) && errs[i] == nil && ctx.Err() == nil; n += len(errs) {
				errs[i] = workers[n].prepare(ctx, flow)
			}
		})
	}
	group.Wait()
	return errors.Join(append(errs, ctx.Err())...)
}

// run is what workers did in some time.
type run struct {
	took    []time.Duration // each operation that succeeded
	elapsed time.Duration
	errors  int
	first   error
}

// run lets the workers do what they do, each one thing after the other, for some time or until too much fails.
func (l *load) run(ctx context.Context, flow string, workers []*worker, duration time.Duration) run {
	var group sync.WaitGroup
	var mu sync.Mutex
	var all run
	var failures atomic.Int64
	began := time.Now()
	for _, w := range workers {
		group.Go(func() {
			var own run
			for from := began; from.Sub(began) < duration && failures.Load() < mostErrors && ctx.Err() == nil; {
				err := w.run(ctx, flow)
				to := time.Now()
				if err == nil {
					own.took = append(own.took, to.Sub(from))
				} else {
					failures.Add(1)
					own.errors++
					if own.first == nil {
						own.first = err
					}
				}
				from = to
			}
			mu.Lock()
			defer mu.Unlock()
			all.took = append(all.took, own.took...)
			all.errors += own.errors
			if all.first == nil {
				all.first = own.first
			}
		})
	}
	group.Wait()
	all.elapsed = time.Since(began)
	return all
}

// percentile is the nearest-rank percentile of sorted times, in milliseconds: the smallest that so many of a hundred do not
// exceed.
func percentile(sorted []time.Duration, percent int) float64 {
	if len(sorted) == 0 {
		return 0
	}
	rank := int(math.Ceil(float64(percent) * float64(len(sorted)) / 100))
	return float64(sorted[max(rank, 1)-1]) / float64(time.Millisecond)
}
