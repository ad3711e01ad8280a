-- The orders of lists: each of those that are long is read along an index. What does not expire does so after all that does.
CREATE INDEX request_open_starts ON request (starts_at, id) WHERE state = 'open';
CREATE INDEX review_organisation_opened ON review (organisation_code, opened_at, id);
CREATE INDEX review_organisation_due ON review (organisation_code, due_at, id);
CREATE INDEX role_profile_position_since ON role_profile (position_id, starts_at, id) WHERE position_id IS NOT NULL;
CREATE INDEX role_profile_position_until ON role_profile (position_id, coalesce(ends_at, '10000-01-01Z'), id) WHERE position_id IS NOT NULL;
CREATE INDEX authenticator_suspended ON authenticator (revoked_at, id) WHERE state IN ('suspended', 'lost');

-- What the record says of sign-ins, for each organisation where those who signed in have a role, and for each above it: how many there
-- were each day, and which were unusual. It is read in the order of its lines, as far as sign_in_reading says, from now on.
CREATE TABLE sign_in_reading (
    one      boolean PRIMARY KEY DEFAULT true CONSTRAINT sign_in_reading_once CHECK (one),
    sequence bigint NOT NULL -- of the line that was read last
);
INSERT INTO sign_in_reading (sequence) SELECT coalesce(max(sequence), 0) FROM audit_event;
GRANT SELECT, UPDATE (sequence) ON sign_in_reading TO credence_service;

CREATE TABLE sign_in_day (
    organisation_code text NOT NULL,
    day               date NOT NULL, -- where people are
    sign_ins          integer NOT NULL CONSTRAINT sign_in_day_counts CHECK (sign_ins >= 1),
    PRIMARY KEY (organisation_code, day)
);
CREATE INDEX sign_in_day_day ON sign_in_day (day);
GRANT SELECT, INSERT (organisation_code, day, sign_ins), UPDATE (sign_ins), DELETE ON sign_in_day TO credence_service;

CREATE TABLE unusual_sign_in (
    organisation_code text NOT NULL,
    sequence          bigint NOT NULL, -- of its line of the record
    at                timestamptz NOT NULL,
    reasons           text[] NOT NULL CONSTRAINT unusual_sign_in_for_a_reason CHECK (cardinality(reasons) BETWEEN 1 AND 10),
    PRIMARY KEY (organisation_code, sequence)
);
CREATE INDEX unusual_sign_in_at ON unusual_sign_in (at);
GRANT SELECT, INSERT (organisation_code, sequence, at, reasons), DELETE ON unusual_sign_in TO credence_service;
