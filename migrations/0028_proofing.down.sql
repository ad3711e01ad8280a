DROP TABLE evidence_proposal;
DROP FUNCTION keep_evidence_proposal_decided();
ALTER TABLE organisation DROP COLUMN second_checker;

DROP TABLE photograph;
DROP FUNCTION keep_photograph_replaced();
