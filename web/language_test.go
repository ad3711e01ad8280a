package web

import (
	"io/fs"
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestLanguageOf(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		cookie, locales, accept string
		want                    Language
	}{
		"nobody says":                          {want: English},
		"the browser wants Welsh":              {accept: "cy-GB,cy;q=0.9,en;q=0.8", want: Welsh},
		"the browser wants English first":      {accept: "en-US,cy;q=0.9", want: English},
		"the browser wants French, then Welsh": {accept: "fr, cy;q=0.5", want: Welsh},
		"the browser wants French":             {accept: "fr", want: English},
		"the service asks for Welsh":           {locales: "fr cy", accept: "en", want: Welsh},
		"the service asks for what we lack":    {locales: "fr-CA fr", accept: "cy", want: Welsh},
		"she chose English":                    {cookie: "en-GB", locales: "cy", accept: "cy", want: English},
		"she chose Welsh":                      {cookie: "cy", accept: "en", want: Welsh},
		"a cookie that we did not set":         {cookie: "../cy", accept: "cy", want: Welsh},
		"a list without end":                   {accept: strings.Repeat("cy,", 1000), want: English},
		"no list at all":                       {accept: "\x00;q=;=,", want: English},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			if tt.cookie != "" {
				r.Header.Set("Cookie", languageCookie+"="+tt.cookie)
			}
			r.Header.Set("Accept-Language", tt.accept)
			if got := LanguageOf(r, tt.locales); got != tt.want {
				t.Errorf("LanguageOf(%+v) = %s, want %s", tt, got, tt.want)
			}
		})
	}
}

func FuzzLanguageOf(f *testing.F) {
	f.Add("cy-GB,cy;q=0.9", "en cy")
	f.Add("*;q=0", "x-klingon")
	f.Fuzz(func(t *testing.T, accept, locales string) {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header.Set("Accept-Language", accept)
		if got := LanguageOf(r, locales); !slices.Contains(Languages(), got) {
			t.Errorf("LanguageOf() = %q, want one of %q", got, Languages())
		}
	})
}

// What a text holds of actions and elements, which its translation holds too, in whatever order.
var held = regexp.MustCompile(`\{\{.*?\}\}|<[^>]*>|%[a-z]`)

func TestWelsh(t *testing.T) {
	t.Parallel()
	welsh, err := ReadWords(Welsh)
	if err != nil {
		t.Fatal(err)
	}
	names, err := fs.Glob(files, "templates/*/*.html")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range append(names, "templates/layout.html") {
		source, err := fs.ReadFile(files, name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range marked.FindAllStringSubmatch(string(source), -1) {
			said, ok := welsh[m[1]]
			if !ok {
				t.Errorf("%s: %q is not in words/cy.csv", name, m[1])
				continue
			}
			if m[1] == `<a href="/language/cy" lang="cy" hreflang="cy" id="language">Cymraeg</a>` {
				continue // leads to the other language, from each
			}
			want, got := held.FindAllString(m[1], -1), held.FindAllString(said, -1)
			slices.Sort(want)
			slices.Sort(got)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s: %q and its translation hold other things (-English +Welsh):\n%s", name, m[1], diff)
			}
		}
	}
}

// Every page is whole in each language: it can be parsed, and has the texts in it.
func TestEveryPageInEveryLanguage(t *testing.T) {
	t.Parallel()
	p, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	for v := range maps.Keys(p.templates) {
		if _, err := p.templates[v](); err != nil {
			t.Errorf("page %s in %s: %v", v.page, v.language, err)
		}
	}
}

func TestTime(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, time.November, 2, 15, 4, 0, 0, time.UTC)
	for language, want := range map[Language]string{English: "2 November 2026 at 3:04pm UTC", Welsh: "2 Tachwedd 2026 am 3:04pm UTC"} {
		w, err := ReadWords(language)
		if err != nil {
			t.Fatal(err)
		}
		if got := w.Time(at); got != want {
			t.Errorf("time in %s = %q, want %q", language, got, want)
		}
	}
}
