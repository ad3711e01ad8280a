DROP INDEX audit_place_event;
CREATE INDEX audit_place_event ON audit_place (organisation_code, event, at, sequence);
DROP INDEX audit_event_client;
CREATE INDEX audit_event_client ON audit_event (client_id, sequence) WHERE client_id <> '';
