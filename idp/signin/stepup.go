package signin

import (
	"context"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"

	"github.com/credence-id/credence/idp/assurance"
	"github.com/credence-id/credence/idp/session"
	"github.com/credence-id/credence/store"
	"github.com/credence-id/credence/web"
)

// gap is what is missing in a session of the levels that a request asks for.
type gap struct {
	assurance.Gap

	unable bool
}

// gap compares a session with what is asked. What does not have to be is asked for once: not of somebody who signed in for
// this very request, and not where only a registration desk could help.
func (req Request) gap(s session.Session) gap {
	missing := req.Demand.Gap(reached(s))
	signInWillDo := missing.Authenticator != 0 && missing.Identity == "" && !missing.Impossible
	if !signInWillDo || req.MadeFor(s) {
		missing = req.required(s)
	}
	return gap{missing, req.Unable}
}

// Missing is what somebody with the session is told that she lacks of the levels.
func (req Request) Missing(s session.Session) assurance.Gap { return req.gap(s).Gap }

// required is what is missing in a session of what has to be.
func (req Request) required(s session.Session) assurance.Gap {
	return req.Demand.Required().Gap(reached(s))
}

func reached(s session.Session) assurance.Reached {
	return assurance.Reached{Authenticator: s.Level, AMR: s.AMR, Identity: assurance.IdentityLevel(s.Person.IdentityLevel)}
}

// Optional says whether less will do than to close the gap.
func (req Request) Optional(s session.Session) bool {
	return !reflect.DeepEqual(req.Missing(s), req.required(s))
}

// MadeFor says whether the sign-in of a session was made for this request: since it was first asked.
func (req Request) MadeFor(s session.Session) bool {
	return !s.AuthenticatedAt.Before(req.Freshness.AskedAt)
}

// Impossible says whether the request asks for what nobody can reach here.
func (req Request) Impossible() bool {
	missing := req.Demand.Required().Gap(assurance.Reached{})
	return missing.Impossible && missing.Essential
}

// step is the step that closes the gap.
func (g gap) step() Step {
	switch {
	case g.Empty():
		return Done
	case g.unable, g.Identity != "", g.Impossible:
		return Unmet
	}
	return StepUp
}

// Within is the step that a session needs to satisfy a request of our own pages, of those that are within reach: nobody is asked for
// a stronger sign-in who has nothing to make it with, which the request says from then on. In development everybody has.
func (h *Handler) Within(ctx context.Context, req *Request, s *session.Session) (Step, error) {
	step := Next(*req, s, h.Now())
	if step != StepUp || h.Simulated != nil {
		return step, nil
	}
	able, err := h.Able(ctx, *req, *s)
	if err == nil && len(able) == 0 {
		req.Unable, step = true, Unmet
	}
	return step, err
}

// Able lists the authenticators of a person with which she would close the gap of a request. In development she can always,
// because a sign-in is simulated.
func (h *Handler) Able(ctx context.Context, req Request, s session.Session) ([]store.Authenticator, error) {
	authenticators, err := h.Store.Authenticators(ctx, s.Person.ID, false)
	if err != nil {
		return nil, fmt.Errorf("read authenticators of person %q: %w", s.Person.ID, err)
	}
	identity := assurance.IdentityLevel(s.Person.IdentityLevel)
	return slices.DeleteFunc(usable(authenticators), func(a store.Authenticator) bool {
		would, ok := h.WebAuthn.Would(a, s.Person)
		after := req.Demand.Gap(assurance.Reached{Authenticator: would.Level(), AMR: would.AMR(), Identity: identity})
		return !ok || after.Authenticator != 0
	}), nil
}

// Strongest is the highest level that a sign-in with one of these authenticators of somebody would have; 0 when there is none.
func (h *Handler) Strongest(p store.Person, authenticators []store.Authenticator) (level assurance.AuthenticatorLevel) {
	for _, a := range usable(slices.Clone(authenticators)) {
		if would, ok := h.WebAuthn.Would(a, p); ok {
			level = max(level, would.Level())
		}
	}
	return level
}

// stepUpPage asks somebody who is signed in to sign in more strongly.
func (h *Handler) stepUpPage(w http.ResponseWriter, r *http.Request, p pending, s session.Session) error {
	able, err := h.Able(r.Context(), p.Request, s)
	if err != nil {
		return err
	}
	if len(able) == 0 && h.Simulated == nil { // since the page's turn was decided
		return to(w, r, p.ReturnTo)
	}
	words := h.words(r, p)
	page := web.SignIn{
		Frame: h.frameOf(r, p, s), PostURL: p.at(StepUp), ClientName: p.ClientName, Username: s.Person.ID, Cancelable: p.Cancelable,
		Needs:  InWords(words, p.gap(s).Gap),
		StepUp: &web.StepUp{Has: words.Sayf("at level %s", s.Level), Takes: takes(p.gap(s).Gap), CanContinue: p.CanContinue, ChangeRoleURL: p.RoleURL},
	}
	var keys []store.Authenticator
	for _, a := range able {
		if a.CredentialID == nil {
			page.PasswordURL = p.url("/sign-in/password", "username", s.Person.ID)
			continue
		}
		keys = append(keys, a)
		page.StepUp.With = append(page.StepUp.With, a.Name)
	}
	if len(keys) > 0 {
		ceremony, err := h.WebAuthn.BeginStepUp(keys, p.browser)
		if err != nil {
			return fmt.Errorf("begin step-up: %w", err)
		}
		page.Ceremony = web.Ceremony{Options: ceremony.Options, Finish: p.url("/sign-in/passkey", "ceremony", ceremony.State)}
	}
	if h.Simulated != nil {
		page.SimulatedURL = p.url("/sign-in/simulated", "username", s.Person.ID)
	}
	return h.Pages.Render(w, http.StatusOK, page)
}

