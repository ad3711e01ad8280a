-- What waits for a second checker, wherever it does, in the order in which it began to: where the organisations are many that an officer
-- looks after, all of it is looked through.
CREATE INDEX evidence_proposal_waits ON evidence_proposal (id) WHERE state = 'proposed';
