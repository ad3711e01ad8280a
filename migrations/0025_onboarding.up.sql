-- Relying-party onboarding. A developer applies for a client, another officer decides. What an application says is never
-- changed: whoever approved it approved what it says now. Who wants something else withdraws it and applies again.
CREATE TABLE client_application (
    id                          uuid PRIMARY KEY, -- of version 7: in the order in which they were made
    organisation_code           text NOT NULL REFERENCES organisation,
    environment                 text NOT NULL CONSTRAINT client_application_environment_known CHECK (environment IN ('development', 'integration', 'live')),
    follows                     uuid, -- the application for integration whose client was found ready
    name                        text NOT NULL CONSTRAINT client_application_name_length CHECK (length(name) BETWEEN 1 AND 100),
    purpose                     text NOT NULL CONSTRAINT client_application_purpose_length CHECK (length(purpose) BETWEEN 1 AND 1000),
    contact                     text NOT NULL CONSTRAINT client_application_contact_length CHECK (length(contact) BETWEEN 1 AND 254),
    authentication              text NOT NULL CONSTRAINT client_application_authentication_known CHECK (authentication IN ('none', 'client_secret_basic', 'client_secret_post')),
    redirect_uris               text[] NOT NULL CHECK (cardinality(redirect_uris) BETWEEN 1 AND 20),
    post_logout_redirect_uris   text[] NOT NULL CHECK (cardinality(post_logout_redirect_uris) <= 20),
    scopes                      text[] NOT NULL CHECK (cardinality(scopes) BETWEEN 1 AND 50),
    requires_role               boolean NOT NULL,
    minimum_authenticator_level smallint NOT NULL CHECK (minimum_authenticator_level BETWEEN 1 AND 3),
    minimum_identity_level      text NOT NULL CHECK (minimum_identity_level IN ('none', 'low', 'medium', 'high', 'very_high')),
    applied_by                  text NOT NULL REFERENCES person,
    applied_role                text NOT NULL REFERENCES role_profile, -- that she acted in
    applied_at                  timestamptz NOT NULL,
    state                       text NOT NULL DEFAULT 'open' CONSTRAINT client_application_state_known CHECK (state IN ('open', 'approved', 'refused', 'withdrawn')),
    decided_by                  text REFERENCES person,
    decided_role                text REFERENCES role_profile,
    decided_at                  timestamptz,
    decision_reason             text CONSTRAINT client_application_decision_reason_length CHECK (length(decision_reason) BETWEEN 1 AND 500),
    client_id                   text UNIQUE REFERENCES client, -- that it made
    secrets                     integer NOT NULL DEFAULT 0 CONSTRAINT client_application_secrets_count CHECK (secrets >= 0), -- that were shown
    secret_at                   timestamptz, -- when the last of them was
    CONSTRAINT client_application_of_organisation UNIQUE (organisation_code, id),
    CONSTRAINT client_application_follows_its_own FOREIGN KEY (organisation_code, follows) REFERENCES client_application (organisation_code, id),
    CONSTRAINT client_application_live_follows CHECK ((environment = 'live') = (follows IS NOT NULL)),
    CONSTRAINT client_application_decided_by_another CHECK (decided_by <> applied_by),
    CONSTRAINT client_application_decided_wholly CHECK (
        (decided_at IS NULL) = (state = 'open') AND (decision_reason IS NULL) = (state = 'open')
        AND num_nulls(decided_by, decided_role) = CASE WHEN state IN ('approved', 'refused') THEN 0 ELSE 2 END),
    CONSTRAINT client_application_approved_is_a_client CHECK ((client_id IS NOT NULL) = (state = 'approved')),
    CONSTRAINT client_application_secrets_of_a_client CHECK ((secrets > 0) = (secret_at IS NOT NULL) AND (secrets = 0 OR client_id IS NOT NULL AND authentication <> 'none'))
);
CREATE INDEX client_application_state ON client_application (organisation_code, state, id);
CREATE INDEX client_application_follows ON client_application (follows) WHERE follows IS NOT NULL;
GRANT SELECT, UPDATE (state, decided_by, decided_role, decided_at, decision_reason, client_id, secrets, secret_at),
    INSERT (id, organisation_code, environment, follows, name, purpose, contact, authentication, redirect_uris, post_logout_redirect_uris, scopes, requires_role,
        minimum_authenticator_level, minimum_identity_level, applied_by, applied_role, applied_at)
    ON client_application TO credence_service;

-- What was decided stays decided, as it was. Only the secrets of the client go on.
CREATE FUNCTION keep_application_decided() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE check_violation USING MESSAGE = format('application %s was decided, for good', OLD.id), CONSTRAINT = 'client_application_decided_for_good';
END
$$;
REVOKE EXECUTE ON FUNCTION keep_application_decided() FROM PUBLIC;
CREATE TRIGGER client_application_decided BEFORE UPDATE OF state, decided_by, decided_role, decided_at, decision_reason, client_id ON client_application
    FOR EACH ROW WHEN (OLD.state <> 'open') EXECUTE FUNCTION keep_application_decided();

-- Whether the addresses of an application answer, each time that somebody had it checked.
CREATE TABLE client_check (
    id             uuid PRIMARY KEY, -- of version 7: in the order in which they began
    application_id uuid NOT NULL REFERENCES client_application,
    checked_by     text NOT NULL REFERENCES person,
    checked_role   text NOT NULL REFERENCES role_profile,
    began_at       timestamptz NOT NULL,
    ended_at       timestamptz,
    passed         boolean,
    findings       jsonb CONSTRAINT client_check_findings_length CHECK (length(findings::text) <= 131072), -- what was tried, what came back, what to do
    CONSTRAINT client_check_ended_wholly CHECK (num_nulls(ended_at, passed, findings) IN (0, 3))
);
CREATE INDEX client_check_application ON client_check (application_id, id);
GRANT SELECT, INSERT (id, application_id, checked_by, checked_role, began_at), UPDATE (ended_at, passed, findings) ON client_check TO credence_service;

-- The secret before the last one, which works until it ends, so that a client can change from one to the other.
ALTER TABLE client
    ADD COLUMN old_secret_hash    bytea CONSTRAINT client_old_secret_hash_length CHECK (length(old_secret_hash) = 32),
    ADD COLUMN old_secret_ends_at timestamptz,
    ADD CONSTRAINT client_old_secret_ends CHECK ((old_secret_hash IS NULL) = (old_secret_ends_at IS NULL)),
    ADD CONSTRAINT client_old_secret_beside_another CHECK (old_secret_hash <> secret_hash AND (old_secret_hash IS NULL OR secret_hash IS NOT NULL));
GRANT UPDATE (old_secret_hash, old_secret_ends_at) ON client TO credence_service;
