package store

import (
	"context"
	"time"
)

// CatalogueCode is a code of the catalogue that was imported.
type CatalogueCode struct {
	Kind      string // job_role, activity or area_of_work
	Code      string
	Name      []string   // in its parts
	RetiredAt *time.Time // nil: it can be given
}

// CatalogueCodes lists the catalogue by kind and code. It is empty where none was imported.
func (q *queries) CatalogueCodes(ctx context.Context) ([]CatalogueCode, error) {
	return all[CatalogueCode](ctx, q, `SELECT kind, code, name, retired_at FROM catalogue_code ORDER BY kind, code`)
}

// LockCatalogue keeps whoever else would import a catalogue waiting until the transaction ends.
func (t *Tx) LockCatalogue(ctx context.Context) error {
	return t.db.exec(ctx, `SELECT pg_advisory_xact_lock(hashtextextended('catalogue', 0))`)
}

// SaveCatalogueCodes records codes, each once, or other names of them, or that they are retired, or that they are not any more.
func (t *Tx) SaveCatalogueCodes(ctx context.Context, list []CatalogueCode) error {
	return t.db.exec(ctx, `
		INSERT INTO catalogue_code (kind, code, name, retired_at)
		SELECT "Kind", "Code", "Name", "RetiredAt" FROM jsonb_to_recordset($1) AS c ("Kind" text, "Code" text, "Name" text[], "RetiredAt" timestamptz)
		ON CONFLICT (kind, code) DO UPDATE SET name = EXCLUDED.name, retired_at = EXCLUDED.retired_at`, list)
}
