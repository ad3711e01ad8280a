package wardlist

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/google/go-cmp/cmp"
)

// access are the claims of an access token with which a clinician may prescribe.
func access(p *fakeProvider) map[string]any {
	now := p.clock.Now()
	c := clinician()
	maps.Copy(c, map[string]any{
		"iss": p.server.URL, "aud": p.server.URL, "client_id": testClient, "jti": "1", "scope": "openid",
		"iat": now.Unix(), "exp": now.Add(10 * time.Minute).Unix(), "auth_time": now.Add(-10 * time.Minute).Unix(),
	})
	return c
}

func sign(t *testing.T, signer jose.Signer, claims map[string]any) string {
	t.Helper()
	token, err := jwt.Signed(signer).Claims(claims).Serialize()
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// apiAnswer is what the API answered.
type apiAnswer struct {
	status    int
	challenge string // WWW-Authenticate
	body      map[string]string
}

func callAPI(t *testing.T, base, authorization, body string) apiAnswer {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, base+"/api/prescriptions", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if authorization != "" {
		request.Header.Set("Authorization", authorization)
	}
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	got := apiAnswer{status: response.StatusCode, challenge: response.Header.Get("WWW-Authenticate")}
	b, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &got.body); err != nil {
		t.Errorf("the API answered %d %q, want JSON", response.StatusCode, b)
	}
	return got
}

const (
	anOrder    = `{"bed":"1"}`
	wantStepUp = `Bearer error="insufficient_user_authentication", ` +
		`error_description="Prescribing needs a stronger or a more recent sign-in.", acr_values="AAL3_ANY", max_age="3600"`
	wantRole = `Bearer error="insufficient_scope", error_description="The role in use does not hold activity B0420, Independent Prescribing."`
)

func TestAPIPrescribes(t *testing.T) {
	t.Parallel()
	provider := newFakeProvider(t)
	base := newWardList(t, provider)
	token := sign(t, provider.accessSigner, access(provider))
	first := callAPI(t, base, "Bearer "+token, anOrder)
	if first.status != http.StatusCreated || first.body["bed"] != "1" || first.body["prescribed_at"] != "2031-03-04T09:41:07Z" || len(first.body["id"]) < 22 {
		t.Errorf("POST %s = %+v, want 201 and a prescription", anOrder, first)
	}
	if second := callAPI(t, base, "bearer "+token, anOrder); second.status != http.StatusCreated || second.body["id"] == first.body["id"] {
		t.Errorf("POST %s again = %+v, want 201 and another id than %s", anOrder, second, first.body["id"])
	}
	if got := callAPI(t, base, "Bearer "+sign(t, newSigner(t, ownKey(t), "application/AT+JWT"), access(provider)), anOrder); got.status != http.StatusCreated {
		t.Errorf("POST with the type in full = %+v, want 201", got) // RFC 9068, Section 4
	}
}

