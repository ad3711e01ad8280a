package store_test

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/credence-id/credence/store"
)

// photographAt is a photograph of Ben that Ana takes.
func photographAt(at time.Time) store.Photograph {
	return store.Photograph{
		ID: uuid.Must(uuid.NewV7()), PersonID: ben, ImageSealed: []byte("sealed"),
		PhotographTaking: store.PhotographTaking{Way: "camera", TakenAt: at, TakenBy: ana, TakenRole: anaRole},
	}
}

func (in *installation) take(ctx context.Context, p store.Photograph) error {
	return in.InTx(ctx, func(tx *store.Tx) error { return tx.SetPhotograph(ctx, p) })
}

// The newest photograph is the one on record, and those before it stay.
func TestPhotograph(t *testing.T) {
	t.Parallel()
	in, ctx := newInstallation(t), t.Context()
	is(t, "Photograph(of who has none)", second(in.Photograph(ctx, ben)), store.ErrNotFound)
	is(t, "PhotographTaking(of who has none)", second(in.PhotographTaking(ctx, ben)), store.ErrNotFound)
	first, newer := photographAt(now), photographAt(later)
	newer.Way = "upload"
	for _, p := range []store.Photograph{first, newer} {
		must(t, in.take(t.Context(), p))
		got, err := in.Photograph(ctx, ben)
		must(t, err)
		same(t, "Photograph()", got, p)
		taking, err := in.PhotographTaking(ctx, ben)
		must(t, err)
		same(t, "PhotographTaking()", taking, p.PhotographTaking)
	}
	conn := connect(t, in.ownerURL)
	if n := value[int](t, conn, `SELECT count(*)::int FROM photograph WHERE replaced_at IS NOT NULL AND id = $1`, first.ID); n != 1 {
		t.Errorf("photographs that were replaced = %d, want the first", n)
	}
	_, err := conn.Exec(ctx, `UPDATE photograph SET replaced_at = NULL WHERE id = $1`, first.ID)
	if pg, ok := errors.AsType[*pgconn.PgError](err); !ok || pg.ConstraintName != "photograph_replaced_for_good" {
		t.Errorf("to put the older one on record again = %v, want it refused by photograph_replaced_for_good", err)
	}

	// Only the owner can seal them anew.
	reseal := func(tx *store.Tx) error {
		list, err := tx.LockPhotographs(ctx, first.ID, 10)
		if err != nil {
			return err
		}
		same(t, "LockPhotographs(after the first)", list, []store.Photograph{newer})
		return tx.ResealPhotograph(ctx, newer.ID, []byte("anew"))
	}
	if err := in.InTx(ctx, func(tx *store.Tx) error { return tx.ResealPhotograph(ctx, newer.ID, []byte("anew")) }); err == nil {
		t.Error("ResealPhotograph(as the service) = no error, want it refused")
	}
	must(t, open(t, in.ownerURL, nil).InTx(ctx, reseal))
	if got, err := in.Photograph(ctx, ben); err != nil || !bytes.Equal(got.ImageSealed, []byte("anew")) {
		t.Errorf("Photograph(sealed anew) = %q, %v, want it", got.ImageSealed, err)
	}
}

func TestPhotographIsRefusedByTheSchema(t *testing.T) {
	t.Parallel()
	in := newInstallation(t)
	for _, tt := range []struct {
		what, rule string
		change     func(*store.Photograph)
	}{
		{"of herself", "photograph_not_of_oneself", func(p *store.Photograph) { p.PersonID = ana }},
		{"of nobody", "photograph_person_id_fkey", func(p *store.Photograph) { p.PersonID = "100000000009" }},
		{"by nobody", "photograph_taken_by_fkey", func(p *store.Photograph) { p.TakenBy = "operator:x" }},
		{"in no role", "photograph_taken_role_fkey", func(p *store.Photograph) { p.TakenRole = "" }},
		{"in another way", "photograph_way_known", func(p *store.Photograph) { p.Way = "drawn" }},
		{"of nothing", "photograph_image_length", func(p *store.Photograph) { p.ImageSealed = []byte{} }},
		{"that is too long", "photograph_image_length", func(p *store.Photograph) { p.ImageSealed = make([]byte, 256<<10+1) }},
	} {
		p := photographAt(now)
		tt.change(&p)
		err := in.take(t.Context(), p)
		if pg, ok := errors.AsType[*pgconn.PgError](err); !errors.Is(err, store.ErrReference) && (!ok || pg.ConstraintName != tt.rule) {
			t.Errorf("SetPhotograph(%s) = %v, want it refused by %s", tt.what, err, tt.rule)
		}
	}
	is(t, "SetPhotograph(in order)", in.take(t.Context(), photographAt(now)), nil)
	whole := photographAt(now)
	whole.ImageSealed = make([]byte, 256<<10)
	is(t, "SetPhotograph(as long as can be)", in.take(t.Context(), whole), nil)
}
