REVOKE UPDATE (name) ON authenticator FROM credence_service;
ALTER TABLE person DROP COLUMN language;
