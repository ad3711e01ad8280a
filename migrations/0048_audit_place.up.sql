-- Of which organisations a line of the record is: of those where the person that it is about had a role then, of the one where the officer acted
-- who did it, and of each above them. It is noted as the record is read (sign_in_reading), so that the record of an organisation is read along
-- an index. Lines from before are found by their person alone. Sign-ins, which are most of it, are deleted with the days that count them; the
-- rest stays as long as the record. Lines of what services cause by the thousand are not here.
CREATE TABLE audit_place (
    organisation_code text NOT NULL,
    at                timestamptz NOT NULL,
    sequence          bigint NOT NULL, -- of the line
    event             text NOT NULL,
    refused           boolean NOT NULL,
    PRIMARY KEY (organisation_code, at, sequence)
);
CREATE INDEX audit_place_event ON audit_place (organisation_code, event, at, sequence);
CREATE INDEX audit_place_refused ON audit_place (organisation_code, at, sequence) WHERE refused;
CREATE INDEX audit_place_sign_in ON audit_place (at) WHERE event = 'signed_in';
GRANT SELECT, INSERT (organisation_code, at, sequence, event, refused), DELETE ON audit_place TO credence_service;

-- How many sign-ins of the day are listed there. It is all of them, but for days that a program of before has counted.
ALTER TABLE sign_in_day ADD COLUMN listed integer NOT NULL DEFAULT 0 CONSTRAINT sign_in_day_lists CHECK (listed BETWEEN 0 AND sign_ins);
GRANT INSERT (listed), UPDATE (listed) ON sign_in_day TO credence_service;
