ALTER TABLE enrolment_link DROP COLUMN id, DROP COLUMN cancelled_at;
