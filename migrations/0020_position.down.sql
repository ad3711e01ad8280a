DROP INDEX role_profile_ra_manager;
ALTER TABLE role_profile
    DROP COLUMN request_id,
    DROP COLUMN position_id;
DROP TABLE request_queue;
DROP TABLE request;
DROP FUNCTION unqueue_request();
DROP FUNCTION queue_request();
ALTER TABLE position DROP CONSTRAINT position_version_in_force;
DROP TABLE position_version;
DROP TABLE position;
DROP FUNCTION keep_position_approved();
DROP FUNCTION keep_version_approved();
DROP FUNCTION keep_request_decided();
