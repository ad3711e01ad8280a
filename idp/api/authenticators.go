package api

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/office"
	"github.com/credence-id/credence/idp/registration"
	"github.com/credence-id/credence/store"
)

type heldAuthenticator struct {
	ID uuid.UUID `json:"id"`
	authenticator

	State registration.State `json:"state" enum:"issued active suspended lost returned revoked"`
	Level string             `json:"authenticator_assurance_level,omitempty" enum:"1 2 3" doc:"That a sign-in with it reaches; left out when it is not accepted."`
}

func (h *Handler) listAuthenticators(c call, in oldestFirst) (page[heldAuthenticator], error) {
	p, err := h.Authenticators(c.Context(), c.officer, c.PathValue("person"), office.HeldPage{Order: in.order(), After: in.id()})
	held := func(a store.Authenticator) heldAuthenticator {
		shown := heldAuthenticator{a.ID, authenticatorOf(a), registration.State(a.State), ""}
		if would, accepted := h.Enroller.WebAuthn.Would(a, p.Person); accepted {
			shown.Level = would.Level().String()
		}
		return shown
	}
	return goesOn(c, p.Authenticators, held, p.More, func(a store.Authenticator) string { return a.ID.String() }), err
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

type openLink struct {
	ID        uuid.UUID `json:"id"`
	MadeAt    time.Time `json:"made_at"`
	ExpiresAt time.Time `json:"expires_at"`
	TakesCode bool      `json:"takes_code"`
	Recovers  bool      `json:"recovers" doc:"It was mailed to the person, who gave a recovery code."`
}

func openLinkOf(l store.OpenLink) openLink {
	return openLink{l.ID, l.CreatedAt.UTC(), l.ExpiresAt.UTC(), l.TakesCode, l.Recovers}
}

func (h *Handler) listEnrolmentLinks(c call, in newestFirst) (page[openLink], error) {
	p, err := h.Authenticators(c.Context(), c.officer, c.PathValue("person"), office.HeldPage{LinkOrder: in.order(), AfterLink: in.id()})
	return goesOn(c, p.Links, openLinkOf, p.MoreLinks, func(l store.OpenLink) string { return l.ID.String() }), err
}

func (h *Handler) cancelEnrolmentLink(c call, _ nothing) (whose, error) {
	id := c.PathValue("person")
	return whose{id}, h.CancelLink(c.Context(), c.officer, id, c.PathValue("link"))
}

// bindingOptions are what a browser, or what takes its place, is asked to make a credential with.
type bindingOptions struct {
	PublicKey json.RawMessage `json:"publicKey" doc:"PublicKeyCredentialCreationOptionsJSON of WebAuthn Level 3."`
	Ceremony  string          `json:"ceremony" doc:"To send with the answer, by the same grant, within minutes."`
}

// sitting is what a ceremony is bound to beside the person: the grant of the officer.
func (c call) sitting() []byte { return slices.Concat([]byte("grant "), c.access.Grant[:]) }

func (h *Handler) beginBinding(c call, _ nothing) (bindingOptions, error) {
	_, ceremony, err := h.BeginBinding(c.Context(), c.officer, c.PathValue("person"), c.access.Reached.Authenticator, c.sitting())
	return bindingOptions{ceremony.Options, ceremony.State}, err
}

type bindingAnswer struct {
	Ceremony string          `json:"ceremony" doc:"As it was answered."`
	Response json.RawMessage `json:"response" doc:"RegistrationResponseJSON of WebAuthn Level 3."`
	Name     string          `json:"name,omitempty" doc:"What the person calls it, in up to 60 characters."`
}

func (h *Handler) bindAuthenticator(c call, in bindingAnswer) (identified, error) {
	bound, err := h.Bind(c.Context(), c.officer, c.PathValue("person"), registration.Answer{
		Browser: c.sitting(), Ceremony: in.Ceremony, Name: in.Name, Response: in.Response,
		Most: c.access.Reached.Authenticator, // whoever had got at her token would else make herself a way into what asks for more
	})
	if err != nil {
		return identified{}, err
	}
	c.created("/api/people/" + bound.PersonID + "/authenticators")
	return identified{bound.ID}, nil
}
