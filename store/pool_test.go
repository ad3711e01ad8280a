package store_test

import (
	"context"
	"errors"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/credence-id/credence/store"
	"github.com/credence-id/credence/store/storetest"
)

// The metrics tell of a pool that is used up: one connection, which a transaction holds while another request asks.
func TestPoolCollectors(t *testing.T) {
	t.Parallel()
	_, url := storetest.URLs(t)
	s, err := store.Open(t.Context(), oneConnection(t, url))
	must(t, err)
	t.Cleanup(s.Close)
	registry := prometheus.NewRegistry()
	for _, c := range s.Collectors() {
		must(t, registry.Register(c))
	}
	read := func() map[string]float64 {
		t.Helper()
		families, err := registry.Gather()
		must(t, err)
		got := map[string]float64{}
		for _, f := range families {
			m := f.GetMetric()[0]
			got[f.GetName()] = m.GetGauge().GetValue() + m.GetCounter().GetValue()
		}
		return got
	}
	before := read()
	must(t, s.InTx(t.Context(), func(tx *store.Tx) error {
		if _, err := tx.Development(t.Context()); err != nil {
			return err
		}
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := s.Development(gone); !errors.Is(err, context.Canceled) {
			t.Errorf("Development(of a request that is gone, without a connection) = %v, want %v", err, context.Canceled)
		}
		during := read()
		for name, want := range map[string]float64{
			"credence_database_connections": 1, "credence_database_connections_in_use": 1, "credence_database_connections_max": 1,
			"credence_database_waits_abandoned_total": before["credence_database_waits_abandoned_total"] + 1,
		} {
			if during[name] != want {
				t.Errorf("%s in a transaction = %v, want %v", name, during[name], want)
			}
		}
		return nil
	}))
	if got := read()["credence_database_connections_in_use"]; got != 0 {
		t.Errorf("connections in use after the transaction = %v, want 0", got)
	}
}
