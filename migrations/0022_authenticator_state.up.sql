-- Where an authenticator is between being made for somebody and being taken away for good. Only an active one signs anybody in.
-- `revoked_at` says since when it does not, whatever the reason: a replica of the release before, which knows no states, so
-- takes none that is not active, and what it revokes is revoked.
ALTER TABLE authenticator ADD COLUMN state text NOT NULL DEFAULT 'active'
    CONSTRAINT authenticator_state_known CHECK (state IN ('issued', 'active', 'suspended', 'lost', 'returned', 'revoked'));
UPDATE authenticator SET state = 'revoked' WHERE revoked_at IS NOT NULL;
ALTER TABLE authenticator ADD CONSTRAINT authenticator_active_or_not CHECK ((state = 'active') = (revoked_at IS NULL));
GRANT UPDATE (state) ON authenticator TO credence_service;

CREATE FUNCTION take_authenticator_for_revoked() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.state := 'revoked';
    RETURN NEW;
END
$$;
CREATE FUNCTION keep_authenticator_revoked() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE check_violation USING MESSAGE = format('authenticator %s was revoked, for good', OLD.id), CONSTRAINT = 'authenticator_revoked_for_good';
END
$$;
REVOKE EXECUTE ON FUNCTION take_authenticator_for_revoked(), keep_authenticator_revoked() FROM PUBLIC;
CREATE TRIGGER authenticator_revoked BEFORE UPDATE ON authenticator
    FOR EACH ROW WHEN (OLD.state = 'revoked' AND NEW.state <> 'revoked') EXECUTE FUNCTION keep_authenticator_revoked();
CREATE TRIGGER authenticator_state BEFORE INSERT OR UPDATE ON authenticator
    FOR EACH ROW WHEN (NEW.state = 'active' AND NEW.revoked_at IS NOT NULL) EXECUTE FUNCTION take_authenticator_for_revoked();
ALTER TABLE authenticator ENABLE ALWAYS TRIGGER authenticator_revoked; -- as all of that table: 0012
ALTER TABLE authenticator ENABLE ALWAYS TRIGGER authenticator_state;

-- A link that somebody else could come by works only together with a code, which its person is told another way. A replica of
-- the release before, which asks for none, fails to use such a link.
ALTER TABLE enrolment_link
    ADD COLUMN code_mac      bytea CONSTRAINT enrolment_link_code_mac_length CHECK (length(code_mac) = 32), -- null: it needs none
    ADD COLUMN wrong_codes   integer NOT NULL DEFAULT 0 CONSTRAINT enrolment_link_wrong_codes_count CHECK (wrong_codes >= 0),
    ADD COLUMN code_given_at timestamptz, -- or when nobody had to give it any more
    ADD CONSTRAINT enrolment_link_used_with_its_code CHECK (used_at IS NULL OR code_mac IS NULL OR code_given_at IS NOT NULL);
GRANT UPDATE (wrong_codes, code_given_at) ON enrolment_link TO credence_service;
