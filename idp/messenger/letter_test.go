package messenger

import (
	"bytes"
	"errors"
	"flag"
	"io"
	"io/fs"
	"mime"
	"mime/quotedprintable"
	"net/mail"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/seal"
	"github.com/credence-id/credence/store"
	"github.com/credence-id/credence/web"
)

var update = flag.Bool("update", false, "rewrite the golden files")

var (
	monday    = time.Date(2026, time.March, 2, 9, 30, 0, 0, time.UTC)
	messageID = uuid.MustParse("019cae00-0000-7000-8000-000000000001")
)

func newComposer(tb testing.TB) *Outbox {
	tb.Helper()
	key, err := seal.ParseKey(strings.Repeat("a5", 32))
	if err != nil {
		tb.Fatal(err)
	}
	return New(Config{Key: key, Issuer: "https://id.example.org", From: &mail.Address{Name: "Registration authority", Address: "registration@example.org"}})
}

// message writes and composes a letter to somebody, as the mail server gets it.
func (o *Outbox) message(to reader, address string, l Letter) ([]byte, error) {
	t, err := o.write(to, l)
	if err != nil {
		return nil, err
	}
	composed, err := o.compose(store.Message{ID: messageID, Address: address, TextSealed: o.sealed(t), CreatedAt: monday})
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	_, err = composed.WriteTo(&b)
	return b.Bytes(), err
}

// allLetters has one of each.
func allLetters() []Letter {
	return []Letter{
		PositionGiven{Position: "Ward nurse", Organisation: "Riverside Hospital", StartsAt: monday, EndsAt: new(monday.AddDate(1, 0, 0))},
		PositionEnds{Position: "Ward nurse", Organisation: "Riverside Hospital", EndsAt: monday.AddDate(0, 0, 30)},
		PositionEnded{Position: "Ward nurse", Organisation: "Riverside Hospital", EndsAt: monday},
		OrganisationLeft{Organisation: "Riverside Hospital", EndsAt: monday.AddDate(0, 0, 14)},
		RequestDecided{Request: messageID, State: "approved"},
		RequestLapsed{Request: messageID},
		RequestCancelled{Request: messageID},
		IntroductionEnded{Introduction: messageID, State: "lapsed"},
		ApplicationDecided{Application: messageID, State: "approved"},
		MergeDecided{Merge: messageID, State: "approved"},
		EvidenceDismissed{CheckedAt: monday.AddDate(0, 0, -1)},
		ReviewDue{Review: messageID, DueAt: monday.AddDate(0, 0, 7)},
		BreakGlassOpened{ID: messageID, Organisation: "Riverside Hospital", EndsAt: monday.Add(4 * time.Hour)},
		AuthenticatorAdded{Authenticator: "Blue key"},
		AuthenticatorChanged{Authenticator: "Blue key", State: "lost"},
		ProfileClosed{},
		ProfileReopened{},
		ProfileMerged{},
		DetailsCorrected{},
		IdentityChanged{Level: "very high"},
		AddressChanged{},
		RecoveryCodesMade{},
		RecoveryCodesDropped{},
		Recovery{URL: "https://id.example.org/enrol?token=ABC", ExpiresAt: monday.AddDate(0, 0, 1)},
		RecoveryBegun{},
		MeetingBegun{Code: "1234 5678", Organisation: "Riverside Hospital", EndsAt: monday.Add(30 * time.Minute)},
		SelfRegistration{Organisation: "Riverside Hospital", URL: "https://id.example.org/register/confirm?token=ABC", ExpiresAt: monday.AddDate(0, 0, 1)},
	}
}

// What each letter is in each language, to the byte.
func TestLetters(t *testing.T) {
	t.Parallel()
	o := newComposer(t)
	for _, l := range allLetters() {
		for _, language := range web.Languages() {
			t.Run(l.kind()+"/"+string(language), func(t *testing.T) {
				t.Parallel()
				desk := web.Help{Text: "Ask Ward 4.", Email: "desk@example.org", Telephone: "01632 960001"}
				got, err := o.message(reader{language, "Siân Ng", desk}, "sian@example.org", l)
				if err != nil {
					t.Fatal(err)
				}
				check(t, got, "Siân Ng", "sian@example.org")
				file := filepath.Join("testdata", string(language), l.kind()+".eml")
				if *update {
					if err := os.WriteFile(file, got, 0o600); err != nil {
						t.Fatal(err)
					}
				}
				want, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(string(want), string(got)); diff != "" {
					t.Errorf("%s differs; -update rewrites it (-want +got):\n%s", file, diff)
				}
			})
		}
	}
	files, err := letters.ReadDir("letters")
	if err != nil || len(files) != len(allLetters()) {
		t.Errorf("letters = %v, %v, want the %d that are there", files, err, len(allLetters()))
	}
}

