DROP INDEX client_application_open_of, organisation_looks_like, client_looks_like;
DROP FUNCTION looks_like(text);
DROP TABLE used_assertion;

-- The release before knows no keys. What is left of such a client asks for a secret that nobody has.
UPDATE client SET authentication = 'client_secret_basic', secret_hash = sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())), jwks = NULL, jwks_uri = ''
    WHERE authentication = 'private_key_jwt';
UPDATE client_application SET authentication = 'client_secret_basic', jwks = NULL, jwks_uri = '' WHERE authentication = 'private_key_jwt';
ALTER TABLE client
    DROP CONSTRAINT client_keys_in_one_place,
    DROP CONSTRAINT client_secret_when_confidential,
    ADD CONSTRAINT client_secret_when_confidential CHECK ((authentication = 'none') = (secret_hash IS NULL)),
    DROP CONSTRAINT client_authentication_known,
    ADD CONSTRAINT client_authentication_known CHECK (authentication IN ('none', 'client_secret_basic', 'client_secret_post')),
    DROP COLUMN jwks,
    DROP COLUMN jwks_uri;
-- Nor does it know that the operator decided. The clients that came of it stay.
DELETE FROM client_check WHERE application_id IN (SELECT id FROM client_application WHERE decided_by IS NULL AND state IN ('approved', 'refused'));
DELETE FROM client_application WHERE decided_by IS NULL AND state IN ('approved', 'refused');
ALTER TABLE client_application
    DROP CONSTRAINT client_application_decided_wholly,
    ADD CONSTRAINT client_application_decided_wholly CHECK (
        (decided_at IS NULL) = (state = 'open') AND (decision_reason IS NULL) = (state = 'open')
        AND num_nulls(decided_by, decided_role) = CASE WHEN state IN ('approved', 'refused') THEN 0 ELSE 2 END),
    DROP CONSTRAINT client_application_keys_in_one_place,
    DROP CONSTRAINT client_application_secrets_of_a_client,
    ADD CONSTRAINT client_application_secrets_of_a_client CHECK ((secrets > 0) = (secret_at IS NOT NULL) AND (secrets = 0 OR client_id IS NOT NULL AND authentication <> 'none')),
    DROP CONSTRAINT client_application_authentication_known,
    ADD CONSTRAINT client_application_authentication_known CHECK (authentication IN ('none', 'client_secret_basic', 'client_secret_post')),
    DROP COLUMN jwks,
    DROP COLUMN jwks_uri;
