package wardlist

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"golang.org/x/oauth2"
)

const maxForm = 4 << 10 // bytes of a form

// stepUp is the prescription for which somebody was sent to sign in better.
type stepUp struct {
	subject string // who wants to prescribe
	bed     string
	asked   challenge
}

// prescribe asks the API for a prescription in the name of whoever is signed
// in, and sends them to sign in better if the API says so.
func (s *Server) prescribe(w http.ResponseWriter, r *http.Request) error {
	id, current, ok := s.session(r)
	if !ok {
		http.Redirect(w, r, "/", http.StatusSeeOther)
		return nil
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	bed := r.PostFormValue("bed")
	made, asked, err := s.callAPI(r.Context(), current, bed)
	if err != nil {
		return err
	}
	if asked == nil {
		s.prescribed(w, r, id, current, made)
		return nil
	}
	// RFC 9470, Section 4.
	started := pending{stepUp: &stepUp{current.subject, bed, *asked}}
	var options []oauth2.AuthCodeOption
	if asked.acrValues != nil {
		options = append(options, oauth2.SetAuthURLParam("acr_values", strings.Join(asked.acrValues, " ")))
	}
	if asked.maxAge != nil {
		started.freshSince = s.config.Now().Add(-*asked.maxAge)
		options = append(options, oauth2.SetAuthURLParam("max_age", seconds(*asked.maxAge)))
	}
	return s.authorize(w, r, started, nil, options...)
}

// resume goes on with a prescription after the sign-in that it needed. It asks
// the API once: whoever is challenged again is told so and not sent to the
// provider again, for what came back from there once would come back for ever.
func (s *Server) resume(w http.ResponseWriter, r *http.Request, id string, current session, wanted stepUp) error {
	if current.subject != wanted.subject {
		return unprescribed(current, http.StatusForbidden, "Somebody else signed in",
			"The person who signed in is not the one who wanted to prescribe.",
			"If you wish to prescribe, press Prescribe in your own name.", errors.New("the subject changed in the step-up"))
	}
	// RFC 9470, Section 5: the provider may answer with less than it was asked
	// for. The age of the sign-in it may not choose, and that was checked with
	// the rest of the ID token.
	if acr := current.idToken.text("acr"); wanted.asked.acrValues != nil && !slices.Contains(wanted.asked.acrValues, acr) {
		return notStrongEnough(current, wanted.asked)
	}
	made, asked, err := s.callAPI(r.Context(), current, wanted.bed)
	if err != nil {
		return err
	}
	if asked != nil {
		return notStrongEnough(current, *asked)
	}
	s.prescribed(w, r, id, current, made)
	return nil
}

// prescribed shows what was prescribed.
func (s *Server) prescribed(w http.ResponseWriter, r *http.Request, id string, current session, made prescription) {
	current.prescribed = made
	s.sessions.replace(id, current)
	http.Redirect(w, r, "/#prescribed", http.StatusSeeOther)
}

// callAPI asks the API for a prescription. The challenge is nil unless the API
// wants another sign-in first.
func (s *Server) callAPI(ctx context.Context, current session, bed string) (prescription, *challenge, error) {
	body, err := json.Marshal(order{Bed: bed})
	if err != nil {
		return prescription{}, nil, fmt.Errorf("write the order: %w", err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.config.URL+prescriptionsPath, bytes.NewReader(body))
	if err != nil {
		return prescription{}, nil, fmt.Errorf("address the API: %w", err)
	}
	request.Header.Set("Authorization", "Bearer "+current.token.AccessToken)
	request.Header.Set("Content-Type", "application/json")
	response, err := s.client.Do(request)
	if err != nil {
		return prescription{}, nil, noAnswer(current, fmt.Errorf("call the API: %w", err))
	}
	defer response.Body.Close()
	switch response.StatusCode {
	case http.StatusCreated:
		var made prescription
		if err := json.NewDecoder(response.Body).Decode(&made); err != nil || made.Bed != bed {
			return prescription{}, nil, noAnswer(current, errors.New("the API answered with something else than the prescription"))
		}
		return made, nil, nil
	case http.StatusUnauthorized:
		asked, err := parseChallenge(strings.Join(response.Header.Values("WWW-Authenticate"), ", "))
		if err != nil {
			return prescription{}, nil, noAnswer(current, fmt.Errorf("read the API's challenge: %w", err))
		}
		if asked.code == insufficientSignIn {
			return prescription{}, &asked, nil
		}
		return prescription{}, nil, unprescribed(current, http.StatusForbidden, "Your sign-in has run out",
			"The prescribing service no longer accepts this sign-in.",
			"Sign in again, then press Prescribe.", fmt.Errorf("the API answered %s", shorten(asked.code)))
	case http.StatusForbidden:
		return prescription{}, nil, unprescribed(current, http.StatusForbidden, "You may not prescribe",
			"The role you act in does not hold the activity "+activityPrescribe+", Independent Prescribing.",
			"Change to a role that may prescribe, or ask your registration authority to add the activity to this one.",
			errors.New("the API refused the role"))
	case http.StatusBadRequest:
		return prescription{}, nil, unprescribed(current, http.StatusBadRequest, "There is no such bed",
			"The prescribing service does not know the bed that you chose.",
			"Go back to the list and choose a bed there.", errors.New("the API refused the order"))
	default:
		return prescription{}, nil, noAnswer(current, fmt.Errorf("the API answered %s", response.Status))
	}
}

// unprescribed is the end of a prescription that was not made. It leaves the
// session as it is.
func unprescribed(current session, status int, heading, what, advice string, cause error) *problem {
	return &problem{
		Status: status, Heading: heading, What: what + " Nothing was prescribed.", Advice: advice,
		SignedInAs: current.person(), cause: cause,
	}
}

// noAnswer is the end of a prescription to which the API gave no answer that
// makes sense: it may have been made.
func noAnswer(current session, cause error) *problem {
	return &problem{
		Status: http.StatusBadGateway, Heading: "The prescribing service did not answer",
		What:       "It is not known whether anything was prescribed.",
		Advice:     "Wait a moment and look before you try again. If it goes on, tell whoever runs the ward list.",
		SignedInAs: current.person(), cause: cause,
	}
}

// notStrongEnough is the end of a step-up that did not lead up.
func notStrongEnough(current session, asked challenge) *problem {
	what := "You signed in, but not in the way that prescribing needs"
	if asked.acrValues != nil {
		what += ": it asks for " + shorten(strings.Join(asked.acrValues, " or "))
		if acr := current.idToken.text("acr"); acr != "" {
			what += ", and this sign-in is " + shorten(acr)
		}
	}
	if asked.maxAge != nil {
		what += fmt.Sprintf(". The sign-in must be no more than %d minutes old", int(*asked.maxAge/time.Minute))
	}
	return unprescribed(current, http.StatusForbidden, "Your sign-in was not strong enough", what+".",
		"Press Prescribe again and use a security key or a smartcard. If you have none, ask the registration authority of your organisation for one.",
		errors.New("the step-up did not meet the challenge"))
}
