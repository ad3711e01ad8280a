REVOKE UPDATE (expires_at) ON used_challenge FROM credence_service;
REVOKE DELETE ON session, authorization_grant, refresh_token, enrolment_link, used_challenge FROM credence_service;
