package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/credence-id/credence/idp/assurance"
)

// text is the explanation for people. What a terminal would obey instead of show, it shows as a replacement character.
func (x explanation) text() string {
	var b strings.Builder
	section := func(title string, lines ...string) {
		if b.Len() > 0 {
			b.WriteString("\n")
		}
		for i, line := range append([]string{title}, lines...) {
			if i > 0 {
				b.WriteString("  ")
			}
			b.WriteString(strings.Map(shown, line) + "\n")
		}
	}
	section(fmt.Sprintf("1. Client %s (%s)", x.Client.ID, x.Client.Name), x.Client.lines()...)
	section("2. What is asked", x.Asked.lines()...)
	section(fmt.Sprintf("3. Person %s (%s)", x.Person.ID, x.Person.Name), x.Person.lines()...)
	section("4. What she can sign in with", x.signInLines()...)
	decided := 5
	switch {
	case !x.Client.Enabled:
		section("5. Decision", "Whoever comes from a client that is disabled is shown a page that says so.")
	case !x.Person.Enabled:
		section("5. Decision", "Nobody is signed in as a person who is disabled.")
	case x.SignIn == "":
		section("5. Decision", "She has nothing to sign in with, so she does not get in. --authenticator security-key says what one would change.")
	case len(x.RefusedBy) > 0:
		section("5. Decision", fmt.Sprintf("Nobody of %s signs in with %s: the policy refuses it, of whatever model it is.", strings.Join(x.RefusedBy, ", "), x.SignIn))
	case slices.Equal(x.Already.lines(), x.SigningIn.lines()):
		section(fmt.Sprintf("5. Decision, when she signs in with %s, at level %s", x.SignIn, x.Level), x.SigningIn.lines()...)
	default:
		section(fmt.Sprintf("5. Decision, when she is signed in already with %s, at level %s", x.SignIn, x.Level), x.Already.lines()...)
		section(fmt.Sprintf("6. Decision, when she signs in with %s, at level %s, because of the request", x.SignIn, x.Level), x.SigningIn.lines()...)
		decided = 6
	}
	if x.Reached != nil && x.Client.Enabled {
		section(fmt.Sprintf("%d. What she reaches with %s, by each of its names", decided+1, x.SignIn), x.Reached.lines()...)
	}
	return b.String()
}

func (x explanation) signInLines() []string {
	lines := each(x.Authenticators, explainedAuthenticator.line)
	if len(lines) == 0 {
		lines = []string{"Nothing is on record."}
	}
	lines = append(lines, each(x.Policies, explainedPolicy.line)...)
	switch {
	case x.Simulated && len(x.Authenticators) == 0:
		lines = append(lines, "This is a database of `credence dev`, where a sign-in is simulated, by any method. Where none is simulated she does not get in.")
	case x.Simulated:
		lines = append(lines, "This is a database of `credence dev`, where a sign-in can be simulated as well, by any method.")
	}
	return lines
}

func (c explainedClient) lines() []string {
	lines := []string{"It is enabled."}
	if !c.Enabled {
		lines[0] = "It is disabled: nobody signs in for it."
	}
	if c.MinimumAuthenticator > 1 {
		lines = append(lines, fmt.Sprintf("It lets nobody in who signs in at less than level %d.", c.MinimumAuthenticator))
	}
	if c.MinimumIdentity != string(assurance.IdentityNone) {
		lines = append(lines, fmt.Sprintf("It lets nobody in whose identity is proved to less than level %s.", c.MinimumIdentity))
	}
	if c.RequiresRole {
		lines = append(lines, "It lets nobody in without a role.")
	}
	if c.Trustmark != "" {
		lines = append(lines, "It reads vectors of trust by "+c.Trustmark+".")
	}
	if c.VerifiedClaims == "" {
		lines = append(lines, "It may not ask for verified claims.")
	}
	return lines
}

