DROP TRIGGER person_sessions ON person;
DROP FUNCTION keep_person_with_sessions();

ALTER TABLE authorization_grant RESET (fillfactor);
ALTER TABLE refresh_token RESET (fillfactor);
CREATE UNIQUE INDEX refresh_token_one_live ON refresh_token (grant_id) WHERE used_at IS NULL;

ALTER TABLE authorization_grant
    ADD CONSTRAINT authorization_grant_session_id_fkey FOREIGN KEY (session_id) REFERENCES session,
    ADD CONSTRAINT authorization_grant_authenticator_level_check CHECK (authenticator_level BETWEEN 1 AND 3),
    ADD CONSTRAINT authorization_grant_code_challenge_check CHECK (length(code_challenge) = 43),
    ADD CONSTRAINT authorization_grant_code_hash_check CHECK (length(code_hash) = 32);
ALTER TABLE session
    ADD CONSTRAINT session_person_id_fkey FOREIGN KEY (person_id) REFERENCES person,
    ADD CONSTRAINT session_authenticator_id_fkey FOREIGN KEY (authenticator_id) REFERENCES authenticator,
    ADD CONSTRAINT session_role_id_fkey FOREIGN KEY (role_id) REFERENCES role_profile,
    ADD CONSTRAINT session_cookie_hash_check CHECK (length(cookie_hash) = 32),
    ADD CONSTRAINT session_methods_check CHECK (cardinality(methods) BETWEEN 1 AND 10),
    ADD CONSTRAINT session_level_known CHECK (authenticator_level BETWEEN 1 AND 3);
