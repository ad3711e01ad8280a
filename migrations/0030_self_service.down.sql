ALTER TABLE enrolment_link
    DROP CONSTRAINT enrolment_link_most_level_not_passed_over,
    DROP COLUMN most_level; -- what waits asks for a code that nobody was told

DROP TABLE recovery_code;
