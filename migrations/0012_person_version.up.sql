-- What decides access is read with every request, and most of it is the record of a person: who she is, what she may
-- act as, and with what she signs in. The record has a version now, which every change of it changes. A replica that has
-- read a record once reads its version to learn that it is still so, instead of six tables.
-- A version is random: one that was rolled back, or lost with a failover, never comes again for another content. The rows
-- from before share one, which is drawn now, so that none of them is rewritten, and another when the migration is applied
-- again.
DO $$
BEGIN
    EXECUTE format('ALTER TABLE person ADD COLUMN version uuid NOT NULL DEFAULT %L', gen_random_uuid());
END
$$;
ALTER TABLE person ALTER COLUMN version DROP DEFAULT;

-- The triggers run as the owner, under the rules of raise_generation: no writer can forget the version or choose it.
CREATE FUNCTION change_person_version() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    NEW.version := gen_random_uuid();
    RETURN NEW;
END
$$;
CREATE TRIGGER person_version BEFORE INSERT OR UPDATE ON person FOR EACH ROW EXECUTE FUNCTION change_person_version();

-- Rows that name a person belong to her record.
CREATE FUNCTION change_person() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    EXECUTE format('UPDATE %I.person SET version = version WHERE id IN ($1, $2)', TG_TABLE_SCHEMA)
        USING to_jsonb(OLD) ->> 'person_id', to_jsonb(NEW) ->> 'person_id';
    RETURN NULL;
END
$$;
CREATE TRIGGER professional_registration_version AFTER INSERT OR UPDATE OR DELETE ON professional_registration
    FOR EACH ROW EXECUTE FUNCTION change_person();
CREATE TRIGGER membership_version AFTER INSERT OR UPDATE OR DELETE ON membership
    FOR EACH ROW EXECUTE FUNCTION change_person();
-- Not the count and the time of its last use: they are no part of the record.
CREATE TRIGGER authenticator_version AFTER INSERT OR UPDATE OF person_id, revoked_at OR DELETE ON authenticator
    FOR EACH ROW EXECUTE FUNCTION change_person();

CREATE FUNCTION change_person_of_role() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    EXECUTE format('UPDATE %1$I.person SET version = version WHERE id IN (
        SELECT person_id FROM %1$I.membership WHERE id IN ($1, $2) FOR SHARE)', TG_TABLE_SCHEMA) -- the lock: it may be moving to another person
        USING to_jsonb(OLD) ->> 'membership_id', to_jsonb(NEW) ->> 'membership_id';
    RETURN NULL;
END
$$;
CREATE TRIGGER role_profile_version AFTER INSERT OR UPDATE OR DELETE ON role_profile
    FOR EACH ROW EXECUTE FUNCTION change_person_of_role();

-- Names that stand in the records of many. A membership that is being added while its organisation gets another name waits
-- for it, or the name would be changed in the records of the others alone.
CREATE FUNCTION hold_organisation() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    EXECUTE format('SELECT FROM %I.organisation WHERE code = $1 FOR SHARE', TG_TABLE_SCHEMA) USING NEW.organisation_code;
    RETURN NEW;
END
$$;
CREATE TRIGGER membership_organisation BEFORE INSERT OR UPDATE OF organisation_code ON membership
    FOR EACH ROW EXECUTE FUNCTION hold_organisation();

CREATE FUNCTION change_people_of_organisation() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    EXECUTE format('UPDATE %1$I.person SET version = version WHERE id IN (SELECT person_id FROM %1$I.membership WHERE organisation_code = $1)', TG_TABLE_SCHEMA)
        USING NEW.code;
    RETURN NULL;
END
$$;
CREATE TRIGGER organisation_version AFTER UPDATE OF name ON organisation
    FOR EACH ROW EXECUTE FUNCTION change_people_of_organisation();

CREATE INDEX role_profile_workgroups ON role_profile USING gin (workgroups) WITH (fastupdate = off); -- off: a look-up would read all that is pending
CREATE FUNCTION change_people_of_workgroup() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    EXECUTE format('UPDATE %1$I.person SET version = version
        WHERE id IN (SELECT m.person_id FROM %1$I.membership m JOIN %1$I.role_profile r ON r.membership_id = m.id WHERE r.workgroups @> ARRAY[$1])', TG_TABLE_SCHEMA)
        USING coalesce(NEW.id, OLD.id);
    RETURN NULL;
END
$$;
CREATE TRIGGER workgroup_version AFTER INSERT OR UPDATE OF name OR DELETE ON workgroup
    FOR EACH ROW EXECUTE FUNCTION change_people_of_workgroup();

-- What would pass the triggers by is refused, and a role that switches triggers off does not switch these off.
CREATE FUNCTION refuse_truncate() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'servers would not notice that % is empty', TG_TABLE_NAME USING HINT = 'Use DELETE.';
END
$$;
DO $$
DECLARE
    name text;
    of_table text;
BEGIN
    FOREACH of_table IN ARRAY ARRAY['person', 'professional_registration', 'membership', 'role_profile', 'authenticator', 'organisation', 'workgroup'] LOOP
        EXECUTE format('CREATE TRIGGER %I BEFORE TRUNCATE ON %I EXECUTE FUNCTION refuse_truncate()', of_table || '_truncate', of_table);
        FOR name IN SELECT tgname FROM pg_trigger WHERE tgrelid = of_table::regclass AND NOT tgisinternal LOOP
            EXECUTE format('ALTER TABLE %I ENABLE ALWAYS TRIGGER %I', of_table, name);
        END LOOP;
    END LOOP;
END
$$;

REVOKE EXECUTE ON FUNCTION change_person_version(), change_person(), change_person_of_role(), hold_organisation(),
    change_people_of_organisation(), change_people_of_workgroup(), refuse_truncate() FROM PUBLIC;

-- A time that no program can read makes the whole record unreadable.
ALTER TABLE role_profile ADD CONSTRAINT role_profile_times_are_finite CHECK (starts_at < '10000-01-01Z' AND ends_at < '10000-01-01Z');

-- What decides access beside the record, read as one, with the version of the record: every entry point joins it into the
-- read that it makes anyway. The function of six arguments that read everything goes in a later release: replicas of the
-- one before still call it.
CREATE FUNCTION standing(
    for_person  text,
    for_client  text, -- null: no client is concerned
    for_session uuid, -- null: no session is concerned
    OUT person_version uuid,
    OUT client_stands  boolean,
    OUT session_stands boolean -- it was not ended; its time limits are the caller's to compare
) RETURNS SETOF record LANGUAGE sql STABLE AS $$
    SELECT p.version,
           for_client IS NULL OR EXISTS (SELECT FROM client c WHERE c.id = for_client AND c.disabled_at IS NULL),
           for_session IS NULL OR EXISTS (SELECT FROM session s WHERE s.id = for_session AND s.person_id = p.id AND s.ended_at IS NULL)
    FROM person p
    WHERE p.id = for_person
$$;
