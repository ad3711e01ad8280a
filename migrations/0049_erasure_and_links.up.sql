-- What is erased of a closed profile is all of it, also in which language and where she was written to. It is erased by this function
-- itself: that of before asked the one below, which asks how old it is.
CREATE OR REPLACE FUNCTION erase_content(what text, which text[], as_of timestamptz) RETURNS integer LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    people text[];
    erased integer;
BEGIN
    CASE what
    WHEN 'evidence' THEN
        UPDATE evidence e SET facts = jsonb_build_object('type', e.type, 'kind', e.kind), number_sealed = NULL, number_hash = NULL, erased_at = as_of
        WHERE e.id = ANY (which::uuid[]) AND e.withdrawn_at IS NOT NULL AND e.erased_at IS NULL AND NOT on_hold(e.person_id);
    WHEN 'photograph' THEN
        UPDATE photograph f SET image_sealed = NULL, erased_at = as_of
        WHERE f.id = ANY (which::uuid[]) AND f.replaced_at IS NOT NULL AND f.erased_at IS NULL AND NOT on_hold(f.person_id);
    WHEN 'authenticator' THEN
        UPDATE authenticator a SET name = '[erased]', credential_id = NULL, public_key = NULL, attestation_object = NULL, client_data = NULL, secret_sealed = NULL, erased_at = as_of
        WHERE a.id = ANY (which::uuid[]) AND a.state = 'revoked' AND a.erased_at IS NULL AND NOT on_hold(a.person_id);
    WHEN 'request' THEN
        UPDATE request r SET reason = '[erased]', decision_reason = '[erased]', erased_at = as_of
        WHERE r.id = ANY (which::uuid[]) AND r.state <> 'open' AND r.erased_at IS NULL AND NOT on_hold(r.person_id);
    WHEN 'client_application' THEN
        UPDATE client_application c SET contact = '[erased]', decision_reason = '[erased]', erased_at = as_of
        WHERE c.id = ANY (which::uuid[]) AND c.state IN ('refused', 'withdrawn') AND c.erased_at IS NULL AND NOT on_hold(c.applied_by);
    WHEN 'person_change' THEN
        UPDATE person_change c SET reason = '[erased]', old = '{}', new = '{}', erased_at = as_of
        WHERE c.id = ANY (which::uuid[]) AND c.erased_at IS NULL AND NOT on_hold(c.person_id);
    WHEN 'person_merge' THEN
        UPDATE person_merge m SET reason = '[erased]', decision_reason = '[erased]', erased_at = as_of
        WHERE m.id = ANY (which::uuid[]) AND m.state <> 'proposed' AND m.erased_at IS NULL AND NOT on_hold(m.duplicate) AND NOT on_hold(m.kept);
    WHEN 'retention_hold' THEN
        DELETE FROM retention_hold h WHERE h.id = ANY (which::uuid[]) AND h.released_at IS NOT NULL AND NOT on_hold(h.person_id);
    WHEN 'proofs' THEN -- but of a forged document, by which the next one who shows it is known
        people := ARRAY(SELECT p.id FROM person p WHERE p.id = ANY (which) AND p.closed_at IS NOT NULL AND p.erased_at IS NULL AND NOT on_hold(p.id));
        PERFORM erase_content('evidence', ARRAY(SELECT e.id::text FROM evidence e WHERE e.person_id = ANY (people) AND e.withdrawn_reason <> 'forged'), as_of);
        UPDATE photograph f SET replaced_at = coalesce(f.replaced_at, as_of), image_sealed = NULL, erased_at = as_of WHERE f.person_id = ANY (people) AND f.erased_at IS NULL;
        DELETE FROM evidence_proposal e WHERE e.person_id = ANY (people) AND e.state = 'proposed'; -- what was decided says nothing any more
        UPDATE person p SET proofs_erased_at = as_of WHERE p.id = ANY (people);
    WHEN 'person' THEN
        people := ARRAY(SELECT p.id FROM person p WHERE p.id = ANY (which) AND p.closed_at IS NOT NULL AND p.erased_at IS NULL AND NOT on_hold(p.id));
        PERFORM erase_content('proofs', people, as_of),
            erase_content('evidence', ARRAY(SELECT e.id::text FROM evidence e WHERE e.person_id = ANY (people)), as_of),
            erase_content('authenticator', ARRAY(SELECT a.id::text FROM authenticator a WHERE a.person_id = ANY (people)), as_of),
            erase_content('request', ARRAY(SELECT r.id::text FROM request r WHERE r.person_id = ANY (people) AND r.state <> 'open' AND r.erased_at IS NULL), as_of),
            erase_content('person_change', ARRAY(SELECT c.id::text FROM person_change c WHERE c.person_id = ANY (people)), as_of),
            erase_content('person_merge', ARRAY(SELECT m.id::text FROM person_merge m WHERE ARRAY[m.duplicate, m.kept] && people AND m.state <> 'proposed' AND m.erased_at IS NULL), as_of),
            erase_content('retention_hold', ARRAY(SELECT h.id::text FROM retention_hold h WHERE h.person_id = ANY (people)), as_of);
        DELETE FROM introduction i WHERE i.person_id = ANY (people);
        DELETE FROM professional_registration g WHERE g.person_id = ANY (people);
        DELETE FROM message m WHERE m.person_id = ANY (people); -- which has her address
        UPDATE person p SET handle = sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())), title = '', given_name = '[erased]', middle_names = '',
            family_name = '[erased]', display_name = '[erased]', email = NULL, date_of_birth = NULL, language = NULL, identity_level = 'none', identity_profile = '',
            identity_profiles = '{}', identity_ial = 0, identity_policy = '', identity_evidence = '{}', identity_computed_at = NULL, erased_at = as_of
        WHERE p.id = ANY (people);
    END CASE;
    GET DIAGNOSTICS erased = ROW_COUNT;
    RETURN erased;
