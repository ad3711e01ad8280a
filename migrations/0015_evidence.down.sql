REVOKE UPDATE (identity_level) ON person FROM credence_service;
ALTER TABLE person
    DROP COLUMN identity_computed_at,
    DROP COLUMN identity_evidence,
    DROP COLUMN identity_policy,
    DROP COLUMN identity_ial,
    DROP COLUMN identity_profiles,
    DROP COLUMN identity_profile;
DROP TABLE evidence;
DROP FUNCTION keep_evidence_withdrawn();
