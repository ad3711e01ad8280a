DROP TRIGGER authorization_grant_refresh_tokens ON authorization_grant;
DROP FUNCTION delete_refresh_tokens();

ALTER TABLE refresh_token
    ADD CONSTRAINT refresh_token_grant_id_fkey FOREIGN KEY (grant_id) REFERENCES authorization_grant ON DELETE CASCADE,
    ADD CONSTRAINT refresh_token_hash_check CHECK (length(hash) = 32);
