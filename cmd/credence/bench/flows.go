package bench

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
)

const (
	configuration = "/.well-known/openid-configuration"
	scope         = "openid profile offline_access"
	form          = "application/x-www-form-urlencoded"
	mostSteps     = 10 // of a way through pages
	sample        = 16 // of so many ID tokens of a worker one signature is verified
)

// Flows lists what can be measured:
//
//   - code: a person signs in with a passkey in a fresh browser, and the client redeems the code with PKCE
//   - code_role: the same for somebody who has to choose one of two roles
//   - code_sso: a browser in which she is signed in
//   - refresh: a refresh token is exchanged for the next
//   - userinfo, discovery, jwks: one request
//   - desk_search, desk_search_id, desk_search_name: an officer looks for a person by name and date of birth, by user id, and by
//     a name that is not spelt as on record
//   - desk_queue: she reads two pages of what waits in the nation, one of it by when it starts, and what waits at a board
//   - desk_person, desk_evidence: she opens the page of a person, and that of the evidence of one
//   - desk_glance: she looks at what needs doing in the nation
func Flows() []string {
	return []string{
		"code", "code_role", "code_sso", "refresh", "userinfo", "discovery", "jwks",
		"desk_search", "desk_search_id", "desk_search_name", "desk_queue", "desk_person", "desk_evidence", "desk_glance",
	}
}

// worker is one user, who does one thing after the other.
type worker struct {
	load    *load
	browser *browser
	client  *browser // the relying party's connection
	number  int      // of the last operation
	tokens  tokens
}

// tokens is an answer of the token endpoint: OpenID Connect Core 1.0, Section 3.1.3.3.
type tokens struct {
	AccessToken  string `json:"access_token"`
	TokenType    string `json:"token_type"`
	ExpiresIn    int    `json:"expires_in"`
	IDToken      string `json:"id_token"`
	RefreshToken string `json:"refresh_token"`

	person string
}

// prepare does what a flow needs before it is measured.
func (w *worker) prepare(ctx context.Context, flow string) error {
	switch flow {
	case "code_sso", "refresh", "userinfo":
		return w.signIn(ctx, w.load.nextPerson(false))
	}
	if w.deskFlow(flow) != nil {
		return w.enter(ctx)
	}
	return nil
}

// run runs a flow once.
func (w *worker) run(ctx context.Context, flow string) error {
	w.number++
	switch flow {
	case "code":
		return w.signIn(ctx, w.load.nextPerson(false))
	case "code_role":
		return w.signIn(ctx, w.load.nextPerson(true))
	case "code_sso":
		return w.authorize(ctx, nil, w.tokens.person)
	case "refresh":
		return w.refresh(ctx)
	case "userinfo":
		return w.userinfo(ctx)
	case "discovery":
		return w.document(ctx, configuration, w.load.configuration)
	case "jwks":
		return w.document(ctx, w.load.jwksPath, w.load.jwks)
	}
	if desk := w.deskFlow(flow); desk != nil {
		return desk(ctx)
	}
	return fmt.Errorf("no flow %q", flow)
}

// signIn signs somebody in, in a fresh browser.
func (w *worker) signIn(ctx context.Context, a *authenticator) error {
	w.browser.forget()
	return w.authorize(ctx, a, a.person)
}

// authorize runs the authorization code flow with PKCE. Without an authenticator, somebody has to be signed in.
func (w *worker) authorize(ctx context.Context, a *authenticator, person string) error {
	state, nonce, verifier := rand.Text(), rand.Text(), rand.Text()+rand.Text()
	challenge := sha256.Sum256([]byte(verifier))
	location, err := w.follow(ctx, a, w.load.authorizeTarget+"&state="+state+"&nonce="+nonce+
		"&code_challenge="+base64.RawURLEncoding.EncodeToString(challenge[:]))
	if err != nil {
		return err
	}
	back, err := url.Parse(location)
	if err != nil {
		return err
	}
	q := back.Query()
	code := q.Get("code")
	switch {
	case q.Has("error"):
		return fmt.Errorf("callback: %s: %s", q.Get("error"), q.Get("error_description"))
	case code == "" || q.Get("state") != state || q.Get("iss") != w.load.site.issuer:
		return fmt.Errorf("callback: code of %d characters, state %q, iss %q: want a code, the state that was sent, and the issuer", len(code), q.Get("state"), q.Get("iss"))
	}
	return w.token(ctx, "grant_type=authorization_code&code="+url.QueryEscape(code)+"&redirect_uri="+url.QueryEscape(callback)+"&code_verifier="+verifier, nonce, person)
}

// follow follows redirects and does what pages ask, until it is sent to the client.
func (w *worker) follow(ctx context.Context, a *authenticator, target string) (string, error) {
	for range mostSteps {
		page, err := w.browser.get(ctx, target)
		if err != nil {
			return "", err
		}
		if page.status == http.StatusOK && a != nil {
			if page, err = w.fill(ctx, a, target, page); err != nil {
				return "", err
			}
		}
		if page.status != http.StatusSeeOther {
			return "", fmt.Errorf("GET %s: status %d, want to be sent on", pathOf(target), page.status)
		}
		if strings.HasPrefix(page.location, callback+"?") {
			return page.location, nil
		}
		target = page.location
	}
	return "", errors.New("the pages lead round in a circle")
}

// fill does what a page asks. What comes back is a redirect, or as good as one.
func (w *worker) fill(ctx context.Context, a *authenticator, target string, page answer) (answer, error) {
	if options, ok := attribute(page.body, "data-options"); ok {
		finish, _ := attribute(page.body, "data-finish")
		return w.assert(ctx, a, options, finish)
	}
	if bytes.Contains(page.body, []byte(`name="role" type="radio" value="`+a.secondRole+`"`)) {
		return w.browser.post(ctx, target, form, []byte("role="+a.secondRole))
	}
	return answer{}, fmt.Errorf("GET %s: a page that asks neither for a passkey nor for a role that the person has", pathOf(target))
}

