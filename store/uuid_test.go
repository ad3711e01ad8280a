package store

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgtype"
)

// An id is encoded as its bytes, whether it is there or stands behind a pointer, which may be nil.
func TestRegisterUUIDs(t *testing.T) {
	t.Parallel()
	types := pgtype.NewMap()
	registerUUIDs(types)
	id := uuid.MustParse("0190b6a0-7c51-7e8e-8d3f-0123456789ab")
	for _, tt := range []struct {
		name  string
		value any
		want  []byte
	}{
		{"an id", id, id[:]},
		{"an id behind a pointer", &id, id[:]},
		{"no id behind a pointer", (*uuid.UUID)(nil), nil},
	} {
		got, err := types.Encode(pgtype.UUIDOID, pgtype.BinaryFormatCode, tt.value, nil)
		if diff := cmp.Diff(tt.want, got); err != nil || diff != "" {
			t.Errorf("Encode(%s) = %x, %v, want %x", tt.name, got, err, tt.want)
		}
	}
	plan := types.PlanEncode(pgtype.UUIDOID, pgtype.BinaryFormatCode, &id)
	if _, ok := plan.(*pointedUUID); !ok {
		t.Errorf("PlanEncode(*uuid.UUID) = %T, want the bytes and no text between", plan)
	}
}
