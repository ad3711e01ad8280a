-- What soon ends of what the positions of an organisation give.
CREATE INDEX role_profile_position_ends ON role_profile (position_id, ends_at) WHERE position_id IS NOT NULL AND ends_at IS NOT NULL;
