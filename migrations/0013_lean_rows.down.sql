DROP TRIGGER client_grants ON client;
DROP FUNCTION keep_client_with_grants();

ALTER TABLE authorization_grant
    ADD CONSTRAINT authorization_grant_client_id_fkey FOREIGN KEY (client_id) REFERENCES client,
    ADD CONSTRAINT authorization_grant_person_id_fkey FOREIGN KEY (person_id) REFERENCES person,
    ADD CONSTRAINT authorization_grant_authenticator_id_fkey FOREIGN KEY (authenticator_id) REFERENCES authenticator,
    ADD CONSTRAINT authorization_grant_role_id_fkey FOREIGN KEY (role_id) REFERENCES role_profile;

ALTER TABLE audit_event
    ALTER COLUMN event TYPE text,
    ALTER COLUMN refusal TYPE text,
    ALTER COLUMN actor TYPE text,
    ALTER COLUMN request_id TYPE text,
    ALTER COLUMN address TYPE text,
    ADD CONSTRAINT audit_event_event_check CHECK (length(event) BETWEEN 1 AND 64),
    ADD CONSTRAINT audit_event_refusal_check CHECK (length(refusal) <= 64),
    ADD CONSTRAINT audit_event_actor_check CHECK (length(actor) BETWEEN 1 AND 128),
    ADD CONSTRAINT audit_event_request_id_check CHECK (length(request_id) <= 64),
    ADD CONSTRAINT audit_event_address_check CHECK (length(address) <= 64);
