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
	if o.Descending {
		return `(` + key + `, ` + id + `) < (coalesce(` + otherKey + `, 'infinity'), ` + other + `)`
	}
	return `(` + key + `, ` + id + `) > (coalesce(` + otherKey + `, '-infinity'), ` + other + `)`
}

// among is beyond for keys of any kind, in a list that is bounded and read whole.
func (o Order) among(key, id, otherKey, other string) string {
	than := `) > (`
	if o.Descending {
		than = `) < (`
	}
	return `((` + key + `, ` + id + than + otherKey + `, ` + other + `) OR ` + other + ` IS NULL)`
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
)