func ownKey(t *testing.T) *rsa.PrivateKey {
	t.Helper()
	key, err := providerKey()
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestAPIRefusesTokens(t *testing.T) {
	t.Parallel()
	provider := newFakeProvider(t)
	base := newWardList(t, provider)
	foreign, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	with := func(name string, value any) string {
		c := access(provider)
		c[name] = value
		return sign(t, provider.accessSigner, c)
	}
	without := func(name string) string {
		c := access(provider)
		delete(c, name)
		return sign(t, provider.accessSigner, c)
	}
	good := sign(t, provider.accessSigner, access(provider))
	parts := strings.Split(good, ".")
	// RFC 8725, Section 2.1: signed with nothing, and with the public key as if it were a secret.
	none := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","typ":"at+jwt","kid":"k1"}`))
	confused, err := jose.NewSigner(
		jose.SigningKey{Algorithm: jose.HS256, Key: jose.JSONWebKey{Key: ownKey(t).N.Bytes(), KeyID: "k1"}},
		(&jose.SignerOptions{}).WithType("at+jwt"))
	if err != nil {
		t.Fatal(err)
	}
	// What an ID token of this sign-in says, beside what an access token says.
	idToken := access(provider)
	idToken["aud"], idToken["nonce"] = testClient, "n"

	for name, token := range map[string]string{
		"nothing":                                   "",
		"no JWT":                                    "not.a.token",
		"an ID token":                               sign(t, provider.signer, idToken),
		"an ID token for the audience":              sign(t, provider.signer, access(provider)),
		"a token without a type":                    sign(t, newSigner(t, ownKey(t), ""), access(provider)),
		"a logout token":                            sign(t, newSigner(t, ownKey(t), "logout+jwt"), access(provider)),
		"a token of another issuer":                 with("iss", "https://other.example"),
		"a token for another audience":              with("aud", "https://api.example"),
		"a token for no audience":                   without("aud"),
		"a token that was issued to another client": with("client_id", "pharmacy"),
		"a token that was issued to nobody":         without("client_id"),
		"a token that expires now":                  with("exp", provider.clock.Now().Unix()),
		"a token that has expired":                  with("exp", provider.clock.Now().Unix()-1),
		"a token that never expires":                without("exp"),
		"a token of another key":                    sign(t, newSigner(t, foreign, "at+jwt"), access(provider)),
		"a token signed with the public key":        sign(t, confused, access(provider)),
		"a token with the algorithm none":           none + "." + parts[1] + ".",
		"a token that was altered":                  parts[0] + "." + strings.TrimRight(base64.RawURLEncoding.EncodeToString([]byte(`{"sub":"1"}`)), "=") + "." + parts[2],
		"a token beyond bounds":                     with("scope", strings.Repeat("x", maxToken)),
	} {
		t.Run(name+" is invalid", func(t *testing.T) {
			t.Parallel()
			got := callAPI(t, base, "Bearer "+token, anOrder)
			if got.status != http.StatusUnauthorized || !strings.HasPrefix(got.challenge, `Bearer error="invalid_token", error_description="`) || got.body["error"] != "invalid_token" {
				t.Errorf("POST = %+v, want 401 invalid_token", got)
			}
		})
	}
	for name, authorization := range map[string]string{"no token": "", "a password": "Basic d2FyZDpsaXN0", "a token alone": good} {
		t.Run(name+" is challenged without a reason", func(t *testing.T) {
			t.Parallel()
			if got := callAPI(t, base, authorization, anOrder); got.status != http.StatusUnauthorized || got.challenge != `Bearer realm="ward list"` {
				t.Errorf("POST = %+v, want 401 and no error", got)
			}
		})
	}
	t.Run("the same token unspoilt is accepted", func(t *testing.T) {
		t.Parallel()
		if got := callAPI(t, base, "Bearer "+good, anOrder); got.status != http.StatusCreated {
			t.Errorf("POST = %+v, want 201", got)
		}
	})
}

func TestAPIDecides(t *testing.T) {
	t.Parallel()
	const ago = time.Minute
	provider := newFakeProvider(t)
	base := newWardList(t, provider)
	for _, test := range []struct {
		name      string
		change    map[string]any
		age       time.Duration
		status    int
		challenge string
	}{
		{"a strong and recent sign-in", nil, time.Minute, http.StatusCreated, ""},
		{"a sign-in of an hour and the clocks' difference ago", nil, time.Hour + clockSkew, http.StatusCreated, ""},
		{"a sign-in too long ago", nil, time.Hour + clockSkew + time.Second, http.StatusUnauthorized, wantStepUp},
		{"a sign-in in the future", nil, -clockSkew - time.Second, http.StatusUnauthorized, wantStepUp},
		{"a weak sign-in", map[string]any{"acr": "AAL2_ANY"}, ago, http.StatusUnauthorized, wantStepUp},
		{"a sign-in of another vocabulary", map[string]any{"acr": "phrh"}, ago, http.StatusUnauthorized, wantStepUp},
		{"an acr that only looks like it", map[string]any{"acr": "aal3_any"}, ago, http.StatusUnauthorized, wantStepUp},
		{"an acr in a list", map[string]any{"acr": []string{"AAL3_ANY"}}, ago, http.StatusUnauthorized, wantStepUp},
		{"a level without an acr", map[string]any{"acr": nil}, ago, http.StatusUnauthorized, wantStepUp},
		{"a time of signing in that is no time", map[string]any{"auth_time": "09:41"}, 0, http.StatusUnauthorized, wantStepUp},
		{"a role without the activity, whom no sign-in helps", map[string]any{"entitlements": []string{"B0278"}, "acr": "AAL1_ANY"}, ago, http.StatusForbidden, wantRole},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c := access(provider)
			c["auth_time"] = provider.clock.Now().Add(-test.age).Unix()
			maps.Copy(c, test.change)
			got := callAPI(t, base, "Bearer "+sign(t, provider.accessSigner, c), anOrder)
			if got.status != test.status || got.challenge != test.challenge {
				t.Errorf("POST = %+v, want %d with the challenge %s", got, test.status, test.challenge)
			}
		})
	}
}

