CREATE INDEX introduction_person ON introduction (person_id) WHERE state = 'taken_up'; -- who named the address of a person
DROP INDEX introduction_of_person;
ALTER TABLE evidence DROP CONSTRAINT evidence_not_of_oneself;
