DROP TABLE retention_count, retention_run;
DROP FUNCTION erase(text, text[], timestamptz);
DROP FUNCTION on_hold(text);
DROP TABLE retention_hold;

DROP TRIGGER person_merge_decided ON person_merge;
DROP TRIGGER client_application_decided ON client_application;
DROP TRIGGER request_decided ON request;
DROP INDEX person_merge_of, request_person, photograph_person, person_merge_due, person_change_due, client_application_due, request_due, authenticator_due, photograph_due,
    evidence_due, person_due, person_proofs_due;
ALTER TABLE person_merge DROP COLUMN erased_at;
ALTER TABLE person_change DROP COLUMN erased_at;
ALTER TABLE client_application DROP COLUMN erased_at;
ALTER TABLE request DROP COLUMN erased_at;
CREATE TRIGGER request_decided BEFORE UPDATE ON request FOR EACH ROW WHEN (OLD.state <> 'open') EXECUTE FUNCTION keep_request_decided();
CREATE TRIGGER client_application_decided BEFORE UPDATE OF state, decided_by, decided_role, decided_at, decision_reason, client_id ON client_application
    FOR EACH ROW WHEN (OLD.state <> 'open') EXECUTE FUNCTION keep_application_decided();
CREATE TRIGGER person_merge_decided BEFORE UPDATE ON person_merge FOR EACH ROW WHEN (OLD.state <> 'proposed') EXECUTE FUNCTION keep_merge_decided();

-- The schema of before knows no tombstones of these.
DELETE FROM authenticator WHERE erased_at IS NOT NULL;
DELETE FROM photograph WHERE erased_at IS NOT NULL;
ALTER TABLE evidence DISABLE TRIGGER evidence_withdrawn;
UPDATE evidence SET withdrawn_reason = 'superseded' WHERE withdrawn_reason = 'erased';
ALTER TABLE evidence ENABLE TRIGGER evidence_withdrawn;
ALTER TABLE authenticator
    DROP CONSTRAINT authenticator_of_one_form,
    DROP COLUMN erased_at,
    ADD CONSTRAINT authenticator_of_one_form CHECK (CASE
        WHEN kind IN ('password', 'totp') THEN secret_sealed IS NOT NULL AND backup_eligible AND num_nonnulls(credential_id, public_key, attestation_object, client_data) = 0
        ELSE secret_sealed IS NULL AND num_nulls(credential_id, public_key, attestation_object, client_data) = 0 END);
ALTER TABLE photograph DROP COLUMN erased_at, ALTER COLUMN image_sealed SET NOT NULL;
ALTER TABLE evidence
    DROP COLUMN erased_at,
    DROP CONSTRAINT evidence_withdrawn_reason_known,
    ADD CONSTRAINT evidence_withdrawn_reason_known CHECK (withdrawn_reason IN ('forged', 'mistaken', 'superseded'));
ALTER TABLE person DROP COLUMN erased_at, DROP COLUMN proofs_erased_at;
