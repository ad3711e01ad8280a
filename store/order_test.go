package store_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/credence-id/credence/store"
)

// orders are the orders of a list that knows some columns.
func orders(columns ...store.Column) []store.Order {
	list := []store.Order{{}}
	for _, c := range columns {
		list = append(list, store.Order{By: c}, store.Order{By: c, Descending: true})
	}
	return list
}

// inEveryOrder reads each list in each of its orders, from its beginning and from a row on.
func inEveryOrder(ctx context.Context, s *store.Store) (failed error) {
	for _, after := range []string{"", ana} {
		from := uuid.Nil
		if after != "" {
			from = requestID
		}
		for _, o := range orders(store.ByAsked, store.ByStart) {
			for _, w := range queues() {
				failed = errors.Join(failed, second(s.OpenRequests(ctx, w, o, from, 10, now)))
			}
		}
		for _, o := range orders(store.ByAsked, store.ByName) {
			failed = errors.Join(failed, second(s.OpenIntroductions(ctx, organisation, o, from, 10, now)))
		}
		for _, o := range orders(store.ByName, store.ByTime) {
			failed = errors.Join(failed, second(s.ProposedPositions(ctx, organisation, "", o, after, 10)))
		}
		for _, o := range orders(store.ByName) {
			failed = errors.Join(failed, second(s.Positions(ctx, organisation, "", o, after, 10)), second(s.OfferedPositions(ctx, organisation, "nurse", o, after, 10)))
		}
		for _, o := range orders(store.ByAsked, store.ByName) {
			failed = errors.Join(failed, second(s.ClientApplications(ctx, organisation, "open", o, from, 10)))
		}
		for _, o := range orders(store.ByTime) {
			failed = errors.Join(failed, second(s.UnprovedPeople(ctx, organisation, o, after, 10)), second(s.EvidenceProposals(ctx, organisation, o, from, 10)), second(s.OpenMerges(ctx, organisation, o, from, 10)))
		}
		for _, o := range orders(store.ByOpened, store.ByDue) {
			failed = errors.Join(failed, second(s.Reviews(ctx, organisation, false, o, from, 10, now)), second(s.Reviews(ctx, organisation, true, o, from, 10, now)))
		}
		for _, o := range orders(store.ByName, store.ByPosition, store.ByStart, store.ByExpiry) {
			failed = errors.Join(failed, second(s.ReviewItems(ctx, requestID, o, after, 10)), second(s.UndecidedItems(ctx, requestID, o, after, 10, now)))
		}
		for _, o := range orders(store.ByStart, store.ByExpiry) {
			failed = errors.Join(failed, second(s.PositionedRoles(ctx, ana, o, after, 10, now)))
		}
		for _, o := range orders(store.ByExpiry) {
			failed = errors.Join(failed, second(s.ExpiringRoles(ctx, organisation, now, later, o, after, 10)))
		}
		for _, o := range orders(store.ByName, store.ByStart, store.ByExpiry) {
			failed = errors.Join(failed, second(s.Holders(ctx, []string{anaPosition}, store.HolderFilter{}, o, after, 10, now)), second(s.WithheldRoles(ctx, anaPosition, store.HolderFilter{}, o, after, 10, now)))
		}
		for _, o := range orders(store.ByLikeness, store.ByName, store.ByPerson) {
			failed = errors.Join(failed, second(s.PeopleNamed(ctx, "Ana Ng", o, after, 10)), second(s.PeopleBornOn(ctx, now, "Ana Ng", o, after, 10)), second(s.PeopleOfEmail(ctx, "ana@example.org", o, after, 10)))
		}
	}
	return failed
}

// paged reads a list one row at a time, and returns the ids of all of it, each without what it begins with.
func paged[Row any](t *testing.T, id func(Row) string, page func(after string) ([]Row, error)) (list string) {
	t.Helper()
	for after := ""; len(list) < 100; {
		rows, err := page(after)
		must(t, err)
		if len(rows) == 0 {
			return list
		}
		after = id(rows[0])
		list += after[len(after)-1:]
	}
	t.Fatalf("a list does not end: %q", list)
	return ""
}

