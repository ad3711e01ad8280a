-- Who changed last how an organisation has its work done, and when: whoever would change it at the same time is told. Of what was changed
-- before this, the audit record alone says it.
ALTER TABLE organisation
    ADD COLUMN policy_by text, -- an officer, or an operator
    ADD COLUMN policy_at timestamptz,
    ADD CONSTRAINT organisation_policy_changed_wholly CHECK ((policy_by IS NULL) = (policy_at IS NULL));
GRANT UPDATE (policy_by, policy_at) ON organisation TO credence_service;
