DROP TRIGGER role_profile_proved ON role_profile;
DROP FUNCTION refuse_role_of_unproved();
DROP INDEX person_unproved;
ALTER TABLE person DROP COLUMN self_registered_organisation;
DELETE FROM message WHERE self_registration_id IS NOT NULL; -- the links in them lead nowhere any more
ALTER TABLE message
    DROP COLUMN self_registration_id, -- and what says that a message has one or the other
    ALTER COLUMN person_id SET NOT NULL;
DROP TABLE self_registration;
