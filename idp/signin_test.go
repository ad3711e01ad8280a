package idp_test

import (
	"bytes"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/credence-id/credence/idp"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/webauthn/webauthntest"
)

// rows counts the rows of every table.
func (p *provider) rows() map[string]int {
	p.t.Helper()
	return p.tables(`count(*)`)
}

// state is all that the database holds, as one number for each table.
func (p *provider) state() map[string]int {
	p.t.Helper()
	return p.tables(`coalesce(sum(hashtext(r::text)::bigint), 0)::bigint`)
}

// tables asks each table for a number.
func (p *provider) tables(number string) map[string]int {
	p.t.Helper()
	db, err := pgx.Connect(p.t.Context(), p.urls.owner)
	if err != nil {
		p.t.Fatal(err)
	}
	defer func() { _ = db.Close(p.t.Context()) }()
	rows, err := db.Query(p.t.Context(), `SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace`)
	if err != nil {
		p.t.Fatal(err)
	}
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || len(tables) < 10 {
		p.t.Fatalf("tables = %q, %v; want all of the schema", tables, err)
	}
	var asked []string
	for _, table := range tables {
		asked = append(asked, `SELECT `+number+` FROM `+pgx.Identifier{table}.Sanitize()+` r`)
	}
	rows, err = db.Query(p.t.Context(), strings.Join(asked, ` UNION ALL `))
	if err != nil {
		p.t.Fatal(err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowTo[int])
	if err != nil || len(found) != len(tables) {
		p.t.Fatalf("numbers = %v, %v; want one of each of %d tables", found, err, len(tables))
	}
	numbers := map[string]int{}
	for i, table := range tables {
		numbers[table] = found[i]
	}
	return numbers
}

func TestNothingIsWrittenBeforeSomebodySignsIn(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	p.enrol(oneRole, webauthntest.New())
	before := p.rows()
	p.trips.take()
	for range 50 {
		b := p.browser()
		page := b.authorize(request(confidentialClient, newPKCE()))
		b.rest(b.post(page.address().RequestURI(), url.Values{"username": {oneRole}}))
		b.rest(b.post(page.address().RequestURI(), url.Values{"username": {"999999999999"}}))
		b.get("/sign-in/simulated?" + page.address().RawQuery)
		b.get("/sign-in")
		b.get("/")
		b.get("/logout")
	}
	if _, writes := p.trips.take(); writes != 0 {
		t.Errorf("%d transactions wrote, want none", writes)
	}
	if diff := cmp.Diff(before, p.rows()); diff != "" {
		t.Errorf("rows of the tables (-before +after):\n%s", diff)
	}
}

func TestPendingSignInIsBound(t *testing.T) { //nolint:tparallel // the subtests take turns in one browser
	t.Parallel()
	p := newProvider(t)
	mine, other := p.browser(), p.browser()
	page := mine.authorize(request(confidentialClient, newPKCE()))
	state := page.address().Query().Get("state")
	other.get("/sign-in") // it has a cookie of its own
	middle := len(state) / 2
	changed := byte('A')
	if state[middle] == changed {
		changed = 'B'
	}
	returned := p.browser()
	location, err := url.Parse(returned.get(page.address().RequestURI()).Header.Get("Location"))
	if err != nil || location.Query().Get("asked") == "" {
		t.Fatalf("a sign-in of another browser leads to %s, want the authorization endpoint", location)
	}
	ceremonyURL, err := url.Parse(page.ceremony(t).finish)
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name    string
		browser *browser
		state   string
		refused bool
	}{
		{"the browser that began it goes on", mine, state, false},
		{"a changed one is refused", mine, state[:middle] + string(changed) + state[middle+1:], true},
		{"one that is cut is refused", mine, state[:middle], true},
		{"one that is longer is refused", mine, state + "AAAA", true},
		{"what authorization sealed for itself is refused", returned, location.Query().Get("asked"), true},
		{"what a WebAuthn ceremony sealed is refused", mine, ceremonyURL.Query().Get("ceremony"), true},
		{"what is no base64url is refused", mine, "\x00\xff{}", true},
		{"6 kB of garbage is refused", mine, strings.Repeat("A", 6<<10), true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			q := "?" + url.Values{"state": {tt.state}}.Encode()
			form := url.Values{"username": {oneRole}, "role": {"656014108001"}}
			for _, path := range []string{"/sign-in", "/sign-in/simulated", "/sign-in/role"} {
				answers := []answer{tt.browser.get(path + q)}
				if tt.refused { // otherwise the post signs in
					answers = append(answers, tt.browser.post(path+q, form))
				}
				for _, a := range answers {
					if refused := a.StatusCode == http.StatusBadRequest && strings.Contains(a.body, "This sign-in cannot be continued"); refused != tt.refused {
						t.Errorf("%s %s = %d %s, want refused: %v", a.Request.Method, path, a.StatusCode, text(a.body), tt.refused)
					}
				}
			}
			if got := tt.browser.postJSON("/sign-in/passkey"+q, `{"response":{}}`); (got.Status == http.StatusBadRequest) != tt.refused {
				t.Errorf("POST /sign-in/passkey = %+v, want refused: %v", got, tt.refused)
			}
			if tt.browser != returned && tt.browser.home() != "" {
				t.Error("somebody is signed in")
			}
		})
	}
	// Another browser, or one that lost its cookies, cannot go on: it begins again where the request came from.
	for name, b := range map[string]*browser{"another browser": other, "a browser without cookies": p.browser()} {
		q := "?" + url.Values{"state": {state}}.Encode()
		form := url.Values{"username": {oneRole}, "role": {"656014108001"}}
		for _, path := range []string{"/sign-in", "/sign-in/simulated", "/sign-in/role"} {
			for _, a := range []answer{b.get(path + q), b.post(path+q, form)} {
				if !a.restarts() {
					t.Errorf("%s %s of %s = %d to %q, want the authorization endpoint", a.Request.Method, path, name, a.StatusCode, a.Header.Get("Location"))
				}
			}
		}
		if got := b.postJSON("/sign-in/passkey"+q, `{"response":{}}`); !strings.HasPrefix(got.Location, "/authorize?") {
			t.Errorf("POST /sign-in/passkey of %s = %+v, want the authorization endpoint", name, got)
		}
		if a := b.rest(b.get("/sign-in" + q)); a.path() != "/sign-in" || a.StatusCode != http.StatusOK || strings.Contains(a.address().RawQuery, state) {
			t.Errorf("%s ends at %s, want a sign-in page of its own", name, a.address())
		}
		if b.home() != "" {
			t.Errorf("somebody is signed in, in %s", name)
		}
	}
	if a := mine.simulate(page, oneRole, ""); a.redirect(t).Get("code") == "" {
		t.Errorf("the browser that began it ends at %s, want a code", a.Header.Get("Location"))
	}
}

