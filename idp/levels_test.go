package idp_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	xhtml "golang.org/x/net/html"

	"github.com/credence-id/credence/idp/assurance"
	"github.com/credence-id/credence/idp/evidence"
	"github.com/credence-id/credence/idp/webauthn"
	"github.com/credence-id/credence/idp/webauthn/webauthntest"
	"github.com/credence-id/credence/store"
)

// words are all words of a page.
func (a answer) words(t *testing.T) string {
	t.Helper()
	doc, err := xhtml.Parse(strings.NewReader(a.body))
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for n := range doc.Descendants() {
		if n.Type == xhtml.TextNode {
			all = append(all, strings.Fields(n.Data)...)
		}
	}
	return strings.Join(all, " ")
}

// levels asks for the page of a person's levels, which has to say some things and not others.
func (b *browser) levels(say, not []string) {
	b.t.Helper()
	page := b.get("/levels")
	if page.StatusCode != http.StatusOK {
		b.t.Fatalf("GET /levels = %d, want 200: %s", page.StatusCode, text(page.body))
	}
	got := page.words(b.t)
	for _, words := range say {
		if !strings.Contains(got, words) {
			b.t.Errorf("the page of levels does not say %q: %s", words, got)
		}
	}
	for _, words := range not {
		if strings.Contains(got, words) {
			b.t.Errorf("the page of levels says %q: %s", words, got)
		}
	}
}

// Whoever asks without being signed in signs in first, and comes to the page then and nowhere else.
func TestLevelsAreShownToWhoSignsIn(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	b := p.browser()
	asked := b.get("/levels")
	if got, want := asked.Header.Get("Location"), "/sign-in?to=/levels"; asked.StatusCode != http.StatusSeeOther || got != want {
		t.Fatalf("GET /levels of nobody = %d to %q, want 303 to %s", asked.StatusCode, got, want)
	}
	if page := b.simulate(b.rest(asked), oneRole, "passkey"); page.path() != "/levels" || page.StatusCode != http.StatusOK {
		t.Errorf("after the sign-in = %d %s, want the page that was asked for", page.StatusCode, page.path())
	}
	if page := p.browser(); page.simulate(page.get("/sign-in?to=//evil.example"), oneRole, "").path() != "/" {
		t.Error("a sign-in that is asked to lead elsewhere does not lead home")
	}
	if !strings.Contains(b.get("/").body, `href="/levels"`) {
		t.Error("the home page has no link to the page of levels")
	}
}

func TestLevelsSayWhichRulesGrantedThem(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	key := webauthntest.New()
	p.enrol(oneRole, key)
	b := p.browser()
	b.passkey(b.get("/sign-in"), key)
	b.levels([]string{
		"Level High", "Identity profile H1A of GPG 45", "Version of the rules gpg45-0.5/2026-11",
		"Strength of the passport", "Score 4", "Checks against fraud", "What is missing for level very high",
		"Level 2: strong", "Signed in with Passkey or security key", "Level 3 needs a key that is shown to be one that cannot be copied.",
		"blue key Security key: level 2: strong", "It does not prove which model it is, so nothing shows that its key cannot be copied.", "You signed in with it",
		"Any one of these will do: Bring your passport again: the desk has to see that it was not cancelled, lost or stolen. Or: The desk has to ask an organisation",
		"eIDAS, the European Union’s levels Substantial Our policy", "NHS login, identity P9 Our policy",
		"GPG 44, quality of what you signed in with PIN or the like: medium, device in your hand: medium Our policy", "GPG 44, protection Medium Our policy",
	}, []string{"(simulated)", "Nobody was", "What is missing for level medium", "Nothing on record proves", "score 2", "validity", "attestation"})

	desk, err := evidence.New(p.store, p.key, p.clock.Now)
	if err != nil {
		t.Fatal(err)
	}
	list, err := desk.Of(t.Context(), oneRole, uuid.Nil, 10)
	if err != nil {
		t.Fatal(err)
	}
	for _, piece := range list {
		if piece.Number != "" {
			b.levels(nil, []string{strings.TrimLeft(piece.Number, "·")})
		}
		if _, err := desk.Withdraw(t.Context(), "operator:desk", uuid.MustParse(piece.ID), evidence.Mistaken); err != nil {
			t.Fatal(err)
		}
	}
	b.levels([]string{
		"Level None", "What is missing for level low", "eIDAS, the European Union’s levels None: below the lowest Our policy", "NHS login, identity P0 Published",
		"What is missing for level low Go to a registration desk. This is what it takes: Bring a proof of who you are",
	}, []string{"H1A", "Score"})
}

