-- In which language somebody is written to, as a BCP 47 tag: the one that she chose, or in which she was when she enrolled. Null is
-- that nobody knows. A replica that does not know the column writes to her in English.
ALTER TABLE person ADD COLUMN language text CONSTRAINT person_language_known CHECK (language IN ('en-GB', 'cy'));
GRANT UPDATE (language) ON person TO credence_service;
GRANT UPDATE (name) ON authenticator TO credence_service; -- which its person gives it