// restarts says whether an answer leads back to where a request came from.
func (a answer) restarts() bool {
	return a.StatusCode == http.StatusSeeOther && strings.HasPrefix(a.Header.Get("Location"), "/authorize?")
}

func TestPendingSignInExpires(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	b := p.browser()
	page := b.authorize(request(confidentialClient, newPKCE()))
	p.clock.advance(time.Hour - time.Second)
	if a := b.get(page.address().RequestURI()); a.StatusCode != http.StatusOK {
		t.Errorf("the page a second before an hour = %d, want 200", a.StatusCode)
	}
	p.clock.advance(2 * time.Second)
	for _, a := range []answer{
		b.get(page.address().RequestURI()),
		b.post(page.address().RequestURI(), url.Values{"username": {oneRole}}),
		b.post("/sign-in/simulated?"+page.address().RawQuery, url.Values{"username": {oneRole}}),
	} {
		if !a.restarts() {
			t.Errorf("%s %s after an hour = %d %s, want the authorization endpoint", a.Request.Method, a.path(), a.StatusCode, text(a.body))
		}
	}
	if p.sessions() != 0 {
		t.Error("a session was begun, want none")
	}
}

// An attacker who has somebody sign in as the attacker sees what that person then does.
func TestLoginCSRF(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	attacker, victim := p.browser(), p.browser()
	victim.get("/")
	page := attacker.authorize(request(confidentialClient, newPKCE()))
	form := url.Values{"username": {oneRole}}
	for what, post := range map[string]func(*http.Request){
		"from another site":      func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") },
		"from a neighbour":       func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "same-site") },
		"by an old browser":      func(r *http.Request) { r.Header.Set("Origin", "https://evil.example") },
		"from a sandboxed frame": func(r *http.Request) { r.Header.Set("Origin", "null") },
		"with the state of another": func(r *http.Request) {
			r.Header.Set("Sec-Fetch-Site", "same-origin")
			r.URL.RawQuery = page.address().RawQuery
		},
		"from another site, with a state": func(r *http.Request) {
			r.Header.Set("Sec-Fetch-Site", "cross-site")
			r.URL.RawQuery = page.address().RawQuery
		},
	} {
		if a := victim.postWith("/sign-in/simulated", form, post); a.StatusCode != http.StatusForbidden && !a.restarts() {
			t.Errorf("a sign-in that is posted %s = %d, want 403, or that it begins again", what, a.StatusCode)
		}
	}
	if victim.home() != "" || p.sessions() != 0 {
		t.Error("somebody is signed in")
	}
	own := func(r *http.Request) { r.Header.Set("Origin", issuer) }
	if victim.rest(victim.postWith("/sign-in/simulated", form, own)); victim.home() == "" {
		t.Error("nobody is signed in after a post from our own page")
	}
}

