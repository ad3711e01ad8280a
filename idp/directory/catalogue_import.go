package directory

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/store"
)

// CodeChange is what an import does to a code.
type CodeChange struct {
	Kind   CodeKind
	Code   string
	Change string // added, renamed, retired or restored
	Name   string // from then on
	Before string // the name that it had, where it is renamed
}

// ImportCodes makes the codes of some kinds those of files: the catalogue has what they have, and what it has and they have not
// is retired. Kinds of which there is no file stay as they are. It is all done or nothing, and nothing where it is only to be
// looked at beforehand; what it does, or would do, is returned in order.
func ImportCodes(ctx context.Context, s *store.Store, files map[CodeKind][]Entry, actor string, now time.Time, look bool) (changes []CodeChange, err error) {
	err = s.InTx(ctx, func(tx *store.Tx) error {
		if err := tx.LockCatalogue(ctx); err != nil {
			return fmt.Errorf("lock catalogue: %w", err)
		}
		rows, err := tx.CatalogueCodes(ctx)
		if err != nil {
			return fmt.Errorf("read catalogue: %w", err)
		}
		before, err := listsOf(rows)
		if err != nil {
			return err
		}
		changes = nil
		for _, kind := range CodeKinds() {
			if files[kind] != nil {
				changes = append(changes, changesOf(kind, before[kind], files[kind])...)
			}
		}
		if look || len(changes) == 0 {
			return nil
		}
		return saveCodes(ctx, tx, before, files, len(rows) == 0, changes, actor, now)
	})
	return changes, err
}

// changesOf lists by code what makes a list another.
func changesOf(kind CodeKind, from, to []Entry) []CodeChange {
	var list []CodeChange
	for _, e := range to {
		change := CodeChange{Kind: kind, Code: e.Code, Name: e.Name}
		switch i := index(from, e.Code); {
		case i < 0:
			change.Change = "added"
		case from[i].Retired:
			change.Change = "restored"
		case from[i].Name != e.Name:
			change.Change, change.Before = "renamed", from[i].Name
		default:
			continue
		}
		list = append(list, change)
	}
	for _, e := range from {
		if !e.Retired && index(to, e.Code) < 0 {
			list = append(list, CodeChange{Kind: kind, Code: e.Code, Change: "retired", Name: e.Name})
		}
	}
	slices.SortFunc(list, func(a, b CodeChange) int { return byCode(Entry{Code: a.Code}, Entry{Code: b.Code}) })
	return list
}

// saveCodes records changes; at first all else of the catalogue that was carried as well, which counts no more from then on.
func saveCodes(ctx context.Context, tx *store.Tx, before, files map[CodeKind][]Entry, first bool, changes []CodeChange, actor string, now time.Time) error {
	type key struct {
		kind CodeKind
		code string
	}
	rows := make(map[key]store.CatalogueCode)
	put := func(kind CodeKind, e Entry, retired *time.Time) {
		rows[key{kind, e.Code}] = store.CatalogueCode{Kind: string(kind), Code: e.Code, Name: e.parts, RetiredAt: retired}
	}
	for kind, list := range before {
		for _, e := range list {
			if first {
				put(kind, e, nil)
			}
		}
	}
	counts := make(map[string]int)
	for _, c := range changes {
		counts[c.Change]++
		list, retired := files[c.Kind], (*time.Time)(nil)
		if c.Change == "retired" {
			list, retired = before[c.Kind], &now
		}
		put(c.Kind, list[index(list, c.Code)], retired)
	}
	if err := tx.SaveCatalogueCodes(ctx, slices.Collect(maps.Values(rows))); err != nil {
		return fmt.Errorf("record catalogue: %w", err)
	}
	detail := make(map[string]string, len(counts))
	for change, n := range counts {
		detail[change] = strconv.Itoa(n)
	}
	return audit.Record(ctx, tx, audit.Entry{At: now, Event: audit.CatalogueImported, Actor: actor, Detail: detail})
}
