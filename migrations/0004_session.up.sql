-- The browser session of a person who has signed in. The cookie's value is kept as a hash and changes at every sign-in;
-- `id` stays, and is the `sid` of tokens. What is true of the last sign-in (level, methods, time) is here, so that tokens
-- say it and nothing newer.
CREATE TABLE session (
    id                  uuid PRIMARY KEY,
    cookie_hash         bytea NOT NULL UNIQUE CHECK (length(cookie_hash) = 32),
    person_id           text NOT NULL REFERENCES person,
    authenticator_id    uuid REFERENCES authenticator, -- absent when the sign-in was simulated
    authenticator_level smallint NOT NULL CONSTRAINT session_level_known CHECK (authenticator_level BETWEEN 1 AND 3),
    methods             text[] NOT NULL CHECK (cardinality(methods) BETWEEN 1 AND 10), -- amr, RFC 8176
    authenticated_at    timestamptz NOT NULL,
    role_id             text REFERENCES role_profile,
    role_chosen_at      timestamptz, -- set also when the choice was to go on without a role
    created_at          timestamptz NOT NULL,
    idle_at             timestamptz NOT NULL, -- when it ends if nothing is asked of it
    expires_at          timestamptz NOT NULL, -- when it ends in any case
    ended_at            timestamptz
);
CREATE INDEX session_person ON session (person_id) WHERE ended_at IS NULL;
CREATE INDEX session_authenticator ON session (authenticator_id) WHERE ended_at IS NULL;
CREATE INDEX session_expiry ON session (expires_at);
GRANT SELECT, INSERT, UPDATE (cookie_hash, authenticator_id, authenticator_level, methods, authenticated_at, role_id, role_chosen_at, idle_at, expires_at, ended_at)
    ON session TO credence_service;
