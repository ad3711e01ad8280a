-- Recovery codes: secrets that a person keeps for when she cannot use what she signs in with (saved recovery codes of NIST SP
-- 800-63B-4, Section 4.2.1.1). One that was used, or replaced, is not there any more. Only keyed hashes are kept.
CREATE TABLE recovery_code (
    mac        bytea PRIMARY KEY CONSTRAINT recovery_code_mac_length CHECK (length(mac) = 32),
    person_id  text NOT NULL REFERENCES person,
    created_at timestamptz NOT NULL
);
CREATE INDEX recovery_code_person ON recovery_code (person_id);
GRANT SELECT, INSERT, DELETE ON recovery_code TO credence_service;

-- What is bound through the link of a recovery never reaches more than a level. Such a link has the keyed hash of a code that
-- nobody was told: a replica of the release before, which knows of no such level, asks for the code and binds nothing.
ALTER TABLE enrolment_link
    ADD COLUMN most_level smallint CONSTRAINT enrolment_link_most_level_known CHECK (most_level BETWEEN 1 AND 2), -- null: any
    ADD CONSTRAINT enrolment_link_most_level_not_passed_over CHECK (most_level IS NULL OR code_mac IS NOT NULL);
