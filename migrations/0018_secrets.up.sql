-- Passwords, and the keys of apps that make one-time codes (RFC 6238), are authenticators of people too. Both rest sealed: of
-- a password its hash. They prove nothing of what they are kept in, so they count as what can be copied.
ALTER TABLE authenticator
    DROP CONSTRAINT authenticator_kind_known,
    ADD CONSTRAINT authenticator_kind_known CHECK (kind IN ('passkey', 'security-key', 'password', 'totp')),
    ALTER COLUMN credential_id DROP NOT NULL,
    ALTER COLUMN public_key DROP NOT NULL,
    ALTER COLUMN attestation_object DROP NOT NULL,
    ALTER COLUMN client_data DROP NOT NULL,
    ADD COLUMN secret_sealed   bytea CONSTRAINT authenticator_secret_length CHECK (length(secret_sealed) <= 512),
    ADD COLUMN failed_attempts integer NOT NULL DEFAULT 0 CONSTRAINT authenticator_failed_attempts_count CHECK (failed_attempts >= 0), -- since it last signed its owner in
    ADD COLUMN last_step       bigint, -- of the codes of an app: the time step of the last one that was taken
    ADD CONSTRAINT authenticator_of_one_form CHECK (CASE
        WHEN kind IN ('password', 'totp') THEN secret_sealed IS NOT NULL AND backup_eligible AND num_nonnulls(credential_id, public_key, attestation_object, client_data) = 0
        ELSE secret_sealed IS NULL AND num_nulls(credential_id, public_key, attestation_object, client_data) = 0 END),
    ADD CONSTRAINT authenticator_steps_of_codes CHECK ((kind = 'totp') = (last_step IS NOT NULL));
CREATE UNIQUE INDEX authenticator_one_password ON authenticator (person_id) WHERE kind = 'password' AND revoked_at IS NULL;
GRANT UPDATE (secret_sealed, failed_attempts, last_step) ON authenticator TO credence_service;
