DROP TABLE role_profile, workgroup, membership, professional_registration, person, organisation;
