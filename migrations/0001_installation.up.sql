-- The service role: what the running server may do is granted to it, table by table, beside each table's definition.
-- It is a role of the whole cluster, so it may exist already, and another database may be creating it at this moment.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'credence_service') THEN
        CREATE ROLE credence_service NOLOGIN;
    END IF;
EXCEPTION
    WHEN duplicate_object OR unique_violation THEN NULL;
    WHEN insufficient_privilege THEN
        RAISE EXCEPTION 'the role credence_service does not exist and the owner may not create it'
            USING HINT = 'As a superuser: CREATE ROLE credence_service LOGIN PASSWORD ''...'';';
END
$$;

-- A row here marks the database of `credence dev`, whose sign-ins are simulated. `credence serve` refuses such a database.
CREATE TABLE development (
    marked_at timestamptz NOT NULL
);
CREATE UNIQUE INDEX development_once ON development ((true));
GRANT SELECT ON development TO credence_service;

-- The server compares the version of the schema with its own before it serves.
GRANT SELECT ON schema_migrations TO credence_service;

-- Small sets that every replica keeps in memory (clients, signing keys) carry a number that rises with each change,
-- so that a replica asks for one row to learn that it is up to date.
CREATE TABLE generation (
    name  text PRIMARY KEY,
    value bigint NOT NULL DEFAULT 0
);
GRANT SELECT ON generation TO credence_service;

-- A trigger raises the number, so that no writer can forget it. It runs as the owner: the service may change a client,
-- and may not touch a number without having changed one. No temporary table of the service stands in for `generation`
-- (its triggers would run as the owner), and no table of the service's own may carry the trigger.
CREATE FUNCTION raise_generation() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    EXECUTE format('UPDATE %I.generation SET value = value + 1 WHERE name = $1', TG_TABLE_SCHEMA) USING TG_TABLE_NAME;
    RETURN NULL;
END
$$;
REVOKE EXECUTE ON FUNCTION raise_generation() FROM PUBLIC;
