package store_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/credence-id/credence/store"
)

const anaPosition = "600000000001"

var requestID = uuid.MustParse("55555555-5555-4555-8555-555555555555")

// newVersion is a version of a position that Ana makes.
func newVersion(version int) store.PositionVersion {
	return store.PositionVersion{
		PositionID: anaPosition, Version: version, Name: "Ward nurse", Notes: "Nights", JobRole: "S8000:G8000:R8000", AreasOfWork: []string{"P0020:Q0300:T0640"},
		Activities: []string{"B0420"}, Workgroups: []string{workgroup}, WorkgroupNames: []string{"Night team"}, Includes: []string{}, Reason: "New ward", MadeBy: ana, MadeRole: anaRole, MadeAt: now,
	}
}

// newRequest is one of Ana's that Ben get the position.
func newRequest(id uuid.UUID) store.Request {
	return store.Request{
		ID: id, Kind: "assign_position", PersonID: ben, PositionID: anaPosition, PositionVersion: 1, OrganisationCode: organisation,
		StartsAt: now, ExpiresAt: &later, Reason: "He starts", AskedBy: ana, AskedRole: anaRole, AskedAt: now, LapsesAt: later, State: "open",
	}
}

// withPosition has a position of two versions, the first of them in force, and an open request for it.
func withPosition(t *testing.T) *installation {
	t.Helper()
	in, ctx := newInstallation(t), t.Context()
	must(t, in.AddOrganisation(ctx, store.Organisation{Code: "RXX02", Name: "Ward", ParentCode: new(organisation)}, now))
	must(t, in.InTx(ctx, func(tx *store.Tx) error {
		must(t, tx.AddPosition(ctx, anaPosition, organisation, now))
		must(t, tx.AddPositionVersion(ctx, newVersion(1)))
		must(t, tx.AddPositionVersion(ctx, newVersion(2)))
		must(t, tx.ApprovePositionVersion(ctx, anaPosition, 1, ben, benRole, later))
		return tx.AddRequest(ctx, newRequest(requestID))
	}))
	return in
}

func TestPositionVersions(t *testing.T) {
	t.Parallel()
	in, ctx := withPosition(t), t.Context()
	first, second := newVersion(1), newVersion(2)
	first.ApprovedBy, first.ApprovedRole, first.ApprovedAt = new(ben), new(benRole), &later
	row := store.PositionRow{OrganisationCode: organisation, OrganisationName: "Riverside", InForce: 1, PositionVersion: second}
	got, err := in.Position(ctx, anaPosition)
	must(t, err)
	same(t, "Position()", got, row)
	version, err := in.PositionVersion(ctx, anaPosition, 1)
	must(t, err)
	same(t, "PositionVersion(1)", version, first)
	newest := store.Order{By: store.ByTime, Descending: true}
	for _, tt := range []struct {
		order store.Order
		after int
		want  []store.PositionVersion
	}{
		{newest, 0, []store.PositionVersion{second, first}},
		{newest, 9, []store.PositionVersion{second, first}},
		{newest, 2, []store.PositionVersion{first}},
		{newest, 1, []store.PositionVersion{}},
		{store.Order{By: store.ByTime}, 0, []store.PositionVersion{first, second}},
		{store.Order{By: store.ByTime}, 1, []store.PositionVersion{second}},
		{store.Order{By: store.ByTime}, 2, []store.PositionVersion{}},
	} {
		list, err := in.PositionVersions(ctx, anaPosition, tt.order, tt.after, 10)
		must(t, err)
		same(t, "PositionVersions()", list, tt.want)
	}
	for _, tt := range []struct {
		organisation, after string
		limit               int
		want                []store.PositionRow
	}{
		{organisation, "", 10, []store.PositionRow{row}},
		{organisation, anaPosition, 10, []store.PositionRow{}},
		{organisation, "", 0, []store.PositionRow{}},
		{"RXX02", "", 10, []store.PositionRow{}}, // below
		{"nowhere", "", 10, []store.PositionRow{}},
	} {
		list, err := in.Positions(ctx, tt.organisation, "", store.Order{}, tt.after, tt.limit)
		must(t, err)
		same(t, "Positions("+tt.organisation+")", list, tt.want)
	}
	must(t, in.InTx(ctx, func(tx *store.Tx) error {
		is(t, "ApprovePositionVersion(approved)", tx.ApprovePositionVersion(ctx, anaPosition, 1, ben, benRole, later), store.ErrNotFound)
		is(t, "ApprovePositionVersion(unknown)", tx.ApprovePositionVersion(ctx, anaPosition, 3, ben, benRole, later), store.ErrNotFound)
		held, err := tx.LockPosition(ctx, anaPosition)
		must(t, err)
		same(t, "LockPosition()", held, store.HeldPosition{ID: anaPosition, OrganisationCode: organisation, OrganisationName: "Riverside", InForce: 1})
		_, err = tx.LockPosition(ctx, "600000000009")
		is(t, "LockPosition(unknown)", err, store.ErrNotFound)
		_, err = tx.LockPositionOfRequest(ctx, uuid.New())
		is(t, "LockPositionOfRequest(unknown)", err, store.ErrNotFound)
		return nil
	}))
	err = in.InTx(ctx, func(tx *store.Tx) error { return tx.ApprovePositionVersion(ctx, anaPosition, 2, ana, anaRole, later) })
	is(t, "ApprovePositionVersion(by who made it)", err, store.ErrReference)
	err = in.InTx(ctx, func(tx *store.Tx) error { return tx.AddPosition(ctx, anaPosition, organisation, now) })
	is(t, "AddPosition(taken)", err, store.ErrConflict)
	err = in.InTx(ctx, func(tx *store.Tx) error { return tx.AddPosition(ctx, "600000000009", "RXX09", now) })
	is(t, "AddPosition(of nowhere)", err, store.ErrReference)
}

