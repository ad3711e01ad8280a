-- How often something failed lately, so that all replicas slow down whoever fails often. What failed is a slot, a number
-- of 20 bits that only the holder of the seal key can compute: the table says nothing of anybody, and nobody makes it
-- grow beyond 2^20 rows of a kind. A crash may lose the counts, which then begin anew: they are not worth the log.
CREATE UNLOGGED TABLE throttle (
    kind     text NOT NULL CHECK (length(kind) BETWEEN 1 AND 64),
    slot     integer NOT NULL CHECK (slot BETWEEN 0 AND 1048575),
    failures integer NOT NULL CHECK (failures > 0),
    most     integer NOT NULL CHECK (most > 0), -- failures that reach the limit
    reached  boolean NOT NULL GENERATED ALWAYS AS (failures >= most) STORED, -- a column, so that counting up to the limit changes no index
    ends_at  timestamptz NOT NULL, -- of the window, which the first failure begins
    PRIMARY KEY (kind, slot)
);
CREATE INDEX throttle_expiry ON throttle (ends_at);
CREATE INDEX throttle_reached ON throttle (ends_at) WHERE reached;
GRANT SELECT, INSERT, UPDATE (failures, most, ends_at), DELETE ON throttle TO credence_service;
