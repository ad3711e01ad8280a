-- The record of a client is asked for what officers did to it. What people and it did by the thousand needs no index: each would be written
-- at every sign-in, and at every token.
DROP INDEX audit_event_client;
CREATE INDEX audit_event_client ON audit_event (client_id, sequence) WHERE client_id <> '' AND person_id = '' AND actor <> client_id;

-- Sign-ins are most of what is at a place, so that along its key one of another event is far to find, and one of them is not.
DROP INDEX audit_place_event;
CREATE INDEX audit_place_event ON audit_place (organisation_code, event, at, sequence) WHERE event <> 'signed_in';
