package password

import (
	_ "embed"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// The reasons for which [Check] refuses a new password.
const (
	TooShort   = "password_too_short"
	TooLong    = "password_too_long"
	Unreadable = "password_unreadable" // not text
	Common     = "password_common"     // among those that are tried first
	Repeated   = "password_repeated"   // the same again, or a run of a keyboard or of the alphabet
	Personal   = "password_personal"   // little more than what is known of its owner, or of us
)

const (
	// Shortest is the least that a password has: NIST SP 800-63B-4, Section 3.1.1.2. The text would allow 8 characters for one
	// that is never used alone. Ours may be, when the app beside it was taken away.
	Shortest = 15
	// Longest is the most. The text asks for at least 64.
	Longest = 256

	mostBytes = 1024 // of what was entered, before anything is done with it
)

// Normalize is the text that stands for a password, however the keyboard at hand writes it, and whether there is one: NIST
// SP 800-63B-4, Section 3.1.1.2, asks for NFKC. Nothing is cut off, neither here nor by the hash.
func Normalize(password string) (string, bool) {
	if len(password) > mostBytes || !utf8.ValidString(password) {
		return "", false
	}
	return norm.NFKC.String(password), true
}

// Check says why somebody may not have a new password, or "". The words are what is known of her and of the service. Which
// kinds of characters there are is her choice, and so is when it changes: "Verifiers and CSPs SHALL NOT impose other
// composition rules", Section 3.1.1.2. It is compared as a whole, so a common word within it does no harm.
func Check(password string, words ...string) string {
	normal, ok := Normalize(password)
	switch length := utf8.RuneCountInString(normal); {
	case len(password) > mostBytes || length > Longest:
		return TooLong
	case !ok:
		return Unreadable
	case length < Shortest:
		return TooShort
	}
	folded := strings.ToLower(normal)
	switch {
	case repeated(folded):
		return Repeated
	case personal(folded, words):
		return Personal
	case common(folded):
		return Common
	}
	return ""
}

//go:embed common.txt
var commonWords string

// rows are what fingers and children run along.
const rows = "abcdefghijklmnopqrstuvwxyz 01234567890 qwertyuiop asdfghjkl zxcvbnm qazwsxedcrfvtgbyhnujm 1qaz2wsx3edc4rfv5tgb6yhn7ujm"

// repeated says whether a password has few different characters, is something several times over, or is put together of a
// few runs.
func repeated(folded string) bool {
	text := []rune(folded)
	different := slices.Clone(text)
	slices.Sort(different)
	if len(slices.Compact(different)) < 5 {
		return true
	}
	for unit := 1; unit <= len(text)/2; unit++ { // the last time may be cut short
		again := true
		for i := unit; i < len(text) && again; i++ {
			again = text[i] == text[i-unit]
		}
		if again {
			return true
		}
	}
	runs := 1
	for from, i := 0, 2; i <= len(text); i++ {
		if run := string(text[from:i]); !strings.Contains(rows, run) && !strings.Contains(rows, reversed(run)) {
			runs, from = runs+1, i-1
		}
	}
	return runs <= len(text)/4
}

func reversed(s string) string {
	text := []rune(s)
	slices.Reverse(text)
	return string(text)
}

// personal says whether hardly more is left of a password than somebody would guess who knows of whom it is.
func personal(folded string, words []string) bool {
	left := folded
	for _, word := range words {
		for part := range strings.FieldsFuncSeq(strings.ToLower(norm.NFKC.String(word)), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
			if utf8.RuneCountInString(part) >= 3 {
				left = strings.ReplaceAll(left, part, "")
			}
		}
	}
	return left != folded && len([]rune(only(left, unicode.IsLetter, unicode.IsDigit))) < 8
}

// common says whether a password is one of the words that are tried first, or two of them, with digits and signs before,
// between and after, and with digits and signs for letters.
func common(folded string) bool {
	core := strings.TrimFunc(folded, func(r rune) bool { return !unicode.IsLetter(r) })
	plain := strings.NewReplacer("0", "o", "1", "i", "3", "e", "4", "a", "5", "s", "7", "t", "$", "s", "@", "a", "!", "i")
	return ofWords(only(core, unicode.IsLetter)) || ofWords(only(plain.Replace(core), unicode.IsLetter))
}

func ofWords(letters string) bool {
	listed := func(word string) bool { return strings.Contains("\n"+commonWords, "\n"+word+"\n") }
	if letters == "" || listed(letters) {
		return letters != ""
	}
	for i := range letters {
		if listed(letters[:i]) && listed(letters[i:]) {
			return true
		}
	}
	return false
}

// only is a text without the characters that are of none of the kinds.
func only(text string, kinds ...func(rune) bool) string {
	return strings.Map(func(r rune) rune {
		if slices.ContainsFunc(kinds, func(kind func(rune) bool) bool { return kind(r) }) {
			return r
		}
		return -1
	}, text)
}