func TestRequests(t *testing.T) {
	t.Parallel()
	in, ctx := withPosition(t), t.Context()
	row := store.RequestRow{Request: newRequest(requestID), PersonName: "Ana Ng", PositionName: "Ward nurse", AskedByName: "Ana Ng", OrganisationName: "Riverside"}
	got, err := in.Request(ctx, requestID)
	must(t, err)
	same(t, "Request()", got, row)
	for _, tt := range []struct {
		organisation string
		after        uuid.UUID
		at           time.Time
		want         []store.WaitingRequest
	}{
		{organisation, uuid.Nil, now, []store.WaitingRequest{{RequestRow: row}}},
		{organisation, requestID, now, []store.WaitingRequest{}},
		{organisation, uuid.Nil, later, []store.WaitingRequest{}}, // it has lapsed
		{"RXX02", uuid.Nil, now, []store.WaitingRequest{}},
	} {
		list, err := in.OpenRequests(ctx, store.Queue{OrganisationCode: tt.organisation}, store.Order{}, tt.after, 10, tt.at)
		must(t, err)
		same(t, "OpenRequests("+tt.organisation+")", list, tt.want)
	}
	const third = "100000000003"
	must(t, in.AddPerson(ctx, newPerson(third), now))
	decided := store.Settlement{State: "approved", By: new(third), Role: new(anaRole), Reason: "Yes", At: later}
	must(t, in.InTx(ctx, func(tx *store.Tx) error {
		is(t, "AddRequest(while one is open)", tx.AddRequest(ctx, newRequest(uuid.New())), store.ErrConflict)
		for call, lapsed := range map[string]func() ([]store.LapsedRequest, error){
			"before it does": func() ([]store.LapsedRequest, error) {
				return tx.LapseRequests(ctx, anaPosition, ben, now, "late", later)
			},
			"of another": func() ([]store.LapsedRequest, error) {
				return tx.LapseRequests(ctx, anaPosition, ana, later, "late", later)
			},
			"for another one": func() ([]store.LapsedRequest, error) {
				return tx.LapseRequests(ctx, "600000000009", "", later, "late", later)
			},
		} {
			list, err := lapsed()
			must(t, err)
			same(t, "LapseRequests("+call+")", list, []store.LapsedRequest{})
		}
		must(t, tx.SettleRequest(ctx, requestID, decided))
		is(t, "SettleRequest(settled)", tx.SettleRequest(ctx, requestID, decided), store.ErrNotFound)
		is(t, "AddRequest(after it was settled)", tx.AddRequest(ctx, newRequest(uuid.New())), nil)
		list, err := tx.LapseRequests(ctx, anaPosition, "", later, "late", later)
		must(t, err)
		same(t, "requests that lapse", len(list), 1)
		locked, err := tx.LockRequest(ctx, requestID)
		must(t, err)
		want := newRequest(requestID)
		want.State, want.DecidedBy, want.DecidedRole, want.DecidedAt, want.DecisionReason = "approved", decided.By, decided.Role, &later, &decided.Reason
		same(t, "LockRequest(settled)", locked, want)
		return nil
	}))
	for by, rule := range map[string]string{ana: "request_decided_by_another", ben: "request_not_decided_by_its_person"} {
		other := newRequest(uuid.New())
		err := in.InTx(ctx, func(tx *store.Tx) error {
			must(t, tx.AddRequest(ctx, other))
			return tx.SettleRequest(ctx, other.ID, store.Settlement{State: "refused", By: &by, Role: new(anaRole), Reason: "No", At: later})
		})
		if is(t, "SettleRequest("+rule+")", err, store.ErrReference); !strings.Contains(err.Error(), rule) {
			t.Errorf("SettleRequest() = %v, want it refused by %s", err, rule)
		}
	}
}

