package webauthn_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/credence-id/credence/idp/webauthn"
	"github.com/credence-id/credence/idp/webauthn/metadata"
	"github.com/credence-id/credence/idp/webauthn/webauthntest"
	"github.com/credence-id/credence/store"
	"github.com/credence-id/credence/store/storetest"
)

// metric is the value of a metric of the models.
func (w *world) metric(t *testing.T, name string) float64 {
	t.Helper()
	registry := prometheus.NewRegistry()
	registry.MustRegister(w.models.Collectors()...)
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == name {
			return f.GetMetric()[0].GetCounter().GetValue() + f.GetMetric()[0].GetGauge().GetValue()
		}
	}
	t.Fatalf("there is no metric %s", name)
	return 0
}

// number is which metadata the world goes by, 0 for none.
func (w *world) goesBy(t *testing.T) int64 {
	t.Helper()
	state, _, err := w.models.MetadataState(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return state.Number
}

// What is broken, older or nobody's is not taken, is said aloud, and what is there stays.
func TestMetadataThatIsNotTaken(t *testing.T) {
	t.Parallel()
	m := webauthntest.NewModel(blue)
	for _, tt := range []struct {
		name  string
		offer func(*world)
		want  string // of the log
		kept  int64
	}{
		{"newer metadata is taken", func(w *world) { w.blob = w.publisher.Blob(8, next, m.Certified()) }, "", 8},
		{"the same metadata is there already", func(*world) {}, "", 7},
		{"older metadata is refused", func(w *world) { w.blob = w.publisher.Blob(6, next.AddDate(1, 0, 0), m.Certified()) }, "somebody offers what was withdrawn", 7},
		{"metadata that is cut is refused", func(w *world) { w.blob = w.blob[:len(w.blob)-9] }, "read signature", 7},
		{"metadata of somebody else is refused", func(w *world) { w.blob = webauthntest.NewPublisher("mds.example.org").Blob(8, next) }, "unknown authority", 7},
		{"metadata that is huge is refused", func(w *world) { w.blob = append(bytes.Clone(w.blob), make([]byte, metadata.MaxSize)...) }, "longer than", 7},
		{"a page of a proxy is refused", func(w *world) { w.blob = []byte("<html>Please log in.</html>") }, "read signature", 7},
		{"a source that is away is told", func(w *world) { w.away = errors.New("no route to host") }, "no route to host", 7},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newPublished(t, 0)
			w.number = 6
			w.publish(t, m.Certified())
			key := webauthntest.NewOf(m)
			w.enrol(t, alice, key)
			tt.offer(w)
			w.now = w.now.Add(time.Hour)
			w.models.Refresh(t.Context())
			if got := w.logs.String(); tt.want == "" && got != "" || !strings.Contains(got, tt.want) {
				t.Errorf("log = %q, want %q", got, tt.want)
			}
			failures := 0.0
			if tt.want != "" {
				failures = 1
			}
			if got := w.metric(t, "credence_fido_metadata_failures_total"); got != failures {
				t.Errorf("failures = %v, want %v", got, failures)
			}
			if got := w.goesBy(t); got != tt.kept {
				t.Errorf("number = %d, want %d", got, tt.kept)
			}
			if in := w.signIn(t, "", key).Authentication; in.Level().String() != "3" {
				t.Errorf("level = %s, want 3 by what is there", in.Level())
			}
		})
	}
}

func TestMetadataThatIsOutOfDate(t *testing.T) {
	t.Parallel()
	w, m := newPublished(t, 0), webauthntest.NewModel(blue)
	if got := w.metric(t, "credence_fido_metadata_next_update_timestamp_seconds"); got != 0 {
		t.Errorf("next update without metadata = %v, want 0", got)
	}
	w.publish(t, m.Certified())
	key := webauthntest.NewOf(m)
	w.enrol(t, alice, key)
	if got := w.metric(t, "credence_fido_metadata_next_update_timestamp_seconds"); got != float64(next.Unix()) {
		t.Errorf("next update = %v, want %v", got, next.Unix())
	}
	w.now = next.Add(-time.Second)
	w.models.Refresh(t.Context())
	if w.logs.Len() > 0 {
		t.Errorf("log on the last day = %q, want nothing", w.logs.String())
	}
	for range 2 { // each time anew
		w.logs.Reset()
		w.now = w.now.Add(time.Hour)
		w.models.Refresh(t.Context())
		if got := w.logs.String(); !strings.Contains(got, "level=WARN") || !strings.Contains(got, "out of date") || !strings.Contains(got, "next_update=2026-04-01") {
			t.Errorf("log after the last day = %q, want a warning", got)
		}
	}
	if in := w.signIn(t, "", key).Authentication; in.Level().String() != "3" {
		t.Errorf("level = %s, want 3: old metadata is gone by", in.Level())
	}
	// Old metadata that comes first is taken all the same: what it has revoked is known then.
	first := newPublished(t, 0)
	first.blob = first.publisher.Blob(1, first.now.AddDate(-1, 0, 0), m.Certified())
	first.models.Refresh(t.Context())
	if got := first.logs.String(); !strings.Contains(got, "out of date") || first.goesBy(t) != 1 {
		t.Errorf("log = %q, number = %d, want it taken with a warning", got, first.goesBy(t))
	}
}