// postWith posts a form with a request that is changed before it is sent.
func (b *browser) postWith(location string, form url.Values, change func(*http.Request)) answer {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, b.absolute(location), strings.NewReader(form.Encode()))
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	change(r)
	return b.send(r)
}

func TestStepsTakeNonsense(t *testing.T) { //nolint:tparallel // the subtests take turns in one browser
	t.Parallel()
	p := newProvider(t)
	var multi bytes.Buffer
	parts := multipart.NewWriter(&multi)
	for _, name := range []string{"username", "role"} {
		if err := parts.WriteField(name, oneRole); err != nil {
			t.Fatal(err)
		}
	}
	if err := parts.Close(); err != nil {
		t.Fatal(err)
	}
	const formType = "application/x-www-form-urlencoded"
	bodies := []struct{ name, contentType, body string }{
		{"an empty body", formType, ""},
		{"no body and no type", "", ""},
		{"empty fields", formType, "username=&method=&role="},
		{"spaces", formType, "username=+&role=+"},
		{"other fields", formType, "user=" + oneRole + "&roles=656014452101"},
		{"fields that would be lists", formType, "username[]=" + oneRole + "&role[]=656014452101"},
		{"a user id that is too short", formType, "username=65600575010&role=1"},
		{"a user id that is too long", formType, "username=6560057501088&role=1"},
		{"a user id in other digits", formType, "username=" + url.QueryEscape("٦٥٦٠٠٥٧٥٠١٠٨") + "&role=" + url.QueryEscape("٦٥٦٠١٤٤٥٢١٠١")},
		{"a NUL", formType, "username=65600575010%00&role=65601445210%00"},
		{"half a character", formType, "username=%ff%fe%fd&role=%ff%fe%fd"},
		{"SQL", formType, "username=%27+OR+%271%27%3D%271&role=%27+OR+%271%27%3D%271"},
		{"a broken escape", formType, "username=%zz"},
		{"20 kB", formType, "username=" + strings.Repeat("1", 20<<10) + "&role=" + strings.Repeat("1", 20<<10)},
		{"10 kB", formType, "username=" + strings.Repeat("1", 10<<10) + "&role=" + strings.Repeat("1", 10<<10)},
		{"a multipart form", parts.FormDataContentType(), multi.String()},
		{"JSON", "application/json", `{"username":"` + oneRole + `","role":"656014452101"}`},
		{"plain text", "text/plain", "username=" + oneRole + "&role=656014452101"},
		{"a type that is none", "a/b/c;;", "username=" + oneRole + "&role=656014452101"},
		{"a cancel with nowhere to go", formType, "cancel=1"},
	}
	anonymous := p.browser()
	chooser := p.browser()
	rolePage := chooser.simulate(chooser.get("/sign-in"), twoRoles, "") // home, with no role chosen
	if rolePage.path() != "/" {
		t.Fatalf("sign-in leads to %s, want home", rolePage.path())
	}
	for _, tt := range bodies {
		t.Run(tt.name, func(t *testing.T) {
			for _, step := range []struct {
				browser *browser
				path    string
			}{{anonymous, "/sign-in"}, {anonymous, "/sign-in/simulated"}, {chooser, "/sign-in/role"}} {
				r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, issuer+step.path, strings.NewReader(tt.body))
				if err != nil {
					t.Fatal(err)
				}
				if tt.contentType != "" {
					r.Header.Set("Content-Type", tt.contentType)
				}
				if a := step.browser.send(r); a.StatusCode != http.StatusBadRequest || !strings.HasPrefix(a.Header.Get("Content-Type"), "text/html") {
					t.Errorf("POST %s = %d %s, want 400 and a page", step.path, a.StatusCode, text(a.body))
				}
			}
		})
	}
	for _, q := range []string{"username=%00", "username=%ff", "username=" + strings.Repeat("1", 6<<10), "username=%27", "username=", "username[]=1", "state=", "%zz=1", "ceremony=x"} {
		for _, path := range []string{"/sign-in", "/sign-in/simulated", "/sign-in/role", "/enrolled", "/"} {
			if a := anonymous.rest(anonymous.get(path + "?" + q)); a.StatusCode != http.StatusOK {
				t.Errorf("GET %s?%.30s = %d %s, want 200", path, q, a.StatusCode, text(a.body))
			}
		}
	}
	if p.sessions() != 1 || p.count(`SELECT count(*) FROM session WHERE role_chosen_at IS NOT NULL`) != 0 {
		t.Error("a session was begun, or a role chosen, by nonsense")
	}
	if a := chooser.post("/sign-in/role", url.Values{"role": {"656014452101"}}); a.StatusCode != http.StatusSeeOther {
		t.Errorf("a role that is held = %d, want 303", a.StatusCode)
	}
	if a := anonymous.post("/sign-in", url.Values{"username": {oneRole}}); a.StatusCode != http.StatusSeeOther {
		t.Errorf("a user id = %d, want 303", a.StatusCode)
	}
}

