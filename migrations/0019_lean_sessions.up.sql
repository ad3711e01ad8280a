-- A session is written with every sign-in, a grant with every code and a refresh token with every refresh: cheaply, see 0013.
-- References and checks leave, as from refresh tokens in 0014. What they held, the statements hold that write: person, role
-- and authenticator were read in the same transaction or the moment before, and a session is deleted only when no grant
-- stands on it. Should one of those be gone all the same, whatever stood on it falls.
ALTER TABLE session
    DROP CONSTRAINT session_person_id_fkey,
    DROP CONSTRAINT session_authenticator_id_fkey,
    DROP CONSTRAINT session_role_id_fkey,
    DROP CONSTRAINT session_cookie_hash_check,
    DROP CONSTRAINT session_methods_check,
    DROP CONSTRAINT session_level_known;
ALTER TABLE authorization_grant
    DROP CONSTRAINT authorization_grant_session_id_fkey,
    DROP CONSTRAINT authorization_grant_authenticator_level_check,
    DROP CONSTRAINT authorization_grant_code_challenge_check,
    DROP CONSTRAINT authorization_grant_code_hash_check;

-- What is left of the reference to the person: one with sessions is disabled, not deleted, or whoever got her id next would
-- be signed in by them.
CREATE FUNCTION keep_person_with_sessions() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM session WHERE person_id = OLD.id) THEN
        RAISE foreign_key_violation USING MESSAGE = format('person %s has sessions', OLD.id), CONSTRAINT = 'session_person_id', HINT = 'Disable her.';
    END IF;
    RETURN OLD;
END
$$;
REVOKE EXECUTE ON FUNCTION keep_person_with_sessions() FROM PUBLIC;
CREATE TRIGGER person_sessions BEFORE DELETE ON person FOR EACH ROW EXECUTE FUNCTION keep_person_with_sessions();
ALTER TABLE person ENABLE ALWAYS TRIGGER person_sessions;

-- A code and a refresh token are used by changing their rows. Without an index on what changes, and with room for it on its
-- page, that touches no index at all. That a grant has one live refresh token follows from how they come to be: by the use
-- of its code, and each further one by the use of the one before.
DROP INDEX refresh_token_one_live;
ALTER TABLE refresh_token SET (fillfactor = 85);
ALTER TABLE authorization_grant SET (fillfactor = 80);
