-- Break-glass: an officer for some hours, when no other is to be had. An operator seals two codes in two envelopes. One person
-- asks with the code of the first, another opens with the code of the second, and what was done is open to review until a third
-- person signs for it. Of the codes, which are random, only hashes are kept.
CREATE TABLE break_glass_seal (
    id                uuid PRIMARY KEY,
    organisation_code text NOT NULL REFERENCES organisation,
    first_hash        bytea NOT NULL UNIQUE CONSTRAINT break_glass_seal_first_hash_length CHECK (length(first_hash) = 32),
    second_hash       bytea NOT NULL UNIQUE CONSTRAINT break_glass_seal_second_hash_length CHECK (length(second_hash) = 32),
    sealed_by         text NOT NULL CONSTRAINT break_glass_seal_sealed_by_length CHECK (length(sealed_by) BETWEEN 1 AND 100), -- an operator
    sealed_at         timestamptz NOT NULL,
    expires_at        timestamptz NOT NULL,
    ended_at          timestamptz, -- it was opened, or there are new envelopes
    CONSTRAINT break_glass_seal_two_codes CHECK (second_hash <> first_hash),
    CONSTRAINT break_glass_seal_at_most_a_year CHECK (expires_at > sealed_at AND expires_at - sealed_at <= interval '366 days')
);
CREATE UNIQUE INDEX break_glass_seal_once ON break_glass_seal (organisation_code) WHERE ended_at IS NULL;
GRANT SELECT, INSERT (id, organisation_code, first_hash, second_hash, sealed_by, sealed_at, expires_at), UPDATE (ended_at) ON break_glass_seal TO credence_service;

CREATE FUNCTION keep_break_glass_seal_ended() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE check_violation USING MESSAGE = format('the envelopes %s are spent, for good', OLD.id), CONSTRAINT = 'break_glass_seal_ended_for_good';
END
$$;
CREATE TRIGGER break_glass_seal_ended BEFORE UPDATE ON break_glass_seal FOR EACH ROW WHEN (OLD.ended_at IS NOT NULL) EXECUTE FUNCTION keep_break_glass_seal_ended();

-- What waits for the second person. Whoever asks again with the same envelope takes the place of who asked before.
CREATE TABLE break_glass_request (
    id        uuid PRIMARY KEY, -- of version 7
    seal_id   uuid NOT NULL UNIQUE REFERENCES break_glass_seal,
    asked_by  text NOT NULL REFERENCES person,
    reason    text NOT NULL CONSTRAINT break_glass_request_reason_length CHECK (length(reason) BETWEEN 1 AND 500),
    asked_at  timestamptz NOT NULL,
    lapses_at timestamptz NOT NULL,
    joined_by text REFERENCES person, -- who has the second envelope
    CONSTRAINT break_glass_request_joined_by_another CHECK (joined_by <> asked_by),
    CONSTRAINT break_glass_request_lapses_soon CHECK (lapses_at > asked_at AND lapses_at - asked_at <= interval '30 minutes')
);
GRANT SELECT, INSERT (id, seal_id, asked_by, reason, asked_at, lapses_at), UPDATE (joined_by), DELETE ON break_glass_request TO credence_service;

-- What was opened. It is open to review until it is signed for, and nothing else ends that.
CREATE TABLE break_glass (
    id                uuid PRIMARY KEY, -- of what was asked
    seal_id           uuid NOT NULL UNIQUE REFERENCES break_glass_seal, -- a pair of envelopes opens once
    organisation_code text NOT NULL REFERENCES organisation,
    asked_by          text NOT NULL REFERENCES person,
    confirmed_by      text NOT NULL REFERENCES person,
    reason            text NOT NULL CONSTRAINT break_glass_reason_length CHECK (length(reason) BETWEEN 1 AND 500),
    role_id           text NOT NULL UNIQUE REFERENCES role_profile, -- that who asked was given
    opened_at         timestamptz NOT NULL,
    signed_by         text REFERENCES person,
    signed_role       text REFERENCES role_profile, -- that she acted in
    signed_at         timestamptz,
    note              text CONSTRAINT break_glass_note_length CHECK (length(note) BETWEEN 1 AND 1000),
    CONSTRAINT break_glass_takes_two CHECK (confirmed_by <> asked_by),
    CONSTRAINT break_glass_signed_by_another CHECK (signed_by NOT IN (asked_by, confirmed_by)),
    CONSTRAINT break_glass_not_signed_in_its_role CHECK (signed_role <> role_id),
    CONSTRAINT break_glass_signed_wholly CHECK (num_nulls(signed_by, signed_role, signed_at, note) IN (0, 4))
);
CREATE INDEX break_glass_organisation ON break_glass (organisation_code, id);
CREATE INDEX break_glass_unsigned ON break_glass (organisation_code, opened_at) WHERE signed_at IS NULL;
GRANT SELECT, INSERT (id, seal_id, organisation_code, asked_by, confirmed_by, reason, role_id, opened_at), UPDATE (signed_by, signed_role, signed_at, note)
    ON break_glass TO credence_service;

CREATE FUNCTION keep_break_glass_signed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.signed_at IS NOT NULL THEN
        RAISE check_violation USING MESSAGE = format('break-glass %s was signed for, for good', OLD.id), CONSTRAINT = 'break_glass_signed_for_good';
    END IF;
    IF EXISTS (SELECT FROM role_profile r WHERE r.id = NEW.role_id AND r.ends_at > NEW.signed_at) THEN
        RAISE check_violation USING MESSAGE = format('break-glass %s has not ended', OLD.id), CONSTRAINT = 'break_glass_signed_when_over';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER break_glass_signed BEFORE UPDATE ON break_glass FOR EACH ROW EXECUTE FUNCTION keep_break_glass_signed();

-- The role ends within four hours, whoever gives it, and never later than it was to end.
ALTER TABLE role_profile ADD CONSTRAINT role_profile_break_glass_is_short
    CHECK (job_role NOT LIKE '%:R9001' OR ends_at IS NOT NULL AND ends_at - starts_at <= interval '4 hours' AND position_id IS NULL);
CREATE FUNCTION keep_break_glass_short() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE check_violation USING MESSAGE = format('role %s is a break-glass role, which nobody makes last longer', OLD.id), CONSTRAINT = 'role_profile_break_glass_not_extended';
END
$$;
CREATE TRIGGER role_profile_break_glass BEFORE UPDATE OF ends_at ON role_profile
    FOR EACH ROW WHEN (OLD.job_role LIKE '%:R9001' AND NEW.ends_at > OLD.ends_at) EXECUTE FUNCTION keep_break_glass_short();
ALTER TABLE role_profile ENABLE ALWAYS TRIGGER role_profile_break_glass; -- as all of that table: 0012
REVOKE EXECUTE ON FUNCTION keep_break_glass_seal_ended(), keep_break_glass_signed(), keep_break_glass_short() FROM PUBLIC;
