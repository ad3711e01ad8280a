package store_test

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"github.com/credence-id/credence/store"
)

// manyProofs fills, as seedMany does, what grows with how people come on record, are proved and recover.
const manyProofs = `
	INSERT INTO photograph (id, person_id, image_sealed, way, taken_at, taken_by, taken_role, replaced_at)
		SELECT gen_random_uuid(), id, 'x', 'camera', {now}, '` + ana + `', '` + anaRole + `', CASE WHEN k < 2 THEN {now} END FROM person, generate_series(1, 2) k WHERE id > '5';
	INSERT INTO evidence_proposal (id, person_id, organisation_code, kind, piece_sealed, proposed_at, proposed_by, proposed_role, state, decided_at, decided_by, decided_role)
		SELECT gen_random_uuid(), to_char(500000000000 + n, 'FM000000000000'), 'N' || n, 'passport', CASE WHEN k < 2 THEN 'x'::bytea END, {now}, '` + ana + `', '` + anaRole + `', CASE WHEN k < 2 THEN 'proposed' ELSE 'confirmed' END,
			CASE WHEN k > 1 THEN {now} END, CASE WHEN k > 1 THEN '` + ben + `' END, CASE WHEN k > 1 THEN '` + benRole + `' END FROM {many}, generate_series(1, 2) k;
	INSERT INTO introduction (id, position_id, position_version, organisation_code, title, given_name, middle_names, family_name, date_of_birth, email, starts_at, reason, asked_by, asked_role, asked_at, lapses_at)
		SELECT gen_random_uuid(), position_id, 1, organisation_code, '', 'A', '', 'B', '1970-01-01', '', {now}, 'x', '` + ana + `', '` + anaRole + `', {now}, {now} + (position_id::int - 10000) * interval '1 s' FROM request WHERE state = 'open';
	INSERT INTO introduction (id, position_id, position_version, organisation_code, title, given_name, middle_names, family_name, date_of_birth, email, starts_at, reason, asked_by, asked_role, asked_at, lapses_at,
			state, ended_by, ended_role, ended_at, person_id, request_id)
		SELECT gen_random_uuid(), position_id, 1, organisation_code, '', 'A', '', 'B', '1970-01-01', '', {now}, 'x', '` + ana + `', '` + anaRole + `', {now}, {now},
			'taken_up', '` + ben + `', '` + benRole + `', {now} + (position_id::int - 10000) * interval '1 s', person_id, id FROM request WHERE state = 'open';
	INSERT INTO meeting (id, person_id, officer, officer_role, organisation_code, begun_at, ends_at, replaced_at)
		SELECT gen_random_uuid(), to_char(500000000000 + n, 'FM000000000000'), '` + ana + `', '` + anaRole + `', 'N' || n, {now}, {now} + n * interval '1 s', CASE WHEN k < 2 THEN {now} END FROM {many}, generate_series(1, 2) k;
	INSERT INTO recovery_code (mac, person_id, created_at) SELECT sha256((id || k)::bytea), id, {now} FROM person, generate_series(1, 2) k WHERE id > '5';
	INSERT INTO account_code (person_id, id, made_at, ends_at) SELECT id, gen_random_uuid(), {now}, {now} FROM person WHERE id > '5';
	INSERT INTO self_registration (id, secret_hash, organisation_code, given_name, family_name, email, asked_at, expires_at)
		SELECT gen_random_uuid(), sha256(n::text::bytea), 'N' || n, 'A', 'B', n || '@example.org', {now}, {now} + (n - 10000) * interval '1 s' FROM {many};
	INSERT INTO break_glass_seal (id, organisation_code, first_hash, second_hash, sealed_by, sealed_at, expires_at, ended_at)
		SELECT gen_random_uuid(), 'N' || n, sha256(n::text::bytea), sha256((-n)::text::bytea), 'operator:x', {now}, {now} + interval '1 day', {now} FROM {many};
	INSERT INTO role_profile (id, membership_id, job_role, areas_of_work, activities, workgroups, starts_at, ends_at, created_at)
		SELECT to_char(990000000000 + n, 'FM000000000000'), m.id, 'S8000:G8000:R9001', '{}', '{}', '{}', {now}, {now} + interval '1 hour', {now}
		FROM {many} JOIN membership m ON m.person_id = to_char(500000000000 + n, 'FM000000000000');
	INSERT INTO break_glass (id, seal_id, organisation_code, asked_by, confirmed_by, reason, role_id, opened_at, signed_by, signed_role, signed_at, note)
		SELECT gen_random_uuid(), s.id, s.organisation_code, to_char(500000000000 + n, 'FM000000000000'), '` + ana + `', 'x', to_char(990000000000 + n, 'FM000000000000'), {now},
			CASE WHEN n > 10000 THEN '` + ben + `' END, CASE WHEN n > 10000 THEN '` + benRole + `' END, CASE WHEN n > 10000 THEN {now} END, CASE WHEN n > 10000 THEN 'x' END
		FROM {many} JOIN break_glass_seal s ON s.organisation_code = 'N' || n;
	INSERT INTO used_assertion (client_id, hash, expires_at) SELECT 'ward', sha256(n::text::bytea), {now} + (n - 10000) * interval '1 s' FROM {many};
	INSERT INTO client_check (id, application_id, checked_by, checked_role, began_at)
		SELECT gen_random_uuid(), id, applied_by, applied_role, {now} FROM client_application, generate_series(1, 2)`

// prove sends the statements by which Ben is proved: his photograph, what waits of him, and a meeting with Ana.
func prove(ctx context.Context, s *store.Store) error {
	meeting := store.Meeting{ID: uuid.New(), PersonID: ben, Officer: ana, OfficerRole: anaRole, OrganisationCode: organisation, BegunAt: now, EndsAt: later}
	return errors.Join(
		s.InTx(ctx, func(tx *store.Tx) error {
			return errors.Join(tx.SetPhotograph(ctx, photographAt(now)), tx.BeginMeeting(ctx, meeting), tx.MakeAccountCode(ctx, ben, uuid.New(), now, later))
		}),
		second(s.Photograph(ctx, ben)), second(s.PhotographTaking(ctx, ben)), second(s.EvidenceProposalsOf(ctx, ben, 10)), second(s.AccountCode(ctx, ben)),
		second(s.Meeting(ctx, meeting.ID)), second(s.MeetingWith(ctx, ana, ben)), second(s.CountMeetings(ctx, ben, now)), second(s.AwaitedMeetings(ctx, ben, 5, 10, now)), second(s.Address(ctx, ben, ana)))
}

// introduce sends the statements by which Ana introduces somebody, to a position that there is.
func introduce(ctx context.Context, s *store.Store) error {
	i := store.Introduction{
		ID: uuid.New(), PositionID: anaPosition, PositionVersion: 1, OrganisationCode: organisation, GivenName: "Carys", FamilyName: "Pugh", Email: "carys@example.org",
		DateOfBirth: time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC), StartsAt: now, Reason: "x", AskedBy: ana, AskedRole: anaRole, AskedAt: now, LapsesAt: later,
	}
	return s.InTx(ctx, func(tx *store.Tx) error {
		return errors.Join(tx.AddIntroduction(ctx, i), second(tx.Introduction(ctx, i.ID)), second(tx.LockIntroduction(ctx, i.ID)),
			tx.EndIntroduction(ctx, i.ID, store.IntroductionEnd{State: "refused", By: ben, Role: benRole, Reason: new("x"), At: now}), second(tx.LapseIntroductions(ctx, 10, now)), second(tx.SweepIntroductions(ctx, now, 10)))
	})
}