// Of many pieces that came to the same there is one line, and of all there are only so many.
func TestLevelsDoNotRepeatThemselves(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	found, err := p.owner.Person(t.Context(), studentLow, p.clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	bills := func(n int, issuer func(i int) string) {
		pieces := make([]evidence.Piece, n)
		for i := range pieces {
			pieces[i] = evidence.Piece{
				Piece: assurance.Piece{
					Type: assurance.Document, Kind: "utility_statement", Country: "GBR", IssuedOn: time.Date(2024, 1, 1+i, 0, 0, 0, 0, time.UTC).Format(time.DateOnly),
					Checks: []assurance.Check{{Method: assurance.PhysicalInspection, At: p.clock.Now().Add(-time.Hour), Organisation: "Desk", Facts: []assurance.Fact{"physical"}}},
				},
				Subject: evidence.Subject{GivenName: found.Person.GivenName, FamilyName: found.Person.FamilyName}, Issuer: issuer(i),
			}
		}
		if _, err := p.desk().Record(t.Context(), "operator:desk", studentLow, pieces); err != nil {
			t.Fatal(err)
		}
	}
	b := p.browser()
	b.simulate(b.get("/sign-in"), studentLow, "passkey")
	bills(15, func(int) string { return "One Gas" })
	b.levels([]string{
		"Strength of the PASS card (CitizenCard (invented)) Score 2 It", "Strength of the gas or electricity bill (One Gas) Score 1, for each of 15 It is", "Whether this gas or electricity bill is genuine Score 1, for each of 15",
	}, []string{"Score 2, for", "more score"})
	bills(20, func(i int) string { return fmt.Sprintf("Supplier %d", i) })
	b.levels([]string{
		"Strength of the PASS card", "Whether this gas or electricity bill is genuine Score 1, for each of 35", "There are 4 more scores, of weaker evidence.", "Checks against fraud",
	}, []string{"Supplier 16"})
}

// A level that was written down before there was evidence is not passed off as one that was proved.
func TestLevelsSayWhatNothingProves(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	id := "100000000009"
	asserted := store.NewPerson{ID: id, Handle: make([]byte, 32), GivenName: "Ada", FamilyName: "Example", DisplayName: "Ada Example", IdentityLevel: "medium"}
	if err := p.owner.InTx(t.Context(), func(tx *store.Tx) error { return tx.AddPerson(t.Context(), asserted, p.clock.Now()) }); err != nil {
		t.Fatal(err)
	}
	b := p.browser()
	b.simulate(b.get("/sign-in"), id, "password")
	b.levels([]string{
		"Level Medium", "Nothing on record proves this level.", "What is missing for level medium",
		"Level 1: basic", "Password (simulated)", "Nobody was authenticated: this is what the method would reach. You used one thing.", "You have nothing on your record to sign in with.",
	}, []string{"Granted by", "Score", "What is missing for level low"})
}

// Of an authenticator that an organisation refuses the page says so, and what to do.
func TestLevelsSayWhichAuthenticatorIsRefused(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	p.enrol(oneRole, webauthntest.NewPasskey())
	found, err := p.store.Person(t.Context(), oneRole, p.clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	policy := store.AuthenticatorPolicy{OrganisationCode: found.Person.Memberships[0].OrganisationCode, DeviceBound: true}
	if err := webauthn.SetPolicy(t.Context(), p.store, policy, "test", p.clock.Now()); err != nil {
		t.Fatal(err)
	}
	q := p.second()
	b := q.browser()
	b.simulate(b.get("/sign-in"), oneRole, "totp")
	b.levels([]string{"blue key Passkey: you cannot sign in with it", "Your organisation does not accept passkeys that are copied between devices.", "Its key can be copied to other devices.", "your password, and something that you have"}, nil)
}

// Of a sign-in its level is explained by what was done, and what is missing for the next.
func TestLevelsSayWhyASignInIsSoStrong(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	for method, why := range map[assurance.Method]string{
		assurance.Smartcard:   "Level 3: the strongest Signed in with Smartcard (simulated) Why Nobody was authenticated: this is what the method would reach. The key on a smartcard cannot be copied",
		assurance.SecurityKey: "The key is of a known model and cannot be copied, and it took your PIN, fingerprint or face.",
		assurance.Passkey:     "It took your PIN, fingerprint or face. Level 3 needs a key that is shown to be one that cannot be copied.",
		assurance.TOTP:        "You used two things: your password, and something that you have. Level 3 needs",
		assurance.Password:    "You used one thing. Level 2 needs two",
	} {
		t.Run(string(method), func(t *testing.T) {
			t.Parallel()
			b := p.in(t).browser()
			b.simulate(b.get("/sign-in"), oneRole, string(method))
			b.levels([]string{why}, nil)
		})
	}
}
