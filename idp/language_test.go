package idp_test

import (
	"net/http"
	"strings"
	"testing"
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
