ALTER TABLE evidence_proposal DROP COLUMN account_code;
DROP TABLE account_code;
DROP FUNCTION keep_account_code_used();
