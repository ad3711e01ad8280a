DROP INDEX request_open_asked_by;
DROP TABLE person_merge;
DROP FUNCTION keep_merge_decided();
DROP TABLE person_change;
REVOKE UPDATE (membership_id) ON role_profile FROM credence_service;
DROP TRIGGER person_merged ON person;
DROP FUNCTION keep_person_merged();
REVOKE UPDATE (title, given_name, middle_names, family_name, display_name, email, date_of_birth) ON person FROM credence_service;
ALTER TABLE person
    DROP COLUMN merged_into,
    DROP COLUMN closed_as,
    DROP COLUMN closed_at;
