package store_test

import (
	"testing"

	"github.com/credence-id/credence/store"
)

// Codes are recorded once, and again with what has changed; and each time whoever has them in memory learns of it.
func TestCatalogueCodes(t *testing.T) {
	t.Parallel()
	in, ctx := newInstallation(t), t.Context()
	list := func(want ...store.CatalogueCode) {
		t.Helper()
		got, err := in.CatalogueCodes(ctx)
		must(t, err)
		same(t, "CatalogueCodes()", got, append([]store.CatalogueCode{}, want...))
	}
	list()
	save := func(rows ...store.CatalogueCode) {
		t.Helper()
		before, err := in.Generation(ctx, "catalogue_code")
		must(t, err)
		must(t, in.InTx(ctx, func(tx *store.Tx) error {
			must(t, tx.LockCatalogue(ctx))
			return tx.SaveCatalogueCodes(ctx, rows)
		}))
		after, err := in.Generation(ctx, "catalogue_code")
		must(t, err)
		if after <= before {
			t.Errorf("generation after a change = %d, want more than %d", after, before)
		}
	}
	view, nurse := store.CatalogueCode{Kind: "activity", Code: "B0401", Name: []string{"View"}}, store.CatalogueCode{Kind: "job_role", Code: "S8000:G8000:R8001", Name: []string{"Clinical", "Wards", "Nurse"}}
	save(nurse, view)
	list(view, nurse)
	view.Name, view.RetiredAt = []string{"View it"}, &now
	save(view)
	list(view, nurse)
	for rule, wrong := range map[string]store.CatalogueCode{
		"catalogue_code_form":       {Kind: "activity", Code: "R0001", Name: []string{"x"}},
		"catalogue_code_name_parts": {Kind: "job_role", Code: "S0000:G0000:R0000", Name: []string{"x"}},
		"catalogue_code_kind_known": {Kind: "x", Code: "P0000:Q0000:T0000", Name: []string{"x", "y", "z"}},
	} {
		is(t, rule, in.InTx(ctx, func(tx *store.Tx) error { return tx.SaveCatalogueCodes(ctx, []store.CatalogueCode{wrong}) }), store.ErrReference)
	}
}
