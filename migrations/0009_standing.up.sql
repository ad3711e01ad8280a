-- What decides access, read as one: a person with the current roles, and whether person, client, session, authenticator and
-- role profile all still stand. Every entry point joins it into the read that it makes anyway, so that none can
-- forget one of them, and nothing that was disabled, ended or revoked works a moment longer.
CREATE FUNCTION standing(
    for_person  text,
    for_client  text,        -- null: no client is concerned
    for_session uuid,        -- null: no session is concerned
    for_authenticator uuid,  -- null: no authenticator is concerned
    for_role    text,        -- null: no role was chosen
    as_of       timestamptz,
    OUT person_stands        boolean,
    OUT client_stands        boolean,
    OUT session_stands       boolean, -- it was not ended; its time limits are the caller's to compare
    OUT authenticator_stands boolean,
    OUT role_stands          boolean,
    OUT person               jsonb
) RETURNS SETOF record LANGUAGE sql STABLE AS $$
    SELECT p.disabled_at IS NULL,
           for_client IS NULL OR EXISTS (SELECT FROM client c WHERE c.id = for_client AND c.disabled_at IS NULL),
           for_session IS NULL OR EXISTS (SELECT FROM session s WHERE s.id = for_session AND s.person_id = p.id AND s.ended_at IS NULL),
           for_authenticator IS NULL OR EXISTS (SELECT FROM authenticator a WHERE a.id = for_authenticator AND a.person_id = p.id AND a.revoked_at IS NULL),
           for_role IS NULL OR EXISTS (
               SELECT FROM role_profile r JOIN membership m ON m.id = r.membership_id
               WHERE r.id = for_role AND m.person_id = p.id AND r.starts_at <= as_of AND (r.ends_at IS NULL OR r.ends_at > as_of)),
           jsonb_build_object(
               'id', p.id,
               'title', p.title,
               'given_name', p.given_name,
               'middle_names', p.middle_names,
               'family_name', p.family_name,
               'display_name', p.display_name,
               'email', coalesce(p.email, ''),
               'identity_level', p.identity_level,
               'registrations', coalesce((
                   SELECT jsonb_agg(jsonb_build_object('body', g.body, 'number', g.number) ORDER BY g.body)
                   FROM professional_registration g WHERE g.person_id = p.id), '[]'),
               'memberships', coalesce((
                   SELECT jsonb_agg(jsonb_build_object('id', m.id, 'organisation_code', o.code, 'organisation_name', o.name) ORDER BY m.id)
                   FROM (SELECT * FROM membership m WHERE m.person_id = p.id ORDER BY m.id LIMIT 100) m
                   JOIN organisation o ON o.code = m.organisation_code), '[]'),
               'roles', coalesce((
                   SELECT jsonb_agg(jsonb_build_object(
                       'id', r.id,
                       'membership_id', r.membership_id,
                       'organisation_code', r.code,
                       'organisation_name', r.name,
                       'job_role', r.job_role,
                       'areas_of_work', r.areas_of_work,
                       'activities', r.activities,
                       'workgroups', coalesce((
                           SELECT jsonb_agg(jsonb_build_object('id', w.id, 'name', w.name) ORDER BY u.n)
                           FROM unnest(r.workgroups) WITH ORDINALITY u (id, n) JOIN workgroup w ON w.id = u.id), '[]')) ORDER BY r.id)
                   FROM (SELECT r.*, o.code, o.name
                         FROM membership m
                         JOIN organisation o ON o.code = m.organisation_code
                         JOIN role_profile r ON r.membership_id = m.id
                         WHERE m.person_id = p.id AND r.starts_at <= as_of AND (r.ends_at IS NULL OR r.ends_at > as_of)
                         ORDER BY r.id LIMIT 100) r), '[]'))
    FROM person p
    WHERE p.id = for_person
$$;
