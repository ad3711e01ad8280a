package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/credence-id/credence/idp/assurance"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/evidence"
	"github.com/credence-id/credence/idp/oauth"
	"github.com/credence-id/credence/idp/signin"
	"github.com/credence-id/credence/idp/webauthn"
	"github.com/credence-id/credence/store"
)

// explanation is what `credence explain` prints.
type explanation struct {
	Client         explainedClient          `json:"client"`
	Asked          explainedDemand          `json:"asked"`
	Person         explainedPerson          `json:"person"`
	Authenticators []explainedAuthenticator `json:"authenticators"`
	Policies       []explainedPolicy        `json:"policies"`          // of her organisations
	Simulated      bool                     `json:"simulated_sign_in"` // whether this database has it: it is one of `credence dev`

	// What would come of the request: for somebody who is signed in already with what SignIn names, and for somebody who
	// signs in with it because of the request. Nil when she has nothing to sign in with, or policies refuse it.
	SignIn    string            `json:"sign_in"`
	Level     string            `json:"authenticator_level"`
	RefusedBy []string          `json:"refused_by,omitempty"` // the organisations whose policy refuses what is supposed
	Already   *outcome          `json:"already_signed_in"`
	SigningIn *outcome          `json:"signing_in"`
	Reached   *explainedReached `json:"reached"`
}

type explainedClient struct {
	ID                   string   `json:"id"`
	Name                 string   `json:"name"`
	Enabled              bool     `json:"enabled"`
	MinimumAuthenticator int      `json:"minimum_authenticator_level"`
	MinimumIdentity      string   `json:"minimum_identity_level"`
	DefaultACRValues     []string `json:"default_acr_values"`
	Trustmark            string   `json:"trustmark"`
	VerifiedClaims       string   `json:"verified_claims"`
	RequiresRole         bool     `json:"requires_role"`
}

type explainedDemand struct {
	assurance.Demand
	Terms   []assurance.Term `json:"terms"`   // what the values and components mean here
	Unknown []string         `json:"unknown"` // values that mean nothing here
	Mistake string           `json:"mistake"` // why the request cannot be read; "" when it can
	Default bool             `json:"default"` // the request asks for nothing, and its client's registration does
}

type explainedPerson struct {
	ID       string           `json:"id"`
	Name     string           `json:"name"`
	Enabled  bool             `json:"enabled"`
	Identity evidence.Outcome `json:"identity"`
	Roles    []string         `json:"roles"`
}

type explainedAuthenticator struct {
	ID      string   `json:"id"`
	Name    string   `json:"name"`
	Kind    string   `json:"kind"`
	Level   string   `json:"authenticator_level"` // "" when it is refused
	Why     []string `json:"why"`
	Outcome *outcome `json:"signing_in"` // nil when it is refused
}

// outcome is what would come of the request.
type outcome struct {
	Result   string          `json:"result"` // in, choose_role, step_up, unmet, authenticate, or refused
	Words    []string        `json:"words"`
	Missing  assurance.Gap   `json:"missing"`
	Error    *oauth.Told     `json:"error,omitempty"`
	Claims   map[string]any  `json:"claims,omitempty"`
	Verified map[string]bool `json:"verified_claims,omitempty"`
}

