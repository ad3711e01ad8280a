-- The merges that nobody has decided, by since when: there are few at any time, wherever they are.
CREATE INDEX person_merge_open ON person_merge (proposed_at, id) WHERE state = 'proposed';
