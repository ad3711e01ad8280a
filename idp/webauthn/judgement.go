package webauthn

import (
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/assurance"
	"github.com/credence-id/credence/idp/webauthn/metadata"
	"github.com/credence-id/credence/store"
)

// Judgement is what an authenticator counts for at a moment: by what it proved when it was bound, by what is known of its
// model since, and by what the organisations of its owner ask.
type Judgement struct {
	Refusal  string   // why nobody signs in with it, a reason of a [Refusal]; "" when its owner does
	Model    string   // the name of the model that it says it is; "" when nobody knows it
	Statuses []string // of the model, that take something away

	Verifies    bool // its word that it verified its user counts
	DeviceBound bool // its key cannot be copied
	Attested    bool // it proved which model it is
	Approved    bool // and that model keeps its keys: the operator vouches for it, or FIDO has certified it

	kind      string
	verdict   Verdict
	vouched   bool
	certified metadata.Certification
}

// Judge judges an authenticator of somebody who works for some organisations.
func (m *Models) Judge(a store.Authenticator, organisations []string) Judgement {
	return m.current.Load().judge(a, organisations, m.source.minimum(), m.now())
}

func (k *known) judge(a store.Authenticator, organisations []string, minimum metadata.Certification, now time.Time) Judgement {
	m, there := k.models[a.AAGUID]
	taken, statuses, certified := m.At(now)
	j := Judgement{Model: m.Name, Statuses: statuses, kind: a.Kind, verdict: Verdict(a.AttestationVerdict), vouched: m.vouched, certified: certified}
	j.Verifies = !taken.Unverified
	j.DeviceBound = !a.BackupEligible && !taken.Exportable
	j.Attested = there && j.verdict == VerdictTrusted && !taken.Unattested
	j.Approved = j.Attested && !taken.Exportable && !taken.Retired && (m.vouched || certified >= minimum && m.ProtectsKeys())
	if taken.Refused {
		j.Refusal = ModelRevoked
		return j
	}
	for _, code := range organisations {
		if p, ok := k.policies[code]; ok && j.Refusal == "" {
			j.Refusal = j.unmet(p, a.AAGUID)
		}
	}
	return j
}

// unmet is what of a policy an authenticator does not meet, or "". That a model is allowed helps only who proved to be of
// it; that it is denied needs no proof.
func (j Judgement) unmet(p store.AuthenticatorPolicy, aaguid uuid.UUID) string {
	switch {
	case slices.Contains(p.Denied, aaguid):
		return ModelDenied
	case p.DeviceBound && !j.DeviceBound:
		return DeviceBoundRequired
	case p.Attestation && !j.Attested:
		return AttestationRequired
	case len(p.Allowed) > 0 && (!j.Attested || !slices.Contains(p.Allowed, aaguid)):
		return ModelNotAllowed
	}
	return ""
}

// enrolling judges a new authenticator. What a vendor or FIDO has given up is not bound any more.
func (k *known) enrolling(a store.Authenticator, organisations []string, minimum metadata.Certification, now time.Time) string {
	m := k.models[a.AAGUID]
	if taken, _, _ := m.At(now); taken.Refused || taken.Retired {
		return ModelRevoked
	}
	return k.judge(a, organisations, minimum, now).Refusal
}

// Factors are those of the strongest sign-in with the authenticator. The codes of an app are taken with a password only.
func (j Judgement) Factors() []assurance.Factor {
	factors := []assurance.Factor{j.Factor(assurance.Method(j.kind), true)}
	if j.kind == string(assurance.TOTP) {
		factors = append(factors, assurance.Factor{Method: assurance.Password})
	}
	return factors
}

// Factor is the use of the authenticator as a factor of a sign-in: facts, from which levels follow.
func (j Judgement) Factor(method assurance.Method, userVerified bool) assurance.Factor {
	return assurance.Factor{
		Method: method, UserVerified: userVerified && j.Verifies, DeviceBound: j.DeviceBound, Attested: j.Attested, Approved: j.Approved,
	}
}

// Why lists, for an operator, what the level of the authenticator comes from.
func (j Judgement) Why() []string {
	var why []string
	if j.Refusal != "" {
		why = append(why, "refused: "+j.Refusal)
	}
	for _, status := range j.Statuses {
		why = append(why, "FIDO metadata reports "+status)
	}
	switch {
	case j.kind == string(assurance.Password):
		why = append(why, "it is one factor, and two with the codes of an app")
	case j.kind == string(assurance.TOTP):
		why = append(why, "its codes are one factor, and two with a password")
	case !j.DeviceBound:
		why = append(why, "its key can be copied")
	case j.verdict != VerdictTrusted:
		why = append(why, "nothing proves which model it is: attestation "+string(j.verdict))
	case !j.Attested:
		why = append(why, "its attestation proves nothing any more")
	case !j.Approved:
		why = append(why, "its model is not certified highly enough, does not protect keys, or was retired, and nobody here vouches for it")
	case j.vouched:
		why = append(why, "the operator vouches for its model")
	default:
		why = append(why, j.certified.String())
	}
	return why
}

// Grounds says the same in sentences to its owner, whether or not it is refused: what is reported of her authenticator, and
// what holds its level down or up. Why it is refused is said where she is told so.
func (j Judgement) Grounds() []string {
	var grounds []string
	if len(j.Statuses) > 0 {
		grounds = append(grounds, "A weakness of its model has been reported.")
	}
	passkey := j.kind != string(assurance.Password) && j.kind != string(assurance.TOTP)
	if passkey && !j.Verifies {
		grounds = append(grounds, "It may work without your PIN, fingerprint or face.")
	}
	switch {
	case j.kind == string(assurance.Password):
		grounds = append(grounds, "Your password alone is one thing that you know. With the codes of your authenticator app it is two.")
	case j.kind == string(assurance.TOTP):
		grounds = append(grounds, "It counts together with your password: something that you have, and something that you know.")
	case !j.DeviceBound:
		grounds = append(grounds, "Its key can be copied to other devices. Level 3 needs one that stays in one device.")
	case !j.Attested:
		grounds = append(grounds, "It does not prove which model it is, so nothing shows that its key cannot be copied. Level 3 needs that.")
	case !j.Approved:
		grounds = append(grounds, "Its model is known, and is not one of those that are trusted to keep a key safe enough for level 3.")
	case j.vouched:
		grounds = append(grounds, "Its key cannot be copied: the people who run this service vouch for its model.")
	default:
		grounds = append(grounds, "Its key cannot be copied: its model has been tested and certified.")
	}
	return grounds
}

// codes are the organisations at which a person works.
func codes(p store.Person) []string {
	var list []string
	for _, m := range p.Memberships {
		list = append(list, m.OrganisationCode)
	}
	return list
}
