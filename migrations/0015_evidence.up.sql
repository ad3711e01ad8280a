-- What a registration desk, or another who checks identities, found of a person: pieces of evidence with the checks that were
-- made, by the words of OpenID Identity Assurance Schema Definition 1.0. The level of her identity follows from them (GPG 45)
-- and rests beside her, with what it was computed from. A row is never deleted: what was withdrawn counts no more and stays.
CREATE TABLE evidence (
    id               uuid PRIMARY KEY,
    person_id        text NOT NULL REFERENCES person,
    type             varchar(32) NOT NULL CONSTRAINT evidence_type_known CHECK (type IN ('document', 'electronic_record', 'vouch')),
    kind             varchar(64) NOT NULL, -- of document, record or attestation: passport, driving_permit, ...
    facts            jsonb NOT NULL CONSTRAINT evidence_facts_length CHECK (length(facts::text) <= 16384), -- the piece as it was recorded, without its number
    number_sealed    bytea CONSTRAINT evidence_number_length CHECK (length(number_sealed) <= 256), -- null: it has none
    number_hash      bytea CONSTRAINT evidence_number_hash_length CHECK (length(number_hash) = 32), -- keyed: by it a number is found again
    process_id       uuid NOT NULL, -- the act of recording that it came with
    recorded_at      timestamptz NOT NULL,
    recorded_by      varchar(128) NOT NULL,
    withdrawn_at     timestamptz,
    withdrawn_by     varchar(128),
    withdrawn_reason varchar(16) CONSTRAINT evidence_withdrawn_reason_known CHECK (withdrawn_reason IN ('forged', 'mistaken', 'superseded')),
    CONSTRAINT evidence_number_is_found CHECK ((number_sealed IS NULL) = (number_hash IS NULL)),
    CONSTRAINT evidence_withdrawn_wholly CHECK (num_nulls(withdrawn_at, withdrawn_by, withdrawn_reason) IN (0, 3))
);
CREATE INDEX evidence_person ON evidence (person_id, id);
CREATE INDEX evidence_number ON evidence (number_hash) WHERE number_hash IS NOT NULL;
GRANT SELECT, INSERT, UPDATE (withdrawn_at, withdrawn_by, withdrawn_reason) ON evidence TO credence_service;

-- What was withdrawn stays withdrawn, as it was: who may withdraw must not be able to let a forged document count again.
CREATE FUNCTION keep_evidence_withdrawn() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE check_violation USING MESSAGE = format('evidence %s was withdrawn, for good', OLD.id), CONSTRAINT = 'evidence_withdrawn_for_good';
END
$$;
REVOKE EXECUTE ON FUNCTION keep_evidence_withdrawn() FROM PUBLIC;
CREATE TRIGGER evidence_withdrawn BEFORE UPDATE ON evidence FOR EACH ROW
    WHEN (OLD.withdrawn_at IS NOT NULL AND (OLD.withdrawn_at, OLD.withdrawn_by, OLD.withdrawn_reason) IS DISTINCT FROM (NEW.withdrawn_at, NEW.withdrawn_by, NEW.withdrawn_reason))
    EXECUTE FUNCTION keep_evidence_withdrawn();

-- What the level was computed by, written with it. The rows from before say levels that somebody asserted: their policy is
-- empty, until `credence assurance recompute --apply`.
ALTER TABLE person
    ADD COLUMN identity_profile     varchar(8) NOT NULL DEFAULT '',   -- the best one that is met; '': none is
    ADD COLUMN identity_profiles    text[] NOT NULL DEFAULT '{}',     -- every one that is met
    ADD COLUMN identity_ial         smallint NOT NULL DEFAULT 0 CONSTRAINT person_identity_ial_known CHECK (identity_ial BETWEEN 0 AND 3), -- NIST SP 800-63A-4; 0: no claim
    ADD COLUMN identity_policy      varchar(64) NOT NULL DEFAULT '',  -- the version of the tables; '': nothing was computed
    ADD COLUMN identity_evidence    uuid[] NOT NULL DEFAULT '{}',     -- what it was computed from
    ADD COLUMN identity_computed_at timestamptz;
GRANT UPDATE (identity_level, identity_profile, identity_profiles, identity_ial, identity_policy, identity_evidence, identity_computed_at) ON person TO credence_service;
