package wardlist

import (
	"cmp"
	"context"
	"crypto/subtle"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

const (
	callDeadline = 10 * time.Second // for one call to the provider
	maxAnswer    = 256 << 10        // bytes of one answer of the provider
	clockSkew    = time.Minute      // between the provider's clock and ours
)

// provider is what discovery told about the provider.
type provider struct {
	*oidc.Provider

	oauth        oauth2.Config
	verifier     *oidc.IDTokenVerifier
	accessTokens *oidc.IDTokenVerifier // of what an access token has in common with an ID token: signature, iss, aud, exp
	endSession   string                // empty when the provider has no such endpoint
}

// newClient returns the client for every call to the provider and to the API. Each call has a
// deadline, its answer has a limit, and a redirect is an answer like any other:
// no endpoint called here may lead elsewhere, least of all with a code or a
// token in the request.
func newClient(roots *x509.CertPool) *http.Client {
	return &http.Client{
		Transport: bounded{&http.Transport{
			Proxy:             http.ProxyFromEnvironment,
			TLSClientConfig:   &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots},
			ForceAttemptHTTP2: true, // as without a TLS configuration
			IdleConnTimeout:   time.Minute,
		}},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Timeout:       callDeadline,
	}
}

// bounded fails the reading of an answer beyond maxAnswer; neither go-oidc nor
// x/oauth2 limits all that it reads.
type bounded struct{ next http.RoundTripper }

func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := b.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	resp.Body = http.MaxBytesReader(nil, resp.Body, maxAnswer)
	return resp, nil
}

// discover returns the provider, and asks it for its metadata until it has
// answered once. Two first sign-ins at the same moment may both ask, which does
// no harm.
func (s *Server) discover(ctx context.Context) (*provider, error) {
	if p := s.provider.Load(); p != nil {
		return p, nil
	}
	discovered, err := oidc.NewProvider(oidc.ClientContext(ctx, s.client), s.config.Issuer)
	if err != nil {
		return nil, &problem{
			Status: http.StatusBadGateway, Heading: "The sign-in service did not answer",
			What:   "The ward list could not reach the identity provider at " + s.config.Issuer + ".",
			Advice: "Wait a moment and try again. If it goes on, check that the provider is running.",
			cause:  errors.New("discover the provider: " + shorten(err.Error())),
		}
	}
	// OpenID Connect RP-Initiated Logout 1.0, Section 2.1.
	var metadata struct {
		EndSession string `json:"end_session_endpoint"`
	}
	if err := discovered.Claims(&metadata); err != nil {
		return nil, fmt.Errorf("read the provider's metadata: %w", err)
	}
	p := &provider{
		Provider: discovered,
		oauth: oauth2.Config{
			ClientID:     s.config.ClientID,
			ClientSecret: s.config.ClientSecret,
			Endpoint:     discovered.Endpoint(),
			RedirectURL:  s.config.URL + "/callback",
			Scopes: []string{
				oidc.ScopeOpenID, oidc.ScopeProfile, oidc.ScopeEmail, "nhsperson", "nationalrbacaccess",
				"associatedorgs", "professionalmemberships", "selectedrole",
			},
		},
		verifier:     discovered.Verifier(&oidc.Config{ClientID: s.config.ClientID, Now: s.config.Now}),
		accessTokens: discovered.Verifier(&oidc.Config{ClientID: cmp.Or(s.config.Audience, s.config.Issuer), Now: s.config.Now}),
		endSession:   metadata.EndSession,
	}
	// Said outright: x/oauth2 would otherwise find out by sending the code
	// twice, and a code sent twice is a code refused (RFC 6749, Section 4.1.2).
	p.oauth.Endpoint.AuthStyle = oauth2.AuthStyleInHeader
	if s.config.ClientSecret == "" {
		p.oauth.Endpoint.AuthStyle = oauth2.AuthStyleInParams
	}
	s.provider.Store(p)
	return p, nil
}

