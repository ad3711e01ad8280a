-- A position that is asked for somebody who is not on record yet. An officer finds or creates the person and takes the
-- introduction up, which makes the request; another decides that. An introduction is deleted a while after it ended, because it has
-- the name of somebody who may never have come.
CREATE TABLE introduction (
    id                uuid PRIMARY KEY, -- of version 7: in the order in which they were asked
    position_id       text NOT NULL,
    position_version  integer NOT NULL, -- that was in force when it was asked
    organisation_code text NOT NULL,    -- of the position
    title             text NOT NULL CONSTRAINT introduction_title_length CHECK (length(title) <= 35),
    given_name        text NOT NULL CONSTRAINT introduction_given_name_length CHECK (length(given_name) BETWEEN 1 AND 100),
    middle_names      text NOT NULL CONSTRAINT introduction_middle_names_length CHECK (length(middle_names) <= 100),
    family_name       text NOT NULL CONSTRAINT introduction_family_name_length CHECK (length(family_name) BETWEEN 1 AND 100),
    date_of_birth     date NOT NULL,
    email             text NOT NULL CONSTRAINT introduction_email_length CHECK (length(email) <= 254),
    starts_at         timestamptz NOT NULL,
    expires_at        timestamptz,
    reason            text NOT NULL CONSTRAINT introduction_reason_length CHECK (length(reason) BETWEEN 1 AND 500),
    asked_by          text NOT NULL REFERENCES person,
    asked_role        text NOT NULL REFERENCES role_profile, -- that she acted in
    asked_at          timestamptz NOT NULL,
    lapses_at         timestamptz NOT NULL, -- when nobody has taken it up by then, nobody does
    state             text NOT NULL DEFAULT 'open' CONSTRAINT introduction_state_known CHECK (state IN ('open', 'taken_up', 'refused', 'withdrawn', 'lapsed')),
    ended_by          text REFERENCES person, -- who took it up, refused it or withdrew it
    ended_role        text REFERENCES role_profile,
    ended_at          timestamptz,
    ended_reason      text CONSTRAINT introduction_ended_reason_length CHECK (length(ended_reason) BETWEEN 1 AND 500),
    person_id         text REFERENCES person, -- who it is
    request_id        uuid REFERENCES request,
    CONSTRAINT introduction_of_version FOREIGN KEY (position_id, position_version) REFERENCES position_version (position_id, version),
    CONSTRAINT introduction_of_organisation FOREIGN KEY (organisation_code, position_id) REFERENCES position (organisation_code, id),
    CONSTRAINT introduction_times CHECK (expires_at > starts_at AND starts_at < '10000-01-01Z' AND expires_at < '10000-01-01Z'),
    CONSTRAINT introduction_ended_by_another CHECK (state = 'withdrawn' AND ended_by = asked_by OR state <> 'withdrawn' AND ended_by <> asked_by),
    CONSTRAINT introduction_not_of_its_officers CHECK (person_id NOT IN (asked_by, ended_by)),
    CONSTRAINT introduction_ended_wholly CHECK ((ended_at IS NULL) = (state = 'open') AND num_nulls(ended_by, ended_role) = CASE WHEN state IN ('open', 'lapsed') THEN 2 ELSE 0 END),
    CONSTRAINT introduction_refused_for_a_reason CHECK ((ended_reason IS NOT NULL) = (state IN ('refused', 'withdrawn'))),
    CONSTRAINT introduction_taken_up_wholly CHECK (num_nulls(person_id, request_id) = CASE state WHEN 'taken_up' THEN 0 ELSE 2 END)
);
CREATE INDEX introduction_open ON introduction (organisation_code, id) WHERE state = 'open';
CREATE INDEX introduction_open_lapses ON introduction (lapses_at) WHERE state = 'open';
CREATE INDEX introduction_ended ON introduction (ended_at) WHERE state <> 'open';
GRANT SELECT, DELETE, UPDATE (state, ended_by, ended_role, ended_at, ended_reason, person_id, request_id),
    INSERT (id, position_id, position_version, organisation_code, title, given_name, middle_names, family_name, date_of_birth, email,
        starts_at, expires_at, reason, asked_by, asked_role, asked_at, lapses_at)
    ON introduction TO credence_service;

-- It ends once, and only what has ended is deleted.
CREATE FUNCTION keep_introduction_ended() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE check_violation USING MESSAGE = format('introduction %s ends once, and is deleted after that', OLD.id), CONSTRAINT = 'introduction_ends_once';
END
$$;
REVOKE EXECUTE ON FUNCTION keep_introduction_ended() FROM PUBLIC;
CREATE TRIGGER introduction_ended BEFORE UPDATE ON introduction FOR EACH ROW WHEN (OLD.state <> 'open') EXECUTE FUNCTION keep_introduction_ended();
CREATE TRIGGER introduction_deleted BEFORE DELETE ON introduction FOR EACH ROW WHEN (OLD.state = 'open') EXECUTE FUNCTION keep_introduction_ended();

-- Who took the person up, created her and proved who she is, does not approve her position as well.
ALTER TABLE request
    ADD COLUMN taken_up_by text REFERENCES person, -- null: the person was on record when it was asked
    ADD CONSTRAINT request_taken_up_by_another CHECK (taken_up_by <> asked_by AND taken_up_by <> person_id),
    ADD CONSTRAINT request_approved_by_another CHECK (state <> 'approved' OR decided_by <> taken_up_by),
    ADD CONSTRAINT request_taken_up_is_decided CHECK (taken_up_by IS NULL OR NOT assignable AND kind = 'assign_position');
GRANT INSERT (taken_up_by) ON request TO credence_service;
