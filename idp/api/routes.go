package api

import (
	"net/http"
	"reflect"

	"github.com/credence-id/credence/idp/assurance"
	"github.com/credence-id/credence/idp/authority"
	"github.com/credence-id/credence/idp/oauth"
	"github.com/credence-id/credence/idp/office"
	"github.com/credence-id/credence/idp/registration"
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
	first           bool                         // conditional, but for the first
	least           assurance.AuthenticatorLevel // of the sign-in, where it is more than the organisation asks of its officers
	anybody         bool                         // not only officers: who breaks the glass is none yet
	in, out         reflect.Type                 // what is sent, and what is answered
	do              func(*Handler, call) (any, error)
}

// reading is a route that changes nothing. What it takes are parameters of the address.
func reading[In, Out any](pattern, name, summary string, acts []authority.Act, do func(*Handler, call, In) (Out, error)) route {
	return of(route{method: http.MethodGet, pattern: pattern, name: name, summary: summary, acts: acts, scope: oauth.ScopeRegistrationRead, status: http.StatusOK}, do)
}

// acting is a route that does something.
func acting[In, Out any](pattern, name, summary string, act authority.Act, do func(*Handler, call, In) (Out, error)) route {
	return of(route{method: http.MethodPost, pattern: pattern, name: name, summary: summary, acts: []authority.Act{act}, scope: oauth.ScopeRegistrationWrite, status: http.StatusOK}, do)
}

// using has a route take another method than GET and POST.
func (r route) using(method string) route {
	r.method = method
	return r
}

// at has a route ask for a sign-in of a level, whatever the organisation asks for.
func (r route) at(least assurance.AuthenticatorLevel) route {
	r.least = least
	return r
}

// byAnybody has a route let whoever comes in whom break-glass asks for.
func (r route) byAnybody() route {
	r.anybody, r.acts = true, nil
	return r
}

// of completes a route by what it does. What all routes do alike is in serve: of each, the program holds a copy of what is here.
func of[In, Out any](r route, do func(*Handler, call, In) (Out, error)) route {
	r.in, r.out = reflect.TypeFor[In](), reflect.TypeFor[Out]()
	r.do = func(h *Handler, c call) (any, error) {
		var in In
		if err := c.read(&in); err != nil {
			return nil, err
		}
		return do(h, c, in)
	}
	return r
}

