package store

import (
	"context"
	"time"
)

// FoundPerson is somebody who was looked for.
type FoundPerson struct {
	ID            string
	DisplayName   string
	IdentityLevel string
	DisabledAt    *time.Time
	Organisations []string // the names of the first of hers
}

// found completes people f by where they are, which tells those of one name apart.
const found = `
	SELECT f.id, f.display_name, f.identity_level, f.disabled_at, ARRAY(
		SELECT o.name FROM (SELECT m.organisation_code FROM membership m WHERE m.person_id = f.id ORDER BY m.organisation_code LIMIT 5) m
		JOIN organisation o ON o.code = m.organisation_code) AS organisations`

// The name of a person p as the index person_name has it, and one that is looked for: without accents.
const (
	searchedName = `regexp_replace(normalize(p.given_name || ' ' || p.family_name, NFKD), E'[\u0300-\u036F]', '', 'g')`
	lookedFor    = `regexp_replace(normalize($1, NFKD), E'[\u0300-\u036F]', '', 'g')`
)

// alike goes on from people p, those who may be meant by the name $1. It lists them likest first, or by [ByName] or [ByPerson],
// from the one after the id $2, at most $3 of them. At most $4 are looked at, so that a common name costs no more than others.
func (o Order) alike() string {
	key := `-trigram.similarity(` + lookedFor + `, ` + searchedName + `)`
	switch o.By {
	case ByName:
		key = nameKey
	case ByPerson:
		key = `p.id`
	default:
	}
	return `, likely AS (
		SELECT p.id, p.display_name, p.identity_level, p.disabled_at, ` + key + ` AS key FROM p LIMIT $4
	), f AS (
		SELECT l.id, l.display_name, l.identity_level, l.disabled_at, l.key FROM likely l
		WHERE ` + o.among(`l.key`, `l.id`, `(SELECT `+key+` FROM person p WHERE p.id = $2)`, `nullif($2, '')`) + `
		ORDER BY ` + o.by(`l.key`, `l.id`) + ` LIMIT $3
	)` + found + ` FROM f ORDER BY ` + o.by(`f.key`, `f.id`)
}

// mostLikely is how many people are looked at for a name. Whoever looks for one of more has to say more.
const mostLikely = 1000

// called says of a person p that the first and the last word of the name that is looked for are each like one of hers. Whoever has a
// common given name is like everybody who has it; who is called so is not lost among them.
const called = `split_part(` + lookedFor + `, ' ', 1) OPERATOR(trigram.<%) ` + searchedName + ` AND split_part(` + lookedFor + `, ' ', -1) OPERATOR(trigram.<%) ` + searchedName

// PeopleNamed lists people who have a name like the given one, likest first or by [ByName] or [ByPerson], from the one after the
// given id, at most limit of them. Whose whole name is like it are looked at where those who are called so do not fill the list:
// "Maryann Smith" may be Mary Ann Smith.
func (q *queries) PeopleNamed(ctx context.Context, name string, o Order, after string, limit int) ([]FoundPerson, error) {
	const columns = `p.id, p.display_name, p.given_name, p.family_name, p.identity_level, p.disabled_at`
	return all[FoundPerson](ctx, q, `
		WITH called AS MATERIALIZED ( -- or else the limit would have the table read from its beginning
			SELECT `+columns+` FROM person p WHERE `+called+`
		), first AS MATERIALIZED (SELECT `+columns+` FROM called p LIMIT $4),
		alike AS MATERIALIZED (
			SELECT `+columns+` FROM person p
			WHERE `+lookedFor+` OPERATOR(trigram.<%) `+searchedName+` AND (SELECT count(*) FROM first) < $3 AND p.id <> ALL (ARRAY(SELECT first.id FROM first))
		), p AS (
			SELECT `+columns+` FROM first p
			UNION ALL
			(SELECT `+columns+` FROM alike p LIMIT (SELECT $4 - count(*) FROM first)) -- so that none of the first is left out, whichever come first
		)`+o.alike(), name, after, limit, mostLikely)
}

