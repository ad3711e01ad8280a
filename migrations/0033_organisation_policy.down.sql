DROP TRIGGER organisation_generation ON organisation;
ALTER TABLE organisation
    DROP COLUMN desk_authenticator_level,
    DROP COLUMN help_text,
    DROP COLUMN help_email,
    DROP COLUMN help_telephone,
    DROP COLUMN self_registration,
    DROP COLUMN policy_version;
CREATE TRIGGER organisation_generation AFTER INSERT OR UPDATE OF parent_code OR DELETE ON organisation FOR EACH STATEMENT EXECUTE FUNCTION raise_generation();
ALTER TABLE organisation ENABLE ALWAYS TRIGGER organisation_generation; -- as all of that table: 0012
