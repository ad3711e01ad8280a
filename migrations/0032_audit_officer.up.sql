-- What officers did to others, and to nobody: few of the lines, for most of them are of what people and clients did for themselves.
CREATE INDEX audit_event_officer ON audit_event (actor, sequence) WHERE actor <> person_id AND actor <> client_id;
