-- The orders of more lists, each read along an index.
-- The merges that nobody has decided, by since when: there are few at any time, wherever they are.
CREATE INDEX person_merge_open ON person_merge (proposed_at, id) WHERE state = 'proposed';

-- Positions by name, and those of which something waits for approval by since when. What a position is called stands in its versions: here
-- is by what it is sorted, without accents and in small letters, as its newest version has it, and as the version in force has it.
ALTER TABLE position
    ADD COLUMN sorted_as   text COLLATE "C", -- null: it has no version yet, which is within the transaction that makes it alone
    ADD COLUMN offered_as  text COLLATE "C", -- null: it cannot be asked for
    ADD COLUMN proposed_at timestamptz;      -- when its newest version was proposed; null: nothing waits
CREATE FUNCTION list_position() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    EXECUTE format('UPDATE %I.position SET sorted_as = lower(regexp_replace(normalize($2, NFKD), E''[\u0300-\u036F]'', '''', ''g'')), proposed_at = $3 WHERE id = $1', TG_TABLE_SCHEMA)
        USING NEW.position_id, NEW.name, CASE WHEN NEW.approved_at IS NULL THEN NEW.made_at END;
    RETURN NULL;
END
$$;
CREATE FUNCTION offer_position() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    SELECT CASE WHEN NOT v.closes THEN lower(regexp_replace(normalize(v.name, NFKD), E'[\u0300-\u036F]', '', 'g')) END INTO NEW.offered_as
    FROM position_version v WHERE v.position_id = NEW.id AND v.version = NEW.version;
    IF NOT EXISTS (SELECT FROM position_version v WHERE v.position_id = NEW.id AND v.version > NEW.version) THEN
        NEW.proposed_at := NULL;
    END IF;
    RETURN NEW;
END
$$;
REVOKE EXECUTE ON FUNCTION list_position(), offer_position() FROM PUBLIC;
UPDATE position p SET (sorted_as, proposed_at) = (
        SELECT lower(regexp_replace(normalize(v.name, NFKD), E'[\u0300-\u036F]', '', 'g')), CASE WHEN v.approved_at IS NULL THEN v.made_at END
        FROM position_version v WHERE v.position_id = p.id ORDER BY v.version DESC LIMIT 1),
    offered_as = (
        SELECT lower(regexp_replace(normalize(v.name, NFKD), E'[\u0300-\u036F]', '', 'g'))
        FROM position_version v WHERE v.position_id = p.id AND v.version = p.version AND NOT v.closes);
CREATE TRIGGER position_listed AFTER INSERT ON position_version FOR EACH ROW EXECUTE FUNCTION list_position();
CREATE TRIGGER position_offered BEFORE UPDATE OF version ON position FOR EACH ROW EXECUTE FUNCTION offer_position();
CREATE INDEX position_sorted ON position (sorted_as, id);
CREATE INDEX position_sorted_at ON position (organisation_code, sorted_as, id);
CREATE INDEX position_offered ON position (offered_as, id) WHERE offered_as IS NOT NULL;
CREATE INDEX position_offered_at ON position (organisation_code, offered_as, id) WHERE offered_as IS NOT NULL;
CREATE INDEX position_proposed ON position (id) WHERE proposed_at IS NOT NULL;
CREATE INDEX position_proposed_at ON position (organisation_code, id) WHERE proposed_at IS NOT NULL;
CREATE INDEX position_proposed_sorted ON position (sorted_as, id) WHERE proposed_at IS NOT NULL;
CREATE INDEX position_proposed_since ON position (proposed_at, id) WHERE proposed_at IS NOT NULL;

-- Applications for clients, by name.
CREATE INDEX client_application_name ON client_application (organisation_code, state, (lower(regexp_replace(normalize(name, NFKD), E'[\u0300-\u036F]', '', 'g')) COLLATE "C"), id);
