package office

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/store"
)

// Done is what was done last, and by whom.
type Done struct {
	By     string // whoever did it, by name; "" where that is not on record
	At     time.Time
	Detail map[string]string // of its line of the record
}

// mostLooked is among how many of the newest lines something is looked for that was done a moment ago.
const mostLooked = 200

// Last finds the newest line of the record about a person that is of one of some events and has a detail, for an officer who may do
// the same and came second; no name is any detail. When there is none, nothing is known of it.
func (f *Office) Last(ctx context.Context, personID, name, value string, events ...audit.Event) (Done, error) {
	lines, err := f.Store.EventsAbout(ctx, personID, kinds(events), false, store.Order{Descending: true}, 0, mostLooked)
	if err != nil {
		return Done{}, fmt.Errorf("read what was done last about person %s: %w", personID, err)
	}
	return f.last(ctx, lines, name, value)
}

// LastOfClient is Last about a client.
func (f *Office) LastOfClient(ctx context.Context, clientID string, events ...audit.Event) (Done, error) {
	lines, err := f.Store.DoneToClient(ctx, clientID, kinds(events), mostLooked)
	if err != nil {
		return Done{}, fmt.Errorf("read what was done last about client %q: %w", clientID, err)
	}
	return f.last(ctx, lines, "", "")
}

func kinds(events []audit.Event) []string {
	list := make([]string, len(events))
	for i, e := range events {
		list[i] = string(e)
	}
	return list
}

// last is the first of some lines that tells of no refusal and has a detail.
func (f *Office) last(ctx context.Context, lines []store.AuditEvent, name, value string) (Done, error) {
	for _, line := range lines {
		if line.Refusal != "" || name != "" && line.Detail[name] != value {
			continue
		}
		by := cmp.Or(line.Detail["officer"], line.Actor) // an operator may have acted for her
		names, err := f.Names(ctx, by)
		return Done{cmp.Or(names[by], by), line.At, line.Detail}, err
	}
	return Done{}, nil
}
