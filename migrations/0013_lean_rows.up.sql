-- What is written with every token is written cheaply. A CHECK is parsed anew for every statement, a reference locks a row
-- of another table: a client's row by every grant that it gets. Lengths become part of the types, which cost nothing; and a
-- grant refers no more to rows that the service cannot delete. What was true when it was written stays true: the session
-- and its person, role and authenticator were read in the same transaction or the moment before.
ALTER TABLE audit_event
    DROP CONSTRAINT audit_event_event_check,
    DROP CONSTRAINT audit_event_refusal_check,
    DROP CONSTRAINT audit_event_actor_check,
    DROP CONSTRAINT audit_event_request_id_check,
    DROP CONSTRAINT audit_event_address_check,
    ALTER COLUMN event TYPE varchar(64),
    ALTER COLUMN refusal TYPE varchar(64),
    ALTER COLUMN actor TYPE varchar(128),
    ALTER COLUMN request_id TYPE varchar(64),
    ALTER COLUMN address TYPE varchar(64);

ALTER TABLE authorization_grant
    DROP CONSTRAINT authorization_grant_client_id_fkey,
    DROP CONSTRAINT authorization_grant_person_id_fkey,
    DROP CONSTRAINT authorization_grant_authenticator_id_fkey,
    DROP CONSTRAINT authorization_grant_role_id_fkey;

-- What is left of the reference to the client: one that has grants is disabled, not deleted, or whoever got its id next
-- would have them.
CREATE FUNCTION keep_client_with_grants() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM authorization_grant WHERE client_id = OLD.id) THEN
        RAISE foreign_key_violation USING MESSAGE = format('client %s has grants', OLD.id), CONSTRAINT = 'authorization_grant_client_id', HINT = 'Disable it.';
    END IF;
    RETURN OLD;
END
$$;
REVOKE EXECUTE ON FUNCTION keep_client_with_grants() FROM PUBLIC;
CREATE TRIGGER client_grants BEFORE DELETE ON client FOR EACH ROW EXECUTE FUNCTION keep_client_with_grants();
