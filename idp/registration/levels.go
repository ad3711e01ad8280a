package registration

import (
	"cmp"
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
	words := h.words(r)
	identity, err := identityLevel(words, explained)
	if err != nil {
		return err
	}
	page := web.Levels{
		Frame: frame(r), Identity: identity,
		SignIn: web.SignInLevel{Level: LevelWords(s.Level), Method: MethodWords(words, s.AMR), Why: signInWhy(words, s.Level, s.AMR), At: s.AuthenticatedAt},
	}
	page.SignedInAs, page.Help = s.Person.DisplayName, web.Help(h.Policies.HelpFor(s.Person, s.Role))
	page.Elsewhere = elsewhere(words, assurance.Reached{Authenticator: s.Level, AMR: s.AMR, Identity: explained.Recorded.Level})
	if a, ok := h.signedInBy(s, authenticators); ok {
		page.Elsewhere = append(page.Elsewhere, gpg44(words, a)...)
	}
	for _, a := range authenticators {
		shown := h.authenticatorLevel(words, a, s.Person)
		shown.Current = s.AuthenticatorID != nil && *s.AuthenticatorID == a.ID
		page.Authenticators = append(page.Authenticators, shown)
	}
	return h.Pages.Render(w, http.StatusOK, page)
}

// identityLevel is the level that tokens say, why it is that, and what is missing for more. It has nothing of a document but
// its kind and who issued it.
func identityLevel(words web.Words, x evidence.Explanation) (web.IdentityLevel, error) {
	recorded := x.Recorded
	shown := web.IdentityLevel{
		Level: IdentityWords(recorded.Level), Profile: recorded.Profile, IAL: strings.TrimPrefix(recorded.IAL.String(), "ial"), Policy: recorded.PolicyVersion,
		Asserted: recorded.PolicyVersion == "" && recorded.Level != assurance.IdentityNone,
	}
	switch {
	case recorded.PolicyVersion == x.PolicyVersion:
		others := slices.DeleteFunc(slices.Clone(x.Profiles), func(profile string) bool { return profile == recorded.Profile })
		shown.Also = strings.Join(others, ", ")
	case recorded.PolicyVersion != "" && recorded.Level != x.Level:
		shown.Today = plain(string(x.Level))
	}
	shown.Scores, shown.MoreScores = scores(words, x)
	for _, level := range assurance.IdentityLevels() {
		if recorded.Level.AtMost(level) != recorded.Level { // what is below is not what she wants to know
			continue
		}
		ways, err := x.Advice(level, words.Say)
		if err != nil {
			return web.IdentityLevel{}, err
		}
		if len(ways) > 0 {
			shown.Next = append(shown.Next, web.NextLevel{Level: plain(string(level)), Ways: ways})
		}
	}
	return shown, nil
}

// mostScores is how many scores of pieces of evidence are shown: those of what is strongest.
const mostScores = 20

// scores says what the checks came to: of pieces that came to the same once, with how many they are; and how many more
// scores there are than are shown.
func scores(words web.Words, x evidence.Explanation) (shown []web.Score, more int) {
	if len(x.Evidence) == 0 {
		return nil, 0
	}
	var ofPieces, ofPerson []web.Score
	strength := map[string]int{}
	for _, reason := range x.Reasons {
		if reason.About == assurance.AboutStrength {
			strength[reason.Piece] = reason.Score
		}
	}
	reasons := slices.Clone(x.Reasons)
	slices.SortStableFunc(reasons, func(a, b assurance.Reason) int { return cmp.Compare(strength[b.Piece], strength[a.Piece]) })
	for _, reason := range reasons {
		s := score(words, reason, x.Evidence)
		if reason.Piece == "" {
			ofPerson = append(ofPerson, s)
			continue
		}
		same := slices.IndexFunc(ofPieces, func(o web.Score) bool { return o.Name == s.Name && o.Value == s.Value && o.Why == s.Why })
		if same < 0 {
			ofPieces = append(ofPieces, s)
		} else {
			ofPieces[same].Count++
		}
	}
	if more = len(ofPieces) - mostScores; more > 0 {
		ofPieces = ofPieces[:mostScores]
	}
	return append(ofPieces, ofPerson...), max(more, 0)
}

// score says what a check came to.
func score(words web.Words, reason assurance.Reason, pieces []evidence.Recorded) web.Score {
	shown := web.Score{Value: reason.Score, Why: sentence(reason.Because), Count: 1}
	var piece evidence.Recorded
	if i := slices.IndexFunc(pieces, func(p evidence.Recorded) bool { return p.ID == reason.Piece }); i >= 0 {
		piece = pieces[i]
	}
	kind := words.Say(assurance.KindWords(piece.Kind))
	switch reason.About {
	case assurance.AboutStrength:
		shown.Name = words.Sayf("Strength of the %s", kind)
		if piece.Issuer != "" {
			shown.Name += " (" + piece.Issuer + ")"
		}
	case assurance.AboutValidity:
		shown.Name = words.Sayf("Whether this %s is genuine", kind)
	case assurance.AboutActivity:
		shown.Name = words.Say("Activity over time")
	case assurance.AboutFraud:
		shown.Name = words.Say("Checks against fraud")
		if reason.Score == 0 { // whether somebody is suspected is not told to whoever may be an impostor
			shown.Why = "Not enough was checked, or not with the right sources."
		}
	case assurance.AboutVerification:
		shown.Name = words.Say("That you are this person")
	}
	return shown
}

// elsewhere is how others name what was reached, and by whose word.
func elsewhere(words web.Words, r assurance.Reached) []web.Elsewhere {
	return []web.Elsewhere{
		named(words, "eIDAS, the European Union’s levels", "eidas", r.EIDAS()),
		named(words, "NHS login, identity", string(assurance.NHSLogin), assurance.NHSLogin.Proofing(r)),
	}
}

