package registration

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/credence-id/credence/idp/assurance"
	"github.com/credence-id/credence/idp/evidence"
	"github.com/credence-id/credence/idp/session"
	"github.com/credence-id/credence/store"
	"github.com/credence-id/credence/web"
)

// levels shows who is signed in which rules granted her levels, and what is missing for the next.
func (h *Handler) levels(w http.ResponseWriter, r *http.Request) error {
	s, err := h.Sessions.Find(r.Context(), h.Sessions.CookieOf(r), "")
	if errors.Is(err, session.ErrNone) {
		http.Redirect(w, r, "/sign-in?to=/levels", http.StatusSeeOther)
		return nil
	}
	if err != nil {
		return err
	}
	explained, err := h.Evidence.Explain(r.Context(), s.Person.ID)
	if err != nil {
		return fmt.Errorf("explain identity of person %q: %w", s.Person.ID, err)
	}
	authenticators, err := h.Store.Authenticators(r.Context(), s.Person.ID, false)
	if err != nil {
		return fmt.Errorf("list authenticators: %w", err)
	}
	page := web.Levels{
		Frame: frame(r), Identity: identityLevel(explained),
		SignIn: web.SignInLevel{Level: levelWords(s.Level), Method: methodWords(s.AMR), Why: signInWhy(s.Level, s.AMR), At: s.AuthenticatedAt},
	}
	page.SignedInAs = s.Person.DisplayName
	for _, a := range authenticators {
		shown := h.authenticatorLevel(a, s.Person)
		shown.Current = s.AuthenticatorID != nil && *s.AuthenticatorID == a.ID
		page.Authenticators = append(page.Authenticators, shown)
	}
	return h.Pages.Render(w, http.StatusOK, page)
}

// identityLevel is the level that tokens say, why it is that, and what is missing for more. It has nothing of a document but
// its kind and who issued it.
func identityLevel(x evidence.Explanation) web.IdentityLevel {
	recorded := x.Recorded
	shown := web.IdentityLevel{
		Level: identityWords(recorded.Level), Profile: recorded.Profile, IAL: strings.TrimPrefix(recorded.IAL.String(), "ial"), Policy: recorded.PolicyVersion,
		Asserted: recorded.PolicyVersion == "" && recorded.Level != assurance.IdentityNone,
	}
	switch {
	case recorded.PolicyVersion == x.PolicyVersion:
		others := slices.DeleteFunc(slices.Clone(x.Profiles), func(profile string) bool { return profile == recorded.Profile })
		shown.Also = strings.Join(others, ", ")
	case recorded.PolicyVersion != "" && recorded.Level != x.Level:
		shown.Today = plain(string(x.Level))
	}
	for _, reason := range x.Reasons {
		if len(x.Evidence) > 0 {
			shown.Scores = append(shown.Scores, score(reason, x.Evidence))
		}
	}
	for _, level := range assurance.IdentityLevels() {
		ways := x.Ways(level)
		if len(ways) > 0 && recorded.Level.AtMost(level) == recorded.Level { // what is below is not what she wants to know
			shown.Next = append(shown.Next, web.NextLevel{Level: plain(string(level)), Ways: ways})
		}
	}
	return shown
}

// score says what a check came to.
func score(reason assurance.Reason, pieces []evidence.Recorded) web.Score {
	shown := web.Score{Value: reason.Score, Why: sentence(reason.Because)}
	var piece evidence.Recorded
	if i := slices.IndexFunc(pieces, func(p evidence.Recorded) bool { return p.ID == reason.Piece }); i >= 0 {
		piece = pieces[i]
	}
	switch reason.About {
	case assurance.AboutStrength:
		shown.Name = "Strength of the " + plain(piece.Kind)
		if piece.Issuer != "" {
			shown.Name += " (" + piece.Issuer + ")"
		}
	case assurance.AboutValidity:
		shown.Name = "Whether this " + plain(piece.Kind) + " is genuine"
	case assurance.AboutActivity:
		shown.Name = "Activity over time"
	case assurance.AboutFraud:
		shown.Name = "Checks against fraud"
		if reason.Score == 0 { // whether somebody is suspected is not told to whoever may be an impostor
			shown.Why = "Not enough was checked, or not with the right sources."
		}
	case assurance.AboutVerification:
		shown.Name = "That you are this person"
	}
	return shown
}

// authenticatorLevel is the level that a sign-in with an authenticator has that verifies its owner, and why.
func (h *Handler) authenticatorLevel(a store.Authenticator, p store.Person) web.AuthenticatorLevel {
	shown := web.AuthenticatorLevel{Name: a.Name, Kind: kindName(a.Kind), Level: "you cannot sign in with it"}
	j := h.WebAuthn.Judge(a, p)
	if j.Refusal != "" {
		shown.Why = append(shown.Why, explain(j.Refusal))
	}
	if would, ok := h.WebAuthn.Would(a, p); ok {
		shown.Level = "level " + levelWords(would.Level())
	}
	for _, ground := range j.Grounds() {
		shown.Why = append(shown.Why, sentence(ground))
	}
	return shown
}

// signInWhy says why a sign-in has its level, and why it has no higher one. Of a sign-in no more is kept than its methods:
// NIST SP 800-63B-4, Section 2.
func signInWhy(level assurance.AuthenticatorLevel, amr []string) string {
	if i := slices.Index(amr, "simulated"); i >= 0 {
		return "Nobody was authenticated: this is what the method would reach. " + signInWhy(level, amr[:i])
	}
	has := func(method string) bool { return slices.Contains(amr, method) }
	switch {
	case level >= assurance.AAL3 && has("sc"):
		return "The key on a smartcard cannot be copied, and the card took its PIN."
	case level >= assurance.AAL3 && has("pwd"):
		return "The key is of a known model and cannot be copied, and you gave your password as well."
	case level >= assurance.AAL3:
		return "The key is of a known model and cannot be copied, and it took your PIN, fingerprint or face."
	case level == assurance.AAL2 && has("pwd"):
		return "You used two things: your password, and something that you have. Level 3 needs a key that is shown to be one that cannot be copied."
	case level == assurance.AAL2 && has("hwk"):
		return "The key is of a known model, and it took your PIN, fingerprint or face. Level 3 needs a model that is approved for it."
	case level == assurance.AAL2:
		return "It took your PIN, fingerprint or face. Level 3 needs a key that is shown to be one that cannot be copied."
	case has("pop"), has("hwk"):
		return "It is reported of its model that it works without your PIN, fingerprint or face, so it is one factor. Level 2 needs two."
	}
	return "You used one thing. Level 2 needs two, such as a passkey that takes your PIN, fingerprint or face."
}

func plain(name string) string { return strings.ReplaceAll(name, "_", " ") }

// sentence makes a sentence of the words that a rule gives as its reason.
func sentence(words string) string {
	return strings.ToUpper(words[:1]) + words[1:] + "."
}
