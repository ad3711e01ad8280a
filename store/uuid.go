package store

import (
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgtype"
	pgxuuid "github.com/vgarvardt/pgx-google-uuid/v5"
)

// registerUUIDs has ids travel as the 16 bytes that they are. Those behind a pointer would travel as text, which is made, found
// not to be what was wanted, and read again, for each.
func registerUUIDs(types *pgtype.Map) {
	pgxuuid.Register(types)
	types.TryWrapEncodePlanFuncs = append([]pgtype.TryWrapEncodePlanFunc{behindPointer}, types.TryWrapEncodePlanFuncs...)
}

func behindPointer(value any) (plan pgtype.WrappedEncodePlanNextSetter, next any, ok bool) {
	if _, ok = value.(*uuid.UUID); ok {
		return new(pointedUUID), uuid.Nil, true
	}
	return nil, nil, false
}

// pointedUUID encodes the id behind a pointer. A nil pointer is NULL before it comes here.
type pointedUUID struct{ next pgtype.EncodePlan }

// SetNext implements pgtype.WrappedEncodePlanNextSetter.
func (p *pointedUUID) SetNext(next pgtype.EncodePlan) { p.next = next }

// Encode implements pgtype.EncodePlan.
func (p *pointedUUID) Encode(value any, buf []byte) ([]byte, error) {
	return p.next.Encode(*value.(*uuid.UUID), buf) //nolint:forcetypeassert // behindPointer has looked
}
