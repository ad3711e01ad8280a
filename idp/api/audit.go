package api

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/office"
	"github.com/credence-id/credence/store"
)

type linesWanted struct {
	Person       string        `json:"person,omitempty" doc:"Her user id, unless it is of an organisation."`
	Of           string        `json:"of,omitempty" enum:"about did organisation" doc:"about: what is on record about her, also when it is left out; did: what she did as an officer; organisation: of the people and the officers of an organisation and those below it."`
	Organisation string        `json:"organisation,omitempty" doc:"Its code, with of=organisation; that of the role that you act in, when it is left out."`
	Event        audit.Event   `json:"event,omitempty" doc:"Such as person_viewed; any, when it is left out. What follows each sign-in by the thousand, such as token_issued, is not read of an organisation."`
	Outcome      store.Outcome `json:"outcome,omitempty" enum:"done refused" doc:"What came of it; any, when it is left out."`
	From         string        `json:"from,omitempty" doc:"The first day, or the time from which on: RFC 3339."`
	Until        string        `json:"until,omitempty" doc:"The last day, or the time before which: RFC 3339."`
	newestFirst
}

// auditLine is a line of the record.
type auditLine struct {
	Line         int64      `json:"line"`
	At           time.Time  `json:"at"`
	Event        string     `json:"event"`
	Refusal      string     `json:"refusal,omitempty" doc:"Why it was not done; left out when it was."`
	Actor        string     `json:"actor" doc:"A user id, or an operator."`
	ActorName    string     `json:"actor_name,omitempty"`
	Role         string     `json:"role,omitempty" doc:"In which an officer acted."`
	Organisation string     `json:"organisation,omitempty" doc:"Of that role."`
	Person       string     `json:"person,omitempty" doc:"Whom it is about."`
	PersonName   string     `json:"person_name,omitempty"`
	Client       string     `json:"client_id,omitempty"`
	Grant        *uuid.UUID `json:"grant,omitempty"`
	Session      *uuid.UUID `json:"session,omitempty"`
	Address      string     `json:"address,omitempty"`
	Request      string     `json:"request_id,omitempty"`

	Changes []difference  `json:"changes" doc:"What was changed, with what it was before; of what was refused, what was to be."`
	Details []auditDetail `json:"details" doc:"What else the line says, such as a reason, and what it is about."`
}

type auditDetail struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

func auditLineOf(l office.AuditLine) auditLine {
	details := make([]auditDetail, 0, len(l.Details))
	for _, name := range slices.Sorted(maps.Keys(l.Details)) {
		details = append(details, auditDetail{name, l.Details[name]})
	}
	return auditLine{
		l.Sequence, l.At.UTC(), l.Event, l.Refusal, l.Actor, l.ActorName, l.Role.ID, l.Role.OrganisationCode, l.PersonID, l.PersonName, l.ClientID, l.GrantID, l.SessionID,
		l.Address, l.RequestID, differences(l.Changes), details,
	}
}

func (h *Handler) readAudit(c call, in linesWanted) (page[auditLine], error) {
	asked, err := in.search(c)
	if err != nil {
		return page[auditLine]{}, err
	}
	lines, more, err := h.ReadAudit(c.Context(), c.officer, asked, office.PerPage)
	return goesOn(c, lines, auditLineOf, more, lineOf), err
}

func lineOf(l office.AuditLine) string { return strconv.FormatInt(l.Sequence, 10) }

// search is what is asked for.
func (w linesWanted) search(c call) (asked office.AuditSearch, err error) {
	of := cmp.Or(w.Of, "about")
	asked = office.AuditSearch{Person: w.Person, Did: of == "did", Event: w.Event, Outcome: w.Outcome, Oldest: !w.order().Descending, After: w.line()}
	switch {
	case of == "organisation" && w.Person != "":
		return asked, &directory.InvalidError{Field: "person", Want: "nothing, or of to be about or did"}
	case of != "organisation" && w.Organisation != "":
		return asked, &directory.InvalidError{Field: "organisation", Want: "nothing, or of to be organisation"}
	case of == "organisation":
		asked.Organisation = cmp.Or(w.Organisation, c.officer.Organisation)
	}
	if w.From != "" {
		if asked.From, _, err = instant("from", w.From); err != nil {
			return asked, err
		}
	}
	if w.Until != "" {
		last, whole, err := instant("until", w.Until)
		if err != nil {
			return asked, err
		}
		if whole {
			last = last.AddDate(0, 0, 1)
		}
		asked.Until = last
	}
	return asked, nil
}

// instant reads a time, or the beginning of a day, and says whether it is a day.
func instant(field, text string) (t time.Time, whole bool, err error) {
	if t, err := time.Parse(time.RFC3339, text); err == nil && t.Year() >= 1000 {
		return t, false, nil
	}
	t, err = day(field, text)
	return t, true, err
}
