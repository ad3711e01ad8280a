-- What the release before cannot read goes, with all that rests on it.
DELETE FROM authorization_grant g USING session s
    WHERE s.id = g.session_id AND (g.authenticator_id IN (SELECT id FROM authenticator WHERE kind IN ('password', 'totp'))
        OR s.authenticator_id IN (SELECT id FROM authenticator WHERE kind IN ('password', 'totp')));
DELETE FROM session WHERE authenticator_id IN (SELECT id FROM authenticator WHERE kind IN ('password', 'totp'));
DELETE FROM authenticator WHERE kind IN ('password', 'totp');

DROP INDEX authenticator_one_password;
ALTER TABLE authenticator
    DROP CONSTRAINT authenticator_steps_of_codes,
    DROP CONSTRAINT authenticator_of_one_form,
    DROP COLUMN last_step,
    DROP COLUMN failed_attempts,
    DROP COLUMN secret_sealed,
    ALTER COLUMN client_data SET NOT NULL,
    ALTER COLUMN attestation_object SET NOT NULL,
    ALTER COLUMN public_key SET NOT NULL,
    ALTER COLUMN credential_id SET NOT NULL,
    DROP CONSTRAINT authenticator_kind_known,
    ADD CONSTRAINT authenticator_kind_known CHECK (kind IN ('passkey', 'security-key'));
