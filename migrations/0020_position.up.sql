-- Positions, which are what an organisation lets people act as, and the requests for them. A position is a series of
-- versions, each proposed by one officer and approved by another, of which the last may close it. What a version says is
-- never changed: whoever approved it approved what it says now. Requests are asked by one officer and decided by another.
CREATE TABLE position (
    id                text PRIMARY KEY CONSTRAINT position_id_form CHECK (id ~ '^[0-9]{12}$'),
    organisation_code text NOT NULL REFERENCES organisation,
    version           integer, -- in force; null: none was approved yet
    created_at        timestamptz NOT NULL,
    CONSTRAINT position_of_organisation UNIQUE (organisation_code, id)
);
GRANT SELECT, INSERT (id, organisation_code, created_at), UPDATE (version) ON position TO credence_service;

CREATE TABLE position_version (
    position_id   text NOT NULL REFERENCES position,
    version       integer NOT NULL CONSTRAINT position_version_counts CHECK (version >= 1),
    closes        boolean NOT NULL, -- it is the end of the position
    name          text NOT NULL CONSTRAINT position_version_name_length CHECK (length(name) BETWEEN 1 AND 100),
    notes         text NOT NULL CONSTRAINT position_version_notes_length CHECK (length(notes) <= 1000),
    job_role      text NOT NULL CONSTRAINT position_version_job_role_form CHECK (job_role ~ '^S[0-9]{4}:G[0-9]{4}:R[0-9]{4}$'),
    areas_of_work text[] NOT NULL CHECK (cardinality(areas_of_work) <= 50),
    activities    text[] NOT NULL CHECK (cardinality(activities) <= 200),
    workgroups    text[] NOT NULL CHECK (cardinality(workgroups) <= 50),
    assignable    boolean NOT NULL, -- a sponsor gives it without a second officer
    reason        text NOT NULL CONSTRAINT position_version_reason_length CHECK (length(reason) BETWEEN 1 AND 500),
    made_by       text NOT NULL REFERENCES person,
    made_role     text NOT NULL REFERENCES role_profile, -- that she acted in
    made_at       timestamptz NOT NULL,
    approved_by   text REFERENCES person,
    approved_role text REFERENCES role_profile,
    approved_at   timestamptz,
    PRIMARY KEY (position_id, version),
    CONSTRAINT position_version_approved_by_another CHECK (approved_by <> made_by),
    CONSTRAINT position_version_approved_wholly CHECK (num_nulls(approved_by, approved_role, approved_at) IN (0, 3))
);
GRANT SELECT, UPDATE (approved_by, approved_role, approved_at),
    INSERT (position_id, version, closes, name, notes, job_role, areas_of_work, activities, workgroups, assignable, reason, made_by, made_role, made_at)
    ON position_version TO credence_service;
ALTER TABLE position ADD CONSTRAINT position_version_in_force FOREIGN KEY (id, version) REFERENCES position_version (position_id, version);

-- What is in force was approved, and is never an older version than was in force before.
CREATE FUNCTION keep_position_approved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.version IS NULL OR NEW.version <= OLD.version
        OR NOT EXISTS (SELECT FROM position_version v WHERE v.position_id = NEW.id AND v.version = NEW.version AND v.approved_at IS NOT NULL) THEN
        RAISE check_violation USING MESSAGE = format('what is in force of position %s was approved, for good: version %s was not, or is older', NEW.id, NEW.version), CONSTRAINT = 'position_version_in_force_approved';
    END IF;
    RETURN NULL;
END
$$;
REVOKE EXECUTE ON FUNCTION keep_position_approved() FROM PUBLIC;
CREATE TRIGGER position_approved AFTER UPDATE OF version ON position FOR EACH ROW EXECUTE FUNCTION keep_position_approved();

