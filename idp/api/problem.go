package api

import (
	"errors"
	"net/http"
	"strings"

	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/evidence"
	"github.com/credence-id/credence/idp/oauth"
	"github.com/credence-id/credence/idp/position"
)

// Problem is why a request came to nothing: RFC 9457, of type about:blank.
type Problem struct { //nolint:errname // what RFC 9457 calls it
	Title      string       `json:"title" doc:"What the status means."`
	Status     int          `json:"status"`
	Detail     string       `json:"detail,omitempty" doc:"What is wrong, and what to do about it, for people."`
	Reason     string       `json:"reason,omitempty" doc:"Why, for programs: as in the audit record, such as no_right, own_person or another_organisation; or an error of the access token."`
	Errors     []invalid    `json:"errors,omitempty" doc:"Which values are wrong."`
	Changes    []difference `json:"changes,omitempty" doc:"What has changed since the version that the request is about."`
	Candidates []candidate  `json:"candidates,omitempty" doc:"Who on record may be the same as the person to add. Send their ids as candidates_seen when she is none of them."`
	RequestID  string       `json:"request_id" doc:"For the help desk, which finds the request by it."`
}

// Error is the detail.
func (p *Problem) Error() string { return p.Detail }

type invalid struct {
	Field string `json:"field" doc:"Of the body, or of the address."`
	Want  string `json:"want" doc:"What would be right."`
}

type difference struct {
	Field string `json:"field"`
	From  string `json:"from"`
	To    string `json:"to"`
}

// problemOf says what is told of an error. What is our fault says nothing.
func problemOf(err error) *Problem {
	if p, ok := errors.AsType[*Problem](err); ok {
		return p
	}
	if refusal, ok := errors.AsType[*position.Refusal](err); ok {
		return refused(refusal)
	}
	if token, ok := errors.AsType[*oauth.BearerError](err); ok {
		return &Problem{Status: token.Status, Reason: token.Code, Detail: token.Description}
	}
	switch {
	case errors.Is(err, directory.ErrUnknown), errors.Is(err, evidence.ErrUnknown):
		return &Problem{Status: http.StatusNotFound, Reason: "unknown", Detail: "What this is about does not exist, or not any more."}
	case errors.Is(err, evidence.ErrDuplicate):
		return &Problem{Status: http.StatusConflict, Reason: "duplicate_evidence", Detail: sentence(evidence.ErrDuplicate.Error())}
	case errors.Is(err, evidence.ErrForged):
		return &Problem{Status: http.StatusConflict, Reason: "forged_evidence", Detail: sentence(evidence.ErrForged.Error())}
	case errors.Is(err, evidence.ErrWithdrawn):
		return &Problem{Status: http.StatusConflict, Reason: "withdrawn_before", Detail: "This was withdrawn before."}
	case errors.Is(err, evidence.ErrInvalid):
		return &Problem{Status: http.StatusUnprocessableEntity, Reason: "invalid", Detail: sentence(err.Error())}
	}
	mistakes, ok := directory.Mistakes(err)
	if !ok {
		return &Problem{Status: http.StatusInternalServerError, Detail: "It is our fault, not yours. Try again in a few minutes."}
	}
	p := &Problem{Status: http.StatusUnprocessableEntity, Reason: "invalid", Detail: "Some values are wrong."}
	for _, m := range mistakes {
		p.Errors = append(p.Errors, invalid{m.Field, m.Want})
	}
	return p
}

// refused tells a refusal: that she may not, that it cannot be as things are, or that they have changed since.
func refused(refusal *position.Refusal) *Problem {
	text := (&position.Refusal{Reason: refusal.Reason, Because: refusal.Because}).Error()
	p := &Problem{Status: http.StatusConflict, Reason: string(refusal.Reason), Detail: sentence(text)}
	switch refusal.Reason {
	case position.NoRight, position.AnotherOrganisation, position.OwnPerson, position.OwnRequest, position.AboveOwn, position.NotInRole, position.NotAsker:
		p.Status = http.StatusForbidden
	case position.ChangedSince:
		p.Status = http.StatusPreconditionFailed
	default:
	}
	for _, c := range refusal.Changes {
		p.Changes = append(p.Changes, difference(c))
	}
	return p
}

func sentence(text string) string { return strings.ToUpper(text[:1]) + text[1:] + "." }