func newExplainCommand(p *program) *cobra.Command {
	var client, person, authenticator string
	var asked struct{ acr, vtr, claims string }
	var asJSON bool
	explain := &cobra.Command{
		Use:   "explain",
		Short: "Say what would come of a request for a person, and by which rules",
		Long: `Say what would come of an authorization request for a person, step by step: how the request
is read, what the person has reached and by which rules, what each of her authenticators is
worth, and whether she would get in, would have to sign in more strongly, or lacks what no
sign-in gives her. It is decided by the code that decides about real requests, and changes
nothing.`,
		Example: `  credence explain --client demo-secret --person 656005750107 --acr AAL3_ANY
  credence explain --client demo-secret --person 656005750107 --acr "phrh phr" --authenticator security-key
  credence explain --client demo-secret --person 656005750113 --acr urn:credence:acr:identity:high --json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			parameters := url.Values{}
			for name, value := range map[string]string{"acr_values": asked.acr, "vtr": asked.vtr, "claims": asked.claims} {
				if value != "" {
					parameters.Set(name, value)
				}
			}
			return p.withStore(cmd.Context(), func(ctx context.Context, s *store.Store) error {
				e, err := p.newExplainer(ctx, s, client, person, parameters)
				if err != nil {
					return err
				}
				x, err := e.explain(ctx, authenticator)
				if err != nil {
					return err
				}
				if asJSON {
					return printJSON(cmd.OutOrStdout(), x)
				}
				_, err = fmt.Fprint(cmd.OutOrStdout(), x.text())
				return err
			})
		},
	}
	flags := explain.Flags()
	flags.StringVar(&client, "client", "", "`id` of the client that asks")
	flags.StringVar(&person, "person", "", "`id` of the person who comes with the request")
	flags.StringVar(&asked.acr, "acr", "", "the `values` of acr_values, separated by spaces, preferred first")
	flags.StringVar(&asked.vtr, "vtr", "", `the parameter vtr, a JSON `+"`array`"+` such as ["P2.Cl.Cm"]`)
	flags.StringVar(&asked.claims, "claims", "", "the parameter claims, a JSON `object`")
	flags.StringVar(&authenticator, "authenticator", "best", "what she signs in with: best of hers, the `id` of one, or a method to suppose: "+
		strings.Join(each(assurance.Methods(), func(m assurance.Method) string { return string(m) }), ", "))
	require(explain, "client", "person")
	addJSONFlag(explain, &asJSON)
	return explain
}

// explainer is what a request is explained by.
type explainer struct {
	provider   *oauth.Handler
	production *oauth.Handler // decides where sign-ins are not simulated; nil where the provider is that
	models     *webauthn.Models
	webAuthn   *webauthn.RelyingParty
	client     store.Client
	person     store.Standing
	identity   evidence.Explanation
	parameters url.Values
	at         time.Time
}

// development says whether sign-ins are simulated.
func (e *explainer) development() bool { return e.production != nil }

// newExplainer assembles what decides about a request, with the client and the person of this one.
func (p *program) newExplainer(ctx context.Context, s *store.Store, client, person string, parameters url.Values) (*explainer, error) {
	e := &explainer{parameters: parameters, at: p.clock()}
	key, err := p.sealKey()
	if err != nil {
		return nil, err
	}
	issuer, err := p.issuer()
	if err != nil {
		return nil, err
	}
	if e.client, err = s.Client(ctx, client); errors.Is(err, store.ErrNotFound) {
		return nil, fmt.Errorf("no client has id %.60q: `credence client list` shows those there are", client)
	} else if err != nil {
		return nil, fmt.Errorf("read client %.60q: %w", client, err)
	}
	if e.person, err = findPerson(ctx, s, person, e.at); err != nil {
		return nil, err
	}
	desk, err := evidence.New(s, key, p.clock)
	if err != nil {
		return nil, err
	}
	if e.identity, err = desk.Explain(ctx, person); err != nil {
		return nil, err
	}
	if e.models, err = p.models(ctx, s); err != nil {
		return nil, err
	}
	if e.webAuthn, err = webauthn.New(webauthn.Config{Store: s, Models: e.models, Key: key, Issuer: issuer, Name: "Credence", Now: p.clock}); err != nil {
		return nil, err
	}
	catalogue, err := readCatalogue(ctx, s)
	if err != nil {
		return nil, err
	}
	clients := &oauth.Clients{Store: s, Now: p.clock, Log: slog.New(slog.DiscardHandler)}
	if err := clients.Load(ctx); err != nil {
		return nil, err
	}
	decides := func(simulated []directory.FixedPerson) *oauth.Handler {
		signIn := &signin.Handler{Store: s, WebAuthn: e.webAuthn, Evidence: desk, Now: p.clock, Simulated: simulated}
		return &oauth.Handler{Issuer: issuer, Store: s, Clients: clients, SignIn: signIn, Evidence: desk, Catalogue: catalogue, Now: p.clock}
	}
	e.provider = decides(nil)
	development, err := s.Development(ctx)
	if err != nil {
		return nil, fmt.Errorf("read whether this is a database of `credence dev`: %w", err)
	}
	if development {
		e.production, e.provider = e.provider, decides(directory.FixedPeople())
	}
	return e, nil
}

// explain explains the request for somebody who signs in with what is named.
func (e *explainer) explain(ctx context.Context, authenticator string) (explanation, error) {
	c, p := e.client, e.person.Person
	x := explanation{
		Client: explainedClient{
			ID: c.ID, Name: c.Name, Enabled: c.DisabledAt == nil, MinimumAuthenticator: c.MinimumAuthenticatorLevel, MinimumIdentity: c.MinimumIdentityLevel,
			DefaultACRValues: c.DefaultACRValues, Trustmark: c.Trustmark, VerifiedClaims: c.VerifiedClaims, RequiresRole: c.RequiresRole,
		},
		Person: explainedPerson{
			ID: p.ID, Name: p.DisplayName, Enabled: e.person.PersonStands, Identity: e.identity.Recorded,
			Roles: each(p.Roles, func(r store.Role) string { return r.JobRole + " at " + r.OrganisationCode }),
		},
		Policies: e.policies(), Simulated: e.development(),
	}
	nobody, err := e.foresee(ctx, e.provider, assurance.Authentication{}, true)
	if err != nil {
		return explanation{}, err
	}
	x.Asked = explainedDemand{
		Demand: nobody.Demand, Terms: nobody.Demand.Terms(), Unknown: []string{},
		Default: len(e.parameters) == 0 && len(nobody.Demand.Values)+len(nobody.Demand.Vectors) > 0,
	}
	if nobody.Error != nil && nobody.Error.Code == "invalid_request" {
		x.Asked.Mistake = nobody.Error.Description
	}
	for _, value := range nobody.Demand.Values {
		if !slices.ContainsFunc(x.Asked.Terms, func(t assurance.Term) bool { return t.Name == value }) {
			x.Asked.Unknown = append(x.Asked.Unknown, value)
		}
	}
	if err := e.explainAuthenticators(ctx, &x); err != nil {
		return explanation{}, err
	}
	signIn, name, err := e.signIn(ctx, authenticator)
	if err != nil || name == "" || !e.person.PersonStands {
		return x, err
	}
	x.SignIn, x.Level = name, signIn.Level().String()
	if supposes(authenticator) && !signIn.Simulated {
		x.RefusedBy = refusedBy(x.Policies, signIn)
	}
	if len(x.RefusedBy) > 0 {
		return x, nil
	}
	x.Reached = reachedBy(signIn, e.reached(signIn))
	if x.Already, err = e.outcome(ctx, e.provider, signIn, false); err != nil {
		return explanation{}, err
	}
	x.SigningIn, err = e.outcome(ctx, e.provider, signIn, true)
	return x, err
}

// supposes says whether a method is named, and not an authenticator that somebody has.
func supposes(named string) bool {
	return slices.Contains(assurance.Methods(), assurance.Method(named))
}

func (e *explainer) explainAuthenticators(ctx context.Context, x *explanation) error {
	authenticators, err := e.provider.Store.Authenticators(ctx, x.Person.ID, false)
	if err != nil {
		return fmt.Errorf("list authenticators: %w", err)
	}
	x.Authenticators = []explainedAuthenticator{}
	for _, a := range authenticators {
		shown := explainedAuthenticator{ID: a.ID.String(), Name: a.Name, Kind: a.Kind, Why: e.webAuthn.Judge(a, e.person.Person).Why()}
		if would, ok := e.webAuthn.Would(a, e.person.Person); ok {
			shown.Level = would.Level().String()
			if shown.Outcome, err = e.outcome(ctx, e.provider, would, true); err != nil {
				return err
			}
		}
		x.Authenticators = append(x.Authenticators, shown)
	}
	return nil
}

// signIn is the sign-in with what is named: an authenticator, the strongest, or a method. The name is "" where the person has
// nothing to sign in with.
func (e *explainer) signIn(ctx context.Context, named string) (assurance.Authentication, string, error) {
	if supposes(named) {
		return e.suppose(assurance.Method(named)), "a " + strings.ReplaceAll(named, "-", " ") + " at its best", nil
	}
	authenticators, err := e.provider.Store.Authenticators(ctx, e.person.Person.ID, false)
	if err != nil {
		return assurance.Authentication{}, "", fmt.Errorf("list authenticators: %w", err)
	}
	var best assurance.Authentication
	var name string
	for _, a := range authenticators {
		would, ok := e.webAuthn.Would(a, e.person.Person)
		switch {
		case a.ID.String() == named && !ok:
			return would, "", fmt.Errorf("authenticator %s is refused: nobody signs in with it", named)
		case a.ID.String() == named:
			return would, a.Name, nil
		case named == "best" && ok && would.Level() > best.Level():
			best, name = would, a.Name
		}
	}
	if named != "best" {
		return best, "", fmt.Errorf("the person has no authenticator %.60q: `credence authenticator list %s` shows those there are", named, e.person.Person.ID)
	}
	if name == "" && e.development() {
		method := e.provider.SignIn.UsualMethod(e.person.Person.ID)
		return e.suppose(method), "a simulated " + strings.ReplaceAll(string(method), "-", " "), nil
	}
	return best, name, nil
}

// suppose is a sign-in by a method at its best. Where sign-ins are simulated it is such a one.
func (e *explainer) suppose(method assurance.Method) assurance.Authentication {
	a := assurance.Simulate(method, e.at)
	a.Simulated = e.development()
	return a
}

// reached is what the person reaches by a sign-in.
func (e *explainer) reached(signIn assurance.Authentication) assurance.Reached {
	return assurance.Reached{Authenticator: signIn.Level(), AMR: signIn.AMR(), Identity: assurance.IdentityLevel(e.person.Person.IdentityLevel)}
}

func (e *explainer) foresee(ctx context.Context, by *oauth.Handler, signIn assurance.Authentication, forThis bool) (oauth.Foreseen, error) {
	signIn.At = e.at
	if !forThis {
		signIn.At = e.at.Add(-time.Minute)
	}
	return by.Foresee(ctx, oauth.Supposed{
		ClientID: e.client.ID, Parameters: e.parameters, Person: e.person.Person, SignIn: signIn, ForThis: forThis,
	})
}

func (e *explainer) outcome(ctx context.Context, by *oauth.Handler, signIn assurance.Authentication, forThis bool) (*outcome, error) {
	f, err := e.foresee(ctx, by, signIn, forThis)
	if err != nil {
		return nil, err
	}
	o := &outcome{Missing: f.Missing, Error: f.Error, Claims: f.Claims, Verified: f.Verified}
	if f.Error != nil {
		o.Result = "refused"
		o.Words = []string{fmt.Sprintf("The client is told %s: %s", f.Error.Code, f.Error.Description)}
		return o, nil
	}
	switch f.Step {
	case signin.Authenticate:
		o.Result, o.Words = "authenticate", []string{"She has to sign in again."}
	case signin.StepUp:
		o.Result, o.Words = "step_up", e.stepUpWords(f)
		if len(f.Able) == 0 && !signIn.Simulated { // where nothing is simulated, nobody is asked to step up who cannot
			without, err := e.outcome(ctx, e.production, signIn, forThis)
			if err != nil {
				return nil, err
			}
			o.Words = append(o.Words, "Where no sign-in is simulated: "+strings.Join(without.Words, " "))
		}
	case signin.Unmet:
		o.Result, o.Words = "unmet", e.unmetWords(f)
	case signin.ChooseRole:
		o.Result, o.Words = "choose_role", e.roleWords()
	case signin.Done:
		o.Result, o.Words = "in", []string{"She gets in."}
	}
	if f.Claims != nil && !f.Demand.Gap(e.reached(signIn)).Empty() {
		o.Words = append(o.Words, "Not all that is asked for is reached, and it does not have to be: the ID token says what is true.")
	}
	return o, nil
}

func (e *explainer) stepUpWords(f oauth.Foreseen) []string {
	words := []string{"She is asked to sign in again " + cmp.Or(signin.InWords(nil, f.Missing), "otherwise") + "."}
	for _, a := range f.Able {
		words = append(words, "This will do: "+a.Name+".")
	}
	if len(f.Able) == 0 { // only where it is simulated is the page shown at all
		words = append(words, "Nothing on her record will do: only a simulated sign-in.")
	}
	if f.Optional {
		return append(words, "She may continue without it.")
	}
	return append(words, "Without it she gets no further, and if she gives up the client is told unmet_authentication_requirements.")
}

func (e *explainer) unmetWords(f oauth.Foreseen) []string {
	var words []string
	if level := f.Missing.Identity; level != "" {
		words = append(words, fmt.Sprintf("She is told that her identity has to be proved to level %s at a registration desk. It is proved to level %s.", level, e.person.Person.IdentityLevel))
		for i, way := range e.identity.Ways(level) {
			words = append(words, []string{"What is missing: ", "Or: "}[min(i, 1)]+strings.Join(way, "; ")+".")
		}
	}
	if needs := signin.InWords(nil, f.Missing); needs != "" {
		words = append(words, "She is told that she needs to sign in "+needs+".")
	}
	return append(words, "If she gives up the client is told unmet_authentication_requirements.")
}

func (e *explainer) roleWords() []string {
	switch roles := len(e.person.Person.Roles); {
	case roles > 0:
		return []string{fmt.Sprintf("She gets in when she has chosen one of her %d roles.", roles)}
	case e.client.RequiresRole:
		return []string{"She is told that she has no current role, without which this client lets nobody in."}
	}
	return []string{"She is told that she has no current role, and gets in without one."}
}
