DROP FUNCTION erase(text, text[], timestamptz);
ALTER FUNCTION erase_content(text, text[], timestamptz) RENAME TO erase;
GRANT EXECUTE ON FUNCTION erase(text, text[], timestamptz) TO credence_service;
ALTER TABLE retention_count DROP COLUMN stayed, DROP COLUMN stayed_because;
DROP INDEX break_glass_request_lapses;
DROP TRIGGER break_glass_signed ON break_glass;
ALTER TABLE break_glass DROP COLUMN erased_at;
CREATE TRIGGER break_glass_signed BEFORE UPDATE ON break_glass FOR EACH ROW EXECUTE FUNCTION keep_break_glass_signed();
