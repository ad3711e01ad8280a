package webauthn

import (
	"github.com/credence-id/credence/idp/assurance"
	"github.com/credence-id/credence/store"
)

// Would is the sign-in that somebody would make with one of her authenticators now, if it verifies her. Its level is what
// the authenticator reaches. It is not ok when nobody may sign in with it.
func (rp *RelyingParty) Would(a store.Authenticator, p store.Person) (assurance.Authentication, bool) {
	j := rp.Judge(a, p)
	return assurance.Authentication{Factors: []assurance.Factor{j.Factor(assurance.Method(a.Kind), true)}, At: rp.now()}, j.Refusal == ""
}

// Judge judges one of somebody's authenticators, as each sign-in with it does.
func (rp *RelyingParty) Judge(a store.Authenticator, p store.Person) Judgement {
	return rp.models.Judge(a, codes(p))
}

// BeginStepUp begins a sign-in with one of these authenticators of somebody who is signed in already: with none, there is
// nothing to begin. [RelyingParty.VerifySignIn] verifies the answer.
func (rp *RelyingParty) BeginStepUp(authenticators []store.Authenticator, browser []byte) (Ceremony, error) {
	return rp.beginSignIn(descriptors(authenticators), browser)
}