// PeopleBornOn is PeopleNamed among those who were born on a day. There are so few of them that the name may be less like
// theirs.
func (q *queries) PeopleBornOn(ctx context.Context, born time.Time, name string, o Order, after string, limit int) ([]FoundPerson, error) {
	return all[FoundPerson](ctx, q, `
		WITH p AS MATERIALIZED (
			SELECT p.id, p.display_name, p.given_name, p.family_name, p.identity_level, p.disabled_at
			FROM person p WHERE p.date_of_birth = $5 AND trigram.word_similarity(`+lookedFor+`, `+searchedName+`) >= 0.3
		)`+o.alike(), name, after, limit, mostLikely, born)
}

// PeopleOfEmail is PeopleNamed for who has an e-mail address, in whatever case. Likest is then whose name is most like it.
func (q *queries) PeopleOfEmail(ctx context.Context, email string, o Order, after string, limit int) ([]FoundPerson, error) {
	return all[FoundPerson](ctx, q, `
		WITH p AS MATERIALIZED (
			SELECT p.id, p.display_name, p.given_name, p.family_name, p.identity_level, p.disabled_at FROM person p WHERE lower(p.email) = lower($1)
		)`+o.alike(), email, after, limit, mostLikely)
}

// PeopleOfID lists who has a user id: nobody, or one.
func (q *queries) PeopleOfID(ctx context.Context, id string) ([]FoundPerson, error) {
	return all[FoundPerson](ctx, q, `
		WITH f AS (SELECT p.id, p.display_name, p.identity_level, p.disabled_at FROM person p WHERE p.id = $1)`+found+` FROM f`, id)
}

// DateOfBirth reads when a person was born; nil is that it is not known.
func (q *queries) DateOfBirth(ctx context.Context, personID string) (*time.Time, error) {
	return scalar[*time.Time](ctx, q, `SELECT p.date_of_birth FROM person p WHERE p.id = $1`, personID)
}

// PositionedRole is a role that somebody has or is to have, with the position that gave it.
type PositionedRole struct {
	ID               string
	OrganisationCode string
	OrganisationName string
	JobRole          string // S:G:R code
	PositionID       string // "": it is of no position
	PositionName     string // in the version that the role gives
	StartsAt         time.Time
	EndsAt           *time.Time
}

// PositionedRoles lists the roles of a person that have not ended by id, by [ByStart] or by [ByExpiry], from the one after the given id,
// at most limit of them. Nobody has many: all of them are read.
func (q *queries) PositionedRoles(ctx context.Context, personID string, o Order, after string, limit int, now time.Time) ([]PositionedRole, error) {
	key, ordered := map[Column]string{ByStart: `r.starts_at`, ByExpiry: expiryKey}[o.By]
	beyond, by := `r.id > $2`, `r.id`
	if ordered {
		beyond, by = o.among(key, `r.id`, `(SELECT `+key+` FROM role_profile r WHERE r.id = $2)`, `nullif($2, '')`), o.by(key, `r.id`)
	}
	return all[PositionedRole](ctx, q, `
		SELECT r.id, o.code AS organisation_code, o.name AS organisation_name, r.job_role, coalesce(r.position_id, '') AS position_id,
			coalesce(v.name, '') AS position_name, r.starts_at, r.ends_at
		FROM membership m
		JOIN organisation o ON o.code = m.organisation_code
		JOIN role_profile r ON r.membership_id = m.id
		LEFT JOIN position_version v ON v.position_id = r.position_id AND v.version = r.position_version
		WHERE m.person_id = $1 AND `+beyond+` AND (r.ends_at IS NULL OR r.ends_at > $4)
		ORDER BY `+by+` LIMIT $3`, personID, after, limit, now)
}

// OpenRequestsFor lists what nobody has decided and has not lapsed of what is asked for a person, oldest first, at most limit
// of it. The codes are those by which somebody is the [Owner] of it; without any nobody is.
func (q *queries) OpenRequestsFor(ctx context.Context, personID string, codes []string, limit int, now time.Time) ([]WaitingRequest, error) {
	return all[WaitingRequest](ctx, q, `
		SELECT `+requestColumns+`, `+requestNames+`, `+ownerNames+` FROM request r`+requestNamed+owned(`$3`, `$4`)+`
		WHERE r.person_id = $1 AND r.state = 'open' AND r.lapses_at > $3 ORDER BY r.id LIMIT $2`, personID, limit, now, codes)
}