// named is a name of a vocabulary; "" is that what was reached is below all that it has.
func named(words web.Words, of, vocabulary, name string) web.Elsewhere {
	shown := web.Elsewhere{Of: of, Name: capital(cmp.Or(name, words.Say("none: below the lowest"))), Mapping: "Our policy"}
	terms := assurance.Vocabulary()
	if i := slices.IndexFunc(terms, func(t assurance.Term) bool { return t.Vocabulary == vocabulary && t.Name == name }); i >= 0 && terms[i].Mapping == "published" {
		shown.Mapping = "Published"
	}
	return shown
}

// gpg44 is what a sign-in comes to by GPG 44. Sign-ins are not watched for what is unusual.
func gpg44(words web.Words, a assurance.Authentication) []web.Elsewhere {
	protected := a.GPG44(false)
	var qualities []string
	for _, used := range protected.Authenticators {
		qualities = append(qualities, words.Say(typeWords(used.Type))+": "+words.Say(string(used.Quality)))
	}
	return []web.Elsewhere{
		{Of: "GPG 44, quality of what you signed in with", Name: capital(strings.Join(qualities, ", ")), Mapping: "Our policy"},
		{Of: "GPG 44, protection", Name: capital(words.Say(plain(string(protected.Protection)))), Mapping: "Our policy"},
	}
}

// typeWords is an authenticator type for people.
func typeWords(t assurance.AuthenticatorType) string {
	switch t {
	case assurance.PINAuthenticator:
		return "PIN or the like"
	case assurance.PasswordAuthenticator:
		return "password"
	case assurance.PhysicalToken:
		return "device in your hand"
	case assurance.DigitalToken:
		return "key or code on a device"
	case assurance.BiometricAuthenticator:
		return "fingerprint or face"
	}
	return plain(string(t))
}

// signedInBy is the sign-in of a session with its facts, of which the session keeps only what follows from them. It is not ok
// where they cannot be told any more: they are those of her authenticator, or of what was simulated, if these still give the
// same.
func (h *Handler) signedInBy(s session.Session, authenticators []store.Authenticator) (assurance.Authentication, bool) {
	gives := func(a assurance.Authentication) bool { return a.Level() == s.Level && slices.Equal(a.AMR(), s.AMR) }
	for _, a := range authenticators {
		if s.AuthenticatorID == nil || *s.AuthenticatorID != a.ID {
			continue
		}
		would, ok := h.WebAuthn.Would(a, s.Person)
		return would, ok && gives(would)
	}
	for _, m := range assurance.Methods() {
		if a := assurance.Simulate(m, s.AuthenticatedAt); gives(a) {
			return a, true
		}
	}
	return assurance.Authentication{}, false
}

// authenticatorLevel is the level that a sign-in with an authenticator has that verifies its owner, and why.
func (h *Handler) authenticatorLevel(words web.Words, a store.Authenticator, p store.Person) web.AuthenticatorLevel {
	shown := web.AuthenticatorLevel{Name: a.Name, Kind: KindName(a.Kind), Level: words.Say("you cannot sign in with it")}
	j := h.WebAuthn.Judge(a, p)
	if j.Refusal != "" {
		shown.Why = append(shown.Why, Explain(j.Refusal))
	}
	if would, ok := h.WebAuthn.Would(a, p); ok {
		shown.Level = words.Sayf("level %s", words.Say(LevelWords(would.Level())))
	}
	shown.Why = append(shown.Why, j.Grounds()...)
	return shown
}

// signInWhy says why a sign-in has its level, and why it has no higher one. Of a sign-in no more is kept than its methods:
// NIST SP 800-63B-4, Section 2.
func signInWhy(words web.Words, level assurance.AuthenticatorLevel, amr []string) string {
	if i := slices.Index(amr, "simulated"); i >= 0 {
		return words.Say("Nobody was authenticated: this is what the method would reach.") + " " + signInWhy(words, level, amr[:i])
	}
	has := func(method string) bool { return slices.Contains(amr, method) }
	switch {
	case level >= assurance.AAL3 && has("sc"):
		return words.Say("The key on a smartcard cannot be copied, and the card took its PIN.")
	case level >= assurance.AAL3 && has("pwd"):
		return words.Say("The key is of a known model and cannot be copied, and you gave your password as well.")
	case level >= assurance.AAL3:
		return words.Say("The key is of a known model and cannot be copied, and it took your PIN, fingerprint or face.")
	case level == assurance.AAL2 && has("pwd"):
		return words.Say("You used two things: your password, and something that you have. Level 3 needs a key that is shown to be one that cannot be copied.")
	case level == assurance.AAL2 && has("hwk"):
		return words.Say("The key is of a known model, and it took your PIN, fingerprint or face. Level 3 needs a model that is approved for it.")
	case level == assurance.AAL2:
		return words.Say("It took your PIN, fingerprint or face. Level 3 needs a key that is shown to be one that cannot be copied.")
	case has("pop"), has("hwk"):
		return words.Say("It is reported of its model that it works without your PIN, fingerprint or face, so it is one factor. Level 2 needs two.")
	}
	return words.Say("You used one thing. Level 2 needs two, such as a passkey that takes your PIN, fingerprint or face.")
}

func plain(name string) string { return strings.ReplaceAll(name, "_", " ") }

// sentence makes a sentence of the words that a rule gives as its reason.
func sentence(words string) string { return capital(words) + "." }

func capital(words string) string {
	if words == "" {
		return ""
	}
	return strings.ToUpper(words[:1]) + words[1:]
}
