-- Lists of what is at an organisation and below it. Where those are many, it is walked through in the order of the list, wherever it is.
CREATE INDEX introduction_open_asked ON introduction (asked_at, id) WHERE state = 'open';
CREATE INDEX introduction_open_name ON introduction
    ((lower(regexp_replace(normalize(family_name || ' ' || given_name, NFKD), E'[\u0300-\u036F]', '', 'g')) COLLATE "C"), id) WHERE state = 'open';
CREATE INDEX review_opened ON review (opened_at, id);
CREATE INDEX review_due ON review (due_at, id);
CREATE INDEX review_open_opened ON review (opened_at, id) WHERE closed_at IS NULL;
CREATE INDEX break_glass_opened ON break_glass (opened_at, id);
CREATE INDEX break_glass_unsigned_opened ON break_glass (opened_at, id) WHERE signed_at IS NULL;
CREATE INDEX person_unproved_since ON person (created_at, id)
    WHERE self_registered_organisation IS NOT NULL AND identity_level IN ('none', 'low') AND disabled_at IS NULL;
CREATE INDEX client_application_in_state ON client_application (state, id);
CREATE INDEX client_application_in_state_name ON client_application (state, (lower(regexp_replace(normalize(name, NFKD), E'[\u0300-\u036F]', '', 'g')) COLLATE "C"), id);
CREATE INDEX evidence_proposal_since ON evidence_proposal (proposed_at, id) WHERE state = 'proposed';
DROP INDEX evidence_proposal_waits; -- the one above is read in its place

-- What positions give that ends, by when it does: a glance counts it in the index alone.
CREATE INDEX role_profile_positioned_ending ON role_profile (ends_at, id) INCLUDE (position_id) WHERE position_id IS NOT NULL;
DROP INDEX role_profile_positioned_ends; -- the one above is read in its place
