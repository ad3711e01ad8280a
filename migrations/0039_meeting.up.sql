-- A meeting by video of an officer and a person whose identity she proves. The person is told a code that the officer is not, and
-- reads it back to her: until then nothing says whom she sees. The code is nowhere in the database: it is a keyed hash of the id.
CREATE TABLE meeting (
    id                uuid PRIMARY KEY, -- of version 7: in the order in which they were begun
    person_id         text NOT NULL REFERENCES person,
    officer           text NOT NULL REFERENCES person,
    officer_role      text NOT NULL REFERENCES role_profile, -- that she acted in
    organisation_code text NOT NULL REFERENCES organisation, -- of that role
    begun_at          timestamptz NOT NULL,
    ends_at           timestamptz NOT NULL, -- until then the code confirms it; once it has, until then evidence is recorded in it
    wrong_codes       integer NOT NULL DEFAULT 0 CONSTRAINT meeting_wrong_codes_count CHECK (wrong_codes BETWEEN 0 AND 5),
    confirmed_at      timestamptz,
    replaced_at       timestamptz, -- when the officer began another with the person
    CONSTRAINT meeting_not_with_oneself CHECK (officer <> person_id),
    CONSTRAINT meeting_not_guessed CHECK (confirmed_at IS NULL OR wrong_codes < 5),
    CONSTRAINT meeting_times CHECK (begun_at <= ends_at AND confirmed_at <= ends_at)
);
CREATE UNIQUE INDEX meeting_one_at_a_time ON meeting (officer, person_id) WHERE replaced_at IS NULL;
CREATE INDEX meeting_person ON meeting (person_id, begun_at);
GRANT SELECT, INSERT (id, person_id, officer, officer_role, organisation_code, begun_at, ends_at),
    UPDATE (ends_at, wrong_codes, confirmed_at, replaced_at) ON meeting TO credence_service;
CREATE INDEX introduction_person ON introduction (person_id) WHERE state = 'taken_up'; -- who named the address of a person

-- It is confirmed once, no try of a code is forgotten, and nothing that is over goes on.
CREATE FUNCTION keep_meeting() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE check_violation USING MESSAGE = format('meeting %s cannot become what it was', OLD.id), CONSTRAINT = 'meeting_only_goes_on';
END
$$;
REVOKE EXECUTE ON FUNCTION keep_meeting() FROM PUBLIC;
CREATE TRIGGER meeting_only_goes_on BEFORE UPDATE ON meeting FOR EACH ROW
    WHEN (NEW.wrong_codes < OLD.wrong_codes OR OLD.replaced_at IS NOT NULL
        OR OLD.confirmed_at IS NOT NULL AND (NEW.confirmed_at IS DISTINCT FROM OLD.confirmed_at OR NEW.ends_at > OLD.ends_at))
    EXECUTE FUNCTION keep_meeting();
