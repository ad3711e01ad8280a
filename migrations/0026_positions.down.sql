DELETE FROM generation WHERE name = 'catalogue_code';
DROP TABLE catalogue_code;
DROP INDEX position_version_name, position_version_proposed, position_version_includes;
ALTER TABLE position_version
    DROP CONSTRAINT position_version_includes_not_itself,
    DROP COLUMN workgroup_names,
    DROP COLUMN includes;
