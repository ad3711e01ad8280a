-- Retention: what is said of people is kept for as long as it is needed, and no longer (UK GDPR, articles 5(1)(e) and 17). How long
-- that is of each kind of record are the rules of package retention. When it is over the content is taken and the row stays, as a
-- tombstone: its id, its kind, who did what when. A text that has to be there reads [erased].
ALTER TABLE person
    ADD COLUMN proofs_erased_at timestamptz, -- her evidence and photograph; one from before her profile was closed says nothing
    ADD COLUMN erased_at        timestamptz, -- all that says who she was: the profile is never opened again
    ADD CONSTRAINT person_erased_wholly CHECK (erased_at IS NULL OR closed_at IS NOT NULL AND num_nonnulls(email, date_of_birth) = 0
        AND (title, given_name, middle_names, family_name, display_name, identity_level) = ('', '[erased]', '', '[erased]', '[erased]', 'none'));
ALTER TABLE evidence
    ADD COLUMN erased_at timestamptz,
    DROP CONSTRAINT evidence_withdrawn_reason_known,
    ADD CONSTRAINT evidence_withdrawn_reason_known CHECK (withdrawn_reason IN ('forged', 'mistaken', 'superseded', 'erased')),
    ADD CONSTRAINT evidence_erased_wholly CHECK (erased_at IS NULL OR withdrawn_at IS NOT NULL AND number_sealed IS NULL AND facts - 'type' - 'kind' = '{}');
ALTER TABLE photograph
    ADD COLUMN erased_at timestamptz,
    ALTER COLUMN image_sealed DROP NOT NULL,
    ADD CONSTRAINT photograph_erased_wholly CHECK ((erased_at IS NULL) = (image_sealed IS NOT NULL) AND (erased_at IS NULL OR replaced_at IS NOT NULL));
ALTER TABLE authenticator
    ADD COLUMN erased_at timestamptz,
    DROP CONSTRAINT authenticator_of_one_form,
    ADD CONSTRAINT authenticator_of_one_form CHECK (CASE
        WHEN erased_at IS NOT NULL THEN state = 'revoked' AND name = '[erased]'
            AND num_nonnulls(credential_id, public_key, attestation_object, client_data, secret_sealed) = 0
        WHEN kind IN ('password', 'totp') THEN secret_sealed IS NOT NULL AND backup_eligible AND num_nonnulls(credential_id, public_key, attestation_object, client_data) = 0
        ELSE secret_sealed IS NULL AND num_nulls(credential_id, public_key, attestation_object, client_data) = 0 END);
ALTER TABLE request
    ADD COLUMN erased_at timestamptz,
    ADD CONSTRAINT request_erased_wholly CHECK (erased_at IS NULL OR state <> 'open' AND (reason, decision_reason) = ('[erased]', '[erased]'));
ALTER TABLE client_application
    ADD COLUMN erased_at timestamptz,
    ADD CONSTRAINT client_application_erased_wholly CHECK (erased_at IS NULL OR state IN ('refused', 'withdrawn') AND (contact, decision_reason) = ('[erased]', '[erased]'));
ALTER TABLE person_change
    ADD COLUMN erased_at timestamptz,
    ADD CONSTRAINT person_change_erased_wholly CHECK (erased_at IS NULL OR reason = '[erased]' AND old = '{}' AND new = '{}');
ALTER TABLE person_merge
    ADD COLUMN erased_at timestamptz,
    ADD CONSTRAINT person_merge_erased_wholly CHECK (erased_at IS NULL OR state <> 'proposed' AND (reason, decision_reason) = ('[erased]', '[erased]'));

-- What was decided stays decided, as it was; only its reasons are erased.
DROP TRIGGER request_decided ON request;
CREATE TRIGGER request_decided BEFORE UPDATE ON request FOR EACH ROW
    WHEN (OLD.state <> 'open' AND (OLD.erased_at IS NULL) = (NEW.erased_at IS NULL)) EXECUTE FUNCTION keep_request_decided();
DROP TRIGGER client_application_decided ON client_application;
CREATE TRIGGER client_application_decided BEFORE UPDATE OF state, decided_by, decided_role, decided_at, decision_reason, client_id ON client_application
    FOR EACH ROW WHEN (OLD.state <> 'open' AND (OLD.erased_at IS NULL) = (NEW.erased_at IS NULL)) EXECUTE FUNCTION keep_application_decided();
DROP TRIGGER person_merge_decided ON person_merge;
CREATE TRIGGER person_merge_decided BEFORE UPDATE ON person_merge FOR EACH ROW
    WHEN (OLD.state <> 'proposed' AND (OLD.erased_at IS NULL) = (NEW.erased_at IS NULL)) EXECUTE FUNCTION keep_merge_decided();

