-- What relying parties may ask of whoever signs in, and what they do ask, bound to the grant that answers them.
ALTER TABLE client
    ADD COLUMN default_acr_values          text[] NOT NULL DEFAULT '{}' CONSTRAINT client_default_acr_values_count CHECK (cardinality(default_acr_values) <= 20),
    ADD COLUMN minimum_authenticator_level smallint NOT NULL DEFAULT 1 CONSTRAINT client_minimum_authenticator_level_known CHECK (minimum_authenticator_level BETWEEN 1 AND 3),
    ADD COLUMN minimum_identity_level      text NOT NULL DEFAULT 'none'
        CONSTRAINT client_minimum_identity_level_known CHECK (minimum_identity_level IN ('none', 'low', 'medium', 'high', 'very_high')),
    ADD COLUMN trustmark                   text NOT NULL DEFAULT '' CONSTRAINT client_trustmark_length CHECK (length(trustmark) <= 40), -- by which it reads vectors of trust; '': it does not
    ADD COLUMN verified_claims             text NOT NULL DEFAULT '' -- the spelling in which it may ask for verified claims; '': it may not
        CONSTRAINT client_verified_claims_known CHECK (verified_claims IN ('', 'oidf', 'uk'));
GRANT UPDATE (default_acr_values, minimum_authenticator_level, minimum_identity_level, trustmark, verified_claims) ON client TO credence_service;

-- In the rows from before nothing was asked, and nothing bounds what their tokens say. The lengths are the types', as in 0013.
ALTER TABLE authorization_grant
    ADD COLUMN identity_level varchar(9) NOT NULL DEFAULT 'very_high', -- of the person when the grant was given: a token never says more
    ADD COLUMN demand         jsonb,                                   -- what was asked of the sign-in, which tokens answer
    ADD COLUMN claims         varchar(16384) NOT NULL DEFAULT '';      -- the parameter of OpenID Connect Core 1.0, Section 5.5
