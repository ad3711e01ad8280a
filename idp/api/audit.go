package api

import (
	"cmp"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/office"
)

type linesWanted struct {
	Person string      `json:"person" doc:"Her user id."`
	Of     string      `json:"of,omitempty" enum:"about did" doc:"about: what is on record about her, also when it is left out; did: what she did as an officer."`
	Event  audit.Event `json:"event,omitempty" doc:"Such as person_viewed; any, when it is left out."`
	From   string      `json:"from,omitempty" format:"date" doc:"The first day."`
	Until  string      `json:"until,omitempty" format:"date" doc:"The last day."`
	Order  string      `json:"order,omitempty" enum:"newest oldest" doc:"Which comes first; newest, when it is left out."`
	after
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
}

func auditLineOf(l office.AuditLine) auditLine {
	return auditLine{
		l.Sequence, l.At.UTC(), l.Event, l.Refusal, l.Actor, l.ActorName, l.Role.ID, l.Role.OrganisationCode, l.PersonID, l.PersonName, l.ClientID, l.GrantID, l.SessionID,
		l.Address, l.RequestID,
	}
}

func (h *Handler) readAudit(c call, in linesWanted) (page[auditLine], error) {
	asked, err := in.search()
	if err != nil {
		return page[auditLine]{}, err
	}
	lines, more, err := h.ReadAudit(c.Context(), c.officer, asked, office.PerPage)
	return goesOn(c, lines, auditLineOf, more, lineOf), err
}

func lineOf(l office.AuditLine) string { return strconv.FormatInt(l.Sequence, 10) }

// search is what is asked for.
func (w linesWanted) search() (asked office.AuditSearch, err error) {
	of, order := cmp.Or(w.Of, "about"), cmp.Or(w.Order, "newest")
	asked = office.AuditSearch{Person: w.Person, Did: of == "did", Event: w.Event, Oldest: order == "oldest", After: w.line()}
	switch {
	case !slices.Contains([]string{"about", "did"}, of):
		return asked, &directory.InvalidError{Field: "of", Want: "about or did"}
	case !slices.Contains([]string{"newest", "oldest"}, order):
		return asked, &directory.InvalidError{Field: "order", Want: "newest or oldest"}
	}
	if w.From != "" {
		if asked.From, err = day("from", w.From); err != nil {
			return asked, err
		}
	}
	if w.Until != "" {
		last, err := day("until", w.Until)
		if err != nil {
			return asked, err
		}
		asked.Until = last.AddDate(0, 0, 1)
	}
	return asked, nil
}
