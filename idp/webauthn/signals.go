package webauthn

import (
	"encoding/json"
	"fmt"

	"github.com/go-webauthn/webauthn/protocol"

	"github.com/credence-id/credence/store"
)

// signals are AllAcceptedCredentialsOptions and CurrentUserDetailsOptions together.
type signals struct {
	RPID        string                      `json:"rpId"`
	UserID      protocol.URLEncodedBase64   `json:"userId"`
	Name        string                      `json:"name"`
	DisplayName string                      `json:"displayName"`
	Accepted    []protocol.URLEncodedBase64 `json:"allAcceptedCredentialIds,omitempty"`
}

// mostSignalled is how many authenticators of a person are read. Of one who has as many there may be more.
const mostSignalled = 100

// Signals is what a browser may be told of a person who is signed in, so that it offers no passkeys of hers that are not on
// record: WebAuthn Level 3, Section 5.1.10. The authenticators are all of hers, in whichever state: what is suspended may
// work again. Without any, what her password manager has stays: she may have signed in otherwise and be about to get a new link.
func (rp *RelyingParty) Signals(p store.Person, handle []byte, authenticators []store.Authenticator) (json.RawMessage, error) {
	s := signals{RPID: rp.id, UserID: handle, Name: p.ID, DisplayName: p.DisplayName}
	if len(authenticators) < mostSignalled {
		for _, a := range authenticators {
			if a.CredentialID != nil && !gone(a) {
				s.Accepted = append(s.Accepted, a.CredentialID)
			}
		}
	}
	encoded, err := json.Marshal(s)
	if err != nil {
		return nil, fmt.Errorf("encode signals: %w", err)
	}
	return encoded, nil
}
