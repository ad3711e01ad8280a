-- Keys that sign tokens. The private half is sealed under the operator's key. A key is published from the moment it is
-- here, signs from `active_at` until a newer one of its algorithm does, and is published until `expires_at`.
CREATE TABLE signing_key (
    id         text PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 64),
    alg        text NOT NULL CONSTRAINT signing_key_alg_known CHECK (alg IN ('RS256', 'ES256')),
    sealed     bytea NOT NULL CHECK (length(sealed) <= 8192),
    created_at timestamptz NOT NULL,
    active_at  timestamptz NOT NULL,
    expires_at timestamptz -- set when its successor is made
);
-- One current key for each algorithm: of two replicas that start or rotate at the same moment, one makes it.
CREATE UNIQUE INDEX signing_key_one_current ON signing_key (alg) WHERE expires_at IS NULL;
GRANT SELECT, INSERT, UPDATE (expires_at) ON signing_key TO credence_service;

INSERT INTO generation (name) VALUES ('signing_key');
CREATE TRIGGER signing_key_generation AFTER INSERT OR UPDATE OR DELETE ON signing_key FOR EACH STATEMENT EXECUTE FUNCTION raise_generation();