func TestCancelEndsAtTheClient(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	tests := []struct {
		name, client, username string // who signs in first, "" for nobody
		path                   string
	}{
		{"on the sign-in page", confidentialClient, "", "/sign-in"},
		{"on the simulated sign-in page", confidentialClient, "", "/sign-in/simulated"},
		{"when a role is to be chosen", confidentialClient, twoRoles, "/sign-in/role"},
		{"when there is no role", confidentialClient, noRole, "/sign-in/role"},
		{"when there is no role and the client wants one", otherClient, noRole, "/sign-in/role"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := p.browser()
			page := b.authorize(request(tt.client, newPKCE()))
			if tt.username != "" {
				page = b.simulate(page, tt.username, "")
			}
			at := tt.path + "?" + page.address().RawQuery
			if a := b.get(at); a.StatusCode != http.StatusOK || !strings.Contains(a.body, `id="login-cancel" name="cancel"`) {
				t.Fatalf("GET %s = %d, want a page with a cancel button: %s", tt.path, a.StatusCode, text(a.body))
			}
			got := b.rest(b.post(at, url.Values{"cancel": {"1"}})).redirect(t)
			want := url.Values{
				"kept": {"1"}, "error": {"access_denied"}, "error_description": {"The person did not want to sign in."}, "state": {"a state"}, "iss": {issuer},
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("the client gets (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSignInWithoutRequestLeadsHome(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	b := p.browser()
	page := b.get("/sign-in")
	if strings.Contains(page.body, `id="login-cancel"`) {
		t.Error("the page offers to cancel, and there is nowhere to go")
	}
	if a := b.simulate(page, oneRole, ""); a.path() != "/" || b.home() != "Gwil Hawthornby" {
		t.Errorf("sign-in leads to %s, and home greets %q; want home and Gwil Hawthornby", a.path(), b.home())
	}
	b = p.browser()
	if a := b.get("/sign-in/role"); a.StatusCode != http.StatusSeeOther || !strings.HasPrefix(a.Header.Get("Location"), "/sign-in?") {
		t.Errorf("the role page when nobody is signed in = %d to %s, want 303 to the sign-in page", a.StatusCode, a.Header.Get("Location"))
	}
	a := b.simulate(b.rest(b.get("/sign-in/role")), twoRoles, "")
	if a.path() != "/sign-in/role" || a.StatusCode != http.StatusOK {
		t.Errorf("sign-in for the role page leads to %s, want the role page", a.path())
	}
}

// Whom a client thinks it is about is a suggestion: OpenID Connect Core 1.0, Section 3.1.2.1, login_hint.
func TestLoginHintNamesThePerson(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	b := p.browser()
	page := b.authorize(request(confidentialClient, newPKCE(), "login_hint", oneRole))
	if !strings.Contains(page.body, `id="current-username">`+oneRole+`<`) {
		t.Errorf("the page does not say whom it signs in: %s", text(page.body))
	}
	if a := b.get("/sign-in/simulated?" + page.address().RawQuery); !strings.Contains(a.body, `value="`+oneRole+`"`) {
		t.Errorf("the simulated page does not fill in the hint: %s", text(a.body))
	}
	a := b.rest(b.post(page.address().RequestURI(), url.Values{"username": {twoRoles}}))
	if !strings.Contains(a.body, `id="current-username">`+twoRoles+`<`) {
		t.Errorf("another user id than the hint is not taken: %s", text(a.body))
	}
	page = b.authorize(request(confidentialClient, newPKCE(), "login_hint", "gwil@example.org"))
	if page.StatusCode != http.StatusOK || strings.Contains(page.body, "current-username") || strings.Contains(page.body, "gwil") {
		t.Errorf("a hint that is no user id = %d %s, want a page that ignores it", page.StatusCode, text(page.body))
	}
}

func TestSimulatedSignInPage(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	b := p.browser()
	page := b.authorize(request(confidentialClient, newPKCE()))
	if !strings.Contains(page.body, `id="simulated-link"`) {
		t.Error("the sign-in page has no link to the simulated one")
	}
	page = b.get("/sign-in/simulated?" + page.address().RawQuery)
	for _, want := range []string{
		`id="username" name="username"`, `<select class="nhsuk-select" id="method" name="method">` + "\n" + `<option value="" selected>`,
		`id="login-submit"`, `id="login-cancel"`, `>Ward system</strong>`,
		`<option value="smartcard">smartcard (level 3)</option>`, `<option value="security-key">security-key (level 3)</option>`,
		`<option value="passkey">passkey (level 2)</option>`, `<option value="totp">totp (level 2)</option>`, `<option value="password">password (level 1)</option>`,
	} {
		if !strings.Contains(page.body, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	for _, person := range directory.FixedPeople() {
		if !strings.Contains(page.body, `&amp;username=`+person.ID+`" id="person-`+person.ID+`">`+person.Name+`<`) {
			t.Errorf("the page has no link for %s, %s", person.ID, person.Name)
		}
	}
	if a := b.get("/sign-in/simulated?" + page.address().RawQuery + "&username=" + twoRoles); !strings.Contains(a.body, `value="`+twoRoles+`"`) {
		t.Error("the link of a person does not fill in the user id")
	}
}

func TestSimulatedMethods(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	tests := []struct {
		method, username, level string
		amr                     []any
	}{
		{"smartcard", oneRole, "3", []any{"sc", "pin", "mfa", "simulated"}},
		{"security-key", oneRole, "3", []any{"hwk", "user", "mfa", "simulated"}},
		{"passkey", oneRole, "2", []any{"pop", "user", "mfa", "simulated"}},
		{"totp", oneRole, "2", []any{"pwd", "otp", "mfa", "simulated"}},
		{"password", oneRole, "1", []any{"pwd", "simulated"}},
		{"", oneRole, "3", []any{"sc", "pin", "mfa", "simulated"}},
		{"", "656005750110", "1", []any{"pwd", "simulated"}},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprintf("%q of %s", tt.method, tt.username), func(t *testing.T) {
			t.Parallel()
			b, k := p.browser(), newPKCE()
			a := b.simulate(b.authorize(request(confidentialClient, k)), tt.username, tt.method)
			got := p.as(confidentialClient, redeem(confidentialClient, a.redirect(t).Get("code"), k))
			for what, token := range map[string]string{"ID token": got.IDToken, "access token": got.AccessToken} {
				c := claims(t, token)
				if c["acr"] != "AAL"+tt.level+"_ANY" || c["authenticator_assurance_level"] != tt.level {
					t.Errorf("%s has acr %v and level %v, want AAL%s_ANY and %s", what, c["acr"], c["authenticator_assurance_level"], tt.level, tt.level)
				}
				if diff := cmp.Diff(tt.amr, c["amr"]); diff != "" {
					t.Errorf("amr of %s (-want +got):\n%s", what, diff)
				}
			}
		})
	}
}

func TestSimulatedSignInIsRefused(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	const disabled = "656005750112"
	if err := directory.DisablePerson(t.Context(), p.owner, disabled, "test", p.clock.Now()); err != nil {
		t.Fatal(err)
	}
	b := p.browser()
	page := b.authorize(request(confidentialClient, newPKCE()))
	for _, tt := range []struct{ name, username, method, says string }{
		{"nobody", "999999999999", "", "There is no person with this user ID"},
		{"somebody disabled", disabled, "", "This person is disabled"},
		{"a method that is none", oneRole, "fax", "Select a method"},
		{"a method in capitals", oneRole, "Smartcard", "Select a method"},
		{"no user id", "", "smartcard", "Enter a user ID"},
	} {
		a := b.post("/sign-in/simulated?"+page.address().RawQuery, url.Values{"username": {tt.username}, "method": {tt.method}})
		if a.StatusCode != http.StatusBadRequest || !strings.Contains(a.body, tt.says) || !strings.Contains(a.body, "<title>Error: ") {
			t.Errorf("simulated sign-in of %s = %d %s, want 400 and %q", tt.name, a.StatusCode, text(a.body), tt.says)
		}
		if b.home() != "" {
			t.Errorf("simulated sign-in of %s began a session", tt.name)
		}
	}
	if diff := cmp.Diff([]string{"signed_in: person_disabled"}, p.audited("signed_in")); diff != "" {
		t.Errorf("audited (-want +got):\n%s", diff)
	}
}

// There is no code path to a simulated sign-in outside the development server.
func TestNoSimulatedSignInElsewhere(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	elsewhere := p.second(func(c *idp.Config) { c.Simulated = nil })
	b := elsewhere.browser()
	page := b.authorize(request(confidentialClient, newPKCE()))
	const banner = "credence-development"
	for _, at := range []string{"/", page.address().RequestURI(), "/nowhere", "/logout", "/enrol"} {
		if a := b.get(at); strings.Contains(a.body, banner) || strings.Contains(strings.ToLower(a.body), "simulated") {
			t.Errorf("GET %.20s speaks of simulated sign-in", at)
		}
		if a := p.browser().at(p).get(strings.Split(at, "?")[0]); !strings.Contains(a.body, banner) {
			t.Errorf("GET %.20s of the development server has no banner", at)
		}
	}
	for _, a := range []answer{
		b.get("/sign-in/simulated?" + page.address().RawQuery),
		b.post("/sign-in/simulated?"+page.address().RawQuery, url.Values{"username": {oneRole}}),
	} {
		if a.StatusCode != http.StatusNotFound {
			t.Errorf("%s /sign-in/simulated = %d, want 404", a.Request.Method, a.StatusCode)
		}
	}
	if p.sessions() != 0 || slices.Contains(p.audited("signed_in"), "signed_in") {
		t.Error("somebody is signed in")
	}
}