// OfferedPosition is a position that can be asked for, in the version that is in force.
type OfferedPosition struct {
	ID               string
	OrganisationCode string
	OrganisationName string
	Name             string
	Notes            string
	JobRole          string // S:G:R code
	Assignable       bool
}

// OfferedPositions lists the positions of an organisation and of those below it that can be asked for and whose name has a
// text in it, in whatever case, by id or by [ByName], from the one after the given id, at most limit of them. Where organisations are
// many, the first positions are walked through: among them are enough with a word that many have, and one that few have is quick to
// find by the index of names.
func (q *queries) OfferedPositions(ctx context.Context, organisation, text string, o Order, after string, limit int) ([]OfferedPosition, error) {
	const (
		columns = `p.id, p.organisation_code, p.offered_as, v.name, v.notes, v.job_role, v.assignable`
		shown   = `p.id, p.organisation_code, p.offered_as, p.name, p.notes, p.job_role, p.assignable` // the same, named by who has read it
		inForce = `CROSS JOIN LATERAL (SELECT v.name, v.notes, v.job_role, v.assignable FROM position_version v WHERE v.position_id = p.id AND v.version = p.version OFFSET 0) v`
		has     = `strpos(lower(v.name), lower($2)) > 0`
	)
	beyond, by := o.ofPositions(`p.offered_as`, `$3`)
	beyond += ` AND p.offered_as IS NOT NULL`
	return all[OfferedPosition](ctx, q, below+`, walked AS MATERIALIZED (
			SELECT `+shown+`
			FROM (
				SELECT `+columns+`
				FROM (
					SELECT p.id, p.organisation_code, p.version, p.offered_as FROM position p WHERE `+many+` AND length($2) >= 3 AND `+beyond+` ORDER BY `+by+` LIMIT 2000
				) p
				`+inForce+`
				WHERE `+has+`
				ORDER BY `+by+` OFFSET 0
			) p
			WHERE `+isBelow+`
			ORDER BY `+by+` LIMIT $4
		)
		SELECT p.id, o.code AS organisation_code, o.name AS organisation_name, p.name, p.notes, p.job_role, p.assignable
		FROM (
			(SELECT `+shown+` FROM below b
			CROSS JOIN LATERAL (SELECT `+columns+` FROM position p `+inForce+` WHERE p.organisation_code = b.code AND `+beyond+` AND `+has+` ORDER BY `+by+` LIMIT $4) p
			WHERE NOT `+many+`
			ORDER BY `+by+` LIMIT $4)
			UNION ALL
			(SELECT `+columns+` FROM position p `+inForce+` WHERE `+many+` AND length($2) < 3 AND `+beyond+` AND `+isBelow+` AND `+has+` ORDER BY `+by+` LIMIT $4)
			UNION ALL
			(SELECT `+shown+` FROM walked p WHERE (SELECT count(*) FROM walked) = $4)
			UNION ALL
			(SELECT `+shown+`
			FROM (
				SELECT `+columns+`
				FROM (
					SELECT v.position_id, v.version, v.name, v.notes, v.job_role, v.assignable FROM position_version v
					WHERE `+many+` AND length($2) >= 3 AND (SELECT count(*) FROM walked) < $4 AND v.name ILIKE '%' || regexp_replace($2, '([%_\\])', '\\\1', 'g') || '%' OFFSET 0
				) v
				CROSS JOIN LATERAL (SELECT p.id, p.organisation_code, p.offered_as FROM position p WHERE p.id = v.position_id AND p.version = v.version OFFSET 0) p
				WHERE `+beyond+`
				ORDER BY `+by+` OFFSET 0
			) p
			WHERE `+isBelow+`
			ORDER BY `+by+` LIMIT $4)
		) p
		JOIN organisation o ON o.code = p.organisation_code
		ORDER BY `+by, organisation, text, after, limit)
}
