package idp_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/credence-id/credence/idp/webauthn/webauthntest"
)

const (
	signInInWelsh = "Mae angen i chi fewngofnodi"
	rolesInWelsh  = "Dewiswch eich rôl"
)

// OpenID Connect Core 1.0, Section 3.1.2.1: "ui_locales: End-User's preferred languages and scripts for the user interface,
// represented as a space-separated list of BCP47 language tag values, ordered by preference." It holds until she is back.
func TestPagesAreInTheLanguageOfTheRequest(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	b := p.browser()
	page := b.authorize(request(confidentialClient, newPKCE(), "ui_locales", "fr cy en"))
	page.wantPage(t, http.StatusOK, "/sign-in", signInInWelsh, `<html lang="cy">`)
	if got := page.Header.Get("Content-Language"); got != "cy" {
		t.Errorf("Content-Language = %q, want cy", got)
	}
	b.simulate(page, twoRoles, "").wantPage(t, http.StatusOK, "/sign-in/role", rolesInWelsh)
	p.browser().authorize(request(confidentialClient, newPKCE(), "ui_locales", "fr")).wantPage(t, http.StatusOK, "/sign-in", "You need to sign in")
	p.browser().authorize(request(confidentialClient, newPKCE(), "ui_locales", strings.Repeat("cy ", 500))).wantPage(t, http.StatusOK, "/sign-in", "You need to sign in")
}

// Whoever chooses a language comes back to where she was, and it is hers until she chooses another.
func TestLanguageIsChosen(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	b := p.browser()
	at := "/authorize?" + request(confidentialClient, newPKCE(), "ui_locales", "en").Encode()
	for _, tt := range []struct{ language, want string }{{"cy", signInInWelsh}, {"en-GB", "You need to sign in"}} {
		if a := b.from(issuer+at, "/language/"+tt.language); a.StatusCode != http.StatusSeeOther || a.Header.Get("Location") != at {
			t.Fatalf("choosing %s answers %d to %q, want 303 to %q", tt.language, a.StatusCode, a.Header.Get("Location"), at)
		}
		b.get(at).wantPage(t, http.StatusOK, "/sign-in", tt.want, `<html lang="`+tt.language+`">`)
	}
	if a := b.get("/language/fr"); a.StatusCode != http.StatusNotFound {
		t.Errorf("a language that pages are not in answers %d, want 404", a.StatusCode)
	}
}

// What is wrong is said in the language of the page on which it happens: by the script of a page too, and in English at the desk,
// which is in English alone.
func TestProblemsAreInTheLanguageOfThePage(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	b := p.browser()
	b.from(issuer+"/", "/language/cy")
	b.get("/nowhere").wantPage(t, http.StatusNotFound, "/nowhere", "Heb ddod o hyd i’r dudalen", `<html lang="cy">`)
	b.get("/desk/nowhere").wantPage(t, http.StatusNotFound, "/desk/nowhere", "Page not found", `<html lang="en-GB">`)
	for language, want := range map[string]string{"cy": "Ni ellir parhau â’r mewngofnodi hwn. Ewch yn ôl", "en-GB": "This sign-in cannot be continued. Go back"} {
		b.from(issuer+"/", "/language/"+language)
		if a := b.post("/sign-in/passkey?state=x", nil); !strings.Contains(a.body, want) {
			t.Errorf("in %s the script is told %q, want %q in it", language, a.body, want)
		}
	}
}

// RFC 9700, Section 4.11: "Authorization servers MUST NOT expose open redirectors."
func TestChoosingALanguageLeadsNowhereElse(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	for _, referer := range []string{
		"", "https://evil.example/", issuer + ".evil.example/x", strings.Replace(issuer, "https://", "https://x@", 1) + "@evil.example/", issuer + "//evil.example/", "//evil.example/x", "javascript:alert(1)", "%",
		issuer + "/language/cy",
	} {
		if a := p.browser().from(referer, "/language/cy"); a.Header.Get("Location") != "/" {
			t.Errorf("from %q it leads to %q, want /", referer, a.Header.Get("Location"))
		}
	}
}

