-- What was done and what was refused, written in the transaction of the act. The service may add and read, never
-- change. No foreign keys: the record outlives what it speaks of.
CREATE TABLE audit_event (
    sequence   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at         timestamptz NOT NULL,
    event      text NOT NULL CHECK (length(event) BETWEEN 1 AND 64),
    refusal    text NOT NULL CHECK (length(refusal) <= 64), -- '' when the act was done, else why it was not
    actor      text NOT NULL CHECK (length(actor) BETWEEN 1 AND 128), -- who did it: a person, a client, or an operator at the command line
    person_id  text NOT NULL, -- whom it concerns; '' when nobody
    client_id  text NOT NULL,
    session_id uuid,
    grant_id   uuid,
    request_id text NOT NULL CHECK (length(request_id) <= 64),
    address    text NOT NULL CHECK (length(address) <= 64),
    detail     jsonb NOT NULL CHECK (pg_column_size(detail) <= 8192)
);
CREATE INDEX audit_event_person ON audit_event (person_id, sequence) WHERE person_id <> '';
CREATE INDEX audit_event_client ON audit_event (client_id, sequence) WHERE client_id <> '';
GRANT SELECT, INSERT (at, event, refusal, actor, person_id, client_id, session_id, grant_id, request_id, address, detail) ON audit_event TO credence_service;
