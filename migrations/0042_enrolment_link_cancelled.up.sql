-- An enrolment link that is open has a name, by which it is cancelled. One that was cancelled is used up as well, so that a replica
-- of the release before lets nobody bind anything by it either.
ALTER TABLE enrolment_link
    ADD COLUMN id           uuid NOT NULL DEFAULT gen_random_uuid() CONSTRAINT enrolment_link_id_unique UNIQUE,
    ADD COLUMN cancelled_at timestamptz CONSTRAINT enrolment_link_cancelled_is_used CHECK (cancelled_at IS NULL OR used_at IS NOT NULL);
GRANT UPDATE (cancelled_at) ON enrolment_link TO credence_service;
