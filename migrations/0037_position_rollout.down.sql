DROP TRIGGER position_rolled_out ON position;
DROP FUNCTION queue_rollout();
DROP TABLE position_rollout;
REVOKE UPDATE (job_role, areas_of_work, activities, workgroups) ON role_profile FROM credence_service;
DROP TRIGGER role_profile_in_position ON role_profile;
DROP TRIGGER role_profile_given ON role_profile;
DROP FUNCTION keep_role_in_position(), give_version_asked();
ALTER TABLE role_profile DROP COLUMN withheld, DROP COLUMN position_version;
