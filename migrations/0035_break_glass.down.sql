DROP TRIGGER role_profile_break_glass ON role_profile;
ALTER TABLE role_profile DROP CONSTRAINT role_profile_break_glass_is_short;
DROP TABLE break_glass;
DROP TABLE break_glass_request;
DROP TABLE break_glass_seal;
DROP FUNCTION keep_break_glass_seal_ended(), keep_break_glass_signed(), keep_break_glass_short();
