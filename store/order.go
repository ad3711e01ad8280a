package store

import "github.com/google/uuid"

// Column is by what a list is ordered.
type Column string

// The columns. Each list says which it knows; any other is its first.
const (
	ByLikeness Column = "likeness" // of the name to the one that is looked for
	ByName     Column = "name"     // of a person, the family name first
	ByPerson   Column = "person"   // her id
	ByPosition Column = "position" // its name
	ByAsked    Column = "asked"
	ByStart    Column = "starts"
	ByExpiry   Column = "expires" // what does not expire is last
	ByOpened   Column = "opened"
	ByDue      Column = "due"
	ByTime     Column = "at" // when it happened
)

// Order is an order of a list: by a column, from its first row or from its last, and by id where that is the same. Where a list
// goes on is said by the id of a row alone: what the row has in the column is read anew.
type Order struct {
	By         Column
	Descending bool
}

// by is what follows ORDER BY, for rows with a key and an id.
func (o Order) by(key, id string) string {
	if o.Descending {
		return key + ` DESC, ` + id + ` DESC`
	}
	return key + `, ` + id
}

// beyond is the condition that a row comes after another one, in a list that is read along an index. The key of the row is a time.
// That of the other is looked up by its id, which is null where the list begins.
func (o Order) beyond(key, id, otherKey, other string) string {
	return o.between(key, id, otherKey, other, `'-infinity'`, `'infinity'`)
}

// beyondName is beyond for keys that are names, without accents and in small letters, whatever the language: byte by byte.
func (o Order) beyondName(key, id, otherKey, other string) string {
	return o.between(key, id, otherKey, other, `''`, `E'\U0010FFFF'`)
}

// between is beyond for keys that are all after one and before another.
func (o Order) between(key, id, otherKey, other, first, last string) string {
	if o.Descending {
		return `(` + key + `, ` + id + `) < (coalesce(` + otherKey + `, ` + last + `), ` + other + `)`
	}
	return `(` + key + `, ` + id + `) > (coalesce(` + otherKey + `, ` + first + `), ` + other + `)`
}

// among is beyond for keys of any kind, in a list that is bounded and read whole.
func (o Order) among(key, id, otherKey, other string) string {
	than := `) > (`
	if o.Descending {
		than = `) < (`
	}
	return `((` + key + `, ` + id + than + otherKey + `, ` + other + `) OR ` + other + ` IS NULL)`
}

// byID is which rows come after another one, and what they are ordered by, where their ids, which are UUIDs, are in the order of time.
// The id of the other is null where the list begins.
func (o Order) byID(id, other string) (beyond, by string) {
	if o.Descending {
		return id + ` < coalesce(` + other + `, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)`, id + ` DESC`
	}
	return id + ` > coalesce(` + other + `, '00000000-0000-0000-0000-000000000000'::uuid)`, id
}

// ofPositions is which positions p come after the one whose id is an argument, "" being none, and what they are ordered by: by id, by
// [ByName], which is a column of them, or by [ByTime].
func (o Order) ofPositions(name, after string) (beyond, by string) {
	other := func(key string) string { return `(SELECT ` + key + ` FROM position p WHERE p.id = ` + after + `)` }
	key, id, none := `p.proposed_at`, `p.id`, `nullif(`+after+`, '')`
	switch o.By {
	case ByName:
		return o.beyondName(name, id, other(name), none), o.by(name, id)
	case ByTime:
		return o.beyond(key, id, other(key), none), o.by(key, id)
	default:
		return id + ` > ` + after, id
	}
}

// from is the id of the row from which a list goes on, or null where it begins.
func from(after uuid.UUID) *uuid.UUID {
	if after == uuid.Nil {
		return nil
	}
	return &after
}

// Keys of which a list is in the order. What does not expire does so after all that does.
const (
	nameKey   = `lower(regexp_replace(normalize(p.family_name || ' ' || p.given_name, NFKD), E'[\u0300-\u036F]', '', 'g'))` // of a person p
	expiryKey = `coalesce(r.ends_at, '10000-01-01Z')`                                                                       // of a role r

	introductionKey = `lower(regexp_replace(normalize(i.family_name || ' ' || i.given_name, NFKD), E'[\u0300-\u036F]', '', 'g')) COLLATE "C"` // of an introduction i
	applicationKey  = `lower(regexp_replace(normalize(a.name, NFKD), E'[\u0300-\u036F]', '', 'g')) COLLATE "C"`                               // of an application a for a client
)
