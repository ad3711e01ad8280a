DROP INDEX introduction_person;
DROP TABLE meeting;
DROP FUNCTION keep_meeting();
