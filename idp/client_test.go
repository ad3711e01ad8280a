package idp_test

import (
	"bytes"
	"encoding/base64"
	"io"
	"maps"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/credence-id/credence/idp"
	"github.com/credence-id/credence/idp/oauth"
)

// knock sends a request to the token endpoint as it is: headers are pairs of a name and a value.
func (p *provider) knock(method, query string, body io.Reader, headers ...string) tokens {
	p.t.Helper()
	r, err := http.NewRequestWithContext(p.t.Context(), method, issuer+"/token"+query, body)
	if err != nil {
		p.t.Fatal(err)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	return p.sendToken(r)
}

func basic(user, password string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
}

const formType = "application/x-www-form-urlencoded"

// RFC 6749, Section 3.2.1: "Confidential clients or other clients issued client credentials MUST authenticate with the
// authorization server [...] when making requests to the token endpoint." A client authenticates in the one way that it
// registered, and every failure looks alike. No failure spends the code.
func TestAClientAuthenticatesAsItRegistered(t *testing.T) { //nolint:tparallel // the subtests run in turn: they share their codes
	t.Parallel()
	p := newProvider(t)
	quoted := url.QueryEscape(secret)
	b, k := p.browser(), newPKCE()
	codes := map[string]string{}
	for _, client := range []string{confidentialClient, otherClient, publicClient} {
		codes[client] = b.code(request(client, k), oneRole)
	}
	type call struct {
		client        string
		authorization []string // headers
		body          []string // pairs, added to the form
	}
	send := func(t *testing.T, c call) tokens {
		t.Helper()
		form := redeem(c.client, codes[c.client], k)
		for i := 0; i+1 < len(c.body); i += 2 {
			form.Set(c.body[i], c.body[i+1])
		}
		headers := []string{"Content-Type", formType}
		for _, a := range c.authorization {
			headers = append(headers, "Authorization", a)
		}
		return p.in(t).knock(http.MethodPost, "", strings.NewReader(form.Encode()), headers...)
	}
	const none, both = "invalid_client", "invalid_request"
	descriptions := map[string]bool{}
	for name, tt := range map[string]struct {
		call
		code string
	}{
		// RFC 6749, Section 2.3: "The client MUST NOT use more than one authentication method in each request."
		"two ways at once": {call{confidentialClient, []string{basic(confidentialClient, quoted)}, []string{"client_id", confidentialClient, "client_secret", secret}}, both},
		"two headers":      {call{confidentialClient, []string{basic(confidentialClient, quoted), basic(confidentialClient, quoted)}, nil}, both},
		"a header for one and a body for another": {call{confidentialClient, []string{basic(confidentialClient, quoted)}, []string{"client_id", otherClient}}, both},
		"an assertion":                 {call{confidentialClient, nil, []string{"client_id", confidentialClient, "client_assertion", "x", "client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"}}, none},
		"an assertion beside a header": {call{confidentialClient, []string{basic(confidentialClient, quoted)}, []string{"client_assertion", "x"}}, none},

		"the body, by a client of the header":      {call{confidentialClient, nil, []string{"client_id", confidentialClient, "client_secret", secret}}, none},
		"the header, by a client of the body":      {call{otherClient, []string{basic(otherClient, quoted)}, nil}, none},
		"no secret, by a client of the header":     {call{confidentialClient, nil, []string{"client_id", confidentialClient}}, none},
		"no secret, by a client of the body":       {call{otherClient, nil, []string{"client_id", otherClient}}, none},
		"an empty secret, by a client of the body": {call{otherClient, nil, []string{"client_id", otherClient, "client_secret", ""}}, none},
		"a secret, by a public client":             {call{publicClient, nil, []string{"client_id", publicClient, "client_secret", secret}}, none},
		"the header, by a public client":           {call{publicClient, []string{basic(publicClient, "")}, nil}, none},
		"nothing at all":                           {call{confidentialClient, nil, nil}, none},
		"a wrong secret in the header":             {call{confidentialClient, []string{basic(confidentialClient, "wrong")}, nil}, none},
		"a wrong secret in the body":               {call{otherClient, nil, []string{"client_id", otherClient, "client_secret", secret + " "}}, none},
		"an empty secret in the header":            {call{confidentialClient, []string{basic(confidentialClient, "")}, nil}, none},
		"the hash of the secret":                   {call{confidentialClient, []string{basic(confidentialClient, hexOfHash(secret))}, nil}, none},
		"an unknown client in the header":          {call{confidentialClient, []string{basic("nobody-at-all", quoted)}, nil}, none},
		"an unknown client in the body":            {call{otherClient, nil, []string{"client_id", "nobody-at-all", "client_secret", secret}}, none},
		"an unknown public client":                 {call{publicClient, nil, []string{"client_id", "nobody-at-all"}}, none},
		"a client id in another case":              {call{confidentialClient, []string{basic(strings.ToUpper(confidentialClient), quoted)}, nil}, none},
		"a very long client id":                    {call{otherClient, nil, []string{"client_id", strings.Repeat("a", 20000), "client_secret", secret}}, none},

		"a header of another scheme":        {call{confidentialClient, []string{"Bearer " + codes[confidentialClient]}, nil}, none},
		"a header with nothing in it":       {call{confidentialClient, []string{""}, nil}, none},
		"a header that is only a scheme":    {call{confidentialClient, []string{"Basic"}, nil}, none},
		"a header that is not base64":       {call{confidentialClient, []string{"Basic !!!!"}, nil}, none},
		"a header without a colon":          {call{confidentialClient, []string{"Basic " + base64.StdEncoding.EncodeToString([]byte(confidentialClient))}, nil}, none},
		"a header with a broken escape":     {call{confidentialClient, []string{basic(confidentialClient, "%zz")}, nil}, none},
		"a header with bytes beyond UTF-8":  {call{confidentialClient, []string{basic("\xff\xfe", "\x00")}, nil}, none},
		"a header of 100 kB":                {call{confidentialClient, []string{basic(confidentialClient, strings.Repeat("a", 100_000))}, nil}, none},
		"a header with a comma in the list": {call{confidentialClient, []string{basic(confidentialClient, quoted) + ", " + basic(otherClient, quoted)}, nil}, none},
	} {
		t.Run(name, func(t *testing.T) {
			got := send(t, tt.call)
			if tt.code == none {
				got.refused(t, http.StatusUnauthorized, none)
				descriptions[got.Description] = true
			} else {
				got.refused(t, http.StatusBadRequest, tt.code)
			}
		})
	}
	if len(descriptions) != 1 {
		t.Errorf("failures are told apart: %v", descriptions)
	}
	for name, tt := range map[string]call{
		"the header":                    {confidentialClient, []string{basic(confidentialClient, quoted)}, []string{"client_id", confidentialClient}},
		"the body":                      {otherClient, nil, []string{"client_id", otherClient, "client_secret", secret}},
		"no secret":                     {publicClient, nil, []string{"client_id", publicClient}},
		"the header, encoded otherwise": {confidentialClient, []string{strings.Replace(basic(strings.ReplaceAll(confidentialClient, "-", "%2D"), strings.ReplaceAll(quoted, "+", "%20")), "Basic", "bAsIc", 1)}, nil},
		"an empty secret of a public client": { // RFC 6749, Section 2.3.1: "The client MAY omit the parameter if the client secret is an empty string."
			publicClient, nil, []string{"client_id", publicClient, "client_secret", ""},
		},
	} {
		t.Run("the twin: "+name, func(t *testing.T) {
			codes[tt.client] = b.code(request(tt.client, k), oneRole)
			send(t, tt).granted(t)
		})
	}
}

// RFC 6749, Section 2.3.1: the client credentials "can only be transmitted in the request-body and MUST NOT be included in the
// request URI."
func TestTheAddressOfTheTokenEndpointTakesNothing(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	code, k := p.issue(publicClient, oneRole)
	form := redeem(publicClient, code, k)
	form.Set("client_id", publicClient)
	for _, query := range []string{"?client_secret=" + url.QueryEscape(secret), "?client_id=" + publicClient, "?code=x", "?x", "?" + form.Encode()} {
		p.knock(http.MethodPost, query, strings.NewReader(form.Encode()), "Content-Type", formType).refused(t, http.StatusBadRequest, "invalid_request")
	}
	p.token(form).granted(t)
}

// RFC 6749, Section 3.2: "The client MUST use the HTTP "POST" method when making access token requests." and "Request and
// response parameters MUST NOT be included more than once."
func TestTheFormOfATokenRequest(t *testing.T) { //nolint:tparallel // the subtests run in turn: they share a code
	t.Parallel()
	p := newProvider(t)
	code, k := p.issue(publicClient, oneRole, "scope", "openid offline_access")
	form := redeem(publicClient, code, k)
	form.Set("client_id", publicClient)
	with := func(name, value string) string {
		changed := maps.Clone(form)
		if value == "" {
			changed.Del(name)
		} else {
			changed.Set(name, value)
		}
		return changed.Encode()
	}
	for _, method := range []string{http.MethodGet, http.MethodPut, http.MethodDelete, http.MethodPatch} {
		got := p.knock(method, "", strings.NewReader(form.Encode()), "Content-Type", formType)
		got.refused(t, http.StatusMethodNotAllowed, "invalid_request")
		if allow := got.header.Get("Allow"); allow != "POST" { // RFC 9110, Section 15.5.6: MUST
			t.Errorf("Allow of %s /token = %q, want POST", method, allow)
		}
	}
	var parts bytes.Buffer
	multi := multipart.NewWriter(&parts)
	for name := range form {
		if err := multi.WriteField(name, form.Get(name)); err != nil {
			t.Fatal(err)
		}
	}
	_ = multi.Close()
	for name, tt := range map[string]struct{ contentType, body, code string }{
		"JSON":                             {"application/json", `{"grant_type":"authorization_code"}`, "invalid_request"},
		"JSON that says it is a form":      {formType, `{"grant_type":"authorization_code"}`, "invalid_request"},
		"a multipart form":                 {multi.FormDataContentType(), parts.String(), "invalid_request"},
		"no content type":                  {"", form.Encode(), "invalid_request"},
		"plain text":                       {"text/plain", form.Encode(), "invalid_request"},
		"an empty body":                    {formType, "", "invalid_request"},
		"a body of 1 MB":                   {formType, form.Encode() + "&padding=" + strings.Repeat("a", 1<<20), "invalid_request"},
		"ten thousand parameters":          {formType, form.Encode() + strings.Repeat("&a=b", 10_000), "invalid_request"},
		"a broken escape":                  {formType, form.Encode() + "&x=%zz", "invalid_request"},
		"a semicolon":                      {formType, form.Encode() + ";x=y", "invalid_request"},
		"bytes beyond UTF-8":               {formType, form.Encode() + "&x=%ff", "invalid_request"},
		"a NUL":                            {formType, form.Encode() + "&x=%00", "invalid_request"},
		"the grant type twice":             {formType, form.Encode() + "&grant_type=authorization_code", "invalid_request"},
		"the code twice":                   {formType, form.Encode() + "&code=" + code, "invalid_request"},
		"the verifier twice":               {formType, form.Encode() + "&code_verifier=", "invalid_request"},
		"the client twice":                 {formType, form.Encode() + "&client_id=" + publicClient, "invalid_request"},
		"an unknown parameter twice":       {formType, form.Encode() + "&x=1&x=2", "invalid_request"},
		"no grant type":                    {formType, with("grant_type", ""), "invalid_request"},
		"no code":                          {formType, with("code", ""), "invalid_request"},
		"no refresh token":                 {formType, with("grant_type", "refresh_token"), "invalid_request"},
		"the password grant":               {formType, with("grant_type", "password"), "unsupported_grant_type"},
		"the client credentials grant":     {formType, with("grant_type", "client_credentials"), "unsupported_grant_type"},
		"the implicit grant":               {formType, with("grant_type", "implicit"), "unsupported_grant_type"},
		"token exchange":                   {formType, with("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"), "unsupported_grant_type"},
		"two grants in one":                {formType, with("grant_type", "authorization_code refresh_token"), "unsupported_grant_type"},
		"the grant type in another case":   {formType, with("grant_type", "Authorization_Code"), "unsupported_grant_type"},
		"the grant type with a space":      {formType, with("grant_type", "authorization_code "), "unsupported_grant_type"},
		"a grant type that is a quotation": {formType, with("grant_type", `"><script>alert(1)</script>`), "unsupported_grant_type"},
	} {
		t.Run(name, func(t *testing.T) {
			p := p.in(t)
			var headers []string
			if tt.contentType != "" {
				headers = []string{"Content-Type", tt.contentType}
			}
			got := p.knock(http.MethodPost, "", strings.NewReader(tt.body), headers...)
			got.refused(t, http.StatusBadRequest, tt.code)
			if strings.ContainsAny(got.Description, `<>"\`) {
				t.Errorf("error_description = %q, want none of the characters that RFC 6749, Section 5.2 excludes", got.Description)
			}
		})
	}
	// The twin, with what a server has to read past: RFC 6749, Section 3.2, "The authorization server MUST ignore unrecognized
	// request parameters."
	p.knock(http.MethodPost, "", strings.NewReader(form.Encode()+"&unknown=1&empty="), "Content-Type", formType+"; charset=UTF-8").granted(t)
}

// A new secret takes the place of the old one within seconds, on a process that runs.
func TestARotatedSecret(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	p.run()
	held := p.signedIn(p.browser(), otherClient, oneRole, "scope", "openid offline_access")
	_, fresh, err := oauth.UpdateClient(t.Context(), p.owner, otherClient, func(*oauth.Registration) {}, true, "test", p.clock.Now())
	if err != nil || fresh == "" {
		t.Fatalf("UpdateClient() = %q, %v", fresh, err)
	}
	present := func(secret string) tokens {
		return p.token(url.Values{
			"grant_type": {"refresh_token"}, "refresh_token": {"none"}, "client_id": {otherClient}, "client_secret": {secret},
		})
	}
	eventually(t, "the new secret is accepted", func() bool { return present(fresh).Error == "invalid_grant" })
	present(secret).refused(t, http.StatusUnauthorized, "invalid_client")
	form := refresh(held.RefreshToken)
	form.Set("client_id", otherClient)
	form.Set("client_secret", fresh)
	p.token(form).granted(t) // what it was issued before is still its own
}

// A client that was disabled is refused at every entry, also by a process that has noticed.
func TestADisabledClient(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	p.run()
	b, k := p.browser(), newPKCE()
	code := b.code(request(otherClient, k), oneRole)
	held := p.signedIn(b, otherClient, oneRole, "scope", "openid offline_access")
	if err := oauth.DisableClient(t.Context(), p.owner, otherClient, "test", p.clock.Now()); err != nil {
		t.Fatal(err)
	}
	for range 2 { // at once, and when it has noticed
		p.as(otherClient, redeem(otherClient, code, k)).refused(t, http.StatusUnauthorized, "invalid_client")
		p.as(otherClient, refresh(held.RefreshToken)).refused(t, http.StatusUnauthorized, "invalid_client")
		p.wantUserinfo(held.AccessToken, http.StatusUnauthorized)
		page := b.authorize(request(otherClient, k))
		if page.StatusCode != http.StatusBadRequest || page.Header.Get("Location") != "" || !strings.Contains(page.body, "unauthorized_client") {
			t.Errorf("authorize for a disabled client = %d: %s, want a page", page.StatusCode, text(page.body))
		}
		p.clock.advance(time.Second)
		eventually(t, "the process has noticed", func() bool {
			return strings.Contains(p.browser().get("/authorize?"+request(otherClient, k).Encode()).body, "disabled")
		})
	}
	p.signedIn(b, confidentialClient, oneRole)
}

// A client that nobody knows is looked up in the database, while a transaction is about to begin. Nobody waits for a
// connection who holds one: otherwise strangers who name many clients at once stop everybody.
func TestUnknownClientsDoNotStallTheOthers(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	q := p.second(func(c *idp.Config) {
		one, err := url.Parse(p.urls.service)
		if err != nil {
			t.Fatal(err)
		}
		query := one.Query()
		query.Set("pool_max_conns", "1")
		one.RawQuery = query.Encode()
		c.Store = p.open(one.String(), nil)
	})
	q.clock.advance(time.Minute) // so that it may look
	got := q.token(url.Values{"grant_type": {"authorization_code"}, "client_id": {"stranger"}, "code": {"x"}})
	if got.status != http.StatusUnauthorized || strings.Contains(q.logs.String(), "could not be read") {
		t.Errorf("token request of a stranger with one connection = %d %s, want 401 at once; log: %s", got.status, got.Error, q.logs)
	}
	k := newPKCE()
	if got := q.as(confidentialClient, redeem(confidentialClient, q.browser().code(request(confidentialClient, k), oneRole), k)); got.status != http.StatusOK {
		t.Errorf("token request with one connection = %d %s, want 200", got.status, got.Error)
	}
}