// redeem exchanges the code for tokens, verifies them, and fetches userinfo.
func (s *Server) redeem(ctx context.Context, code string, started pending, now time.Time) (session, error) {
	ctx = oidc.ClientContext(ctx, s.client)
	p, err := s.discover(ctx)
	if err != nil {
		return session{}, err
	}
	token, err := p.oauth.Exchange(ctx, code, oauth2.VerifierOption(started.verifier))
	if err != nil {
		return session{}, exchangeProblem(err)
	}
	raw, ok := token.Extra("id_token").(string)
	if !ok {
		return session{}, untrusted(errors.New("the token response has no ID token"))
	}
	idToken, err := p.verifier.Verify(ctx, raw)
	if err != nil {
		return session{}, untrusted(fmt.Errorf("verify the ID token: %w", err))
	}
	// OpenID Connect Core 1.0, Section 3.1.3.7, step 11.
	if subtle.ConstantTimeCompare([]byte(idToken.Nonce), []byte(started.nonce)) != 1 {
		return session{}, untrusted(errors.New("the ID token has another nonce than the one sent"))
	}
	// OpenID Connect Core 1.0, Section 3.1.3.8.
	if err := idToken.VerifyAccessToken(token.AccessToken); err != nil {
		return session{}, untrusted(fmt.Errorf("compare at_hash with the access token: %w", err))
	}
	signedIn := session{rawIDToken: raw, token: token, subject: idToken.Subject}
	if token.ExpiresIn > 0 {
		signedIn.tokenEnds = now.Add(time.Duration(token.ExpiresIn) * time.Second)
	}
	if err := idToken.Claims(&signedIn.idToken); err != nil {
		return session{}, untrusted(fmt.Errorf("read the ID token's claims: %w", err))
	}
	// Whoever asks how old a sign-in may be has to look how old it is
	// (OpenID Connect Core 1.0, Section 3.1.3.7, step 13).
	if at, _ := signedIn.idToken.instant("auth_time"); !started.freshSince.IsZero() && at.Before(started.freshSince.Add(-clockSkew)) {
		return session{}, untrusted(errors.New("auth_time is older than was asked for"))
	}
	signedIn.userInfo, err = s.fetchUserInfo(ctx, p, signedIn)
	if err != nil {
		return session{}, &problem{
			Status: http.StatusBadGateway, Heading: "Sign-in was not completed",
			What:   "The identity provider signed you in, but then did not confirm who you are.",
			Advice: "Try to sign in again. If it goes on, tell whoever runs the identity provider.",
			cause:  err,
		}
	}
	return signedIn, nil
}

// fetchUserInfo asks the provider for the claims that the access token opens.
// Its errors never hold the provider's words, which could be anything.
func (s *Server) fetchUserInfo(ctx context.Context, p *provider, of session) (claims, error) {
	info, err := p.UserInfo(oidc.ClientContext(ctx, s.client), oauth2.StaticTokenSource(of.token))
	if unreachable, ok := errors.AsType[*url.Error](err); ok {
		return nil, fmt.Errorf("call userinfo: %w", unreachable)
	}
	if err != nil {
		return nil, errUserInfoRefused
	}
	// OpenID Connect Core 1.0, Section 5.3.2: "The sub Claim in the UserInfo
	// Response MUST be verified to exactly match the sub Claim in the ID Token".
	if info.Subject != of.subject {
		return nil, errors.New("userinfo is about another person than the ID token")
	}
	var c claims
	if err := info.Claims(&c); err != nil {
		return nil, fmt.Errorf("read the userinfo claims: %w", err)
	}
	return c, nil
}

var errUserInfoRefused = errors.New("userinfo was refused or could not be read")

// untrusted is the refusal of tokens that do not prove what they should.
func untrusted(cause error) *problem {
	return &problem{
		Status: http.StatusForbidden, Heading: "Sign-in could not be trusted",
		What:   "An answer came from the identity provider, but it does not prove who signed in: " + shorten(cause.Error()) + ".",
		Advice: "You are not signed in. Try again. If it goes on, tell whoever runs the ward list.",
		cause:  cause,
	}
}

// exchangeProblem is the refusal of a code, in the provider's words if it gave
// any (RFC 6749, Section 5.2).
func exchangeProblem(err error) *problem {
	p := &problem{
		Status: http.StatusBadGateway, Heading: "Sign-in was not completed",
		What:   "The identity provider signed you in, but did not hand over the proof of it.",
		Advice: "Try to sign in again. If it goes on, tell whoever runs the ward list.",
		cause:  errors.New("the token response could not be read"),
	}
	if refused, ok := errors.AsType[*oauth2.RetrieveError](err); ok {
		p.Code, p.Description = shorten(refused.ErrorCode), shorten(refused.ErrorDescription)
		p.cause = fmt.Errorf("the token endpoint answered %s", refused.Response.Status)
	} else if unreachable, ok := errors.AsType[*url.Error](err); ok {
		p.cause = fmt.Errorf("call the token endpoint: %w", unreachable)
	}
	return p
}
