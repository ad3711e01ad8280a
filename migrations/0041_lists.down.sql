DROP INDEX client_application_name;
DROP TRIGGER position_offered ON position;
DROP TRIGGER position_listed ON position_version;
DROP FUNCTION offer_position(), list_position();
ALTER TABLE position DROP COLUMN proposed_at, DROP COLUMN offered_as, DROP COLUMN sorted_as;
DROP INDEX person_merge_open;
