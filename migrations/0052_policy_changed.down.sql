ALTER TABLE organisation
    DROP CONSTRAINT organisation_policy_changed_wholly,
    DROP COLUMN policy_by,
    DROP COLUMN policy_at;