// What a position gives is a role that names it, until it or the position ends.
func TestHolders(t *testing.T) {
	t.Parallel()
	in, ctx := withPosition(t), t.Context()
	const role = "300000000009"
	given := newRole(role, benMembership)
	given.PositionID, given.RequestID, given.EndsAt = new(anaPosition), &requestID, nil
	must(t, in.AddRole(ctx, given, now))
	holder := store.HolderRow{RoleID: role, PersonID: ben, PositionID: anaPosition, DisplayName: "Ana Ng", Version: 1, StartsAt: now}
	holders := func(want ...store.HolderRow) {
		t.Helper()
		list, err := in.Holders(ctx, []string{anaPosition}, store.HolderFilter{}, store.Order{}, "", 10, later)
		must(t, err)
		same(t, "Holders()", list, append([]store.HolderRow{}, want...))
		n, err := in.CountHolders(ctx, []string{anaPosition}, later)
		must(t, err)
		same(t, "CountHolders()", n, len(want))
	}
	holders(holder)
	access := store.Access{JobRole: "S8000:G8000:R8000", AreasOfWork: []string{"P1:Q1:T1"}, Activities: []string{"B0420", "B0001"}, Workgroups: []string{workgroup}}
	held, err := in.HeldRoles(ctx, ben, 10, now)
	must(t, err)
	same(t, "HeldRoles()", held, []store.HeldRole{
		{ID: benRole, PersonID: ben, Access: access, StartsAt: now, EndsAt: &later},
		{ID: role, PersonID: ben, PositionID: anaPosition, Version: 1, Access: access, StartsAt: now},
	})
	end := func(person string, want ...store.EndedRole) {
		t.Helper()
		must(t, in.InTx(ctx, func(tx *store.Tx) error {
			ended, err := tx.EndPosition(ctx, anaPosition, person, later, nil)
			must(t, err)
			same(t, "EndPosition("+person+")", ended, append([]store.EndedRole{}, want...))
			return nil
		}))
	}
	end(ana)
	holders(holder)
	end(ben, store.EndedRole{ID: role, PersonID: ben, EndsAt: later})
	holders()
	end("")
	workgroups, err := in.Workgroups(ctx, []string{workgroup, "400000000009"})
	must(t, err)
	same(t, "Workgroups()", workgroups, []store.Workgroup{{ID: workgroup, Name: "Night team"}})
}

