-- The role credence_service stays: it belongs to the cluster, and other databases may use it.
DROP FUNCTION raise_generation();
DROP TABLE generation;
DROP TABLE development;