func uuidOf(after string) uuid.UUID { id, _ := uuid.Parse(after); return id }

// Each order of a list is the order of its column, and from its other end the opposite; page by page each row is there once, also
// where several have the same in the column; and a row that is not there is gone on from without harm.
func TestOrders(t *testing.T) {
	t.Parallel()
	in, ctx := withPosition(t), t.Context()
	owner := connect(t, in.ownerURL)
	// People 1 to 4 hold the position. What the last two have in a column is the same for each of them, but for their names.
	exec(t, owner, `
		INSERT INTO person (id, handle, title, given_name, middle_names, family_name, display_name, email, date_of_birth, identity_level, created_at, version)
			SELECT '10000000010' || n, sha256(n::text::bytea), '', given, '', family, given || ' ' || family, 'same@example.org', '1970-01-01', 'high', now(), gen_random_uuid()
			FROM (VALUES (1, 'Mary', 'Zander'), (2, 'Mary', 'adams'), (3, 'Mary', 'Ädelman'), (4, 'Mary', 'Brown')) p (n, given, family)`)
	exec(t, owner, `INSERT INTO membership (id, person_id, organisation_code, created_at) SELECT '20000000010' || n, '10000000010' || n, 'RXX01', now() FROM generate_series(1, 4) n`)
	exec(t, owner, `
		INSERT INTO request (id, kind, person_id, position_id, position_version, organisation_code, starts_at, reason, asked_by, asked_role, asked_at, lapses_at)
			SELECT ('01000000-0000-7000-8000-00000000000' || n)::uuid, 'assign_position', '10000000010' || n, '`+anaPosition+`', 1, 'RXX01', $1::timestamptz + least(4 - n, 1) * interval '1 hour', 'x', '`+ana+`', '`+anaRole+`', $1, $1::timestamptz + interval '1 day'
			FROM generate_series(1, 4) n`, now)
	exec(t, owner, `
		INSERT INTO role_profile (id, membership_id, job_role, areas_of_work, activities, workgroups, starts_at, ends_at, created_at, position_id, request_id)
			SELECT '30000000010' || n, '20000000010' || n, 'S8000:G8000:R8000', '{}', '{}', '{}', $1, CASE WHEN n < 3 THEN $1::timestamptz + (3 - n) * interval '1 hour' END, $1, '`+anaPosition+`', ('01000000-0000-7000-8000-00000000000' || n)::uuid
			FROM generate_series(1, 4) n`, now)
	exec(t, owner, `UPDATE role_profile SET withheld = 'x' WHERE id BETWEEN '300000000102' AND '300000000104'`)
	exec(t, owner, `
		INSERT INTO review (id, organisation_code, below, removes, due_at, reason, opened_by, opened_role, opened_at, closed_at)
			SELECT ('01000000-0000-7000-8000-00000000000' || n)::uuid, CASE WHEN n < 3 THEN 'RXX01' ELSE 'RXX02' END, false, false, $1::timestamptz + greatest(5 - n, 2) * interval '1 hour', 'x', '`+ana+`', '`+anaRole+`', $1, $1
			FROM generate_series(1, 4) n`, now)
	exec(t, owner, `INSERT INTO review_item (review_id, role_id, person_id, given_by) SELECT '01000000-0000-7000-8000-000000000001', '30000000010' || n, '10000000010' || n, '`+ana+`' FROM generate_series(1, 4) n`)
	exec(t, owner, `
		INSERT INTO introduction (id, position_id, position_version, organisation_code, title, given_name, middle_names, family_name, date_of_birth, email, starts_at, reason, asked_by, asked_role, asked_at, lapses_at)
			SELECT ('01000000-0000-7000-8000-00000000000' || right(id, 1))::uuid, '`+anaPosition+`', 1, 'RXX01', '', given_name, '', family_name, '1970-01-01', '', $1, 'x', '`+ana+`', '`+anaRole+`', $1, $1::timestamptz + interval '1 day' FROM person WHERE given_name = 'Mary'`, now)
	exec(t, owner, `
		INSERT INTO client_application (id, organisation_code, environment, name, purpose, contact, authentication, redirect_uris, post_logout_redirect_uris, scopes, requires_role,
				minimum_authenticator_level, minimum_identity_level, applied_by, applied_role, applied_at)
			SELECT ('01000000-0000-7000-8000-00000000000' || right(id, 1))::uuid, CASE WHEN id > '100000000102' THEN 'RXX01' ELSE 'RXX02' END, 'integration', family_name, 'x', 'x', 'none', '{x}', '{}', '{openid}', false,
				1, 'none', '`+ana+`', '`+anaRole+`', $1 FROM person WHERE given_name = 'Mary'`, now)
	// Positions 2 to 5 are in force, beside Ana's, which is 1. Of 1 to 3 a second version waits.
	must(t, in.InTx(ctx, func(tx *store.Tx) error {
		for id, name := range map[string]string{"600000000102": "Zander", "600000000103": "adams", "600000000104": "Ädelman", "600000000105": "Brown"} {
			must(t, tx.AddPosition(ctx, id, map[bool]string{true: organisation, false: "RXX02"}[name < "Z"], now))
			v := newVersion(1)
			v.PositionID, v.Name = id, name
			must(t, tx.AddPositionVersion(ctx, v))
			must(t, tx.ApprovePositionVersion(ctx, id, 1, ben, benRole, now))
			v.Version = 2
			switch name {
			case "Zander":
				v.MadeAt = later
				must(t, tx.AddPositionVersion(ctx, v))
			case "adams":
				must(t, tx.AddPositionVersion(ctx, v))
			}
		}
		return nil
	}))
	exec(t, owner, `DELETE FROM request_queue WHERE request_id = $1`, requestID) // Ben's, which is not of these

	exec(t, owner, `
		INSERT INTO person (id, handle, title, given_name, middle_names, family_name, display_name, identity_level, created_at, version)
			VALUES ('100000000105', sha256('several'), '', 'Several', '', 'Roles', 'Several Roles', 'high', now(), gen_random_uuid())`)
	exec(t, owner, `INSERT INTO membership (id, person_id, organisation_code, created_at) VALUES ('200000000105', '100000000105', 'RXX01', now())`)
	exec(t, owner, `
		INSERT INTO role_profile (id, membership_id, job_role, areas_of_work, activities, workgroups, starts_at, ends_at, created_at)
			SELECT '30000000020' || n, '200000000105', 'S8000:G8000:R8000', '{}', '{}', '{}', $1::timestamptz + (n - n % 2) * interval '1 hour', CASE WHEN n > 1 THEN $1::timestamptz + (9 - n) * interval '1 day' END, $1
			FROM generate_series(1, 3) n`, now)
	// What waits at either of two organisations, and some of it where nobody of these looks. The second is the first of it, and the last
	// two are at one time.
	must(t, in.AddOrganisation(ctx, store.Organisation{Code: "RXX03", Name: "Elsewhere"}, now))
	const (
		each = `('01000000-0000-7000-8000-00000000000' || n)::uuid`
		at   = `CASE WHEN n BETWEEN 5 AND 6 THEN 'RXX03' WHEN n % 2 = 1 THEN 'RXX01' ELSE 'RXX02' END`
		when = `$1::timestamptz + CASE n WHEN 1 THEN 2 WHEN 2 THEN 1 ELSE 3 END * interval '1 hour'`
	)
	exec(t, owner, `
		INSERT INTO break_glass_seal (id, organisation_code, first_hash, second_hash, sealed_by, sealed_at, expires_at, ended_at)
			SELECT `+each+`, `+at+`, sha256(('a' || n)::bytea), sha256(('b' || n)::bytea), 'desk', $1, $1::timestamptz + interval '1 day', $1 FROM generate_series(1, 5) n`, now)
	exec(t, owner, `
		INSERT INTO role_profile (id, membership_id, job_role, areas_of_work, activities, workgroups, starts_at, ends_at, created_at)
			SELECT '30000000030' || n, '200000000101', 'S8000:G8000:R8000', '{}', '{}', '{}', $1, $1::timestamptz + interval '1 hour', $1 FROM generate_series(1, 5) n`, now)
	exec(t, owner, `
		INSERT INTO break_glass (id, seal_id, organisation_code, asked_by, confirmed_by, reason, role_id, opened_at, signed_by, signed_role, signed_at, note)
			SELECT `+each+`, `+each+`, `+at+`, '`+ana+`', '`+ben+`', 'x', '30000000030' || n, `+when+`, CASE WHEN n % 2 = 0 THEN '100000000105' END, CASE WHEN n % 2 = 0 THEN '`+anaRole+`' END, CASE WHEN n % 2 = 0 THEN $1 END,
				CASE WHEN n % 2 = 0 THEN 'x' END FROM generate_series(1, 5) n`, now)
	exec(t, owner, `
		INSERT INTO evidence_proposal (id, person_id, organisation_code, kind, piece_sealed, proposed_at, proposed_by, proposed_role, account_code)
			SELECT `+each+`, '10000000010' || least(n, 4), `+at+`, 'passport', 'x', `+when+`, '`+ana+`', '`+anaRole+`', false FROM generate_series(1, 5) n`, now)
	exec(t, owner, `
		INSERT INTO person (id, handle, title, given_name, middle_names, family_name, display_name, identity_level, created_at, version, self_registered_organisation)
			SELECT '10000000020' || n, sha256(('self' || n)::bytea), '', 'Self', '', 'Registered', 'Self Registered', 'none', `+when+`, gen_random_uuid(), `+at+` FROM generate_series(1, 5) n`, now)
	exec(t, owner, `
		INSERT INTO review (id, organisation_code, below, removes, due_at, reason, opened_by, opened_role, opened_at)
			SELECT `+each+`, `+at+`, false, false, $1::timestamptz + (20 - n) * interval '1 day', 'x', '`+ana+`', '`+anaRole+`', $1::timestamptz + n * interval '1 hour' FROM generate_series(7, 8) n`, now)
	review := uuid.MustParse("01000000-0000-7000-8000-000000000001")
	opened := func(b store.BreakGlassRow) string { return b.ID.String() }
	requests := func(r store.WaitingRequest) string { return r.ID.String() }
	reviews := func(r store.ReviewRow) string { return r.ID.String() }
	items := func(i store.ReviewItem) string { return i.RoleID }
	people := func(p store.FoundPerson) string { return p.ID }
	positions := func(p store.PositionRow) string { return p.PositionID }
	week := now.Add(7 * 24 * time.Hour)
	check := func() {
		t.Helper()
		for _, tt := range []struct {
			list string
			want map[store.Column]string
			read func(o store.Order) string
		}{
			{"OpenRequests", map[store.Column]string{store.ByAsked: "1234", store.ByStart: "4123"}, func(o store.Order) string {
				return paged(t, requests, func(after string) ([]store.WaitingRequest, error) {
					return in.OpenRequests(ctx, store.Queue{OrganisationCode: organisation}, o, uuidOf(after), 1, now)
				})
			}},
			{"OpenIntroductions", map[store.Column]string{store.ByAsked: "1234", store.ByName: "2341"}, func(o store.Order) string {
				return paged(t, func(i store.IntroductionRow) string { return i.ID.String() }, func(after string) ([]store.IntroductionRow, error) {
					return in.OpenIntroductions(ctx, organisation, o, uuidOf(after), 1, now)
				})
			}},
			{"Positions", map[store.Column]string{store.ByName: "34512"}, func(o store.Order) string {
				return paged(t, positions, func(after string) ([]store.PositionRow, error) {
					return in.Positions(ctx, organisation, "", o, after, 1)
				})
			}},
			{"Positions beginning with a D", map[store.Column]string{store.ByName: "34"}, func(o store.Order) string {
				return paged(t, positions, func(after string) ([]store.PositionRow, error) {
					return in.Positions(ctx, organisation, "ÁD", o, after, 1)
				})
			}},
			{"ProposedPositions", map[store.Column]string{store.ByName: "312", store.ByTime: "132"}, func(o store.Order) string {
				return paged(t, positions, func(after string) ([]store.PositionRow, error) {
					return in.ProposedPositions(ctx, organisation, "", o, after, 1)
				})
			}},
			{"OfferedPositions", map[store.Column]string{store.ByName: "34512"}, func(o store.Order) string {
				return paged(t, func(p store.OfferedPosition) string { return p.ID }, func(after string) ([]store.OfferedPosition, error) {
					return in.OfferedPositions(ctx, organisation, "", o, after, 1)
				})
			}},
			{"OfferedPositions with an a", map[store.Column]string{store.ByName: "3412"}, func(o store.Order) string {
				return paged(t, func(p store.OfferedPosition) string { return p.ID }, func(after string) ([]store.OfferedPosition, error) {
					return in.OfferedPositions(ctx, organisation, "A", o, after, 1)
				})
			}},
			{"ClientApplications", map[store.Column]string{store.ByAsked: "1234", store.ByName: "2341"}, func(o store.Order) string {
				return paged(t, func(a store.ClientApplicationRow) string { return a.ID.String() }, func(after string) ([]store.ClientApplicationRow, error) {
					return in.ClientApplications(ctx, organisation, "open", o, uuidOf(after), 1)
				})
			}},
			{"Reviews", map[store.Column]string{store.ByOpened: "123478", store.ByDue: "342187"}, func(o store.Order) string {
				return paged(t, reviews, func(after string) ([]store.ReviewRow, error) {
					return in.Reviews(ctx, organisation, false, o, uuidOf(after), 1, now)
				})
			}},
			{"open Reviews", map[store.Column]string{store.ByOpened: "78", store.ByDue: "87"}, func(o store.Order) string {
				return paged(t, reviews, func(after string) ([]store.ReviewRow, error) {
					return in.Reviews(ctx, organisation, true, o, uuidOf(after), 1, now)
				})
			}},
			{"BreakGlasses", map[store.Column]string{store.ByTime: "2134"}, func(o store.Order) string {
				return paged(t, opened, func(after string) ([]store.BreakGlassRow, error) {
					return in.BreakGlasses(ctx, organisation, false, o, uuidOf(after), 1)
				})
			}},
			{"BreakGlasses to sign for", map[store.Column]string{store.ByTime: "13"}, func(o store.Order) string {
				return paged(t, opened, func(after string) ([]store.BreakGlassRow, error) {
					return in.BreakGlasses(ctx, organisation, true, o, uuidOf(after), 1)
				})
			}},
			{"EvidenceProposals", map[store.Column]string{store.ByTime: "2134"}, func(o store.Order) string {
				return paged(t, func(e store.EvidenceProposal) string { return e.ID.String() }, func(after string) ([]store.EvidenceProposal, error) {
					return in.EvidenceProposals(ctx, organisation, o, uuidOf(after), 1)
				})
			}},
			{"UnprovedPeople", map[store.Column]string{store.ByTime: "2134"}, func(o store.Order) string {
				return paged(t, func(p store.UnprovedPerson) string { return p.ID }, func(after string) ([]store.UnprovedPerson, error) {
					return in.UnprovedPeople(ctx, organisation, o, after, 1)
				})
			}},
			{"ReviewItems", map[store.Column]string{store.ByName: "2341", store.ByPosition: "1234", store.ByStart: "1234", store.ByExpiry: "2134"}, func(o store.Order) string {
				return paged(t, items, func(after string) ([]store.ReviewItem, error) { return in.ReviewItems(ctx, review, o, after, 1) })
			}},
			{"UndecidedItems", map[store.Column]string{store.ByName: "2341", store.ByPosition: "1234", store.ByStart: "1234", store.ByExpiry: "2134"}, func(o store.Order) string {
				return paged(t, items, func(after string) ([]store.ReviewItem, error) {
					return in.UndecidedItems(ctx, review, o, after, 1, now)
				})
			}},
			{"ExpiringRoles", map[store.Column]string{store.ByExpiry: "21"}, func(o store.Order) string {
				return paged(t, func(r store.ExpiringRole) string { return r.RoleID }, func(after string) ([]store.ExpiringRole, error) {
					return in.ExpiringRoles(ctx, organisation, now, week, o, after, 1)
				})
			}},
			{"PositionedRoles", map[store.Column]string{store.ByStart: "123", store.ByExpiry: "321"}, func(o store.Order) string {
				return paged(t, func(r store.PositionedRole) string { return r.ID }, func(after string) ([]store.PositionedRole, error) {
					return in.PositionedRoles(ctx, "100000000105", o, after, 1, now)
				})
			}},
			{"Holders", map[store.Column]string{store.ByName: "2341", store.ByStart: "1234", store.ByExpiry: "2134"}, func(o store.Order) string {
				return paged(t, func(h store.HolderRow) string { return h.RoleID }, func(after string) ([]store.HolderRow, error) {
					return in.Holders(ctx, []string{anaPosition}, store.HolderFilter{}, o, after, 1, now)
				})
			}},
			{"Holders like Mary", map[store.Column]string{store.ByName: "2341", store.ByStart: "1234", store.ByExpiry: "2134"}, func(o store.Order) string {
				return paged(t, func(h store.HolderRow) string { return h.RoleID }, func(after string) ([]store.HolderRow, error) {
					return in.Holders(ctx, []string{anaPosition}, store.HolderFilter{Name: "mary", Organisation: "RXX01"}, o, after, 1, now)
				})
			}},
			{"Holders like Adelman", map[store.Column]string{store.ByName: "3", store.ByStart: "3", store.ByExpiry: "3"}, func(o store.Order) string {
				return paged(t, func(h store.HolderRow) string { return h.RoleID }, func(after string) ([]store.HolderRow, error) {
					return in.Holders(ctx, []string{anaPosition}, store.HolderFilter{Name: "Adelman"}, o, after, 1, now)
				})
			}},
			{"Holders of an id", map[store.Column]string{store.ByName: "4", store.ByStart: "4", store.ByExpiry: "4"}, func(o store.Order) string {
				return paged(t, func(h store.HolderRow) string { return h.RoleID }, func(after string) ([]store.HolderRow, error) {
					return in.Holders(ctx, []string{anaPosition}, store.HolderFilter{PersonID: "100000000104"}, o, after, 1, now)
				})
			}},
			{"Holders elsewhere", map[store.Column]string{store.ByName: "", store.ByStart: ""}, func(o store.Order) string {
				return paged(t, func(h store.HolderRow) string { return h.RoleID }, func(after string) ([]store.HolderRow, error) {
					return in.Holders(ctx, []string{anaPosition}, store.HolderFilter{Organisation: "RXX02"}, o, after, 1, now)
				})
			}},
			{"WithheldRoles", map[store.Column]string{store.ByName: "234", store.ByStart: "234"}, func(o store.Order) string {
				return paged(t, func(h store.HolderRow) string { return h.RoleID }, func(after string) ([]store.HolderRow, error) {
					return in.WithheldRoles(ctx, anaPosition, store.HolderFilter{}, o, after, 1, now)
				})
			}},
			{"WithheldRoles like Adelman", map[store.Column]string{store.ByName: "3", store.ByStart: "3"}, func(o store.Order) string {
				return paged(t, func(h store.HolderRow) string { return h.RoleID }, func(after string) ([]store.HolderRow, error) {
					return in.WithheldRoles(ctx, anaPosition, store.HolderFilter{Name: "Adelman"}, o, after, 1, now)
				})
			}},
			{"Holders of two positions", map[store.Column]string{store.ByName: "2341", store.ByStart: "1234", store.ByExpiry: "2134"}, func(o store.Order) string {
				return paged(t, func(h store.HolderRow) string { return h.RoleID }, func(after string) ([]store.HolderRow, error) {
					return in.Holders(ctx, []string{"600000000102", anaPosition}, store.HolderFilter{}, o, after, 1, now)
				})
			}},
			{"PeopleBornOn", map[store.Column]string{store.ByLikeness: "4213", store.ByName: "2341", store.ByPerson: "1234"}, func(o store.Order) string {
				return paged(t, people, func(after string) ([]store.FoundPerson, error) {
					return in.PeopleBornOn(ctx, time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC), "Mary Brown", o, after, 1)
				})
			}},
			{"PeopleOfEmail", map[store.Column]string{store.ByName: "2341", store.ByPerson: "1234"}, func(o store.Order) string {
				return paged(t, people, func(after string) ([]store.FoundPerson, error) {
					return in.PeopleOfEmail(ctx, "same@example.org", o, after, 1)
				})
			}},
		} {
			for column, want := range tt.want {
				same(t, fmt.Sprintf("%s by %s", tt.list, column), tt.read(store.Order{By: column}), want)
				if column == store.ByLikeness {
					continue
				}
				end := []byte(want)
				slices.Reverse(end)
				same(t, fmt.Sprintf("%s by %s from its end", tt.list, column), tt.read(store.Order{By: column, Descending: true}), string(end))
			}
		}
	}
	check()
	exec(t, owner, `INSERT INTO organisation (code, name, parent_code, created_at) SELECT 'N' || n, 'N', 'RXX02', now() FROM generate_series(1, 400) n`)
	check()
	must(t, inEveryOrder(ctx, in.Store)) // from rows that are not there
}

