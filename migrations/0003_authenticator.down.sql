DROP TABLE used_challenge, enrolment_link, authenticator;