var (
	marked = regexp.MustCompile(`(?s)\[\[(.*?)\]\]`)
	action = regexp.MustCompile(`\{\{.*?\}\}`)
)

// Whatever a letter says it says in Welsh too, with the same in it; and it says nothing that is not marked as text.
func TestLettersAreInWelsh(t *testing.T) {
	t.Parallel()
	welsh, err := web.ReadWords(web.Welsh)
	if err != nil {
		t.Fatal(err)
	}
	names, err := fs.Glob(letters, "letters/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range append(names, "frame.txt") {
		source, err := fs.ReadFile(letters, name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range marked.FindAllStringSubmatch(string(source), -1) {
			said, ok := welsh[m[1]]
			if !ok {
				t.Errorf("%s: %q is not in web/words/cy.csv", name, m[1])
				continue
			}
			want, got := action.FindAllString(m[1], -1), action.FindAllString(said, -1)
			slices.Sort(want)
			slices.Sort(got)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s: %q and its translation hold other things (-English +Welsh):\n%s", name, m[1], diff)
			}
		}
		for line := range strings.Lines(action.ReplaceAllString(marked.ReplaceAllString(string(source), ""), "")) {
			if strings.ContainsFunc(line, unicode.IsLetter) && !strings.HasPrefix(line, "/desk") && !strings.HasPrefix(line, "/account") {
				t.Errorf("%s says %q, which is not between [[ and ]]", name, line)
			}
		}
	}
}

// Nobody who has said nothing is written to in anything but English, and nobody is told of help that there is not.
func TestLettersWithoutHelp(t *testing.T) {
	t.Parallel()
	o := newComposer(t)
	for language, greeting := range map[web.Language]string{web.English: "Hello,\n\n", web.Welsh: "Helo,\n\n", web.LanguageNamed(""): "Hello,\n\n", web.LanguageNamed("fr"): "Hello,\n\n"} {
		got, err := o.write(reader{language: language}, AddressChanged{})
		if err != nil || !strings.HasPrefix(got.Body, greeting) || strings.Contains(got.Body, "desk") || strings.Contains(got.Body, "\n\n\n") {
			t.Errorf("in %q it says %q, %v, want %q first, and nothing of help", language, got.Body, err, greeting)
		}
	}
}

// check holds a message to the rules, whatever it was made of: its headers are ours, once each, and its lines short.
func check(tb testing.TB, raw []byte, name, address string) {
	tb.Helper()
	m, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		tb.Fatalf("ReadMessage() = %v\n%q", err, raw)
	}
	want := map[string]int{
		"Auto-Submitted": 1, "Content-Transfer-Encoding": 1, "Content-Type": 1, "Date": 1, "From": 1, "Message-Id": 1, "Mime-Version": 1, "Subject": 1, "To": 1,
	}
	got := map[string]int{}
	for header, values := range m.Header {
		got[header] = len(values)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		tb.Errorf("headers for %q (-want +got):\n%s", name, diff)
	}
	to, err := m.Header.AddressList("To")
	if err != nil || len(to) != 1 || to[0].Address != address {
		tb.Errorf("To of %q = %v, %v, want %s alone", name, to, err, address)
	}
	if subject, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject")); err != nil || strings.ContainsAny(subject, "\r\n") {
		tb.Errorf("Subject = %q, %v, want one line", subject, err)
	}
	if m.Header.Get("Auto-Submitted") != "auto-generated" {
		tb.Errorf("Auto-Submitted = %q", m.Header.Get("Auto-Submitted"))
	}
	if _, err := io.ReadAll(quotedprintable.NewReader(m.Body)); err != nil {
		tb.Errorf("body = %v, want quoted-printable", err)
	}
	for line := range strings.SplitSeq(string(raw), "\r\n") {
		if len(line) > 998 || strings.ContainsAny(line, "\r\n\x00") || strings.ContainsFunc(line, func(r rune) bool { return r > 126 }) {
			tb.Errorf("line %q, want at most 998 characters of ASCII", line)
		}
	}
}

