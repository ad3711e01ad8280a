package messenger

import (
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/mail"
	"path"
	"strings"
	"sync"
	"text/template"
	"time"
	"unicode"

	"github.com/google/uuid"
	gomail "github.com/wneessen/go-mail"

	"github.com/credence-id/credence/idp/seal"
	"github.com/credence-id/credence/store"
	"github.com/credence-id/credence/web"
)

// Letter is what a message says. A letter names the person whom it is to, if it is to one on record, and what it is about, nothing
// else of anybody, and no secret but that of a link which works once, or of a meeting.
type Letter interface {
	kind() string // the name of its text under letters, in which what is translated stands as in a page (package web)
}

//go:embed frame.txt letters
var letters embed.FS

// lettersByLanguage are the templates of letters, parsed when one is written first in a language.
func lettersByLanguage() map[web.Language]func() (*template.Template, error) {
	in := make(map[web.Language]func() (*template.Template, error))
	for _, language := range web.Languages() {
		in[language] = sync.OnceValues(func() (*template.Template, error) { return parseLetters(language) })
	}
	return in
}

func parseLetters(language web.Language) (*template.Template, error) {
	words, err := web.ReadWords(language)
	if err != nil {
		return nil, err
	}
	names, err := fs.Glob(letters, "letters/*.txt")
	if err != nil {
		return nil, fmt.Errorf("list letters: %w", err)
	}
	all := template.New("").Funcs(template.FuncMap{"time": func(t time.Time) string { return words.Time(t.UTC()) }, "say": words.Say})
	for _, name := range append(names, "frame.txt") {
		source, err := fs.ReadFile(letters, name)
		if err != nil {
			return nil, fmt.Errorf("read letter: %w", err)
		}
		text, err := words.Translate(string(source))
		if err != nil {
			return nil, fmt.Errorf("translate letter %q: %w", name, err)
		}
		if _, err := all.New(path.Base(name)).Parse(text); err != nil {
			return nil, fmt.Errorf("parse letter %q: %w", name, err)
		}
	}
	return all, nil
}

// reader is whom a letter is to.
type reader struct {
	language web.Language
	name     string // "": it calls her nothing
	help     web.Help
}

// text is what a message says, as it rests under the seal.
type text struct{ Name, Subject, Body string }

// mostName bounds what somebody is called in a message, so that it fits a line.
const mostName = 200

// write writes a letter to somebody. The first line of its template is the subject, in which nothing is ever filled in.
func (o *Outbox) write(to reader, l Letter) (text, error) {
	all, err := o.letters[to.language]()
	if err != nil {
		return text{}, err
	}
	var letter, whole strings.Builder
	if err := all.ExecuteTemplate(&letter, l.kind()+".txt", struct {
		Issuer string
		Letter Letter
	}{o.issuer, l}); err != nil {
		return text{}, fmt.Errorf("write letter: %w", err)
	}
	subject, body, _ := strings.Cut(letter.String(), "\n\n")
	name := strings.ReplaceAll(plain(to.name), "\n", " ")
	if runes := []rune(name); len(runes) > mostName {
		name = string(runes[:mostName])
	}
	if err := all.ExecuteTemplate(&whole, "frame.txt", struct {
		Issuer, Name, Body string
		Help               web.Help
	}{o.issuer, name, body, to.help}); err != nil {
		return text{}, fmt.Errorf("write letter: %w", err)
	}
	return text{Name: name, Subject: subject, Body: plain(whole.String())}, nil
}

// plain keeps of a text what is seen, and the ends of lines: nothing that moves the cursor or turns the direction of text.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || unicode.IsGraphic(r) && r != unicode.ReplacementChar {
			return r
		}
		return -1
	}, s)
}

// seal seals what a message says, for that message alone.
func (o *Outbox) seal(t text, id uuid.UUID) ([]byte, error) {
	b, err := json.Marshal(t)
	if err != nil {
		return nil, fmt.Errorf("seal a message: %w", err)
	}
	return o.box.Seal(b, id[:]), nil
}

// errAddress says that nothing can be sent to an address.
var errAddress = errors.New("no mail can be sent to this address")

// compose makes of a message what is sent. It is the same each time.
func (o *Outbox) compose(m store.Message) (*gomail.Msg, error) {
	opened, err := o.box.Open(m.TextSealed, m.ID[:])
	if err != nil {
		return nil, fmt.Errorf("open a message: %w", err)
	}
	var t text
	if err := json.Unmarshal(opened, &t); err != nil {
		return nil, seal.ErrSeal // sealed by another version of this program
	}
	to, err := mail.ParseAddress(m.Address)
	if err != nil || to.Address != m.Address || strings.ContainsFunc(to.Address, func(r rune) bool { return r > unicode.MaxASCII }) { // SMTP takes no others
		return nil, errAddress
	}
	to.Name = t.Name
	_, domain, _ := strings.Cut(o.from.Address, "@")
	composed := gomail.NewMsg(gomail.WithNoDefaultUserAgent(), gomail.WithEncoding(gomail.EncodingQP))
	composed.FromMailAddress(o.from)
	composed.ToMailAddress(to)
	composed.Subject(t.Subject)
	composed.SetDateWithValue(m.CreatedAt.UTC())
	composed.SetMessageIDWithValue(m.ID.String() + "@" + domain)
	composed.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834, Section 5.1
	composed.SetBodyString(gomail.TypeTextPlain, t.Body)
	return composed, nil
}
