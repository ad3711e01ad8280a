-- People, organisations, and who acts where in which role. One person, for life: organisations grant and end role
-- profiles, they never own the person.
CREATE TABLE organisation (
    code        text PRIMARY KEY CONSTRAINT organisation_code_form CHECK (code ~ '^[A-Z0-9]{2,12}$'), -- ODS code
    name        text NOT NULL CONSTRAINT organisation_name_length CHECK (length(name) BETWEEN 1 AND 200),
    parent_code text REFERENCES organisation,
    created_at  timestamptz NOT NULL,
    CONSTRAINT organisation_not_its_parent CHECK (parent_code <> code)
);
CREATE INDEX organisation_parent ON organisation (parent_code);
GRANT SELECT, INSERT ON organisation TO credence_service;

CREATE TABLE person (
    id             text PRIMARY KEY CONSTRAINT person_id_form CHECK (id ~ '^[0-9]{12}$'),
    handle         bytea NOT NULL UNIQUE CONSTRAINT person_handle_length CHECK (length(handle) = 32), -- WebAuthn user handle: says nothing of the person
    title          text NOT NULL CHECK (length(title) <= 35),
    given_name     text NOT NULL CHECK (length(given_name) BETWEEN 1 AND 100),
    middle_names   text NOT NULL CHECK (length(middle_names) <= 100),
    family_name    text NOT NULL CHECK (length(family_name) BETWEEN 1 AND 100),
    display_name   text NOT NULL CHECK (length(display_name) BETWEEN 1 AND 200),
    email          text CHECK (length(email) <= 254),
    date_of_birth  date,
    identity_level text NOT NULL CONSTRAINT person_identity_level_known CHECK (identity_level IN ('none', 'low', 'medium', 'high', 'very_high')),
    created_at     timestamptz NOT NULL,
    disabled_at    timestamptz
);
GRANT SELECT, INSERT, UPDATE (disabled_at) ON person TO credence_service;

-- A number from a professional body, such as a GMC reference number.
CREATE TABLE professional_registration (
    person_id text NOT NULL REFERENCES person,
    body      text NOT NULL CONSTRAINT professional_registration_body_known CHECK (body IN ('gmc', 'gdc', 'gmp', 'gdp', 'nmc', 'rcn', 'gphc', 'consultant')),
    number    text NOT NULL CHECK (length(number) BETWEEN 1 AND 50),
    PRIMARY KEY (person_id, body)
);
GRANT SELECT, INSERT ON professional_registration TO credence_service;

-- A person at an organisation.
CREATE TABLE membership (
    id                text PRIMARY KEY CONSTRAINT membership_id_form CHECK (id ~ '^[0-9]{12}$'),
    person_id         text NOT NULL REFERENCES person,
    organisation_code text NOT NULL REFERENCES organisation,
    created_at        timestamptz NOT NULL,
    CONSTRAINT membership_once UNIQUE (person_id, organisation_code)
);
CREATE INDEX membership_organisation ON membership (organisation_code);
GRANT SELECT, INSERT, UPDATE (person_id) ON membership TO credence_service;

CREATE TABLE workgroup (
    id   text PRIMARY KEY CONSTRAINT workgroup_id_form CHECK (id ~ '^[0-9]{12}$'),
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 200)
);
GRANT SELECT, INSERT ON workgroup TO credence_service;

-- A role profile: what a person may act as for an organisation, and from when until when. `activities` are the
-- effective ones: the baseline of the job role and what was added here.
CREATE TABLE role_profile (
    id            text PRIMARY KEY CONSTRAINT role_profile_id_form CHECK (id ~ '^[0-9]{12}$'),
    membership_id text NOT NULL REFERENCES membership,
    job_role      text NOT NULL CONSTRAINT role_profile_job_role_form CHECK (job_role ~ '^S[0-9]{4}:G[0-9]{4}:R[0-9]{4}$'),
    areas_of_work text[] NOT NULL CHECK (cardinality(areas_of_work) <= 50),
    activities    text[] NOT NULL CHECK (cardinality(activities) <= 200),
    workgroups    text[] NOT NULL CHECK (cardinality(workgroups) <= 50),
    starts_at     timestamptz NOT NULL,
    ends_at       timestamptz,
    created_at    timestamptz NOT NULL,
    CONSTRAINT role_profile_ends_after_start CHECK (ends_at >= starts_at)
);
CREATE INDEX role_profile_membership ON role_profile (membership_id);
GRANT SELECT, INSERT, UPDATE (ends_at) ON role_profile TO credence_service;