CREATE TABLE request (
    id                uuid PRIMARY KEY, -- of version 7: in the order in which they were asked
    kind              text NOT NULL CONSTRAINT request_kind_known CHECK (kind IN ('assign_position', 'end_position')),
    person_id         text NOT NULL REFERENCES person, -- whom it is for
    position_id       text NOT NULL,
    position_version  integer NOT NULL, -- that was in force when it was asked
    organisation_code text NOT NULL,    -- of the position
    starts_at         timestamptz NOT NULL,
    expires_at        timestamptz,
    reason            text NOT NULL CONSTRAINT request_reason_length CHECK (length(reason) BETWEEN 1 AND 500),
    asked_by          text NOT NULL REFERENCES person,
    asked_role        text NOT NULL REFERENCES role_profile, -- that she acted in
    asked_at          timestamptz NOT NULL,
    lapses_at         timestamptz NOT NULL, -- when nobody has decided it by then, nobody does
    state             text NOT NULL DEFAULT 'open' CONSTRAINT request_state_known CHECK (state IN ('open', 'approved', 'refused', 'withdrawn', 'lapsed')),
    assignable        boolean NOT NULL DEFAULT false, -- the position was, so that no second officer decided
    decided_by        text REFERENCES person,
    decided_role      text REFERENCES role_profile,
    decided_at        timestamptz,
    decision_reason   text CONSTRAINT request_decision_reason_length CHECK (length(decision_reason) BETWEEN 1 AND 500),
    CONSTRAINT request_of_version FOREIGN KEY (position_id, position_version) REFERENCES position_version (position_id, version),
    CONSTRAINT request_of_organisation FOREIGN KEY (organisation_code, position_id) REFERENCES position (organisation_code, id),
    CONSTRAINT request_for_position UNIQUE (id, position_id),
    CONSTRAINT request_not_for_oneself CHECK (asked_by <> person_id),
    CONSTRAINT request_decided_by_another CHECK (decided_by <> asked_by),
    CONSTRAINT request_not_decided_by_its_person CHECK (decided_by <> person_id),
    CONSTRAINT request_decided_wholly CHECK (
        num_nulls(decided_by, decided_role) IN (0, 2) AND (decided_at IS NULL) = (state = 'open') AND (decision_reason IS NULL) = (state = 'open')),
    CONSTRAINT request_decided_by_somebody CHECK ((decided_by IS NOT NULL) = (state IN ('approved', 'refused') AND NOT assignable)),
    CONSTRAINT request_assignable_is_approved CHECK (NOT assignable OR state = 'approved' AND kind = 'assign_position'),
    CONSTRAINT request_times CHECK (expires_at > starts_at AND starts_at < '10000-01-01Z' AND expires_at < '10000-01-01Z'),
    CONSTRAINT request_end_does_not_expire CHECK (kind = 'assign_position' OR expires_at IS NULL)
);
CREATE UNIQUE INDEX request_open_once ON request (person_id, position_id) WHERE state = 'open';
CREATE INDEX request_open_of_position ON request (position_id) WHERE state = 'open';
GRANT SELECT, UPDATE (state, assignable, decided_by, decided_role, decided_at, decision_reason),
    INSERT (id, kind, person_id, position_id, position_version, organisation_code, starts_at, expires_at, reason, asked_by, asked_role, asked_at, lapses_at)
    ON request TO credence_service;

-- Where a request waits while it is open: at the organisation of its position and at each above it, so that the oldest of any
-- organisation and of all below it are read by one index. Triggers keep it, as the owner, under the rules of
-- raise_generation. An organisation that is put under another would take these rows with it.
CREATE TABLE request_queue (
    organisation_code text NOT NULL,
    request_id        uuid NOT NULL REFERENCES request,
    PRIMARY KEY (organisation_code, request_id)
);
CREATE INDEX request_queue_request ON request_queue (request_id);
GRANT SELECT ON request_queue TO credence_service;
CREATE FUNCTION queue_request() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    EXECUTE format('WITH RECURSIVE above (code) AS (
            SELECT $1 UNION SELECT o.parent_code FROM above a JOIN %1$I.organisation o ON o.code = a.code WHERE o.parent_code IS NOT NULL
        )
        INSERT INTO %1$I.request_queue (organisation_code, request_id) SELECT code, $2 FROM above', TG_TABLE_SCHEMA) USING NEW.organisation_code, NEW.id;
    RETURN NULL;
END
$$;
CREATE FUNCTION unqueue_request() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    EXECUTE format('DELETE FROM %I.request_queue WHERE request_id = $1', TG_TABLE_SCHEMA) USING NEW.id;
    RETURN NULL;
END
$$;
REVOKE EXECUTE ON FUNCTION queue_request(), unqueue_request() FROM PUBLIC;
CREATE TRIGGER request_asked AFTER INSERT ON request FOR EACH ROW EXECUTE FUNCTION queue_request();
CREATE TRIGGER request_settled AFTER UPDATE OF state ON request FOR EACH ROW WHEN (NEW.state <> 'open') EXECUTE FUNCTION unqueue_request();

-- What was decided stays decided, as it was: who may decide must not be able to decide again.
CREATE FUNCTION keep_request_decided() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE check_violation USING MESSAGE = format('request %s was decided, for good', OLD.id), CONSTRAINT = 'request_decided_for_good';
END
$$;
CREATE FUNCTION keep_version_approved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE check_violation USING MESSAGE = format('version %s of position %s was approved, for good', OLD.version, OLD.position_id), CONSTRAINT = 'position_version_approved_for_good';
END
$$;
REVOKE EXECUTE ON FUNCTION keep_request_decided(), keep_version_approved() FROM PUBLIC;
CREATE TRIGGER request_decided BEFORE UPDATE ON request FOR EACH ROW WHEN (OLD.state <> 'open') EXECUTE FUNCTION keep_request_decided();
CREATE TRIGGER position_version_approved BEFORE UPDATE ON position_version FOR EACH ROW WHEN (OLD.approved_at IS NOT NULL) EXECUTE FUNCTION keep_version_approved();

-- A role profile that a request gave. Those that the operator granted are of no position.
ALTER TABLE role_profile
    ADD COLUMN position_id text,
    ADD COLUMN request_id  uuid,
    ADD CONSTRAINT role_profile_of_request FOREIGN KEY (request_id, position_id) REFERENCES request (id, position_id) MATCH FULL;
CREATE UNIQUE INDEX role_profile_request ON role_profile (request_id) WHERE request_id IS NOT NULL; -- a request gives one
CREATE INDEX role_profile_position ON role_profile (position_id, id) WHERE position_id IS NOT NULL;

-- `credence bootstrap` asks whether there is a registration authority manager.
CREATE INDEX role_profile_ra_manager ON role_profile (membership_id) WHERE job_role LIKE '%:R5080';
