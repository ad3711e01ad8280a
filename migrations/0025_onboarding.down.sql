ALTER TABLE client DROP COLUMN old_secret_hash, DROP COLUMN old_secret_ends_at;
DROP TABLE client_check;
DROP TABLE client_application;
DROP FUNCTION keep_application_decided();