// attribute finds an attribute of a page of ours.
func attribute(page []byte, name string) (string, bool) {
	_, rest, ok := bytes.Cut(page, []byte(" "+name+`="`))
	if !ok {
		return "", false
	}
	value, _, ok := bytes.Cut(rest, []byte(`"`))
	return html.UnescapeString(string(value)), ok
}

// assert does what the page's script does with an authenticator.
func (w *worker) assert(ctx context.Context, a *authenticator, options, finish string) (answer, error) {
	var asked struct {
		Challenge string `json:"challenge"`
		RPID      string `json:"rpId"`
	}
	if err := json.Unmarshal([]byte(options), &asked); err != nil {
		return answer{}, fmt.Errorf("options of the ceremony: %w", err)
	}
	body, err := a.assertion(asked.Challenge, asked.RPID, w.load.site.issuer)
	if err != nil {
		return answer{}, err
	}
	got, err := w.browser.post(ctx, finish, "application/json", body)
	if err != nil {
		return answer{}, err
	}
	var next struct{ Location, Message string }
	if err := json.Unmarshal(got.body, &next); err != nil || got.status != http.StatusOK || next.Location == "" {
		return answer{}, fmt.Errorf("POST %s: status %d %s, want to be sent on", pathOf(finish), got.status, next.Message)
	}
	return answer{status: http.StatusSeeOther, location: next.Location}, nil
}

// token asks for tokens and checks them. A refreshed ID token has no nonce: OpenID Connect Core 1.0, Section 12.2.
func (w *worker) token(ctx context.Context, body, nonce, person string) error {
	got, err := w.client.send(ctx, message{http.MethodPost, "/token", form, []byte(body), w.load.authorization})
	if err != nil {
		return err
	}
	if got.status != http.StatusOK {
		return fmt.Errorf("POST /token: status %d %.200s", got.status, got.body)
	}
	var t tokens
	if err := json.Unmarshal(got.body, &t); err != nil {
		return fmt.Errorf("POST /token: %w", err)
	}
	if t.AccessToken == "" || t.RefreshToken == "" || !strings.EqualFold(t.TokenType, "bearer") || t.ExpiresIn <= 0 || got.header.Get("Cache-Control") != "no-store" {
		return errors.New("POST /token: want an access token with type and life, a refresh token, and no caching")
	}
	if err := w.checkIDToken(t.IDToken, nonce, person); err != nil {
		return err
	}
	w.tokens, w.tokens.person = t, person
	return nil
}

// checkIDToken is the validation of OpenID Connect Core 1.0, Section 3.1.3.7.
func (w *worker) checkIDToken(token, nonce, person string) error {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return errors.New("ID token: no JWS")
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if w.number%sample == 1 {
		payload, err = w.load.verify(token)
	}
	if err != nil {
		return fmt.Errorf("ID token: %w", err)
	}
	var c struct {
		Issuer    string `json:"iss"`
		Subject   string `json:"sub"`
		Audience  string `json:"aud"`
		Nonce     string `json:"nonce"`
		ExpiresAt int64  `json:"exp"`
		IssuedAt  int64  `json:"iat"`
	}
	if err := json.Unmarshal(payload, &c); err != nil {
		return fmt.Errorf("ID token: %w", err)
	}
	now := time.Now().Unix()
	if c.Issuer != w.load.site.issuer || c.Subject != person || c.Audience != w.load.clientID || c.Nonce != nonce || c.ExpiresAt <= now || c.IssuedAt > now+60 {
		return fmt.Errorf("ID token: iss %q, sub %q, aud %q, nonce %q, exp %d, iat %d: want those of this sign-in", c.Issuer, c.Subject, c.Audience, c.Nonce, c.ExpiresAt, c.IssuedAt)
	}
	return nil
}

// verify verifies the signature of a token with the published keys.
func (l *load) verify(token string) ([]byte, error) {
	signed, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{l.alg})
	if err != nil {
		return nil, err
	}
	return signed.Verify(l.keys)
}

func (w *worker) refresh(ctx context.Context) error {
	old := w.tokens
	if err := w.token(ctx, "grant_type=refresh_token&refresh_token="+url.QueryEscape(old.RefreshToken), "", old.person); err != nil {
		return err
	}
	if w.tokens.RefreshToken == old.RefreshToken || w.tokens.AccessToken == old.AccessToken {
		return errors.New("POST /token: the tokens of before came back")
	}
	return nil
}

func (w *worker) userinfo(ctx context.Context) error {
	got, err := w.client.send(ctx, message{method: http.MethodGet, target: "/userinfo", authorization: "Bearer " + w.tokens.AccessToken})
	if err != nil {
		return err
	}
	var c struct {
		Subject string `json:"sub"`
	}
	if err := json.Unmarshal(got.body, &c); err != nil || got.status != http.StatusOK || c.Subject != w.tokens.person {
		return fmt.Errorf("GET /userinfo: status %d, sub %q, want %s", got.status, c.Subject, w.tokens.person)
	}
	return nil
}

// document asks for what is the same every time.
func (w *worker) document(ctx context.Context, target string, want []byte) error {
	got, err := w.client.get(ctx, target)
	if err != nil {
		return err
	}
	if got.status != http.StatusOK || !bytes.Equal(got.body, want) {
		return fmt.Errorf("GET %s: status %d and %d bytes, want the %d bytes of before", target, got.status, len(got.body), len(want))
	}
	return nil
}
