-- Relying parties: OAuth 2.0 clients.
CREATE TABLE client (
    id                        text PRIMARY KEY CONSTRAINT client_id_form CHECK (id ~ '^[a-zA-Z0-9._-]{3,64}$'),
    name                      text NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    authentication            text NOT NULL CONSTRAINT client_authentication_known CHECK (authentication IN ('none', 'client_secret_basic', 'client_secret_post')),
    secret_hash               bytea CHECK (length(secret_hash) = 32), -- SHA-256 of 256 bits that we chose: nothing to guess, so nothing to slow down
    redirect_uris             text[] NOT NULL CHECK (cardinality(redirect_uris) BETWEEN 1 AND 20),
    post_logout_redirect_uris text[] NOT NULL CHECK (cardinality(post_logout_redirect_uris) <= 20),
    scopes                    text[] NOT NULL CHECK (cardinality(scopes) BETWEEN 1 AND 50),
    id_token_alg              text NOT NULL CONSTRAINT client_id_token_alg_known CHECK (id_token_alg IN ('RS256', 'ES256')),
    audience                  text NOT NULL CHECK (length(audience) <= 512), -- of its access tokens; '' is the issuer
    requires_role             boolean NOT NULL,
    created_at                timestamptz NOT NULL,
    disabled_at               timestamptz,
    CONSTRAINT client_secret_when_confidential CHECK ((authentication = 'none') = (secret_hash IS NULL))
);
GRANT SELECT, INSERT, UPDATE (name, authentication, secret_hash, redirect_uris, post_logout_redirect_uris, scopes, id_token_alg, audience, requires_role, disabled_at)
    ON client TO credence_service;

INSERT INTO generation (name) VALUES ('client');
CREATE TRIGGER client_generation AFTER INSERT OR UPDATE OR DELETE ON client FOR EACH STATEMENT EXECUTE FUNCTION raise_generation();
