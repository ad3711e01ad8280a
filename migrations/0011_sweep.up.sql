-- Dead rows are swept by the service itself: of these tables it may delete, and of no other. The audit record is never
-- swept; nor are people, what they act as, authenticators, clients and keys.
GRANT DELETE ON session, authorization_grant, refresh_token, enrolment_link, used_challenge TO credence_service;

-- A row is locked before it is deleted, and to lock one takes the right to change a column.
GRANT UPDATE (expires_at) ON used_challenge TO credence_service;
