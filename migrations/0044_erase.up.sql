-- What people wrote when they opened break-glass and when they signed for it goes some years after it was signed for. That it was
-- opened, by whom, and who signed for it stays.
ALTER TABLE break_glass
    ADD COLUMN erased_at timestamptz,
    ADD CONSTRAINT break_glass_erased_wholly CHECK (erased_at IS NULL OR signed_at IS NOT NULL AND (reason, note) = ('[erased]', '[erased]'));
CREATE INDEX break_glass_due ON break_glass (signed_at) WHERE signed_at IS NOT NULL AND erased_at IS NULL;
DROP TRIGGER break_glass_signed ON break_glass;
CREATE TRIGGER break_glass_signed BEFORE UPDATE ON break_glass FOR EACH ROW
    WHEN ((OLD.erased_at IS NULL) = (NEW.erased_at IS NULL)) EXECUTE FUNCTION keep_break_glass_signed();
CREATE INDEX break_glass_request_lapses ON break_glass_request (lapses_at); -- those that nobody opened are swept

-- A record that cannot be erased stays, and the report says so.
ALTER TABLE retention_count
    ADD COLUMN stayed         integer NOT NULL DEFAULT 0,
    ADD COLUMN stayed_because varchar(250) NOT NULL DEFAULT ''; -- the last of them
GRANT UPDATE (stayed, stayed_because) ON retention_count TO credence_service;

-- What the service may have erased is decided here, and done as before. What was changed of a profile has no end, so it has an age: it
-- is a year old at least, or of a profile that is closed.
ALTER FUNCTION erase(text, text[], timestamptz) RENAME TO erase_content;
REVOKE EXECUTE ON FUNCTION erase_content(text, text[], timestamptz) FROM credence_service;
CREATE FUNCTION erase(what text, which text[], as_of timestamptz) RETURNS integer LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    erased integer;
BEGIN
    IF what = 'break_glass' THEN
        UPDATE break_glass b SET reason = '[erased]', note = '[erased]', erased_at = as_of
        WHERE b.id = ANY (which::uuid[]) AND b.signed_at IS NOT NULL AND b.erased_at IS NULL AND NOT on_hold(b.asked_by) AND NOT on_hold(b.confirmed_by);
        GET DIAGNOSTICS erased = ROW_COUNT;
        RETURN erased;
    END IF;
    IF what = 'person_change' THEN
        which := ARRAY(SELECT c.id::text FROM person_change c JOIN person p ON p.id = c.person_id
            WHERE c.id = ANY (which::uuid[]) AND (c.at <= as_of - interval '1 year' OR p.closed_at IS NOT NULL));
    END IF;
    RETURN erase_content(what, which, as_of);
END
$$;
DO $$
BEGIN
    EXECUTE format('ALTER FUNCTION erase(text, text[], timestamptz) SET search_path = pg_catalog, %I, pg_temp', current_schema());
END
$$;
REVOKE EXECUTE ON FUNCTION erase(text, text[], timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION erase(text, text[], timestamptz) TO credence_service;
