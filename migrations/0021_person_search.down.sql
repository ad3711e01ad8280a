DROP INDEX person_email;
DROP INDEX person_born;
DROP INDEX person_name;
DROP EXTENSION pg_trgm;
DROP SCHEMA trigram;