-- What is due is found by when its time began.
CREATE INDEX person_proofs_due ON person (closed_at) WHERE closed_at IS NOT NULL AND erased_at IS NULL AND (proofs_erased_at IS NULL OR proofs_erased_at < closed_at);
CREATE INDEX person_due ON person (closed_at) WHERE closed_at IS NOT NULL AND erased_at IS NULL;
CREATE INDEX evidence_due ON evidence (withdrawn_at) WHERE withdrawn_at IS NOT NULL AND erased_at IS NULL;
CREATE INDEX photograph_due ON photograph (replaced_at) WHERE replaced_at IS NOT NULL AND erased_at IS NULL;
CREATE INDEX authenticator_due ON authenticator (revoked_at) WHERE state = 'revoked' AND erased_at IS NULL;
CREATE INDEX request_due ON request (decided_at) WHERE state <> 'open' AND erased_at IS NULL;
CREATE INDEX client_application_due ON client_application (decided_at) WHERE state IN ('refused', 'withdrawn') AND erased_at IS NULL;
CREATE INDEX person_change_due ON person_change (at) WHERE erased_at IS NULL;
CREATE INDEX person_merge_due ON person_merge (decided_at) WHERE state <> 'proposed' AND erased_at IS NULL;
-- And what is of a person.
CREATE INDEX photograph_person ON photograph (person_id) WHERE erased_at IS NULL;
CREATE INDEX request_person ON request (person_id) WHERE state <> 'open' AND erased_at IS NULL;
CREATE INDEX person_merge_of ON person_merge USING gin ((ARRAY[duplicate, kept])) WHERE state <> 'proposed' AND erased_at IS NULL;

-- Of whom nothing is erased until it is released: a claim, an inquiry, an investigation (article 17(3)).
CREATE TABLE retention_hold (
    id          uuid PRIMARY KEY, -- of version 7
    person_id   text NOT NULL REFERENCES person,
    reason      text NOT NULL CONSTRAINT retention_hold_reason_length CHECK (length(reason) BETWEEN 1 AND 500),
    placed_by   varchar(128) NOT NULL,
    placed_at   timestamptz NOT NULL,
    released_by varchar(128),
    released_at timestamptz,
    CONSTRAINT retention_hold_released_wholly CHECK (num_nulls(released_by, released_at) IN (0, 2))
);
CREATE UNIQUE INDEX retention_hold_once ON retention_hold (person_id) WHERE released_at IS NULL;
CREATE INDEX retention_hold_person ON retention_hold (person_id);
CREATE INDEX retention_hold_due ON retention_hold (released_at) WHERE released_at IS NOT NULL;
GRANT SELECT, INSERT (id, person_id, reason, placed_by, placed_at), UPDATE (released_by, released_at) ON retention_hold TO credence_service;

CREATE FUNCTION on_hold(of_person text) RETURNS boolean LANGUAGE sql STABLE
    RETURN EXISTS (SELECT FROM retention_hold h WHERE h.person_id = of_person AND h.released_at IS NULL);
REVOKE EXECUTE ON FUNCTION on_hold(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION on_hold(text) TO credence_service;

-- All that the service can erase, and the only way. It gets no right to change a column, by which evidence could be rewritten or a key
-- put in the place of another: the content goes, of what has ended and is not held, and nothing is put there. It returns how many
-- records that were. When the time of a record is over is for the caller to know.
CREATE FUNCTION erase(what text, which text[], as_of timestamptz) RETURNS integer LANGUAGE plpgsql SECURITY DEFINER AS $$
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
-- As the owner, and by the tables of this schema: no temporary table of the service stands in for one.
DO $$
BEGIN
    EXECUTE format('ALTER FUNCTION erase(text, text[], timestamptz) SET search_path = pg_catalog, %I, pg_temp', current_schema());
END
$$;
REVOKE EXECUTE ON FUNCTION erase(text, text[], timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION erase(text, text[], timestamptz) TO credence_service;

-- The reports: what was due by each rule when a run began, and what it erased, which each batch writes with what it does.
CREATE TABLE retention_run (
    id       uuid PRIMARY KEY, -- of version 7: in the order in which they began
    by       varchar(128) NOT NULL,
    began_at timestamptz NOT NULL,
    ended_at timestamptz -- null: it is at work, or was broken off
);
GRANT SELECT, INSERT (id, by, began_at), UPDATE (ended_at) ON retention_run TO credence_service;
CREATE TABLE retention_count (
    run_id    uuid NOT NULL REFERENCES retention_run,
    rule      varchar(40) NOT NULL,
    due       integer NOT NULL,
    soon      integer NOT NULL, -- due within the 30 days after
    oldest_at timestamptz,      -- since when its time runs
    erased    integer NOT NULL DEFAULT 0,
    PRIMARY KEY (run_id, rule)
);
GRANT SELECT, INSERT (run_id, rule, due, soon, oldest_at), UPDATE (erased) ON retention_count TO credence_service;
