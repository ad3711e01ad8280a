package api

import (
	"time"

	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/registration"
)

type heldAuthenticator struct {
	ID uuid.UUID `json:"id"`
	authenticator

	State registration.State `json:"state" enum:"issued active suspended lost returned revoked"`
	Level string             `json:"authenticator_assurance_level,omitempty" enum:"1 2 3" doc:"That a sign-in with it reaches; left out when it is not accepted."`
}

func (h *Handler) listAuthenticators(c call, _ nothing) (page[heldAuthenticator], error) {
	p, rows, err := h.Authenticators(c.Context(), c.officer, c.PathValue("person"))
	list := make([]heldAuthenticator, len(rows))
	for i, a := range rows {
		list[i] = heldAuthenticator{a.ID, authenticatorOf(a), registration.State(a.State), ""}
		if would, accepted := h.Enroller.WebAuthn.Would(a, p.Person); accepted {
			list[i].Level = would.Level().String()
		}
	}
	return page[heldAuthenticator]{Items: list}, err
}

type changedAuthenticator struct {
	ID string `json:"id"`
}

// changeAuthenticator is what does something to an authenticator.
func changeAuthenticator(act registration.Act) func(*Handler, call, reason) (changedAuthenticator, error) {
	return func(h *Handler, c call, in reason) (changedAuthenticator, error) {
		id := c.PathValue("authenticator")
		return changedAuthenticator{id}, h.ChangeAuthenticator(c.Context(), c.officer, c.PathValue("person"), id, act, in.Reason)
	}
}

type enrolmentLink struct {
	URL       string    `json:"url" format:"uri" doc:"For the person alone. Nobody can be shown it again."`
	Code      string    `json:"code" doc:"That the link asks for. Tell her in another way. Nobody can be shown it again."`
	ExpiresAt time.Time `json:"expires_at"`
}

func (h *Handler) makeEnrolmentLink(c call, _ nothing) (enrolmentLink, error) {
	_, made, err := h.Invite(c.Context(), c.officer, c.PathValue("person"))
	return enrolmentLink{made.URL, made.Code, made.ExpiresAt.UTC()}, err
}
