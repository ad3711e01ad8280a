-- What an attestation proved when the authenticator was bound: 'none' and 'self' nothing, 'untrusted' a chain that ends at
-- nobody we know, 'trusted' which model it is. Of what was bound before nobody looked at the chain, so it counts as nothing
-- until `credence authenticator recompute`. The default is also for replicas of the release before, which name no verdict.
ALTER TABLE authenticator ADD COLUMN attestation_verdict varchar(16) NOT NULL DEFAULT 'none'
    CONSTRAINT authenticator_attestation_verdict_known CHECK (attestation_verdict IN ('none', 'self', 'untrusted', 'trusted'));
CREATE INDEX authenticator_aaguid ON authenticator (aaguid, person_id, id) WHERE revoked_at IS NULL;
GRANT UPDATE (attestation_verdict) ON authenticator TO credence_service;

-- Models that the operator vouches for, with the certificates that their attestations must chain to.
CREATE TABLE authenticator_model (
    aaguid     uuid PRIMARY KEY CONSTRAINT authenticator_model_is_one CHECK (aaguid <> '00000000-0000-0000-0000-000000000000'),
    name       varchar(200) NOT NULL CONSTRAINT authenticator_model_name CHECK (name <> ''),
    roots      varchar(65536) NOT NULL CONSTRAINT authenticator_model_roots CHECK (roots <> ''), -- X.509, PEM
    created_at timestamptz NOT NULL
);
GRANT SELECT, INSERT, UPDATE (name, roots), DELETE ON authenticator_model TO credence_service;

-- What an organisation asks of the authenticators of its people, and of those of the organisations below it that ask for
-- nothing themselves.
CREATE TABLE authenticator_policy (
    organisation_code text PRIMARY KEY REFERENCES organisation,
    allowed           uuid[] NOT NULL CONSTRAINT authenticator_policy_allowed_bounded CHECK (cardinality(allowed) <= 50), -- AAGUIDs; none: any model
    denied            uuid[] NOT NULL CONSTRAINT authenticator_policy_denied_bounded CHECK (cardinality(denied) <= 50),
    device_bound      boolean NOT NULL, -- the key cannot be copied
    attestation       boolean NOT NULL, -- the authenticator proved which model it is
    CONSTRAINT authenticator_policy_asks CHECK (cardinality(allowed) + cardinality(denied) > 0 OR device_bound OR attestation)
);
GRANT SELECT, INSERT, UPDATE (allowed, denied, device_bound, attestation), DELETE ON authenticator_policy TO credence_service;

-- The newest blob of the FIDO Metadata Service that was found to be genuine, as it was signed. Its number only rises.
CREATE TABLE fido_metadata (
    number      bigint NOT NULL CONSTRAINT fido_metadata_number_counts CHECK (number >= 0),
    next_update timestamptz NOT NULL,
    blob        bytea NOT NULL CONSTRAINT fido_metadata_blob_bounded CHECK (length(blob) <= 20971520),
    fetched_at  timestamptz NOT NULL, -- when this blob came
    checked_at  timestamptz NOT NULL  -- when the source was last asked whether there is a newer one
);
CREATE UNIQUE INDEX fido_metadata_once ON fido_metadata ((true));
GRANT SELECT, INSERT, UPDATE (number, next_update, blob, fetched_at, checked_at) ON fido_metadata TO credence_service;

CREATE FUNCTION keep_newest_metadata() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.number < OLD.number THEN
        RAISE check_violation USING MESSAGE = format('metadata %s is older than %s', NEW.number, OLD.number), CONSTRAINT = 'fido_metadata_newest';
    END IF;
    RETURN NEW;
END
$$;
REVOKE EXECUTE ON FUNCTION keep_newest_metadata() FROM PUBLIC;
CREATE TRIGGER fido_metadata_newest BEFORE UPDATE ON fido_metadata FOR EACH ROW EXECUTE FUNCTION keep_newest_metadata();

-- Replicas keep all of it in memory, with the organisations that a policy holds for.
INSERT INTO generation (name) VALUES ('authenticator_model'), ('authenticator_policy'), ('fido_metadata'), ('organisation');
CREATE TRIGGER authenticator_model_generation AFTER INSERT OR UPDATE OR DELETE ON authenticator_model FOR EACH STATEMENT EXECUTE FUNCTION raise_generation();
CREATE TRIGGER authenticator_policy_generation AFTER INSERT OR UPDATE OR DELETE ON authenticator_policy FOR EACH STATEMENT EXECUTE FUNCTION raise_generation();
CREATE TRIGGER fido_metadata_generation AFTER INSERT OR UPDATE OF number OR DELETE ON fido_metadata FOR EACH STATEMENT EXECUTE FUNCTION raise_generation();
CREATE TRIGGER organisation_generation AFTER INSERT OR UPDATE OF parent_code OR DELETE ON organisation FOR EACH STATEMENT EXECUTE FUNCTION raise_generation();
ALTER TABLE organisation ENABLE ALWAYS TRIGGER organisation_generation; -- as all of that table: 0012
