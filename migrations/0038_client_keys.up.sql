-- Clients that prove with a key of their own that they are themselves (RFC 7523): their public keys, or the address where they
-- publish them. A client has keys or a secret, never both.
ALTER TABLE client
    ADD COLUMN jwks     jsonb CONSTRAINT client_jwks_length CHECK (length(jwks::text) <= 65536), -- a JSON Web Key Set: RFC 7517
    ADD COLUMN jwks_uri text NOT NULL DEFAULT '' CONSTRAINT client_jwks_uri_length CHECK (length(jwks_uri) <= 1024), -- '' is none
    DROP CONSTRAINT client_authentication_known,
    ADD CONSTRAINT client_authentication_known CHECK (authentication IN ('none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt')),
    DROP CONSTRAINT client_secret_when_confidential,
    ADD CONSTRAINT client_secret_when_confidential CHECK ((authentication IN ('client_secret_basic', 'client_secret_post')) = (secret_hash IS NOT NULL)),
    ADD CONSTRAINT client_keys_in_one_place CHECK ((authentication = 'private_key_jwt') = ((jwks IS NOT NULL) <> (jwks_uri <> '')) AND (jwks IS NULL OR jwks_uri = ''));
GRANT UPDATE (jwks, jwks_uri) ON client TO credence_service;

ALTER TABLE client_application
    ADD COLUMN jwks     jsonb CONSTRAINT client_application_jwks_length CHECK (length(jwks::text) <= 65536),
    ADD COLUMN jwks_uri text NOT NULL DEFAULT '' CONSTRAINT client_application_jwks_uri_length CHECK (length(jwks_uri) <= 1024),
    DROP CONSTRAINT client_application_authentication_known,
    ADD CONSTRAINT client_application_authentication_known CHECK (authentication IN ('none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt')),
    DROP CONSTRAINT client_application_secrets_of_a_client,
    ADD CONSTRAINT client_application_secrets_of_a_client CHECK (
        (secrets > 0) = (secret_at IS NOT NULL) AND (secrets = 0 OR client_id IS NOT NULL AND authentication IN ('client_secret_basic', 'client_secret_post'))),
    ADD CONSTRAINT client_application_keys_in_one_place CHECK (
        (authentication = 'private_key_jwt') = ((jwks IS NOT NULL) <> (jwks_uri <> '')) AND (jwks IS NULL OR jwks_uri = '')),
    -- Where no organisation is above the one that applies, the operator decides, who is no person here.
    DROP CONSTRAINT client_application_decided_wholly,
    ADD CONSTRAINT client_application_decided_wholly CHECK (
        (decided_at IS NULL) = (state = 'open') AND (decision_reason IS NULL) = (state = 'open') AND (decided_by IS NULL) = (decided_role IS NULL)
        AND (decided_by IS NULL OR state IN ('approved', 'refused')) AND (decided_by IS NOT NULL OR environment = 'live' OR state NOT IN ('approved', 'refused')));
GRANT INSERT (jwks, jwks_uri) ON client_application TO credence_service;

-- An assertion proves something once: each that was taken, by the SHA-256 of its jti, until it has expired. No row refers to its
-- client, because each reference would lock a row that all of its requests share.
CREATE TABLE used_assertion (
    client_id  text NOT NULL,
    hash       bytea NOT NULL CONSTRAINT used_assertion_hash_length CHECK (length(hash) = 32),
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (client_id, hash)
);
CREATE INDEX used_assertion_expiry ON used_assertion (expires_at);
GRANT SELECT, INSERT, DELETE, UPDATE (expires_at) ON used_assertion TO credence_service; -- to update is to lock, which a sweep does

-- How a name looks to whoever reads it: without regard to case, spaces, punctuation and to the form in which its letters are written.
CREATE FUNCTION looks_like(name text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN lower(regexp_replace(normalize(name, NFKC), '[[:space:][:punct:]]', '', 'g'));
REVOKE EXECUTE ON FUNCTION looks_like(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION looks_like(text) TO credence_service;
CREATE INDEX client_looks_like ON client (looks_like(name)) WHERE disabled_at IS NULL;
CREATE INDEX organisation_looks_like ON organisation (looks_like(name));

-- How many applications of one person are open is bounded.
CREATE INDEX client_application_open_of ON client_application (applied_by) WHERE state = 'open';
