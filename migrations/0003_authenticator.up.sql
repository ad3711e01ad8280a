-- WebAuthn credentials bound to people. A row is never deleted: a revoked authenticator stays on record.
CREATE TABLE authenticator (
    id                 uuid PRIMARY KEY,
    person_id          text NOT NULL REFERENCES person,
    name               text NOT NULL CHECK (length(name) BETWEEN 1 AND 60),
    kind               text NOT NULL CONSTRAINT authenticator_kind_known CHECK (kind IN ('passkey', 'security-key')),
    credential_id      bytea NOT NULL UNIQUE CHECK (length(credential_id) BETWEEN 1 AND 1023), -- WebAuthn Level 3, Section 4
    public_key         bytea NOT NULL CHECK (length(public_key) <= 4096),
    sign_count         bigint NOT NULL CHECK (sign_count BETWEEN 0 AND 4294967295),
    aaguid             uuid NOT NULL,
    transports         text[] NOT NULL CHECK (cardinality(transports) <= 10),
    backup_eligible    boolean NOT NULL,
    backup_state       boolean NOT NULL,
    attestation_format text NOT NULL CHECK (length(attestation_format) <= 32),
    attestation_object bytea NOT NULL CHECK (length(attestation_object) <= 65536), -- kept whole, so that it can be judged again
    client_data        bytea NOT NULL CHECK (length(client_data) <= 16384),
    created_at         timestamptz NOT NULL,
    last_used_at       timestamptz,
    revoked_at         timestamptz
);
CREATE INDEX authenticator_person ON authenticator (person_id);
GRANT SELECT, INSERT, UPDATE (sign_count, backup_state, last_used_at, revoked_at) ON authenticator TO credence_service;

-- A single-use link with which a person binds an authenticator. Only the hash of its secret is kept.
CREATE TABLE enrolment_link (
    hash       bytea PRIMARY KEY CHECK (length(hash) = 32),
    person_id  text NOT NULL REFERENCES person,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at    timestamptz
);
CREATE INDEX enrolment_link_person ON enrolment_link (person_id);
CREATE INDEX enrolment_link_expiry ON enrolment_link (expires_at);
GRANT SELECT, INSERT, UPDATE (used_at) ON enrolment_link TO credence_service;

-- Challenges that were answered. A challenge lives sealed in the browser until then; that it is here already is how a
-- replayed answer is known.
CREATE TABLE used_challenge (
    hash       bytea PRIMARY KEY CHECK (length(hash) = 32),
    expires_at timestamptz NOT NULL
);
CREATE INDEX used_challenge_expiry ON used_challenge (expires_at);
GRANT SELECT, INSERT ON used_challenge TO credence_service;
