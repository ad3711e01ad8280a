package store

import (
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
)

// Collectors are the metrics of the pool of connections.
func (s *Store) Collectors() []prometheus.Collector {
	gauge := func(name, help string, read func(*pgxpool.Stat) float64) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, func() float64 { return read(s.pool.Stat()) })
	}
	counter := func(name, help string, read func(*pgxpool.Stat) float64) prometheus.Collector {
		return prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help}, func() float64 { return read(s.pool.Stat()) })
	}
	return []prometheus.Collector{
		gauge("credence_database_connections", "Connections to the database that are open.",
			func(stat *pgxpool.Stat) float64 { return float64(stat.TotalConns()) }),
		gauge("credence_database_connections_in_use", "Connections that a request holds at this moment.",
			func(stat *pgxpool.Stat) float64 { return float64(stat.AcquiredConns()) }),
		gauge("credence_database_connections_max", "Connections that may be open: pool_max_conns of the database URL.",
			func(stat *pgxpool.Stat) float64 { return float64(stat.MaxConns()) }),
		counter("credence_database_waits_total", "Times that no connection was free.",
			func(stat *pgxpool.Stat) float64 { return float64(stat.EmptyAcquireCount()) }),
		counter("credence_database_wait_seconds_total", "How long was waited for a connection.",
			func(stat *pgxpool.Stat) float64 { return stat.EmptyAcquireWaitTime().Seconds() }),
		counter("credence_database_waits_abandoned_total", "Times that a request ended before it got a connection.",
			func(stat *pgxpool.Stat) float64 { return float64(stat.CanceledAcquireCount()) }),
	}
}
