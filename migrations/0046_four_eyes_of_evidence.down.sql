ALTER TABLE evidence DROP CONSTRAINT evidence_not_of_oneself;
