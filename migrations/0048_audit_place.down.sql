ALTER TABLE sign_in_day DROP COLUMN listed;
DROP TABLE audit_place;
