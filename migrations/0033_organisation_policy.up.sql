-- How an organisation has its work done: what its officers sign in with, where people find help, whether they register
-- themselves. What is null is as at the nearest organisation above it that says something; what nobody says is the strictest.
ALTER TABLE organisation
    ADD COLUMN desk_authenticator_level smallint -- null, and nobody above says: 3
        CONSTRAINT organisation_desk_authenticator_level_known CHECK (desk_authenticator_level IN (2, 3)),
    ADD COLUMN help_text varchar(500)
        CONSTRAINT organisation_help_text_says_something CHECK (help_text <> ''),
    ADD COLUMN help_email varchar(254)
        CONSTRAINT organisation_help_email_form CHECK (help_email ~ '^[A-Za-z0-9._+-]+@[A-Za-z0-9.-]+$'), -- it stands in a link
    ADD COLUMN help_telephone varchar(40)
        CONSTRAINT organisation_help_telephone_form CHECK (help_telephone ~ '^\+?[0-9]( ?[0-9])+$'),
    ADD COLUMN self_registration boolean NOT NULL DEFAULT false, -- of this organisation alone: nobody below it inherits an open door
    ADD COLUMN policy_version integer NOT NULL DEFAULT 0
        CONSTRAINT organisation_policy_version_counts CHECK (policy_version >= 0);
GRANT UPDATE (desk_authenticator_level, help_text, help_email, help_telephone, self_registration, policy_version) ON organisation TO credence_service;

-- Replicas keep it in memory, with who is above whom.
DROP TRIGGER organisation_generation ON organisation;
CREATE TRIGGER organisation_generation
    AFTER INSERT OR DELETE OR UPDATE OF parent_code, second_checker, desk_authenticator_level, help_text, help_email, help_telephone, self_registration
    ON organisation FOR EACH STATEMENT EXECUTE FUNCTION raise_generation();
ALTER TABLE organisation ENABLE ALWAYS TRIGGER organisation_generation; -- as all of that table: 0012
