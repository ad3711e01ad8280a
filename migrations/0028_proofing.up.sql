-- The photograph of a person, taken by an officer: what was encoded anew of an image, and never the image that was handed in.
-- One that is replaced stays: whoever looks into a fraud asks whose face was on record then.
CREATE TABLE photograph (
    id           uuid PRIMARY KEY, -- of version 7
    person_id    text NOT NULL REFERENCES person,
    image_sealed bytea NOT NULL CONSTRAINT photograph_image_length CHECK (length(image_sealed) BETWEEN 1 AND 262144), -- a JPEG
    way          varchar(8) NOT NULL CONSTRAINT photograph_way_known CHECK (way IN ('camera', 'upload')),
    taken_at     timestamptz NOT NULL,
    taken_by     text NOT NULL REFERENCES person,
    taken_role   text NOT NULL REFERENCES role_profile, -- that she acted in
    replaced_at  timestamptz, -- null: it is the one on record
    CONSTRAINT photograph_not_of_oneself CHECK (taken_by <> person_id)
);
ALTER TABLE photograph ALTER COLUMN image_sealed SET STORAGE EXTERNAL; -- what is sealed has nothing to compress
CREATE UNIQUE INDEX photograph_current ON photograph (person_id) WHERE replaced_at IS NULL;
GRANT SELECT, INSERT (id, person_id, image_sealed, way, taken_at, taken_by, taken_role), UPDATE (replaced_at) ON photograph TO credence_service;

-- What was replaced stays so: of two photographs nobody can make the older the one on record.
CREATE FUNCTION keep_photograph_replaced() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE check_violation USING MESSAGE = format('photograph %s was replaced, for good', OLD.id), CONSTRAINT = 'photograph_replaced_for_good';
END
$$;
REVOKE EXECUTE ON FUNCTION keep_photograph_replaced() FROM PUBLIC;
CREATE TRIGGER photograph_replaced BEFORE UPDATE ON photograph FOR EACH ROW
    WHEN (OLD.replaced_at IS NOT NULL AND NEW.replaced_at IS DISTINCT FROM OLD.replaced_at) EXECUTE FUNCTION keep_photograph_replaced();

-- An organisation may ask that what is recorded there, and below it, is confirmed by a second officer. Until then it is a
-- proposal, and no evidence: nothing can follow from it. What it says rests sealed, and goes when it is decided.
ALTER TABLE organisation ADD COLUMN second_checker boolean NOT NULL DEFAULT false;
GRANT UPDATE (second_checker) ON organisation TO credence_service;
CREATE TABLE evidence_proposal (
    id                uuid PRIMARY KEY, -- of version 7: in the order in which they were made
    person_id         text NOT NULL REFERENCES person,
    organisation_code text NOT NULL REFERENCES organisation, -- where it was checked
    kind              varchar(64) NOT NULL,
    piece_sealed      bytea CONSTRAINT evidence_proposal_piece_length CHECK (length(piece_sealed) <= 32768),
    proposed_at       timestamptz NOT NULL,
    proposed_by       text NOT NULL REFERENCES person,
    proposed_role     text NOT NULL REFERENCES role_profile, -- that she acted in
    state             varchar(16) NOT NULL DEFAULT 'proposed' CONSTRAINT evidence_proposal_state_known CHECK (state IN ('proposed', 'confirmed', 'dismissed')),
    decided_at        timestamptz,
    decided_by        text REFERENCES person,
    decided_role      text REFERENCES role_profile,
    CONSTRAINT evidence_proposal_not_of_oneself CHECK (proposed_by <> person_id AND decided_by <> person_id),
    CONSTRAINT evidence_proposal_confirmed_by_another CHECK (state <> 'confirmed' OR decided_by <> proposed_by),
    CONSTRAINT evidence_proposal_decided_wholly CHECK (num_nulls(decided_at, decided_by, decided_role) = CASE state WHEN 'proposed' THEN 3 ELSE 0 END),
    CONSTRAINT evidence_proposal_piece_until_decided CHECK ((piece_sealed IS NULL) = (state <> 'proposed'))
);
CREATE INDEX evidence_proposal_person ON evidence_proposal (person_id, id) WHERE state = 'proposed';
CREATE INDEX evidence_proposal_organisation ON evidence_proposal (organisation_code, id) WHERE state = 'proposed';
GRANT SELECT, INSERT (id, person_id, organisation_code, kind, piece_sealed, proposed_at, proposed_by, proposed_role),
    UPDATE (piece_sealed, state, decided_at, decided_by, decided_role) ON evidence_proposal TO credence_service;

CREATE FUNCTION keep_evidence_proposal_decided() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE check_violation USING MESSAGE = format('evidence proposal %s was decided, for good', OLD.id), CONSTRAINT = 'evidence_proposal_decided_for_good';
END
$$;
REVOKE EXECUTE ON FUNCTION keep_evidence_proposal_decided() FROM PUBLIC;
CREATE TRIGGER evidence_proposal_decided BEFORE UPDATE ON evidence_proposal FOR EACH ROW WHEN (OLD.state <> 'proposed') EXECUTE FUNCTION keep_evidence_proposal_decided();
