DROP INDEX request_open_lapses;
DROP INDEX role_profile_positioned_ends;
DROP TABLE message;