func (d explainedDemand) lines() []string {
	if d.Mistake != "" {
		return []string{"It cannot be read: " + d.Mistake}
	}
	var lines []string
	if d.Default {
		lines = append(lines, "The request asks for no level, so what is registered of the client holds.")
	}
	for _, t := range d.Terms {
		lines = append(lines, fmt.Sprintf("%s, of %s, takes %s (%s: %s).", t.Name, t.Vocabulary, takes(t), mappingWords(t.Mapping), t.Source))
	}
	for _, value := range d.Unknown {
		lines = append(lines, fmt.Sprintf("%.60q is not a value that is known here, so nothing meets it.", value))
	}
	switch {
	case len(d.Values)+len(d.Vectors) == 0:
		return append(lines, "No level.")
	case len(d.Vectors) > 0:
		lines = append(lines, "Any of these will do, and of each all components: "+strings.Join(d.Vectors, ", ")+".")
	}
	if d.Essential {
		return append(lines, "It is essential: who does not reach it does not get in.")
	}
	return append(lines, "It is voluntary: who does not reach it gets in all the same, and the client is told what is true.")
}

// takes says what a term takes.
func takes(t assurance.Term) string {
	var parts []string
	if t.Authenticator > 0 {
		parts = append(parts, "a sign-in at level "+t.Authenticator.String())
	}
	if len(t.AMR) > 0 {
		parts = append(parts, "amr "+strings.Join(t.AMR, " and "))
	}
	if t.PhishingResistant {
		parts = append(parts, "resistance to phishing")
	}
	if t.HardwareBound {
		parts = append(parts, "a key in hardware of a known model")
	}
	if t.Identity != "" {
		parts = append(parts, "an identity proved to level "+string(t.Identity))
	}
	switch {
	case !t.Supported:
		return "what nothing here can meet"
	case len(parts) == 0:
		return "nothing"
	}
	return strings.Join(parts, ", ")
}

func mappingWords(mapping string) string {
	if mapping == "published" {
		return mapping
	}
	return "our reading"
}

func (p explainedPerson) lines() []string {
	lines := []string{"She may sign in."}
	if !p.Enabled {
		lines[0] = "She is disabled: `credence person enable " + p.ID + "` lets her in again."
	}
	identity := "Her identity is proved to level " + outcomeWords(p.Identity)
	switch {
	case p.Identity.PolicyVersion != "":
		identity += ", by the rules " + p.Identity.PolicyVersion
	case p.Identity.Level != assurance.IdentityNone:
		identity += ": nothing on record proves it"
	}
	lines = append(lines, identity+".")
	if ial := p.Identity.IAL.String(); ial != "" {
		lines = append(lines, "By NIST SP 800-63A that evidence is "+ial+".")
	}
	if len(p.Roles) == 0 {
		return append(lines, "She has no role.")
	}
	return append(lines, "She may act as "+strings.Join(p.Roles, ", ")+".")
}

func (a explainedAuthenticator) line() string {
	level := "refused"
	if a.Level != "" {
		level = "level " + a.Level
	}
	line := fmt.Sprintf("%s (%s, %s): %s; %s.", a.Name, a.Kind, a.ID, level, strings.Join(a.Why, "; "))
	if a.Outcome != nil {
		line += " Signing in with it: " + strings.ReplaceAll(a.Outcome.Result, "_", " ") + "."
	}
	return line
}

// claimWords is the value of a claim for people: of a list its members.
func claimWords(value any) string {
	if list, ok := value.([]any); ok {
		return strings.Join(each(list, claimWords), " ")
	}
	return fmt.Sprint(value)
}

func (o outcome) lines() []string {
	lines := slices.Clone(o.Words)
	for _, name := range slices.Sorted(maps.Keys(o.Claims)) {
		lines = append(lines, name+": "+claimWords(o.Claims[name]))
	}
	for _, part := range slices.Sorted(maps.Keys(o.Verified)) {
		answer := "left out: it is not allowed for the client, or nothing on record is what is asked for"
		if o.Verified[part] {
			answer = "given"
		}
		lines = append(lines, "verified_claims of "+part+": "+answer)
	}
	return lines
}
