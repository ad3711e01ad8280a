DROP FUNCTION standing;