// unmetPage tells somebody what she lacks that nothing on these pages gives her, and what to do about it.
func (h *Handler) unmetPage(w http.ResponseWriter, r *http.Request, p pending, s session.Session) error {
	missing := p.gap(s)
	page := web.Unmet{Frame: h.frameOf(r, p, s), PostURL: p.at(Unmet), ClientName: p.ClientName, Cancelable: p.Cancelable, ChangeRoleURL: p.RoleURL}
	if missing.Authenticator != 0 {
		able, err := h.Able(r.Context(), p.Request, s)
		if err != nil {
			return err
		}
		if len(able) == 0 {
			page.Authenticator, page.Takes = InWords(h.words(r, p), missing.Gap), takes(missing.Gap)
		}
	}
	if missing.Identity != "" {
		explained, err := h.Evidence.Explain(r.Context(), s.Person.ID)
		if err != nil {
			return fmt.Errorf("explain identity of person %q: %w", s.Person.ID, err)
		}
		ways, err := explained.Advice(missing.Identity, h.words(r, p).Say)
		if err != nil {
			return fmt.Errorf("advise person %q: %w", s.Person.ID, err)
		}
		page.Identity = &web.IdentityGap{Needs: levelWords(missing.Identity), Rank: rank(missing.Identity), Ways: ways}
		if has := assurance.IdentityLevel(s.Person.IdentityLevel); has != assurance.IdentityNone {
			page.Identity.Has = levelWords(has)
		}
	}
	return h.Pages.Render(w, http.StatusForbidden, page)
}

// stopThere takes the answer of somebody who does not go further: on to where that will do, or back.
func (h *Handler) stopThere(w http.ResponseWriter, r *http.Request, p pending, _ session.Session) error {
	f, err := web.Form(w, r, 16<<10)
	switch {
	case err != nil:
		return err
	case f.Has("continue") && p.CanContinue:
		return to(w, r, p.ReturnTo+Settled)
	case f.Has("cancel") && p.Cancelable:
		return to(w, r, p.ReturnTo+GivenUp)
	}
	return to(w, r, p.ReturnTo)
}

// levelWords is a level of identity for people.
func levelWords(l assurance.IdentityLevel) string { return strings.ReplaceAll(string(l), "_", " ") }

// rank says which of all the levels of identity one is.
func rank(l assurance.IdentityLevel) string {
	switch l {
	case assurance.IdentityLow:
		return "the lowest of four levels"
	case assurance.IdentityMedium:
		return "the second of four levels"
	case assurance.IdentityHigh:
		return "the third of four levels"
	case assurance.IdentityVeryHigh:
		return "the highest of four levels"
	case assurance.IdentityNone:
	}
	return "which everybody has"
}

// takes says in a sentence what a sign-in of a level is made with: NIST SP 800-63B-4, Section 2. It is "" where [InWords]
// says so already.
func takes(missing assurance.Gap) string {
	if len(missing.Methods) > 0 || missing.HardwareBound || missing.PhishingResistant {
		return ""
	}
	switch missing.Authenticator {
	case assurance.AAL3:
		return "Level 3 takes a key that cannot be copied, such as a security key or smartcard that is approved for it, and your PIN, fingerprint or face."
	case assurance.AAL2:
		return "Level 2 takes two things, such as a passkey with your PIN, fingerprint or face, or a password with a code."
	case assurance.AAL1:
	}
	return ""
}

// InWords says for people how strong a sign-in has to be; "" when any will do.
func InWords(words web.Words, missing assurance.Gap) string {
	var with string
	switch {
	case len(missing.Methods) > 0 && len(missing.Methods) == len(missing.AMR): // each says one of the values that it takes
		with = methodWords(words, missing.Methods, " and ")
	case len(missing.Methods) > 0:
		with = methodWords(words, missing.Methods, " or ")
	case missing.HardwareBound:
		with = words.Say(", with a key that cannot be copied")
	case missing.PhishingResistant:
		with = words.Say(", with a passkey, a security key or a smartcard")
	}
	if missing.Authenticator <= assurance.AAL1 && with == "" {
		return ""
	}
	return words.Sayf("at level %s", missing.Authenticator) + with
}

// methodWords names methods for people.
func methodWords(words web.Words, methods []assurance.Method, conjunction string) string {
	var names []string
	for _, m := range methods {
		name := strings.ReplaceAll(string(m), "-", " ")
		if m == assurance.TOTP {
			name = "one-time code"
		}
		names = append(names, words.Say("a "+name))
	}
	return words.Sayf(", with %s", strings.Join(names, words.Say(conjunction)))
}
