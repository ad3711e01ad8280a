CREATE INDEX role_profile_positioned_ends ON role_profile (ends_at) WHERE position_id IS NOT NULL;
CREATE INDEX evidence_proposal_waits ON evidence_proposal (id) WHERE state = 'proposed';
DROP INDEX introduction_open_asked, introduction_open_name, review_opened, review_due, review_open_opened, break_glass_opened, break_glass_unsigned_opened,
    person_unproved_since, client_application_in_state, client_application_in_state_name, evidence_proposal_since, role_profile_positioned_ending;
