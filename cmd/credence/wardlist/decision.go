package wardlist

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// The claims that decide, and what they must say.
const (
	claimRole         = "role"
	claimEntitlements = "entitlements"
	claimLevel        = "authenticator_assurance_level"

	activityPrescribe = "B0420" // Independent Prescribing
	levelPrescribe    = "3"
)

// claims are the members of one JSON object that the provider vouches for.
type claims map[string]json.RawMessage

// text returns the claim if it is a string, and otherwise nothing.
func (c claims) text(name string) string {
	var s string
	if json.Unmarshal(c[name], &s) != nil {
		return ""
	}
	return s
}

// texts returns the claim if it is an array of strings, and otherwise nothing.
func (c claims) texts(name string) []string {
	var s []string
	if json.Unmarshal(c[name], &s) != nil {
		return nil
	}
	return s
}

// named is a thing with a code and a name, as the claims role and organisation
// give it.
type named struct {
	Code string `json:"code"`
	Name string `json:"name"`
}

// named returns the claim if it is an object with a code, and otherwise nothing.
func (c claims) named(name string) named {
	var n named
	if json.Unmarshal(c[name], &n) != nil || n.Code == "" {
		return named{}
	}
	return n
}

// prescriber says whether the claims hold the activity to prescribe.
func (c claims) prescriber() bool {
	return slices.Contains(c.texts(claimEntitlements), activityPrescribe)
}

// decision is one thing that a person may or may not do, and why.
type decision struct {
	ID         string // of the element on the page
	Action     string
	Permitted  bool
	Reason     string
	Conditions []condition
}

// condition is one thing that a decision asks of the claims.
type condition struct {
	Claim  string // where the answer is
	Needs  string // what is asked
	Found  string // what was found
	Met    bool
	Remedy string // what to do when it is not met
	reason string // the same as a clause that follows "because"
}

// decide is every rule of the ward list: who may see it, and who may prescribe.
// A claim that is absent, or not of the form expected, meets no condition.
func decide(c claims) (view, prescribe decision) {
	role := condition{
		Claim: claimRole, Needs: "a role in use", Found: "absent",
		Remedy: "Sign in again and choose a role. If you are offered none, ask the registration authority of your organisation for a position.",
		reason: "the claim " + claimRole + " is absent",
	}
	if r := c.named(claimRole); r.Code != "" {
		role.Met = true
		role.Found = "acting as " + r.label()
		role.reason = fmt.Sprintf("the claim %s is %q, %s", claimRole, r.Code, r.label())
	}

	prescriber := condition{
		Claim: claimEntitlements, Needs: "activity " + activityPrescribe + " Independent Prescribing", Found: "absent",
		Remedy: "Change to a role that may prescribe, or ask your registration authority to add the activity to this one.",
		reason: fmt.Sprintf("the claim %s does not contain %q", claimEntitlements, activityPrescribe),
	}
	remedy := "Sign in again with a security key or a smartcard."
	if c.prescriber() {
		remedy = "Press Prescribe: you will be asked to sign in more strongly, with a security key or a smartcard."
		prescriber.Met = true
		prescriber.Found = "present"
		prescriber.reason = fmt.Sprintf("the claim %s contains %q", claimEntitlements, activityPrescribe)
	}

	strong := condition{
		Claim: claimLevel, Needs: "authenticator level " + levelPrescribe, Found: "this sign-in names no level",
		Remedy: remedy,
		reason: "the claim " + claimLevel + " is absent",
	}
	if level := c.text(claimLevel); level != "" {
		strong.Met = level == levelPrescribe
		strong.Found = "this sign-in is level " + level
		strong.reason = fmt.Sprintf("the claim %s is %q", claimLevel, level)
		if !strong.Met {
			strong.reason += fmt.Sprintf(", not %q", levelPrescribe)
		}
	}

	return newDecision("decision-view", "See the ward list", role),
		newDecision("decision-prescribe", "Prescribe", prescriber, strong)
}

// newDecision permits an action when every condition is met.
func newDecision(id, action string, conditions ...condition) decision {
	var met, unmet []string
	for _, c := range conditions {
		if c.Met {
			met = append(met, c.reason)
		} else {
			unmet = append(unmet, c.reason)
		}
	}
	d := decision{ID: id, Action: action, Permitted: len(unmet) == 0, Conditions: conditions}
	if d.Permitted {
		d.Reason = "Permitted because " + strings.Join(met, ", and ") + "."
	} else {
		d.Reason = "Denied because " + strings.Join(unmet, ", and ") + "."
	}
	return d
}

// label is the name for people, or the code when there is no name.
func (n named) label() string {
	if n.Name == "" {
		return n.Code
	}
	return n.Name
}
