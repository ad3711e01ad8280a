-- A review of who holds the positions of an organisation. What there is to decide is written down when it is opened: each role
-- that a position gives somebody at that moment. An officer certifies that it is still needed, or removes it.
CREATE TABLE review (
    id                uuid PRIMARY KEY, -- of version 7: in the order in which they were opened
    organisation_code text NOT NULL REFERENCES organisation,
    below             boolean NOT NULL, -- it is also of the organisations below
    removes           boolean NOT NULL, -- what nobody has decided when it is due is removed
    due_at            timestamptz NOT NULL,
    reason            text NOT NULL CONSTRAINT review_reason_length CHECK (length(reason) BETWEEN 1 AND 500),
    opened_by         text NOT NULL REFERENCES person,
    opened_role       text NOT NULL REFERENCES role_profile, -- that she acted in
    opened_at         timestamptz NOT NULL,
    closed_at         timestamptz, -- null: something is left to decide
    CONSTRAINT review_due_later CHECK (due_at > opened_at)
);
CREATE UNIQUE INDEX review_open_once ON review (organisation_code) WHERE closed_at IS NULL;
CREATE INDEX review_organisation ON review (organisation_code, id);
CREATE INDEX review_open_due ON review (due_at) WHERE closed_at IS NULL;
GRANT SELECT, INSERT (id, organisation_code, below, removes, due_at, reason, opened_by, opened_role, opened_at), UPDATE (closed_at) ON review TO credence_service;

CREATE TABLE review_item (
    review_id    uuid NOT NULL REFERENCES review,
    role_id      text NOT NULL REFERENCES role_profile,
    person_id    text NOT NULL REFERENCES person, -- who held it
    given_by     text NOT NULL REFERENCES person, -- who approved that she got it, or gave it alone
    outcome      varchar(16) CONSTRAINT review_item_outcome_known CHECK (outcome IN ('certified', 'removed', 'lapsed')), -- null: not decided
    decided_by   text REFERENCES person, -- null of what lapsed: nobody did
    decided_role text REFERENCES role_profile,
    decided_at   timestamptz,
    PRIMARY KEY (review_id, role_id),
    CONSTRAINT review_item_not_of_oneself CHECK (decided_by <> person_id),
    CONSTRAINT review_item_certified_by_another CHECK (outcome <> 'certified' OR decided_by <> given_by),
    CONSTRAINT review_item_decided_wholly CHECK (
        (decided_at IS NULL) = (outcome IS NULL) AND num_nulls(decided_by, decided_role) = CASE WHEN outcome IN ('certified', 'removed') THEN 0 ELSE 2 END)
);
CREATE INDEX review_item_undecided ON review_item (review_id, role_id) WHERE outcome IS NULL;
GRANT SELECT, INSERT (review_id, role_id, person_id, given_by), UPDATE (outcome, decided_by, decided_role, decided_at) ON review_item TO credence_service;

-- What was decided stays decided, as it was.
CREATE FUNCTION keep_review_item_decided() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE check_violation USING MESSAGE = format('role %s was decided in review %s, for good', OLD.role_id, OLD.review_id), CONSTRAINT = 'review_item_decided_for_good';
END
$$;
REVOKE EXECUTE ON FUNCTION keep_review_item_decided() FROM PUBLIC;
CREATE TRIGGER review_item_decided BEFORE UPDATE ON review_item FOR EACH ROW WHEN (OLD.outcome IS NOT NULL) EXECUTE FUNCTION keep_review_item_decided();
