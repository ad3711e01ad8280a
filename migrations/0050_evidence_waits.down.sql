DROP INDEX evidence_proposal_waits;
