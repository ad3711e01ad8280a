ALTER TABLE break_glass_request DROP COLUMN authenticator_id;
ALTER TABLE role_profile DROP COLUMN authenticator_id;
DROP INDEX self_registration_address;
DROP INDEX self_registration_organisation;
DROP INDEX message_person;
ALTER TABLE person DROP CONSTRAINT person_erased_wholly,
    ADD CONSTRAINT person_erased_wholly CHECK (erased_at IS NULL OR closed_at IS NOT NULL AND num_nonnulls(email, date_of_birth) = 0
        AND (title, given_name, middle_names, family_name, display_name, identity_level) = ('', '[erased]', '', '[erased]', '[erased]', 'none'));
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
        PERFORM erase('evidence', ARRAY(SELECT e.id::text FROM evidence e WHERE e.person_id = ANY (people) AND e.withdrawn_reason <> 'forged'), as_of);
        UPDATE photograph f SET replaced_at = coalesce(f.replaced_at, as_of), image_sealed = NULL, erased_at = as_of WHERE f.person_id = ANY (people) AND f.erased_at IS NULL;
        DELETE FROM evidence_proposal e WHERE e.person_id = ANY (people) AND e.state = 'proposed'; -- what was decided says nothing any more
        UPDATE person p SET proofs_erased_at = as_of WHERE p.id = ANY (people);
    WHEN 'person' THEN
        people := ARRAY(SELECT p.id FROM person p WHERE p.id = ANY (which) AND p.closed_at IS NOT NULL AND p.erased_at IS NULL AND NOT on_hold(p.id));
        PERFORM erase('proofs', people, as_of),
            erase('evidence', ARRAY(SELECT e.id::text FROM evidence e WHERE e.person_id = ANY (people)), as_of),
            erase('authenticator', ARRAY(SELECT a.id::text FROM authenticator a WHERE a.person_id = ANY (people)), as_of),
            erase('request', ARRAY(SELECT r.id::text FROM request r WHERE r.person_id = ANY (people) AND r.state <> 'open' AND r.erased_at IS NULL), as_of),
            erase('person_change', ARRAY(SELECT c.id::text FROM person_change c WHERE c.person_id = ANY (people)), as_of),
            erase('person_merge', ARRAY(SELECT m.id::text FROM person_merge m WHERE ARRAY[m.duplicate, m.kept] && people AND m.state <> 'proposed' AND m.erased_at IS NULL), as_of),
            erase('retention_hold', ARRAY(SELECT h.id::text FROM retention_hold h WHERE h.person_id = ANY (people)), as_of);
        DELETE FROM introduction i WHERE i.person_id = ANY (people);
        DELETE FROM professional_registration g WHERE g.person_id = ANY (people);
        UPDATE person p SET handle = sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())), title = '', given_name = '[erased]', middle_names = '',
            family_name = '[erased]', display_name = '[erased]', email = NULL, date_of_birth = NULL, identity_level = 'none', identity_profile = '',
            identity_profiles = '{}', identity_ial = 0, identity_policy = '', identity_evidence = '{}', identity_computed_at = NULL, erased_at = as_of
        WHERE p.id = ANY (people);
    END CASE;
    GET DIAGNOSTICS erased = ROW_COUNT;
    RETURN erased;
END
$$;
CREATE OR REPLACE FUNCTION erase(what text, which text[], as_of timestamptz) RETURNS integer LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    erased integer;
BEGIN
    IF what = 'break_glass' THEN
        UPDATE break_glass b SET reason = '[erased]', note = '[erased]', erased_at = as_of
        WHERE b.id = ANY (which::uuid[]) AND b.signed_at IS NOT NULL AND b.erased_at IS NULL AND NOT on_hold(b.asked_by) AND NOT on_hold(b.confirmed_by);
        GET DIAGNOSTICS erased = ROW_COUNT;
        RETURN erased;
    END IF;
    IF what = 'person_change' THEN
        which := ARRAY(SELECT c.id::text FROM person_change c JOIN person p ON p.id = c.person_id
            WHERE c.id = ANY (which::uuid[]) AND (c.at <= as_of - interval '1 year' OR p.closed_at IS NOT NULL));
    END IF;
    RETURN erase_content(what, which, as_of);
END
$$;
DO $$
BEGIN
    EXECUTE format('ALTER FUNCTION erase_content(text, text[], timestamptz) SET search_path = pg_catalog, %I, pg_temp', current_schema());
    EXECUTE format('ALTER FUNCTION erase(text, text[], timestamptz) SET search_path = pg_catalog, %I, pg_temp', current_schema());
END
$$;
