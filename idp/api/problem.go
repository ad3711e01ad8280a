package api

import (
	"errors"
	"net/http"
	"strings"

	"github.com/credence-id/credence/idp/breakglass"
	"github.com/credence-id/credence/idp/deed"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/evidence"
	"github.com/credence-id/credence/idp/lifecycle"
	"github.com/credence-id/credence/idp/oauth"
	"github.com/credence-id/credence/idp/onboarding"
	"github.com/credence-id/credence/idp/position"
	"github.com/credence-id/credence/idp/registration"
	"github.com/credence-id/credence/idp/throttle"
	"github.com/credence-id/credence/idp/webauthn"
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

// differences are what was changed.
func differences(changes []deed.Change) []difference {
	list := make([]difference, len(changes))
	for i, c := range changes {
		list[i] = difference(c)
	}
	return list
}

// problemOf says what is told of an error. What is our fault says nothing.
func problemOf(err error) *Problem {
	if p, ok := errors.AsType[*Problem](err); ok {
		return p
	}
	if refusal, ok := errors.AsType[*deed.Refusal](err); ok {
		return refused(refusal)
	}
	if token, ok := errors.AsType[*oauth.BearerError](err); ok {
		return &Problem{Status: token.Status, Reason: token.Code, Detail: token.Description}
	}
	if found, ok := errors.AsType[*registration.StateError](err); ok {
		return &Problem{Status: http.StatusConflict, Reason: "authenticator_" + string(found.State), Detail: sentence(found.Error()), Changes: []difference{{"state", "", string(found.State)}}}
	}
	if found, ok := errors.AsType[*registration.LinkOverError](err); ok {
		return &Problem{Status: http.StatusConflict, Reason: "link_over", Detail: sentence(found.Error()), Changes: []difference{{"state", "open", found.State}}}
	}
	if found, ok := errors.AsType[*webauthn.Refusal](err); ok {
		return ceremonyRefused(found)
	}
	if _, beyond := errors.AsType[*throttle.LimitError](err); beyond {
		return &Problem{Status: http.StatusTooManyRequests, Reason: "too_many_failures", Detail: "Too many codes have failed. Wait some minutes, then try again."}
	}
	switch {
	case errors.Is(err, registration.ErrAnotherPassword):
		return &Problem{Status: http.StatusConflict, Reason: "another_password", Detail: sentence(registration.ErrAnotherPassword.Error())}
	case errors.Is(err, directory.ErrUnknown), errors.Is(err, evidence.ErrUnknown):
		return &Problem{Status: http.StatusNotFound, Reason: "unknown", Detail: "What this is about does not exist, or not any more."}
	case errors.Is(err, evidence.ErrDuplicate):
		return &Problem{Status: http.StatusConflict, Reason: "duplicate_evidence", Detail: sentence(evidence.ErrDuplicate.Error())}
	case errors.Is(err, evidence.ErrForged):
		return &Problem{Status: http.StatusConflict, Reason: "forged_evidence", Detail: sentence(evidence.ErrForged.Error())}
	case errors.Is(err, evidence.ErrNoAccountCode):
		return &Problem{Status: http.StatusConflict, Reason: "no_account_code", Detail: sentence(evidence.ErrNoAccountCode.Error())}
	case errors.Is(err, evidence.ErrAccountCode):
		return &Problem{Status: http.StatusConflict, Reason: "wrong_code", Detail: sentence(evidence.ErrAccountCode.Error())}
	case errors.Is(err, evidence.ErrAccountCodes):
		return &Problem{Status: http.StatusConflict, Reason: "too_many_codes", Detail: sentence(evidence.ErrAccountCodes.Error())}
	case errors.Is(err, evidence.ErrInvalid):
		return &Problem{Status: http.StatusUnprocessableEntity, Reason: "invalid", Detail: sentence(err.Error())}
	}
	return wrong(err)
}

// ceremonyRefused says why an authenticator was not bound.
func ceremonyRefused(refusal *webauthn.Refusal) *Problem {
	p := &Problem{Status: http.StatusUnprocessableEntity, Reason: refusal.Reason, Detail: registration.Explain(refusal.Reason)}
	switch refusal.Reason {
	case webauthn.AuthenticatorKnown, webauthn.TooMany:
		p.Status = http.StatusConflict
	case webauthn.LevelAbove:
		p.Status = http.StatusForbidden
	case webauthn.NameInvalid:
		p.Errors = []invalid{{"name", "1 to 60 letters, digits and signs"}}
	case webauthn.CeremonyInvalid, webauthn.CeremonyExpired, webauthn.ChallengeReplayed:
		p.Detail = "The ceremony is over, or was begun for another person or by another grant. Begin another."
		p.Errors = []invalid{{"ceremony", "what was answered for this person a few minutes ago, and not answered to yet"}}
	default:
		if refusal.OfModel() {
			p.Status = http.StatusForbidden
			break
		}
		if refusal.Reason != webauthn.NotDiscoverable {
			p.Detail = "This authenticator could not be added. Begin again, or use another one."
		}
		p.Errors = []invalid{{"response", "the RegistrationResponseJSON of an authenticator that was made with these options"}}
	}
	return p
}

// wrong says which values are, or that it is our fault.
func wrong(err error) *Problem {
	p := &Problem{Status: http.StatusUnprocessableEntity, Reason: "invalid", Detail: "Some values are wrong."}
	var others []error
	for _, e := range directory.Parts(err) {
		if mistake, is := errors.AsType[*oauth.Mistake](e); is { // about a client
			p.Errors = append(p.Errors, invalid{mistake.Field, mistake.Error()})
			continue
		}
		others = append(others, e)
	}
	mistakes, ok := directory.Mistakes(errors.Join(others...))
	if !ok && len(others) > 0 {
		return &Problem{Status: http.StatusInternalServerError, Detail: "It is our fault, not yours. Try again in a few minutes."}
	}
	for _, m := range mistakes {
		p.Errors = append(p.Errors, invalid{m.Field, m.Want})
	}
	return p
}

// refused tells a refusal: that she may not, that it cannot be as things are, or that they have changed since.
func refused(refusal *deed.Refusal) *Problem {
	p := &Problem{Status: http.StatusConflict, Reason: string(refusal.Reason), Detail: refusal.Sentence()}
	switch refusal.Reason {
	case lifecycle.OwnClosing, onboarding.NotApplicant, onboarding.NotAbove, deed.NoRight, deed.AnotherOrganisation, deed.OwnPerson, deed.OwnRequest, deed.OwnOrganisation, deed.AboveOwn, deed.NotInRole, position.NotAsker:
		p.Status = http.StatusForbidden
	case breakglass.OwnEnvelope, breakglass.OwnOpening, deed.NotProved:
		p.Status = http.StatusForbidden
	case breakglass.CodeWrong, breakglass.OtherEnvelope:
		p.Status, p.Errors = http.StatusUnprocessableEntity, []invalid{{"code", "the code of this envelope of the organisation"}}
	case deed.ChangedSince, position.BoundByOthers, position.OwnedSince, onboarding.SecretSince, onboarding.KeysSince:
		p.Status = http.StatusPreconditionFailed
	default:
	}
	p.Changes = differences(refusal.Changes)
	return p
}

func sentence(text string) string { return strings.ToUpper(text[:1]) + text[1:] + "." }
