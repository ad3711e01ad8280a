ALTER TABLE authorization_grant
    DROP COLUMN claims,
    DROP COLUMN demand,
    DROP COLUMN identity_level;

ALTER TABLE client
    DROP COLUMN verified_claims,
    DROP COLUMN trustmark,
    DROP COLUMN minimum_identity_level,
    DROP COLUMN minimum_authenticator_level,
    DROP COLUMN default_acr_values;