// What a position includes, and what includes it, is what the versions in force say; nothing goes deeper or further than asked.
func TestIncludedPositions(t *testing.T) {
	t.Parallel()
	in, ctx := withPosition(t), t.Context()
	const inner, outer, closed = "600000000002", "600000000003", "600000000004"
	must(t, in.InTx(ctx, func(tx *store.Tx) error {
		for id, includes := range map[string][]string{inner: {}, closed: {inner}, outer: {anaPosition, inner, closed}} {
			must(t, tx.AddPosition(ctx, id, organisation, now))
			v := newVersion(1)
			v.PositionID, v.Includes, v.Closes = id, includes, id == closed
			must(t, tx.AddPositionVersion(ctx, v))
			must(t, tx.ApprovePositionVersion(ctx, id, 1, ben, benRole, later))
		}
		v := newVersion(3)
		v.Includes = []string{inner}
		must(t, tx.AddPositionVersion(ctx, v))
		return tx.ApprovePositionVersion(ctx, anaPosition, 3, ben, benRole, later)
	}))
	for _, tt := range []struct {
		depth, limit int
		want         []string
	}{{5, 100, []string{anaPosition, closed, inner}}, {1, 100, []string{anaPosition, closed}}, {5, 1, []string{anaPosition}}} {
		list, err := in.IncludedPositions(ctx, []string{anaPosition, closed}, tt.depth, tt.limit)
		must(t, err)
		var got []string
		for _, p := range list {
			got = append(got, p.PositionID)
		}
		same(t, "IncludedPositions()", got, tt.want)
	}
	includers, err := in.Includers(ctx, inner, 10)
	must(t, err)
	same(t, "Includers()", includers, []store.PositionName{{ID: anaPosition, OrganisationCode: organisation, Name: "Ward nurse"}, {ID: outer, OrganisationCode: organisation, Name: "Ward nurse"}})
	for most, want := range map[int]int{5: 2, 1: 1} {
		depth, err := in.IncludedDepth(ctx, inner, most)
		must(t, err)
		same(t, "IncludedDepth()", depth, want)
	}
	itself := newVersion(4)
	itself.Includes = []string{anaPosition}
	is(t, "AddPositionVersion(that includes itself)", in.InTx(ctx, func(tx *store.Tx) error { return tx.AddPositionVersion(ctx, itself) }), store.ErrReference)
}

// Where there are more organisations than it is quick to look at one by one, positions are found all the same.
func TestPositionsOfManyOrganisations(t *testing.T) {
	t.Parallel()
	in, ctx := withPosition(t), t.Context()
	conn := connect(t, in.ownerURL)
	exec(t, conn, `INSERT INTO organisation (code, name, parent_code, created_at) SELECT 'N' || n, 'N', '`+organisation+`', now() FROM generate_series(100, 450) n`)
	exec(t, conn, `INSERT INTO position (id, organisation_code, created_at) VALUES ('600000000002', 'N200', now())`)
	second := newVersion(1)
	second.PositionID, second.Name = "600000000002", `50%_\ Nurse`
	must(t, in.InTx(ctx, func(tx *store.Tx) error {
		must(t, tx.AddPositionVersion(ctx, second))
		return tx.ApprovePositionVersion(ctx, second.PositionID, 1, ben, benRole, later)
	}))
	list, err := in.Positions(ctx, organisation, "", store.Order{}, "", 10)
	must(t, err)
	same(t, "Positions()", len(list), 2)
	for of, want := range map[string]int{organisation: 1, "N200": 0} {
		proposed, err := in.ProposedPositions(ctx, of, "", store.Order{}, "", 10)
		must(t, err)
		same(t, "ProposedPositions("+of+")", len(proposed), want)
		count := in.waiting(t, store.WaitingPositions, of, 10, now)
		same(t, "Waiting("+of+")", count.Count, int64(want))
	}
	list, err = in.Positions(ctx, organisation, "", store.Order{}, anaPosition, 10)
	must(t, err)
	same(t, "Positions(after the first)", len(list), 1)
	for text, want := range map[string]int{"": 2, "nu": 2, "NURSE": 2, "ward": 1, "50%": 1, `_\ n`: 1, "%%%": 0, "ward%nurse": 0} {
		for _, of := range []struct {
			organisation string
			want         int
		}{{organisation, want}, {"N300", 0}} {
			for _, o := range orders(store.ByName) {
				offered, err := in.OfferedPositions(ctx, of.organisation, text, o, "", 10)
				must(t, err)
				same(t, "OfferedPositions("+of.organisation+" "+text+")", len(offered), of.want)
			}
		}
	}
}