// A source that has answered is left alone for a while, by all replicas; one whose metadata is out of date is not.
func TestHowOftenTheSourceIsAsked(t *testing.T) {
	t.Parallel()
	asked := 0
	p := webauthntest.NewPublisher("mds.example.org")
	trust, err := metadata.Own(webauthntest.PEM(p.Root))
	if err != nil {
		t.Fatal(err)
	}
	blob := p.Blob(1, next)
	source := webauthn.Source{Trust: &trust, Every: 24 * time.Hour, Fetch: func(context.Context) ([]byte, error) {
		asked++
		return blob, nil
	}}
	w := newWorldFrom(t, storetest.New(t), source)
	other := webauthn.NewModels(w.store, source, func() time.Time { return w.now }, nil)
	for _, tt := range []struct {
		after time.Duration
		want  int
	}{{0, 1}, {time.Hour, 1}, {22 * time.Hour, 1}, {time.Hour, 2}, {time.Hour, 2}, {24 * time.Hour * 27, 3}, {time.Hour, 3}, {3 * 24 * time.Hour, 4}, {time.Hour, 5}} {
		w.now = w.now.Add(tt.after)
		w.models.Refresh(t.Context())
		if w.now.Before(next) {
			other.Refresh(t.Context())
		}
		if asked != tt.want {
			t.Errorf("at %s the source was asked %d times, want %d", w.now, asked, tt.want)
		}
	}
}

// The database is not believed: what rests in it is verified by every replica that reads it.
func TestMetadataInTheDatabase(t *testing.T) {
	t.Parallel()
	w, m := newPublished(t, 0), webauthntest.NewModel(blue)
	w.publish(t, m.Certified())
	key := webauthntest.NewOf(m)
	w.enrol(t, alice, key)
	stored, err := w.store.Metadata(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	forged := stored
	forged.Number, forged.Blob = 2, webauthntest.NewPublisher("mds.example.org").Blob(2, next)
	if err := w.store.PutMetadata(t.Context(), forged); err != nil {
		t.Fatal(err)
	}
	if err := w.models.Load(t.Context()); err == nil || !strings.Contains(err.Error(), "unknown authority") {
		t.Errorf("Load(forged) = %v, want it refused", err)
	}
	if in := w.signIn(t, "", key).Authentication; in.Level().String() != "3" {
		t.Errorf("level = %s, want 3 by what was read before", in.Level())
	}
	// The certificate that signed it expires in 2040. What it signed before is still its word.
	w.number = 2
	w.publish(t, m.Certified())
	w.now = time.Date(2045, 1, 1, 0, 0, 0, 0, time.UTC)
	again := newWorldOf(t, w)
	again.load(t)
	if got := again.goesBy(t); got != 3 {
		t.Errorf("number = %d, want 3", got)
	}
	w.blob = w.publisher.Blob(4, next)
	w.models.Refresh(t.Context())
	if got := w.logs.String(); !strings.Contains(got, "expired") || w.goesBy(t) != 3 {
		t.Errorf("log = %q, number = %d, want newer metadata by an expired certificate refused", got, w.goesBy(t))
	}
}

// Whoever has the service's rights in the database does not put back metadata from before a revocation: its number is inside.
func TestMetadataThatIsPutBack(t *testing.T) {
	t.Parallel()
	for name, put := range map[string]string{
		"under the number that is here": `UPDATE fido_metadata SET blob = $1`,
		"under a higher one":            `UPDATE fido_metadata SET blob = $1, number = number + 1`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ownerURL, serviceURL := storetest.URLs(t)
			s, err := store.Open(t.Context(), serviceURL)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(s.Close)
			w, m := newPublishedOn(t, s, 0), webauthntest.NewModel(blue)
			w.publish(t, m.Certified())
			key, before := webauthntest.NewOf(m), w.blob
			w.enrol(t, alice, key)
			w.publish(t, m.Certified(webauthntest.Report{Status: "REVOKED", EffectiveDate: "2021-06-01"}))
			replica := newWorldOf(t, w)
			replica.load(t) // by the genuine one: it is read

			execute(t, serviceURL, put, before)
			replica = newWorldOf(t, w)
			if err := replica.models.Load(t.Context()); err == nil || !strings.Contains(err.Error(), "put back what was withdrawn") {
				t.Errorf("Load() of a new replica = %v, want it refused", err)
			}
			if got := replica.goesBy(t); got != 0 {
				t.Errorf("number at a new replica = %d, want none", got)
			}
			_ = w.models.Load(t.Context()) // of one that runs: refused too, when it is looked at
			if got := w.goesBy(t); got != 2 {
				t.Errorf("number = %d, want 2 as before", got)
			}
			_, err = w.trySignIn(t, key)
			wantRefusal(t, "VerifySignIn", err, webauthn.ModelRevoked, alice, "")

			// What the error says helps.
			execute(t, ownerURL, `DELETE FROM fido_metadata`)
			w.models.Refresh(t.Context())
			replica.load(t)
			if got := replica.goesBy(t); got != 2 {
				t.Errorf("number = %d, want 2 again", got)
			}
		})
	}
}

// execute runs a statement as somebody.
func execute(t *testing.T, url, sql string, arguments ...any) {
	t.Helper()
	db, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close(context.WithoutCancel(t.Context()))
	if _, err := db.Exec(t.Context(), sql, arguments...); err != nil {
		t.Fatal(err)
	}
}
