package webauthn

import (
	"errors"

	"github.com/credence-id/credence/idp/assurance"
	"github.com/credence-id/credence/store"
)

// Would is the sign-in that somebody would make with one of her authenticators now, if it verifies her. Its level is what
// the authenticator reaches. It is not ok when nobody may sign in with it.
func (rp *RelyingParty) Would(a store.Authenticator, p store.Person) (assurance.Authentication, bool) {
	j := rp.Judge(a, p)
	return assurance.Authentication{Factors: j.Factors(), At: rp.now()}, j.Refusal == ""
}

// Judge judges one of somebody's authenticators, as each sign-in with it does.
func (rp *RelyingParty) Judge(a store.Authenticator, p store.Person) Judgement {
	return rp.models.Judge(a, codes(p))
}

// RefusesSecrets says why somebody does not sign in with a password and the codes of an app, which can be copied and prove
// nothing of what they are kept in: the reason of a [Refusal], for what one of her organisations asks, or "" when she may.
func (rp *RelyingParty) RefusesSecrets(p store.Person) string {
	return rp.Judge(store.Authenticator{Kind: string(assurance.Password), BackupEligible: true}, p).Refusal
}

// BeginStepUp begins a sign-in with one of these authenticators of somebody who is signed in already. Without a credential
// among them there is nothing to begin: anybody's would do. [RelyingParty.VerifySignIn] verifies the answer.
func (rp *RelyingParty) BeginStepUp(authenticators []store.Authenticator, browser []byte) (Ceremony, error) {
	allowed := descriptors(authenticators)
	if len(allowed) == 0 {
		return Ceremony{}, errors.New("begin step-up: none of the authenticators is a credential")
	}
	return rp.beginSignIn(allowed, browser)
}