// What is in the order of its ids is read from either end, each row once.
func TestListsFromEitherEnd(t *testing.T) {
	t.Parallel()
	in, ctx := newInstallation(t), t.Context()
	first, second := uuid.MustParse("01935c5e-7a70-7000-8000-000000000001"), uuid.MustParse("01935c5e-7a70-7000-8000-000000000002")
	for _, id := range []uuid.UUID{second, first} {
		must(t, in.InTx(ctx, func(tx *store.Tx) error {
			must(t, tx.AddEvidence(ctx, newEvidence(id, ben)))
			must(t, tx.BeginRetention(ctx, store.RetentionRun{ID: id, By: "schedule", BeganAt: now}, now, now))
			return tx.AddPersonChange(ctx, store.PersonChange{ID: id, PersonID: ana, Kind: "closed", Actor: ben, ActorRole: benRole, Reason: "x", Old: []byte("{}"), New: []byte("{}"), At: now})
		}))
	}
	for list, read := range map[string]func(o store.Order) string{
		"PersonChanges": func(o store.Order) string {
			return paged(t, func(c store.PersonChange) string { return c.ID.String() }, func(after string) ([]store.PersonChange, error) {
				return in.PersonChanges(ctx, []string{ana}, o, uuidOf(after), 1)
			})
		},
		"EvidenceOf": func(o store.Order) string {
			return paged(t, func(e store.Evidence) string { return e.ID.String() }, func(after string) ([]store.Evidence, error) {
				return in.EvidenceOf(ctx, ben, o, uuidOf(after), 1)
			})
		},
		"RetentionRuns": func(o store.Order) string {
			return paged(t, func(r store.RetentionRun) string { return r.ID.String() }, func(after string) ([]store.RetentionRun, error) {
				return in.RetentionRuns(ctx, o, uuidOf(after), 1)
			})
		},
	} {
		same(t, list+" by at", read(store.Order{By: store.ByTime}), "12")
		same(t, list+" by at from its end", read(store.Order{By: store.ByTime, Descending: true}), "21")
	}
}

