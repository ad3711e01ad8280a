-- Who looks after a request while it is open. It keeps nobody else from deciding it, so it is none of those who may not: neither who
-- asked, nor the person it is for, nor who put her on record. Whoever is no officer any more who may decide it stays here, and is not
-- read as its owner.
ALTER TABLE request
    ADD COLUMN owner_id    text REFERENCES person, -- null: nobody
    ADD COLUMN owner_since timestamptz,
    ADD CONSTRAINT request_owned_wholly CHECK (num_nulls(owner_id, owner_since) IN (0, 2)),
    ADD CONSTRAINT request_owned_by_another CHECK (owner_id <> asked_by AND owner_id <> person_id AND owner_id <> taken_up_by);
CREATE INDEX request_open_owner ON request (owner_id) WHERE state = 'open' AND owner_id IS NOT NULL;
GRANT UPDATE (owner_id, owner_since) ON request TO credence_service;
