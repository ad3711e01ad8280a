ALTER TABLE request
    DROP COLUMN owner_id,
    DROP COLUMN owner_since;
