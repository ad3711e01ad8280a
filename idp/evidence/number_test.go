package evidence_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/evidence"
	"github.com/credence-id/credence/idp/seal"
)

// A number is found, and a document is known for somebody else's, at each step of the rotation of the seal key.
func TestSealKeyRotates(t *testing.T) {
	t.Parallel()
	in, ctx := newInstallation(t), t.Context()
	_, err := in.Record(ctx, desk, sarah, example(t))
	must(t, err)
	_, fresh := seal.NewKey()
	both := in.with(t, in.store, fresh, in.keyText)
	alone := in.with(t, in.store, fresh)
	finds := func(step string, desks ...*evidence.Recorder) {
		t.Helper()
		for i, r := range desks {
			if found, err := r.ByNumber(ctx, "123456789"); err != nil || len(found) == 0 || found[0].Number != "···789" {
				t.Errorf("%s: ByNumber() at %d = %v, %v, want the passport", step, i, found, err)
			}
			if _, err := r.Record(ctx, desk, lou, numbered(about(t, subjectLou, "3"), "123456789")); !errors.Is(err, evidence.ErrDuplicate) {
				t.Errorf("%s: Record(Sarah's passport for Lou) at %d = %v, want %v", step, i, err, evidence.ErrDuplicate)
			}
		}
	}
	finds("before", in.Recorder, both)
	if _, err := both.Record(ctx, desk, sarah, withoutIDs(example(t))[:1]); err != nil { // checked once more
		t.Errorf("Record(the same passport, under another key) = %v, want no error", err)
	}
	finds("between", in.Recorder, both)

	owner := open(t, in.ownerURL)
	if resealed, total, err := in.with(t, owner, fresh).Reseal(ctx, desk); !errors.Is(err, seal.ErrSeal) || resealed != 1 || total != 3 {
		t.Errorf("Reseal(without the old line) = %d of %d, %v, want %v, and the hash of what was recorded between made anew", resealed, total, err, seal.ErrSeal)
	}
	if _, _, err := both.Reseal(ctx, desk); err == nil || !strings.Contains(err.Error(), "permission denied") {
		t.Errorf("Reseal(as the service) = %v, want that it is not permitted", err)
	}
	for _, want := range []int{2, 0} {
		if resealed, total, err := in.with(t, owner, fresh, in.keyText).Reseal(ctx, desk); err != nil || resealed != want || total != 3 {
			t.Errorf("Reseal() = %d of %d, %v, want %d of 3", resealed, total, err, want)
		}
	}
	finds("after", both, alone)
	list, err := in.Of(ctx, sarah, uuid.Nil, 1)
	if err != nil || list[0].Number != "(sealed under another key)" {
		t.Errorf("Of(Sarah, with the old line alone) = %v, %v, want that its number cannot be read", list, err)
	}
	verified, err := in.Verified(ctx, sarah)
	if err != nil || verified[0].Verification.Evidence[0].DocumentDetails.DocumentNumber != "" {
		t.Errorf("Verified(Sarah, with the old line alone) = %v, %v, want it without numbers", verified, err)
	}
}

// numbered gives the first piece a number.
func numbered(list []evidence.Piece, number string) []evidence.Piece {
	list[0].Number = number
	return list
}

// A number opens for its own piece and person only.
func TestNumbersAreBound(t *testing.T) {
	t.Parallel()
	in, ctx := newInstallation(t), t.Context()
	_, err := in.Record(ctx, desk, sarah, example(t))
	must(t, err)
	in.exec(t, `UPDATE evidence SET number_sealed = (SELECT number_sealed FROM evidence WHERE kind = 'driving_permit') WHERE kind = 'passport'`)
	list, err := in.Of(ctx, sarah, uuid.Nil, 10)
	if err != nil || list[0].Number != "(sealed under another key)" || list[1].Number != "···xxx" {
		t.Errorf("Of(Sarah, whose passport has another's number) = %+v, %v, want that it cannot be read", list, err)
	}
}
