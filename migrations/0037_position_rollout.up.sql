-- What is approved of a position reaches who holds it. A role of a position says which version of it it gives; and what has not
-- been brought to everybody yet is kept until it was.
ALTER TABLE role_profile
    ADD COLUMN position_version integer, -- that it gives; null: it is of no position
    ADD COLUMN withheld         text CONSTRAINT role_profile_withheld_length CHECK (length(withheld) BETWEEN 1 AND 500); -- why it gives less than that

-- What a request gives is what it asked for, also where a replica of the release before writes it.
CREATE FUNCTION give_version_asked() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.position_version := (SELECT r.position_version FROM request r WHERE r.id = NEW.request_id);
    RETURN NEW;
END
$$;
CREATE TRIGGER role_profile_given BEFORE INSERT ON role_profile FOR EACH ROW WHEN (NEW.request_id IS NOT NULL) EXECUTE FUNCTION give_version_asked();
ALTER TABLE role_profile DISABLE TRIGGER role_profile_version; -- nothing changes of the record of anybody
UPDATE role_profile p SET position_version = r.position_version FROM request r WHERE r.id = p.request_id;
ALTER TABLE role_profile ENABLE ALWAYS TRIGGER role_profile_version;
CREATE INDEX role_profile_gives ON role_profile (position_id, position_version, ends_at) WHERE position_id IS NOT NULL;
CREATE INDEX role_profile_withheld ON role_profile (position_id, id) WHERE withheld IS NOT NULL;
GRANT UPDATE (job_role, areas_of_work, activities, workgroups, position_version, withheld) ON role_profile TO credence_service;

-- What a role gives is never changed but to what its position gives in the version that is in force, with what that includes, or
-- to less of it.
CREATE FUNCTION keep_role_in_position() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        WITH RECURSIVE given (id, version, job_role, includes, areas_of_work, activities, workgroups) AS (
            SELECT p.id, p.version, v.job_role, v.includes, v.areas_of_work, v.activities, v.workgroups
            FROM position p JOIN position_version v ON v.position_id = p.id AND v.version = p.version WHERE p.id = NEW.position_id AND NOT v.closes
            UNION
            SELECT p.id, p.version, '', v.includes, v.areas_of_work, v.activities, v.workgroups
            FROM (SELECT unnest(g.includes) AS id FROM given g) i
            JOIN position p ON p.id = i.id
            JOIN position_version v ON v.position_id = p.id AND v.version = p.version AND NOT v.closes
        )
        SELECT FROM given g WHERE g.id = NEW.position_id AND g.version = NEW.position_version AND g.job_role = NEW.job_role
            AND NEW.areas_of_work <@ ARRAY(SELECT unnest(areas_of_work) FROM given)
            AND NEW.activities <@ ARRAY(SELECT unnest(activities) FROM given)
            AND NEW.workgroups <@ ARRAY(SELECT unnest(workgroups) FROM given)
    ) THEN
        RAISE check_violation USING MESSAGE = format('role %s would give what its position does not', NEW.id), CONSTRAINT = 'role_profile_in_position';
    END IF;
    RETURN NULL;
END
$$;
REVOKE EXECUTE ON FUNCTION give_version_asked(), keep_role_in_position() FROM PUBLIC;
CREATE TRIGGER role_profile_in_position AFTER UPDATE OF job_role, areas_of_work, activities, workgroups, position_version ON role_profile
    FOR EACH ROW EXECUTE FUNCTION keep_role_in_position();
ALTER TABLE role_profile ENABLE ALWAYS TRIGGER role_profile_given, ENABLE ALWAYS TRIGGER role_profile_in_position;

-- Positions of which somebody may hold what they do not give any more, or not yet: because a version was approved of the position
-- itself, or of one that it includes. A trigger adds them as the owner, under the rules of raise_generation, so that no writer
-- forgets it. Roles are brought in line by id, in batches.
CREATE TABLE position_rollout (
    position_id text PRIMARY KEY REFERENCES position,
    of_position text NOT NULL,
    of_version  integer NOT NULL,         -- that was approved
    after_role  text NOT NULL DEFAULT '', -- roles up to this one are in line
    CONSTRAINT position_rollout_of_version FOREIGN KEY (of_position, of_version) REFERENCES position_version (position_id, version)
);
GRANT SELECT, UPDATE (after_role), DELETE ON position_rollout TO credence_service;
CREATE FUNCTION queue_rollout() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    EXECUTE format('WITH RECURSIVE concerned (id) AS (
            SELECT $1
            UNION
            SELECT p.id FROM concerned c JOIN %1$I.position_version v ON v.includes <> ''{}'' AND v.includes @> ARRAY[c.id] AND NOT v.closes
            JOIN %1$I.position p ON p.id = v.position_id AND p.version = v.version
        )
        INSERT INTO %1$I.position_rollout (position_id, of_position, of_version) SELECT id, $1, $2 FROM concerned ORDER BY id
        ON CONFLICT (position_id) DO UPDATE SET of_position = excluded.of_position, of_version = excluded.of_version, after_role = ''''',
        TG_TABLE_SCHEMA) USING NEW.id, NEW.version;
    RETURN NULL;
END
$$;
REVOKE EXECUTE ON FUNCTION queue_rollout() FROM PUBLIC;
CREATE TRIGGER position_rolled_out AFTER UPDATE OF version ON position FOR EACH ROW WHEN (OLD.version < NEW.version) EXECUTE FUNCTION queue_rollout();
