DROP TABLE refresh_token, authorization_grant;
