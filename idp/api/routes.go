package api

import (
	"net/http"
	"reflect"

	"github.com/credence-id/credence/idp/authority"
	"github.com/credence-id/credence/idp/oauth"
	"github.com/credence-id/credence/idp/office"
)

// route is one thing that officers do through programs. The server, the description and the tests are made from it.
type route struct {
	method, pattern string
	name            string          // of the operation, for programs that are generated from the description
	summary         string          // for people
	acts            []authority.Act // any of which opens it
	scope           string
	status          int // of the answer
	conditional     bool
	in, out         reflect.Type // what is sent, and what is answered
	serve           func(h *Handler) func(http.ResponseWriter, *http.Request) error
}

// reading is a route that changes nothing. What it takes are parameters of the address.
func reading[In, Out any](pattern, name, summary string, acts []authority.Act, do func(*Handler, call, In) (Out, error)) route {
	return of(route{method: http.MethodGet, pattern: pattern, name: name, summary: summary, acts: acts, scope: oauth.ScopeRegistrationRead, status: http.StatusOK}, do)
}

// acting is a route that does something.
func acting[In, Out any](pattern, name, summary string, act authority.Act, do func(*Handler, call, In) (Out, error)) route {
	return of(route{method: http.MethodPost, pattern: pattern, name: name, summary: summary, acts: []authority.Act{act}, scope: oauth.ScopeRegistrationWrite, status: http.StatusOK}, do)
}

// of completes a route by what it does.
func of[In, Out any](r route, do func(*Handler, call, In) (Out, error)) route {
	r.in, r.out = reflect.TypeFor[In](), reflect.TypeFor[Out]()
	scope := r.scope
	r.serve = func(h *Handler) func(http.ResponseWriter, *http.Request) error {
		return func(w http.ResponseWriter, req *http.Request) error {
			c, err := h.enter(w, req, scope)
			if err != nil {
				return err
			}
			var in In
			if err := c.read(&in); err != nil {
				return err
			}
			out, err := do(h, c, in)
			if err != nil {
				return err
			}
			status := http.StatusOK
			if w.Header().Get("Location") != "" {
				status = http.StatusCreated
			}
			return answer(w, status, "application/json", out)
		}
	}
	return r
}

// creates marks a route that makes something new.
func (r route) creates() route {
	r.status = http.StatusCreated
	return r
}

// alsoFor opens a route to another act.
func (r route) alsoFor(act authority.Act) route {
	r.acts = append(r.acts, act)
	return r
}

// changes marks a route that changes what somebody has seen before: its request says in which version.
func (r route) changes() route {
	r.conditional = true
	return r
}

// routes is the API.
func routes() []route {
	find, prove := []authority.Act{authority.FindPerson}, []authority.Act{authority.RecordEvidence}
	return []route{
		reading("/api/people", "findPeople", "Find people by user id, by e-mail address, or by name, which may come with a date of birth", find, (*Handler).findPeople),
		acting("/api/people", "addPerson", "Put a person on record whom nobody there is", authority.CreatePerson, (*Handler).addPerson).creates(),
		reading("/api/people/{person}", "readPerson", "Read who somebody is and what she may act as", find, (*Handler).readPerson),
		reading("/api/people/{person}/evidence", "listEvidence", "List by what an identity is proved, and what is missing for more", prove, (*Handler).listEvidence),
		acting("/api/people/{person}/evidence", "recordEvidence", "Record a piece of evidence that you checked now", authority.RecordEvidence, (*Handler).recordEvidence),
		acting("/api/people/{person}/evidence/{evidence}/withdrawal", "withdrawEvidence", "Withdraw a piece of evidence", authority.RecordEvidence, (*Handler).withdrawEvidence),

		reading("/api/positions", "listPositions", "List the positions of an organisation and below it", office.OnPositions(), (*Handler).listPositions),
		acting("/api/positions", "proposePosition", "Propose a position, for another officer to approve", authority.ManagePositions, (*Handler).proposePosition).creates(),
		reading("/api/positions/{position}", "readPosition", "Read a position as it is, and as it is to be", office.OnPositions(), (*Handler).readPosition),
		reading("/api/positions/{position}/holders", "listHolders", "List who holds a position", office.OnPositions(), (*Handler).listHolders),
		acting("/api/positions/{position}/revision", "revisePosition", "Propose what a position is to be instead", authority.ManagePositions, (*Handler).revisePosition).changes(),
		acting("/api/positions/{position}/closure", "closePosition", "Propose that a position end, with all that it gives", authority.ManagePositions, (*Handler).closePosition).changes(),
		acting("/api/positions/{position}/approval", "approvePosition", "Approve what another officer proposed", authority.ApprovePosition, (*Handler).approvePosition).changes(),

		reading("/api/requests", "listRequests", "List what waits for a decision at an organisation and below it, oldest first", office.OnRequests(), (*Handler).listRequests),
		acting("/api/requests", "ask", "Ask that somebody be given a position, or lose it", authority.RequestPosition, (*Handler).ask).creates(),
		reading("/api/requests/{request}", "readRequest", "Read a request", office.OnRequests(), (*Handler).readRequest),
		acting("/api/requests/{request}/decision", "decide", "Approve or refuse what another officer asked", authority.DecideRequest, (*Handler).decide),
		acting("/api/requests/{request}/withdrawal", "withdrawRequest", "Take back what you asked", authority.RequestPosition, (*Handler).withdrawRequest),

		reading("/api/introductions", "listIntroductions", "List who is to be put on record at an organisation and below it, with a position, oldest first", office.OnIntroductions(), (*Handler).listIntroductions),
		acting("/api/introductions", "introduce", "Ask that somebody who is not on record yet be given a position", authority.RequestPosition, (*Handler).introduce).creates(),
		reading("/api/introductions/{introduction}", "readIntroduction", "Read who is to be put on record", office.OnIntroductions(), (*Handler).readIntroduction),
		acting("/api/introductions/{introduction}/person", "takeUp", "Say who on record it is, which asks for the position", authority.TakeUpIntroduction, (*Handler).takeUp),
		acting("/api/introductions/{introduction}/dismissal", "dismiss", "Refuse it, or take back what you asked", authority.TakeUpIntroduction, (*Handler).dismiss).alsoFor(authority.RequestPosition),
	}
}