// serve does what a request asks for, if its token opens the route, and answers it.
func (r route) serve(h *Handler, w http.ResponseWriter, req *http.Request) error {
	c, err := h.enter(w, req, r)
	if err != nil {
		return err
	}
	out, err := r.do(h, c)
	if err != nil {
		return err
	}
	if picture, is := out.(image); is {
		return picture.answer(w)
	}
	status := http.StatusOK
	if w.Header().Get("Location") != "" {
		status = http.StatusCreated
	}
	return answer(w, status, "application/json", out)
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

// replaces marks a route that is changes where there is something to change, and else makes the first.
func (r route) replaces() route {
	r.conditional, r.first = true, true
	return r
}

// routes is the API.
func routes() []route {
	find, prove, certify := []authority.Act{authority.FindPerson}, []authority.Act{authority.RecordEvidence}, []authority.Act{authority.ReviewAccess}
	return []route{
		reading("/api/people", "findPeople", "Find people by user id, by e-mail address, or by name, which may come with a date of birth", find, (*Handler).findPeople),
		acting("/api/people", "addPerson", "Put a person on record whom nobody there is", authority.CreatePerson, (*Handler).addPerson).creates(),
		reading("/api/people/{person}", "readPerson", "Read who somebody is and what she may act as", find, (*Handler).readPerson),
		reading("/api/people/{person}/photograph", "readPhotograph", "See the photograph of a person", find, (*Handler).readPhotograph),
		acting("/api/people/{person}/photograph", "takePhotograph", "Put a photograph of a person on record, in the place of the one there is", authority.RecordEvidence, (*Handler).takePhotograph).using(http.MethodPut).replaces(),
		reading("/api/people/{person}/history", "readHistory", "List what was done to the profile of a person", find, (*Handler).readHistory),
		reading("/api/people/{person}/evidence", "listEvidence", "List by what an identity is proved, and what is missing for more", prove, (*Handler).listEvidence),
		acting("/api/people/{person}/evidence", "recordEvidence", "Record a piece of evidence that you checked now", authority.RecordEvidence, (*Handler).recordEvidence),
		acting("/api/people/{person}/evidence/{evidence}/withdrawal", "withdrawEvidence", "Withdraw a piece of evidence", authority.RecordEvidence, (*Handler).withdrawEvidence),
		acting("/api/people/{person}/meetings", "beginMeeting", "Begin a meeting by video with a person, who is sent its code", authority.RecordEvidence, (*Handler).beginMeeting).creates(),
		reading("/api/people/{person}/meetings/{meeting}", "readMeeting", "Read a meeting by video of yours", prove, (*Handler).readMeeting),
		acting("/api/people/{person}/meetings/{meeting}/confirmation", "confirmMeeting", "Give the code that the person read aloud", authority.RecordEvidence, (*Handler).confirmMeeting),

		reading("/api/evidence-proposals", "listProposals", "List the evidence that waits for a second officer at an organisation and below it, oldest first", prove, (*Handler).listProposals),
		reading("/api/evidence-proposals/{proposal}", "readProposal", "Read a piece of evidence that waits", prove, (*Handler).readProposal),
		acting("/api/evidence-proposals/{proposal}/confirmation", "confirmProposal", "Confirm a piece of evidence that another officer checked", authority.RecordEvidence, (*Handler).confirmProposal),
		acting("/api/evidence-proposals/{proposal}/dismissal", "dismissProposal", "Dismiss a piece of evidence that waits", authority.RecordEvidence, (*Handler).dismissProposal),
		reading("/api/self-registered", "listSelfRegistered", "List who registered herself at an organisation or below it and is not proved yet, oldest first", prove, (*Handler).listSelfRegistered),

		reading("/api/people/{person}/details", "readDetails", "Read who somebody is said to be, to correct it", []authority.Act{authority.CorrectPerson}, (*Handler).readDetails),
		acting("/api/people/{person}/details", "correctPerson", "Correct who somebody is said to be, all of it", authority.CorrectPerson, (*Handler).correctPerson).changes(),
		acting("/api/people/{person}/closure", "closePerson", "Close the profile of a person, with all that she has", authority.ClosePerson, (*Handler).closePerson),
		acting("/api/people/{person}/reopening", "reopenPerson", "Open a closed profile again, with nothing of what ended", authority.ReopenPerson, (*Handler).reopenPerson),
		acting("/api/people/{person}/departure", "leave", "Record that a person leaves an organisation, at once or with the end of a day", authority.AssignPosition, (*Handler).leave),
		acting("/api/merges", "proposeMerge", "Propose that one of two profiles of a person be merged into the other", authority.MergePeople, (*Handler).proposeMerge).creates(),
		reading("/api/merges", "listMerges", "List the merges of people of an organisation and below it that nobody has decided, oldest first", []authority.Act{authority.MergePeople}, (*Handler).listMerges),
		reading("/api/merges/{merge}", "readMerge", "Read a merge, with both profiles", []authority.Act{authority.MergePeople}, (*Handler).readMerge),
		acting("/api/merges/{merge}/decision", "decideMerge", "Approve or refuse a merge that another officer proposed", authority.MergePeople, (*Handler).decideMerge),

		reading("/api/people/{person}/authenticators", "listAuthenticators", "List what a person signs in with, or did; first what works", office.OnAuthenticators(), (*Handler).listAuthenticators),
		acting("/api/people/{person}/authenticators/options", "beginBinding", "Begin to bind an authenticator to a person who is with you", authority.IssueAuthenticator, (*Handler).beginBinding),
		acting("/api/people/{person}/authenticators", "bindAuthenticator", "Bind the authenticator that answers to it", authority.IssueAuthenticator, (*Handler).bindAuthenticator).creates(),
		reading("/api/people/{person}/enrolment-links", "listEnrolmentLinks", "List the enrolment links of a person that are open", office.OnAuthenticators(), (*Handler).listEnrolmentLinks),
		acting("/api/people/{person}/enrolment-links", "makeEnrolmentLink", "Make a link by which a person enrols an authenticator, with its code", authority.IssueAuthenticator, (*Handler).makeEnrolmentLink).at(assurance.AAL3), // what is bound by it may reach any level
		acting("/api/people/{person}/enrolment-links/{link}", "cancelEnrolmentLink", "Cancel an enrolment link that is open", authority.IssueAuthenticator, (*Handler).cancelEnrolmentLink).using(http.MethodDelete),
		acting("/api/people/{person}/authenticators/{authenticator}/suspension", "suspendAuthenticator", "Have nobody sign in with an authenticator until it is resumed", registration.Suspend.Right(), changeAuthenticator(registration.Suspend)),
		acting("/api/people/{person}/authenticators/{authenticator}/resumption", "resumeAuthenticator", "Let an authenticator work again that was suspended", registration.Resume.Right(), changeAuthenticator(registration.Resume)),
		acting("/api/people/{person}/authenticators/{authenticator}/loss", "reportLostAuthenticator", "Report an authenticator lost", registration.ReportLoss.Right(), changeAuthenticator(registration.ReportLoss)),
		acting("/api/people/{person}/authenticators/{authenticator}/finding", "reportFoundAuthenticator", "Let an authenticator work again that was lost and found", registration.Find.Right(), changeAuthenticator(registration.Find)),
		acting("/api/people/{person}/authenticators/{authenticator}/return", "returnAuthenticator", "Take an authenticator back", registration.Return.Right(), changeAuthenticator(registration.Return)),
		acting("/api/people/{person}/authenticators/{authenticator}/revocation", "revokeAuthenticator", "Revoke an authenticator for good", registration.Revoke.Right(), changeAuthenticator(registration.Revoke)),
		reading("/api/stopped-authenticators", "listStoppedAuthenticators", "List what is suspended or lost, of people of an organisation and below it, oldest first", office.OnAuthenticators(), (*Handler).listStoppedAuthenticators),

		reading("/api/positions", "listPositions", "List the positions of an organisation and below it", office.OnPositions(), (*Handler).listPositions),
		acting("/api/positions", "proposePosition", "Propose a position, for another officer to approve", authority.ManagePositions, (*Handler).proposePosition).creates(),
		reading("/api/positions/{position}", "readPosition", "Read a position as it is, and as it is to be", office.OnPositions(), (*Handler).readPosition),
		reading("/api/positions/{position}/holders", "listHolders", "List who holds a position", office.OnPositions(), (*Handler).listHolders),
		reading("/api/positions/{position}/withheld", "listWithheld", "List who has less than a position gives, or would have", office.OnPositions(), (*Handler).listWithheld),
		acting("/api/positions/{position}/revision", "revisePosition", "Propose what a position is to be instead", authority.ManagePositions, (*Handler).revisePosition).changes(),
		acting("/api/positions/{position}/closure", "closePosition", "Propose that a position end, with all that it gives", authority.ManagePositions, (*Handler).closePosition).changes(),
		acting("/api/positions/{position}/approval", "approvePosition", "Approve what another officer proposed", authority.ApprovePosition, (*Handler).approvePosition).changes(),
		reading("/api/expiring-roles", "listExpiringRoles", "List what the positions of an organisation and below it give that ends, soonest first", office.OnPositions(), (*Handler).listExpiringRoles),
		reading("/api/codes", "listCodes", "List the codes of which positions are made", office.OnPositions(), (*Handler).listCodes),

		reading("/api/requests", "listRequests", "List what waits for a decision at an organisation and below it, oldest first", office.OnRequests(), (*Handler).listRequests),
		acting("/api/requests/bulk", "askBulk", "Ask for all that a file asks for: first to see what would come of it, then all or nothing", authority.RequestPosition, (*Handler).askBulk),
		acting("/api/requests", "ask", "Ask that somebody be given a position, or lose it", authority.RequestPosition, (*Handler).ask).creates(),
		reading("/api/requests/{request}", "readRequest", "Read a request", office.OnRequests(), (*Handler).readRequest),
		acting("/api/requests/{request}/taking", "takeRequest", "Take a request that waits, to look after it, from whoever did", authority.DecideRequest, (*Handler).takeRequest).changes(),
		acting("/api/requests/{request}/return", "giveBackRequest", "Give back a request that you look after", authority.DecideRequest, (*Handler).giveBackRequest),
		acting("/api/requests/{request}/decision", "decide", "Approve or refuse what another officer asked", authority.DecideRequest, (*Handler).decide),
		acting("/api/requests/{request}/withdrawal", "withdrawRequest", "Take back what you asked", authority.RequestPosition, (*Handler).withdrawRequest),

		reading("/api/reviews", "listReviews", "List the reviews of who holds the positions of an organisation and below it, newest first", certify, (*Handler).listReviews),
		acting("/api/reviews", "openReview", "Begin a review of who holds the positions of an organisation now", authority.ReviewAccess, (*Handler).openReview).creates(),
		reading("/api/reviews/{review}", "readReview", "Read how far a review is", certify, (*Handler).readReview),
		reading("/api/reviews/{review}/items", "listReviewItems", "List what a review is about", certify, (*Handler).listReviewItems),
		acting("/api/reviews/{review}/decision", "decideReview", "Certify that positions are still needed, or remove them", authority.ReviewAccess, (*Handler).decideReview),

		reading("/api/applications", "listApplications", "List the applications for clients of an organisation and below it, newest first", office.OnClients(), (*Handler).listApplications),
		acting("/api/applications", "apply", "Apply for a client", authority.ApplyClient, (*Handler).apply).creates(),
		reading("/api/applications/{application}", "readApplication", "Read an application, with its last readiness check", office.OnClients(), (*Handler).readApplication),
		acting("/api/applications/{application}/check", "checkApplication", "Try the addresses and keys of an application", authority.ApplyClient, (*Handler).checkApplication).alsoFor(authority.ApproveClient),
		acting("/api/applications/{application}/decision", "decideApplication", "Approve or refuse an application that another officer made", authority.ApproveClient, (*Handler).decideApplication),
		acting("/api/applications/{application}/withdrawal", "withdrawApplication", "Take back what you applied for", authority.ApplyClient, (*Handler).withdrawApplication),
		acting("/api/applications/{application}/secret", "rotateSecret", "Make a new secret of its client, which is answered this once", authority.ApplyClient, (*Handler).rotateSecret).changes(),
		reading("/api/applications/{application}/keys", "readKeys", "Read the public keys of its client", []authority.Act{authority.ApplyClient}, (*Handler).readKeys),
		acting("/api/applications/{application}/keys", "replaceKeys", "Put other public keys of its client in the place of those", authority.ApplyClient, (*Handler).replaceKeys).changes(),

		reading("/api/organisations/{organisation}/glance", "readGlance", "Count what needs doing at an organisation and below it", office.OnGlance(), (*Handler).readGlance),
		reading("/api/organisations/{organisation}/policy", "readPolicy", "Read how an organisation has its work done", office.OnGlance(), (*Handler).readPolicy),
		acting("/api/organisations/{organisation}/policy", "setPolicy", "Change what an organisation says of how it has its work done, all of it", authority.SetPolicy, (*Handler).setPolicy).changes().alsoFor(authority.RelaxPolicy),

		reading("/api/audit", "readAudit", "Read what is on record about a person, what she did as an officer, or what is on record of an organisation and those below it", []authority.Act{authority.ReadAudit}, (*Handler).readAudit),
		reading("/api/unusual-sign-ins", "listUnusualSignIns", "List the unusual sign-ins of people of an organisation and below it, newest first", []authority.Act{authority.ReadAudit}, (*Handler).listUnusualSignIns),
		reading("/api/retention", "readRetention", "Read what the rules of retention erased when they last ran, and will", []authority.Act{authority.ReadRetention}, (*Handler).readRetention),
		reading("/api/retention/{run}", "readRetentionRun", "Read what the rules of retention erased in a run", []authority.Act{authority.ReadRetention}, (*Handler).readRetention),

		acting("/api/break-glass/first", "askBreakGlass", "Ask to be a break-glass officer, with the code of the first envelope", "", (*Handler).askBreakGlass).creates().byAnybody(),
		acting("/api/break-glass/second", "joinBreakGlass", "See who asks and why, with the code of the second envelope", "", (*Handler).joinBreakGlass).byAnybody(),
		reading("/api/break-glass/{opening}", "readBreakGlass", "Read what you asked or opened by break-glass", nil, (*Handler).readBreakGlass).byAnybody(),
		acting("/api/break-glass/{opening}/opening", "openBreakGlass", "Open it, as who has the second envelope", "", (*Handler).openBreakGlass).byAnybody(),
		acting("/api/break-glass/{opening}/end", "endBreakGlass", "End what you opened, as either of the two", "", (*Handler).endBreakGlass).byAnybody(),
		reading("/api/break-glass-reviews", "listBreakGlass", "List what was opened by break-glass at an organisation and below it, newest first", []authority.Act{authority.ReviewBreakGlass}, (*Handler).listBreakGlass),
		reading("/api/break-glass-reviews/{opening}", "reviewBreakGlass", "Read what was opened by break-glass, and what was done", []authority.Act{authority.ReviewBreakGlass}, (*Handler).reviewBreakGlass),
		acting("/api/break-glass-reviews/{opening}/end", "stopBreakGlass", "End what was opened by break-glass", authority.ReviewBreakGlass, (*Handler).stopBreakGlass),
		acting("/api/break-glass-reviews/{opening}/signature", "signBreakGlass", "Sign for what was done by break-glass", authority.ReviewBreakGlass, (*Handler).signBreakGlass),

		reading("/api/introductions", "listIntroductions", "List who is to be put on record at an organisation and below it, with a position, oldest first", office.OnIntroductions(), (*Handler).listIntroductions),
		acting("/api/introductions", "introduce", "Ask that somebody who is not on record yet be given a position", authority.RequestPosition, (*Handler).introduce).creates(),
		reading("/api/introductions/{introduction}", "readIntroduction", "Read who is to be put on record", office.OnIntroductions(), (*Handler).readIntroduction),
		acting("/api/introductions/{introduction}/person", "takeUp", "Say who on record it is, which asks for the position", authority.TakeUpIntroduction, (*Handler).takeUp),
		acting("/api/introductions/{introduction}/dismissal", "dismiss", "Refuse it, or take back what you asked", authority.TakeUpIntroduction, (*Handler).dismiss).alsoFor(authority.RequestPosition),
	}
}
