package web

import (
	"embed"
	"encoding/csv"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/language"
)

// Language is one in which pages are, as a BCP 47 tag.
type Language string

// The languages. Pages for staff are in both; those for officers, and what is only for developers, are in English alone.
const (
	English Language = "en-GB"
	Welsh   Language = "cy"
)

// Languages lists them, the usual one first.
func Languages() []Language { return []Language{English, Welsh} }

// LanguageNamed is the language of a tag, or else the usual one.
func LanguageNamed(tag string) Language {
	if slices.Contains(Languages(), Language(tag)) {
		return Language(tag)
	}
	return English
}

// languageCookie keeps which language somebody chose.
const languageCookie = "credence-language"

// LanguageOf is the language for whoever sent a request: the one that she chose, else the first that the service asks for
// (ui_locales: OpenID Connect Core 1.0, Section 3.1.2.1; "" for none), else the first that her browser asks for.
func LanguageOf(r *http.Request, uiLocales string) Language {
	if chosen, err := r.Cookie(languageCookie); err == nil && slices.Contains(Languages(), Language(chosen.Value)) {
		return Language(chosen.Value)
	}
	for _, asked := range []string{strings.Join(strings.Fields(uiLocales), ","), r.Header.Get("Accept-Language")} {
		if known, ok := first(asked); ok {
			return known
		}
	}
	return English
}

// longestAsked bounds a list of languages that is looked at.
const longestAsked = 200

// first is the first of the languages of a list, in the form of Accept-Language (RFC 9110, Section 12.5.4), that pages are in.
func first(asked string) (Language, bool) {
	if asked == "" || len(asked) > longestAsked {
		return "", false
	}
	tags, _, err := language.ParseAcceptLanguage(asked)
	if err != nil {
		return "", false
	}
	for _, tag := range tags {
		switch base, _ := tag.Base(); base.String() {
		case "cy":
			return Welsh, true
		case "en":
			return English, true
		}
	}
	return "", false
}

// Choose keeps the language that somebody chose, in her browser.
func (l Language) Choose(w http.ResponseWriter, secure bool) {
	const year = 365 * 24 * 60 * 60
	http.SetCookie(w, &http.Cookie{ //nolint:gosec // Secure but for a loopback issuer, which has no https
		Name: languageCookie, Value: string(l), Path: "/", MaxAge: year, Secure: secure, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
}

//go:embed words
var wordFiles embed.FS

// Words are the translations of a language: by each text as it stands in English, in a template or a script between [[ and ]]
// or where a handler says it. Without any, everything is said in English.
//
// What a handler says as it stands is translated where a page prints it. What it puts together of several texts, or of a text and
// a value, it puts together in the words of the language ([Pages.Words]), because other languages have another order.
type Words map[string]string

// ReadWords reads a catalogue: a CSV file of two columns, what it is in English and what in the language.
func ReadWords(l Language) (Words, error) {
	if l == English {
		return nil, nil //nolint:nilnil // without any words everything is said in English
	}
	file, err := wordFiles.Open("words/" + string(l) + ".csv")
	if err != nil {
		return nil, fmt.Errorf("open words of language %s: %w", l, err)
	}
	defer file.Close()
	reader := csv.NewReader(file)
	reader.FieldsPerRecord, reader.Comment = 2, '#'
	rows, err := reader.ReadAll()
	if err != nil {
		return nil, fmt.Errorf("read words of language %s: %w", l, err)
	}
	list := make(Words, len(rows))
	for _, row := range rows {
		if _, twice := list[row[0]]; twice {
			return nil, fmt.Errorf("read words of language %s: %q is there twice", l, row[0])
		}
		list[row[0]] = row[1]
	}
	return list, nil
}

// Say is what a text is in the language: in English, if nobody has translated it.
func (w Words) Say(text string) string {
	if translated, ok := w[text]; ok {
		return translated
	}
	return text
}

// Sayf is a text with values in it. It is translated as it stands, with its verbs (package fmt).
func (w Words) Sayf(format string, args ...any) string { return fmt.Sprintf(w.Say(format), args...) }

// marked is a text of a template or a script that is translated.
var marked = regexp.MustCompile(`(?s)\[\[(.*?)\]\]`)

// Translate puts the language's texts into the source of a template, before it is parsed, or of a script, so that it costs nothing
// where it is shown. What a text holds of actions and elements its translation holds too.
func (w Words) Translate(source string) (string, error) {
	var errs []error
	translated := marked.ReplaceAllStringFunc(source, func(text string) string {
		text = text[2 : len(text)-2]
		said := w.Say(text)
		if strings.Contains(said, `"`) != strings.Contains(text, `"`) {
			errs = append(errs, fmt.Errorf("the translation of %q quotes otherwise: %q", text, said))
		}
		return said
	})
	return translated, errors.Join(errs...)
}

// Time says when something was, to the minute.
func (w Words) Time(t time.Time) string {
	return w.day(t) + t.Format(" ") + w.Say("at") + t.Format(" 3:04pm MST")
}

func (w Words) day(t time.Time) string {
	return t.Format("2 ") + w.Say(t.Month().String()) + t.Format(" 2006")
}
