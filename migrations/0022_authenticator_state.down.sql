-- What the release before would use without its code goes. What is suspended, lost or returned, it takes for revoked.
DELETE FROM enrolment_link WHERE code_mac IS NOT NULL AND used_at IS NULL;
ALTER TABLE enrolment_link
    DROP COLUMN code_given_at,
    DROP COLUMN wrong_codes,
    DROP COLUMN code_mac;

DROP TRIGGER authenticator_state ON authenticator;
DROP TRIGGER authenticator_revoked ON authenticator;
DROP FUNCTION keep_authenticator_revoked();
DROP FUNCTION take_authenticator_for_revoked();
ALTER TABLE authenticator DROP COLUMN state;