// What a person has, in part at one moment, is paged from either end, each row once; of what she signs in with, what works is first; and
// what is somebody else's is not gone on from.
func TestWhatAPersonHasIsPaged(t *testing.T) {
	t.Parallel()
	in, ctx := newInstallation(t), t.Context()
	owner := connect(t, in.ownerURL)
	const ids = `('01000000-0000-7000-8000-00000000000' || n)::uuid`
	exec(t, owner, `DELETE FROM enrolment_link`)
	exec(t, owner, `DELETE FROM authenticator`)
	exec(t, owner, `
		INSERT INTO authenticator (id, person_id, name, kind, credential_id, public_key, sign_count, aaguid, transports, backup_eligible, backup_state,
				attestation_format, attestation_object, client_data, created_at, state, revoked_at)
			SELECT `+ids+`, CASE WHEN n = 9 THEN '`+ben+`' ELSE '`+ana+`' END, 'key', 'passkey', sha256(n::text::bytea), 'public', 0, gen_random_uuid(), '{}', true, true, 'none', 'object', '{}', $1::timestamptz + n / 2 * interval '1 s',
				CASE WHEN n < 3 THEN 'lost' ELSE 'active' END, CASE WHEN n < 3 THEN $1::timestamptz END FROM (SELECT generate_series(1, 5) UNION SELECT 9) n (n)`, now)
	exec(t, owner, `INSERT INTO enrolment_link (id, hash, person_id, created_at, expires_at)
			SELECT `+ids+`, sha256(n::text::bytea), CASE WHEN n = 9 THEN '`+ben+`' ELSE '`+ana+`' END, $1::timestamptz + n / 2 * interval '1 s', $2 FROM (SELECT generate_series(1, 5) UNION SELECT 9) n (n)`, now, later)
	exec(t, owner, `UPDATE session SET ended_at = $1`, now)
	exec(t, owner, `
		INSERT INTO session (id, cookie_hash, person_id, authenticator_level, methods, authenticated_at, created_at, idle_at, expires_at)
			SELECT `+ids+`, sha256(n::text::bytea), CASE WHEN n = 9 THEN '`+ben+`' ELSE '`+ana+`' END, 2, '{pop}', $1::timestamptz + n / 2 * interval '1 s', $1, $2, $2 FROM (SELECT generate_series(1, 5) UNION SELECT 9) n (n)`, now, later)
	oldest, newest, anothers := store.Order{By: store.ByTime}, store.Order{By: store.ByTime, Descending: true}, uuidOf("01000000-0000-7000-8000-000000000009")
	authenticators := func(o store.Order) string {
		return paged(t, func(a store.Authenticator) string { return a.ID.String() }, func(after string) ([]store.Authenticator, error) {
			return in.AuthenticatorsOf(ctx, ana, o, uuidOf(after), 1)
		})
	}
	links := func(o store.Order) string {
		return paged(t, func(l store.OpenLink) string { return l.ID.String() }, func(after string) ([]store.OpenLink, error) {
			return in.OpenLinks(ctx, ana, 5, o, uuidOf(after), 1, now)
		})
	}
	sessions := func(o store.Order) string {
		return paged(t, func(s store.OwnSession) string { return s.ID.String() }, func(after string) ([]store.OwnSession, error) {
			return in.SessionsOf(ctx, ana, o, uuidOf(after), 1, now)
		})
	}
	same(t, "AuthenticatorsOf by at", authenticators(oldest), "34512")
	same(t, "AuthenticatorsOf by at from its end", authenticators(newest), "54321")
	same(t, "OpenLinks by at", links(oldest), "12345")
	same(t, "OpenLinks by at from its end", links(newest), "54321")
	same(t, "SessionsOf by at", sessions(oldest), "12345")
	same(t, "SessionsOf by at from its end", sessions(newest), "54321")
	for _, o := range []store.Order{oldest, newest} {
		a, err := in.AuthenticatorsOf(ctx, ana, o, anothers, 10)
		must(t, err)
		l, err := in.OpenLinks(ctx, ana, 5, o, anothers, 10, now)
		must(t, err)
		s, err := in.SessionsOf(ctx, ana, o, anothers, 10, now)
		must(t, err)
		if len(a)+len(l)+len(s) > 0 {
			t.Errorf("after what is Ben's = %v, %v and %v, want nothing", a, l, s)
		}
	}
}