func TestAPIRefusesOrders(t *testing.T) {
	t.Parallel()
	provider := newFakeProvider(t)
	base := newWardList(t, provider)
	token := "Bearer " + sign(t, provider.accessSigner, access(provider))
	for _, body := range []string{
		"", "null", "{}", `{"bed":1}`, `{"bed":"5"}`, `{"bed":""}`, `["1"]`, anOrder + anOrder, `bed=1`,
		`{"bed":"1","note":"` + strings.Repeat("x", maxOrder) + `"}`,
	} {
		if got := callAPI(t, base, token, body); got.status != http.StatusBadRequest || got.body["error"] != "invalid_request" || got.challenge != "" {
			t.Errorf("POST %.40q = %+v, want 400 invalid_request", body, got)
		}
	}
	if got := callAPI(t, base, token, `{"bed":"4","note":"as discussed"}`); got.status != http.StatusCreated {
		t.Errorf("POST for bed 4 = %+v, want 201", got)
	}
}

func TestAPIWithoutKeys(t *testing.T) {
	t.Parallel()
	provider := newFakeProvider(t)
	base := newWardList(t, provider)
	token := "Bearer " + sign(t, provider.accessSigner, access(provider))
	provider.change(func() { provider.down = true })
	want := apiAnswer{status: http.StatusServiceUnavailable, body: map[string]string{
		"error": "temporarily_unavailable", "error_description": "The keys that access tokens are checked with cannot be fetched.",
	}}
	if diff := cmp.Diff(want, callAPI(t, base, token, anOrder), cmp.AllowUnexported(apiAnswer{})); diff != "" {
		t.Errorf("POST while the provider is down (-want +got):\n%s", diff)
	}
	provider.change(func() { provider.down = false })
	if got := callAPI(t, base, token, anOrder); got.status != http.StatusCreated {
		t.Errorf("POST once the provider is up = %+v, want 201", got)
	}
}

func TestAPIAudience(t *testing.T) {
	t.Parallel()
	const audience = "https://ward.example/api"
	provider := newFakeProvider(t)
	base := startWardList(t, provider, audience, nil)
	c := access(provider)
	if got := callAPI(t, base, "Bearer "+sign(t, provider.accessSigner, c), anOrder); got.status != http.StatusUnauthorized {
		t.Errorf("POST with a token for the issuer = %+v, want 401", got)
	}
	c["aud"] = []string{"https://other.example", audience}
	if got := callAPI(t, base, "Bearer "+sign(t, provider.accessSigner, c), anOrder); got.status != http.StatusCreated {
		t.Errorf("POST with a token for %s = %+v, want 201", audience, got)
	}
}
