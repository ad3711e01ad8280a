package office

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/idp/deed"
	"github.com/credence-id/credence/idp/position"
	"github.com/credence-id/credence/store"
)

// Reach is whom the version of a position reaches that waits for approval.
type Reach struct {
	Including int  // how many hold what includes it
	Refused   int  // to how many what waits would be withheld, of those who were looked at
	More      bool // not everybody was looked at
}

// Reach counts whom what waits for approval reaches. It looks at as many as one preview does.
func (f *Office) Reach(ctx context.Context, p Position) (r Reach, err error) {
	if p.InForce == 0 || p.ApprovedAt != nil { // nobody holds it, or nothing waits
		return r, nil
	}
	if r.Including, err = f.reached(ctx, p); err != nil {
		return r, err
	}
	refused, next, err := f.Positions.Preview(ctx, p.Newest, store.HolderFilter{}, store.Order{}, "", math.MaxInt)
	r.Refused, r.More = len(refused), next != ""
	return r, err
}

// reached counts who holds what includes a position.
func (f *Office) reached(ctx context.Context, p Position) (int, error) {
	ids, err := f.Positions.Includers(ctx, p.PositionID)
	if err != nil {
		return 0, err
	}
	n, err := f.Store.CountHolders(ctx, ids, f.Now())
	if err != nil {
		return 0, fmt.Errorf("count holders of what includes position %s: %w", p.PositionID, err)
	}
	return n, nil
}

// approvedAt is when the version was approved that is in force.
func approvedAt(p Position) time.Time {
	if p.Current.ApprovedAt == nil {
		return time.Time{}
	}
	return *p.Current.ApprovedAt
}

// WithheldRow is somebody who has less than a position gives, or would have.
type WithheldRow struct {
	PersonID, Name string
	Position       string // another one, which she holds and which includes it; or ""
	PositionName   string // of that
	StartsAt       time.Time
	Because        string
	Ends           bool // she has lost the role, or would
}

// Withheld is a page of those who have less than a position gives, or would have by what waits for approval.
type Withheld struct {
	Position

	Rows   []WithheldRow
	Next   string // the role to go on from; "" at the end
	ByName bool   // they can be listed by name: there are no more than [MostByName]
}

// Withheld reads from whom something of a position is withheld that an officer may see, or would be by what waits for approval: a
// page of those who are wanted, in an order, from the one after the given role. See [store.Store.WithheldRoles] and
// [position.Registrar.Preview]. More than [MostByName] are not listed by name.
func (f *Office) Withheld(ctx context.Context, o Officer, id string, waiting bool, which store.HolderFilter, order store.Order, after string) (w Withheld, err error) {
	if w.Position, err = f.Seen(ctx, o, id); err != nil {
		return w, err
	}
	among := w.Withheld
	if waiting {
		r, err := f.reached(ctx, w.Position)
		if err != nil {
			return w, err
		}
		among = w.Holders + r
	}
	w.ByName = among <= MostByName
	if err = f.checkHolders(ctx, which); err != nil {
		return w, err
	}
	if order.By == store.ByName && !w.ByName {
		order, after = store.Order{By: store.ByStart}, ""
	}
	if waiting {
		w.Rows, w.Next, err = f.wouldBeWithheld(ctx, w.Position, which, order, after)
		return w, err
	}
	list, err := f.Store.WithheldRoles(ctx, id, which, order, after, PerPage+1, approvedAt(w.Position))
	if err != nil {
		return w, fmt.Errorf("list from whom position %s is withheld: %w", id, err)
	}
	list, more := page(list)
	if more {
		w.Next = list[len(list)-1].RoleID
	}
	for _, h := range list {
		w.Rows = append(w.Rows, WithheldRow{PersonID: h.PersonID, Name: h.DisplayName, StartsAt: h.StartsAt, Because: h.Withheld, Ends: h.EndsAt != nil && !h.EndsAt.After(f.Now())})
	}
	return w, nil
}

func (f *Office) wouldBeWithheld(ctx context.Context, p Position, which store.HolderFilter, order store.Order, after string) (rows []WithheldRow, next string, err error) {
	if p.ApprovedAt != nil {
		return nil, "", nil
	}
	list, next, err := f.Positions.Preview(ctx, p.Newest, which, order, after, PerPage+1)
	if err != nil {
		return nil, "", err
	}
	list, more := page(list)
	if more {
		next = list[len(list)-1].RoleID
	}
	positions := make([]string, len(list))
	for i, w := range list {
		positions[i] = w.PositionID
	}
	called, err := f.positionNames(ctx, positions)
	if err != nil {
		return nil, "", err
	}
	for _, w := range list {
		row := WithheldRow{PersonID: w.PersonID, Name: w.DisplayName, StartsAt: w.StartsAt, Because: w.Because, Ends: w.Ends}
		if w.PositionID != p.PositionID {
			row.Position, row.PositionName = w.PositionID, called[w.PositionID]
		}
		rows = append(rows, row)
	}
	return rows, next, nil
}

// positionNames reads what positions are called, by id, of those that there are.
func (f *Office) positionNames(ctx context.Context, ids []string) (map[string]string, error) {
	list, err := f.Store.PositionNames(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("read names of positions: %w", err)
	}
	names := make(map[string]string, len(list))
	for _, p := range list {
		names[p.ID] = p.Name
	}
	return names, nil
}

// BulkNames reads what the people and the positions of a file of requests are called, by id, and records that the officer was
// shown who has these ids. A line that is about another organisation gets no names.
func (f *Office) BulkNames(ctx context.Context, o Officer, b position.Bulk) (people, positions map[string]string, err error) {
	var ofPeople, ofPositions []string
	for _, e := range b.Effects {
		refusal, refused := errors.AsType[*deed.Refusal](e.Refusal)
		if refused && (refusal.Reason == deed.AnotherOrganisation || refusal.Reason == deed.NoRight) {
			continue
		}
		ofPeople, ofPositions = append(ofPeople, e.Person), append(ofPositions, e.Position)
	}
	if people, err = f.Names(ctx, ofPeople...); err != nil {
		return nil, nil, err
	}
	if positions, err = f.positionNames(ctx, ofPositions); err != nil {
		return nil, nil, err
	}
	entry := f.Line(o, audit.PersonSearched, "", map[string]string{"by": "request_bulk", "hits": strconv.Itoa(len(people))})
	if err := audit.Record(ctx, f.Store, entry); err != nil {
		return nil, nil, fmt.Errorf("record what was shown: %w", err)
	}
	return people, positions, nil
}
