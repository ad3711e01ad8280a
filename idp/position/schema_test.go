package position_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/credence-id/credence/idp/position"
)

// Four eyes is the schema's as well: whoever writes rows past the rules is refused.
func TestFourEyesOfTheSchema(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	id := d.position(nil)
	request := d.ask(asked(d.nurse, id))
	decided := d.ask(asked(d.agent.Person, id))
	_, err := d.Decide(ctx, d.manager, decided, position.Refuse, "No", "")
	must(t, err)
	draftID, err := d.Propose(ctx, d.agent, hospital, draft())
	must(t, err)
	const decide = `UPDATE request SET state = 'approved', decided_by = $2, decided_role = $3, decided_at = asked_at, decision_reason = 'x' WHERE id = $1`
	for _, tt := range []struct {
		rule, statement string
		args            []any
	}{
		{"request_decided_by_another", decide, []any{request, d.sponsor.Person, d.sponsor.Role}},
		{"request_not_decided_by_its_person", decide, []any{request, d.nurse, d.agent.Role}},
		{"request_decided_by_somebody", `UPDATE request SET state = 'approved', decided_at = asked_at, decision_reason = 'x' WHERE id = $1`, []any{request}},
		{"request_decided_by_somebody", `UPDATE request SET state = 'withdrawn', decided_by = $2, decided_role = $3, decided_at = asked_at, decision_reason = 'x' WHERE id = $1`, []any{request, d.agent.Person, d.agent.Role}},
		{"request_decided_wholly", `UPDATE request SET state = 'withdrawn' WHERE id = $1`, []any{request}},
		{"request_decided_wholly", `UPDATE request SET decided_at = asked_at WHERE id = $1`, []any{request}},
		{"request_assignable_is_approved", `UPDATE request SET assignable = true WHERE id = $1`, []any{request}},
		{"request_state_known", `UPDATE request SET state = 'done', decided_at = asked_at, decision_reason = 'x' WHERE id = $1`, []any{request}},
		{"request_decided_for_good", decide, []any{decided, d.otherAgent.Person, d.otherAgent.Role}},
		{"request_decided_for_good", `UPDATE request SET state = 'open', decided_by = NULL, decided_role = NULL, decided_at = NULL, decision_reason = NULL WHERE id = $1`, []any{decided}},
		{"request_not_for_oneself", `UPDATE request SET person_id = asked_by WHERE id = $1`, []any{request}},
		{"request_owned_by_another", `UPDATE request SET owner_id = asked_by, owner_since = asked_at WHERE id = $1`, []any{request}},
		{"request_owned_by_another", `UPDATE request SET owner_id = person_id, owner_since = asked_at WHERE id = $1`, []any{request}},
		{"request_owned_wholly", `UPDATE request SET owner_id = $2 WHERE id = $1`, []any{request, d.agent.Person}},
		{"request_decided_for_good", `UPDATE request SET owner_id = $2, owner_since = asked_at WHERE id = $1`, []any{decided, d.otherAgent.Person}},
		{"request_times", `UPDATE request SET expires_at = starts_at WHERE id = $1`, []any{request}},
		{"request_times", `UPDATE request SET expires_at = 'infinity' WHERE id = $1`, []any{request}},
		{"request_kind_known", `UPDATE request SET kind = 'both' WHERE id = $1`, []any{request}},
		{"request_end_does_not_expire", `UPDATE request SET kind = 'end_position', expires_at = starts_at + interval '1 day' WHERE id = $1`, []any{request}},
		{"request_of_organisation", `UPDATE request SET organisation_code = 'ZX200' WHERE id = $1`, []any{request}},
		{"request_of_version", `UPDATE request SET position_version = 9 WHERE id = $1`, []any{request}},
		{"request_open_once", `INSERT INTO request (id, kind, person_id, position_id, position_version, organisation_code, starts_at, reason, asked_by, asked_role, asked_at, lapses_at)
			SELECT gen_random_uuid(), kind, person_id, position_id, position_version, organisation_code, starts_at, reason, asked_by, asked_role, asked_at, lapses_at FROM request WHERE id = $1`, []any{request}},
		{"position_version_approved_by_another", `UPDATE position_version SET approved_by = made_by, approved_role = made_role, approved_at = made_at WHERE position_id = $1`, []any{draftID}},
		{"position_version_approved_wholly", `UPDATE position_version SET approved_at = made_at WHERE position_id = $1`, []any{draftID}},
		{"position_version_approved_for_good", `UPDATE position_version SET activities = '{B0420}' WHERE position_id = $1`, []any{id}},
		{"position_version_in_force_approved", `UPDATE position SET version = 1 WHERE id = $1`, []any{draftID}},
		{"position_version_in_force_approved", `UPDATE position SET version = 1 WHERE id = $1`, []any{id}},
		{"position_version_in_force_approved", `UPDATE position SET version = NULL WHERE id = $1`, []any{id}},
		{"position_version_in_force", `UPDATE position SET version = 2 WHERE id = $1`, []any{draftID}},
		{"role_profile_of_request", `UPDATE role_profile SET position_id = $2 WHERE id = $1`, []any{d.agent.Role, id}},
		{"role_profile_of_request", `UPDATE role_profile SET request_id = $2, position_id = $3 WHERE id = $1`, []any{d.agent.Role, request, draftID}},
	} {
		if err := d.exec(tt.statement, tt.args...); err == nil || !strings.Contains(err.Error(), tt.rule) && !strings.Contains(fmt.Sprintf("%+v", err), "for good") {
			t.Errorf("%s = %v, want it refused by %s", tt.statement, err, tt.rule)
		}
	}
	_, err = d.Decide(ctx, d.agent, request, position.Approve, "Yes", "") // the twin
	must(t, err)
	if err := d.exec(`UPDATE role_profile SET request_id = $2, position_id = $3 WHERE id = $1`, d.agent.Role, request, id); err == nil || !strings.Contains(err.Error(), "role_profile_request") {
		t.Errorf("a second role of one request = %v, want it refused", err)
	}
}
