-- Nobody records evidence of herself that counts, and nobody withdraws her own: the rules refuse both, and so does the schema. A row
-- of before is not looked at, since the rules of then let none in; were there one it could still be withdrawn.
ALTER TABLE evidence ADD CONSTRAINT evidence_not_of_oneself
    CHECK ((recorded_by <> person_id OR withdrawn_at IS NOT NULL) AND withdrawn_by <> person_id) NOT VALID;

-- The introductions of a person are found by her alone when she is erased, which an index of those that were taken up does not serve.
CREATE INDEX introduction_of_person ON introduction (person_id) WHERE person_id IS NOT NULL;
DROP INDEX introduction_person;