// Whoever chooses a language while she is signed in is written to in it, and services are told; no other site chooses for her, and
// nothing else takes her choice away.
func TestLanguageIsKept(t *testing.T) {
	t.Parallel()
	p, mails := newProvider(t).mailing()
	b := p.browser()
	b.signInAlone(noRole, "passkey")
	kept := func(want string) {
		t.Helper()
		if n := p.count(`SELECT count(*) FROM person WHERE coalesce(language, '') = $1 AND id = $2`, want, noRole); n != 1 {
			t.Errorf("her language is not %q", want)
		}
	}
	b.get("/account").wantPage(t, http.StatusOK, "/account", "Language of messages", "English")
	for _, referer := range []string{"", "https://evil.example/", issuer + ".evil.example/account"} {
		b.from(referer, "/language/cy")
		kept("")
	}
	p.browser().from(issuer+"/", "/language/cy") // nobody is signed in
	kept("")
	for range 2 {
		b.from(issuer+"/account", "/language/cy")
		kept("cy")
	}
	if got := p.audited("language_chosen"); len(got) != 1 {
		t.Errorf("record = %v, want one line", got)
	}
	if actor, person, detail := p.line("language_chosen"); actor != noRole || person != noRole || detail["from"] != "" || detail["to"] != "cy" {
		t.Errorf("record = %s %s %v, want that she chose Welsh", actor, person, detail)
	}
	b.get("/account").wantPage(t, http.StatusOK, "/account", "Iaith negeseuon", "Cymraeg")
	if file := b.post("/account/data", nil); !strings.Contains(file.body, `"language": "cy"`) {
		t.Errorf("download = %s, want her language", file.body)
	}
	key := webauthntest.NewPasskey()
	p.enrol(noRole, key) // in a browser that asks for no language
	kept("cy")
	if got := mails.delivered(); len(got) != 1 || got[0].subject != "Mae gennych ffordd newydd o fewngofnodi" || !strings.Contains(got[0].body, "Annwyl ") {
		t.Errorf("messages = %+v, want one in Welsh", got)
	}
	b.from(issuer+"/account", "/language/en-GB")
	if _, _, detail := p.line("language_chosen"); detail["from"] != "cy" || detail["to"] != "en-GB" {
		t.Errorf("record = %v, want that she chose English after Welsh", detail)
	}
	k := newPKCE()
	a := p.browser()
	back := a.passkey(a.authorize(request(confidentialClient, k, "scope", "openid profile")), key)
	back = a.rest(a.post("/sign-in/role?"+back.address().RawQuery, url.Values{"role": {""}}))
	if _, told := p.userinfo(p.as(confidentialClient, redeem(confidentialClient, back.redirect(t).Get("code"), k)).AccessToken); told["locale"] != "en-GB" {
		t.Errorf("userinfo = %v, want her locale", told)
	}
}

// Whoever has chosen no language is written to in that of the page on which she enrolled, or registered herself: its first message too.
func TestLanguageOfTheFirstPage(t *testing.T) {
	t.Parallel()
	p, mails := openedToAll(t)
	b := p.browser()
	b.from(issuer+"/", "/language/cy")
	c := b.get(p.link(noRole)).ceremony(t)
	if got := b.finish(c, webauthntest.New().Create(c.options, issuer), "allwedd"); got.Status != http.StatusOK {
		t.Fatalf("enrolment answers %+v, want 200", got)
	}
	b.rest(b.post("/register/ZX100", applicant("sarah@example.org"))).wantPage(t, http.StatusOK, "/register/sent")
	var subjects []string
	for _, l := range mails.delivered() {
		subjects = append(subjects, l.subject)
	}
	slices.Sort(subjects)
	if want := []string{"Cadarnhewch eich cyfeiriad e-bost", "Mae gennych ffordd newydd o fewngofnodi"}; !slices.Equal(subjects, want) {
		t.Errorf("messages = %q, want %q", subjects, want)
	}
	b.post(links(mails.delivered())[0], nil)
	if n := p.count(`SELECT count(*) FROM person WHERE language = 'cy' AND (id = $1 OR email = 'sarah@example.org')`, noRole); n != 2 {
		t.Errorf("people who are written to in Welsh = %d, want both", n)
	}
}

// from follows a link of another page.
func (b *browser) from(referer, path string) answer {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), http.MethodGet, b.absolute(path), http.NoBody)
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header.Set("Referer", referer)
	return b.send(r)
}
