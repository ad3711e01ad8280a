package web

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"strconv"
	"strings"

	lru "github.com/hashicorp/golang-lru/v2"
)

// outlines are pages without the values that are others each time that they are shown. Each is printed once, with a mark in place
// of each such value, and then filled in, which takes a tenth of the time: the sign-in page is shown with every sign-in.
type outlines struct {
	mark    string // what stands on no page by itself: a random number, which is JSON too
	printed *lru.Cache[string, outline]
}

// outline is a printed page in pieces. Each but the first begins with the number of the value before it.
type outline []string

// outlinesKept bounds the outlines that are kept: one for each service, language and level that is asked for, some 5 KB each.
const outlinesKept = 256

func newOutlines() (outlines, error) {
	var random [8]byte
	_, _ = rand.Read(random[:])
	printed, err := lru.New[string, outline](outlinesKept)
	if err != nil {
		return outlines{}, fmt.Errorf("make room for outlines: %w", err)
	}
	return outlines{"1" + strconv.FormatUint(binary.BigEndian.Uint64(random[:]), 10), printed}, nil
}

// outline returns the page with what mark makes of each value that is another each time: the reference, JSON in an attribute, and
// paths of this server with an encoded query, in which nothing is left for a template to normalize.
func (p SignIn) outline(mark func(value string) string) SignIn {
	p.FormAction = nil // is no part of the page
	p.RequestID, p.PostURL, p.PasswordURL, p.SimulatedURL = mark(p.RequestID), mark(p.PostURL), mark(p.PasswordURL), mark(p.SimulatedURL)
	p.Ceremony = Ceremony{Options: json.RawMessage(mark(string(p.Ceremony.Options))), Finish: mark(p.Ceremony.Finish)}
	return p
}

// anybodys says whether the page knows nothing of who reads it, so that many read the same.
func (p SignIn) anybodys() bool {
	return p.Username == "" && p.SignedInAs == "" && p.StepUp == nil && len(p.Errors) == 0 && p.Meanwhile == nil
}

// render prints a page of anybody's.
func (o outlines) render(to io.StringWriter, parsed *template.Template, page SignIn) error {
	var values []string
	common := page.outline(func(value string) string {
		if value == "" {
			return ""
		}
		values = append(values, value)
		return o.mark + strconv.Itoa(len(values)-1)
	})
	key, err := json.Marshal(common)
	if err != nil {
		return fmt.Errorf("encode outline: %w", err)
	}
	pieces, there := o.printed.Get(string(key))
	if !there {
		var whole strings.Builder
		if err := parsed.Execute(&whole, common); err != nil {
			return err
		}
		pieces = strings.Split(whole.String(), o.mark)
		o.printed.Add(string(key), pieces)
	}
	for i, piece := range pieces {
		if i > 0 {
			_, _ = to.WriteString(template.HTMLEscapeString(values[piece[0]-'0']))
			piece = piece[1:]
		}
		_, _ = to.WriteString(piece)
	}
	return nil
}
