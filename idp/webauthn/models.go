package webauthn

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/credence-id/credence/idp/poll"
	"github.com/credence-id/credence/idp/webauthn/metadata"
	"github.com/credence-id/credence/store"
)

// Models is what this replica knows of models of authenticators, as it last read it: FIDO metadata, the models that the
// operator vouches for, and the policies of organisations. A change is seen within two seconds. It is safe for concurrent
// use.
type Models struct {
	store  *store.Store
	source Source
	now    func() time.Time
	log    *slog.Logger

	failures prometheus.Counter
	next     prometheus.GaugeFunc

	current atomic.Pointer[known] // replaced whole, never changed
	loading sync.Mutex            // at most one load at a time
}

// NewModels returns models of which nothing is known yet: call Load. The source is where FIDO metadata comes from.
func NewModels(s *store.Store, source Source, now func() time.Time, log *slog.Logger) *Models {
	m := &Models{store: s, source: source, now: now, log: log, failures: prometheus.NewCounter(prometheus.CounterOpts{
		Name: "credence_fido_metadata_failures_total", Help: "FIDO metadata that could not be fetched, or was refused.",
	})}
	m.next = prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "credence_fido_metadata_next_update_timestamp_seconds", Help: "When newer FIDO metadata than this replica goes by was to be expected; 0 without any.",
	}, func() float64 {
		if k := m.current.Load(); k.metadata != nil {
			return float64(k.metadata.NextUpdate.Unix())
		}
		return 0
	})
	m.current.Store(&known{})
	return m
}

// Collectors are the metrics of the models.
func (m *Models) Collectors() []prometheus.Collector {
	return []prometheus.Collector{m.failures, m.next}
}

// known is what is known at one generation.
type known struct {
	generation int64
	metadata   *metadata.Blob // nil: none
	models     map[uuid.UUID]model
	policies   map[string]store.AuthenticatorPolicy // by organisation, inherited ones too
}

// model is one model of authenticators.
type model struct {
	metadata.Model
	roots   *x509.CertPool
	vouched bool // by the operator
}

const page = 500

// Load reads what is known, if it changed since it was last read.
func (m *Models) Load(ctx context.Context) error {
	m.loading.Lock()
	defer m.loading.Unlock()
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	generation, err := m.store.ModelsGeneration(ctx) // first: a change in between makes the next poll read again
	if err != nil {
		return fmt.Errorf("read generation of authenticator models: %w", err)
	}
	before := m.current.Load()
	if before.models != nil && before.generation == generation {
		return nil
	}
	k := &known{generation: generation, metadata: before.metadata, models: map[uuid.UUID]model{}, policies: map[string]store.AuthenticatorPolicy{}}
	for _, read := range []func(context.Context, *known) error{m.readMetadata, m.readModels, m.readPolicies} {
		if err := read(ctx, k); err != nil {
			return err
		}
	}
	m.current.Store(k)
	return nil
}

// Run looks for changes until the context ends. It logs when it begins to fail, and when it is well again.
func (m *Models) Run(ctx context.Context) error {
	return poll.Run(ctx, m.log, "authenticator models", m.Load)
}

// readMetadata reads the blob when it is not the one that was read before. It is verified again, as of when it came: the
// database is not believed, and a certificate that has expired since signed it in its time.
func (m *Models) readMetadata(ctx context.Context, k *known) error {
	state, err := m.store.MetadataState(ctx)
	if errors.Is(err, store.ErrNotFound) {
		k.metadata = nil
		return nil
	}
	if err != nil {
		return fmt.Errorf("read FIDO metadata: %w", err)
	}
	if k.metadata == nil || state.Number != k.metadata.Number {
		stored, err := m.store.Metadata(ctx)
		if err != nil {
			return fmt.Errorf("read FIDO metadata: %w", err)
		}
		blob, err := metadata.Parse(stored.Blob, m.source.trust(), stored.FetchedAt)
		if err != nil {
			return fmt.Errorf("FIDO metadata %d in the database: %w: name in CREDENCE_FIDO_METADATA_ROOT_FILE the root that it was signed under as well", stored.Number, err)
		}
		if blob.Number != stored.Number { // the number is what never falls: 0016
			return fmt.Errorf("FIDO metadata %d in the database has number %d in truth: somebody put back what was withdrawn: "+
				"delete the row of fido_metadata as the owner of the database, and it is fetched anew", stored.Number, blob.Number)
		}
		k.metadata = &blob
	}
	for aaguid, published := range k.metadata.Models {
		known := model{Model: published, roots: x509.NewCertPool()}
		for _, root := range published.Roots {
			known.roots.AddCert(root)
		}
		k.models[aaguid] = known
	}
	return nil
}

func (m *Models) readModels(ctx context.Context, k *known) error {
	for after := uuid.Nil; ; {
		list, err := m.store.AuthenticatorModels(ctx, after, page)
		if err != nil {
			return fmt.Errorf("read authenticator models: %w", err)
		}
		for _, row := range list {
			vouched := k.models[row.AAGUID] // with the reports on it
			vouched.Name, vouched.vouched = row.Name, true
			if vouched.roots == nil {
				vouched.roots = x509.NewCertPool()
			}
			vouched.roots.AppendCertsFromPEM([]byte(row.Roots))
			k.models[row.AAGUID] = vouched
			after = row.AAGUID
		}
		if len(list) < page {
			return nil
		}
	}
}

func (m *Models) readPolicies(ctx context.Context, k *known) error {
	own := map[string]store.AuthenticatorPolicy{}
	for after := ""; ; {
		list, err := m.store.AuthenticatorPolicies(ctx, after, page)
		if err != nil {
			return fmt.Errorf("read authenticator policies: %w", err)
		}
		for _, p := range list {
			own[p.OrganisationCode] = p
			after = p.OrganisationCode
		}
		if len(list) < page {
			break
		}
	}
	if len(own) == 0 {
		return nil
	}
	holders, err := m.store.PolicyHolders(ctx)
	if err != nil {
		return fmt.Errorf("read whom authenticator policies hold for: %w", err)
	}
	for _, h := range holders {
		if p, ok := own[h.Holder]; ok {
			k.policies[h.OrganisationCode] = p
		}
	}
	return nil
}
