package office

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/idp/deed"
	"github.com/credence-id/credence/store"
)

// ValuesOf tells what a line of the record says of what was changed, by its name and with what it was before, from what else it says. The
// officer and her role are neither: the line has them by themselves.
func ValuesOf(e store.AuditEvent) (changes []deed.Change, rest map[string]string) {
	rest = maps.Clone(e.Detail)
	delete(rest, "officer")
	delete(rest, "officer_role")
	pair := func(field, before, after string) {
		changes = append(changes, deed.Change{Field: field, From: rest[before], To: rest[after]})
		delete(rest, before)
		delete(rest, after)
	}
	for _, name := range slices.Sorted(maps.Keys(rest)) {
		field, old := strings.CutPrefix(name, "old_")
		if _, is := rest["new_"+field]; old && is {
			pair(field, name, "new_"+field)
		} else if _, is := rest[field]; old && is {
			pair(field, name, field)
		}
		field, before := strings.CutSuffix(name, "_before")
		if _, is := rest[field]; before && is {
			pair(field, name, field)
		}
	}
	_, from := rest["from"]
	_, to := rest["to"]
	if from && to {
		pair(turned(audit.Event(e.Event)), "from", "to")
	}
	return changes, rest
}

// turned is what an event turns into something else that has no name in its line.
func turned(event audit.Event) string {
	switch event {
	case audit.AuthenticatorRenamed:
		return "name"
	case audit.LanguageChosen:
		return "language"
	default:
		return "state"
	}
}

// withValues adds to lines what they say, and what the changes of profiles say that they name: that is erased when its time is over, as a
// line never is.
func (f *Office) withValues(ctx context.Context, lines []AuditLine) error {
	var ids []uuid.UUID
	of := make(map[uuid.UUID]int)
	for i := range lines {
		lines[i].Changes, lines[i].Details = ValuesOf(lines[i].AuditEvent)
		if id, err := uuid.Parse(lines[i].Details["change"]); err == nil {
			ids, of[id] = append(ids, id), i
		}
	}
	if len(ids) == 0 {
		return nil
	}
	found, err := f.Store.PersonChangesByID(ctx, ids)
	if err != nil {
		return fmt.Errorf("read what was changed of profiles: %w", err)
	}
	for _, c := range found {
		fields, err := changedFields(c)
		if err != nil {
			return err
		}
		line := &lines[of[c.ID]]
		delete(line.Details, "change")
		if len(fields) > 0 { // else it was erased
			delete(line.Details, "fields")
		}
		for _, change := range fields {
			line.Changes = append(line.Changes, change)
			delete(line.Details, change.Field)
		}
	}
	return nil
}
