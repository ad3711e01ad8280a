-- The outbox: what people are to be told is written with the act that it is about, and sent by whichever replica comes first.
-- What a message says is of one person alone: it rests sealed, and goes when nobody sends it any more.
CREATE TABLE message (
    id          uuid PRIMARY KEY, -- of version 7, and in the Message-ID
    person_id   text NOT NULL REFERENCES person,
    address     text NOT NULL CONSTRAINT message_address_length CHECK (length(address) BETWEEN 1 AND 254),
    kind        text NOT NULL CONSTRAINT message_kind_form CHECK (kind ~ '^[a-z_]{1,40}$'),
    dedupe_key  text CONSTRAINT message_told_once UNIQUE, -- of what is told once
    text_sealed bytea,
    created_at  timestamptz NOT NULL,
    due_at      timestamptz, -- when it is sent, or tried again; null: not any more
    attempts    integer NOT NULL DEFAULT 0, -- that failed
    last_error  text CONSTRAINT message_last_error_known CHECK (last_error IN ('unreachable', 'deferred', 'refused', 'address_invalid', 'unreadable')),
    sent_at     timestamptz,
    gave_up_at  timestamptz,
    CONSTRAINT message_is_due_or_done CHECK (num_nonnulls(due_at, sent_at, gave_up_at) = 1),
    CONSTRAINT message_text_until_done CHECK ((text_sealed IS NULL) = (due_at IS NULL)),
    CONSTRAINT message_gave_up_for_a_reason CHECK (gave_up_at IS NULL OR last_error IS NOT NULL)
);
CREATE INDEX message_due ON message (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX message_done ON message (created_at) WHERE due_at IS NULL;
GRANT SELECT, DELETE, UPDATE (text_sealed, due_at, attempts, last_error, sent_at, gave_up_at),
    INSERT (id, person_id, address, kind, dedupe_key, text_sealed, created_at, due_at) ON message TO credence_service;

-- Whoever has a position is told before it ends.
CREATE INDEX role_profile_positioned_ends ON role_profile (ends_at) WHERE position_id IS NOT NULL;

-- What nobody decided in time leaves the queue.
CREATE INDEX request_open_lapses ON request (lapses_at) WHERE state = 'open';