END
$$;

-- What the service has erased is as old as the rules of package retention say, by the clock of the database: the service says by
-- which time its own has got to it, and a later one than now it cannot say. A closed profile alone has no age (UK GDPR, article 17).
CREATE OR REPLACE FUNCTION erase(what text, which text[], as_of timestamptz) RETURNS integer LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    by_now CONSTANT timestamptz := least(as_of, now());
    one    CONSTANT timestamptz := by_now - interval '1 year';
    two    CONSTANT timestamptz := by_now - interval '2 years';
    six    CONSTANT timestamptz := by_now - interval '6 years';
    erased integer;
BEGIN
    CASE what
    WHEN 'evidence' THEN
        which := ARRAY(SELECT e.id::text FROM evidence e WHERE e.id = ANY (which::uuid[]) AND e.withdrawn_at <= CASE e.withdrawn_reason WHEN 'forged' THEN six ELSE one END);
    WHEN 'photograph' THEN
        which := ARRAY(SELECT f.id::text FROM photograph f WHERE f.id = ANY (which::uuid[]) AND f.replaced_at <= one);
    WHEN 'authenticator' THEN
        which := ARRAY(SELECT a.id::text FROM authenticator a WHERE a.id = ANY (which::uuid[]) AND a.revoked_at <= one);
    WHEN 'client_application' THEN
        which := ARRAY(SELECT c.id::text FROM client_application c WHERE c.id = ANY (which::uuid[]) AND c.decided_at <= two);
    WHEN 'request' THEN
        which := ARRAY(SELECT r.id::text FROM request r WHERE r.id = ANY (which::uuid[]) AND r.decided_at <= six);
    WHEN 'person_change' THEN
        which := ARRAY(SELECT c.id::text FROM person_change c WHERE c.id = ANY (which::uuid[]) AND c.at <= six);
    WHEN 'person_merge' THEN
        which := ARRAY(SELECT m.id::text FROM person_merge m WHERE m.id = ANY (which::uuid[]) AND m.decided_at <= six);
    WHEN 'retention_hold' THEN
        which := ARRAY(SELECT h.id::text FROM retention_hold h WHERE h.id = ANY (which::uuid[]) AND h.released_at <= six);
    WHEN 'proofs' THEN
        which := ARRAY(SELECT p.id FROM person p WHERE p.id = ANY (which) AND p.closed_at <= two);
    WHEN 'break_glass' THEN -- which is opened before it is signed for: when that was the service cannot change, and says once
        UPDATE break_glass b SET reason = '[erased]', note = '[erased]', erased_at = by_now
        WHERE b.id = ANY (which::uuid[]) AND b.opened_at <= six AND b.signed_at <= six AND b.erased_at IS NULL AND NOT on_hold(b.asked_by) AND NOT on_hold(b.confirmed_by);
        GET DIAGNOSTICS erased = ROW_COUNT;
        RETURN erased;
    WHEN 'person' THEN NULL;
    END CASE;
    RETURN erase_content(what, which, by_now);
END
$$;
-- As the owner, and by the tables of this schema: no temporary table of the service stands in for one. Years are those of UTC, whatever
-- the service says of its time zone.
DO $$
BEGIN
    EXECUTE format('ALTER FUNCTION erase_content(text, text[], timestamptz) SET search_path = pg_catalog, %I, pg_temp', current_schema());
    EXECUTE format('ALTER FUNCTION erase(text, text[], timestamptz) SET search_path = pg_catalog, %I, pg_temp', current_schema());
END
$$;
ALTER FUNCTION erase(text, text[], timestamptz) SET timezone = 'UTC';
CREATE INDEX message_person ON message (person_id) WHERE person_id IS NOT NULL;
UPDATE person SET language = NULL WHERE erased_at IS NOT NULL AND language IS NOT NULL;
ALTER TABLE person DROP CONSTRAINT person_erased_wholly,
    ADD CONSTRAINT person_erased_wholly CHECK (erased_at IS NULL OR closed_at IS NOT NULL AND num_nonnulls(email, date_of_birth, language) = 0
        AND (title, given_name, middle_names, family_name, display_name, identity_level) = ('', '[erased]', '', '[erased]', '[erased]', 'none'));

-- Of the links by which somebody registers herself the newest works, and none once the organisation is not open to all: the others of
-- her address, and all of the organisation, are found.
CREATE INDEX self_registration_address ON self_registration (lower(email));
CREATE INDEX self_registration_organisation ON self_registration (organisation_code);

-- A role of break-glass is acted in with the authenticator with which it was asked for, and with no other that somebody, whom its
-- person is above from then on, may have bound to her.
ALTER TABLE role_profile ADD COLUMN authenticator_id uuid REFERENCES authenticator; -- null: any of hers
ALTER TABLE break_glass_request ADD COLUMN authenticator_id uuid REFERENCES authenticator; -- null: the sign-in was simulated
GRANT INSERT (authenticator_id) ON break_glass_request TO credence_service;
