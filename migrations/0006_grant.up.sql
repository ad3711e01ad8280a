-- A grant: one authorization that a person gave to a client by signing in, and all that its code and tokens stand on.
-- The code's hash is here too: using a code is one update of this row, and it can never be used again.
CREATE TABLE authorization_grant (
    id                  uuid PRIMARY KEY,
    client_id           text NOT NULL REFERENCES client,
    person_id           text NOT NULL REFERENCES person,
    session_id          uuid NOT NULL REFERENCES session,
    authenticator_id    uuid REFERENCES authenticator, -- that signed the person in; absent when the sign-in was simulated
    role_id             text REFERENCES role_profile, -- the active role when it was given
    scopes              text[] NOT NULL,
    redirect_uri        text NOT NULL,
    nonce               text NOT NULL,
    authenticator_level smallint NOT NULL CHECK (authenticator_level BETWEEN 1 AND 3),
    methods             text[] NOT NULL,
    authenticated_at    timestamptz NOT NULL,
    code_hash           bytea NOT NULL UNIQUE CHECK (length(code_hash) = 32),
    code_challenge      text NOT NULL CHECK (length(code_challenge) = 43), -- RFC 7636, S256
    code_expires_at     timestamptz NOT NULL,
    code_used_at        timestamptz,
    created_at          timestamptz NOT NULL,
    expires_at          timestamptz NOT NULL, -- no token is issued from it after this
    revoked_at          timestamptz
);
CREATE INDEX authorization_grant_session ON authorization_grant (session_id);
CREATE INDEX authorization_grant_expiry ON authorization_grant (expires_at);
GRANT SELECT, INSERT, UPDATE (code_used_at, revoked_at) ON authorization_grant TO credence_service;

-- Refresh tokens by hash. A used one stays until its grant goes, so that a second use is seen.
CREATE TABLE refresh_token (
    hash       bytea PRIMARY KEY CHECK (length(hash) = 32),
    grant_id   uuid NOT NULL REFERENCES authorization_grant ON DELETE CASCADE,
    created_at timestamptz NOT NULL,
    used_at    timestamptz
);
CREATE UNIQUE INDEX refresh_token_one_live ON refresh_token (grant_id) WHERE used_at IS NULL;
CREATE INDEX refresh_token_grant ON refresh_token (grant_id);
GRANT SELECT, INSERT, UPDATE (used_at) ON refresh_token TO credence_service;
