-- What was done to the profile of a person: corrected, merged with another of the same person, closed, opened again; and that
-- she left an organisation. A profile that is closed is one that is disabled, for a reason: whatever asks whether somebody may
-- act asks for nothing else.
ALTER TABLE person
    ADD COLUMN closed_at  timestamptz,
    ADD COLUMN closed_as  varchar(16) CONSTRAINT person_closed_as_known CHECK (closed_as IN ('left', 'deceased', 'duplicate', 'fraud', 'other')),
    ADD COLUMN merged_into text REFERENCES person, -- the profile that is kept of the same person
    ADD CONSTRAINT person_closed_wholly CHECK (num_nulls(closed_at, closed_as) IN (0, 2)),
    ADD CONSTRAINT person_closed_is_disabled CHECK (closed_at IS NULL OR disabled_at IS NOT NULL),
    ADD CONSTRAINT person_merged_is_closed CHECK (merged_into IS NULL OR closed_at IS NOT NULL AND closed_as = 'duplicate'),
    ADD CONSTRAINT person_not_merged_into_itself CHECK (merged_into <> id);
CREATE INDEX person_merged ON person (merged_into) WHERE merged_into IS NOT NULL;
GRANT UPDATE (title, given_name, middle_names, family_name, display_name, email, date_of_birth, closed_at, closed_as, merged_into) ON person TO credence_service;

-- A profile is merged into one that was not: it never takes two steps to find the one that is kept, and no step leads back.
-- It is for good, but that the one which was kept is merged itself.
CREATE FUNCTION keep_person_merged() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.merged_into IS NULL OR EXISTS (SELECT FROM person k WHERE k.id = NEW.merged_into AND k.merged_into IS NOT NULL)
        OR EXISTS (SELECT FROM person d WHERE d.merged_into = NEW.id) THEN
        RAISE check_violation USING MESSAGE = format('person %s is merged into one who is not merged, for good', NEW.id), CONSTRAINT = 'person_merged_once';
    END IF;
    RETURN NULL;
END
$$;
REVOKE EXECUTE ON FUNCTION keep_person_merged() FROM PUBLIC;
CREATE TRIGGER person_merged AFTER UPDATE OF merged_into ON person FOR EACH ROW
    WHEN (OLD.merged_into IS DISTINCT FROM NEW.merged_into) EXECUTE FUNCTION keep_person_merged();
ALTER TABLE person ENABLE ALWAYS TRIGGER person_merged; -- as all of that table: 0012

-- Of two profiles that are merged at one organisation the roles go to the membership of the one that is kept.
GRANT UPDATE (membership_id) ON role_profile TO credence_service;

-- A row is never changed. Old and new values are those that differ, and no others.
CREATE TABLE person_change (
    id                uuid PRIMARY KEY, -- of version 7: in the order in which they were made
    person_id         text NOT NULL REFERENCES person,
    kind              varchar(16) NOT NULL CONSTRAINT person_change_kind_known CHECK (kind IN ('corrected', 'merged', 'closed', 'reopened', 'left')),
    actor             text NOT NULL REFERENCES person,
    actor_role        text NOT NULL REFERENCES role_profile, -- that she acted in
    organisation_code text REFERENCES organisation, -- that the person left
    reason            text NOT NULL CONSTRAINT person_change_reason_length CHECK (length(reason) BETWEEN 1 AND 500),
    old               jsonb NOT NULL CONSTRAINT person_change_old_length CHECK (length(old::text) <= 8192),
    new               jsonb NOT NULL CONSTRAINT person_change_new_length CHECK (length(new::text) <= 8192),
    at                timestamptz NOT NULL,
    CONSTRAINT person_change_not_by_oneself CHECK (actor <> person_id),
    CONSTRAINT person_change_left_an_organisation CHECK ((kind = 'left') = (organisation_code IS NOT NULL))
);
CREATE INDEX person_change_person ON person_change (person_id, id);
GRANT SELECT, INSERT ON person_change TO credence_service;

-- Two profiles are merged by two officers, neither of whom has one of them.
CREATE TABLE person_merge (
    id              uuid PRIMARY KEY, -- of version 7: in the order in which they were proposed
    duplicate       text NOT NULL REFERENCES person, -- that is closed
    kept            text NOT NULL REFERENCES person,
    reason          text NOT NULL CONSTRAINT person_merge_reason_length CHECK (length(reason) BETWEEN 1 AND 500),
    proposed_by     text NOT NULL REFERENCES person,
    proposed_role   text NOT NULL REFERENCES role_profile, -- that she acted in
    proposed_at     timestamptz NOT NULL,
    state           varchar(16) NOT NULL DEFAULT 'proposed' CONSTRAINT person_merge_state_known CHECK (state IN ('proposed', 'approved', 'refused')),
    decided_by      text REFERENCES person,
    decided_role    text REFERENCES role_profile,
    decided_at      timestamptz,
    decision_reason text CONSTRAINT person_merge_decision_reason_length CHECK (length(decision_reason) BETWEEN 1 AND 500),
    CONSTRAINT person_merge_of_two CHECK (duplicate <> kept),
    CONSTRAINT person_merge_not_of_oneself CHECK (proposed_by NOT IN (duplicate, kept) AND decided_by NOT IN (duplicate, kept)),
    CONSTRAINT person_merge_decided_by_another CHECK (decided_by <> proposed_by),
    CONSTRAINT person_merge_decided_wholly CHECK (num_nulls(decided_by, decided_role, decided_at, decision_reason) = CASE state WHEN 'proposed' THEN 4 ELSE 0 END)
);
CREATE UNIQUE INDEX person_merge_proposed_once ON person_merge (least(duplicate, kept), greatest(duplicate, kept)) WHERE state = 'proposed';
CREATE INDEX person_merge_duplicate ON person_merge (duplicate) WHERE state = 'proposed';
CREATE INDEX person_merge_kept ON person_merge (kept) WHERE state = 'proposed';
GRANT SELECT, INSERT (id, duplicate, kept, reason, proposed_by, proposed_role, proposed_at), UPDATE (state, decided_by, decided_role, decided_at, decision_reason)
    ON person_merge TO credence_service;

CREATE FUNCTION keep_merge_decided() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE check_violation USING MESSAGE = format('merge %s was decided, for good', OLD.id), CONSTRAINT = 'person_merge_decided_for_good';
END
$$;
REVOKE EXECUTE ON FUNCTION keep_merge_decided() FROM PUBLIC;
CREATE TRIGGER person_merge_decided BEFORE UPDATE ON person_merge FOR EACH ROW WHEN (OLD.state <> 'proposed') EXECUTE FUNCTION keep_merge_decided();

-- What somebody asked whose profile is closed nobody decides any more.
CREATE INDEX request_open_asked_by ON request (asked_by) WHERE state = 'open';
