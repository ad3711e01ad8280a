-- People who register themselves, at an organisation that has it so: until whoever reads the mail at the address has confirmed it,
-- or its time is over, nobody is on record. One that was confirmed is not there any more.
CREATE TABLE self_registration (
    id                uuid PRIMARY KEY, -- of version 7
    secret_hash       bytea NOT NULL CONSTRAINT self_registration_secret_once UNIQUE CONSTRAINT self_registration_secret_length CHECK (length(secret_hash) = 32),
    organisation_code text NOT NULL REFERENCES organisation,
    given_name        text NOT NULL CONSTRAINT self_registration_given_name_length CHECK (length(given_name) BETWEEN 1 AND 100),
    family_name       text NOT NULL CONSTRAINT self_registration_family_name_length CHECK (length(family_name) BETWEEN 1 AND 100),
    email             text NOT NULL CONSTRAINT self_registration_email_length CHECK (length(email) BETWEEN 3 AND 254),
    asked_at          timestamptz NOT NULL,
    expires_at        timestamptz NOT NULL
);
CREATE INDEX self_registration_expiry ON self_registration (expires_at);
GRANT SELECT, INSERT, DELETE, UPDATE (expires_at) ON self_registration TO credence_service; -- UPDATE: to lock what is swept

-- A message goes to a person, or to somebody who is nobody yet; that one goes with her registration. A replica of the release
-- before knows of people alone: no organisation opens self-registration before every server runs this one.
ALTER TABLE message
    ALTER COLUMN person_id DROP NOT NULL,
    ADD COLUMN self_registration_id uuid REFERENCES self_registration ON DELETE CASCADE,
    ADD CONSTRAINT message_to_somebody CHECK (num_nonnulls(person_id, self_registration_id) = 1);
CREATE INDEX message_self_registration ON message (self_registration_id) WHERE self_registration_id IS NOT NULL;
GRANT INSERT (self_registration_id) ON message TO credence_service;

-- Who registered herself acts as nothing before her identity is proved to level medium. What she was given and her evidence does not
-- carry any more does not count while that is so (store.record), and nothing is given to her meanwhile.
ALTER TABLE person ADD COLUMN self_registered_organisation text REFERENCES organisation; -- null: others put her on record
CREATE INDEX person_unproved ON person (self_registered_organisation, created_at, id)
    WHERE self_registered_organisation IS NOT NULL AND identity_level IN ('none', 'low') AND disabled_at IS NULL;

-- As the owner, under the rules of raise_generation. Whoever withdraws evidence of the person at this moment waits, or is waited for.
CREATE FUNCTION refuse_role_of_unproved() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    unproved boolean;
BEGIN
    EXECUTE format('SELECT p.self_registered_organisation IS NOT NULL AND p.identity_level IN (''none'', ''low'')
        FROM %1$I.person p WHERE p.id = (SELECT m.person_id FROM %1$I.membership m WHERE m.id = $1) FOR NO KEY UPDATE', TG_TABLE_SCHEMA)
        INTO unproved USING NEW.membership_id;
    IF unproved THEN
        RAISE check_violation USING MESSAGE = format('role %s is of somebody who registered herself, and is not proved', NEW.id), CONSTRAINT = 'role_profile_of_somebody_proved';
    END IF;
    RETURN NEW;
END
$$;
REVOKE EXECUTE ON FUNCTION refuse_role_of_unproved() FROM PUBLIC;
CREATE TRIGGER role_profile_proved BEFORE INSERT ON role_profile FOR EACH ROW EXECUTE FUNCTION refuse_role_of_unproved();
ALTER TABLE role_profile ENABLE ALWAYS TRIGGER role_profile_proved; -- as all of that table: 0012
