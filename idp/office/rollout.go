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
	ids, err := f.Positions.Includers(ctx, p.PositionID)
	if err != nil {
		return r, err
	}
	if r.Including, err = f.Store.CountHolders(ctx, ids, f.Now()); err != nil {
		return r, fmt.Errorf("count holders of what includes position %s: %w", p.PositionID, err)
	}
	refused, next, err := f.Positions.Preview(ctx, p.Newest, "", math.MaxInt)
	r.Refused, r.More = len(refused), next != ""
	return r, err
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
	Because        string
	Ends           bool // she has lost the role, or would
}

// Withheld reads from whom something of a position is withheld that an officer may see, or would be by what waits for approval: a
// page of it, from the one after the given role, and the one to go on from, which is "" at the end.
func (f *Office) Withheld(ctx context.Context, o Officer, id string, waiting bool, after string) (p Position, rows []WithheldRow, next string, err error) {
	if p, err = f.Seen(ctx, o, id); err != nil {
		return p, nil, "", err
	}
	if waiting {
		rows, next, err = f.wouldBeWithheld(ctx, p, after)
		return p, rows, next, err
	}
	list, err := f.Store.WithheldRoles(ctx, id, after, PerPage+1, approvedAt(p))
	if err != nil {
		return p, nil, "", fmt.Errorf("list from whom position %s is withheld: %w", id, err)
	}
	list, more := page(list)
	if more {
		next = list[len(list)-1].RoleID
	}
	for _, h := range list {
		rows = append(rows, WithheldRow{PersonID: h.PersonID, Name: h.DisplayName, Because: h.Withheld, Ends: h.EndsAt != nil && !h.EndsAt.After(f.Now())})
	}
	return p, rows, next, nil
}

func (f *Office) wouldBeWithheld(ctx context.Context, p Position, after string) (rows []WithheldRow, next string, err error) {
	if p.ApprovedAt != nil {
		return nil, "", nil
	}
	list, next, err := f.Positions.Preview(ctx, p.Newest, after, PerPage)
	if err != nil {
		return nil, "", err
	}
	people, positions := make([]string, len(list)), make([]string, len(list))
	for i, w := range list {
		people[i], positions[i] = w.PersonID, w.PositionID
	}
	names, err := f.Names(ctx, people...)
	if err != nil {
		return nil, "", err
	}
	called, err := f.positionNames(ctx, positions)
	if err != nil {
		return nil, "", err
	}
	for _, w := range list {
		row := WithheldRow{PersonID: w.PersonID, Name: names[w.PersonID], Because: w.Because, Ends: w.Ends}
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
