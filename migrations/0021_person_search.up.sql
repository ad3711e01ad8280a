-- People are found by name, also by one that is not spelled quite as on record, by name and date of birth, and by e-mail
-- address. A name is looked for without its accents, and without regard to case and to the order of its words.
CREATE SCHEMA trigram; -- what the extension brings stays apart from what is ours
CREATE EXTENSION pg_trgm SCHEMA trigram;
GRANT USAGE ON SCHEMA trigram TO credence_service;
CREATE INDEX person_name ON person USING gin
    (regexp_replace(normalize(given_name || ' ' || family_name, NFKD), E'[\u0300-\u036F]', '', 'g') trigram.gin_trgm_ops)
    WITH (gin_pending_list_limit = 256); -- in kB: each search reads from end to end what was added last
CREATE INDEX person_born ON person (date_of_birth) WHERE date_of_birth IS NOT NULL;
CREATE INDEX person_email ON person (lower(email)) WHERE email IS NOT NULL;
