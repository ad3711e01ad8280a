-- Positions that include others; the names of workgroups as they were proposed, which count when a version is approved; and
-- what makes the lists of positions quick where there are many.
ALTER TABLE position_version
    ADD COLUMN includes text[] NOT NULL DEFAULT '{}' CONSTRAINT position_version_includes_few CHECK (cardinality(includes) <= 20), -- positions
    ADD COLUMN workgroup_names text[] NOT NULL DEFAULT '{}' CONSTRAINT position_version_workgroup_names_match CHECK (cardinality(workgroup_names) IN (0, cardinality(workgroups))),
    ADD CONSTRAINT position_version_includes_not_itself CHECK (position_id <> ALL (includes));
GRANT INSERT (includes, workgroup_names) ON position_version TO credence_service;

CREATE INDEX position_version_includes ON position_version USING gin (includes) WHERE includes <> '{}';
CREATE INDEX position_version_proposed ON position_version (position_id) WHERE approved_at IS NULL;
CREATE INDEX position_version_name ON position_version USING gin (name trigram.gin_trgm_ops)
    WITH (gin_pending_list_limit = 256); -- in kB, as that of person_name

-- The catalogue of codes as the operator imported it. While it is empty the one counts that the program carries. What is not in
-- the catalogue any more is retired: nobody is given it, and who has it keeps it with its name.
CREATE TABLE catalogue_code (
    kind       varchar(16) NOT NULL CONSTRAINT catalogue_code_kind_known CHECK (kind IN ('job_role', 'activity', 'area_of_work')),
    code       varchar(17) NOT NULL CONSTRAINT catalogue_code_form CHECK (code ~ CASE kind
        WHEN 'job_role' THEN '^S[0-9]{4}:G[0-9]{4}:R[0-9]{4}$' WHEN 'activity' THEN '^B[0-9]{4}$' ELSE '^P[0-9]{4}:Q[0-9]{4}:T[0-9]{4}$' END),
    name       text[] NOT NULL CONSTRAINT catalogue_code_name_parts CHECK (cardinality(name) = CASE kind WHEN 'activity' THEN 1 ELSE 3 END),
    retired_at timestamptz,
    PRIMARY KEY (kind, code)
);
GRANT SELECT, INSERT, UPDATE (name, retired_at) ON catalogue_code TO credence_service;
INSERT INTO generation (name) VALUES ('catalogue_code');
CREATE TRIGGER catalogue_code_generation AFTER INSERT OR UPDATE OR DELETE ON catalogue_code FOR EACH STATEMENT EXECUTE FUNCTION raise_generation();
