-- By what an officer knows that the account which somebody made herself is that of whom she meets: a code that the account shows, and that
-- is read aloud to her. The code is nowhere in the database: it is a keyed hash of the id. Of each person there is the last one.
CREATE TABLE account_code (
    person_id   text PRIMARY KEY REFERENCES person,
    id          uuid NOT NULL, -- of version 7
    made_at     timestamptz NOT NULL,
    ends_at     timestamptz NOT NULL, -- until then it works, once
    used_at     timestamptz,
    wrong_codes integer NOT NULL DEFAULT 0 CONSTRAINT account_code_wrong_codes_count CHECK (wrong_codes BETWEEN 0 AND 5), -- of this code and of those before
    wrong_until timestamptz, -- until then they count, and when there are five none works
    CONSTRAINT account_code_times CHECK (made_at <= ends_at AND used_at BETWEEN made_at AND ends_at),
    CONSTRAINT account_code_wrong_for_a_while CHECK ((wrong_until IS NULL) = (wrong_codes = 0))
);
GRANT SELECT, INSERT (person_id, id, made_at, ends_at), UPDATE (id, made_at, ends_at, used_at, wrong_codes, wrong_until) ON account_code TO credence_service;

-- Each is used once, and a new one makes no used one work again.
CREATE FUNCTION keep_account_code_used() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE check_violation USING MESSAGE = format('the code %s of the account of person %s was used', OLD.id, OLD.person_id), CONSTRAINT = 'account_code_used_once';
END
$$;
REVOKE EXECUTE ON FUNCTION keep_account_code_used() FROM PUBLIC;
CREATE TRIGGER account_code_used BEFORE UPDATE ON account_code FOR EACH ROW
    WHEN (OLD.used_at IS NOT NULL AND NEW.id = OLD.id AND (NEW.used_at IS DISTINCT FROM OLD.used_at OR NEW.ends_at > OLD.ends_at))
    EXECUTE FUNCTION keep_account_code_used();

-- What waits for a second officer was checked with whoever has the account. What a replica of the release before proposed was not, for all that is known.
ALTER TABLE evidence_proposal ADD COLUMN account_code boolean NOT NULL DEFAULT false;
GRANT INSERT (account_code) ON evidence_proposal TO credence_service;