// Nobody is called what adds a header, or another address.
func TestHeadersCannotBeInjected(t *testing.T) {
	t.Parallel()
	o := newComposer(t)
	for what, name := range map[string]string{
		"a plain name":            "Ana Ng",
		"a header":                "Ana\r\nBcc: everybody@example.org",
		"a header after LF":       "Ana\nBcc: everybody@example.org",
		"a header after CR":       "Ana\rBcc: everybody@example.org",
		"a body":                  "Ana\r\n\r\nSend your password to",
		"another address":         `Ana" <eve@example.org>, "`,
		"a list":                  "Ana, eve@example.org",
		"an encoded word":         "=?utf-8?q?Ana=0D=0ABcc:_eve@example.org?=",
		"a word that lasts":       strings.Repeat("a", 2000),
		"many words":              strings.Repeat("é ", 1000),
		"separators of lines":     "Ana\u2028Bcc: eve@example.org\u2029\u0085",
		"what turns text":         "Ana \u202egro.elpmaxe@eve",
		"no UTF-8":                "Ana \xff\xfe",
		"nothing":                 "",
		"a null":                  "Ana\x00Ng",
		"the end of an SMTP DATA": "Ana\r\n.\r\nMAIL FROM:<eve@example.org>",
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			for _, l := range []Letter{PositionEnds{Position: name, Organisation: name, EndsAt: monday}, AuthenticatorAdded{name}, RequestDecided{State: name}} {
				raw, err := o.message(reader{web.English, name, web.Help{Text: name}}, "ana@example.org", l)
				if err != nil {
					t.Fatal(err)
				}
				check(t, raw, name, "ana@example.org")
			}
		})
	}
}

func TestAddressesThatNoMailIsSentTo(t *testing.T) {
	t.Parallel()
	o := newComposer(t)
	for address, want := range map[string]error{
		"ana@example.org":                         nil,
		"ana.o'neill+work@example.org":            nil,
		"ana@example.org\r\nBcc: eve@example.org": errAddress,
		"ana@example.org, eve@example.org":        errAddress,
		"Ana <ana@example.org>":                   errAddress,
		"<ana@example.org>":                       errAddress,
		" ana@example.org":                        errAddress,
		"ana@example.org (Ana)":                   errAddress,
		`"ana\r\nRCPT TO:<eve>"@example.org`:      errAddress,
		"ana":                                     errAddress,
		"@example.org":                            errAddress,
	} {
		raw, err := o.message(reader{language: web.Welsh, name: "Ana Ng"}, address, AddressChanged{})
		if !errors.Is(err, want) {
			t.Errorf("message to %q = %v, want %v", address, err, want)
		}
		if err == nil {
			check(t, raw, address, address)
		}
	}
}

func FuzzCompose(f *testing.F) {
	f.Add("Ana Ng", "Ward nurse", "ana@example.org")
	f.Add("Ana\r\nBcc: eve@example.org", "a\n\nb", "ana@example.org\r\n")
	f.Add("Ana Ng", "Ward nurse", "ana@օրինակ.հայ")
	f.Add(`" <eve@example.org>`, "=?utf-8?q?=0D=0A?=", `"a b"@example.org`)
	o := newComposer(f)
	f.Fuzz(func(t *testing.T, name, position, address string) {
		raw, err := o.message(reader{web.Welsh, name, web.Help{Text: position, Email: address}}, address, PositionEnds{Position: position, Organisation: name, EndsAt: monday})
		if errors.Is(err, errAddress) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		check(t, raw, name, address)
	})
}

// A message that was changed, or is another's, is not sent.
func TestMessagesAreSealed(t *testing.T) {
	t.Parallel()
	o := newComposer(t)
	sealed := o.sealed(text{Name: "Ana", Subject: "s", Body: "b"})
	if bytes.Contains(sealed, []byte("Ana")) {
		t.Errorf("sealed = %q, want no name", sealed)
	}
	for _, m := range []store.Message{{ID: uuid.New(), TextSealed: sealed}, {ID: messageID, TextSealed: sealed[1:]}} {
		if _, err := o.compose(m); !errors.Is(err, seal.ErrSeal) {
			t.Errorf("compose(another) = %v, want %v", err, seal.ErrSeal)
		}
	}
}

// sealed is a text as the message with messageID has it.
func (o *Outbox) sealed(t text) []byte {
	sealed, _ := o.seal(t, messageID)
	return sealed
}
