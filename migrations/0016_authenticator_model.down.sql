DROP TRIGGER organisation_generation ON organisation;
DROP TABLE fido_metadata, authenticator_policy, authenticator_model;
DROP FUNCTION keep_newest_metadata();
DELETE FROM generation WHERE name IN ('authenticator_model', 'authenticator_policy', 'fido_metadata', 'organisation');
DROP INDEX authenticator_aaguid;
ALTER TABLE authenticator DROP COLUMN attestation_verdict;
