package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/assurance"
)

// explainedPolicy is what an organisation of a person asks of authenticators.
type explainedPolicy struct {
	Organisation string   `json:"organisation"`
	From         string   `json:"from"` // whose policy it is: hers, or that of one above
	DeviceBound  bool     `json:"device_bound"`
	Attestation  bool     `json:"attestation"`
	Allowed      []string `json:"allowed"`
	Denied       []string `json:"denied"`
}

func (e *explainer) policies() []explainedPolicy {
	list := []explainedPolicy{}
	for _, m := range e.person.Person.Memberships {
		if p, ok := e.models.Policy(m.OrganisationCode); ok {
			list = append(list, explainedPolicy{
				m.OrganisationCode, p.OrganisationCode, p.DeviceBound, p.Attestation, each(p.Allowed, uuid.UUID.String), each(p.Denied, uuid.UUID.String),
			})
		}
	}
	return list
}

// refusedBy lists the organisations whose policy refuses a sign-in that is supposed, of whatever model its authenticators are.
func refusedBy(policies []explainedPolicy, signIn assurance.Authentication) []string {
	var organisations []string
	for _, p := range policies {
		if slices.ContainsFunc(signIn.Factors, p.refuses) {
			organisations = append(organisations, p.Organisation)
		}
	}
	return organisations
}

func (p explainedPolicy) refuses(f assurance.Factor) bool {
	return p.DeviceBound && !f.DeviceBound || (p.Attestation || len(p.Allowed) > 0) && !f.Attested
}

func (p explainedPolicy) line() string {
	var asks []string
	if p.DeviceBound {
		asks = append(asks, "keys that cannot be copied")
	}
	if p.Attestation {
		asks = append(asks, "proof of the model")
	}
	if len(p.Allowed) > 0 {
		asks = append(asks, "one of the models "+strings.Join(p.Allowed, " "))
	}
	if len(p.Denied) > 0 {
		asks = append(asks, "none of the models "+strings.Join(p.Denied, " "))
	}
	return fmt.Sprintf("The policy of %s, which holds at %s, asks for %s.", p.From, p.Organisation, strings.Join(asks, ", "))
}

// explainedReached is what a person reaches by a sign-in in the words of each vocabulary, whether or not a request asks in them.
type explainedReached struct {
	Terms    []assurance.Term               `json:"terms"`
	Vectors  map[assurance.Trustmark]string `json:"vectors"`                 // vot, for clients that ask by the trustmark
	Proofing string                         `json:"identity_proofing_level"` // of NHS login
	EIDAS    string                         `json:"eidas"`                   // "" below low
	GPG44    assurance.Protected            `json:"gpg44"`
}

func reachedBy(signIn assurance.Authentication, r assurance.Reached) *explainedReached {
	x := &explainedReached{
		Terms: r.Terms(), Vectors: map[assurance.Trustmark]string{}, Proofing: assurance.NHSLogin.Proofing(r), EIDAS: r.EIDAS(),
		GPG44: signIn.GPG44(false), // nothing here watches sign-ins for what is unusual
	}
	for _, t := range assurance.Trustmarks() {
		x.Vectors[t] = t.Vector(r)
	}
	return x
}

func (x explainedReached) lines() []string {
	var vocabularies []string
	names := map[string][]string{}
	for _, t := range x.Terms {
		if names[t.Vocabulary] == nil {
			vocabularies = append(vocabularies, t.Vocabulary)
		}
		names[t.Vocabulary] = append(names[t.Vocabulary], t.Name+" ("+mappingWords(t.Mapping)+")")
	}
	var lines []string
	for _, v := range vocabularies {
		line := v + ": " + strings.Join(names[v], ", ")
		trustmark := assurance.Trustmark(v)
		if vector := x.Vectors[trustmark]; vector != "" {
			line += "; vot " + vector
			if shorter := trustmark.InIDToken(vector); shorter != vector {
				line += ", in the ID token " + shorter
			}
		}
		if trustmark == assurance.NHSLogin {
			line += "; identity_proofing_level " + x.Proofing
		}
		lines = append(lines, line)
	}
	if x.EIDAS == "" {
		lines = append(lines, "eidas: less than low (our reading)")
	}
	protection := []string{"gpg44: protection " + strings.ReplaceAll(string(x.GPG44.Protection), "_", " ") + " (our reading)"}
	for _, a := range x.GPG44.Authenticators {
		protection = append(protection, fmt.Sprintf("%s of quality %s", strings.ReplaceAll(string(a.Type), "_", " "), a.Quality))
	}
	return append(lines, strings.Join(protection, ", "))
}
